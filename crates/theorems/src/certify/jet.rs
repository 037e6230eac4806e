//! Quantities over a box, with their derivatives: forward differentiation in interval arithmetic.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::interval::Interval;

/// Enclosures of a quantity and of its derivatives along the three coordinates, over a box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jet {
    /// Encloses every value.
    pub value: Interval,
    /// Encloses every derivative along y, w and s.
    pub slope: [Interval; 3],
}

impl Jet {
    /// The coordinate of a number.
    pub fn coordinate(axis: usize, value: Interval) -> Self {
        let mut slope = [Interval::ZERO; 3];
        slope[axis] = Interval::point(1.0);
        Self { value, slope }
    }

    /// A function of this quantity, by the enclosures of its value and of its derivative.
    fn chain(self, value: Interval, derivative: Interval) -> Self {
        Self { value, slope: self.slope.map(|g| g * derivative) }
    }

    /// x²
    pub fn sqr(self) -> Self {
        self.chain(self.value.sqr(), self.value * Interval::point(2.0))
    }

    /// √x of a quantity that is known not to be negative.
    pub fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.chain(root, Interval::point(0.5) / root)
    }

    /// What two enclosures of the same quantity agree on.
    pub fn and(self, other: Self) -> Self {
        Self { value: self.value.and(other.value), slope: self.zip(other, Interval::and) }
    }

    fn zip(self, other: Self, f: impl Fn(Interval, Interval) -> Interval) -> [Interval; 3] {
        [0, 1, 2].map(|i| f(self.slope[i], other.slope[i]))
    }
}

impl Neg for Jet {
    type Output = Self;
    fn neg(self) -> Self {
        self.chain(-self.value, Interval::point(-1.0))
    }
}

impl Add for Jet {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, slope: self.zip(other, |a, b| a + b) }
    }
}

impl Sub for Jet {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, slope: self.zip(other, |a, b| a - b) }
    }
}

#[allow(clippy::suspicious_arithmetic_impl)] // the product rule
impl Mul for Jet {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let slope = self.zip(other, |a, b| a * other.value + self.value * b);
        Self { value: self.value * other.value, slope }
    }
}

#[allow(clippy::suspicious_arithmetic_impl)] // the quotient rule
impl Div for Jet {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Self { value, slope: self.zip(other, |a, b| (a - value * b) / other.value) }
    }
}

impl Add<f64> for Jet {
    type Output = Self;
    fn add(self, x: f64) -> Self {
        Self { value: self.value + Interval::point(x), ..self }
    }
}

impl Mul<f64> for Jet {
    type Output = Self;
    fn mul(self, x: f64) -> Self {
        self.chain(self.value * Interval::point(x), Interval::point(x))
    }
}
