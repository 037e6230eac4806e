//! Folders as people have them: what is read, what is skipped with a note, what is refused.

use candle_core::{DType, Device};
use std::path::Path;

use image::{DynamicImage, GrayImage, ImageEncoder, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use super::found::Found;
use super::*;
use crate::config::{Class, Files};
use crate::error::ReplayError;

/// A folder with `train/a`, `train/b`, `test/a`, `test/b` of two PNG each, 3 pixels wide and 2 high.
fn plain() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (part, class, red) in
        [("train", "a", 200), ("train", "b", 100), ("test", "a", 50), ("test", "b", 40)]
    {
        for i in 0..2 {
            save(&folder.path().join(part).join(class).join(format!("{i}.png")), 3, 2, red + i);
        }
    }
    folder
}

fn save(path: &Path, width: u32, height: u32, red: u8) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    RgbImage::from_pixel(width, height, Rgb([red, 0, 1])).save(path).unwrap();
}

fn read(folder: &Path) -> Result<Found, ReplayError> {
    layout::read(folder, None, "--data")
}

fn error(folder: &Path) -> String {
    read(folder).unwrap_err().to_string()
}

/// Bytes of the pixels.
fn pixels(images: &Images) -> Vec<u8> {
    let inputs = images.samples(DType::F32, &Device::Cpu).unwrap().inputs;
    let inputs = (inputs * 255.0).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    inputs.into_iter().map(|v| v.round() as u8).collect()
}

/// The pixels of one image that is alone in class a of the training images.
fn only(name: &str, bytes: &[u8]) -> Result<(Vec<u8>, Found), ReplayError> {
    let folder = plain();
    for i in 0..2 {
        std::fs::remove_file(folder.path().join(format!("train/a/{i}.png"))).unwrap();
    }
    std::fs::write(folder.path().join("train/a").join(name), bytes).unwrap();
    let found = read(folder.path())?;
    Ok((pixels(&found.train.select(&[0])), found))
}

fn encoded(image: &DynamicImage, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn classes_are_folders_and_faults_are_named() {
    let folder = plain();
    let here = folder.path();
    let found = read(here).unwrap();
    assert_eq!((found.train.shape(), found.train.labels()), ([2, 3, 3], &[0u16, 0, 1, 1][..]));
    assert_eq!((found.names, found.notes), (vec!["a".to_owned(), "b".into()], vec![]));
    assert_eq!(pixels(&found.train)[..3], [200, 0, 1]);
    assert_eq!(pixels(&found.held_out)[..3], [50, 0, 1]);

    save(&here.join("train/b/2.png"), 5, 5, 0);
    assert!(error(here).contains("has 5×5 pixels, the first one 3×2; accepted: one size, or --side N"));
    assert_eq!(layout::read(here, Some(4), "--data").unwrap().train.shape(), [4, 4, 3]);
    std::fs::write(here.join("train/b/2.png"), "text").unwrap();
    assert!(error(here).contains("2.png: this image cannot be read"), "{}", error(here));
    std::fs::remove_file(here.join("train/b/2.png")).unwrap();
    std::fs::create_dir(here.join("train/empty")).unwrap();
    assert!(
        error(here).contains("train/empty: this class has no image; accepted: png"),
        "{}",
        error(here)
    );
    std::fs::remove_dir(here.join("train/empty")).unwrap();
    std::fs::remove_dir_all(here.join("test")).unwrap();
    assert!(
        error(here).contains("beside train there is none of the folders test, val"),
        "{}",
        error(here)
    );
}

/// Hidden files, and those of systems, archivers and notebooks, are neither classes nor images.
#[test]
fn what_is_no_image_is_skipped_with_a_note() {
    let folder = plain();
    let here = folder.path();
    let before = read(here).unwrap();
    for place in ["train", "test", "train/a"] {
        save(&here.join(place).join(".ipynb_checkpoints/0-checkpoint.png"), 9, 9, 1);
        save(&here.join(place).join("__MACOSX/a/._0.png"), 9, 9, 1);
        for name in [".DS_Store", "Thumbs.db", "._0.png", "desktop.ini"] {
            std::fs::write(here.join(place).join(name), "x").unwrap();
        }
    }
    std::fs::write(here.join("train/b/drawing.svg"), "x").unwrap();
    std::fs::write(here.join("train/list.csv"), "x").unwrap();
    save(&here.join("test/c/0.png"), 3, 2, 1);
    let after = read(here).unwrap();
    assert_eq!((after.names, after.train.labels()), (before.names, before.train.labels()));
    assert_eq!(after.train.digest(), before.train.digest());
    assert_eq!(after.held_out.digest(), before.held_out.digest());
    let notes = after.notes.join("\n");
    for part in [
        "hidden or of the system: train/.DS_Store, train/._0.png, train/.ipynb_checkpoints, train/Thumbs.db",
        " and 13 more",
        "train has no such class: test/c",
        "lie in no folder of a class: train/list.csv",
        "no images that are read (png, jpg, jpeg, jfif, webp, bmp, gif, pnm, ppm, pgm, pbm): train/b/drawing.svg",
    ] {
        assert!(notes.contains(part), "{part} is not in:\n{notes}");
    }
}

#[test]
fn validation_images_stand_beside_test_images_or_for_them() {
    for name in ["val", "valid", "validation", "Validation"] {
        let folder = plain();
        let here = folder.path();
        let test = read(here).unwrap().held_out.digest();
        for class in ["a", "b"] {
            save(&here.join(name).join(class).join("0.png"), 3, 2, 7);
        }
        let both = read(here).unwrap();
        assert_eq!((both.held_out.digest(), both.validation.unwrap().count()), (test, 2));
        std::fs::remove_dir_all(here.join("test")).unwrap();
        let alone = read(here).unwrap();
        assert_eq!((alone.held_out.count(), alone.validation.is_none()), (2, true));
        assert_eq!(pixels(&alone.held_out)[0], 7);
        std::fs::create_dir(here.join(if name == "val" { "valid" } else { "val" })).unwrap();
        assert!(error(here).contains("; accepted: one of them"), "{}", error(here));
    }
}

/// Every format that is read: the pixels, and a file that is cut short anywhere is refused.
#[test]
fn all_formats_are_read_and_cut_ones_refused() {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Pnm, WebP};
    let image = RgbImage::from_fn(3, 2, |x, y| Rgb([40 * (x as u8), 90 * (y as u8), 200]));
    let image = DynamicImage::from(image);
    for (format, name) in
        [(Png, "0.PNG"), (Bmp, "0.bmp"), (WebP, "0.webp"), (Gif, "0.gif"), (Pnm, "0.ppm")]
    {
        let given = if format == Gif { DynamicImage::from(image.to_rgba8()) } else { image.clone() };
        let bytes = encoded(&given, format);
        let (found, _) = only(name, &bytes).unwrap();
        assert_eq!(found, image.as_bytes(), "{format:?}");
        for length in [bytes.len() / 2, bytes.len() * 3 / 4] {
            let error = only(name, &bytes[..length]).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("cannot be read"), "{format:?}: {error}");
        }
    }
    let large = RgbImage::from_fn(40, 30, |x, y| Rgb([(7 * x * y) as u8, (x * x) as u8, (y * 8) as u8]));
    let bytes = encoded(&DynamicImage::from(large), Jpeg);
    for length in (bytes.len() / 4..bytes.len()).step_by(53).chain([bytes.len() - 1]) {
        let error = only("0.jpg", &bytes[..length]).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("0.jpg: this image cannot be read"), "{length}: {error}");
    }
    // What stands behind the end is no damage.
    let small = encoded(&image, Jpeg);
    let behind = [&small[..], b"more"].concat();
    assert_eq!(only("0.jpeg", &behind).unwrap().0, only("0.jpeg", &small).unwrap().0);
}

/// A picture with the EXIF entry "turn a quarter to the right".
#[test]
fn exif_orientation_is_applied() {
    let image = RgbImage::from_fn(2, 3, |x, y| Rgb([100 * (x as u8), 80 * (y as u8), 9]));
    let exif = [
        b"MM\0\x2a\0\0\0\x08\0\x01".to_vec(),
        // Orientation, a short, one of them: 6.
        vec![0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let turned = image::imageops::rotate90(&image);
    let mut png = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
    encoder.set_exif_metadata(exif.clone()).unwrap();
    encoder.write_image(&image, 2, 3, image::ExtendedColorType::Rgb8).unwrap();
    let (found, _) = only("0.png", &png).unwrap();
    assert_eq!(found, turned.into_raw());
    // A JPEG loses exact colours, not where they are.
    let mut jpeg = Vec::new();
    let flat = RgbImage::from_fn(16, 24, |_, y| Rgb([if y < 12 { 250 } else { 0 }, 0, 0]));
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 100);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.write_image(&flat, 16, 24, image::ExtendedColorType::Rgb8).unwrap();
    let image = decode::decode(&written("0.jpg", &jpeg).1).unwrap().image;
    assert_eq!(image.dimensions(), (24, 16));
    assert!(image.get_pixel(2, 8)[0] < 60 && image.get_pixel(21, 8)[0] > 200);
}

fn written(name: &str, bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn alpha_grey_and_16_bits_are_what_the_documentation_says() {
    let png = |image: DynamicImage| encoded(&image, image::ImageFormat::Png);
    let half = RgbaImage::from_fn(3, 2, |x, _| Rgba([200, 100, 50, [255, 128, 0][x as usize]]));
    let (found, all) = only("0.png", &png(half.clone().into())).unwrap();
    assert_eq!(found[..9], [200, 100, 50, 100, 50, 25, 0, 0, 0]);
    assert!(all.notes[0].contains("blended with black where they are transparent: train/a/0.png"));
    let opaque = RgbaImage::from_fn(3, 2, |x, y| Rgba([half.get_pixel(x, y)[0], 1, 2, 255]));
    let (found, all) = only("0.png", &png(opaque.into())).unwrap();
    assert_eq!((&found[..3], all.notes.len()), (&[200u8, 1, 2][..], 0));
    let (found, all) = only("0.png", &png(GrayImage::from_pixel(3, 2, Luma([77])).into())).unwrap();
    assert_eq!((&found[..6], all.notes.len()), (&[77u8; 6][..], 0));
    let deep = image::ImageBuffer::<Luma<u16>, _>::from_pixel(3, 2, Luma([77 * 257 + 100]));
    let (found, all) = only("0.png", &png(deep.into())).unwrap();
    assert_eq!(found[..3], [77; 3]);
    assert!(all.notes[0].contains("rounded from 16 to 8 bits: train/a/0.png"), "{:?}", all.notes);
}

/// Both tasks in one folder, with classes that are or are not there.
#[test]
fn missing_classes_name_the_flag_and_those_that_exist() {
    let folder = plain();
    for class in ["c", "d"] {
        for part in ["train", "test"] {
            for i in 0..2 {
                save(&folder.path().join(part).join(class).join(format!("{i}.png")), 3, 2, i);
            }
        }
    }
    let classes = |labels: &[u16]| labels.iter().copied().map(Class::from).collect();
    let files = |source: &[u16], downstream: &[u16]| Files {
        source: classes(source),
        classes: classes(downstream),
        ..Files::of(folder.path())
    };
    let tasks = files(&[0, 1], &[3, 2]).tasks().unwrap();
    assert_eq!(tasks.downstream.train.labels(), [1, 1, 0, 0]);
    let counts =
        [&tasks.downstream.validation, &tasks.downstream.test].map(|images| images.labels().to_vec());
    assert_eq!(counts, [[1, 0], [1, 0]]);
    let error = |files: Files| files.tasks().unwrap_err().to_string();
    let text = error(files(&[0, 1], &[2, 4]));
    let expected = "no training image has the label 4; --classes (`data.classes`) takes others of 0 (a), 1 (b), 2 (c), 3 (d)";
    assert!(text.contains(expected), "{text}");
    let text = error(files(&[0, 9], &[2, 3]));
    assert!(
        text.contains("the label 9; --source-classes (`data.source`) takes others of 0 (a)"),
        "{text}"
    );
    // By the names of their folders, too.
    let named = |classes: &[&str]| {
        let classes = classes.iter().map(|class| class.parse().unwrap()).collect();
        Files { classes, ..files(&[0, 1], &[]) }
    };
    assert_eq!(named(&["d", "c"]).tasks().unwrap().downstream.train.labels(), [1, 1, 0, 0]);
    let text = error(named(&["c", "e"]));
    assert!(
        text.contains("there is no class e; --classes (`data.classes`) takes others of 0 (a)"),
        "{text}"
    );
    let text = error(named(&["c", "2"]));
    assert!(
        text.contains("the class 2 is 2 (c), which is there already (--classes, `data.classes`)"),
        "{text}"
    );
    std::fs::remove_dir_all(folder.path().join("test/b")).unwrap();
    assert!(files(&[0, 2], &[2, 3]).tasks().is_ok());
    let text = error(files(&[0, 1], &[2, 3]));
    assert!(text.contains("no held-out image has the label 1 (b); --source-classes"), "{text}");
}

/// What torchvision and archives leave: files one or two folders down, several sets, several folders.
#[test]
fn images_are_found_below_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let idx = |place: &str, set: &str| {
        std::fs::create_dir_all(here.join(place)).unwrap();
        for part in ["train", "t10k"] {
            let images = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 5, 6];
            std::fs::write(here.join(place).join(format!("{set}{part}-images.idx3-ubyte")), images)
                .unwrap();
            let labels = [0, 0, 8, 1, 0, 0, 0, 1, 3];
            std::fs::write(here.join(place).join(format!("{set}{part}-labels.idx1-ubyte")), labels)
                .unwrap();
        }
    };
    idx("data/MNIST/raw", "");
    std::fs::create_dir_all(here.join("data/.cache/raw")).unwrap();
    let found = read(&here.join("data")).unwrap();
    assert_eq!((found.train.shape(), found.train.labels()), ([1, 2, 1], &[3u16][..]));
    assert!(found.notes[0].contains("data/MNIST/raw"), "{:?}", found.notes);
    assert_eq!(read(&here.join("data/MNIST")).unwrap().train.count(), 1);
    idx("data/KMNIST/raw", "");
    assert!(error(&here.join("data")).contains("images in several folders; --data takes one of"));
    // As Kaggle packs MNIST: each file in a folder of its own; four folders were offered of which none could be read.
    idx("whole", "");
    for entry in std::fs::read_dir(here.join("whole")).unwrap() {
        let file = entry.unwrap().file_name();
        let own = here.join("kaggle").join(&file);
        std::fs::create_dir_all(&own).unwrap();
        std::fs::copy(here.join("whole").join(&file), own.join(&file)).unwrap();
    }
    let text = error(&here.join("kaggle"));
    assert!(text.contains("must be in one folder") && !text.contains("--data takes"), "{text}");
    assert!(
        text.contains(
            "kaggle/t10k-images.idx3-ubyte lacks train-images-idx3-ubyte, train-labels-idx1-ubyte, \
             t10k-labels-idx1-ubyte"
        ),
        "{text}"
    );
    // Beside a whole set, which is read.
    idx("kaggle/all", "");
    assert_eq!(read(&here.join("kaggle")).unwrap().train.count(), 1);
    idx("gzip", "emnist-letters-");
    assert_eq!(read(&here.join("gzip")).unwrap().train.shape(), [2, 1, 1]);
    idx("gzip", "emnist-digits-");
    let text = error(&here.join("gzip"));
    assert!(
        text.contains("several sets of IDX files") && text.contains("gzip/emnist-letters"),
        "{text}"
    );
    assert_eq!(read(&here.join("gzip/emnist-letters")).unwrap().train.shape(), [2, 1, 1]);
    assert!(
        error(&here.join("gzip/emnist-mnist")).contains("there is no such folder; --data takes another")
    );
    std::fs::write(here.join("notes.txt"), "x").unwrap();
    assert!(error(&here.join("notes.txt")).contains("this is a file; accepted: train/CLASS"));
    assert!(error(&here.join("data/.cache")).contains("there are no images that can be read"));
}

/// Exactly this many labels are wrong, each of the other classes is drawn, and another seed draws others.
#[test]
fn label_noise_replaces_a_share_of_the_labels() {
    let labels: Vec<u16> = (0..300).map(|i| i % 3).collect();
    let images = super::Images::new([1, 1, 1], vec![0; 300], labels.clone(), 3, 1.0).unwrap();
    let noisy = |share, seed| super::with_noise(images.clone(), share, seed).labels().to_vec();
    for (share, wrong) in [(0.0, 0), (0.3, 90), (1.0, 300)] {
        let found = noisy(share, 1);
        assert_eq!(found.iter().zip(&labels).filter(|(a, b)| a != b).count(), wrong);
    }
    let by: Vec<u16> = noisy(1.0, 1).iter().zip(&labels).map(|(a, b)| (a + 3 - b) % 3).collect();
    let ones = by.iter().filter(|&&shift| shift == 1).count();
    assert!((100..200).contains(&ones), "{ones}");
    assert_eq!(noisy(0.3, 1), noisy(0.3, 1));
    assert_ne!(noisy(0.3, 1), noisy(0.3, 2));
}
