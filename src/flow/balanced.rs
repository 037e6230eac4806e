//! λ-balanced, whitened flows in closed form (T16): K = I, γ = 1, V₀V₀ᵀ − Z₀ᵀZ₀ = λ I_h.
//!
//! With Q = [Z; Vᵀ] and F = [[−λ/2 I, Y],[Yᵀ, λ/2 I]] the flow is Q̇ = FQ − ½ QQᵀQ, so that
//! (Fukumizu 1998; Braun et al. 2022; Dominé et al. 2025)
//!
//! $$QQ^\top(t) = e^{Ft}Q_0\Big(I + Q_0^\top\big(\textstyle\int_0^t e^{2Fs}ds\big)Q_0\Big)^{-1}Q_0^\top e^{Ft}.$$
//!
//! *What it gives.* The Gram matrices ZZᵀ, ZV and VᵀV: predictions, residual and feature norms at any
//! time. Not Z itself: QQᵀ fixes Q only up to a rotation of feature space that depends on the whole path, so
//! distances and dot products with Z₀ are not in closed form.
//!
//! *How it is evaluated.* F is decomposed through the singular values s of Y: its eigenvalues are
//! ±√(λ²/4 + s²), and −λ/2 (on samples) and λ/2 (on outputs) where Y is zero. In eigenvectors E, with
//! A = EᵀQ₀, ψ = ∫₀ᵗ e^{2fs} ds and T = √ψ A, the inverse is a projector, T(I + TᵀT)⁻¹Tᵀ = Q₁Q₁ᵀ with
//! Q₁ the upper part of the orthogonal factor of [T; I]. Its rows span e^{ft}, up to e^{10⁶}: they are kept as
//! (logarithm, mantissa), taken by size and reduced by Householder reflections with column
//! pivoting, which is backward stable row by row (Cox and Higham 1998). Nothing overflows for any t, and
//! t = ∞ is the same formula with infinite separations. λ = 0 needs no case of its own.

use std::cmp::Ordering;

use nalgebra::{DMatrix, DVector};

use super::{Flow, FlowError, HYPOTHESIS_TOLERANCE, Violation, check_time};
use crate::linalg::{Svd, completed, rank};

/// A λ-balanced flow on whitened inputs.
#[derive(Debug, Clone)]
pub struct Balanced {
    lambda: f64,
    samples: usize,
    /// Eigenvectors E of F, (N+k)×(N+k), and eigenvalues f.
    vectors: DMatrix<f64>,
    rates: DVector<f64>,
    /// A = EᵀQ₀, (N+k)×h.
    start: DMatrix<f64>,
}

/// What a λ-balanced flow gives at one time.
#[derive(Debug, Clone)]
pub struct Grams {
    /// ZZᵀ, N×N.
    pub features: DMatrix<f64>,
    /// ZV, N×k.
    pub prediction: DMatrix<f64>,
    /// VᵀV, k×k.
    pub head: DMatrix<f64>,
}

const FORM: &str = "the λ-balanced closed form (T16)";

impl Balanced {
    /// The balanced flow from features Z₀ (N×h), targets Y (N×k) and head V₀ (h×k) with K = I and γ = 1.
    pub fn new(
        features: &DMatrix<f64>,
        targets: &DMatrix<f64>,
        head: &DMatrix<f64>,
    ) -> Result<Self, FlowError> {
        let (n, h, k) = (features.nrows(), features.ncols(), targets.ncols());
        assert_eq!((targets.nrows(), head.shape()), (n, (h, k)), "shapes of one problem");
        let difference = head * head.transpose() - features.tr_mul(features);
        let lambda = difference.trace() / h as f64;
        let gap = (difference - DMatrix::identity(h, h) * lambda).norm();
        let size = head.norm_squared() + features.norm_squared();
        Violation::unless(
            FORM,
            "V₀V₀ᵀ − Z₀ᵀZ₀ to be a multiple of the identity",
            "the distance to it over ‖V₀‖² + ‖Z₀‖²",
            if gap == 0.0 { 0.0 } else { gap / size },
            HYPOTHESIS_TOLERANCE * h as f64,
        )?;

        let svd = Svd::new(targets)?;
        let r = rank(svd.s.as_slice(), n + k);
        let (u, w) = (completed(&svd.u, r, n), completed(&svd.w, r, k));
        let total = n + k;
        let mut vectors = DMatrix::zeros(total, total);
        let mut rates = DVector::zeros(total);
        for i in 0..r {
            // [[−λ/2, s],[s, λ/2]] has the eigenvectors (cos φ, sin φ) and (−sin φ, cos φ), tan 2φ = −2s/λ.
            let s = svd.s[i];
            let f = (lambda / 2.0).hypot(s);
            let phi = s.atan2(-lambda / 2.0) / 2.0;
            for (column, rate, x, y) in
                [(2 * i, f, phi.cos(), phi.sin()), (2 * i + 1, -f, -phi.sin(), phi.cos())]
            {
                rates[column] = rate;
                vectors.view_mut((0, column), (n, 1)).copy_from(&(u.column(i) * x));
                vectors.view_mut((n, column), (k, 1)).copy_from(&(w.column(i) * y));
            }
        }
        for (column, i) in (2 * r..).zip(r..n) {
            rates[column] = -lambda / 2.0;
            vectors.view_mut((0, column), (n, 1)).copy_from(&u.column(i));
        }
        for (column, i) in (n + r..).zip(r..k) {
            rates[column] = lambda / 2.0;
            vectors.view_mut((n, column), (k, 1)).copy_from(&w.column(i));
        }
        let mut q0 = DMatrix::zeros(total, h);
        q0.rows_mut(0, n).copy_from(features);
        q0.rows_mut(n, k).copy_from(&head.transpose());
        let start = vectors.tr_mul(&q0);
        Ok(Self { lambda, samples: n, vectors, rates, start })
    }

    /// The balanced flow that a general flow is, if it is one.
    pub fn of_flow(flow: &Flow) -> Result<Self, FlowError> {
        let reduction = flow.reduction();
        super::needs_squared_loss(flow, FORM)?;
        let off = reduction.lambda().iter().map(|l| (l - 1.0).abs()).fold(0.0, f64::max);
        Violation::unless(
            FORM,
            "whitened inputs (K = I)",
            "the largest distance of a kernel eigenvalue to 1",
            off,
            HYPOTHESIS_TOLERANCE * reduction.rows() as f64,
        )?;
        let gap = (flow.head_rate() - 1.0).abs();
        Violation::unless(FORM, "head rate 1", "|head rate − 1|", gap, 0.0)?;
        Self::new(reduction.features(), reduction.targets(), &flow.start().head)
    }

    /// λ
    pub fn lambda(&self) -> f64 {
        self.lambda
    }

    /// The Gram matrices at time t in [0, ∞].
    pub fn at(&self, t: f64) -> Result<Grams, FlowError> {
        check_time(t)?;
        let root = if t == 0.0 { self.start.clone() } else { self.root(t) };
        let q = &self.vectors * root;
        let gram = &q * q.transpose();
        let n = self.samples;
        let k = gram.nrows() - n;
        Ok(Grams {
            features: gram.view((0, 0), (n, n)).into_owned(),
            prediction: gram.view((0, n), (n, k)).into_owned(),
            head: gram.view((n, n), (k, k)).into_owned(),
        })
    }

    /// A matrix G Q₁ with (G Q₁)(G Q₁)ᵀ = EᵀQQᵀ(t)E, for t > 0.
    fn root(&self, t: f64) -> DMatrix<f64> {
        let (rows, h) = self.start.shape();
        let (mut sizes, gains): (Vec<LogSize>, Vec<f64>) =
            self.rates.iter().map(|&f| growth(f, t)).unzip();
        sizes.extend(std::iter::repeat_n(LogSize::ONE, h));
        let mut mantissas = DMatrix::identity(rows + h, h);
        mantissas.rows_mut(0, rows).copy_from(&self.start);
        mantissas.rows_mut(rows, h).copy_from(&DMatrix::identity(h, h));
        let q = graded_orthogonal_factor(mantissas, &sizes);
        DMatrix::from_fn(rows, h, |i, j| gains[i] * q[(i, j)])
    }
}

/// The logarithm of a row's size as a large and a small part: rows that grow alike agree in the large
/// part exactly, however large it is, so that their ratio keeps its digits.
#[derive(Debug, Clone, Copy)]
struct LogSize {
    large: f64,
    small: f64,
}

impl LogSize {
    const ONE: Self = Self { large: 0.0, small: 0.0 };
    const ZERO: Self = Self { large: f64::NEG_INFINITY, small: 0.0 };

    /// This size over another.
    fn over(self, other: Self) -> f64 {
        ((self.large - other.large) + (self.small - other.small)).exp()
    }

    /// This size times e^log.
    fn times(self, log: f64) -> Self {
        Self { small: self.small + log, ..self }
    }

    fn order(self, other: Self) -> Ordering {
        let gap = (self.large - other.large) + (self.small - other.small);
        gap.partial_cmp(&0.0).unwrap_or(Ordering::Equal)
    }
}

/// √ψ and e^{ft}/√ψ for ψ = ∫₀ᵗ e^{2fs} ds, t in (0, ∞]. At t = ∞ a positive rate has the
/// logarithm f · 1e300, which orders the rows by rate and separates any two of them.
fn growth(f: f64, t: f64) -> (LogSize, f64) {
    const FOREVER: f64 = 1e300;
    let endless = t.is_infinite();
    let t = t.min(FOREVER);
    let x = 2.0 * f.abs() * t;
    // ∫ e^{−2|f|s} ds
    let decayed = if x == 0.0 { t } else { -(-x).exp_m1() / (2.0 * f.abs()) };
    let small = decayed.ln() / 2.0;
    if f > 0.0 {
        (LogSize { large: f * t, small }, decayed.sqrt().recip())
    } else if f == 0.0 && endless {
        (LogSize { large: 0.0, small }, 0.0)
    } else {
        (LogSize { large: 0.0, small }, (f * t).exp() / decayed.sqrt())
    }
}

/// What is left of a row, in units of its own length, when it depends on the rows above: rounding,
/// which the size of the row must not blow up.
const DEPENDENT: f64 = 1e-13;

/// The orthogonal factor (rows × columns) of the QR decomposition of a matrix whose row i is
/// sizes[i] · mantissas[i], in the order of the rows given.
///
/// Rows are taken by decreasing size and each picks the column in which it is largest, so that each
/// row keeps its relative accuracy. Scaled entries never leave the range of f64.
fn graded_orthogonal_factor(mantissas: DMatrix<f64>, sizes: &[LogSize]) -> DMatrix<f64> {
    let (rows, columns) = mantissas.shape();
    let mut x = mantissas;
    // Mantissas of length 1, so that the size is that of the row.
    let mut size: Vec<LogSize> = sizes
        .iter()
        .enumerate()
        .map(|(i, size)| {
            let norm = x.row(i).norm();
            if norm > 0.0 {
                x.row_mut(i).unscale_mut(norm);
                size.times(norm.ln())
            } else {
                LogSize::ZERO
            }
        })
        .collect();
    let mut order: Vec<usize> = (0..rows).collect();
    let mut perm: Vec<usize> = (0..columns).collect();
    let mut reflections: Vec<(Vec<f64>, f64)> = Vec::with_capacity(columns);
    for j in 0..columns {
        // The row that is largest now, and in it the column that is largest. Zero rows come last.
        let rest = |i: usize| perm[j..].iter().map(|&c| x[(i, c)].abs()).fold(0.0, f64::max);
        let pivot = (j..rows)
            .max_by(|&p, &q| {
                let (a, b) = (rest(order[p]), rest(order[q]));
                if a == 0.0 || b == 0.0 {
                    a.total_cmp(&b)
                } else {
                    size[order[p]].times(a.ln()).order(size[order[q]].times(b.ln()))
                }
            })
            .expect("there are more rows than columns");
        order.swap(j, pivot);
        let top = order[j];
        let column = (j..columns)
            .max_by(|&p, &q| x[(top, perm[p])].abs().total_cmp(&x[(top, perm[q])].abs()))
            .expect("a column is left");
        perm.swap(j, column);
        let c = perm[j];

        // The reflection in units of the top row; v̂_i is relative to the size of row i.
        let relative = |i: usize| size[i].over(size[top]);
        let head = x[(top, c)];
        let norm = order[j..].iter().map(|&i| (x[(i, c)] * relative(i)).powi(2)).sum::<f64>().sqrt();
        let beta = if head >= 0.0 { -norm } else { norm };
        let mut v = vec![0.0; rows];
        for &i in &order[j..] {
            v[i] = x[(i, c)] / (head - beta);
        }
        v[top] = 1.0;
        let tau = (beta - head) / beta;
        for &column in &perm[j..] {
            let inner: f64 =
                order[j..].iter().map(|&i| v[i] * x[(i, column)] * relative(i) * relative(i)).sum();
            for &i in &order[j..] {
                x[(i, column)] -= tau * inner * v[i];
            }
        }
        let mut dependent = Vec::new();
        for &i in &order[j + 1..] {
            if perm[j + 1..].iter().all(|&c| x[(i, c)].abs() <= DEPENDENT) {
                perm[j + 1..].iter().for_each(|&c| x[(i, c)] = 0.0);
                dependent.push(i);
            }
        }
        // Plain components for the application below.
        for &i in &order[j..] {
            v[i] *= relative(i);
        }
        reflections.push((v, tau));
        dependent.into_iter().for_each(|i| size[i] = LogSize::ZERO);
    }
    // Q = H₁ … H_c [I; 0], the identity on the pivot rows.
    let mut q = DMatrix::zeros(rows, columns);
    for j in 0..columns {
        q[(order[j], j)] = 1.0;
    }
    for (v, tau) in reflections.iter().rev() {
        for mut column in q.column_iter_mut() {
            let inner: f64 = v.iter().zip(column.iter()).map(|(a, b)| a * b).sum();
            column.iter_mut().zip(v).for_each(|(x, v)| *x -= tau * inner * v);
        }
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::solver::{Options, solve};
    use crate::linalg::{spanning_basis, wobble};
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    #[test]
    fn graded_factor_is_orthonormal_and_spans() {
        let a = wobble(7, 3, 1.0);
        let logs = [0.0, 3.0, -2.0, 5.0, 0.0, 1.0, 2.0];
        let sizes = logs.map(|small| LogSize { large: 0.0, small });
        let q = graded_orthogonal_factor(a.clone(), &sizes);
        assert!((q.tr_mul(&q) - DMatrix::identity(3, 3)).norm() < 1e-14);
        let scaled = DMatrix::from_fn(7, 3, |r, c| logs[r].exp() * a[(r, c)]);
        let rest = &scaled - &q * q.tr_mul(&scaled);
        assert!(rest.norm() < 1e-12);
    }

    fn agrees(z: &DMatrix<f64>, y: &DMatrix<f64>, v: &DMatrix<f64>) {
        let n = y.nrows();
        let problem = Problem::new(z.clone(), DMatrix::identity(n, n), y.clone()).unwrap();
        let reduction = Reduction::new(&problem, v).unwrap();
        let flow = Flow::new(&reduction, v, 1.0).unwrap();
        let form = Balanced::of_flow(&flow).unwrap();
        for t in [0.0, 0.1, 1.0, 7.0] {
            let end = solve(&flow, t, &Options { rtol: 1e-11, ..Options::default() }).unwrap().end.state;
            let (zt, grams) = (reduction.features_at(&end), form.at(t).unwrap());
            assert!((&grams.features - &zt * zt.transpose()).norm() < 1e-9, "t = {t}");
            assert!((&grams.prediction - &zt * &end.head).norm() < 1e-9, "t = {t}");
            assert!((&grams.head - end.head.tr_mul(&end.head)).norm() < 1e-9, "t = {t}");
        }
        // The limit is where a long time ends.
        let (long, limit) = (form.at(1e6).unwrap(), form.at(f64::INFINITY).unwrap());
        assert!((long.prediction - limit.prediction).norm() < 1e-5);
    }

    #[test]
    fn zero_head_on_orthonormal_features() {
        let q = spanning_basis(wobble(5, 3, 1.0));
        agrees(&q, &wobble(5, 2, 2.0), &DMatrix::zeros(3, 2));
    }

    #[test]
    fn zero_features_and_an_orthonormal_head() {
        let q = spanning_basis(wobble(4, 2, 1.0)).transpose();
        agrees(&DMatrix::zeros(3, 2), &wobble(3, 4, 2.0), &q);
    }

    #[test]
    fn balanced_at_zero_lambda() {
        // V₀V₀ᵀ = Z₀ᵀZ₀ with h = 2: the same Gram root in both.
        let (a, b) = (spanning_basis(wobble(3, 2, 1.0)), spanning_basis(wobble(4, 2, 2.0)));
        let g = wobble(2, 2, 3.0);
        agrees(&(a * &g), &wobble(3, 4, 4.0), &(g.transpose() * b.transpose()));
    }

    /// Two growing modes see the same direction of feature space: the second must not pick its rounding.
    #[test]
    fn dependent_modes_do_not_blow_up_rounding() {
        let half = 0.5f64.sqrt();
        let columns = [0.5, 0.5, 0.5, 0.5, 0.0, 0.0, 0.0, 0.5, -0.5, half];
        let z = DMatrix::from_column_slice(5, 2, &columns);
        let mut y = DMatrix::zeros(5, 3);
        (y[(0, 0)], y[(1, 1)], y[(4, 2)]) = (3.0, 2.0, 1.0);
        let turned = &z * spanning_basis(wobble(2, 2, 5.0));
        let head = DMatrix::zeros(2, 3);
        for t in [1.0, 1e3, 1e6, f64::INFINITY] {
            let [a, b] = [&z, &turned].map(|z| Balanced::new(z, &y, &head).unwrap().at(t).unwrap());
            assert!((a.features - b.features).norm() < 1e-12, "t = {t}");
            assert!((a.prediction - b.prediction).norm() < 1e-12, "t = {t}");
        }
    }

    #[test]
    fn an_unbalanced_head_is_refused_with_its_size() {
        let error = Balanced::new(&wobble(3, 2, 1.0), &wobble(3, 1, 2.0), &wobble(2, 1, 3.0));
        assert!(matches!(error, Err(FlowError::Violation(v)) if v.size > 1e-3));
    }
}
