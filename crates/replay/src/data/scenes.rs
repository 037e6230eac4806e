//! Scenes for segmentation without a download: a few embedded digits on a textured canvas, with a mask.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::embedded::HELD_OUT_EVERY;
use super::{ImageTasks, Images, Split};
use taskhead::digits::{Digits, PIXELS};
use taskhead::tasks::stream;

/// Height and width of a canvas; it has four quarters, and at most one digit in each.
const SIDE: usize = 32;
const QUARTER: usize = SIDE / 2;

/// Height and width of the smallest digits on a canvas; the largest fill a quarter.
const SMALLEST: usize = 11;

/// Ink from which on a pixel belongs to a digit.
const INK: f64 = 0.4;

/// Scenes to pretrain on, to draw training scenes of the downstream task from, and held out of each task.
const SOURCE: u64 = 400;
pub(super) const DOWNSTREAM: usize = 300;
const HELD_OUT: u64 = 120;

/// Purposes of random streams, of which each scene has its own.
mod purpose {
    pub const SOURCE: u64 = 151;
    pub const SOURCE_HELD_OUT: u64 = 152;
    pub const DOWNSTREAM: u64 = 153;
    pub const DOWNSTREAM_HELD_OUT: u64 = 154;
}

/// Digits 0–4 for the source task, 5–9 for the downstream one; class 0 of both is the background. No image of a digit
/// is in training and in held-out scenes. They are the same for all seeds, which draw training scenes from them.
pub(super) fn tasks(samples: Option<usize>) -> ImageTasks {
    let split = |first: u8, count: u64, [train, held_out]: [u64; 2]| {
        let (kept, held) = Digits::all().of(first..first + 5).split(HELD_OUT_EVERY);
        let train = scenes(&kept, first, count, train);
        Split::new(train, scenes(&held, first, HELD_OUT, held_out), None).expect("many are held out")
    };
    ImageTasks {
        source: split(0, SOURCE, [purpose::SOURCE, purpose::SOURCE_HELD_OUT]),
        downstream: split(5, DOWNSTREAM as u64, [purpose::DOWNSTREAM, purpose::DOWNSTREAM_HELD_OUT]),
        samples,
        notes: Vec::new(),
    }
}

fn scenes(digits: &Digits, first: u8, count: u64, purpose: u64) -> Images {
    let (mut pixels, mut masks) = (Vec::new(), Vec::new());
    for number in 0..count {
        let mut rng = stream(number, purpose);
        let mut scene = Scene { pixels: texture(&mut rng), mask: vec![0; SIDE * SIDE] };
        let mut quarters = [(0, 0), (0, QUARTER), (QUARTER, 0), (QUARTER, QUARTER)];
        quarters.shuffle(&mut rng);
        for &corner in &quarters[..rng.random_range(2..=4)] {
            let digit = rng.random_range(0..digits.labels.len());
            let ink: Vec<f64> = digits.images.row(digit).iter().copied().collect();
            scene.draw(&ink, u16::from(digits.labels[digit] - first) + 1, corner, &mut rng);
        }
        pixels.extend(scene.pixels.iter().map(|v| v.round() as u8));
        masks.extend(scene.mask);
    }
    Images::with_masks([SIDE, SIDE, 1], pixels, masks, 6, 255.0).expect("digits fit their classes")
}

/// A scene in the making.
struct Scene {
    pixels: Vec<f64>,
    mask: Vec<u16>,
}

impl Scene {
    /// Draws a digit of a random size and brightness somewhere in the quarter at a corner.
    fn draw(&mut self, ink: &[f64], label: u16, (top, left): (usize, usize), rng: &mut ChaCha8Rng) {
        let side = rng.random_range(SMALLEST..=QUARTER);
        let (down, right) = (rng.random_range(0..=QUARTER - side), rng.random_range(0..=QUARTER - side));
        let brightness = f64::from(rng.random_range(140..=255u8));
        let of = PIXELS.isqrt();
        let at = |row: usize, column: usize| ink[row * of + column];
        for y in 0..side {
            for x in 0..side {
                let scale = |i: usize| (i as f64 + 0.5) * of as f64 / side as f64 - 0.5;
                let ink = between(scale(y), scale(x), of, at);
                let place = (top + down + y) * SIDE + left + right + x;
                self.pixels[place] += ink * (brightness - self.pixels[place]);
                if ink >= INK {
                    self.mask[place] = label;
                }
            }
        }
    }
}

/// Patches of grey with noise, darker than most digits.
fn texture(rng: &mut ChaCha8Rng) -> Vec<f64> {
    const CORNERS: usize = 5;
    let corners: Vec<f64> = (0..CORNERS * CORNERS).map(|_| rng.random_range(0.0..110.0)).collect();
    let at = |row: usize, column: usize| corners[row * CORNERS + column];
    let scale = |i: usize| i as f64 * (CORNERS - 1) as f64 / SIDE as f64;
    let pixel = |i: usize| between(scale(i / SIDE), scale(i % SIDE), CORNERS, at);
    (0..SIDE * SIDE).map(|i| pixel(i) + rng.random_range(0.0..30.0)).collect()
}

/// A value between those at whole places from 0 to `side` − 1, linearly in both directions.
fn between(y: f64, x: f64, side: usize, at: impl Fn(usize, usize) -> f64) -> f64 {
    let place = |v: f64| {
        let v = v.clamp(0.0, (side - 1) as f64);
        let from = (v.floor() as usize).min(side - 2);
        (from, v - from as f64)
    };
    let ((row, down), (column, right)) = (place(y), place(x));
    let line = |row: usize| at(row, column) * (1.0 - right) + at(row, column + 1) * right;
    line(row) * (1.0 - down) + line(row + 1) * down
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_are_the_same_each_time_and_have_all_classes() {
        let (a, b) = (tasks(Some(9)), tasks(None));
        for (a, b) in [(&a.source, &b.source), (&a.downstream, &b.downstream)] {
            for (a, b) in [(&a.train, &b.train), (&a.validation, &b.validation), (&a.test, &b.test)] {
                assert_eq!((a.digest(), a.shape(), a.classes()), (b.digest(), [32, 32, 1], 6));
                assert_eq!(a.classes_seen(), [0, 1, 2, 3, 4, 5]);
            }
        }
        let all = [&a.source.train, &a.downstream.train, &a.downstream.validation, &a.downstream.test];
        assert_eq!(all.map(Images::count), [400, 300, 60, 60]);
        // Two to four digits in each, which cover a tenth to a third of the canvas together.
        for mask in a.downstream.train.masks() {
            let classes: std::collections::BTreeSet<u16> = mask.iter().copied().collect();
            assert!((2..=5).contains(&classes.len()) && classes.contains(&0));
            let share = mask.iter().filter(|&&l| l > 0).count() as f64 / mask.len() as f64;
            assert!(share > 0.04 && share < 0.5, "{share}");
        }
    }

    /// Pinned, so that no upgrade changes the gallery unseen.
    #[test]
    fn the_first_scene_is_pinned() {
        let first = tasks(None).downstream.train.select(&[0]);
        let covered: Vec<usize> =
            (0..6).map(|class| first.labels().iter().filter(|&&l| l == class).count()).collect();
        assert_eq!(covered, [816, 0, 129, 0, 0, 79]);
    }

    #[test]
    fn values_between_are_linear() {
        let at = |row: usize, column: usize| (10 * row + column) as f64;
        for (y, x, value) in [(0.0, 0.0, 0.0), (0.5, 1.25, 6.25), (2.0, 2.0, 22.0), (-3.0, 9.0, 2.0)] {
            assert!((between(y, x, 3, at) - value).abs() < 1e-12, "{y} {x}");
        }
    }
}
