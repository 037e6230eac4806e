//! What to replay: a preset, a TOML file or flags make a [`Config`].

mod class;
mod settings;
mod theory;
mod validate;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use class::Class;
pub use settings::{Architecture, Experiment, SETTINGS};
pub use theory::{Dynamics, Kernel, Theory};
pub use validate::{MAX_ATOMS, MAX_SIDE};

use taskhead::Number;
pub use taskhead::loss::Loss;
use taskhead::sweep::config::{Heads, Points, Probes};
use taskhead::sweep::grid::Grid;
use taskhead::sweep::record::Cell;
use taskhead::tasks::Gaussian;

/// A replay: every seed, head scale, smoothing and head rate with every probing point and time.
///
/// Times count passes over the training samples (epochs), for probing and for finetuning; only for
/// `linear` data they are times of the flow, each step of gradient descent being `rate` of them.
///
/// ```
/// use taskhead_replay::config::{Config, Loss};
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
    /// What is minimised: the mean over the samples, or over the pixels.
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
    /// The share of the finetuning labels that are replaced by another class. How many is exact; which ones, and by
    /// which of the other classes, is drawn evenly by the seed. Labels of held-out images stay right.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub label_noise: f64,
    /// Each kind of head, scale, smoothing and head rate by itself, beside the first of each, and not all combinations
    /// of them: what a table of methods compares.
    #[serde(default, skip_serializing_if = "is_false")]
    pub one_at_a_time: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// Precision of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Single.
    F32,
    /// Double.
    F64,
}

impl Precision {
    /// Bytes of a number.
    pub(super) fn bytes(self) -> f64 {
        match self {
            Self::F32 => 4.0,
            Self::F64 => 8.0,
        }
    }
}

/// Source and downstream task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Data {
    /// The embedded 8×8 digits: 0–4 is the source, 5–9 is downstream.
    Digits {
        /// Downstream training images, drawn by the seed (all if absent: 598, or 1198 of all digits).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        samples: Option<usize>,
        /// A folder of images to pretrain on instead, brought to 8×8 grey pixels; then all digits are downstream.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source_folder: Option<PathBuf>,
        /// A folder whose images of the downstream digits are the test images instead, brought to 8×8 grey pixels.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shifted_folder: Option<PathBuf>,
    },
    /// Images of a folder, some classes being the source and others downstream.
    Files(Files),
    /// Segmentation: 32×32 scenes of the embedded digits on textured canvases. Those of the digits 0–4 are the source,
    /// those of 5–9 are downstream; the background is a class of both.
    Scenes {
        /// Downstream training scenes, drawn by the seed (all if absent: 300).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        samples: Option<usize>,
    },
    /// Segmentation: images of a folder with a mask for each. The folder holds one of:
    ///
    /// * `images` and `masks` with the same names but for their endings; every third image, in the order of names, is
    ///   held out.
    /// * `JPEGImages`, `SegmentationClass` and `ImageSets/Segmentation/train.txt` and `val.txt`, as Pascal VOC; the
    ///   label 255 is ignored, and classes have its names.
    ///
    /// Masks are PNG files whose palette indices or grey values are labels. Label 0, the background, is a class of both
    /// tasks; without classes the first half of the others is the source, the rest is downstream. A task has the images
    /// that show one of its classes, and their pixels of other classes count as ignored. Images are turned as their
    /// EXIF entries say, masks are not.
    Masks(Files),
    /// Molecules: those of B3DB that come with the program (`data/b3db`). The source task is whether one crosses the
    /// blood–brain barrier, the downstream task whether there is more of it in the brain than in the blood; no molecule
    /// is in both.
    Molecules {
        /// Downstream training molecules, drawn by the seed (all if absent).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        samples: Option<usize>,
    },
    /// Molecules of a table.
    Table(Table),
    /// Two-layer linear networks on random tasks of the engine, one for each seed.
    Linear(LinearTask),
}

/// Shapes of a random linear task: |x| ≈ |z| ≈ |y| ≈ 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct LinearTask {
    /// Samples N.
    pub samples: usize,
    /// Input dimension d.
    pub inputs: usize,
    /// Feature width h.
    pub width: usize,
    /// Outputs k.
    pub outputs: usize,
    /// Held-out inputs P.
    pub held_out: usize,
}

impl Default for LinearTask {
    fn default() -> Self {
        Self { samples: 8, inputs: 24, width: 32, outputs: 2, held_out: 16 }
    }
}

/// Folders of images and what is taken of them. A folder, or one below it, holds one of:
///
/// * `train/CLASS` and `test/CLASS` with images (PNG, JPEG, WebP, BMP, GIF, PNM); `val`, `valid` or `validation` may
///   stand beside `test` or for it. Classes are numbered in the order of their names. Hidden files and other
///   files are skipped with a note. Images are turned as their EXIF entries say, have three channels of 8 bits
///   (grey three times, 16 bits rounded) and are blended with black where they are transparent.
/// * IDX files: `train-images-idx3-ubyte` and its like, also `.gz`; of several sets one is `FOLDER/emnist-letters`.
///   EMNIST's images are set upright.
/// * The binary files of CIFAR-10, or of CIFAR-100 with its fine labels.
/// * An `.npz` archive with `train_images`, `train_labels`, `test_images`, `test_labels` (and `val_images`,
///   `val_labels`), as those of MedMNIST; `folder` may be the archive itself.
///
/// Where there are no images for validation, half of the held-out ones serve for it: the best probing point is
/// chosen on them, and its accuracy is that on the other half.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Files {
    /// The folder of the downstream task.
    pub folder: PathBuf,
    /// The folder of the source task (the same if absent). Its images must have the same shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_folder: Option<PathBuf>,
    /// A folder whose held-out images of the downstream classes are the test images instead: another distribution than
    /// that of training and validation. They are brought to the shape of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shifted_folder: Option<PathBuf>,
    /// Classes of the source task; all if empty.
    pub source: Vec<Class>,
    /// Classes of the downstream task; all if empty.
    pub classes: Vec<Class>,
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
    /// What is subtracted from pixels between 0 and 1: one number, or one for each channel (0 if empty).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mean: Vec<f64>,
    /// What they are then divided by: one number, or one for each channel (1 if empty).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub std: Vec<f64>,
    /// The label of masks for pixels without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<u16>,
}

impl Files {
    /// All images and classes of a folder, for both tasks.
    pub fn of(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            source_folder: None,
            shifted_folder: None,
            source: Vec::new(),
            classes: Vec::new(),
            source_samples: None,
            samples: None,
            held_out: None,
            side: None,
            mean: Vec::new(),
            std: Vec::new(),
            ignore: None,
        }
    }
}

/// Tables of molecules: CSV (comma, semicolon or tab; also `.gz`) with names in the first line, a column of SMILES and
/// columns of labels, of which one is learnt.
///
/// A molecule is its atoms but hydrogen, its bonds, and what is aromatic whichever way it is written; what mirrors or
/// turns it does not count, and one with the same neighbourhoods of all atoms is the same. Rows without the label are
/// skipped, one molecule counts once, and one with two labels not at all; a note says how many. A column of labels has
/// two classes or a few, in the order of their numbers or names. A third of the molecules of each class is held out,
/// drawn once for all seeds: half of it for validation, half for tests. No molecule is in both tasks: where both labels
/// are in one table, molecules that have both are dealt out to them in turn, and those of another source table that are
/// in the downstream one are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Table {
    /// The table of the downstream task.
    pub file: PathBuf,
    /// That of the source task (the same if absent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_file: Option<PathBuf>,
    /// The column of SMILES (if absent, the one named `smiles`, whatever its case).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smiles: Option<String>,
    /// The column of downstream labels.
    pub label: String,
    /// The column of source labels (the same if absent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_label: Option<String>,
    /// Source training molecules, the first ones (all if absent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_samples: Option<usize>,
    /// Downstream training molecules, drawn by the seed (all if absent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<usize>,
    /// The most atoms but hydrogen of a molecule; larger ones are skipped.
    pub atoms: usize,
}

impl Table {
    /// All molecules of a table, for both tasks.
    pub fn of(file: impl Into<PathBuf>, label: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            source_file: None,
            smiles: None,
            label: label.into(),
            source_label: None,
            source_samples: None,
            samples: None,
            atoms: 64,
        }
    }
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
    /// For segmentation: a convolution with 3×3 filters and residual blocks, each halving height and width; then the
    /// way back, doubling them, with a convolution for each. Every pixel has features of its own. Normalised by batches
    /// as a ResNet.
    EncoderDecoder {
        /// Output channels of each stage on the way down, the first of which keeps height and width; on the way back
        /// those of the stage before.
        channels: Vec<usize>,
        /// Feature width h: output channels of the last convolution.
        width: usize,
    },
    /// For molecules: layers of a graph isomorphism network, each with a network of two dense layers, and the mean over
    /// the atoms. Without batch normalisation.
    Gin {
        /// Features of an atom after each layer; the last is the feature width h.
        widths: Vec<usize>,
    },
    /// A ResNet: a convolution with 3×3 filters, stages of residual blocks, the mean over all pixels. Each stage
    /// but the first halves height and width. Normalised by batches; features are measured with the
    /// statistics of all training samples.
    Resnet {
        /// Output channels of each stage; the last is the feature width h.
        channels: Vec<usize>,
        /// Blocks of each stage.
        blocks: usize,
        /// For large images: a first convolution with 7×7 filters and pooling, which divide height and width
        /// by 4.
        #[serde(default)]
        large: bool,
    },
}

/// Layers from the features to the outputs; the last one is linear without bias.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Head {
    /// Width of a hidden layer: a two-layer head. Absent: a linear head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
    /// How many layers at the end of the backbone are initialised anew and belong to the head.
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
    /// Seed of the backbone, its source head and its batches, for all seeds; if absent, each seed has a backbone of its
    /// own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How.
    pub training: Training,
}

/// What the backbone learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

impl Config {
    /// The probing points.
    pub fn points(&self) -> Points {
        self.probe.points()
    }

    /// Whether times are those of a flow and not epochs.
    pub fn is_flow(&self) -> bool {
        matches!(self.data, Data::Linear(_))
    }

    /// Whether pixels have labels, and not whole images.
    pub fn is_segmentation(&self) -> bool {
        matches!(self.data, Data::Scenes { .. } | Data::Masks(_))
    }

    /// Whether samples are molecules.
    pub fn is_molecular(&self) -> bool {
        matches!(self.data, Data::Molecules { .. } | Data::Table(_))
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

    /// The time that a given number of steps takes.
    pub fn time(&self, steps: usize, training: Training, samples: usize) -> f64 {
        steps as f64 / self.steps(1.0, training, samples) as f64
    }

    /// Size of a step down the gradient of the mean loss. A flow descends the summed one.
    pub fn step_size(&self, training: Training, samples: usize) -> f64 {
        if self.is_flow() { training.rate * samples as f64 } else { training.rate }
    }

    /// Name of the curves: the setting, and where it is not the ordinary one.
    pub fn title(&self, head: &Head) -> String {
        let name =
            |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let between = |source: Option<&Path>, folder: String| match source {
            Some(source) => format!("{} to {folder}", name(source)),
            None => folder,
        };
        let mut title = match &self.data {
            Data::Linear(_) => "linear".to_owned(),
            Data::Digits { source_folder, .. } => between(source_folder.as_deref(), "digits".into()),
            Data::Files(files) | Data::Masks(files) => {
                between(files.source_folder.as_deref(), name(&files.folder))
            }
            Data::Scenes { .. } => "scenes".into(),
            Data::Molecules { .. } => "molecules".into(),
            Data::Table(table) => {
                let file = name(&table.file);
                between(table.source_file.as_deref(), format!("{file} {}", table.label))
            }
        };
        match &self.backbone {
            Backbone::Mlp { .. } => title += " mlp",
            Backbone::Cnn { .. } => title += " cnn",
            Backbone::Resnet { channels, blocks, .. } => {
                title += &format!(" resnet-{}", 2 + 2 * channels.len() * blocks);
            }
            Backbone::EncoderDecoder { .. } => title += " encoder-decoder",
            Backbone::Gin { .. } => title += " gin",
            Backbone::Linear => {}
        }
        if !self.is_flow() && self.pretrain.weights.is_none() {
            match self.pretrain.source {
                Source::Labels => {}
                Source::Shuffled => title += ", shuffled source",
                Source::None => title += ", random backbone",
            }
        }
        if self.label_noise > 0.0 {
            title += &format!(", {} % label noise", 100.0 * self.label_noise);
        }
        if let Data::Digits { shifted_folder: Some(folder), .. }
        | Data::Files(Files { shifted_folder: Some(folder), .. }) = &self.data
        {
            title += &format!(", tested on {}", name(folder));
        }
        if let Some(width) = head.hidden {
            title += ", two-layer head";
            let alike = |other: &&Head| other.hidden.is_some() && other.blocks == head.blocks;
            if self.head.iter().filter(alike).count() > 1 {
                title += &format!(" of width {width}");
            }
        }
        if head.blocks > 0 {
            title += &format!(", {} of its layers in the head", head.blocks);
        }
        title
    }

    /// Number of records.
    pub fn cells(&self) -> usize {
        let all = self.sweep().cells().saturating_mul(self.head.len());
        if !self.one_at_a_time {
            return all;
        }
        let Heads { scales, smoothings, head_rates, .. } = &self.heads;
        let options = [self.head.len(), scales.len(), smoothings.len(), head_rates.len()];
        let combinations: usize = options.iter().product();
        all / combinations.max(1)
            * (1 + options.iter().map(|count| count.saturating_sub(1)).sum::<usize>())
    }

    /// Every cell in its place; the values must be valid.
    pub(super) fn grid(&self) -> Grid {
        let grid = Grid::new(&self.heads, self.head.len(), self.points(), &self.times);
        if self.one_at_a_time { grid.one_at_a_time() } else { grid }
    }

    /// What the curve of a cell changes, in words: nothing of the first of its seed.
    pub fn change(&self, cell: &Cell) -> String {
        let head = self.head.iter().find(|head| self.title(head) == cell.problem);
        let (first, heads) = (&self.head[0], &self.heads);
        let head = head.unwrap_or(first);
        let parts = [
            (head.blocks != first.blocks).then(|| match head.blocks {
                0 => "the whole backbone".to_owned(),
                1 => "part of the backbone".to_owned(),
                blocks => format!("part of the backbone without {blocks} layers"),
            }),
            (head.hidden != first.hidden).then(|| match head.hidden {
                None => "linear head".to_owned(),
                Some(width) => format!("two-layer head of width {width}"),
            }),
            (cell.head_scale != heads.scales[0])
                .then(|| format!("head scale {}", Number(cell.head_scale))),
            (cell.smoothing != heads.smoothings[0])
                .then(|| format!("label-smoothed probing at ε = {}", Number(cell.smoothing))),
            (cell.head_rate != heads.head_rates[0]).then(|| format!("γ = {}", Number(cell.head_rate))),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The sweep that each head makes: times, heads and probing points.
    fn sweep(&self) -> taskhead::sweep::config::Config {
        taskhead::sweep::config::Config {
            times: self.times.clone(),
            heads: self.heads.clone(),
            probe: self.probe.clone(),
            ..taskhead::sweep::config::Config::new(taskhead::tasks::TaskSpec::Gaussian(
                Gaussian::default(),
            ))
        }
    }
}
