//! Data: images with labels of a source and of a downstream task, and random linear tasks.

mod cifar;
mod folder;
mod idx;
mod images;
mod linear;

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use rand::seq::SliceRandom;

pub use images::Images;
pub use linear::{Drawn, LinearTask};

use super::config::{Data, Files};
use super::error::ReplayError;
use taskhead::digits::{Digits, PIXELS};
use taskhead::tasks::stream;

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
    /// Source and downstream task.
    fn tasks(&self) -> Result<ImageTasks, ReplayError> {
        let (downstream, source) = (&self.folder, self.source_folder.as_ref().unwrap_or(&self.folder));
        let tasks = ImageTasks {
            source: self.split(source, &self.source, self.source_samples)?,
            downstream: self.split(downstream, &self.classes, None)?,
            samples: self.samples,
        };
        let shape = tasks.downstream.train.shape();
        for (folder, images) in [
            (downstream, &tasks.downstream.held_out),
            (source, &tasks.source.train),
            (source, &tasks.source.held_out),
        ] {
            if images.shape() != shape {
                let fault = format!(
                    "its images have the shape {:?} (height, width, channels), the downstream training images \
                     of {} have {shape:?}; accepted: one shape",
                    images.shape(),
                    downstream.display()
                );
                return Err(ReplayError::Data { path: folder.clone(), fault });
            }
        }
        Ok(tasks)
    }

    /// The images of some classes of a folder, or of all; what it holds decides how it is read.
    fn split(&self, folder: &Path, classes: &[u16], most: Option<usize>) -> Result<Split, ReplayError> {
        let fault = |fault: String| ReplayError::Data { path: folder.to_owned(), fault };
        if !folder.is_dir() {
            let option = if folder == self.folder { "--data" } else { "--source-data" };
            return Err(fault(format!("there is no such folder; {option} takes another")));
        }
        let read = |train: bool| {
            if cifar::is_there(folder) {
                cifar::read(folder, train)
            } else if folder.join("train").is_dir() {
                folder::read(folder, if train { "train" } else { "test" }, self.side)
            } else {
                let name = if train { "train" } else { "t10k" };
                idx::read(folder, name, usize::from(u8::MAX) + 1)
            }
        };
        let read = |train| read(train)?.normalised(&self.mean, &self.std).map_err(fault);
        let train = read(true)?;
        let all = train.classes_seen();
        let classes = if classes.is_empty() { &all } else { classes };
        if classes.len() < 2 {
            return Err(fault(format!(
                "there is but one label, {}; accepted: at least two",
                classes[0]
            )));
        }
        Ok(Split {
            train: train.of_classes(classes, most).map_err(fault)?,
            held_out: read(false)?.of_classes(classes, self.held_out).map_err(fault)?,
        })
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
            Data::Files(files) => files.tasks()?,
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
