//! The header and the data of a .safetensors file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    taskhead_readers::read("safetensors", bytes);
});
