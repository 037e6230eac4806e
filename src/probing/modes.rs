//! A loss of predictions that fixed features leave a head, on the modes of the features.

use nalgebra::DMatrix;

use crate::loss::Loss;
use crate::product::{Factor, Multiplier};

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

    /// UᵀA.
    pub fn on_modes(&self, a: &DMatrix<f64>) -> DMatrix<f64> {
        let mut out = DMatrix::zeros(self.u.ncols(), a.ncols());
        Multiplier::default().multiply(out.as_mut_slice(), false, 1.0, Factor::from(self.u).t(), a);
        out
    }
}
