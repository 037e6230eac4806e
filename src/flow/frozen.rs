//! Frozen head in closed form (T15): γ = 0, only the backbone moves.
//!
//! With V₀ = U diag(s) Wᵀ and the eigenvalues λ of the kernel (diagonal in reduced coordinates) every mode (i, j)
//! moves by itself,
//!
//! $$D(t) = \big[(R_0 W) \circ \psi(\sqrt{\lambda_i} s_j, t)\big]U^\top,\qquad
//!   \psi(c, t) = (1 - e^{-c^2 t})/c .$$
//!
//! In rank one the limit is z_T = z₀ + (y − a)/|v₀|² v₀: the distance is linear in the energy.
//!
//! *Slow modes.* A mode with a small c takes a time of 1/c² and then moves by r/c: the smaller s, the farther. So
//! every singular value of the head counts that its numbers determine (`Graded`); those of a head that was
//! computed, by probing or in a reduced basis, are known to the rounding of the largest only. What that leaves open
//! is in [`Moment::error`], and where it is the answer itself the moment ends with [`Stop::Rounding`].

use nalgebra::{DMatrix, DVector};

use super::{Budget, ClosedForm, Flow, FlowError, LOST, Moment, SolvedBy, Stop, Violation, check_time};
use crate::graded::Graded;
use crate::linalg::{Svd, null_threshold};
use crate::reduction::State;

/// The flow with a frozen head.
#[derive(Debug, Clone)]
pub struct FrozenHead {
    head: DMatrix<f64>,
    features: DMatrix<f64>,
    sqrt_lambda: DVector<f64>,
    /// The part of the outputs that the head reads: U, p×r, s and W, k×r.
    inputs: DMatrix<f64>,
    gains: Vec<f64>,
    outputs: DMatrix<f64>,
    /// The relative error of each s; at least 1 for one that is zero to the rounding of the head.
    doubt: Vec<f64>,
    /// R₀W, n×r, what rounding may be of each entry, and the part of R₀ that the head does not read, n×k.
    residual: DMatrix<f64>,
    noise: f64,
    unread: DMatrix<f64>,
}

/// Ratio of the singular values of a head from which on the ordinary decomposition keeps their digits.
const ORDINARY: f64 = 1e-4;

impl FrozenHead {
    /// The frozen-head flow of a flow with γ = 0.
    pub fn of_flow(flow: &Flow) -> Result<Self, FlowError> {
        let form = "the frozen-head closed form (T15)";
        super::needs_squared_loss(flow, form)?;
        Violation::unless(form, "a frozen head (head rate 0)", "the head rate", flow.head_rate(), 0.0)?;
        let head = flow.start().head.clone();
        let all = flow.residual();
        let velocity = flow.velocity_by(flow.start(), all).motion;
        let Reading { inputs, gains, outputs, doubt } = if velocity.iter().all(|&x| x == 0.0) {
            Reading::nothing(&head)
        } else {
            Reading::of(&head, flow.head_rounding())?
        };
        let residual = all * &outputs;
        let unread =
            if gains.len() == all.ncols() { all * 0.0 } else { all - &residual * outputs.transpose() };
        Ok(Self {
            noise: if gains.is_empty() { 0.0 } else { 4.0 * f64::EPSILON * all.norm() },
            residual,
            unread,
            features: flow.reduction().features().clone(),
            sqrt_lambda: flow.reduction().lambda().map(f64::sqrt),
            head,
            inputs,
            gains,
            outputs,
            doubt,
        })
    }

    /// The modes (i, j) that could move, each with its √λ s.
    fn modes(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        let pairs = (0..self.gains.len()).flat_map(|j| (0..self.sqrt_lambda.len()).map(move |i| (i, j)));
        pairs.map(|(i, j)| (i, j, self.sqrt_lambda[i] * self.gains[j])).filter(|mode| mode.2 > 0.0)
    }

    /// An estimate of the relative error of a motion at time t: of the motion itself, and of the features that it
    /// makes. A method that forms VᵀV in its steps rounds by `squared` of its largest eigenvalue, relative.
    pub(crate) fn relative_error(&self, t: f64, motion: &DMatrix<f64>, squared: f64) -> f64 {
        let largest = self.gains.first().copied().unwrap_or(0.0);
        let (mut of_motion, mut of_features) = (0.0f64, 0.0f64);
        for (i, j, c) in self.modes() {
            let r = self.residual[(i, j)].abs();
            let lost = squared * (largest / self.gains[j]).powi(2);
            let noise = self.noise * (1.0 + lost / f64::EPSILON);
            let doubt = self.doubt[j].max(lost);
            let wrong = if self.doubt[j] >= 1.0 && r <= self.noise {
                // Zero to rounding and read by nothing but rounding: it stays.
                0.0
            } else if doubt < 0.1 {
                // ψ changes by at most itself when c does.
                (noise + r * doubt) * psi(c, t)
            } else {
                let highest = (1.0 + self.doubt[j]).max((1.0 + 2.0 * lost).sqrt());
                (self.noise + r) * most(c * highest, t)
            };
            of_motion = of_motion.hypot(wrong);
            of_features = of_features.hypot(wrong * self.sqrt_lambda[i]);
        }
        let mut moved = motion.clone();
        for (mut row, &l) in moved.row_iter_mut().zip(self.sqrt_lambda.iter()) {
            row *= l;
        }
        let fastest = self.sqrt_lambda.amax();
        let features = (&self.features + &moved).norm().hypot(moved.norm());
        let backbone = motion.norm().hypot(if fastest > 0.0 { features / fastest } else { 0.0 });
        let ratio = |error: f64, size: f64| if error == 0.0 { 0.0 } else { error / size };
        ratio(of_motion, backbone).max(ratio(of_features, features))
    }

    /// The modes that do: a singular value that is zero to the rounding of the head is taken for zero.
    fn moving(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        self.modes().filter(|&(_, j, _)| self.doubt[j] < 1.0)
    }

    fn budget(&self, t: f64) -> Budget {
        let backbone = self.moving().map(|(i, j, c)| {
            let r = self.residual[(i, j)];
            -r * r * (-2.0 * (c * (c * t))).exp_m1() / 2.0
        });
        Budget { backbone: backbone.sum(), head: 0.0 }
    }
}

impl ClosedForm for FrozenHead {
    fn solved_by(&self) -> SolvedBy {
        SolvedBy::FrozenHead
    }

    fn moment(&self, t: f64) -> Result<Moment, FlowError> {
        check_time(t)?;
        // Rows that cannot move (λ = 0) have ψ = 0.
        let mut motions = self.residual.clone() * 0.0;
        let mut left = self.residual.clone();
        for (i, j, c) in self.moving() {
            motions[(i, j)] = self.residual[(i, j)] * psi(c, t);
            left[(i, j)] *= (-(c * (c * t))).exp();
        }
        let motion = motions * self.inputs.transpose();
        let error = self.relative_error(t, &motion, 0.0);
        let residual = left * self.outputs.transpose() + &self.unread;
        let stop = if error > LOST { Stop::Rounding { error } } else { Stop::Exact };
        let state = State { motion, head: self.head.clone() };
        let budget = Some(self.budget(t));
        Ok(Moment { time: t, state, residual, budget, error: Some(error.max(f64::EPSILON)), stop })
    }
}

/// (1 − e^{−c²t})/c for c ≥ 0 and t in [0, ∞]: how far a mode moves for each unit of residual.
fn psi(c: f64, t: f64) -> f64 {
    let x = c * (c * t);
    if c == 0.0 {
        0.0
    } else if x < f64::EPSILON {
        c * t
    } else {
        -(-x).exp_m1() / c
    }
}

/// The largest ψ(x, t) for 0 ≤ x ≤ c; it peaks at x√t = 1.1209.
fn most(c: f64, t: f64) -> f64 {
    let peak = 1.120_906_4 / t.sqrt();
    if c <= peak { psi(c, t) } else { psi(peak, t).max(0.638_17 * t.sqrt()) }
}

/// What a head reads of the outputs, and where it writes it.
struct Reading {
    inputs: DMatrix<f64>,
    gains: Vec<f64>,
    outputs: DMatrix<f64>,
    doubt: Vec<f64>,
}

impl Reading {
    fn nothing(head: &DMatrix<f64>) -> Self {
        Self {
            inputs: DMatrix::zeros(head.nrows(), 0),
            gains: Vec::new(),
            outputs: DMatrix::zeros(head.ncols(), 0),
            doubt: Vec::new(),
        }
    }

    /// Of a head (p×k) that is known to a relative `rounding`.
    fn of(head: &DMatrix<f64>, rounding: f64) -> Result<Self, FlowError> {
        let svd = Svd::new(head)?;
        let largest = svd.s.as_slice().first().copied().unwrap_or(0.0);
        let smallest = svd.s.as_slice().last().copied().unwrap_or(0.0);
        let zero = largest * null_threshold(head.nrows().max(head.ncols()));
        let known = |s: f64, doubt: f64| {
            if rounding > 0.0 && s <= zero { zero / s } else { doubt.max(rounding * largest / s) }
        };
        if smallest > ORDINARY * largest {
            let doubt = svd.s.iter().map(|&s| known(s, f64::EPSILON * largest / s)).collect();
            return Ok(Self { inputs: svd.u, gains: svd.s.as_slice().to_vec(), outputs: svd.w, doubt });
        }
        let Graded { u, s, w, doubt } = Graded::new(head)?;
        let doubt = s.iter().zip(doubt).map(|(&s, doubt)| known(s, doubt)).collect();
        Ok(Self { inputs: u, gains: s, outputs: w, doubt })
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

    /// A given head is known to all its digits: a singular value of 1e-17 beside 1 is slow, and no rounding of 0.
    #[test]
    fn a_tiny_singular_value_of_a_given_head_is_slow() {
        let problem = Problem::new(dmatrix![1.0, 0.0], dmatrix![1.0], dmatrix![2.0, 3.0]).unwrap();
        let head = dmatrix![1.0, 0.0; 0.0, 1e-17];
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 0.0).unwrap();
        let form = FrozenHead::of_flow(&flow).unwrap();
        // The slow mode has come a part of its way, to 1 − 1/e.
        let Moment { state, stop, error, .. } = form.moment(1e34).unwrap();
        assert!(stop == Stop::Exact && error.unwrap() < 1e-12, "{stop:?} {error:?}");
        let moved = 3e17 * -(-1f64).exp_m1();
        assert!((reduction.features_at(&state)[(0, 1)] / moved - 1.0).abs() < 1e-12, "{state:?}");
        // Of a head that was computed it is rounding.
        let computed = flow.computed(0.0);
        let stop = FrozenHead::of_flow(&computed).unwrap().moment(1e34).unwrap().stop;
        assert!(matches!(stop, Stop::Rounding { .. }), "{stop:?}");
    }

    #[test]
    fn a_moving_head_is_refused() {
        let problem = Problem::new(dmatrix![1.0], dmatrix![1.0], dmatrix![1.0]).unwrap();
        let reduction = Reduction::new(&problem, &dmatrix![1.0]).unwrap();
        let flow = Flow::new(&reduction, &dmatrix![1.0], 0.5).unwrap();
        let message = FrozenHead::of_flow(&flow).unwrap_err().to_string();
        assert_eq!(
            message,
            "the frozen-head closed form (T15) needs a frozen head (head rate 0); here the head rate is 0.5 (accepted: 0)"
        );
    }
}
