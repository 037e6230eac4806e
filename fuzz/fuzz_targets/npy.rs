//! Two .npy arrays in a sound archive.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    taskhead_readers::read("npy", bytes);
});
