//! Images and labels in the format of MNIST.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    taskhead_readers::read("idx", bytes);
});
