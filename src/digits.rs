//! The embedded real data: UCI optical digits, 1,797 images of 8×8 pixels (CC BY 4.0, see `data/digits`).

use std::io::Read;

use nalgebra::DMatrix;

/// Pixels of an image.
pub const PIXELS: usize = 64;

static PACKED: &[u8] = include_bytes!("../data/digits/digits.bin.gz");

/// Images of handwritten digits with their labels.
#[derive(Debug, Clone)]
pub struct Digits {
    /// One image in each row, pixels from 0 to 1, images × 64.
    pub images: DMatrix<f64>,
    /// The digit of each image.
    pub labels: Vec<u8>,
}

impl Digits {
    /// All images, in the order of the data set.
    pub fn all() -> Self {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(PACKED)
            .read_to_end(&mut bytes)
            .expect("the embedded data set is intact");
        let records: Vec<&[u8]> = bytes.chunks_exact(PIXELS + 1).collect();
        Self {
            images: DMatrix::from_fn(records.len(), PIXELS, |r, c| f64::from(records[r][c + 1]) / 16.0),
            labels: records.iter().map(|record| record[0]).collect(),
        }
    }

    /// The images whose digit is in a range, in order.
    pub fn of(&self, digits: std::ops::Range<u8>) -> Self {
        let keep: Vec<usize> =
            (0..self.labels.len()).filter(|&i| digits.contains(&self.labels[i])).collect();
        self.select(&keep)
    }

    /// Splits off every `nth` image: (the others, every nth).
    pub fn split(&self, nth: usize) -> (Self, Self) {
        let (held, kept): (Vec<usize>, Vec<usize>) =
            (0..self.labels.len()).partition(|i| i % nth == nth - 1);
        (self.select(&kept), self.select(&held))
    }

    /// The images of the given rows, in that order.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            images: self.images.select_rows(rows),
            labels: rows.iter().map(|&i| self.labels[i]).collect(),
        }
    }

    /// One-hot targets (images × classes) for labels that start at `first`.
    pub fn targets(&self, first: u8, classes: usize) -> DMatrix<f64> {
        DMatrix::from_fn(self.labels.len(), classes, |r, c| {
            f64::from(u8::from(usize::from(self.labels[r] - first) == c))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts of the digits as the data set's description gives them.
    #[test]
    fn the_data_set_is_the_published_one() {
        let all = Digits::all();
        assert_eq!(all.images.shape(), (1797, 64));
        let counts: Vec<usize> =
            (0..10).map(|d| all.labels.iter().filter(|&&l| l == d).count()).collect();
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert_eq!(all.labels[..4], [0, 1, 2, 3]);
        assert_eq!(all.images.max(), 1.0);
    }

    #[test]
    fn splits_keep_every_image_once() {
        let late = Digits::all().of(5..10);
        let (train, held) = late.split(3);
        assert_eq!(train.labels.len() + held.labels.len(), 896);
        assert_eq!(held.labels.len(), 298);
        assert_eq!(train.targets(5, 5).sum(), train.labels.len() as f64);
    }
}
