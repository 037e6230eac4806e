//! Features with labels, as a training framework exports them.

use std::path::Path;

use nalgebra::DMatrix;

use super::arrays;
use super::error::{At, Fault, FileError, FormProblem};
use taskhead::problem::{check, check_shape};

/// The largest number of classes that `labels` may make.
pub const MAX_CLASSES: usize = 10_000;

const NEEDED: &str = "`features`, with `labels` or `targets`";

/// What a feature file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct FeaturesFile {
    /// Features, N×h.
    pub features: DMatrix<f64>,
    /// Targets, N×k; of labels, one column for each class with a one where it is the class.
    pub targets: DMatrix<f64>,
    /// The class of each sample, if the file has labels.
    pub labels: Option<Vec<usize>>,
}

/// Reads features and what they should predict from a `.npz` or `.safetensors` file.
///
/// The arrays are `features` N×h (f32 or f64), and either `labels` (N integers of any width, from 0,
/// which make as many classes as the largest says, up to [`MAX_CLASSES`]) or `targets` (N×k, or N for
/// k = 1; f32 or f64). Other arrays are not looked at.
///
/// # Errors
///
/// A file that is missing, damaged or of another kind; arrays of another type or shape; both `labels`
/// and `targets`; a NaN or infinity; a label below 0.
pub fn read_features(path: impl AsRef<Path>) -> Result<FeaturesFile, FileError> {
    let path = path.as_ref();
    read(path).at(path)
}

fn read(path: &Path) -> Result<FeaturesFile, Fault> {
    let arrays = arrays::read(path, &["features", "labels", "targets"])?;
    let refuse = |problem| Fault::Form { problem, found: arrays.found.clone(), needed: NEEDED };
    let Some(features) = arrays.matrix("features", false)? else {
        return Err(refuse(FormProblem::Missing(vec!["features"])));
    };
    let (targets, labels) = match (arrays.get("labels"), arrays.matrix("targets", true)?) {
        (Some(_), Some(_)) => return Err(refuse(FormProblem::Mixed("labels", "targets"))),
        (None, None) => return Err(refuse(FormProblem::Neither(&["labels"], &["targets"]))),
        (None, Some(targets)) => (targets, None),
        (Some(labels), None) => {
            let labels = classes(&labels.integers()?)?;
            (one_hot(&labels), Some(labels))
        }
    };
    check("features", &features)?;
    check("targets", &targets)?;
    let because = "one row for each row of `features`";
    let array = if labels.is_some() { "labels" } else { "targets" };
    check_shape(array, &targets, Some(features.nrows()), None, because)?;
    Ok(FeaturesFile { features, targets, labels })
}

fn classes(labels: &[i128]) -> Result<Vec<usize>, Fault> {
    let class = |(row, &value): (usize, &i128)| match usize::try_from(value) {
        Err(_) if value < 0 => Err(Fault::NegativeLabel { row, value }),
        Ok(class) if class < MAX_CLASSES => Ok(class),
        _ => Err(Fault::TooManyClasses { row, value, limit: MAX_CLASSES }),
    };
    labels.iter().enumerate().map(class).collect()
}

fn one_hot(labels: &[usize]) -> DMatrix<f64> {
    let classes = labels.iter().max().map_or(0, |largest| largest + 1);
    let mut targets = DMatrix::zeros(labels.len(), classes);
    for (row, &class) in labels.iter().enumerate() {
        targets[(row, class)] = 1.0;
    }
    targets
}

#[cfg(all(test, feature = "all"))]
mod tests {
    use super::*;
    use crate::write_result;
    use nalgebra::dmatrix;
    use safetensors::Dtype;
    use safetensors::tensor::TensorView;

    /// Features 2×1 with these labels, as another program would write them.
    fn labelled(labels: &[i64]) -> Result<FeaturesFile, Fault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.safetensors");
        let features: Vec<u8> = [1.5_f32, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let bytes: Vec<u8> = labels.iter().flat_map(|x| x.to_le_bytes()).collect();
        let tensors = [
            ("features", TensorView::new(Dtype::F32, vec![2, 1], &features).unwrap()),
            ("labels", TensorView::new(Dtype::I64, vec![labels.len()], &bytes).unwrap()),
            ("ids", TensorView::new(Dtype::BF16, vec![], &[0, 0]).unwrap()),
        ];
        std::fs::write(&path, safetensors::serialize(tensors, None).unwrap()).unwrap();
        read_features(&path).map_err(|e| e.fault)
    }

    #[test]
    fn labels_become_columns() {
        let file = labelled(&[2, 0]).unwrap();
        assert_eq!(file.features, dmatrix![1.5; -2.0]);
        assert_eq!(file.targets, dmatrix![0.0, 0.0, 1.0; 1.0, 0.0, 0.0]);
        assert_eq!(file.labels, Some(vec![2, 0]));
    }

    #[test]
    fn impossible_labels_are_refused() {
        let text = |labels: &[i64]| labelled(labels).unwrap_err().to_string();
        assert_eq!(text(&[0, -1]), "`labels` holds -1 at 1; labels count from 0");
        assert_eq!(text(&[10_000, 0]), "`labels` holds 10000 at 0; accepted: up to 10000 classes");
        assert_eq!(labelled(&[9_999, 0]).unwrap().targets.ncols(), 10_000);
        assert!(text(&[0, 1, 2]).contains("one row for each row of `features` needs 2x*"));
        assert!(text(&[]).contains("`targets` is empty"));
    }

    #[test]
    fn targets_serve_as_well_but_not_both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.npz");
        let (features, targets) = (dmatrix![1.0, 2.0], dmatrix![3.0]);
        write_result(&path, &[("features", &features), ("targets", &targets), ("x", &targets)]).unwrap();
        let file = read_features(&path).unwrap();
        assert_eq!((file.features, file.targets, file.labels), (features.clone(), targets, None));
        write_result(&path, &[("features", &features)]).unwrap();
        let text = read_features(&path).unwrap_err().fault.to_string();
        assert_eq!(
            text,
            format!("missing: `labels`, or `targets`; found: `features`; needed: {NEEDED}")
        );
        write_result(&path, &[("features", &features), ("labels", &features)]).unwrap();
        let text = read_features(&path).unwrap_err().fault.to_string();
        assert_eq!(text, "array `labels` is of type <f8; accepted: integers of 8 to 64 bits");
        write_result(&path, &[("features", &features), ("labels", &features), ("targets", &features)])
            .unwrap();
        let text = read_features(&path).unwrap_err().fault.to_string();
        assert!(text.starts_with("`labels` and `targets` exclude each other; "), "{text}");
    }
}
