//! Data: images with labels (of whole images, or of their pixels) of a source and of a downstream task, and random
//! linear tasks.

mod cifar;
mod decode;
mod files;
mod folder;
mod found;
mod idx;
mod images;
mod layout;
mod linear;
mod mask;
mod masks;
mod npz;
mod reader;
mod samples;
mod scenes;
#[cfg(test)]
mod tests;

use std::path::Path;

use rand::RngExt;
use rand::seq::SliceRandom;

pub use images::{Images, UNLABELLED};
pub use linear::Drawn;
pub use samples::Samples;

use super::config::{Class, Data, Files, LinearTask};
use super::error::ReplayError;
use taskhead::digits::{Digits, PIXELS};
use taskhead::tasks::stream;

/// Images to train on and two kinds of images that are not.
#[derive(Debug, Clone)]
pub struct Split {
    /// To train on.
    pub train: Images,
    /// To choose by.
    pub validation: Images,
    /// To report on, without a part in any choice.
    pub test: Images,
}

impl Split {
    /// Where there are no images for validation, half of those held out serve for it ([`Images::halves`]).
    ///
    /// # Errors
    ///
    /// In words: a single held-out image.
    fn new(train: Images, held_out: Images, validation: Option<Images>) -> Result<Self, String> {
        if let Some(validation) = validation {
            return Ok(Self { train, validation, test: held_out });
        }
        if held_out.count() < 2 {
            return Err(
                "there is but one held-out image; accepted: at least two, one to choose by and one to \
                report on"
                    .into(),
            );
        }
        let [validation, test] = held_out.halves();
        Ok(Self { train, validation, test })
    }
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
    /// What was skipped or changed when they were read, in words.
    pub notes: Vec<String>,
}

/// The data of a configuration.
#[derive(Debug, Clone)]
pub enum Dataset {
    /// Two tasks on images.
    Images(Box<ImageTasks>),
    /// A random task for each seed.
    Linear(LinearTask),
}

/// Purposes of random streams: of the one that draws training images, and of the one that draws wrong labels.
const DRAW: u64 = 101;
const NOISE: u64 = 103;

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
            Data::Digits { samples, source_folder, shifted_folder } => {
                embedded(*samples, source_folder.as_deref(), shifted_folder.as_deref())?
            }
            Data::Files(files) => files.tasks()?,
            Data::Scenes { samples } => scenes::tasks(*samples),
            Data::Masks(files) => files.mask_tasks()?,
        };
        let there = tasks.downstream.train.count();
        match tasks.samples {
            Some(samples) if samples == 0 || samples > there => Err(ReplayError::Unfit(format!(
                "data.samples = {samples} is not valid; accepted: 1 to {there}, the downstream training images \
                 (--samples)"
            ))),
            _ => Ok(Self::Images(Box::new(tasks))),
        }
    }
}

/// The downstream training images of a seed, in its order.
pub fn draw(images: &Images, samples: Option<usize>, seed: u64) -> Images {
    let Some(samples) = samples else { return images.clone() };
    let mut order: Vec<usize> = (0..images.count()).collect();
    order.shuffle(&mut stream(seed, DRAW));
    images.select(&order[..samples])
}

/// The same images, of which a share has the label of another class, each as likely. How many is exact.
pub fn with_noise(images: Images, share: f64, seed: u64) -> Images {
    let mut rng = stream(seed, NOISE);
    let (mut order, mut labels) = ((0..images.count()).collect::<Vec<_>>(), images.labels().to_vec());
    let classes = images.classes() as u16;
    order.shuffle(&mut rng);
    for &row in &order[..(share * images.count() as f64).round() as usize] {
        labels[row] = (labels[row] + rng.random_range(1..classes)) % classes;
    }
    images.with_labels(labels)
}

/// The embedded digits: 0–4 and 5–9, or all of them after another source.
fn embedded(
    samples: Option<usize>,
    source: Option<&Path>,
    shifted: Option<&Path>,
) -> Result<ImageTasks, ReplayError> {
    let (of_source, first) = match source {
        None => (digits(0..5), 5),
        Some(folder) => (files::source_of(folder, SHAPE)?, 0),
    };
    let mut downstream = digits(first..10);
    if let Some(folder) = shifted {
        let classes: Vec<Class> = (first..10).map(|digit| Class::from(u16::from(digit))).collect();
        downstream.test = Files::of(folder).shifted(folder, &classes, SHAPE)?;
    }
    Ok(ImageTasks { source: of_source, downstream, samples, notes: vec![] })
}

/// Height, width and channels of the embedded digits.
const SHAPE: [usize; 3] = [8, 8, 1];

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
    Split::new(images(&train), images(&held_out), None).expect("hundreds are held out")
}
