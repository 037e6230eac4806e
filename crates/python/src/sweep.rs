//! Sweeps: running them, and their tables.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use numpy::PyArray1;
use pyo3::exceptions::{PyKeyError, PyRuntimeWarning, PyUserWarning};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyCapsule, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use taskhead::analysis::summary;
use taskhead::sweep;
use taskhead::sweep::config::Config;
use taskhead::sweep::journal::Journal;
use taskhead::sweep::plan::{Digest, Plan};
use taskhead::sweep::record::{Counts, Record};
use taskhead::tasks::{Task, TaskSpec};
use taskhead_figures::gallery::stored::{NAMES, figure};
use taskhead_figures::plot::Theme;
use taskhead_files::{
    Field, FileError, Kind, MAX_CONFIGURATION, STORE_EVERY, SWEEP_EXTENSIONS, SweepFiles, TableJournal,
    check_output, columns, digest, digest_of_parts, fields, read_sweep_with_notes, read_task, record_of,
    write_csv, write_parquet,
};

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

#[pymethods]
impl Sweep {
    /// The names of all columns.
    #[getter]
    fn columns(&self) -> Vec<&'static str> {
        columns().map(|(name, ..)| name).collect()
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
        NAMES.into_iter().filter(|name| figure(name, &self.sweep.records).is_ok()).collect()
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

    /// A figure: "trend", "trajectories", "heatmap", "risk", "smoothing", "accuracy", "transfer" or "course".
    ///
    /// Raises ``ValueError`` with what the figure needs and this sweep does not have. Warns with ``RuntimeWarning``
    /// where cells failed or stopped early, which figures leave out.
    #[pyo3(signature = (name = "trend", *, dark = false))]
    fn plot(&self, py: Python<'_>, name: &str, dark: bool) -> PyResult<Figure> {
        let figure = figure(name, &self.sweep.records).map_err(error::value)?;
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
        let Some(at) = columns().position(|(name, ..)| name == column) else {
            return Err(PyKeyError::new_err(format!(
                "there is no column `{column}`; `columns` names all"
            )));
        };
        let kind = columns().nth(at).map_or(Kind::Text, |(_, kind, _)| kind);
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

/// Warns on behalf of the caller, or of so many further callers of that.
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
/// columns : mapping of str to sequence
///     ``seed``, ``point`` (the number of the probing point), ``aie`` (average initial energy), ``euclidean``,
///     ``cosine``, ``dot`` and ``norm`` are enough. Every other column of a sweep may be there, as ``problem`` (a name),
///     ``time`` (with several times, ``course`` draws them), ``frobenius``, ``accuracy_start`` and ``accuracy``,
///     ``held_out_accuracy_start`` and ``held_out_accuracy``. None is a value that is not there.
///
/// Without ``frobenius``, ``aie`` takes its place; a number of which nothing is known is NaN. Raises ``ValueError`` for
/// columns that are missing, unknown, or of different lengths.
#[pyfunction]
pub fn table(columns: &Bound<'_, PyDict>) -> PyResult<Sweep> {
    let mut lists: Vec<(String, Vec<Option<Field>>)> = Vec::new();
    for (name, values) in columns {
        let values = if values.hasattr("tolist")? { values.call_method0("tolist")? } else { values };
        let fields = values.try_iter()?.map(|value| to_field(&value?)).collect::<PyResult<_>>()?;
        lists.push((name.extract()?, fields));
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
    let mut seen = HashSet::new();
    if let Some(record) = records.iter().find(|record| !seen.insert(record.cell.number)) {
        return Err(error::value(format!("the cell {} is there twice", record.cell.number)));
    }
    let version = env!("CARGO_PKG_VERSION").into();
    let sweep = sweep::Sweep { config: String::new(), version, identity: None, records };
    Ok(Sweep { sweep: Arc::new(sweep), notes: Vec::new() })
}

/// A value of a column; NaN is none.
fn to_field(value: &Bound<'_, PyAny>) -> PyResult<Option<Field>> {
    if value.is_none() {
        return Ok(None);
    }
    if let Ok(count) = value.extract::<u64>() {
        return Ok(Some(Field::Count(count)));
    }
    if let Ok(number) = value.extract::<f64>() {
        return Ok((!number.is_nan()).then_some(Field::Number(number)));
    }
    Ok(Some(Field::Text(value.extract()?)))
}

/// Runs a sweep of a configuration (TOML) with changes to it; `taskhead.sweep` says which.
#[pyfunction]
#[pyo3(name = "_sweep")]
#[pyo3(signature = (config, changes, *, problem, out, force, kernel_tolerance, threads))]
#[allow(clippy::too_many_arguments)]
pub fn run_sweep(
    py: Python<'_>,
    config: Option<&str>,
    changes: &Bound<'_, PyDict>,
    problem: Option<PyRef<'_, Problem>>,
    out: Option<PathBuf>,
    force: bool,
    kernel_tolerance: Option<f64>,
    threads: Option<usize>,
) -> PyResult<Sweep> {
    let mut config = configuration(config, changes)?;
    let tolerance = check_tolerance(kernel_tolerance)?;
    if threads == Some(0) {
        return Err(error::value("`threads` is 0; accepted: at least 1"));
    }
    let count = threads.unwrap_or_else(rayon::current_num_threads);
    let (plan, task, notes) = match (problem, &config.problem) {
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
    let text = toml::to_string(plan.config()).map_err(error::value)?;
    let head = plan.finished(text, digest(plan.identity()), Vec::new());
    let files = out.as_deref().map(SweepFiles::new).transpose().map_err(error::of_file)?;
    let together = plan.grid().cells_of_a_curve();
    let journal = match &files {
        None => None,
        Some(files) => {
            let open = files.journal(head.clone(), together, STORE_EVERY, force, not_stored);
            Some(open.map_err(error::of_file)?)
        }
    };

    let (cells, done) = (plan.grid().cells() as u64, Arc::new(AtomicU64::new(0)));
    let bar = wait::Bar::new(py, Some(cells), "cell")?;
    done.fetch_add(journal.as_ref().map_or(0, TableJournal::count) as u64, Ordering::Relaxed);
    let shown = done.clone();
    let tick = |py: Python<'_>| bar.set(py, shown.load(Ordering::Relaxed));
    let work = move |flag: &wait::Flag| {
        let tasks = |seed| match &task {
            Some(task) => Ok(task.clone()),
            None => Task::new(&plan.config().problem, seed).map(Arc::new),
        };
        let counted = Counted { journal, done };
        let run = || plan.run_while(&tasks, &counted, &flag.watch());
        let records = match threads {
            None => run(),
            Some(count) => match rayon::ThreadPoolBuilder::new().num_threads(count).build() {
                Ok(pool) => pool.install(run),
                Err(error) => return Err(error::value(error)),
            },
        };
        let journal = counted.journal;
        match records {
            Some(records) => finish(sweep::Sweep { records, ..head }, files.as_ref(), journal),
            None => {
                // Nobody waits for the answer; what is finished is there to go on with.
                if let Some(Err(error)) = journal.map(|journal| journal.store()) {
                    not_stored(&error);
                }
                Err(error::value("interrupted"))
            }
        }
    };
    let sweep = wait::for_work(py, tick, work)??;
    drop(bar);
    for text in Counts::of(&sweep.records).warnings() {
        warn(py, &py.get_type::<PyRuntimeWarning>(), text, 1)?;
    }
    Ok(Sweep { sweep: Arc::new(sweep), notes })
}

/// Stores a finished sweep, if it shall be stored; one without any number is refused.
fn finish(
    sweep: sweep::Sweep,
    files: Option<&SweepFiles>,
    journal: Option<TableJournal>,
) -> PyResult<sweep::Sweep> {
    let some = Counts::of(&sweep.records).some_succeeded();
    if let (Ok(()), Some(files)) = (&some, files) {
        files.write(&sweep).map_err(error::of_file)?;
    }
    if let Some(journal) = journal {
        journal.finish();
    }
    some.map_err(error::value).map(|()| sweep)
}

/// Says that the finished part cannot be stored.
fn not_stored(error: &FileError) {
    let text = format!("cannot store the finished part: {error}");
    // Raised as an error it has nobody to go to: the sweep goes on.
    Python::attach(|py| drop(warn(py, &py.get_type::<PyRuntimeWarning>(), text, 0)));
}

/// A journal that counts, if there is one.
struct Counted {
    journal: Option<TableJournal>,
    done: Arc<AtomicU64>,
}

impl Journal for Counted {
    fn known(&self, first: u64) -> Option<Vec<Record>> {
        self.journal.as_ref()?.known(first)
    }

    fn keep(&self, records: &[Record]) {
        if let Some(journal) = &self.journal {
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

/// The configuration of a TOML text and of changes to it, which are tables as in the text.
fn configuration(text: Option<&str>, changes: &Bound<'_, PyDict>) -> PyResult<Config> {
    let wrong =
        |error: toml::de::Error| error::value(format!("this is not a valid configuration: {error}"));
    let text = text.unwrap_or_default();
    if text.len() > MAX_CONFIGURATION {
        return Err(error::value(format!("`config` has more than {MAX_CONFIGURATION} bytes")));
    }
    let mut table: toml::Table = toml::from_str(text).map_err(wrong)?;
    let toml::Value::Table(changes) = to_toml("changes", changes.as_any())? else {
        unreachable!("a dict is a table")
    };
    if changes.contains_key("until-loss") || changes.contains_key("until-accuracy") {
        // A change takes the place of either rule of the text.
        table.remove("until-loss");
        table.remove("until-accuracy");
    }
    for (key, value) in changes {
        // Probing points and another kind of problem take the place of what was there.
        let part = value.as_table().filter(|new| key != "probe" && !new.contains_key("kind"));
        match (part.cloned(), table.get_mut(&key).and_then(toml::Value::as_table_mut)) {
            (Some(new), Some(old)) => old.extend(new),
            _ => drop(table.insert(key, value)),
        }
    }
    let problem = table.entry("problem").or_insert_with(|| toml::Table::new().into());
    if let toml::Value::Table(problem) = problem {
        problem.entry("kind").or_insert_with(|| "gaussian".into());
    }
    let by_keywords = |error: toml::de::Error| error::value(error::by_keywords(&error.to_string()));
    table.try_into().map_err(if text.is_empty() { by_keywords } else { wrong })
}

/// A value as TOML; `None` in a dict is left out.
fn to_toml(name: &str, value: &Bound<'_, PyAny>) -> PyResult<toml::Value> {
    let list = |items: Bound<'_, PyAny>| -> PyResult<toml::Value> {
        let values = items.try_iter()?.map(|item| to_toml(name, &item?));
        Ok(toml::Value::Array(values.collect::<PyResult<_>>()?))
    };
    if value.is_instance_of::<PyBool>() {
        return Ok(value.extract::<bool>()?.into());
    }
    if value.is_instance_of::<PyInt>() {
        return match value.extract::<i64>() {
            Ok(whole) => Ok(whole.into()),
            Err(_) => Err(error::value(format!("`{name}` holds {value}; accepted: numbers below 2^63"))),
        };
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(value.extract::<f64>()?.into());
    }
    if value.is_instance_of::<PyString>() {
        return Ok(value.extract::<String>()?.into());
    }
    if let Ok(items) = value.cast::<PyDict>() {
        let mut table = toml::Table::new();
        for (key, item) in items.iter().filter(|(_, item)| !item.is_none()) {
            let key: String = key.extract()?;
            let item = to_toml(&key, &item)?;
            table.insert(key, item);
        }
        return Ok(table.into());
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        return list(value.clone());
    }
    if value.hasattr("tolist")? {
        return to_toml(name, &value.call_method0("tolist")?);
    }
    let found = value.get_type().name()?;
    Err(error::value(format!(
        "`{name}` is of type {found}; accepted: numbers, texts, and lists of them"
    )))
}
