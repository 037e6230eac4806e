//! Arrays from Python, read where they lie, and arrays for Python.

use nalgebra::DMatrix;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, npyffi::NPY_ORDER};
use pyo3::prelude::*;
use taskhead_files::NamedArray;

use crate::error;

/// An array of Python by its bytes, which nobody may write to while this lives.
pub struct Given<'py> {
    name: &'static str,
    dtype: String,
    shape: Vec<u64>,
    fortran: bool,
    bytes: PyReadonlyArray1<'py, u8>,
}

impl<'py> Given<'py> {
    /// Whatever has an array: of NumPy, a tensor, nested lists. A copy is made only of what is not contiguous.
    pub fn new(name: &'static str, value: &Bound<'py, PyAny>) -> PyResult<Self> {
        let describe = value.py().import("taskhead._support")?.getattr("describe")?;
        let (dtype, shape, fortran, bytes) = describe.call1((value, name))?.extract()?;
        Ok(Self { name, dtype, shape, fortran, bytes })
    }

    /// The array as the readers of files take it.
    pub fn named(&self) -> PyResult<NamedArray<'_>> {
        Ok(NamedArray {
            name: self.name.into(),
            dtype: self.dtype.clone(),
            shape: self.shape.clone(),
            fortran: self.fortran,
            bytes: self.bytes.as_slice()?.into(),
        })
    }

    /// The matrix; one dimension is a single column.
    pub fn matrix(&self) -> PyResult<DMatrix<f64>> {
        self.named()?.matrix().map_err(error::of_arrays)
    }

    /// The matrix, if all its values are finite.
    pub fn finite_matrix(&self) -> PyResult<DMatrix<f64>> {
        let matrix = self.matrix()?;
        let rows = matrix.nrows();
        match matrix.iter().position(|value| !value.is_finite()) {
            None => Ok(matrix),
            Some(at) => Err(error::value(format!(
                "`{}` holds {} at row {}, column {}; all values must be finite",
                self.name,
                matrix[at],
                at % rows,
                at / rows
            ))),
        }
    }
}

/// A matrix as an array of NumPy, without a copy: its first index runs fastest.
pub fn to_numpy(py: Python<'_>, matrix: DMatrix<f64>) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let shape = [matrix.nrows(), matrix.ncols()];
    PyArray1::from_vec(py, Vec::from(matrix.data)).reshape_with_order(shape, NPY_ORDER::NPY_FORTRANORDER)
}
