//! The collocation equations of one step, with the residuals at the stages as the only unknowns.
//!
//! Let R_i, i = 1 … s, be the residuals at the stages of a step of size h from (Z, V), with coefficients a_ij. With
//! S_i = h Σ_j a_ij R_j, the heads V_i = V + X_i of the stages obey
//!
//! $$X_i = \gamma Z^\top S_i + \sum_l (V + X_l)\, C_{li},\qquad
//!   C_{li} = \gamma h^2 \sum_j a_{ij} a_{jl} R_l^\top \Lambda R_j,$$
//!
//! because Z_jᵀR_j = ZᵀR_j + h Σ_l a_jl V_l R_lᵀΛR_j: linear equations of size sk, which do not grow with the number
//! of samples or features. The residuals then obey R_i = R − Z X_i − h Σ_l a_il Λ R_l V_lᵀV_i. So one evaluation of
//! all stages takes two products of n×p×k for each, and every term is a change: no residual is formed as a difference
//! of targets and predictions.
//!
//! With another loss than the squared one (T22) only the last equation changes: the predictions F_i = F + Z X_i + h
//! Σ_l a_il Λ R_l V_lᵀV_i of the stages, F = ZV, give R_i as the residual of the rows at F_i.
//!
//! A block of stages has, for each output, s columns of n (residuals) or p (heads) numbers.

use nalgebra::{DMatrix, DVector};

use super::collocation::Collocation;
use super::stability::Jacobian;
use crate::flow::tangent::Tangent;
use crate::flow::{Budget, Flow};
use crate::product::{Factor, Multiplier, axpy, norm, scale_rows};
use crate::reduction::{Sampled, State};

/// How well the loss that is gone is known, in units of the rounding of targets and predictions.
const ROUNDINGS: f64 = 16.0;

/// A state with what its sums have lost: the change of the head, and the residual, n×k.
#[derive(Debug, Clone)]
pub(super) struct Here {
    pub state: State,
    pub turn: DMatrix<f64>,
    pub residual: DMatrix<f64>,
}

/// The equations of the steps from one state, and the state.
#[derive(Debug, Clone)]
pub(super) struct Stages<'a> {
    flow: &'a Flow<'a>,
    method: &'a Collocation,
    pub multiplier: Multiplier,
    lambda: &'a DVector<f64>,
    sqrt_lambda: DVector<f64>,
    /// D, V, Z and R here.
    pub motion: DMatrix<f64>,
    pub head: DMatrix<f64>,
    /// V − V₀, to its own precision.
    pub turn: DMatrix<f64>,
    pub features: DMatrix<f64>,
    pub residual: DMatrix<f64>,
    /// The samples, unless the loss is the squared one: then F = ZV, and memory for predictions of all samples.
    samples: Option<&'a Sampled>,
    pub predictions: DMatrix<f64>,
    spread: Vec<f64>,
    /// S, and ΛR.
    sums: DMatrix<f64>,
    scaled: DMatrix<f64>,
    /// X, and before it is solved for the right sides.
    shifts: DMatrix<f64>,
    /// V_i, then k columns of V, then k columns of another head.
    heads: DMatrix<f64>,
    /// R_lᵀΛR_j; then V_lᵀV_i.
    gram: DMatrix<f64>,
    /// a_ij a_jl, l fastest.
    weights: Vec<f64>,
    coupling: DMatrix<f64>,
    /// What the step moves, D and V, and the loss that it spends.
    pub moved: DMatrix<f64>,
    pub turned: DMatrix<f64>,
    spent: Budget,
    /// Weighted residuals beside two more, and an error of D, of V, and of the residual.
    weighted: DMatrix<f64>,
    wrong_motion: DMatrix<f64>,
    wrong_head: DMatrix<f64>,
    rest: DMatrix<f64>,
}

impl<'a> Stages<'a> {
    /// The equations at the start of a flow.
    pub fn new(flow: &'a Flow<'a>, method: &'a Collocation) -> Self {
        let reduction = flow.reduction();
        let ((n, p), k) = (reduction.features().shape(), reduction.outputs());
        let columns = k * method.stages();
        let State { motion, head } = flow.start().clone();
        let (s, a) = (method.stages(), &method.a);
        let pairs = (0..s).flat_map(|i| (0..s).map(move |j| (i, j)));
        let samples = reduction.samples();
        let features = reduction.features_at(flow.start());
        let weights = pairs.flat_map(|(i, j)| (0..s).map(move |l| a[(i, j)] * a[(j, l)])).collect();
        Self {
            weights,
            flow,
            method,
            multiplier: Multiplier::default(),
            lambda: reduction.lambda(),
            sqrt_lambda: reduction.lambda().map(f64::sqrt),
            predictions: if samples.is_some() { &features * &head } else { DMatrix::zeros(0, 0) },
            spread: vec![0.0; samples.map_or(0, |all| all.count() * columns)],
            samples,
            features,
            residual: flow.residual().clone(),
            turn: &head * 0.0,
            sums: DMatrix::zeros(n, columns),
            scaled: DMatrix::zeros(n, columns),
            shifts: DMatrix::zeros(p, columns),
            heads: DMatrix::zeros(p, columns + 2 * k),
            gram: DMatrix::zeros(columns, columns),
            coupling: DMatrix::zeros(columns, columns),
            weighted: DMatrix::zeros(n, columns + 2 * k),
            moved: motion.clone(),
            turned: head.clone(),
            spent: Budget::default(),
            wrong_motion: motion.clone(),
            wrong_head: head.clone(),
            rest: DMatrix::zeros(n, k),
            motion,
            head,
        }
    }

    /// Moves by a change to where the residual is known.
    pub fn jump(&mut self, change: &State, residual: DMatrix<f64>) {
        self.motion += &change.motion;
        self.head += &change.head;
        self.turn += &change.head;
        self.features = self.flow.reduction().features_at(&self.state());
        if self.samples.is_some() {
            self.predictions = &self.features * &self.head;
        }
        self.residual = residual;
    }

    /// The state here.
    pub fn state(&self) -> State {
        State { motion: self.motion.clone(), head: self.head.clone() }
    }

    /// The flow.
    pub fn flow(&self) -> &Flow<'a> {
        self.flow
    }

    /// Features, head and residual at stage i, whose heads must have been solved for.
    pub fn at_stage(&self, i: usize, residuals: &[f64], step: f64) -> [DMatrix<f64>; 3] {
        let ((n, p), k, s) = (self.features.shape(), self.outputs(), self.method.stages());
        let head = |l: usize| DMatrix::from_fn(p, k, |row, c| self.heads[(row, c * s + l)]);
        let mut z = self.features.clone();
        for l in 0..s {
            let mut moved = stage(residuals, l, [n, k, s]) * head(l).transpose();
            scale_rows(moved.as_mut_slice(), self.lambda);
            z += moved * (step * self.method.a[(i, l)]);
        }
        [z, head(i), stage(residuals, i, [n, k, s])]
    }

    /// Whether residuals sum to zero over the outputs, as those of the softmax do. A part along that sum moves no
    /// probability, so that nothing but rounding would ever take it away, and long steps multiply it.
    pub fn outputs_sum_to_zero(&self) -> bool {
        self.samples.is_some() && self.outputs() > 1
    }

    fn outputs(&self) -> usize {
        self.head.ncols()
    }

    /// Solves for the heads at the stages whose residuals are given; false if there is no solution.
    pub fn solve_heads(&mut self, residuals: &[f64], step: f64) -> bool {
        let (n, p) = self.features.shape();
        let (s, k) = (self.method.stages(), self.outputs());
        let (columns, rate, a) = (s * k, self.flow.head_rate(), &self.method.a);
        let count = &self.multiplier;
        for j in 0..k {
            let piece = j * s * n..(j + 1) * s * n;
            let (sums, r) = (&mut self.sums.as_mut_slice()[piece.clone()], &residuals[piece]);
            combine(sums, r, n, |l, i| step * a[(i, l)]);
        }
        count.add(n * columns * s);
        self.scaled.as_mut_slice().copy_from_slice(residuals);
        scale_rows(self.scaled.as_mut_slice(), self.lambda);
        self.shifts.fill(0.0);
        if rate > 0.0 {
            let blocks = Factor::new(residuals, n).t();
            count.multiply(self.gram.as_mut_slice(), false, 1.0, blocks, &self.scaled);
            let factor = rate * step * step;
            self.coupling.fill(0.0);
            for c in 0..k {
                for (i, j) in (0..s).flat_map(|i| (0..s).map(move |j| (i, j))) {
                    let weights = &self.weights[(i * s + j) * s..][..s];
                    let from = &self.gram.as_slice()[(c * s + j) * columns..][..columns];
                    let to = &mut self.coupling.as_mut_slice()[(c * s + i) * columns..][..columns];
                    for (to, from) in to.chunks_exact_mut(s).zip(from.chunks_exact(s)) {
                        for ((x, g), w) in to.iter_mut().zip(from).zip(weights) {
                            *x -= factor * w * g;
                        }
                    }
                }
            }
            count.add(columns * columns * s);
            // X (1 − C) = γZᵀS + V Σ_l C_li.
            let z = Factor::from(&self.features).t();
            count.multiply(self.shifts.as_mut_slice(), false, rate, z, &self.sums);
            for (column, mut right) in self.shifts.column_iter_mut().enumerate() {
                let couplings = self.coupling.as_slice()[column * columns..][..columns].chunks_exact(s);
                for (v, c) in self.head.column_iter().zip(couplings) {
                    axpy(right.as_mut_slice(), -c.iter().sum::<f64>(), v.as_slice());
                }
            }
            count.add(p * k * columns);
            (0..columns).for_each(|i| self.coupling[(i, i)] += 1.0);
            if !divide(&mut self.shifts, &mut self.coupling) {
                return false;
            }
            count.add(columns.pow(3) / 3 + p * columns * columns);
        }
        for (i, (x, mut head)) in self.shifts.column_iter().zip(self.heads.column_iter_mut()).enumerate()
        {
            head.copy_from(&self.head.column(i / s));
            head += x;
        }
        true
    }

    /// By how much the residuals of the heads that were solved for differ from those that were given.
    pub fn mismatch(&mut self, residuals: &[f64], step: f64, out: &mut [f64]) {
        let (n, p) = self.features.shape();
        let (s, k) = (self.method.stages(), self.outputs());
        let count = &self.multiplier;
        let heads = Factor::new(&self.heads.as_slice()[..p * s * k], p);
        count.multiply(self.gram.as_mut_slice(), false, 1.0, heads.t(), heads);
        for (i, column) in self.gram.as_mut_slice().chunks_exact_mut((s * k).max(1)).enumerate() {
            let a = self.method.a.row(i % s);
            for part in column.chunks_exact_mut(s) {
                part.iter_mut().zip(a.iter()).for_each(|(x, a)| *x *= step * a);
            }
        }
        let Some(samples) = self.samples else {
            for (column, out) in out.chunks_exact_mut(n.max(1)).enumerate() {
                let start = self.residual.column(column / s);
                let r = &residuals[column * n..][..n];
                out.iter_mut().zip(start.iter().zip(r)).for_each(|(x, (start, r))| *x = start - r);
            }
            count.multiply(out, true, -1.0, &self.scaled, &self.gram);
            count.multiply(out, true, -1.0, &self.features, &self.shifts);
            return;
        };
        for (column, out) in out.chunks_exact_mut(n.max(1)).enumerate() {
            out.copy_from_slice(self.predictions.column(column / s).as_slice());
        }
        count.multiply(out, true, 1.0, &self.scaled, &self.gram);
        count.multiply(out, true, 1.0, &self.features, &self.shifts);
        samples.residual(count, out, &mut self.spread, s);
        axpy(out, -1.0, residuals);
    }

    /// Puts the residuals with weights for the stages into `weighted`, then columns for V and for the other head.
    fn weigh(&mut self, residuals: &[f64], weights: impl Fn(usize) -> f64) {
        let (n, s) = (self.features.nrows(), self.method.stages());
        let all = self.weighted.as_mut_slice().chunks_exact_mut(n.max(1));
        for ((i, to), from) in all.enumerate().zip(residuals.chunks_exact(n.max(1))) {
            let weight = weights(i % s);
            to.iter_mut().zip(from).for_each(|(x, r)| *x = weight * r);
        }
    }

    /// The error of a step by the embedded formula, filtered by (1 − hγ₀J)⁻¹ with the Jacobian J of a tangent kernel:
    /// the norms of its motion and of its head; if `whole`, with the Jacobian here. The heads of these residuals must
    /// have been solved for.
    pub fn error(&mut self, residuals: &[f64], step: f64, tangent: &Tangent, whole: bool) -> [f64; 2] {
        let (n, p) = self.features.shape();
        let (m, k) = (self.method, self.outputs());
        let (s, rate) = (m.stages(), self.flow.head_rate());
        let real = m.eigenvalues[0].re * step;
        let (stages, both) = (s * k, (s + 2) * k);
        // The error formula is of increments h Σ_l a_jl f_l; f_l = (Λ^{1/2} R_l V_lᵀ, …).
        self.weigh(residuals, |l| (0..s).map(|j| step * m.error[j] * m.a[(j, l)]).sum());
        let mut columns = self.weighted.columns_mut(stages, k);
        columns.copy_from(&self.residual);
        columns *= real;
        self.heads.columns_mut(stages, k).copy_from(&self.head);
        self.heads.columns_mut(stages + k, k).copy_from(tangent.head());

        // The head's part: hγ₀γZᵀR + Σ e_j X_j.
        let count = &self.multiplier;
        let z = Factor::from(&self.features).t();
        count.multiply(self.wrong_head.as_mut_slice(), false, rate * real, z, &self.residual);
        for c in 0..k {
            for j in 0..s {
                self.wrong_head.column_mut(c).axpy(m.error[j], &self.shifts.column(c * s + j), 1.0);
            }
        }
        count.add(p * stages);
        // What it changes of the residual, ΛE(V_lᵀV) + ZG, with the features and the head of the tangent kernel.
        if whole {
            let weighted = Factor::new(&self.weighted.as_slice()[..n * (s + 1) * k], n);
            let heads = Factor::new(&self.heads.as_slice()[..p * (s + 1) * k], p).t();
            count.multiply(self.wrong_motion.as_mut_slice(), false, 1.0, weighted, heads);
            scale_rows(self.wrong_motion.as_mut_slice(), &self.sqrt_lambda);
            return self.filtered(real);
        }
        let gram = &mut self.gram.as_mut_slice()[..k * (s + 1) * k];
        let heads = Factor::new(&self.heads.as_slice()[..p * (s + 1) * k], p);
        count.multiply(gram, false, 1.0, heads.t(), tangent.head());
        let parts = Factor::new(&self.weighted.as_slice()[..n * (s + 1) * k], n);
        let gram = Factor::new(&self.gram.as_slice()[..k * (s + 1) * k], (s + 1) * k);
        count.multiply(self.rest.as_mut_slice(), false, 1.0, parts, gram);
        scale_rows(self.rest.as_mut_slice(), self.lambda);
        count.multiply(self.rest.as_mut_slice(), true, 1.0, tangent.features(), &self.wrong_head);
        // −hγ₀(1 + hγ₀Θ)⁻¹ of it.
        let (rotated, modes) = self.sums.as_mut_slice()[..2 * n * k].split_at_mut(n * k);
        let filtered = |d: f64| -real / (1.0 + real * d);
        tangent.filter(count, self.rest.as_mut_slice(), [rotated, modes], filtered);

        self.weighted.columns_mut(stages + k, k).copy_from(&self.rest);
        let heads = Factor::new(&self.heads.as_slice()[..p * both], p).t();
        count.multiply(self.wrong_motion.as_mut_slice(), false, 1.0, &self.weighted, heads);
        scale_rows(self.wrong_motion.as_mut_slice(), &self.sqrt_lambda);
        let z = Factor::from(tangent.features()).t();
        count.multiply(self.wrong_head.as_mut_slice(), true, rate, z, &self.rest);
        [norm(self.wrong_motion.as_slice()), norm(self.wrong_head.as_slice())]
    }

    /// The norms of motion and head of the error that is there, filtered by (1 − xJ)⁻¹ with the Jacobian here.
    fn filtered(&self, x: f64) -> [f64; 2] {
        let (motion, head) = (&self.wrong_motion, &self.wrong_head);
        let (moving, rate) = (motion.len(), self.flow.head_rate().sqrt());
        let jacobian = Jacobian::at(self.flow, &self.features, &self.head, &self.residual);
        let all = motion.iter().copied().chain(head.iter().map(|v| v / rate));
        let error = DVector::from_iterator(moving + head.len(), all);
        let matrix = DMatrix::identity(error.len(), error.len()) - jacobian.whole() * x;
        match matrix.lu().solve(&error) {
            Some(error) => [norm(&error.as_slice()[..moving]), norm(&error.as_slice()[moving..]) * rate],
            None => [f64::NAN; 2],
        }
    }

    /// What a step whose heads are solved for moves until its end, and the loss that it spends.
    pub fn settle(&mut self, residuals: &[f64], step: f64) {
        let (n, p) = self.features.shape();
        let (m, k) = (self.method, self.outputs());
        let s = m.stages();
        self.weigh(residuals, |l| step * m.a[(s - 1, l)]);
        let parts = Factor::new(&self.weighted.as_slice()[..n * s * k], n);
        let heads = Factor::new(&self.heads.as_slice()[..p * s * k], p).t();
        self.multiplier.multiply(self.moved.as_mut_slice(), false, 1.0, parts, heads);
        scale_rows(self.moved.as_mut_slice(), &self.sqrt_lambda);
        for c in 0..k {
            self.turned.column_mut(c).copy_from(&self.shifts.column(c * s + s - 1));
        }
        // ‖Ḋ‖² = tr(RᵀΛR VᵀV) at each stage, and V̇ by the derivative of the collocation polynomial.
        let mut spent = Budget::default();
        for i in 0..s {
            let mut rate = 0.0;
            for (b, c) in (0..k).flat_map(|b| (0..k).map(move |c| (b, c))) {
                let (x, y) = (b * s + i, c * s + i);
                let product = |x: usize, y: usize| {
                    let column = |x: usize| residuals[x * n..][..n].iter();
                    column(x).zip(column(y)).zip(self.lambda).map(|((x, y), l)| x * y * l).sum::<f64>()
                };
                rate += product(x, y) * self.heads.column(x).dot(&self.heads.column(y));
            }
            let mut turning = 0.0;
            for c in 0..k {
                let mut column = self.wrong_head.column_mut(c);
                column.fill(0.0);
                for l in 0..s {
                    let weight = m.inverse_transposed[(l, i)] / step;
                    column.axpy(weight, &self.shifts.column(c * s + l), 1.0);
                }
                turning += column.norm_squared();
            }
            let weight = step * m.a[(s - 1, i)];
            let rate = self.flow.spending_rates(rate, turning);
            spent.backbone += weight * rate.backbone;
            spent.head += weight * rate.head;
        }
        self.multiplier.add(s * k * k * (n + p) + s * s * k * p);
        self.spent = spent;
    }

    /// The share of the loss that is gone in a step that is settled which its stages do not account for, rounding left
    /// out.
    pub fn unaccounted(&self, residuals: &[f64]) -> f64 {
        let r = &self.residual;
        let (n, s) = (self.features.nrows(), self.method.stages());
        let (gone, size) = match self.samples {
            None => {
                // The last stage is the end. A difference of squares keeps the digits of a small step.
                let gone = |(c, start): (usize, &[f64])| -> f64 {
                    let end = &residuals[(c * s + s - 1) * n..][..n];
                    start.iter().zip(end).map(|(a, b)| (a - b) * (a + b)).sum()
                };
                let columns = r.as_slice().chunks_exact(n.max(1)).enumerate();
                let formed =
                    self.flow.reduction().targets().norm() + self.features.norm() * self.head.norm();
                (columns.map(gone).sum::<f64>() / 2.0, formed * r.norm())
            }
            Some(samples) => {
                let mut moved = self.moved.clone();
                scale_rows(moved.as_mut_slice(), &self.sqrt_lambda);
                let predictions = (&self.features + moved) * (&self.head + &self.turned);
                let before = samples.value(&self.predictions);
                (before - samples.value(&predictions), before + self.predictions.norm() * r.norm())
            }
        };
        let spent = self.spent.backbone + self.spent.head;
        let missing = (gone - spent).abs() - ROUNDINGS * f64::EPSILON * size;
        if missing > 0.0 { missing / spent.max(gone) } else { 0.0 }
    }

    /// The state after a step that is settled, and the loss spent in it.
    pub fn end(&self) -> (Here, Budget) {
        let (mut state, mut residual) = (self.state(), self.residual.clone());
        let change = State { motion: self.moved.clone(), head: self.turned.clone() };
        self.flow.shift(&mut state, &mut residual, 1.0, &change);
        (Here { state, turn: &self.turn + &self.turned, residual }, self.spent)
    }

    /// Where the steps are.
    pub fn here(&self) -> Here {
        Here { state: self.state(), turn: self.turn.clone(), residual: self.residual.clone() }
    }

    /// Goes to the end of a step that is settled; the loss spent in it.
    pub fn advance(&mut self) -> Budget {
        self.motion += &self.moved;
        self.head += &self.turned;
        self.turn += &self.turned;
        let count = &self.multiplier;
        if self.samples.is_none() {
            // R − Z X − ΔZ (V + X), by changes.
            count.multiply(self.residual.as_mut_slice(), true, -1.0, &self.features, &self.turned);
            scale_rows(self.moved.as_mut_slice(), &self.sqrt_lambda);
            count.multiply(self.residual.as_mut_slice(), true, -1.0, &self.moved, &self.head);
        }
        self.features.copy_from(self.flow.reduction().features());
        let (n, motion) = (self.features.nrows(), self.motion.as_slice());
        let columns = self.features.as_mut_slice().chunks_exact_mut(n.max(1));
        for (z, d) in columns.zip(motion.chunks_exact(n.max(1))) {
            z.iter_mut().zip(d).zip(&self.sqrt_lambda).for_each(|((z, d), l)| *z += l * d);
        }
        if let Some(samples) = self.samples {
            count.multiply(self.predictions.as_mut_slice(), false, 1.0, &self.features, &self.head);
            self.residual.copy_from(&self.predictions);
            let spread = &mut self.spread[..samples.count() * self.head.ncols()];
            samples.residual(count, self.residual.as_mut_slice(), spread, 1);
        }
        self.spent
    }
}

/// Stage j of a block of n·k numbers for each of s stages.
pub(super) fn stage(block: &[f64], j: usize, [n, k, s]: [usize; 3]) -> DMatrix<f64> {
    DMatrix::from_fn(n, k, |row, c| block[(c * s + j) * n + row])
}

/// Mixes the columns of n numbers: column i of `out` is the sum over l of weight(l, i) times column l of `a`.
pub(crate) fn combine(out: &mut [f64], a: &[f64], n: usize, weight: impl Fn(usize, usize) -> f64) {
    if n == 0 {
        return;
    }
    for (i, to) in out.chunks_exact_mut(n).enumerate() {
        to.fill(0.0);
        for (l, from) in a.chunks_exact(n).enumerate() {
            axpy(to, weight(l, i), from);
        }
    }
}

/// x ← x · matrix⁻¹ by elimination of columns with pivots, in place; the matrix is overwritten. False if
/// it is singular or not finite.
fn divide(x: &mut DMatrix<f64>, matrix: &mut DMatrix<f64>) -> bool {
    let n = matrix.nrows();
    for i in 0..n {
        let row = matrix.row(i);
        let pivot = (i..n).max_by(|&a, &b| row[a].abs().total_cmp(&row[b].abs())).unwrap_or(i);
        if !(row[pivot].is_finite() && row[pivot] != 0.0) {
            return false;
        }
        matrix.swap_columns(i, pivot);
        x.swap_columns(i, pivot);
        for other in i + 1..n {
            let factor = -matrix[(i, other)] / matrix[(i, i)];
            let (from, to) = pair(matrix.as_mut_slice(), n, i, other);
            axpy(&mut to[i..], factor, &from[i..]);
            let rows = x.nrows();
            let (from, to) = pair(x.as_mut_slice(), rows, i, other);
            axpy(to, factor, from);
        }
    }
    // What is left of the matrix is triangular.
    for i in (0..n).rev() {
        for other in i + 1..n {
            let rows = x.nrows();
            let (from, to) = pair(x.as_mut_slice(), rows, other, i);
            axpy(to, -matrix[(other, i)], from);
        }
        x.column_mut(i).scale_mut(matrix[(i, i)].recip());
    }
    true
}

/// Column `from` to read and column `to` to change.
fn pair(data: &mut [f64], rows: usize, from: usize, to: usize) -> (&[f64], &mut [f64]) {
    if from < to {
        let (low, high) = data.split_at_mut(to * rows);
        (&low[from * rows..][..rows], &mut high[..rows])
    } else {
        let (low, high) = data.split_at_mut(from * rows);
        (&high[..rows], &mut low[to * rows..][..rows])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    /// For any residuals at the stages, heads and features that are made from them as the method says give the
    /// mismatch, and the end of the step is theirs.
    #[test]
    fn heads_and_mismatch_are_those_of_the_collocation_equations() {
        let head = wobble(6, 2, 3.0);
        let problem =
            Problem::linear(&wobble(4, 9, 0.0), &wobble(6, 9, 1.0), wobble(4, 2, 2.0)).unwrap();
        let reduction = Reduction::new(&problem, &head).unwrap();
        for rate in [0.0, 0.7] {
            let flow = Flow::new(&reduction, &head, rate).unwrap();
            let method = Collocation::radau(3);
            let mut stages = Stages::new(&flow, &method);
            let (n, k, s, step) = (4, 2, 3, 0.3);
            let block = wobble(n, k * s, 5.0);
            assert!(stages.solve_heads(block.as_slice(), step));
            let mut out = block.clone();
            stages.mismatch(block.as_slice(), step, out.as_mut_slice());
            let residual = |i: usize| DMatrix::from_fn(n, k, |row, c| block[(row, c * s + i)]);
            let p = reduction.width();
            let head = |i: usize| DMatrix::from_fn(p, k, |row, c| stages.heads[(row, c * s + i)]);
            let sum = |i: usize, of: &dyn Fn(usize) -> DMatrix<f64>| {
                (0..s).map(|j| of(j) * (step * method.a[(i, j)])).reduce(|a, b| a + b).unwrap()
            };
            let motion = |i: usize| {
                sum(i, &|j| {
                    DMatrix::from_diagonal(&stages.sqrt_lambda) * residual(j) * head(j).transpose()
                })
            };
            let features = |i: usize| reduction.features_at(&State { motion: motion(i), head: head(i) });
            for i in 0..s {
                let v = &flow.start().head + sum(i, &|j| features(j).tr_mul(&residual(j)) * rate);
                assert!((v - head(i)).norm() < 1e-12, "head of stage {i}");
                let r = reduction.targets() - features(i) * head(i) - residual(i);
                let found = DMatrix::from_fn(n, k, |row, c| out[(row, c * s + i)]);
                assert!((r - found).norm() < 1e-12, "residual of stage {i}");
            }
            let (wanted_motion, wanted_head) = (motion(s - 1), head(s - 1));
            stages.settle(block.as_slice(), step);
            let (Here { state: end, residual: followed, .. }, _) = stages.end();
            assert!((&end.motion - wanted_motion).norm() < 1e-13);
            assert!((&end.head - wanted_head).norm() < 1e-13);
            // The residual that is carried is that of the state.
            stages.advance();
            assert!((reduction.residual(&end) - &stages.residual).norm() < 1e-12);
            assert!((followed - &stages.residual).norm() < 1e-14);
            assert_eq!((stages.motion, stages.head), (end.motion, end.head));
        }
    }

    #[test]
    fn division_from_the_right_undoes_a_product() {
        let mut matrix = wobble(7, 7, 1.0);
        matrix[(0, 0)] = 0.0;
        let wanted = wobble(4, 7, 2.0);
        let mut x = &wanted * &matrix;
        assert!(divide(&mut x, &mut matrix));
        assert!((x - wanted).norm() < 1e-12);
        assert!(!divide(&mut wobble(4, 7, 2.0), &mut DMatrix::zeros(7, 7)));
    }
}
