//! What lies in a folder of images, and where in it.

use std::path::{Path, PathBuf};

use super::found::{Found, entries, fault, is_of_the_system, name};
use super::{cifar, folder, idx, npz};
use crate::error::ReplayError;

/// What is read.
const ACCEPTED: &str = "train/CLASS and test/CLASS (or val/CLASS) with images, IDX files \
    (train-images-idx3-ubyte and its like, also .gz), the binary files of CIFAR-10 (data_batch_1.bin …) or of \
    CIFAR-100 (train.bin, test.bin), or an .npz file with train_images, train_labels, test_images and test_labels";

/// How images are kept.
enum Layout {
    Cifar(cifar::Kind),
    Folder,
    Idx(Vec<String>),
    Npz(PathBuf),
}

impl Layout {
    /// That of a folder itself, whatever is in folders below.
    fn of(folder: &Path) -> Result<Option<Self>, ReplayError> {
        if let Some(kind) = cifar::kind(folder)? {
            return Ok(Some(Self::Cifar(kind)));
        }
        if folder::is_there(folder)? {
            return Ok(Some(Self::Folder));
        }
        let all = entries(folder)?;
        let sets = idx::sets(&all);
        if !sets.is_empty() {
            return Ok(Some(Self::Idx(sets)));
        }
        let archives: Vec<&PathBuf> = all.iter().filter(|path| is_npz(path)).collect();
        match archives[..] {
            [] => Ok(None),
            [one] => Ok(Some(Self::Npz(one.clone()))),
            _ => {
                let names: Vec<_> = archives.iter().map(|path| name(path)).collect();
                fault(
                    folder,
                    format!("there are several archives; accepted: one of {}", names.join(", ")),
                )
            }
        }
    }

    fn read(self, folder: &Path, side: Option<u32>) -> Result<Found, ReplayError> {
        match self {
            Self::Cifar(kind) => cifar::read(folder, kind),
            Self::Folder => folder::read(folder, side),
            Self::Npz(path) => npz::read(&path),
            Self::Idx(sets) => match &sets[..] {
                [one] => idx::read(folder, one),
                _ => fault(
                    folder,
                    format!(
                        "there are several sets of IDX files; accepted: the folder with the name of one behind it, \
                         {}",
                        sets.iter()
                            .map(|set| format!("{}/{set}", name(folder)))
                            .collect::<Vec<_>>()
                            .join(", ")
                    ),
                ),
            },
        }
    }
}

/// Levels of folders below the given one that are searched.
const LEVELS: usize = 2;

/// Reads all images of a folder, of an archive, or of one set of IDX files among others (FOLDER/emnist-letters).
/// Where the folder itself holds none, the one folder below that does is read. `flag` is what takes another one.
///
/// # Errors
///
/// A missing path, no or several kinds of images, files that are damaged or do not belong together.
pub(super) fn read(path: &Path, side: Option<u32>, flag: &str) -> Result<Found, ReplayError> {
    if path.is_file() {
        if is_npz(path) {
            return npz::read(path);
        }
        return fault(path, format!("this is a file; accepted: {ACCEPTED}"));
    }
    if !path.is_dir() {
        let (folder, set) = (path.parent().unwrap_or(Path::new("")), name(path));
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if folder.is_dir() && idx::sets(&entries(folder)?).contains(&set) {
            return idx::read(folder, &set);
        }
        return fault(path, format!("there is no such folder; {flag} takes another"));
    }
    let mut level = vec![path.to_owned()];
    for depth in 0..=LEVELS {
        let mut found = Vec::new();
        for folder in &level {
            found.extend(Layout::of(folder)?.map(|layout| (folder.clone(), layout)));
        }
        if found.len() > 1 {
            found = readable(path, found)?;
        }
        match found.len() {
            0 => {}
            1 => {
                let (folder, layout) = found.pop().expect("one");
                let mut images = layout.read(&folder, side)?;
                if depth > 0 {
                    images.notes.insert(
                        0,
                        format!("the images of {} are those of {}", path.display(), folder.display()),
                    );
                }
                return Ok(images);
            }
            _ => {
                let all: Vec<_> = found.iter().map(|(folder, _)| folder.display().to_string()).collect();
                return fault(
                    path,
                    format!(
                        "there are images in several folders; {flag} takes one of {}",
                        all.join(", ")
                    ),
                );
            }
        }
        let below = level.iter().map(|folder| entries(folder)).collect::<Result<Vec<_>, _>>()?;
        level = below.into_iter().flatten().filter(|p| p.is_dir() && !is_of_the_system(p)).collect();
    }
    fault(path, format!("there are no images that can be read; accepted: {ACCEPTED}"))
}

/// Those of several folders whose images are all there: one of IDX files may lack some of its set, as where each file
/// lies in a folder of its own.
///
/// # Errors
///
/// Folders of which none has a whole set.
fn readable(path: &Path, all: Vec<(PathBuf, Layout)>) -> Result<Vec<(PathBuf, Layout)>, ReplayError> {
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    for (folder, layout) in all {
        let lacking = match &layout {
            Layout::Idx(sets) => {
                let lacking = sets.iter().map(|set| idx::lacking(&folder, set));
                let lacking = lacking.collect::<Result<Vec<_>, _>>()?;
                lacking.into_iter().min_by_key(Vec::len).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        if lacking.is_empty() {
            whole.push((folder, layout));
        } else {
            parts.push(format!("{} lacks {}", folder.display(), lacking.join(", ")));
        }
    }
    if whole.is_empty() {
        return fault(
            path,
            format!("the files of a set of IDX must be in one folder; {}", parts.join("; ")),
        );
    }
    Ok(whole)
}

fn is_npz(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npz"))
}
