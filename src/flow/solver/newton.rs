//! Newton's method for the stages of a step, with the Jacobian of every stage.
//!
//! A residual that stays moves the state along a curve on which fast motions have died out. The tangent kernel knows
//! nothing of the residual, and one that is frozen nothing of the curve: with it no step is longer than a small part of
//! the curve, however slow the motion is. In x = (D, V/√γ) predictions of stage j move by G_j δx, and the Jacobian
//! there is J_j = N_j − G_jᵀG_j, with N_j linear in the residual ([`super::stability`]). Under the squared loss
//! residuals that miss by M are corrected by
//!
//! $$\delta R_j = M_j - G_j\,\delta x_j,\qquad
//!   \delta x_i - h\sum_j a_{ij} J_j\,\delta x_j = h\sum_j a_{ij} G_j^\top M_j.$$

use nalgebra::{DMatrix, DVector};

use super::collocation::Collocation;
use super::stability::Jacobian;
use super::stages::{Stages, stage};
use crate::flow::Flow;
use crate::product::norm;

/// The most unknowns (n + k)p whose Jacobian is formed.
const UNKNOWNS: usize = 120;

/// Whether a flow is one under the squared loss that is small enough.
pub(super) fn fits(flow: &Flow) -> bool {
    let reduction = flow.reduction();
    reduction.samples().is_none()
        && flow.head_rate() > 0.0
        && (reduction.rows() + reduction.outputs()) * reduction.width() <= UNKNOWNS
}

/// Turns what the residuals miss by (a block of stages, whose heads are solved for) into their correction. Returns the
/// size of the motion (D, V/√γ) that it causes at the stages, each in units of `per`; none where there is no solution.
pub(super) fn correct(
    stages: &Stages,
    method: &Collocation,
    residuals: &[f64],
    missed: &mut [f64],
    step: f64,
    per: [f64; 2],
) -> Option<f64> {
    let (s, (n, p), k) = (method.stages(), stages.features.shape(), stages.head.ncols());
    let m = (n + k) * p;
    let all: Vec<_> = (0..s).map(|j| stages.at_stage(j, residuals, step)).collect();
    let jacobians: Vec<_> = all.iter().map(|[z, v, r]| Jacobian::at(stages.flow(), z, v, r)).collect();
    let (mut matrix, mut right) = (DMatrix::identity(m * s, m * s), DVector::zeros(m * s));
    for (j, jacobian) in jacobians.iter().enumerate() {
        let whole = jacobian.whole();
        let pull = jacobian.pull(&stage(missed, j, [n, k, s]));
        for i in 0..s {
            let weight = step * method.a[(i, j)];
            let mut block = matrix.view_mut((i * m, j * m), (m, m));
            block.zip_apply(&whole, |x, y| *x -= weight * y);
            right.rows_mut(i * m, m).axpy(weight, &pull, 1.0);
        }
    }
    let change = matrix.lu().solve(&right)?;
    let (mut motion, mut head) = (0.0, 0.0);
    for (j, jacobian) in jacobians.iter().enumerate() {
        let x = change.rows(j * m, m).into_owned();
        motion = f64::hypot(motion, norm(&x.as_slice()[..n * p]));
        head = f64::hypot(head, norm(&x.as_slice()[n * p..]));
        let moved = jacobian.predictions_moved(&jacobian.state_of(&x));
        for (c, column) in moved.column_iter().enumerate() {
            let missed = &mut missed[(c * s + j) * n..][..n];
            missed.iter_mut().zip(column.iter()).for_each(|(x, moved)| *x -= moved);
        }
    }
    Some(f64::hypot(motion * per[0], head * per[1]))
}
