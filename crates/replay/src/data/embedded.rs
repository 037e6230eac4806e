//! The embedded digits as two tasks on images.

use std::path::Path;

use super::files::source_of;
use super::{ImageTasks, Images, Split};
use crate::config::{Class, Files};
use crate::error::ReplayError;
use taskhead::digits::{Digits, PIXELS};

/// Every third digit is held out.
pub(super) const HELD_OUT_EVERY: usize = 3;

/// The embedded digits: 0–4 and 5–9, or all of them after another source.
pub(super) fn tasks(
    samples: Option<usize>,
    source: Option<&Path>,
    shifted: Option<&Path>,
) -> Result<ImageTasks, ReplayError> {
    let (of_source, first) = match source {
        None => (digits(0..5), 5),
        Some(folder) => (source_of(folder, SHAPE)?, 0),
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
    let (train, held_out) = Digits::all().of(range).split(HELD_OUT_EVERY);
    let images = |digits: &Digits| {
        let pixels = digits.images.transpose().iter().map(|p| (p * 16.0) as u8).collect();
        let labels = digits.labels.iter().map(|l| u16::from(l - first)).collect();
        let side = PIXELS.isqrt();
        Images::new([side, side, 1], pixels, labels, classes, 16.0).expect("digits fit their classes")
    };
    Split::new(images(&train), images(&held_out), None).expect("hundreds are held out")
}
