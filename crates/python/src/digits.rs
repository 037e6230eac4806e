//! The embedded real data.

use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;

use crate::arrays::to_numpy;

/// Images and labels.
type Digits<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray1<i64>>);

/// The 1,797 handwritten digits of UCI (CC BY 4.0) as ``(images, labels)``: images of 8×8 pixels from 0 to 1, a row
/// each (1797, 64), and the digit of each (1797,). Nothing is downloaded.
#[pyfunction]
pub fn digits(py: Python<'_>) -> PyResult<Digits<'_>> {
    let digits = taskhead::digits::Digits::all();
    let labels = PyArray1::from_iter(py, digits.labels.iter().map(|&label| i64::from(label)));
    Ok((to_numpy(py, digits.images)?, labels))
}
