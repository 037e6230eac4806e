//! Images and labels in the format of MNIST, the same ones to train on and held out.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taskhead_replay::config::{Data, Files};
use taskhead_replay::data::Dataset;

mod scratch;

fuzz_target!(|parts: (&[u8], &[u8])| {
    let whole = |magic: &[u8], bytes: &[u8]| if bytes.starts_with(&[0, 0]) { bytes.to_vec() } else { [magic, bytes].concat() };
    let (pixels, labels) = (whole(&[0, 0, 8, 3], parts.0), whole(&[0, 0, 8, 1], parts.1));
    let files: [(&str, &[u8]); 4] = [
        ("train-images-idx3-ubyte", &pixels),
        ("train-labels-idx1-ubyte", &labels),
        ("t10k-images-idx3-ubyte", &pixels),
        ("t10k-labels-idx1-ubyte", &labels),
    ];
    scratch::with_files(&files, |folder| {
        let _ = Dataset::load(&Data::Files(Files::of(folder)));
    });
});
