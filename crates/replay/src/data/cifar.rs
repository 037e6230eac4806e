//! Images in the binary formats of CIFAR-10 and CIFAR-100: one or two labels, then 32×32 red, green and blue bytes,
//! image by image.

use std::path::Path;

use super::Images;
use super::found::{Found, fault};
use crate::error::ReplayError;

const SIDE: usize = 32;
const PIXELS: usize = SIDE * SIDE;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// CIFAR-10.
    Ten,
    /// CIFAR-100, of whose labels the fine ones are taken.
    Hundred,
}

impl Kind {
    const fn classes(self) -> usize {
        match self {
            Self::Ten => 10,
            Self::Hundred => 100,
        }
    }

    /// Labels of an image; the last one counts.
    const fn labels(self) -> usize {
        match self {
            Self::Ten => 1,
            Self::Hundred => 2,
        }
    }

    /// Names of the files of training images, and of that of test images, without `.bin`.
    fn files(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Ten => (
                &["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"],
                "test_batch",
            ),
            Self::Hundred => (&["train"], "test"),
        }
    }

    fn all_files(self) -> impl Iterator<Item = &'static str> {
        let (train, test) = self.files();
        train.iter().copied().chain([test])
    }

    /// The file of the names of classes, which need not be there.
    fn names(self) -> &'static str {
        match self {
            Self::Ten => "batches.meta.txt",
            Self::Hundred => "fine_label_names.txt",
        }
    }

    /// One line that makes the binary files of the pickled ones.
    fn conversion(self) -> &'static str {
        match self {
            Self::Ten => {
                "python3 -c \"import pickle, numpy as np; [np.c_[np.array(d[b'labels'], 'u1'), d[b'data']].tofile(n + \
                 '.bin') for n in ['data_batch_%d' % i for i in range(1, 6)] + ['test_batch'] for d in \
                 [pickle.load(open(n, 'rb'), encoding='bytes')]]\""
            }
            Self::Hundred => {
                "python3 -c \"import pickle, numpy as np; [np.c_[np.array([d[b'coarse_labels'], d[b'fine_labels']], \
                 'u1').T, d[b'data']].tofile(n + '.bin') for n in ['train', 'test'] for d in [pickle.load(open(n, \
                 'rb'), encoding='bytes')]]\""
            }
        }
    }
}

/// The kind of such files in a folder, if there is one.
///
/// # Errors
///
/// Pickled files, which could run code.
pub(super) fn kind(folder: &Path) -> Result<Option<Kind>, ReplayError> {
    for kind in [Kind::Ten, Kind::Hundred] {
        if kind.all_files().any(|name| folder.join(format!("{name}.bin")).is_file()) {
            return Ok(Some(kind));
        }
    }
    for kind in [Kind::Ten, Kind::Hundred] {
        if kind.all_files().all(|name| folder.join(name).is_file()) {
            return fault(
                folder,
                format!(
                    "these are CIFAR-{}'s pickled files, which are not read as they may run code; in this folder, \
                     this line makes the binary ones: {}",
                    kind.classes(),
                    kind.conversion()
                ),
            );
        }
    }
    Ok(None)
}

/// Reads training and test images of a folder.
///
/// # Errors
///
/// A file that is missing, cannot be read or is not whole images; a label that does not exist.
pub(super) fn read(folder: &Path, kind: Kind) -> Result<Found, ReplayError> {
    let missing: Vec<String> = kind
        .all_files()
        .map(|name| format!("{name}.bin"))
        .filter(|name| !folder.join(name).is_file())
        .collect();
    if !missing.is_empty() {
        let classes = kind.classes();
        return fault(
            folder,
            format!("of CIFAR-{classes}'s binary files {} are missing", missing.join(", ")),
        );
    }
    let (train, test) = kind.files();
    let names = std::fs::read_to_string(folder.join(kind.names())).unwrap_or_default();
    let names = names.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(Found {
        train: images(folder, kind, train)?,
        held_out: images(folder, kind, &[test])?,
        validation: None,
        names: names.collect(),
        notes: vec![],
    })
}

fn images(folder: &Path, kind: Kind, names: &[&str]) -> Result<Images, ReplayError> {
    let record = kind.labels() + 3 * PIXELS;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for name in names {
        let path = folder.join(format!("{name}.bin"));
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) => return fault(&path, format!("cannot read: {e}")),
        };
        if bytes.is_empty() || bytes.len() % record != 0 {
            return fault(
                &path,
                format!(
                    "it has {} bytes; accepted: a multiple of {record}, which is an image",
                    bytes.len()
                ),
            );
        }
        for (row, record) in bytes.chunks_exact(record).enumerate() {
            let (given, planes) = record.split_at(kind.labels());
            let label = given[kind.labels() - 1];
            if usize::from(label) >= kind.classes() {
                let most = kind.classes() - 1;
                return fault(
                    &path,
                    format!("image {row} has the label {label}; accepted: 0 to {most}"),
                );
            }
            labels.push(u16::from(label));
            pixels.extend((0..3 * PIXELS).map(|i| planes[i % 3 * PIXELS + i / 3]));
        }
    }
    Images::new([SIDE, SIDE, 3], pixels, labels, kind.classes(), 255.0)
        .or_else(|reason| fault(folder, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One image with these labels, whose colours begin at 10, 20 and 30.
    fn record(labels: &[u8]) -> Vec<u8> {
        let mut record = labels.to_vec();
        for colour in [10u8, 20, 30] {
            record.extend((0..PIXELS).map(|i| colour + (i % 2) as u8));
        }
        record
    }

    #[test]
    fn planes_become_pixels_and_faults_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        assert_eq!(kind(here).unwrap(), None);
        std::fs::write(here.join("test_batch.bin"), record(&[7]).repeat(2)).unwrap();
        assert_eq!(kind(here).unwrap(), Some(Kind::Ten));
        let error = || read(here, Kind::Ten).unwrap_err().to_string();
        for i in [1, 2, 4, 5] {
            std::fs::write(here.join(format!("data_batch_{i}.bin")), record(&[i])).unwrap();
        }
        assert!(
            error().ends_with("of CIFAR-10's binary files data_batch_3.bin are missing"),
            "{}",
            error()
        );
        std::fs::write(here.join("data_batch_3.bin"), record(&[3])).unwrap();
        std::fs::write(here.join("batches.meta.txt"), "plane\ncar\n\n").unwrap();
        let found = read(here, Kind::Ten).unwrap();
        assert_eq!(found.train.labels(), [1, 2, 3, 4, 5]);
        assert_eq!(found.names, ["plane", "car"]);
        let images = found.held_out;
        assert_eq!((images.count(), images.labels(), images.shape()), (2, &[7u16, 7][..], [32, 32, 3]));
        let tensor = images.samples(candle_core::DType::F32, &candle_core::Device::Cpu).unwrap().inputs;
        let row = (tensor.flatten_all().unwrap() * 255.0).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(
            row[..6].iter().map(|v| v.round()).collect::<Vec<_>>(),
            [10., 20., 30., 11., 21., 31.]
        );
        std::fs::write(here.join("test_batch.bin"), &record(&[7])[..3 * PIXELS]).unwrap();
        assert!(error().contains("it has 3072 bytes"), "{}", error());
        std::fs::write(here.join("test_batch.bin"), record(&[10])).unwrap();
        assert!(error().contains("image 0 has the label 10"), "{}", error());
    }

    #[test]
    fn the_fine_labels_of_cifar_100_count() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        std::fs::write(here.join("train.bin"), [record(&[19, 99]), record(&[3, 0])].concat()).unwrap();
        assert_eq!(kind(here).unwrap(), Some(Kind::Hundred));
        let error = || read(here, Kind::Hundred).unwrap_err().to_string();
        assert!(error().contains("CIFAR-100's binary files test.bin are missing"), "{}", error());
        std::fs::write(here.join("test.bin"), record(&[1, 5])).unwrap();
        let found = read(here, Kind::Hundred).unwrap();
        assert_eq!((found.train.labels(), found.held_out.labels()), (&[99u16, 0][..], &[5u16][..]));
        std::fs::write(here.join("test.bin"), record(&[1, 100])).unwrap();
        assert!(error().contains("label 100; accepted: 0 to 99"), "{}", error());
    }

    #[test]
    fn pickled_files_are_refused_with_a_conversion() {
        for (kind_, labels) in [(Kind::Ten, "b'labels'"), (Kind::Hundred, "b'fine_labels'")] {
            let folder = tempfile::tempdir().unwrap();
            for name in kind_.all_files() {
                std::fs::write(folder.path().join(name), b"\x80\x02}q\x01.").unwrap();
            }
            let error = kind(folder.path()).unwrap_err().to_string();
            assert!(error.contains("pickled files") && error.contains(labels), "{error}");
        }
    }
}
