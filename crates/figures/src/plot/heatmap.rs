//! Heat maps over energy and head norm.

use super::axis::{Axis, Ruler};
use super::canvas::{Align, Canvas, page};
use super::contour::{Field, contour, joined};
use super::geometry::{Rect, Xy};
use super::layout::{Layout, PAGE_WIDTH};
use super::panel::{Axes, Panel, Text};
use super::text::width;
use super::theme::{Colour, LABEL_SIZE, Pen, TICK_SIZE, viridis};
use super::{Figure, Grid, Theme};

/// One map with its own colour scale.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeatPanel {
    /// Title above the map.
    pub title: String,
    /// Name of the values with unit, beside the colour scale.
    pub value_label: String,
    /// The values; NaN where there is none.
    pub grid: Grid<f64>,
    /// A curve to be drawn over the map, such as where the maximum over energy lies.
    pub ridge: Vec<(f64, f64)>,
    /// Its name.
    pub ridge_label: String,
}

/// Maps over common axes, two in a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeatMap {
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The maps.
    pub panels: Vec<HeatPanel>,
}

/// Steps of the colour scale.
const STEPS: usize = 40;
const BAR_WIDTH: f64 = 11.0;

impl Figure for HeatMap {
    fn name(&self) -> &'static str {
        "heatmap"
    }

    fn svg(&self, theme: Theme) -> String {
        let columns = self.panels.len().clamp(1, 2);
        let rows = self.panels.len().div_ceil(columns).max(1);
        let size = (PAGE_WIDTH, 265 * rows as u32 + 20);
        page(size, theme, "Adaptation over energy and head norm", |canvas| {
            let layout =
                Layout { right: 84.0, left: 58.0, ..Layout::new(columns, rows) }.with_shared_x();
            let frames = layout.frames(canvas.page);
            for (i, (map, frame)) in self.panels.iter().zip(frames).enumerate() {
                let text = Text {
                    title: &map.title,
                    letter: (self.panels.len() > 1).then_some(i),
                    hide_x: i + columns < self.panels.len(),
                    hide_y: i % columns > 0,
                    hide_grid: true,
                };
                self.draw_map(canvas, map, frame, text);
            }
        })
    }
}

impl HeatMap {
    fn draw_map(&self, canvas: &mut Canvas, map: &HeatPanel, frame: Rect, text: Text) {
        let (x, y) = (map.grid.x.clone(), map.grid.y.clone());
        let axes = Axes { x: (&self.x, x), y: (&self.y, y), margins: [0.0; 4] };
        let mut panel = Panel::lay(frame, &axes);
        canvas.rect(frame, canvas.theme.missing(), 1.0);
        let known: Vec<f64> = map.grid.values.iter().copied().filter(|v| v.is_finite()).collect();
        let bar = Rect::new(frame.right + 12.0, frame.top, frame.right + 12.0 + BAR_WIDTH, frame.bottom);
        let scale = Ruler::new(&Axis::default(), known, (0.0, 0.0), (bar.bottom, bar.top));
        let (low, high) = scale.range();
        let place = |ruler: &Ruler, nodes: &[f64], from: f64, to: f64| -> Vec<f64> {
            nodes.iter().map(|&v| ruler.at(v).max(from).min(to)).collect()
        };
        let columns = place(&panel.x, &map.grid.x, frame.left, frame.right);
        let rows = place(&panel.y, &map.grid.y, frame.top, frame.bottom);
        let field = Field { x: &columns, y: &rows, values: &map.grid.values };
        for step in 0..STEPS {
            let share = step as f64 / STEPS as f64;
            // The lowest step takes all values, and rounding with them.
            let level = if step == 0 { f64::MIN } else { low + share * (high - low) };
            let colour = viridis(share + 0.5 / STEPS as f64);
            canvas.polygon(&joined(&field.outlines(level)), colour, 1.0);
        }
        for tick in scale.ticks(4) {
            let share = (tick.value - low) / (high - low);
            // At the very ends a contour would show rounding.
            if !(1e-6..=1.0 - 1e-6).contains(&share) {
                continue;
            }
            let pen = Pen::hair(over(viridis(share))).with_alpha(0.55).with_width(0.8);
            for outline in field.outlines(tick.value) {
                canvas.curve(&contour(&outline), pen);
            }
        }
        panel.draw_axes(canvas, &axes, text);
        draw_bar(canvas, bar, &scale, &map.value_label);
        draw_ridge(canvas, &mut panel, map);
        panel.close(canvas);
    }
}

/// Black or white, whichever stands out from a colour.
fn over(colour: Colour) -> Colour {
    if colour.luminance() > 0.25 { Colour(0, 0, 0) } else { Colour(255, 255, 255) }
}

fn draw_bar(canvas: &mut Canvas, bar: Rect, scale: &Ruler, label: &str) {
    let theme = canvas.theme;
    for step in 0..STEPS {
        let share = step as f64 / STEPS as f64;
        // Each step reaches to the top, so that no seams show.
        let top = Rect { bottom: bar.bottom - share * bar.height(), ..bar };
        canvas.rect(top, viridis(share + 0.5 / STEPS as f64), 1.0);
    }
    let mut widest: f64 = 0.0;
    for tick in scale.ticks(4) {
        let at = scale.at(tick.value);
        canvas.line((bar.right, at), (bar.right + 4.0, at), Pen::hair(theme.muted()));
        let place = (bar.right + 7.0, at + 0.36 * TICK_SIZE);
        canvas.text(&tick.text, place, TICK_SIZE, Align::Start, theme.muted());
        widest = widest.max(width(&tick.text, TICK_SIZE));
    }
    let at = (bar.right + 7.0 + widest + 15.0, (bar.top + bar.bottom) / 2.0);
    canvas.text_upwards(label, at, LABEL_SIZE, Align::Middle, theme.ink());
}

fn draw_ridge(canvas: &mut Canvas, panel: &mut Panel, map: &HeatPanel) {
    let (x, y): (Vec<f64>, Vec<f64>) = map.ridge.iter().copied().unzip();
    let path: Vec<Xy> = panel.path(&x, &y);
    let frame = panel.frame;
    for (colour, width) in [(Colour(0, 0, 0), 3.6), (Colour(255, 255, 255), 1.8)] {
        canvas.curve_in(&frame, &path, Pen::hair(colour).with_width(width));
    }
    panel.avoid_curve(path.clone());
    let visible: Vec<Xy> = path.into_iter().filter(|&p| frame.contains(p)).collect();
    if let Some(&middle) = visible.get(visible.len() / 2) {
        panel.note(&map.ridge_label, middle, canvas.theme.ink());
    }
}
