//! The tangent kernel Θ = K ⊗ VᵀV + γ ZZᵀ ⊗ I frozen at a state, decomposed.
//!
//! Θ acts on residuals R (n×k) by K R VᵀV + γ ZZᵀR. With VᵀV = W diag(m) Wᵀ it splits into k
//! symmetric matrices m_j K + γ ZZᵀ of size n: their eigenvectors make every function of Θ, at any
//! step size and any complex shift, a pair of matrix products.

mod curved;

use nalgebra::{DMatrix, DVector};

use crate::flow::Flow;
use crate::linalg::{DecompositionError, Eigen, null_threshold};
use crate::parallel;
use crate::product::{Factor, Multiplier, multiply};
use crate::reduction::State;
use curved::Curved;

/// Rows from which on the k eigenproblems are worth a thread each.
const PARALLEL_ROWS: usize = 64;

/// Eigenvalues of VᵀV below this share of the largest are made again from V.
const GRADED: f64 = 1e-8;

/// Relative size of singular values of Z and V that are rounding even at a closer look.
pub(super) const FINEST: f64 = 8.0 * f64::EPSILON;

/// Growth of a squared norm after which a tangent kernel is too old.
const OUTGROWN: f64 = 100.0;

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
    /// The part qᵀ(m_j K)q of each eigenvalue, n for each j; γ qᵀZZᵀq is the rest.
    motion_shares: Vec<f64>,
    largest: f64,
    /// The size up to which an eigenvalue counts as zero.
    null: f64,
    /// What takes the place of the eigenvectors for a loss with curvature.
    curved: Option<Box<Curved>>,
}

impl Tangent {
    /// Freezes and decomposes the tangent kernel at a state.
    pub fn new(flow: &Flow, state: &State) -> Result<Self, DecompositionError> {
        let z = flow.reduction().features_at(state);
        let gram = &z * z.transpose() * flow.head_rate();
        Self::of_gram(flow, (&z, &state.head), gram, &Multiplier::default())
    }

    /// Whether a flow is small enough for the product with the whole curvature.
    pub(crate) fn can_be_whole(flow: &Flow) -> bool {
        Curved::can_be_whole(flow)
    }

    /// Freezes and decomposes the tangent kernel at features and a head, without the decompositions in the count; for
    /// a loss with curvature its product with the curvature, `whole` if there is no other way.
    pub(crate) fn at(
        flow: &Flow,
        z: &DMatrix<f64>,
        v: &DMatrix<f64>,
        whole: bool,
        multiplier: &Multiplier,
    ) -> Result<Self, DecompositionError> {
        let n = z.nrows();
        let mut gram = DMatrix::zeros(n, n);
        multiplier.multiply(gram.as_mut_slice(), false, flow.head_rate(), z, Factor::from(z).t());
        let Some(samples) = flow.reduction().samples() else {
            return Self::of_gram(flow, (z, v), gram, multiplier);
        };
        let curved = Curved::new(flow, samples, (z, v), &gram, whole)?;
        let largest = curved.largest();
        Ok(Self {
            z: z.clone(),
            v: v.clone(),
            sqrt_lambda: flow.reduction().lambda().map(f64::sqrt),
            head_rate: flow.head_rate(),
            outputs: DMatrix::zeros(0, 0),
            gains: DVector::zeros(0),
            modes: Vec::new(),
            motion_shares: Vec::new(),
            largest,
            null: largest * null_threshold(n + z.ncols()),
            curved: Some(Box::new(curved)),
        })
    }

    fn of_gram(
        flow: &Flow,
        (z, v): (&DMatrix<f64>, &DMatrix<f64>),
        gram: DMatrix<f64>,
        multiplier: &Multiplier,
    ) -> Result<Self, DecompositionError> {
        let (n, k) = (z.nrows(), v.ncols());
        let lambda = flow.reduction().lambda();
        let mut heads = DMatrix::zeros(k, k);
        multiplier.multiply(heads.as_mut_slice(), false, 1.0, Factor::from(v).t(), v);
        let mut outputs = Eigen::new(&heads)?;
        // Where gains are small compared with the largest, the product has lost their digits, but the head has not.
        let small = GRADED * outputs.d.as_slice().first().copied().unwrap_or(0.0);
        refine(&mut outputs, small, |q| (v * q).transpose())?;
        let gains = outputs.d.map(|m| m.max(0.0));
        let decompose = |j: usize| {
            let mut sum = gram.clone();
            for i in 0..n {
                sum[(i, i)] += gains[j] * lambda[i];
            }
            let mut eigen = Eigen::new(&sum)?;
            eigen.d.iter_mut().for_each(|d| *d = d.max(0.0));
            Ok(eigen)
        };
        let modes: Vec<Eigen> = if n >= PARALLEL_ROWS {
            parallel::each(k, decompose).into_iter().collect::<Result<_, _>>()?
        } else {
            (0..k).map(decompose).collect::<Result<_, _>>()?
        };
        let motion_shares = motion_shares(&modes, &gains, lambda);
        let largest =
            modes.iter().filter_map(|e| e.d.as_slice().first()).fold(0.0, |a, &b| f64::max(a, b));
        Ok(Self {
            z: z.clone(),
            v: v.clone(),
            sqrt_lambda: lambda.map(f64::sqrt),
            head_rate: flow.head_rate(),
            outputs: outputs.q,
            gains,
            modes,
            motion_shares,
            largest,
            null: largest * null_threshold(n + z.ncols()),
            curved: None,
        })
    }

    /// The same with a closer look at the eigenvalues that are zero to the rounding of m_j K + γ ZZᵀ.
    ///
    /// On their eigenvectors that matrix is made again as a Gram matrix, which keeps the squares of all singular values
    /// down to the rounding of Z and V themselves: what is slow is distinguished from what never moves.
    pub(crate) fn refined(&self, flow: &Flow) -> Result<Self, DecompositionError> {
        let mut new = self.clone();
        let (n, p) = self.z.shape();
        let rounding = null_threshold(n + p);
        let most = self.gains.amax();
        let mut outputs = Eigen { q: self.outputs.clone(), d: self.gains.clone() };
        refine(&mut outputs, most * rounding, |q| (&self.v * q).transpose())?;
        outputs.d.iter_mut().filter(|m| **m <= most * FINEST * FINEST).for_each(|m| *m = 0.0);
        (new.outputs, new.gains) = (outputs.q, outputs.d);
        let lambda = flow.reduction().lambda();
        let gram = &self.z * self.z.transpose() * self.head_rate;
        for (eigen, &gain) in new.modes.iter_mut().zip(new.gains.iter()) {
            *eigen = Eigen::new(&(&gram + DMatrix::from_diagonal(&(lambda * gain))))?;
            let own = eigen.d.as_slice().first().map_or(0.0, |&d| d.max(0.0));
            refine(eigen, own * rounding, |q| {
                let mut image = DMatrix::zeros(q.ncols(), n + p);
                image.columns_mut(0, n).copy_from(&(self.sqrt_kernel(q).transpose() * gain.sqrt()));
                image.columns_mut(n, p).copy_from(&(q.tr_mul(&self.z) * self.head_rate.sqrt()));
                image
            })?;
            eigen.d.iter_mut().filter(|d| **d <= own * FINEST * FINEST).for_each(|d| *d = 0.0);
        }
        new.motion_shares = motion_shares(&new.modes, &new.gains, lambda);
        new.null = 0.0;
        Ok(new)
    }

    /// Whether features or head have grown so far beyond those at which it was frozen that its sizes say nothing of
    /// what moves here: in all, or the head in one of its outputs, which may be small beside the others.
    pub(crate) fn is_outgrown(&self, z: &DMatrix<f64>, v: &DMatrix<f64>) -> bool {
        let grown = |now: f64, then: f64| now > OUTGROWN * then;
        if grown(z.norm_squared(), self.z.norm_squared())
            || grown(v.norm_squared(), self.v.norm_squared())
        {
            return true;
        }
        let rounding = null_threshold(self.gains.len()) * self.gains.amax();
        self.outputs.column_iter().zip(self.gains.iter()).any(|(output, gain)| {
            let read =
                |row: usize| v.row(row).iter().zip(output.iter()).map(|(v, w)| v * w).sum::<f64>();
            grown((0..v.nrows()).map(|row| read(row).powi(2)).sum(), gain + rounding)
        })
    }

    /// Features at which it was frozen.
    pub(crate) fn features(&self) -> &DMatrix<f64> {
        &self.z
    }

    /// Head at which it was frozen.
    pub(crate) fn head(&self) -> &DMatrix<f64> {
        &self.v
    }

    /// The largest eigenvalue: the fastest decay rate of the residual.
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// Every eigenvalue d with the part of it that is due to the motion of the backbone: a residual c along its
    /// eigenvector moves D by √part · c and V/√γ by √(d − part) · c. In the order of [`Self::to_modes`].
    pub(crate) fn rates(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let eigenvalues = self.modes.iter().flat_map(|e| e.d.iter().copied());
        let curved = self.curved.iter().flat_map(|curved| curved.rates().iter().copied());
        eigenvalues.zip(self.motion_shares.iter().copied()).chain(curved)
    }

    /// The most that a residual of norm 1 moves (D, V/√γ) in a time t if it does not vanish by itself: the largest √d
    /// · min(t, 1/d) over the eigenvalues d. Under a loss with mean curvature s the size of a mode is its residual
    /// over √s, unless nothing decays, where the residual moves all the time.
    pub fn response(&self, t: f64) -> f64 {
        let null = self.null();
        let smallest = self.rates().map(|(d, _)| d).filter(|&d| d > null).fold(f64::INFINITY, f64::min);
        let decaying = (t * self.largest.sqrt()).min(t.sqrt()).min(smallest.sqrt().recip());
        let Some(curved) = &self.curved else { return decaying };
        let backbone = self.sqrt_lambda.amax() * self.v.norm();
        let whole = t * backbone.hypot(self.head_rate.sqrt() * self.z.norm());
        // Without any curvature the first is not a number.
        whole.min(decaying / curved.mean.sqrt())
    }

    /// The mean curvature of the loss, 1 for the squared one.
    pub(crate) fn mean_curvature(&self) -> f64 {
        self.curved.as_ref().map_or(1.0, |curved| curved.mean)
    }

    /// f(Θ) of a change of predictions (n×k) in place; under a loss with curvature S^{1/2} f(S^{1/2}ΘS^{1/2}) S^{1/2}.
    pub(crate) fn filter(
        &self,
        multiplier: &Multiplier,
        changed: &mut [f64],
        [rotated, modes]: [&mut [f64]; 2],
        f: impl Fn(f64) -> f64,
    ) {
        if let Some(curved) = &self.curved {
            return curved.filter(multiplier, changed, [rotated, modes], f);
        }
        self.to_modes(multiplier, changed, rotated, modes);
        modes.iter_mut().zip(self.rates()).for_each(|(x, (d, _))| *x *= f(d));
        self.out_of_modes(multiplier, modes, rotated, changed);
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
        let multiplier = Multiplier::default();
        let mut rotated = residual.clone();
        let mut modes = residual.clone();
        self.to_modes(&multiplier, residual.as_slice(), rotated.as_mut_slice(), modes.as_mut_slice());
        modes.iter_mut().zip(self.rates()).for_each(|(x, (d, _))| *x *= f(d));
        let mut out = residual.clone();
        self.out_of_modes(&multiplier, modes.as_slice(), rotated.as_mut_slice(), out.as_mut_slice());
        out
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

    /// The size up to which an eigenvalue counts as zero.
    pub(crate) fn null(&self) -> f64 {
        self.null
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

    /// Residuals in the eigenvectors of Θ. `block` has, for each output, the same number of columns of n numbers, and
    /// so has `out` for each eigenvalue of VᵀV; `rotated` is memory of the same size.
    pub(crate) fn to_modes(
        &self,
        multiplier: &Multiplier,
        block: &[f64],
        rotated: &mut [f64],
        out: &mut [f64],
    ) {
        if let Some(curved) = &self.curved {
            return curved.to_modes(multiplier, block, rotated, out);
        }
        let (n, k) = (self.z.nrows(), self.gains.len());
        let piece = block.len() / k.max(1);
        multiplier.multiply(rotated, false, 1.0, Factor::new(block, piece), &self.outputs);
        multiplier.add(n * block.len());
        self.each_mode(out, piece, |j, out| {
            let part = Factor::new(&rotated[j * piece..][..piece], n);
            multiply(out, false, 1.0, Factor::from(&self.modes[j].q).t(), part);
        });
    }

    /// The inverse of [`Self::to_modes`].
    pub(crate) fn out_of_modes(
        &self,
        multiplier: &Multiplier,
        modes: &[f64],
        rotated: &mut [f64],
        out: &mut [f64],
    ) {
        if let Some(curved) = &self.curved {
            return curved.out_of_modes(multiplier, modes, rotated, out);
        }
        let (n, k) = (self.z.nrows(), self.gains.len());
        let piece = modes.len() / k.max(1);
        multiplier.add(n * modes.len());
        self.each_mode(rotated, piece, |j, rotated| {
            let part = Factor::new(&modes[j * piece..][..piece], n);
            multiply(rotated, false, 1.0, (&self.modes[j].q).into(), part);
        });
        multiplier.multiply(
            out,
            false,
            1.0,
            Factor::new(rotated, piece),
            Factor::from(&self.outputs).t(),
        );
    }

    fn each_mode(&self, out: &mut [f64], piece: usize, one: impl Fn(usize, &mut [f64]) + Sync + Send) {
        if piece > 0 {
            parallel::each_chunk(out, piece, self.z.nrows() >= 4 * PARALLEL_ROWS, one);
        }
    }
}

/// The part qᵀ(m_j K)q of each eigenvalue.
fn motion_shares(modes: &[Eigen], gains: &DVector<f64>, lambda: &DVector<f64>) -> Vec<f64> {
    let each = modes.iter().zip(gains).flat_map(|(eigen, m)| {
        let shares = move |q: &[f64]| q.iter().zip(lambda).map(|(q, l)| q * q * l).sum::<f64>() * m;
        (0..eigen.d.len()).map(move |a| shares(eigen.q.column(a).as_slice()).min(eigen.d[a]))
    });
    each.collect()
}

/// Decomposes a matrix FFᵀ again on its eigenvectors with eigenvalues of at most `null`, given qᵀF for such q.
fn refine(
    eigen: &mut Eigen,
    null: f64,
    image: impl Fn(&DMatrix<f64>) -> DMatrix<f64>,
) -> Result<(), DecompositionError> {
    let n = eigen.d.len();
    let first = eigen.d.iter().take_while(|&&d| d > null).count();
    if first == n {
        return Ok(());
    }
    let q = eigen.q.columns(first, n - first).into_owned();
    let image = image(&q);
    let inner = Eigen::new(&(&image * image.transpose()))?;
    eigen.q.columns_mut(first, n - first).copy_from(&(q * inner.q));
    eigen.d.rows_mut(first, n - first).copy_from(&inner.d.map(|d| d.max(0.0)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    fn with_tangent(run: impl FnOnce(&Tangent)) {
        let head = wobble(6, 2, 3.0);
        let problem =
            Problem::linear(&wobble(3, 9, 0.0), &wobble(6, 9, 1.0), wobble(3, 2, 2.0)).unwrap();
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 0.7).unwrap();
        run(&Tangent::new(&flow, flow.start()).unwrap());
    }

    /// The linear change of the residual by a small motion: −(Λ^{1/2} δD V + Z δV).
    fn pull(tangent: &Tangent, change: &State) -> DMatrix<f64> {
        -(tangent.sqrt_kernel(&change.motion) * &tangent.v + &tangent.z * &change.head)
    }

    #[test]
    fn apply_is_the_tangent_kernel() {
        with_tangent(|tangent| {
            let r = wobble(3, 2, 8.0);
            let direct = -pull(tangent, &tangent.push(&r));
            assert!((tangent.apply(&r, |d| d) - direct).norm() < 1e-12);
        });
    }

    /// Blocks of several columns for each output come back, and sizes of motion and head are those of the rates.
    #[test]
    fn modes_of_a_block_are_those_of_its_columns() {
        with_tangent(|tangent| {
            let (block, multiplier) = (wobble(3, 8, 4.0), Multiplier::default());
            let [mut rotated, mut modes, mut back] = [(); 3].map(|()| block.clone());
            tangent.to_modes(
                &multiplier,
                block.as_slice(),
                rotated.as_mut_slice(),
                modes.as_mut_slice(),
            );
            tangent.out_of_modes(
                &multiplier,
                modes.as_slice(),
                rotated.as_mut_slice(),
                back.as_mut_slice(),
            );
            assert!((&back - &block).norm() < 1e-13);
            assert_eq!(multiplier.count(), 2 * (3 * 8 * 2 + 3 * 3 * 8));
            // Column 2 of output 0 with column 2 of output 1, one mode of them at a time.
            let residual = DMatrix::from_columns(&[block.column(2), block.column(6)]);
            let mut whole = DMatrix::zeros(3, 2);
            for (i, (d, share)) in tangent.rates().enumerate() {
                let (j, a) = (i / 3, i % 3);
                let mode = tangent.modes[j].q.column(a)
                    * tangent.outputs.column(j).transpose()
                    * modes[(a, 4 * j + 2)];
                let moved = tangent.push(&mode);
                let c = modes[(a, 4 * j + 2)];
                assert!((moved.motion.norm_squared() - share * c * c).abs() < 1e-12);
                assert!((moved.head.norm_squared() / 0.7 - (d - share) * c * c).abs() < 1e-12);
                whole += mode;
            }
            assert!((whole - residual).norm() < 1e-13);
        });
    }
}
