//! The module `taskhead._taskhead`: the engine, its files, figures and theorems for Python.
//!
//! Arrays are read where NumPy has them and come back as NumPy's; whatever takes long releases the interpreter and ends
//! at Ctrl-C ([`wait`]). What is wrong is a `ValueError` with the text of the command.

mod adaptation;
mod advise;
mod arrays;
mod arrow;
mod config;
mod digits;
mod error;
mod figure;
mod owned;
mod problem;
mod run;
mod sweep;
mod theorems;
mod wait;

/// What `taskhead` is made of; use that.
#[pyo3::pymodule]
mod _taskhead {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::adaptation::{Adaptation, adaptation};
    #[pymodule_export]
    use crate::advise::{Advice, advise};
    #[pymodule_export]
    use crate::digits::digits;
    #[pymodule_export]
    use crate::figure::Figure;
    #[pymodule_export]
    use crate::problem::{Head, Probed, Problem};
    #[pymodule_export]
    use crate::run::Run;
    #[pymodule_export]
    use crate::sweep::{Best, Gathering, Sweep, beside, merge, read, run_sweep, sweep_of_bytes, table};
    #[pymodule_export]
    use crate::theorems::{Case, Certificate, Check, Report, Theorem, certify, theorems, verify};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
