//! What every figure can do.

#[cfg(feature = "png")]
use super::png::{PngError, to_png};
use super::theme::Theme;

/// Something that can be drawn.
pub trait Figure {
    /// A short name for files.
    fn name(&self) -> &'static str;

    /// The figure as an SVG document.
    fn svg(&self, theme: Theme) -> String;

    /// The figure as a PNG image of `scale` dots per pixel.
    #[cfg(feature = "png")]
    fn png(&self, theme: Theme, scale: f64) -> Result<Vec<u8>, PngError> {
        to_png(&self.svg(theme), scale)
    }
}
