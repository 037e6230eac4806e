//! What a Parquet file promises, held against its bytes before a reader believes it.
//!
//! The library trusts some numbers: it skips a list of 2³¹ entries one by one, even if entries of that type take no
//! bytes, and makes room for whatever a page says that it unpacks to. A file of 36 bytes could keep it busy for
//! seconds, one of 150 for minutes. So metadata are walked once beforehand: no list, map or text may be longer than
//! the bytes that are left, which bounds the work by the size of the file. It also reads the fields that it knows as
//! what they should be, whatever type the file gives them; so their types are checked, lest it goes another way than
//! the walk.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::columns::{COLUMNS, Column, Row};
use crate::error::Fault;
use crate::memory::{available_memory, check_memory};
use taskhead::sweep::record::Record;

/// What every Parquet file begins and ends with.
const MAGIC: &[u8; 4] = b"PAR1";

/// Structures within structures; metadata of Parquet need six.
const MAX_DEPTH: usize = 24;

/// The longest header of a page that is read, with its statistics.
const MAX_HEADER: u64 = 1 << 20;

/// Bytes that one byte of Snappy may become: a copy of 64 takes three.
const SNAPPY: u64 = 24;

fn broken(text: String) -> Fault {
    Fault::Parquet(ParquetError::General(text))
}

/// Checks the metadata at the end of a file, and leaves it at its beginning.
pub(super) fn check_footer(file: &mut File) -> Result<(), Fault> {
    let failed = |source| Fault::Io { action: "read", source };
    let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
    let mut end = [0; 8];
    if length < 12 {
        return Err(broken(format!("{length} bytes are too few")));
    }
    file.seek(SeekFrom::End(-8)).map_err(failed)?;
    file.read_exact(&mut end).map_err(failed)?;
    let (size, magic) = end.split_at(4);
    if magic != MAGIC {
        return Err(broken("it does not end as a Parquet file does".into()));
    }
    let size = u64::from(u32::from_le_bytes([size[0], size[1], size[2], size[3]]));
    if size > length - 12 {
        return Err(broken(format!("metadata of {size} bytes in a file of {length}")));
    }
    file.seek(SeekFrom::Start(length - 8 - size)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes).map_err(failed)?;
    Walk::new(&bytes).structure(schema::FILE, 0).map_err(broken)?;
    file.rewind().map_err(failed)
}

/// Checks that the columns of a sweep, where they are there, are compressed in a way that is read.
pub(super) fn check_codecs(metadata: &ParquetMetaData) -> Result<(), Fault> {
    for chunk in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        let column = COLUMNS.iter().find(|column| column.name == chunk.column_descr().name());
        match (column, chunk.compression()) {
            (None, _) | (_, Compression::UNCOMPRESSED | Compression::SNAPPY) => {}
            (Some(column), codec) => {
                return Err(Fault::Codec { column: column.name, codec: name(codec) });
            }
        }
    }
    Ok(())
}

/// Checks the columns that will be read: their rows and the sizes of their pages.
pub(super) fn check_columns(
    file: &mut File,
    metadata: &ParquetMetaData,
    columns: &[Option<&'static Column>],
) -> Result<(), Fault> {
    let length = file.seek(SeekFrom::End(0)).map_err(|source| Fault::Io { action: "read", source })?;
    // A row of a sweep takes more than a byte, whatever the encoding.
    let rows =
        metadata.row_groups().iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(u64::MAX));
    let rows = rows.fold(0, u64::saturating_add);
    if rows > length {
        return Err(broken(format!("{rows} rows in {length} bytes")));
    }
    let memory = rows as f64 * (size_of::<Row>() + size_of::<Record>()) as f64;
    check_memory(format!("a table of {rows} rows"), memory, available_memory())?;
    for group in metadata.row_groups() {
        for (chunk, column) in group.columns().iter().zip(columns) {
            if column.is_some() {
                check_pages(file, chunk, length)?;
            }
        }
    }
    Ok(())
}

/// The name of a codec without its level.
fn name(codec: Compression) -> String {
    codec.to_string().split('(').next().unwrap_or_default().to_lowercase()
}

fn check_pages(file: &mut File, chunk: &ColumnChunkMetaData, length: u64) -> Result<(), Fault> {
    let failed = |source| Fault::Io { action: "read", source };
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let range = u64::try_from(start).ok().zip(u64::try_from(chunk.compressed_size()).ok());
    let range = range.and_then(|(at, size)| Some((at, at.checked_add(size)?)));
    let Some((mut at, end)) = range.filter(|&(_, end)| end <= length) else {
        return Err(broken("a column lies outside of the file".into()));
    };
    let mut start = Vec::new();
    while at < end {
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        start.clear();
        (&mut *file).take(MAX_HEADER.min(end - at)).read_to_end(&mut start).map_err(failed)?;
        let mut walk = Walk::new(&start);
        let page = walk.page().map_err(broken)?;
        let left = end - at - walk.at as u64;
        let unpacked = match chunk.compression() {
            Compression::UNCOMPRESSED => page.packed,
            _ => page.packed.saturating_mul(SNAPPY),
        };
        if page.packed > left || page.unpacked > unpacked.saturating_add(64) {
            return Err(broken(format!(
                "a page of {} bytes that become {}, in a column of {left}",
                page.packed, page.unpacked
            )));
        }
        // Data may repeat a value as often as they like, but a dictionary holds each one.
        if page.dictionary.is_some_and(|values| values > page.unpacked) {
            return Err(broken(format!(
                "a dictionary of {:?} values in {} bytes",
                page.dictionary, page.unpacked
            )));
        }
        at += walk.at as u64 + page.packed;
    }
    Ok(())
}

/// What the header of a page promises.
#[derive(Debug, Default, PartialEq)]
struct Page {
    /// Bytes after the header, and what they become.
    packed: u64,
    unpacked: u64,
    /// Values of a dictionary.
    dictionary: Option<u64>,
}

/// A walk over a structure of Thrift's compact protocol. Every step takes at least one byte.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Types of Thrift's compact protocol.
mod kind {
    pub const STOP: u8 = 0;
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const BYTE: u8 = 3;
    pub const I16: u8 = 4;
    pub const I64: u8 = 6;
    pub const DOUBLE: u8 = 7;
    pub const BINARY: u8 = 8;
    pub const LIST: u8 = 9;
    pub const SET: u8 = 10;
    pub const MAP: u8 = 11;
    pub const STRUCT: u8 = 12;
    pub const UUID: u8 = 13;
}

/// What the library reads at a place, whatever type the file says that it has.
enum Known {
    /// Nothing: it goes by the type.
    Any,
    Bool,
    Byte,
    Number,
    Double,
    Text,
    List(&'static Known),
    Structure(&'static [(i16, Known)]),
}

impl Known {
    fn check(&self, kind: u8) -> Result<(), String> {
        let fits = match self {
            Self::Any => true,
            Self::Bool => matches!(kind, kind::TRUE | kind::FALSE),
            Self::Byte => kind == kind::BYTE,
            Self::Number => matches!(kind, kind::I16..=kind::I64),
            Self::Double => kind == kind::DOUBLE,
            Self::Text => kind == kind::BINARY,
            Self::List(_) => kind == kind::LIST,
            Self::Structure(_) => kind == kind::STRUCT,
        };
        if fits { Ok(()) } else { Err(format!("metadata of the type {kind} where another one belongs")) }
    }
}

/// The structures of the metadata, as `parquet.thrift` of the format has them.
mod schema {
    use super::Known::{self, Bool, Byte, Double, List, Number, Structure, Text};

    pub const FILE: &[(i16, Known)] = &[
        (1, Number),
        (2, List(&ELEMENT)),
        (3, Number),
        (4, List(&ROW_GROUP)),
        (5, List(&KEY_VALUE)),
        (6, Text),
        (7, List(&Structure(&[(1, EMPTY), (2, EMPTY)]))),
        (8, Structure(&[(1, CIPHER), (2, CIPHER)])),
        (9, Text),
    ];

    /// The header of a page: sizes, then that of its kind.
    pub const PAGE: &[(i16, Known)] = &[
        (1, Number),
        (2, Number),
        (3, Number),
        (4, Number),
        (5, Structure(&[(1, Number), (2, Number), (3, Number), (4, Number), (5, STATISTICS)])),
        (6, EMPTY),
        (7, Structure(&[(1, Number), (2, Number), (3, Bool)])),
        (
            8,
            Structure(&[
                (1, Number),
                (2, Number),
                (3, Number),
                (4, Number),
                (5, Number),
                (6, Number),
                (7, Bool),
                (8, STATISTICS),
            ]),
        ),
    ];

    const EMPTY: Known = Structure(&[]);

    const KEY_VALUE: Known = Structure(&[(1, Text), (2, Text)]);

    const CIPHER: Known = Structure(&[(1, Text), (2, Text), (3, Bool)]);

    const ELEMENT: Known = Structure(&[
        (1, Number),
        (2, Number),
        (3, Number),
        (4, Text),
        (5, Number),
        (6, Number),
        (7, Number),
        (8, Number),
        (9, Number),
        (10, LOGICAL),
    ]);

    /// What the values of a column mean.
    const LOGICAL: Known = Structure(&[
        (1, EMPTY),
        (2, EMPTY),
        (3, EMPTY),
        (4, EMPTY),
        (5, Structure(&[(1, Number), (2, Number)])),
        (6, EMPTY),
        (7, TIME),
        (8, TIME),
        (10, Structure(&[(1, Byte), (2, Bool)])),
        (11, EMPTY),
        (12, EMPTY),
        (13, EMPTY),
        (14, EMPTY),
        (15, EMPTY),
        (16, Structure(&[(1, Byte)])),
        (17, Structure(&[(1, Text)])),
        (18, Structure(&[(1, Text), (2, Number)])),
        (19, EMPTY),
    ]);

    const TIME: Known = Structure(&[(1, Bool), (2, Structure(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)]))]);

    const ROW_GROUP: Known = Structure(&[
        (1, List(&CHUNK)),
        (2, Number),
        (3, Number),
        (4, List(&Structure(&[(1, Number), (2, Bool), (3, Bool)]))),
        (5, Number),
        (6, Number),
        (7, Number),
    ]);

    const CHUNK: Known = Structure(&[
        (1, Text),
        (2, Number),
        (3, COLUMN),
        (4, Number),
        (5, Number),
        (6, Number),
        (7, Number),
        (8, Structure(&[(1, EMPTY), (2, Structure(&[(1, List(&Text)), (2, Text)]))])),
        (9, Text),
    ]);

    const COLUMN: Known = Structure(&[
        (1, Number),
        (2, List(&Number)),
        (3, List(&Text)),
        (4, Number),
        (5, Number),
        (6, Number),
        (7, Number),
        (8, List(&KEY_VALUE)),
        (9, Number),
        (10, Number),
        (11, Number),
        (12, STATISTICS),
        (13, List(&Structure(&[(1, Number), (2, Number), (3, Number)]))),
        (14, Number),
        (15, Number),
        (16, Structure(&[(1, Number), (2, List(&Number)), (3, List(&Number))])),
        (17, Structure(&[(1, BOX), (2, List(&Number))])),
    ]);

    const STATISTICS: Known = Structure(&[
        (1, Text),
        (2, Text),
        (3, Number),
        (4, Number),
        (5, Text),
        (6, Text),
        (7, Bool),
        (8, Bool),
        (9, Number),
    ]);

    const BOX: Known = Structure(&[
        (1, Double),
        (2, Double),
        (3, Double),
        (4, Double),
        (5, Double),
        (6, Double),
        (7, Double),
        (8, Double),
    ]);
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn left(&self) -> u64 {
        (self.bytes.len() - self.at) as u64
    }

    fn byte(&mut self) -> Result<u8, String> {
        let byte = self.bytes.get(self.at).ok_or("its metadata end too early")?;
        self.at += 1;
        Ok(*byte)
    }

    fn skip(&mut self, count: u64, what: &str) -> Result<(), String> {
        if count > self.left() {
            return Err(format!("{what} of {count} bytes where {} are left", self.left()));
        }
        self.at += count as usize;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number of more than ten bytes".into())
    }

    /// The head of a field: its type and number; `None` at the end of its structure.
    fn field(&mut self, last: i16) -> Result<Option<(u8, i16)>, String> {
        let byte = self.byte()?;
        let kind = byte & 0x0f;
        if kind == kind::STOP {
            return Ok(None);
        }
        let number = match byte >> 4 {
            0 => i16::try_from(zigzag(self.varint()?)).ok(),
            step => last.checked_add(step.into()),
        };
        Ok(Some((kind, number.ok_or("a field of a number beyond all limits")?)))
    }

    /// A structure; those of its fields that are known have their types.
    fn structure(&mut self, fields: &[(i16, Known)], depth: usize) -> Result<(), String> {
        let mut last = 0;
        while let Some((kind, number)) = self.field(last)? {
            last = number;
            let known =
                fields.iter().find(|field| field.0 == number).map_or(&Known::Any, |field| &field.1);
            known.check(kind)?;
            // The value of a boolean field is in its type.
            if !matches!(kind, kind::TRUE | kind::FALSE) {
                self.value(kind, known, depth + 1)?;
            }
        }
        Ok(())
    }

    fn value(&mut self, kind: u8, known: &Known, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("metadata of more than {MAX_DEPTH} levels"));
        }
        match kind {
            // The library skips a list of them as if they took no bytes.
            kind::TRUE | kind::FALSE => Err("a list of booleans, which metadata do not have".into()),
            kind::BYTE => self.skip(1, "a number"),
            kind::I16..=kind::I64 => self.varint().map(drop),
            kind::DOUBLE => self.skip(8, "a number"),
            kind::UUID => self.skip(16, "a number"),
            kind::BINARY => {
                let length = self.varint()?;
                self.skip(length, "a text")
            }
            kind::LIST | kind::SET => {
                let byte = self.byte()?;
                let count = match byte >> 4 {
                    15 => self.varint()?,
                    count => count.into(),
                };
                let kind = byte & 0x0f;
                let entry = if let Known::List(entry) = known { entry } else { &Known::Any };
                if count > 0 {
                    entry.check(kind)?;
                }
                self.entries(count, &[(kind, entry)], depth)
            }
            kind::MAP => {
                let count = self.varint()?;
                if count == 0 {
                    return Ok(());
                }
                let kinds = self.byte()?;
                self.entries(count, &[(kinds >> 4, &Known::Any), (kinds & 0x0f, &Known::Any)], depth)
            }
            kind::STRUCT => {
                let fields = if let Known::Structure(fields) = known { fields } else { &[][..] };
                self.structure(fields, depth)
            }
            other => Err(format!("metadata of the unknown type {other}")),
        }
    }

    fn entries(&mut self, count: u64, kinds: &[(u8, &Known)], depth: usize) -> Result<(), String> {
        if count > self.left() {
            return Err(format!("a list of {count} entries where {} bytes are left", self.left()));
        }
        for _ in 0..count {
            for &(kind, known) in kinds {
                self.value(kind, known, depth + 1)?;
            }
        }
        Ok(())
    }

    /// The header of a page.
    fn page(&mut self) -> Result<Page, String> {
        const UNPACKED: i16 = 2;
        const PACKED: i16 = 3;
        const DICTIONARY: i16 = 7;
        Self { ..*self }.structure(schema::PAGE, 0)?;
        let (mut page, mut last) = (Page::default(), 0);
        while let Some((kind, number)) = self.field(last)? {
            last = number;
            match (kind, number) {
                (kind::TRUE | kind::FALSE, _) => {}
                (kind::I16..=kind::I64, UNPACKED) => page.unpacked = self.size()?,
                (kind::I16..=kind::I64, PACKED) => page.packed = self.size()?,
                (kind::STRUCT, DICTIONARY) => page.dictionary = self.first_size()?,
                _ => self.value(kind, &Known::Any, 1)?,
            }
        }
        Ok(page)
    }

    /// A number that is a size.
    fn size(&mut self) -> Result<u64, String> {
        let value = zigzag(self.varint()?);
        u64::try_from(value).map_err(|_| format!("a size of {value}"))
    }

    /// The first field of a structure, if it is a size.
    fn first_size(&mut self) -> Result<Option<u64>, String> {
        let (mut size, mut last) = (None, 0);
        while let Some((kind, number)) = self.field(last)? {
            last = number;
            match kind {
                kind::TRUE | kind::FALSE => {}
                kind::I16..=kind::I64 if number == 1 => size = Some(self.size()?),
                _ => self.value(kind, &Known::Any, 1)?,
            }
        }
        Ok(size)
    }
}

fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(bytes: &[u8]) -> String {
        Walk::new(bytes).structure(&[], 0).err().unwrap_or_default()
    }

    #[test]
    fn lists_and_texts_are_no_longer_than_what_is_left() {
        // Field 1 of a structure: three numbers, an empty list, a text, a map of one entry.
        for good in [
            &[0x19, 0x33, 1, 1, 2, 0][..],
            &[0x19, 0, 0],
            &[0x18, 2, b'a', b'b', 0],
            &[0x1b, 1, 0x33, 7, 7, 0],
        ] {
            assert_eq!(walk(good), "", "{good:?}");
        }
        assert_eq!(walk(&[0x19, 0x11, 1, 0]), "a list of booleans, which metadata do not have");
        let list = [0x19, 0xf3, 0xff, 0xff, 0xff, 0xff, 0x07, 1, 0];
        assert_eq!(walk(&list), "a list of 2147483647 entries where 2 bytes are left");
        assert_eq!(walk(&[0x18, 9, b'a', 0]), "a text of 9 bytes where 2 are left");
        assert_eq!(walk(&[0x1b, 0x7f, 0x33, 7, 7, 0]), "a list of 127 entries where 3 bytes are left");
        assert_eq!(walk(&[0x1d; 3]), "a number of 16 bytes where 2 are left");
        assert_eq!(walk(&[0x1f, 0]), "metadata of the unknown type 15");
        assert_eq!(walk(&[0x15, 0x80]), "its metadata end too early");
        assert_eq!(walk(&[&[0x15][..], &[0xff; 11]].concat()), "a number of more than ten bytes");
    }

    /// The library reads a list as the number that belongs there, and then finds another list of 2³² entries.
    #[test]
    fn known_fields_have_their_types() {
        let metadata = [0x19, 0x2a, 0x0a, 0x0b, 0, 0x0a, 0, 0x2a, 0xf2, 0xf2, 0xf2, 0xf2, 0xf2, 0];
        let file = |bytes: &[u8]| Walk::new(bytes).structure(schema::FILE, 0).err().unwrap_or_default();
        assert_eq!(file(&metadata), "metadata of the type 9 where another one belongs");
        // Field 2 is a list of structures, here with something that is not a name.
        assert_eq!(
            file(&[0x29, 0x1c, 0x45, 2, 0, 0]),
            "metadata of the type 5 where another one belongs"
        );
        assert_eq!(file(&[0x29, 0x15, 2, 0]), "metadata of the type 5 where another one belongs");
        assert_eq!(file(&[0x29, 0, 0]), "");
        let wrong = Walk::new(&[0x15, 4, 0x18, 1, 0, 0]).page();
        assert_eq!(wrong, Err("metadata of the type 8 where another one belongs".into()));
        assert!(
            file(&[0x05, 0x82, 0x80, 0x08, 2, 0]).contains("beyond all limits"),
            "a number of 17 bits"
        );
    }

    #[test]
    fn depth_is_limited() {
        assert_eq!(walk(&[vec![0x1c; MAX_DEPTH], vec![0; MAX_DEPTH + 1]].concat()), "");
        assert_eq!(walk(&[0x1c; 1000]), "metadata of more than 24 levels");
        assert_eq!(walk(&[0x19; 1000]), "metadata of more than 24 levels");
    }

    #[test]
    fn a_page_says_its_sizes() {
        // Type 2, 200 bytes from 100, a dictionary of 9 values.
        let header = [0x15, 4, 0x15, 0x90, 3, 0x15, 0xc8, 1, 0x4c, 0x15, 18, 0x15, 0, 0, 0];
        let mut walk = Walk::new(&header);
        let page = Page { packed: 100, unpacked: 200, dictionary: Some(9) };
        assert_eq!((walk.page(), walk.at), (Ok(page), header.len()));
        assert_eq!(Walk::new(&[0x25, 1, 0]).page(), Err("a size of -1".into()));
    }
}
