//! Errors of the library as exceptions: `ValueError` with the same text, `OSError` where the operating system refused.

use std::fmt::Display;
use std::io::ErrorKind;

use pyo3::PyErr;
use pyo3::exceptions::{PyFileNotFoundError, PyOSError, PyPermissionError, PyValueError};
use serde::de::DeserializeOwned;
use serde::de::value::{Error as NameError, StrDeserializer};
use taskhead_files::{Fault, FileError};

/// A `ValueError`.
pub fn value(error: impl Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What is wrong with arrays.
pub fn of_arrays(fault: Fault) -> PyErr {
    value(with_option(fault.to_string(), &fault))
}

/// What is wrong with a file.
pub fn of_file(error: FileError) -> PyErr {
    let text = with_option(error.to_string(), &error.fault);
    match &error.fault {
        Fault::Io { source, .. } => match source.kind() {
            ErrorKind::NotFound => PyFileNotFoundError::new_err(text),
            ErrorKind::PermissionDenied => PyPermissionError::new_err(text),
            _ => PyOSError::new_err(text),
        },
        _ => value(text),
    }
}

/// A kernel that is refused for what may be rounding comes with the option that accepts it.
fn with_option(text: String, fault: &Fault) -> String {
    match fault.kernel_tolerance() {
        Some(needed) => {
            format!(
                "{text}; if the kernel is no more precise than that, pass kernel_tolerance={needed:e}"
            )
        }
        None => text,
    }
}

/// A value that is chosen by name, with - or _ between its words.
pub fn choice<T: DeserializeOwned>(option: &str, name: &str) -> Result<T, PyErr> {
    let named = |error: NameError| value(format!("`{option}`: {error}"));
    T::deserialize(StrDeserializer::new(&name.replace('_', "-"))).map_err(named)
}
