//! The tangent kernel Θ = K ⊗ VᵀV + γ ZZᵀ ⊗ I frozen at a state, decomposed.
//!
//! Θ acts on residuals R (n×k) by K R VᵀV + γ ZZᵀR. With VᵀV = W diag(m) Wᵀ it splits into k
//! symmetric matrices m_j K + γ ZZᵀ of size n: their eigenvectors make every function of Θ, at any
//! step size and any complex shift, a pair of matrix products.

use nalgebra::{Complex, DMatrix, DVector};

use crate::flow::Flow;
use crate::linalg::{DecompositionError, Eigen, null_threshold};
use crate::reduction::State;

/// The decomposed tangent kernel at one state.
#[derive(Debug, Clone)]
pub struct Tangent {
    z: DMatrix<f64>,
    v: DMatrix<f64>,
    sqrt_lambda: DVector<f64>,
    head_rate: f64,
    /// W, k×k.
    outputs: DMatrix<f64>,
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
            v,
            sqrt_lambda: lambda.map(f64::sqrt),
            head_rate: flow.head_rate(),
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

    /// The linear change of the residual by a small motion: −(Λ^{1/2} δD V + Z δV).
    fn pull(&self, change: &State) -> DMatrix<f64> {
        -(self.sqrt_kernel(&change.motion) * &self.v + &self.z * &change.head)
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

    /// Solves (I − μJ)x = g where J(δ) = push(pull(δ)) is the stiff part of the Jacobian: the step
    /// of a simplified Newton iteration, for a complex shift μ. Parts are given and returned as
    /// (real, imaginary).
    pub fn solve(&self, shift: Complex<f64>, re: &State, im: Option<&State>) -> (State, Option<State>) {
        let rotated_re = self.pull(re) * &self.outputs;
        let rotated_im = im.map(|im| self.pull(im) * &self.outputs);
        let (n, k) = rotated_re.shape();
        let mut out_re = DMatrix::zeros(n, k);
        let mut out_im = DMatrix::zeros(n, k);
        for (j, eigen) in self.modes.iter().enumerate() {
            let mut a = eigen.q.tr_mul(&rotated_re.column(j));
            match &rotated_im {
                None => {
                    a.iter_mut().zip(eigen.d.iter()).for_each(|(x, &d)| *x /= 1.0 + shift.re * d);
                    out_re.set_column(j, &(&eigen.q * a));
                }
                Some(rotated_im) => {
                    let mut b = eigen.q.tr_mul(&rotated_im.column(j));
                    for ((x, y), &d) in a.iter_mut().zip(b.iter_mut()).zip(eigen.d.iter()) {
                        let value = Complex::new(*x, *y) / (Complex::new(1.0, 0.0) + shift * d);
                        (*x, *y) = (value.re, value.im);
                    }
                    out_re.set_column(j, &(&eigen.q * a));
                    out_im.set_column(j, &(&eigen.q * b));
                }
            }
        }
        let back_re = self.push(&(out_re * self.outputs.transpose()));
        match im {
            None => {
                let mut x = re.clone();
                x.add(shift.re, &back_re);
                (x, None)
            }
            Some(im) => {
                let back_im = self.push(&(out_im * self.outputs.transpose()));
                let (mut x, mut y) = (re.clone(), im.clone());
                x.add(shift.re, &back_re);
                x.add(-shift.im, &back_im);
                y.add(shift.im, &back_re);
                y.add(shift.re, &back_im);
                (x, Some(y))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    #[test]
    fn solve_inverts_the_shifted_jacobian() {
        let head = wobble(6, 2, 3.0);
        let problem =
            Problem::linear(&wobble(3, 9, 0.0), &wobble(6, 9, 1.0), wobble(3, 2, 2.0)).unwrap();
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 0.7).unwrap();
        let tangent = Tangent::new(&flow, flow.start()).unwrap();
        let g =
            State { motion: wobble(3, reduction.width(), 4.0), head: wobble(reduction.width(), 2, 5.0) };
        let i =
            State { motion: wobble(3, reduction.width(), 6.0), head: wobble(reduction.width(), 2, 7.0) };
        let shift = Complex::new(0.4, 0.9);
        let (x, y) = tangent.solve(shift, &g, Some(&i));
        let y = y.unwrap();
        let (jx, jy) = (tangent.push(&tangent.pull(&x)), tangent.push(&tangent.pull(&y)));
        // (x + iy) − μ(Jx + iJy) = g + ii
        let mut real = x.clone();
        real.add(-shift.re, &jx);
        real.add(shift.im, &jy);
        real.add(-1.0, &g);
        let mut imaginary = y.clone();
        imaginary.add(-shift.re, &jy);
        imaginary.add(-shift.im, &jx);
        imaginary.add(-1.0, &i);
        assert!(real.motion.norm().max(real.head.norm()) < 1e-11);
        assert!(imaginary.motion.norm() + imaginary.head.norm() < 1e-11);
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
        let direct = -tangent.pull(&tangent.push(&r));
        assert!((tangent.apply(&r, |d| d) - direct).norm() < 1e-12);
    }
}
