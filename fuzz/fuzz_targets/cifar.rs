//! Images in the binary format of CIFAR-100, the same ones to train on and held out, and the names of their classes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taskhead_replay::config::{Data, Files};
use taskhead_replay::data::Dataset;

mod scratch;

/// Two labels and 3 · 32 · 32 bytes.
const IMAGE: usize = 3074;

fuzz_target!(|parts: (&[u8], &str, u16)| {
    let (bytes, names, cut) = parts;
    // Whole images of what there is, and now and then a part of one.
    let images = bytes.chunks(2).flat_map(|start| start.iter().copied().chain([7; IMAGE]).take(IMAGE));
    let mut images: Vec<u8> = images.take(20 * IMAGE).collect();
    if cut % 8 == 0 {
        images.truncate(images.len().saturating_sub(usize::from(cut / 8)));
    }
    let files: [(&str, &[u8]); 3] =
        [("train.bin", &images), ("test.bin", &images), ("fine_label_names.txt", names.as_bytes())];
    scratch::with_files(&files, |folder| {
        let _ = Dataset::load(&Data::Files(Files::of(folder)));
    });
});
