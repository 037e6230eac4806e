//! The settings that come with the program, files that change them, and ready experiments.

use super::*;

/// A backbone by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Dense layers of 128 and 128.
    Mlp,
    /// Two convolutions of 16 and 32 channels, then a dense layer of 128.
    Cnn,
    /// For segmentation: 8, 16 and 32 channels down, which halve the image twice, and 16 and 16 back.
    EncoderDecoder,
    /// For molecules: three layers of a graph isomorphism network of 32.
    Gin,
    /// A small ResNet: 16, 32 and 64 channels, one block each.
    Resnet8,
    /// ResNet-18 with a 3×3 convolution first: 64, 128, 256 and 512 channels, two blocks each. For a GPU.
    Resnet18,
    /// ResNet-18 as it is trained on ImageNet, with a 7×7 convolution and pooling first.
    Resnet18Imagenet,
}

impl Architecture {
    fn resnet(channels: &[usize], blocks: usize, large: bool) -> Backbone {
        Backbone::Resnet { channels: channels.to_vec(), blocks, large }
    }

    /// The backbone.
    pub fn backbone(self) -> Backbone {
        match self {
            Self::Mlp => Backbone::Mlp { widths: vec![128, 128] },
            Self::Cnn => Backbone::Cnn { channels: vec![16, 32], width: 128 },
            Self::EncoderDecoder => Backbone::EncoderDecoder { channels: vec![8, 16, 32], width: 16 },
            Self::Gin => Backbone::Gin { widths: vec![32; 3] },
            Self::Resnet8 => Self::resnet(&[16, 32, 64], 1, false),
            Self::Resnet18 => Self::resnet(&[64, 128, 256, 512], 2, false),
            Self::Resnet18Imagenet => Self::resnet(&[64, 128, 256, 512], 2, true),
        }
    }
}

/// A ready experiment on one of the paper's practical options; the probing time is varied in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The paper's options one at a time: label smoothing of 0.1 while probing, a head with a hidden layer of 64, and
    /// the last layer of the backbone in the head, which molecules do not have; ten seeds at least.
    Table,
}

/// Heads of the experiments.
const TWO_LAYERS: Head = Head { hidden: Some(64), blocks: 0 };
const PARTIAL: Head = Head { hidden: None, blocks: 1 };

/// With three seeds, intervals of differences are too wide to tell methods apart.
const SEEDS_OF_A_TABLE: u64 = 10;

/// The settings that come with the program.
pub const SETTINGS: [&str; 7] =
    ["linear", "digits", "digits-cnn", "fashion", "images", "segmentation", "molecules"];

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
            "segmentation" => Some(Self::segmentation()),
            "molecules" => Some(Self::molecules()),
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
            data: Data::Digits { samples: Some(150), source_folder: None, shifted_folder: None },
            backbone: Architecture::Mlp.backbone(),
            head: vec![Head::default()],
            pretrain: Pretrain {
                source: Source::Labels,
                weights: None,
                epochs: 20.0,
                seed: None,
                training: training(0.02),
            },
            probing: Probing { longest: 200.0, training: training(0.02) },
            finetune: training(0.01),
            heads: Heads { seeds: 3, ..Heads::default() },
            probe: Probes { points: Some(8), ..Probes::default() },
            label_noise: 0.0,
            one_at_a_time: false,
        }
    }

    fn fashion() -> Self {
        let training = |rate| Training { rate, momentum: 0.9, batch: 64 };
        Self {
            times: vec![1.0, 5.0, 20.0],
            data: Data::Files(Files {
                source: [0, 1, 2, 3, 4].map(Class::from).to_vec(),
                classes: [5, 6, 7, 8, 9].map(Class::from).to_vec(),
                source_samples: Some(10_000),
                samples: Some(1000),
                held_out: Some(2000),
                ..Files::of(FASHION)
            }),
            backbone: Architecture::Cnn.backbone(),
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

    fn segmentation() -> Self {
        let training = Training { rate: 0.1, momentum: 0.9, batch: 8 };
        Self {
            times: vec![1.0, 5.0, 20.0],
            data: Data::Scenes { samples: Some(60) },
            backbone: Architecture::EncoderDecoder.backbone(),
            pretrain: Pretrain { epochs: 15.0, training, ..Self::digits().pretrain },
            // Slower, as the first steps take the most energy and points are whole steps.
            probing: Probing { longest: 100.0, training: Training { rate: 0.02, ..training } },
            finetune: training,
            ..Self::digits()
        }
    }

    fn molecules() -> Self {
        let training = Training { rate: 0.02, momentum: 0.9, batch: 32 };
        Self {
            times: vec![1.0, 5.0, 20.0],
            data: Data::Molecules { samples: Some(200) },
            backbone: Architecture::Gin.backbone(),
            pretrain: Pretrain { epochs: 20.0, training, ..Self::digits().pretrain },
            probing: Probing { longest: 100.0, training },
            // With the rate of pretraining the steps hide the laws.
            finetune: Training { rate: 0.003, ..training },
            ..Self::digits()
        }
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
                seed: None,
                training: descent,
            },
            probing: Probing { longest: 20.0, training: descent },
            finetune: descent,
            heads: Heads { seeds: 3, ..Heads::default() },
            probe: Probes { points: Some(6), ..Probes::default() },
            label_noise: 0.0,
            one_at_a_time: false,
        }
    }

    /// Segmentation of the images of a folder with masks.
    pub fn masks(folder: impl Into<PathBuf>) -> Self {
        Self { data: Data::Masks(Files::of(folder)), ..Self::segmentation() }
    }

    /// Molecules of a table.
    pub fn table(table: Table) -> Self {
        Self { data: Data::Table(table), ..Self::molecules() }
    }

    /// Reads TOML; what it does not say is taken from the preset of its `data.kind`.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let given: toml::Table = toml::from_str(text)?;
        let kind = given.get("data").and_then(|d| d.get("kind")).and_then(|k| k.as_str());
        let preset = match kind {
            Some("files") => Some(Self::fashion()),
            Some("scenes") => Some(Self::segmentation()),
            Some("masks") => Some(Self::masks("")),
            Some("table") => Some(Self::table(Table::of("", ""))),
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
            Experiment::Head => self.head = vec![Head::default(), TWO_LAYERS],
            Experiment::Partial => self.head = vec![Head::default(), PARTIAL],
            Experiment::Scale => self.heads.scales = vec![0.25, 1.0, 4.0],
            Experiment::Rate => self.heads.head_rates = vec![0.1, 1.0, 10.0],
            Experiment::Table => {
                self.one_at_a_time = true;
                self.heads.seeds = self.heads.seeds.max(SEEDS_OF_A_TABLE);
                self.heads.smoothings = vec![0.0, 0.1];
                self.head = vec![Head::default(), TWO_LAYERS];
                if !self.is_molecular() {
                    self.head.push(PARTIAL);
                }
            }
        }
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

    /// Ten seeds of a curve without a change and one with each; molecules have one change less.
    #[test]
    fn a_table_changes_one_thing_at_a_time() {
        let options = [
            "",
            "label-smoothed probing at ε = 0.1",
            "two-layer head of width 64",
            "part of the backbone",
        ];
        for (name, count) in [("digits", 4), ("fashion", 4), ("segmentation", 4), ("molecules", 3)] {
            let mut config = Config::preset(name).unwrap();
            config.vary(Experiment::Table);
            config.validate().unwrap();
            let grid = config.grid();
            assert_eq!(config.cells(), grid.cells(), "{name}");
            let change = |curve: &taskhead::sweep::grid::Curve| {
                let title = config.title(&config.head[curve.variant]);
                config.change(&grid.cells_of_a_point(curve, 0, &title)[0])
            };
            let changes: Vec<String> = grid.curves().iter().map(change).collect();
            assert_eq!(changes.len(), 10 * count, "{name}");
            assert!(changes.chunks(count).all(|of_seed| of_seed == &options[..count]), "{changes:?}");
            assert_eq!(Config::parse(&toml::to_string(&config).unwrap()).unwrap(), config);
        }
        let mut config = Config::preset("digits").unwrap();
        config.heads.seeds = 20;
        config.vary(Experiment::Table);
        assert_eq!(config.heads.seeds, 20);
        (config.heads.scales, config.heads.head_rates) = (vec![2.0, 1.0], vec![1.0, 0.5, 0.0]);
        assert_eq!((config.cells(), config.grid().cells()), (20 * 7 * 8 * 5, 20 * 7 * 8 * 5));
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
}
