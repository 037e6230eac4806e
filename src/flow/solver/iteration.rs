//! The simplified Newton iteration for the residuals at the stages of a step, accelerated.

use super::acceleration::Acceleration;
use super::collocation::Collocation;
use super::newton;
use super::stages::{Stages, combine};
use crate::flow::tangent::Tangent;
use crate::product::{axpy, centre};

/// Share of the correction before that Newton's method makes at least smaller, unless what is left is rounding.
const STALLED: f64 = 0.1;

/// The most that rounding may leave open, in units of the allowed motion.
const MOST_OPEN: f64 = 1e5;

/// The residuals at the stages of a step, and the memory to find them.
#[derive(Debug, Clone)]
pub(super) struct Iteration<'a> {
    method: &'a Collocation,
    /// A block of stages ([`super::stages`]).
    pub residuals: Vec<f64>,
    /// Iterations before it gives up.
    pub limit: usize,
    acceleration: Acceleration,
    correction: Vec<f64>,
    modes: Vec<f64>,
    rotated: Vec<f64>,
    measured: Vec<f64>,
    /// Whether every stage has its own Jacobian.
    pub newton: bool,
    /// The motion (D, V/√γ) that rounding has left open in the last solution.
    pub left_open: f64,
}

impl<'a> Iteration<'a> {
    /// Memory for n·k residuals.
    pub fn new(method: &'a Collocation, entries: usize, limit: usize) -> Self {
        let block = vec![0.0; entries * method.stages()];
        Self {
            method,
            limit,
            acceleration: Acceleration::default(),
            correction: block.clone(),
            modes: block.clone(),
            rotated: block.clone(),
            measured: block.clone(),
            residuals: block,
            newton: false,
            left_open: 0.0,
        }
    }

    /// Improves the residuals until what a correction moves is small, in units of the allowed motions (D, V/√γ), and
    /// solves for the heads that belong to them. Returns the iterations, or nothing if it does not converge.
    pub fn solve(
        &mut self,
        stages: &mut Stages,
        tangent: &Tangent,
        step: f64,
        allowed: [f64; 2],
    ) -> Option<usize> {
        self.acceleration.restart();
        self.left_open = 0.0;
        if stages.outputs_sum_to_zero() {
            // Extrapolation has multiplied the rounding of the sums.
            centre(&mut self.residuals, tangent.head().ncols());
        }
        let (mut first, mut last) = (f64::NAN, f64::INFINITY);
        for iteration in 1..=self.limit {
            if !stages.solve_heads(&self.residuals, step) {
                return None;
            }
            stages.mismatch(&self.residuals, step, &mut self.correction);
            let change = if self.newton {
                self.correct(stages, step, allowed)?
            } else {
                self.correct_by(stages, tangent, step, allowed)
            };
            if !change.is_finite() {
                return None;
            }
            let converged = if iteration == 1 {
                first = change;
                // The rate is not known yet: only a negligible change ends the iteration.
                change <= 1e-3
            } else {
                let rate = (change / last).max(0.1);
                // Below the goal a change that no longer shrinks is rounding.
                if rate < 1.0 { change * rate / (1.0 - rate) <= 1.0 } else { change <= 1.0 }
            };
            // Newton's method squares the error, until it is rounding.
            let stalls = self.newton && last < STALLED * first && change > STALLED * last;
            if stalls && change < MOST_OPEN {
                self.left_open = change * allowed[0].hypot(allowed[1]);
            }
            if converged || self.left_open > 0.0 {
                return stages.solve_heads(&self.residuals, step).then_some(iteration);
            }
            // Neither the mean rate so far nor the last one leads to the goal in the iterations that are left.
            let mean = (change / first).powf(1.0 / (iteration.max(2) - 1) as f64);
            let left = (self.limit - iteration) as i32;
            if change > 10.0 * first
                || (iteration > 3 && change * mean.min(change / last).powi(left) > 1.0)
            {
                return None;
            }
            last = change;
        }
        None
    }

    /// Corrects the residuals by their mismatch with the Jacobian of every stage. Returns the size of the motion that
    /// this makes, in units of the allowed one.
    fn correct(&mut self, stages: &Stages, step: f64, allowed: [f64; 2]) -> Option<f64> {
        let missed = &mut self.correction;
        let change = newton::correct(stages, self.method, &self.residuals, missed, step, per(allowed))?;
        axpy(&mut self.residuals, 1.0, missed);
        Some(change)
    }

    /// The same with a frozen tangent kernel.
    fn correct_by(&mut self, stages: &Stages, tangent: &Tangent, step: f64, allowed: [f64; 2]) -> f64 {
        let count = &stages.multiplier;
        tangent.to_modes(count, &self.correction, &mut self.rotated, &mut self.modes);
        self.solve_modes(tangent, step, allowed);
        count.add(4 * self.modes.len() * self.method.stages());
        tangent.out_of_modes(count, &self.modes, &mut self.rotated, &mut self.correction);
        if stages.outputs_sum_to_zero() {
            centre(&mut self.correction, tangent.head().ncols());
        }
        self.acceleration.advance(&mut self.residuals, &self.correction, &self.measured);
        crate::product::norm(&self.measured)
    }

    /// (1 + hA ⊗ Θ)⁻¹ on residuals in the modes of Θ, and the motions that they cause, h Σ_l a_il √d, in units of the
    /// allowed ones.
    fn solve_modes(&mut self, tangent: &Tangent, step: f64, allowed: [f64; 2]) {
        let m = self.method;
        let s = m.stages();
        let n = self.modes.len() / s / tangent.head().ncols().max(1);
        if n == 0 {
            return;
        }
        let per = per(allowed);
        let mut rates = tangent.rates();
        let pieces = self.modes.chunks_exact_mut(n * s);
        let measured = self.measured.chunks_exact_mut(n * s);
        for ((modes, measured), parts) in pieces.zip(measured).zip(self.rotated.chunks_exact_mut(n * s))
        {
            // Components of the eigenvalues of A: the real one, then real and imaginary part of each pair.
            combine(parts, modes, n, |l, c| m.decouple[(l, c)]);
            // Weights of the modes stay in the first column of what is measured until the parts are used.
            for (a, weight) in measured[..n].iter_mut().enumerate() {
                let (d, share) = rates.next().expect("one for each mode");
                m.divide_by_shifted(parts, n, a, step * d);
                *weight = (share.sqrt() * per[0]).hypot((d - share).sqrt() * per[1]);
            }
            combine(modes, parts, n, |c, i| m.couple[(c, i)]);
            let (weights, _) = parts.split_at_mut(n);
            weights.copy_from_slice(&measured[..n]);
            combine(measured, modes, n, |l, i| step * m.a[(i, l)]);
            for column in measured.chunks_exact_mut(n) {
                column.iter_mut().zip(&*weights).for_each(|(x, w)| *x *= w);
            }
        }
    }
}

/// Units of allowed motions. Not squared: the squares of tiny motions have no inverse in f64.
fn per(allowed: [f64; 2]) -> [f64; 2] {
    allowed.map(|size| if size > 0.0 { size.recip() } else { 0.0 })
}
