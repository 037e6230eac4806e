//! What to replay: a preset, a TOML file or flags make a [`Config`].

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::data::LinearTask;
use crate::sweep::config::{ConfigError, Heads, Points, Probes};
use crate::tasks::Gaussian;

/// A replay: every seed, head scale, smoothing and head rate with every probing point and time.
///
/// Times count passes over the training samples (epochs), for probing and for finetuning; only for
/// `linear` data they are times of the flow, each step of gradient descent being `rate` of them.
///
/// ```
/// use taskhead::replay::config::{Config, Loss};
///
/// let config = Config::parse("times = [2.0]\n[data]\nkind = \"digits\"\n[heads]\nseeds = 5\n")?;
/// assert_eq!((config.times, config.heads.seeds, config.loss), (vec![2.0], 5, Loss::CrossEntropy));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Finetuning times, ascending.
    pub times: Vec<f64>,
    /// What is minimised.
    pub loss: Loss,
    /// Precision of the numbers.
    pub dtype: Precision,
    /// Source and downstream task.
    pub data: Data,
    /// Layers from the input to the features.
    pub backbone: Backbone,
    /// Kinds of heads, each with curves of its own.
    pub head: Vec<Head>,
    /// How the backbone gets its features.
    pub pretrain: Pretrain,
    /// Training of the head alone.
    pub probing: Probing,
    /// Training of everything.
    pub finetune: Training,
    /// Seeds, head scales, smoothings and learning-rate ratios.
    pub heads: Heads,
    /// The probing points.
    pub probe: Probes,
}

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// ½‖y − f‖²; the residual is y − f.
    Squared,
    /// −log softmax(f)_y; the residual is e_y − softmax(f).
    CrossEntropy,
}

/// Precision of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Single.
    F32,
    /// Double.
    F64,
}

/// Source and downstream task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Data {
    /// The embedded 8×8 digits: 0–4 is the source, 5–9 is downstream.
    Digits {
        /// Downstream training images, drawn by the seed (all 598 if absent).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        samples: Option<usize>,
    },
    /// Images of a folder, some classes being the source and others downstream.
    Files(Files),
    /// Two-layer linear networks on random tasks of the engine, one for each seed.
    Linear(LinearTask),
}

/// A folder of images and what is taken of it: IDX files (`train-images-idx3-ubyte` and so on, also `.gz`),
/// CIFAR-10's binary files, or `train/CLASS/*.png` with `test/CLASS/*.png` (or `.jpg`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Files {
    /// The folder.
    pub folder: PathBuf,
    /// Labels of the source task.
    pub source: Vec<u16>,
    /// Labels of the downstream task.
    pub classes: Vec<u16>,
    /// Source training images, the first ones (all if absent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_samples: Option<usize>,
    /// Downstream training images, drawn by the seed (all if absent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<usize>,
    /// Held-out images of each task, the first ones (all if absent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<usize>,
    /// Height and width that images of a folder are brought to (theirs if absent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<u32>,
}

/// Layers from the input to the features. All but those of `Linear` end in max(0, ·).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Backbone {
    /// The backbone B₀ of a linear task.
    Linear,
    /// Dense layers.
    Mlp {
        /// Width of each layer; the last is the feature width h.
        widths: Vec<usize>,
    },
    /// Convolutions with 3×3 filters, each halving height and width, then one dense layer.
    Cnn {
        /// Output channels of each convolution.
        channels: Vec<usize>,
        /// Feature width h.
        width: usize,
    },
}

/// Layers from the features to the outputs; the last one is linear without bias.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Head {
    /// Width of a hidden layer: a two-layer head. Absent: a linear head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
    /// The last so many layers of the backbone are initialised anew and belong to the head.
    pub blocks: usize,
}

/// How the backbone gets its features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pretrain {
    /// On what.
    pub source: Source,
    /// A file of weights (`.safetensors`) that takes the place of pretraining.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// For how long.
    pub epochs: f64,
    /// Seed of the backbone, its source head and its batches.
    pub seed: u64,
    /// How.
    pub training: Training,
}

/// What the backbone learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The source task.
    Labels,
    /// The source task with its labels shuffled.
    Shuffled,
    /// Nothing: a random backbone.
    None,
}

/// Training of the head alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Probing {
    /// The time after which probing counts as converged: that of a probing time `inf`, and of the
    /// point of least energy where points are even.
    pub longest: f64,
    /// How.
    pub training: Training,
}

/// Stochastic gradient descent on the mean loss of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Training {
    /// Learning rate; in finetuning that of the backbone.
    pub rate: f64,
    /// Momentum.
    pub momentum: f64,
    /// Samples of a batch; 0 for all of them at once.
    pub batch: usize,
}

/// A ready experiment on one of the paper's practical options; the probing time is varied in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Experiment {
    /// Label smoothing while probing: 0, 0.1, 0.3.
    Smoothing,
    /// A linear head and one with a hidden layer of 64.
    Head,
    /// The whole backbone, and one whose last layer is initialised anew and belongs to the head.
    Partial,
    /// Scales of the initial head: 1/4, 1, 4.
    Scale,
    /// Learning rates of the head over the backbone's: 1/10, 1, 10.
    Rate,
}

/// The settings that come with the program.
pub const SETTINGS: [&str; 5] = ["linear", "digits", "digits-cnn", "fashion", "images"];

/// Where Debian's package `dataset-fashion-mnist` puts its files.
const FASHION: &str = "/usr/share/datasets/fashion-mnist";

impl Config {
    /// The preset of a name of [`SETTINGS`].
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "digits" => Some(Self::digits()),
            "digits-cnn" => Some(Self {
                backbone: Backbone::Cnn { channels: vec![16, 32], width: 64 },
                ..Self::digits()
            }),
            "fashion" => Some(Self::fashion()),
            "images" => Some(Self::images()),
            "linear" => Some(Self::linear()),
            _ => None,
        }
    }

    fn digits() -> Self {
        let training = |rate| Training { rate, momentum: 0.9, batch: 32 };
        Self {
            times: vec![1.0, 3.0, 10.0, 30.0, 100.0],
            loss: Loss::CrossEntropy,
            dtype: Precision::F32,
            data: Data::Digits { samples: Some(150) },
            backbone: Backbone::Mlp { widths: vec![128, 128] },
            head: vec![Head::default()],
            pretrain: Pretrain {
                source: Source::Labels,
                weights: None,
                epochs: 20.0,
                seed: 0,
                training: training(0.02),
            },
            probing: Probing { longest: 200.0, training: training(0.02) },
            finetune: training(0.01),
            heads: Heads { seeds: 3, ..Heads::default() },
            probe: Probes { points: Some(8), ..Probes::default() },
        }
    }

    fn fashion() -> Self {
        let training = |rate| Training { rate, momentum: 0.9, batch: 64 };
        Self {
            times: vec![1.0, 5.0, 20.0],
            data: Data::Files(Files {
                folder: FASHION.into(),
                source: vec![0, 1, 2, 3, 4],
                classes: vec![5, 6, 7, 8, 9],
                source_samples: Some(10_000),
                samples: Some(1000),
                held_out: Some(2000),
                side: None,
            }),
            backbone: Backbone::Cnn { channels: vec![16, 32], width: 128 },
            pretrain: Pretrain { epochs: 4.0, training: training(0.02), ..Self::digits().pretrain },
            probing: Probing { longest: 100.0, training: training(0.02) },
            finetune: training(0.01),
            ..Self::digits()
        }
    }

    fn images() -> Self {
        let mut all = Self::fashion();
        if let Data::Files(files) = &mut all.data {
            files.folder = "images".into();
        }
        all.backbone = Backbone::Cnn { channels: vec![32, 64, 64], width: 128 };
        all
    }

    fn linear() -> Self {
        let descent = Training { rate: 1e-3, momentum: 0.0, batch: 0 };
        Self {
            times: vec![1.0, 10.0],
            loss: Loss::Squared,
            dtype: Precision::F64,
            data: Data::Linear(LinearTask::default()),
            backbone: Backbone::Linear,
            head: vec![Head::default()],
            pretrain: Pretrain {
                source: Source::None,
                weights: None,
                epochs: 0.0,
                seed: 0,
                training: descent,
            },
            probing: Probing { longest: 20.0, training: descent },
            finetune: descent,
            heads: Heads { seeds: 3, ..Heads::default() },
            probe: Probes { points: Some(6), ..Probes::default() },
        }
    }

    /// Reads TOML; what it does not say is taken from the preset of its `data.kind`.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let given: toml::Table = toml::from_str(text)?;
        let kind = given.get("data").and_then(|d| d.get("kind")).and_then(|k| k.as_str());
        let preset = match kind {
            Some("files") => Some(Self::fashion()),
            Some(kind) => Self::preset(kind),
            None => None,
        };
        match preset {
            Some(preset) => {
                let mut all = toml::Table::try_from(&preset).expect("a preset is plain data");
                merge(&mut all, given);
                all.try_into()
            }
            // The error of serde says what is accepted.
            None => toml::from_str(text),
        }
    }

    /// Makes the configuration that of an experiment: one of its options takes several values.
    pub fn vary(&mut self, experiment: Experiment) {
        match experiment {
            Experiment::Smoothing => self.heads.smoothings = vec![0.0, 0.1, 0.3],
            Experiment::Head => {
                self.head = vec![Head::default(), Head { hidden: Some(64), blocks: 0 }];
            }
            Experiment::Partial => {
                self.head = vec![Head::default(), Head { hidden: None, blocks: 1 }];
            }
            Experiment::Scale => self.heads.scales = vec![0.25, 1.0, 4.0],
            Experiment::Rate => self.heads.head_rates = vec![0.1, 1.0, 10.0],
        }
    }

    /// The probing points.
    pub fn points(&self) -> Points {
        self.probe.points()
    }

    /// Whether times are those of a flow and not epochs.
    pub fn is_flow(&self) -> bool {
        matches!(self.data, Data::Linear(_))
    }

    /// A time in steps of training on `samples`.
    pub fn steps(&self, time: f64, training: Training, samples: usize) -> usize {
        let per_unit = if self.is_flow() {
            1.0 / training.rate
        } else {
            let batch = if training.batch == 0 { samples } else { training.batch };
            samples.div_ceil(batch) as f64
        };
        (time * per_unit).round() as usize
    }

    /// The time of so many steps.
    pub fn time(&self, steps: usize, training: Training, samples: usize) -> f64 {
        steps as f64 / self.steps(1.0, training, samples) as f64
    }

    /// Size of a step down the gradient of the mean loss. A flow descends the summed one.
    pub fn step_size(&self, training: Training, samples: usize) -> f64 {
        if self.is_flow() { training.rate * samples as f64 } else { training.rate }
    }

    /// Name of the curves: the setting, and where it is not the ordinary one.
    pub fn title(&self, head: &Head) -> String {
        let mut title = match &self.data {
            Data::Digits { .. } => "digits".to_owned(),
            Data::Linear(_) => "linear".to_owned(),
            Data::Files(files) => {
                let name = files.folder.file_name().unwrap_or(files.folder.as_os_str());
                name.to_string_lossy().into_owned()
            }
        };
        match &self.backbone {
            Backbone::Mlp { .. } => title += " mlp",
            Backbone::Cnn { .. } => title += " cnn",
            Backbone::Linear => {}
        }
        if !self.is_flow() && self.pretrain.weights.is_none() {
            match self.pretrain.source {
                Source::Labels => {}
                Source::Shuffled => title += ", shuffled source",
                Source::None => title += ", random backbone",
            }
        }
        if head.hidden.is_some() {
            title += ", two-layer head";
        }
        if head.blocks > 0 {
            title += &format!(", {} of its layers in the head", head.blocks);
        }
        title
    }

    /// Number of records.
    pub fn cells(&self) -> usize {
        self.sweep().cells().saturating_mul(self.head.len())
    }

    /// The sweep that each head makes: times, heads and probing points.
    fn sweep(&self) -> crate::sweep::config::Config {
        crate::sweep::config::Config {
            times: self.times.clone(),
            heads: self.heads.clone(),
            probe: self.probe.clone(),
            ..crate::sweep::config::Config::new(crate::tasks::TaskSpec::Gaussian(Gaussian::default()))
        }
    }

    /// Checks all values.
    ///
    /// # Errors
    ///
    /// The first value that is not accepted.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |name, value, accepted| Err(ConfigError::Value { name, value, accepted });
        self.sweep().validate()?;
        if let Some(&time) = self.times.iter().find(|t| !t.is_finite()) {
            return wrong("times", time, "finite numbers");
        }
        for (name, training) in [
            ("pretrain.rate", self.pretrain.training),
            ("probing.rate", self.probing.training),
            ("finetune.rate", self.finetune),
        ] {
            if !(training.rate > 0.0 && training.rate.is_finite()) {
                return wrong(name, training.rate, "a finite number above 0");
            }
            if !(0.0..1.0).contains(&training.momentum) {
                return wrong("momentum", training.momentum, "at least 0 and below 1");
            }
        }
        for (name, time) in
            [("pretrain.epochs", self.pretrain.epochs), ("probing.longest", self.probing.longest)]
        {
            if !(time >= 0.0 && time.is_finite()) {
                return wrong(name, time, "a finite number of at least 0");
            }
        }
        let layers = match &self.backbone {
            Backbone::Linear => 0,
            Backbone::Mlp { widths } => {
                if widths.is_empty() {
                    return Err(ConfigError::Empty { name: "backbone.widths" });
                }
                if widths.contains(&0) {
                    return wrong("backbone.widths", 0.0, "at least 1");
                }
                widths.len()
            }
            Backbone::Cnn { channels, width } => {
                if channels.is_empty() {
                    return Err(ConfigError::Empty { name: "backbone.channels" });
                }
                if channels.contains(&0) || *width == 0 {
                    return wrong("backbone.channels or .width", 0.0, "at least 1");
                }
                channels.len() + 1
            }
        };
        if let Data::Files(files) = &self.data {
            if files.source.is_empty() {
                return Err(ConfigError::Empty { name: "data.source" });
            }
            if files.side == Some(0) {
                return wrong("data.side", 0.0, "at least 1");
            }
            if files.classes.len() < 2 {
                return wrong("data.classes", files.classes.len() as f64, "at least two labels");
            }
        }
        let linear = matches!(self.backbone, Backbone::Linear);
        if self.is_flow() != linear {
            return Err(ConfigError::Apart {
                first: "data.kind = linear",
                second: "backbone.kind = linear",
            });
        }
        if let Data::Linear(task) = &self.data {
            for (name, value) in [
                ("data.samples", task.samples),
                ("data.inputs", task.inputs),
                ("data.width", task.width),
                ("data.outputs", task.outputs),
                ("data.held-out", task.held_out),
            ] {
                if value == 0 {
                    return wrong(name, 0.0, "at least 1");
                }
            }
            for training in [self.probing.training, self.finetune] {
                let whole = 1.0 / training.rate;
                if (whole - whole.round()).abs() > 1e-9 * whole || whole < 1.0 {
                    return wrong("rate", training.rate, "one over a whole number, for linear data");
                }
                if training.batch != 0 {
                    return wrong(
                        "batch",
                        training.batch as f64,
                        "0 (all samples at once), for linear data",
                    );
                }
            }
        }
        if self.head.is_empty() {
            return Err(ConfigError::Empty { name: "head" });
        }
        for head in &self.head {
            if head.hidden == Some(0) {
                return wrong("head.hidden", 0.0, "at least 1");
            }
            if head.blocks > 0 && head.blocks >= layers {
                let accepted = "fewer than the layers of the backbone: one has to stay";
                return wrong("head.blocks", head.blocks as f64, accepted);
            }
        }
        Ok(())
    }
}

/// Puts the values of `given` over those of `all`. A table whose `kind` is another one takes the place
/// of the whole; of the three ways to place probing points, only the given one stays.
fn merge(all: &mut toml::Table, given: toml::Table) {
    for (key, value) in given {
        match (all.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new))
                if key != "probe"
                    && (new.get("kind").is_none() || new.get("kind") == old.get("kind")) =>
            {
                merge(old, new);
            }
            (_, value) => {
                all.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_and_survive_their_toml() {
        for name in SETTINGS {
            let preset = Config::preset(name).unwrap();
            preset.validate().unwrap();
            let text = toml::to_string(&preset).unwrap();
            assert_eq!(Config::parse(&text).unwrap(), preset, "{text}");
        }
    }

    #[test]
    fn a_file_changes_what_it_says_and_nothing_else() {
        let text = "[data]\nkind = \"digits\"\n[finetune]\nrate = 0.5\n[probe]\ntimes = [0.0, 1.0]\n";
        let config = Config::parse(text).unwrap();
        assert_eq!(config.finetune, Training { rate: 0.5, momentum: 0.9, batch: 32 });
        assert_eq!(config.points(), Points::Times(vec![0.0, 1.0]));
        assert_eq!(config.heads, Config::preset("digits").unwrap().heads);
        let error = |text: &str| Config::parse(text).unwrap_err().to_string();
        assert!(error("[data]\nkind = \"cubic\"\n").contains("cubic"));
        assert!(error("[data]\nkind = \"digits\"\n[finetune]\nrat = 1.0\n").contains("rat"));
    }

    #[test]
    fn bad_values_are_named() {
        let message = |change: &dyn Fn(&mut Config)| {
            let mut c = Config::preset("digits").unwrap();
            change(&mut c);
            c.validate().unwrap_err().to_string()
        };
        assert!(message(&|c| c.times = vec![f64::INFINITY]).contains("`times` holds inf"));
        assert!(message(&|c| c.finetune.rate = 0.0).starts_with("`finetune.rate` holds 0"));
        assert!(message(&|c| c.probing.training.momentum = 1.0).starts_with("`momentum` holds 1"));
        assert!(message(&|c| c.head[0].blocks = 2).starts_with("`head.blocks` holds 2"));
        assert!(message(&|c| c.backbone = Backbone::Mlp { widths: vec![] }).contains("is empty"));
        assert!(message(&|c| c.heads.seeds = 0).starts_with("`seeds` holds 0"));
    }
}
