//! A sweep as Parquet, without a seal.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    taskhead_readers::read("parquet", bytes);
});
