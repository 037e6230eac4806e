//! Images in the binary format of CIFAR-10: a label, then 32×32 red, green and blue bytes, image by image.

use std::path::{Path, PathBuf};

use super::Images;
use crate::error::ReplayError;

const SIDE: usize = 32;
const PIXELS: usize = SIDE * SIDE;
const RECORD: usize = 1 + 3 * PIXELS;
const CLASSES: usize = 10;

/// Name of the file of held-out images; the others are `data_batch_1.bin` to `data_batch_5.bin`.
const TEST: &str = "test_batch.bin";

/// Whether a folder holds such files.
pub fn is_there(folder: &Path) -> bool {
    folder.join(TEST).is_file()
}

/// Reads the training or the held-out images of a folder.
///
/// # Errors
///
/// A file that cannot be read or is not whole images, no training file, a label above 9.
pub fn read(folder: &Path, train: bool) -> Result<Images, ReplayError> {
    let files: Vec<PathBuf> = if train {
        let all = (1..=5).map(|i| folder.join(format!("data_batch_{i}.bin")));
        all.filter(|path| path.is_file()).collect()
    } else {
        vec![folder.join(TEST)]
    };
    if files.is_empty() {
        let fault = "there is no data_batch_1.bin to data_batch_5.bin".into();
        return Err(ReplayError::Data { path: folder.to_owned(), fault });
    }
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for path in files {
        let fault = |fault: String| ReplayError::Data { path: path.clone(), fault };
        let bytes = std::fs::read(&path).map_err(|e| fault(format!("cannot read: {e}")))?;
        if bytes.is_empty() || bytes.len() % RECORD != 0 {
            return Err(fault(format!(
                "it has {} bytes; accepted: a multiple of {RECORD}, which is an image",
                bytes.len()
            )));
        }
        for (row, record) in bytes.chunks_exact(RECORD).enumerate() {
            if usize::from(record[0]) >= CLASSES {
                return Err(fault(format!("image {row} has the label {}; accepted: 0 to 9", record[0])));
            }
            labels.push(u16::from(record[0]));
            let planes = &record[1..];
            pixels.extend((0..3 * PIXELS).map(|i| planes[i % 3 * PIXELS + i / 3]));
        }
    }
    Images::new([SIDE, SIDE, 3], pixels, labels, CLASSES, 255.0)
        .map_err(|fault| ReplayError::Data { path: folder.to_owned(), fault })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_become_pixels_and_faults_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let mut record = vec![7u8];
        for colour in [10u8, 20, 30] {
            record.extend((0..PIXELS).map(|i| colour + (i % 2) as u8));
        }
        std::fs::write(here.join(TEST), record.repeat(2)).unwrap();
        assert!(is_there(here));
        let images = read(here, false).unwrap();
        assert_eq!((images.count(), images.labels(), images.shape()), (2, &[7u16, 7][..], [32, 32, 3]));
        let tensor = images.samples(candle_core::DType::F32, &candle_core::Device::Cpu).unwrap().inputs;
        let row = (tensor.flatten_all().unwrap() * 255.0).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(
            row[..6].iter().map(|v| v.round()).collect::<Vec<_>>(),
            [10., 20., 30., 11., 21., 31.]
        );

        let error = |train| read(here, train).unwrap_err().to_string();
        assert!(error(true).contains("there is no data_batch_1.bin"));
        std::fs::write(here.join(TEST), &record[..RECORD - 1]).unwrap();
        assert!(error(false).contains("it has 3072 bytes"), "{}", error(false));
        record[0] = 10;
        std::fs::write(here.join(TEST), &record).unwrap();
        assert!(error(false).contains("image 0 has the label 10"), "{}", error(false));
    }
}
