//! A network whose features are linear in the weights of its backbone: Ż = 𝐊(R Vᵀ), V̇ = γ ZᵀR (T26).

use nalgebra::DMatrix;
use taskhead::loss::Loss;

use super::kernel::Kernel;
use crate::error::ReplayError;
use crate::train::Batches;

/// Everything that it learns from.
pub(super) struct Learner<'a> {
    pub kernel: &'a Kernel,
    /// Z₀, N×h.
    pub features: &'a DMatrix<f64>,
    /// Y, N×k.
    pub targets: &'a DMatrix<f64>,
    pub loss: Loss,
    /// γ
    pub head_rate: f64,
}

/// Where it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    /// Z − Z₀, N×h.
    pub moved: DMatrix<f64>,
    /// V, h×k.
    pub head: DMatrix<f64>,
}

impl State {
    /// Of features that have not moved yet.
    pub fn start(samples: usize, head: DMatrix<f64>) -> Self {
        Self { moved: DMatrix::zeros(samples, head.nrows()), head }
    }

    /// y ← keep · y + by · x.
    fn add(&mut self, keep: f64, by: f64, other: &Self) {
        let pairs = [(&mut self.moved, &other.moved), (&mut self.head, &other.head)];
        for (y, x) in pairs {
            y.zip_apply(x, |y, x| *y = keep * *y + by * x);
        }
    }

    fn is_finite(&self) -> bool {
        self.moved.iter().chain(self.head.iter()).all(|v| v.is_finite())
    }
}

/// Size of a step of descent, its momentum, and which samples it sees.
pub(super) struct Descent {
    pub rate: f64,
    pub momentum: f64,
    pub batches: Batches,
}

impl Learner<'_> {
    /// R at a state, N×k.
    pub fn residual(&self, state: &State) -> DMatrix<f64> {
        self.loss.residual(self.targets, &((self.features + &state.moved) * &state.head))
    }

    /// The velocity of the flow by a residual.
    fn velocity(&self, state: &State, residual: &DMatrix<f64>) -> Result<State, ReplayError> {
        let moved = self.kernel.times(&(residual * state.head.transpose()))?;
        let head = (self.features + &state.moved).tr_mul(residual) * self.head_rate;
        Ok(State { moved, head })
    }

    /// The states at numbers of steps of gradient descent, ascending.
    ///
    /// # Errors
    ///
    /// A descent that diverges.
    pub fn descend(
        &self,
        start: &State,
        mut descent: Descent,
        steps: &[usize],
    ) -> Result<Vec<State>, ReplayError> {
        let mut state = start.clone();
        let (mut taken, mut velocity, mut all) = (0, None::<State>, Vec::new());
        for &steps in steps {
            while taken < steps {
                let mut residual = self.residual(&state);
                let mut seen = vec![false; residual.nrows()];
                let batch = descent.batches.next();
                batch.iter().for_each(|&n| seen[n as usize] = true);
                let size = batch.len() as f64;
                // The mean over the batch, which may be smaller than others.
                for (n, mut row) in residual.row_iter_mut().enumerate() {
                    row *= if seen[n] { 1.0 / size } else { 0.0 };
                }
                let down = self.velocity(&state, &residual)?;
                let velocity = match &mut velocity {
                    Some(velocity) => {
                        velocity.add(descent.momentum, 1.0, &down);
                        velocity
                    }
                    None => velocity.insert(down),
                };
                state.add(1.0, descent.rate, velocity);
                taken += 1;
            }
            if !state.is_finite() {
                return Err(ReplayError::Unfit(format!(
                    "the theory's gradient descent diverged within {steps} steps"
                )));
            }
            all.push(state.clone());
        }
        Ok(all)
    }

    /// The states at times of the flow, ascending.
    ///
    /// By the method of Dormand and Prince of order 5, with steps whose error in features and head is `rtol` of how far
    /// each has come.
    ///
    /// # Errors
    ///
    /// A flow that needs more than [`MOST`] steps or leaves the range of numbers.
    pub fn flow(&self, start: &State, times: &[f64], rtol: f64) -> Result<Vec<State>, ReplayError> {
        let slope = |state: &State| self.velocity(state, &self.residual(state));
        let mut state = start.clone();
        let mut first = slope(&state)?;
        let (mut now, mut steps, mut all) = (0.0, 0, Vec::new());
        let mut step = self.first_step(&state, &first);
        for &time in times {
            while now < time {
                let last = step >= time - now;
                let size = if last { time - now } else { step };
                let (mut slopes, mut next) = (vec![first.clone()], state.clone());
                for row in STAGES {
                    next.clone_from(&state);
                    row.iter().zip(&slopes).for_each(|(a, k)| next.add(1.0, size * a, k));
                    slopes.push(slope(&next)?);
                }
                let mut error = State::start(state.moved.nrows(), &state.head * 0.0);
                ERROR.iter().zip(&slopes).for_each(|(e, k)| error.add(1.0, size * e, k));
                let relative = |error: &DMatrix<f64>, size: f64| {
                    if size > 0.0 { error.norm() / size } else { 0.0 }
                };
                let error = f64::max(
                    relative(&error.moved, next.moved.norm()),
                    relative(&error.head, next.head.norm()),
                ) / rtol;
                steps += 1;
                if steps > MOST || !(size > 0.0 && first.is_finite()) {
                    return Err(ReplayError::Unfit(format!(
                        "the theory's flow cannot be followed beyond time {now} of {time} (after {steps} steps)"
                    )));
                }
                if error <= 1.0 {
                    (state, first) = (next, slopes.pop().expect("seven stages"));
                    now = if last { time } else { now + size };
                }
                // What is not finite is tried again with a tenth.
                let factor = 0.9 * error.powf(-0.2);
                let factor = if factor.is_nan() { 0.1 } else { factor.clamp(0.1, 5.0) };
                // A last step was as short as it had to be, not as it could.
                step = if last && error <= 1.0 { step.max(size * factor) } else { size * factor };
            }
            all.push(state.clone());
        }
        Ok(all)
    }

    /// A step in which the predictions move by a hundredth of the residual.
    fn first_step(&self, state: &State, velocity: &State) -> f64 {
        let of_features = &velocity.moved * &state.head;
        let speed = (of_features + (self.features + &state.moved) * &velocity.head).norm();
        if speed > 0.0 { self.residual(state).norm() / speed / 100.0 } else { f64::INFINITY }
    }
}

/// Steps of a flow at most.
const MOST: usize = 100_000;

/// The method of Dormand and Prince (1980), RK5(4)7M: what each stage takes of those before it. The last row is the
/// step.
const STAGES: [&[f64]; 6] = [
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
    &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];

/// The step less that of order 4.
const ERROR: [f64; 7] = [
    71.0 / 57600.0,
    0.0,
    -71.0 / 16695.0,
    71.0 / 1920.0,
    -17253.0 / 339200.0,
    22.0 / 525.0,
    -1.0 / 40.0,
];
