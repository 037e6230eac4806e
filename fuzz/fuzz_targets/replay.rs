//! The configuration of a replay.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    taskhead_readers::read("replay", bytes);
});
