//! Scores of predictions besides accuracy.

use nalgebra::DMatrix;

/// Mean over the classes of intersection over union: of the rows that have a class or are given it, the share that both
/// have and are given it. A class that no row has or is given does not count.
pub(super) fn mean_iou(predictions: &DMatrix<f64>, targets: &DMatrix<f64>) -> f64 {
    let classes = targets.ncols();
    let (mut both, mut either) = (vec![0usize; classes], vec![0usize; classes]);
    for (prediction, target) in predictions.row_iter().zip(targets.row_iter()) {
        let (given, right) = (largest(prediction.iter()), largest(target.iter()));
        either[right] += 1;
        if given == right {
            both[right] += 1;
        } else {
            either[given] += 1;
        }
    }
    let shares = both.iter().zip(&either).filter(|(_, either)| **either > 0);
    let shares: Vec<f64> = shares.map(|(both, either)| *both as f64 / *either as f64).collect();
    shares.iter().sum::<f64>() / shares.len() as f64
}

/// The place of the first of the largest.
fn largest<'a>(values: impl Iterator<Item = &'a f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (place, &value) in values.enumerate() {
        if value > best.1 {
            best = (place, value);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    /// By hand, of four classes of which the last is nowhere.
    #[test]
    fn intersections_over_unions() {
        let targets = dmatrix![
            1.0, 0.0, 0.0, 0.0;
            1.0, 0.0, 0.0, 0.0;
            0.0, 1.0, 0.0, 0.0;
            0.0, 0.0, 1.0, 0.0
        ];
        let predictions = dmatrix![
            3.0, 1.0, 1.0, 0.0;
            0.0, 0.5, 0.1, -1.0;
            0.0, 0.5, 0.1, -1.0;
            9.0, 0.5, 0.1, -1.0
        ];
        // Class 0: one of 3; class 1: one of 2; class 2: none of 1.
        assert!((mean_iou(&predictions, &targets) - (1.0 / 3.0 + 0.5) / 3.0).abs() < 1e-15);
        assert_eq!(mean_iou(&targets, &targets), 1.0);
        // A class that is only predicted counts as missed.
        let other = dmatrix![0.0, 0.0, 0.0, 1.0];
        assert_eq!(mean_iou(&other, &dmatrix![1.0, 0.0, 0.0, 0.0]), 0.0);
    }
}
