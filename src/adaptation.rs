//! How far features moved: the four metrics of the paper, and the Frobenius distance.

use nalgebra::DMatrix;

/// How far the features of a set of inputs moved, from z₀ before to z_T after finetuning: four means over the inputs,
/// and the Frobenius distance of them all.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Adaptation {
    /// Mean Euclidean distance ‖z_T − z₀‖.
    pub euclidean: f64,
    /// Mean cosine distance 1 − cos(z_T, z₀); NaN when a feature is zero, where it has no direction, or what is left of
    /// it is the rounding of z₀ + d.
    pub cosine: f64,
    /// Mean dot product z_T·z₀.
    pub dot: f64,
    /// Mean norm ‖z_T‖.
    pub norm: f64,
    /// Frobenius distance ‖Z_T − Z₀‖_F, the root of the sum of the squared Euclidean distances: no mean. What is proved
    /// beyond one sample is about it, and only it does not change when the samples are rotated.
    pub frobenius_distance: f64,
}

impl Adaptation {
    /// The metrics of features z₀ (one row for each input) that moved by `displacement` (same shape).
    ///
    /// The displacement, not z_T, is the argument: small motions keep their relative accuracy.
    ///
    /// # Panics
    ///
    /// Arrays of two shapes.
    pub fn of(features: &DMatrix<f64>, displacement: &DMatrix<f64>) -> Self {
        assert!(features.shape() == displacement.shape(), "arrays of two shapes");
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
            let one = Self::of_one(z.iter().copied().zip(d.iter().copied()), rest);
            for (total, value) in sum.iter_mut().zip(one.means()) {
                *total += value;
            }
        }
        let [euclidean, cosine, dot, norm] = sum.map(|s| s / rows as f64);
        Self { euclidean, cosine, dot, norm, frobenius_distance: frobenius_norm(displacement) }
    }

    /// One input, from the coordinates of z₀ and of its displacement d, and the squared norm of the
    /// part of z₀ outside them.
    ///
    /// No square is a difference of squares: a feature that shrinks to 1e-8 of its length keeps the
    /// digits that z₀ + d has, and so does a small angle after a long way along z₀.
    pub fn of_one(coordinates: impl Iterator<Item = (f64, f64)> + Clone, outside: f64) -> Self {
        // In units of the largest coordinate squares neither overflow nor underflow; a power of two is exact.
        let size = coordinates.clone().fold(outside.sqrt(), |a, (z, d)| a.max(z.abs()).max(d.abs()));
        if size == 0.0 || !size.is_finite() {
            let euclidean = if size == 0.0 { 0.0 } else { f64::NAN };
            let (dot, norm) = (euclidean, euclidean);
            return Self { euclidean, cosine: f64::NAN, dot, norm, frobenius_distance: euclidean };
        }
        let size = size.log2().floor().exp2();
        let pairs = coordinates.map(|(z, d)| (z / size, d / size));
        let rest = outside / size / size;
        let sum = |f: &dyn Fn(f64, f64) -> f64| pairs.clone().map(|(z, d)| f(z, d)).sum::<f64>();
        let before = sum(&|z, _| z * z) + rest;
        let after = sum(&|z, d| (z + d) * (z + d)) + rest;
        let moved = sum(&|_, d| d * d);
        let dot = sum(&|z, d| z * (z + d)) + rest;
        // z_T = c z₀ + a part across z₀, with c − 1 = z₀·d/|z₀|²: by whichever of d and z_T is shorter.
        let across = if moved <= after {
            let c = (sum(&|z, d| z * d)) / before;
            sum(&|z, d| (d - c * z) * (d - c * z)) + c * c * rest
        } else {
            let c = dot / before;
            let outside = 1.0 - c;
            sum(&|z, d| (z + d - c * z) * (z + d - c * z)) + outside * outside * rest
        };
        let cosine = if before == 0.0 || is_gone([before, moved, after].map(f64::sqrt)) {
            f64::NAN
        } else {
            // The two parts of z_T, which make up its norm: their ratios to it are at most 1.
            let along = dot.abs() / before.sqrt();
            let length = along.hypot(across.sqrt());
            let cos = along / length;
            if dot > 0.0 { across / (length * length) / (1.0 + cos) } else { 1.0 + cos }
        };
        // A motion far below the feature has a unit of its own.
        let motion = pairs.clone().fold(0.0, |a, (_, d)| f64::max(a, d.abs()));
        let unit = if motion > 0.0 { motion.log2().floor().exp2() } else { 1.0 };
        let euclidean = sum(&|_, d| (d / unit) * (d / unit)).sqrt() * unit * size;
        Self {
            euclidean,
            cosine,
            dot: dot * size * size,
            norm: after.sqrt() * size,
            frobenius_distance: euclidean,
        }
    }

    /// The four means: Euclidean distance, cosine distance, dot product, norm.
    pub fn means(&self) -> [f64; 4] {
        [self.euclidean, self.cosine, self.dot, self.norm]
    }

    /// The four means, then the Frobenius distance.
    pub fn values(&self) -> [f64; 5] {
        [self.euclidean, self.cosine, self.dot, self.norm, self.frobenius_distance]
    }
}

/// Whether nothing is left of a feature but the rounding of all steps of its motion: by its norm before, how far it
/// moved, and its norm after.
pub(crate) fn is_gone([before, moved, after]: [f64; 3]) -> bool {
    after <= 64.0 * f64::EPSILON * (before + moved)
}

/// ‖D‖_F, in units of the largest entry, so that no square overflows or underflows.
fn frobenius_norm(displacement: &DMatrix<f64>) -> f64 {
    let size = displacement.amax();
    if size == 0.0 || !size.is_finite() {
        return if displacement.iter().all(|d| *d == 0.0) { 0.0 } else { f64::NAN };
    }
    let size = size.log2().floor().exp2();
    displacement.iter().map(|d| (d / size) * (d / size)).sum::<f64>().sqrt() * size
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    #[test]
    fn a_right_angle() {
        let a = Adaptation::of(&dmatrix![1.0, 0.0], &dmatrix![-1.0, 2.0]);
        assert_eq!(a.values(), [5f64.sqrt(), 1.0, 0.0, 2.0, 5f64.sqrt()]);
    }

    /// Of one input the two distances are the same, however small its motion is beside it.
    #[test]
    fn a_motion_keeps_its_digits() {
        for size in [1e-100, 1e-160, 1e-162, 1e-200, 1e-300] {
            let a = Adaptation::of(&dmatrix![1.0, -2.0], &(dmatrix![3.0, 4.0] * size));
            assert!((a.euclidean / (5.0 * size) - 1.0).abs() < 1e-14, "{}", a.euclidean);
            assert!((a.frobenius_distance / a.euclidean - 1.0).abs() < 1e-14);
        }
    }

    /// The root of the sum of squares over all inputs, at any size; NaN where an entry is not finite.
    #[test]
    fn the_frobenius_distance_is_no_mean() {
        for size in [1.0, 1e170, 1e-170] {
            let features = dmatrix![1.0, 0.0; 0.0, 1.0] * size;
            let a = Adaptation::of(&features, &(dmatrix![3.0, 0.0; 0.0, 4.0] * size));
            assert!((a.euclidean / size - 3.5).abs() < 1e-14, "{}", a.euclidean);
            assert!((a.frobenius_distance / size - 5.0).abs() < 1e-14, "{}", a.frobenius_distance);
        }
        let of = |d| Adaptation::of(&dmatrix![1.0; 2.0], &d).frobenius_distance;
        assert_eq!(of(dmatrix![0.0; 0.0]), 0.0);
        for wrong in [f64::NAN, f64::INFINITY] {
            assert!(of(dmatrix![0.0; wrong]).is_nan() && of(dmatrix![wrong; 1.0]).is_nan());
        }
    }

    #[test]
    fn small_motions_keep_their_digits() {
        let a = Adaptation::of(&dmatrix![1.0, 0.0], &dmatrix![0.0, 1e-9]);
        assert!((a.cosine / 0.5e-18 - 1.0).abs() < 1e-12);
        assert_eq!(a.euclidean, 1e-9);
    }

    /// Directions that leave z₀ by 1e-7 after a way of length 1 or 1e9 along it, and features that shrink.
    #[test]
    fn large_motions_along_the_feature_keep_a_small_angle() {
        for (feature, moved, cosine, norm) in [
            (dmatrix![0.6, 0.8], dmatrix![0.6 - 0.8e-7, 0.8 + 0.6e-7], 1.25e-15, 2.0),
            (dmatrix![1.0, 0.0], dmatrix![1e9, 1.0], 0.5e-18, 1e9 + 1.0),
            (dmatrix![1.0, 0.0], dmatrix![-1.0 + 2f64.powi(-27), 0.0], 0.0, 2f64.powi(-27)),
            (dmatrix![1.0, 0.0], dmatrix![-1.0 - 2f64.powi(-27), 0.0], 2.0, 2f64.powi(-27)),
            (dmatrix![1.0, 0.0], dmatrix![-1.0, 2f64.powi(-40)], 1.0, 2f64.powi(-40)),
            (dmatrix![1e-170, 0.0], dmatrix![0.0, 1e-170], 1.0 - 0.5f64.sqrt(), 2f64.sqrt() * 1e-170),
            (dmatrix![1e170, 0.0], dmatrix![0.0, 1e170], 1.0 - 0.5f64.sqrt(), 2f64.sqrt() * 1e170),
        ] {
            let a = Adaptation::of(&feature, &moved);
            assert!((a.cosine - cosine).abs() <= 1e-8 * cosine, "{feature} {moved}: {}", a.cosine);
            assert!((a.norm / norm - 1.0).abs() < 1e-9, "{feature} {moved}: {}", a.norm);
        }
    }

    #[test]
    fn a_cosine_distance_is_between_0_and_2() {
        for i in 0..2000 {
            let at =
                |j: i32| f64::from((i * 37 + j * 91) % 13 - 6) * 10f64.powi((i * 7 + j * 5) % 17 - 8);
            let (z, d) = (dmatrix![at(1), at(2)], dmatrix![at(3) - at(1), at(4) - at(2)]);
            let cosine = Adaptation::with_outside(&z, &d, &[at(5).abs()]).cosine;
            assert!((0.0..=2.0).contains(&cosine) || cosine.is_nan(), "{z} {d}: {cosine}");
        }
    }

    #[test]
    fn a_zero_feature_has_no_direction() {
        let a = Adaptation::of(&dmatrix![0.0, 0.0], &dmatrix![3.0, 4.0]);
        assert!(a.cosine.is_nan());
        assert_eq!((a.euclidean, a.dot, a.norm), (5.0, 0.0, 5.0));
        // A feature of which only rounding is left has no direction, either.
        let gone = Adaptation::of(&dmatrix![0.1, 0.3], &dmatrix![-0.1 + 1e-17, -0.3]);
        assert!(gone.cosine.is_nan() && gone.norm < 1e-16);
        assert!(!Adaptation::of(&dmatrix![1.0], &dmatrix![-1.0 + 1e-13]).cosine.is_nan());
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
