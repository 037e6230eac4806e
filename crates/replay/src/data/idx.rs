//! Images in the IDX format of MNIST and its successors, plain or compressed with gzip.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::Images;
use crate::error::ReplayError;

/// First four bytes of a file of labels (bytes in one dimension) and of images (in three).
const LABELS: u32 = 0x801;
const IMAGES: u32 = 0x803;

/// The largest size that a header may claim: 4 GiB.
const LIMIT: u64 = 1 << 32;

/// Reads `train` or `t10k` images with their labels from a folder.
///
/// # Errors
///
/// A file that is missing, damaged, cut short or of another kind; as many labels as images are needed,
/// all below `classes`.
pub fn read(folder: &Path, part: &str, classes: usize) -> Result<Images, ReplayError> {
    let images = find(folder, &format!("{part}-images-idx3-ubyte"))?;
    let labels = find(folder, &format!("{part}-labels-idx1-ubyte"))?;
    let (shape, pixels) = read_file(&images, IMAGES)?;
    let (count, bytes) = read_file(&labels, LABELS)?;
    if count[0] != shape[0] {
        return fault(
            &labels,
            format!("there are {} labels for {} images of {}", count[0], shape[0], images.display()),
        );
    }
    let bytes = bytes.into_iter().map(u16::from).collect();
    Images::new([shape[1], shape[2], 1], pixels, bytes, classes, 255.0)
        .or_else(|reason| fault(&labels, reason))
}

fn fault<T>(path: &Path, fault: String) -> Result<T, ReplayError> {
    Err(ReplayError::Data { path: path.to_owned(), fault })
}

/// The file of a name, with or without `.gz`.
fn find(folder: &Path, name: &str) -> Result<PathBuf, ReplayError> {
    let names = [name.to_owned(), format!("{name}.gz")];
    match names.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => fault(
            folder,
            format!(
                "there is neither {} nor {}, nor CIFAR-10's {}, nor a folder `train` of images",
                names[0], names[1], "test_batch.bin"
            ),
        ),
    }
}

/// Dimensions and bytes of a file.
fn read_file(path: &Path, wanted: u32) -> Result<(Vec<usize>, Vec<u8>), ReplayError> {
    let broken = |e: std::io::Error| ReplayError::Data {
        path: path.to_owned(),
        fault: format!("cannot read: {e}"),
    };
    let file = BufReader::new(File::open(path).map_err(broken)?);
    let mut reader: Box<dyn Read> = if path.extension().is_some_and(|e| e == "gz") {
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
        let images = here.join("t10k-images-idx3-ubyte");
        let labels = here.join("t10k-labels-idx1-ubyte");
        let error = || read(here, "t10k", 3).unwrap_err().to_string();
        assert!(error().contains("there is neither t10k-images-idx3-ubyte nor"), "{}", error());
        write(&images, IMAGES, &[2, 1, 2], &[1, 2, 3, 4]);
        write(&labels, LABELS, &[2], &[2, 0]);
        let both = read(here, "t10k", 3).unwrap();
        assert_eq!((both.shape(), both.labels()), ([1, 2, 1], &[2u16, 0][..]));

        write(&labels, LABELS, &[2], &[2, 3]);
        assert!(error().contains("image 1 has the label 3; accepted: 0 to 2"), "{}", error());
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
        let file = File::create(here.join("t10k-labels-idx1-ubyte.gz")).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        encoder.write_all(&[0, 0, 8, 1, 0, 0, 0, 2, 2, 0]).unwrap();
        encoder.finish().unwrap();
        assert_eq!(read(here, "t10k", 3).unwrap().labels(), [2, 0]);
    }
}
