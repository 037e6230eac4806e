//! A folder of images: `train/CLASS/*.png` and `test/CLASS/*.png`, or `.jpg`.

use std::path::{Path, PathBuf};

use image::imageops::FilterType;

use super::Images;
use crate::error::ReplayError;

fn fault<T>(path: &Path, fault: String) -> Result<T, ReplayError> {
    Err(ReplayError::Data { path: path.to_owned(), fault })
}

/// Entries of a folder in the order of the alphabet.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let failed = |e: std::io::Error| ReplayError::Data {
        path: folder.to_owned(),
        fault: format!("cannot read: {e}"),
    };
    let all = std::fs::read_dir(folder).map_err(failed)?;
    let mut all: Vec<PathBuf> =
        all.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>().map_err(failed)?;
    all.sort();
    Ok(all)
}

fn is_image(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("png" | "jpg" | "jpeg"))
}

/// Reads the images of `train` or `test`; a class is numbered by its place in the alphabet among the folders
/// of `train`. With a `side` all images are brought to side×side, else they must be of one size.
///
/// # Errors
///
/// A missing or empty folder, an image that cannot be decoded or is of another size.
pub fn read(folder: &Path, part: &str, side: Option<u32>) -> Result<Images, ReplayError> {
    let classes: Vec<_> = entries(&folder.join("train"))?.into_iter().filter(|p| p.is_dir()).collect();
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    let mut size = side.map(|side| (side, side));
    for (label, class) in classes.iter().enumerate() {
        let class = folder.join(part).join(class.file_name().expect("an entry has a name"));
        for path in entries(&class)?.into_iter().filter(|path| is_image(path)) {
            let decoded = image::ImageReader::open(&path)
                .and_then(image::ImageReader::with_guessed_format)
                .map_err(image::ImageError::from)
                .and_then(image::ImageReader::decode);
            let image = match decoded {
                Ok(image) => image,
                Err(error) => return fault(&path, format!("this image cannot be read: {error}")),
            };
            let wanted = *size.get_or_insert((image.width(), image.height()));
            let image = if side.is_some() {
                image.resize_exact(wanted.0, wanted.1, FilterType::Triangle)
            } else {
                image
            };
            let found = (image.width(), image.height());
            if found != wanted {
                return fault(
                    &path,
                    format!(
                        "this image has {}×{} pixels, the first one {}×{}; accepted: one size, or set `side`",
                        found.0, found.1, wanted.0, wanted.1
                    ),
                );
            }
            pixels.extend(image.to_rgb8().into_raw());
            labels.push(label as u16);
        }
    }
    let (width, height) = size.unwrap_or((1, 1));
    Images::new([height as usize, width as usize, 3], pixels, labels, classes.len(), 255.0)
        .or_else(|reason| fault(&folder.join(part), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_folders_and_faults_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let save = |path: &str, width: u32, height: u32, red: u8| {
            let path = here.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            image::RgbImage::from_pixel(width, height, image::Rgb([red, 0, 1])).save(path).unwrap();
        };
        let error = |part: &str| read(here, part, None).unwrap_err().to_string();
        assert!(error("train").contains("cannot read"));
        save("train/b/1.png", 3, 2, 100);
        save("train/a/1.png", 3, 2, 200);
        save("test/a/1.png", 3, 2, 50);
        let train = read(here, "train", None).unwrap();
        assert_eq!((train.shape(), train.labels()), ([2, 3, 3], &[0u16, 1][..]));
        let first = train.samples(candle_core::DType::F32, &candle_core::Device::Cpu).unwrap().inputs;
        let first = first.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!((first[0] * 255.0).round(), 200.0);
        assert!(error("test").contains("test/b"), "{}", error("test"));
        save("train/b/2.png", 5, 5, 0);
        assert!(error("train").contains("has 5×5 pixels, the first one 3×2"), "{}", error("train"));
        assert_eq!(read(here, "train", Some(4)).unwrap().shape(), [4, 4, 3]);
        std::fs::write(here.join("train/b/3.png"), "text").unwrap();
        assert!(error("train").contains("cannot be read") || error("train").contains("5×5"));
        std::fs::remove_file(here.join("train/b/2.png")).unwrap();
        assert!(error("train").contains("3.png: this image cannot be read"), "{}", error("train"));
    }
}
