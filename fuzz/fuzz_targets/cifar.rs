//! Images in the format of CIFAR-100.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    taskhead_readers::read("cifar", bytes);
});
