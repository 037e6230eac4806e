//! Anderson acceleration of the simplified Newton iteration.
//!
//! The iteration x ← x + f(x) with a frozen, incomplete Jacobian converges linearly or not at all. From
//! the changes that f showed so far, the best combination in the least-squares sense is taken (Anderson,
//! J. ACM 12, 1965). On a linear problem this is GMRES with the frozen part as preconditioner (Walker
//! and Ni, SIAM J. Numer. Anal. 49, 2011), for one evaluation an iteration.

use crate::product::{axpy, norm};

/// The memory of one iteration. The buffers stay for the next.
#[derive(Debug, Clone, Default)]
pub struct Acceleration {
    /// Orthonormal changes of f as measured, and the moves of x + f that belong to them.
    changes: Vec<Vec<f64>>,
    moves: Vec<Vec<f64>>,
    used: usize,
    last_measured: Vec<f64>,
    last_correction: Vec<f64>,
    last_move: Vec<f64>,
    started: bool,
}

impl Acceleration {
    /// Forgets what it has seen.
    pub fn restart(&mut self) {
        self.used = 0;
        self.started = false;
    }

    /// Moves x by the accelerated correction f. `measured` is a linear image of f that is to become small.
    pub fn advance(&mut self, x: &mut [f64], f: &[f64], measured: &[f64]) {
        if self.started {
            self.remember(f, measured);
        }
        for (last, now) in [(&mut self.last_measured, measured), (&mut self.last_correction, f)] {
            last.clear();
            last.extend_from_slice(now);
        }
        self.last_move.clear();
        self.last_move.extend_from_slice(f);
        for (q, u) in self.changes.iter().zip(&self.moves).take(self.used) {
            axpy(&mut self.last_move, -dot(q, measured), u);
        }
        axpy(x, 1.0, &self.last_move);
        self.started = true;
    }

    fn remember(&mut self, f: &[f64], measured: &[f64]) {
        if self.used == self.changes.len() {
            self.changes.push(vec![0.0; measured.len()]);
            self.moves.push(vec![0.0; f.len()]);
        }
        let (before, change) = self.changes.split_at_mut(self.used);
        let (moves_before, step) = self.moves.split_at_mut(self.used);
        let (change, step) = (&mut change[0], &mut step[0]);
        for i in 0..f.len() {
            change[i] = measured[i] - self.last_measured[i];
            step[i] = self.last_move[i] + (f[i] - self.last_correction[i]);
        }
        let size = norm(change);
        // The second pass takes away what rounding left of the first.
        for _ in 0..2 {
            for (q, u) in before.iter().zip(moves_before.iter()) {
                let c = dot(q, change);
                axpy(change, -c, q);
                axpy(step, -c, u);
            }
        }
        let rest = norm(change);
        if rest > 1e-8 * size {
            change.iter_mut().for_each(|x| *x /= rest);
            step.iter_mut().for_each(|x| *x /= rest);
            self.used += 1;
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use nalgebra::DVector;

    /// n + 1 iterations solve n linear equations, although the plain iteration diverges.
    #[test]
    fn a_linear_system_is_solved_in_as_many_steps_as_it_has_unknowns() {
        let a = wobble(6, 6, 1.0) * 3.0;
        let wanted = DVector::from_fn(6, |i, _| i as f64 - 2.0);
        let b = &a * &wanted;
        let mut x = vec![0.0; 6];
        let mut acceleration = Acceleration::default();
        for _ in 0..7 {
            let f = &b - &a * DVector::from_column_slice(&x);
            acceleration.advance(&mut x, f.as_slice(), (&f * 2.0).as_slice());
        }
        assert!((DVector::from_vec(x) - wanted).norm() < 1e-10);
    }
}
