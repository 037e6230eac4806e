//! Energy: the training residual that is left when finetuning starts.

use nalgebra::DMatrix;

use crate::linalg::mean_row_norm;

/// Two measures of a residual R = Y − ZV (N×k).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Energy {
    /// Average initial energy (AIE) of the paper: the mean over the samples of ‖r_n‖₂.
    pub aie: f64,
    /// ‖R‖_F; the loss is half its square.
    pub frobenius: f64,
}

impl Energy {
    /// The energy of a residual (N×k).
    pub fn of(residual: &DMatrix<f64>) -> Self {
        // Squares of numbers below 1e-154 underflow.
        let scale = residual.amax();
        if scale == 0.0 || !scale.is_finite() {
            return Self { aie: scale, frobenius: scale };
        }
        let scaled = residual / scale;
        Self { aie: mean_row_norm(&scaled) * scale, frobenius: scaled.norm() * scale }
    }

    /// A goal of probing: this average initial energy.
    pub fn aie(value: f64) -> Level {
        Level { measure: Measure::Aie, value }
    }

    /// A goal of probing: this Frobenius energy.
    pub fn frobenius(value: f64) -> Level {
        Level { measure: Measure::Frobenius, value }
    }

    /// The loss ½‖R‖²_F.
    pub fn loss(&self) -> f64 {
        self.frobenius * self.frobenius / 2.0
    }
}

/// One of the two measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Average initial energy.
    Aie,
    /// Frobenius norm of the residual.
    Frobenius,
}

impl Measure {
    /// Its name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aie => "AIE",
            Self::Frobenius => "Frobenius",
        }
    }

    /// This measure of an energy.
    pub fn of(self, energy: &Energy) -> f64 {
        match self {
            Self::Aie => energy.aie,
            Self::Frobenius => energy.frobenius,
        }
    }
}

/// An energy that a head is probed to, by one measure: [`Energy::aie`] or [`Energy::frobenius`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// How it is measured.
    pub measure: Measure,
    /// The energy.
    pub value: f64,
}

/// ‖r_n‖₂ for every sample.
pub fn per_sample(residual: &DMatrix<f64>) -> Vec<f64> {
    residual.row_iter().map(|r| r.norm()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    #[test]
    fn energies_of_a_known_residual() {
        let r = dmatrix![3.0, 4.0; 0.0, 1.0];
        let e = Energy::of(&r);
        assert_eq!(e.aie, 3.0);
        assert!((e.frobenius - 26f64.sqrt()).abs() < 1e-15);
        assert_eq!(per_sample(&r), [5.0, 1.0]);
        assert!((e.loss() - 13.0).abs() < 1e-14);
    }
}
