//! Two tasks on images of folders with a mask for each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::decode::EXTENSIONS;
use super::found::{fault, name};
use super::mask;
use super::reader::{Reader, Seen};
use super::{ImageTasks, Images, Split, UNLABELLED};
use crate::config::{Class, Files};
use crate::error::ReplayError;

/// What is read.
const ACCEPTED: &str = "images/ and masks/ with the same names but for their endings, or the layout of Pascal VOC \
    (JPEGImages, SegmentationClass, ImageSets/Segmentation/train.txt and val.txt)";

/// Of a folder without lists every third image is held out, in the order of their names.
const HELD_OUT_EVERY: usize = 3;

/// The background, which is a class of both tasks.
const BACKGROUND: u16 = 0;

/// The classes of Pascal VOC by their labels.
const VOC: [&str; 21] = [
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
];

/// What Pascal VOC gives to pixels at the edges of objects.
const VOC_IGNORED: u16 = 255;

/// Labels that a message lists.
const LISTED: usize = 20;

/// An image with its mask.
type Pair = [PathBuf; 2];

/// What lies in a folder, before it is read.
struct Found {
    train: Vec<Pair>,
    held_out: Vec<Pair>,
    /// Names of the classes; none if labels are numbers only.
    names: Vec<String>,
    /// The label of pixels without one.
    ignore: Option<u16>,
}

/// Images with the labels of their pixels as they are in files.
struct Read {
    pixels: Vec<u8>,
    masks: Vec<u16>,
    /// Of each image.
    labels: Vec<BTreeSet<u16>>,
}

/// The images of a folder.
struct Folder<'a> {
    path: &'a Path,
    /// Height and width.
    size: [usize; 2],
    train: Read,
    held_out: Read,
    names: Vec<String>,
    notes: Vec<String>,
}

impl Files {
    /// Source and downstream task on the pixels of images.
    pub(super) fn mask_tasks(&self) -> Result<ImageTasks, ReplayError> {
        let down = Folder::read(&self.folder, self, "--data")?;
        let other = self.source_folder.as_ref();
        let other = other.map(|path| Folder::read(path, self, "--source-data")).transpose()?;
        let source = other.as_ref().unwrap_or(&down);
        if source.size != down.size {
            let [[h, w], [height, width]] = [source.size, down.size];
            return fault(
                source.path,
                format!(
                    "its images have {w}×{h} pixels, those of {} {width}×{height}; accepted: one size, or --side N (`side` under [data])",
                    down.path.display()
                ),
            );
        }
        let [of_source, of_down] = [(&self.source, source, "source"), (&self.classes, &down, "classes")]
            .map(|(given, folder, key)| folder.chosen(given, key));
        let (mut of_source, mut of_down) = (of_source?, of_down?);
        let mut notes = down.notes.clone();
        if self.source.is_empty() && self.classes.is_empty() && other.is_none() {
            let objects: Vec<u16> = of_down.iter().copied().filter(|&l| l != BACKGROUND).collect();
            let half = objects.len() / 2;
            if half == 0 {
                notes.push(format!(
                    "{}: both tasks have the same classes, as there is but one besides the background",
                    down.path.display()
                ));
            } else {
                of_source.retain(|label| !objects[half..].contains(label));
                of_down.retain(|label| !objects[..half].contains(label));
            }
        }
        notes.extend(other.iter().flat_map(|folder| folder.notes.clone()));
        Ok(ImageTasks {
            source: source.split(self, &of_source, "--source-classes", self.source_samples)?,
            downstream: down.split(self, &of_down, "--classes", None)?,
            samples: self.samples,
            notes,
        })
    }
}

impl<'a> Folder<'a> {
    /// All images and masks.
    fn read(path: &'a Path, files: &Files, flag: &str) -> Result<Self, ReplayError> {
        let mut reader = Reader::new(path, files.side);
        let found = find(path, &mut reader, flag)?;
        let ignore = files.ignore.or(found.ignore);
        let mut part = |pairs: &[Pair]| read(pairs, &mut reader, &found.names, ignore);
        let (train, held_out) = (part(&found.train)?, part(&found.held_out)?);
        let (width, height) = reader.size();
        let folder = Self {
            path,
            size: [height as usize, width as usize],
            train,
            held_out,
            names: found.names,
            notes: reader.notes(),
        };
        let there = folder.train.all();
        if there.len() < 2 {
            return fault(
                path,
                format!("the masks have {}; accepted: at least two labels", folder.listed(&there)),
            );
        }
        if let Some(place) = folder.held_out.labels.iter().position(|l| !l.is_subset(&there)) {
            let label =
                *folder.held_out.labels[place].difference(&there).next().expect("one is not there");
            return fault(
                &found.held_out[place][1],
                format!(
                    "this mask has the label {}, which no training mask has; accepted: {}, and what --ignore \
                     (`data.ignore`) names",
                    folder.named(label),
                    folder.listed(&there)
                ),
            );
        }
        Ok(folder)
    }

    /// The labels of a task: those of given classes and the background, or all.
    fn chosen(&self, given: &[Class], key: &str) -> Result<Vec<u16>, ReplayError> {
        let there = self.train.all();
        if given.is_empty() {
            return Ok(there.into_iter().collect());
        }
        let flag = if key == "source" { "--source-classes" } else { "--classes" };
        let mut labels: Vec<u16> = there.iter().copied().filter(|&l| l == BACKGROUND).collect();
        for class in given {
            let label = class.label(&self.names).filter(|label| there.contains(label));
            let Some(label) = label else {
                return fault(
                    self.path,
                    format!(
                        "no training mask has a pixel of class {class}; {flag} (`data.{key}`) takes others of {}",
                        self.listed(&there)
                    ),
                );
            };
            if label != BACKGROUND && labels.contains(&label) {
                return fault(
                    self.path,
                    format!(
                        "the class {class} is {}, which is there already ({flag}, `data.{key}`)",
                        self.named(label)
                    ),
                );
            }
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        if labels.len() < 2 {
            return fault(
                self.path,
                format!(
                    "{flag} (`data.{key}`) leaves one label, {}; accepted: at least two",
                    self.named(labels[0])
                ),
            );
        }
        Ok(labels)
    }

    /// The images that have a pixel of some labels besides the background.
    fn split(
        &self,
        files: &Files,
        labels: &[u16],
        flag: &str,
        most: Option<usize>,
    ) -> Result<Split, ReplayError> {
        let images = |part: &Read, what: &str, most: Option<usize>| {
            let all: BTreeSet<u16> = part.all();
            if let Some(&missing) = labels.iter().find(|&label| !all.contains(label)) {
                return fault(
                    self.path,
                    format!(
                        "no {what} mask has a pixel of class {}; {flag} takes others of {}",
                        self.named(missing),
                        self.listed(&all)
                    ),
                );
            }
            let [height, width] = self.size;
            let images = part.of(labels, [height, width, 3], most);
            let images = images.and_then(|images| images.normalised(&files.mean, &files.std));
            images.or_else(|reason| {
                fault(self.path, format!("{reason} (--mean and --std, `data.mean` and `data.std`)"))
            })
        };
        let train = images(&self.train, "training", most)?;
        let held_out = images(&self.held_out, "held-out", files.held_out)?;
        Split::new(train, held_out, None).or_else(|reason| fault(self.path, reason))
    }

    fn named(&self, label: u16) -> String {
        match self.names.get(usize::from(label)) {
            Some(name) => format!("{label} ({name})"),
            None => label.to_string(),
        }
    }

    fn listed(&self, labels: &BTreeSet<u16>) -> String {
        let list: Vec<String> = labels.iter().take(LISTED).map(|&label| self.named(label)).collect();
        let rest = labels.len().saturating_sub(LISTED);
        list.join(", ") + &if rest > 0 { format!(" and {rest} more") } else { String::new() }
    }
}

impl Read {
    /// All labels of all images.
    fn all(&self) -> BTreeSet<u16> {
        self.labels.iter().flatten().copied().collect()
    }

    /// The first images that have a pixel of some labels besides the background, with these labels numbered in their
    /// order; pixels of others have none.
    fn of(&self, labels: &[u16], shape: [usize; 3], most: Option<usize>) -> Result<Images, String> {
        let place: BTreeMap<u16, u16> = labels.iter().copied().zip(0..).collect();
        let size: usize = shape.iter().product();
        let area = shape[0] * shape[1];
        let objects =
            |seen: &BTreeSet<u16>| seen.iter().any(|l| *l != BACKGROUND && place.contains_key(l));
        let chosen = (0..self.labels.len()).filter(|&i| objects(&self.labels[i]));
        let (mut pixels, mut masks) = (Vec::new(), Vec::new());
        for image in chosen.take(most.unwrap_or(usize::MAX)) {
            pixels.extend_from_slice(&self.pixels[image * size..(image + 1) * size]);
            let mask = &self.masks[image * area..(image + 1) * area];
            masks.extend(mask.iter().map(|label| place.get(label).copied().unwrap_or(UNLABELLED)));
        }
        Images::with_masks(shape, pixels, masks, labels.len(), 255.0)
    }
}

/// Reads images and masks of one size.
fn read(
    pairs: &[Pair],
    reader: &mut Reader<'_>,
    names: &[String],
    ignore: Option<u16>,
) -> Result<Read, ReplayError> {
    let mut all = Read { pixels: Vec::new(), masks: Vec::new(), labels: Vec::new() };
    for [image, path] in pairs {
        let (pixels, (width, height)) = reader.image_and_size(image)?;
        let mask = match mask::read(path) {
            Ok(mask) => mask,
            Err(reason) => return fault(path, format!("this mask cannot be read: {reason}")),
        };
        if (mask.width, mask.height) != (width, height) {
            return fault(
                path,
                format!(
                    "this mask has {}×{} pixels, its image {} {width}×{height}; accepted: the same size",
                    mask.width,
                    mask.height,
                    name(image)
                ),
            );
        }
        let out_of_range = |label: u16| !names.is_empty() && usize::from(label) >= names.len();
        let strange =
            |&label: &u16| (out_of_range(label) || label == UNLABELLED) && Some(label) != ignore;
        if let Some(at) = mask.labels.iter().position(strange) {
            let (x, y) = (at % width as usize, at / width as usize);
            let most = if names.is_empty() { UNLABELLED - 1 } else { names.len() as u16 - 1 };
            return fault(
                path,
                format!(
                    "this mask has the label {} at column {x}, row {y}; accepted: 0 to {most}, and what --ignore \
                     (`data.ignore`) names",
                    mask.labels[at]
                ),
            );
        }
        let labels = mask.resized(pixels.width(), pixels.height());
        let labels: Vec<u16> = labels
            .into_iter()
            .map(|label| if Some(label) == ignore { UNLABELLED } else { label })
            .collect();
        all.labels.push(labels.iter().copied().filter(|&label| label != UNLABELLED).collect());
        all.masks.extend(labels);
        all.pixels.extend(pixels.into_raw());
    }
    Ok(all)
}

/// What lies in a folder.
fn find(folder: &Path, reader: &mut Reader<'_>, flag: &str) -> Result<Found, ReplayError> {
    if !folder.is_dir() {
        return fault(folder, format!("there is no such folder; {flag} takes another"));
    }
    let there = |parts: &[&str]| parts.iter().all(|part| folder.join(part).is_dir());
    if there(&["JPEGImages", "SegmentationClass"]) {
        let list = |part: &str| listed(folder, part);
        return Ok(Found {
            train: list("train")?,
            held_out: list("val")?,
            names: VOC.map(String::from).to_vec(),
            ignore: Some(VOC_IGNORED),
        });
    }
    if !there(&["images", "masks"]) {
        return fault(folder, format!("there are no images with masks; accepted: {ACCEPTED}"));
    }
    let mut pairs = pairs(folder, reader)?;
    let held_out: Vec<Pair> =
        pairs.iter().skip(HELD_OUT_EVERY - 1).step_by(HELD_OUT_EVERY).cloned().collect();
    pairs.retain(|pair| !held_out.contains(pair));
    if held_out.len() < 2 {
        let count = pairs.len() + held_out.len();
        return fault(
            folder,
            format!(
                "there are {count} images with masks, of which every third is held out; accepted: at least 6"
            ),
        );
    }
    Ok(Found { train: pairs, held_out, names: Vec::new(), ignore: None })
}

/// The images of a list of Pascal VOC.
fn listed(folder: &Path, part: &str) -> Result<Vec<Pair>, ReplayError> {
    let path = folder.join("ImageSets/Segmentation").join(part).with_extension("txt");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => return fault(&path, format!("this list cannot be read: {error}")),
    };
    let mut pairs = Vec::new();
    for (line, stem) in text.lines().enumerate().map(|(i, line)| (i + 1, line.trim())) {
        if stem.is_empty() {
            continue;
        }
        let pair = [("JPEGImages", "jpg"), ("SegmentationClass", "png")]
            .map(|(part, ending)| folder.join(part).join(format!("{stem}.{ending}")));
        if stem.contains(['/', '\\']) || pair.iter().any(|path| !path.is_file()) {
            let missing = pair.iter().find(|path| !path.is_file()).unwrap_or(&pair[0]);
            return fault(
                &path,
                format!("line {line} names {stem}, but there is no {}", missing.display()),
            );
        }
        pairs.push(pair);
    }
    if pairs.len() < 2 {
        return fault(&path, format!("this list has {} images; accepted: at least two", pairs.len()));
    }
    Ok(pairs)
}

/// Images and masks of the same name but for its ending, in the order of their names.
fn pairs(folder: &Path, reader: &mut Reader<'_>) -> Result<Vec<Pair>, ReplayError> {
    let mut by_stem = |part: &str, endings: &[&str]| {
        let mut all: BTreeMap<String, PathBuf> = BTreeMap::new();
        for path in reader.admitted(&folder.join(part))? {
            let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
            if !path.is_file() || ending.is_none_or(|ending| !endings.contains(&ending.as_str())) {
                reader.see(Seen::NoImage, &path);
                continue;
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(other) = all.insert(stem, path.clone()) {
                let both = format!(
                    "{} has the same name but for its ending; accepted: one of them",
                    name(&other)
                );
                return fault(&path, both);
            }
        }
        Ok(all)
    };
    let (images, mut masks) = (by_stem("images", &EXTENSIONS)?, by_stem("masks", &["png"])?);
    let mut pairs = Vec::new();
    for (stem, image) in images {
        let Some(mask) = masks.remove(&stem) else {
            let wanted = folder.join("masks").join(format!("{stem}.png"));
            return fault(&image, format!("this image has no mask: there is no {}", wanted.display()));
        };
        pairs.push([image, mask]);
    }
    masks.values().for_each(|path| reader.see(Seen::NoPartner, path));
    Ok(pairs)
}
