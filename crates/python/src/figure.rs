//! A figure that a notebook shows.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use taskhead_figures::plot::to_png;
use taskhead_files::{Fault, check_output, write_atomically};

use crate::error;

/// A drawn figure: a notebook shows it, and :meth:`save` writes it.
#[pyclass(frozen, module = "taskhead")]
pub struct Figure {
    /// A short name, for files.
    #[pyo3(get)]
    pub name: &'static str,
    /// The figure as an SVG document.
    #[pyo3(get)]
    pub svg: String,
}

/// Formats of a figure.
const EXTENSIONS: &[&str] = &["svg", "png"];

#[pymethods]
impl Figure {
    /// The figure as a PNG image of ``scale`` dots per pixel.
    ///
    /// Raises ``ValueError`` for a scale that makes no image.
    #[pyo3(signature = (*, scale = 2.0))]
    fn png<'py>(&self, py: Python<'py>, scale: f64) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| to_png(&self.svg, scale)).map_err(error::value)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes the figure to ``path``, .svg or .png, in one step.
    ///
    /// Raises ``ValueError`` for another extension or a folder that is not there.
    #[pyo3(signature = (path, *, scale = 2.0))]
    fn save(&self, py: Python<'_>, path: PathBuf, scale: f64) -> PyResult<()> {
        check_output(&path, EXTENSIONS).map_err(error::of_file)?;
        let png = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("png"));
        let bytes = match png {
            true => py.detach(|| to_png(&self.svg, scale)).map_err(error::value)?,
            false => self.svg.clone().into_bytes(),
        };
        let write = |writer: &mut std::io::BufWriter<std::fs::File>| {
            std::io::Write::write_all(writer, &bytes)
                .map_err(|source| Fault::Io { action: "write", source })
        };
        write_atomically(&path, write).map_err(error::of_file)
    }

    fn _repr_svg_(&self) -> &str {
        &self.svg
    }

    fn __repr__(&self) -> String {
        format!("<taskhead.Figure {}>", self.name)
    }
}
