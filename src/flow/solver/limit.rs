//! The limit of a flow by one jump, where the frozen tangent kernel gives it within the tolerance.

use nalgebra::DMatrix;

use super::stability::{Fastest, growth_bound};
use super::stages::Stages;
use crate::flow::tangent::{FINEST, Tangent};
use crate::flow::{Budget, Flow};
use crate::linalg::DecompositionError;
use crate::reduction::State;

/// How often a jump is corrected by what it leaves.
const REFINEMENTS: usize = 3;

/// The way from a state to the limit.
pub(super) struct Jump {
    /// What motion and head change by.
    pub change: State,
    /// R at the limit, n×k.
    pub residual: DMatrix<f64>,
    /// The loss spent until then.
    pub budget: Budget,
    /// What rounding leaves open, in the norm of (D, V/√γ).
    pub error: f64,
}

/// What a look at the limit says.
pub(super) enum Ending {
    /// The limit can be reached by one jump.
    Limit(Jump),
    /// Directions so slow that the rounding of the tangent kernel hides them are still on their way.
    Slow,
    /// It cannot be determined from here.
    Far,
}

/// The limit of the flow, if it can be determined from here with a relative error of at most `rtol`. `time` and
/// `budget` are those reached.
///
/// What is left by the frozen tangent kernel, S = Θ⁺R, moves motion and head by (δD, δV). On the way
/// the kernel changes by the order of (δD, δV), the residual that it misses is δZ δV, and a part R₀ of
/// the residual that cannot be fitted pushes with (Λ^{1/2}R₀δVᵀ, γδZᵀR₀) for as long as S takes to build up. If
/// all these effects are below a tenth of the tolerance the limit is one jump away. If R₀ alone is too
/// large, rates near the limit are not those of Θ: then the flow must have come to rest by itself.
pub(super) fn limit(
    flow: &Flow,
    stages: &Stages,
    tangent: &Tangent,
    time: f64,
    budget: Budget,
    rtol: f64,
) -> Result<Ending, DecompositionError> {
    let reduction = flow.reduction();
    let now = stages.state();
    let (r, z) = (&stages.residual, &stages.features);
    let rounding = crate::linalg::null_threshold(r.nrows() + z.ncols()) * 10.0;
    // An output has the rounding of its own targets and predictions, of those that it began with, too.
    let predicted = |z: &DMatrix<f64>, v: &DMatrix<f64>, c: usize| z.norm() * v.column(c).norm();
    let visible = |u: &DMatrix<f64>| {
        u.column_iter().zip(reduction.targets().column_iter()).enumerate().any(|(c, (u, y))| {
            let before = predicted(reduction.features(), &flow.start().head, c);
            u.norm() > rounding * (y.norm() + predicted(z, &now.head, c).max(before))
        })
    };
    // What seems to be out of reach may be slow: a closer look tells.
    let closer = if visible(&tangent.unreachable(r)) { Some(tangent.refined(flow)?) } else { None };
    let tangent = closer.as_ref().unwrap_or(tangent);
    let not_yet = if closer.is_some() { Ending::Slow } else { Ending::Far };
    let s = tangent.remaining(r);
    let unreachable = tangent.unreachable(r);
    let stuck = tangent.push(&unreachable);
    // The most that a residual of this size moves (D, V/√γ).
    let size = r.norm() * tangent.largest().sqrt();
    let speed = |change: &State| {
        let head = change.head.norm();
        change.motion.norm().hypot(if head > 0.0 { head / flow.head_rate().sqrt() } else { 0.0 })
    };
    let still = if closer.is_some() { 4.0 * FINEST } else { rounding };
    // The pull on the head is known as well as the features, however large the head is, and rows that never move as
    // well as at the start.
    let fixed = |moves: bool| {
        let rows = r.row_iter().zip(reduction.lambda()).filter(move |(_, l)| (**l > 0.0) == moves);
        rows.map(|(row, _)| row.norm_squared()).sum::<f64>().sqrt()
    };
    let known = (fixed(true) * z.norm()).hypot(fixed(false) * reduction.features().norm());
    let pulls = flow.head_rate() * known;
    if speed(&stuck) > still * size
        || stuck.head.norm() > FINEST * (r.nrows() + z.ncols()) as f64 * pulls
    {
        return Ok(not_yet);
    }
    // A row whose eigenvalue is near the rounding of the kernel is neither out of reach nor known well enough.
    let fastest_row = reduction.lambda().amax();
    let faint = |l: f64| l > 0.0 && l <= fastest_row * (rounding * rounding);
    let mut faint_part = unreachable.clone();
    for (mut row, &l) in faint_part.row_iter_mut().zip(reduction.lambda()) {
        row *= if faint(l) { 1.0 } else { 0.0 };
    }
    if closer.is_some() && visible(&faint_part) {
        return Ok(Ending::Slow);
    }
    // The decomposition has its rounding, which slow directions multiply: what it leaves is reached once more.
    let mut s = s;
    let reached = |s: &DMatrix<f64>| {
        let change = tangent.push(s);
        let (mut state, mut residual) = (now.clone(), r.clone());
        flow.shift(&mut state, &mut residual, 1.0, &change);
        let mut moved = change.motion.clone();
        for (i, mut row) in moved.row_iter_mut().enumerate() {
            row *= reduction.lambda()[i].sqrt();
        }
        let surprise = &residual - &unreachable + &moved * &change.head;
        (change, state, residual, moved, surprise)
    };
    let (mut change, mut state, mut residual, mut moved, mut surprise) = reached(&s);
    for _ in 0..REFINEMENTS {
        let more = tangent.remaining(&surprise);
        let push = tangent.push(&more);
        let slight = push.motion.norm() <= 0.01 * rtol * state.motion.norm()
            && push.head.norm() <= 0.01 * rtol * state.head.norm();
        let better = reached(&(&s + more));
        if slight || better.4.norm() > 0.5 * surprise.norm() {
            break;
        }
        s += tangent.remaining(&surprise);
        (change, state, residual, moved, surprise) = better;
    }
    let missed = tangent.push(&tangent.remaining(&(&moved * &change.head)));
    let fastest = reduction.lambda().iter().fold(0.0, |a, &b| f64::max(a, b)).sqrt();
    let turn = (&stages.turn + &change.head).norm();
    let head_size = head_size(flow, state.head.norm(), turn, state.motion.norm());
    let within = |motion: f64, head: f64| {
        let allowed = 0.1 * rtol;
        motion <= allowed * state.motion.norm() && head <= allowed * head_size
    };
    let (turned, shifted) = (change.head.norm(), flow.head_rate() * moved.norm());
    let small = within(
        missed.motion.norm() + fastest * s.norm() * turned,
        missed.head.norm() + shifted * s.norm(),
    );
    let reachable = (r - &unreachable).norm();
    let duration = if reachable > 0.0 { s.norm() / reachable } else { 0.0 };
    let pull = duration * unreachable.norm();
    let fitted = within(fastest * pull * turned, shifted * pull);
    // After the jump, which takes away what the error of the steps left in fast directions.
    let left = flow.velocity_by(&state, &residual);
    let (moving, turning) = (left.motion.norm(), left.head.norm());
    let at_rest = within(time * moving, time * turning) || speed(&left) <= rounding * size;
    if !small || !(fitted || at_rest) {
        return Ok(not_yet);
    }
    // What is left must be what was out of reach, but for the product of the motions; else the tangent kernel was not
    // what its decomposition says.
    if visible(&(&surprise / 10.0)) {
        return Ok(Ending::Slow);
    }
    // A residual that stays may hold the state at a saddle.
    let bound = growth_bound(flow, &residual);
    if closer.is_some() && bound > rounding * tangent.largest() {
        let fastest = Fastest::at(flow, &reduction.features_at(&state), &state.head, &residual).rate;
        if fastest > 1e-3 * bound + rounding * tangent.largest() {
            return Ok(not_yet);
        }
    }
    let gone = (r.norm_squared() - residual.norm_squared()) / 2.0;
    let backbone = tangent.backbone_share(r).clamp(0.0, gone.max(0.0));
    let budget = Budget {
        backbone: budget.backbone + backbone,
        head: budget.head + if flow.head_rate() > 0.0 { gone - backbone } else { 0.0 },
    };
    Ok(Ending::Limit(Jump { change, residual, budget, error: 0.0 }))
}

/// The size of the head counts for at most this many times its motion.
const MOTION: f64 = 100.0;

/// The size in units of which errors of a head of norm `size` are measured: its own, unless far less moves. A part of
/// the head that is large and stays would hide the others. `turn` and `moved` are the motions of head and backbone
/// since the start.
pub(super) fn head_size(flow: &Flow, size: f64, turn: f64, moved: f64) -> f64 {
    size.min(MOTION * turn.max(flow.head_rate().sqrt() * moved))
}
