//! One mask: a PNG file whose palette indices or grey values are labels.

use std::io::Cursor;
use std::path::Path;

use png::{BitDepth, ColorType, Decoder, Transformations};

/// A label for each pixel, row by row.
#[derive(Debug)]
pub(super) struct Mask {
    pub width: u32,
    pub height: u32,
    pub labels: Vec<u16>,
}

/// Reads a whole mask. Grey values of less than 8 bits are taken as they are, from 0.
///
/// # Errors
///
/// In words: a file that cannot be read, is damaged or cut short, or has colours.
pub(super) fn read(path: &Path) -> Result<Mask, String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let (width, height) = reader.info().size();
    let (color, depth) = (reader.info().color_type, reader.info().bit_depth);
    if !matches!(color, ColorType::Indexed | ColorType::Grayscale) {
        return Err(
            "it has colours or transparency, so that its pixels are no labels; accepted: PNG with a \
             palette or of one grey channel"
                .into(),
        );
    }
    let size = reader.output_buffer_size().ok_or("it is larger than memory")?;
    let mut all = vec![0; size];
    let frame = reader.next_frame(&mut all).map_err(|e| e.to_string())?;
    // An image whose data end early may decode without an error until its end is read.
    reader.finish().map_err(|e| e.to_string())?;
    let rows = all[..frame.buffer_size()].chunks_exact(frame.line_size);
    let labels = match depth {
        BitDepth::Sixteen => {
            let pair = |pair: &[u8]| u16::from_be_bytes([pair[0], pair[1]]);
            rows.flat_map(|row| row.chunks_exact(2).map(pair)).collect()
        }
        _ => {
            let bits = depth as usize;
            let of_row = |row: &'_ [u8]| -> Vec<u16> {
                let label = |i: usize| {
                    let shift = 8 - bits - (i * bits) % 8;
                    u16::from(row[i * bits / 8] >> shift) & ((1 << bits) - 1)
                };
                (0..width as usize).map(label).collect()
            };
            rows.flat_map(of_row).collect()
        }
    };
    Ok(Mask { width, height, labels })
}

impl Mask {
    /// The same mask of another size: each pixel has the label of the nearest one.
    pub fn resized(&self, width: u32, height: u32) -> Vec<u16> {
        if (width, height) == (self.width, self.height) {
            return self.labels.clone();
        }
        let nearest = |i: u32, to: u32, from: u32| {
            (u64::from(2 * i + 1) * u64::from(from) / (2 * u64::from(to))) as usize
        };
        let columns: Vec<usize> = (0..width).map(|x| nearest(x, width, self.width)).collect();
        let row = |y: u32| nearest(y, height, self.height) * self.width as usize;
        let at = |y: u32| columns.iter().map(move |x| self.labels[row(y) + x]);
        (0..height).flat_map(at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG file of these bytes of rows.
    fn png(size: (u32, u32), color: ColorType, depth: BitDepth, rows: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, size.0, size.1);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == ColorType::Indexed {
            encoder.set_palette((0..=255).flat_map(|i| [i, 255 - i, 7]).collect::<Vec<u8>>());
        }
        encoder.write_header().unwrap().write_image_data(rows).unwrap();
        bytes
    }

    fn of(bytes: &[u8]) -> Result<Mask, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.png");
        std::fs::write(&path, bytes).unwrap();
        read(&path)
    }

    #[test]
    fn indices_and_grey_values_are_labels() {
        use BitDepth::{Eight, Four, One, Sixteen};
        use ColorType::{Grayscale, Indexed, Rgb};
        for color in [Indexed, Grayscale] {
            let mask = of(&png((3, 2), color, Eight, &[0, 1, 255, 20, 0, 3])).unwrap();
            assert_eq!((mask.width, mask.height, &mask.labels[..]), (3, 2, &[0, 1, 255, 20, 0, 3][..]));
        }
        // Rows begin at whole bytes.
        assert_eq!(
            of(&png((3, 2), Grayscale, Four, &[0x1f, 0x20, 0x03, 0x40])).unwrap().labels,
            [1, 15, 2, 0, 3, 4]
        );
        assert_eq!(
            of(&png((9, 1), Grayscale, One, &[0b1010_0001, 0x80])).unwrap().labels,
            [1, 0, 1, 0, 0, 0, 0, 1, 1]
        );
        assert_eq!(of(&png((2, 1), Grayscale, Sixteen, &[1, 0, 0, 9])).unwrap().labels, [256, 9]);
        let error = of(&png((1, 1), Rgb, Eight, &[1, 2, 3])).unwrap_err();
        assert!(error.contains("accepted: PNG with a palette or of one grey channel"), "{error}");
        let whole =
            png((40, 40), Grayscale, Eight, &(0..1600).map(|i| (i * 7 % 251) as u8).collect::<Vec<_>>());
        assert!(of(&whole).is_ok());
        for cut in 1..whole.len() {
            assert!(of(&whole[..cut]).is_err(), "{cut} of {} bytes were accepted", whole.len());
        }
        assert!(of(b"no image").is_err());
    }

    #[test]
    fn sizes_change_to_the_nearest() {
        let mask = Mask { width: 4, height: 2, labels: (0..8).collect() };
        assert_eq!(mask.resized(2, 2), [1, 3, 5, 7]);
        assert_eq!(mask.resized(8, 1), [4, 4, 5, 5, 6, 6, 7, 7]);
        assert_eq!(mask.resized(4, 2), mask.labels);
    }
}
