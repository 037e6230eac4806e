//! Folders of images: IDX, CIFAR, and archives of NumPy.

use std::path::Path;

use taskhead_replay::config::{Data, Files};
use taskhead_replay::data::Dataset;

use crate::numpy::{npy, npz};
use crate::reader::{Reader, bounded, join, split};
use crate::scratch::with_files;

/// Images and labels in the format of MNIST, the same ones to train on and held out.
pub const IDX: Reader = Reader {
    name: "idx",
    read: |bytes| {
        // A fuzzer rarely finds the first bytes by itself.
        let whole = |magic: u8, bytes: &[u8]| match bytes.starts_with(&[0, 0]) {
            true => bytes.to_vec(),
            false => [&[0, 0, 8, magic], bytes].concat(),
        };
        let (pixels, labels) = split(bytes);
        let (pixels, labels) = (whole(3, pixels), whole(1, labels));
        let files: [(&str, &[u8]); 4] = [
            ("train-images-idx3-ubyte", &pixels),
            ("train-labels-idx1-ubyte", &labels),
            ("t10k-images-idx3-ubyte", &pixels),
            ("t10k-labels-idx1-ubyte", &labels),
        ];
        load("idx", &files)
    },
    seeds: || [8, 300].map(idx).to_vec(),
    words: || vec!["\0\0\u{8}\u{1}", "\0\0\u{8}\u{3}", "\0\0\0\u{4}"],
};

/// Images in the binary format of CIFAR-100, the same ones to train on and held out, and the names of their classes.
/// An image is made of three bytes, as most of its 3074 tell nothing: its labels, and its pixels.
pub const CIFAR: Reader = Reader {
    name: "cifar",
    read: |bytes| {
        let (names, images) = split(bytes);
        let (images, cut) = images.as_chunks::<3>();
        let images: Vec<u8> = images
            .iter()
            .take(20)
            .flat_map(|&[a, b, c]| [vec![a, b], vec![c; 3072]].concat())
            .chain(cut.to_vec())
            .collect();
        let files: [(&str, &[u8]); 3] =
            [("train.bin", &images), ("test.bin", &images), ("fine_label_names.txt", names)];
        load("cifar", &files)
    },
    seeds: || vec![join(b"apple\nbear\ncup\n", &[0, 0, 1, 0, 1, 2, 0, 0, 3, 0, 1, 4])],
    words: || vec!["\n\n", "apple\n", "\r\n"],
};

/// An archive of arrays, as MedMNIST has them.
pub const ARCHIVE: Reader = Reader {
    name: "archive",
    read: |bytes| {
        let (images, labels) = split(bytes);
        let members =
            PARTS.map(|(name, labelled)| (name, if labelled { labels } else { images }.to_vec()));
        load("archive", &[("images.npz", &npz(&members))])
    },
    seeds: || {
        let of = |n: usize, shape: &[usize]| {
            let labels: Vec<u8> = (0..n).map(|i| (i % 2) as u8).collect();
            let size = shape.iter().product::<usize>();
            join(
                &npy("'|u1'", &[&[n], shape].concat(), &vec![7; n * size]),
                &npy("'|u1'", &[n, 1], &labels),
            )
        };
        vec![of(4, &[2, 2]), of(4, &[1, 2, 3]), of(100, &[8, 8])]
    },
    words: || {
        vec!["'descr': '|u1'", "'fortran_order': False", "'shape': (", "(0, 9223372036854775807,", ")"]
    },
};

/// Members of an archive, and whether they are labels.
const PARTS: [(&str, bool); 4] = [
    ("train_images.npy", false),
    ("train_labels.npy", true),
    ("test_images.npy", false),
    ("test_labels.npy", true),
];

fn load(kind: &str, files: &[(&str, &[u8])]) -> bool {
    let size = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let of = |folder: &Path| {
        let data = Data::Files(Files::of(folder));
        bounded(size, || 0, || Dataset::load(&data).is_ok())
    };
    with_files(kind, files, of)
}

fn idx(count: u32) -> Vec<u8> {
    let count_of = count.to_be_bytes();
    let header = [&[0, 0, 8, 3][..], &count_of, &[0, 0, 0, 4, 0, 0, 0, 5]].concat();
    let labels = (0..count).map(|i| (i % 3) as u8).collect::<Vec<_>>();
    join(
        &[header, vec![7; count as usize * 20]].concat(),
        &[&[0, 0, 8, 1], &count_of[..], &labels].concat(),
    )
}
