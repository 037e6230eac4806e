//! Data: images with labels (of whole images, or of their pixels) of a source and of a downstream task, and random
//! linear tasks.

mod cifar;
mod decode;
mod embedded;
mod files;
mod folder;
mod found;
mod idx;
mod images;
mod layout;
mod linear;
mod mask;
mod masks;
mod molecule;
mod molecules;
mod npz;
mod reader;
mod samples;
mod scenes;
mod split;
mod table;
#[cfg(test)]
mod tests;

use rand::RngExt;
use rand::seq::SliceRandom;

pub use images::{Images, UNLABELLED};
pub use linear::Drawn;
pub use samples::Samples;
pub use split::{ImageTasks, Split};

use super::config::{Data, LinearTask};
use super::error::ReplayError;
use taskhead::tasks::stream;

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
                embedded::tasks(*samples, source_folder.as_deref(), shifted_folder.as_deref())?
            }
            Data::Files(files) => files.tasks()?,
            Data::Scenes { samples } => scenes::tasks(*samples),
            Data::Masks(files) => files.mask_tasks()?,
            Data::Molecules { samples } => molecules::tasks(*samples),
            Data::Table(table) => table.tasks()?,
        };
        let there = tasks.downstream.train.count();
        match tasks.samples {
            Some(samples) if samples == 0 || samples > there => Err(ReplayError::Unfit(format!(
                "data.samples = {samples} is not valid; accepted: 1 to {there}, the downstream training samples \
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
