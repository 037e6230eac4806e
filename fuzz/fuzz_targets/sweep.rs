//! The bytes of a stored sweep: Parquet or CSV.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taskhead_files::read_sweep;

mod scratch;

fuzz_target!(|bytes: &[u8]| {
    scratch::with_files(&[("sweep", bytes)], |folder| {
        let _ = read_sweep(folder.join("sweep"));
    });
});
