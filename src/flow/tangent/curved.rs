//! The frozen part of the Jacobian under a loss with curvature: residuals of the rows decay by S̃Θ, with the tangent
//! kernel Θ and S̃ = Qᵀ diag(S_n) Q, where S_n = diag(p) − ppᵀ differs between samples and couples the outputs (T22).
//!
//! It is only what the iteration of a step is preconditioned by; what it leaves out costs iterations and changes no
//! result.
//!
//! *Mean.* With the mean S̄ of the S_n, r ↦ Θ(r)S̄ is similar to r ↦ K r G + γZZᵀ r S̄ with G = LVᵀVL, L = S̄^{1/2}.
//! In the eigenvectors of a mixture of G and S̄ both are taken for diagonal, m_j and η_j, and it splits into k
//! symmetric matrices m_jK + γη_jZZᵀ, as for the squared loss.
//!
//! *Whole.* Where n·k is small, S̃^{1/2}ΘS̃^{1/2} is decomposed as it is.

use nalgebra::DMatrix;

use crate::flow::Flow;
use crate::linalg::{DecompositionError, Eigen};
use crate::product::{Factor, Multiplier, multiply};
use crate::reduction::Sampled;

/// What is added to the mean curvature in every direction, as a share of its trace per output: directions without
/// curvature need an inverse, too.
const MEAN_FLOOR: f64 = 1e-2;

/// The same for the whole curvature.
const WHOLE_FLOOR: f64 = 1e-4;

/// Largest n·k that is decomposed whole, and the most multiplications to form it.
const WHOLE: usize = 160;
const WHOLE_WORK: usize = 200_000_000;

/// A decomposed S̃Θ, as a change to modes and back.
#[derive(Debug, Clone)]
pub(super) struct Curved {
    kind: Kind,
    /// Eigenvalue, and the part of it that is due to the motion of the backbone ([`super::Tangent::rates`]).
    rates: Vec<(f64, f64)>,
    /// n.
    rows: usize,
    /// The mean curvature.
    pub mean: f64,
}

#[derive(Debug, Clone)]
enum Kind {
    /// To the outputs of the modes and back (k×k), and the modes of each.
    Mean { into: DMatrix<f64>, back: DMatrix<f64>, modes: Vec<DMatrix<f64>> },
    /// To the modes and back, nk×nk.
    Whole { into: DMatrix<f64>, back: DMatrix<f64> },
}

impl Curved {
    /// Whether a flow is small enough for the whole curvature.
    pub fn can_be_whole(flow: &Flow) -> bool {
        let reduction = flow.reduction();
        let size = reduction.rows() * reduction.outputs();
        size <= WHOLE && size * size * reduction.sample_count() <= WHOLE_WORK
    }

    /// Decomposes at features Z (n×p) and head V (p×k); `gram` is γZZᵀ.
    pub fn new(
        flow: &Flow,
        samples: &Sampled,
        (z, v): (&DMatrix<f64>, &DMatrix<f64>),
        gram: &DMatrix<f64>,
        whole: bool,
    ) -> Result<Self, DecompositionError> {
        if whole {
            Self::whole(flow, samples, (z, v), gram)
        } else {
            Self::mean(flow, samples, (z, v), gram)
        }
    }

    fn mean(
        flow: &Flow,
        samples: &Sampled,
        (z, v): (&DMatrix<f64>, &DMatrix<f64>),
        gram: &DMatrix<f64>,
    ) -> Result<Self, DecompositionError> {
        let (n, k) = (z.nrows(), v.ncols());
        let lambda = flow.reduction().lambda();
        let curvature = samples.mean_curvature(&(z * v));
        let (curvature, mean) = raised(curvature, k.max(2) - 1, MEAN_FLOOR);
        let (root, inverse) = roots(&curvature)?;
        let heads = &root * v.tr_mul(v) * &root;
        let mixture = &heads * lambda.sum() + &curvature * gram.trace();
        let w = Eigen::new(&mixture)?.q;
        let back = w.tr_mul(&root);
        // With o_j, row j of `back`: m_j = o_j VᵀV o_jᵀ and η_j = ‖o_j‖².
        let gains: Vec<f64> = (v * back.transpose()).column_iter().map(|c| c.norm_squared()).collect();
        let turns: Vec<f64> = back.row_iter().map(|row| row.norm_squared()).collect();
        let backbone = lambda.iter().any(|&l| l > 0.0);
        let only_head = if backbone { None } else { Some(Eigen::new(gram)?) };
        let decompose = |j: usize| -> Result<Eigen, DecompositionError> {
            if let Some(eigen) = &only_head {
                // Where only the head moves, all outputs have the same modes.
                return Ok(Eigen { q: eigen.q.clone(), d: &eigen.d * turns[j] });
            }
            let mut sum = gram * turns[j];
            for i in 0..n {
                sum[(i, i)] += gains[j] * lambda[i];
            }
            Eigen::new(&sum)
        };
        let all: Vec<Eigen> =
            crate::parallel::each(k, decompose).into_iter().collect::<Result<_, _>>()?;
        let mut rates = Vec::with_capacity(n * k);
        for (eigen, gain) in all.iter().zip(&gains) {
            for (q, &d) in eigen.q.column_iter().zip(eigen.d.iter()) {
                let d = d.max(0.0);
                let share = q.iter().zip(lambda.iter()).map(|(q, l)| q * q * l).sum::<f64>() * gain;
                rates.push((d, share.min(d)));
            }
        }
        let modes = all.into_iter().map(|eigen| eigen.q).collect();
        let kind = Kind::Mean { into: inverse * w, back, modes };
        Ok(Self { kind, rates, rows: n, mean })
    }

    fn whole(
        flow: &Flow,
        samples: &Sampled,
        (z, v): (&DMatrix<f64>, &DMatrix<f64>),
        gram: &DMatrix<f64>,
    ) -> Result<Self, DecompositionError> {
        let (n, k) = (z.nrows(), v.ncols());
        let lambda = flow.reduction().lambda();
        let curvature = samples.whole_curvature(&(z * v));
        let (curvature, mean) = raised(curvature, n * (k.max(2) - 1), WHOLE_FLOOR);
        let (root, inverse) = roots(&curvature)?;
        let mut kernel = v.tr_mul(v).kronecker(&DMatrix::from_diagonal(lambda));
        kernel += DMatrix::<f64>::identity(k, k).kronecker(gram);
        let eigen = Eigen::new(&(&root * kernel * &root))?;
        let back = &root * &eigen.q;
        let mut rates = Vec::with_capacity(n * k);
        for (column, &d) in back.column_iter().zip(eigen.d.iter()) {
            let o = DMatrix::from_column_slice(n, k, column.as_slice());
            let mut moved = o * v.transpose();
            for (mut row, l) in moved.row_iter_mut().zip(lambda.iter()) {
                row *= l.sqrt();
            }
            let d = d.max(0.0);
            rates.push((d, moved.norm_squared().min(d)));
        }
        let into = eigen.q.tr_mul(&inverse);
        Ok(Self { kind: Kind::Whole { into, back }, rates, rows: n, mean })
    }

    /// Eigenvalue and backbone's share of each mode.
    pub fn rates(&self) -> &[(f64, f64)] {
        &self.rates
    }

    /// The largest eigenvalue.
    pub fn largest(&self) -> f64 {
        self.rates.iter().fold(0.0, |most, rate| most.max(rate.0))
    }

    /// Residuals in the modes: a block of stages, or of any number of columns for each output.
    pub fn to_modes(&self, count: &Multiplier, block: &[f64], rotated: &mut [f64], out: &mut [f64]) {
        match &self.kind {
            Kind::Mean { into, modes, .. } => {
                outputs(count, block, into.into(), rotated);
                self.each(count, modes, true, rotated, out);
            }
            Kind::Whole { into, .. } => self.gathered(count, into.into(), block, rotated, out),
        }
    }

    /// The inverse.
    pub fn out_of_modes(&self, count: &Multiplier, modes: &[f64], rotated: &mut [f64], out: &mut [f64]) {
        match &self.kind {
            Kind::Mean { back, modes: each, .. } => {
                self.each(count, each, false, modes, rotated);
                outputs(count, rotated, back.into(), out);
            }
            Kind::Whole { back, .. } => self.gathered(count, back.into(), modes, rotated, out),
        }
    }

    /// S̃^{1/2} f(S̃^{1/2}ΘS̃^{1/2}) S̃^{1/2} of a change of predictions (n×k) in place, for a function of the
    /// eigenvalue.
    pub fn filter(
        &self,
        count: &Multiplier,
        changed: &mut [f64],
        [rotated, modes]: [&mut [f64]; 2],
        f: impl Fn(f64) -> f64,
    ) {
        match &self.kind {
            Kind::Mean { back, modes: each, .. } => {
                outputs(count, changed, Factor::from(back).t(), rotated);
                self.each(count, each, true, rotated, modes);
            }
            Kind::Whole { back, .. } => {
                self.gathered(count, Factor::from(back).t(), changed, rotated, modes);
            }
        }
        modes.iter_mut().zip(&self.rates).for_each(|(x, (d, _))| *x *= f(*d));
        self.out_of_modes(count, modes, rotated, changed);
    }

    fn each(
        &self,
        count: &Multiplier,
        modes: &[DMatrix<f64>],
        transposed: bool,
        from: &[f64],
        to: &mut [f64],
    ) {
        let piece = from.len() / modes.len().max(1);
        if piece == 0 {
            return;
        }
        count.add(self.rows * from.len());
        crate::parallel::each_chunk(to, piece, self.rows >= 256, |j, to| {
            let q = Factor::from(&modes[j]);
            let part = Factor::new(&from[j * piece..][..piece], self.rows);
            multiply(to, false, 1.0, if transposed { q.t() } else { q }, part);
        });
    }

    /// A matrix (nk×nk) on each column of n·k numbers of a block, which lie n at a time.
    fn gathered(
        &self,
        count: &Multiplier,
        matrix: Factor,
        block: &[f64],
        gathered: &mut [f64],
        out: &mut [f64],
    ) {
        let (n, size) = (self.rows, self.rates.len());
        if size == 0 {
            return;
        }
        let columns = block.len() / size;
        // `out` holds the columns one after the other until they are multiplied.
        for (i, column) in out.chunks_exact_mut(size).enumerate() {
            for (c, part) in column.chunks_exact_mut(n).enumerate() {
                part.copy_from_slice(&block[(c * columns + i) * n..][..n]);
            }
        }
        count.multiply(gathered, false, 1.0, matrix, Factor::new(out, size));
        for (i, column) in gathered.chunks_exact(size).enumerate() {
            for (c, part) in column.chunks_exact(n).enumerate() {
                out[(c * columns + i) * n..][..n].copy_from_slice(part);
            }
        }
    }
}

/// Mixes the outputs of a block by a k×k matrix from the right.
fn outputs(count: &Multiplier, block: &[f64], matrix: Factor, out: &mut [f64]) {
    let k = matrix.rows();
    if k > 0 && !block.is_empty() {
        count.multiply(out, false, 1.0, Factor::new(block, block.len() / k), matrix);
    }
}

/// A curvature with a floor, a share of the mean of its eigenvalues over its `directions`, and that mean.
fn raised(mut curvature: DMatrix<f64>, directions: usize, floor: f64) -> (DMatrix<f64>, f64) {
    let mean = curvature.trace() / directions as f64;
    for i in 0..curvature.nrows() {
        curvature[(i, i)] += floor * mean + f64::MIN_POSITIVE;
    }
    (curvature, mean)
}

/// The square root of a positive definite matrix, and its inverse.
fn roots(matrix: &DMatrix<f64>) -> Result<(DMatrix<f64>, DMatrix<f64>), DecompositionError> {
    let Eigen { q, d } = Eigen::new(matrix)?;
    let least = d.amax() * f64::EPSILON + f64::MIN_POSITIVE;
    let power = |exponent: f64| {
        &q * DMatrix::from_diagonal(&d.map(|d| d.max(least).powf(exponent))) * q.transpose()
    };
    Ok((power(0.5), power(-0.5)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use crate::loss::Loss;
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    /// The whole curvature is the Jacobian of the residual but for what is added to it, and both kinds come back from
    /// their modes and know what a mode moves.
    #[test]
    fn modes_are_those_of_the_jacobian() {
        let y = DMatrix::from_fn(5, 3, |r, c| if r % 3 == c { 1.0 } else { 0.0 });
        let problem = Problem::linear(&wobble(5, 9, 0.0), &wobble(6, 9, 1.0), y).unwrap();
        let head = wobble(6, 3, 3.0);
        let reduction = Reduction::for_loss(&problem, &head, Loss::CrossEntropy).unwrap();
        let flow = Flow::new(&reduction, &head, 0.7).unwrap();
        let (z, v) = (reduction.features_at(flow.start()), flow.start().head.clone());
        let gram = &z * z.transpose() * 0.7;
        let samples = reduction.samples().unwrap();
        let count = Multiplier::default();
        for whole in [false, true] {
            let curved = Curved::new(&flow, samples, (&z, &v), &gram, whole).unwrap();
            let block = wobble(5, 6, 4.0);
            let [mut a, mut modes, mut back] = [(); 3].map(|()| block.clone());
            curved.to_modes(&count, block.as_slice(), a.as_mut_slice(), modes.as_mut_slice());
            curved.out_of_modes(&count, modes.as_slice(), a.as_mut_slice(), back.as_mut_slice());
            assert!((&back - &block).norm() < 1e-11);
            // One mode at a time: what it moves.
            for i in 0..15 {
                let mut modes = vec![0.0; 15];
                modes[i] = 1.0;
                let (mut a, mut residual) = (vec![0.0; 15], vec![0.0; 15]);
                curved.out_of_modes(&count, &modes, &mut a, &mut residual);
                let residual = DMatrix::from_column_slice(5, 3, &residual);
                let velocity = flow.velocity_by(flow.start(), &residual);
                let (d, share) = curved.rates()[i];
                assert!((velocity.motion.norm_squared() - share).abs() < 1e-9 * d.max(1.0));
                if whole {
                    let turned = velocity.head.norm_squared() / 0.7;
                    assert!((turned - (d - share)).abs() < 1e-9 * d.max(1.0));
                    // S̃Θ r = d r.
                    let moved = {
                        let mut motion = velocity.motion.clone();
                        for (mut row, l) in motion.row_iter_mut().zip(reduction.lambda().iter()) {
                            row *= l.sqrt();
                        }
                        motion * &v + &z * &velocity.head
                    };
                    let decay = samples.curvature(&(&z * &v), &moved);
                    let gap = decay - &residual * d;
                    assert!(gap.norm() < 1e-3 * residual.norm() * curved.largest(), "{}", gap.norm());
                }
            }
        }
    }
}
