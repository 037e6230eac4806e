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
        // Squares of what is below 1e-154 are no numbers any more.
        let scale = residual.amax();
        if scale == 0.0 || !scale.is_finite() {
            return Self { aie: scale, frobenius: scale };
        }
        let scaled = residual / scale;
        Self { aie: mean_row_norm(&scaled) * scale, frobenius: scaled.norm() * scale }
    }

    /// The loss ½‖R‖²_F.
    pub fn loss(&self) -> f64 {
        self.frobenius * self.frobenius / 2.0
    }
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
