//! The numbers of a [`Stop`] by name, for tables, and back.

use super::{Saddle, Stop};

impl Stop {
    /// Its numbers, each with its name.
    pub fn values(&self) -> Vec<(&'static str, f64)> {
        match *self {
            Self::Exact | Self::Time | Self::Converged => vec![],
            Self::Residual { level } => vec![("level", level)],
            Self::Loss { level } => vec![("level", level)],
            Self::EnergyShare { share } | Self::Accuracy { share } => vec![("share", share)],
            Self::Saddle(Saddle { time, growth, size, sample, output }) => vec![
                ("time", time),
                ("growth", growth),
                ("size", size),
                ("sample", sample as f64),
                ("output", output as f64),
            ],
            Self::Rounding { error } => vec![("error", error)],
            Self::StepLimit { steps, time } | Self::Interrupted { steps, time } => {
                vec![("steps", steps as f64), ("time", time)]
            }
            Self::StepTooSmall { step, time } => vec![("step", step), ("time", time)],
        }
    }

    /// The stop of a [name](Stop::name) with its numbers; `None` if there is no such stop or a number is missing.
    pub fn from_values(name: &str, value: impl Fn(&str) -> Option<f64>) -> Option<Self> {
        let count = |name| value(name).filter(|v| *v >= 0.0 && v.fract() == 0.0).map(|v| v as usize);
        Some(match name {
            "exact" => Self::Exact,
            "time" => Self::Time,
            "converged" => Self::Converged,
            "residual" => Self::Residual { level: value("level")? },
            "energy-share" => Self::EnergyShare { share: value("share")? },
            "loss" => Self::Loss { level: value("level")? },
            "accuracy" => Self::Accuracy { share: value("share")? },
            "saddle" => Self::Saddle(Saddle {
                time: value("time")?,
                growth: value("growth")?,
                size: value("size")?,
                sample: count("sample")?,
                output: count("output")?,
            }),
            "rounding" => Self::Rounding { error: value("error")? },
            "step-limit" => Self::StepLimit { steps: count("steps")?, time: value("time")? },
            "interrupted" => Self::Interrupted { steps: count("steps")?, time: value("time")? },
            "step-too-small" => Self::StepTooSmall { step: value("step")?, time: value("time")? },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stop_comes_back() {
        let time = f64::INFINITY;
        for stop in [
            Stop::Exact,
            Stop::Time,
            Stop::Converged,
            Stop::Residual { level: 0.5 },
            Stop::EnergyShare { share: 0.1 },
            Stop::Loss { level: 1e-3 },
            Stop::Accuracy { share: 0.9 },
            Stop::Saddle(Saddle { time, growth: 2.0, size: 1e-16, sample: 3, output: 1 }),
            Stop::Rounding { error: 0.03 },
            Stop::StepLimit { steps: 3, time: 0.5 },
            Stop::Interrupted { steps: 3, time: 0.5 },
            Stop::StepTooSmall { step: 1e-20, time: 4.0 },
        ] {
            let values = stop.values();
            let value = |name: &str| values.iter().find(|v| v.0 == name).map(|v| v.1);
            assert_eq!(Stop::from_values(stop.name(), value), Some(stop));
            if !values.is_empty() {
                assert_eq!(Stop::from_values(stop.name(), |_| None), None);
            }
        }
        assert_eq!(Stop::from_values("tired", |_| None), None);
    }
}
