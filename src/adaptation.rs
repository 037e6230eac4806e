//! How far features moved: the four metrics of the paper.

use nalgebra::DMatrix;

/// Means over a set of inputs of the distances between the features z₀ before and z_T after finetuning.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Adaptation {
    /// Mean Euclidean distance ‖z_T − z₀‖.
    pub euclidean: f64,
    /// Mean cosine distance 1 − cos(z_T, z₀); NaN when a feature is zero, where it has no direction.
    pub cosine: f64,
    /// Mean dot product z_T·z₀.
    pub dot: f64,
    /// Mean norm ‖z_T‖.
    pub norm: f64,
}

impl Adaptation {
    /// The metrics of features z₀ (one row an input) that moved by `displacement` (same shape).
    ///
    /// The displacement, not z_T, is the argument: small motions keep their relative accuracy.
    pub fn of(features: &DMatrix<f64>, displacement: &DMatrix<f64>) -> Self {
        Self::with_outside(features, displacement, &[])
    }

    /// The same for features of which only the coordinates in a subspace that holds all motion are
    /// given; `outside[n]` is the squared norm of the rest of row n (empty: nothing outside).
    pub fn with_outside(features: &DMatrix<f64>, displacement: &DMatrix<f64>, outside: &[f64]) -> Self {
        let rows = features.nrows();
        let mut sum = [0.0; 4];
        for n in 0..rows {
            let (z, d) = (features.row(n), displacement.row(n));
            let rest = outside.get(n).copied().unwrap_or(0.0);
            let one = Self::of_one(z.norm_squared() + rest, z.dot(&d), d.norm_squared());
            for (total, value) in sum.iter_mut().zip(one.values()) {
                *total += value;
            }
        }
        let [euclidean, cosine, dot, norm] = sum.map(|s| s / rows as f64);
        Self { euclidean, cosine, dot, norm }
    }

    /// One input, from |z₀|², z₀·d and |d|² of its displacement d.
    pub fn of_one(before: f64, inner: f64, moved: f64) -> Self {
        let dot = before + inner;
        let after = (before + 2.0 * inner + moved).max(0.0);
        // sin² from the part of d orthogonal to z₀, which is exact for small motions.
        let across = (moved - inner * (inner / before)).max(0.0);
        let cosine = if before == 0.0 || after == 0.0 {
            f64::NAN
        } else if dot > 0.0 {
            (across / after) / (1.0 + dot / (before * after).sqrt())
        } else {
            1.0 - dot / (before * after).sqrt()
        };
        Self { euclidean: moved.sqrt(), cosine, dot, norm: after.sqrt() }
    }

    /// Euclidean distance, cosine distance, dot product, norm.
    pub fn values(&self) -> [f64; 4] {
        [self.euclidean, self.cosine, self.dot, self.norm]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    #[test]
    fn a_right_angle() {
        let a = Adaptation::of(&dmatrix![1.0, 0.0], &dmatrix![-1.0, 2.0]);
        assert_eq!(a.values(), [5f64.sqrt(), 1.0, 0.0, 2.0]);
    }

    #[test]
    fn small_motions_keep_their_digits() {
        let a = Adaptation::of(&dmatrix![1.0, 0.0], &dmatrix![0.0, 1e-9]);
        assert!((a.cosine / 0.5e-18 - 1.0).abs() < 1e-12);
        assert_eq!(a.euclidean, 1e-9);
    }

    #[test]
    fn a_zero_feature_has_no_direction() {
        let a = Adaptation::of(&dmatrix![0.0, 0.0], &dmatrix![3.0, 4.0]);
        assert!(a.cosine.is_nan());
        assert_eq!((a.euclidean, a.dot, a.norm), (5.0, 0.0, 5.0));
    }

    #[test]
    fn what_lies_outside_the_subspace_counts() {
        let inside = Adaptation::with_outside(&dmatrix![1.0], &dmatrix![2.0], &[16.0]);
        let whole = Adaptation::of(&dmatrix![1.0, 4.0], &dmatrix![2.0, 0.0]);
        for (a, b) in inside.values().iter().zip(whole.values()) {
            assert!((a - b).abs() < 1e-15);
        }
    }
}
