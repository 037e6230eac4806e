//! Named arrays as files store them, and their values as numbers.

use std::borrow::Cow;

use nalgebra::DMatrix;

use super::error::{Fault, advice, printable};

/// A type of values that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    /// One byte, false if 0.
    Bool,
    /// An integer of 1, 2, 4 or 8 bytes.
    Integer { bytes: usize, signed: bool },
    /// Half precision.
    F16,
    /// The upper half of a single.
    Bf16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// A text of up to this many characters: code points of four bytes each, or single bytes; zeros fill it up.
    Text { characters: usize, wide: bool },
}

impl Scalar {
    /// Bytes per value.
    pub fn size(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Integer { bytes, .. } => bytes,
            Self::Text { characters, wide } => characters.saturating_mul(if wide { 4 } else { 1 }),
        }
    }

    /// The type that NumPy writes as `<f8`, `|b1` or `<U5`, if it is one that can be read, and whether its most
    /// significant byte comes first. NumPy has no `bfloat16`; here it is little-endian.
    pub fn of_numpy(name: &str) -> (Option<Self>, bool) {
        if name == "bfloat16" {
            return (Some(Self::Bf16), false);
        }
        let (big, code) = match name.strip_prefix('>') {
            Some(code) => (true, code),
            None => (false, name.trim_start_matches(['<', '|', '='])),
        };
        let Some(kind) = code.chars().next() else { return (None, big) };
        let size = code[kind.len_utf8()..].parse::<usize>().ok();
        let scalar = match (kind, size) {
            ('b', Some(1)) => Some(Self::Bool),
            ('f', Some(2)) => Some(Self::F16),
            ('f', Some(4)) => Some(Self::F32),
            ('f', Some(8)) => Some(Self::F64),
            ('i' | 'u', Some(bytes @ (1 | 2 | 4 | 8))) => {
                Some(Self::Integer { bytes, signed: kind == 'i' })
            }
            ('S' | 'U', Some(characters @ 1..)) => Some(Self::Text { characters, wide: kind == 'U' }),
            _ => None,
        };
        (scalar, big)
    }
}

/// An array in memory, as NumPy describes it: owned, or borrowed.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedArray<'a> {
    /// Its name.
    pub name: String,
    /// Type of the values as NumPy writes it: `<f8`, `>i4`, `|b1`, `<U5` …; and `bfloat16`.
    pub dtype: String,
    /// Its shape.
    pub shape: Vec<u64>,
    /// Whether the first index runs fastest.
    pub fortran: bool,
    /// The values.
    pub bytes: Cow<'a, [u8]>,
}

impl NamedArray<'_> {
    /// The matrix of the array; one dimension is a single column.
    ///
    /// # Errors
    ///
    /// Another type or shape, or bytes that do not fit the shape.
    pub fn matrix(self) -> Result<DMatrix<f64>, Fault> {
        Array::of(self)?.matrix(Shapes::OrColumn)
    }
}

/// An array as it is stored. `bytes` fits `shape` if `scalar` is there, and is empty otherwise.
#[derive(Debug)]
pub(super) struct Array<'a> {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<u64>,
    /// Whether the first index runs fastest.
    pub fortran: bool,
    /// Type of the values, if it is one that can be read.
    pub scalar: Option<Scalar>,
    /// Whether the most significant byte comes first.
    pub big: bool,
    /// Type of the values as the file writes it.
    pub type_name: String,
    /// The values.
    pub bytes: Cow<'a, [u8]>,
}

/// What may stand for a matrix beside an array of two dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shapes {
    /// Nothing.
    Matrix,
    /// One dimension is a single column.
    OrColumn,
    /// Further dimensions of which one at most is longer than 1, as before the flattening of pooled features.
    OrPooled,
}

impl Shapes {
    fn accepted(self) -> &'static str {
        match self {
            Self::Matrix => "two dimensions",
            Self::OrColumn => "two dimensions, or one for a single column",
            Self::OrPooled => "two dimensions, or N×h×1×1 (average or flatten what has more positions)",
        }
    }
}

/// Reads one number.
type Decode = Box<dyn Fn(&[u8]) -> f64>;

impl<'a> Array<'a> {
    /// The array that is described.
    fn of(named: NamedArray<'a>) -> Result<Self, Fault> {
        let NamedArray { name, dtype, shape, fortran, bytes } = named;
        let (scalar, big) = Scalar::of_numpy(&dtype);
        let (name, type_name) = (printable(&name), printable(&dtype));
        let mut array = Self { name, shape, fortran, scalar, big, type_name, bytes };
        match array.expected()? {
            Some(expected) if expected != array.bytes.len() as u64 => {
                let (array, shape, found) = (array.name, array.shape, array.bytes.len() as u64);
                return Err(Fault::Length { array, shape, expected, found });
            }
            Some(_) => {}
            None => array.bytes = Cow::default(),
        }
        Ok(array)
    }

    /// The matrix.
    pub fn matrix(&self, shapes: Shapes) -> Result<DMatrix<f64>, Fault> {
        let big = self.big;
        let decode: Decode = match self.scalar {
            Some(Scalar::Bool) => Box::new(|b| f64::from(u8::from(b[0] != 0))),
            Some(Scalar::F16) => Box::new(move |b| half::f16::from_bits(bits(b, big) as u16).to_f64()),
            Some(Scalar::Bf16) => Box::new(move |b| half::bf16::from_bits(bits(b, big) as u16).to_f64()),
            Some(Scalar::F32) => Box::new(move |b| f64::from(f32::from_bits(bits(b, big) as u32))),
            Some(Scalar::F64) => Box::new(move |b| f64::from_bits(bits(b, big))),
            Some(Scalar::Integer { signed, .. }) => Box::new(move |b| integer(b, big, signed) as f64),
            Some(Scalar::Text { .. }) | None => {
                return Err(
                    self.of_type("numbers: float16, bfloat16, float32, float64, integers or bool")
                );
            }
        };
        let (rows, columns) = self.rows_and_columns(shapes)?;
        // The length of an empty dimension says nothing, and may be beyond all limits.
        if rows == 0 || columns == 0 {
            return Err(Fault::EmptyArray { array: self.name.clone(), shape: self.shape.clone() });
        }
        let size = self.scalar.map_or(1, Scalar::size);
        let values = self.bytes.chunks_exact(size).map(decode);
        Ok(if self.fortran {
            DMatrix::from_iterator(rows, columns, values)
        } else {
            DMatrix::from_row_iterator(rows, columns, values)
        })
    }

    fn rows_and_columns(&self, shapes: Shapes) -> Result<(usize, usize), Fault> {
        let long = |dimensions: &[u64]| dimensions.iter().filter(|&&n| n != 1).count();
        let (rows, columns) = match self.shape[..] {
            [rows, columns] => (rows, columns),
            [rows] if shapes == Shapes::OrColumn => (rows, 1),
            [rows, ref rest @ ..] if shapes == Shapes::OrPooled && rest.len() > 1 && long(rest) <= 1 => {
                (rows, rest.iter().product())
            }
            _ => {
                return Err(Fault::Rank {
                    array: self.name.clone(),
                    shape: self.shape.clone(),
                    accepted: shapes.accepted(),
                });
            }
        };
        let dimension = |n: u64| usize::try_from(n);
        let too_large = |_| Fault::TooLarge { array: self.name.clone(), shape: self.shape.clone() };
        Ok((dimension(rows).map_err(too_large)?, dimension(columns).map_err(too_large)?))
    }

    /// Bytes that its shape needs, if its type is one that can be read.
    ///
    /// # Errors
    ///
    /// More than any computer could address.
    pub fn expected(&self) -> Result<Option<u64>, Fault> {
        let Some(scalar) = self.scalar else { return Ok(None) };
        let bytes = self.shape.iter().try_fold(scalar.size() as u64, |size, &n| size.checked_mul(n));
        match bytes.filter(|&bytes| bytes < isize::MAX as u64) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(Fault::TooLarge { array: self.name.clone(), shape: self.shape.clone() }),
        }
    }

    /// Whether its type holds whole numbers only.
    pub fn is_whole(&self) -> bool {
        matches!(self.scalar, Some(Scalar::Integer { .. }))
    }

    /// Refuses the type of the values.
    pub fn of_type(&self, accepted: &'static str) -> Fault {
        let (array, found) = (self.name.clone(), self.type_name.clone());
        let advice = advice(&found);
        Fault::Type { array, found, accepted, advice }
    }
}

/// Up to 8 bytes as a number.
pub(super) fn bits(bytes: &[u8], big: bool) -> u64 {
    let fold = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
    if big { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) }
}

/// An integer of 1 to 8 bytes.
pub(super) fn integer(bytes: &[u8], big: bool, signed: bool) -> i128 {
    let value = bits(bytes, big);
    let unused = 64 - 8 * bytes.len();
    if signed { i128::from((value << unused) as i64 >> unused) } else { i128::from(value) }
}

/// The arrays of a file or folder.
#[derive(Debug, Default)]
pub(super) struct Arrays<'a> {
    /// Names of all of them, in the order of the alphabet.
    pub found: Vec<String>,
    /// What was skipped because it is not an array.
    pub skipped: Vec<String>,
    /// Those that were asked for.
    pub arrays: Vec<Array<'a>>,
}

impl<'a> Arrays<'a> {
    /// Takes those arrays of these names from memory, and the names of all; `skipped` names what was beside them.
    pub fn of(named: Vec<NamedArray<'a>>, skipped: Vec<String>, wanted: &[&str]) -> Result<Self, Fault> {
        let mut arrays =
            Self { skipped: skipped.iter().map(|name| printable(name)).collect(), ..Self::default() };
        for array in named {
            let name = printable(&array.name);
            arrays.add(&name)?;
            if wanted.contains(&name.as_str()) {
                arrays.arrays.push(Array::of(array)?);
            }
        }
        arrays.found.sort_unstable();
        Ok(arrays)
    }

    /// Adds an array that is read later or not at all.
    ///
    /// # Errors
    ///
    /// Another of the same name.
    pub fn add(&mut self, name: &str) -> Result<(), Fault> {
        if self.found.iter().any(|other| other == name) {
            return Err(Fault::Duplicate { array: name.to_owned() });
        }
        self.found.push(name.to_owned());
        Ok(())
    }

    /// Whether there is an array of this name.
    pub fn has(&self, name: &str) -> bool {
        self.found.iter().any(|other| other == name)
    }

    /// Takes an array that was asked for and found.
    pub fn take(&mut self, name: &str) -> Option<Array<'a>> {
        let at = self.arrays.iter().position(|array| array.name == name)?;
        Some(self.arrays.swap_remove(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(scalar: Scalar, shape: &[u64], bytes: &[u8]) -> Array<'static> {
        Array {
            name: "x".to_owned(),
            shape: shape.to_vec(),
            fortran: false,
            scalar: Some(scalar),
            big: false,
            type_name: "t".to_owned(),
            bytes: bytes.to_vec().into(),
        }
    }

    fn f64s(shape: &[u64]) -> Array<'static> {
        let n = shape.iter().product::<u64>() as usize;
        array(Scalar::F64, shape, &vec![0; 8 * n])
    }

    /// Borrowed values are read in place.
    #[test]
    fn a_named_array_is_a_matrix() {
        let bytes: Vec<u8> = (1..=6).flat_map(|i| f64::from(i).to_le_bytes()).collect();
        let array = |shape: &[u64], fortran| NamedArray {
            name: "x".into(),
            dtype: "<f8".into(),
            shape: shape.to_vec(),
            fortran,
            bytes: bytes.as_slice().into(),
        };
        let matrix = |shape: &[u64], fortran| array(shape, fortran).matrix();
        let rows = DMatrix::from_row_slice(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(matrix(&[2, 3], false).unwrap(), rows);
        assert_eq!(matrix(&[3, 2], true).unwrap(), rows.transpose());
        assert_eq!(matrix(&[6], false).unwrap().shape(), (6, 1));
        let text = matrix(&[2, 2], false).unwrap_err().to_string();
        assert!(text.contains("needs 32 bytes"), "{text}");
        assert!(matrix(&[1, 2, 3], false).is_err());
    }

    #[test]
    fn integers_of_every_kind() {
        assert_eq!([0, 127, 255].map(|b| integer(&[b], false, true)), [0, 127, -1]);
        assert_eq!([0, 127, 255].map(|b| integer(&[b], false, false)), [0, 127, 255]);
        assert_eq!(integer(&(-300_i16).to_le_bytes(), false, true), -300);
        assert_eq!(integer(&(-70_000_i32).to_be_bytes(), true, true), -70_000);
        assert_eq!(integer(&i64::MIN.to_le_bytes(), false, true), i128::from(i64::MIN));
        assert_eq!(integer(&u64::MAX.to_be_bytes(), true, false), i128::from(u64::MAX));
    }

    #[test]
    fn numbers_of_every_kind() {
        let value = |scalar: Scalar, bytes: &[u8], big: bool| {
            let array = Array { big, ..array(scalar, &[1, 1], bytes) };
            array.matrix(Shapes::Matrix).unwrap()[(0, 0)]
        };
        assert_eq!(value(Scalar::Bool, &[1], false), 1.0);
        assert_eq!(value(Scalar::F16, &0x3E00_u16.to_le_bytes(), false), 1.5);
        assert_eq!(value(Scalar::F16, &0xC000_u16.to_be_bytes(), true), -2.0);
        assert_eq!(value(Scalar::Bf16, &0x3FC0_u16.to_le_bytes(), false), 1.5);
        assert_eq!(value(Scalar::F32, &0.1_f32.to_be_bytes(), true), f64::from(0.1_f32));
        assert_eq!(value(Scalar::F64, &0.1_f64.to_le_bytes(), false), 0.1);
        let signed = Scalar::Integer { bytes: 2, signed: true };
        assert_eq!(value(signed, &(-3_i16).to_le_bytes(), false), -3.0);
    }

    #[test]
    fn shapes_are_told() {
        assert_eq!(f64s(&[3]).matrix(Shapes::OrColumn).unwrap().shape(), (3, 1));
        let refused = f64s(&[3]).matrix(Shapes::Matrix).unwrap_err().to_string();
        assert_eq!(refused, "array `x` has shape [3]; accepted: two dimensions");
        for shape in [&[][..], &[1, 2, 3], &[2, 2, 1]] {
            let text = f64s(shape).matrix(Shapes::OrColumn).unwrap_err().to_string();
            assert!(text.contains(&format!("shape {shape:?}")), "{text}");
        }
    }

    #[test]
    fn pooled_features_lose_their_dimensions_of_one() {
        let shape = |shape: &[u64]| f64s(shape).matrix(Shapes::OrPooled).map(|m| m.shape());
        assert_eq!(shape(&[3, 2, 1, 1]).unwrap(), (3, 2));
        assert_eq!(shape(&[1, 2, 1]).unwrap(), (1, 2));
        assert_eq!(shape(&[3, 1, 1, 2]).unwrap(), (3, 2));
        assert!(shape(&[3, 2, 7, 7]).unwrap_err().to_string().contains("average or flatten"));
        assert!(shape(&[3]).is_err() && shape(&[]).is_err());
    }

    #[test]
    fn an_empty_array_is_refused_at_once() {
        for shape in [[0, 3], [1_000_000_000_000_000_000, 0]] {
            let text = array(Scalar::F64, &shape, &[]).matrix(Shapes::Matrix).unwrap_err().to_string();
            assert_eq!(text, format!("array `x` is empty (shape {shape:?})"));
        }
    }
}
