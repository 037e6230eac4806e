//! Back onto the conserved matrix VVᵀ − γBBᵀ (T2), of which an integrator drifts by its error.
//!
//! For a symmetric S the move (B, V) → (B(I + S), (I − S)V) changes no prediction to first order and is orthogonal to
//! all states with the same conserved matrix in the metric ‖δB‖² + ‖δV‖²/γ: it takes away error and adds none. The
//! change E of the conserved matrix goes with SM + MS = E, M = VVᵀ + γBᵀB (rows of B: coordinates of the backbone).

use nalgebra::DMatrix;

use crate::flow::Flow;
use crate::linalg::{DecompositionError, Eigen, null_threshold};
use crate::reduction::State;

/// Moves a state to where the conserved matrix is that of the start, to rounding.
///
/// Where the kernel leaves features that never move, the law does not hold for all of the head and the state
/// stays as it is; so it does for a frozen head, which conserves by itself.
///
/// `turn` is the change of the head since the start, to its own precision: a small motion keeps it. A correction of
/// more than `most` of motion or head is not made: where the head moves by orders of magnitude less than the backbone,
/// the drift is rounding, and says nothing about the backbone.
pub fn restore(
    flow: &Flow,
    state: &mut State,
    turn: &DMatrix<f64>,
    most: f64,
) -> Result<(), DecompositionError> {
    let (reduction, rate) = (flow.reduction(), flow.head_rate());
    if rate == 0.0 || reduction.has_fixed_features() {
        return Ok(());
    }
    let start = flow.start();
    let mut moved = State { motion: state.motion.clone(), head: turn.clone() };
    let mut change = reduction.conserved_change(start, &moved, rate);
    if change.norm() == 0.0 {
        return Ok(());
    }
    let backbone = reduction.backbone();
    let b = &backbone + &state.motion;
    let eigen = Eigen::new(&(&state.head * state.head.transpose() + b.tr_mul(&b) * rate))?;
    let negligible = eigen.d[0] * null_threshold(eigen.d.len());
    // The equation is quadratic in S, so that a few corrections reach rounding.
    for _ in 0..3 {
        let turned = eigen.q.tr_mul(&change) * &eigen.q;
        let s = DMatrix::from_fn(turned.nrows(), turned.ncols(), |i, j| {
            let sum = eigen.d[i] + eigen.d[j];
            if sum > negligible { turned[(i, j)] / sum } else { 0.0 }
        });
        let s = &eigen.q * s * eigen.q.transpose();
        let back = &s * (&start.head + &moved.head);
        let better = State {
            motion: &moved.motion + (&backbone + &moved.motion) * &s,
            head: &moved.head - &back,
        };
        let corrected = (&better.motion - &moved.motion).norm();
        let head = (&start.head + &moved.head).norm();
        if !(corrected <= most * moved.motion.norm() && back.norm() <= most * head) {
            break;
        }
        let left = reduction.conserved_change(start, &better, rate);
        if left.norm() >= change.norm() {
            break;
        }
        state.head -= back;
        state.motion.copy_from(&better.motion);
        (moved, change) = (better, left);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    #[test]
    fn a_drift_is_taken_away_and_predictions_stay() {
        let head = wobble(5, 2, 3.0);
        let problem =
            Problem::linear(&wobble(3, 6, 0.0), &wobble(5, 6, 1.0), wobble(3, 2, 2.0)).unwrap();
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 0.7).unwrap();
        let mut state = flow.start().clone();
        state.motion += wobble(3, reduction.width(), 4.0) * 1e-6;
        state.head += wobble(reduction.width(), 2, 5.0) * 1e-6;
        let residual = reduction.residual(&state);
        let drift = |state: &State| reduction.conservation_drift(flow.start(), state, 0.7).unwrap();
        assert!(drift(&state) > 1e-8);
        let turn = &state.head - &flow.start().head;
        restore(&flow, &mut state, &turn, 1.0).unwrap();
        assert!(drift(&state) < 1e-15, "{:e}", drift(&state));
        assert!((reduction.residual(&state) - residual).norm() < 1e-11);
    }
}
