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
//! (logarithm, mantissa), sorted by size and reduced by Householder reflections with column
//! pivoting, which is backward stable row by row (Cox and Higham 1998). Nothing overflows for any t, and
//! t = ∞ is the same formula with infinite separations. λ = 0 needs no case of its own.

use nalgebra::{DMatrix, DVector};

use super::{Flow, FlowError, HYPOTHESIS_TOLERANCE, Violation, check_time};
use crate::linalg::{Svd, rank, spanning_basis};

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
        let (u, w) = (complete(&svd.u, r), complete(&svd.w, r));
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
        let mut logs = Vec::with_capacity(rows + h);
        let mut gains = Vec::with_capacity(rows);
        for &f in &self.rates {
            let (log, gain) = growth(f, t);
            logs.push(log);
            gains.push(gain);
        }
        logs.extend(std::iter::repeat_n(0.0, h));
        let mut mantissas = DMatrix::identity(rows + h, h);
        mantissas.rows_mut(0, rows).copy_from(&self.start);
        mantissas.rows_mut(rows, h).copy_from(&DMatrix::identity(h, h));
        let q = graded_orthogonal_factor(mantissas, &logs);
        DMatrix::from_fn(rows, h, |i, j| gains[i] * q[(i, j)])
    }
}

/// ½ ln ψ and e^{ft}/√ψ for ψ = ∫₀ᵗ e^{2fs} ds, t in (0, ∞]. At t = ∞ a positive rate has the
/// logarithm f · 1e300, which orders the rows by rate and separates any two of them.
fn growth(f: f64, t: f64) -> (f64, f64) {
    const FOREVER: f64 = 1e300;
    let t = t.min(FOREVER);
    let x = 2.0 * f.abs() * t;
    // ∫ e^{−2|f|s} ds
    let decayed = if x == 0.0 { t } else { -(-x).exp_m1() / (2.0 * f.abs()) };
    if f >= 0.0 {
        (f * t + decayed.ln() / 2.0, decayed.sqrt().recip())
    } else {
        (decayed.ln() / 2.0, (f * t).exp() / decayed.sqrt())
    }
}

/// The first r columns of `u` completed to a square orthogonal matrix.
fn complete(u: &DMatrix<f64>, r: usize) -> DMatrix<f64> {
    let n = u.nrows();
    let mut all = DMatrix::zeros(n, r + n);
    all.columns_mut(0, r).copy_from(&u.columns(0, r));
    all.columns_mut(r, n).copy_from(&DMatrix::identity(n, n));
    let mut q = spanning_basis(all);
    q.columns_mut(0, r).copy_from(&u.columns(0, r));
    q
}

/// The orthogonal factor (rows × columns) of the QR decomposition of a matrix whose row i is
/// e^{logs[i]} · mantissas[i], in the order of the rows given.
///
/// Rows are sorted by decreasing size and every column is chosen by the largest row that is left, so that
/// each row keeps its relative accuracy. Scaled entries never leave the range of f64.
fn graded_orthogonal_factor(mantissas: DMatrix<f64>, logs: &[f64]) -> DMatrix<f64> {
    let (rows, columns) = mantissas.shape();
    let mut x = mantissas;
    // Mantissas of size 1, so that the logarithm is the size of the row.
    let mut size: Vec<f64> = logs.to_vec();
    for (i, log) in size.iter_mut().enumerate() {
        let norm = x.row(i).norm();
        if norm > 0.0 {
            x.row_mut(i).unscale_mut(norm);
            *log += norm.ln();
        } else {
            *log = f64::NEG_INFINITY;
        }
    }
    let mut order: Vec<usize> = (0..rows).collect();
    let mut reflections: Vec<(Vec<f64>, f64)> = Vec::with_capacity(columns);
    let mut perm: Vec<usize> = (0..columns).collect();
    for j in 0..columns {
        // The row that is largest now, and in it the column that is largest.
        let left = |i: usize, x: &DMatrix<f64>, perm: &[usize]| {
            let m = perm[j..].iter().map(|&c| x[(i, c)].abs()).fold(0.0, f64::max);
            if m > 0.0 { size[i] + m.ln() } else { f64::NEG_INFINITY }
        };
        let pivot_row = (j..rows)
            .max_by(|&p, &q| left(order[p], &x, &perm).total_cmp(&left(order[q], &x, &perm)))
            .expect("there are more rows than columns");
        order.swap(j, pivot_row);
        let top = order[j];
        let pivot_column = (j..columns)
            .max_by(|&p, &q| x[(top, perm[p])].abs().total_cmp(&x[(top, perm[q])].abs()))
            .expect("a column is left");
        perm.swap(j, pivot_column);
        let c = perm[j];

        // Householder vector for the column, in units of the top row: v_i = weight_i · x_i.
        let relative = |i: usize| (size[i] - size[top]).exp();
        let head = x[(top, c)];
        let norm = order[j..].iter().map(|&i| (x[(i, c)] * relative(i)).powi(2)).sum::<f64>().sqrt();
        if norm == 0.0 {
            reflections.push((vec![0.0; rows], 0.0));
            continue;
        }
        let beta = if head >= 0.0 { -norm } else { norm };
        // v in units of the top row, relative to each row's own size: v̂_i = x_i / (head − β), v̂_top = 1.
        let mut v = vec![0.0; rows];
        for &i in &order[j..] {
            v[i] = x[(i, c)] / (head - beta);
        }
        v[top] = 1.0;
        let tau = (beta - head) / beta;
        for &column in &perm[j..] {
            // vᵀx in units of the top row
            let inner: f64 =
                order[j..].iter().map(|&i| v[i] * x[(i, column)] * relative(i) * relative(i)).sum();
            for &i in &order[j..] {
                x[(i, column)] -= tau * inner * v[i];
            }
        }
        // Plain components for the application below: true v_i = v̂_i e^{size_i − size_top}.
        for &i in &order[j..] {
            v[i] *= relative(i);
        }
        reflections.push((v, tau));
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
    use crate::linalg::wobble;
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    #[test]
    fn graded_factor_is_orthonormal_and_spans() {
        let a = wobble(7, 3, 1.0);
        let logs = [0.0, 3.0, -2.0, 5.0, 0.0, 1.0, 2.0];
        let q = graded_orthogonal_factor(a.clone(), &logs);
        assert!((q.tr_mul(&q) - DMatrix::identity(3, 3)).amax() < 1e-14);
        let scaled = DMatrix::from_fn(7, 3, |r, c| logs[r].exp() * a[(r, c)]);
        let rest = &scaled - &q * q.tr_mul(&scaled);
        assert!(rest.amax() < 1e-12);
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
            assert!((&grams.features - &zt * zt.transpose()).amax() < 1e-9, "t = {t}");
            assert!((&grams.prediction - &zt * &end.head).amax() < 1e-9, "t = {t}");
            assert!((&grams.head - end.head.tr_mul(&end.head)).amax() < 1e-9, "t = {t}");
        }
        // The limit is where a long time ends.
        let (long, limit) = (form.at(1e6).unwrap(), form.at(f64::INFINITY).unwrap());
        assert!((long.prediction - limit.prediction).amax() < 1e-5);
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

    #[test]
    fn an_unbalanced_head_is_refused_with_its_size() {
        let error = Balanced::new(&wobble(3, 2, 1.0), &wobble(3, 1, 2.0), &wobble(2, 1, 3.0));
        assert!(matches!(error, Err(FlowError::Violation(v)) if v.size > 1e-3));
    }
}
