//! A problem with its head from a `.npz` or `.safetensors` file.

use std::path::Path;

use nalgebra::DMatrix;

use super::arrays::{self, Arrays};
use super::error::{At, Fault, FileError, FormProblem};
use taskhead::problem::{KERNEL_TOLERANCE, KERNEL_TOLERANCE_F32, Problem, check, check_shape};

/// The names that an array of a problem may have.
///
/// `labels` is reserved for [`read_features`](super::read_features) and not looked at here.
pub const PROBLEM_ARRAYS: &[&str] = &[
    "targets",
    "head",
    "inputs",
    "backbone",
    "features",
    "kernel",
    "probe_inputs",
    "probe_features",
    "probe_kernel",
    "probe_targets",
    "labels",
];

const NEEDED: &str = "`targets` and `head`, with `inputs` and `backbone` (optional: `probe_inputs`) \
                      or with `features` and `kernel` (optional: `probe_features` and `probe_kernel`); \
                      optional with held-out inputs: `probe_targets`";

const LINEAR: &[&str] = &["inputs", "backbone"];
const KERNEL: &[&str] = &["features", "kernel"];
const PROBE_LINEAR: &[&str] = &["probe_inputs"];
const PROBE_KERNEL: &[&str] = &["probe_features", "probe_kernel"];

/// What a problem file holds.
#[derive(Debug, Clone)]
pub struct ProblemFile {
    /// The problem.
    pub problem: Problem,
    /// The initial head, h×k.
    pub head: DMatrix<f64>,
    /// Targets of the held-out inputs, P×k.
    pub held_out_targets: Option<DMatrix<f64>>,
}

/// Reads a problem from the arrays of a `.npz` or `.safetensors` file.
///
/// * `targets` N×k and `head` h×k; one dimension stands for a single column (k = 1).
/// * Either `inputs` N×d with `backbone` h×d, for the linear model; or `features` N×h with `kernel`
///   N×N, for any backbone.
/// * Held-out inputs, if wanted: `probe_inputs` P×d, or `probe_features` P×h with `probe_kernel` P×N,
///   each with its form; then also `probe_targets` P×k, if wanted.
///
/// Values are f32 or f64, of either byte order, row by row or in Fortran order. A kernel of which a
/// part is stored as f32 may have the rounding errors of f32 ([`KERNEL_TOLERANCE_F32`]). Arrays of
/// other names are refused, but for `labels`, which is not looked at.
///
/// # Errors
///
/// A file that is missing, damaged or of another kind; arrays of another type, shape or name; and
/// whatever [`Problem`] refuses.
pub fn read_problem(path: impl AsRef<Path>) -> Result<ProblemFile, FileError> {
    let path = path.as_ref();
    problem(|wanted| arrays::read(path, wanted)).at(path)
}

/// The same from the content of a file, for those who have no path: a page in a browser.
///
/// # Errors
///
/// Those of [`read_problem`], without a path.
pub fn problem_of_bytes(bytes: &[u8]) -> Result<ProblemFile, Fault> {
    problem(|wanted| arrays::read_bytes(bytes, wanted))
}

fn problem(read: impl FnOnce(&[&str]) -> Result<Arrays, Fault>) -> Result<ProblemFile, Fault> {
    let wanted: Vec<&str> = PROBLEM_ARRAYS.iter().copied().filter(|&n| n != "labels").collect();
    let arrays = read(&wanted)?;
    if let Some(unknown) = arrays.found.iter().find(|n| !PROBLEM_ARRAYS.contains(&n.as_str())) {
        return Err(Fault::Unknown { array: unknown.clone(), accepted: PROBLEM_ARRAYS });
    }
    let form = Form::of(&arrays).map_err(|problem| Fault::Form {
        problem,
        found: arrays.found.clone(),
        needed: NEEDED,
    })?;
    // The form says which arrays are there.
    let matrix = |name: &str| Ok::<_, Fault>(arrays.matrix(name, false)?.unwrap_or_default());
    let targets = arrays.matrix("targets", true)?.unwrap_or_default();
    let head = arrays.matrix("head", true)?.unwrap_or_default();
    let problem = if form.linear {
        let (inputs, backbone) = (matrix("inputs")?, matrix("backbone")?);
        let problem = Problem::linear(&inputs, &backbone, targets)?;
        if form.held_out {
            problem.with_held_out_inputs(&matrix("probe_inputs")?, &inputs, &backbone)?
        } else {
            problem
        }
    } else {
        let single = |name| arrays.get(name).is_some_and(|array| array.is_single());
        let tolerance = if single("kernel") || single("probe_kernel") {
            KERNEL_TOLERANCE_F32
        } else {
            KERNEL_TOLERANCE
        };
        let (features, kernel) = (matrix("features")?, matrix("kernel")?);
        let problem = Problem::with_tolerance(features, kernel, targets, tolerance)?;
        if form.held_out {
            problem.with_held_out(matrix("probe_features")?, matrix("probe_kernel")?)?
        } else {
            problem
        }
    };
    problem.check_head(&head)?;
    let held_out_targets = arrays.matrix("probe_targets", true)?;
    if let (Some(targets), Some(held_out)) = (&held_out_targets, problem.held_out()) {
        let (p, k) = (held_out.features().nrows(), problem.outputs());
        check("probe_targets", targets)?;
        let because = "one row for each held-out input and one column for each target";
        check_shape("probe_targets", targets, Some(p), Some(k), because)?;
    }
    Ok(ProblemFile { problem, head, held_out_targets })
}

/// Which arrays make up the problem.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Form {
    /// Inputs and backbone, or else features and kernel.
    linear: bool,
    /// Whether there are held-out inputs.
    held_out: bool,
}

impl Form {
    fn of(arrays: &Arrays) -> Result<Self, FormProblem> {
        let has = |name: &str| arrays.get(name).is_some();
        let first = |names: &[&'static str]| names.iter().copied().find(|n| has(n));
        let (of_linear, of_kernel) = (first(LINEAR), first(KERNEL));
        let (probe_linear, probe_kernel) = (first(PROBE_LINEAR), first(PROBE_KERNEL));
        let linear = match (of_linear.or(probe_linear), of_kernel.or(probe_kernel)) {
            (Some(a), Some(b)) => return Err(FormProblem::Mixed(a, b)),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return Err(FormProblem::Neither(LINEAR, KERNEL)),
        };
        let held_out = probe_linear.or(probe_kernel).is_some() || has("probe_targets");
        let (form, probe) = if linear { (LINEAR, PROBE_LINEAR) } else { (KERNEL, PROBE_KERNEL) };
        let probe = if held_out { probe } else { &[] };
        let needed = ["targets", "head"].iter().chain(form).chain(probe).copied();
        let missing: Vec<_> = needed.filter(|n| !has(n)).collect();
        if missing.is_empty() {
            Ok(Self { linear, held_out })
        } else {
            Err(FormProblem::Missing(missing))
        }
    }
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
                assert_eq!(&file.head, given("head"));
                assert_eq!(file.held_out_targets.as_ref(), Some(given("probe_targets")));
                assert_eq!(file.problem.targets(), given("targets"));
                assert_eq!(file.problem.features(), given("features"));
                assert_eq!(file.problem.kernel().matrix(), given("kernel"));
                let held_out = file.problem.held_out().unwrap();
                assert_eq!(held_out.features(), given("probe_features"));
                assert_eq!(held_out.kernel(), given("probe_kernel"));
            }
            let bare = folder.read(extension, "targets head features kernel").unwrap();
            assert!(bare.problem.held_out().is_none() && bare.held_out_targets.is_none());
        }
    }

    #[test]
    fn what_is_missing_or_mixed_is_said_at_once() {
        let folder = Folder::new();
        assert_eq!(
            folder.refuse("targets backbone"),
            format!("missing: `head`, `inputs`; found: `backbone`, `targets`; needed: {NEEDED}")
        );
        let starts = |names: &str, start: &str| {
            let text = folder.refuse(names);
            assert!(text.starts_with(start), "{text}");
        };
        starts("targets head", "missing: `inputs`, `backbone`, or `features`, `kernel`; found: ");
        starts("head kernel", "missing: `targets`, `features`; ");
        starts("targets head inputs backbone kernel", "`inputs` and `kernel` exclude each other; ");
        starts("targets head features kernel probe_inputs", "`probe_inputs` and `features` exclude");
        starts("targets head inputs backbone probe_kernel", "`inputs` and `probe_kernel` exclude");
        starts("targets head features kernel probe_features", "missing: `probe_kernel`; ");
        starts("targets head inputs backbone probe_targets", "missing: `probe_inputs`; ");
        starts("targets haed inputs backbone", "unknown array `haed`; accepted: `targets`, `head`, ");
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
        assert!(refuse("targets", DMatrix::zeros(0, 1)).contains("`targets` is empty (0x1)"));
        assert!(refuse("probe_targets", dmatrix![1.0; 2.0]).contains("`probe_targets` is 2x1"));
        assert!(refuse("probe_targets", dmatrix![f64::NAN]).contains("`probe_targets` holds NaN"));
    }
}
