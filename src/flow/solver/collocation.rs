//! Radau IIA collocation of any odd number of stages, computed from its definition.
//!
//! Nodes, coefficients, the eigenvectors that decouple the stage equations and the embedded error
//! formula follow from the number of stages s; the order is 2s − 1 (Hairer and Wanner, *Solving
//! Ordinary Differential Equations II*, section IV.5 and IV.8).

use nalgebra::{Complex, DMatrix, DVector};

/// Most pairs of complex eigenvalues that a method may have.
const MAX_PAIRS: usize = 4;

/// The coefficients of one method.
#[derive(Debug, Clone)]
pub struct Collocation {
    /// Nodes c₁ < … < c_s = 1.
    pub nodes: Vec<f64>,
    /// Coefficients a_ij, s×s. The last row is also the weights.
    pub a: DMatrix<f64>,
    /// Eigenvalues of A: the real one, then one of each complex pair.
    pub eigenvalues: Vec<Complex<f64>>,
    /// Weights of the stage increments in the embedded error formula.
    pub error: Vec<f64>,
    /// A^{−T}.
    pub inverse_transposed: DMatrix<f64>,
    /// Turns a row of s stages into the real component and the real and imaginary part of each complex one.
    pub decouple: DMatrix<f64>,
    /// Turns these back into stages.
    pub couple: DMatrix<f64>,
}

impl Collocation {
    /// The method with s stages.
    pub fn radau(s: usize) -> Self {
        assert!(s % 2 == 1, "Radau IIA has a real eigenvalue for an odd number of stages");
        assert!(s <= 2 * MAX_PAIRS + 1, "at most {} stages", 2 * MAX_PAIRS + 1);
        let nodes = radau_nodes(s);
        // Collocation: Σ_j a_ij c_j^{q−1} = c_i^q / q for q = 1 … s.
        let vandermonde = DMatrix::from_fn(s, s, |q, j| nodes[j].powi(q as i32));
        let solve = vandermonde.clone().lu();
        let mut a = DMatrix::zeros(s, s);
        for (i, c) in nodes.iter().enumerate() {
            let rhs = DVector::from_fn(s, |q, _| c.powi(q as i32 + 1) / (q + 1) as f64);
            let row = solve.solve(&rhs).expect("distinct nodes");
            a.set_row(i, &row.transpose());
        }

        let mut values: Vec<Complex<f64>> =
            a.complex_eigenvalues().iter().copied().filter(|v| v.im > -1e-9).collect();
        values.sort_by(|x, y| x.im.total_cmp(&y.im));
        values[0].im = 0.0;
        assert_eq!(values.len(), s / 2 + 1, "one real eigenvalue and (s-1)/2 pairs");
        let complex = a.map(|x| Complex::new(x, 0.0));
        let vector = |m: &DMatrix<Complex<f64>>, value: Complex<f64>| {
            let shifted = m - DMatrix::identity(s, s) * (value * Complex::new(1.0 + 1e-12, 0.0));
            let lu = shifted.lu();
            let mut v = DVector::from_fn(s, |i, _| Complex::new(1.0, 0.3 * i as f64));
            for _ in 0..3 {
                v = lu.solve(&v).expect("the shift is not an eigenvalue");
                v /= Complex::new(v.norm(), 0.0);
            }
            v
        };
        // Right eigenvectors as columns and left ones as rows, so that `left` · `right` is the identity.
        let m = values.len();
        let (mut right, mut left) = (DMatrix::zeros(s, m), DMatrix::zeros(m, s));
        for (l, &value) in values.iter().enumerate() {
            let mut v = vector(&complex, value);
            // A real first entry makes the vectors of the real eigenvalue real.
            let phase = v[0] / v[0].norm();
            v /= phase;
            let w = vector(&complex.transpose(), value);
            let scale = w.dot(&v);
            right.set_column(l, &v);
            left.set_row(l, &(w.transpose() / scale));
        }

        // Embedded formula of order s on the nodes 0, c₁ … c_s with weight γ₀ at 0 (the real
        // eigenvalue): its difference to the weights, expressed in stage increments.
        let real = values[0].re;
        let rhs = DVector::from_fn(s, |q, _| 1.0 / (q + 1) as f64 - if q == 0 { real } else { 0.0 });
        let embedded = solve.solve(&rhs).expect("distinct nodes");
        let difference = embedded - a.row(s - 1).transpose();
        let error = a.transpose().lu().solve(&difference).expect("A is invertible");
        // Component c of the decoupled system: the real eigenvalue, or a part of pair (c + 1)/2.
        let part =
            |value: Complex<f64>, c: usize| if c % 2 == 1 || c == 0 { value.re } else { value.im };
        let decouple = DMatrix::from_fn(s, s, |j, c| part(left[(c.div_ceil(2), j)], c));
        let couple = DMatrix::from_fn(s, s, |c, i| {
            let factor = if c == 0 {
                1.0
            } else if c % 2 == 1 {
                2.0
            } else {
                -2.0
            };
            factor * part(right[(i, c.div_ceil(2))], c)
        });
        Self {
            nodes,
            inverse_transposed: a.transpose().try_inverse().expect("A is invertible"),
            a,
            eigenvalues: values,
            error: error.as_slice().to_vec(),
            decouple,
            couple,
        }
    }

    /// Number of stages.
    pub fn stages(&self) -> usize {
        self.nodes.len()
    }

    /// Divides number a of n in the components of the eigenvalues of A (the real one, then real and imaginary part of
    /// each pair, n numbers each) by 1 + x times its eigenvalue.
    pub fn divide_by_shifted(&self, parts: &mut [f64], n: usize, a: usize, x: f64) {
        parts[a] /= 1.0 + x * self.eigenvalues[0].re;
        for l in 1..self.eigenvalues.len() {
            let (re, im) = ((2 * l - 1) * n + a, 2 * l * n + a);
            let value = Complex::new(parts[re], parts[im]) / (self.eigenvalues[l] * x + 1.0);
            (parts[re], parts[im]) = (value.re, value.im);
        }
    }

    /// Value at x of the Lagrange polynomial of node c_j on c₁ … c_s alone.
    pub fn lagrange_of_stages(&self, j: usize, x: f64) -> f64 {
        let others = self.nodes.iter().enumerate().filter(|(i, _)| *i != j);
        others.map(|(_, &c)| (x - c) / (self.nodes[j] - c)).product()
    }

    /// Value at x of the Lagrange polynomial of node c_j on 0, c₁ … c_s: the weight of the change since the start of
    /// a step in the collocation polynomial.
    pub fn lagrange(&self, j: usize, x: f64) -> f64 {
        self.lagrange_of_stages(j, x) * x / self.nodes[j]
    }
}

/// The zeros of P_s(2x−1) − P_{s−1}(2x−1), the last of which is 1.
fn radau_nodes(s: usize) -> Vec<f64> {
    let f = |x: f64| legendre(s, 2.0 * x - 1.0) - legendre(s - 1, 2.0 * x - 1.0);
    let grid = 200 * s * s;
    let mut nodes = Vec::new();
    for i in 0..grid - 1 {
        let (mut a, mut b) = (i as f64 / grid as f64, (i + 1) as f64 / grid as f64);
        let sign = f(a);
        if sign * f(b) > 0.0 {
            continue;
        }
        loop {
            let m = a + (b - a) / 2.0;
            if m <= a || m >= b {
                break;
            }
            if f(m) * sign > 0.0 { a = m } else { b = m }
        }
        nodes.push(a);
    }
    nodes.push(1.0);
    assert_eq!(nodes.len(), s);
    nodes
}

/// The Legendre polynomial P_n(x).
fn legendre(n: usize, x: f64) -> f64 {
    let (mut before, mut now) = (1.0, x);
    if n == 0 {
        return before;
    }
    for i in 1..n {
        let i = i as f64;
        (before, now) = (now, ((2.0 * i + 1.0) * x * now - i * before) / (i + 1.0));
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_stages_are_radau5() {
        let m = Collocation::radau(3);
        let root = 6f64.sqrt();
        let nodes = [(4.0 - root) / 10.0, (4.0 + root) / 10.0, 1.0];
        for (a, b) in m.nodes.iter().zip(nodes) {
            assert!((a - b).abs() < 1e-15);
        }
        assert!((m.a[(0, 0)] - (88.0 - 7.0 * root) / 360.0).abs() < 1e-15);
        assert!((m.a[(2, 2)] - 1.0 / 9.0).abs() < 1e-15);
    }

    #[test]
    fn weights_have_order_two_s_minus_one() {
        for s in [1, 3, 5, 7] {
            let m = Collocation::radau(s);
            for q in 1..=2 * s - 1 {
                let sum: f64 = (0..s).map(|j| m.a[(s - 1, j)] * m.nodes[j].powi(q as i32 - 1)).sum();
                assert!((sum - 1.0 / q as f64).abs() < 1e-13, "s = {s}, q = {q}");
            }
        }
    }

    #[test]
    fn eigenvectors_decouple_the_stages() {
        for s in [1, 3, 5, 7] {
            let m = Collocation::radau(s);
            let identity = &m.couple * &m.decouple;
            assert!((identity - DMatrix::identity(s, s)).norm() < 1e-11, "s = {s}");
            // The real eigenvalue, then a rotation and stretching for each pair.
            let mut blocks = DMatrix::zeros(s, s);
            blocks[(0, 0)] = m.eigenvalues[0].re;
            for (l, value) in m.eigenvalues.iter().enumerate().skip(1) {
                let c = 2 * l - 1;
                (blocks[(c, c)], blocks[(c + 1, c + 1)]) = (value.re, value.re);
                (blocks[(c, c + 1)], blocks[(c + 1, c)]) = (value.im, -value.im);
            }
            let found = &m.couple * m.a.transpose() * &m.decouple;
            assert!((found - blocks).norm() < 1e-11, "s = {s}");
        }
    }

    #[test]
    fn the_collocation_polynomial_reproduces_powers() {
        let m = Collocation::radau(5);
        let x = 1.3;
        for power in 1..=5 {
            let value: f64 =
                m.nodes.iter().enumerate().map(|(j, c)| m.lagrange(j, x) * c.powi(power)).sum();
            assert!((value - x.powi(power)).abs() < 1e-12);
        }
    }
}
