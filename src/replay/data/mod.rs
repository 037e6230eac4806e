//! Data: images with labels of a source and of a downstream task, and random linear tasks.

mod cifar;
mod folder;
mod idx;
mod images;
mod linear;

use candle_core::{DType, Device, Tensor};
use rand::seq::SliceRandom;

pub use images::Images;
pub use linear::{Drawn, LinearTask};

use super::config::{Data, Files};
use super::error::ReplayError;
use crate::digits::{Digits, PIXELS};
use crate::tasks::stream;

/// Inputs (N×…) with targets (N×k).
#[derive(Debug, Clone)]
pub struct Samples {
    /// One sample a row.
    pub inputs: Tensor,
    /// One-hot for classes.
    pub targets: Tensor,
}

impl Samples {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.inputs.dims()[0]
    }

    /// Outputs k.
    pub fn outputs(&self) -> usize {
        self.targets.dims()[1]
    }

    /// Shape of one input.
    pub fn shape(&self) -> &[usize] {
        &self.inputs.dims()[1..]
    }
}

/// Images to train on and images held out.
#[derive(Debug, Clone)]
pub struct Split {
    /// To train on.
    pub train: Images,
    /// Held out.
    pub held_out: Images,
}

/// Two tasks on images of one shape.
#[derive(Debug, Clone)]
pub struct ImageTasks {
    /// What the backbone is pretrained on.
    pub source: Split,
    /// What it is finetuned on.
    pub downstream: Split,
    /// Downstream training images drawn by a seed.
    pub samples: Option<usize>,
}

/// The data of a configuration.
#[derive(Debug, Clone)]
pub enum Dataset {
    /// Two tasks on images.
    Images(Box<ImageTasks>),
    /// A random task for each seed.
    Linear(LinearTask),
}

impl Files {
    /// The images of some classes; what the folder holds decides how it is read.
    fn split(&self, classes: &[u16], most: Option<usize>) -> Result<Split, ReplayError> {
        let fault = |fault: String| ReplayError::Data { path: self.folder.clone(), fault };
        if !self.folder.is_dir() {
            return Err(fault("there is no such folder; --data takes another".into()));
        }
        let part = |train: bool, most| {
            let all = if cifar::is_there(&self.folder) {
                cifar::read(&self.folder, train)
            } else if self.folder.join("train").is_dir() {
                folder::read(&self.folder, if train { "train" } else { "test" }, self.side)
            } else {
                let name = if train { "train" } else { "t10k" };
                idx::read(&self.folder, name, usize::from(u8::MAX) + 1)
            };
            all?.of_classes(classes, most).map_err(fault)
        };
        Ok(Split { train: part(true, most)?, held_out: part(false, self.held_out)? })
    }
}

/// Purpose of the random stream that draws training images.
const DRAW: u64 = 101;

/// Every third digit is held out.
const DIGITS_HELD_OUT_EVERY: usize = 3;

impl Dataset {
    /// Reads or makes the data.
    ///
    /// # Errors
    ///
    /// More samples than there are; a file that is missing, damaged or of another kind.
    pub fn load(data: &Data) -> Result<Self, ReplayError> {
        let tasks = match data {
            Data::Linear(task) => return Ok(Self::Linear(task.clone())),
            &Data::Digits { samples } => {
                ImageTasks { source: digits(0..5), downstream: digits(5..10), samples }
            }
            Data::Files(files) => ImageTasks {
                source: files.split(&files.source, files.source_samples)?,
                downstream: files.split(&files.classes, None)?,
                samples: files.samples,
            },
        };
        let there = tasks.downstream.train.count();
        match tasks.samples {
            Some(samples) if samples == 0 || samples > there => Err(ReplayError::Unfit(format!(
                "data.samples = {samples} is not valid; accepted: 1 to {there}, the downstream training images"
            ))),
            _ => Ok(Self::Images(Box::new(tasks))),
        }
    }
}

/// The downstream training images of a seed, in its order.
pub fn draw(
    images: &Images,
    samples: Option<usize>,
    seed: u64,
    dtype: DType,
    device: &Device,
) -> candle_core::Result<Samples> {
    let Some(samples) = samples else { return images.samples(dtype, device) };
    let mut order: Vec<usize> = (0..images.count()).collect();
    order.shuffle(&mut stream(seed, DRAW));
    images.select(&order[..samples]).samples(dtype, device)
}

fn digits(range: std::ops::Range<u8>) -> Split {
    let first = range.start;
    let classes = range.len();
    let (train, held_out) = Digits::all().of(range).split(DIGITS_HELD_OUT_EVERY);
    let images = |digits: &Digits| {
        let pixels = digits.images.transpose().iter().map(|p| (p * 16.0) as u8).collect();
        let labels = digits.labels.iter().map(|l| u16::from(l - first)).collect();
        let side = PIXELS.isqrt();
        Images::new([side, side, 1], pixels, labels, classes, 16.0).expect("digits fit their classes")
    };
    Split { train: images(&train), held_out: images(&held_out) }
}
