//! A table as another program may write it, without a seal: data, and the metadata behind them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taskhead_files::read_sweep;

mod scratch;

fuzz_target!(|bytes: &[u8]| {
    // A whole file that the corpus holds, without its seal; or the metadata of one, between the marks of the format.
    let file = if bytes.starts_with(b"PAR1") && bytes.len() > 16 {
        [&bytes[..4], b"no seal.", &bytes[12..]].concat()
    } else {
        [b"PAR1", bytes, &(bytes.len() as u32).to_le_bytes(), b"PAR1"].concat()
    };
    scratch::with_files(&[("sweep.parquet", &file)], |folder| {
        let _ = read_sweep(folder.join("sweep.parquet"));
    });
});
