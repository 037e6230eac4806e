//! Exact reduction (T4): a flow of any width and number of samples in the fewest coordinates.
//!
//! *Width.* All motion lies in the span of the rows of Z₀ and the columns of V. An orthonormal basis
//! P (h×p, p ≤ N + k) of it turns Z₀ into Z₀P and V into PᵀV, and nothing else changes.
//!
//! *Outputs.* Rows of R = Y − ZV lie in the span of the rows of Y and V, and so does all that the head gains. An
//! orthonormal basis O (k×q, q ≤ n + p) of it turns Y into YO and V into VO: 128 classes on 8 samples are no more
//! than 8 + p outputs. This holds for the squared loss, whose residual is linear in the predictions.
//!
//! *Samples.* In the eigenvectors U of the kernel, K = UΛUᵀ, the rows of UᵀZ with λ = 0 never move.
//! They act on the head only through their Gram matrix, so that a triangular factor of at most p
//! rows stands for all of them, and what of the targets lies outside it is a constant loss.
//!
//! What remains is a problem with a diagonal kernel Λ = diag(λ₁ … λ_r, 0 … 0) on n = r + q rows:
//!
//! $$\dot D = \Lambda^{1/2} R V^\top,\quad \dot V = \gamma Z^\top R,\quad
//!   Z = Z_0 + \Lambda^{1/2} D,\quad R = Y - Z V.$$
//!
//! D (n×p) is the motion of the backbone itself: ‖D‖_F = ‖B − B₀‖_F in the linear model. The features
//! of any input with kernel row k(x) move by (k(x) U Λ^{−1/2}) D Pᵀ.
//!
//! *Other losses* (T22). Features and predictions are Q times those of the rows, with the directions Q of the samples
//! that the rows stand for (N×n); only the residual of the rows is another function of them, R = Qᵀ G(Q ZV) with
//! G = −∂L/∂F. Everything else stays as it is, but that all outputs are kept.

mod sampled;

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

pub(crate) use sampled::Sampled;

use crate::adaptation::{Adaptation, is_gone};
use crate::linalg::spanning_basis;
use crate::loss::{Labels, Loss};
use crate::problem::{Problem, ProblemError};
use crate::product::{Factor, Multiplier, axpy, multiply, product};

/// A problem in reduced coordinates, for all heads in the span it was made for.
#[derive(Debug, Clone)]
pub struct Reduction {
    /// P, h×p; `None` stands for the identity.
    basis: Option<DMatrix<f64>>,
    /// O, k×q; `None` stands for the identity.
    outputs: Option<DMatrix<f64>>,
    /// λ, n values, of which the last q are zero.
    lambda: DVector<f64>,
    /// What rounding leaves open of each, relative.
    doubt: DVector<f64>,
    features: DMatrix<f64>,
    targets: DMatrix<f64>,
    constant_loss: f64,
    loss: Loss,
    /// The samples, for a loss that is not linear in the predictions.
    samples: Option<Sampled>,
    labels: Option<Labels>,
    /// Orthonormal directions of the samples that the rows stand for.
    directions: Directions,
    training: Inputs,
    held_out: Option<Inputs>,
}

/// A set of inputs in reduced coordinates.
#[derive(Debug, Clone)]
struct Inputs {
    /// Features before finetuning in the basis, inputs×p.
    features: Arc<DMatrix<f64>>,
    /// Squared norm of what of each feature lies outside the basis (empty: nothing).
    outside: Vec<f64>,
    /// Rows k(x) U Λ^{−1/2} as a product with a diagonal matrix, inputs×r and r: the motion D of the rows that move
    /// takes the features along by `lift` · `diagonal` · D.
    lift: Arc<DMatrix<f64>>,
    diagonal: DVector<f64>,
}

impl Inputs {
    /// The motion of the features in the basis, inputs×p.
    fn displacement(&self, state: &State) -> DMatrix<f64> {
        let moving = DMatrix::from_fn(self.diagonal.len(), state.motion.ncols(), |i, j| {
            self.diagonal[i] * state.motion[(i, j)]
        });
        product(&*self.lift, &moving)
    }

    /// The features in the basis, inputs×p.
    fn features_at(&self, state: &State) -> DMatrix<f64> {
        let mut features = self.displacement(state);
        features += &*self.features;
        features
    }

    /// [`Reduction::shown_error`] of these inputs.
    fn shown_error(&self, state: &State, share: f64) -> f64 {
        let of_row = |[before, moved, after]: [f64; 3]| share * (before + moved) / after;
        let rows = self.sizes(state, &self.displacement(state)).into_iter();
        rows.filter(|row| row[2] > 0.0).map(of_row).fold(0.0, f64::max)
    }

    /// [`Reduction::smallest_feature`] of these inputs.
    fn smallest_feature(&self, state: &State) -> f64 {
        let after = self.sizes(state, &self.displacement(state)).into_iter().map(|row| row[2]);
        after.filter(|&after| after > 0.0).fold(f64::INFINITY, f64::min)
    }

    /// For each feature its norm at the start, the most that moves it, taken alone, and its norm at a state with its
    /// displacement: 0 where that is rounding.
    fn sizes(&self, state: &State, displacement: &DMatrix<f64>) -> Vec<[f64; 3]> {
        let moving: Vec<f64> = (0..self.diagonal.len())
            .map(|i| self.diagonal[i].abs() * state.motion.row(i).norm())
            .collect();
        let moved = |row: usize| -> f64 {
            self.lift.row(row).iter().zip(&moving).map(|(x, size)| x.abs() * size).sum()
        };
        let now = displacement + &*self.features;
        let of_row = |row: usize| {
            let outside = self.outside.get(row).copied().unwrap_or(0.0);
            let norm = |z: &DMatrix<f64>| (z.row(row).norm_squared() + outside).sqrt();
            let sizes = [norm(&self.features), moved(row), norm(&now)];
            // A feature of zero at the start has no angle to lose.
            if sizes[0] == 0.0 || is_gone(sizes) { [sizes[0], sizes[1], 0.0] } else { sizes }
        };
        (0..now.nrows()).map(of_row).collect()
    }
}

/// Directions of the samples.
#[derive(Debug, Clone)]
struct Directions {
    /// Of the rows that move, N×r.
    moving: Arc<DMatrix<f64>>,
    /// Of the others, N×q.
    fixed: DMatrix<f64>,
}

impl Directions {
    /// All of them as one matrix Q, N×n.
    fn joined(&self) -> Arc<DMatrix<f64>> {
        let Self { moving, fixed } = self;
        if fixed.ncols() == 0 {
            return moving.clone();
        }
        let mut all = DMatrix::zeros(moving.nrows(), moving.ncols() + fixed.ncols());
        all.columns_mut(0, moving.ncols()).copy_from(moving);
        all.columns_mut(moving.ncols(), fixed.ncols()).copy_from(fixed);
        Arc::new(all)
    }

    /// An array of the rows on all samples: Q times the rows, without a copy of the directions that kernels share.
    fn of_rows(&self, rows: &DMatrix<f64>) -> DMatrix<f64> {
        let r = self.moving.ncols();
        let mut all = product(&*self.moving, &rows.rows(0, r).into_owned());
        if self.fixed.ncols() > 0 {
            all += &self.fixed * rows.rows(r, rows.nrows() - r);
        }
        all
    }

    /// An N×k array in these directions, and half the squared norm of what is left of it.
    fn rows_of(&self, a: &DMatrix<f64>) -> (DMatrix<f64>, f64) {
        let Self { moving, fixed } = self;
        let top = product(Factor::from(&**moving).t(), a);
        if moving.ncols() == a.nrows() {
            return (top, 0.0);
        }
        let mut outside = a.clone();
        multiply(outside.as_mut_slice(), true, -1.0, (&**moving).into(), (&top).into());
        let bottom = fixed.tr_mul(&outside);
        let rest = outside - fixed * &bottom;
        (stack(&top, &bottom), rest.norm_squared() / 2.0)
    }
}

/// A moment of a flow in reduced coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Motion D of the backbone since the start, n×p.
    pub motion: DMatrix<f64>,
    /// Head V, p×k.
    pub head: DMatrix<f64>,
}

impl State {
    /// self += factor · other.
    pub fn add(&mut self, factor: f64, other: &Self) {
        axpy(self.motion.as_mut_slice(), factor, other.motion.as_slice());
        axpy(self.head.as_mut_slice(), factor, other.head.as_slice());
    }
}

impl Reduction {
    /// Reduces a problem for the flows that start at `head` (h×k) or at any head that probing makes of it.
    pub fn new(problem: &Problem, head: &DMatrix<f64>) -> Result<Self, ProblemError> {
        Self::with_outputs(problem, head, Outputs::Targets)
    }

    /// The same with a choice of the outputs to keep.
    pub(crate) fn with_outputs(
        problem: &Problem,
        head: &DMatrix<f64>,
        outputs: Outputs,
    ) -> Result<Self, ProblemError> {
        problem.check_head(head)?;
        let kernel = problem.kernel();
        let (n, h, r) = (problem.samples(), problem.width(), kernel.rank());
        let modes = kernel.shared_modes();

        // Samples: rows that move, and a triangular factor for the rows that do not.
        let moving = product(Factor::from(&*modes).t(), problem.features());
        let (fixed, fixed_directions) = if r < n {
            fixed_rows(problem, &moving)
        } else {
            (DMatrix::zeros(0, h), DMatrix::zeros(n, 0))
        };
        let q = fixed.nrows();
        let mut features = stack(&moving, &fixed);
        let directions = Directions { moving: modes.clone(), fixed: fixed_directions };
        let (mut targets, constant_loss) = directions.rows_of(problem.targets());

        // Width. Columns of zeros span nothing.
        let columns = nonzero(head.column_iter().map(|c| c.amax()));
        let basis = (r + q + columns.len() < h).then(|| {
            let mut span = DMatrix::zeros(h, r + q + columns.len());
            span.columns_mut(0, r + q).copy_from(&features.transpose());
            span.columns_mut(r + q, columns.len()).copy_from(&head.select_columns(&columns));
            spanning_basis(span)
        });
        let project = |a: &DMatrix<f64>, p: &DMatrix<f64>| product(a, p);
        if let Some(p) = &basis {
            features = project(&features, p);
        }

        let narrow = basis.as_ref().map(|p| p.tr_mul(head));
        let outputs = outputs.basis(&targets, narrow.as_ref().unwrap_or(head));
        if let Some(o) = &outputs {
            targets *= o;
        }

        let of_rows =
            |values: &DVector<f64>| DVector::from_fn(r + q, |i, _| if i < r { values[i] } else { 0.0 });
        let (lambda, doubt) = (of_rows(kernel.eigenvalues()), of_rows(kernel.doubt()));
        let inputs = |features: Arc<DMatrix<f64>>, lift: Arc<DMatrix<f64>>, diagonal: DVector<f64>| {
            let Some(p) = &basis else {
                return Inputs { features, outside: Vec::new(), lift, diagonal };
            };
            let inside = project(&features, p);
            let mut rest = (*features).clone();
            multiply(rest.as_mut_slice(), true, -1.0, (&inside).into(), Factor::from(p).t());
            let outside = rest.row_iter().map(|row| row.norm_squared()).collect();
            Inputs { features: Arc::new(inside), outside, lift, diagonal }
        };
        let training = inputs(problem.shared_features(), modes, kernel.eigenvalues().map(f64::sqrt));
        let held_out = problem.held_out().map(|held| {
            inputs(Arc::new(held.features().clone()), held.shared_factor(), DVector::repeat(r, 1.0))
        });
        Ok(Self {
            basis,
            outputs,
            lambda,
            doubt,
            features,
            targets,
            constant_loss,
            loss: Loss::Squared,
            samples: None,
            labels: Labels::of(Loss::Squared, problem.targets()),
            directions,
            training,
            held_out,
        })
    }

    /// The same for a loss that is not the squared one, whose targets must be its own ([`Loss::targets`]).
    pub fn for_loss(problem: &Problem, head: &DMatrix<f64>, loss: Loss) -> Result<Self, ProblemError> {
        if loss == Loss::Squared {
            return Self::new(problem, head);
        }
        let targets = loss.targets(problem.targets())?;
        let mut new = Self::with_outputs(problem, head, Outputs::All)?;
        (new.targets, _) = new.directions.rows_of(&targets);
        new.constant_loss = 0.0;
        new.loss = loss;
        new.labels = Labels::of(loss, &targets);
        new.samples = Some(Sampled::new(loss, targets, new.directions.joined()));
        Ok(new)
    }

    /// The loss.
    pub fn loss_function(&self) -> Loss {
        self.loss
    }

    /// The samples behind the rows, unless the loss is the squared one.
    pub(crate) fn samples(&self) -> Option<&Sampled> {
        self.samples.as_ref()
    }

    /// The same problem with other units of features, targets and kernel. What is measured on inputs is not rescaled.
    pub(crate) fn rescaled(
        &self,
        features: impl Fn(f64) -> f64,
        targets: impl Fn(f64) -> f64,
        lambda: impl Fn(f64) -> f64,
    ) -> Self {
        Self {
            features: self.features.map(features),
            targets: self.targets.map(&targets),
            lambda: self.lambda.map(lambda),
            labels: self.labels.as_ref().map(|labels| labels.rescaled(&targets)),
            ..self.clone()
        }
    }

    /// Rows n = r + q of the reduced problem.
    pub fn rows(&self) -> usize {
        self.features.nrows()
    }

    /// Width p.
    pub fn width(&self) -> usize {
        self.features.ncols()
    }

    /// Outputs q of the reduced problem.
    pub fn outputs(&self) -> usize {
        self.targets.ncols()
    }

    /// Whether the coordinates of the width are those of the problem, so that a head is taken over as it is.
    pub(crate) fn keeps_heads(&self) -> bool {
        self.basis.is_none()
    }

    /// Whether some features lie outside the range of the kernel (Z₀ ≠ FẐ₀): they never move.
    pub fn has_fixed_features(&self) -> bool {
        self.lambda.iter().any(|&l| l == 0.0)
    }

    /// The diagonal λ of the kernel, n values.
    pub fn lambda(&self) -> &DVector<f64> {
        &self.lambda
    }

    /// The relative error of the features at a state that the rounding of the kernel's eigenvalues causes: a mode that
    /// is known to a part of itself moves by as much less or more.
    pub(crate) fn kernel_error(&self, state: &State) -> f64 {
        let moved = self.features_at(state) - &self.features;
        let rows =
            moved.row_iter().zip(self.doubt.iter()).map(|(row, doubt)| row.norm() * doubt.min(1.0));
        let wrong = rows.fold(0.0, f64::hypot);
        let size = self.features_at(state).norm().hypot(moved.norm());
        if wrong > 0.0 { wrong / size } else { 0.0 }
    }

    /// The largest relative error of a feature when all that moves, and each feature, has an error of this share: that
    /// of a feature that has shrunk, or that is far smaller than others that move. Features of zero, which have no
    /// angle, and those of which nothing is left at this state are left out.
    pub(crate) fn shown_error(&self, state: &State, share: f64) -> f64 {
        let training = self.training.shown_error(state, share);
        self.held_out.as_ref().map_or(training, |inputs| training.max(inputs.shown_error(state, share)))
    }

    /// The norm of the smallest feature at a state that is not zero, there or at the start; ∞ if there is none.
    pub(crate) fn smallest_feature(&self, state: &State) -> f64 {
        let training = self.training.smallest_feature(state);
        self.held_out.as_ref().map_or(training, |inputs| training.min(inputs.smallest_feature(state)))
    }

    /// Z₀ in reduced coordinates, n×p.
    pub fn features(&self) -> &DMatrix<f64> {
        &self.features
    }

    /// Y in reduced coordinates, n×k.
    pub fn targets(&self) -> &DMatrix<f64> {
        &self.targets
    }

    /// The loss ½‖·‖² of the part of the targets that no head and no backbone reaches.
    pub fn constant_loss(&self) -> f64 {
        self.constant_loss
    }

    /// A residual of the whole problem (N×k) on the rows and outputs of the reduced one, n×q, and the loss ½‖·‖² of the
    /// part that lies in no row. Relative accuracy in norm is kept, however small the residual is.
    pub fn residual_on_rows(&self, residual: &DMatrix<f64>) -> (DMatrix<f64>, f64) {
        let (rows, rest) = self.directions.rows_of(residual);
        (self.narrow(rows), if self.samples.is_some() { 0.0 } else { rest })
    }

    /// The state at the start of finetuning with a head (h×k) from the span of this reduction.
    pub fn start(&self, head: &DMatrix<f64>) -> State {
        let head = self.basis.as_ref().map_or_else(|| head.clone(), |p| p.transpose() * head);
        State { motion: DMatrix::zeros(self.rows(), self.width()), head: self.narrow(head) }
    }

    /// An array with a column for each output of the problem in the outputs that are kept.
    fn narrow(&self, a: DMatrix<f64>) -> DMatrix<f64> {
        match &self.outputs {
            Some(o) => a * o,
            None => a,
        }
    }

    /// The head in all outputs, p×k.
    fn head_of_all_outputs(&self, state: &State) -> DMatrix<f64> {
        match &self.outputs {
            Some(o) => &state.head * o.transpose(),
            None => state.head.clone(),
        }
    }

    /// Z = Z₀ + Λ^{1/2} D, n×p.
    pub fn features_at(&self, state: &State) -> DMatrix<f64> {
        let mut z = self.features.clone();
        for (i, mut row) in z.row_iter_mut().enumerate() {
            row += state.motion.row(i) * self.lambda[i].sqrt();
        }
        z
    }

    /// R of the rows, n×k: Y − ZV for the squared loss.
    pub fn residual(&self, state: &State) -> DMatrix<f64> {
        let mut rows = self.features_at(state) * &state.head;
        match &self.samples {
            None => &self.targets - rows,
            Some(samples) => {
                let mut all = DMatrix::zeros(samples.count(), rows.ncols());
                samples.residual(&Multiplier::default(), rows.as_mut_slice(), all.as_mut_slice(), 1);
                rows
            }
        }
    }

    /// The loss L of the whole problem, summed over the samples: ½‖R‖²_F, the constant part included, for the squared
    /// loss.
    pub fn loss(&self, state: &State) -> f64 {
        match &self.samples {
            None => self.residual(state).norm_squared() / 2.0 + self.constant_loss,
            Some(samples) => samples.value(&(self.features_at(state) * &state.head)),
        }
    }

    /// N.
    pub(crate) fn sample_count(&self) -> usize {
        self.directions.moving.nrows()
    }

    /// The labels of the training samples, if the targets are labels.
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// An array of the rows (n×q) on all samples and outputs, N×k.
    fn of_samples(&self, rows: &DMatrix<f64>) -> DMatrix<f64> {
        let all = self.directions.of_rows(rows);
        match &self.outputs {
            Some(o) => product(&all, Factor::from(o).t()),
            None => all,
        }
    }

    /// The predictions on the training samples, N×k, in the units of the state.
    pub(crate) fn sample_predictions(&self, state: &State) -> DMatrix<f64> {
        self.of_samples(&(self.features_at(state) * &state.head))
    }

    /// R on the training samples, N×k; for the squared loss without the part that no head and no backbone reaches.
    pub fn sample_residual(&self, state: &State) -> DMatrix<f64> {
        match &self.samples {
            Some(samples) => self.loss.residual(samples.targets(), &self.sample_predictions(state)),
            None => self.of_samples(&self.residual(state)),
        }
    }

    /// The share of training samples whose prediction is right; none if the targets are not labels.
    pub fn accuracy(&self, state: &State) -> Option<f64> {
        self.labels.as_ref().map(|labels| labels.accuracy(&self.sample_predictions(state)))
    }

    /// The adaptation metrics on the training inputs.
    pub fn adaptation(&self, state: &State) -> Adaptation {
        Self::measure(&self.training, state)
    }

    /// The adaptation metrics on the held-out inputs, if there are any.
    pub fn held_out_adaptation(&self, state: &State) -> Option<Adaptation> {
        self.held_out.as_ref().map(|inputs| Self::measure(inputs, state))
    }

    fn measure(inputs: &Inputs, state: &State) -> Adaptation {
        let displacement = inputs.displacement(state);
        let all = Adaptation::with_outside(&inputs.features, &displacement, &inputs.outside);
        // What is left of a feature may be the rounding of what others move.
        let gone = inputs.sizes(state, &displacement).iter().any(|row| row[2] == 0.0);
        Adaptation { cosine: if gone { f64::NAN } else { all.cosine }, ..all }
    }

    /// The motion of the training features in full width, N×h.
    pub fn full_displacement(&self, state: &State) -> DMatrix<f64> {
        self.widen(self.training.displacement(state))
    }

    /// The motion of the held-out features in full width, P×h.
    pub fn full_held_out_displacement(&self, state: &State) -> Option<DMatrix<f64>> {
        self.held_out.as_ref().map(|inputs| self.widen(inputs.displacement(state)))
    }

    /// The training sample whose feature moves most when the backbone moves along a direction of the n rows.
    pub(crate) fn sample_moved_most<S: nalgebra::storage::Storage<f64, nalgebra::Dyn>>(
        &self,
        direction: &nalgebra::Vector<f64, nalgebra::Dyn, S>,
    ) -> usize {
        let moving =
            self.training.diagonal.component_mul(&direction.rows(0, self.training.diagonal.len()));
        (&*self.training.lift * moving).iamax()
    }

    /// The predictions ZV on the training inputs, N×k.
    pub fn predictions(&self, state: &State) -> DMatrix<f64> {
        product(&self.training.features_at(state), &self.head_of_all_outputs(state))
    }

    /// The predictions ZV on the held-out inputs, P×k.
    pub fn held_out_predictions(&self, state: &State) -> Option<DMatrix<f64>> {
        let head = self.head_of_all_outputs(state);
        self.held_out.as_ref().map(|inputs| product(&inputs.features_at(state), &head))
    }

    /// The head in full width, h×k.
    pub fn full_head(&self, state: &State) -> DMatrix<f64> {
        let head = self.head_of_all_outputs(state);
        match &self.basis {
            Some(p) => p * head,
            None => head,
        }
    }

    fn widen(&self, a: DMatrix<f64>) -> DMatrix<f64> {
        match &self.basis {
            Some(p) => product(&a, Factor::from(p).t()),
            None => a,
        }
    }

    /// Λ^{−1/2} Z₀ on the rows with λ > 0 and zero on the others: the backbone B₀ in these coordinates, n×p.
    pub(crate) fn backbone(&self) -> DMatrix<f64> {
        let mut b = self.features.clone();
        for (i, mut row) in b.row_iter_mut().enumerate() {
            row *= if self.lambda[i] > 0.0 { 1.0 / self.lambda[i].sqrt() } else { 0.0 };
        }
        b
    }

    /// The change of VVᵀ − γBBᵀ since the start (T2), p×p: zero for an exact flow. `moved` holds the motion D and the
    /// change of the head, not the head: small changes keep their digits.
    pub(crate) fn conserved_change(&self, start: &State, moved: &State, head_rate: f64) -> DMatrix<f64> {
        let cross = moved.motion.transpose() * self.backbone();
        let backbones = moved.motion.transpose() * &moved.motion + &cross + cross.transpose();
        let turn = &start.head * moved.head.transpose();
        let heads = &moved.head * moved.head.transpose() + &turn + turn.transpose();
        heads - backbones * head_rate
    }

    /// How far VVᵀ − γBBᵀ has drifted since the start (T2): the Frobenius norm of the change over
    /// ‖V₀‖² + ‖V‖² + γ‖D‖², the size of the terms that have to cancel. 0 for an exact flow.
    ///
    /// `None` where the law does not apply: features outside the range of the kernel pull the head while
    /// they stay (unless the head stays, too).
    pub fn conservation_drift(&self, start: &State, state: &State, head_rate: f64) -> Option<f64> {
        if head_rate > 0.0 && self.has_fixed_features() {
            return None;
        }
        let moved = State { motion: state.motion.clone(), head: &state.head - &start.head };
        let change = self.conserved_change(start, &moved, head_rate);
        let scale = start.head.norm_squared()
            + state.head.norm_squared()
            + head_rate * state.motion.norm_squared();
        Some(if scale == 0.0 { 0.0 } else { (change / scale).norm() })
    }
}

/// Which outputs a reduction keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outputs {
    /// All of them.
    All,
    /// The span of the rows of targets and head: what the squared loss moves.
    Targets,
    /// The same with a row of ones, by which label smoothing shifts the targets that a head is probed towards.
    Smoothed,
}

impl Outputs {
    /// An orthonormal basis O (k×q) of the outputs to keep, from targets (n×k) and head (p×k); `None` for all of them.
    ///
    /// Rows and columns of zeros are left out; beyond that no rank is decided, so that nothing is lost.
    fn basis(self, targets: &DMatrix<f64>, head: &DMatrix<f64>) -> Option<DMatrix<f64>> {
        let k = targets.ncols();
        if self == Self::All {
            return None;
        }
        let mut all = stack(targets, head);
        if self == Self::Smoothed {
            all = stack(&all, &DMatrix::repeat(1, k, 1.0));
        }
        let rows = nonzero(all.row_iter().map(|row| row.amax()));
        let columns = nonzero(all.column_iter().map(|column| column.amax()));
        if rows.len().min(columns.len()) == k {
            return None;
        }
        if columns.is_empty() {
            // Nothing will ever move; one output is enough to say so.
            return (k > 1).then(|| DMatrix::identity(k, 1));
        }
        let span = if columns.len() <= rows.len() {
            DMatrix::identity(columns.len(), columns.len())
        } else {
            spanning_basis(all.select_rows(&rows).select_columns(&columns).transpose())
        };
        let mut basis = DMatrix::zeros(k, span.ncols());
        for (from, &to) in columns.iter().enumerate() {
            basis.set_row(to, &span.row(from));
        }
        Some(basis)
    }
}

/// The places of the sizes that are not zero.
fn nonzero(sizes: impl Iterator<Item = f64>) -> Vec<usize> {
    sizes.enumerate().filter(|(_, size)| *size != 0.0).map(|(i, _)| i).collect()
}

/// The rows of Z₀ outside the range of the kernel as a triangular factor of at most h rows, and the directions of the
/// samples, N×q, that these rows stand for.
fn fixed_rows(problem: &Problem, moving: &DMatrix<f64>) -> (DMatrix<f64>, DMatrix<f64>) {
    let h = problem.width();
    let mut z = problem.features().clone();
    multiply(z.as_mut_slice(), true, -1.0, problem.kernel().modes().into(), moving.into());
    let negligible = crate::linalg::null_threshold(problem.samples() + h) * problem.features().norm();
    if z.norm() <= negligible {
        return (DMatrix::zeros(0, h), DMatrix::zeros(problem.samples(), 0));
    }
    let qr = nalgebra::QR::new(z);
    (qr.r(), qr.q())
}

fn stack(top: &DMatrix<f64>, bottom: &DMatrix<f64>) -> DMatrix<f64> {
    let mut all = DMatrix::zeros(top.nrows() + bottom.nrows(), top.ncols());
    all.rows_mut(0, top.nrows()).copy_from(top);
    all.rows_mut(top.nrows(), bottom.nrows()).copy_from(bottom);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;

    /// One explicit Euler step in reduced coordinates equals the step of the full flow.
    fn step_agrees(problem: &Problem, head: &DMatrix<f64>) {
        let reduction = Reduction::new(problem, head).unwrap();
        let start = reduction.start(head);
        let r = reduction.residual(&start);
        let step = 0.1;
        let mut motion = &r * start.head.transpose() * step;
        for (i, mut row) in motion.row_iter_mut().enumerate() {
            row *= reduction.lambda()[i].sqrt();
        }
        let head_step = reduction.features().transpose() * &r * step;
        let state = State { motion, head: &start.head + head_step };

        let full_r = problem.residual(head);
        let moved = problem.kernel().to_matrix() * &full_r * head.transpose() * step;
        let full_head = head + problem.features().transpose() * &full_r * step;
        assert!((reduction.full_displacement(&state) - &moved).norm() < 1e-12);
        assert!((reduction.full_head(&state) - &full_head).norm() < 1e-12);
        let loss = (problem.targets() - (problem.features() + &moved) * &full_head).norm_squared() / 2.0;
        assert!((reduction.loss(&state) - loss).abs() < 1e-12 * loss.max(1.0));
        let direct = Adaptation::of(problem.features(), &moved);
        for (a, b) in reduction.adaptation(&state).values().iter().zip(direct.values()) {
            assert!((a - b).abs() < 1e-12);
        }
    }

    #[test]
    fn wide_problems_shrink_to_n_plus_k() {
        let x = wobble(3, 9, 0.0);
        let problem = Problem::linear(&x, &wobble(40, 9, 1.0), wobble(3, 2, 2.0)).unwrap();
        let head = wobble(40, 2, 3.0);
        let reduction = Reduction::new(&problem, &head).unwrap();
        assert_eq!((reduction.rows(), reduction.width()), (3, 5));
        step_agrees(&problem, &head);
    }

    #[test]
    fn many_samples_of_low_dimension_shrink_to_the_rank() {
        let x = wobble(30, 4, 0.0);
        let rank = crate::linalg::Svd::new(&x).unwrap().rank();
        let problem = Problem::linear(&x, &wobble(6, 4, 1.0), wobble(30, 2, 2.0)).unwrap();
        let head = wobble(6, 2, 3.0);
        let reduction = Reduction::new(&problem, &head).unwrap();
        assert_eq!(reduction.rows(), rank);
        step_agrees(&problem, &head);
    }

    #[test]
    fn many_outputs_shrink_to_the_rows_of_targets_and_head() {
        let problem =
            Problem::linear(&wobble(3, 9, 0.0), &wobble(5, 9, 1.0), wobble(3, 40, 2.0)).unwrap();
        let head = wobble(5, 40, 3.0);
        let reduction = Reduction::new(&problem, &head).unwrap();
        assert_eq!((reduction.outputs(), reduction.width()), (3 + 5, 5));
        step_agrees(&problem, &head);
        // A head of zeros adds nothing, not even to the width.
        let problem =
            Problem::linear(&wobble(3, 9, 0.0), &wobble(12, 9, 1.0), wobble(3, 40, 2.0)).unwrap();
        let head = DMatrix::zeros(12, 40);
        let reduction = Reduction::new(&problem, &head).unwrap();
        assert_eq!((reduction.outputs(), reduction.width()), (3, 3));
        step_agrees(&problem, &head);
    }

    /// Smoothing pulls at classes without a sample, too: they need an output of their own.
    #[test]
    fn probed_heads_lie_in_the_outputs_that_are_kept() {
        let (n, h, k) = (6, 9, 30);
        let one_hot = DMatrix::from_fn(n, k, |sample, class| f64::from(u8::from(class == sample / 2)));
        let problem = Problem::linear(&wobble(n, 9, 0.0), &wobble(h, 9, 1.0), one_hot).unwrap();
        let head = DMatrix::zeros(h, k);
        let lost = |smoothing: f64, outputs: Outputs| {
            let path = crate::probing::ProbingPath::with_smoothing(&problem, &head, smoothing).unwrap();
            let reduction = Reduction::with_outputs(&problem, &head, outputs).unwrap();
            let probed = path.head(2.0).unwrap();
            let back = reduction.full_head(&reduction.start(&probed));
            (reduction.outputs(), (back - &probed).norm() / probed.norm())
        };
        let (outputs, gap) = lost(0.0, Outputs::Targets);
        assert!(outputs == 3 && gap < 1e-15, "{outputs} {gap:e}");
        let (outputs, gap) = lost(0.3, Outputs::Smoothed);
        assert!(outputs == 7 && gap < 1e-14, "{outputs} {gap:e}");
        assert!(lost(0.3, Outputs::Targets).1 > 1e-3);
    }

    #[test]
    fn nothing_but_zeros_is_one_output() {
        let problem =
            Problem::linear(&wobble(3, 4, 0.0), &wobble(5, 4, 1.0), DMatrix::zeros(3, 7)).unwrap();
        let head = DMatrix::zeros(5, 7);
        assert_eq!(Reduction::new(&problem, &head).unwrap().outputs(), 1);
        step_agrees(&problem, &head);
    }

    #[test]
    fn features_outside_the_range_of_the_kernel_stay_as_a_triangle() {
        let a = wobble(12, 2, 0.5);
        let problem = Problem::new(wobble(12, 5, 1.0), &a * a.transpose(), wobble(12, 2, 2.0)).unwrap();
        let head = wobble(5, 2, 3.0);
        let reduction = Reduction::new(&problem, &head).unwrap();
        assert_eq!(reduction.rows(), 2 + 5);
        step_agrees(&problem, &head);
    }

    #[test]
    fn a_planted_head_motion_shows_as_drift() {
        let problem =
            Problem::linear(&wobble(3, 4, 0.0), &wobble(5, 4, 1.0), wobble(3, 1, 2.0)).unwrap();
        let head = wobble(5, 1, 3.0);
        let reduction = Reduction::new(&problem, &head).unwrap();
        let start = reduction.start(&head);
        assert_eq!(reduction.conservation_drift(&start, &start, 1.0), Some(0.0));
        let moved = State { head: &start.head * 2.0, ..start.clone() };
        assert!(reduction.conservation_drift(&start, &moved, 1.0).unwrap() > 0.1);
    }
}
