//! The limit t → ∞ of the normalised rank-one model over a box, and each law as the sign of a form.
//!
//! Coordinates are y, w and s = a/y, so that E/y = 1 − s; a = z₀·v₀ is the prediction before finetuning.
//! With m = 1 + a² + w², α = (1 + a)² + w² and β = (1 − a)² + w² (so m² − 4a² = αβ) everything is a
//! function of t = tanh σ. T8 is the quadratic
//!
//! $$q(t) = (y+a)t^2 + mt - (y-a) = 0,\qquad t = \frac{2E}{m+P},\qquad P = \sqrt{4y^2+\alpha\beta},$$
//!
//! so that the factor E of every motion is divided out: t/E is bounded away from 0 on the face E = 0. With
//! r = sech σ = √(1 − t²) and h = tanh(σ/2) = t/(1 + r),
//!
//! $$1 - t = \frac{\alpha}{m+P}\Bigl(1 + \frac{\beta}{P+2y}\Bigr)$$
//!
//! without cancellation near the saddle (a = −1, w = 0). Implicit differentiation of q, whose derivative at
//! the root is P, gives slopes without cancellation too:
//! t_a = −(1 + 2at + t²)/P, t_y = r²/P, t_w = −2wt/P.
//!
//! Writing the derivatives of T9–T12 in t and dividing out every factor of known sign (t, P, r, w, a) leaves
//! the forms below. They are algebra, not approximation; the tests compare each with the derivative of its
//! metric to 50 digits.

use super::interval::Interval;
use super::jet::Jet;

/// The axes of a [`Cell`].
pub const Y: usize = 0;
/// See [`Y`].
pub const W: usize = 1;
/// See [`Y`].
pub const S: usize = 2;

/// A box in y > 0, w ≥ 0 and s = a/y.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell(pub [Interval; 3]);

impl Cell {
    /// The box y × w × s.
    pub fn new(y: [f64; 2], w: [f64; 2], s: [f64; 2]) -> Self {
        Self([y, w, s].map(|[low, high]| Interval::new(low, high)))
    }

    /// The same box with another side.
    pub fn with(mut self, axis: usize, side: Interval) -> Self {
        self.0[axis] = side;
        self
    }

    /// Two halves: y and w are halved in the logarithm (w from 0 in w itself), s in s.
    pub fn halves(self, axis: usize) -> [Self; 2] {
        let (side, middle) = (self.0[axis], self.middle(axis));
        [Interval::new(side.low(), middle), Interval::new(middle, side.high())]
            .map(|h| self.with(axis, h))
    }

    /// The number inside that halves a side.
    fn middle(&self, axis: usize) -> f64 {
        let (low, high) = (self.0[axis].low(), self.0[axis].high());
        let middle = if axis != S && low > 0.0 { (low * high).sqrt() } else { (low + high) / 2.0 };
        middle.clamp(low, high)
    }

    /// The point in its middle.
    pub fn centre(&self) -> Self {
        Self([Y, W, S].map(|axis| Interval::point(self.middle(axis))))
    }

    fn width(&self, axis: usize) -> f64 {
        self.0[axis].high() - self.0[axis].low()
    }
}

/// What is known of a claim on a box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answer {
    /// True at every point.
    Holds,
    /// False at every point.
    Fails,
    /// Not known; how much each axis adds to the uncertainty.
    Open([f64; 3]),
}

/// The limit quantities over a box with s ≤ 1, that is σ ≥ 0.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    y: Jet,
    w: Jet,
    a: Jet,
    m: Jet,
    p: Jet,
    /// tanh σ
    t: Jet,
    /// sech σ
    r: Jet,
    /// tanh(σ/2)
    h: Jet,
}

/// α and β: T8 has exactly one root, and t in (−1, 1), where both are positive, as
/// q(−1) = −β < 0 < α = q(1); since q(0) = a − y it is positive iff a < y.
pub fn root(cell: &Cell) -> [Jet; 2] {
    let [y, w, s] = [Y, W, S].map(|axis| Jet::coordinate(axis, cell.0[axis]));
    let a = y * s;
    [(a + 1.0).sqr() + w.sqr(), (-a + 1.0).sqr() + w.sqr()]
}

impl Limit {
    /// Encloses the limit at every point of a box.
    ///
    /// # Panics
    /// Unless s ≤ 1 on the box.
    pub fn over(cell: &Cell) -> Self {
        let [y, w, s] = [Y, W, S].map(|axis| Jet::coordinate(axis, cell.0[axis]));
        let a = y * s;
        let m = a.sqr() + w.sqr() + 1.0;
        let [alpha, beta] = root(cell);
        let p = (y.sqr() * 4.0 + alpha * beta).sqrt();

        let unit = Interval::new(0.0, 1.0);
        let [one, two] = [1.0, 2.0].map(Interval::point);
        let energy = y.value * (one - s.value).at_least(0.0);
        let t = (two * energy / (m.value + p.value)).and(unit);
        let less = alpha.value * (one + beta.value / (p.value + two * y.value)) / (m.value + p.value);
        let squared = (less * (one + t)).and(one - t.sqr()).and(unit);
        let r = squared.sqrt();

        let along_a = -(one + two * a.value * t + t.sqr()) / p.value;
        let along_y = squared / p.value + s.value * along_a;
        let along_w = -(two * w.value * t / p.value);
        let slope = [along_y, along_w, y.value * along_a];
        let jet = |value: Interval, factor: Interval| Jet { value, slope: slope.map(|g| g * factor) };
        Self {
            y,
            w,
            a,
            m,
            p,
            t: jet(t, one),
            r: jet(r, -(t / r)),
            h: jet((t / (one + r)).and(unit), one / (r * (one + r))),
        }
    }

    /// t, r, h, P and a.
    #[cfg(test)]
    pub fn parts(&self) -> [Interval; 5] {
        [self.t, self.r, self.h, self.p, self.a].map(|jet| jet.value)
    }

    /// T9: −2P·d|z_T|²/d(a²) = P − (m − 2) > 0, since (P − (m − 2))(P + (m − 2)) = 4(y² + w²).
    pub fn norm(&self) -> Jet {
        let Self { y, w, m, p, .. } = *self;
        let excess = m + -2.0;
        (p - excess).and((y.sqr() + w.sqr()) * 4.0 / (p + excess))
    }

    /// T10: −P r³/(2t)·d|z_T − z₀|²/da = X + w²U with X = a(a + h)(1 + at)r and U = 1 + t² + a t r.
    ///
    /// (z_T − z₀ = sinh σ·(a + h, w) gives A = (a + h) sinh σ in the braces of T10.)
    pub fn distance(&self) -> [Jet; 2] {
        let Self { a, t, r, h, .. } = *self;
        [a * (a + h) * (a * t + 1.0) * r, t.sqr() + 1.0 + a * t * r]
    }

    /// T11: P t² d(coth σ + a)/da = (P + 1)t² + 2at + 1 = ((P + 1)t + a)²/(P + 1) + (P + 1 − a²)/(P + 1).
    ///
    /// It is positive for *every* a < y, as P + 1 − a² = 2|z_T|² + w²; with b = a² − 1 that is
    /// P − b = (4y² + w⁴ + 2w²(1 + a²))/(P + b) where b > 0.
    pub fn cosine(&self) -> Jet {
        let Self { y, w, a, p, .. } = *self;
        let b = a.sqr() + -1.0;
        let w2 = w.sqr();
        let gap = y.sqr() * 4.0 + w2.sqr() + w2 * (a.sqr() + 1.0) * 2.0;
        (p - b).and(gap / (p + b))
    }

    /// T12: P r³ d(z_T·z₀)/da = w²U − X with U = t(1 + t²) and X = a(1 + at)r²: positive where the dot
    /// product falls with energy.
    pub fn dot(&self) -> [Jet; 2] {
        let Self { a, t, r, .. } = *self;
        [-(a * (a * t + 1.0) * r.sqr()), t * (t.sqr() + 1.0)]
    }

    /// X + w²U.
    pub fn total(&self, [x, u]: [Jet; 2]) -> Jet {
        x + self.w.sqr() * u
    }
}

/// Whether a form is positive on a box, by its enclosure and by the mean value theorem around the centre.
pub fn sign(cell: &Cell, form: impl Fn(&Cell) -> Jet) -> Answer {
    let jet = form(cell);
    if let Some(answer) = decided(jet.value) {
        return answer;
    }
    let centre = cell.centre();
    let mut mean = form(&centre).value;
    for axis in [Y, W, S] {
        mean = mean + jet.slope[axis] * (cell.0[axis] - centre.0[axis]);
    }
    decided(mean).unwrap_or_else(|| {
        let smear = [Y, W, S].map(|axis| jet.slope[axis].magnitude() * cell.width(axis));
        Answer::Open(if smear.iter().all(|x| x.is_finite()) { smear } else { widths(cell) })
    })
}

/// Whether X + w²U is positive on a box for every w > 0: so where X ≥ 0 and U > 0, also on the face w = 0.
pub fn sign_off_the_face(cell: &Cell, form: impl Fn(&Limit) -> [Jet; 2]) -> Answer {
    let [x, u] = form(&Limit::over(cell));
    if x.value.low() >= 0.0 && u.value.low() > 0.0 {
        return Answer::Holds;
    }
    sign(cell, |c| {
        let limit = Limit::over(c);
        limit.total(form(&limit))
    })
}

fn decided(x: Interval) -> Option<Answer> {
    match (x.low() > 0.0, x.high() < 0.0) {
        (true, _) => Some(Answer::Holds),
        (_, true) => Some(Answer::Fails),
        _ => None,
    }
}

/// Sizes of the sides as [`Cell::halves`] measures them.
pub fn widths(cell: &Cell) -> [f64; 3] {
    [Y, W, S].map(|axis| {
        let (low, high) = (cell.0[axis].low(), cell.0[axis].high());
        if axis != S && low > 0.0 { (high / low).ln() } else { high - low }
    })
}
