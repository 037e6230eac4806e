//! Files for readers that take paths, in one folder for each thread.

use std::path::Path;

thread_local! {
    static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder for the input");
}

/// Writes the files into the folder of a kind (earlier ones stay) and calls `read` with it.
pub fn with_files(kind: &str, files: &[(&str, &[u8])], read: impl FnOnce(&Path) -> bool) -> bool {
    FOLDER.with(|folder| {
        let folder = folder.path().join(kind);
        std::fs::create_dir_all(&folder).expect("a folder for the input");
        for (name, bytes) in files {
            std::fs::write(folder.join(name), bytes).expect("space for the input");
        }
        read(&folder)
    })
}
