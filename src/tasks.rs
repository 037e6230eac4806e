//! Downstream tasks: problems with a way to draw an initial head, made from a description and a seed.

use nalgebra::{DMatrix, DVector};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use crate::digits::Digits;
use crate::flow::solver::{Options, solve};
use crate::flow::{Flow, FlowError};
use crate::linalg::{Svd, spanning_basis};
use crate::loss::{Labels, Loss};
use crate::problem::{Problem, ProblemError};
use crate::reduction::Reduction;
use crate::setting::Setting;

/// A finetuning task.
#[derive(Debug, Clone)]
pub struct Task {
    /// The problem.
    pub problem: Problem,
    /// The head of a file or of a rank-one task; other tasks draw one for each seed.
    pub head: Option<DMatrix<f64>>,
    /// Targets of the held-out inputs, P×k.
    pub held_out_targets: Option<DMatrix<f64>>,
    /// Whether targets are classes (one-hot), so that accuracy means something.
    pub classes: bool,
    /// Factor from the summed squared error on the held-out inputs to the downstream risk.
    pub risk_scale: f64,
    /// The two-layer linear model that the problem was made of, if it was.
    pub linear: Option<Linear>,
}

/// The two-layer linear model that a problem was made of.
#[derive(Debug, Clone)]
pub struct Linear {
    /// X, N×d.
    pub inputs: DMatrix<f64>,
    /// B₀, h×d.
    pub backbone: DMatrix<f64>,
    /// Held-out inputs, P×d.
    pub held_out: Option<DMatrix<f64>>,
}

/// How good predictions are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// Mean squared error on the held-out inputs, if they have targets.
    pub risk: Option<f64>,
    /// Share of the training samples whose class is predicted, if targets are classes.
    pub accuracy: Option<f64>,
    /// The same of the held-out inputs.
    pub held_out_accuracy: Option<f64>,
}

/// What task to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TaskSpec {
    /// Random inputs, backbone and targets: |x| ≈ |z| ≈ |y| ≈ 1.
    Gaussian(Gaussian),
    /// The normalised rank-one model: z₀ of length 1, head a z₀ + w e, target y.
    RankOne(RankOneTask),
    /// A backbone pretrained on the digits 0–4, finetuned on 5–9.
    Digits(DigitsTransfer),
    /// A problem from a file.
    File {
        /// Path of the `.npz` or `.safetensors` file.
        path: String,
    },
}

/// Description of a random task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Gaussian {
    /// N
    pub samples: usize,
    /// d
    pub inputs: usize,
    /// h
    pub width: usize,
    /// k
    pub outputs: usize,
    /// Singular values of X fall like i^−decay.
    pub input_decay: f64,
    /// Singular values of B₀ fall like i^−decay.
    pub backbone_decay: f64,
    /// Random held-out inputs P, without targets.
    pub held_out: usize,
    /// Angle (rad) between a linear teacher and the row space of an orthonormal B₀. Then targets are the
    /// teacher's, inputs are not scaled by 1/√d, and the risk is that of the whole input distribution.
    pub teacher_angle: Option<f64>,
}

impl Default for Gaussian {
    fn default() -> Self {
        Self {
            samples: 8,
            inputs: 24,
            width: 32,
            outputs: 2,
            input_decay: 0.0,
            backbone_decay: 0.0,
            held_out: 0,
            teacher_angle: None,
        }
    }
}

impl Gaussian {
    /// 30 samples of a linear teacher at an angle (rad) to what 8 features contain (O2).
    pub fn teacher(angle: f64) -> Self {
        let teacher_angle = Some(angle);
        Self { samples: 30, inputs: 60, width: 8, outputs: 1, teacher_angle, ..Self::default() }
    }
}

/// Description of the rank-one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RankOneTask {
    /// y
    pub target: f64,
    /// w, the part of the head orthogonal to the feature.
    pub across: f64,
    /// a before probing.
    pub along: f64,
}

impl Default for RankOneTask {
    fn default() -> Self {
        Self { target: 1.0, across: 0.5, along: 0.0 }
    }
}

/// Description of the digits transfer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct DigitsTransfer {
    /// Training images of the digits 5–9, drawn by the seed: up to 598. With fewer than the rank of the
    /// features the head alone can fit them, as the theory assumes.
    pub samples: usize,
    /// Feature width h of the backbone.
    pub width: usize,
    /// Finetuning time of the pretraining on digits 0–4.
    pub pretrain_time: f64,
    /// Size of the entries of the random backbone and head before pretraining, times 1/√h.
    pub pretrain_scale: f64,
}

impl Default for DigitsTransfer {
    fn default() -> Self {
        Self { samples: 40, width: 32, pretrain_time: 1.0, pretrain_scale: 0.3 }
    }
}

/// Why a task could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The arrays do not make a problem.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// Pretraining failed.
    #[error("pretraining failed: {0}")]
    Pretraining(#[from] FlowError),
    /// A number out of its range.
    #[error(transparent)]
    Setting(#[from] Setting),
    /// The file of the task cannot be read.
    #[error("{0}")]
    File(
        /// What is wrong, with the path.
        String,
    ),
    /// The task is in a file, which this crate does not read.
    #[error("the task of `{0}` has to be read from its file")]
    NeedsFile(
        /// The path.
        String,
    ),
}

/// The random stream of a seed for one purpose; streams do not overlap.
pub fn stream(seed: u64, purpose: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(purpose);
    rng
}

/// Purposes of random streams.
mod purpose {
    pub const INPUTS: u64 = 1;
    pub const BACKBONE: u64 = 2;
    pub const TARGETS: u64 = 3;
    pub const HELD_OUT: u64 = 4;
    pub const HEAD: u64 = 5;
}

/// A matrix of independent normal entries with mean 0 and the given standard deviation.
pub fn normal(rng: &mut ChaCha8Rng, rows: usize, columns: usize, deviation: f64) -> DMatrix<f64> {
    // Row by row, so that more rows of the same seed begin with the same rows.
    let values: Vec<f64> =
        (0..rows * columns).map(|_| rng.sample::<f64, _>(StandardNormal) * deviation).collect();
    DMatrix::from_row_slice(rows, columns, &values)
}

impl TaskSpec {
    /// Its name in tables.
    pub fn name(&self) -> &str {
        match self {
            Self::Gaussian(_) => "gaussian",
            Self::RankOne(_) => "rank-one",
            Self::Digits(_) => "digits",
            Self::File { path } => path,
        }
    }

    /// Checks all numbers. A file is checked when it is read.
    ///
    /// # Errors
    ///
    /// The first number that is out of its range.
    pub fn check(&self) -> Result<(), TaskError> {
        match self {
            Self::Gaussian(spec) => spec.check(),
            Self::RankOne(spec) => spec.check(),
            Self::Digits(spec) => spec.check(),
            Self::File { .. } => Ok(()),
        }
    }
}

impl Task {
    /// Makes a task; the seed decides what is random in it.
    pub fn new(spec: &TaskSpec, seed: u64) -> Result<Self, TaskError> {
        match spec {
            TaskSpec::Gaussian(spec) => gaussian(spec, seed),
            TaskSpec::RankOne(spec) => rank_one(spec),
            TaskSpec::Digits(spec) => digits(spec, seed),
            TaskSpec::File { path } => Err(TaskError::NeedsFile(path.clone())),
        }
    }

    /// The task of a problem from a file; without a head, one is drawn for each seed.
    ///
    /// # Panics
    ///
    /// If the held-out targets are not one row for each held-out input and one column for each output.
    pub fn of_problem(
        problem: Problem,
        head: Option<DMatrix<f64>>,
        held_out_targets: Option<DMatrix<f64>>,
    ) -> Self {
        if let Some(targets) = &held_out_targets {
            let inputs = problem.held_out().map_or(0, |held_out| held_out.features().nrows());
            assert_eq!(targets.shape(), (inputs, problem.outputs()), "held-out targets");
        }
        let classes = is_one_hot(problem.targets());
        let risk_scale = held_out_targets.as_ref().map_or(1.0, |t| 1.0 / t.nrows() as f64);
        Self { problem, head, held_out_targets, classes, risk_scale, linear: None }
    }

    /// The scores of predictions for the training samples (N×k) and the held-out inputs (P×k) under a loss.
    pub fn scores(
        &self,
        loss: Loss,
        training: &DMatrix<f64>,
        held_out: Option<&DMatrix<f64>>,
    ) -> Scores {
        let held_out = held_out.zip(self.held_out_targets.as_ref());
        let right = |predictions: &DMatrix<f64>, targets: &DMatrix<f64>| match loss {
            Loss::Squared => self.classes.then(|| accuracy(predictions, targets)),
            _ => Labels::of(loss, targets).map(|labels| labels.accuracy(predictions)),
        };
        Scores {
            risk: held_out.and_then(|(predictions, targets)| self.risk(loss, predictions, targets)),
            accuracy: right(training, self.problem.targets()),
            held_out_accuracy: held_out.and_then(|(p, t)| right(p, t)),
        }
    }

    /// The mean loss on held-out inputs: for the squared loss the mean squared error, in units of the task.
    fn risk(&self, loss: Loss, predictions: &DMatrix<f64>, targets: &DMatrix<f64>) -> Option<f64> {
        match loss {
            Loss::Squared => Some((predictions - targets).norm_squared() * self.risk_scale),
            _ => {
                let targets = loss.targets(targets).ok()?;
                Some(loss.value(&targets, predictions) / targets.nrows() as f64)
            }
        }
    }

    /// The initial head (h×k) of a seed: the task's own times `scale`, or normal entries of deviation scale/√h.
    pub fn initial_head(&self, seed: u64, scale: f64) -> DMatrix<f64> {
        match &self.head {
            Some(head) => head * scale,
            None => drawn_head(&self.problem, seed, scale),
        }
    }
}

/// The head (h×k) that a seed draws for a problem: normal entries of deviation scale/√h.
pub(crate) fn drawn_head(problem: &Problem, seed: u64, scale: f64) -> DMatrix<f64> {
    let (h, k) = (problem.width(), problem.outputs());
    normal(&mut stream(seed, purpose::HEAD), h, k, scale / (h as f64).sqrt())
}

fn at_least_one(name: &'static str, value: usize) -> Result<(), TaskError> {
    if value >= 1 {
        return Ok(());
    }
    Err(Setting { name, value: value as f64, accepted: "at least 1" }.into())
}

fn in_range(
    name: &'static str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
    accepted: &'static str,
) -> Result<(), TaskError> {
    if range.contains(&value) { Ok(()) } else { Err(Setting { name, value, accepted }.into()) }
}

/// Most numbers of a matrix of a random task: beyond the memory of any machine.
const LARGEST: u128 = 1_000_000_000_000;

impl Gaussian {
    fn check(&self) -> Result<(), TaskError> {
        at_least_one("samples", self.samples)?;
        at_least_one("inputs", self.inputs)?;
        at_least_one("width", self.width)?;
        at_least_one("outputs", self.outputs)?;
        let Self { samples, inputs, width, outputs, held_out, .. } = *self;
        let pairs = [
            (samples, inputs),
            (width, inputs),
            (samples, width),
            (samples, outputs),
            (width, outputs),
            (held_out, inputs),
            (held_out, width),
        ];
        for (rows, columns) in pairs {
            if rows as u128 * columns as u128 > LARGEST {
                let (value, accepted) = (rows as f64 * columns as f64, "at most 1e12");
                return Err(Setting { name: "the numbers of a matrix", value, accepted }.into());
            }
        }
        in_range("input-decay", self.input_decay, 0.0..=20.0, "between 0 and 20")?;
        in_range("backbone-decay", self.backbone_decay, 0.0..=20.0, "between 0 and 20")?;
        let Some(angle) = self.teacher_angle else { return Ok(()) };
        in_range("teacher-angle", angle, 0.0..=std::f64::consts::FRAC_PI_2, "between 0 and π/2")?;
        if self.width >= self.inputs {
            let accepted = "less than `inputs` when there is a teacher";
            return Err(Setting { name: "width", value: self.width as f64, accepted }.into());
        }
        let accepted = "0 when there is a teacher, whose backbone is orthonormal";
        in_range("backbone-decay", self.backbone_decay, 0.0..=0.0, accepted)?;
        let accepted = "0 when there is a teacher, whose risk is that of all inputs";
        in_range("held-out", self.held_out as f64, 0.0..=0.0, accepted)?;
        Ok(())
    }
}

/// A random task; [`Task::new`] without the embedded digits.
pub fn gaussian(spec: &Gaussian, seed: u64) -> Result<Task, TaskError> {
    spec.check()?;
    let &Gaussian { samples: n, inputs: d, width: h, outputs: k, held_out: p, .. } = spec;
    let rng = |purpose| stream(seed, purpose);
    let per_input = if spec.teacher_angle.is_some() { 1.0 } else { 1.0 / (d as f64).sqrt() };
    let x = normal(&mut rng(purpose::INPUTS), n, d, per_input);
    let x = with_decay(x, spec.input_decay)?;
    let mut backbone = normal(&mut rng(purpose::BACKBONE), h, d, 1.0 / (h as f64).sqrt());
    if let Some(angle) = spec.teacher_angle {
        backbone = spanning_basis(backbone.transpose()).transpose();
        let teacher = teacher(&backbone, k, angle, &mut rng(purpose::TARGETS));
        let targets = &x * &teacher;
        let whole = DMatrix::identity(d, d);
        let problem =
            Problem::linear(&x, &backbone, targets)?.with_held_out_inputs(&whole, &x, &backbone)?;
        // Unit inputs reveal BᵀV entry by entry: their summed error is E|f(x) − y|² for x ~ N(0, I).
        return Ok(Task {
            problem,
            head: None,
            held_out_targets: Some(teacher),
            classes: false,
            risk_scale: 1.0,
            linear: Some(Linear { inputs: x, backbone, held_out: Some(whole) }),
        });
    }
    backbone = with_decay(backbone, spec.backbone_decay)?;
    let targets = normal(&mut rng(purpose::TARGETS), n, k, 1.0 / (k as f64).sqrt());
    let mut problem = Problem::linear(&x, &backbone, targets)?;
    let held_out = (p > 0).then(|| normal(&mut rng(purpose::HELD_OUT), p, d, per_input));
    if let Some(held) = &held_out {
        problem = problem.with_held_out_inputs(held, &x, &backbone)?;
    }
    let linear = Some(Linear { inputs: x, backbone, held_out });
    Ok(Task { problem, head: None, held_out_targets: None, classes: false, risk_scale: 1.0, linear })
}

/// A d×k matrix with nearly orthogonal random columns of length 1/√k at an angle to the row space of B₀.
fn teacher(backbone: &DMatrix<f64>, k: usize, angle: f64, rng: &mut ChaCha8Rng) -> DMatrix<f64> {
    let d = backbone.ncols();
    let mut all = normal(rng, d, k, 1.0);
    for mut column in all.column_iter_mut() {
        let inside: DVector<f64> = backbone.transpose() * (backbone * &column);
        let outside = &column - &inside;
        let mixed = inside.normalize() * angle.cos() + outside.normalize() * angle.sin();
        column.copy_from(&(mixed / (k as f64).sqrt()));
    }
    all
}

/// The matrix with its singular values replaced by i^−decay, at the same Frobenius norm.
fn with_decay(a: DMatrix<f64>, decay: f64) -> Result<DMatrix<f64>, TaskError> {
    if decay == 0.0 {
        return Ok(a);
    }
    let svd = Svd::new(&a).map_err(ProblemError::from)?;
    let s = DVector::from_fn(svd.s.len(), |i, _| ((i + 1) as f64).powf(-decay));
    let s = &s * (a.norm() / s.norm());
    Ok(svd.u * DMatrix::from_diagonal(&s) * svd.w.transpose())
}

impl RankOneTask {
    fn check(&self) -> Result<(), TaskError> {
        for (name, value) in [("target", self.target), ("across", self.across), ("along", self.along)] {
            in_range(name, value, f64::MIN..=f64::MAX, "a finite number")?;
        }
        Ok(())
    }
}

fn rank_one(spec: &RankOneTask) -> Result<Task, TaskError> {
    spec.check()?;
    let &RankOneTask { target, across, along } = spec;
    let problem = Problem::new(
        DMatrix::from_row_slice(1, 2, &[1.0, 0.0]),
        DMatrix::identity(1, 1),
        DMatrix::from_element(1, 1, target),
    )?;
    let head = DMatrix::from_column_slice(2, 1, &[along, across]);
    Ok(Task {
        problem,
        head: Some(head),
        held_out_targets: None,
        classes: false,
        risk_scale: 1.0,
        linear: None,
    })
}

/// First digit of the downstream classes and their number.
const DOWNSTREAM: (u8, usize) = (5, 5);

/// Every third image of the downstream digits is held out.
const HELD_OUT_EVERY: usize = 3;

/// Training images of the downstream digits.
const TRAINING: usize = 598;

impl DigitsTransfer {
    fn check(&self) -> Result<(), TaskError> {
        at_least_one("width", self.width)?;
        at_least_one("samples", self.samples)?;
        if self.samples > TRAINING {
            let (value, accepted) =
                (self.samples as f64, "at most 598, the training images of the digits 5 to 9");
            return Err(Setting { name: "samples", value, accepted }.into());
        }
        in_range("pretrain-time", self.pretrain_time, 0.0..=f64::INFINITY, "at least 0")?;
        in_range("pretrain-scale", self.pretrain_scale, 1e-6..=1e3, "between 1e-6 and 1e3")
    }
}

fn digits(spec: &DigitsTransfer, seed: u64) -> Result<Task, TaskError> {
    spec.check()?;
    let all = Digits::all();
    let backbone = pretrained_backbone(spec, &all.of(0..DOWNSTREAM.0), seed)?;
    let (first, classes) = DOWNSTREAM;
    let (train, held) = all.of(first..first + classes as u8).split(HELD_OUT_EVERY);
    debug_assert_eq!(train.labels.len(), TRAINING);
    let mut order: Vec<usize> = (0..train.labels.len()).collect();
    order.shuffle(&mut stream(seed, purpose::INPUTS));
    let train = train.select(&order[..spec.samples]);
    let problem = Problem::linear(&train.images, &backbone, train.targets(first, classes))?
        .with_held_out_inputs(&held.images, &train.images, &backbone)?;
    let held_out_targets = held.targets(first, classes);
    let risk_scale = 1.0 / held_out_targets.nrows() as f64;
    Ok(Task {
        problem,
        head: None,
        held_out_targets: Some(held_out_targets),
        classes: true,
        risk_scale,
        linear: Some(Linear { inputs: train.images, backbone, held_out: Some(held.images) }),
    })
}

/// The backbone (h×64) after the flow of a random two-layer linear network on the source digits.
fn pretrained_backbone(
    spec: &DigitsTransfer,
    source: &Digits,
    seed: u64,
) -> Result<DMatrix<f64>, TaskError> {
    let (h, d) = (spec.width, source.images.ncols());
    let deviation = spec.pretrain_scale / (h as f64).sqrt();
    let backbone = normal(&mut stream(seed, purpose::BACKBONE), h, d, deviation);
    let targets = source.targets(0, usize::from(DOWNSTREAM.0));
    let head = normal(&mut stream(seed, purpose::TARGETS), h, targets.ncols(), deviation);
    // Features of the unit inputs are the columns of the backbone.
    let problem = Problem::linear(&source.images, &backbone, targets)?.with_held_out_inputs(
        &DMatrix::identity(d, d),
        &source.images,
        &backbone,
    )?;
    let reduction = Reduction::new(&problem, &head)?;
    let flow = Flow::new(&reduction, &head, 1.0)?;
    let end = solve(&flow, spec.pretrain_time, &Options::default())?.end;
    let moved = reduction.full_held_out_displacement(&end.state).expect("unit inputs are held out");
    Ok(backbone + moved.transpose())
}

fn is_one_hot(targets: &DMatrix<f64>) -> bool {
    targets.ncols() > 1
        && targets.row_iter().all(|row| {
            row.iter().all(|&v| v == 0.0 || v == 1.0) && row.iter().filter(|&&v| v == 1.0).count() == 1
        })
}

/// The share of rows whose largest prediction is where the largest target is.
pub fn accuracy(predictions: &DMatrix<f64>, targets: &DMatrix<f64>) -> f64 {
    let right = predictions
        .row_iter()
        .zip(targets.row_iter())
        .filter(|(p, t)| p.transpose().imax() == t.transpose().imax())
        .count();
    right as f64 / targets.nrows() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_decide_and_streams_differ() {
        let spec = TaskSpec::Gaussian(Gaussian::default());
        let (a, b, c) =
            (Task::new(&spec, 1).unwrap(), Task::new(&spec, 1).unwrap(), Task::new(&spec, 2).unwrap());
        assert_eq!(a.problem.features(), b.problem.features());
        assert_ne!(a.problem.features(), c.problem.features());
        assert_eq!(a.initial_head(1, 1.0), b.initial_head(1, 1.0));
        assert_ne!(a.initial_head(1, 1.0), a.initial_head(2, 1.0));
    }

    /// Once an overflow, and a request for all memory.
    #[test]
    fn tasks_that_no_memory_holds_are_refused() {
        for huge in [1 << 40, usize::MAX] {
            for spec in [
                Gaussian { samples: huge, ..Gaussian::default() },
                Gaussian { width: huge, ..Gaussian::default() },
                Gaussian { held_out: huge, ..Gaussian::default() },
            ] {
                let error = Task::new(&TaskSpec::Gaussian(spec), 0).map(drop).unwrap_err();
                assert!(error.to_string().contains("at most 1e12"), "{error}");
            }
        }
    }

    /// Pinned, so that an upgrade of the random number crates cannot change every figure unseen.
    #[test]
    fn the_first_random_numbers_are_pinned() {
        let m = normal(&mut stream(0, 1), 1, 3, 1.0);
        let expected = [1.3456858182393694, 0.8177696010418348, 0.5449939174267551];
        for (a, b) in m.iter().zip(expected) {
            assert!((a - b).abs() < 1e-15, "{m}");
        }
    }

    #[test]
    fn spectra_decay_as_asked() {
        let a = with_decay(normal(&mut stream(3, 1), 5, 7, 1.0), 2.0).unwrap();
        let s = Svd::new(&a).unwrap().s;
        for i in 1..5 {
            assert!((s[0] / s[i] - ((i + 1) as f64).powi(2)).abs() < 1e-9);
        }
    }

    #[test]
    fn a_teacher_at_angle_zero_lies_in_the_row_space() {
        let spec = Gaussian {
            inputs: 20,
            width: 5,
            outputs: 1,
            teacher_angle: Some(0.0),
            ..Gaussian::default()
        };
        let task = gaussian(&spec, 4).unwrap();
        let teacher = task.held_out_targets.unwrap();
        assert!((teacher.norm() - 1.0).abs() < 1e-14);
        // Held-out features of the unit inputs are B₀ᵀ: the teacher has no part outside their span.
        let b = task.problem.held_out().unwrap().features();
        assert!((&teacher - b * b.tr_mul(&teacher)).norm() < 1e-13);
    }

    #[test]
    fn impossible_settings_are_named() {
        let spec = Gaussian { samples: 0, ..Gaussian::default() };
        assert_eq!(
            gaussian(&spec, 0).unwrap_err().to_string(),
            "samples 0 is not valid; it must be at least 1"
        );
        let spec = Gaussian { teacher_angle: Some(0.1), ..Gaussian::default() };
        assert!(gaussian(&spec, 0).unwrap_err().to_string().starts_with("width 32"));
    }

    #[test]
    fn as_many_digits_are_accepted_as_there_are() {
        let (first, classes) = DOWNSTREAM;
        let (train, _) = Digits::all().of(first..first + classes as u8).split(HELD_OUT_EVERY);
        assert_eq!(train.labels.len(), TRAINING);
        let spec = |samples| TaskSpec::Digits(DigitsTransfer { samples, ..DigitsTransfer::default() });
        assert!(spec(TRAINING).check().is_ok() && spec(TRAINING + 1).check().is_err());
    }

    /// The linear model that a task says it is made of makes it.
    #[test]
    fn tasks_say_what_made_them() {
        let gaussian = Gaussian { held_out: 3, ..Gaussian::default() };
        let specs = [
            TaskSpec::Gaussian(gaussian),
            TaskSpec::Gaussian(Gaussian::teacher(0.3)),
            TaskSpec::Digits(DigitsTransfer { samples: 5, width: 4, ..DigitsTransfer::default() }),
        ];
        for spec in specs {
            let task = Task::new(&spec, 2).unwrap();
            let Linear { inputs, backbone, held_out } = task.linear.unwrap();
            let again = Problem::linear(&inputs, &backbone, task.problem.targets().clone()).unwrap();
            let again = again.with_held_out_inputs(&held_out.unwrap(), &inputs, &backbone).unwrap();
            assert_eq!(again.features(), task.problem.features());
            assert_eq!(again.kernel().eigenvalues(), task.problem.kernel().eigenvalues());
            let kernels = [&again, &task.problem].map(|p| p.held_out_kernel().unwrap());
            assert_eq!(kernels[0], kernels[1]);
        }
    }

    #[test]
    fn accuracy_counts_the_largest() {
        let p = DMatrix::from_row_slice(2, 2, &[0.9, 0.1, 0.6, 0.4]);
        let t = DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.0, 1.0]);
        assert_eq!(accuracy(&p, &t), 0.5);
        assert!(is_one_hot(&t) && !is_one_hot(&p));
    }
}
