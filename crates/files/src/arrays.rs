//! Named arrays from a `.npz` or `.safetensors` file, told apart by content.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use nalgebra::DMatrix;
use safetensors::{Dtype, SafeTensors};
#[cfg(feature = "all")]
use zip::ZipArchive;

use super::error::{Fault, printable};
#[cfg(feature = "all")]
use super::npy;

/// The longest header that the safetensors format allows, in bytes.
const MAX_SAFETENSORS_HEADER: u64 = 100_000_000;

/// What is read here.
const ACCEPTED: &str =
    if cfg!(feature = "all") { ".npz and .safetensors files" } else { ".safetensors files" };

/// A type of values that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    /// Single precision.
    F32 { big: bool },
    /// Double precision.
    F64 { big: bool },
    /// An integer of 1, 2, 4 or 8 bytes.
    Integer { bytes: usize, signed: bool, big: bool },
}

#[cfg(feature = "all")]
impl Scalar {
    /// Bytes a value.
    pub fn size(self) -> usize {
        match self {
            Self::F32 { .. } => 4,
            Self::F64 { .. } => 8,
            Self::Integer { bytes, .. } => bytes,
        }
    }
}

/// An array as it is stored. `bytes` fits `shape` if `scalar` is there, and is empty otherwise.
#[derive(Debug)]
pub(super) struct Array {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<u64>,
    /// Whether the first index runs fastest.
    pub fortran: bool,
    /// Type of the values, if it is one that can be read.
    pub scalar: Option<Scalar>,
    /// Type of the values as the file writes it.
    pub type_name: String,
    /// The values.
    pub bytes: Vec<u8>,
}

impl Array {
    /// The matrix; an array of one dimension is a column if `or_column`, else it is refused.
    pub fn matrix(&self, or_column: bool) -> Result<DMatrix<f64>, Fault> {
        let decode: fn(&[u8]) -> f64 = match self.scalar {
            Some(Scalar::F32 { big: false }) => |b| f64::from(f32::from_le_bytes(exact(b))),
            Some(Scalar::F32 { big: true }) => |b| f64::from(f32::from_be_bytes(exact(b))),
            Some(Scalar::F64 { big: false }) => |b| f64::from_le_bytes(exact(b)),
            Some(Scalar::F64 { big: true }) => |b| f64::from_be_bytes(exact(b)),
            Some(Scalar::Integer { .. }) | None => {
                return Err(Fault::Type {
                    array: self.name.clone(),
                    found: self.type_name.clone(),
                    accepted: "f32 and f64",
                });
            }
        };
        let (rows, columns) = match self.shape[..] {
            [rows, columns] => (self.dimension(rows)?, self.dimension(columns)?),
            [rows] if or_column => (self.dimension(rows)?, 1),
            _ => {
                return Err(Fault::Rank {
                    array: self.name.clone(),
                    shape: self.shape.clone(),
                    accepted: if or_column {
                        "two dimensions, or one for a single column"
                    } else {
                        "two dimensions"
                    },
                });
            }
        };
        let size = if self.is_single() { 4 } else { 8 };
        let values = self.bytes.chunks_exact(size).map(decode);
        Ok(if self.fortran {
            DMatrix::from_iterator(rows, columns, values)
        } else {
            DMatrix::from_row_iterator(rows, columns, values)
        })
    }

    /// The values of an array of integers of one dimension, or of one column.
    pub fn integers(&self) -> Result<Vec<i128>, Fault> {
        let Some(Scalar::Integer { bytes, signed, big }) = self.scalar else {
            return Err(Fault::Type {
                array: self.name.clone(),
                found: self.type_name.clone(),
                accepted: "integers of 8 to 64 bits",
            });
        };
        if !matches!(self.shape[..], [_] | [_, 1]) {
            return Err(Fault::Rank {
                array: self.name.clone(),
                shape: self.shape.clone(),
                accepted: "one dimension, or a single column",
            });
        }
        let decode = |chunk: &[u8]| {
            let fold = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
            let value = if big { chunk.iter().fold(0, fold) } else { chunk.iter().rev().fold(0, fold) };
            let unused = 64 - 8 * bytes;
            if signed { i128::from((value << unused) as i64 >> unused) } else { i128::from(value) }
        };
        Ok(self.bytes.chunks_exact(bytes).map(decode).collect())
    }

    /// Whether it is stored in single precision.
    pub fn is_single(&self) -> bool {
        matches!(self.scalar, Some(Scalar::F32 { .. }))
    }

    fn dimension(&self, n: u64) -> Result<usize, Fault> {
        let too_large = || Fault::TooLarge { array: self.name.clone(), shape: self.shape.clone() };
        usize::try_from(n).map_err(|_| too_large())
    }
}

/// A chunk of `chunks_exact` as an array.
fn exact<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

/// The arrays of a file.
#[derive(Debug, Default)]
pub(super) struct Arrays {
    /// Names of all of them, in the order of the alphabet.
    pub found: Vec<String>,
    arrays: Vec<Array>,
}

impl Arrays {
    /// An array that was asked for and found.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.arrays.iter().find(|a| a.name == name)
    }

    /// A matrix that was asked for and found.
    pub fn matrix(&self, name: &str, or_column: bool) -> Result<Option<DMatrix<f64>>, Fault> {
        self.get(name).map(|array| array.matrix(or_column)).transpose()
    }
}

/// Opens a file and reads its first bytes, up to `n`.
pub(super) fn open(path: &Path, n: u64) -> Result<(File, Vec<u8>), Fault> {
    let failed = |action| move |source| Fault::Io { action, source };
    // Before opening: a pipe without a writer would never open.
    let kind = std::fs::metadata(path).map_err(failed("open"))?.file_type();
    if kind.is_dir() {
        return Err(Fault::NotAFile { found: "folder" });
    }
    if !kind.is_file() {
        return Err(Fault::NotAFile { found: "pipe or device" });
    }
    let mut file = File::open(path).map_err(failed("open"))?;
    let mut start = Vec::new();
    (&mut file).take(n).read_to_end(&mut start).map_err(failed("read"))?;
    if start.is_empty() {
        return Err(Fault::Empty);
    }
    file.rewind().map_err(failed("read"))?;
    Ok((file, start))
}

/// Reads the arrays of these names, and the names of all.
pub(super) fn read(path: &Path, wanted: &[&str]) -> Result<Arrays, Fault> {
    let (file, start) = open(path, 16)?;
    decode(BufReader::new(file), start, wanted)
}

/// The same from the content of a file.
pub(super) fn read_bytes(bytes: &[u8], wanted: &[&str]) -> Result<Arrays, Fault> {
    if bytes.is_empty() {
        return Err(Fault::Empty);
    }
    decode(Cursor::new(bytes), bytes[..bytes.len().min(16)].to_vec(), wanted)
}

/// Reads arrays from a file that begins with the bytes `start`.
fn decode(mut file: impl Read + Seek, start: Vec<u8>, wanted: &[&str]) -> Result<Arrays, Fault> {
    let mut arrays = match &start {
        #[cfg(feature = "all")]
        npz if npz.starts_with(b"PK\x03\x04") || npz.starts_with(b"PK\x05\x06") => {
            read_npz(file, wanted)?
        }
        other if is_safetensors(other) => {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(|source| Fault::Io { action: "read", source })?;
            read_safetensors(&bytes, wanted)?
        }
        _ => return Err(Fault::Format { start, accepted: ACCEPTED }),
    };
    arrays.found.sort_unstable();
    Ok(arrays)
}

/// The length of a header of JSON, then the JSON.
fn is_safetensors(start: &[u8]) -> bool {
    start.len() > 8
        && u64::from_le_bytes(exact(&start[..8])) <= MAX_SAFETENSORS_HEADER
        && start[8] == b'{'
}

#[cfg(feature = "all")]
fn read_npz(reader: impl Read + Seek, wanted: &[&str]) -> Result<Arrays, Fault> {
    let mut archive = ZipArchive::new(reader)?;
    // Of two members with one name the archive shows one only.
    if archive.has_duplicate_names() {
        return Err(Fault::Repeated);
    }
    let mut arrays = Arrays::default();
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i)?;
        let entry_name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let Some(name) = entry_name.strip_suffix(".npy") else {
            return Err(Fault::Entry { entry: printable(&entry_name) });
        };
        let name = printable(name);
        if wanted.contains(&name.as_str()) {
            arrays.arrays.push(npy::read(&name, &mut entry)?);
        }
        arrays.found.push(name);
    }
    Ok(arrays)
}

fn read_safetensors(bytes: &[u8], wanted: &[&str]) -> Result<Arrays, Fault> {
    let file = SafeTensors::deserialize(bytes)?;
    let mut arrays = Arrays::default();
    for (name, tensor) in file.iter() {
        let name = printable(name);
        if wanted.contains(&name.as_str()) {
            let integer = |bytes, signed| Some(Scalar::Integer { bytes, signed, big: false });
            let scalar = match tensor.dtype() {
                Dtype::F32 => Some(Scalar::F32 { big: false }),
                Dtype::F64 => Some(Scalar::F64 { big: false }),
                Dtype::I8 => integer(1, true),
                Dtype::I16 => integer(2, true),
                Dtype::I32 => integer(4, true),
                Dtype::I64 => integer(8, true),
                Dtype::U8 => integer(1, false),
                Dtype::U16 => integer(2, false),
                Dtype::U32 => integer(4, false),
                Dtype::U64 => integer(8, false),
                _ => None,
            };
            arrays.arrays.push(Array {
                name: name.clone(),
                shape: tensor.shape().iter().map(|&n| n as u64).collect(),
                fortran: false,
                scalar,
                type_name: tensor.dtype().to_string(),
                bytes: tensor.data().to_vec(),
            });
        }
        arrays.found.push(name);
    }
    Ok(arrays)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(scalar: Scalar, shape: &[u64], bytes: &[u8]) -> Array {
        Array {
            name: "x".to_owned(),
            shape: shape.to_vec(),
            fortran: false,
            scalar: Some(scalar),
            type_name: "t".to_owned(),
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn integers_of_every_kind() {
        let of = |bytes, signed, big, data: &[u8]| {
            let n = (data.len() / bytes) as u64;
            array(Scalar::Integer { bytes, signed, big }, &[n], data).integers().unwrap()
        };
        assert_eq!(of(1, true, false, &[0, 127, 255]), [0, 127, -1]);
        assert_eq!(of(1, false, false, &[0, 127, 255]), [0, 127, 255]);
        assert_eq!(of(2, true, false, &(-300_i16).to_le_bytes()), [-300]);
        assert_eq!(of(4, true, true, &(-70_000_i32).to_be_bytes()), [-70_000]);
        assert_eq!(of(8, true, false, &i64::MIN.to_le_bytes()), [i128::from(i64::MIN)]);
        assert_eq!(of(8, false, true, &u64::MAX.to_be_bytes()), [i128::from(u64::MAX)]);
    }

    #[test]
    fn shapes_and_types_are_told() {
        let f64s = |shape: &[u64]| {
            let n = shape.iter().product::<u64>() as usize;
            array(Scalar::F64 { big: false }, shape, &vec![0; 8 * n])
        };
        assert_eq!(f64s(&[3]).matrix(true).unwrap().shape(), (3, 1));
        assert_eq!(f64s(&[0, 3]).matrix(false).unwrap().shape(), (0, 3));
        let refused = f64s(&[3]).matrix(false).unwrap_err().to_string();
        assert_eq!(refused, "array `x` has shape [3]; accepted: two dimensions");
        assert!(f64s(&[]).matrix(true).unwrap_err().to_string().contains("shape []"));
        assert!(f64s(&[1, 2, 3]).matrix(true).unwrap_err().to_string().contains("shape [1, 2, 3]"));
        let integers = array(Scalar::Integer { bytes: 1, signed: true, big: false }, &[1, 1], &[1]);
        let refused = integers.matrix(false).unwrap_err().to_string();
        assert_eq!(refused, "array `x` is of type t; accepted: f32 and f64");
        assert!(f64s(&[2]).integers().unwrap_err().to_string().contains("integers of 8 to 64 bits"));
    }

    #[test]
    fn a_safetensors_header_is_recognised() {
        assert!(is_safetensors(b"\x10\x00\x00\x00\x00\x00\x00\x00{"));
        assert!(!is_safetensors(b"\x10\x00\x00\x00\x00\x00\x00\x00"));
        assert!(!is_safetensors(b"{\"a\": 1, {"), "text makes a length beyond all limits");
        assert!(!is_safetensors(b"\x10\x00\x00\x00\x00\x00\x00\x00["));
    }
}
