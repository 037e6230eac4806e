//! Exact reduction (T4): a flow of any width and number of samples in the fewest coordinates.
//!
//! *Width.* All motion lies in the span of the rows of Z₀ and the columns of V. An orthonormal basis
//! P (h×p, p ≤ N + k) of it turns Z₀ into Z₀P and V into PᵀV, and nothing else changes.
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
//! *Other losses* (T22). Features and predictions are Q times those of the rows, with the directions Q of the samples that
//! the rows stand for (N×n); only the residual of the rows is another function of them, R = Qᵀ G(Q ZV) with G = −∂L/∂F.
//! Everything else stays as it is.

mod sampled;

use nalgebra::{DMatrix, DVector};

pub(crate) use sampled::Sampled;

use crate::adaptation::Adaptation;
use crate::linalg::spanning_basis;
use crate::loss::{Labels, Loss};
use crate::problem::{Problem, ProblemError};
use crate::product::{Multiplier, axpy};

/// A problem in reduced coordinates, for all heads in the span it was made for.
#[derive(Debug, Clone)]
pub struct Reduction {
    /// P, h×p; `None` stands for the identity.
    basis: Option<DMatrix<f64>>,
    /// λ, n values, of which the last q are zero.
    lambda: DVector<f64>,
    features: DMatrix<f64>,
    targets: DMatrix<f64>,
    constant_loss: f64,
    loss: Loss,
    /// The samples, for a loss that is not linear in the predictions.
    samples: Option<Sampled>,
    labels: Option<Labels>,
    /// Orthonormal directions of the samples that the rows stand for: N×r of the rows that move, N×q of the others.
    directions: [DMatrix<f64>; 2],
    training: Inputs,
    held_out: Option<Inputs>,
}

/// A set of inputs in reduced coordinates.
#[derive(Debug, Clone)]
struct Inputs {
    /// Features before finetuning in the basis, inputs×p.
    features: DMatrix<f64>,
    /// Squared norm of what of each feature lies outside the basis (empty: nothing).
    outside: Vec<f64>,
    /// Rows k(x) U Λ^{−1/2}, inputs×n: the motion D moves the features by `lift` · D.
    lift: DMatrix<f64>,
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
        problem.check_head(head)?;
        let kernel = problem.kernel();
        let (n, h, k, r) = (problem.samples(), problem.width(), problem.outputs(), kernel.rank());
        let modes = kernel.modes();

        // Samples: rows that move, and a triangular factor for the rows that do not.
        let moving = modes.transpose() * problem.features();
        let (fixed, fixed_directions) = if r < n {
            fixed_rows(problem, &moving)
        } else {
            (DMatrix::zeros(0, h), DMatrix::zeros(n, 0))
        };
        let q = fixed.nrows();
        let mut features = stack(&moving, &fixed);
        let directions = [modes.clone(), fixed_directions];
        let (targets, constant_loss) = on_rows(&directions, problem.targets());

        // Width.
        let basis = (r + q + k < h).then(|| {
            let mut span = DMatrix::zeros(h, r + q + k);
            span.columns_mut(0, r + q).copy_from(&features.transpose());
            span.columns_mut(r + q, k).copy_from(head);
            spanning_basis(span)
        });
        let project = |a: &DMatrix<f64>| basis.as_ref().map_or_else(|| a.clone(), |p| a * p);
        features = project(&features);

        let lambda = DVector::from_fn(r + q, |i, _| if i < r { kernel.eigenvalues()[i] } else { 0.0 });
        let lift = |kernel_rows: &DMatrix<f64>| {
            let mut lift = DMatrix::zeros(kernel_rows.nrows(), r + q);
            lift.columns_mut(0, r).copy_from(&(kernel_rows * modes));
            for (i, mut column) in lift.column_iter_mut().enumerate().take(r) {
                column /= lambda[i].sqrt();
            }
            lift
        };
        let mut training_lift = DMatrix::zeros(n, r + q);
        for i in 0..r {
            training_lift.set_column(i, &(modes.column(i) * lambda[i].sqrt()));
        }
        let inputs = |features: &DMatrix<f64>, lift: DMatrix<f64>| {
            let inside = project(features);
            let outside = match &basis {
                None => Vec::new(),
                Some(p) => {
                    let rest = features - &inside * p.transpose();
                    rest.row_iter().map(|row| row.norm_squared()).collect()
                }
            };
            Inputs { features: inside, outside, lift }
        };
        let training = inputs(problem.features(), training_lift);
        let held_out = problem.held_out().map(|held| inputs(held.features(), lift(held.kernel())));
        Ok(Self {
            basis,
            lambda,
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

    /// The same for any loss, whose targets must be its own ([`Loss::targets`]).
    pub fn for_loss(problem: &Problem, head: &DMatrix<f64>, loss: Loss) -> Result<Self, ProblemError> {
        let mut new = Self::new(problem, head)?;
        if loss != Loss::Squared {
            let targets = loss.targets(problem.targets())?;
            let [moving, fixed] = &new.directions;
            let directions = stack(&moving.transpose(), &fixed.transpose()).transpose();
            (new.targets, _) = on_rows(&new.directions, &targets);
            new.constant_loss = 0.0;
            new.loss = loss;
            new.labels = Labels::of(loss, &targets);
            new.samples = Some(Sampled::new(loss, targets, directions));
        }
        Ok(new)
    }

    /// A head alone on features U diag(s) Wᵀ that stay (probing), in the coordinates Wᵀ of width r = rank: the rows are diag(s),
    /// nothing moves them, and Q = U (N×r).
    pub(crate) fn of_features(
        u: &DMatrix<f64>,
        s: &DVector<f64>,
        targets: DMatrix<f64>,
        loss: Loss,
    ) -> Self {
        let (n, r) = u.shape();
        let directions = [DMatrix::zeros(n, 0), u.clone()];
        let nothing =
            Inputs { features: DMatrix::zeros(n, r), outside: Vec::new(), lift: DMatrix::zeros(n, r) };
        let (rows, constant_loss) = on_rows(&directions, &targets);
        let squared = loss == Loss::Squared;
        Self {
            basis: None,
            lambda: DVector::zeros(r),
            features: DMatrix::from_diagonal(s),
            targets: rows,
            constant_loss: if squared { constant_loss } else { 0.0 },
            loss,
            labels: Labels::of(loss, &targets),
            samples: (!squared).then(|| Sampled::new(loss, targets, u.clone())),
            directions,
            training: nothing,
            held_out: None,
        }
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

    /// Outputs k.
    pub fn outputs(&self) -> usize {
        self.targets.ncols()
    }

    /// Whether some features lie outside the range of the kernel (Z₀ ≠ FẐ₀): they never move.
    pub fn has_fixed_features(&self) -> bool {
        self.lambda.iter().any(|&l| l == 0.0)
    }

    /// The diagonal λ of the kernel, n values.
    pub fn lambda(&self) -> &DVector<f64> {
        &self.lambda
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

    /// A residual of the whole problem (N×k) on the rows of the reduced one, n×k, and the loss ½‖·‖² of what is left of it.
    /// Relative accuracy in norm is kept, however small the residual is.
    pub fn residual_on_rows(&self, residual: &DMatrix<f64>) -> (DMatrix<f64>, f64) {
        let (rows, rest) = on_rows(&self.directions, residual);
        (rows, if self.samples.is_some() { 0.0 } else { rest })
    }

    /// The state at the start of finetuning with a head (h×k) from the span of this reduction.
    pub fn start(&self, head: &DMatrix<f64>) -> State {
        let head = self.basis.as_ref().map_or_else(|| head.clone(), |p| p.transpose() * head);
        State { motion: DMatrix::zeros(self.rows(), self.width()), head }
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

    /// The loss L of the whole problem, summed over the samples: ½‖R‖²_F, the constant part included, for the squared loss.
    pub fn loss(&self, state: &State) -> f64 {
        match &self.samples {
            None => self.residual(state).norm_squared() / 2.0 + self.constant_loss,
            Some(samples) => {
                let rows = self.features_at(state) * &state.head;
                self.loss.value(samples.targets(), &samples.predictions(&rows))
            }
        }
    }

    /// N.
    pub(crate) fn sample_count(&self) -> usize {
        self.training.features.nrows()
    }

    /// The labels of the training samples, if the targets are labels.
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// The predictions on the training samples, N×k, in the units of the state.
    pub(crate) fn sample_predictions(&self, state: &State) -> DMatrix<f64> {
        let rows = self.features_at(state) * &state.head;
        let [moving, fixed] = &self.directions;
        let r = moving.ncols();
        moving * rows.rows(0, r) + fixed * rows.rows(r, rows.nrows() - r)
    }

    /// R on the training samples, N×k.
    pub fn sample_residual(&self, state: &State) -> DMatrix<f64> {
        match &self.samples {
            Some(samples) => self.loss.residual(samples.targets(), &self.sample_predictions(state)),
            None => {
                let rows = self.residual(state);
                let [moving, fixed] = &self.directions;
                let r = moving.ncols();
                moving * rows.rows(0, r) + fixed * rows.rows(r, rows.nrows() - r)
            }
        }
    }

    /// The share of training samples whose prediction is right; none if the targets are no labels.
    pub fn accuracy(&self, state: &State) -> Option<f64> {
        self.labels.as_ref().map(|labels| labels.accuracy(&self.sample_predictions(state)))
    }

    /// The motion of the training features, N×p, in the basis of the reduction.
    fn displacement(inputs: &Inputs, state: &State) -> DMatrix<f64> {
        &inputs.lift * &state.motion
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
        let moved = Self::displacement(inputs, state);
        Adaptation::with_outside(&inputs.features, &moved, &inputs.outside)
    }

    /// The motion of the training features in full width, N×h.
    pub fn full_displacement(&self, state: &State) -> DMatrix<f64> {
        self.widen(&Self::displacement(&self.training, state))
    }

    /// The motion of the held-out features in full width, P×h.
    pub fn full_held_out_displacement(&self, state: &State) -> Option<DMatrix<f64>> {
        self.held_out.as_ref().map(|inputs| self.widen(&Self::displacement(inputs, state)))
    }

    /// The training sample whose feature moves most when the backbone moves along a direction of the n rows.
    pub(crate) fn sample_moved_most<S: nalgebra::storage::Storage<f64, nalgebra::Dyn>>(
        &self,
        direction: &nalgebra::Vector<f64, nalgebra::Dyn, S>,
    ) -> usize {
        (&self.training.lift * direction).iamax()
    }

    /// The predictions ZV on the training inputs, N×k.
    pub fn predictions(&self, state: &State) -> DMatrix<f64> {
        (&self.training.features + Self::displacement(&self.training, state)) * &state.head
    }

    /// The predictions ZV on the held-out inputs, P×k.
    pub fn held_out_predictions(&self, state: &State) -> Option<DMatrix<f64>> {
        self.held_out
            .as_ref()
            .map(|inputs| (&inputs.features + Self::displacement(inputs, state)) * &state.head)
    }

    /// The head in full width, h×k.
    pub fn full_head(&self, state: &State) -> DMatrix<f64> {
        self.basis.as_ref().map_or_else(|| state.head.clone(), |p| p * &state.head)
    }

    fn widen(&self, a: &DMatrix<f64>) -> DMatrix<f64> {
        self.basis.as_ref().map_or_else(|| a.clone(), |p| a * p.transpose())
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

/// The rows of Z₀ outside the range of the kernel as a triangular factor of at most h rows, and the directions of the
/// samples, N×q, that these rows stand for.
fn fixed_rows(problem: &Problem, moving: &DMatrix<f64>) -> (DMatrix<f64>, DMatrix<f64>) {
    let h = problem.width();
    let z = problem.features() - problem.kernel().modes() * moving;
    let negligible = crate::linalg::null_threshold(problem.samples() + h) * problem.features().norm();
    if z.norm() <= negligible {
        return (DMatrix::zeros(0, h), DMatrix::zeros(problem.samples(), 0));
    }
    let qr = nalgebra::QR::new(z);
    (qr.r(), qr.q())
}

/// An N×k array in the directions of the rows, and half the squared norm of what is left of it.
fn on_rows([moving, fixed]: &[DMatrix<f64>; 2], a: &DMatrix<f64>) -> (DMatrix<f64>, f64) {
    let top = moving.tr_mul(a);
    if moving.ncols() == a.nrows() {
        return (top, 0.0);
    }
    let outside = a - moving * &top;
    let bottom = fixed.tr_mul(&outside);
    let rest = outside - fixed * &bottom;
    (stack(&top, &bottom), rest.norm_squared() / 2.0)
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
        let moved = problem.kernel().matrix() * &full_r * head.transpose() * step;
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
