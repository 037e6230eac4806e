//! A replay: its configuration with the data, the backbone and the curves that belong to it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use candle_core::{DType, Device};

use super::config::{Config, Data, Head, Precision};
use super::data::Dataset;
use super::error::ReplayError;
use super::pretrain::Pretrained;
use super::probing::Energies;
use super::{fit, memory, pretrain};
use taskhead::sweep::config::Heads;
use taskhead::sweep::grid::{self, Grid};
use taskhead::sweep::plan::Digest;
use taskhead::sweep::{SCHEMA, Shard, TooManyParts};

/// A replay that is ready to run.
#[derive(Debug)]
pub struct Replay {
    pub(super) config: Config,
    pub(super) dataset: Dataset,
    /// By their seeds, made when first needed; none of linear data.
    backbones: BTreeMap<u64, OnceLock<Result<Pretrained, String>>>,
    cache: Option<PathBuf>,
    weights: Option<Digest>,
    pub(super) dtype: DType,
    pub(super) device: Device,
    pub(super) grid: Grid,
    pub(super) curves: Vec<Curve>,
    /// The numbers of the probing points that are run, counted through all curves.
    pub(super) points: Range<usize>,
}

/// One curve against energy.
#[derive(Debug)]
pub(super) struct Curve {
    pub of: grid::Curve,
    pub head: Head,
    /// The energies along its probing, measured when first needed.
    pub energies: OnceLock<Result<Energies, String>>,
}

impl Replay {
    /// Reads the data and gets the backbone, from `cache` if it was pretrained before.
    ///
    /// # Errors
    ///
    /// A value of the configuration, a file, or a pretraining that failed.
    pub fn new(config: Config, device: Device, cache: Option<&Path>) -> Result<Self, ReplayError> {
        config.validate()?;
        let dtype = match config.dtype {
            Precision::F32 => DType::F32,
            Precision::F64 => DType::F64,
        };
        let dataset = Dataset::load(&config.data)?;
        fit::rows_fit(&config, &dataset)?;
        if device.is_cpu() {
            let threads = rayon::current_num_threads();
            memory::most(&config, &dataset, threads)?.within(memory::available())?;
        }
        let grid = config.grid();
        let curve = |&of: &grid::Curve| {
            let (head, energies) = (config.head[of.variant].clone(), OnceLock::new());
            Curve { of, head, energies }
        };
        let curves = grid.curves().iter().map(curve).collect();
        let points = 0..grid.curves().len() * grid.points().count();
        let mut replay = Self {
            config,
            dataset,
            backbones: BTreeMap::new(),
            cache: cache.map(Path::to_owned),
            weights: None,
            dtype,
            device,
            grid,
            curves,
            points,
        };
        if let Dataset::Images(tasks) = &replay.dataset {
            let seeds = replay.grid.curves().iter().map(|curve| replay.backbone_seed(curve.seed));
            replay.backbones = seeds.map(|seed| (seed, OnceLock::new())).collect();
            // The first one now, so that what is wrong with all of them is an error.
            let made = replay.pretrained(replay.backbone_seed(replay.grid.curves()[0].seed))?;
            if let Some(path) = replay.config.pretrain.weights.as_ref() {
                let place = (dtype, &replay.device);
                fit::weights_fit(&made.stack, &tasks.downstream.train, place, path)?;
            }
            replay.weights = made.weights;
            if let Some(place) = replay.backbones.values().next() {
                let _ = place.set(Ok(made));
            }
        }
        Ok(replay)
    }

    /// The seed of the backbone of a curve: its own, unless all have one. Weights of a file have none.
    fn backbone_seed(&self, seed: u64) -> u64 {
        if self.config.pretrain.weights.is_some() {
            0
        } else {
            self.config.pretrain.seed.unwrap_or(seed)
        }
    }

    fn pretrained(&self, seed: u64) -> Result<Pretrained, ReplayError> {
        let Dataset::Images(tasks) = &self.dataset else { unreachable!("linear data have no backbone") };
        let place = (self.dtype, &self.device);
        pretrain::backbone(&self.config, seed, &tasks.source, place, self.cache.as_deref())
    }

    /// The backbone of the curves of a seed; none of linear data.
    ///
    /// # Errors
    ///
    /// A pretraining that failed.
    pub(super) fn backbone(&self, seed: u64) -> Result<Option<&Pretrained>, ReplayError> {
        let seed = self.backbone_seed(seed);
        let Some(place) = self.backbones.get(&seed) else { return Ok(None) };
        let made = place.get_or_init(|| self.pretrained(seed).map_err(|e| e.to_string()));
        made.as_ref().map(Some).map_err(|reason| ReplayError::Unfit(reason.clone()))
    }

    /// Only a part of its probing points, with the same identity.
    ///
    /// # Errors
    ///
    /// More parts than probing points.
    pub fn shard(self, shard: Shard) -> Result<Self, TooManyParts> {
        let points = shard.of_things(self.points.end, "probing points")?;
        Ok(Self { points, ..self })
    }

    /// How many records its run makes.
    pub fn records(&self) -> usize {
        self.points.len() * self.config.times.len()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What was skipped or changed when the data were read, in words.
    pub fn notes(&self) -> &[String] {
        match &self.dataset {
            Dataset::Images(tasks) => &tasks.notes,
            Dataset::Linear(_) => &[],
        }
    }

    /// The file that the first backbone was read from.
    pub fn backbone_file(&self) -> Option<&Path> {
        let first = self.backbones.values().next()?.get()?;
        first.as_ref().ok()?.file.as_deref()
    }

    /// The files of the cache that did not hold any more what was stored, so that their backbones were pretrained
    /// again: of those backbones that were needed until now.
    pub fn remade(&self) -> impl Iterator<Item = &Path> {
        let made = self.backbones.values().filter_map(|place| place.get()?.as_ref().ok());
        made.filter_map(|made| made.remade.as_deref())
    }

    /// Whether a finished replay, given by its configuration and identity, is this one with another number of seeds.
    /// Its cells then have the numbers and the records of ours, as far as both go.
    pub fn continues(&self, config: &str, same: impl Fn(&str) -> bool) -> bool {
        let Ok(other) = toml::from_str::<Config>(config) else { return false };
        let heads = Heads { seeds: other.heads.seeds, ..self.config.heads.clone() };
        same(&self.identity_of(&Config { heads, ..self.config.clone() }))
    }

    /// Everything that its records depend on, but for the machine: the digest of this text is its identity.
    ///
    /// Images and weights count by their content, and their paths do not.
    pub fn identity(&self) -> String {
        self.identity_of(&self.config)
    }

    fn identity_of(&self, config: &Config) -> String {
        let mut config = config.clone();
        let nowhere = |folder: &mut Option<PathBuf>| *folder = folder.as_ref().map(|_| PathBuf::new());
        match &mut config.data {
            Data::Files(files) | Data::Masks(files) => {
                files.folder = PathBuf::new();
                nowhere(&mut files.source_folder);
                nowhere(&mut files.shifted_folder);
            }
            Data::Digits { source_folder, shifted_folder, .. } => {
                nowhere(source_folder);
                nowhere(shifted_folder);
            }
            Data::Table(table) => {
                table.file = PathBuf::new();
                nowhere(&mut table.source_file);
            }
            Data::Linear(_) | Data::Scenes { .. } | Data::Molecules { .. } => {}
        }
        config.pretrain.weights = self.weights.map(|digest| digest.to_string());
        let config = toml::to_string(&config).expect("a configuration is plain data");
        let data = match &self.dataset {
            Dataset::Linear(_) => String::new(),
            Dataset::Images(tasks) => {
                let (source, downstream) = (&tasks.source, &tasks.downstream);
                [&source.train, &downstream.train, &downstream.validation, &downstream.test]
                    .map(|images| images.digest().to_string())
                    .join(" ")
            }
        };
        let (version, device) = (env!("CARGO_PKG_VERSION"), self.device.location());
        format!("replay, schema {SCHEMA}, taskhead {version}\non {device:?}\n{data}\n{config}")
    }
}
