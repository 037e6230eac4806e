//! A problem from the arrays of a file or folder.

#[cfg(feature = "all")]
use std::path::Path;
use std::path::PathBuf;

use nalgebra::DMatrix;

#[cfg(feature = "all")]
use super::error::{At, FileError};
use super::error::{Fault, printable};
use super::labels::Labels;
use super::memory::{available_memory, check_memory};
use super::notes::Note;
use super::parts::{ProblemParts, Wanted, is_one_hot};
use taskhead::problem::{Problem, check, check_shape};
use taskhead::tasks::Linear;

/// A problem with all that its file says.
#[derive(Debug, Clone)]
pub struct ProblemFile {
    /// The problem.
    pub problem: Problem,
    /// The initial head, h×k, if the file has one.
    pub head: Option<DMatrix<f64>>,
    /// Targets of the held-out inputs, P×k.
    pub held_out_targets: Option<DMatrix<f64>>,
    /// The names of the classes, in the order of the columns of the targets, if labels are strings.
    pub class_names: Option<Vec<String>>,
    /// What a user should know about it.
    pub notes: Vec<Note>,
    /// What made the problem, where it is the two-layer linear model.
    pub linear: Option<Linear>,
    /// Every file that was read; none if it came from memory.
    pub files: Vec<PathBuf>,
}

/// Reads a problem from a `.npz` or `.safetensors` file, a `model.safetensors.index.json` with its files beside it, a
/// folder of `.npy` files, or one of them.
///
/// * `features` N×h (or N×h×1×1), alone or with `kernel` N×N. Without a kernel the backbone is one more linear layer
///   on the features, which starts as the identity (K = ZZᵀ). Or `inputs` N×d with `backbone` h×d: the linear model.
/// * `targets` N×k, or `labels` N or N×1 (integers, whole floating-point numbers, bool or strings; strings are classes
///   in sorted order), which make one-hot targets of up to [`MAX_CLASSES`](super::MAX_CLASSES) columns. Where both are
///   there the targets are used.
/// * `head` h×k, if wanted. One dimension stands for a single column (k = 1).
/// * Held-out inputs, if wanted: `probe_features` P×h, with a kernel also `probe_kernel` P×N; or `probe_inputs` P×d.
///   For them `probe_labels` or `probe_targets`, if wanted.
///
/// Numbers are f16, bf16, f32, f64, integers or bool, of either byte order, row by row or in Fortran order. A kernel
/// whose numbers are those of single precision, however they are stored, may have its rounding errors
/// ([`ProblemParts::with_kernel_tolerance`]). Arrays of other names are left alone, with a note.
///
/// # Errors
///
/// A file that is missing, damaged or of another kind; arrays that are missing or of another type or shape; what needs
/// more memory than there is; and whatever [`Problem`] refuses.
#[cfg(feature = "all")]
pub fn read_problem(path: impl AsRef<Path>) -> Result<ProblemFile, FileError> {
    let path = path.as_ref();
    ProblemParts::read(path)?.problem().at(path)
}

/// The same from the content of a file, for those who have no path.
///
/// # Errors
///
/// Those of [`read_problem`], without a path.
#[cfg(feature = "all")]
pub fn problem_of_bytes(bytes: &[u8]) -> Result<ProblemFile, Fault> {
    ProblemParts::of_bytes(bytes)?.problem()
}

/// Bytes that every machine has.
const LITTLE: f64 = 1e6;

impl ProblemParts {
    /// Makes the problem of the arrays.
    ///
    /// # Errors
    ///
    /// More memory than there is, and whatever [`Problem`] refuses.
    pub fn problem(mut self) -> Result<ProblemFile, Fault> {
        // Asking how much memory is left takes longer than making a small problem.
        let needed = self.memory(0);
        if needed > LITTLE {
            check_memory(self.purpose(), needed, available_memory())?;
        }
        let (targets, held_out_targets, class_names) = self.targets()?;
        let mut notes = std::mem::take(&mut self.notes);
        let mut linear = None;
        let problem = if let (Some(inputs), Some(backbone)) = (&self.inputs, &self.backbone) {
            let held_out = self.probe_inputs.clone();
            linear = Some(Linear { inputs: inputs.clone(), backbone: backbone.clone(), held_out });
            let problem = Problem::linear(inputs, backbone, targets)?;
            match &self.probe_inputs {
                Some(held_out) => problem.with_held_out_inputs(held_out, inputs, backbone)?,
                None => problem,
            }
        } else {
            let features = self.features.take().unwrap_or_default();
            match self.kernel.take() {
                Some(kernel) => {
                    let tolerance = self.kernel_tolerance;
                    let problem = Problem::with_tolerance(features, kernel, targets, tolerance)?;
                    match (self.probe_features.take(), self.probe_kernel.take()) {
                        (Some(features), Some(kernel)) => problem.with_held_out(features, kernel)?,
                        _ => problem,
                    }
                }
                None => {
                    notes.push(Note::NoKernel);
                    let problem = Problem::on_features(features, targets)?;
                    match self.probe_features.take() {
                        Some(held_out) => problem.with_held_out_features(held_out)?,
                        None => problem,
                    }
                }
            }
        };
        match &self.head {
            Some(head) => check_head(&problem, head).map_err(|fault| {
                self.unseen(head, (problem.width(), problem.outputs())).unwrap_or(fault)
            })?,
            None => notes.push(Note::NoHead),
        }
        if let (Some(targets), Some(held_out)) = (&held_out_targets, problem.held_out()) {
            let (p, k) = (held_out.features().nrows(), problem.outputs());
            let because = "one row for each held-out input and one column for each target";
            if let Some(Wanted::Labels(labels)) = &self.probe_wanted {
                count("probe_labels", labels, p)?;
            }
            check("probe_targets", targets)?;
            check_shape("probe_targets", targets, Some(p), Some(k), because)?;
        }
        Ok(ProblemFile {
            problem,
            head: self.head,
            held_out_targets,
            class_names,
            notes,
            linear,
            files: self.files,
        })
    }

    /// Why a head has too few columns, if that is for classes of held-out samples only.
    fn unseen(&self, head: &DMatrix<f64>, (width, outputs): (usize, usize)) -> Option<Fault> {
        /// Classes that are named; the others are counted.
        const NAMED: usize = 5;
        let (rows, columns) = head.shape();
        let (Wanted::Labels(labels), Some(Wanted::Labels(held_out))) =
            (&self.wanted, &self.probe_wanted)
        else {
            return None;
        };
        if rows != width || columns >= outputs {
            return None;
        }
        let mut held = vec![false; outputs];
        held_out.classes.iter().for_each(|&class| held[class as usize] = true);
        let mut unseen = labels.without_sample(outputs);
        unseen.retain(|&class| held[class]);
        let name = |&class: &usize| match &labels.names {
            Some(names) => printable(&names[class]),
            None => class.to_string(),
        };
        let classes: Vec<String> = unseen.iter().take(NAMED).map(name).collect();
        let count = unseen.len();
        (count > 0).then_some(Fault::UnseenClasses { classes, count, columns, outputs })
    }

    /// What needs the memory.
    pub fn purpose(&self) -> String {
        match &self.wanted {
            Wanted::Targets(targets) => format!("a problem of {} samples", targets.nrows()),
            Wanted::Labels(labels) => {
                let classes = self.classes().unwrap_or_default();
                format!("a problem of {} samples and {classes} classes", labels.classes.len())
            }
        }
    }

    /// Targets of samples and held-out inputs, and the names of classes.
    #[allow(clippy::type_complexity)]
    fn targets(&mut self) -> Result<(DMatrix<f64>, Option<DMatrix<f64>>, Option<Vec<String>>), Fault> {
        if let (Wanted::Labels(labels), Some(Wanted::Labels(held_out))) =
            (&mut self.wanted, &mut self.probe_wanted)
        {
            labels.unite(held_out)?;
        }
        let classes = self.classes();
        let (targets, names) = match &self.wanted {
            Wanted::Targets(targets) => (targets.clone(), None),
            Wanted::Labels(labels) => {
                let classes = classes.unwrap_or_default();
                self.notes.extend(class_notes(labels, classes));
                let rows = self.features.as_ref().or(self.inputs.as_ref()).map_or(0, DMatrix::nrows);
                count("labels", labels, rows)?;
                (labels.one_hot(classes), labels.names.clone())
            }
        };
        let held_out = match (&self.probe_wanted, classes) {
            (None, _) => None,
            (Some(Wanted::Targets(held_out)), _) => Some(held_out.clone()),
            (Some(Wanted::Labels(held_out)), Some(classes)) => Some(held_out.one_hot(classes)),
            (Some(Wanted::Labels(held_out)), None) => {
                let k = targets.ncols();
                if held_out.names.is_some() || held_out.count() > k || !is_one_hot(&targets) {
                    let largest = held_out.count().saturating_sub(1);
                    return Err(Fault::LabelsWithoutClasses { largest });
                }
                Some(held_out.one_hot(k))
            }
        };
        Ok((targets, held_out, names))
    }
}

/// Checks that a head (h×k) fits a problem.
///
/// # Errors
///
/// Another shape, which may be that of the transposed head, or entries that are not finite.
pub fn check_head(problem: &Problem, head: &DMatrix<f64>) -> Result<(), Fault> {
    problem.check_head(head).map_err(|error| match head.shape() {
        (rows, columns) if columns == problem.width() && rows != columns => {
            Fault::Transposed { rows, columns }
        }
        _ => error.into(),
    })
}

/// Checks that there is a label for each sample.
fn count(array: &'static str, labels: &Labels, samples: usize) -> Result<(), Fault> {
    let found = labels.classes.len();
    if found == samples { Ok(()) } else { Err(Fault::LabelCount { array, found, samples }) }
}

/// Notes on classes.
fn class_notes(labels: &Labels, count: usize) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Some(names) = &labels.names {
        notes.push(Note::Classes { names: names.clone() });
    }
    let missing = labels.without_sample(count);
    if missing.len() + 1 == count {
        notes.push(Note::OneClass);
    }
    if !missing.is_empty() {
        let name = |&class: &usize| match &labels.names {
            Some(names) => names[class].clone(),
            None => class.to_string(),
        };
        notes.push(Note::NoSample { classes: missing.iter().map(name).collect(), of: count });
    }
    notes
}

#[cfg(all(test, feature = "all"))]
mod tests {
    use super::*;
    use crate::write_result;
    use nalgebra::dmatrix;
    use std::path::PathBuf;

    /// Arrays of a problem with N = 2, d = 3, h = 2, k = 1, P = 1, in both forms.
    fn all() -> Vec<(&'static str, DMatrix<f64>)> {
        let inputs = dmatrix![1.0, 2.0, 0.0; 0.5, -1.0, 1.0];
        let backbone = dmatrix![1.0, 0.0, 1.0; 0.0, 2.0, 0.0];
        let probe = dmatrix![0.0, 1.0, 1.0];
        vec![
            ("targets", dmatrix![1.0; -1.0]),
            ("head", dmatrix![0.1; 0.2]),
            ("features", &inputs * backbone.transpose()),
            ("kernel", &inputs * inputs.transpose()),
            ("probe_features", &probe * backbone.transpose()),
            ("probe_kernel", &probe * inputs.transpose()),
            ("probe_inputs", probe),
            ("inputs", inputs),
            ("backbone", backbone),
            ("probe_targets", dmatrix![0.5]),
            ("haed", dmatrix![1.0]),
        ]
    }

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn read(&self, extension: &str, names: &str) -> Result<ProblemFile, FileError> {
            let path: PathBuf = self.0.path().join("p").with_extension(extension);
            let arrays = all();
            let wanted: Vec<_> = names.split(' ').collect();
            let chosen: Vec<_> =
                arrays.iter().filter(|(n, _)| wanted.contains(n)).map(|(n, m)| (*n, m)).collect();
            assert_eq!(chosen.len(), wanted.len());
            write_result(&path, &chosen).unwrap();
            let from_path = read_problem(&path);
            let from_bytes = problem_of_bytes(&std::fs::read(&path).unwrap());
            match (&from_path, from_bytes) {
                (Ok(a), Ok(b)) => {
                    assert_eq!((&a.head, a.problem.targets()), (&b.head, b.problem.targets()))
                }
                (Err(a), Err(b)) => assert_eq!(a.fault.to_string(), b.to_string()),
                _ => panic!("one of path and bytes failed"),
            }
            from_path
        }

        fn refuse(&self, names: &str) -> String {
            self.read("npz", names).unwrap_err().fault.to_string()
        }
    }

    #[test]
    fn both_forms_in_both_formats_are_one_problem() {
        let folder = Folder::new();
        let linear = "targets head inputs backbone probe_inputs probe_targets";
        let kernel = "targets head features kernel probe_features probe_kernel probe_targets";
        for extension in ["npz", "safetensors"] {
            for names in [linear, kernel] {
                let file = folder.read(extension, names).unwrap();
                let all = all();
                let given = |name| &all.iter().find(|(n, _)| *n == name).unwrap().1;
                assert_eq!(file.head.as_ref(), Some(given("head")));
                assert_eq!(file.held_out_targets.as_ref(), Some(given("probe_targets")));
                assert_eq!(file.problem.targets(), given("targets"));
                assert_eq!(file.problem.features(), given("features"));
                assert!((file.problem.kernel().to_matrix() - given("kernel")).norm() < 1e-13);
                let held_out = file.problem.held_out().unwrap();
                assert_eq!(held_out.features(), given("probe_features"));
                let kernel = file.problem.held_out_kernel().unwrap();
                assert!((kernel - given("probe_kernel")).norm() < 1e-13);
            }
            let bare = folder.read(extension, "targets head features kernel").unwrap();
            assert!(bare.problem.held_out().is_none() && bare.held_out_targets.is_none());
        }
    }

    #[test]
    fn what_is_missing_or_mixed_is_said_at_once() {
        let folder = Folder::new();
        let starts = |names: &str, start: &str| {
            let text = folder.refuse(names);
            assert!(text.starts_with(start), "{text}");
        };
        starts(
            "targets backbone",
            "missing: `inputs`; found: `backbone`, `targets`; needed: `features` (N×h)",
        );
        starts("targets head", "missing: `features`; found: `head`, `targets`; needed: ");
        starts("head kernel", "missing: `features`, `labels` or `targets`; ");
        starts("features", "missing: `labels` or `targets`; ");
        starts("targets head inputs backbone kernel", "`inputs` and `kernel` exclude each other; ");
        starts("targets head features kernel probe_inputs", "`probe_inputs` and `features` exclude");
        starts("targets head inputs backbone probe_kernel", "`inputs` and `probe_kernel` exclude");
        starts("targets head features kernel probe_features", "missing: `probe_kernel`; ");
        starts("targets features probe_kernel probe_features", "missing: `kernel`; ");
        starts("targets features probe_targets", "missing: `probe_features`; ");
        starts("targets features kernel probe_targets", "missing: `probe_features`; ");
        starts("targets head inputs backbone probe_targets", "missing: `probe_inputs`; ");
        starts(
            "haed inputs backbone",
            "missing: `labels` or `targets`; found: `backbone`, `haed`, `inputs` (rename `haed` to `head`?)",
        );
    }

    #[test]
    fn values_and_shapes_are_those_of_the_problem() {
        let folder = Folder::new();
        let path = folder.0.path().join("q.npz");
        let refuse = |name: &str, matrix: DMatrix<f64>| {
            let all = all();
            let linear = ["targets", "head", "inputs", "backbone", "probe_inputs", "probe_targets"];
            let arrays: Vec<_> = linear
                .iter()
                .map(|n| {
                    let given = &all.iter().find(|(m, _)| m == n).unwrap().1;
                    (*n, if *n == name { &matrix } else { given })
                })
                .collect();
            write_result(&path, &arrays).unwrap();
            read_problem(&path).unwrap_err().to_string()
        };
        let text = refuse("targets", dmatrix![f64::NAN; 1.0]);
        let expected = "`targets` holds NaN at row 0, column 0; all values must be finite";
        assert_eq!(text, format!("{}: {expected}", path.display()));
        assert!(refuse("head", dmatrix![1.0]).contains("`head` is 1x1, but one row for each feature"));
        assert!(refuse("head", dmatrix![1.0; f64::INFINITY]).contains("`head` holds inf at row 1"));
        assert!(refuse("backbone", dmatrix![1.0]).contains("`backbone` is 1x1"));
        assert!(
            refuse("targets", DMatrix::zeros(0, 1)).contains("array `targets` is empty (shape [0, 1])")
        );
        assert!(refuse("probe_targets", dmatrix![1.0; 2.0]).contains("`probe_targets` is 2x1"));
        assert!(refuse("probe_targets", dmatrix![f64::NAN]).contains("`probe_targets` holds NaN"));
    }
}
