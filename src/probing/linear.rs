//! Head probing under the squared loss, solved exactly (T3): V̇ = Z₀ᵀ(T − Z₀V).
//!
//! With the singular value decomposition Z₀ = U diag(s) Wᵀ and the residual R_init = T − Z₀V_init
//! towards the probing targets T,
//!
//! $$V(\tau) = V_{init} + W\mathrm{diag}\Big(s\tfrac{1-e^{-s^2\tau}}{s^2}\Big)U^\top R_{init}$$
//!
//! for every τ from 0 to ∞ and for any Z₀, singular ones included: one decomposition serves all τ.
//! The unit of τ is that of finetuning time with head rate 1.
//!
//! *Small energies.* The residual is R(τ) = R_⊥ + U e^{−s²τ}UᵀR_init, never Y − Z₀V(τ): what decays keeps its
//! relative accuracy down to the smallest numbers. What stays is R_⊥ = (1 − UUᵀ)Y, known to a rounding of the data;
//! it is zero where Z₀ has full row rank. So an energy is known to its digits if Z₀ has full row rank, and else as
//! far as it is above [`super::ProbingPath::rounding`].
//!
//! With label smoothing (T21) the probing targets are T = (1−ε)Y + ε·mean(Y), while energy is
//! measured against Y itself.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::error::{ProbingError, check_time};
use crate::energy::Energy;
use crate::linalg::Factors;
use crate::loss::Loss;
use crate::problem::{Problem, ProblemError};
use crate::product::{Factor, product, residual};

/// The exact probing path of one initial head on one problem.
#[derive(Debug, Clone)]
pub(super) struct LinearPath {
    start: DMatrix<f64>,
    targets: DMatrix<f64>,
    /// Y − Z₀V_init, against the true targets.
    residual: DMatrix<f64>,
    /// R(∞), against the true targets: (1 − UUᵀ)Y + UUᵀ(Y − T).
    pub(super) constant: DMatrix<f64>,
    pub(super) rounding: f64,
    /// Z₀ = U diag(s) Wᵀ, N×r, r and h×r.
    pub(super) u: Arc<DMatrix<f64>>,
    pub(super) w: Arc<DMatrix<f64>>,
    pub(super) s: DVector<f64>,
    /// Uᵀ R_init towards the probing targets, r×k.
    pub(super) c: DMatrix<f64>,
}

impl LinearPath {
    /// The path towards smoothed targets, with label smoothing ε in [0, 1] (T21).
    pub fn new(problem: &Problem, head: &DMatrix<f64>, smoothing: f64) -> Result<Self, ProbingError> {
        let Factors { u, s, w } = problem.factors().map_err(ProblemError::from)?.clone();
        let r = s.len();
        let (targets, features) = (problem.targets(), problem.features());
        let smoothed = Loss::Squared.smooth(targets, smoothing);
        let start_residual = problem.residual(head);
        let on_modes = |a: &DMatrix<f64>| product(Factor::from(&*u).t(), a);
        let c = if smoothing == 0.0 {
            on_modes(&start_residual)
        } else {
            on_modes(&residual(&smoothed, features, head))
        };
        // Twice: what the first projection leaves by rounding is taken away by the second.
        let project = |a: &DMatrix<f64>| a - product(&*u, &on_modes(a));
        let mut constant = if smoothing == 0.0 { targets * 0.0 } else { targets - &smoothed };
        let mut rounding = 0.0;
        if r < problem.samples() {
            constant = product(&*u, &on_modes(&constant)) + project(&project(targets));
            let fit = &*w * DMatrix::from_fn(r, c.ncols(), |i, j| c[(i, j)] / s[i]) + head;
            rounding = f64::EPSILON * (targets.norm() + features.norm() * fit.norm());
        }
        Ok(Self {
            start: head.clone(),
            residual: start_residual,
            targets: smoothed,
            constant,
            rounding,
            w,
            s,
            u,
            c,
        })
    }

    /// The targets that the head is probed towards, N×k.
    pub fn targets(&self) -> &DMatrix<f64> {
        &self.targets
    }

    /// The head V(τ), h×k, for τ from 0 to ∞.
    pub fn head(&self, tau: f64) -> Result<DMatrix<f64>, ProbingError> {
        check_time(tau)?;
        // s φ(s², τ) = (1 − e^{−s²τ}) / s
        let gain = self.s.map(|s| -(-s * (s * tau)).exp_m1() / s);
        Ok(&self.start + &*self.w * weighted(&self.c, &gain))
    }

    /// The residual Y − Z₀V(τ), N×k, against the true targets.
    pub fn residual(&self, tau: f64) -> Result<DMatrix<f64>, ProbingError> {
        check_time(tau)?;
        if tau == 0.0 {
            return Ok(self.residual.clone());
        }
        let left = self.s.map(|s| (-s * (s * tau)).exp());
        Ok(&self.constant + product(&*self.u, &weighted(&self.c, &left)))
    }

    /// The size up to which an energy (Frobenius) is rounding of the data: half a unit in the last place of features
    /// and targets changes the part of the targets that no head fits by as much. 0 if the features have full row
    /// rank: then there is no such part.
    pub fn rounding(&self) -> f64 {
        self.rounding
    }

    /// The same after probing for τ, with what the rounding of the features does to the slow modes: it changes every
    /// singular value by as much as the largest.
    pub fn rounding_at(&self, tau: f64) -> f64 {
        let first = self.s.iter().copied().next().unwrap_or(0.0);
        let slow = self.s.iter().zip(self.c.row_iter()).map(|(s, c)| {
            let decayed = s * (s * tau);
            // x e^{−x}, 0 at both ends.
            let moved = if decayed.is_finite() { decayed * (-decayed).exp() } else { 0.0 };
            c.norm() * (2.0 * f64::EPSILON * first / s).min(1.0) * moved
        });
        slow.fold(self.rounding, f64::hypot)
    }

    /// The energy that is left after probing for τ.
    pub fn energy(&self, tau: f64) -> Result<Energy, ProbingError> {
        Ok(Energy::of(&self.residual(tau)?))
    }
}

/// diag(weights) · a
fn weighted(a: &DMatrix<f64>, weights: &DVector<f64>) -> DMatrix<f64> {
    DMatrix::from_fn(a.nrows(), a.ncols(), |i, j| weights[i] * a[(i, j)])
}
