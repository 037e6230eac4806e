//! The bytes of a problem file: .npz or .safetensors.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taskhead_files::ProblemParts;

/// Problems of more bytes than this are not made, only read.
const SMALL: f64 = 1e6;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(parts) = ProblemParts::of_bytes(bytes)
        && parts.memory(0) < SMALL
    {
        let _ = parts.problem();
    }
});
