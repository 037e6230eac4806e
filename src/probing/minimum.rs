//! Whether a head has a best training loss on fixed features, and which head that is (T24).
//!
//! With Z = U diag(s) Wᵀ every prediction that probing reaches is F₀ + UX, and L(F₀ + UX) is convex in X (r×k).
//! Either of two things is certain as soon as it is seen:
//!
//! *There is no minimum.* A head whose loss, summed over samples with hard labels, is below ln 2 is right about every
//! sample. Multiples of that head then bring the loss down to 0, which none attains: the features separate the
//! classes.
//!
//! *There is one.* Let g = UᵀR and m the smallest probability of a class at any sample. The curvature of L in X is at
//! least m, since UᵀU = 1 and δᵀ(diag p − ppᵀ)δ ≥ m‖δ‖² for δ without mean; and it changes by at most e^{±ω} when
//! logits change by no more than ω against each other, ω ≤ √2‖X‖. So on the sphere ‖X − X₀‖ = ρ the loss exceeds that
//! at X₀ by at least ρ(mρψ(√2ρ) − ‖g‖), ψ(ω) = (e^{−ω} + ω − 1)/ω² (Bach, *Electronic Journal of Statistics* 4,
//! 2010), which is above 0 for ρ = 1 if ‖g‖ ≤ 0.32 m: the minimum lies inside.

use nalgebra::DMatrix;

use crate::loss::Loss;
use crate::product::{Factor, Multiplier};

/// ψ(√2), rounded down, with room for the rounding of ‖g‖.
const CERTAIN: f64 = 0.3;

/// Newton steps.
const STEPS: usize = 200;

/// Gain of a step over the loss from which on the loss shows no gain.
const NEAR: f64 = 1e-10;

/// Conjugate gradients within one of them.
const GRADIENTS: usize = 1000;

/// What is known of the minimum.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Minimum {
    /// There is none: the features separate the classes, by a head of this loss.
    Separable {
        /// The loss of that head, summed over the samples.
        loss: f64,
    },
    /// There is one, at F₀ + UX.
    At(DMatrix<f64>),
    /// Neither was certain when the search ended.
    Undecided {
        /// ‖UᵀR‖ there.
        gradient: f64,
        /// The smallest probability there.
        smallest: f64,
    },
}

/// The problem: predictions F₀ + UX with orthonormal columns of U (N×r), targets and loss.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convex<'a> {
    pub loss: Loss,
    pub targets: &'a DMatrix<f64>,
    pub start: &'a DMatrix<f64>,
    pub u: &'a DMatrix<f64>,
}

impl Convex<'_> {
    /// F₀ + UX.
    pub fn predictions(&self, x: &DMatrix<f64>) -> DMatrix<f64> {
        let mut f = self.start.clone();
        Multiplier::default().multiply(f.as_mut_slice(), true, 1.0, self.u, x);
        f
    }

    fn on_modes(&self, a: &DMatrix<f64>) -> DMatrix<f64> {
        let mut out = DMatrix::zeros(self.u.ncols(), a.ncols());
        Multiplier::default().multiply(out.as_mut_slice(), false, 1.0, Factor::from(self.u).t(), a);
        out
    }

    /// What is certain at predictions F with g = UᵀR: that there is a minimum, that there is none, or neither.
    fn certain(&self, f: &DMatrix<f64>, g: &DMatrix<f64>) -> Option<bool> {
        if self.loss.has_hard_labels(self.targets)
            && self.loss.value(self.targets, f) < std::f64::consts::LN_2
        {
            return Some(false);
        }
        let rounding = 10.0 * f64::EPSILON * (f.len() as f64).sqrt() * (1.0 + f.amax());
        (g.norm() + rounding <= CERTAIN * self.loss.least_curvature(f)).then_some(true)
    }

    /// Looks for the minimum from X = 0 by Newton's method, each step by conjugate gradients and no longer than what
    /// lowers the loss.
    pub fn minimum(&self) -> Minimum {
        let mut x = DMatrix::zeros(self.u.ncols(), self.targets.ncols());
        let mut f = self.start.clone();
        let mut value = self.loss.value(self.targets, &f);
        let mut last = f64::INFINITY;
        let mut exists = false;
        let (mut gradient, mut smallest) = (f64::NAN, f64::NAN);
        for _ in 0..STEPS {
            let g = self.on_modes(&self.loss.residual(self.targets, &f));
            (gradient, smallest) = (g.norm(), self.loss.least_curvature(&f));
            match self.certain(&f, &g) {
                Some(false) => return Minimum::Separable { loss: value },
                certain => exists |= certain == Some(true),
            }
            let Some(step) = self.newton_step(&f, &g, exists) else { break };
            let along = step.dot(&g);
            // Where the loss no longer shows what a step gains, steps square the gradient until rounding is all that is
            // left of it.
            if exists && along <= NEAR * value {
                if gradient >= 0.5 * last {
                    return Minimum::At(x);
                }
                last = gradient;
                x += step;
                f = self.predictions(&x);
                value = self.loss.value(self.targets, &f);
                continue;
            }
            let mut factor = 1.0;
            loop {
                let next = &x + &step * factor;
                let predictions = self.predictions(&next);
                let lower = self.loss.value(self.targets, &predictions);
                if lower <= value - 1e-4 * factor * along {
                    (x, f, value) = (next, predictions, lower);
                    break;
                }
                factor /= 2.0;
                if factor < 1e-12 {
                    return Minimum::Undecided { gradient, smallest };
                }
            }
        }
        Minimum::Undecided { gradient, smallest }
    }

    /// (UᵀSU)⁺g by conjugate gradients.
    fn newton_step(&self, f: &DMatrix<f64>, g: &DMatrix<f64>, exact: bool) -> Option<DMatrix<f64>> {
        let apply = |d: &DMatrix<f64>| {
            let mut change = DMatrix::zeros(f.nrows(), f.ncols());
            Multiplier::default().multiply(change.as_mut_slice(), false, 1.0, self.u, d);
            centred(self.on_modes(&self.loss.curvature(f, &change)))
        };
        let goal = if exact { 1e-8 } else { 1e-2 } * g.norm();
        let (mut x, mut r) = (g * 0.0, centred(g.clone()));
        let mut d = r.clone();
        let mut square = r.norm_squared();
        for _ in 0..GRADIENTS.min(2 * g.len() + 10) {
            if square.sqrt() <= goal {
                break;
            }
            let image = apply(&d);
            let bend = d.dot(&image);
            if !(bend > 0.0 && bend.is_finite()) {
                break;
            }
            x += &d * (square / bend);
            r -= image * (square / bend);
            let next = r.norm_squared();
            d = &r + d * (next / square);
            square = next;
        }
        (x.norm() > 0.0 && x.iter().all(|v| v.is_finite())).then_some(x)
    }
}

/// With rows of mean 0: what the loss sees of logits. Rounding of the mean is all that S leaves of it, and would be
/// blown up.
fn centred(mut a: DMatrix<f64>) -> DMatrix<f64> {
    if a.ncols() > 1 {
        for mut row in a.row_iter_mut() {
            let mean = row.mean();
            row.add_scalar_mut(-mean);
        }
    }
    a
}
