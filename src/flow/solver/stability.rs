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

/// The direction in which neighbouring states part fastest.
#[derive(Debug, Clone)]
pub(super) struct Fastest {
    /// The largest eigenvalue of J; 0 if none is positive.
    pub rate: f64,
    /// Its eigenvector: backbone, n×p, and head over √γ, p×k, of norm 1 together.
    pub motion: DMatrix<f64>,
    pub head: DMatrix<f64>,
}

impl Fastest {
    /// At features, head and residual of a flow, by the method of Lanczos. The rate is never too large.
    pub fn at(flow: &Flow, z: &DMatrix<f64>, v: &DMatrix<f64>, r: &DMatrix<f64>) -> Self {
        let ((n, p), k) = (z.shape(), v.ncols());
        let sqrt_lambda = flow.reduction().lambda().map(f64::sqrt);
        let sqrt_rate = flow.head_rate().sqrt();
        let predictions = z * v;
        let scale_rows = |mut a: DMatrix<f64>| {
            crate::product::scale_rows(a.as_mut_slice(), &sqrt_lambda);
            a
        };
        let jacobian = |x: &DVector<f64>| {
            let dz = scale_rows(DMatrix::from_column_slice(n, p, &x.as_slice()[..n * p]));
            let dv = DMatrix::from_column_slice(p, k, &x.as_slice()[n * p..]) * sqrt_rate;
            let dr = -flow.curvature(&predictions, &dz * v + z * &dv);
            let motion = scale_rows(&dr * v.transpose() + r * dv.transpose());
            let head = (dz.tr_mul(r) + z.tr_mul(&dr)) * sqrt_rate;
            DVector::from_iterator(x.len(), motion.iter().chain(head.iter()).copied())
        };
        // A start that no symmetry of the problem leaves without the wanted direction.
        let wave = |i: usize| (1.0 + i as f64 * std::f64::consts::SQRT_2).sin() + 0.1;
        let start = DVector::from_fn(n * p + p * k, |i, _| wave(i)).normalize();
        let mut basis = vec![start];
        let (mut diagonal, mut beside) = (Vec::new(), Vec::<f64>::new());
        loop {
            let last = &basis[basis.len() - 1];
            let mut next = jacobian(last);
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
        let nothing = || Self { rate: 0.0, motion: DMatrix::zeros(n, p), head: DMatrix::zeros(p, k) };
        let Ok(eigen) = crate::linalg::Eigen::new(&small) else { return nothing() };
        let mut vector = DVector::zeros(n * p + p * k);
        basis.iter().zip(eigen.q.column(0).iter()).for_each(|(q, c)| vector.axpy(*c, q, 1.0));
        // Symmetries of the flow have the eigenvalue zero, to the rounding of the others.
        let noise = 1e-12 * eigen.d.amax();
        Self {
            rate: if eigen.d[0] > noise { eigen.d[0] } else { 0.0 },
            motion: DMatrix::from_column_slice(n, p, &vector.as_slice()[..n * p]),
            head: DMatrix::from_column_slice(p, k, &vector.as_slice()[n * p..]),
        }
    }
}

/// An estimate of the error of a state, carried along a flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    /// In the norm of (D, V/√γ).
    pub error: f64,
    /// The rate bound at the last state.
    bound: f64,
    /// The rate there, where it was needed.
    rate: Option<f64>,
    /// The relative error up to which the bound of the growth is good enough.
    enough: f64,
}

/// Share of the error from which on an answer is none, up to which the bound of the growth is good enough.
const GOOD_ENOUGH: f64 = 1e-2;

impl Spread {
    /// At the start, whose state has the rounding of its size.
    pub fn new(flow: &Flow, residual: &DMatrix<f64>, size: f64, lost: f64) -> Self {
        let enough = GOOD_ENOUGH * lost;
        Self { error: f64::EPSILON * size, bound: growth_bound(flow, residual), rate: None, enough }
    }

    /// After a step of a length that moved the state by `moved` to a `size`. `rate` finds the largest eigenvalue of J
    /// there.
    pub fn advance(
        &mut self,
        step: f64,
        bound: f64,
        [local, size]: [f64; 2],
        rate: impl FnOnce() -> f64,
    ) {
        let highest = self.bound.max(bound);
        let grown = self.error * (step * highest).exp() + local;
        if grown <= self.enough * size {
            (self.error, self.bound, self.rate) = (grown, bound, None);
            return;
        }
        let now = rate();
        // Where the residual stays, J has eigenvalues that are zero to rounding.
        let now = if now <= 1e-9 * bound { 0.0 } else { now };
        let growth = self.rate.map_or(highest, |before| before.max(now).min(highest));
        self.error = self.error * (step * growth).exp() + local;
        (self.bound, self.rate) = (bound, Some(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use crate::problem::Problem;
    use crate::reduction::{Reduction, State};

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
}
