//! Mutations of valid folders of images: no panic, and no more memory than ten times what was read.

use std::path::Path;

use allocation_counter::measure;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use taskhead_replay::config::{Data, Files};
use taskhead_replay::data::Dataset;

/// What a reader may take however little it is given: names, messages, buffers.
const SLACK: u64 = 256 << 10;

/// Changes some bytes, cuts, or doubles; headers stand at the beginning.
fn mutate(bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    for _ in 0..random.random_range(1..4) {
        if bytes.is_empty() {
            return bytes.push(0);
        }
        let near = bytes.len().min(20);
        let at = [random.random_range(0..near), random.random_range(0..bytes.len())]
            [random.random_range(0..2)];
        match random.random_range(0..6) {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, random.random_range(0..=255)),
            2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.random_range(0..5)],
            3 if random.random_range(0..4) == 0 => bytes.truncate(at),
            4 => {
                let piece = bytes[at..bytes.len().min(at + 40)].to_vec();
                drop(bytes.splice(at..at, piece));
            }
            _ => bytes[at] ^= 1 << random.random_range(0..8),
        }
    }
}

fn load(folder: &Path) -> bool {
    Dataset::load(&Data::Files(Files::of(folder))).is_ok()
}

/// Mutates one of the files in each round; some mutations must be read and some refused.
fn check(files: &[(&str, Vec<u8>)], rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    files.iter().for_each(|(name, bytes)| write(name, bytes));
    assert!(load(folder.path()), "{} is valid", files[0].0);
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut accepted = 0;
    for round in 0..rounds {
        let (name, bytes) = &files[round % files.len()];
        let mut mutated = bytes.clone();
        mutate(&mut mutated, &mut random);
        write(name, &mutated);
        let mut good = false;
        let taken = measure(|| good = load(folder.path())).bytes_max;
        accepted += usize::from(good);
        let size: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        let allowed = 10 * (size + mutated.len()) as u64 + SLACK;
        assert!(taken <= allowed, "{name}, round {round}: {taken} bytes, allowed {allowed}");
        write(name, bytes);
    }
    assert!(accepted > rounds / 50 && accepted < rounds, "{}: {accepted} of {rounds}", files[0].0);
}

/// 300 images of 4×5 in three classes.
#[test]
fn idx() {
    let labels: Vec<u8> = (0..300).map(|i| (i % 3) as u8).collect();
    let images = [&[0, 0, 8, 3, 0, 0, 1, 44, 0, 0, 0, 4, 0, 0, 0, 5], &[7; 300 * 20][..]].concat();
    let labels = [&[0, 0, 8, 1, 0, 0, 1, 44], &labels[..]].concat();
    let named = |part: &str| [format!("{part}-images-idx3-ubyte"), format!("{part}-labels-idx1-ubyte")];
    let [train, test] = ["train", "t10k"].map(named);
    let files = [
        (&*train[0], images.clone()),
        (&*train[1], labels.clone()),
        (&*test[0], images),
        (&*test[1], labels),
    ];
    check(&files, 4000);
}

#[test]
fn cifar() {
    let images: Vec<u8> = (0..12u8).flat_map(|i| [vec![i / 4, i % 3], vec![i; 3072]].concat()).collect();
    let names = b"apple\nbear\ncup\n".to_vec();
    check(&[("train.bin", images.clone()), ("test.bin", images), ("fine_label_names.txt", names)], 1000);
}
