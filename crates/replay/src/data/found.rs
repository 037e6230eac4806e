//! What the readers of images share: what they give, and how they look into folders.

use std::path::{Path, PathBuf};

use super::images::Images;
use crate::error::ReplayError;

/// The images of a folder.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub train: Images,
    /// Not trained on; for tests only, if there are images for validation too.
    pub held_out: Images,
    pub validation: Option<Images>,
    /// Names of the classes by their labels; empty if they have none.
    pub names: Vec<String>,
    /// What was skipped or changed, in words.
    pub notes: Vec<String>,
}

/// An error about a file or folder.
pub(super) fn fault<T>(path: &Path, fault: String) -> Result<T, ReplayError> {
    Err(ReplayError::Data { path: path.to_owned(), fault })
}

/// The last part of a path.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Entries of a folder in the order of their names.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let failed = |e: std::io::Error| ReplayError::Data {
        path: folder.to_owned(),
        fault: format!("cannot read: {e}"),
    };
    let all = std::fs::read_dir(folder).map_err(failed)?;
    let mut all: Vec<PathBuf> =
        all.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>().map_err(failed)?;
    all.sort();
    Ok(all)
}

/// What operating systems, archivers and notebooks leave among images, and everything hidden.
pub(super) fn is_of_the_system(path: &Path) -> bool {
    const NAMES: [&str; 7] =
        ["__macosx", "__pycache__", "thumbs.db", "desktop.ini", "@eadir", "lost+found", "$recycle.bin"];
    let name = name(path).to_lowercase();
    name.starts_with('.') || NAMES.contains(&name.as_str())
}
