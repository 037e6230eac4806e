//! The backbone before finetuning: pretrained on the source task, read from a file, or random.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device};
use serde::Serialize;

use super::config::{Backbone, Config, Loss, Precision, Pretrain, Source};
use super::data::Split;
use super::error::ReplayError;
use super::measure::{outputs, settle};
use super::network::{Plan, Stack};
use super::train::{Descent, Trainer};
use super::weights::{Kept, kept, load, store};
use taskhead::sweep::plan::Digest;
use taskhead::tasks::stream;
use taskhead_files::digest;

/// A backbone that is ready for finetuning.
#[derive(Debug, Clone)]
pub struct Pretrained {
    /// Its layers.
    pub stack: Stack,
    /// Where it was read from.
    pub file: Option<PathBuf>,
    /// The digest of the user's weights.
    pub weights: Option<Digest>,
    /// The file of the cache that did not hold any more what was stored, so that it was made again.
    pub remade: Option<PathBuf>,
}

/// Purposes of the random streams of pretraining.
mod purpose {
    pub const BACKBONE: u64 = 111;
    pub const HEAD: u64 = 112;
    pub const BATCHES: u64 = 113;
    pub const LABELS: u64 = 114;
}

/// Everything that a pretrained backbone depends on.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Identity<'a> {
    version: &'static str,
    source: String,
    device: String,
    dtype: Precision,
    loss: Loss,
    backbone: &'a Backbone,
    pretrain: &'a Pretrain,
}

/// The layers of a backbone.
pub fn plan(backbone: &Backbone) -> Vec<Plan> {
    match backbone {
        Backbone::Mlp { widths } => widths.iter().map(|&width| Plan::Dense { width }).collect(),
        Backbone::Cnn { channels, width } => {
            let conv = channels.iter().map(|&channels| Plan::Conv { channels, pool: true });
            conv.chain([Plan::Dense { width: *width }]).collect()
        }
        Backbone::Resnet { channels, blocks, large } => {
            let block = |(stage, block): (usize, usize)| Plan::Residual {
                channels: channels[stage],
                stride: if stage > 0 && block == 0 { 2 } else { 1 },
                mean: (stage + 1, block + 1) == (channels.len(), *blocks),
            };
            let all = (0..channels.len()).flat_map(|stage| (0..*blocks).map(move |b| (stage, b)));
            [Plan::Stem { channels: channels[0], large: *large }]
                .into_iter()
                .chain(all.map(block))
                .collect()
        }
        Backbone::EncoderDecoder { channels, width } => {
            let normed = |&channels: &usize| Plan::Stem { channels, large: false };
            let down = channels[1..].iter();
            let down = down.map(|&channels| Plan::Residual { channels, stride: 2, mean: false });
            // Back through the sizes of the images that the blocks were given.
            let before = channels[1..channels.len() - 1].iter().rev().chain([width]);
            let up = before.flat_map(|channels| [Plan::Up, normed(channels)]);
            [normed(&channels[0])].into_iter().chain(down).chain(up).collect()
        }
        Backbone::Gin { widths } => {
            let gin = |(i, &width)| Plan::Gin { width, mean: i + 1 == widths.len() };
            widths.iter().enumerate().map(gin).collect()
        }
        Backbone::Linear => Vec::new(),
    }
}

/// Makes the backbone of a configuration from a seed. With a `cache` folder, a backbone that was pretrained in the
/// same way is read from there, if the file still holds what was stored, and a new one is stored.
///
/// # Errors
///
/// Weights that do not fit, a pretraining that diverges, a cache that cannot be written.
pub fn backbone(
    config: &Config,
    seed: u64,
    source: &Split,
    place: (DType, &Device),
    cache: Option<&Path>,
) -> Result<Pretrained, ReplayError> {
    let shape = source.train.shape();
    let pretrain = &Pretrain { seed: Some(seed), ..config.pretrain.clone() };
    let mut rng = stream(seed, purpose::BACKBONE);
    let (stack, features) = Stack::new(&plan(&config.backbone), &shape, &mut rng, place)?;
    if let Some(path) = &pretrain.weights {
        let path = PathBuf::from(path);
        let weights = Some(load(&stack, &config.backbone, &path)?);
        return Ok(Pretrained { stack, file: Some(path), weights, remade: None });
    }
    if pretrain.source == Source::None {
        return Ok(Pretrained { stack, file: None, weights: None, remade: None });
    }
    let identity = Identity {
        version: env!("CARGO_PKG_VERSION"),
        source: source.train.digest().to_string(),
        device: format!("{:?}", place.1.location()),
        dtype: config.dtype,
        loss: config.loss,
        backbone: &config.backbone,
        pretrain,
    };
    let identity = toml::to_string(&identity).expect("an identity is plain data");
    let path = cache.map(|folder| folder.join(file_name(&identity)));
    let mut remade = None;
    if let Some(path) = path.as_ref().filter(|path| path.exists()) {
        match kept(path, &identity)? {
            Kept::Whole => {
                load(&stack, &config.backbone, path)?;
                return Ok(Pretrained { stack, file: Some(path.clone()), weights: None, remade });
            }
            Kept::Other => {}
            Kept::Changed => remade = Some(path.clone()),
        }
    }
    let head = source_head(seed, source, &features, place)?;
    train(config, seed, source, &stack.clone().then(head), place)?;
    if let Some(path) = path {
        store(&stack, &path, &identity)?;
    }
    Ok(Pretrained { stack, file: None, weights: None, remade })
}

/// Trains backbone and head on the source task, in place.
fn train(
    config: &Config,
    seed: u64,
    source: &Split,
    whole: &Stack,
    (dtype, device): (DType, &Device),
) -> Result<(), ReplayError> {
    let Pretrain { epochs, training, .. } = config.pretrain;
    let images = match config.pretrain.source {
        Source::Shuffled => source.train.shuffled(&mut stream(seed, purpose::LABELS)),
        Source::Labels | Source::None => source.train.clone(),
    };
    let train = images.samples(dtype, device)?;
    let descent = Descent::new(training.momentum).with(whole.variables("pretraining"), training.rate);
    let mut trainer = Trainer::new(
        whole,
        (&train.inputs, &train.targets),
        config.loss,
        training,
        descent,
        stream(seed, purpose::BATCHES),
    )?;
    let steps = (epochs * trainer.per_epoch() as f64).round() as usize;
    trainer.until(steps)?;
    settle(whole, &train.inputs)?;
    if outputs(whole, &train.inputs)?.iter().all(|v| v.is_finite()) {
        Ok(())
    } else {
        Err(ReplayError::Diverged { stage: "pretraining", time: epochs, rate: training.rate })
    }
}

/// A head for the source task.
fn source_head(
    seed: u64,
    source: &Split,
    features: &[usize],
    place: (DType, &Device),
) -> Result<Stack, ReplayError> {
    let plan = [Plan::linear(source.train.row(), source.train.classes())];
    Ok(Stack::new(&plan, features, &mut stream(seed, purpose::HEAD), place)?.0)
}

/// The file of an identity in a cache.
fn file_name(identity: &str) -> String {
    let digest = digest(identity).to_string();
    format!("backbone-{}.safetensors", &digest[..16])
}
