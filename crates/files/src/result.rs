//! Result arrays to a `.npz` or `.safetensors` file.

use std::io::{self, Seek, Write};
use std::path::Path;

use nalgebra::{DMatrix, DVector};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::error::{At, Fault, FileError, printable};
use super::npy;
use super::output::{format_of, write_atomically};
use super::source::open;
use super::tensors::{self, is_safetensors};
use taskhead::sweep::plan::Digest;

/// Extensions of the files that [`write_result`] can write.
pub const RESULT_EXTENSIONS: &[&str] = &["npz", "safetensors"];

/// Arrays of more bytes than this need the 64-bit form of zip; below the limit of 4 GiB − 1 by room
/// for the header.
const ZIP64_FROM: usize = 0xFFFF_0000;

/// Writes named matrices as f64, row by row, in one step ([`write_atomically`]).
///
/// The extension decides: `.npz` (not compressed, as by `np.savez`) or `.safetensors`. The bytes depend
/// on names and values only; the time stamps in the archive are those of 1980.
///
/// ```
/// use taskhead::nalgebra::{self, dmatrix};
/// use taskhead_files::{read_problem, write_result};
///
/// # let folder = std::env::temp_dir().join(format!("taskhead-doc-result-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("problem.npz");
/// let (one, two) = (dmatrix![1.0], dmatrix![2.0]);
/// write_result(&path, &[("features", &one), ("kernel", &one), ("targets", &two), ("head", &one)])?;
/// assert_eq!(read_problem(&path)?.problem.targets(), &two);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Another extension, a name that comes twice, and whatever the operating system says.
pub fn write_result(path: impl AsRef<Path>, arrays: &[(&str, &DMatrix<f64>)]) -> Result<(), FileError> {
    write(path.as_ref(), arrays, None)
}

/// The same with the identity that tells this result from others ([`check_replaceable`](super::check_replaceable)): as
/// the comment of the archive, or among the metadata.
///
/// # Errors
///
/// Those of [`write_result`].
pub fn write_result_of(
    path: impl AsRef<Path>,
    arrays: &[(&str, &DMatrix<f64>)],
    identity: Digest,
) -> Result<(), FileError> {
    write(path.as_ref(), arrays, Some(identity))
}

fn write(
    path: &Path,
    arrays: &[(&str, &DMatrix<f64>)],
    identity: Option<Digest>,
) -> Result<(), FileError> {
    for (i, (name, _)) in arrays.iter().enumerate() {
        if arrays[..i].iter().any(|(other, _)| other == name) {
            return Err(Fault::Duplicate { array: printable(name) }).at(path);
        }
    }
    let arrays: Vec<Output> =
        arrays.iter().map(|&(name, matrix)| Output { name, matrix, flat: false }).collect();
    write_arrays(path, &arrays, identity)
}

/// Writes a linear layer as frameworks keep it: `weight` (outputs × inputs) and `bias` (outputs, one dimension), so
/// that `load_state_dict` takes what is read. As [`write_result`] otherwise.
///
/// # Errors
///
/// Another extension, and whatever the operating system says.
pub fn write_layer(
    path: impl AsRef<Path>,
    weight: &DMatrix<f64>,
    bias: &DVector<f64>,
) -> Result<(), FileError> {
    let bias = DMatrix::from_column_slice(bias.len(), 1, bias.as_slice());
    let weight = Output { name: "weight", matrix: weight, flat: false };
    let bias = Output { name: "bias", matrix: &bias, flat: true };
    write_arrays(path.as_ref(), &[weight, bias], None)
}

/// An array to be written.
struct Output<'a> {
    name: &'a str,
    matrix: &'a DMatrix<f64>,
    /// Whether it has one dimension.
    flat: bool,
}

impl Output<'_> {
    fn shape(&self) -> Vec<usize> {
        if self.flat { vec![self.matrix.len()] } else { vec![self.matrix.nrows(), self.matrix.ncols()] }
    }
}

fn write_arrays(path: &Path, arrays: &[Output], identity: Option<Digest>) -> Result<(), FileError> {
    let format = format_of(path, RESULT_EXTENSIONS).at(path)?;
    write_atomically(path, |writer| match format {
        "npz" => write_npz(writer, arrays, identity),
        _ => write_safetensors(writer, arrays, identity),
    })
}

/// What the identity follows: in the comment of an archive, and as the name of a text among the metadata.
const IDENTITY_IS: &str = "taskhead identity";

/// The identity that a file of arrays says it has.
///
/// # Errors
///
/// A file of another kind.
pub(super) fn stored_identity(path: &Path) -> Result<Option<Digest>, Fault> {
    let (mut file, start) = open(path, 16)?;
    let text = if start.starts_with(b"PK") {
        let comment = ZipArchive::new(file)?.comment().to_vec();
        String::from_utf8(comment)
            .ok()
            .and_then(|c| Some(c.strip_prefix(IDENTITY_IS)?.trim().to_owned()))
    } else if is_safetensors(&start) {
        let metadata = tensors::metadata(&mut file)?.0;
        metadata.metadata().as_ref().and_then(|texts| texts.get(IDENTITY_IS).cloned())
    } else {
        return Err(Fault::Format { start, accepted: "arrays" });
    };
    Ok(text.and_then(|digits| digits.parse().ok()))
}

fn failed(source: io::Error) -> Fault {
    Fault::Io { action: "write", source }
}

fn write_npz(
    writer: impl Write + Seek,
    arrays: &[Output],
    identity: Option<Digest>,
) -> Result<(), Fault> {
    let zip_failed = |e: zip::result::ZipError| failed(e.into());
    let mut archive = ZipWriter::new(writer);
    if let Some(identity) = identity {
        archive.set_comment(format!("{IDENTITY_IS} {identity}")).map_err(zip_failed)?;
    }
    for array in arrays {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .large_file(8 * array.matrix.len() >= ZIP64_FROM);
        archive.start_file(format!("{}.npy", array.name), options).map_err(zip_failed)?;
        npy::write(array.matrix, &array.shape(), &mut archive).map_err(failed)?;
    }
    archive.finish().map(drop).map_err(zip_failed)
}

fn write_safetensors(
    writer: &mut impl Write,
    arrays: &[Output],
    identity: Option<Digest>,
) -> Result<(), Fault> {
    let bytes: Vec<Vec<u8>> = arrays
        .iter()
        .map(|array| array.matrix.transpose().iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let tensors = arrays
        .iter()
        .zip(&bytes)
        .map(|(array, bytes)| Ok((array.name, TensorView::new(Dtype::F64, array.shape(), bytes)?)))
        .collect::<Result<Vec<_>, Fault>>()?;
    let metadata = identity.map(|identity| [(IDENTITY_IS.to_owned(), identity.to_string())].into());
    writer.write_all(&safetensors::serialize(tensors, metadata)?).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::Shapes;
    use crate::source;
    use nalgebra::dmatrix;

    #[test]
    fn both_formats_hold_the_values_and_always_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let features = dmatrix![1.0, -0.0, f64::NAN; f64::INFINITY, 5e-324, 1.0 / 3.0];
        let head = DMatrix::zeros(0, 3);
        for name in ["a.npz", "a.safetensors", "A.NPZ"] {
            let path = folder.path().join(name);
            let write = || {
                write_result(&path, &[("features", &features), ("head", &head)]).unwrap();
                std::fs::read(&path).unwrap()
            };
            let first = write();
            let mut read = source::read(&path, &["features", "head"]).unwrap().arrays;
            let bits = |m: &DMatrix<f64>| m.map(f64::to_bits);
            let array = read.take("features").unwrap();
            assert_eq!(bits(&array.matrix(Shapes::Matrix).unwrap()), bits(&features));
            assert_eq!(read.take("head").unwrap().shape, [0, 3]);
            assert_eq!(write(), first);
        }
    }

    #[test]
    fn the_bytes_are_pinned() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        write_result(&path, &[("x", &dmatrix![1.0, 2.0])]).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(&bytes[..14], b"PK\x03\x04\x0a\0\0\0\0\0\0\0\x21\0", "stored, midnight, 1980-01-01");
        let data = [1.0_f64.to_le_bytes(), 2.0_f64.to_le_bytes()].concat();
        assert!(bytes.windows(16).any(|w| w == data));
    }

    #[test]
    fn a_layer_has_a_bias_of_one_dimension() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.npz", "a.safetensors"] {
            let path = folder.path().join(name);
            let weight = dmatrix![1.0, 2.0, 3.0; 4.0, 5.0, 6.0];
            write_layer(&path, &weight, &DVector::from_vec(vec![7.0, 8.0])).unwrap();
            let mut read = source::read(&path, &["weight", "bias"]).unwrap().arrays;
            assert_eq!(read.take("weight").unwrap().matrix(Shapes::Matrix).unwrap(), weight);
            assert_eq!(read.take("bias").unwrap().shape, [2]);
        }
    }

    #[test]
    fn names_and_extensions_are_checked_before_writing() {
        let folder = tempfile::tempdir().unwrap();
        let x = dmatrix![1.0];
        let twice = write_result(folder.path().join("a.npz"), &[("x", &x), ("x", &x)]);
        assert!(twice.unwrap_err().to_string().ends_with("a.npz: there are two arrays `x`"));
        let text = write_result(folder.path().join("a.txt"), &[("x", &x)]).unwrap_err().to_string();
        assert!(text.ends_with("cannot write a .txt file; accepted: `npz`, `safetensors`"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
