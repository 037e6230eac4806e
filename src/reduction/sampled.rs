//! A loss that is not linear in the predictions needs the residuals of all samples: R = Q r, F = Q f for the n rows
//! of a reduction, and r = Qᵀ G(Q f) with G(F) = −∂L/∂F (T22).

use std::sync::Arc;

use nalgebra::DMatrix;

use crate::loss::Loss;
use crate::product::{Factor, Multiplier, product};

/// The samples behind the rows of a reduction, under a loss other than the squared one.
#[derive(Debug, Clone)]
pub(crate) struct Sampled {
    loss: Loss,
    /// Y, N×k.
    targets: DMatrix<f64>,
    /// Q, N×n, with orthonormal columns: features are Q times the rows, at every time.
    directions: Arc<DMatrix<f64>>,
}

impl Sampled {
    pub fn new(loss: Loss, targets: DMatrix<f64>, directions: Arc<DMatrix<f64>>) -> Self {
        Self { loss, targets, directions }
    }

    pub fn targets(&self) -> &DMatrix<f64> {
        &self.targets
    }

    /// N.
    pub fn count(&self) -> usize {
        self.targets.nrows()
    }

    /// Q f for columns f of n numbers, into columns of N.
    pub fn spread(&self, multiplier: &Multiplier, rows: &[f64], out: &mut [f64]) {
        let rows = Factor::new(rows, self.directions.ncols());
        multiplier.multiply(out, false, 1.0, &*self.directions, rows);
    }

    /// r = Qᵀ G(Q f) of a block of predictions f, which for each output has `blocks` columns of n numbers. `samples`
    /// is memory for as many columns of N numbers, and holds the residuals of all samples afterwards.
    pub fn residual(
        &self,
        multiplier: &Multiplier,
        rows: &mut [f64],
        samples: &mut [f64],
        blocks: usize,
    ) {
        self.spread(multiplier, rows, samples);
        self.loss.residual_of_block(&self.targets, samples, blocks);
        let samples = Factor::new(samples, self.count());
        multiplier.multiply(rows, false, 1.0, Factor::from(&*self.directions).t(), samples);
    }

    /// QᵀS(QδF): by how much the residual of the rows falls when their predictions f move by a small δf, n×k.
    pub fn curvature(&self, rows: &DMatrix<f64>, change: &DMatrix<f64>) -> DMatrix<f64> {
        let (predictions, change) = (self.predictions(rows), self.predictions(change));
        product(Factor::from(&*self.directions).t(), &self.loss.curvature(&predictions, &change))
    }

    /// The mean of S over the samples where predictions of the rows are f, k×k.
    pub fn mean_curvature(&self, rows: &DMatrix<f64>) -> DMatrix<f64> {
        let k = rows.ncols();
        let predictions = self.predictions(rows);
        let mut mean = DMatrix::zeros(k, k);
        self.loss.each_curvature(&predictions, |_, c, d, value| mean[(c, d)] += value);
        mean / self.count() as f64
    }

    /// Qᵀ diag(S_n) Q, nk×nk, output by output.
    pub fn whole_curvature(&self, rows: &DMatrix<f64>) -> DMatrix<f64> {
        let (n, k) = rows.shape();
        let count = self.count();
        let mut weights = vec![DMatrix::zeros(0, 0); k * k];
        for (i, weight) in weights.iter_mut().enumerate() {
            if i / k <= i % k {
                *weight = DMatrix::zeros(count, 1);
            }
        }
        let predictions = self.predictions(rows);
        self.loss.each_curvature(&predictions, |row, c, d, value| {
            if c <= d {
                weights[c * k + d][row] = value;
            }
        });
        let mut all = DMatrix::zeros(n * k, n * k);
        for c in 0..k {
            for d in c..k {
                let mut weighted = (*self.directions).clone();
                for mut column in weighted.column_iter_mut() {
                    column.component_mul_assign(&weights[c * k + d].column(0));
                }
                let block = product(Factor::from(&*self.directions).t(), &weighted);
                all.view_mut((c * n, d * n), (n, n)).copy_from(&block);
                all.view_mut((d * n, c * n), (n, n)).copy_from(&block.transpose());
            }
        }
        all
    }

    /// The loss, summed over the samples, where predictions of the rows are f.
    pub fn value(&self, rows: &DMatrix<f64>) -> f64 {
        self.loss.value(&self.targets, &self.predictions(rows))
    }

    /// Predictions f of the rows (n×k) on all samples, N×k.
    pub fn predictions(&self, rows: &DMatrix<f64>) -> DMatrix<f64> {
        product(&*self.directions, rows)
    }
}
