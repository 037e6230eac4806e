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

/// Area under the ROC curve of two classes: the share of pairs of a row of each class in which that of the second has
/// the larger difference between the second output and the first, equal ones counting half. None if a class has no row,
/// or an output is not a number.
pub(super) fn auc(predictions: &DMatrix<f64>, targets: &DMatrix<f64>) -> Option<f64> {
    let of = |row: usize| {
        (predictions[(row, 1)] - predictions[(row, 0)], targets[(row, 1)] > targets[(row, 0)])
    };
    let mut all: Vec<(f64, bool)> = (0..targets.nrows()).map(of).collect();
    if all.iter().any(|(difference, _)| difference.is_nan()) {
        return None;
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut pairs, mut positive) = (0, 0.0, 0);
    for equal in all.chunk_by(|a, b| a.0 == b.0) {
        let right = equal.iter().filter(|(_, right)| *right).count();
        let wrong = equal.len() - right;
        pairs += right as f64 * (below as f64 + wrong as f64 / 2.0);
        below += wrong;
        positive += right;
    }
    (positive * below > 0).then(|| pairs / (positive as f64 * below as f64))
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

    /// By hand: of 2 × 3 pairs, four are in order and one is equal.
    #[test]
    fn pairs_in_order() {
        let targets = dmatrix![1.0, 0.0; 1.0, 0.0; 0.0, 1.0; 1.0, 0.0; 0.0, 1.0];
        let predictions = dmatrix![0.0, 1.0; 3.0, 1.0; 5.0, 6.0; 1.0, 3.5; 0.0, 4.0];
        // Differences: 1, −2, 1 (right), 2.5, 4 (right).
        assert_eq!(auc(&predictions, &targets), Some(4.5 / 6.0));
        assert_eq!(auc(&targets, &targets), Some(1.0));
        assert_eq!(auc(&(-&targets), &targets), Some(0.0));
        assert_eq!(auc(&(&targets * 0.0), &targets), Some(0.5));
        assert_eq!(auc(&predictions.rows(0, 2).into(), &targets.rows(0, 2).into()), None);
        assert_eq!(auc(&(&predictions * f64::NAN), &targets), None);
    }

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
