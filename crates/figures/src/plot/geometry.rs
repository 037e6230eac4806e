//! Points, rectangles and curves on the page.

use super::theme::Marker;

/// A point on the page: pixels to the right and down.
pub(crate) type Xy = (f64, f64);

/// Where a curve breaks.
const GAP: Xy = (f64::NAN, f64::NAN);

/// A rectangle on the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Rect {
    pub(crate) fn new(left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self { left, top, right, bottom }
    }

    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(crate) fn contains(&self, (x, y): Xy) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    /// The point of the rectangle that is nearest to a point.
    pub(crate) fn nearest(&self, (x, y): Xy) -> Xy {
        (x.max(self.left).min(self.right), y.max(self.top).min(self.bottom))
    }

    /// The area shared with another rectangle.
    pub(crate) fn overlap(&self, other: &Self) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    pub(crate) fn grown(&self, by: f64) -> Self {
        Self::new(self.left - by, self.top - by, self.right + by, self.bottom + by)
    }

    pub(crate) fn moved(&self, dx: f64, dy: f64) -> Self {
        Self::new(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy)
    }

    /// The part of a segment inside, if any (Liang and Barsky).
    pub(crate) fn clip(&self, a: Xy, b: Xy) -> Option<(Xy, Xy)> {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        for (p, q) in [
            (-dx, a.0 - self.left),
            (dx, self.right - a.0),
            (-dy, a.1 - self.top),
            (dy, self.bottom - a.1),
        ] {
            if p == 0.0 {
                if q < 0.0 {
                    return None;
                }
            } else if p < 0.0 {
                enter = enter.max(q / p);
            } else {
                leave = leave.min(q / p);
            }
        }
        let at = |t: f64| (a.0 + t * dx, a.1 + t * dy);
        // The ends themselves are kept to the bit, so that inner segments join.
        let first = if enter == 0.0 { a } else { at(enter) };
        let last = if leave == 1.0 { b } else { at(leave) };
        (enter <= leave).then_some((first, last))
    }
}

pub(crate) fn finite(p: &Xy) -> bool {
    p.0.is_finite() && p.1.is_finite()
}

/// The parts of a curve inside a window, with gaps between them.
pub(crate) fn clip_curve(window: &Rect, points: &[Xy]) -> Vec<Xy> {
    let mut seen: Vec<Xy> = Vec::with_capacity(points.len());
    for pair in points.windows(2) {
        if !(finite(&pair[0]) && finite(&pair[1])) {
            seen.push(GAP);
        } else if let Some((a, b)) = window.clip(pair[0], pair[1]) {
            if seen.last() != Some(&a) {
                seen.extend([GAP, a]);
            }
            seen.push(b);
        } else {
            seen.push(GAP);
        }
    }
    seen
}

/// Corners of a marker; of a circle, enough to draw its outline.
pub(crate) fn marker_outline(marker: Marker, (x, y): Xy, r: f64) -> Vec<Xy> {
    let ring = |count: u32, size: f64, turn: f64| -> Vec<Xy> {
        (0..count)
            .map(|i| {
                let angle = turn + std::f64::consts::TAU * f64::from(i) / f64::from(count);
                (x + size * angle.sin(), y - size * angle.cos())
            })
            .collect()
    };
    let eighth = std::f64::consts::FRAC_PI_4;
    match marker {
        Marker::Circle => ring(24, r, 0.0),
        Marker::Square => ring(4, 1.25 * r, eighth),
        Marker::Triangle => ring(3, 1.35 * r, 0.0),
        Marker::Diamond => ring(4, 1.3 * r, 0.0),
        Marker::Nabla => ring(3, 1.35 * r, 4.0 * eighth),
        Marker::Cross => ring(4, 1.2 * r, eighth),
    }
}

/// Leaves out points that lie within `tolerance` of the curve through the others (Douglas and
/// Peucker), without recursion.
pub(crate) fn simplify(points: &[Xy], tolerance: f64) -> Vec<Xy> {
    if points.len() < 3 {
        return points.to_vec();
    }
    let mut keep = vec![false; points.len()];
    let last = points.len() - 1;
    (keep[0], keep[last]) = (true, true);
    let mut open = vec![(0, last)];
    while let Some((a, b)) = open.pop() {
        let far = (a + 1..b)
            .map(|i| (i, distance(points[i], points[a], points[b])))
            .fold((a, tolerance), |best, next| if next.1 > best.1 { next } else { best });
        if far.0 > a {
            keep[far.0] = true;
            open.extend([(a, far.0), (far.0, b)]);
        }
    }
    points.iter().zip(keep).filter_map(|(p, keep)| keep.then_some(*p)).collect()
}

/// Distance of a point from a segment.
pub(crate) fn distance(p: Xy, a: Xy, b: Xy) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let square = dx * dx + dy * dy;
    let t = if square > 0.0 {
        (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / square).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (p.0 - a.0 - t * dx).hypot(p.1 - a.1 - t * dy)
}

/// A longer curve in pixels is not dashed: most of it is off the page, and its dashes are countless.
const LONGEST_DASHED: f64 = 1e5;

/// The drawn pieces of a dashed curve.
pub(crate) fn dashes(points: &[Xy], dash: &[f64]) -> Vec<Vec<Xy>> {
    let step = |w: &[Xy]| (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1);
    let length: f64 = points.windows(2).map(step).sum();
    if dash.is_empty() || points.is_empty() || length > LONGEST_DASHED {
        return vec![points.to_vec()];
    }
    let mut pieces = Vec::new();
    let (mut number, mut left) = (0, dash[0]);
    let mut piece = vec![points[0]];
    for pair in points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let length = (b.0 - a.0).hypot(b.1 - a.1);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let t = done / length;
            let cut = (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1));
            piece.push(cut);
            if number % 2 == 0 {
                pieces.push(std::mem::take(&mut piece));
            }
            piece = vec![cut];
            number += 1;
            left = dash[number % dash.len()];
        }
        left -= length - done;
        piece.push(b);
    }
    if number % 2 == 0 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(points: &[Xy]) -> f64 {
        points.windows(2).map(|w| (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1)).sum()
    }

    #[test]
    fn dashes_cover_their_share() {
        let bend = [(0.0, 0.0), (30.0, 0.0), (30.0, 70.0)];
        let pieces = dashes(&bend, &[6.0, 4.0]);
        assert_eq!(pieces.len(), 10);
        assert!((pieces.iter().map(|p| length(p)).sum::<f64>() - 60.0).abs() < 1e-9);
        assert_eq!(dashes(&bend, &[]), [bend.to_vec()]);
        let endless = [(0.0, 0.0), (1e300, 1e300)];
        assert_eq!(dashes(&endless, &[6.0, 4.0]), [endless.to_vec()]);
    }

    #[test]
    fn simplified_curves_stay_close() {
        let curve: Vec<Xy> =
            (0..=1000).map(|i| (f64::from(i) * 0.3, 100.0 * (f64::from(i) * 0.01).sin())).collect();
        let thin = simplify(&curve, 0.06);
        assert!(thin.len() < 150, "{}", thin.len());
        for &p in &curve {
            let near = thin.windows(2).map(|w| distance(p, w[0], w[1])).fold(f64::INFINITY, f64::min);
            assert!(near <= 0.06 + 1e-12);
        }
    }

    #[test]
    fn clipping() {
        let window = Rect::new(0.0, 0.0, 10.0, 10.0);
        assert_eq!(window.clip((-5.0, 5.0), (15.0, 5.0)), Some(((0.0, 5.0), (10.0, 5.0))));
        assert_eq!(window.clip((-5.0, -1.0), (15.0, -1.0)), None);
        assert_eq!(window.clip((2.0, 2.0), (2.0, 2.0)), Some(((2.0, 2.0), (2.0, 2.0))));
        let curve = [(1.0, 1.0), (2.0, 2.0), (f64::NAN, 3.0), (4.0, 4.0), (20.0, 4.0), (4.0, 8.0)];
        let parts = clip_curve(&window, &curve);
        let parts: Vec<&[Xy]> = parts.split(|p| !finite(p)).filter(|p| !p.is_empty()).collect();
        assert_eq!(parts.len(), 3, "{parts:?}");
        assert_eq!(parts[0], [(1.0, 1.0), (2.0, 2.0)]);
    }
}
