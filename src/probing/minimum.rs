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
//! 2010), which is above 0 for ρ = 1 if ‖g‖ ≤ 0.32 m: the minimum lies inside. The smallest eigenvalue of the curvature
//! in X, on heads with mean 0 over the outputs, takes the place of m where it is computed.

use nalgebra::{DMatrix, DVector};

use super::curvature::Curvature;
use super::modes::Convex;
use crate::product::{Multiplier, centre};

/// ψ(√2), rounded down, with room for the rounding of ‖g‖.
const CERTAIN: f64 = 0.3;

/// Newton steps. From a head with logits of a thousand, all wrong, it takes some hundred.
const STEPS: usize = 1000;

/// Halvings of a Newton step after which it is damped instead: where it leads, the loss is not what the curvature here
/// tells, as from a head that is confidently wrong.
const HALVINGS: i32 = 6;

/// What the damping is divided by after a step that lowers the loss, and multiplied by after one that does not.
const DAMPING: f64 = 8.0;

/// Gain of a step, as a share of the loss, below which the loss does not show it.
const NEAR: f64 = 1e-10;

/// Conjugate gradients within one of them.
const GRADIENTS: usize = 1000;

/// Conjugate gradients after which the next step has a preconditioner of its own.
const MANY: usize = 30;

/// What the preconditioner adds to every eigenvalue, as a share of the largest.
const FLOOR: f64 = 1e-14;

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

impl Minimum {
    /// Whether nothing is certain.
    pub fn is_undecided(&self) -> bool {
        matches!(self, Self::Undecided { .. })
    }
}

impl Convex<'_> {
    /// What is certain at predictions F with g = UᵀR: that there is a minimum, that there is none, or neither.
    fn certain(&self, f: &DMatrix<f64>, g: &DMatrix<f64>) -> Option<bool> {
        if self.loss.has_hard_labels(self.targets)
            && self.loss.value(self.targets, f) < std::f64::consts::LN_2
        {
            return Some(false);
        }
        (g.norm() + rounding(f) <= CERTAIN * self.loss.least_curvature(f)).then_some(true)
    }

    /// Whether there is a minimum for certain by the smallest eigenvalue of the curvature itself, where that is small
    /// enough to be decomposed.
    fn certain_by_eigenvalues(&self, f: &DMatrix<f64>, g: &DMatrix<f64>) -> bool {
        let (r, k) = g.shape();
        if r * k == 0 || !Curvature::can_be_whole(r, k) {
            return false;
        }
        let ones = DVector::repeat(r, 1.0);
        let Ok(curvature) = Curvature::new(self, &ones, f, true) else { return false };
        let smallest = curvature.smallest_seen() - 10.0 * f64::EPSILON * (r * k) as f64;
        g.norm() + rounding(f) <= CERTAIN * smallest
    }

    /// Looks for the minimum from X = 0 by Newton's method, each step by conjugate gradients and no longer than what
    /// lowers the loss. Where that takes too much of a step away, the curvature is damped by a multiple of ‖g‖, which
    /// converges from everywhere (Doikov, arXiv 2308.14742: with √2‖g‖, here adapted). Before each step `goes_on` is
    /// asked with the number of steps and ‖R‖_F; nothing is returned if it says no.
    pub fn minimum(&self, goes_on: impl Fn(usize, f64) -> bool) -> Option<Minimum> {
        let mut x = DMatrix::zeros(self.u.ncols(), self.targets.ncols());
        let mut f = self.start.clone();
        let mut value = self.loss.value(self.targets, &f);
        let mut last = f64::INFINITY;
        let (mut exists, mut looked) = (false, false);
        let mut curvature = None;
        let (mut gradient, mut smallest) = (f64::NAN, f64::NAN);
        let mut damping = 0.0;
        for steps in 0..STEPS {
            let residual = self.loss.residual(self.targets, &f);
            if !goes_on(steps, residual.norm()) {
                return None;
            }
            let g = self.on_modes(&residual);
            (gradient, smallest) = (g.norm(), self.loss.least_curvature(&f));
            match self.certain(&f, &g) {
                Some(false) => return Some(Minimum::Separable { loss: value }),
                certain => exists |= certain == Some(true),
            }
            // As it costs a decomposition, only where the gradient is all but gone.
            if !exists && !looked && gradient <= 1e3 * rounding(&f) {
                (exists, looked) = (self.certain_by_eigenvalues(&f, &g), true);
            }
            if !exists && gradient <= rounding(&f) {
                break;
            }
            if exists {
                damping = 0.0;
            }
            let damped = damping * gradient;
            let step = self.newton_step(&f, &g, exists, damped, &mut curvature);
            let Some(step) = step else {
                if exists && gradient <= rounding(&f) {
                    return Some(Minimum::At(x));
                }
                // Where no sample has a curvature at all, there is only the gradient.
                if damping > 0.0 || exists {
                    break;
                }
                damping = std::f64::consts::SQRT_2;
                continue;
            };
            let along = step.dot(&g);
            // Where the loss no longer shows what a step gains, steps square the gradient until rounding is all that is
            // left of it.
            if exists && along <= NEAR * value {
                if gradient >= 0.5 * last {
                    return Some(Minimum::At(x));
                }
                last = gradient;
                x += step;
                f = self.predictions(&x);
                value = self.loss.value(self.targets, &f);
                continue;
            }
            let shorter = if damping > 0.0 { 0 } else { HALVINGS };
            let found = (0..=shorter).map(|i| 0.5f64.powi(i)).find_map(|factor| {
                let next = &x + &step * factor;
                let predictions = self.predictions(&next);
                let lower = self.loss.value(self.targets, &predictions);
                (lower <= value - 1e-4 * factor * along).then_some((next, predictions, lower))
            });
            match found {
                Some(lower) => {
                    (x, f, value) = lower;
                    damping = if damping > 1e-9 { damping / DAMPING } else { 0.0 };
                }
                None if damping == 0.0 => damping = std::f64::consts::SQRT_2,
                // The loss no longer shows what steps gain.
                None if damping > 1e9 => break,
                None => damping *= DAMPING,
            }
        }
        Some(Minimum::Undecided { gradient, smallest })
    }

    /// (UᵀSU + damping)⁺g by conjugate gradients, preconditioned by a curvature that is kept while it is good enough.
    fn newton_step(
        &self,
        f: &DMatrix<f64>,
        g: &DMatrix<f64>,
        exact: bool,
        damping: f64,
        kept: &mut Option<Curvature>,
    ) -> Option<DMatrix<f64>> {
        let apply = |d: &DMatrix<f64>| {
            let mut change = DMatrix::zeros(f.nrows(), f.ncols());
            Multiplier::default().multiply(change.as_mut_slice(), false, 1.0, self.u, d);
            centred(self.on_modes(&self.loss.curvature(f, &change)) + d * damping)
        };
        let goal = if exact { 1e-8 } else { 1e-2 } * g.norm();
        let old = kept.is_some();
        if !old {
            *kept = Some(Curvature::new(self, &DVector::repeat(g.nrows(), 1.0), f, false).ok()?);
        }
        let curvature = kept.as_ref()?;
        let least = FLOOR * curvature.largest() + f64::MIN_POSITIVE + damping;
        let count = Multiplier::default();
        let divided = |r: &DMatrix<f64>| {
            let mut r = r.clone();
            curvature.apply(&count, &mut r, |d| 1.0 / (d + least));
            r
        };
        let (mut x, mut r) = (g * 0.0, centred(g.clone()));
        let mut d = divided(&r);
        let mut square = r.dot(&d);
        let mut used = 0;
        while used < GRADIENTS.min(2 * g.len() + 10) && r.norm() > goal {
            used += 1;
            let image = apply(&d);
            let bend = d.dot(&image);
            if !(bend > 0.0 && bend.is_finite()) {
                break;
            }
            x += &d * (square / bend);
            r -= image * (square / bend);
            let towards = divided(&r);
            let next = r.dot(&towards);
            d = towards + d * (next / square);
            square = next;
        }
        if used > MANY || r.norm() > goal {
            *kept = None;
        }
        if x.norm() > 0.0 && x.iter().all(|v| v.is_finite()) {
            return Some(x);
        }
        // Where all is saturated, the curvature says nothing about later points.
        *kept = None;
        if old { self.newton_step(f, g, exact, damping, kept) } else { None }
    }
}

/// The rounding of ‖UᵀR‖ where predictions are F.
fn rounding(f: &DMatrix<f64>) -> f64 {
    10.0 * f64::EPSILON * (f.len() as f64).sqrt() * (1.0 + f.amax())
}

fn centred(mut a: DMatrix<f64>) -> DMatrix<f64> {
    let outputs = a.ncols();
    centre(a.as_mut_slice(), outputs);
    a
}
