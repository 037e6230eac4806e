//! The look of every figure: colours, pens and sizes, light and dark.
//!
//! Categorical colours follow Okabe and Ito, darkened or lightened so that they can be read as text
//! on their background; each comes with its own dash and marker, so that a figure survives a printer
//! without colour. Ordered curves (energies, angles, smoothing) take a ramp whose lightness is
//! monotone.

/// An opaque colour in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// The colour between two, `t` in [0, 1].
    pub(crate) fn mix(self, other: Self, t: f64) -> Self {
        let one = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * t).round() as u8;
        Self(one(self.0, other.0), one(self.1, other.1), one(self.2, other.2))
    }

    /// Contrast with another colour, 1 to 21 (WCAG 2).
    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance() + 0.05, other.luminance() + 0.05);
        (a / b).max(b / a)
    }

    /// Relative luminance in [0, 1] (WCAG 2).
    pub(crate) fn luminance(self) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }
}

/// Light or dark background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Theme {
    /// Dark ink on white, for paper.
    #[default]
    Light,
    /// Light ink on near-black, for screens.
    Dark,
}

/// Tick labels, in pixels.
pub(crate) const TICK_SIZE: f64 = 12.0;
/// Axis names and direct labels.
pub(crate) const LABEL_SIZE: f64 = 12.5;
/// Panel titles.
pub(crate) const TITLE_SIZE: f64 = 13.5;
/// The contrast that a text needs (WCAG 2, level AA).
const READABLE: f64 = 4.5;
/// Width of a curve.
pub(crate) const LINE_WIDTH: f64 = 2.0;
/// Width of frames, ticks and leaders.
pub(crate) const HAIR_WIDTH: f64 = 0.9;

impl Theme {
    /// Both themes.
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// "light" or "dark", as file names use it.
    pub fn name(self) -> &'static str {
        self.pick("light", "dark")
    }

    fn pick<T>(self, light: T, dark: T) -> T {
        match self {
            Self::Light => light,
            Self::Dark => dark,
        }
    }

    /// The page.
    pub(crate) fn background(self) -> Colour {
        self.pick(Colour(255, 255, 255), Colour(18, 20, 24))
    }

    /// Text and frames.
    pub(crate) fn ink(self) -> Colour {
        self.pick(Colour(28, 30, 34), Colour(228, 230, 234))
    }

    /// Text of less weight, ticks and leaders.
    pub(crate) fn muted(self) -> Colour {
        self.pick(Colour(96, 100, 108), Colour(158, 163, 172))
    }

    /// Grid lines.
    pub(crate) fn grid(self) -> Colour {
        self.pick(Colour(228, 230, 234), Colour(44, 48, 55))
    }

    /// Areas without a value.
    pub(crate) fn missing(self) -> Colour {
        self.pick(Colour(214, 216, 220), Colour(62, 66, 74))
    }

    /// The colour, moved towards ink until a text in it can be read on the page.
    pub(crate) fn readable(self, colour: Colour) -> Colour {
        let moved = (0..=20).map(|i| colour.mix(self.ink(), f64::from(i) / 20.0));
        moved.into_iter().find(|c| c.contrast(self.background()) >= READABLE).unwrap_or(self.ink())
    }

    /// The pen of a category, by its number.
    pub(crate) fn pen(self, number: usize) -> Pen {
        let colours = self.pick(
            [
                Colour(0, 90, 156),
                Colour(196, 78, 0),
                Colour(0, 118, 86),
                Colour(160, 70, 140),
                Colour(122, 94, 0),
                Colour(70, 74, 82),
            ],
            [
                Colour(98, 186, 236),
                Colour(240, 138, 72),
                Colour(64, 205, 160),
                Colour(226, 150, 204),
                Colour(238, 206, 84),
                Colour(200, 203, 210),
            ],
        );
        Pen::new(colours[number % colours.len()], number)
    }

    /// The pen of one of `count` ordered curves.
    pub(crate) fn ordered_pen(self, number: usize, count: usize) -> Pen {
        let t = if count < 2 { 0.3 } else { number.min(count - 1) as f64 / (count - 1) as f64 };
        // The end of the ramp that is too close to the background is left out.
        let colour = self.pick(viridis(0.66 - 0.62 * t), viridis(0.42 + 0.56 * t));
        Pen::new(colour, number)
    }

    /// The fill of one of `count` states, from the one that stands out to the one that recedes.
    pub(crate) fn state_fill(self, number: usize, count: usize) -> Colour {
        let t = if count < 2 { 0.0 } else { number.min(count - 1) as f64 / (count - 1) as f64 };
        let (strong, weak) = self.pick(
            (Colour(82, 140, 188), Colour(246, 236, 214)),
            (Colour(74, 142, 198), Colour(58, 48, 32)),
        );
        strong.mix(weak, t)
    }
}

/// How the points of a series are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    Nabla,
    Cross,
}

/// Colour, dash and marker of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pen {
    pub(crate) colour: Colour,
    pub(crate) alpha: f64,
    pub(crate) width: f64,
    /// Lengths drawn and left out in turn; empty for a solid line.
    pub(crate) dash: &'static [f64],
    pub(crate) marker: Marker,
}

impl Pen {
    fn new(colour: Colour, number: usize) -> Self {
        const DASHES: [&[f64]; 6] = [
            &[],
            &[7.0, 3.5],
            &[2.0, 2.5],
            &[9.0, 3.0, 2.0, 3.0],
            &[14.0, 4.0],
            &[6.0, 2.5, 2.0, 2.5, 2.0, 2.5],
        ];
        const MARKERS: [Marker; 6] = [
            Marker::Circle,
            Marker::Square,
            Marker::Triangle,
            Marker::Diamond,
            Marker::Nabla,
            Marker::Cross,
        ];
        Self {
            colour,
            alpha: 1.0,
            width: LINE_WIDTH,
            dash: DASHES[number % DASHES.len()],
            marker: MARKERS[number % MARKERS.len()],
        }
    }

    /// A solid hairline.
    pub(crate) fn hair(colour: Colour) -> Self {
        Self { width: HAIR_WIDTH, ..Self::new(colour, 0) }
    }

    pub(crate) fn with_width(self, width: f64) -> Self {
        Self { width, ..self }
    }

    pub(crate) fn with_alpha(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }

    pub(crate) fn with_dash(self, dash: &'static [f64]) -> Self {
        Self { dash, ..self }
    }

    pub(crate) fn solid(self) -> Self {
        self.with_dash(&[])
    }

    pub(crate) fn dotted(self) -> Self {
        self.with_dash(&[1.5, 3.0])
    }
}

/// Matplotlib's viridis (CC0) at `t` in [0, 1], from 33 of its values: perceptually uniform, monotone
/// in lightness, readable with every common colour vision.
pub(crate) fn viridis(t: f64) -> Colour {
    #[rustfmt::skip]
    const TABLE: [(u8, u8, u8); 33] = [
        (68, 1, 84), (71, 13, 96), (72, 24, 106), (72, 35, 116), (71, 45, 123), (69, 55, 129),
        (66, 64, 134), (62, 73, 137), (59, 82, 139), (55, 91, 141), (51, 99, 141), (47, 107, 142),
        (44, 114, 142), (41, 122, 142), (38, 130, 142), (35, 137, 142), (33, 145, 140),
        (31, 152, 139), (31, 160, 136), (34, 167, 133), (40, 174, 128), (50, 182, 122),
        (63, 188, 115), (78, 195, 107), (94, 201, 98), (112, 207, 87), (132, 212, 75),
        (152, 216, 62), (173, 220, 48), (194, 223, 35), (216, 226, 25), (236, 229, 27),
        (253, 231, 37),
    ];
    let x = t.clamp(0.0, 1.0) * (TABLE.len() - 1) as f64;
    let i = (x.floor() as usize).min(TABLE.len() - 2);
    let colour = |(r, g, b)| Colour(r, g, b);
    colour(TABLE[i]).mix(colour(TABLE[i + 1]), x - i as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Curves are labelled in their own colour, or one near it.
    #[test]
    fn colours_can_be_read_on_their_background() {
        for theme in Theme::ALL {
            let page = theme.background();
            for i in 0..6 {
                let colour = theme.pen(i).colour;
                assert_eq!(theme.readable(colour), colour, "{theme:?} pen {i}");
            }
            for i in 0..7 {
                let colour = theme.ordered_pen(i, 7).colour;
                assert!(colour.contrast(page) >= 2.5, "{theme:?} ordered pen {i}");
                assert!(theme.readable(colour).contrast(page) >= READABLE);
            }
            assert!(theme.ink().contrast(page) > 12.0);
            assert!(theme.muted().contrast(page) >= READABLE);
        }
    }

    #[test]
    fn scales_are_monotone_in_lightness() {
        let rises = |values: &[f64], sign: f64| values.windows(2).all(|w| (w[1] - w[0]) * sign > 0.0);
        let scale: Vec<f64> = (0..=100).map(|i| viridis(f64::from(i) / 100.0).luminance()).collect();
        assert!(rises(&scale, 1.0));
        for (theme, sign) in [(Theme::Light, 1.0), (Theme::Dark, -1.0)] {
            let fills: Vec<f64> = (0..4).map(|i| theme.state_fill(i, 4).luminance()).collect();
            assert!(rises(&fills, sign), "{theme:?} {fills:?}");
            let pens: Vec<f64> = (0..6).map(|i| theme.ordered_pen(i, 6).colour.luminance()).collect();
            assert!(rises(&pens, -sign), "{theme:?} {pens:?}");
        }
    }

    /// Pens of the same figure differ without colour, too.
    #[test]
    fn pens_differ_in_dash_and_marker() {
        for i in 0..6 {
            for j in 0..i {
                let (a, b) = (Theme::Light.pen(i), Theme::Light.pen(j));
                assert!(a.dash != b.dash && a.marker != b.marker);
            }
        }
    }
}
