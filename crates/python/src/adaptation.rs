//! The metrics.

use pyo3::prelude::*;

use crate::arrays::Given;
use crate::error;

/// How far features moved from z₀ before to z_T after finetuning: means over the samples of four metrics, into which it
/// unpacks (`euclidean, cosine, dot, norm`), and `frobenius_distance`, which is no mean.
#[pyclass(frozen, eq, get_all, module = "taskhead")]
#[derive(Debug, Clone, PartialEq)]
pub struct Adaptation {
    /// Mean Euclidean distance ‖z_T − z₀‖.
    euclidean: f64,
    /// Mean cosine distance 1 − cos(z_T, z₀); NaN where a feature is zero and has no direction.
    cosine: f64,
    /// Mean dot product z_T·z₀.
    dot: f64,
    /// Mean norm ‖z_T‖.
    norm: f64,
    /// Frobenius distance ‖Z_T − Z₀‖_F of all samples.
    frobenius_distance: f64,
}

impl From<taskhead::Adaptation> for Adaptation {
    fn from(adaptation: taskhead::Adaptation) -> Self {
        let taskhead::Adaptation { euclidean, cosine, dot, norm, frobenius_distance } = adaptation;
        Self { euclidean, cosine, dot, norm, frobenius_distance }
    }
}

#[pymethods]
impl Adaptation {
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        (self.euclidean, self.cosine, self.dot, self.norm).into_pyobject(py)?.call_method0("__iter__")
    }

    fn __repr__(&self) -> String {
        let Self { euclidean, cosine, dot, norm, frobenius_distance } = self;
        format!(
            "Adaptation(euclidean={euclidean:?}, cosine={cosine:?}, dot={dot:?}, norm={norm:?}, \
             frobenius_distance={frobenius_distance:?})"
        )
    }
}

/// The metrics between features ``before`` and ``after`` a training of your own, both N×h.
///
/// Raises ``ValueError`` for arrays of different shapes and for values that are not finite.
#[pyfunction]
pub fn adaptation(
    py: Python<'_>,
    before: &Bound<'_, PyAny>,
    after: &Bound<'_, PyAny>,
) -> PyResult<Adaptation> {
    let (before, after) =
        (Given::new("before", before)?.finite_matrix()?, Given::new("after", after)?.finite_matrix()?);
    if before.shape() != after.shape() {
        let (b, a) = (before.shape(), after.shape());
        let text =
            format!("`after` is {}×{} and `before` {}×{}; accepted: the same shape", a.0, a.1, b.0, b.1);
        return Err(error::value(text));
    }
    Ok(py.detach(|| taskhead::Adaptation::of(&before, &(after - &before))).into())
}
