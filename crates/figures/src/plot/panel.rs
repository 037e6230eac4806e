//! One panel: frame, axes, curves, and labels next to what they name.

use super::axis::{Axis, Ruler};
use super::canvas::{Align, Canvas};
use super::geometry::{Rect, Xy, finite};
use super::labels::{Placer, spread};
use super::layout::{LABEL_GAP, LINE_HEIGHT, Layout, label_lines, label_width};
use super::series::{Kind, Series, labels_of, number_of};
use super::text::{short, width};
use super::theme::{Colour, LABEL_SIZE, Pen, TICK_SIZE, TITLE_SIZE};
use super::ticks::Tick;
use super::{SeriesPanel, Theme};

/// A label that waits for its place.
struct Waiting {
    text: String,
    anchor: Xy,
    colour: Colour,
}

/// What a panel says beside its data.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Text<'a> {
    pub(crate) title: &'a str,
    /// Letter of the panel in its figure, from 0; none for a figure of one panel.
    pub(crate) letter: Option<usize>,
    /// Leaves the name of the horizontal axis to the panel below.
    pub(crate) hide_x: bool,
    /// Leaves the name of the vertical axis to the panel on the left.
    pub(crate) hide_y: bool,
    /// Leaves out the lines of the grid.
    pub(crate) hide_grid: bool,
}

/// The two axes of a panel with the values that they must show.
pub(crate) struct Axes<'a> {
    pub(crate) x: (&'a Axis, Vec<f64>),
    pub(crate) y: (&'a Axis, Vec<f64>),
    /// Room between data and frame: left, right, bottom, top, in shares of the panel.
    pub(crate) margins: [f64; 4],
}

impl<'a> Axes<'a> {
    /// Axes that show all points of some series.
    pub(crate) fn of_series(x: &'a Axis, y: &'a Axis, series: &[Series]) -> Self {
        let mut values = (Vec::new(), Vec::new());
        for s in series {
            values.0.extend(&s.x);
            for part in [&s.y, &s.lower, &s.upper] {
                values.1.extend(part);
            }
            if let Some((x, y)) = s.peak {
                values.0.push(x);
                values.1.push(y);
            }
        }
        Self { x: (x, values.0), y: (y, values.1), margins: [0.02, 0.02, 0.05, 0.14] }
    }
}

/// A frame with axes on the page.
pub(crate) struct Panel {
    pub(crate) frame: Rect,
    pub(crate) x: Ruler,
    pub(crate) y: Ruler,
    placer: Placer,
    beside: Vec<Waiting>,
    notes: Vec<Waiting>,
    /// What is written before the position of a peak.
    pub(crate) peak_name: &'static str,
}

impl Panel {
    /// Draws the frame and the axes.
    pub(crate) fn open(canvas: &mut Canvas, frame: Rect, axes: Axes, text: Text) -> Self {
        let panel = Self::lay(frame, &axes);
        panel.draw_axes(canvas, &axes, text);
        panel
    }

    /// Lays the axes on the page without drawing them.
    pub(crate) fn lay(frame: Rect, axes: &Axes) -> Self {
        let [left, right, bottom, top] = axes.margins;
        let values = |v: &[f64]| v.to_vec();
        let x = Ruler::new(axes.x.0, values(&axes.x.1), (left, right), (frame.left, frame.right));
        let y = Ruler::new(axes.y.0, values(&axes.y.1), (bottom, top), (frame.bottom, frame.top));
        // Labels may touch the upper edge, below the title, but no axis.
        let placer = Placer::new(Rect { top: frame.top - 3.0, ..frame.grown(-2.0) });
        Self { frame, x, y, placer, beside: vec![], notes: vec![], peak_name: "peak " }
    }

    /// Draws what [`Panel::lay`] has laid.
    pub(crate) fn draw_axes(&self, canvas: &mut Canvas, axes: &Axes, text: Text) {
        if !text.hide_grid {
            self.draw_grid(canvas);
        }
        self.draw_x_axis(canvas, if text.hide_x { "" } else { &axes.x.0.label });
        self.draw_y_axis(canvas, if text.hide_y { "" } else { &axes.y.0.label });
        let title = match text.letter {
            Some(i) => format!("({}) {}", char::from(b'a' + (i % 26) as u8), text.title),
            None => text.title.to_owned(),
        };
        let at = (self.frame.left, self.frame.top - 11.0);
        canvas.text(&title, at, TITLE_SIZE, Align::Start, canvas.theme.ink());
    }

    /// The ticks of the horizontal axis that are on the page, with their pixels.
    fn x_ticks(&self) -> Vec<(f64, Tick)> {
        let wanted = ((self.frame.width() / 58.0) as usize).clamp(2, 5);
        on_axis(&self.x, wanted, (self.frame.left, self.frame.right))
    }

    fn y_ticks(&self) -> Vec<(f64, Tick)> {
        let wanted = ((self.frame.height() / 42.0) as usize).clamp(2, 5);
        on_axis(&self.y, wanted, (self.frame.top, self.frame.bottom))
    }

    fn draw_grid(&self, canvas: &mut Canvas) {
        let (f, pen) = (self.frame, Pen::hair(canvas.theme.grid()));
        for (at, _) in self.x_ticks().iter().filter(|(_, tick)| !tick.text.is_empty()) {
            canvas.line((*at, f.top), (*at, f.bottom), pen);
        }
        for (at, _) in self.y_ticks().iter().filter(|(_, tick)| !tick.text.is_empty()) {
            canvas.line((f.left, *at), (f.right, *at), pen);
        }
    }

    fn draw_x_axis(&self, canvas: &mut Canvas, label: &str) {
        let (f, theme) = (self.frame, canvas.theme);
        let mut free_from = f64::NEG_INFINITY;
        for (at, tick) in self.x_ticks() {
            let length = if tick.text.is_empty() { 2.5 } else { 5.0 };
            canvas.line((at, f.bottom), (at, f.bottom + length), Pen::hair(theme.muted()));
            let half = width(&tick.text, TICK_SIZE) / 2.0;
            if !tick.text.is_empty() && at - half > free_from {
                let place = (at, f.bottom + 18.0);
                canvas.text(&tick.text, place, TICK_SIZE, Align::Middle, theme.muted());
                free_from = at + half + 6.0;
            }
        }
        let middle = ((f.left + f.right) / 2.0, f.bottom + 37.0);
        canvas.text(label, middle, LABEL_SIZE, Align::Middle, theme.ink());
    }

    fn draw_y_axis(&self, canvas: &mut Canvas, label: &str) {
        let (f, theme) = (self.frame, canvas.theme);
        let mut widest: f64 = 0.0;
        for (at, tick) in self.y_ticks() {
            let length = if tick.text.is_empty() { 2.5 } else { 5.0 };
            canvas.line((f.left - length, at), (f.left, at), Pen::hair(theme.muted()));
            let place = (f.left - 8.0, at + 0.36 * TICK_SIZE);
            canvas.text(&tick.text, place, TICK_SIZE, Align::End, theme.muted());
            widest = widest.max(width(&tick.text, TICK_SIZE));
        }
        let at = (f.left - 16.0 - widest, (f.top + f.bottom) / 2.0);
        canvas.text_upwards(label, at, LABEL_SIZE, Align::Middle, theme.ink());
    }

    /// The two lines of the frame, with breaks where the horizontal axis has them.
    fn draw_spines(&self, canvas: &mut Canvas) {
        let (f, ink) = (self.frame, Pen::hair(canvas.theme.ink()));
        canvas.line((f.left, f.top), (f.left, f.bottom), ink);
        let mut from = f.left;
        for at in self.x.breaks() {
            canvas.line((from, f.bottom), (at - 2.5, f.bottom), ink);
            for side in [-2.5, 2.5] {
                let foot = (at + side - 2.0, f.bottom + 5.0);
                canvas.line(foot, (at + side + 2.0, f.bottom - 5.0), ink);
            }
            from = at + 2.5;
        }
        canvas.line((from, f.bottom), (f.right, f.bottom), ink);
    }

    /// The place of a value on the page.
    pub(crate) fn at(&self, x: f64, y: f64) -> Xy {
        (self.x.at(x), self.y.at(y))
    }

    /// The places of many values.
    pub(crate) fn path(&self, x: &[f64], y: &[f64]) -> Vec<Xy> {
        x.iter().zip(y).map(|(&x, &y)| self.at(x, y)).collect()
    }

    /// Draws a curve, and keeps labels off it.
    pub(crate) fn curve(&mut self, canvas: &mut Canvas, x: &[f64], y: &[f64], pen: Pen) -> Vec<Xy> {
        let path = self.path(x, y);
        // A point without neighbours would be invisible.
        for part in path.split(|p| !finite(p)) {
            match part {
                [only] if self.frame.grown(0.5).contains(*only) => {
                    canvas.marker(*only, pen, 3.0, false);
                }
                _ => canvas.curve_in(&self.frame.grown(0.5), part, pen),
            }
        }
        self.placer.avoid_curve(path.clone());
        path
    }

    /// Fills between two curves over the same x.
    pub(crate) fn area(
        &self,
        canvas: &mut Canvas,
        x: &[f64],
        (lower, upper): (&[f64], &[f64]),
        colour: Colour,
        alpha: f64,
    ) {
        let (low, high) = (self.path(x, lower), self.path(x, upper));
        let columns: Vec<(Xy, Xy)> = low.into_iter().zip(high).collect();
        for part in columns.split(|(a, b)| !finite(a) || !finite(b)) {
            let there = part.iter().map(|c| self.frame.nearest(c.0));
            let back = part.iter().rev().map(|c| self.frame.nearest(c.1));
            canvas.polygon(&there.chain(back).collect::<Vec<_>>(), colour, alpha);
        }
    }

    /// Draws a series with its label and its peak.
    pub(crate) fn series(&mut self, canvas: &mut Canvas, series: &Series, pen: Pen) {
        let path = match series.kind {
            Kind::Line => self.curve(canvas, &series.x, &series.y, pen),
            Kind::Thin => {
                let path = self.path(&series.x, &series.y);
                canvas.curve_in(&self.frame, &path, pen.solid().with_width(0.9).with_alpha(0.45));
                path
            }
            Kind::Band => {
                let edges = (&series.lower[..], &series.upper[..]);
                self.area(canvas, &series.x, edges, pen.colour, 0.2);
                for edge in [edges.0, edges.1] {
                    let path = self.path(&series.x, edge);
                    let pen = pen.solid().with_width(0.8).with_alpha(0.55);
                    canvas.curve_in(&self.frame, &path, pen);
                }
                self.curve(canvas, &series.x, &series.y, pen)
            }
            Kind::Points => {
                let path = self.path(&series.x, &series.y);
                let radius = if path.len() > 60 { 2.2 } else { 3.2 };
                for &p in path.iter().filter(|&&p| self.frame.grown(0.5).contains(p)) {
                    canvas.marker(p, pen, radius, false);
                }
                self.placer.avoid_curve(path.clone());
                path
            }
        };
        if let Some(&end) = path.iter().rev().find(|&&p| self.frame.grown(0.5).contains(p)) {
            self.label(&series.label, end, pen.colour);
        }
        if let Some(peak) = series.peak {
            self.peak(canvas, peak, pen);
        }
    }

    /// Marks a point and names its horizontal position.
    pub(crate) fn peak(&mut self, canvas: &mut Canvas, (x, y): Xy, pen: Pen) {
        let at = self.at(x, y);
        if self.frame.grown(0.5).contains(at) {
            canvas.marker(at, pen, 4.6, true);
            self.placer.avoid(Rect::new(at.0, at.1, at.0, at.1).grown(6.0));
            self.note(&format!("{}{}", self.peak_name, short(x, 2)), at, pen.colour);
        }
    }

    /// A label for a curve that ends at `end`: beside the panel if the curve comes near its right
    /// edge, else near the end. The same label is shown once.
    pub(crate) fn label(&mut self, text: &str, end: Xy, colour: Colour) {
        let known = self.beside.iter().chain(&self.notes).any(|w| w.text == text);
        if text.is_empty() || known {
            return;
        }
        let waiting = Waiting { text: text.to_owned(), anchor: end, colour };
        if end.0 > self.frame.right - 0.35 * self.frame.width() {
            self.beside.push(waiting);
        } else {
            self.notes.push(waiting);
        }
    }

    /// A text near a point of the panel.
    pub(crate) fn note(&mut self, text: &str, at: Xy, colour: Colour) {
        if !text.is_empty() && finite(&at) {
            self.notes.push(Waiting { text: text.to_owned(), anchor: at, colour });
        }
    }

    /// Keeps labels off a rectangle.
    pub(crate) fn avoid(&mut self, taken: Rect) {
        self.placer.avoid(taken);
    }

    /// Keeps labels off a curve.
    pub(crate) fn avoid_curve(&mut self, points: Vec<Xy>) {
        self.placer.avoid_curve(points);
    }

    /// A horizontal line across the panel with its name over its left end.
    pub(crate) fn level(&mut self, canvas: &mut Canvas, y: f64, text: &str, pen: Pen) {
        let (f, at) = (self.frame, self.y.at(y));
        if (f.top..=f.bottom).contains(&at) {
            let ends = [(f.left, at), (f.right, at)];
            canvas.curve(&ends, pen);
            self.placer.avoid_curve(ends.to_vec());
            let start = (f.left + 8.0 + label_width(text) / 2.0, at);
            self.note(text, start, pen.colour);
        }
    }

    /// Draws the frame over the data, and the labels, now that all curves are known.
    pub(crate) fn close(mut self, canvas: &mut Canvas) {
        self.draw_spines(canvas);
        self.draw_beside(canvas);
        for note in std::mem::take(&mut self.notes) {
            let lines = label_lines(&note.text);
            let size = (label_width(&note.text) + 2.0, lines.len() as f64 * LINE_HEIGHT - 1.0);
            let place = self.placer.place(note.anchor, size);
            let nearest = place.nearest(note.anchor);
            let (dx, dy) = (nearest.0 - note.anchor.0, nearest.1 - note.anchor.1);
            let far = dx.hypot(dy);
            if far > 14.0 {
                let start = (note.anchor.0 + 6.0 * dx / far, note.anchor.1 + 6.0 * dy / far);
                canvas.line(start, nearest, Pen::hair(note.colour).with_alpha(0.7));
            }
            canvas.rect(place, canvas.theme.background(), 0.75);
            let middle = (place.left + place.right) / 2.0;
            for (i, line) in lines.iter().enumerate() {
                let at = (middle, place.top + (i as f64 + 0.78) * LINE_HEIGHT);
                canvas.text(line, at, LABEL_SIZE, Align::Middle, canvas.theme.readable(note.colour));
            }
        }
    }

    fn draw_beside(&self, canvas: &mut Canvas) {
        let height = |w: &Waiting| label_lines(&w.text).len() as f64 * LINE_HEIGHT + 3.0;
        let wanted: Vec<(f64, f64)> = self.beside.iter().map(|w| (w.anchor.1, height(w))).collect();
        let centres = spread(&wanted, self.frame.top - 8.0, self.frame.bottom + 8.0);
        let left = self.frame.right + LABEL_GAP;
        for (waiting, centre) in self.beside.iter().zip(centres) {
            let start = (waiting.anchor.0 + 2.0, waiting.anchor.1);
            let bend = (self.frame.right.max(start.0), waiting.anchor.1);
            canvas.curve(&[start, bend, (left - 3.0, centre)], Pen::hair(waiting.colour));
            let lines = label_lines(&waiting.text);
            let top = centre - lines.len() as f64 * LINE_HEIGHT / 2.0;
            for (i, line) in lines.iter().enumerate() {
                let at = (left, top + (i as f64 + 0.78) * LINE_HEIGHT);
                let colour = canvas.theme.readable(waiting.colour);
                canvas.text(line, at, LABEL_SIZE, Align::Start, colour);
            }
        }
    }
}

/// The ticks of an axis that lie between two pixels.
fn on_axis(ruler: &Ruler, wanted: usize, (from, to): (f64, f64)) -> Vec<(f64, Tick)> {
    let placed = ruler.ticks(wanted).into_iter().map(|tick| (ruler.at(tick.value), tick));
    placed.filter(|(at, _)| (from - 0.5..=to + 0.5).contains(at)).collect()
}

/// Draws panels of series with a common horizontal axis and common pens, a given number in a row; the labels
/// stand right of the last column.
pub(crate) fn series_panels(canvas: &mut Canvas, columns: usize, x: &Axis, panels: &[SeriesPanel]) {
    panels_with(canvas, columns, x, panels, |theme, number, _| theme.pen(number));
}

/// The same for series in an order, such as that of energies.
pub(crate) fn ordered_panels(canvas: &mut Canvas, columns: usize, x: &Axis, panels: &[SeriesPanel]) {
    panels_with(canvas, columns, x, panels, Theme::ordered_pen);
}

fn panels_with(
    canvas: &mut Canvas,
    columns: usize,
    x: &Axis,
    panels: &[SeriesPanel],
    pen: impl Fn(Theme, usize, usize) -> Pen,
) {
    let labels = labels_of(panels.iter().flat_map(|p| &p.series));
    let rows = panels.len().div_ceil(columns);
    let layout = Layout::new(columns, rows).with_labels(labels.iter().copied()).with_shared_x();
    for (i, (panel, frame)) in panels.iter().zip(layout.frames(canvas.page)).enumerate() {
        let y = Axis::linear(&panel.y_label);
        let axes = Axes::of_series(x, &y, &panel.series);
        let text = Text {
            title: &panel.title,
            letter: (panels.len() > 1).then_some(i),
            hide_x: i + columns < panels.len(),
            ..Text::default()
        };
        let mut area = Panel::open(canvas, frame, axes, text);
        let last_column = i % columns == columns - 1 || i + 1 == panels.len();
        for series in &panel.series {
            let pen = pen(canvas.theme, number_of(&labels, &series.label), labels.len());
            if last_column {
                area.series(canvas, series, pen);
            } else {
                area.series(canvas, &Series { label: String::new(), ..series.clone() }, pen);
            }
        }
        area.close(canvas);
    }
}

/// Draws panels side by side, each with an axis, pens and labels of its own.
pub(crate) fn labelled_row(canvas: &mut Canvas, panels: &[(&Axis, &SeriesPanel)]) {
    let labels: Vec<Vec<&str>> = panels.iter().map(|(_, p)| labels_of(&p.series)).collect();
    let widest = |l: &Vec<&str>| l.iter().map(|l| label_width(l)).fold(0.0, f64::max);
    let frames = Layout::new(panels.len(), 1).row(canvas.page, labels.iter().map(widest).collect());
    for (i, ((&(x, panel), frame), labels)) in panels.iter().zip(frames).zip(&labels).enumerate() {
        let y = Axis::linear(&panel.y_label);
        let axes = Axes::of_series(x, &y, &panel.series);
        let text = Text { title: &panel.title, letter: Some(i), ..Text::default() };
        let mut area = Panel::open(canvas, frame, axes, text);
        for series in &panel.series {
            area.series(canvas, series, canvas.theme.pen(number_of(labels, &series.label)));
        }
        area.close(canvas);
    }
}
