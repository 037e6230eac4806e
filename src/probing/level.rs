//! Where an energy along a probing path meets a level, and between which values it stays: without a gap.
//!
//! Along the path every residual is r(x) = a + Σ_i b_i e^{−θ_i}, and an energy is a sum of norms of such residuals.
//! The norm of a residual bends down by no more than ‖r̈‖ (where r vanishes it has a kink, which points down), so
//! that on an interval f″ ≥ −M with M a bound of Σ‖r̈‖ that is easy to compute. With that, values and slopes at the
//! two ends of an interval bound f on all of it, and tell whether f is monotone there: an interval either has no
//! crossing, or one, or is halved. What cannot be told apart at the rounding of f itself counts as touched.
//!
//! The variable is x = ln(1 + s₁²τ), linear in τ at first and logarithmic later: nothing happens on a finer scale.

/// An energy along a path: value and slope at any x, the bound M, and rounding.
pub(super) trait Curve {
    /// f and f′ at x.
    fn at(&self, x: f64) -> (f64, f64);

    /// M ≥ −f″ everywhere on [a, b].
    fn bend(&self, a: f64, b: f64) -> f64;

    /// The absolute rounding error of f at x.
    fn rounding(&self, x: f64) -> f64;

    /// Where all has decayed.
    fn end(&self) -> f64;
}

/// A crossing: an interval of x with different signs of f − level at its ends, or a point that is touched (a = b).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Crossing {
    pub a: f64,
    pub b: f64,
    /// Whether f − level is positive before it.
    pub from_above: bool,
}

/// Length of the intervals to begin with.
const FIRST: f64 = 0.5;

/// The most pieces that are looked at for the lowest and the highest value, which only messages tell.
const RANGE_PIECES: usize = 20_000;

/// The most pieces that are looked at for crossings. Usual paths take hundreds; only one that stays within 1e-10 of the
/// level without resting there takes more.
const PIECES: usize = 1_000_000;

/// Touched points closer than this are one.
const SAME: f64 = 1e-6;

#[derive(Clone, Copy)]
struct Sample {
    x: f64,
    f: f64,
    slope: f64,
}

/// Two neighbouring samples with the bounds of f between them.
#[derive(Clone, Copy)]
struct Piece {
    a: Sample,
    b: Sample,
    /// M
    bend: f64,
}

impl Piece {
    fn new(curve: &impl Curve, a: Sample, b: Sample) -> Self {
        Self { a, b, bend: curve.bend(a.x, b.x) }
    }

    fn length(&self) -> f64 {
        self.b.x - self.a.x
    }

    fn monotone(&self) -> bool {
        let turn = self.bend * self.length();
        self.b.slope + turn <= 0.0 || self.a.slope - turn >= 0.0
    }

    /// f − (M/2)(x − a)(b − x) is convex and not above f: it lies above its tangents at the ends.
    fn lower(&self) -> f64 {
        let (h, turn) = (self.length(), self.bend * self.length() / 2.0);
        let (down, up) = (self.a.slope - turn, self.b.slope + turn);
        if down >= 0.0 {
            self.a.f
        } else if up <= 0.0 {
            self.b.f
        } else {
            let t = ((self.b.f - self.a.f - up * h) / (down - up)).clamp(0.0, h);
            (self.a.f + down * t).min(self.a.f.min(self.b.f))
        }
    }

    /// And below its chord.
    fn upper(&self) -> f64 {
        self.a.f.max(self.b.f) + self.bend * self.length().powi(2) / 8.0
    }

    /// Both halves, or nothing if x has no number between the ends.
    fn halves(&self, curve: &impl Curve) -> Option<[Self; 2]> {
        let middle = self.a.x + self.length() / 2.0;
        (middle > self.a.x && middle < self.b.x).then(|| {
            let middle = sample(curve, middle);
            [Self::new(curve, self.a, middle), Self::new(curve, middle, self.b)]
        })
    }
}

fn sample(curve: &impl Curve, x: f64) -> Sample {
    let (f, slope) = curve.at(x);
    Sample { x, f, slope }
}

/// The whole path in pieces, the last one first: a stack.
fn pieces(curve: &impl Curve) -> Vec<Piece> {
    let count = (curve.end() / FIRST).ceil().max(1.0);
    let samples: Vec<Sample> =
        (0..=count as usize).map(|i| sample(curve, curve.end() * i as f64 / count)).collect();
    samples.windows(2).rev().map(|pair| Piece::new(curve, pair[0], pair[1])).collect()
}

/// The first crossings of a level, at most `most`, in ascending order. A path that begins at the level begins with a
/// point. Nothing where `pieces` did not settle whether the path meets the level.
pub(super) fn crossings(curve: &impl Curve, level: f64, most: usize) -> Option<Vec<Crossing>> {
    crossings_within(curve, level, most, PIECES)
}

fn crossings_within(
    curve: &impl Curve,
    level: f64,
    most: usize,
    mut pieces_left: usize,
) -> Option<Vec<Crossing>> {
    let mut stack = pieces(curve);
    let mut found: Vec<Crossing> = Vec::new();
    let start = stack.last().expect("there is a piece").a;
    let at_start = (start.f - level).abs() <= curve.rounding(start.x);
    if at_start {
        found.push(Crossing { a: start.x, b: start.x, from_above: false });
    }
    // On which side of the level f is just after and just before a sample.
    let after = |s: &Sample| {
        let on_it = s.f == level || (at_start && s.x == start.x);
        if on_it { s.slope > 0.0 } else { s.f > level }
    };
    let before = |s: &Sample| if s.f == level { s.slope < 0.0 } else { s.f > level };
    while found.len() < most
        && let Some(piece) = stack.pop()
    {
        pieces_left = pieces_left.checked_sub(1)?;
        let (a, b) = (&piece.a, &piece.b);
        let (above, ends_above) = (after(a), before(b));
        let monotone = piece.monotone();
        let whole = above == ends_above;
        if whole && (monotone || if above { piece.lower() > level } else { piece.upper() < level }) {
            if b.f == level {
                found.push(Crossing { a: b.x, b: b.x, from_above: above });
            }
            continue;
        }
        let rounding = curve.rounding(a.x);
        let settled = if above {
            a.f.min(b.f) - piece.lower() <= rounding
        } else {
            piece.upper() - a.f.max(b.f) <= rounding
        };
        let halves = if monotone || (whole && settled) { None } else { piece.halves(curve) };
        if let Some([first, second]) = halves {
            stack.extend([second, first]);
            continue;
        }
        if whole {
            let nearest = if (a.f - level).abs() < (b.f - level).abs() { a } else { b };
            let new = found.last().is_none_or(|last| nearest.x - last.b > SAME);
            if (nearest.f - level).abs() <= rounding && new {
                found.push(Crossing { a: nearest.x, b: nearest.x, from_above: above });
            }
        } else {
            found.push(Crossing { a: a.x, b: b.x, from_above: above });
        }
    }
    Some(found)
}

/// The lowest and the highest value that were found on a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub low: f64,
    pub high: f64,
    /// Whether nothing on the path is beyond them by more than rounding; otherwise the search ended early.
    pub whole: bool,
}

/// The lowest and the highest value on the path: to rounding, unless that takes too many pieces.
pub(super) fn range(curve: &impl Curve) -> Range {
    range_within(curve, RANGE_PIECES)
}

fn range_within(curve: &impl Curve, pieces_left: usize) -> Range {
    let mut stack = pieces(curve);
    let ends = |p: &Piece| [p.a.f, p.b.f];
    let mut low = stack.iter().flat_map(ends).fold(f64::INFINITY, f64::min);
    let mut high = stack.iter().flat_map(ends).fold(f64::NEG_INFINITY, f64::max);
    for _ in 0..pieces_left {
        let Some(piece) = stack.pop() else { break };
        let rounding = curve.rounding(piece.a.x);
        let known = piece.lower() >= low - rounding && piece.upper() <= high + rounding;
        if !known
            && !piece.monotone()
            && let Some(halves) = piece.halves(curve)
        {
            low = low.min(halves[0].b.f);
            high = high.max(halves[0].b.f);
            stack.extend(halves);
        }
    }
    // What is left may be known without halving.
    let whole = stack.iter().all(|piece| {
        let rounding = curve.rounding(piece.a.x);
        piece.monotone() || piece.lower() >= low - rounding && piece.upper() <= high + rounding
    });
    Range { low, high, whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Σ |a + b e^{−ρT}|, one term a row.
    struct Sum(Vec<(f64, f64, f64)>);

    impl Curve for Sum {
        fn at(&self, x: f64) -> (f64, f64) {
            let t = x.exp_m1();
            let term = |&(a, b, rho): &(f64, f64, f64)| {
                let (r, v) = (a + b * (-rho * t).exp(), -b * rho * (t + 1.0) * (-rho * t).exp());
                (r.abs(), if r == 0.0 { 0.0 } else { r.signum() * v })
            };
            self.0.iter().map(term).fold((0.0, 0.0), |s, t| (s.0 + t.0, s.1 + t.1))
        }

        fn bend(&self, a: f64, b: f64) -> f64 {
            self.0.iter().map(|(_, c, rho)| c.abs() * super::super::curve::most_bend(*rho, a, b)).sum()
        }

        fn rounding(&self, _: f64) -> f64 {
            4.0 * f64::EPSILON * self.0.iter().map(|(a, b, _)| a.abs() + b.abs()).sum::<f64>()
        }

        fn end(&self) -> f64 {
            let slowest = self.0.iter().map(|c| c.2).fold(1.0, f64::min);
            (745.0 / slowest).ln_1p()
        }
    }

    /// Against a grid a thousand times finer than any feature: no crossing is missed, none is made up.
    #[test]
    fn crossings_and_range_are_those_of_a_fine_grid() {
        let number = |i: u32, seed: u32| (f64::from(i * 37 + seed * 101) * 0.7391).sin();
        for seed in 0..30 {
            let rows = 2 + seed % 5;
            let sum = Sum((0..rows)
                .map(|i| {
                    let rho = 10f64.powf(-2.0 * number(i, seed + 7).abs());
                    (number(i, seed), 2.0 * number(i, seed + 3), rho)
                })
                .collect());
            let grid: Vec<f64> =
                (0..=100_000).map(|i| sum.at(sum.end() * f64::from(i) / 100_000.0).0).collect();
            let Range { low, high, whole } = range(&sum);
            assert!(whole, "{seed}");
            let lowest = grid.iter().copied().fold(f64::INFINITY, f64::min);
            let highest = grid.iter().copied().fold(0.0, f64::max);
            assert!(low <= lowest + 1e-15 && low > lowest - 1e-3, "{seed}: {low} {lowest}");
            assert!(high >= highest - 1e-15 && high < highest + 1e-3, "{seed}: {high} {highest}");
            for part in [0.02, 0.1, 0.35, 0.5, 0.8, 0.97] {
                let level = low + part * (high - low);
                let changes = grid.windows(2).filter(|p| (p[0] > level) != (p[1] > level)).count();
                let found = crossings(&sum, level, usize::MAX).unwrap();
                assert_eq!(found.len(), changes, "seed {seed}, level {level}: {found:?}");
                for pair in found.windows(2) {
                    assert!(pair[0].b <= pair[1].a && pair[0].from_above != pair[1].from_above);
                }
            }
        }
    }

    /// The lowest point itself is reached, and a little below it nothing is.
    #[test]
    fn a_level_that_is_touched_is_found() {
        let sum = Sum(vec![(0.3, -1.0, 1.0), (-0.2, 1.5, 0.03), (0.4, 0.1, 0.5)]);
        let low = range(&sum).low;
        assert!(low < sum.at(0.0).0 && low < sum.at(sum.end()).0);
        assert!(!crossings(&sum, low, 9).unwrap().is_empty());
        assert!(crossings(&sum, low - 1e-12, 9).unwrap().is_empty());
        assert_eq!(crossings(&sum, low + 1e-12, 9).unwrap().len(), 2);
    }

    /// A search that ends early says so, and does not take what it has seen for the whole path.
    #[test]
    fn a_search_that_ends_early_says_so() {
        let sum = Sum(vec![(0.3, -1.0, 1.0), (-0.2, 1.5, 0.03), (0.4, 0.1, 0.5)]);
        let whole = range(&sum);
        let early = range_within(&sum, 3);
        assert!(!early.whole && early.low > whole.low, "{early:?} {whole:?}");
        let level = whole.low + 1e-9;
        assert_eq!(crossings_within(&sum, level, 9, 3), None);
        assert_eq!(crossings(&sum, level, 9).unwrap().len(), 2);
    }
}
