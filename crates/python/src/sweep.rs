//! Sweeps: running them, and their tables.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use numpy::PyArray1;
use pyo3::exceptions::{PyKeyError, PyRuntimeWarning, PyUserWarning};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict};
use taskhead::analysis::optimum::{Optimum, optima};
use taskhead::analysis::summary;
use taskhead::metric::Metric;
use taskhead::sweep::journal::Journal;
use taskhead::sweep::plan::{Digest, Plan};
use taskhead::sweep::record::{Counts, Record, ScoreKind};
use taskhead::sweep::{self, Part, Shard};
use taskhead::tasks::{Task, TaskSpec};
use taskhead_figures::gallery::stored::{NAMES, figure};
use taskhead_figures::plot::Theme;
use taskhead_files::{
    Field, FileError, Kind, STORE_EVERY, SWEEP_EXTENSIONS, SweepFiles, TableJournal, check_output,
    check_repeated, columns, digest, digest_of_parts, fields, read_sweep, read_sweep_with_notes,
    read_task, record_of, write_csv, write_parquet,
};

use crate::config::configuration;
use crate::figure::Figure;
use crate::problem::{Problem, check_tolerance};
use crate::{arrow, error, wait};

/// The records of a sweep, a replay or a training of your own: one row for each head, energy and finetuning time.
///
/// It is an Arrow table (``__arrow_c_stream__``), which polars, pyarrow, duckdb and pandas take as it is;
/// ``sweep["euclidean"]`` is one column as a NumPy array, with NaN where a row has no number.
#[pyclass(frozen, module = "taskhead")]
pub struct Sweep {
    sweep: Arc<sweep::Sweep>,
    notes: Vec<String>,
}

/// What a sweep is made of again: the bytes of its table, and its notes.
type Pickled<'py> = (Bound<'py, PyBytes>, Vec<String>);

#[pymethods]
impl Sweep {
    /// The names of all columns.
    #[getter]
    fn columns(&self) -> Vec<&'static str> {
        columns(&self.sweep.records).map(|(name, ..)| name).collect()
    }

    /// The configuration as TOML; empty if it is not known.
    #[getter]
    fn config(&self) -> &str {
        &self.sweep.config
    }

    /// The version of taskhead that ran it; empty if it is not known.
    #[getter]
    fn version(&self) -> &str {
        &self.sweep.version
    }

    /// What there is to know about its input.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// How many cells failed.
    #[getter]
    fn failed(&self) -> usize {
        Counts::of(&self.sweep.records).failed
    }

    /// How many cells stopped early, with the numbers of where they did.
    #[getter]
    fn stopped(&self) -> usize {
        Counts::of(&self.sweep.records).stopped
    }

    /// The names of the figures that can be drawn of it.
    #[getter]
    fn figures(&self) -> Vec<&'static str> {
        NAMES
            .into_iter()
            .filter(|name| figure(name, &self.sweep.records, &Metric::MEANS).is_ok())
            .collect()
    }

    /// Each law of the paper, counted over all curves: rows of (metric, claim, curves that agree, all curves, finding
    /// in words). ``held_out`` measures the held-out inputs.
    #[pyo3(signature = (*, held_out = false))]
    fn laws(&self, held_out: bool) -> Vec<(&'static str, &'static str, usize, usize, String)> {
        let rows = summary::summarize("", &self.sweep.records, held_out);
        let row = |row: &summary::Row| {
            (row.metric.name(), row.claim(), row.agree.0, row.agree.1, row.finding())
        };
        rows.iter().map(row).collect()
    }

    /// The best probing point of each group of curves that has scores on validation samples, as those of replays and of
    /// recordings may: chosen by them, and reported with the score on test samples.
    fn best(&self) -> Vec<Best> {
        optima(&self.sweep.records).into_iter().map(Best::from).collect()
    }

    /// A figure: "trend", "trajectories", "heatmap", "risk", "smoothing", "accuracy", "transfer" or "course".
    /// ``metrics`` are the metrics to show in figures that have a panel or a curve for each (default: the four means).
    ///
    /// Raises ``ValueError`` with what the figure needs and this sweep does not have, or for a metric that does not
    /// exist. Warns with ``RuntimeWarning`` where cells failed or stopped early, which figures leave out.
    #[pyo3(signature = (name = "trend", *, metrics = None, dark = false))]
    fn plot(
        &self,
        py: Python<'_>,
        name: &str,
        metrics: Option<Vec<String>>,
        dark: bool,
    ) -> PyResult<Figure> {
        let metrics = match metrics {
            Some(names) => names.iter().map(|name| metric(name)).collect::<PyResult<_>>()?,
            None => Metric::MEANS.to_vec(),
        };
        let figure = figure(name, &self.sweep.records, &metrics).map_err(error::value)?;
        let Counts { failed, stopped, cells, .. } = Counts::of(&self.sweep.records);
        if failed + stopped > 0 {
            let text = format!(
                "of {cells} cells, {failed} failed and {stopped} stopped early; figures leave them out"
            );
            warn(py, &py.get_type::<PyRuntimeWarning>(), text, 0)?;
        }
        let theme = if dark { Theme::Dark } else { Theme::Light };
        Ok(Figure { name: figure.name(), svg: figure.svg(theme) })
    }

    /// Writes the table to ``path``, .parquet or .csv, with the configuration inside, in one step.
    ///
    /// Raises ``ValueError`` for another extension or a folder that is not there.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        check_output(&path, SWEEP_EXTENSIONS).map_err(error::of_file)?;
        let csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        let sweep = &self.sweep;
        let write = || if csv { write_csv(&path, sweep) } else { write_parquet(&path, sweep) };
        py.detach(write).map_err(error::of_file)
    }

    /// The table for pandas: a ``DataFrame``.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("taskhead._support")?.call_method1("to_pandas", (slf,))
    }

    /// The table for polars: a ``DataFrame``.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("polars")?.call_method1("DataFrame", (slf,))
    }

    /// The stream of the Arrow PyCapsule interface. The schema is always that of the table.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // What is asked for is only a wish.
        let _ = requested_schema;
        PyCapsule::new_with_value(py, arrow::stream(&self.sweep), c"arrow_array_stream")
    }

    fn __getitem__<'py>(&self, py: Python<'py>, column: &str) -> PyResult<Bound<'py, PyAny>> {
        let Some(at) = columns(&self.sweep.records).position(|(name, ..)| name == column) else {
            return Err(PyKeyError::new_err(format!(
                "there is no column `{column}`; `columns` names all"
            )));
        };
        let kind = columns(&self.sweep.records).nth(at).map_or(Kind::Text, |(_, kind, _)| kind);
        let records = &self.sweep.records;
        let values = records.iter().map(|record| fields(record).swap_remove(at).1);
        Ok(match kind {
            Kind::Count => {
                let counts = values.map(|v| arrow::count(v).unwrap_or_default()).collect();
                PyArray1::from_vec(py, counts).into_any()
            }
            Kind::Number => {
                let numbers = values.map(|v| arrow::number(v).unwrap_or(f64::NAN)).collect();
                PyArray1::from_vec(py, numbers).into_any()
            }
            Kind::Text => {
                let texts: Vec<Option<String>> = values.map(arrow::text).collect();
                let options = PyDict::new(py);
                options.set_item("dtype", "object")?;
                py.import("numpy")?.call_method("array", (texts,), Some(&options))?
            }
        })
    }

    /// It can be pickled, as for other processes: by the bytes of its Parquet table.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Pickled<'py>)> {
        let bytes = || {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("s.parquet");
            Ok(write_parquet(&path, &self.sweep).map(|()| std::fs::read(path)))
        };
        let bytes: std::io::Result<_> = py.detach(bytes);
        let bytes = PyBytes::new(py, &bytes?.map_err(error::of_file)??);
        let make = py.import("taskhead._taskhead")?.getattr("_sweep_of_bytes")?;
        Ok((make, (bytes, self.notes.clone())))
    }

    fn __len__(&self) -> usize {
        self.sweep.records.len()
    }

    fn __repr__(&self) -> String {
        let Counts { cells, failed, stopped, .. } = Counts::of(&self.sweep.records);
        format!("<taskhead.Sweep: {cells} cells, {failed} failed, {stopped} stopped early>")
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        slf.py().import("taskhead._support")?.call_method1("sweep_html", (slf,))?.extract()
    }
}

/// Warns on behalf of the caller, or of one that is this many calls further out.
fn warn(py: Python<'_>, category: &Bound<'_, PyAny>, text: String, further: i32) -> PyResult<()> {
    PyErr::warn(py, category, &std::ffi::CString::new(text)?, 1 + further)
}

/// Reads a table that a sweep, a replay or the command has written: .parquet or .csv; the content decides which.
///
/// Warns with ``UserWarning`` of what a reader should know, as of columns that were left alone. Raises
/// ``FileNotFoundError`` and its like where the operating system refuses, and ``ValueError`` for a file that is damaged
/// or of another kind.
#[pyfunction]
pub fn read(py: Python<'_>, path: PathBuf) -> PyResult<Sweep> {
    let (sweep, notes) = py.detach(|| read_sweep_with_notes(&path)).map_err(error::of_file)?;
    let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
    for note in &notes {
        warn(py, &py.get_type::<PyUserWarning>(), format!("{}: {note}", path.display()), 0)?;
    }
    Ok(Sweep { sweep: Arc::new(sweep), notes })
}

/// A table of a training of your own, from columns by their names: it is drawn and stored like that of a sweep.
///
/// Parameters
/// ----------
/// columns : mapping of str to sequence, or data frame
///     ``seed``, ``point`` (the number of the probing point), ``aie`` (average initial energy), ``euclidean``,
///     ``cosine``, ``dot`` and ``norm`` are enough. Every other column of a sweep may be there, as ``problem`` (a
///     name), ``time`` (with several times, ``course`` draws them), ``frobenius``, ``frobenius_distance``,
///     ``accuracy_start`` and ``accuracy``, ``held_out_accuracy_start`` and ``held_out_accuracy``. None is a value that
///     is not there.
///
/// Without ``frobenius``, ``aie`` takes its place; a number of which nothing is known is NaN. Raises ``ValueError`` for
/// columns that are missing, unknown, or of different lengths, for values that cannot be (a negative distance), and for
/// two rows of one problem, seed, point and time.
#[pyfunction]
pub fn table(columns: &Bound<'_, PyAny>) -> PyResult<Sweep> {
    let columns = columns.py().import("taskhead._support")?.call_method1("columns", (columns,))?;
    let columns = columns.cast::<PyDict>()?;
    let mut lists: Vec<(String, Vec<Option<Field>>)> = Vec::new();
    for (name, values) in columns {
        let name: String = name.extract()?;
        let field = |value: PyResult<Bound<'_, PyAny>>| to_field(&name, &value?);
        let fields = values.try_iter()?.map(field).collect::<PyResult<_>>()?;
        lists.push((name, fields));
    }
    for needed in ["seed", "point", "aie", "euclidean", "cosine", "dot", "norm"] {
        if lists.iter().all(|(name, _)| name != needed) {
            return Err(error::value(format!("the column `{needed}` is missing")));
        }
    }
    let rows = lists[0].1.len();
    if let Some((name, list)) = lists.iter().find(|(_, list)| list.len() != rows) {
        let (first, found) = (&lists[0].0, list.len());
        let text = format!(
            "`{name}` has {found} values and `{first}` {rows}; accepted: as many in each column"
        );
        return Err(error::value(text));
    }
    let record = |row: usize| {
        let values = lists.iter().filter_map(|(name, list)| Some((name.as_str(), list[row].clone()?)));
        record_of(row, values).map_err(error::value)
    };
    let records: Vec<Record> = (0..rows).map(record).collect::<PyResult<_>>()?;
    check_repeated(&records).map_err(error::value)?;
    let version = env!("CARGO_PKG_VERSION").into();
    let sweep = sweep::Sweep { config: String::new(), version, identity: None, records };
    Ok(Sweep { sweep: Arc::new(sweep), notes: Vec::new() })
}

/// The best probing point of a group of curves: chosen by the mean score on validation samples, reported with that on
/// test samples, which had no part in the choice.
#[pyclass(frozen, module = "taskhead")]
pub struct Best {
    /// The group in words.
    #[pyo3(get)]
    group: String,
    /// The name of the score: "accuracy" or another.
    #[pyo3(get)]
    score: &'static str,
    /// Seeds over which means are taken.
    #[pyo3(get)]
    seeds: usize,
    /// Average initial energy (AIE) of the point, and its probing time.
    #[pyo3(get)]
    energy: f64,
    #[pyo3(get)]
    tau: f64,
    /// Its scores on validation and on test samples.
    #[pyo3(get)]
    validation: f64,
    #[pyo3(get)]
    test: f64,
    /// Test scores after the longest probing and without any.
    #[pyo3(get)]
    ends: (f64, f64),
    /// Test score of inner probing less that after the longest probing, and less that without any: means over the seeds
    /// with half of their 95 % intervals, each seed with the point that the others choose. None where there are too
    /// few seeds or points.
    #[pyo3(get)]
    inner: Option<((f64, f64), (f64, f64))>,
    text: String,
}

impl From<Optimum> for Best {
    fn from(best: Optimum) -> Self {
        let text = best.to_string();
        Self {
            score: best.score.map_or("accuracy", ScoreKind::title),
            seeds: best.seeds,
            energy: best.energy,
            tau: best.probe_time,
            validation: best.validation,
            test: best.test,
            ends: best.ends.into(),
            inner: best.inner.map(|inner| inner.map(|d| (d.mean, d.half_width)).into()),
            group: best.group,
            text,
        }
    }
}

#[pymethods]
impl Best {
    fn __repr__(&self) -> String {
        format!("<taskhead.Best {}>", self.text)
    }
}

/// A metric by its name.
fn metric(name: &str) -> PyResult<Metric> {
    Metric::ALL.into_iter().find(|metric| metric.name() == name).ok_or_else(|| {
        let known = Metric::ALL.map(Metric::name).join(", ");
        error::value(format!("there is no metric `{name}`; accepted: {known}"))
    })
}

/// A value of a column; NaN counts as none.
fn to_field(column: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Field>> {
    if value.is_none() {
        return Ok(None);
    }
    if let Ok(count) = value.extract::<u64>() {
        return Ok(Some(Field::Count(count)));
    }
    if let Ok(number) = value.extract::<f64>() {
        return Ok((!number.is_nan()).then_some(Field::Number(number)));
    }
    match value.extract() {
        Ok(text) => Ok(Some(Field::Text(text))),
        Err(_) => {
            let found = value.get_type().name()?;
            let text = format!("`{column}` holds a {found}; accepted: numbers, texts and None");
            Err(error::value(text))
        }
    }
}

/// What a sweep is asked for, as `taskhead.sweep` passes it on.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Asked<'py> {
    config: Option<String>,
    changes: Bound<'py, PyDict>,
    problem: Option<PyRef<'py, Problem>>,
    out: Option<PathBuf>,
    force: bool,
    kernel_tolerance: Option<f64>,
    threads: Option<usize>,
    shard: Option<String>,
}

/// A sweep that can be run, with what has been stored of it.
struct Ready {
    plan: Plan,
    task: Option<Arc<Task>>,
    notes: Vec<String>,
    /// It, without its records.
    head: sweep::Sweep,
    files: Option<SweepFiles>,
    journal: Option<TableJournal>,
}

impl Ready {
    fn new(py: Python<'_>, asked: &Asked<'_>) -> PyResult<Self> {
        let mut config = configuration(asked.config.as_deref(), &asked.changes)?;
        let tolerance = check_tolerance(asked.kernel_tolerance)?;
        if tolerance.is_some()
            && (asked.problem.is_some() || !matches!(config.problem, TaskSpec::File { .. }))
        {
            let text =
                "`kernel_tolerance` has no effect but on the file of a problem; a Problem has its own";
            return Err(error::value(text));
        }
        if asked.threads == Some(0) {
            return Err(error::value("`threads` is 0; accepted: at least 1"));
        }
        let shard: Option<Shard> = asked.shard.as_deref().map(shard_of).transpose()?;
        let count = asked.threads.unwrap_or_else(rayon::current_num_threads);
        let (plan, task, notes) = match (&asked.problem, &config.problem) {
            (Some(problem), _) => {
                config.problem = TaskSpec::File { path: "arrays".into() };
                let identity = digest_of_task(&problem.task);
                let plan = Plan::of_file(config, identity).map_err(error::of_config)?;
                (plan, Some(problem.task.clone()), Vec::new())
            }
            (None, TaskSpec::File { path }) => {
                config.validate().map_err(error::of_config)?;
                let from = path.clone();
                let read = move |_: &wait::Flag| read_task(Path::new(&from), tolerance, count);
                let file = wait::for_work(py, |_| Ok(()), read)?.map_err(error::of_file)?;
                let notes = file.notes.iter().map(ToString::to_string).collect();
                let plan = Plan::of_file(config, file.digest).map_err(error::of_config)?;
                (plan, Some(Arc::new(file.task)), notes)
            }
            (None, _) => (Plan::new(config).map_err(error::of_config)?, None, Vec::new()),
        };
        let part = shard.map(|shard| Part { shard, cells: plan.grid().cells() });
        let plan = plan.shard(shard.unwrap_or_default()).map_err(error::value)?;
        let text = toml::to_string(plan.config()).map_err(error::value)?;
        let head = plan.finished(text, digest(plan.identity()), Vec::new());
        let files = asked.out.as_deref().map(|out| SweepFiles::new(out, part));
        let files = files.transpose().map_err(error::of_file)?;
        let together = plan.grid().cells_of_a_curve();
        let journal = files
            .as_ref()
            .map(|files| {
                files.journal(head.clone(), plan.cells(), together, STORE_EVERY, asked.force, not_stored)
            })
            .transpose()
            .map_err(error::of_file)?;
        Ok(Self { plan, task, notes, head, files, journal })
    }

    /// Stores the finished sweep, if it shall be stored; one without any number is refused, but for a part.
    fn finish(self, records: Vec<Record>) -> PyResult<sweep::Sweep> {
        let sweep = sweep::Sweep { records, ..self.head };
        let some = match &self.files {
            Some(files) if files.is_part() => Ok(()),
            _ => Counts::of(&sweep.records).some_succeeded(),
        };
        if let (Ok(()), Some(files)) = (&some, &self.files) {
            files.write(&sweep).map_err(error::of_file)?;
        }
        if let Some(journal) = self.journal {
            journal.finish();
        }
        some.map_err(error::value).map(|()| sweep)
    }
}

fn shard_of(text: &str) -> PyResult<Shard> {
    text.parse().map_err(|accepted| error::value(format!("`shard` is {text:?}; {accepted}")))
}

/// Runs a sweep of a configuration (TOML) with changes to it; `taskhead.sweep` says which.
#[pyfunction]
#[pyo3(name = "_sweep")]
pub fn run_sweep(py: Python<'_>, asked: Asked<'_>) -> PyResult<Sweep> {
    let mut ready = Ready::new(py, &asked)?;
    let threads = asked.threads;
    let (cells, done) = (ready.plan.cells() as u64, Arc::new(AtomicU64::new(0)));
    let bar = wait::Bar::new(py, Some(cells), "cell")?;
    done.fetch_add(ready.journal.as_ref().map_or(0, TableJournal::count) as u64, Ordering::Relaxed);
    let shown = done.clone();
    let tick = |py: Python<'_>| bar.set(py, shown.load(Ordering::Relaxed));
    let notes = std::mem::take(&mut ready.notes);
    let work = move |flag: &wait::Flag| {
        let tasks = |seed| match &ready.task {
            Some(task) => Ok(task.clone()),
            None => Task::new(&ready.plan.config().problem, seed).map(Arc::new),
        };
        let counted = Counted { journal: ready.journal.as_ref(), done };
        let run = || ready.plan.run_while(&tasks, &counted, &flag.watch());
        let records = match threads {
            None => run(),
            Some(count) => match rayon::ThreadPoolBuilder::new().num_threads(count).build() {
                Ok(pool) => pool.install(run),
                Err(error) => return Err(error::value(error)),
            },
        };
        match records {
            Some(records) => ready.finish(records),
            None => {
                // Nothing waits for the answer; what is finished is stored and can be resumed.
                if let Some(Err(error)) = ready.journal.map(|journal| journal.store()) {
                    not_stored(&error);
                }
                Err(error::value("interrupted"))
            }
        }
    };
    let sweep = wait::for_work(py, tick, work)??;
    drop(bar);
    warn_of(py, &sweep)?;
    Ok(Sweep { sweep: Arc::new(sweep), notes })
}

/// Warns of cells that failed or stopped early.
fn warn_of(py: Python<'_>, sweep: &sweep::Sweep) -> PyResult<()> {
    let mut warnings = Counts::of(&sweep.records).warnings().into_iter();
    warnings.try_for_each(|text| warn(py, &py.get_type::<PyRuntimeWarning>(), text, 1))
}

/// The records of curves, by their first cells.
type Known = BTreeMap<u64, Vec<Record>>;

/// A sweep whose curves are computed elsewhere, each as a part of its own, and put together here.
#[pyclass(frozen, module = "taskhead")]
pub struct Gathering {
    state: Mutex<Option<(Ready, Known)>>,
}

#[pymethods]
impl Gathering {
    #[new]
    fn new(py: Python<'_>, asked: Asked<'_>) -> PyResult<Self> {
        let ready = Ready::new(py, &asked)?;
        let together = ready.plan.grid().cells_of_a_curve() as u64;
        let firsts = (0..ready.plan.grid().curves().len() as u64).map(|curve| curve * together);
        let journal = ready.journal.as_ref();
        let known = firsts.filter_map(|first| Some((first, journal?.known(first)?))).collect();
        Ok(Self { state: Mutex::new(Some((ready, known))) })
    }

    /// The parts that are not known, as `shard` takes them, and the number of all.
    fn missing(&self) -> PyResult<(Vec<String>, usize)> {
        self.with(|ready, known| {
            let (curves, together) =
                (ready.plan.grid().curves().len(), ready.plan.grid().cells_of_a_curve());
            let missing = Shard::all(curves)
                .filter(|shard| !known.contains_key(&((shard.number() - 1) as u64 * together as u64)));
            (missing.map(|shard| shard.to_string()).collect(), curves)
        })
    }

    /// Keeps a part.
    fn keep(&self, part: &Sweep) -> PyResult<()> {
        let same = self.with(|ready, known| {
            let same = part.sweep.identity == ready.head.identity;
            let mut records = part.sweep.records.clone();
            // Elsewhere the file of a problem may have another path.
            records.iter_mut().for_each(|r| r.cell.problem = ready.plan.config().problem.name().into());
            if let (true, Some(first)) = (same, records.first()) {
                if let Some(journal) = &ready.journal {
                    journal.keep(&records);
                }
                known.insert(first.cell.number, records);
            }
            same
        })?;
        if same {
            return Ok(());
        }
        Err(error::value(
            "a part has come back from another sweep: input files or versions differ between the machines",
        ))
    }

    /// Stores what is known, to go on with it later.
    fn store(&self) -> PyResult<()> {
        self.with(|ready, _| ready.journal.as_ref().map_or(Ok(()), TableJournal::store))?
            .map_err(error::of_file)
    }

    /// The sweep, once all parts are known.
    fn finish(&self, py: Python<'_>) -> PyResult<Sweep> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (mut ready, known) = state.ok_or_else(|| error::value("the sweep is finished"))?;
        let notes = std::mem::take(&mut ready.notes);
        let records: Vec<Record> = known.into_values().flatten().collect();
        if records.len() != ready.plan.grid().cells() {
            return Err(error::value("parts are missing"));
        }
        let sweep = py.detach(|| ready.finish(records))?;
        warn_of(py, &sweep)?;
        Ok(Sweep { sweep: Arc::new(sweep), notes })
    }
}

impl Gathering {
    fn with<T>(&self, act: impl FnOnce(&Ready, &mut Known) -> T) -> PyResult<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (ready, known) = state.as_mut().ok_or_else(|| error::value("the sweep is finished"))?;
        Ok(act(ready, known))
    }
}

/// Several tables in one, to be drawn side by side: a recorded training and the theory, or several trainings.
///
/// ``beside(network=runs, theory=sweep).plot("trend")``: the names take the place of those of the problems (where one
/// has several problems, theirs follow). Of each the end of finetuning is compared, whatever the units of time are. What
/// made the parts is not kept.
///
/// Raises ``ValueError`` unless there are two or more.
#[pyfunction]
#[pyo3(signature = (**sweeps))]
pub fn beside(sweeps: Option<&Bound<'_, PyDict>>) -> PyResult<Sweep> {
    let count = sweeps.map_or(0, |sweeps| sweeps.len());
    let Some(sweeps) = sweeps.filter(|_| count > 1) else {
        let found = taskhead::counted(count, "table");
        return Err(error::value(format!(
            "{found} to be put side by side; accepted: at least 2, by their names"
        )));
    };
    let part = |(name, sweep): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let name: String = name.extract()?;
        match sweep.cast::<Sweep>() {
            Ok(sweep) => Ok((name, sweep::Sweep::clone(&sweep.get().sweep))),
            Err(_) => {
                let found = sweep.get_type().name()?;
                Err(error::value(format!(
                    "`{name}` is a {found}; accepted: a Sweep, as of read, table or sweep"
                )))
            }
        }
    };
    let parts = sweeps.iter().map(part).collect::<PyResult<_>>()?;
    Ok(Sweep { sweep: Arc::new(sweep::Sweep::beside(parts)), notes: Vec::new() })
}

/// Puts the parts of a sweep or a replay together, in any order: what comes out is as if it had never been split.
///
/// ``paths`` are the tables that ``shard`` has written. Raises ``ValueError`` for parts that are missing, repeated or
/// of different runs.
#[pyfunction]
#[pyo3(signature = (paths, *, out = None, force = false))]
pub fn merge(py: Python<'_>, paths: Vec<PathBuf>, out: Option<PathBuf>, force: bool) -> PyResult<Sweep> {
    if paths.is_empty() {
        return Err(error::value("`paths` is empty; accepted: the tables of all parts"));
    }
    let files =
        out.as_deref().map(|out| SweepFiles::new(out, None)).transpose().map_err(error::of_file)?;
    if let Some(files) = &files {
        files.check_apart(&paths).map_err(error::of_file)?;
    }
    let (sweep, notes) = py.detach(|| taskhead_files::merge(&paths)).map_err(error::of_file)?;
    Counts::of(&sweep.records).some_succeeded().map_err(error::value)?;
    if let (Some(files), Some(identity)) = (files, sweep.identity) {
        files.check(identity, force).and_then(|()| files.write(&sweep)).map_err(error::of_file)?;
    }
    let notes: Vec<String> =
        notes.iter().map(|(path, note)| format!("{}: {note}", path.display())).collect();
    for note in &notes {
        warn(py, &py.get_type::<PyUserWarning>(), note.clone(), 0)?;
    }
    Ok(Sweep { sweep: Arc::new(sweep), notes })
}

/// A sweep from the bytes of its table, for `pickle`.
#[pyfunction]
#[pyo3(name = "_sweep_of_bytes")]
pub fn sweep_of_bytes(py: Python<'_>, bytes: &[u8], notes: Vec<String>) -> PyResult<Sweep> {
    let read = || {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(bytes)?;
        Ok(read_sweep(file.path()))
    };
    let read: std::io::Result<_> = py.detach(read);
    Ok(Sweep { sweep: Arc::new(read?.map_err(error::of_file)?), notes })
}

/// Says that the finished part cannot be stored.
fn not_stored(error: &FileError) {
    let text = format!("cannot store the finished part: {error}");
    // There is no caller to raise an error in: the sweep continues.
    Python::attach(|py| drop(warn(py, &py.get_type::<PyRuntimeWarning>(), text, 0)));
}

/// A journal that counts, if there is one.
struct Counted<'a> {
    journal: Option<&'a TableJournal>,
    done: Arc<AtomicU64>,
}

impl Journal for Counted<'_> {
    fn known(&self, first: u64) -> Option<Vec<Record>> {
        self.journal?.known(first)
    }

    fn keep(&self, records: &[Record]) {
        if let Some(journal) = self.journal {
            journal.keep(records);
        }
        self.done.fetch_add(records.len() as u64, Ordering::Relaxed);
    }
}

/// What tells a task in memory from others: all its numbers.
fn digest_of_task(task: &Task) -> Digest {
    let problem = &task.problem;
    let factor = problem.kernel().factor();
    let held_out = problem.held_out();
    let matrices = [
        Some(problem.features()),
        Some(&factor),
        Some(problem.targets()),
        task.head.as_ref(),
        held_out.map(|h| h.features()),
        held_out.map(|h| h.factor()),
        task.held_out_targets.as_ref(),
    ];
    let shapes: Vec<_> = matrices.iter().map(|matrix| matrix.map(|m| m.shape())).collect();
    let head = std::iter::once(format!("{shapes:?}").into_bytes());
    let columns = matrices.into_iter().flatten().flat_map(|matrix| matrix.column_iter());
    let bytes = columns.map(|column| column.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>());
    digest_of_parts(head.chain(bytes))
}
