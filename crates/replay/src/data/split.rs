//! The images of a task in three parts, and the two tasks of a replay.

use super::Images;

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
    pub fn new(train: Images, held_out: Images, validation: Option<Images>) -> Result<Self, String> {
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
