//! One .npy array: NumPy's format 1.0 to 3.0.

use std::borrow::Cow;
use std::io::{self, Read, Write};

use nalgebra::DMatrix;

use super::arrays::{Array, Scalar};
use super::error::{Fault, printable};
use super::memory::check_memory;

/// What every array begins with.
const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header that NumPy reads by default, in bytes.
const MAX_HEADER: u64 = 10_000;

/// Bytes to a multiple of which NumPy fills a header up.
const ALIGNMENT: usize = 64;

/// Reads one array to the end of its stream.
///
/// Memory is taken as the data comes, never because a header promises it, and never more than `available` bytes.
pub(super) fn read(name: &str, reader: &mut impl Read, available: f64) -> Result<Array<'static>, Fault> {
    let text = read_header(name, reader)?;
    let Header { descr, fortran, shape } = Header::of(&text)
        .map_err(damaged(name))?
        .ok_or_else(|| Fault::Header { array: name.to_owned(), header: printable(text.trim_end()) })?;
    // Anything but a string describes a structured array.
    let type_name = unquoted(descr);
    let (scalar, big) = type_name.map_or((None, false), Scalar::of_numpy);
    let mut array = Array {
        name: name.to_owned(),
        shape,
        fortran,
        scalar,
        big,
        type_name: printable(type_name.unwrap_or(descr)),
        bytes: Cow::default(),
    };
    // The data of a type that is not read are not needed.
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

/// The text of a header, which may promise any length.
fn read_header(name: &str, reader: &mut impl Read) -> Result<String, Fault> {
    let mut start = [0; 10];
    reader.read_exact(&mut start).map_err(damaged(name))?;
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !start.starts_with(MAGIC) {
        return Err(Fault::Header { array: name.to_owned(), header: printable(&lossy(&start)) });
    }
    let [.., major, minor, low, high] = start;
    let mut length = [low, high, 0, 0];
    match (major, minor) {
        (1, 0) => Ok(()),
        (2 | 3, 0) => reader.read_exact(&mut length[2..]),
        _ => Err(invalid(format!("unsupported version {major}.{minor}"))),
    }
    .map_err(damaged(name))?;
    let length = u64::from(u32::from_le_bytes(length));
    if length > MAX_HEADER {
        return Err(Fault::HeaderLength { array: name.to_owned(), length, limit: MAX_HEADER });
    }
    let mut text = Vec::new();
    let found = reader.take(length).read_to_end(&mut text).map_err(damaged(name))?;
    if (found as u64) < length {
        return Err(damaged(name)(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(lossy(&text))
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// What a header says, a dictionary of Python: `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }`.
struct Header<'a> {
    /// The type, as it stands there: a string, or a list for structured arrays.
    descr: &'a str,
    fortran: bool,
    shape: Vec<u64>,
}

impl<'a> Header<'a> {
    /// `None` if the text is not such a dictionary; an error if an entry is missing.
    fn of(text: &'a str) -> io::Result<Option<Self>> {
        let Some(entries) = entries(text) else { return Ok(None) };
        let value = |wanted: &str| {
            // Of equal keys Python takes the last.
            let entry = entries.iter().rfind(|(key, _)| *key == wanted);
            entry.map(|(_, value)| *value).ok_or_else(|| invalid(format!("there is no `{wanted}`")))
        };
        let (descr, order, shape) = (value("descr")?, value("fortran_order")?, value("shape")?);
        let fortran = match order {
            "True" => true,
            "False" => false,
            _ => return Ok(None),
        };
        Ok(dimensions(shape).map(|shape| Self { descr, fortran, shape }))
    }
}

/// Keys and values of a dictionary.
fn entries(text: &str) -> Option<Vec<(&str, &str)>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    parts(inner)?
        .into_iter()
        .map(|part| {
            let (key, value) = part.split_once(':')?;
            Some((unquoted(key.trim())?, value.trim()))
        })
        .collect()
}

/// The dimensions in a tuple or a list.
fn dimensions(text: &str) -> Option<Vec<u64>> {
    let tuple = || text.strip_prefix('(')?.strip_suffix(')');
    let list = || text.strip_prefix('[')?.strip_suffix(']');
    parts(tuple().or_else(list)?)?.into_iter().map(|part| part.parse().ok()).collect()
}

/// What stands between the commas that are in no bracket and in no string. Nothing may follow the last one.
fn parts(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut begin, mut open, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(end), _) => quote = Some(end).filter(|_| c != end),
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => open += 1,
            (None, ')' | ']' | '}') => open = open.checked_sub(1)?,
            (None, ',') if open == 0 => {
                parts.push(text[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    let last = text[begin..].trim();
    parts.extend((!last.is_empty()).then_some(last));
    (open == 0 && quote.is_none()).then_some(parts)
}

/// What is in a string, which has no escapes.
fn unquoted(text: &str) -> Option<&str> {
    let between = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    between('\'').or_else(|| between('"')).filter(|inner| !inner.contains(['\'', '"', '\\']))
}

/// Writes a matrix as f64, little-endian, row by row.
pub(super) fn write(matrix: &DMatrix<f64>, shape: &[usize], writer: &mut impl Write) -> io::Result<()> {
    let dimensions: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({dimensions}), }}");
    // Magic, version and length take ten bytes, and a line break ends the header.
    let length = (10 + header.len() + 1).next_multiple_of(ALIGNMENT) - 10;
    writer.write_all(MAGIC)?;
    writer.write_all(&[1, 0])?;
    writer.write_all(&u16::try_from(length).map_err(io::Error::other)?.to_le_bytes())?;
    writeln!(writer, "{header:<0$}", length - 1)?;
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
        assert!(text(&npy(more, &[])).contains("the shape [2000000000000000000], which is too large"));
        let most = "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }";
        assert!(text(&npy(most, &[])).contains("not that of a plain array"));
        let most = "{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999999999,), }";
        assert!(text(&npy(most, &[])).contains("needs 7999999999999999992 bytes"));
        let deep = format!("{{'descr': {}", "(".repeat(9000));
        assert!(text(&npy(&deep, &[])).contains("not that of a plain array"));
        let mut long = b"\x93NUMPY\x02\x00".to_vec();
        long.extend(u32::MAX.to_le_bytes());
        assert!(text(&long).contains("claims 4294967295 bytes; accepted: up to 10000"));
    }

    /// As NumPy, older versions of it and other programs write them.
    #[test]
    fn headers_are_read_as_python_would() {
        for header in [
            "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }          \n",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3)}",
            "{\"shape\":[2,3,],\"fortran_order\":True,\"descr\":\"<f8\"}",
        ] {
            let header = Header::of(header).unwrap().unwrap();
            assert_eq!((header.descr.len(), header.fortran, header.shape), (5, true, vec![2, 3]));
        }
        for (text, shape) in [("()", vec![]), ("(7,)", vec![7]), ("( 1 , 0 ,2)", vec![1, 0, 2])] {
            assert_eq!(dimensions(text), Some(shape));
        }
        for bad in ["", "7", "(,)", "(1,,2)", "(-1,)", "(1.5,)", "(1, (2))", "(1", "(1)(", "[1)"] {
            assert_eq!(dimensions(bad), None, "{bad}");
        }
        let tricky = "{'descr': [('a, }', '<f8', (2,))], 'fortran_order': False, 'shape': (3,)}";
        let Header { descr, shape, .. } = Header::of(tricky).unwrap().unwrap();
        assert_eq!((descr, shape), ("[('a, }', '<f8', (2,))]", vec![3]));
        for bad in [
            "[1, 2]",
            "{'descr': '<f8', 'fortran_order': Maybe, 'shape': ()}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': ()",
            "{'descr: '<f8', 'fortran_order': False, 'shape': ()}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (})}",
            "{descr: '<f8', 'fortran_order': False, 'shape': ()}",
        ] {
            assert!(Header::of(bad).unwrap().is_none(), "{bad}");
        }
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
             accepted: numbers: float16, bfloat16, float32, float64, integers or bool"
        );
        assert!(name("'|O'").contains("type |O (Python objects, stored as a pickle"));
        assert!(name("'|V2'").contains("type |V2 (raw bytes; bfloat16"));
        assert!(name("'<f16'").contains(
            "type <f16 (a long double, float128 of NumPy; save it with .astype(\"float64\"))"
        ));
        assert!(name("'<U0'").contains("type <U0 (strings;"));
        assert!(name("'<M8[ns]'").contains("(dates or times)"));
        assert!(name("[('a', '<f8')]").contains("type [('a', '<f8')] (a structured array;"));
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
