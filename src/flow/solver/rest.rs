//! The limit of a flow near a state that rests with a residual: Newton's method with the whole Jacobian.
//!
//! Where a residual stays, rates near the limit are not those of the tangent kernel. In the coordinates x = (D, V/√γ)
//! the flow is the steepest descent of the loss and H = −J is symmetric ([`super::stability`]), so that from a state
//! with the velocity g the limit is H⁺g away, up to the square of that distance. It is taken where nothing grows and
//! where that square is below the tolerance, and with it the part that stationary states say nothing of: how far the
//! way to them bends along the turns below. Decay by a power of time does not pass, since there Newton's method is
//! slow, too.
//!
//! *Zeros.* An eigenvalue of H that is zero to rounding may be that of a slow motion. Under the squared loss none is
//! accepted, so that the limit is a matter of all directions; under cross-entropy motions that have died out leave
//! many.
//!
//! *Turns.* The loss does not change under (B, V) → (B(1 + S), (1 − S)V), so that the velocity has no part along these
//! directions, and H is zero there only at rest. They are taken out of H.

use nalgebra::{DMatrix, DVector};

use super::limit::{Jump, head_size};
use super::stability::Jacobian;
use super::stages::Stages;
use crate::flow::tangent::FINEST;
use crate::flow::{Budget, Flow};
use crate::linalg::{DecompositionError, Eigen, Svd};
use crate::reduction::State;

/// The most unknowns (n + k)p whose Jacobian is decomposed as it is.
const UNKNOWNS: usize = 240;

/// Eigenvalues of H below this share of the largest are zero to rounding.
const NULL: f64 = 1e-13;

/// Share of the largest eigenvalue that the motion that is left may blur, for a look to be worth its cost.
const BLUR: f64 = 1e-3;

/// The least share of the largest eigenvalue that a slow one must have: none may hide among those that are zero.
const SLOWEST: f64 = 1e-6;

/// The same where none is zero.
const SLOWEST_OF_ALL: f64 = 1e-10;

/// The largest relative error that rounding may leave where none is zero.
const ROUNDED: f64 = 1e-6;

/// Share of the slowest eigenvalue that the motion that is left may blur at the limit.
const CLEAR: f64 = 1e-2;

/// Steps of Newton's method; each squares the error.
const STEPS: usize = 5;

/// How well a velocity is known, in units of the rounding of targets and predictions.
const ROUNDINGS: f64 = 16.0;

/// Times the slowest rate after which nothing is left to the last digit.
const OVER: f64 = 40.0;

/// Whether a flow is so small, and seems by its velocity so near to rest, that a look is worth its cost: the motion
/// that is left if all of it decays at the mean rate of the velocity is an estimate, from below, of what is left.
pub(super) fn is_near(flow: &Flow, stages: &Stages, rtol: f64) -> bool {
    let reduction = flow.reduction();
    let lambda = reduction.lambda();
    let faint = SLOWEST * lambda.amax();
    if (reduction.rows() + reduction.outputs()) * reduction.width() > UNKNOWNS
        || lambda.iter().any(|&l| l > 0.0 && l < faint)
    {
        return false;
    }
    let jacobian = Jacobian::at(flow, &stages.features, &stages.head, &stages.residual);
    let state = stages.state();
    let velocity = jacobian.velocity(&state, &stages.residual);
    let speed = velocity.norm();
    let rate = -velocity.dot(&jacobian.times(&velocity)) / (speed * speed);
    speed == 0.0
        || rate > 0.0 && speed / rate <= (0.1 * rtol).sqrt() * size(flow, &state, stages.turn.norm())[2]
}

/// Sizes of motion, head and both in the norm of (D, V/√γ), of which errors are measured.
fn size(flow: &Flow, state: &State, turn: f64) -> [f64; 3] {
    let (motion, rate) = (state.motion.norm(), flow.head_rate());
    let head = head_size(flow, state.head.norm(), turn, motion);
    [motion, head, motion.hypot(if rate > 0.0 { head / rate.sqrt() } else { 0.0 })]
}

/// The limit, if it can be determined from here with a relative error of at most `rtol`, and if what decays most slowly
/// is over within a time `left`. `budget` is the one reached.
pub(super) fn at_rest(
    flow: &Flow,
    stages: &Stages,
    budget: Budget,
    rtol: f64,
    left: f64,
) -> Result<Option<Jump>, DecompositionError> {
    let reduction = flow.reduction();
    let (mut state, mut residual) = (stages.state(), stages.residual.clone());
    let mut change = State { motion: &state.motion * 0.0, head: &state.head * 0.0 };
    let (mut spent, mut pull) = (None, None);
    for _ in 0..STEPS {
        let (z, v, r) = (reduction.features_at(&state), state.head.clone(), residual.clone());
        let jacobian = Jacobian::at(flow, &z, &v, &r);
        let velocity = jacobian.velocity(&state, &residual);
        let Eigen { q, d } = Eigen::new(&without_turns(flow, &jacobian, &state)?)?;
        let largest = d.as_slice().first().copied().unwrap_or(0.0);
        let [moved, head, whole] = size(flow, &state, (&stages.turn + &change.head).norm());
        // The motion that is left blurs the eigenvalues.
        let blur = 10.0 * velocity.norm() / whole;
        let null = NULL * largest + blur;
        if blur.is_nan() || blur > BLUR * largest || d.iter().any(|&h| h < -null) {
            return Ok(None);
        }
        let all = reduction.samples().is_none();
        if all && d.iter().any(|&h| h <= null) {
            return Ok(None);
        }
        let slowest = d.iter().copied().filter(|&h| h > null).fold(f64::INFINITY, f64::min);
        let modes = q.tr_mul(&velocity);
        let decays = |i: usize| if d[i] > null { modes[i] / d[i] } else { 0.0 };
        let step = DVector::from_fn(d.len(), |i, _| decays(i));
        let more = jacobian.state_of(&(&q * &step));
        flow.shift(&mut state, &mut residual, 1.0, &more);
        change.add(1.0, &more);
        spent.get_or_insert_with(|| shares(&q, &d, &step, change.motion.len()));
        let within =
            |[motion, turned]: [f64; 2], share: f64| motion <= share * moved && turned <= share * head;
        let both = |change: &State| [change.motion.norm(), change.head.norm()];
        let [motion, turned] = both(&change);
        // What the residual that decays on the way, in all, does to the part of the state that has moved meanwhile.
        let pull = *pull.get_or_insert_with(|| {
            let rest = DVector::from_fn(d.len(), |i, _| if d[i] > null { step[i] / d[i] } else { 0.0 });
            let decaying = jacobian.predictions_moved(&jacobian.state_of(&(&q * rest)));
            decaying.norm() * reduction.lambda().amax().sqrt()
        });
        if !within([motion, turned], (0.1 * rtol).sqrt())
            || !within([pull * turned, pull * motion * flow.head_rate()], 0.1 * rtol)
        {
            return Ok(None);
        }
        let formed = reduction.targets().norm() + z.norm() * state.head.norm();
        let noise = ROUNDINGS * f64::EPSILON * formed * largest.sqrt();
        if within(both(&more), 0.01 * rtol) || step.norm() <= noise / slowest {
            // What does not decay must not move, what decays must do so far above rounding, and rounding must not
            // matter.
            let stays = modes.iter().zip(d.iter()).filter(|(_, h)| **h <= null);
            let drift = stays.fold(0.0f64, |sum, (g, _)| sum.hypot(*g));
            let allowed = 0.1 * rtol * whole * slowest;
            let known = if all {
                slowest >= SLOWEST_OF_ALL * largest
                    && blur <= CLEAR * slowest
                    && noise <= ROUNDED * whole * slowest
            } else {
                let clear = blur <= NULL * largest && slowest >= SLOWEST * largest;
                clear && drift <= allowed && noise <= allowed
            };
            let found = slowest.is_finite() && known && slowest * left >= OVER;
            return Ok(found.then(|| {
                let [backbone, turned] = spent.unwrap_or_default();
                let budget = Budget { backbone: budget.backbone + backbone, head: budget.head + turned };
                Jump { change, residual, budget, error: noise / slowest }
            }));
        }
    }
    Ok(None)
}

/// H, with the turns and with all that never moves taken out: they get its size as an eigenvalue.
fn without_turns(
    flow: &Flow,
    jacobian: &Jacobian,
    state: &State,
) -> Result<DMatrix<f64>, DecompositionError> {
    let mut h = -jacobian.whole();
    let size = h.norm() / (h.nrows() as f64).sqrt();
    let (reduction, (n, p)) = (flow.reduction(), state.motion.shape());
    for i in 0..h.nrows() {
        let moves = if i < n * p { reduction.lambda()[i % n] > 0.0 } else { flow.head_rate() > 0.0 };
        h[(i, i)] += if moves { 0.0 } else { size };
    }
    let turns = turns(flow, state)?;
    if turns.ncols() == 0 {
        return Ok(h);
    }
    let image = &h * &turns;
    let inner = turns.tr_mul(&image);
    let across = &turns * image.transpose();
    Ok(&h - &across - across.transpose()
        + &turns * (inner + DMatrix::identity(turns.ncols(), turns.ncols()) * size) * turns.transpose())
}

/// An orthonormal basis of the directions (BS, −SV/√γ). A feature that never moves lets the head turn only where it
/// does not read.
fn turns(flow: &Flow, state: &State) -> Result<DMatrix<f64>, DecompositionError> {
    let (reduction, rate) = (flow.reduction(), flow.head_rate());
    let ((n, p), k) = (reduction.features().shape(), state.head.ncols());
    let m = (n + k) * p;
    if rate == 0.0 {
        return Ok(DMatrix::zeros(m, 0));
    }
    let fixed: Vec<usize> = (0..n).filter(|&i| reduction.lambda()[i] == 0.0).collect();
    let free = if fixed.is_empty() {
        DMatrix::identity(p, p)
    } else {
        unread(&reduction.features().select_rows(&fixed))?
    };
    let b = reduction.backbone() + &state.motion;
    let columns = (0..free.ncols()).flat_map(|i| (0..p).map(move |j| (i, j)));
    let all: Vec<DVector<f64>> =
        columns
            .map(|(i, j)| {
                // S = f_i e_jᵀ: B S has B f_i as its column j, and S V has rows f_i times row j of V.
                let (bf, vj) = (&b * free.column(i), state.head.row(j));
                let motion = DMatrix::from_fn(n, p, |r, c| {
                    if c == j && reduction.lambda()[r] > 0.0 { bf[r] } else { 0.0 }
                });
                let head = free.column(i) * vj * -rate.sqrt().recip();
                DVector::from_iterator(m, motion.iter().chain(head.iter()).copied())
            })
            .collect();
    if all.is_empty() {
        return Ok(DMatrix::zeros(m, 0));
    }
    let svd = Svd::new(&DMatrix::from_columns(&all))?;
    let count = svd.s.iter().take_while(|&&s| s > 1e-9 * svd.s[0]).count();
    Ok(svd.u.columns(0, count).into_owned())
}

/// An orthonormal basis of what no row reads. Of rows that are nearly parallel the head reads the difference, slowly:
/// only what is rounding in them is not read.
fn unread(rows: &DMatrix<f64>) -> Result<DMatrix<f64>, DecompositionError> {
    let p = rows.ncols();
    // As many rows as columns, so that the basis is whole.
    let svd = Svd::new(&rows.clone().resize_vertically(rows.nrows().max(p), 0.0))?;
    let read = svd.s.iter().take_while(|&&s| s > FINEST * svd.s[0]).count();
    Ok(svd.w.columns(read, p - read).into_owned())
}

/// ∫‖Ḋ‖² and ∫‖V̇‖²/γ along Σ c_i q_i (1 − e^{−h_i t}), where the first `motion` coordinates are those of D.
fn shares(q: &DMatrix<f64>, h: &DVector<f64>, c: &DVector<f64>, motion: usize) -> [f64; 2] {
    let m = h.len();
    [(0, motion), (motion, m - motion)].map(|(first, count)| {
        let part = q.rows(first, count);
        let gram = part.tr_mul(&part);
        let pairs = (0..m).flat_map(|i| (0..m).map(move |j| (i, j)));
        let decays = pairs.filter(|&(i, j)| c[i] != 0.0 && c[j] != 0.0);
        decays.map(|(i, j)| gram[(i, j)] * c[i] * c[j] * h[i] * h[j] / (h[i] + h[j])).sum()
    })
}

#[cfg(test)]
mod tests {
    use nalgebra::dmatrix;

    use super::*;
    use crate::flow::solver::collocation::Collocation;
    use crate::flow::solver::{Options, solve};
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    fn times() -> impl Iterator<Item = f64> {
        (2..80).map(|i| 0.25 * f64::from(i))
    }

    /// What the flow at a time finds, what is left from there by the solver: change and budget. One feature for two
    /// outputs, so that a residual stays.
    fn from(time: f64, rtol: f64) -> (Option<Jump>, State, Budget, State) {
        let problem = Problem::new(
            dmatrix![0.8; -0.3],
            dmatrix![1.2, 0.2; 0.2, 0.7],
            dmatrix![1.5, 0.2; 0.1, 0.4],
        );
        let (problem, head) = (problem.unwrap(), dmatrix![0.9, -0.2]);
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 1.4).unwrap();
        let options = Options { rtol: 1e-11, ..Options::default() };
        let [here, end] = [time, f64::INFINITY].map(|t| solve(&flow, t, &options).unwrap().end);
        let less =
            |a: &State, b: &State| State { motion: &a.motion - &b.motion, head: &a.head - &b.head };
        let method = Collocation::radau(3);
        let mut stages = Stages::new(&flow, &method);
        stages.jump(&less(&here.state, flow.start()), here.residual.clone());
        let jump = at_rest(&flow, &stages, Budget::default(), rtol, f64::INFINITY).unwrap();
        let (before, all) = (here.budget.unwrap(), end.budget.unwrap());
        let spent = Budget { backbone: all.backbone - before.backbone, head: all.head - before.head };
        (jump, less(&end.state, &here.state), spent, here.state)
    }

    #[test]
    fn a_jump_spends_what_the_flow_would() {
        let jumps = |(jump, left, spent, _)| Option::map(jump, |jump: Jump| (jump, left, spent));
        let (jump, left, spent) = times().find_map(|time| jumps(from(time, 1e-3))).expect("near rest");
        let ratios = [jump.budget.backbone / spent.backbone, jump.budget.head / spent.head]
            .map(|r| (r - 1.0).abs());
        assert!(ratios.iter().all(|&off| off < 1e-2), "{ratios:?}");
        assert!((spent.backbone / spent.head).ln().abs() > 0.1, "{spent:?} does not tell them apart");
        assert!((jump.change.motion - &left.motion).norm() < 1e-2 * left.motion.norm());
    }

    /// A change is taken as small only up to the root of a tenth of the tolerance.
    #[test]
    fn what_is_further_from_rest_does_not_jump() {
        let (rtol, mut far, mut near) = (1e-8, 0, 0);
        for time in times() {
            let (jump, left, _, here) = from(time, rtol);
            let share = left.motion.norm() / here.motion.norm();
            let allowed = (0.1 * rtol).sqrt();
            if share > 1.5 * allowed {
                assert!(jump.is_none(), "at {time}, {share:e} away");
                far += usize::from(share < 30.0 * allowed);
            }
            near += usize::from(jump.is_some());
        }
        assert!(far > 2 && near > 2, "{far} {near}");
    }
}
