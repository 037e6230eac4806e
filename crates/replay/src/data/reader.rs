//! Reading the images of a folder, with notes of what was skipped or changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image::RgbImage;
use image::imageops::{FilterType, resize};

use super::decode::{Decoded, EXTENSIONS, decode};
use super::found::{entries, fault, is_of_the_system};
use crate::error::ReplayError;

/// Names that a note lists.
const LISTED: usize = 5;

/// What is worth a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    System,
    Loose,
    NoPartner,
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
            Self::NoPartner => "skipped as they are masks of no image".into(),
            Self::OtherClass => "skipped as train has no such class".into(),
            Self::NoImage => {
                format!("skipped as they are no images that are read ({})", EXTENSIONS.join(", "))
            }
            Self::Transparent => "blended with black where they are transparent".into(),
            Self::Deep => "rounded from 16 to 8 bits".into(),
        }
    }
}

/// Reads images of one size and remembers what is worth a note.
pub(super) struct Reader<'a> {
    root: &'a Path,
    side: Option<u32>,
    /// Width and height of all images, once known.
    size: Option<(u32, u32)>,
    seen: BTreeMap<Seen, Vec<String>>,
}

impl<'a> Reader<'a> {
    /// For a folder; with a `side` all images are brought to side×side, else they must be of one size.
    pub fn new(root: &'a Path, side: Option<u32>) -> Self {
        Self { root, side, size: None, seen: BTreeMap::new() }
    }

    /// Width and height of all images; one pixel if none was read.
    pub fn size(&self) -> (u32, u32) {
        self.size.unwrap_or((1, 1))
    }

    /// Remembers a path for a note.
    pub fn see(&mut self, what: Seen, path: &Path) {
        let shown = path.strip_prefix(self.root).unwrap_or(path).display().to_string();
        self.seen.entry(what).or_default().push(shown);
    }

    /// Entries of a folder but those of the system.
    pub fn admitted(&mut self, folder: &Path) -> Result<Vec<PathBuf>, ReplayError> {
        let (system, others): (Vec<_>, Vec<_>) =
            entries(folder)?.into_iter().partition(|path| is_of_the_system(path));
        system.iter().for_each(|path| self.see(Seen::System, path));
        Ok(others)
    }

    /// One image.
    ///
    /// # Errors
    ///
    /// One that is damaged or of another size.
    pub fn image(&mut self, path: &Path) -> Result<RgbImage, ReplayError> {
        Ok(self.image_and_size(path)?.0)
    }

    /// One image, with the width and height of the file.
    pub fn image_and_size(&mut self, path: &Path) -> Result<(RgbImage, (u32, u32)), ReplayError> {
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
            let found = image.dimensions();
            let image = if found == (side, side) {
                image
            } else {
                resize(&image, side, side, FilterType::Triangle)
            };
            return Ok((image, found));
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
        Ok((image, found))
    }

    /// What was seen, in words.
    pub fn notes(self) -> Vec<String> {
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
