//! The curvature of the training loss in the head on fixed features, decomposed: what Newton's method in the head is
//! preconditioned by.
//!
//! With Z = U diag(σ) Wᵀ (N×r) and k outputs the second derivative in the head is H = diag(σ) Uᵀ S U diag(σ), of size
//! rk, where S_n = diag(p) − ppᵀ differs between samples and couples the outputs.
//!
//! *By output.* Without what couples the outputs H is k symmetric matrices of size r, with weights p(1−p)·k/(k−1): the
//! factor makes it exact for k = 2 and for p = 1/k, where changes with mean 0 are concerned, which are all that the
//! loss sees.
//!
//! *Whole.* H itself, where rk is small.
//!
//! A block has, for each output, the same number of columns of r numbers.

use nalgebra::{DMatrix, DVector};

use super::modes::Convex;
use crate::flow::solver::collocation::Collocation;
use crate::flow::solver::stages::combine;
use crate::linalg::{DecompositionError, Eigen};
use crate::product::{Factor, Multiplier, centre, multiply, product};

/// Multiplications that an eigenproblem of size n takes the time of, over n³.
const EIGENPROBLEM: usize = 5;

/// Largest r·k that is decomposed whole.
const WHOLE: usize = 1000;

/// A decomposed H.
#[derive(Debug, Clone)]
pub(super) struct Curvature {
    /// One for each output, or a single one.
    modes: Vec<Eigen>,
    rows: usize,
    outputs: usize,
    /// The mean curvature of the loss, over samples and directions.
    pub mean: f64,
}

impl Curvature {
    /// Decomposes at predictions F, N×k.
    pub fn new(
        convex: &Convex,
        scale: &DVector<f64>,
        f: &DMatrix<f64>,
        whole: bool,
    ) -> Result<Self, DecompositionError> {
        let (n, k) = f.shape();
        let r = scale.len();
        let pairs = if whole { k * k } else { k };
        let mut weights = vec![Vec::new(); pairs];
        let place = |c: usize, d: usize| if whole { c * k + d } else { c };
        let mut trace = 0.0;
        convex.loss.each_curvature(f, |_, c, d, value| {
            if c == d {
                trace += value;
            }
            if c == d || (whole && c < d) {
                weights[place(c, d)].push(value);
            }
        });
        let several = k.max(2) - 1;
        if !whole && k > 1 {
            let factor = k as f64 / several as f64;
            weights.iter_mut().flatten().for_each(|w| *w *= factor);
        }
        let block = |i: usize| {
            let mut block = DMatrix::zeros(0, 0);
            if !weights[i].is_empty() {
                let mut weighted = convex.u.clone();
                for mut column in weighted.column_iter_mut() {
                    column.iter_mut().zip(&weights[i]).for_each(|(x, w)| *x *= w);
                }
                block = product(Factor::from(convex.u).t(), &weighted);
                for (a, b) in (0..r).flat_map(|a| (0..r).map(move |b| (a, b))) {
                    block[(a, b)] *= scale[a] * scale[b];
                }
            }
            block
        };
        let modes = if whole {
            let blocks = crate::parallel::each(pairs, block);
            let mut all = DMatrix::zeros(r * k, r * k);
            for (c, d) in (0..k).flat_map(|c| (c..k).map(move |d| (c, d))) {
                all.view_mut((c * r, d * r), (r, r)).copy_from(&blocks[place(c, d)]);
                all.view_mut((d * r, c * r), (r, r)).copy_from(&blocks[place(c, d)].transpose());
            }
            vec![Eigen::new(&all)?]
        } else {
            let one = |c: usize| Eigen::new(&block(c));
            crate::parallel::each(k, one).into_iter().collect::<Result<_, _>>()?
        };
        let mean = trace / (n * several).max(1) as f64;
        Ok(Self { modes, rows: r, outputs: k, mean })
    }

    /// Whether r modes of k outputs are few enough for the whole curvature.
    pub fn can_be_whole(rows: usize, outputs: usize) -> bool {
        rows * outputs <= WHOLE
    }

    /// The multiplications that making it takes the time of, for N samples.
    pub fn cost(samples: usize, rows: usize, outputs: usize, whole: bool) -> usize {
        let (blocks, count, size) = if whole {
            (outputs * (outputs + 1) / 2, 1, rows * outputs)
        } else {
            (outputs, outputs, rows)
        };
        blocks * samples * rows * rows + EIGENPROBLEM * count * size.pow(3)
    }

    /// The eigenvalues, r for each output (or of the whole).
    fn rates(&self) -> impl Iterator<Item = f64> + '_ {
        self.modes.iter().flat_map(|eigen| eigen.d.iter().map(|d| d.max(0.0)))
    }

    /// The largest eigenvalue.
    pub fn largest(&self) -> f64 {
        self.rates().fold(0.0, f64::max)
    }

    /// The smallest eigenvalue of the whole curvature that the loss sees: of two or more outputs the r that belong to
    /// changes of all by the same, which are 0, are left out.
    pub fn smallest_seen(&self) -> f64 {
        let unseen = if self.outputs > 1 { self.rows } else { 0 };
        let all = self.modes.first().map_or(&[][..], |eigen| eigen.d.as_slice());
        // Eigenvalues descend.
        all.len().checked_sub(unseen + 1).map_or(0.0, |i| all[i])
    }

    /// f(H) of a change of the head (r×k) with mean 0 over the outputs in place.
    pub fn apply(&self, count: &Multiplier, x: &mut DMatrix<f64>, f: impl Fn(f64) -> f64) {
        self.apply_plain(count, x, f);
        centre(x.as_mut_slice(), self.outputs);
    }

    /// The same for any change.
    pub fn apply_plain(&self, count: &Multiplier, x: &mut DMatrix<f64>, f: impl Fn(f64) -> f64) {
        let mut modes = x.as_slice().to_vec();
        self.turn(count, true, x.as_slice(), &mut modes);
        modes.iter_mut().zip(self.rates()).for_each(|(x, d)| *x *= f(d));
        self.turn(count, false, &modes, x.as_mut_slice());
    }

    /// (1 + hA ⊗ H)⁻¹ of a block of stages in place, with memory for two more.
    pub fn divide(
        &self,
        count: &Multiplier,
        method: &Collocation,
        step: f64,
        block: &mut [f64],
        [modes, parts]: [&mut [f64]; 2],
    ) {
        let size = self.rows * method.stages();
        if size == 0 {
            return;
        }
        self.turn(count, true, block, modes);
        let mut rates = self.rates();
        for (modes, parts) in modes.chunks_exact_mut(size).zip(parts.chunks_exact_mut(size)) {
            combine(parts, modes, self.rows, |l, c| method.decouple[(l, c)]);
            for a in 0..self.rows {
                let d = rates.next().expect("one for each mode");
                method.divide_by_shifted(parts, self.rows, a, step * d);
            }
            combine(modes, parts, self.rows, |c, i| method.couple[(c, i)]);
        }
        count.add(2 * modes.len() * method.stages());
        self.turn(count, false, modes, block);
        centre(block, self.outputs);
    }

    /// Into the modes, or out of them.
    fn turn(&self, count: &Multiplier, into: bool, from: &[f64], to: &mut [f64]) {
        let piece = from.len() / self.outputs.max(1);
        if piece == 0 {
            return;
        }
        let (r, columns) = (self.rows, piece / self.rows);
        if let [eigen] = &self.modes[..]
            && self.outputs > 1
        {
            let size = r * self.outputs;
            let gather = |i: usize, c: usize| (c * columns + i) * r;
            let mut together = vec![0.0; from.len()];
            for (i, column) in together.chunks_exact_mut(size).enumerate() {
                for (c, part) in column.chunks_exact_mut(r).enumerate() {
                    part.copy_from_slice(&from[gather(i, c)..][..r]);
                }
            }
            let mut image = vec![0.0; from.len()];
            let q = Factor::from(&eigen.q);
            count.multiply(
                &mut image,
                false,
                1.0,
                if into { q.t() } else { q },
                Factor::new(&together, size),
            );
            for (i, column) in image.chunks_exact(size).enumerate() {
                for (c, part) in column.chunks_exact(r).enumerate() {
                    to[gather(i, c)..][..r].copy_from_slice(part);
                }
            }
            return;
        }
        count.add(r * from.len());
        crate::parallel::each_chunk(to, piece, r >= 256, |c, to| {
            let q = Factor::from(&self.modes[c].q);
            multiply(
                to,
                false,
                1.0,
                if into { q.t() } else { q },
                Factor::new(&from[c * piece..][..piece], r),
            );
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use crate::loss::Loss;

    /// Whole it is the second derivative of the loss, by output it is that for two outputs; and stages are divided by
    /// what they were multiplied with.
    #[test]
    fn both_kinds_divide_by_the_second_derivative() {
        let count = Multiplier::default();
        let method = Collocation::radau(3);
        for (k, whole) in [(1, false), (1, true), (2, false), (2, true), (4, true)] {
            let u = nalgebra::QR::new(wobble(7, 3, 0.4)).q();
            let targets = DMatrix::from_fn(7, k, |r, c| if r % k.max(2) == c { 1.0 } else { 0.0 });
            let f = wobble(7, k, 1.0) * 3.0;
            let convex = Convex { loss: Loss::CrossEntropy, targets: &targets, start: &f, u: &u };
            let scale = DVector::from_vec(vec![1.0, 0.6, 0.1]);
            let curvature = Curvature::new(&convex, &scale, &f, whole).unwrap();
            let derivative = |x: &DMatrix<f64>| {
                let scaled = |x: &DMatrix<f64>| DMatrix::from_diagonal(&scale) * x;
                scaled(&u.tr_mul(&convex.loss.curvature(&f, &(&u * scaled(x)))))
            };
            let mut x = wobble(3, k, 2.0);
            centre(x.as_mut_slice(), k);
            let mut found = x.clone();
            curvature.apply(&count, &mut found, |d| d);
            assert!((&found - derivative(&x)).norm() < 1e-13, "{k} {whole}");
            let stages: Vec<_> =
                (0..3).map(|i| &x * (1.0 + f64::from(i)) + &found * f64::from(i * i)).collect();
            let mut block = DMatrix::zeros(3, 3 * k);
            for i in 0..3 {
                for j in 0..3 {
                    let part = derivative(&stages[j]) * (0.7 * method.a[(i, j)]);
                    let part = if i == j { &stages[i] + part } else { part };
                    (0..k).for_each(|c| block.column_mut(c * 3 + i).axpy(1.0, &part.column(c), 1.0));
                }
            }
            let [mut a, mut b] = [(); 2].map(|()| block.clone());
            let memory = [a.as_mut_slice(), b.as_mut_slice()];
            curvature.divide(&count, &method, 0.7, block.as_mut_slice(), memory);
            for (i, stage) in stages.iter().enumerate() {
                for c in 0..k {
                    assert!((block.column(c * 3 + i) - stage.column(c)).norm() < 1e-12, "{k} {whole}");
                }
            }
        }
    }
}
