//! Images in the IDX format of MNIST and its successors, plain or compressed with gzip.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::Images;
use super::found::{Found, entries, fault, name};
use crate::error::ReplayError;

/// First four bytes of a file of labels (bytes in one dimension) and of images (in three).
const LABELS: u32 = 0x801;
const IMAGES: u32 = 0x803;

/// The largest size that a header may claim: 4 GiB.
const LIMIT: u64 = 1 << 32;

/// Labels are bytes.
const CLASSES: usize = 256;

/// One of the four files of a set, from its name: `train-images-idx3-ubyte` with what may stand before it
/// (`emnist-letters-`), `t10k` or `test`, with a dot for a line (`images.idx3`), with `.gz` behind.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    set: String,
    train: bool,
    magic: u32,
}

impl Piece {
    fn of(path: &Path) -> Option<Self> {
        let name = name(path).to_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name).replace('.', "-");
        for (part, train) in [("train", true), ("t10k", false), ("test", false)] {
            for (kind, magic) in [("images-idx3-ubyte", IMAGES), ("labels-idx1-ubyte", LABELS)] {
                match name.strip_suffix(&format!("{part}-{kind}")) {
                    Some("") => return Some(Self { set: String::new(), train, magic }),
                    Some(set) if set.ends_with('-') => {
                        return Some(Self { set: set.trim_end_matches('-').to_owned(), train, magic });
                    }
                    _ => {}
                }
            }
        }
        None
    }
}

impl Piece {
    /// The name that it has mostly.
    fn name(&self) -> String {
        let kind = if self.magic == IMAGES { "images-idx3-ubyte" } else { "labels-idx1-ubyte" };
        let part = if self.train { "train" } else { "t10k" };
        let before = if self.set.is_empty() { String::new() } else { format!("{}-", self.set) };
        format!("{before}{part}-{kind}")
    }
}

/// The sets that have a file among these: what stands before `train-images`, mostly nothing.
pub(super) fn sets(files: &[PathBuf]) -> Vec<String> {
    let pieces = files.iter().filter(|path| path.is_file()).filter_map(|path| Piece::of(path));
    pieces.map(|piece| piece.set).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The files that a set lacks in a folder, by the names that they would have.
pub(super) fn lacking(folder: &Path, set: &str) -> Result<Vec<String>, ReplayError> {
    let files = entries(folder)?;
    let pieces: Vec<Piece> =
        files.iter().filter(|path| path.is_file()).filter_map(|path| Piece::of(path)).collect();
    let wanted = [(true, IMAGES), (true, LABELS), (false, IMAGES), (false, LABELS)];
    let wanted = wanted.map(|(train, magic)| Piece { set: set.to_owned(), train, magic });
    Ok(wanted.iter().filter(|piece| !pieces.contains(piece)).map(Piece::name).collect())
}

/// Reads training and test images of a set. Those of EMNIST are stored with rows and columns exchanged, and
/// are set upright.
///
/// # Errors
///
/// A file that is missing, damaged, cut short or of another kind; as many labels as images are needed.
pub(super) fn read(folder: &Path, set: &str) -> Result<Found, ReplayError> {
    let transposed = set.starts_with("emnist");
    let part = |train| {
        let (images, labels) = (find(folder, set, train, IMAGES)?, find(folder, set, train, LABELS)?);
        let (shape, mut pixels) = read_file(&images, IMAGES)?;
        let (count, bytes) = read_file(&labels, LABELS)?;
        if count[0] != shape[0] {
            let counts =
                format!("there are {} labels for {} images of {}", count[0], shape[0], images.display());
            return fault(&labels, counts);
        }
        let (mut height, mut width) = (shape[1], shape[2]);
        if transposed && height * width > 0 {
            let image = |image: &[u8]| -> Vec<u8> {
                (0..height * width).map(|at| image[at % height * width + at / height]).collect()
            };
            pixels = pixels.chunks_exact(height * width).flat_map(image).collect();
            (height, width) = (width, height);
        }
        let bytes = bytes.into_iter().map(u16::from).collect();
        Images::new([height, width, 1], pixels, bytes, CLASSES, 255.0)
            .or_else(|reason| fault(&labels, reason))
    };
    let notes = if transposed {
        vec![format!(
            "{}: the images of {set} are stored transposed and were set upright",
            folder.display()
        )]
    } else {
        vec![]
    };
    Ok(Found { train: part(true)?, held_out: part(false)?, validation: None, names: vec![], notes })
}

/// A file of a set; a plain one before a compressed one.
fn find(folder: &Path, set: &str, train: bool, magic: u32) -> Result<PathBuf, ReplayError> {
    let wanted = Piece { set: set.to_owned(), train, magic };
    let mut all: Vec<PathBuf> = entries(folder)?;
    all.retain(|path| path.is_file() && Piece::of(path).as_ref() == Some(&wanted));
    all.sort_by_key(|path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")));
    match all.into_iter().next() {
        Some(path) => Ok(path),
        None => fault(folder, format!("there is no {}, nor one with .gz", wanted.name())),
    }
}

/// Dimensions and bytes of a file.
fn read_file(path: &Path, wanted: u32) -> Result<(Vec<usize>, Vec<u8>), ReplayError> {
    let broken = |e: std::io::Error| ReplayError::Data {
        path: path.to_owned(),
        fault: format!("cannot read: {e}"),
    };
    let file = BufReader::new(File::open(path).map_err(broken)?);
    let mut reader: Box<dyn Read> = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut number = || -> Result<u32, ReplayError> {
        let mut bytes = [0; 4];
        reader.read_exact(&mut bytes).map_err(broken)?;
        Ok(u32::from_be_bytes(bytes))
    };
    let magic = number()?;
    if magic != wanted {
        return fault(path, format!("it begins with {magic:#010x}; accepted: {wanted:#010x}"));
    }
    let dimensions = (0..wanted & 0xff).map(|_| Ok(number()? as usize));
    let dimensions = dimensions.collect::<Result<Vec<_>, ReplayError>>()?;
    let size = dimensions.iter().map(|&d| d as u64).fold(1u64, u64::saturating_mul);
    if size > LIMIT {
        return fault(path, format!("it claims the shape {dimensions:?}, which is too large"));
    }
    let mut bytes = Vec::new();
    reader.take(size + 1).read_to_end(&mut bytes).map_err(broken)?;
    if bytes.len() as u64 != size {
        let found = if bytes.len() as u64 > size { "more" } else { "fewer" };
        return fault(path, format!("the shape {dimensions:?} needs {size} bytes; there are {found}"));
    }
    Ok((dimensions, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn write(path: &Path, magic: u32, dimensions: &[u32], bytes: &[u8]) {
        let mut all = magic.to_be_bytes().to_vec();
        dimensions.iter().for_each(|d| all.extend(d.to_be_bytes()));
        all.extend(bytes);
        std::fs::write(path, all).unwrap();
    }

    #[test]
    fn plain_and_compressed_files_are_read_and_faults_named() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        write(&here.join("train-images-idx3-ubyte"), IMAGES, &[1, 1, 2], &[1, 2]);
        write(&here.join("train-labels-idx1-ubyte"), LABELS, &[1], &[1]);
        let images = here.join("t10k-images-idx3-ubyte");
        let labels = here.join("t10k-labels-idx1-ubyte");
        let error = || read(here, "").unwrap_err().to_string();
        assert!(error().contains("there is no t10k-images-idx3-ubyte, nor one with .gz"), "{}", error());
        write(&images, IMAGES, &[2, 1, 2], &[1, 2, 3, 4]);
        write(&labels, LABELS, &[2], &[2, 0]);
        let both = read(here, "").unwrap().held_out;
        assert_eq!((both.shape(), both.labels()), ([1, 2, 1], &[2u16, 0][..]));

        write(&labels, LABELS, &[1], &[2]);
        assert!(error().contains("there are 1 labels for 2 images"), "{}", error());
        write(&labels, LABELS, &[2], &[2]);
        assert!(error().contains("needs 2 bytes; there are fewer"), "{}", error());
        write(&labels, LABELS, &[1], &[2, 0]);
        assert!(error().contains("there are more"), "{}", error());
        write(&labels, IMAGES, &[2], &[2, 0]);
        assert!(error().contains("begins with 0x00000803; accepted: 0x00000801"), "{}", error());
        std::fs::write(&labels, [0, 0]).unwrap();
        assert!(error().contains("cannot read"), "{}", error());
        write(&images, IMAGES, &[u32::MAX, u32::MAX, 2], &[]);
        assert!(error().contains("too large"), "{}", error());

        write(&images, IMAGES, &[2, 1, 2], &[1, 2, 3, 4]);
        std::fs::remove_file(&labels).unwrap();
        let file = File::create(here.join("t10k-labels.idx1-ubyte.gz")).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        encoder.write_all(&[0, 0, 8, 1, 0, 0, 0, 2, 2, 0]).unwrap();
        encoder.finish().unwrap();
        assert_eq!(read(here, "").unwrap().held_out.labels(), [2, 0]);
    }

    #[test]
    fn sets_are_known_by_their_names_and_emnist_is_set_upright() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        for set in ["emnist-letters-", "other-"] {
            for part in ["train", "test"] {
                let path = |kind: &str| here.join(format!("{set}{part}-{kind}-ubyte"));
                write(&path("images-idx3"), IMAGES, &[2, 2, 3], &[1, 2, 3, 4, 5, 6, 0, 0, 9, 0, 0, 0]);
                write(&path("labels-idx1"), LABELS, &[2], &[26, 1]);
            }
        }
        let all = entries(here).unwrap();
        assert_eq!(sets(&all), ["emnist-letters", "other"]);
        let pixels = |set: &str| {
            let images = read(here, set).unwrap().train;
            let inputs =
                images.samples(candle_core::DType::F32, &candle_core::Device::Cpu).unwrap().inputs;
            let inputs = (inputs * 255.0).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            (images.shape(), inputs.into_iter().map(|v| v.round()).collect::<Vec<_>>())
        };
        assert_eq!(pixels("other").1[..6], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let (shape, upright) = pixels("emnist-letters");
        assert_eq!((shape, &upright[..6]), ([3, 2, 1], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0][..]));
        assert_eq!(upright[6..], [0.0, 0.0, 0.0, 0.0, 9.0, 0.0]);
    }
}
