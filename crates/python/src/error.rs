//! Errors of the library as exceptions: `ValueError` with the same text, `OSError` where the operating system refused.

use std::fmt::Display;
use std::io::ErrorKind;

use pyo3::exceptions::{PyFileNotFoundError, PyOSError, PyPermissionError, PyValueError};
use pyo3::{PyErr, PyResult};
use serde::de::DeserializeOwned;
use serde::de::value::{Error as NameError, StrDeserializer};
use taskhead::sweep::config::ConfigError;
use taskhead_files::{Fault, FileError, Remedy};

/// A `ValueError`.
pub fn value(error: impl Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What is wrong with arrays.
pub fn of_arrays(fault: Fault) -> PyErr {
    value(with_keyword(fault.to_string(), &fault))
}

/// What is wrong with a file.
pub fn of_file(error: FileError) -> PyErr {
    let text = with_keyword(error.to_string(), &error.fault);
    match &error.fault {
        Fault::Io { source, .. } => match source.kind() {
            ErrorKind::NotFound => PyFileNotFoundError::new_err(text),
            ErrorKind::PermissionDenied => PyPermissionError::new_err(text),
            _ => PyOSError::new_err(text),
        },
        _ => value(text),
    }
}

/// The text of a fault, and the keyword that lets it pass.
fn with_keyword(text: String, fault: &Fault) -> String {
    match fault.remedy() {
        Some(Remedy::Replacement) => format!("{text}, or force=True to replace it"),
        Some(Remedy::KernelTolerance(needed)) => {
            format!(
                "{text}; if the kernel is no more precise than that, pass kernel_tolerance={needed:e}"
            )
        }
        None => text,
    }
}

/// What is wrong with a configuration.
pub fn of_config(error: ConfigError) -> PyErr {
    match error {
        ConfigError::Probes { count } => {
            value(format!("{count} of `points`, `energies` and `taus` are given; accepted: one of them"))
        }
        other => value(by_keywords(&other.to_string())),
    }
}

/// A text about settings with their names as keywords: those in backquotes, and one at the beginning (`name value is not
/// valid`).
pub fn by_keywords(text: &str) -> String {
    let keyword = |name: &str| match name {
        "probe.times" => "taus".to_owned(),
        "problem.path" => "problem".to_owned(),
        // Numbers are quoted, too.
        other if !other.starts_with(char::is_alphabetic) => other.to_owned(),
        other => other.trim_start_matches("probe.").replace('-', "_"),
    };
    let text = match text.split_once(' ') {
        Some((name, rest)) if rest.contains(" is not valid; it must be ") => {
            format!("{} {rest}", keyword(name))
        }
        _ => text.to_owned(),
    };
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(i, part)| if i % 2 == 1 { keyword(part) } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("`")
}

/// A value that is chosen by name, with - or _ between its words.
pub fn choice<T: DeserializeOwned>(option: &str, name: &str) -> Result<T, PyErr> {
    let named = |error: NameError| value(format!("`{option}`: {error}"));
    T::deserialize(StrDeserializer::new(&name.replace('_', "-"))).map_err(named)
}

/// A whole number of at least 0 that the engine can hold.
pub fn whole<T: TryFrom<i128>>(option: &str, given: i128) -> PyResult<T> {
    T::try_from(given)
        .map_err(|_| value(format!("`{option}` is {given}; accepted: whole numbers from 0, below 2^64")))
}
