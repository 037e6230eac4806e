//! The catalogue of theorems, its checks and the certificates.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};
use taskhead::simulation::Until;
use taskhead::tasks::Task;
use taskhead_theorems::catalogue::instance::Instance;
use taskhead_theorems::catalogue::verify::{CheckReport, Settings, work};
use taskhead_theorems::catalogue::{self, Entry, chosen};
use taskhead_theorems::certify::{self as certificates, CELLS, CERTIFIED, Region};

use crate::problem::Problem;
use crate::{error, wait};

/// A theorem, conjecture or observation of the catalogue.
#[pyclass(frozen, get_all, module = "taskhead")]
#[derive(Clone)]
pub struct Theorem {
    /// T1 … T33, C1 and C2 for conjectures, S1 for the solver, S2 for what is measured, O1 … O5.
    id: &'static str,
    /// Short name.
    name: &'static str,
    /// "identity", "law", "bound", "order", "conjecture" or "observation".
    kind: String,
    /// In words.
    statement: &'static str,
    /// As a formula.
    formula: &'static str,
    /// What it needs.
    hypotheses: Vec<&'static str>,
    /// Where it comes from.
    source: &'static str,
    /// The Coq theorems that prove it or a part of it.
    proofs: Vec<&'static str>,
}

impl From<&Entry> for Theorem {
    fn from(entry: &Entry) -> Self {
        let &Entry { id, name, kind, statement, formula, hypotheses, source, proofs, .. } = entry;
        let (hypotheses, proofs) = (hypotheses.to_vec(), proofs.to_vec());
        Self { id, name, kind: word(kind), statement, formula, hypotheses, source, proofs }
    }
}

#[pymethods]
impl Theorem {
    fn __repr__(&self) -> String {
        format!("<taskhead.Theorem {}: {}>", self.id, self.name)
    }
}

/// The name of a value of an enumeration.
fn word(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// What came out for one check of a theorem.
#[pyclass(frozen, get_all, module = "taskhead")]
#[derive(Clone)]
pub struct Check {
    /// What is checked.
    claim: &'static str,
    /// "holds", "refuted", or "blind" if it did not notice a violated hypothesis.
    verdict: String,
    /// Cases tried, and how many of them failed.
    cases: usize,
    failed: usize,
    /// The worst case and its score, which is the quantity of ``measure``.
    worst: Option<(String, f64)>,
    /// What a score is: "worst error", "smallest margin", "largest ratio to the bound" or "worst slope".
    measure: &'static str,
    /// Violated hypotheses that were tried, and those that were not noticed.
    violations: Vec<&'static str>,
    unseen: Vec<&'static str>,
}

impl From<&CheckReport> for Check {
    fn from(report: &CheckReport) -> Self {
        Self {
            claim: report.check.claim,
            verdict: word(report.verdict()),
            cases: report.cases,
            failed: report.failed,
            worst: report.worst.as_ref().map(|worst| (worst.name.clone(), worst.trial.score)),
            measure: report.check.judge.worst_name(),
            violations: report.check.violations.to_vec(),
            unseen: report.unseen.clone(),
        }
    }
}

#[pymethods]
impl Check {
    fn __repr__(&self) -> String {
        format!("<taskhead.Check: {} ({} cases, {} failed)>", self.verdict, self.cases, self.failed)
    }
}

/// What came out for one theorem.
#[pyclass(frozen, get_all, module = "taskhead")]
pub struct Report {
    /// The theorem.
    theorem: Theorem,
    /// "holds", "unviolated" (a conjecture), "refuted", "blind" or "observed".
    verdict: String,
    /// One result for each check.
    checks: Vec<Check>,
    /// What an observation counted: rows of (what, how often it was seen, out of how many, 95 % interval of the share).
    counts: Vec<(String, usize, usize, (f64, f64))>,
    /// The problems that it leaves to replay, by their names: "T1-2" is the worst case of the second check,
    /// "T1-2-violation-3" its third violated hypothesis, "O1-counter-4" the fourth counter-example.
    problems: BTreeMap<String, Case>,
}

/// A problem with its head, and how that is probed and finetuned: what :func:`verify` leaves to replay.
#[pyclass(frozen, module = "taskhead")]
#[derive(Clone)]
pub struct Case(Arc<Instance>);

#[pymethods]
impl Case {
    /// The problem, with the head that it starts from.
    #[getter]
    fn problem(&self) -> PyResult<Problem> {
        let problem = self.0.problem().map_err(error::value)?;
        Ok(Problem::of_task(Task::of_problem(problem, Some(self.0.head.clone()), None)))
    }

    /// What probing and finetuning lower: "squared" or "cross-entropy".
    #[getter]
    fn loss(&self) -> String {
        self.0.loss.name().into()
    }

    /// Label smoothing while probing.
    #[getter]
    fn smoothing(&self) -> f64 {
        self.0.smoothing
    }

    /// Probing time.
    #[getter]
    fn tau(&self) -> f64 {
        self.0.probe_time
    }

    /// Finetuning time.
    #[getter]
    fn time(&self) -> f64 {
        self.0.time
    }

    /// The training loss where finetuning stops before, if it does.
    #[getter]
    fn until_loss(&self) -> Option<f64> {
        match self.0.until {
            Until::Loss(level) => Some(level),
            _ => None,
        }
    }

    /// The share of samples that are predicted right where finetuning stops before, if it does.
    #[getter]
    fn until_accuracy(&self) -> Option<f64> {
        match self.0.until {
            Until::Accuracy(level) => Some(level),
            _ => None,
        }
    }

    /// The learning rate γ of the head over that of the backbone.
    #[getter]
    fn head_rate(&self) -> f64 {
        self.0.head_rate
    }

    /// Probes and finetunes it, with further options of :meth:`Probed.finetune`, which may also replace its own.
    #[pyo3(signature = (**options))]
    fn finetune<'py>(
        &self,
        py: Python<'py>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let head = [("loss", self.loss())].into_py_dict(py)?;
        head.set_item("smoothing", self.smoothing())?;
        let head = Bound::new(py, self.problem()?)?.call_method("head", (), Some(&head))?;
        let probed = head.call_method("probe", (), Some(&[("tau", self.tau())].into_py_dict(py)?))?;
        let all = [("time", self.time()), ("head_rate", self.head_rate())].into_py_dict(py)?;
        all.set_item("until_loss", self.until_loss())?;
        all.set_item("until_accuracy", self.until_accuracy())?;
        if let Some(options) = options {
            all.update(options.as_mapping())?;
        }
        probed.call_method("finetune", (), Some(&all))
    }

    /// Writes features, kernel, targets and head to a .npz or .safetensors file, which ``taskhead simulate`` takes.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        taskhead_files::write_result(path, &self.0.arrays()).map_err(error::of_file)
    }

    fn __repr__(&self) -> String {
        let Instance { features, targets, .. } = &*self.0;
        let (n, h, k) = (features.nrows(), features.ncols(), targets.ncols());
        format!("<taskhead.Case: {n} samples, width {h}, {k} outputs{}>", self.0.flags())
    }
}

#[pymethods]
impl Report {
    fn __repr__(&self) -> String {
        let cases: usize = self.checks.iter().map(|check| check.cases).sum();
        let Theorem { id, name, .. } = &self.theorem;
        let cases = if cases > 0 { format!(" ({cases} cases)") } else { String::new() };
        format!("<taskhead.Report {id} {}: {name}{cases}>", self.verdict)
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        slf.py().import("taskhead._support")?.call_method1("report_html", (slf,))?.extract()
    }
}

/// The statements of these ids, or all.
///
/// Raises ``ValueError`` for an id that does not exist.
#[pyfunction]
#[pyo3(signature = (*ids))]
pub fn theorems(ids: Vec<String>) -> PyResult<Vec<Theorem>> {
    let entries = chosen(&ids).map_err(error::value)?;
    Ok(entries.into_iter().map(Theorem::from).collect())
}

/// Checks theorems on random, edge and violating cases, against an independent integration: those of these ids, or all.
///
/// Parameters
/// ----------
/// instances : int
///     Random cases of a cheap check, from 1 to 10,000,000; costly checks take a share.
/// seed : int
///     Seed of all random cases.
///
/// Raises ``ValueError`` for an id that does not exist.
#[pyfunction]
#[pyo3(signature = (*ids, instances = 2000, seed = 0))]
pub fn verify(py: Python<'_>, ids: Vec<String>, instances: i64, seed: i128) -> PyResult<Vec<Report>> {
    let entries = chosen(&ids).map_err(error::value)?;
    let Some(instances) = usize::try_from(instances).ok().filter(|n| (1..=10_000_000).contains(n))
    else {
        let text = format!("`instances` is {instances}; accepted: from 1 to 10000000");
        return Err(error::value(text));
    };
    let settings = Settings { seed: error::whole("seed", seed)?, instances };
    let total: usize = entries.iter().map(|entry| work(entry, &settings)).sum();
    let (bar, done) = (wait::Bar::new(py, Some(total as u64), "case")?, Arc::new(AtomicU64::new(0)));
    let shown = done.clone();
    let tick = |py: Python<'_>| bar.set(py, shown.load(Ordering::Relaxed));
    let run = move |flag: &wait::Flag| {
        let wanted = entries.into_iter().take_while(|_| flag.goes_on());
        let count = || {
            done.fetch_add(1, Ordering::Relaxed);
        };
        wanted.map(|entry| report(&catalogue::verify::verify(entry, &settings, &count))).collect()
    };
    wait::for_work(py, tick, run)
}

fn report(report: &catalogue::verify::Report) -> Report {
    let rows = report.finding.iter().flat_map(|finding| &finding.rows);
    Report {
        theorem: report.entry.into(),
        verdict: word(report.verdict()),
        checks: report.checks.iter().map(Check::from).collect(),
        counts: rows.map(|r| (r.what.clone(), r.seen, r.of, r.interval.into())).collect(),
        problems: (report.problems().into_iter())
            .map(|(name, instance)| (name, Case(Arc::new(instance.clone()))))
            .collect(),
    }
}

/// A law, proved or not for every real point of a region.
#[pyclass(frozen, get_all, module = "taskhead")]
pub struct Certificate {
    /// T-number.
    theorem: &'static str,
    /// The law in words.
    statement: &'static str,
    /// "proved", "refuted" or "undecided".
    verdict: String,
    /// Whether the law should hold on all of its region; beyond E = y (T13) it holds on a part of it only.
    everywhere: bool,
    /// Target y, orthogonal head norm w and energy over the target E/y, each from and to.
    region: ((f64, f64), (f64, f64), (f64, f64)),
    /// Boxes that were proved, left undecided, refuted.
    boxes: (u64, u64, u64),
    /// Their shares of the region.
    shares: (f64, f64, f64),
}

#[pymethods]
impl Certificate {
    fn __repr__(&self) -> String {
        format!("<taskhead.Certificate {} {}: {}>", self.theorem, self.verdict, self.statement)
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        slf.py().import("taskhead._support")?.call_method1("certificate_html", (slf,))?.extract()
    }
}

/// Proves T8 to T13 for every real point of a box in (y, w, E) by interval arithmetic: those of these ids, or all.
///
/// Parameters
/// ----------
/// range : (float, float)
///     Target y and orthogonal head norm w, from 1e-9 to 1e9.
/// reach : float
///     The largest energy, in units of y, from 2 to 1e6.
/// boxes : int
///     Boxes looked at for a law before the rest is left undecided.
///
/// Raises ``ValueError`` for an id without certificate, and for numbers out of their range.
#[pyfunction]
#[pyo3(signature = (*ids, range = (1e-3, 1e3), reach = 5.0, boxes = 1_000_000))]
pub fn certify(
    py: Python<'_>,
    ids: Vec<String>,
    range: (f64, f64),
    reach: f64,
    boxes: i128,
) -> PyResult<Vec<Certificate>> {
    let entries = chosen(&ids).map_err(error::value)?;
    let boxes = error::whole("boxes", boxes)?;
    let settings =
        certificates::Settings::new(range.into(), reach, boxes, CELLS).map_err(error::value)?;
    let wanted: Vec<&str> =
        CERTIFIED.into_iter().filter(|id| entries.iter().any(|entry| entry.id == *id)).collect();
    if wanted.is_empty() {
        let text = format!("there are certificates for {} only", CERTIFIED.join(", "));
        return Err(error::value(text));
    }
    const STEPS: f64 = 1000.0;
    let (bar, done) = (wait::Bar::new(py, Some(STEPS as u64), "‰")?, Arc::new(AtomicU64::new(0)));
    let shown = done.clone();
    let tick = |py: Python<'_>| bar.set(py, shown.load(Ordering::Relaxed));
    let run = move |_: &wait::Flag| {
        let progress = |share: f64| done.store((share * STEPS) as u64, Ordering::Relaxed);
        certificates::certify(&settings, &wanted, &progress)
    };
    let report = wait::for_work(py, tick, run)?;
    let laws = report.laws.iter().map(|law| certificate(law, true));
    Ok(laws.chain(report.beyond.iter().map(|law| certificate(law, false))).collect())
}

fn certificate(law: &certificates::Certificate, everywhere: bool) -> Certificate {
    let Region { y, w, s } = law.region;
    Certificate {
        theorem: law.theorem,
        statement: law.statement,
        verdict: word(law.verdict),
        everywhere,
        // E/y = 1 − s.
        region: (y.into(), w.into(), (1.0 - s[1], 1.0 - s[0])),
        boxes: law.boxes.into(),
        shares: law.shares.into(),
    }
}
