//! The right-hand side of the flow on packed states, in buffers that are made once.
//!
//! A packed state is the motion D (n×p) followed by the head V (p×k), each column by column.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut, DVector};

use crate::flow::Flow;
use crate::reduction::State;

/// The flow with the buffers of one evaluation.
#[derive(Debug, Clone)]
pub struct Field<'a> {
    flow: &'a Flow<'a>,
    sqrt_lambda: DVector<f64>,
    features: DMatrix<f64>,
    residual: DMatrix<f64>,
    head_rows: DMatrix<f64>,
}

impl<'a> Field<'a> {
    /// Makes the buffers.
    pub fn new(flow: &'a Flow<'a>) -> Self {
        let reduction = flow.reduction();
        Self {
            flow,
            sqrt_lambda: reduction.lambda().map(f64::sqrt),
            features: reduction.features().clone(),
            residual: reduction.targets().clone(),
            head_rows: flow.start().head.transpose(),
        }
    }

    /// Entries of the motion.
    pub fn motion_entries(&self) -> usize {
        self.features.len()
    }

    /// Entries of a packed state.
    pub fn entries(&self) -> usize {
        self.features.len() + self.head_rows.len()
    }

    /// Packs a state.
    pub fn pack(&self, state: &State) -> DVector<f64> {
        DVector::from_iterator(self.entries(), state.motion.iter().chain(state.head.iter()).copied())
    }

    /// Unpacks a state.
    pub fn unpack(&self, x: &[f64]) -> State {
        let (motion, head) = views(x, self.features.nrows(), self.features.ncols());
        State { motion: motion.into_owned(), head: head.into_owned() }
    }

    /// The velocity (Λ^{1/2} R Vᵀ, γ ZᵀR) at a packed state: three products of n×p×k.
    pub fn velocity(&mut self, x: &[f64], out: &mut [f64]) {
        let reduction = self.flow.reduction();
        let (n, p) = self.features.shape();
        let (motion, head) = views(x, n, p);
        let start = reduction.features();
        for ((mut z, z0), d) in
            self.features.column_iter_mut().zip(start.column_iter()).zip(motion.column_iter())
        {
            for i in 0..n {
                z[i] = z0[i] + self.sqrt_lambda[i] * d[i];
            }
        }
        self.residual.copy_from(reduction.targets());
        self.residual.gemm(-1.0, &self.features, &head, 1.0);
        head.transpose_to(&mut self.head_rows);
        let (mut motion, mut head) = views_mut(out, n, p);
        head.gemm_tr(self.flow.head_rate(), &self.features, &self.residual, 0.0);
        scale_rows(&mut self.residual, &self.sqrt_lambda);
        motion.gemm(1.0, &self.residual, &self.head_rows, 0.0);
    }
}

/// The motion (n×p) and the head of a packed state.
pub fn views(x: &[f64], n: usize, p: usize) -> (DMatrixView<'_, f64>, DMatrixView<'_, f64>) {
    let (motion, head) = x.split_at(n * p);
    let k = head.len() / p.max(1);
    (DMatrixView::from_slice(motion, n, p), DMatrixView::from_slice(head, p, k))
}

/// The same to write to.
pub fn views_mut(
    x: &mut [f64],
    n: usize,
    p: usize,
) -> (DMatrixViewMut<'_, f64>, DMatrixViewMut<'_, f64>) {
    let (motion, head) = x.split_at_mut(n * p);
    let k = head.len() / p.max(1);
    (DMatrixViewMut::from_slice(motion, n, p), DMatrixViewMut::from_slice(head, p, k))
}

/// Applies a diagonal matrix from the left.
pub fn scale_rows(a: &mut DMatrix<f64>, diagonal: &DVector<f64>) {
    for mut column in a.column_iter_mut() {
        column.component_mul_assign(diagonal);
    }
}
