//! Phase diagrams: where each law holds.

use super::axis::{Axis, Ruler};
use super::canvas::{Align, Canvas, page};
use super::geometry::{Rect, Xy};
use super::layout::{Layout, PAGE_WIDTH};
use super::panel::{Axes, Panel, Text};
use super::text::width;
use super::theme::{LABEL_SIZE, Pen};
use super::{Figure, Grid, Series, Theme};

/// The states of one law over the plane.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PhasePanel {
    /// Title above the panel.
    pub title: String,
    /// The state at each point: an index into [`Phase::states`]; a larger one means none is known.
    pub grid: Grid<u8>,
    /// Curves over the diagram, such as exact boundaries.
    pub curves: Vec<Series>,
}

/// Panels over common axes, at most three in a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Phase {
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Names of the states, from the one that stands out to the one that recedes.
    pub states: Vec<String>,
    /// The panels.
    pub panels: Vec<PhasePanel>,
}

const KEY_HEIGHT: f64 = 26.0;
/// Distance of hatch lines.
const HATCH: f64 = 8.0;

impl Figure for Phase {
    fn name(&self) -> &'static str {
        "phase"
    }

    fn svg(&self, theme: Theme) -> String {
        let columns = match self.panels.len() {
            0 | 1 => 1,
            2 | 4 => 2,
            _ => 3,
        };
        let rows = self.panels.len().div_ceil(columns).max(1);
        let row_height = if columns == 3 { 262 } else { 320 };
        let size = (PAGE_WIDTH, row_height * rows as u32 + KEY_HEIGHT as u32);
        page(size, theme, "Where each law holds", |canvas| {
            self.draw_key(canvas);
            let below = Rect { top: KEY_HEIGHT, ..canvas.page };
            let layout = Layout { left: 58.0, ..Layout::new(columns, rows) }.with_shared_x();
            for (i, (panel, frame)) in self.panels.iter().zip(layout.frames(below)).enumerate() {
                let text = Text {
                    title: &panel.title,
                    letter: (self.panels.len() > 1).then_some(i),
                    hide_x: i + columns < self.panels.len(),
                    hide_y: i % columns > 0,
                    hide_grid: true,
                };
                self.draw_panel(canvas, panel, frame, text);
            }
        })
    }
}

impl Phase {
    /// A row with one swatch a state.
    fn draw_key(&self, canvas: &mut Canvas) {
        let mut x = 58.0;
        for (state, name) in self.states.iter().enumerate() {
            let swatch = Rect::new(x, 10.0, x + 26.0, 24.0);
            canvas.rect(swatch, canvas.theme.state_fill(state, self.states.len()), 1.0);
            self.hatch(canvas, swatch, state, |_| true);
            let hair = Pen::hair(canvas.theme.muted());
            let (l, t, r, b) = (swatch.left, swatch.top, swatch.right, swatch.bottom);
            canvas.curve(&[(l, t), (r, t), (r, b), (l, b), (l, t)], hair);
            canvas.text(name, (x + 33.0, 21.5), LABEL_SIZE, Align::Start, canvas.theme.ink());
            x += 33.0 + width(name, LABEL_SIZE) + 26.0;
        }
    }

    fn draw_panel(&self, canvas: &mut Canvas, panel: &PhasePanel, frame: Rect, text: Text) {
        let axes = Axes {
            x: (&self.x, panel.grid.x.clone()),
            y: (&self.y, panel.grid.y.clone()),
            margins: [0.0; 4],
        };
        let mut area = Panel::lay(frame, &axes);
        canvas.rect(frame, canvas.theme.missing(), 1.0);
        let cells = Cells {
            grid: &panel.grid,
            x: bounds(&area.x, &panel.grid.x, (frame.left, frame.right)),
            y: bounds(&area.y, &panel.grid.y, (frame.bottom, frame.top)),
        };
        for state in 0..self.states.len() {
            // Later states cover the seams that rounding would leave.
            let over = if state + 1 < self.states.len() { 0.4 } else { 0.0 };
            let fill = canvas.theme.state_fill(state, self.states.len());
            canvas.polygon(&cells.area(state, over, &frame), fill, 1.0);
        }
        for state in 0..self.states.len() {
            self.hatch(canvas, frame, state, |at| cells.state_at(at) == Some(state));
        }
        area.draw_axes(canvas, &axes, text);
        for (i, series) in panel.curves.iter().enumerate() {
            let colour = canvas.theme.ink();
            let pen = Pen { colour, ..canvas.theme.pen(i) }.with_width(1.6);
            let path = area.curve(canvas, &series.x, &series.y, pen);
            let visible: Vec<Xy> = path.into_iter().filter(|&p| frame.contains(p)).collect();
            if let Some(&middle) = visible.get(visible.len() / 2) {
                area.note(&series.label, middle, colour);
            }
        }
        area.close(canvas);
    }

    /// Hatches the states between the first and the last where they are.
    fn hatch(&self, canvas: &mut Canvas, frame: Rect, state: usize, there: impl Fn(Xy) -> bool) {
        if state == 0 || state + 1 >= self.states.len() {
            return;
        }
        let rising = state % 2 == 1;
        let pen = Pen::hair(canvas.theme.ink()).with_alpha(0.55);
        let count = ((frame.width() + frame.height()) / HATCH) as usize;
        for line in 1..=count {
            let reach = line as f64 * HATCH;
            let mut path = Vec::new();
            // A step a pixel: the hatch ends where the state does.
            for step in 0..=reach as usize {
                let x = frame.left + step as f64;
                let y = if rising {
                    frame.top + reach - step as f64
                } else {
                    frame.bottom - reach + step as f64
                };
                let seen = frame.contains((x, y)) && there((x, y));
                path.push(if seen { (x, y) } else { (f64::NAN, f64::NAN) });
            }
            canvas.curve(&path, pen);
        }
    }
}

/// The cells of a grid on the page.
struct Cells<'a> {
    grid: &'a Grid<u8>,
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Cells<'_> {
    /// The cells of a state as one polygon, grown by a seam.
    fn area(&self, state: usize, seam: f64, frame: &Rect) -> Vec<Xy> {
        let mut polygon = Vec::new();
        for row in 0..self.grid.y.len() {
            let is = |column: usize| self.grid.get(column, row).map(usize::from) == Some(state);
            let mut column = 0;
            while column < self.grid.x.len() {
                let from = column;
                while column < self.grid.x.len() && is(column) {
                    column += 1;
                }
                if column == from {
                    column += 1;
                    continue;
                }
                let (left, right) = (self.x[from] - seam, self.x[column] + seam);
                let (bottom, top) = (self.y[row] + seam, self.y[row + 1] - seam);
                let corners =
                    [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)];
                polygon.extend(corners.map(|p| frame.nearest(p)));
                polygon.extend(polygon.first().copied());
            }
        }
        polygon
    }

    fn state_at(&self, (x, y): Xy) -> Option<usize> {
        let column = self.x.windows(2).position(|w| (w[0]..w[1]).contains(&x))?;
        let row = self.y.windows(2).position(|w| w[1] < y && y <= w[0])?;
        self.grid.get(column, row).map(usize::from)
    }
}

/// The bounds of cells around nodes: halfway between neighbours, and the ends of the axis.
fn bounds(ruler: &Ruler, nodes: &[f64], (start, end): (f64, f64)) -> Vec<f64> {
    let places: Vec<f64> = nodes.iter().map(|&v| ruler.at(v)).collect();
    let middles = places.windows(2).map(|w| (w[0] + w[1]) / 2.0);
    std::iter::once(start).chain(middles).chain([end]).collect()
}
