//! What to sweep: a TOML file or flags make a [`Config`].

use serde::{Deserialize, Serialize};

use crate::flow::solver::{DEFAULT_RTOL, Options};
use crate::loss::Loss;
use crate::metric::Metric;
use crate::setting::{Number, Setting};
use crate::simulation::{Method, Until};
use crate::tasks::{TaskError, TaskSpec};

/// A sweep: every seed, scale, smoothing and head rate with every probing point and time.
///
/// ```
/// use taskhead::sweep::config::Config;
/// use taskhead::tasks::{Gaussian, TaskSpec};
///
/// let mut config = Config::new(TaskSpec::Gaussian(Gaussian { samples: 8, width: 32, ..Gaussian::default() }));
/// config.times = vec![1.0, f64::INFINITY];
/// config.heads.seeds = 10;
/// config.probe.points = Some(24);
/// assert_eq!(config.cells(), 10 * 24 * 2);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Finetuning times, ascending; `inf` for the limit.
    #[serde(default = "forever")]
    pub times: Vec<f64>,
    /// The loss of probing and finetuning.
    #[serde(default, skip_serializing_if = "is_squared")]
    pub loss: Loss,
    /// Stop finetuning where the training loss, on average over the samples, has fallen to this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_loss: Option<f64>,
    /// Stop finetuning where this share of the training samples is predicted right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_accuracy: Option<f64>,
    /// How the flow is solved.
    #[serde(default)]
    pub method: Method,
    /// Relative tolerance of the solver.
    #[serde(default = "default_rtol")]
    pub rtol: f64,
    /// Limit of solver steps in one cell; gradient descent may take a thousand times as many.
    #[serde(default = "default_steps", skip_serializing_if = "is_default")]
    pub max_steps: usize,
    /// Seconds after which the finetuning from one probing point ends, with what it has reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_time: Option<f64>,
    /// The adaptation metrics that are kept; the columns of others stay empty.
    #[serde(default = "all_metrics")]
    pub metrics: Vec<Metric>,
    /// The task.
    pub problem: TaskSpec,
    /// The initial heads.
    #[serde(default)]
    pub heads: Heads,
    /// The probing points.
    #[serde(default)]
    pub probe: Probes,
}

/// Initial heads and what belongs to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Heads {
    /// Number of seeds; a seed decides the random parts of the task and of the head.
    pub seeds: u64,
    /// The first seed.
    pub first_seed: u64,
    /// Scales of the initial head.
    pub scales: Vec<f64>,
    /// Label smoothings in head probing.
    pub smoothings: Vec<f64>,
    /// Head learning rates γ in finetuning.
    pub head_rates: Vec<f64>,
}

impl Default for Heads {
    fn default() -> Self {
        Self { seeds: 1, first_seed: 0, scales: vec![1.0], smoothings: vec![0.0], head_rates: vec![1.0] }
    }
}

/// Where on the probing path finetuning starts: exactly one of the three.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Probes {
    /// Probing times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<Vec<f64>>,
    /// Average initial energies to probe to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energies: Option<Vec<f64>>,
    /// A number of points, evenly spaced in Frobenius energy from probing to convergence to none. Under cross-entropy,
    /// where probing has no end if the features separate the classes, the first of n is 1/n of the way above that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<usize>,
}

impl Probes {
    /// The probing points.
    pub fn points(&self) -> Points {
        match (&self.times, &self.energies, self.points) {
            (Some(times), _, _) => Points::Times(times.clone()),
            (_, Some(energies), _) => Points::Energies(energies.clone()),
            (_, _, points) => Points::Even(points.unwrap_or(DEFAULT_POINTS)),
        }
    }
}

/// The number of probing points where none is given.
pub const DEFAULT_POINTS: usize = 24;

/// The probing points.
#[derive(Debug, Clone, PartialEq)]
pub enum Points {
    /// Probing times.
    Times(Vec<f64>),
    /// Average initial energies.
    Energies(Vec<f64>),
    /// Evenly spaced in Frobenius energy: the shares 0, 1/(n − 1), …, 1 of the way from convergence to none.
    Even(usize),
    /// The same without convergence: the shares 1/n, 2/n, …, 1.
    Above(usize),
}

impl Points {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Times(v) | Self::Energies(v) => v.len(),
            Self::Even(n) | Self::Above(n) => *n,
        }
    }
}

fn is_squared(loss: &Loss) -> bool {
    *loss == Loss::Squared
}

fn forever() -> Vec<f64> {
    vec![f64::INFINITY]
}

fn all_metrics() -> Vec<Metric> {
    Metric::ALL.to_vec()
}

fn default_steps() -> usize {
    Options::default().max_steps
}

/// Whether it is left out of the stored text, which is then the same as before there was this setting.
fn is_default(max_steps: &usize) -> bool {
    *max_steps == default_steps()
}

fn default_rtol() -> f64 {
    DEFAULT_RTOL
}

/// Why a configuration is not valid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A list that must not be empty.
    #[error("`{name}` is empty; it must hold at least one value")]
    Empty {
        /// Name of the list.
        name: &'static str,
    },
    /// A value that makes the same cells twice.
    #[error("`{name}` holds {} twice; accepted: each value once", Number(*value))]
    Repeated {
        /// Name of the list.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// A value out of its range, under the name that it has in a file.
    #[error("`{}` holds {}; accepted: {}", .0.name, Number(.0.value), .0.accepted)]
    Setting(#[from] Setting),
    /// A text that is not accepted.
    #[error("`{name}` holds {value}; accepted: {accepted}")]
    Text {
        /// Name of the setting.
        name: &'static str,
        /// The text given.
        value: String,
        /// What is accepted.
        accepted: &'static str,
    },
    /// More than one way to place the probing points.
    #[error("`probe` has {count} of `times`, `energies` and `points`; accepted: one of them")]
    Probes {
        /// How many were given.
        count: usize,
    },
    /// Two stop rules.
    #[error("`until-loss` and `until-accuracy` are both set; accepted: one of them")]
    Stops,
    /// A setting that would change nothing.
    #[error("`{name}` has no effect {because}")]
    Idle {
        /// Name of the setting.
        name: &'static str,
        /// Beside which other settings.
        because: &'static str,
    },
    /// A stop rule with a method that has none.
    #[error("`until-loss` and `until-accuracy` need the method `auto` or `flow`")]
    StopMethod,
    /// One of two settings that need each other.
    #[error("{first} and {second} belong together, but only one of them is set")]
    Apart {
        /// The one.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A task that cannot be made.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// More cells than are accepted.
    #[error("the sweep has {cells} cells; at most {limit} are accepted")]
    TooLarge {
        /// Cells of the sweep.
        cells: usize,
        /// The limit.
        limit: usize,
    },
}

/// The largest number of cells of one sweep: records of that many fit the memory of a laptop.
pub const MAX_CELLS: usize = 10_000_000;

impl Config {
    /// A sweep of a task, with everything else at its default.
    pub fn new(problem: TaskSpec) -> Self {
        Self {
            times: forever(),
            loss: Loss::Squared,
            until_loss: None,
            until_accuracy: None,
            method: Method::Auto,
            rtol: DEFAULT_RTOL,
            max_steps: default_steps(),
            max_time: None,
            metrics: all_metrics(),
            problem,
            heads: Heads::default(),
            probe: Probes::default(),
        }
    }

    /// The probing points.
    pub fn points(&self) -> Points {
        match (self.probe.points(), self.loss) {
            (Points::Even(n), Loss::CrossEntropy) => Points::Above(n),
            (points, _) => points,
        }
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        let heads = &self.heads;
        [
            usize::try_from(heads.seeds).unwrap_or(usize::MAX),
            heads.scales.len(),
            heads.smoothings.len(),
            heads.head_rates.len(),
            self.points().count(),
            self.times.len(),
        ]
        .into_iter()
        .fold(1, usize::saturating_mul)
    }

    /// Where finetuning stops before its time.
    pub fn until(&self) -> Until {
        match (self.until_loss, self.until_accuracy) {
            (Some(level), _) => Until::Loss(level),
            (_, Some(share)) => Until::Accuracy(share),
            (None, None) => Until::Time,
        }
    }

    /// Checks all values.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let time = |t: f64| t >= 0.0;
        let positive = |v: f64| v >= 0.0 && v.is_finite();
        check("times", &self.times, time, "numbers of at least 0, or inf")?;
        if let Some(pair) = self.times.windows(2).find(|pair| pair[0] >= pair[1]) {
            let accepted = "times in strictly ascending order";
            return Err(Setting { name: "times", value: pair[1], accepted }.into());
        }
        let rtol = [self.rtol];
        check("rtol", &rtol, |v| (1e-13..=1e-2).contains(&v), "between 1e-13 and 1e-2")?;
        if self.max_steps == 0 {
            return Err(Setting { name: "max-steps", value: 0.0, accepted: "at least 1" }.into());
        }
        if let Some(seconds) = self.max_time {
            check("max-time", &[seconds], positive, "finite numbers of at least 0")?;
        }
        if self.metrics.is_empty() {
            return Err(ConfigError::Empty { name: "metrics" });
        }
        let finite = "finite numbers of at least 0";
        check("scales", &self.heads.scales, positive, finite)?;
        check("head-rates", &self.heads.head_rates, positive, finite)?;
        let unit = |v: f64| (0.0..=1.0).contains(&v);
        if let Some(level) = self.until_loss {
            check("until-loss", &[level], |v| v > 0.0 && v.is_finite(), "finite numbers above 0")?;
        }
        if let Some(share) = self.until_accuracy {
            check("until-accuracy", &[share], unit, "between 0 and 1")?;
        }
        if self.until_loss.is_some() && self.until_accuracy.is_some() {
            return Err(ConfigError::Stops);
        }
        if self.until() != Until::Time && !matches!(self.method, Method::Auto | Method::Flow) {
            return Err(ConfigError::StopMethod);
        }
        check("smoothings", &self.heads.smoothings, unit, "between 0 and 1")?;
        let Heads { scales, smoothings, head_rates, .. } = &self.heads;
        let probed = |values: &Option<Vec<f64>>| values.clone().unwrap_or_default();
        for (name, values) in [
            ("scales", scales),
            ("smoothings", smoothings),
            ("head-rates", head_rates),
            ("probe.times", &probed(&self.probe.times)),
            ("probe.energies", &probed(&self.probe.energies)),
        ] {
            if let Some(twice) = (1..values.len()).find(|&i| values[..i].contains(&values[i])) {
                return Err(ConfigError::Repeated { name, value: values[twice] });
            }
        }
        if self.heads.seeds == 0 {
            return Err(Setting { name: "seeds", value: 0.0, accepted: "at least 1" }.into());
        }
        if self.heads.first_seed.checked_add(self.heads.seeds).is_none() {
            let (value, accepted) = (self.heads.seeds as f64, "seeds up to 18446744073709551614");
            return Err(Setting { name: "seeds", value, accepted }.into());
        }
        let given =
            [self.probe.times.is_some(), self.probe.energies.is_some(), self.probe.points.is_some()];
        let count = given.iter().filter(|g| **g).count();
        if count > 1 {
            return Err(ConfigError::Probes { count });
        }
        match self.points() {
            Points::Times(times) => check("probe.times", &times, time, "numbers of at least 0, or inf")?,
            Points::Energies(energies) => check("probe.energies", &energies, positive, finite)?,
            Points::Even(n) | Points::Above(n) => {
                check("probe.points", &[n as f64], |v| v >= 2.0, "at least 2")?;
            }
        }
        if matches!(&self.problem, TaskSpec::File { path } if path.is_empty()) {
            let accepted = "the path of a file or folder";
            return Err(ConfigError::Text { name: "problem.path", value: "\"\"".into(), accepted });
        }
        let cells = self.cells();
        if cells > MAX_CELLS {
            return Err(ConfigError::TooLarge { cells, limit: MAX_CELLS });
        }
        self.check_effects()?;
        Ok(self.problem.check()?)
    }

    /// Refuses settings that change nothing beside others.
    fn check_effects(&self) -> Result<(), ConfigError> {
        let smoothed = self.heads.smoothings.iter().any(|&s| s > 0.0);
        let unprobed = matches!(self.points(), Points::Times(times) if times.iter().all(|&t| t == 0.0));
        let (closed, flow) = (self.method == Method::ClosedForm, self.method == Method::Flow);
        let own_head = matches!(self.problem, TaskSpec::RankOne(_));
        let without_steps = "with the method `closed-form`, which takes no steps";
        let idle = [
            (smoothed && unprobed, "smoothings", "without probing"),
            (closed && self.max_steps != default_steps(), "max-steps", without_steps),
            (closed && self.max_time.is_some(), "max-time", without_steps),
            (
                !flow && self.method != Method::Auto && self.rtol != DEFAULT_RTOL,
                "rtol",
                "with a method other than `auto` and `flow`",
            ),
            (
                own_head && self.heads.seeds > 1,
                "seeds",
                "on the rank-one problem, whose head is the same for every seed",
            ),
        ];
        match idle.into_iter().find(|(found, ..)| *found) {
            Some((_, name, because)) => Err(ConfigError::Idle { name, because }),
            None => Ok(()),
        }
    }
}

fn check(
    name: &'static str,
    values: &[f64],
    good: impl Fn(f64) -> bool,
    accepted: &'static str,
) -> Result<(), ConfigError> {
    if values.is_empty() {
        return Err(ConfigError::Empty { name });
    }
    match values.iter().find(|&&v| !good(v)) {
        Some(&value) => Err(Setting { name, value, accepted }.into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::{Gaussian, RankOneTask};

    fn config() -> Config {
        Config::new(TaskSpec::RankOne(RankOneTask::default()))
    }

    #[test]
    fn bad_values_are_named() {
        let message = |change: &dyn Fn(&mut Config)| {
            let mut c = config();
            change(&mut c);
            c.validate().unwrap_err().to_string()
        };
        assert!(config().validate().is_ok());
        assert_eq!(message(&|c| c.times = vec![]), "`times` is empty; it must hold at least one value");
        assert!(
            message(&|c| c.times = vec![-1.0]).starts_with("`times` holds -1; accepted: numbers of")
        );
        assert!(message(&|c| c.times = vec![2.0, 1.0]).contains("ascending"));
        assert!(message(&|c| c.heads.seeds = 0).starts_with("`seeds` holds 0"));
        assert!(message(&|c| c.heads.seeds = u64::MAX).contains("at most 10000000"));
        assert!(message(&|c| c.heads.smoothings = vec![1.5]).starts_with("`smoothings` holds 1.5"));
        assert!(message(&|c| c.probe.points = Some(1)).contains("at least 2"));
        let twice = message(&|c| c.heads.scales = vec![0.0, 1.0, -0.0]);
        assert_eq!(twice, "`scales` holds -0 twice; accepted: each value once");
        let twice = message(&|c| c.probe.times = Some(vec![1.0, f64::INFINITY, 1.0]));
        assert_eq!(twice, "`probe.times` holds 1 twice; accepted: each value once");
        let twice = message(&|c| c.probe.energies = Some(vec![0.1, 0.1]));
        assert_eq!(twice, "`probe.energies` holds 0.1 twice; accepted: each value once");
        assert!(message(&|c| c.max_time = Some(-1.0)).starts_with("`max-time` holds -1"));
        let last = |c: &mut Config| (c.heads.first_seed, c.heads.seeds) = (u64::MAX, 2);
        assert!(message(&last).contains("seeds up to"));
        let none = Gaussian { samples: 0, ..Gaussian::default() };
        let text = message(&|c| c.problem = TaskSpec::Gaussian(none.clone()));
        assert_eq!(text, "samples 0 is not valid; it must be at least 1");
        assert!(
            message(&|c| {
                c.probe.points = Some(3);
                c.probe.times = Some(vec![1.0]);
            })
            .contains("has 2 of")
        );
    }

    #[test]
    fn what_changes_nothing_is_refused() {
        type Change = dyn Fn(&mut Config);
        let changes: [(&str, &Change); 6] = [
            ("smoothings", &|c| (c.heads.smoothings, c.probe.times) = (vec![0.1], Some(vec![0.0]))),
            ("max-steps", &|c| (c.method, c.max_steps) = (Method::ClosedForm, 7)),
            ("max-time", &|c| (c.method, c.max_time) = (Method::ClosedForm, Some(1.0))),
            ("rtol", &|c| (c.method, c.rtol) = (Method::ClosedForm, 1e-8)),
            ("rtol", &|c| (c.method, c.rtol) = (Method::Descent, 1e-8)),
            ("seeds", &|c| c.heads.seeds = 2),
        ];
        for (name, change) in changes {
            let mut config = config();
            change(&mut config);
            let text = config.validate().unwrap_err().to_string();
            assert!(text.starts_with(&format!("`{name}` has no effect ")), "{text}");
        }
        let mut effective = config();
        (effective.heads.smoothings, effective.probe.times) = (vec![0.1], Some(vec![0.0, 1.0]));
        (effective.method, effective.rtol, effective.max_time) = (Method::Flow, 1e-8, Some(1.0));
        assert_eq!(effective.validate(), Ok(()));
    }

    /// Every default sweep under cross-entropy failed at its first point.
    #[test]
    fn even_points_under_cross_entropy_leave_out_convergence() {
        let mut config = config();
        config.probe.points = Some(4);
        assert_eq!(config.points(), Points::Even(4));
        config.loss = Loss::CrossEntropy;
        assert_eq!(config.points(), Points::Above(4));
        let asked: Vec<_> = (0..4).map(|i| config.points().asked(i)).collect();
        assert_eq!(asked, [0.25, 0.5, 0.75, 1.0].map(crate::sweep::record::Asked::Share));
    }
}
