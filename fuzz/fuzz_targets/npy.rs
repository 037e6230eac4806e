//! The bytes of two .npy arrays, `features` and `labels`, in an archive whose checksums are right.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use taskhead_files::ProblemParts;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fuzz_target!(|arrays: (&[u8], &[u8])| {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("features.npy", arrays.0), ("labels.npy", arrays.1)] {
        // libFuzzer rarely finds the first bytes by itself.
        let start: &[u8] = if bytes.starts_with(b"\x93NUMPY") { b"" } else { b"\x93NUMPY\x01\x00" };
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(name, options).expect("a new member");
        zip.write_all(&[start, bytes].concat()).expect("memory");
    }
    let archive = zip.finish().expect("memory").into_inner();
    if let Ok(parts) = ProblemParts::of_bytes(&archive)
        && parts.memory(0) < 1e6
    {
        let _ = parts.problem();
    }
});
