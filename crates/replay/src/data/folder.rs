//! A folder of images: `train/CLASS` and `test/CLASS`, where `val`, `valid` or `validation` may stand beside
//! `test` or for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image::RgbImage;
use image::imageops::{FilterType, resize};

use super::Images;
use super::decode::{Decoded, EXTENSIONS, decode};
use super::found::{Found, entries, fault, is_of_the_system, name};
use crate::error::ReplayError;

const TRAIN: [&str; 2] = ["train", "training"];
const TEST: [&str; 2] = ["test", "testing"];
const VALIDATION: [&str; 3] = ["val", "valid", "validation"];

/// Names that a note lists.
const LISTED: usize = 5;

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
    let mut reader = Reader { root: folder, side, size: None, seen: BTreeMap::new() };
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

/// What is worth a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    System,
    Loose,
    OtherClass,
    NoImage,
    Transparent,
    Deep,
}

impl Seen {
    fn words(self) -> String {
        match self {
            Self::System => "skipped as hidden or of the system".into(),
            Self::Loose => "skipped as they lie in no folder of a class".into(),
            Self::OtherClass => "skipped as train has no such class".into(),
            Self::NoImage => {
                format!("skipped as they are no images that are read ({})", EXTENSIONS.join(", "))
            }
            Self::Transparent => "blended with black where they are transparent".into(),
            Self::Deep => "rounded from 16 to 8 bits".into(),
        }
    }
}

struct Reader<'a> {
    root: &'a Path,
    side: Option<u32>,
    /// Width and height of all images, once known.
    size: Option<(u32, u32)>,
    seen: BTreeMap<Seen, Vec<String>>,
}

impl Reader<'_> {
    fn see(&mut self, what: Seen, path: &Path) {
        let shown = path.strip_prefix(self.root).unwrap_or(path).display().to_string();
        self.seen.entry(what).or_default().push(shown);
    }

    /// Entries of a folder but those of the system.
    fn admitted(&mut self, folder: &Path) -> Result<Vec<PathBuf>, ReplayError> {
        let (system, others): (Vec<_>, Vec<_>) =
            entries(folder)?.into_iter().partition(|path| is_of_the_system(path));
        system.iter().for_each(|path| self.see(Seen::System, path));
        Ok(others)
    }

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
        let (width, height) = self.size.unwrap_or((1, 1));
        Images::new([height as usize, width as usize, 3], pixels, labels, classes.len(), 255.0)
            .or_else(|reason| fault(part, reason))
    }

    fn image(&mut self, path: &Path) -> Result<RgbImage, ReplayError> {
        let Decoded { image, transparent, deep } = match decode(path) {
            Ok(decoded) => decoded,
            Err(reason) => return fault(path, format!("this image cannot be read: {reason}")),
        };
        if transparent {
            self.see(Seen::Transparent, path);
        }
        if deep {
            self.see(Seen::Deep, path);
        }
        if let Some(side) = self.side {
            self.size = Some((side, side));
            return Ok(if image.dimensions() == (side, side) {
                image
            } else {
                resize(&image, side, side, FilterType::Triangle)
            });
        }
        let (found, wanted) = (image.dimensions(), *self.size.get_or_insert(image.dimensions()));
        if found != wanted {
            return fault(
                path,
                format!(
                    "this image has {}×{} pixels, the first one {}×{}; accepted: one size, or --side N (`side` under \
                     [data]), which brings all to N×N",
                    found.0, found.1, wanted.0, wanted.1
                ),
            );
        }
        Ok(image)
    }

    fn notes(self) -> Vec<String> {
        let Self { root, seen, .. } = self;
        let note = |(what, paths): (Seen, Vec<String>)| {
            let rest = paths.len().saturating_sub(LISTED);
            let mut list = paths[..paths.len().min(LISTED)].join(", ");
            if rest > 0 {
                list += &format!(" and {rest} more");
            }
            format!("{}: {}: {list}", root.display(), what.words())
        };
        seen.into_iter().map(note).collect()
    }
}
