//! Chapter 4 and beyond one sample: sweeps of the core.

use serde::Deserialize;
use taskhead::gallery::quantile;
use taskhead::sweep::config::Config;
use taskhead::sweep::record::Record;
use taskhead::sweep::run;
use taskhead::tasks::Task;

use crate::said;

/// More cells than this would keep a page busy for too long.
const MAX_CELLS: usize = 5_000;

/// Runs a sweep in the browser: one record a cell.
pub fn sweep(config: Config) -> Result<Vec<Record>, String> {
    config.validate().map_err(said)?;
    if config.cells() > MAX_CELLS {
        return Err(format!("the sweep has {} cells; here at most {MAX_CELLS}", config.cells()));
    }
    let records = run(&config, &|spec, seed| Task::new(spec, seed), &|_| None, &|_| {});
    match records.iter().find(|r| !r.error.is_empty()) {
        Some(record) if record.method.is_empty() => Err(record.error.clone()),
        _ => Ok(records),
    }
}

/// Curves of equal length, and the quantiles wanted of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curves {
    curves: Vec<Vec<f64>>,
    quantiles: Vec<f64>,
}

/// One curve for each quantile.
pub fn band(setting: Curves) -> Result<Vec<Vec<f64>>, String> {
    let points = setting.curves.first().map_or(0, Vec::len);
    if setting.curves.iter().any(|c| c.len() != points) {
        return Err("the curves differ in length".into());
    }
    let at = |i: usize| setting.curves.iter().map(|c| c[i]).collect::<Vec<f64>>();
    let of = |q: &f64| (0..points).map(|i| quantile(&at(i), *q)).collect();
    Ok(setting.quantiles.iter().map(of).collect())
}
