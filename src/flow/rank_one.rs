//! Rank one in closed form (T7): one sample, or colinear inputs, with one output.
//!
//! ż = κ r v, v̇ = γ r z, r = y − z·v. In ẑ = z/√κ, v̂ = v/√γ and c = √(κγ) the flow is a hyperbolic
//! rotation by the *rapidity* σ with σ̇ = c r:
//!
//! $$z_T = \cosh\sigma z_0 + \sqrt{\kappa/\gamma}\sinh\sigma v_0,\qquad
//!   v_T = \cosh\sigma v_0 + \sqrt{\gamma/\kappa}\sinh\sigma z_0 .$$
//!
//! With p = ẑ₀ + v̂₀, m = ẑ₀ − v̂₀, a = c|p|²/2, b = c|m|²/2 and ω = √(y² + ab), u = e^{2σ} obeys the
//! Riccati equation u̇ = c(2yu + b − au²), u(0) = 1, so that with θ = tanh(cωt)
//!
//! $$u(t) = \frac{\omega(1-\theta) + \theta(b + (\omega + y))}{\omega(1-\theta) + \theta(a + (\omega - y))} .$$
//!
//! Of ω ± y the one that cancels is ab/(ω ∓ y): then no term is negative, nothing cancels and nothing
//! overflows, for any sign of y and any t up to ∞.
//!
//! *Degenerate cases.* For p = 0 (the head is exactly opposite to the feature, α = |p|² = 0) and y ≥ 0
//! there is no root u₊: u grows for ever, the feature and the head shrink to the saddle z = v = 0 and the
//! residual tends to y. That limit is unstable: any p ≠ 0 ends with zero residual instead.
//! For κ = 0 only the head moves, for γ = 0 only the feature: both are plain exponentials.

use std::sync::OnceLock;

use nalgebra::{DMatrix, DVector};

use super::{
    Budget, ClosedForm, Flow, FlowError, LOST, Moment, Saddle, SolvedBy, Stop, Violation,
    check_head_rate, check_time, phi,
};
use crate::adaptation::Adaptation;
use crate::reduction::State;
use crate::setting::Setting;

/// The flow of one sample with one output, from feature z₀ and head v₀ (vectors of equal length).
#[derive(Debug, Clone)]
pub struct RankOne {
    kappa: f64,
    gamma: f64,
    target: f64,
    z0: DVector<f64>,
    v0: DVector<f64>,
    residual: f64,
    /// c = √(κγ)
    c: f64,
    /// p = ẑ₀ + v̂₀ and m = ẑ₀ − v̂₀
    p: DVector<f64>,
    m: DVector<f64>,
    a: f64,
    b: f64,
    omega: f64,
    /// What rounding, or what a form leaves out, may add to p and m.
    noise: f64,
}

/// The value of a rank-one flow at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct RankOnePoint {
    /// The feature z.
    pub feature: DVector<f64>,
    /// z − z₀, without cancellation.
    pub displacement: DVector<f64>,
    /// The head v.
    pub head: DVector<f64>,
    /// y − z·v
    pub residual: f64,
    /// σ = √(κγ) ∫ r dt
    pub rapidity: f64,
    /// The loss spent.
    pub budget: Budget,
}

impl RankOne {
    /// The flow with kernel κ ≥ 0, head rate γ ≥ 0, target y, feature z₀ and head v₀.
    pub fn new(
        kappa: f64,
        gamma: f64,
        target: f64,
        z0: DVector<f64>,
        v0: DVector<f64>,
    ) -> Result<Self, FlowError> {
        let residual = target - z0.dot(&v0);
        Self::with_residual(kappa, gamma, target, z0, v0, residual)
    }

    /// The same with the residual y − z₀·v₀ as it is known, which f64 may not have as this difference.
    pub fn with_residual(
        kappa: f64,
        gamma: f64,
        target: f64,
        z0: DVector<f64>,
        v0: DVector<f64>,
        residual: f64,
    ) -> Result<Self, FlowError> {
        check_head_rate(gamma)?;
        let accepted = "a finite number of at least 0";
        Setting::check("kernel", kappa, |kappa| kappa >= 0.0 && kappa.is_finite(), accepted)?;
        assert_eq!(z0.len(), v0.len(), "feature and head have the same width");
        let c = kappa.sqrt() * gamma.sqrt();
        let (zs, vs) = (kappa.sqrt().recip(), gamma.sqrt().recip());
        let moving = c > 0.0;
        let p = if moving { &z0 * zs + &v0 * vs } else { DVector::zeros(z0.len()) };
        let m = if moving { &z0 * zs - &v0 * vs } else { DVector::zeros(z0.len()) };
        let (pn, mn) = (norm(&p) * c.sqrt(), norm(&m) * c.sqrt());
        let (a, b) = (pn * pn / 2.0, mn * mn / 2.0);
        let omega = target.hypot(pn * mn / 2.0);
        let noise = if moving { 2.0 * f64::EPSILON * (norm(&p) + norm(&m)) } else { 0.0 };
        for (quantity, value) in [
            ("the target", target),
            ("the initial residual", residual),
            ("the size of feature and head", a + b),
        ] {
            if !value.is_finite() {
                return Err(FlowError::Overflow { quantity, value });
            }
        }
        for (x, size) in [(&p, a), (&m, b)] {
            if size < f64::MIN_POSITIVE && x.amax() > 0.0 {
                return Err(FlowError::Overflow {
                    quantity: "the squared size of feature and head",
                    value: size,
                });
            }
        }
        Ok(Self { kappa, gamma, target, z0, v0, residual, c, p, m, a, b, omega, noise })
    }

    /// The rank-one flow that a general flow is, if it is one: a single output and, after the exact
    /// reduction, a single row (one sample, or colinear inputs).
    pub fn of_flow(flow: &Flow) -> Result<Self, FlowError> {
        let form = "the rank-one closed form (T7)";
        super::needs_squared_loss(flow, form)?;
        Self::path_of_flow(flow, form)
    }

    /// The path of feature and head, whatever the loss is that they follow it by.
    pub(crate) fn path_of_flow(flow: &Flow, form: &'static str) -> Result<Self, FlowError> {
        let reduction = flow.reduction();
        let extra = |n: usize| n as f64 - 1.0;
        Violation::unless(form, "one output (k = 1)", "k - 1", extra(reduction.outputs()), 0.0)?;
        let missing = if reduction.rows() == 0 { 1.0 } else { 0.0 };
        Violation::unless(form, "a feature or a kernel that is not zero", "1 - rows", missing, 0.0)?;
        // The reduction leaves out what is zero to rounding. A further row, however small, is fitted in the end.
        let lambda = reduction.lambda();
        let rest = if lambda.len() > 1 { lambda[1] / lambda[0] } else { 0.0 };
        Violation::unless(
            form,
            "one sample or colinear inputs (a kernel of rank 1)",
            "the second kernel eigenvalue over the first",
            rest,
            0.0,
        )?;
        let fixed = reduction.features().rows(1, reduction.rows() - 1).norm();
        Violation::unless(
            form,
            "features colinear like the inputs",
            "the norm of the other features over that of all",
            fixed / reduction.features().norm(),
            0.0,
        )
        .or_else(|e| if fixed == 0.0 { Ok(()) } else { Err(e) })?;
        Self::with_residual(
            lambda[0],
            flow.head_rate(),
            reduction.targets()[(0, 0)],
            reduction.features().row(0).transpose(),
            flow.start().head.column(0).into_owned(),
            flow.residual()[(0, 0)],
        )
    }

    /// The same where feature and head are those of a mode among others: what of ẑ ± v̂ is within `zero` is the
    /// rounding of the others and stays zero, and `noise` is what the form leaves out beside it.
    pub(crate) fn with_noise(mut self, zero: f64, noise: f64) -> Self {
        self.noise = self.noise.max(zero).max(noise);
        if self.c > 0.0 {
            for (x, size) in [(&mut self.p, &mut self.a), (&mut self.m, &mut self.b)] {
                if norm(x) <= zero {
                    x.fill(0.0);
                    *size = 0.0;
                }
            }
            self.omega = self.target.hypot((self.a * self.b).sqrt());
            if self.a == 0.0 && self.b == 0.0 {
                self.z0.fill(0.0);
                self.v0.fill(0.0);
                self.residual = self.target;
            }
        }
        self
    }

    /// √(|ẑ|² + |v̂|²) at a rapidity.
    fn size_at(&self, sigma: f64) -> f64 {
        let part = |x: &DVector<f64>, s: f64| if x.amax() == 0.0 { 0.0 } else { norm(x) * s.exp() };
        part(&self.p, sigma).hypot(part(&self.m, -sigma)) / std::f64::consts::SQRT_2
    }

    /// How a start that differs by the noise differs at time t, absolutely, in ẑ and v̂; and √(|ẑ|² + |v̂|²) of it
    /// there.
    ///
    /// Towards y > 0 the flow doubles what is in p while m shrinks; a p of rounding size then decides alone
    /// where it ends (and m, towards y < 0).
    pub(crate) fn uncertainty(&self, t: f64) -> Result<(f64, f64), FlowError> {
        let growth = self.c * self.target.abs();
        if self.noise == 0.0 || growth <= f64::EPSILON * self.c * (self.a + self.b) {
            let sigma = self.rapidity(t)?;
            let factor = if self.noise == 0.0 { 0.0 } else { sigma.abs().min(1.0).exp() };
            return Ok((self.noise * factor, self.size_at(sigma)));
        }
        let mut other = self.clone();
        let (x, size) =
            if self.target > 0.0 { (&mut other.p, &mut other.a) } else { (&mut other.m, &mut other.b) };
        if norm(x) < self.noise {
            x.fill(0.0);
            x[0] = self.noise;
            *size = self.c * self.noise * self.noise / 2.0;
            other.omega = other.target.hypot((other.a * other.b).sqrt());
            other.residual = other.target - (other.a - other.b) / 2.0;
        }
        let sigma = other.rapidity(t)?;
        Ok((self.noise * sigma.abs().exp(), other.size_at(sigma)))
    }

    /// The rate at which a start along p (y > 0) or m (y < 0) leaves the saddle z = v = 0, and its size now.
    pub(crate) fn escape(&self) -> (f64, f64) {
        let along = if self.target > 0.0 { &self.p } else { &self.m };
        (self.c * self.target.abs(), norm(along))
    }

    /// Numerator and denominator of u and the numerator of u − 1, all divided by ω (at t = ∞: not).
    fn fraction(&self, t: f64) -> (f64, f64, f64) {
        let (plus, minus) = self.omega_plus_minus();
        if t.is_infinite() {
            return (self.b + plus, self.a + minus, 2.0 * self.residual);
        }
        let s = self.c * self.omega * t;
        // θ/ω and 1 − θ
        let ratio = if s > 0.0 { s.tanh() / self.omega } else { self.c * t };
        let rest = 2.0 / ((2.0 * s).exp() + 1.0);
        let gap = 2.0 * self.residual * ratio;
        (rest + ratio * (self.b + plus), rest + ratio * (self.a + minus), gap)
    }

    /// ω + y and ω − y without cancellation.
    fn omega_plus_minus(&self) -> (f64, f64) {
        let y = self.target;
        let large = self.omega + y.abs();
        let root = self.a.sqrt() * self.b.sqrt();
        let small = if large > 0.0 { root * (root / large) } else { 0.0 };
        if y >= 0.0 { (large, small) } else { (small, large) }
    }

    /// σ(t); ±∞ in the limit of the degenerate cases.
    pub fn rapidity(&self, t: f64) -> Result<f64, FlowError> {
        check_time(t)?;
        if self.c == 0.0 || t == 0.0 || self.residual == 0.0 {
            return Ok(0.0);
        }
        if self.omega == 0.0 && (self.c * t).is_infinite() {
            // y = 0 and one of p, m is zero: u grows or decays like a power of t.
            return Ok(if self.a == 0.0 { f64::INFINITY } else { f64::NEG_INFINITY });
        }
        let (numerator, denominator, gap) = self.fraction(t);
        let change = gap / denominator;
        Ok(if change.abs() < 0.5 {
            change.ln_1p() / 2.0
        } else {
            (numerator.ln() - denominator.ln()) / 2.0
        })
    }

    /// Everything at time t in [0, ∞].
    pub fn at(&self, t: f64) -> Result<RankOnePoint, FlowError> {
        check_time(t)?;
        if self.c == 0.0 {
            return Ok(self.single_layer(t));
        }
        let sigma = self.rapidity(t)?;
        let (displacement, feature, head) = self.turned(sigma);
        let residual = self.residual_at(sigma, t);
        let budget = self.budget_at(sigma, residual);
        Ok(RankOnePoint { feature, displacement, head, residual, rapidity: sigma, budget })
    }

    /// The motion of the feature, the feature and the head at a rapidity, for c > 0.
    fn turned(&self, sigma: f64) -> (DVector<f64>, DVector<f64>, DVector<f64>) {
        let (up, down) = (self.kappa.sqrt(), self.gamma.sqrt());
        if sigma.abs() < 1.0 {
            // Directly: nothing of the smaller of feature and head is lost in p and m.
            let (turn, sinh) = (2.0 * (sigma / 2.0).sinh().powi(2), sigma.sinh());
            let displacement = &self.z0 * turn + &self.v0 * (sinh * up / down);
            let head = &self.v0 + &self.v0 * turn + &self.z0 * (sinh * down / up);
            let feature = &self.z0 + &displacement;
            (displacement, feature, head)
        } else {
            // By p and m: near p = 0 the growing part does not cancel.
            let (grow, shrink) = (sigma.exp() / 2.0, (-sigma).exp() / 2.0);
            let times = |x: f64, f: f64| if x == 0.0 { 0.0 } else { x * f };
            let feature = self.p.zip_map(&self.m, |p, m| times(p, grow) + times(m, shrink)) * up;
            let head = self.p.zip_map(&self.m, |p, m| times(p, grow) - times(m, shrink)) * down;
            (&feature - &self.z0, feature, head)
        }
    }

    /// The state of a flow with a single row at a rapidity, for c > 0.
    pub(crate) fn state_at(&self, sigma: f64) -> State {
        let (displacement, _, head) = self.turned(sigma);
        self.state_of(&displacement, &head)
    }

    fn state_of(&self, displacement: &DVector<f64>, head: &DVector<f64>) -> State {
        // The motion D of a single reduced row is displacement / √λ.
        let scale = if self.kappa > 0.0 { self.kappa.sqrt().recip() } else { 0.0 };
        State {
            motion: DMatrix::from_row_slice(1, self.z0.len(), (displacement * scale).as_slice()),
            head: DMatrix::from_column_slice(self.v0.len(), 1, head.as_slice()),
        }
    }

    /// a and b: the sizes of what grows and what shrinks with σ; 0 where κ or γ is.
    pub(crate) fn parts(&self) -> [f64; 2] {
        [self.a, self.b]
    }

    /// c.
    pub(crate) fn speed(&self) -> f64 {
        self.c
    }

    /// The prediction z·v at a rapidity, ½(a e^{2σ} − b e^{−2σ}).
    pub(crate) fn prediction(&self, sigma: f64) -> f64 {
        (self.a * (2.0 * sigma).exp() - self.b * (-2.0 * sigma).exp()) / 2.0
    }

    /// Its derivative.
    pub(crate) fn prediction_slope(&self, sigma: f64) -> f64 {
        self.a * (2.0 * sigma).exp() + self.b * (-2.0 * sigma).exp()
    }

    /// The rapidity at which the prediction is q: a u² − 2q u − b = 0 for u = e^{2σ}, without cancellation.
    pub(crate) fn rapidity_of(&self, q: f64) -> f64 {
        let root = q.hypot((self.a * self.b).sqrt());
        // u − 1 from the start, where the prediction is (a − b)/2.
        let start = (self.a - self.b) / 2.0;
        let other = (self.a + self.b) / 2.0;
        let u_minus_one = (q - start + (q - start) * (q + start) / (root + other)) / self.a;
        if u_minus_one.abs() < 0.5 {
            u_minus_one.ln_1p() / 2.0
        } else if q >= 0.0 {
            ((q + root) / self.a).ln() / 2.0
        } else {
            (self.b / (root - q)).ln() / 2.0
        }
    }

    /// The loss that backbone and head spend for each unit of σ, over the residual: |v|²√(κ/γ) and |z|²√(γ/κ).
    pub(crate) fn spending(&self, sigma: f64) -> Budget {
        let (_, feature, head) = self.turned(sigma);
        let ratio = (self.kappa / self.gamma).sqrt();
        Budget { backbone: norm(&head).powi(2) * ratio, head: norm(&feature).powi(2) / ratio }
    }

    /// How a start that differs by rounding differs at a rapidity, absolutely, and the size of the state there.
    pub(crate) fn error_at(&self, sigma: f64) -> (f64, f64) {
        (self.noise * sigma.abs().exp(), self.size_at(sigma))
    }

    /// The rate at which a start leaves the saddle z = v = 0 under a residual, and its share of the size now.
    pub(crate) fn escape_at(&self, residual: f64) -> (f64, f64) {
        let along = if residual > 0.0 { &self.p } else { &self.m };
        (self.c * residual.abs(), norm(along) / self.size_at(0.0))
    }

    /// r = y − ½(au − b/u). With u = n/d in the normalisation of [`Self::fraction`] this is
    /// r₀(1 − θ²)/(n d), which does not cancel.
    fn residual_at(&self, sigma: f64, t: f64) -> f64 {
        if sigma.is_infinite() {
            return self.target;
        }
        if t.is_infinite() {
            return 0.0;
        }
        let sech = (self.c * self.omega * t).cosh().recip();
        let (numerator, denominator, _) = self.fraction(t);
        self.residual * (sech / numerator) * (sech / denominator)
    }

    /// Loss spent: c ∫ r |v̂|² dσ by the backbone and c ∫ r |ẑ|² dσ by the head.
    ///
    /// For |σ| ≤ 1 by Gauss quadrature, exact to rounding there and without cancellation when feature and
    /// head differ in size; beyond by the elementary integrals of e^{±2σ}.
    fn budget_at(&self, sigma: f64, residual: f64) -> Budget {
        if sigma == 0.0 {
            return Budget::default();
        }
        let (y, a, b) = (self.target, self.a, self.b);
        if sigma.abs() <= 1.0 {
            let mut sum = Budget::default();
            for &(x, weight) in gauss_legendre() {
                let s = sigma * x;
                // r(s) from its value at the end: both terms have the sign of r.
                let left = 2.0 * (sigma - s);
                let r = residual
                    + (a * (2.0 * s).exp() * left.exp_m1() - b * (-2.0 * s).exp() * (-left).exp_m1())
                        / 2.0;
                let ratio = (self.gamma / self.kappa).sqrt();
                let v = &self.v0 * s.cosh() + &self.z0 * (s.sinh() * ratio);
                let z = &self.z0 * s.cosh() + &self.v0 * (s.sinh() / ratio);
                let weight = weight * sigma * r;
                sum.backbone += weight * norm(&v).powi(2) / ratio;
                sum.head += weight * norm(&z).powi(2) * ratio;
            }
            return sum;
        }
        let total = if sigma.is_finite() {
            let gap = (a * (2.0 * sigma).exp_m1() - b * (-2.0 * sigma).exp_m1()) / 2.0;
            gap * (self.residual + residual) / 2.0
        } else {
            (self.residual - residual) * (self.residual + residual) / 2.0
        };
        // c|v̂|² = ½(au + b/u) − g and c|ẑ|² = ½(au + b/u) + g with g = c p·m/2: the parts differ by 2g ∫ r dσ.
        let g = self.c * self.p.dot(&self.m) / 2.0;
        let integral = if sigma.is_finite() {
            y * sigma - (a * (2.0 * sigma).exp_m1() + b * (-2.0 * sigma).exp_m1()) / 4.0
        } else {
            // Only at the saddle, where g = 0.
            0.0
        };
        let difference = 2.0 * g * integral;
        Budget { backbone: (total - difference) / 2.0, head: (total + difference) / 2.0 }
    }

    /// κ = 0 or γ = 0: one of the two layers stays.
    fn single_layer(&self, t: f64) -> RankOnePoint {
        let (rate, moved_feature) = if self.gamma == 0.0 {
            (self.kappa * self.v0.norm_squared(), true)
        } else {
            (self.gamma * self.z0.norm_squared(), false)
        };
        // ∫ r dt
        let integral = if rate == 0.0 { 0.0 } else { self.residual * phi(rate, t) };
        let residual = self.residual * (-(if rate == 0.0 { 0.0 } else { rate * t })).exp();
        let spent = (self.residual - residual) * (self.residual + residual) / 2.0;
        let zero = DVector::zeros(self.z0.len());
        let (displacement, turn, budget) = if moved_feature {
            (&self.v0 * (self.kappa * integral), zero, Budget { backbone: spent, head: 0.0 })
        } else {
            (zero, &self.z0 * (self.gamma * integral), Budget { backbone: 0.0, head: spent })
        };
        RankOnePoint {
            feature: &self.z0 + &displacement,
            displacement,
            head: &self.v0 + turn,
            residual,
            rapidity: 0.0,
            budget,
        }
    }
}

impl ClosedForm for RankOne {
    fn solved_by(&self) -> SolvedBy {
        SolvedBy::RankOne
    }

    fn moment(&self, t: f64) -> Result<Moment, FlowError> {
        let point = self.at(t)?;
        let state = self.state_of(&point.displacement, &point.head);
        let residual = DMatrix::from_element(1, 1, point.residual);
        let (error, size) = self.uncertainty(t)?;
        let stop = if error > LOST * size {
            let (growth, along) = self.escape();
            let sample = 0;
            Stop::Saddle(Saddle { time: t, growth, size: along / self.size_at(0.0), sample, output: 0 })
        } else {
            Stop::Exact
        };
        let error = Some(if error == 0.0 { 0.0 } else { error / size });
        Ok(Moment { time: t, state, residual, budget: Some(point.budget), error, stop })
    }
}

/// Nodes and weights of 20-point Gauss–Legendre quadrature on [0, 1].
pub(crate) fn gauss_legendre() -> &'static [(f64, f64)] {
    const POINTS: usize = 20;
    static RULE: OnceLock<Vec<(f64, f64)>> = OnceLock::new();
    RULE.get_or_init(|| {
        let n = POINTS as f64;
        (0..POINTS)
            .map(|i| {
                let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
                let mut slope = 1.0;
                for _ in 0..100 {
                    let (mut before, mut now) = (1.0, x);
                    for j in 1..POINTS {
                        let j = j as f64;
                        (before, now) = (now, ((2.0 * j + 1.0) * x * now - j * before) / (j + 1.0));
                    }
                    slope = n * (x * now - before) / (x * x - 1.0);
                    x -= now / slope;
                }
                ((x + 1.0) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
            })
            .collect()
    })
}

/// Euclidean norm without overflow or underflow of squares.
fn norm(x: &DVector<f64>) -> f64 {
    let largest = x.amax();
    if largest == 0.0 || !largest.is_finite() { largest } else { (x / largest).norm() * largest }
}

/// The limit t → ∞ of the normalised rank-one model in square roots only (T8–T12).
///
/// γ = κ = |z₀| = 1, v₀ = a z₀ + w e with e ⊥ z₀, |e| = 1, w ≥ 0, target y; any other rank-one flow
/// scales to it. The initial energy is |y − a|.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// e^σ
    growth: f64,
    /// e^{2σ} − 1, without cancellation
    change: f64,
    a: f64,
    w: f64,
}

impl Limit {
    /// The limit for finite y, a and w ≥ 0. At the saddle (w = 0, a = −1, y ≥ 0 and its mirror image
    /// w = 0, a = 1, y ≤ 0) σ is infinite and the metrics are those of z_T = 0.
    #[inline]
    pub fn new(y: f64, w: f64, a: f64) -> Self {
        let w2 = w * w;
        let (alpha, beta) = ((1.0 + a) * (1.0 + a) + w2, (1.0 - a) * (1.0 - a) + w2);
        let product = alpha * beta / 4.0;
        let omega = (y * y + product).sqrt();
        let large = omega + y.abs();
        let small = product / large;
        let (plus, minus) = if y >= 0.0 { (large, small) } else { (small, large) };
        let denominator = alpha / 2.0 + minus;
        let change = 2.0 * (y - a) / denominator;
        // u = n/d, and 1 + (u − 1) would cancel for u near 0.
        let growth = ((beta / 2.0 + plus) / denominator).sqrt();
        Self { growth, change, a, w }
    }

    /// σ
    pub fn rapidity(&self) -> f64 {
        if self.change.abs() < 0.5 { self.change.ln_1p() / 2.0 } else { self.growth.ln() }
    }

    /// The metrics between z_T and z₀.
    #[inline]
    pub fn adaptation(&self) -> Adaptation {
        let x = self.growth;
        // cosh σ − 1 = (x − 1)²/(2x) and sinh σ = (x² − 1)/(2x) with x = e^σ
        let sinh = self.change / (2.0 * x);
        let less = self.change / (x + 1.0);
        let cosh_minus_one = less * less / (2.0 * x);
        let along = cosh_minus_one + self.a * sinh;
        let across = self.w * sinh;
        // cosh σ + a sinh σ; as 1 + `along` it would cancel near the saddle.
        let dot = (x * (1.0 + self.a) + (1.0 - self.a) / x) / 2.0;
        let norm = (dot * dot + across * across).sqrt();
        let cosine = if dot > 0.0 { across * across / (norm * (norm + dot)) } else { 1.0 - dot / norm };
        let distance = (along * along + across * across).sqrt();
        Adaptation { euclidean: distance, cosine, dot, norm, frobenius_distance: distance }
    }
}
