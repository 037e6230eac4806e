//! Phase diagrams: where each law holds.

use super::axis::Axis;
use super::canvas::{Align, Canvas, page};
use super::geometry::{Rect, Xy, finite};
use super::layout::{Layout, PAGE_WIDTH};
use super::panel::{Axes, Panel, Text};
use super::text::width;
use super::theme::{LABEL_SIZE, Pen};
use super::{Figure, Series, Theme};

/// A rectangle of the plane in one state.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PhaseCell {
    /// Horizontally from and to.
    pub x: (f64, f64),
    /// Vertically from and to.
    pub y: (f64, f64),
    /// An index into [`Phase::states`]; a larger one means none is known.
    pub state: usize,
}

/// The states of one law over a plane.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PhasePanel {
    /// Title above the panel.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis; in a row only the first is named.
    pub y: Axis,
    /// Where which state is.
    pub cells: Vec<PhaseCell>,
    /// Curves over the diagram, such as exact boundaries.
    pub curves: Vec<Series>,
}

/// Panels, at most three in a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Phase {
    /// Names of the states, from the one that stands out to the one that recedes.
    pub states: Vec<String>,
    /// The panels.
    pub panels: Vec<PhasePanel>,
}

const KEY_HEIGHT: f64 = 26.0;

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
        let row_height = if columns == 3 { 276 } else { 320 };
        let size = (PAGE_WIDTH, row_height * rows as u32 + KEY_HEIGHT as u32);
        page(size, theme, "Where each law holds", |canvas| {
            self.draw_key(canvas);
            let below = Rect { top: KEY_HEIGHT, ..canvas.page };
            let layout = Layout { left: 58.0, ..Layout::new(columns, rows) };
            for (i, (panel, frame)) in self.panels.iter().zip(layout.frames(below)).enumerate() {
                let text = Text {
                    title: &panel.title,
                    letter: (self.panels.len() > 1).then_some(i),
                    hide_x: false,
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
            let hair = Pen::hair(canvas.theme.muted());
            let (l, t, r, b) = (swatch.left, swatch.top, swatch.right, swatch.bottom);
            canvas.curve(&[(l, t), (r, t), (r, b), (l, b), (l, t)], hair);
            canvas.text(name, (x + 33.0, 21.5), LABEL_SIZE, Align::Start, canvas.theme.ink());
            x += 33.0 + width(name, LABEL_SIZE) + 26.0;
        }
    }

    fn draw_panel(&self, canvas: &mut Canvas, panel: &PhasePanel, frame: Rect, text: Text) {
        let ends = |side: fn(&PhaseCell) -> (f64, f64)| {
            panel.cells.iter().flat_map(|c| [side(c).0, side(c).1]).collect::<Vec<_>>()
        };
        let axes =
            Axes { x: (&panel.x, ends(|c| c.x)), y: (&panel.y, ends(|c| c.y)), margins: [0.0; 4] };
        let mut area = Panel::lay(frame, &axes);
        canvas.rect(frame, canvas.theme.missing(), 1.0);
        let place = |c: &PhaseCell| {
            let (low, high) = (area.at(c.x.0, c.y.0), area.at(c.x.1, c.y.1));
            (finite(&low) && finite(&high)).then(|| {
                let (low, high) = (frame.nearest(low), frame.nearest(high));
                (Rect::new(low.0, high.1, high.0, low.1), c.state)
            })
        };
        let cells: Vec<(Rect, usize)> = panel.cells.iter().filter_map(place).collect();
        for state in 0..self.states.len() {
            // Later states cover the seams that rounding would leave.
            let over = if state + 1 < self.states.len() { 0.4 } else { 0.0 };
            let fill = canvas.theme.state_fill(state, self.states.len());
            canvas.polygon(&outline(&cells, state, over, &frame), fill, 1.0);
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
}

/// The cells of a state as one polygon, grown by a seam.
fn outline(cells: &[(Rect, usize)], state: usize, seam: f64, frame: &Rect) -> Vec<Xy> {
    let mut polygon = Vec::new();
    for (cell, _) in cells.iter().filter(|(_, s)| *s == state) {
        let Rect { left, top, right, bottom } = cell.grown(seam);
        let corners = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)];
        polygon.extend(corners.map(|p| frame.nearest(p)));
        polygon.extend(polygon.first().copied());
    }
    polygon
}
