//! The bytes of a stored sweep: Parquet or CSV.
#![no_main]

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;
use taskhead_files::read_sweep;

thread_local! {
    static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
}

fuzz_target!(|bytes: &[u8]| {
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a folder for the input"));
        let path = folder.path().join("sweep");
        std::fs::write(&path, bytes).expect("space for the input");
        let _ = read_sweep(&path);
    });
});
