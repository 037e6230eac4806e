//! Softmax and cross-entropy by their definitions, for checks that do not ask the engine.

use nalgebra::DMatrix;

/// p, row by row.
pub(super) fn softmax(predictions: &DMatrix<f64>) -> DMatrix<f64> {
    let mut p = predictions.clone();
    for mut row in p.row_iter_mut() {
        let largest = row.max();
        row.apply(|x| *x = (*x - largest).exp());
        let sum = row.sum();
        row /= sum;
    }
    p
}

/// Σ of ln Σ e^f − y·f over the samples.
pub(super) fn cross_entropy(labels: &DMatrix<f64>, predictions: &DMatrix<f64>) -> f64 {
    predictions
        .row_iter()
        .zip(labels.row_iter())
        .map(|(f, y)| {
            let largest = f.max();
            largest + f.map(|x| (x - largest).exp()).sum().ln() - y.dot(&f)
        })
        .sum()
}

/// One-hot labels, smoothed by ε.
pub(super) fn labels(classes: &[usize], k: usize, smoothing: f64) -> DMatrix<f64> {
    DMatrix::from_fn(classes.len(), k, |n, c| {
        let hot = if classes[n] == c { 1.0 } else { 0.0 };
        (1.0 - smoothing) * hot + smoothing / k as f64
    })
}
