//! Images of one size with labels, of whole images or of their pixels.

use candle_core::{DType, Device, Tensor};
use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, RgbImage};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Samples;
use crate::network::Row;
use crate::targets::Targets;
use taskhead::sweep::plan::Digest;
use taskhead::tasks::stream;
use taskhead_files::digest_of_parts;

/// Purpose of the random stream that draws halves.
const HALVES: u64 = 102;

/// The label of a pixel that has no class.
pub const UNLABELLED: u16 = u16::MAX;

/// Images of one size with labels, pixel by pixel, channels last.
#[derive(Debug, Clone)]
pub struct Images {
    shape: [usize; 3],
    pixels: Vec<u8>,
    /// One for each row.
    labels: Vec<u16>,
    row: Row,
    classes: usize,
    white: f32,
    /// Mean and deviation of each channel; none if pixels stay between 0 and 1.
    normalisation: Vec<[f32; 2]>,
}

impl Images {
    /// Images of height × width × channels, one after the other; `white` is the pixel that becomes 1.
    ///
    /// # Errors
    ///
    /// In words: pixels of more or fewer images than there are labels, no image, or a label out of range.
    pub fn new(
        shape: [usize; 3],
        pixels: Vec<u8>,
        labels: Vec<u16>,
        classes: usize,
        white: f32,
    ) -> Result<Self, String> {
        // A side of an array without values may have any length.
        let size = shape.into_iter().fold(1, usize::saturating_mul);
        let needed = size.saturating_mul(labels.len());
        if labels.is_empty() {
            return Err("there is no image".into());
        }
        if size == 0 {
            return Err(format!("images of shape {shape:?} have no pixel"));
        }
        if pixels.len() != needed {
            return Err(format!(
                "{} labels need {} bytes of images of shape {shape:?}, but there are {}",
                labels.len(),
                needed,
                pixels.len()
            ));
        }
        if let Some(row) = labels.iter().position(|&l| usize::from(l) >= classes) {
            return Err(format!(
                "image {row} has the label {}; accepted: 0 to {}",
                labels[row],
                classes as i64 - 1
            ));
        }
        let (row, normalisation) = (Row::Sample, Vec::new());
        Ok(Self { shape, pixels, labels, row, classes, white, normalisation })
    }

    /// Images with a label for each pixel, row by row, or [`UNLABELLED`].
    ///
    /// # Errors
    ///
    /// In words: those of [`Self::new`].
    pub fn with_masks(
        shape: [usize; 3],
        pixels: Vec<u8>,
        masks: Vec<u16>,
        classes: usize,
        white: f32,
    ) -> Result<Self, String> {
        let area = (shape[0] * shape[1]).max(1);
        let (count, rest) = (masks.len() / area, masks.len() % area);
        if rest != 0 {
            return Err(format!(
                "{} labels do not fill masks of {}×{}",
                masks.len(),
                shape[0],
                shape[1]
            ));
        }
        if let Some(at) = masks.iter().position(|&l| l != UNLABELLED && usize::from(l) >= classes) {
            let (image, label) = (at / area, masks[at]);
            return Err(format!(
                "the mask of image {image} has the label {label}; accepted: 0 to {}",
                classes as i64 - 1
            ));
        }
        let all = Self::new(shape, pixels, vec![0; count], 1, white)?;
        Ok(Self { labels: masks, row: Row::Pixel, classes, ..all })
    }

    /// The same images with the means of channels subtracted and divided by their deviations when they become
    /// tensors: one number, or one for each channel; if there is none, 0 and 1.
    ///
    /// # Errors
    ///
    /// In words: neither one number nor one for each channel.
    pub fn normalised(self, mean: &[f64], std: &[f64]) -> Result<Self, String> {
        let channels = self.shape[2];
        let each = |name: &str, given: &[f64], absent: f32| match given {
            [] => Ok(vec![absent; channels]),
            [one] => Ok(vec![*one as f32; channels]),
            _ if given.len() == channels => Ok(given.iter().map(|&v| v as f32).collect()),
            _ => Err(format!(
                "{} numbers for {name} do not fit images of {channels} channels; accepted: 1 or {channels}",
                given.len()
            )),
        };
        if mean.is_empty() && std.is_empty() {
            return Ok(self);
        }
        let (mean, std) = (each("mean", mean, 0.0)?, each("std", std, 1.0)?);
        let normalisation = mean.into_iter().zip(std).map(|(mean, std)| [mean, std]).collect();
        Ok(Self { normalisation, ..self })
    }

    /// The same images brought to a height, width and number of channels: by a triangle filter that is as wide as a
    /// pixel of the smaller image, grey three times, or colours by their luminance.
    ///
    /// # Errors
    ///
    /// In words: images that are neither grey nor of three channels.
    pub fn resized(&self, [height, width, channels]: [usize; 3]) -> Result<Self, String> {
        if [height, width, channels] == self.shape {
            return Ok(self.clone());
        }
        if ![1, 3].contains(&self.shape[2]) || ![1, 3].contains(&channels) {
            return Err(format!(
                "images of {} channels cannot become images of {channels}; accepted: 1 and 3",
                self.shape[2]
            ));
        }
        let [from_height, from_width, from] = self.shape;
        let size = from_height * from_width * from;
        let mut pixels = Vec::with_capacity(self.count() * height * width * channels);
        for image in self.pixels.chunks_exact(size) {
            let (w, h, image) = (from_width as u32, from_height as u32, image.to_vec());
            let image = if from == 1 {
                GrayImage::from_raw(w, h, image).map(DynamicImage::from)
            } else {
                RgbImage::from_raw(w, h, image).map(DynamicImage::from)
            };
            let image = image.expect("whole images").resize_exact(
                width as u32,
                height as u32,
                FilterType::Triangle,
            );
            pixels.extend(if channels == 1 {
                image.into_luma8().into_raw()
            } else {
                image.into_rgb8().into_raw()
            });
        }
        Ok(Self {
            shape: [height, width, channels],
            pixels,
            labels: self.labels.clone(),
            normalisation: Vec::new(),
            ..*self
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.labels.len() / self.rows_of_one()
    }

    /// Labels of an image.
    fn rows_of_one(&self) -> usize {
        match self.row {
            Row::Sample => 1,
            Row::Pixel => self.shape[0] * self.shape[1],
        }
    }

    /// What has a label.
    pub fn row(&self) -> Row {
        self.row
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Height, width and channels.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// The label of each row, image by image.
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// The labels of each image.
    pub fn masks(&self) -> impl Iterator<Item = &[u16]> {
        self.labels.chunks_exact(self.rows_of_one())
    }

    /// The same images in the same order, each with the labels of another.
    pub fn shuffled(&self, rng: &mut ChaCha8Rng) -> Self {
        let mut order: Vec<usize> = (0..self.count()).collect();
        order.shuffle(rng);
        let labels = order.iter().flat_map(|&image| self.masks_of(image)).copied().collect();
        self.clone().with_labels(labels)
    }

    fn masks_of(&self, image: usize) -> &[u16] {
        let rows = self.rows_of_one();
        &self.labels[image * rows..(image + 1) * rows]
    }

    /// The same images with other labels, of which there must be as many.
    pub fn with_labels(self, labels: Vec<u16>) -> Self {
        assert_eq!(labels.len(), self.labels.len(), "one label a row");
        Self { labels, ..self }
    }

    /// The labels that there are, ascending.
    pub fn classes_seen(&self) -> Vec<u16> {
        let seen: std::collections::BTreeSet<u16> =
            self.labels.iter().copied().filter(|&label| label != UNLABELLED).collect();
        seen.into_iter().collect()
    }

    /// The images of the given rows, in that order.
    pub fn select(&self, rows: &[usize]) -> Self {
        let size: usize = self.shape.iter().product();
        let image = |&row: &usize| &self.pixels[row * size..(row + 1) * size];
        Self {
            pixels: rows.iter().flat_map(image).copied().collect(),
            labels: rows.iter().flat_map(|&row| self.masks_of(row)).copied().collect(),
            normalisation: self.normalisation.clone(),
            ..*self
        }
    }

    /// The first `most` images of the given classes (all if absent), which are numbered anew in that order.
    ///
    /// # Errors
    ///
    /// A class that no image has.
    pub fn of_classes(&self, classes: &[u16], most: Option<usize>) -> Result<Self, u16> {
        if let Some(missing) = classes.iter().find(|class| !self.labels.contains(class)) {
            return Err(*missing);
        }
        let place = |label: &u16| classes.iter().position(|class| class == label);
        let rows = (0..self.count()).filter(|&row| place(&self.labels[row]).is_some());
        let rows: Vec<usize> = rows.take(most.unwrap_or(usize::MAX)).collect();
        let mut chosen = self.select(&rows);
        for label in &mut chosen.labels {
            *label = place(label).expect("chosen by its label") as u16;
        }
        Ok(Self { classes: classes.len(), ..chosen })
    }

    /// Two halves that share no image and have of each class as many, or one more or less (of masks only as many
    /// images); each keeps the order of its images. Which image is in which half is drawn once for all seeds: what one
    /// seed chooses by is then reported by none.
    pub fn halves(&self) -> [Self; 2] {
        let mut rows: Vec<usize> = (0..self.count()).collect();
        rows.shuffle(&mut stream(0, HALVES));
        if self.row == Row::Sample {
            rows.sort_by_key(|&row| self.labels[row]);
        }
        [0, 1].map(|first| {
            let mut half: Vec<usize> = rows.iter().skip(first).step_by(2).copied().collect();
            half.sort_unstable();
            self.select(&half)
        })
    }

    /// What tells these images from others: the digest of everything.
    pub fn digest(&self) -> Digest {
        let sizes = self.shape.into_iter().chain([self.classes]).flat_map(|n| (n as u64).to_le_bytes());
        let scales = [self.white].into_iter().chain(self.normalisation.as_flattened().iter().copied());
        let head: Vec<u8> = sizes.chain(scales.flat_map(f32::to_le_bytes)).collect();
        let labels: Vec<u8> = self.labels.iter().flat_map(|label| label.to_le_bytes()).collect();
        let masks: &[u8] = match self.row {
            Row::Sample => &[],
            Row::Pixel => b"masks",
        };
        digest_of_parts(
            [&head[..], &self.pixels, &labels].into_iter().chain((!masks.is_empty()).then_some(masks)),
        )
    }

    /// As tensors: inputs N×height×width×channels, from 0 to 1 before they are normalised; targets one-hot.
    pub fn samples(&self, dtype: DType, device: &Device) -> candle_core::Result<Samples> {
        let [height, width, channels] = self.shape;
        let mut values: Vec<f32> = self.pixels.iter().map(|&p| f32::from(p) / self.white).collect();
        for (value, [mean, std]) in values.iter_mut().zip(self.normalisation.iter().cycle()) {
            *value = (*value - mean) / std;
        }
        let mut targets = vec![0f32; self.labels.len() * self.classes];
        let labelled = self.labels.iter().enumerate().filter(|(_, label)| **label != UNLABELLED);
        for (row, &label) in labelled {
            targets[row * self.classes + usize::from(label)] = 1.0;
        }
        let place = |t: Tensor| t.to_dtype(dtype)?.to_device(device);
        let shape = (self.count(), height, width, channels);
        let inputs = place(Tensor::from_vec(values, shape, &Device::Cpu)?)?;
        let known = || -> candle_core::Result<Option<Tensor>> {
            if !self.labels.contains(&UNLABELLED) {
                return Ok(None);
            }
            let known = self.labels.iter().map(|&label| f32::from(u8::from(label != UNLABELLED)));
            let known =
                Tensor::from_vec(known.collect(), (self.count(), height, width, 1), &Device::Cpu)?;
            Ok(Some(place(known)?))
        };
        let targets = match self.row {
            Row::Sample => {
                place(Tensor::from_vec(targets, (self.count(), self.classes), &Device::Cpu)?)?.into()
            }
            Row::Pixel => {
                let shape = (self.count(), height, width, self.classes);
                Targets::of_pixels(place(Tensor::from_vec(targets, shape, &Device::Cpu)?)?, known()?)
            }
        };
        Ok(Samples { inputs, targets })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    #[test]
    fn images_become_tensors() {
        let images = Images::new([1, 2, 1], vec![0, 4, 8, 16], vec![1, 0], 3, 16.0).unwrap();
        let samples = images.samples(DType::F32, &Device::Cpu).unwrap();
        assert_eq!(samples.shape(), [1, 2, 1]);
        assert_eq!(
            samples.inputs.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            [0.0, 0.25, 0.5, 1.0]
        );
        assert_eq!(samples.targets.matrix().unwrap(), dmatrix![0.0, 1.0, 0.0; 1.0, 0.0, 0.0]);
        let last = images.select(&[1]);
        assert_eq!((last.count(), last.labels()), (1, &[0u16][..]));
        let one = images.of_classes(&[1], None).unwrap();
        assert_eq!((one.count(), one.classes(), one.labels()), (1, 1, &[0u16][..]));
        assert_eq!(images.of_classes(&[1, 2], None).unwrap_err(), 2);
        assert_eq!(images.of_classes(&[0, 1], Some(1)).unwrap().labels(), [1]);
        assert_ne!(images.digest(), images.clone().with_labels(vec![0, 0]).digest());
    }

    #[test]
    fn channels_are_normalised() {
        let images = Images::new([1, 2, 2], vec![0, 4, 8, 16], vec![0], 1, 16.0).unwrap();
        let values = |mean: &[f64], std: &[f64]| {
            let images = images.clone().normalised(mean, std).unwrap().select(&[0]);
            let inputs = images.samples(DType::F32, &Device::Cpu).unwrap().inputs;
            (inputs.flatten_all().unwrap().to_vec1::<f32>().unwrap(), images.digest())
        };
        let (plain, sum) = values(&[], &[]);
        assert_eq!((plain, sum), (vec![0.0, 0.25, 0.5, 1.0], images.digest()));
        let (both, other) = values(&[0.5, 0.25], &[0.25, 0.5]);
        assert_eq!(both, [-2.0, 0.0, 0.0, 1.5]);
        assert_ne!(sum, other);
        assert_eq!(values(&[0.5], &[]).0, [-0.5, -0.25, 0.0, 0.5]);
        assert_eq!(values(&[], &[0.5]).0, [0.0, 0.5, 1.0, 2.0]);
        let error = images.normalised(&[0.0; 3], &[]).unwrap_err();
        assert_eq!(error, "3 numbers for mean do not fit images of 2 channels; accepted: 1 or 2");
    }

    /// By hand: one label a pixel, one of them unknown.
    #[test]
    fn masks_go_with_their_images() {
        let masks = vec![0, 1, UNLABELLED, 0, 2, 2];
        let images = Images::with_masks([1, 2, 1], (0..6).collect(), masks, 3, 1.0).unwrap();
        assert_eq!(
            (images.count(), images.row(), images.classes_seen()),
            (3, Row::Pixel, vec![0, 1, 2])
        );
        let last = images.select(&[2, 1]);
        assert_eq!((last.labels(), &last.pixels[..]), (&[2, 2, UNLABELLED, 0][..], &[4, 5, 2, 3][..]));
        let samples = images.samples(DType::F32, &Device::Cpu).unwrap();
        let known = dmatrix![1., 0., 0.; 0., 1., 0.; 1., 0., 0.; 0., 0., 1.; 0., 0., 1.];
        assert_eq!(samples.targets.matrix().unwrap(), known);
        assert_eq!((samples.targets.count(), samples.targets.outputs()), (3, 3));
        let other = images.clone().with_labels(vec![0, 1, 0, 0, 2, 2]);
        assert_ne!(images.digest(), other.digest());
        // Whole masks change places.
        let shuffled = images.shuffled(&mut stream(0, 1));
        let mut all: Vec<&[u16]> = shuffled.masks().collect();
        all.sort_unstable();
        assert_eq!(all, [&[0, 1][..], &[2, 2], &[UNLABELLED, 0]]);
        let [a, b] = images.halves();
        assert_eq!(a.count() + b.count(), 3);
        let error =
            |masks: Vec<u16>| Images::with_masks([1, 2, 1], vec![0; 4], masks, 2, 1.0).unwrap_err();
        assert_eq!(error(vec![0, 1, 2, 0]), "the mask of image 1 has the label 2; accepted: 0 to 1");
        assert!(error(vec![0, 1, 0]).contains("3 labels do not fill masks of 1×2"));
        assert!(error(vec![0, 1]).contains("need 2 bytes"));
    }

    /// By hand: 2×2 squares become their means, white stays white, grey has three equal channels.
    #[test]
    fn images_are_brought_to_a_shape() {
        let pixels =
            [vec![255; 16], (0..16).map(|i| if i % 4 < 2 { 0 } else { 200 }).collect()].concat();
        let images = Images::new([4, 4, 1], pixels, vec![1, 0], 2, 255.0).unwrap();
        let small = images.resized([2, 2, 1]).unwrap();
        assert_eq!((small.shape(), small.labels()), ([2, 2, 1], &[1u16, 0][..]));
        assert_eq!(&small.pixels[..4], [255; 4]);
        // The filter reaches half a pixel beyond.
        let (left, right) = (small.pixels[4], small.pixels[5]);
        assert!(left < 40 && right > 160 && left + right >= 199, "{left} and {right}");
        let colours = small.resized([2, 2, 3]).unwrap();
        assert_eq!(colours.pixels[12..18], [left, left, left, right, right, right]);
        assert_eq!(colours.resized([2, 2, 1]).unwrap().pixels, small.pixels);
        assert_eq!(images.resized([4, 4, 1]).unwrap().digest(), images.digest());
        let odd = Images::new([1, 1, 2], vec![0, 0], vec![0], 1, 1.0).unwrap();
        assert!(odd.resized([1, 1, 1]).unwrap_err().contains("images of 2 channels"));
    }

    #[test]
    fn halves_share_no_image_and_have_the_same_classes() {
        let labels: Vec<u16> = (0..51).map(|i| if i < 20 { 0 } else { 1 + i % 2 }).collect();
        let images = Images::new([1, 1, 1], (0..51).collect(), labels, 3, 1.0).unwrap();
        let [a, b] = images.halves();
        let mut all = [a.pixels.clone(), b.pixels.clone()].concat();
        assert!(a.pixels.is_sorted() && b.pixels.is_sorted() && (a.count(), b.count()) == (26, 25));
        all.sort_unstable();
        assert_eq!(all, (0..51).collect::<Vec<u8>>());
        for class in 0..3 {
            let [a, b] = [&a, &b].map(|half| half.labels.iter().filter(|&&l| l == class).count());
            assert!(a.abs_diff(b) <= 1, "{class}: {a} and {b}");
        }
        assert_eq!(images.halves()[0].pixels, a.pixels);
        // Drawn, not every other one.
        assert!(a.pixels.iter().any(|p| p % 2 == 0) && a.pixels.iter().any(|p| p % 2 == 1));
    }

    #[test]
    fn labels_and_sizes_are_checked() {
        let error = |pixels: usize, labels: &[u16]| {
            Images::new([2, 2, 1], vec![0; pixels], labels.to_vec(), 3, 1.0).unwrap_err()
        };
        assert_eq!(error(8, &[1, 3]), "image 1 has the label 3; accepted: 0 to 2");
        assert!(error(7, &[1, 2]).contains("need 8 bytes") && error(0, &[]).contains("no image"));
    }
}
