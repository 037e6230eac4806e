//! The arrays of a problem, read and named, before anything large is made of them.

#[cfg(feature = "all")]
use std::path::Path;
use std::path::PathBuf;

use nalgebra::DMatrix;

use super::arrays::{Arrays, NamedArray, Shapes};
#[cfg(feature = "all")]
use super::digest::{digest, digest_of_file};
#[cfg(feature = "all")]
use super::error::{At, FileError};
use super::error::{Fault, FormProblem};
use super::labels::Labels;
use super::memory::{DOUBLE, Size};
use super::names::{PROBLEM_ARRAYS, meant};
use super::notes::Note;
#[cfg(feature = "all")]
use super::source::{self, Source};
use taskhead::problem::{KERNEL_TOLERANCE, KERNEL_TOLERANCE_F32};
#[cfg(feature = "all")]
use taskhead::sweep::plan::Digest;

const NEEDED: &str = "`features` (N×h), or `inputs` (N×d) with `backbone` (h×d); `labels` (N) or `targets` (N×k); \
                      optional `head` (h×k) and `kernel` (N×N, with `features`); optional held-out \
                      `probe_features` (with a `kernel` also `probe_kernel`) or `probe_inputs`, and for them \
                      `probe_labels` or `probe_targets`";

/// What should be predicted.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    /// Numbers, one row per sample.
    Targets(DMatrix<f64>),
    /// A class for each sample.
    Labels(Labels),
}

impl Wanted {
    fn rows(&self) -> usize {
        match self {
            Self::Targets(targets) => targets.nrows(),
            Self::Labels(labels) => labels.classes.len(),
        }
    }
}

/// The arrays of a problem as numbers: checked types and names, unchecked values.
///
/// Reading takes a few times the memory that the arrays take themselves; [`ProblemParts::memory`] says what the
/// [problem](super::ProblemFile) of them will take.
#[derive(Debug, Clone)]
pub struct ProblemParts {
    pub(super) features: Option<DMatrix<f64>>,
    pub(super) kernel: Option<DMatrix<f64>>,
    pub(super) inputs: Option<DMatrix<f64>>,
    pub(super) backbone: Option<DMatrix<f64>>,
    pub(super) head: Option<DMatrix<f64>>,
    pub(super) wanted: Wanted,
    pub(super) probe_features: Option<DMatrix<f64>>,
    pub(super) probe_kernel: Option<DMatrix<f64>>,
    pub(super) probe_inputs: Option<DMatrix<f64>>,
    pub(super) probe_wanted: Option<Wanted>,
    /// The rounding error that the kernel may have, relative to its size.
    pub(super) kernel_tolerance: f64,
    pub(super) notes: Vec<Note>,
    pub(super) files: Vec<PathBuf>,
}

impl ProblemParts {
    /// Reads the arrays of a file or folder; [`super::read_problem`] says which.
    ///
    /// # Errors
    ///
    /// A file that is missing, damaged or of another kind; arrays that are missing, or of another type or shape.
    #[cfg(feature = "all")]
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        source::read(path, PROBLEM_ARRAYS).and_then(Self::of_source).at(path)
    }

    /// The same from the content of a file, for those who have no path.
    ///
    /// # Errors
    ///
    /// Those of [`ProblemParts::read`], without a path.
    #[cfg(feature = "all")]
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        Self::of_source(source::read_bytes(bytes, PROBLEM_ARRAYS)?)
    }

    #[cfg(feature = "all")]
    fn of_source(source: Source) -> Result<Self, Fault> {
        Self::of(source.arrays, source.notes, source.files)
    }

    /// The same from arrays in memory, for those who unpack a file themselves: a page in a browser. `skipped` names
    /// what the file holds besides arrays.
    ///
    /// # Errors
    ///
    /// Arrays that are missing, or of another type or shape, or whose bytes do not fit their shape.
    pub fn of_arrays(arrays: Vec<NamedArray<'_>>, skipped: Vec<String>) -> Result<Self, Fault> {
        Self::of(Arrays::of(arrays, skipped, PROBLEM_ARRAYS)?, Vec::new(), Vec::new())
    }

    fn of(mut arrays: Arrays, mut notes: Vec<Note>, files: Vec<PathBuf>) -> Result<Self, Fault> {
        check_form(&arrays).map_err(|problem| Fault::Form {
            problem,
            found: arrays.found.clone(),
            needed: NEEDED,
        })?;
        notes.extend(strays(&arrays));
        let wanted = wanted(&mut arrays, "labels", "targets", &mut notes)?;
        let Some(wanted) = wanted else { unreachable!("the form has labels or targets") };
        let probe_wanted = self::wanted(&mut arrays, "probe_labels", "probe_targets", &mut notes)?;
        let mut single = false;
        let mut matrix = |name: &str, shapes: Shapes| {
            let matrix = arrays.take(name).map(|array| array.matrix(shapes)).transpose()?;
            let of_kernel = matrix.as_ref().filter(|_| name.ends_with("kernel"));
            single |= of_kernel.is_some_and(|m| m.iter().all(|&v| f64::from(v as f32) == v));
            Ok::<_, Fault>(matrix)
        };
        Ok(Self {
            features: matrix("features", Shapes::OrPooled)?,
            kernel: matrix("kernel", Shapes::Matrix)?,
            inputs: matrix("inputs", Shapes::Matrix)?,
            backbone: matrix("backbone", Shapes::Matrix)?,
            head: matrix("head", Shapes::OrColumn)?,
            wanted,
            probe_features: matrix("probe_features", Shapes::OrPooled)?,
            probe_kernel: matrix("probe_kernel", Shapes::Matrix)?,
            probe_inputs: matrix("probe_inputs", Shapes::Matrix)?,
            probe_wanted,
            kernel_tolerance: if single { KERNEL_TOLERANCE_F32 } else { KERNEL_TOLERANCE },
            notes,
            files,
        })
    }

    /// The same with another rounding error that the kernel may have, relative to its size. By default it is
    /// [`KERNEL_TOLERANCE`], or [`KERNEL_TOLERANCE_F32`] where all numbers of `kernel` or of `probe_kernel` are those
    /// of single precision, however they are stored.
    pub fn with_kernel_tolerance(self, kernel_tolerance: f64) -> Self {
        Self { kernel_tolerance, ..self }
    }

    /// Whether a kernel is among the arrays.
    pub fn has_kernel(&self) -> bool {
        self.kernel.is_some()
    }

    /// The digest of the bytes of all files, in the order of their names.
    #[cfg(feature = "all")]
    pub(super) fn digest_of_files(&self) -> Result<Digest, FileError> {
        let mut all = String::new();
        for file in &self.files {
            all += &format!("{}\n", digest_of_file(file)?);
        }
        Ok(digest(all))
    }

    /// What was noticed while reading.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Every file that was read; none if they came from memory.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// How many classes labels make, if there are any: with numbers at least as many as a head has columns.
    pub(super) fn classes(&self) -> Option<usize> {
        let Wanted::Labels(labels) = &self.wanted else { return None };
        let held_out = match &self.probe_wanted {
            Some(Wanted::Labels(held_out)) => held_out.count(),
            _ => 0,
        };
        let head = self.head.as_ref().filter(|_| labels.names.is_none());
        Some(labels.count().max(held_out).max(head.map_or(0, DMatrix::ncols)))
    }

    /// Bytes that the problem and this many simultaneous runs on it take, as an estimate from above, besides the arrays
    /// themselves: (N + P)×h for features and their factors, N×k for targets; N×N and P×N only for a kernel that is
    /// given. The flow decomposes a matrix of the size of the kernel's rank for each output.
    pub fn memory(&self, runs: usize) -> f64 {
        let columns = |m: &Option<DMatrix<f64>>| m.as_ref().map_or(0.0, |m| m.ncols() as f64);
        let rows = |m: &Option<DMatrix<f64>>| m.as_ref().map_or(0.0, |m| m.nrows() as f64);
        let (n, runs) = (self.wanted.rows() as f64, runs as f64);
        let p = rows(&self.probe_features).max(rows(&self.probe_inputs));
        let width = columns(&self.features).max(columns(&self.inputs)).max(rows(&self.backbone));
        let k = match &self.wanted {
            Wanted::Targets(targets) => targets.ncols() as f64,
            Wanted::Labels(_) => self.classes().unwrap_or(0) as f64,
        };
        // A given kernel has up to N modes, one of inputs or features no more than they have columns.
        let (given, rank) = if self.kernel.is_some() {
            (GIVEN_KERNEL * n * n + HELD_OUT * p * n, n)
        } else {
            (0.0, n.min(columns(&self.features).max(columns(&self.inputs))))
        };
        let reduced = width.min(n + k);
        let size = Size { samples: n, held_out: p, width, reduced, outputs: k, rank };
        DOUBLE * (given + size.problem() + runs * size.run())
    }
}

/// N×N matrices that a given kernel needs at once: its symmetric part, and its decomposition.
const GIVEN_KERNEL: f64 = 5.0;

/// P×N matrices of the check of a held-out kernel.
const HELD_OUT: f64 = 4.0;

/// Which arrays make up a problem.
fn check_form(arrays: &Arrays) -> Result<(), FormProblem> {
    let has = |name: &str| arrays.has(name);
    let first = |names: &[&'static str]| names.iter().copied().find(|name| has(name));
    let of_linear = first(&["inputs", "backbone", "probe_inputs"]);
    let of_features = first(&["features", "kernel", "probe_features", "probe_kernel"]);
    let mut needed: Vec<&'static [&'static str]> = Vec::new();
    let held_out: &'static [&'static str] = match (of_linear, of_features) {
        (Some(a), Some(b)) => return Err(FormProblem::Mixed(a, b)),
        (Some(_), None) => {
            needed.extend([&["inputs"][..], &["backbone"]]);
            &["probe_inputs"]
        }
        (None, _) => {
            needed.push(&["features"]);
            if has("kernel") && has("probe_features") {
                needed.push(&["probe_kernel"]);
            }
            if has("probe_kernel") {
                needed.push(&["kernel"]);
            }
            &["probe_features"]
        }
    };
    needed.push(&["labels", "targets"]);
    if has("probe_kernel") || has("probe_labels") || has("probe_targets") {
        needed.push(held_out);
    }
    needed.retain(|names| !names.iter().any(|name| has(name)));
    if needed.is_empty() { Ok(()) } else { Err(FormProblem::Missing(needed)) }
}

/// Notes on what is there and has no meaning.
fn strays(arrays: &Arrays) -> Vec<Note> {
    let (mut notes, mut unused) = (Vec::new(), Vec::new());
    for array in arrays.found.iter().filter(|name| !PROBLEM_ARRAYS.contains(&name.as_str())) {
        match meant(array).filter(|name| !arrays.has(name)) {
            Some(name) => notes.push(Note::Like { array: array.clone(), name }),
            None => unused.push(array.clone()),
        }
    }
    if !unused.is_empty() {
        notes.push(Note::Unused { arrays: unused });
    }
    if !arrays.skipped.is_empty() {
        notes.push(Note::Skipped { members: arrays.skipped.clone() });
    }
    notes
}

/// Labels or targets; of both the targets, if they do not contradict each other.
fn wanted(
    arrays: &mut Arrays,
    labels_name: &'static str,
    targets_name: &'static str,
    notes: &mut Vec<Note>,
) -> Result<Option<Wanted>, Fault> {
    let labels = arrays.take(labels_name);
    let Some(array) = arrays.take(targets_name) else {
        return labels.map(|labels| Ok(Wanted::Labels(Labels::of(&labels)?))).transpose();
    };
    let targets = array.matrix(Shapes::OrColumn)?;
    if let Some(labels) = labels {
        let labels = Labels::of(&labels)?;
        let one_hot = labels.names.is_none() && is_one_hot(&targets);
        let class = |row: usize| targets.get((row, labels.classes[row] as usize));
        let rows = labels.classes.len().min(targets.nrows());
        if let Some(row) = (0..rows).find(|&row| one_hot && class(row) != Some(&1.0)) {
            return Err(Fault::Contradiction { labels: labels_name, targets: targets_name, row });
        }
        notes.push(Note::TargetsNotLabels { labels: labels_name, targets: targets_name });
    } else if targets_name == "targets"
        && targets.ncols() == 1
        && array.is_whole()
        && targets.amax() > 1.0
    {
        notes.push(Note::WholeTargets);
    }
    Ok(Some(Wanted::Targets(targets)))
}

/// Whether every row has a single 1 among zeros.
pub(super) fn is_one_hot(targets: &DMatrix<f64>) -> bool {
    targets.ncols() > 1
        && targets.row_iter().all(|row| {
            row.iter().all(|&v| v == 0.0 || v == 1.0) && row.iter().filter(|&&v| v == 1.0).count() == 1
        })
}
