//! The header of a .safetensors file, whose length is put before it, and its data.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taskhead_files::ProblemParts;

fuzz_target!(|parts: (&str, &[u8])| {
    let (header, data) = parts;
    let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat();
    if let Ok(parts) = ProblemParts::of_bytes(&file)
        && parts.memory(0) < 1e6
    {
        let _ = parts.problem();
    }
});
