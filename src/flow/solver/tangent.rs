//! The tangent kernel Θ = K ⊗ VᵀV + γ ZZᵀ ⊗ I frozen at a state, decomposed.
//!
//! Θ acts on residuals R (n×k) by K R VᵀV + γ ZZᵀR. With VᵀV = W diag(m) Wᵀ it splits into k
//! symmetric matrices m_j K + γ ZZᵀ of size n: their eigenvectors make every function of Θ, at any
//! step size and any complex shift, a pair of matrix products.

use nalgebra::{Complex, DMatrix, DMatrixViewMut, DVector};

use super::field::{scale_rows, views, views_mut};
use crate::flow::Flow;
use crate::linalg::{DecompositionError, Eigen, null_threshold};
use crate::reduction::State;

/// The decomposed tangent kernel at one state.
#[derive(Debug, Clone)]
pub struct Tangent {
    z: DMatrix<f64>,
    v: DMatrix<f64>,
    v_transposed: DMatrix<f64>,
    sqrt_lambda: DVector<f64>,
    head_rate: f64,
    /// W, k×k.
    outputs: DMatrix<f64>,
    outputs_transposed: DMatrix<f64>,
    /// m, k values.
    gains: DVector<f64>,
    /// Eigenvectors and eigenvalues of m_j K + γ ZZᵀ.
    modes: Vec<Eigen>,
    largest: f64,
}

impl Tangent {
    /// Freezes and decomposes the tangent kernel at a state.
    pub fn new(flow: &Flow, state: &State) -> Result<Self, DecompositionError> {
        let z = flow.reduction().features_at(state);
        let v = state.head.clone();
        let lambda = flow.reduction().lambda();
        let gram = &z * z.transpose() * flow.head_rate();
        let outputs = Eigen::new(&v.tr_mul(&v))?;
        let gains = outputs.d.map(|m| m.max(0.0));
        let mut modes = Vec::with_capacity(gains.len());
        for &m in &gains {
            let mut sum = gram.clone();
            for i in 0..sum.nrows() {
                sum[(i, i)] += m * lambda[i];
            }
            let mut eigen = Eigen::new(&sum)?;
            eigen.d.iter_mut().for_each(|d| *d = d.max(0.0));
            modes.push(eigen);
        }
        let largest =
            modes.iter().filter_map(|e| e.d.as_slice().first()).fold(0.0, |a, &b| f64::max(a, b));
        Ok(Self {
            z,
            v_transposed: v.transpose(),
            v,
            sqrt_lambda: lambda.map(f64::sqrt),
            head_rate: flow.head_rate(),
            outputs_transposed: outputs.q.transpose(),
            outputs: outputs.q,
            gains,
            modes,
            largest,
        })
    }

    /// The largest eigenvalue: the fastest decay rate of the residual.
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// The most that a residual of norm 1 moves (D, V/√γ) in a time t if it does not vanish by itself:
    /// the largest √d · min(t, 1/d) over the eigenvalues d.
    pub fn response(&self, t: f64) -> f64 {
        let null = self.null();
        let eigenvalues = self.modes.iter().flat_map(|e| e.d.iter().copied());
        let smallest = eigenvalues.filter(|&d| d > null).fold(f64::INFINITY, f64::min);
        (t * self.largest.sqrt()).min(t.sqrt()).min(smallest.sqrt().recip())
    }

    /// Applies diag(√λ) from the left.
    fn sqrt_kernel(&self, a: &DMatrix<f64>) -> DMatrix<f64> {
        let mut out = a.clone();
        for (i, mut row) in out.row_iter_mut().enumerate() {
            row *= self.sqrt_lambda[i];
        }
        out
    }

    /// The velocity that a residual causes at this state: (Λ^{1/2} R Vᵀ, γ ZᵀR).
    pub fn push(&self, residual: &DMatrix<f64>) -> State {
        State {
            motion: self.sqrt_kernel(residual) * self.v.transpose(),
            head: self.z.tr_mul(residual) * self.head_rate,
        }
    }

    /// f(Θ)R for a function of an eigenvalue.
    pub fn apply(&self, residual: &DMatrix<f64>, f: impl Fn(f64) -> f64) -> DMatrix<f64> {
        let rotated = residual * &self.outputs;
        let mut out = DMatrix::zeros(residual.nrows(), residual.ncols());
        for (j, eigen) in self.modes.iter().enumerate() {
            let mut c = eigen.q.tr_mul(&rotated.column(j));
            c.iter_mut().zip(eigen.d.iter()).for_each(|(x, &d)| *x *= f(d));
            out.set_column(j, &(&eigen.q * c));
        }
        out * self.outputs.transpose()
    }

    /// Θ⁺R: what is left of ∫R dt if the tangent kernel stays as it is. Eigenvalues that are zero to
    /// rounding are left out.
    pub fn remaining(&self, residual: &DMatrix<f64>) -> DMatrix<f64> {
        let null = self.null();
        self.apply(residual, |d| if d > null { 1.0 / d } else { 0.0 })
    }

    /// The part of a residual on which Θ is zero to rounding.
    pub fn unreachable(&self, residual: &DMatrix<f64>) -> DMatrix<f64> {
        let null = self.null();
        self.apply(residual, |d| if d > null { 0.0 } else { 1.0 })
    }

    fn null(&self) -> f64 {
        self.largest * null_threshold(self.z.nrows() + self.z.ncols())
    }

    /// The loss that the backbone spends while a residual decays completely under this kernel:
    /// Σ_j m_j ∫ r_jᵀ K r_j dt.
    pub fn backbone_share(&self, residual: &DMatrix<f64>) -> f64 {
        let rotated = residual * &self.outputs;
        let null = self.null();
        let mut sum = 0.0;
        for (j, eigen) in self.modes.iter().enumerate() {
            let c = eigen.q.tr_mul(&rotated.column(j));
            let scaled = self.sqrt_kernel(&eigen.q);
            let kernel = scaled.tr_mul(&scaled);
            for a in 0..c.len() {
                for b in 0..c.len() {
                    let rate = eigen.d[a] + eigen.d[b];
                    if eigen.d[a] > null && eigen.d[b] > null {
                        sum += self.gains[j] * kernel[(a, b)] * c[a] * c[b] / rate;
                    }
                }
            }
        }
        sum
    }

    /// Solves (I − μ_l J)x_l = g_l in place for one real shift and any number of complex ones, where
    /// J(δ) = push(pull(δ)) is the stiff part of the Jacobian. The columns of `block` are packed states: the
    /// one of the real shift, then the real and the imaginary part for each complex shift.
    pub fn solve(&self, shifts: &[Complex<f64>], block: &mut DMatrix<f64>, buffers: &mut Buffers) {
        let (n, p) = self.z.shape();
        let (entries, s) = block.shape();
        let Buffers { residual, stacked, rotated, coordinates } = buffers;
        for (l, x) in block.as_slice().chunks_exact(entries).enumerate() {
            let (motion, head) = views(x, n, p);
            residual.gemm(-1.0, &motion, &self.v, 0.0);
            scale_rows(residual, &self.sqrt_lambda);
            residual.gemm(-1.0, &self.z, &head, 1.0);
            stacked.rows_mut(l * n, n).copy_from(residual);
        }
        rotated.gemm(1.0, stacked, &self.outputs, 0.0);
        for (eigen, part) in self.modes.iter().zip(rotated.as_mut_slice().chunks_exact_mut(n * s)) {
            let mut part = DMatrixViewMut::from_slice(part, n, s);
            coordinates.gemm_tr(1.0, &eigen.q, &part, 0.0);
            let c = &mut *coordinates;
            for (i, &d) in eigen.d.iter().enumerate() {
                c[(i, 0)] *= shifts[0].re / (1.0 + shifts[0].re * d);
                for (l, &shift) in shifts.iter().enumerate().skip(1) {
                    let (re, im) = (2 * l - 1, 2 * l);
                    let value = Complex::new(c[(i, re)], c[(i, im)]) * shift / (shift * d + 1.0);
                    (c[(i, re)], c[(i, im)]) = (value.re, value.im);
                }
            }
            part.gemm(1.0, &eigen.q, c, 0.0);
        }
        stacked.gemm(1.0, rotated, &self.outputs_transposed, 0.0);
        for (l, x) in block.as_mut_slice().chunks_exact_mut(entries).enumerate() {
            residual.copy_from(&stacked.rows(l * n, n));
            let (mut motion, mut head) = views_mut(x, n, p);
            head.gemm_tr(self.head_rate, &self.z, residual, 1.0);
            scale_rows(residual, &self.sqrt_lambda);
            motion.gemm(1.0, residual, &self.v_transposed, 1.0);
        }
    }
}

/// What [`Tangent::solve`] works in.
#[derive(Debug, Clone)]
pub struct Buffers {
    residual: DMatrix<f64>,
    stacked: DMatrix<f64>,
    rotated: DMatrix<f64>,
    coordinates: DMatrix<f64>,
}

impl Buffers {
    /// For blocks of exactly `columns` columns.
    pub fn new(flow: &Flow, columns: usize) -> Self {
        let (n, k) = flow.reduction().targets().shape();
        Self {
            residual: DMatrix::zeros(n, k),
            stacked: DMatrix::zeros(n * columns, k),
            rotated: DMatrix::zeros(n * columns, k),
            coordinates: DMatrix::zeros(n, columns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::Field;
    use super::*;
    use crate::linalg::wobble;
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    /// The linear change of the residual by a small motion: −(Λ^{1/2} δD V + Z δV).
    fn pull(tangent: &Tangent, change: &State) -> DMatrix<f64> {
        -(tangent.sqrt_kernel(&change.motion) * &tangent.v + &tangent.z * &change.head)
    }

    #[test]
    fn solve_inverts_the_shifted_jacobian() {
        let head = wobble(6, 2, 3.0);
        let problem =
            Problem::linear(&wobble(3, 9, 0.0), &wobble(6, 9, 1.0), wobble(3, 2, 2.0)).unwrap();
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 0.7).unwrap();
        let tangent = Tangent::new(&flow, flow.start()).unwrap();
        let (n, p, k) = (3, reduction.width(), 2);
        let state = |seed| State { motion: wobble(n, p, seed), head: wobble(p, k, seed + 1.0) };
        let given = [state(4.0), state(6.0), state(8.0)];
        let field = Field::new(&flow);
        let mut block = DMatrix::from_columns(&given.each_ref().map(|g| field.pack(g)));
        let shifts = [Complex::new(0.6, 0.0), Complex::new(0.4, 0.9)];
        tangent.solve(&shifts, &mut block, &mut Buffers::new(&flow, 3));
        let [real, re, im] = [0, 1, 2].map(|l| field.unpack(block.column(l).as_slice()));
        let jacobian = |x: &State| tangent.push(&pull(&tangent, x));
        let left = |x: &State, parts: &[(f64, &State)], given: &State| {
            let mut left = x.clone();
            parts.iter().for_each(|(factor, y)| left.add(*factor, &jacobian(y)));
            left.add(-1.0, given);
            left.motion.norm() + left.head.norm()
        };
        assert!(left(&real, &[(-0.6, &real)], &given[0]) < 1e-11);
        assert!(left(&re, &[(-0.4, &re), (0.9, &im)], &given[1]) < 1e-11);
        assert!(left(&im, &[(-0.4, &im), (-0.9, &re)], &given[2]) < 1e-11);
    }

    #[test]
    fn apply_is_the_tangent_kernel() {
        let head = wobble(6, 2, 3.0);
        let problem =
            Problem::linear(&wobble(3, 9, 0.0), &wobble(6, 9, 1.0), wobble(3, 2, 2.0)).unwrap();
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 0.7).unwrap();
        let tangent = Tangent::new(&flow, flow.start()).unwrap();
        let r = wobble(3, 2, 8.0);
        let direct = -pull(&tangent, &tangent.push(&r));
        assert!((tangent.apply(&r, |d| d) - direct).norm() < 1e-12);
    }
}
