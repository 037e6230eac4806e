//! Areas above a level of a function on a grid, and their outlines (marching squares).

use std::collections::BTreeMap;

use super::geometry::Xy;

/// A function on a grid of places on the page; NaN where it has no value.
pub(crate) struct Field<'a> {
    pub(crate) x: &'a [f64],
    pub(crate) y: &'a [f64],
    pub(crate) values: &'a [f64],
}

/// A closed outline: its corners, and whether each lies on the rim of the known area.
pub(crate) type Outline = Vec<(Xy, bool)>;

/// An edge of the grid: its lower left node (counted from the rim at 0) and its direction.
type Edge = (usize, usize, bool);

impl Field<'_> {
    /// The value of a node, counted from a rim without values around the grid.
    fn value(&self, i: usize, j: usize) -> f64 {
        let (columns, rows) = (self.x.len(), self.y.len());
        if i == 0 || j == 0 || i > columns || j > rows {
            return f64::NAN;
        }
        self.values.get((j - 1) * columns + i - 1).copied().unwrap_or(f64::NAN)
    }

    /// The place of a node; the rim lies on the outermost nodes.
    fn place(&self, i: usize, j: usize) -> Xy {
        (self.x[i.clamp(1, self.x.len()) - 1], self.y[j.clamp(1, self.y.len()) - 1])
    }

    /// Where an edge crosses a level, and whether one of its ends has no value.
    fn crossing(&self, (i, j, upwards): Edge, level: f64) -> (Xy, bool) {
        let next = if upwards { (i, j + 1) } else { (i + 1, j) };
        let (a, b) = (self.value(i, j), self.value(next.0, next.1));
        let rim = !a.is_finite() || !b.is_finite();
        let t = if rim { 0.5 } else { ((level - a) / (b - a)).clamp(0.0, 1.0) };
        let (p, q) = (self.place(i, j), self.place(next.0, next.1));
        ((p.0 + t * (q.0 - p.0), p.1 + t * (q.1 - p.1)), rim)
    }

    /// The outlines of the area where the function is at least `level`, with the area on one hand:
    /// together they fill it, holes left out, by the rule of non-zero winding.
    pub(crate) fn outlines(&self, level: f64) -> Vec<Outline> {
        if self.x.is_empty() || self.y.is_empty() {
            return Vec::new();
        }
        let mut next: BTreeMap<Edge, Edge> = BTreeMap::new();
        for j in 0..=self.y.len() {
            for i in 0..=self.x.len() {
                let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
                let edges = [(i, j, false), (i + 1, j, true), (i, j + 1, false), (i, j, true)];
                let above = corners.map(|(i, j)| self.value(i, j) >= level);
                next.extend(self.links(above, edges, &corners, level));
            }
        }
        let mut outlines = Vec::new();
        while let Some((&start, _)) = next.iter().next() {
            let (mut outline, mut edge) = (Vec::new(), start);
            while let Some(following) = next.remove(&edge) {
                outline.push(self.crossing(edge, level));
                edge = following;
            }
            outlines.push(outline);
        }
        outlines
    }

    /// How an outline passes through a cell: from the edge where it enters to the one where it leaves.
    fn links(
        &self,
        above: [bool; 4],
        edges: [Edge; 4],
        corners: &[(usize, usize); 4],
        level: f64,
    ) -> Vec<(Edge, Edge)> {
        // Around the cell, the outline enters where the corners change from above to below and leaves
        // where they change back.
        let enters: Vec<usize> = (0..4).filter(|&k| above[k] && !above[(k + 1) % 4]).collect();
        let leaves: Vec<usize> = (0..4).filter(|&k| !above[k] && above[(k + 1) % 4]).collect();
        match (&enters[..], &leaves[..]) {
            ([a], [b]) => vec![(edges[*a], edges[*b])],
            ([a, c], [b, d]) => {
                let mean = corners.iter().map(|&(i, j)| self.value(i, j)).sum::<f64>() / 4.0;
                // Joined in the middle, the low corners are cut off one by one; else the high ones are.
                let after = |k: usize| if (*b + 4 - k) % 4 == 1 { *b } else { *d };
                let before = |k: usize| if (k + 4 - *b) % 4 == 1 { *b } else { *d };
                let pair = |k: usize| if mean >= level { after(k) } else { before(k) };
                vec![(edges[*a], edges[pair(*a)]), (edges[*c], edges[pair(*c)])]
            }
            _ => Vec::new(),
        }
    }
}

/// Several outlines as one polygon, joined by bridges of no width.
pub(crate) fn joined(outlines: &[Outline]) -> Vec<Xy> {
    let mut polygon: Vec<Xy> = Vec::new();
    for outline in outlines {
        let first = outline.first().map(|p| p.0);
        polygon.extend(outline.iter().map(|p| p.0).chain(first));
        // Back to where all bridges start.
        polygon.extend(polygon.first().copied());
    }
    polygon
}

/// The part of an outline that is a contour, not the rim of the known area; broken by NaN.
pub(crate) fn contour(outline: &Outline) -> Vec<Xy> {
    let broken = |&(p, rim): &(Xy, bool)| if rim { (f64::NAN, f64::NAN) } else { p };
    let mut line: Vec<Xy> = outline.iter().map(broken).collect();
    line.extend(line.first().copied());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signed area of a polygon: what it winds around, holes subtracted.
    fn area(polygon: &[Xy]) -> f64 {
        let next = polygon.iter().cycle().skip(1);
        polygon.iter().zip(next).map(|(a, b)| (a.0 * b.1 - b.0 * a.1) / 2.0).sum::<f64>().abs()
    }

    fn field(values: &[f64], side: usize, level: f64) -> Vec<Outline> {
        let x: Vec<f64> = (0..side).map(|i| i as f64).collect();
        Field { x: &x, y: &x, values }.outlines(level)
    }

    #[test]
    fn area_above_a_level() {
        let side = 101;
        let cone: Vec<f64> = (0..side * side)
            .map(|i| 40.0 - ((i % side) as f64 - 50.0).hypot((i / side) as f64 - 50.0))
            .collect();
        let disc = joined(&field(&cone, side, 0.0));
        let expected = std::f64::consts::PI * 1600.0;
        assert!((area(&disc) / expected - 1.0).abs() < 1e-3, "{}", area(&disc));
        // A ring: one hole, wound the other way.
        let ring: Vec<f64> = cone.iter().map(|v| 10.0 - (v - 20.0).abs()).collect();
        let outlines = field(&ring, side, 0.0);
        assert_eq!(outlines.len(), 2);
        let expected = std::f64::consts::PI * (900.0 - 100.0);
        assert!((area(&joined(&outlines)) / expected - 1.0).abs() < 2e-3);
        // All of the grid, and nothing.
        assert!((area(&joined(&field(&cone, side, -100.0))) - 1e4).abs() < 1e-9);
        assert!(field(&cone, side, 100.0).is_empty());
    }

    #[test]
    fn saddles_and_gaps() {
        for values in [[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]] {
            for level in [0.4, 0.6] {
                let outlines = field(&values, 2, level);
                assert_eq!(outlines.len(), if level < 0.5 { 1 } else { 2 });
                let total = area(&joined(&outlines));
                let corner = (1.0 - level) * (1.0 - level) / 2.0;
                let expected = if level < 0.5 { 1.0 - level * level } else { 2.0 * corner };
                assert!((total - expected).abs() < 1e-12, "{total} {expected}");
            }
        }
        let gap = field(&[1.0, 1.0, 1.0, 1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0], 3, 0.5);
        assert!(gap.iter().flatten().all(|p| p.1));
        assert!(area(&joined(&gap)) < 4.0);
        assert!(field(&[], 0, 0.0).is_empty());
        assert!(field(&[1.0], 2, 2.0).is_empty());
    }
}
