//! Intervals of real numbers with outward rounding.
//!
//! IEEE 754 rounds `+ − × ÷ √` of `f64` to the nearest number. So the exact result lies between the two
//! neighbours of the rounded one, and [`f64::next_down`] and [`f64::next_up`] enclose it on every machine,
//! in every rounding that Rust allows, for subnormal numbers and beyond overflow.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// All real numbers from `low` to `high`; the ends may be infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    low: f64,
    high: f64,
}

/// Nothing known.
const ENTIRE: Interval = Interval { low: f64::NEG_INFINITY, high: f64::INFINITY };

/// A number below an exact result that was rounded to `x`; an undefined one (∞ − ∞) says nothing.
#[inline]
fn below(x: f64) -> f64 {
    if x.is_nan() { f64::NEG_INFINITY } else { x.next_down() }
}

#[inline]
fn above(x: f64) -> f64 {
    if x.is_nan() { f64::INFINITY } else { x.next_up() }
}

impl Interval {
    /// The number zero.
    pub const ZERO: Self = Self { low: 0.0, high: 0.0 };

    /// From `low` to `high`.
    ///
    /// # Panics
    /// Unless low ≤ high.
    #[inline]
    pub fn new(low: f64, high: f64) -> Self {
        assert!(low <= high, "an interval from {low} to {high}");
        Self { low, high }
    }

    /// One number, exactly.
    pub fn point(x: f64) -> Self {
        Self::new(x, x)
    }

    /// The lower end.
    pub fn low(self) -> f64 {
        self.low
    }

    /// The upper end.
    pub fn high(self) -> f64 {
        self.high
    }

    /// Whether a number is inside.
    pub fn contains(self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }

    /// The largest distance from zero.
    pub fn magnitude(self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    /// What both contain, when both enclose the same number.
    pub fn and(self, other: Self) -> Self {
        Self::new(self.low.max(other.low), self.high.min(other.high))
    }

    /// The part in [low, ∞): for a quantity that is known to lie there.
    pub fn at_least(self, low: f64) -> Self {
        self.and(Self::new(low, f64::INFINITY))
    }

    /// x²
    pub fn sqr(self) -> Self {
        let (a, b) = (self.low.abs(), self.high.abs());
        let (least, most) = if self.contains(0.0) { (0.0, a.max(b)) } else { (a.min(b), a.max(b)) };
        Self {
            low: below(least * least).max(0.0),
            high: if most == 0.0 { 0.0 } else { above(most * most) },
        }
    }

    /// √x of a quantity that is known not to be negative.
    pub fn sqrt(self) -> Self {
        let x = self.at_least(0.0);
        let root = |v: f64| if v == 0.0 { 0.0 } else { v.sqrt() };
        let high = if x.high == 0.0 { 0.0 } else { above(root(x.high)) };
        Self { low: below(root(x.low)).max(0.0), high }
    }

    /// |x|
    pub fn abs(self) -> Self {
        if self.low >= 0.0 {
            self
        } else if self.high <= 0.0 {
            -self
        } else {
            Self { low: 0.0, high: self.magnitude() }
        }
    }
}

impl Neg for Interval {
    type Output = Self;
    fn neg(self) -> Self {
        Self { low: -self.high, high: -self.low }
    }
}

impl Add for Interval {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        // Adding zero is exact: closed faces such as a = 0 stay thin.
        let sum = |x: f64, y: f64, round: fn(f64) -> f64| match (x == 0.0, y == 0.0) {
            (true, _) => y,
            (_, true) => x,
            _ => round(x + y),
        };
        Self { low: sum(self.low, other.low, below), high: sum(self.high, other.high, above) }
    }
}

impl Sub for Interval {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Interval {
    /// The hull of an operation at all pairs of ends, rounded outward; `None` stands for an exact zero. Rounding keeps
    /// the order, so that only the least and the largest result are rounded.
    #[inline]
    fn hull(self, other: Self, operation: impl Fn(f64, f64) -> Option<f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut zero = false;
        for x in [self.low, self.high] {
            for y in [other.low, other.high] {
                match operation(x, y) {
                    None => zero = true,
                    Some(value) if value.is_nan() => return ENTIRE,
                    Some(value) => {
                        low = low.min(value);
                        high = high.max(value);
                    }
                }
            }
        }
        if low > high {
            return Self::ZERO;
        }
        let (low, high) = (below(low), above(high));
        if zero { Self { low: low.min(0.0), high: high.max(0.0) } } else { Self { low, high } }
    }
}

impl Mul for Interval {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        // A factor of zero is exact, also with an end at infinity.
        self.hull(other, |x, y| if x == 0.0 || y == 0.0 { None } else { Some(x * y) })
    }
}

impl Div for Interval {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        if other.contains(0.0) {
            return ENTIRE;
        }
        self.hull(other, |x, y| if x == 0.0 { None } else { Some(x / y) })
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use taskhead::tasks::stream;

    /// Numbers of every size and sign, the special ones among them.
    fn number(rng: &mut impl rand::Rng) -> f64 {
        let special = [0.0, -0.0, 1.0, f64::MIN_POSITIVE, f64::MAX, 5e-324, f64::EPSILON];
        let pick = rng.random_range(0..20);
        if let Some(&x) = special.get(pick) {
            return if rng.random() { x } else { -x };
        }
        let size = rng.random_range(-300.0..300.0_f64) * rng.random::<f64>();
        (rng.random::<f64>() - 0.5) * 10f64.powf(size)
    }

    /// For inputs whose results neither overflow nor underflow the exact error of a rounded operation is
    /// itself a number, which the fused multiply-add gives: with it the ends are compared exactly.
    #[test]
    fn rounded_ends_lie_outside_of_the_exact_result() {
        let mut rng = stream(1, 77);
        let mut seen = 0;
        for _ in 0..200_000 {
            let (x, y) = (number(&mut rng), number(&mut rng));
            let (a, b) = (Interval::point(x), Interval::point(y));
            let normal = |v: f64| v.abs() > 1e-250 && v.abs() < 1e250;
            if !(normal(x) && normal(y) && normal(x * y) && normal(x / y) && normal(x.abs().sqrt())) {
                continue;
            }
            seen += 1;
            // x·y − end, x − end·y and |x| − end², with one rounding that keeps the sign.
            let product = a * b;
            assert!(x.mul_add(y, -product.low()) > 0.0 && x.mul_add(y, -product.high()) < 0.0);
            let quotient = a / b;
            let sign = y.signum();
            assert!((-quotient.low()).mul_add(y, x) * sign > 0.0);
            assert!((-quotient.high()).mul_add(y, x) * sign < 0.0);
            let root = a.abs().sqrt();
            assert!((-root.low()).mul_add(root.low(), x.abs()) > 0.0);
            assert!((-root.high()).mul_add(root.high(), x.abs()) < 0.0);
            // Knuth's two-sum: s + error is x + y exactly.
            let s = x + y;
            let v = s - x;
            let error = (x - (s - v)) + (y - v);
            let sum = a + b;
            assert!((s - sum.low()) + error >= 0.0 && (s - sum.high()) + error <= 0.0);
        }
        assert!(seen > 50_000, "{seen}");
    }

    #[test]
    fn results_contain_every_choice_of_operands() {
        let mut rng = stream(2, 77);
        for _ in 0..100_000 {
            let mut draw = || {
                let (p, q) = (number(&mut rng), number(&mut rng));
                let (low, high) = (p.min(q), p.max(q));
                (Interval::new(low, high), [low, high, low + (high - low) / 3.0])
            };
            let ((a, xs), (b, ys)) = (draw(), draw());
            for x in xs.into_iter().filter(|&x| a.contains(x)) {
                assert!(a.sqr().contains(x * x) && a.abs().contains(x.abs()) && (-a).contains(-x));
                assert!(x < 0.0 || a.sqrt().contains(x.sqrt()));
                for y in ys.into_iter().filter(|&y| b.contains(y)) {
                    assert!((a + b).contains(x + y) && (a - b).contains(x - y), "{x} {y}");
                    assert!((a * b).contains(x * y), "{x} {y}");
                    assert!(y == 0.0 || (a / b).contains(x / y), "{x} {y}");
                }
            }
        }
    }

    #[test]
    fn zero_stays_thin_and_division_by_it_says_nothing() {
        let x = Interval::new(-1.0, f64::INFINITY);
        assert_eq!(x * Interval::ZERO, Interval::ZERO);
        assert_eq!(x + Interval::ZERO, x);
        assert_eq!(Interval::point(1.0) / Interval::new(-1.0, 1.0), ENTIRE);
        let huge = Interval::point(f64::MAX);
        assert!((huge + huge).high() == f64::INFINITY && (huge + huge).low() == f64::MAX);
        assert_eq!((x - x), ENTIRE);
    }
}
