//! The text of a stored sweep, after the line that says what it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taskhead_files::read_sweep;

mod scratch;

fuzz_target!(|text: &[u8]| {
    // libFuzzer rarely finds the first bytes by itself.
    let start: &[u8] = if text.starts_with(b"# taskhead ") { b"" } else { b"# taskhead 0.1.0\n# schema " };
    scratch::with_files(&[("sweep.csv", &[start, text].concat())], |folder| {
        let _ = read_sweep(folder.join("sweep.csv"));
    });
});
