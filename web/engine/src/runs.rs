//! Chapter 4, beyond one sample and a head of your own: sweeps of the core.

use std::sync::Arc;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};
use taskhead::Problem;
use taskhead::analysis::quantile;
use taskhead::flow::solver::Watch;
use taskhead::loss::Loss;
use taskhead::metric::Metric;
use taskhead::sweep::config::{Config, Heads};
use taskhead::sweep::plan::{Digest, Plan};
use taskhead::sweep::record::Record;
use taskhead::tasks::{Gaussian, Task, TaskError, TaskSpec, gaussian};
use taskhead::trend::Shape;
use taskhead_files::{NamedArray, ProblemParts};

use crate::refusal::said;

/// More cells than this would keep a page busy for too long.
const MAX_CELLS: usize = 5_000;

/// The numbers of one cell, as the page takes them: NaN is what it does not have.
#[derive(Debug, Serialize)]
struct Row {
    cell: u64,
    problem: String,
    seed: u64,
    head_scale: f64,
    smoothing: f64,
    head_rate: f64,
    point: u64,
    probe_time: f64,
    aie: f64,
    frobenius: f64,
    time: f64,
    method: String,
    status: &'static str,
    residual: f64,
    loss: f64,
    drift: f64,
    euclidean: f64,
    cosine: f64,
    dot: f64,
    norm: f64,
    held_out_euclidean: f64,
    held_out_cosine: f64,
    held_out_dot: f64,
    held_out_norm: f64,
    budget_backbone: f64,
    budget_head: f64,
    head_norm_start: f64,
    head_norm: f64,
    risk_start: f64,
    risk: f64,
    accuracy_start: f64,
    accuracy: f64,
    held_out_accuracy_start: f64,
    held_out_accuracy: f64,
    error: String,
}

/// The row of a record, or why it failed.
fn row(record: &Record) -> Result<Row, String> {
    let (Some(m), Some(stop)) = (record.measured(), record.stop()) else {
        return Err(record.reason().unwrap_or_default());
    };
    let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let near = |metric| or_nan(m.training.get(metric));
    let far = |metric| or_nan(m.held_out.and_then(|held| held.get(metric)));
    let cell = &record.cell;
    Ok(Row {
        cell: cell.number,
        problem: cell.problem.clone(),
        seed: cell.seed,
        head_scale: cell.head_scale,
        smoothing: cell.smoothing,
        head_rate: cell.head_rate,
        point: cell.point,
        probe_time: m.probe_time,
        aie: m.energies.aie,
        frobenius: m.energies.frobenius,
        time: m.time,
        method: m.method.clone(),
        status: stop.name(),
        residual: m.residual,
        loss: or_nan(m.loss),
        drift: or_nan(m.drift),
        euclidean: near(Metric::Euclidean),
        cosine: near(Metric::Cosine),
        dot: near(Metric::Dot),
        norm: near(Metric::Norm),
        held_out_euclidean: far(Metric::Euclidean),
        held_out_cosine: far(Metric::Cosine),
        held_out_dot: far(Metric::Dot),
        held_out_norm: far(Metric::Norm),
        budget_backbone: or_nan(m.budget.map(|b| b.backbone)),
        budget_head: or_nan(m.budget.map(|b| b.head)),
        head_norm_start: m.head_norm.start,
        head_norm: m.head_norm.end,
        risk_start: or_nan(m.risk.map(|r| r.start)),
        risk: or_nan(m.risk.map(|r| r.end)),
        accuracy_start: or_nan(m.accuracy.map(|a| a.start)),
        accuracy: or_nan(m.accuracy.map(|a| a.end)),
        held_out_accuracy_start: or_nan(m.held_out_accuracy.map(|a| a.start)),
        held_out_accuracy: or_nan(m.held_out_accuracy.map(|a| a.end)),
        error: record.reason().unwrap_or_default(),
    })
}

/// What is told how many points of a curve are done.
type Told<'a> = &'a (dyn Fn(usize) + Sync);

/// The rows of a sweep, and why cells that have none failed.
struct Rows {
    rows: Vec<Row>,
    failed: Vec<String>,
}

impl Rows {
    /// All of them, where each is needed.
    fn whole(self) -> Result<Vec<Row>, String> {
        self.failed.into_iter().next().map_or(Ok(self.rows), Err)
    }
}

/// Runs a sweep in the browser: one row for each cell that has an answer, or why none has.
fn rows(
    plan: &Plan,
    task: &(dyn Fn(u64) -> Result<Arc<Task>, TaskError> + Sync),
    told: Told,
) -> Result<Rows, String> {
    let cells = plan.grid().cells();
    if cells > MAX_CELLS {
        return Err(format!("the sweep has {cells} cells; here at most {MAX_CELLS}"));
    }
    let records = plan.run_telling(task, &(), &Watch::default(), told).unwrap_or_default();
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for record in &records {
        match row(record) {
            Ok(row) => rows.push(row),
            Err(why) => failed.push(why),
        }
    }
    if rows.is_empty() && !failed.is_empty() {
        Err(failed.swap_remove(0))
    } else {
        Ok(Rows { rows, failed })
    }
}

/// A random problem and its head. A type of its own: to read every configuration of `taskhead sweep` would add a
/// tenth to the module.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Random {
    samples: usize,
    inputs: usize,
    width: usize,
    outputs: usize,
    /// Singular values of the inputs fall like i^−decay.
    decay: f64,
    /// Angle (rad) between a linear teacher and the features.
    teacher: Option<f64>,
    seed: u64,
    /// Scale of the head, and its learning rate over the backbone's.
    scale: f64,
    rate: f64,
    /// Cross-entropy on the labels that the targets name (the largest of each row; of one output its sign), down to
    /// this training loss; none is the squared loss.
    until_loss: Option<f64>,
}

impl Random {
    /// A sweep of it, without its probing points.
    fn config(&self) -> Config {
        let mut config = Config::new(TaskSpec::Gaussian(Gaussian {
            samples: self.samples,
            inputs: self.inputs,
            width: self.width,
            outputs: self.outputs,
            input_decay: self.decay,
            teacher_angle: self.teacher,
            ..Gaussian::default()
        }));
        config.heads = Heads {
            first_seed: self.seed,
            scales: vec![self.scale],
            head_rates: vec![self.rate],
            ..Heads::default()
        };
        if self.until_loss.is_some() {
            (config.loss, config.until_loss) = (Loss::CrossEntropy, self.until_loss);
        }
        config
    }
}

/// A task with labels in place of its targets.
fn labelled(task: Task) -> Result<Task, TaskError> {
    let (n, k) = task.problem.targets().shape();
    let label = |row: usize, column: usize| {
        let y = task.problem.targets().row(row);
        let own = if k == 1 { y[0] > 0.0 } else { y.transpose().argmax().0 == column };
        f64::from(u8::from(own))
    };
    let features = task.problem.features().clone();
    let factor = task.problem.kernel().factor();
    let problem = Problem::with_factor(features, &factor, DMatrix::from_fn(n, k, label))?;
    Ok(Task::of_problem(problem, task.head, None))
}

/// The rows of random tasks. Not [`Plan::records`]: that would bring the digits along, and the page is kept small.
fn random(config: Config, told: Told) -> Result<Rows, String> {
    let plan = Plan::new(config).map_err(said)?;
    let task = |seed| match (&plan.config().problem, plan.config().loss) {
        (TaskSpec::Gaussian(spec), Loss::Squared) => gaussian(spec, seed).map(Arc::new),
        (TaskSpec::Gaussian(spec), _) => labelled(gaussian(spec, seed)?).map(Arc::new),
        (other, _) => Err(TaskError::NeedsFile(format!("{other:?}"))),
    };
    rows(&plan, &task, told)
}

/// One curve against energy.
#[derive(Debug, Serialize)]
pub struct Curve {
    records: Vec<Row>,
    /// Frobenius energies over the largest of a record, ascending.
    shares: Vec<f64>,
    /// What each metric does as the energy grows, in words.
    shapes: [String; 4],
    /// Points whose flow did not reach its end.
    unfinished: usize,
    /// Points that have no answer, and so no record, and why the first one has none.
    missing: usize,
    why: String,
}

/// A run of a metric against its direction that is this small a part of its range is rounding of the solver.
const SHAPE_TOLERANCE: f64 = 1e-6;

impl Curve {
    fn of(rows: Rows) -> Self {
        let Rows { rows: records, failed } = rows;
        let most = records.iter().map(|r| r.frobenius).fold(0.0, f64::max);
        let shares: Vec<f64> = records.iter().map(|r| r.frobenius / most).collect();
        let metrics: [fn(&Row) -> f64; 4] = [|r| r.euclidean, |r| r.cosine, |r| r.dot, |r| r.norm];
        let shapes = metrics.map(|metric| {
            let metric: Vec<f64> = records.iter().map(metric).collect();
            Shape::of(&shares, &metric, SHAPE_TOLERANCE).describe()
        });
        let unfinished = records.iter().filter(|r| !r.error.is_empty()).count();
        let (missing, why) = (failed.len(), failed.into_iter().next().unwrap_or_default());
        Self { records, shares, shapes, unfinished, missing, why }
    }
}

/// A curve with a given number of energies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfRandom {
    problem: Random,
    points: usize,
}

/// The curve of a random problem.
pub fn curve(setting: OfRandom, told: Told) -> Result<Curve, String> {
    let mut config = setting.problem.config();
    config.probe.points = Some(setting.points);
    random(config, told).map(Curve::of)
}

/// Downstream risk over probing times.
#[derive(Debug, Serialize)]
pub struct Downstream {
    records: Vec<Row>,
    /// The point of the smallest risk.
    best: usize,
    /// By which share it is below the better of the two ends.
    gain: f64,
}

/// Probing times of a random problem.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probed {
    problem: Random,
    times: Vec<f64>,
}

/// The risk of a random problem over probing times, and where it is smallest.
pub fn downstream(setting: Probed, told: Told) -> Result<Downstream, String> {
    let mut config = setting.problem.config();
    config.probe.times = Some(setting.times);
    let records = random(config, told)?.whole()?;
    let best = (0..records.len())
        .filter(|&i| records[i].risk.is_finite())
        .min_by(|&a, &b| records[a].risk.total_cmp(&records[b].risk))
        .ok_or("this problem has no downstream risk")?;
    let risk = |i: usize| records[i].risk;
    let gain = 1.0 - risk(best) / risk(0).min(risk(records.len() - 1));
    Ok(Downstream { records, best, gain })
}

/// An array of a problem file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileArray {
    name: String,
    /// Type as NumPy writes it, or `bfloat16`.
    dtype: String,
    shape: Vec<u64>,
    fortran: bool,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

/// A problem file, unpacked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemArrays {
    name: String,
    arrays: Vec<FileArray>,
    /// What else was in it.
    skipped: Vec<String>,
    points: usize,
}

/// The curve of a problem file.
#[derive(Debug, Serialize)]
pub struct OfFile {
    curve: Curve,
    samples: usize,
    width: usize,
    outputs: usize,
    /// What the reader of the file has to say about it.
    notes: Vec<String>,
}

/// The curve of the problem and head of a file, evenly over its energies.
pub fn of_file(setting: ProblemArrays, told: Told) -> Result<OfFile, String> {
    let named = |array: FileArray| {
        let FileArray { name, dtype, shape, fortran, bytes } = array;
        NamedArray { name, dtype, shape, fortran, bytes: bytes.into() }
    };
    let arrays = setting.arrays.into_iter().map(named).collect();
    let parts = ProblemParts::of_arrays(arrays, setting.skipped).map_err(said)?;
    let file = parts.problem().map_err(said)?;
    let (samples, width) = (file.problem.samples(), file.problem.width());
    let outputs = file.problem.outputs();
    let notes = file.notes.iter().map(ToString::to_string).collect();
    let mut config = Config::new(TaskSpec::File { path: setting.name });
    config.probe.points = Some(setting.points);
    let task = Arc::new(Task::of_problem(file.problem, file.head, file.held_out_targets));
    // Nothing is stored, so that nothing has to tell this file from another.
    let plan = Plan::of_file(config, Digest([0; 32])).map_err(said)?;
    let curve = Curve::of(rows(&plan, &|_| Ok(task.clone()), told)?);
    Ok(OfFile { curve, samples, width, outputs, notes })
}

/// Curves over one x (ascending).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shapes {
    x: Vec<f64>,
    curves: Vec<Vec<f64>>,
    /// The part of its range by which a curve may turn without it counting; what a hand draws is less even.
    tolerance: Option<f64>,
}

/// What each curve does, in words.
pub fn shapes(setting: Shapes) -> Result<Vec<String>, String> {
    if setting.curves.iter().any(|c| c.len() != setting.x.len()) {
        return Err("a curve differs in length from its x".into());
    }
    let tolerance = setting.tolerance.unwrap_or(SHAPE_TOLERANCE);
    Ok(setting.curves.iter().map(|y| Shape::of(&setting.x, y, tolerance).describe()).collect())
}

/// Curves of equal length, and the quantiles wanted of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curves {
    curves: Vec<Vec<f64>>,
    quantiles: Vec<f64>,
}

/// One curve for each quantile.
pub fn band(setting: Curves) -> Result<Vec<Vec<f64>>, String> {
    let points = setting.curves.first().map_or(0, Vec::len);
    if setting.curves.iter().any(|c| c.len() != points) {
        return Err("the curves differ in length".into());
    }
    let at = |i: usize| setting.curves.iter().map(|c| c[i]).collect::<Vec<f64>>();
    let of = |q: &f64| (0..points).map(|i| quantile(&at(i), *q)).collect();
    Ok(setting.quantiles.iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default() -> Random {
        let (samples, inputs, width, outputs) = (8, 24, 32, 2);
        let (decay, teacher, seed, scale, rate, until_loss) = (0.0, None, 0, 1.0, 1.0, None);
        Random { samples, inputs, width, outputs, decay, teacher, seed, scale, rate, until_loss }
    }

    fn curve(setting: OfRandom) -> Result<Curve, String> {
        super::curve(setting, &|_| ())
    }

    fn of_file(setting: ProblemArrays) -> Result<OfFile, String> {
        super::of_file(setting, &|_| ())
    }

    /// Every point ends at the training loss, and each is told when it is done.
    #[test]
    fn a_random_problem_under_cross_entropy_ends_at_its_loss() {
        for outputs in [1, 3] {
            let problem = Random { outputs, until_loss: Some(0.1), ..default() };
            let heard = std::sync::Mutex::new(Vec::new());
            let told = |done| heard.lock().unwrap().push(done);
            let curve = super::curve(OfRandom { problem, points: 5 }, &told).unwrap();
            assert_eq!(heard.into_inner().unwrap(), [1, 2, 3, 4, 5]);
            assert_eq!(curve.unfinished, 0);
            for row in &curve.records {
                assert!((row.loss - 0.1).abs() < 1e-6 || row.time == 0.0, "{row:?}");
                assert!(row.time.is_finite());
            }
            assert!(curve.records[4].euclidean > 0.01);
        }
    }

    #[test]
    fn a_random_problem_has_the_trend() {
        let curve = curve(OfRandom { problem: default(), points: 8 }).unwrap();
        assert_eq!((curve.shares[7], curve.unfinished), (1.0, 0));
        assert_eq!(curve.records[7].probe_time, 0.0);
        assert_eq!(curve.shapes[0], "rises");
    }

    #[test]
    fn a_point_without_an_answer_leaves_the_others() {
        let mut config = default().config();
        config.probe.points = Some(4);
        let all = || random(config.clone(), &|_| ()).unwrap();
        let Rows { mut rows, .. } = all();
        rows.truncate(3);
        let curve = Curve::of(Rows { rows, failed: vec!["first".into(), "second".into()] });
        assert_eq!((curve.records.len(), curve.missing, curve.why.as_str()), (3, 2, "first"));
        assert_eq!(curve.shares[2], 1.0);
        assert_eq!(all().whole().unwrap().len(), 4);
        let lacking = Rows { failed: vec!["first".into()], ..all() };
        assert_eq!(lacking.whole().unwrap_err(), "first");
    }

    #[test]
    fn what_cannot_be_made_is_an_error() {
        let refused = |problem, points| curve(OfRandom { problem, points }).unwrap_err();
        assert!(refused(Random { samples: 0, ..default() }, 8).starts_with("samples 0"));
        assert!(refused(default(), 24_000).contains("24000 cells"));
    }

    fn array(name: &str, dtype: &str, shape: &[u64], bytes: &[u8]) -> FileArray {
        let (name, dtype, shape, bytes) = (name.into(), dtype.into(), shape.to_vec(), bytes.to_vec());
        FileArray { name, dtype, shape, fortran: false, bytes }
    }

    fn file(arrays: Vec<FileArray>) -> ProblemArrays {
        ProblemArrays { name: "p.npz".into(), arrays, skipped: vec!["readme".into()], points: 4 }
    }

    #[test]
    fn a_file_of_small_types_has_a_curve_and_notes() {
        let features = array("features", "|u1", &[2, 3], &[1, 0, 2, 0, 1, 1]);
        let labels = array("labels", "<U1", &[2], &[b'b', 0, 0, 0, b'a', 0, 0, 0]);
        let answer = of_file(file(vec![features, labels])).unwrap();
        assert_eq!((answer.samples, answer.width, answer.outputs), (2, 3, 2));
        assert_eq!(answer.curve.records.len(), 4);
        assert!(answer.notes.iter().any(|note| note == "classes, in sorted order: 0 = a, 1 = b"));
        assert!(answer.notes.iter().any(|note| note.contains("`readme`")), "{:?}", answer.notes);
    }

    #[test]
    fn a_file_that_is_no_problem_is_refused() {
        let features = || array("features", "<f4", &[1, 1], &[0; 4]);
        let refused = |other| of_file(file(vec![features(), other])).unwrap_err();
        assert!(refused(array("x", "<f4", &[1], &[0; 4])).starts_with("missing: `labels` or `targets`"));
        assert!(refused(features()).contains("two arrays `features`"));
        let short = refused(array("labels", "<i8", &[2], &[0; 8]));
        assert_eq!(short, "array `labels` of shape [2] needs 16 bytes, but the file holds 8");
        let pickled = refused(array("labels", "|O", &[1], &[0; 8]));
        assert!(pickled.contains("type |O") && pickled.contains("pickle"), "{pickled}");
    }

    #[test]
    fn a_band_is_between_its_curves() {
        let curves = vec![vec![0.0, 5.0], vec![1.0, 5.0], vec![2.0, 5.0]];
        let band = band(Curves { curves, quantiles: vec![0.0, 0.5] }).unwrap();
        assert_eq!(band, [[0.0, 5.0], [1.0, 5.0]]);
    }
}
