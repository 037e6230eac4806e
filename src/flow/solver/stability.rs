//! How a flow draws neighbouring states apart: what errors grow to, and whether a resting state is a saddle.
//!
//! In the coordinates (D, V/√γ) the flow is the steepest descent of the loss and its Jacobian is symmetric,
//!
//! $$J = -\Theta\text{-part} + \sqrt\gamma\begin{pmatrix} & \Lambda^{1/2}R\\ R^\top\Lambda^{1/2} & \end{pmatrix},$$
//!
//! where the first part lets nothing grow. So errors grow at most at the rate √γ ‖Λ^{1/2}R‖₂, and exactly at the
//! largest eigenvalue of J, which is looked for only where that bound says too little.

use nalgebra::{DMatrix, DVector};

use crate::flow::Flow;
use crate::product::axpy;
use crate::reduction::State;

/// Lanczos vectors: the outermost eigenvalue is what they find first.
const VECTORS: usize = 40;

/// An upper bound of √γ ‖Λ^{1/2}R‖₂ that allocates nothing: the fourth root of ‖(RᵀΛR)²‖.
pub(super) fn growth_bound(flow: &Flow, residual: &DMatrix<f64>) -> f64 {
    let (lambda, k) = (flow.reduction().lambda(), residual.ncols());
    let mut sum = 0.0;
    for b in 0..k {
        for c in 0..=b {
            let (x, y) = (residual.column(b), residual.column(c));
            let product: f64 =
                x.iter().zip(y.iter()).zip(lambda.iter()).map(|((x, y), l)| x * y * l).sum();
            sum += product * product * if b == c { 1.0 } else { 2.0 };
        }
    }
    flow.head_rate().sqrt() * sum.sqrt().sqrt()
}

/// J at a state, on vectors of (D, V/√γ) with the columns of D first.
pub(super) struct Jacobian<'a> {
    flow: &'a Flow<'a>,
    z: &'a DMatrix<f64>,
    v: &'a DMatrix<f64>,
    r: &'a DMatrix<f64>,
    predictions: DMatrix<f64>,
    sqrt_lambda: DVector<f64>,
    sqrt_rate: f64,
}

impl<'a> Jacobian<'a> {
    /// At features, head and residual of a flow.
    pub fn at(
        flow: &'a Flow<'a>,
        z: &'a DMatrix<f64>,
        v: &'a DMatrix<f64>,
        r: &'a DMatrix<f64>,
    ) -> Self {
        let sqrt_lambda = flow.reduction().lambda().map(f64::sqrt);
        Self { predictions: z * v, sqrt_rate: flow.head_rate().sqrt(), flow, z, v, r, sqrt_lambda }
    }

    fn scale_rows(&self, mut a: DMatrix<f64>) -> DMatrix<f64> {
        crate::product::scale_rows(a.as_mut_slice(), &self.sqrt_lambda);
        a
    }

    /// J x.
    pub fn times(&self, x: &DVector<f64>) -> DVector<f64> {
        let ((n, p), k, v, z, r) = (self.z.shape(), self.v.ncols(), self.v, self.z, self.r);
        let dz = self.scale_rows(DMatrix::from_column_slice(n, p, &x.as_slice()[..n * p]));
        let dv = DMatrix::from_column_slice(p, k, &x.as_slice()[n * p..]) * self.sqrt_rate;
        let dr = -self.flow.curvature(&self.predictions, &dz * v + z * &dv);
        let motion = self.scale_rows(&dr * v.transpose() + r * dv.transpose());
        let head = (dz.tr_mul(r) + z.tr_mul(&dr)) * self.sqrt_rate;
        DVector::from_iterator(x.len(), motion.iter().chain(head.iter()).copied())
    }

    /// The motion of the predictions of the rows (n×k) that a change of the state makes.
    pub fn predictions_moved(&self, change: &State) -> DMatrix<f64> {
        self.scale_rows(change.motion.clone()) * self.v + self.z * &change.head
    }

    /// The velocity that a residual (n×k) causes.
    pub fn pull(&self, residual: &DMatrix<f64>) -> DVector<f64> {
        let motion = self.scale_rows(residual * self.v.transpose());
        let head = self.z.tr_mul(residual) * self.sqrt_rate;
        DVector::from_iterator(motion.len() + head.len(), motion.iter().chain(head.iter()).copied())
    }

    /// J itself.
    pub fn whole(&self) -> DMatrix<f64> {
        let m = (self.z.nrows() + self.v.ncols()) * self.z.ncols();
        let unit = |i: usize| DVector::from_fn(m, |j, _| if i == j { 1.0 } else { 0.0 });
        let columns: Vec<DVector<f64>> = (0..m).map(|i| self.times(&unit(i))).collect();
        DMatrix::from_columns(&columns)
    }

    /// The velocity of the flow at a state with its residual, in these coordinates.
    pub fn velocity(&self, state: &State, residual: &DMatrix<f64>) -> DVector<f64> {
        let State { motion, head } = self.flow.velocity_by(state, residual);
        let part = if self.sqrt_rate > 0.0 { self.sqrt_rate.recip() } else { 0.0 };
        let all = motion.iter().copied().chain(head.iter().map(|x| x * part));
        DVector::from_iterator(motion.len() + head.len(), all)
    }

    /// A vector of these coordinates as a change of the state.
    pub fn state_of(&self, x: &DVector<f64>) -> State {
        let ((n, p), k) = (self.z.shape(), self.v.ncols());
        State {
            motion: DMatrix::from_column_slice(n, p, &x.as_slice()[..n * p]),
            head: DMatrix::from_column_slice(p, k, &x.as_slice()[n * p..]) * self.sqrt_rate,
        }
    }
}

/// The direction in which neighbouring states part fastest.
#[derive(Debug, Clone)]
pub(super) struct Fastest {
    /// The largest eigenvalue of J; 0 if none is positive.
    pub rate: f64,
    /// The size up to which an eigenvalue is the rounding of the others.
    pub noise: f64,
    /// Its eigenvector: backbone, n×p, and head over √γ, p×k, of norm 1 together.
    pub motion: DMatrix<f64>,
    pub head: DMatrix<f64>,
}

impl Fastest {
    /// At features, head and residual of a flow, by the method of Lanczos. The rate is never too large.
    pub fn at(flow: &Flow, z: &DMatrix<f64>, v: &DMatrix<f64>, r: &DMatrix<f64>) -> Self {
        let ((n, p), k) = (z.shape(), v.ncols());
        let jacobian = Jacobian::at(flow, z, v, r);
        // A start that no symmetry of the problem leaves without the wanted direction.
        let wave = |i: usize| (1.0 + i as f64 * std::f64::consts::SQRT_2).sin() + 0.1;
        let start = DVector::from_fn(n * p + p * k, |i, _| wave(i)).normalize();
        let mut basis = vec![start];
        let (mut diagonal, mut beside) = (Vec::new(), Vec::<f64>::new());
        loop {
            let last = &basis[basis.len() - 1];
            let mut next = jacobian.times(last);
            diagonal.push(next.dot(last));
            let size = next.norm();
            // Twice, so that rounding leaves no part along what is there already.
            for _ in 0..2 {
                for q in &basis {
                    let along = q.dot(&next);
                    axpy(next.as_mut_slice(), -along, q.as_slice());
                }
            }
            let rest = next.norm();
            if basis.len() == VECTORS.min(n * p + p * k) || rest <= 1e-13 * size || !rest.is_finite() {
                break;
            }
            beside.push(rest);
            basis.push(next / rest);
        }
        let m = diagonal.len();
        let mut small = DMatrix::from_diagonal(&DVector::from_vec(diagonal));
        for (i, b) in beside.iter().enumerate().take(m.saturating_sub(1)) {
            (small[(i, i + 1)], small[(i + 1, i)]) = (*b, *b);
        }
        let nothing = || Self {
            rate: 0.0,
            noise: f64::INFINITY,
            motion: DMatrix::zeros(n, p),
            head: DMatrix::zeros(p, k),
        };
        let Ok(eigen) = crate::linalg::Eigen::new(&small) else { return nothing() };
        let mut vector = DVector::zeros(n * p + p * k);
        basis.iter().zip(eigen.q.column(0).iter()).for_each(|(q, c)| vector.axpy(*c, q, 1.0));
        // Symmetries of the flow have the eigenvalue zero, to the rounding of the others.
        let noise = 64.0 * f64::EPSILON * eigen.d.amax();
        Self {
            rate: if eigen.d[0] > noise { eigen.d[0] } else { 0.0 },
            noise,
            motion: DMatrix::from_column_slice(n, p, &vector.as_slice()[..n * p]),
            head: DMatrix::from_column_slice(p, k, &vector.as_slice()[n * p..]),
        }
    }
}

/// An estimate of the error of a state, carried along a flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    /// In the norm of (D, V/√γ).
    error: f64,
    /// The rounding of states of that size, in `error`, as it was when it arose: it matters to the motion only as far
    /// as it has grown since.
    rounding: f64,
    /// The rate bound at the last state.
    bound: f64,
    /// The rate there, where it was needed.
    rate: Option<f64>,
    /// The relative error up to which the bound of the growth is good enough.
    enough: f64,
}

/// Share of the error from which on an answer is withheld, up to which the bound of the growth is good enough.
const GOOD_ENOUGH: f64 = 1e-2;

impl Spread {
    /// At the start, whose state has the rounding of its size.
    pub fn new(flow: &Flow, residual: &DMatrix<f64>, size: f64, lost: f64) -> Self {
        let enough = GOOD_ENOUGH * lost;
        let rounding = f64::EPSILON * size;
        Self { error: rounding, rounding, bound: growth_bound(flow, residual), rate: None, enough }
    }

    /// The error over the size of the state, or, as far as it is more than the rounding of such states, over its
    /// motion.
    pub fn relative(&self, size: f64, motion: f64) -> f64 {
        let ratio = |error: f64, size: f64| if error > 0.0 { error / size } else { 0.0 };
        ratio(self.error, size).max(ratio(self.error - self.rounding, motion))
    }

    /// Adds an error.
    pub fn add(&mut self, error: f64) {
        self.error += error;
    }

    /// After a step that made a `local` error and led to a state of this `size` and `motion` since the start. `rate`
    /// finds the largest eigenvalue of J there, and what of it is rounding.
    pub fn advance(
        &mut self,
        step: f64,
        bound: f64,
        [local, size, motion]: [f64; 3],
        rate: impl FnOnce() -> (f64, f64),
    ) {
        let highest = self.bound.max(bound);
        let mean = logarithmic_mean(self.bound, bound);
        let rounding = f64::EPSILON / 2.0 * size;
        let before = *self;
        let grow = |growth: f64| Self {
            error: before.error * growth.exp() + local + rounding,
            rounding: before.rounding + rounding,
            ..before
        };
        let grown = grow(step * mean);
        if grown.relative(size, motion) <= self.enough {
            *self = Self { bound, rate: None, ..grown };
            return;
        }
        let (now, noise) = rate();
        // Where the residual stays, J has eigenvalues that are zero to rounding; where it decays far faster than
        // anything grows, rounding hides what grows.
        let now = if now > 1e-9 * bound {
            now
        } else if noise > 1e-2 * bound {
            bound
        } else {
            0.0
        };
        let growth = self.rate.map_or(mean, |before| before.max(now).min(highest));
        *self = Self { bound, rate: Some(now), ..grow(step * growth) };
    }
}

/// The mean over a step of a bound that decays exponentially from `a` to `b`; more than that of one that decays as a
/// power of time.
fn logarithmic_mean(a: f64, b: f64) -> f64 {
    let (low, high) = (a.min(b), a.max(b));
    if low < 1e-300 * high || high == 0.0 {
        return high;
    }
    let x = (high / low).ln();
    if x < 1e-3 { high } else { (high - low) / x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    /// The eigenvector grows at its rate along the flow itself, and the bound is one.
    #[test]
    fn the_fastest_direction_is_that_of_the_flow() {
        let head = wobble(5, 2, 3.0);
        let problem =
            Problem::linear(&wobble(3, 6, 0.0), &wobble(5, 6, 1.0), wobble(3, 2, 2.0) * 20.0).unwrap();
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 0.7).unwrap();
        let state = flow.start();
        let (z, r) = (reduction.features_at(state), reduction.residual(state));
        let fastest = Fastest::at(&flow, &z, &state.head, &r);
        let size = 1e-6;
        let shifted = State {
            motion: &state.motion + &fastest.motion * size,
            head: &state.head + &fastest.head * (size * 0.7f64.sqrt()),
        };
        let (there, here) = (flow.velocity(&shifted), flow.velocity(state));
        let motion = (there.motion - here.motion) / size - &fastest.motion * fastest.rate;
        let turning = (there.head - here.head) / (size * 0.7f64.sqrt()) - &fastest.head * fastest.rate;
        assert!(motion.norm() + turning.norm() < 1e-3 * fastest.rate, "{motion} {turning}");
        let bound = growth_bound(&flow, &r);
        assert!(fastest.rate > 0.5 * bound && fastest.rate <= bound, "{} {bound}", fastest.rate);
    }

    /// An error that is added counts in full beside the motion, the rounding of the start does not.
    #[test]
    fn errors_add_up() {
        let head = wobble(5, 2, 3.0);
        let problem =
            Problem::linear(&wobble(3, 6, 0.0), &wobble(5, 6, 1.0), wobble(3, 2, 2.0)).unwrap();
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 0.7).unwrap();
        let mut spread = Spread::new(&flow, flow.residual(), 2.0, 1e-4);
        assert_eq!(spread.relative(2.0, 1e-3), f64::EPSILON);
        for sum in [1e-6, 2e-6] {
            spread.add(1e-6);
            assert!((spread.relative(2.0, 1e-3) / (sum / 1e-3) - 1.0).abs() < 1e-9);
        }
    }
}
