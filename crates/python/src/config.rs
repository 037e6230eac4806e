//! What Python asks for, as the configuration of a sweep.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyRange, PyString, PyTuple};
use taskhead::sweep::config::Config;
use taskhead::tasks::TaskSpec;
use taskhead_files::MAX_CONFIGURATION;

use crate::error;

/// What task a kind and its options, by the names of the configuration, describe.
pub fn task_spec<'a, 'py: 'a>(
    py: Python<'py>,
    kind: &str,
    options: impl IntoIterator<Item = (&'static str, &'a Bound<'py, PyAny>)>,
) -> PyResult<TaskSpec> {
    let kind = kind.replace('_', "-");
    if !["gaussian", "rank-one", "digits"].contains(&kind.as_str()) {
        return Err(error::value(format!("`kind` is '{kind}'; accepted: gaussian, rank-one, digits")));
    }
    let (changes, problem) = (PyDict::new(py), PyDict::new(py));
    problem.set_item("kind", kind)?;
    for (name, value) in options {
        problem.set_item(name, value)?;
    }
    changes.set_item("problem", problem)?;
    let spec = configuration(None, &changes)?.problem;
    spec.check().map_err(error::value)?;
    Ok(spec)
}

/// The configuration of a TOML text and of changes to it, which are tables as in the text.
pub fn configuration(text: Option<&str>, changes: &Bound<'_, PyDict>) -> PyResult<Config> {
    let wrong =
        |error: toml::de::Error| error::value(format!("this is not a valid configuration: {error}"));
    let text = text.unwrap_or_default();
    if text.len() > MAX_CONFIGURATION {
        return Err(error::value(format!("`config` has more than {MAX_CONFIGURATION} bytes")));
    }
    let mut table: toml::Table = toml::from_str(text).map_err(wrong)?;
    let toml::Value::Table(changes) = to_toml("changes", changes.as_any())? else {
        unreachable!("a dict is a table")
    };
    if changes.contains_key("until-loss") || changes.contains_key("until-accuracy") {
        // A change takes the place of either rule of the text.
        table.remove("until-loss");
        table.remove("until-accuracy");
    }
    for (key, value) in changes {
        // Probing points and another kind of problem take the place of what was there.
        let part = value.as_table().filter(|new| key != "probe" && !new.contains_key("kind"));
        match (part.cloned(), table.get_mut(&key).and_then(toml::Value::as_table_mut)) {
            (Some(new), Some(old)) => old.extend(new),
            _ => drop(table.insert(key, value)),
        }
    }
    let problem = table.entry("problem").or_insert_with(|| toml::Table::new().into());
    if let toml::Value::Table(problem) = problem {
        problem.entry("kind").or_insert_with(|| "gaussian".into());
    }
    let by_keywords = |error: toml::de::Error| error::value(error::by_keywords(&error.to_string()));
    table.try_into().map_err(if text.is_empty() { by_keywords } else { wrong })
}

/// A value as TOML; `None` in a dict is left out.
fn to_toml(name: &str, value: &Bound<'_, PyAny>) -> PyResult<toml::Value> {
    let list = |items: Bound<'_, PyAny>| -> PyResult<toml::Value> {
        let values = items.try_iter()?.map(|item| to_toml(name, &item?));
        Ok(toml::Value::Array(values.collect::<PyResult<_>>()?))
    };
    if value.is_instance_of::<PyBool>() {
        return Ok(value.extract::<bool>()?.into());
    }
    if value.is_instance_of::<PyInt>() {
        return match value.extract::<i64>() {
            Ok(whole) => Ok(whole.into()),
            Err(_) => Err(error::value(format!("`{name}` holds {value}; accepted: numbers below 2^63"))),
        };
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(value.extract::<f64>()?.into());
    }
    if value.is_instance_of::<PyString>() {
        return Ok(value.extract::<String>()?.into());
    }
    if let Ok(items) = value.cast::<PyDict>() {
        let mut table = toml::Table::new();
        for (key, item) in items.iter().filter(|(_, item)| !item.is_none()) {
            let key: String = key.extract()?;
            let item = to_toml(&key, &item)?;
            table.insert(key, item);
        }
        return Ok(table.into());
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        return list(value.clone());
    }
    for method in ["tolist", "to_list", "to_pylist"] {
        if value.hasattr(method)? {
            return to_toml(name, &value.call_method0(method)?);
        }
    }
    if value.is_instance_of::<PyRange>() {
        return list(value.clone());
    }
    let found = value.get_type().name()?;
    Err(error::value(format!(
        "`{name}` is of type {found}; accepted: numbers, texts, and lists of them"
    )))
}
