//! Images in an `.npz` archive with the names of MedMNIST (`train_images`, `train_labels`, `val_images` …) or of
//! Keras' `mnist.npz` (`x_train`, `y_train` …): unsigned bytes, N×height×width or N×height×width×3.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::Images;
use super::found::{Found, fault};
use crate::error::ReplayError;
use taskhead_files::{check_directory, check_packing};

/// The largest array that is read: 4 GiB.
const LIMIT: u64 = 1 << 32;

/// The longest header that NumPy reads by default, in bytes.
const MAX_HEADER: usize = 10_000;

/// Labels are bytes.
const CLASSES: usize = 256;

type Archive = ZipArchive<BufReader<File>>;

/// Names of images and labels.
const TRAIN: [[&str; 2]; 2] = [["train_images", "train_labels"], ["x_train", "y_train"]];
const TEST: [[&str; 2]; 2] = [["test_images", "test_labels"], ["x_test", "y_test"]];
const VALIDATION: [[&str; 2]; 1] = [["val_images", "val_labels"]];

/// Reads training, test and, if there are any, validation images.
///
/// # Errors
///
/// A damaged archive, arrays that are missing, of another type or shape, several labels of an image.
pub(super) fn read(path: &Path) -> Result<Found, ReplayError> {
    let whole = || -> Result<Found, String> {
        let file = File::open(path).map_err(|e| format!("cannot read: {e}"))?;
        let mut reader = BufReader::new(file);
        check_directory(&mut reader).map_err(|e| e.to_string())?;
        let mut archive =
            ZipArchive::new(reader).map_err(|e| format!("this is no whole archive ({e})"))?;
        let mut part = |names: &[[&str; 2]]| -> Result<Option<Images>, String> {
            for [images, labels] in names {
                match (array(&mut archive, images)?, array(&mut archive, labels)?) {
                    (None, None) => {}
                    (Some(pixels), Some(given)) => {
                        return join(pixels, given, images, labels).map(Some);
                    }
                    (None, _) => return Err(format!("there is `{labels}`, but no `{images}`")),
                    (_, None) => return Err(format!("there is `{images}`, but no `{labels}`")),
                }
            }
            Ok(None)
        };
        let missing = |what: &str| format!("there is no `{what}_images` with `{what}_labels`");
        Ok(Found {
            train: part(&TRAIN)?.ok_or_else(|| missing("train"))?,
            held_out: part(&TEST)?.ok_or_else(|| missing("test"))?,
            validation: part(&VALIDATION)?,
            names: vec![],
            notes: vec![],
        })
    };
    whole().or_else(|reason| fault(path, reason))
}

/// Images with their labels.
fn join((shape, pixels): Bytes, (rows, labels): Bytes, of: &str, with: &str) -> Result<Images, String> {
    let shape = match shape[..] {
        [count, height, width] => [count, height, width, 1],
        [count, height, width, channels @ (1 | 3)] => [count, height, width, channels],
        _ => {
            return Err(format!(
                "`{of}` has the shape {shape:?}; accepted: N×height×width, with ×3 for colours"
            ));
        }
    };
    match rows[..] {
        [count] | [count, 1] if count == shape[0] => {}
        [count, several] if count == shape[0] => {
            return Err(format!("`{with}` holds {several} labels for each image; accepted: one"));
        }
        _ => {
            return Err(format!(
                "`{with}` has the shape {rows:?}; accepted: one label for each of {} images",
                shape[0]
            ));
        }
    }
    let labels = labels.into_iter().map(u16::from).collect();
    Images::new([shape[1], shape[2], shape[3]], pixels, labels, CLASSES, 255.0)
        .map_err(|e| format!("`{with}`: {e}"))
}

/// Shape and bytes of an array.
type Bytes = (Vec<usize>, Vec<u8>);

/// An array of unsigned bytes, if the archive has it. Memory is taken as the data comes.
fn array(archive: &mut Archive, name: &str) -> Result<Option<Bytes>, String> {
    let Some(index) = archive.index_for_name(&format!("{name}.npy")) else { return Ok(None) };
    let refused = |error: ZipError| format!("`{name}` cannot be read: {error}");
    check_packing(name, &archive.by_index_raw(index).map_err(refused)?).map_err(|e| e.to_string())?;
    let mut entry = archive.by_index(index).map_err(refused)?;
    let damaged = |e: std::io::Error| format!("`{name}` cannot be read: {e}");
    let mut start = [0; 10];
    entry.read_exact(&mut start).map_err(damaged)?;
    let mut length = usize::from(u16::from_le_bytes([start[8], start[9]]));
    if start[6] > 1 {
        let mut more = [0; 2];
        entry.read_exact(&mut more).map_err(damaged)?;
        length += usize::from(u16::from_le_bytes(more)) << 16;
    }
    if !start.starts_with(b"\x93NUMPY") || length > MAX_HEADER {
        return Err(format!("`{name}` is no array of NumPy"));
    }
    let mut header = vec![0; length];
    entry.read_exact(&mut header).map_err(damaged)?;
    let header = String::from_utf8_lossy(&header).replace(' ', "");
    let shape = shape_of_bytes(&header)
        .ok_or_else(|| format!("`{name}` {}; accepted: unsigned bytes, row by row", other(&header)))?;
    let size = shape.iter().map(|&d| d as u64).fold(1, u64::saturating_mul);
    if size > LIMIT {
        return Err(format!("`{name}` claims the shape {shape:?}, which is too large"));
    }
    let mut bytes = Vec::new();
    entry.take(size + 1).read_to_end(&mut bytes).map_err(damaged)?;
    if bytes.len() as u64 != size {
        let found = if bytes.len() as u64 > size { "more" } else { "fewer" };
        return Err(format!("`{name}` of shape {shape:?} needs {size} bytes; there are {found}"));
    }
    Ok(Some((shape, bytes)))
}

/// What is wrong with an array of this header without blanks, and what to do.
fn other(header: &str) -> String {
    let after = |key: &str| header.split_once(key).map(|(_, rest)| rest);
    let descr = after("'descr':'").and_then(|rest| rest.split_once('\''));
    let Some((descr, _)) = descr else {
        return "is no plain array of numbers".into();
    };
    let short: String = descr.chars().filter(|c| !c.is_control()).take(20).collect();
    if descr == "|u1" {
        return match header.contains("'fortran_order':True") {
            true => "is stored column by column (Fortran order); save np.ascontiguousarray of it".into(),
            false => "has no shape that can be read".into(),
        };
    }
    let kind = match descr.trim_start_matches(['<', '>', '|', '=']).chars().next() {
        Some('i' | 'u') => "integers of another type",
        Some('f') => "floating-point numbers",
        Some('b') => "truth values",
        Some('U' | 'S') => "strings",
        _ => return format!("is of type {short}"),
    };
    format!(
        "holds {kind} ({short}); save it with .astype(\"uint8\") if its values are whole, from 0 to 255"
    )
}

/// The shape that a header without blanks tells, if it is of unsigned bytes row by row.
fn shape_of_bytes(header: &str) -> Option<Vec<usize>> {
    if !header.contains("'descr':'|u1'") || !header.contains("'fortran_order':False") {
        return None;
    }
    let (_, rest) = header.split_once("'shape':(")?;
    let (shape, _) = rest.split_once(')')?;
    shape.split(',').filter(|d| !d.is_empty()).map(|d| d.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    /// An archive of arrays, each with its type (behind an F if it is stored column by column), its shape and its
    /// bytes.
    fn save(path: &Path, arrays: &[(&str, &str, &str, Vec<u8>)]) {
        let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
        for (name, descr, shape, bytes) in arrays {
            archive.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
            let (descr, fortran) = descr.strip_prefix('F').map_or((*descr, "False"), |d| (d, "True"));
            let header =
                format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
            archive.write_all(b"\x93NUMPY\x01\x00").unwrap();
            archive.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
            archive.write_all(header.as_bytes()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap();
    }

    #[test]
    fn archives_of_images_are_read_and_faults_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tinymnist.npz");
        let pixels = |count: usize| (0..count).map(|i| i as u8).collect::<Vec<_>>();
        let good = || {
            vec![
                ("train_images", "|u1", "(3, 2, 2, 3)", pixels(36)),
                ("train_labels", "|u1", "(3, 1)", vec![0, 1, 1]),
                ("val_images", "|u1", "(1, 2, 2, 3)", pixels(12)),
                ("val_labels", "|u1", "(1, 1)", vec![1]),
                ("test_images", "|u1", "(2, 2, 2, 3)", pixels(24)),
                ("test_labels", "|u1", "(2, 1)", vec![1, 0]),
            ]
        };
        save(&path, &good());
        let found = read(&path).unwrap();
        assert_eq!((found.train.labels(), found.train.shape()), (&[0u16, 1, 1][..], [2, 2, 3]));
        assert_eq!(
            (found.held_out.labels(), found.validation.unwrap().labels()),
            (&[1u16, 0][..], &[1u16][..])
        );
        let keras = [
            ("x_train", "|u1", "(1, 2, 2)", pixels(4)),
            ("y_train", "|u1", "(1,)", vec![7]),
            ("x_test", "|u1", "(1, 2, 2)", pixels(4)),
            ("y_test", "|u1", "(1,)", vec![3]),
        ];
        save(&path, &keras);
        let found = read(&path).unwrap();
        assert_eq!((found.train.labels(), found.train.shape()), (&[7u16][..], [2, 2, 1]));
        assert!(found.validation.is_none());

        type Parts = Vec<(&'static str, &'static str, &'static str, Vec<u8>)>;
        let error = |change: &dyn Fn(&mut Parts)| {
            let mut all = good();
            change(&mut all);
            save(&path, &all);
            read(&path).unwrap_err().to_string()
        };
        for (text, expected) in [
            (
                error(&|a| a[1] = ("train_labels", "|u1", "(3, 2)", vec![0; 6])),
                "holds 2 labels for each image",
            ),
            (
                error(&|a| a[1] = ("train_labels", "|u1", "(2, 1)", vec![0; 2])),
                "accepted: one label for each of 3",
            ),
            (
                error(&|a| a[1].1 = "<f4"),
                "`train_labels` holds floating-point numbers (<f4); save it with .astype(\"uint8\")",
            ),
            (error(&|a| a[3].1 = "<i8"), "`val_labels` holds integers of another type (<i8)"),
            (
                error(&|a| a[3].1 = "<M8[ns]"),
                "`val_labels` is of type <M8[ns]; accepted: unsigned bytes",
            ),
            (
                error(&|a| a[0].1 = "F|u1"),
                "`train_images` is stored column by column (Fortran order); save np.ascontiguousarray",
            ),
            (error(&|a| a[0].2 = "(3, 3, 2, 2)"), "`train_images` has the shape [3, 3, 2, 2]"),
            (error(&|a| a[0].2 = "(4, 2, 2, 3)"), "needs 48 bytes; there are fewer"),
            (error(&|a| a[0].2 = "(999999999, 99999999)"), "too large"),
            (error(&|a| a[0].2 = "(99999999999999999999999, 1)"), "accepted: unsigned bytes"),
            (error(&|a| drop(a.remove(5))), "there is `test_images`, but no `test_labels`"),
            (error(&|a| a.truncate(4)), "there is no `test_images` with `test_labels`"),
        ] {
            assert!(text.contains(expected) && text.contains("tinymnist.npz"), "{text}");
        }
        save(&path, &good());
        let mut bytes = std::fs::read(&path).unwrap();
        for (mark, at) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
            let found: Vec<usize> =
                (0..bytes.len() - 4).filter(|&i| bytes[i..].starts_with(mark)).collect();
            found.into_iter().for_each(|start| bytes[start + at] = 12);
        }
        std::fs::write(&path, bytes).unwrap();
        let text = read(&path).unwrap_err().to_string();
        assert!(
            text.contains("array `train_images` is compressed with bzip2; accepted: stored"),
            "{text}"
        );
        save(&path, &good());
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let text = read(&path).unwrap_err().to_string();
        assert!(text.contains("no whole archive"), "{text}");
    }
}
