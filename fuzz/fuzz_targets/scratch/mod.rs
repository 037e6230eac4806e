//! Files for readers that take paths, in one folder for each process.

use std::cell::OnceCell;
use std::path::Path;

thread_local! {
    static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
}

/// Writes the files (others of before stay) and calls `read` with their folder.
pub fn with_files(files: &[(&str, &[u8])], read: impl FnOnce(&Path)) {
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a folder for the input")).path();
        for (name, bytes) in files {
            std::fs::write(folder.join(name), bytes).expect("space for the input");
        }
        read(folder);
    });
}
