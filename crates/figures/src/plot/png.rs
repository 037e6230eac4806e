//! SVG to PNG, with the bundled font.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};

/// A subset of DejaVu Sans; see `assets/fonts/README.md`.
const FONT: &[u8] = include_bytes!("../../../../assets/fonts/DejaVuSans-subset.ttf");

/// An image of more dots than this on a side is refused.
const LARGEST_SIDE: f64 = 16_384.0;

/// Why an SVG gives no PNG.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PngError {
    /// The document is not valid SVG.
    #[error("not a valid SVG document: {reason}")]
    Svg {
        /// What the parser says.
        reason: String,
    },
    /// The image would be empty or too large.
    #[error(
        "a page of {width}x{height} pixels at scale {scale}: a side must have 1 to {LARGEST_SIDE} dots"
    )]
    Size {
        /// Width of the document in pixels.
        width: f64,
        /// Height of the document in pixels.
        height: f64,
        /// The scale asked for.
        scale: f64,
    },
    /// The image could not be encoded.
    #[error("the image cannot be written as PNG: {reason}")]
    Encoding {
        /// What the encoder says.
        reason: String,
    },
}

/// Reads an SVG document with the bundled font and no other.
pub(crate) fn parse(svg: &str) -> Result<usvg::Tree, PngError> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let fontdb = FONTS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        fonts.set_sans_serif_family("DejaVu Sans");
        Arc::new(fonts)
    });
    let options = usvg::Options { fontdb: fontdb.clone(), ..usvg::Options::default() };
    usvg::Tree::from_str(svg, &options).map_err(|e| PngError::Svg { reason: e.to_string() })
}

/// An SVG document as a PNG image of `scale` dots per pixel, with the bundled font.
pub fn to_png(svg: &str, scale: f64) -> Result<Vec<u8>, PngError> {
    let tree = parse(svg)?;
    let (width, height) = (f64::from(tree.size().width()), f64::from(tree.size().height()));
    let side = |length: f64| {
        let dots = (length * scale).round();
        (1.0..=LARGEST_SIDE).contains(&dots).then_some(dots as u32)
    };
    let refused = PngError::Size { width, height, scale };
    let (Some(w), Some(h)) = (side(width), side(height)) else { return Err(refused) };
    let mut image = Pixmap::new(w, h).ok_or(refused)?;
    let scale = Transform::from_scale(w as f32 / width as f32, h as f32 / height as f32);
    resvg::render(&tree, scale, &mut image.as_mut());
    let mut png = image.encode_png().map_err(|e| PngError::Encoding { reason: e.to_string() })?;
    png.splice(FIRST_CHUNK..FIRST_CHUNK, MADE_BY.iter().copied());
    Ok(png)
}

/// Where the first chunk may come: behind the signature and the header.
const FIRST_CHUNK: usize = 33;

/// A chunk that says which program has made the image: length, kind, text and checksum.
const MADE_BY: &[u8] = b"\0\0\0\x11tEXtSoftware\0taskhead\xc8\x80\x14\xdf";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::text;

    #[test]
    fn errors_say_what_is_wrong() {
        assert!(matches!(to_png("no svg", 1.0), Err(PngError::Svg { .. })));
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"10\" height=\"5\"/>";
        let png = to_png(svg, 2.0).unwrap();
        let image = Pixmap::decode_png(&png).expect("checksums are right");
        assert_eq!((image.width(), image.height()), (20, 10));
        assert!(png.windows(17).any(|part| part == b"Software\0taskhead"));
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert!(matches!(to_png(svg, scale), Err(PngError::Size { .. })), "{scale}");
        }
    }

    /// The width that the font gives a text, without its side bearings.
    fn rendered_width(text: &str) -> f64 {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"50\"><text x=\"10\" \
             y=\"30\" font-family=\"DejaVu Sans\" font-size=\"20\">{text}</text></svg>"
        );
        let tree = parse(&svg).expect("valid");
        tree.root().children().first().map_or(0.0, |n| f64::from(n.abs_bounding_box().width()))
    }

    /// The widths that the layout counts with are those of the font.
    #[test]
    fn widths_are_those_of_the_font() {
        for sample in
            ["Euclidean distance", "0.0123456789", "−1e−3 · 10⁻⁴", "probing time τ", "‖z − z₀‖"]
        {
            let (counted, drawn) = (text::width(sample, 20.0), rendered_width(sample));
            assert!((counted - drawn).abs() < 4.0, "{sample}: counted {counted}, drawn {drawn}");
        }
    }

    /// Every sign that the stored figures use is in the font: a missing one leaves nothing.
    #[test]
    fn signs_are_in_the_font() {
        assert!(FONT.len() < 120_000);
        let plots = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plots");
        let mut figures = 0;
        let mut signs = std::collections::BTreeSet::new();
        for folder in [plots.clone(), plots.join("replay")] {
            for entry in std::fs::read_dir(folder).expect("the stored figures") {
                let path = entry.expect("a file").path();
                if path.extension().is_some_and(|e| e == "svg") {
                    let svg = std::fs::read_to_string(path).expect("text");
                    let texts = svg.split('>').filter_map(|part| part.split('<').next());
                    signs.extend(texts.flat_map(str::chars).filter(|c| !c.is_whitespace()));
                    figures += 1;
                }
            }
        }
        assert!(figures > 30 && signs.len() > 50, "{figures} {}", signs.len());
        for sign in signs.into_iter().filter(|c| !"&<>".contains(*c)) {
            assert!(rendered_width(&sign.to_string()) > 0.0, "{sign} ({:x})", sign as u32);
        }
        assert_eq!(rendered_width("\u{4e00}"), 0.0, "a sign that is not in the font");
    }
}
