//! One image file as 8-bit red, green and blue.
//!
//! Grey becomes three equal channels, a palette its colours, 16 bits are rounded to 8, transparent parts are blended
//! with black, of an animation the first picture is taken, and an image is turned and mirrored as its EXIF entry says.

use std::io::Cursor;
use std::path::Path;

use image::{ColorType, DynamicImage, ImageDecoder, ImageReader, RgbImage};

/// Endings of the names of images; what a file holds decides how it is decoded.
pub(super) const EXTENSIONS: [&str; 11] =
    ["png", "jpg", "jpeg", "jfif", "webp", "bmp", "gif", "pnm", "ppm", "pgm", "pbm"];

/// An image with what was done to it.
#[derive(Debug)]
pub(super) struct Decoded {
    pub image: RgbImage,
    /// Whether a pixel was not opaque.
    pub transparent: bool,
    /// Whether it has more than 8 bits per channel.
    pub deep: bool,
}

/// Decodes a whole image.
///
/// # Errors
///
/// In words: a file that cannot be read, is damaged or cut short, or holds something else.
pub(super) fn decode(path: &Path) -> Result<Decoded, String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    if bytes.starts_with(&[0xff, 0xd8]) && !has_an_end(&bytes) {
        return Err("the file is cut short: the marker of its end is missing".into());
    }
    let decoded = || -> image::ImageResult<DynamicImage> {
        let reader = ImageReader::new(Cursor::new(&bytes)).with_guessed_format()?;
        let mut decoder = reader.into_decoder()?;
        let orientation = decoder.orientation()?;
        let mut image = DynamicImage::from_decoder(decoder)?;
        image.apply_orientation(orientation);
        Ok(image)
    };
    let image = decoded().map_err(|e| e.to_string())?;
    let deep =
        !matches!(image.color(), ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8);
    if !image.color().has_alpha() {
        return Ok(Decoded { image: image.into_rgb8(), transparent: false, deep });
    }
    let pixels = image.into_rgba8();
    let transparent = pixels.pixels().any(|p| p[3] != u8::MAX);
    let over_black = |value: u8, alpha: u8| ((u16::from(value) * u16::from(alpha) + 127) / 255) as u8;
    let image = RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [red, green, blue, alpha] = pixels.get_pixel(x, y).0;
        image::Rgb([red, green, blue].map(|value| over_black(value, alpha)))
    });
    Ok(Decoded { image, transparent, deep })
}

/// Whether the markers of a JPEG file lead to that of its end. Decoders fill what is missing with grey.
fn has_an_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // Past the data of a scan: in it 0xff is followed by 0 or is a restart, and before markers it may be repeated.
        let Some(rest) = bytes.get(at..) else { return false };
        let marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff | 0xd0..=0xd7);
        let Some(skipped) = rest.windows(2).position(marker) else { return false };
        at += skipped + 2;
        match (bytes[at - 1], bytes.get(at..at + 2)) {
            (0xd9, _) => return true,
            // They stand alone.
            (0x01 | 0xd8, _) => {}
            (_, Some(&[high, low])) => at += usize::from(u16::from_be_bytes([high, low])).max(2),
            _ => return false,
        }
    }
}
