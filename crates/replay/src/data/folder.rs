//! A folder of images: `train/CLASS` and `test/CLASS`, where `val`, `valid` or `validation` may stand beside
//! `test` or for it.

use std::path::{Path, PathBuf};

use super::Images;
use super::decode::EXTENSIONS;
use super::found::{Found, entries, fault, name};
use super::reader::{Reader, Seen};
use crate::error::ReplayError;

const TRAIN: [&str; 2] = ["train", "training"];
const TEST: [&str; 2] = ["test", "testing"];
const VALIDATION: [&str; 3] = ["val", "valid", "validation"];

/// The folder below that has one of some names, in whatever case.
fn part(folder: &Path, names: &[&str]) -> Result<Option<PathBuf>, ReplayError> {
    let is_named = |path: &PathBuf| names.contains(&name(path).to_lowercase().as_str());
    let mut all: Vec<PathBuf> =
        entries(folder)?.into_iter().filter(|path| path.is_dir() && is_named(path)).collect();
    if all.len() > 1 {
        let both =
            format!("there are both {} and {}; accepted: one of them", name(&all[0]), name(&all[1]));
        return fault(folder, both);
    }
    Ok(all.pop())
}

/// Whether a folder holds training images in this way.
pub(super) fn is_there(folder: &Path) -> Result<bool, ReplayError> {
    Ok(part(folder, &TRAIN)?.is_some())
}

/// Reads all images; a class is numbered by the place of its name among the folders of `train`. With a `side` all
/// images are brought to side×side, else they must be of one size. They have three channels of 8 bits.
///
/// # Errors
///
/// A missing part, a class without a training image, an image that is damaged or of another size.
pub(super) fn read(folder: &Path, side: Option<u32>) -> Result<Found, ReplayError> {
    let Some(train) = part(folder, &TRAIN)? else {
        return fault(folder, "there is no folder train".into());
    };
    let (test, validation) = (part(folder, &TEST)?, part(folder, &VALIDATION)?);
    let (held_out, validation) = match (test, validation) {
        (Some(test), validation) => (test, validation),
        (None, Some(validation)) => (validation, None),
        (None, None) => {
            return fault(
                folder,
                format!(
                    "beside {} there is none of the folders test, val, valid, validation",
                    name(&train)
                ),
            );
        }
    };
    let mut reader = Reader::new(folder, side);
    let mut classes = Vec::new();
    for path in reader.admitted(&train)? {
        if path.is_dir() {
            classes.push(name(&path));
        } else {
            reader.see(Seen::Loose, &path);
        }
    }
    let train = reader.part(&train, &classes, true)?;
    let held_out = reader.part(&held_out, &classes, false)?;
    let validation = validation.map(|part| reader.part(&part, &classes, false)).transpose()?;
    let notes = reader.notes();
    Ok(Found { train, held_out, validation, names: classes, notes })
}

impl Reader<'_> {
    /// The images of one part, class by class.
    fn part(&mut self, part: &Path, classes: &[String], all: bool) -> Result<Images, ReplayError> {
        if !all {
            for path in self.admitted(part)? {
                if !path.is_dir() {
                    self.see(Seen::Loose, &path);
                } else if !classes.contains(&name(&path)) {
                    self.see(Seen::OtherClass, &path);
                }
            }
        }
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for (label, class) in classes.iter().enumerate() {
            let folder = part.join(class);
            let before = labels.len();
            let files = if folder.is_dir() { self.admitted(&folder)? } else { vec![] };
            for path in files {
                let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
                if path.is_file() && extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str())) {
                    pixels.extend(self.image(&path)?.into_raw());
                    labels.push(label as u16);
                } else {
                    self.see(Seen::NoImage, &path);
                }
            }
            if all && labels.len() == before {
                let reason = format!("this class has no image; accepted: {}", EXTENSIONS.join(", "));
                return fault(&folder, reason);
            }
        }
        let (width, height) = self.size();
        Images::new([height as usize, width as usize, 3], pixels, labels, classes.len(), 255.0)
            .or_else(|reason| fault(part, reason))
    }
}
