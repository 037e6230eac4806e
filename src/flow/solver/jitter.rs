//! What errors come to, seen instead of estimated: a flow beside others that are pushed at every step.
//!
//! The estimate that is carried along a flow ([`super::stability`]) grows by the fastest of all directions and never
//! shrinks, so that it says nothing about an end that all neighbours come to, and is far too large where decay is a
//! power of time. Where it would withhold an answer, the flow is followed once as it is, once with a push of many times
//! its own errors at every step, and once with the opposite pushes: at a saddle that rounding decides to leave these
//! part to both sides.

use nalgebra::DMatrix;

use super::options::{LOCAL_ERROR, Solution};
use crate::flow::{Flow, FlowError, LOST, Moment, Stop};
use crate::reduction::State;

/// Size of a push in units of the error of a step.
const PUSH: f64 = 30.0;

/// How the steps of a solution are pushed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Jitter {
    /// Not at all, and it stops where its digits are lost.
    None,
    /// Not at all, and it never stops for that.
    Still,
    /// One way.
    Forth,
    /// The other way.
    Back,
}

impl Jitter {
    /// Whether the flow stops where the estimate says that its digits are lost.
    pub fn stops(self) -> bool {
        self == Self::None
    }

    /// The push after a step, whose error has this size in the norm of (D, V/√γ).
    pub fn push(self, flow: &Flow, step: usize, error: f64) -> Option<State> {
        let sign = match self {
            Self::None | Self::Still => return None,
            Self::Forth => 1.0,
            Self::Back => -1.0,
        };
        let State { motion, head } = flow.start();
        // Numbers without a pattern, the same both ways.
        let number = |i: usize, j: usize| {
            let x = ((step * 7919 + i * 104_729 + j * 1_299_709 + 17) as f64 * 0.754_877_666_246_692_8)
                .fract();
            ((x * 12.9898 + 0.1).sin() * 43_758.545_3).fract()
        };
        let lambda = flow.reduction().lambda();
        let moves = |row: usize| if lambda[row] > 0.0 { 1.0 } else { 0.0 };
        let motion = DMatrix::from_fn(motion.nrows(), motion.ncols(), |i, j| moves(i) * number(i, j));
        let head = DMatrix::from_fn(head.nrows(), head.ncols(), |i, j| number(i, j + 1000));
        let size = motion.norm().hypot(head.norm());
        let scale = sign * PUSH * error / size;
        (scale.is_finite() && scale != 0.0)
            .then(|| State { motion: motion * scale, head: head * (scale * flow.head_rate().sqrt()) })
    }
}

/// The flow as it is, if the pushed ones agree with it to the digits that an answer needs; the errors of its moments
/// are how far apart they are.
pub(super) fn seen(
    flow: &Flow,
    rtol: f64,
    run: impl Fn(Jitter) -> Result<Solution, FlowError>,
) -> Result<Option<Solution>, FlowError> {
    let mut plain = run(Jitter::Still)?;
    if !plain.end.stop.is_success() {
        return Ok(None);
    }
    let mut others = Vec::new();
    for jitter in [Jitter::Forth, Jitter::Back] {
        let other = run(jitter)?;
        if other.end.stop != plain.end.stop || other.points.len() != plain.points.len() {
            return Ok(None);
        }
        plain.work += other.work;
        others.push(other);
    }
    let gap = |here: &Moment, pick: &dyn Fn(&Solution) -> Moment| {
        others.iter().map(|other| apart(flow, here, &pick(other))).fold(0.0, f64::max)
    };
    let lost = LOST.max(1e4 * rtol);
    let end = gap(&plain.end, &|other| other.end.clone());
    let drift = flow.reduction().conservation_drift(flow.start(), &plain.end.state, flow.head_rate());
    if end.is_nan() || end > lost || drift.is_some_and(|drift| drift > DRIFT) {
        return Ok(None);
    }
    let points: Vec<f64> = (0..plain.points.len())
        .map(|i| gap(&plain.points[i], &|other| other.points[i].clone()))
        .collect();
    for (moment, error) in plain.points.iter_mut().zip(points).chain([(&mut plain.end, end)]) {
        let error = error.max(LOCAL_ERROR * rtol);
        moment.error = Some(error);
        if error.is_nan() || error > lost {
            moment.stop = Stop::Rounding { error };
        }
    }
    Ok(Some(plain))
}

/// Drift of the conserved matrix (T2) from which on a solution is rejected.
const DRIFT: f64 = 1e-9;

/// How far two moments are apart, relative to the motion and to the features.
fn apart(flow: &Flow, a: &Moment, b: &Moment) -> f64 {
    let reduction = flow.reduction();
    let part = flow.head_rate().sqrt().recip();
    let size = |motion: &DMatrix<f64>, head: &DMatrix<f64>| motion.norm().hypot(head.norm() * part);
    let start = &flow.start().head;
    let gap = size(&(&a.state.motion - &b.state.motion), &(&a.state.head - &b.state.head));
    let moved = size(&a.state.motion, &(&a.state.head - start));
    let (z, other) = (reduction.features_at(&a.state), reduction.features_at(&b.state));
    let shown = (&z - other).norm();
    let ratio = |gap: f64, size: f64| if gap == 0.0 { 0.0 } else { gap / size };
    ratio(gap, moved).max(ratio(shown, z.norm())).max(ratio(shown, (&z - reduction.features()).norm()))
}
