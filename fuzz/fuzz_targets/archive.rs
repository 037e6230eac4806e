//! Images in an archive of NumPy.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    taskhead_readers::read("archive", bytes);
});
