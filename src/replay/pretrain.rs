//! The backbone before finetuning: pretrained on the source task, read from a file, or random.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device};
use flate2::Crc;
use rand::seq::SliceRandom;
use safetensors::SafeTensors;
use serde::Serialize;

use super::config::{Backbone, Config, Loss, Precision, Pretrain, Source};
use super::data::{Images, Split};
use super::error::ReplayError;
use super::measure::outputs;
use super::network::{Plan, Stack};
use super::train::{Descent, Trainer};
use crate::files::{Fault, write_atomically};
use crate::tasks::stream;

/// A backbone that is ready for finetuning.
#[derive(Debug, Clone)]
pub struct Pretrained {
    /// Its layers.
    pub stack: Stack,
    /// Where it was read from.
    pub file: Option<PathBuf>,
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
    source_checksum: u32,
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
        Backbone::Linear => Vec::new(),
    }
}

/// Makes the backbone of a configuration. With a `cache` folder, a backbone that was pretrained in the
/// same way is read from there, and a new one is stored.
///
/// # Errors
///
/// Weights that do not fit, a pretraining that diverges, a cache that cannot be written.
pub fn backbone(
    config: &Config,
    source: &Split,
    place: (DType, &Device),
    cache: Option<&Path>,
) -> Result<Pretrained, ReplayError> {
    let shape = source.train.shape();
    let pretrain = &config.pretrain;
    let mut rng = stream(pretrain.seed, purpose::BACKBONE);
    let (stack, features) = Stack::new(&plan(&config.backbone), &shape, &mut rng, place)?;
    if let Some(path) = &pretrain.weights {
        let path = PathBuf::from(path);
        load(&stack, &path)?;
        return Ok(Pretrained { stack, file: Some(path) });
    }
    if pretrain.source == Source::None {
        return Ok(Pretrained { stack, file: None });
    }
    let identity = Identity {
        version: env!("CARGO_PKG_VERSION"),
        source_checksum: source.train.checksum(),
        device: format!("{:?}", place.1.location()),
        dtype: config.dtype,
        loss: config.loss,
        backbone: &config.backbone,
        pretrain,
    };
    let identity = toml::to_string(&identity).expect("an identity is plain data");
    let path = cache.map(|folder| folder.join(file_name(&identity)));
    if let Some(path) = path.as_ref().filter(|path| path.exists())
        && stored_identity(path)?.as_deref() == Some(&identity)
    {
        load(&stack, path)?;
        return Ok(Pretrained { stack, file: Some(path.clone()) });
    }
    let head = source_head(config, source, &features, place)?;
    train(config, source, &stack.clone().then(head), place)?;
    if let Some(path) = path {
        store(&stack, &path, &identity)?;
    }
    Ok(Pretrained { stack, file: None })
}

/// Trains backbone and head on the source task, in place.
fn train(
    config: &Config,
    source: &Split,
    whole: &Stack,
    (dtype, device): (DType, &Device),
) -> Result<(), ReplayError> {
    let Pretrain { epochs, seed, training, .. } = config.pretrain;
    let images = match config.pretrain.source {
        Source::Shuffled => shuffled(&source.train, seed),
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
    if outputs(whole, &train.inputs)?.iter().all(|v| v.is_finite()) {
        Ok(())
    } else {
        Err(ReplayError::Diverged { stage: "pretraining", time: epochs, rate: training.rate })
    }
}

/// A head for the source task.
fn source_head(
    config: &Config,
    source: &Split,
    features: &[usize],
    place: (DType, &Device),
) -> Result<Stack, ReplayError> {
    let plan = [Plan::Linear { width: source.train.classes() }];
    Ok(Stack::new(&plan, features, &mut stream(config.pretrain.seed, purpose::HEAD), place)?.0)
}

fn shuffled(images: &Images, seed: u64) -> Images {
    let mut labels = images.labels().to_vec();
    labels.shuffle(&mut stream(seed, purpose::LABELS));
    images.clone().with_labels(labels)
}

/// The file of an identity in a cache.
fn file_name(identity: &str) -> String {
    let mut crc = Crc::new();
    crc.update(identity.as_bytes());
    format!("backbone-{:08x}.safetensors", crc.sum())
}

/// What the names of its variables begin with.
const PREFIX: &str = "backbone";

/// Key of the metadata that says what a stored backbone depends on.
const CONFIGURATION: &str = "configuration";

/// Stores a backbone with what it depends on.
fn store(stack: &Stack, path: &Path, identity: &str) -> Result<(), ReplayError> {
    let fault = |fault: String| ReplayError::Weights { path: path.to_owned(), fault };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| fault(format!("cannot make its folder: {e}")))?;
    }
    let variables = stack.variables(PREFIX).into_iter().map(|(name, v)| (name, v.as_tensor().clone()));
    let metadata = HashMap::from([(CONFIGURATION.to_owned(), identity.to_owned())]);
    let bytes = safetensors::serialize(variables, Some(metadata)).map_err(|e| fault(e.to_string()))?;
    write_atomically(path, |writer| {
        writer.write_all(&bytes).map_err(|source| Fault::Io { action: "write", source })
    })
    .map_err(|e| fault(e.fault.to_string()))
}

/// What a stored backbone depends on.
fn stored_identity(path: &Path) -> Result<Option<String>, ReplayError> {
    let bytes = read(path)?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| unreadable(path, &e))?;
    Ok(metadata.metadata().as_ref().and_then(|m| m.get(CONFIGURATION).cloned()))
}

fn read(path: &Path) -> Result<Vec<u8>, ReplayError> {
    std::fs::read(path)
        .map_err(|e| ReplayError::Weights { path: path.to_owned(), fault: format!("cannot read: {e}") })
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> ReplayError {
    let fault = format!("this is not a whole safetensors file ({error})");
    ReplayError::Weights { path: path.to_owned(), fault }
}

/// Puts the weights of a file into the variables of a backbone: all of them, each of its shape.
fn load(stack: &Stack, path: &Path) -> Result<(), ReplayError> {
    let fault = |fault: String| Err(ReplayError::Weights { path: path.to_owned(), fault });
    let bytes = read(path)?;
    let mut stored =
        candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).map_err(|e| unreadable(path, &e))?;
    for (name, variable) in stack.variables(PREFIX) {
        let Some(tensor) = stored.remove(&name) else {
            return fault(format!("these weights are of another backbone: there is no `{name}`"));
        };
        if tensor.dims() != variable.dims() {
            return fault(format!(
                "these weights are of another backbone: `{name}` has shape {:?}, wanted is {:?}",
                tensor.dims(),
                variable.dims()
            ));
        }
        let tensor = tensor.to_dtype(variable.dtype())?;
        let sum = tensor.abs()?.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        if !sum.is_finite() {
            return fault(format!("`{name}` holds values that are not finite"));
        }
        variable.set(&tensor.to_device(variable.device())?)?;
    }
    if let Some(name) = stored.keys().min() {
        return fault(format!("these weights are of another backbone: `{name}` has no place"));
    }
    Ok(())
}
