//! One .npy array: NumPy's format 1.0 to 3.0, by [`npyz`].

use std::borrow::Cow;
use std::io::{self, Read, Write};

use nalgebra::DMatrix;
use npyz::{DType, NpyHeader, Order, WriterBuilder};

use super::arrays::{Array, Scalar};
use super::error::{Fault, printable};
use super::memory::check_memory;

/// The longest header that NumPy reads by default, in bytes.
const MAX_HEADER: u64 = 10_000;

/// Brackets that may be open at once in a header. That of a plain array needs two.
const MAX_DEPTH: usize = 8;

/// Digits in a header, those of all dimensions together: their product is below 10¹⁹ < 2⁶⁴ then.
const MAX_DIGITS: usize = 19;

/// Reads one array to the end of its stream.
///
/// Memory is taken as the data comes, never because a header promises it, and not if there is less than so many bytes.
pub(super) fn read(name: &str, reader: &mut impl Read, available: f64) -> Result<Array<'static>, Fault> {
    let header = read_header(name, reader)?;
    let (scalar, big, type_name) = scalar_of(&header.dtype());
    let mut array = Array {
        name: name.to_owned(),
        shape: header.shape().to_vec(),
        fortran: header.order() == Order::Fortran,
        scalar,
        big,
        type_name,
        bytes: Cow::default(),
    };
    // Nobody asks for the data of a type that is not read.
    let Some(expected) = array.expected()? else { return Ok(array) };
    let most = expected.min(available as u64);
    let mut bytes = Vec::new();
    reader.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(damaged(name))?;
    bytes.shrink_to_fit();
    let found = bytes.len() as u64;
    if found > most && most < expected {
        check_memory(format!("array `{name}`"), expected as f64, available)?;
    }
    if found != expected {
        return Err(Fault::Length { array: name.to_owned(), shape: array.shape, expected, found });
    }
    array.bytes = bytes.into();
    Ok(array)
}

fn damaged(name: &str) -> impl Fn(io::Error) -> Fault {
    move |source| Fault::Damaged { array: name.to_owned(), source }
}

/// Reads the header, after checks that the parser of the library does not make: it believes any
/// length, goes as deep as brackets go, and multiplies dimensions without a look at overflow.
fn read_header(name: &str, reader: &mut impl Read) -> Result<NpyHeader, Fault> {
    let mut bytes = vec![0; 10];
    reader.read_exact(&mut bytes).map_err(damaged(name))?;
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err(Fault::Header { array: name.to_owned(), header: lossy(&bytes) });
    }
    let length = if bytes[6] == 1 {
        u64::from(u16::from_le_bytes([bytes[8], bytes[9]]))
    } else {
        bytes.resize(12, 0);
        reader.read_exact(&mut bytes[10..]).map_err(damaged(name))?;
        u64::from(u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]))
    };
    if length > MAX_HEADER {
        return Err(Fault::HeaderLength { array: name.to_owned(), length, limit: MAX_HEADER });
    }
    let start = bytes.len();
    reader.take(length).read_to_end(&mut bytes).map_err(damaged(name))?;
    let text = &bytes[start..];
    let (mut depth, mut deepest, mut digits) = (0_usize, 0, 0);
    for byte in text {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'0'..=b'9' => digits += 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if deepest > MAX_DEPTH || digits > MAX_DIGITS {
        return Err(Fault::Header { array: name.to_owned(), header: lossy(text) });
    }
    NpyHeader::from_reader(&bytes[..]).map_err(damaged(name))
}

fn lossy(bytes: &[u8]) -> String {
    printable(String::from_utf8_lossy(bytes).trim_end())
}

/// The scalar type of an array, if it is one that can be read, whether it is big-endian, and its name as NumPy
/// writes it.
fn scalar_of(dtype: &DType) -> (Option<Scalar>, bool, String) {
    let DType::Plain(plain) = dtype else { return (None, false, printable(&dtype.descr())) };
    let name = plain.to_string();
    let (scalar, big) = Scalar::of_numpy(&name);
    (scalar, big, printable(&name))
}

/// Writes a matrix as f64, little-endian, row by row.
pub(super) fn write(matrix: &DMatrix<f64>, shape: &[usize], writer: &mut impl Write) -> io::Result<()> {
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    let little = DType::new_scalar("<f8".parse().map_err(io::Error::other)?);
    npyz::WriteOptions::<f64>::new()
        .dtype(little)
        .shape(&shape)
        .writer(&mut *writer)
        .write_header_only()?;
    for row in matrix.row_iter() {
        let bytes: Vec<u8> = row.iter().flat_map(|x| x.to_le_bytes()).collect();
        writer.write_all(&bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::Shapes;
    use nalgebra::dmatrix;

    /// A version 1.0 array with this header text.
    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn text(bytes: &[u8]) -> String {
        read("x", &mut &bytes[..], f64::INFINITY).map(|a| a.type_name).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        let matrix = dmatrix![1.0, -0.0, f64::MAX; 4.0, f64::MIN_POSITIVE, 1.0 / 3.0];
        let mut bytes = Vec::new();
        write(&matrix, &[matrix.nrows(), matrix.ncols()], &mut bytes).unwrap();
        assert_eq!((bytes.len() - 48) % 64, 0, "NumPy aligns the data to 64 bytes");
        let array = read("x", &mut &bytes[..], f64::INFINITY).unwrap();
        assert_eq!((array.shape.clone(), array.fortran), (vec![2, 3], false));
        assert_eq!(array.matrix(Shapes::Matrix).unwrap(), matrix);
    }

    #[test]
    fn headers_that_would_cost_memory_or_stack_are_refused() {
        let huge = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000000), }";
        assert!(
            text(&npy(huge, &[0; 8])).contains("needs 8000000000000000 bytes, but the file holds 8")
        );
        let more = "{'descr': '<f8', 'fortran_order': False, 'shape': (2000000000000000000,), }";
        assert!(text(&npy(more, &[])).contains("not that of a plain array"));
        let most = "{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999999999,), }";
        assert!(text(&npy(most, &[])).contains("needs 7999999999999999992 bytes"));
        let deep = format!("{{'descr': {}", "(".repeat(9000));
        assert!(text(&npy(&deep, &[])).contains("not that of a plain array"));
        let mut long = b"\x93NUMPY\x02\x00".to_vec();
        long.extend(u32::MAX.to_le_bytes());
        assert!(text(&long).contains("claims 4294967295 bytes; accepted: up to 10000"));
    }

    #[test]
    fn other_types_are_named() {
        let name = |descr: &str| {
            let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (3,), }}");
            let array = read("x", &mut &npy(&header, &[])[..], f64::INFINITY).unwrap();
            assert_eq!(array.scalar, None);
            array.matrix(Shapes::OrColumn).unwrap_err().to_string()
        };
        assert_eq!(
            name("'<c16'"),
            "array `x` is of type <c16 (complex numbers; save their real and imaginary parts or absolute values); \
             accepted: numbers: f16, bf16, f32, f64, integers or bool"
        );
        assert!(name("'|O'").contains("type |O (Python objects, stored as a pickle"));
        assert!(name("'|V2'").contains("type |V2 (raw bytes; bfloat16"));
        assert!(name("'<f16'").contains("type <f16;"));
        assert!(name("'<U0'").contains("type <U0 (strings;"));
        assert!(name("'<M8[ns]'").contains("(dates or times)"));
        assert!(name("[('a', '<f8')]").contains("type [('a', '<f8'), ] (a structured array;"));
    }

    /// A few bytes of a compressed archive may unpack to any size.
    #[test]
    fn reading_stops_where_memory_ends() {
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000, 1000), }";
        let mut endless = npy(header, &[]).into_iter().chain(std::iter::repeat(0)).peekable();
        let mut reader = std::io::BufReader::new(Endless(&mut endless));
        let text = read("x", &mut reader, 1024.0).unwrap_err().to_string();
        assert_eq!(text, "array `x` needs 7.6 MiB of memory, and 1.0 KiB are available");
    }

    struct Endless<'a, I: Iterator<Item = u8>>(&'a mut I);

    impl<I: Iterator<Item = u8>> Read for Endless<'_, I> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = buffer.len();
            buffer.iter_mut().zip(&mut *self.0).for_each(|(to, from)| *to = from);
            Ok(n)
        }
    }

    #[test]
    fn lengths_must_fit() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
        assert!(text(&npy(header, &[0; 7])).contains("shape [2] needs 8 bytes, but the file holds 7"));
        assert!(text(&npy(header, &[0; 90])).contains("holds at least 9"));
        assert!(text(&npy("{'descr': '<f4'}", &[])).contains("fortran_order"));
        assert!(text(b"\x93NUMPY\x09\x00\x00\x00\x00\x00\x00").contains("unsupported version"));
        assert!(text(b"\x93NUM").contains("damaged"));
        assert!(text(b"hello, world").contains("not that of a plain array of numbers: hello, wor"));
    }
}
