//! Frozen head in closed form (T15): γ = 0, only the backbone moves.
//!
//! With V₀ᵀV₀ = W diag(m) Wᵀ and the eigenvalues λ of the kernel (diagonal in reduced coordinates)
//!
//! $$D(t) = \Lambda^{1/2}\big[(R_0 W) \circ \varphi(\lambda_i m_j, t)\big]W^\top V_0^\top,\qquad
//!   \varphi(\lambda, t) = (1 - e^{-\lambda t})/\lambda .$$
//!
//! In rank one the limit is z_T = z₀ + (y − a)/|v₀|² v₀: the distance is linear in the energy.

use nalgebra::{DMatrix, DVector};

use super::{Budget, ClosedForm, Flow, FlowError, Moment, Stop, Violation, check_time, phi};
use crate::linalg::Svd;
use crate::reduction::State;

/// The flow with a frozen head.
#[derive(Debug, Clone)]
pub struct FrozenHead {
    head: DMatrix<f64>,
    lambda: DVector<f64>,
    /// W, k×r, and m, r values: the part of the outputs that the head reads.
    outputs: DMatrix<f64>,
    gains: DVector<f64>,
    /// R₀W, n×r, and the part of R₀ that the head does not read, n×k.
    residual: DMatrix<f64>,
    unread: DMatrix<f64>,
}

impl FrozenHead {
    /// The frozen-head flow of a flow with γ = 0.
    pub fn of_flow(flow: &Flow) -> Result<Self, FlowError> {
        let form = "the frozen-head closed form (T15)";
        super::needs_squared_loss(flow, form)?;
        Violation::unless(form, "a frozen head (head rate 0)", "the head rate", flow.head_rate(), 0.0)?;
        let head = flow.start().head.clone();
        // Singular values of V keep the small m accurate; what is zero to rounding moves nothing.
        let svd = Svd::new(&head)?;
        let r = svd.rank();
        let outputs = svd.w.columns(0, r).into_owned();
        let all = flow.residual();
        let residual = all * &outputs;
        let unread = if r == all.ncols() { all * 0.0 } else { all - &residual * outputs.transpose() };
        Ok(Self {
            residual,
            unread,
            lambda: flow.reduction().lambda().clone(),
            gains: svd.s.rows(0, r).map(|s| s * s),
            head,
            outputs,
        })
    }
}

impl ClosedForm for FrozenHead {
    fn name(&self) -> &'static str {
        "frozen-head"
    }

    fn moment(&self, t: f64) -> Result<Moment, FlowError> {
        check_time(t)?;
        let integral = DMatrix::from_fn(self.residual.nrows(), self.residual.ncols(), |i, j| {
            let lambda = self.lambda[i];
            // Rows that cannot move (λ = 0) have an integral that grows for ever, times √λ = 0.
            if lambda == 0.0 {
                0.0
            } else {
                lambda.sqrt() * self.residual[(i, j)] * phi(lambda * self.gains[j], t)
            }
        });
        let motion = integral * self.outputs.transpose() * self.head.transpose();
        let state = State { motion, head: self.head.clone() };
        let left = DMatrix::from_fn(self.residual.nrows(), self.residual.ncols(), |i, j| {
            let rate = self.lambda[i] * self.gains[j];
            self.residual[(i, j)] * if rate == 0.0 { 1.0 } else { (-rate * t).exp() }
        });
        let residual = left * self.outputs.transpose() + &self.unread;
        // No start is drawn apart from its neighbours.
        let error = Some(f64::EPSILON);
        Ok(Moment { time: t, state, residual, budget: Some(self.budget(t)), error, stop: Stop::Exact })
    }
}

impl FrozenHead {
    fn budget(&self, t: f64) -> Budget {
        let mut backbone = 0.0;
        for (j, gain) in self.gains.iter().enumerate() {
            for (i, lambda) in self.lambda.iter().enumerate().filter(|(_, l)| **l > 0.0) {
                let r = self.residual[(i, j)];
                backbone -= r * r * (-2.0 * lambda * gain * t).exp_m1() / 2.0;
            }
        }
        Budget { backbone, head: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;
    use crate::reduction::Reduction;
    use nalgebra::dmatrix;

    #[test]
    fn the_rank_one_limit_is_linear_in_the_energy() {
        let problem = Problem::new(dmatrix![1.0, 0.0], dmatrix![2.0], dmatrix![3.0]).unwrap();
        for a in [0.0, 1.0, 2.5] {
            let head = dmatrix![a; 0.5];
            let reduction = Reduction::new(&problem, &head).unwrap();
            let flow = Flow::new(&reduction, &head, 0.0).unwrap();
            let state = FrozenHead::of_flow(&flow).unwrap().state(f64::INFINITY).unwrap();
            let distance = reduction.adaptation(&state).euclidean;
            let expected = (3.0 - a) / (a * a + 0.25f64).sqrt();
            assert!((distance - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn a_moving_head_is_refused() {
        let problem = Problem::new(dmatrix![1.0], dmatrix![1.0], dmatrix![1.0]).unwrap();
        let reduction = Reduction::new(&problem, &dmatrix![1.0]).unwrap();
        let flow = Flow::new(&reduction, &dmatrix![1.0], 0.5).unwrap();
        let message = FrozenHead::of_flow(&flow).unwrap_err().to_string();
        assert_eq!(
            message,
            "the frozen-head closed form (T15) needs a frozen head (head rate 0); here the head rate is 5e-1 (accepted: 0e0)"
        );
    }
}
