//! A sweep as Parquet: one row group, the configuration and the version as metadata of the file.
//!
//! Between the first magic number and the data, where no reader of Parquet looks, lies a seal with the
//! checksum of the whole file. Parquet itself has none for its metadata, and its library panics at some
//! of what damaged metadata says.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use flate2::Crc;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescriptor, Type, TypePtr};

use super::{COLUMNS, Cell, Column, Slot, columns};
use crate::error::{Fault, FileError};
use crate::output::write_atomically;
use taskhead::sweep::Sweep;
use taskhead::sweep::record::Record;

/// Key of the metadata that holds the configuration.
const CONFIG: &str = "taskhead.config";

/// Key of the metadata that holds the version.
const VERSION: &str = "taskhead.version";

/// What the seal begins with; the checksum follows as 4 bytes, little-endian.
const SEAL: &[u8; 8] = b"taskhead";

/// Where the checksum lies: after `PAR1` and [`SEAL`].
const CHECKSUM: std::ops::Range<usize> = 12..16;

/// Values that are read at once, so that memory follows the data and not a promise.
const BATCH: usize = 8192;

/// Writes a sweep as Parquet, in one step ([`write_atomically`]).
///
/// Texts are UTF-8, numbers DOUBLE, counts INT64 marked as unsigned, none of them optional; pages are
/// compressed with Snappy. The metadata `taskhead.config` and `taskhead.version` say what made it. A
/// checksum that other readers of Parquet do not see covers the whole file.
///
/// # Errors
///
/// Whatever the operating system says.
pub fn write_parquet(path: impl AsRef<Path>, sweep: &Sweep) -> Result<(), FileError> {
    write_atomically(path, |writer| {
        let failed = |source| Fault::Io { action: "write", source };
        let mut bytes = Vec::new();
        write(&mut bytes, sweep).map_err(|e| failed(io::Error::other(e)))?;
        let checksum = checksum(&mut &bytes[..]).map_err(failed)?;
        bytes[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        writer.write_all(&bytes).map_err(failed)
    })
}

/// CRC-32 of a file, but for the place of the checksum.
fn checksum(reader: &mut impl Read) -> io::Result<u32> {
    let mut crc = Crc::new();
    let mut start = [0; CHECKSUM.end];
    reader.read_exact(&mut start)?;
    crc.update(&start[..CHECKSUM.start]);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(crc.sum()),
            n => crc.update(&buffer[..n]),
        }
    }
}

/// Checks the seal, and leaves the file at its beginning.
fn check_seal(file: &mut File) -> Result<(), Fault> {
    let failed = |source| Fault::Io { action: "read", source };
    let mut start = Vec::new();
    file.take(CHECKSUM.end as u64).read_to_end(&mut start).map_err(failed)?;
    let stored = match start.split_last_chunk() {
        Some((seal, bytes)) if seal.ends_with(SEAL) => u32::from_le_bytes(*bytes),
        _ => return Err(Fault::NotASweep { missing: "its checksum" }),
    };
    file.rewind().map_err(failed)?;
    let computed = checksum(file).map_err(failed)?;
    if stored != computed {
        return Err(Fault::Checksum { stored, computed });
    }
    file.rewind().map_err(failed)
}

impl Column {
    /// How its values are stored, and what they mean where that does not say it.
    fn types(&self) -> (Physical, Option<LogicalType>) {
        match (self.cell)(&Record::default()) {
            Cell::Count(_) => (Physical::INT64, Some(LogicalType::integer(64, false))),
            Cell::Number(_) => (Physical::DOUBLE, None),
            Cell::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        }
    }
}

fn schema() -> Result<TypePtr, ParquetError> {
    let field = |column: &Column| {
        let (physical, logical) = column.types();
        let field = Type::primitive_type_builder(column.name, physical)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(logical)
            .build()?;
        Ok(Arc::new(field))
    };
    let fields = COLUMNS.iter().map(field).collect::<Result<Vec<_>, ParquetError>>()?;
    Ok(Arc::new(Type::group_type_builder("sweep").with_fields(fields).build()?))
}

fn write(writer: impl Write + Send, sweep: &Sweep) -> Result<(), ParquetError> {
    let metadata = [(CONFIG, &sweep.config), (VERSION, &sweep.version)];
    let metadata = metadata.map(|(key, value)| KeyValue::new(key.to_owned(), value.clone()));
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(metadata.to_vec()))
        .set_created_by("taskhead".to_owned())
        .build();
    let mut file = SerializedFileWriter::new(writer, schema()?, Arc::new(properties))?;
    file.write_all(SEAL)?;
    file.write_all(&[0; 4])?;
    let mut rows = file.next_row_group()?;
    for column in COLUMNS {
        let (mut counts, mut numbers, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for record in &sweep.records {
            match (column.cell)(record) {
                // The same bits; the schema says that they are unsigned.
                Cell::Count(count) => counts.push(count as i64),
                Cell::Number(number) => numbers.push(number),
                Cell::Text(text) => texts.push(ByteArray::from(text)),
            }
        }
        let Some(mut chunk) = rows.next_column()? else { break };
        match column.types().0 {
            Physical::INT64 => chunk.typed::<Int64Type>().write_batch(&counts, None, None)?,
            Physical::DOUBLE => chunk.typed::<DoubleType>().write_batch(&numbers, None, None)?,
            _ => chunk.typed::<ByteArrayType>().write_batch(&texts, None, None)?,
        };
        chunk.close()?;
    }
    rows.close()?;
    file.close().map(drop)
}

/// Reads what [`write_parquet`] has written.
pub(super) fn read(mut file: File) -> Result<Sweep, Fault> {
    check_seal(&mut file)?;
    let file = SerializedFileReader::new(file)?;
    let metadata = file.metadata().file_metadata();
    let value = |key: &'static str| {
        let all = metadata.key_value_metadata().map_or(&[][..], Vec::as_slice);
        let value = all.iter().find(|entry| entry.key == key).and_then(|entry| entry.value.clone());
        value.ok_or(Fault::NotASweep { missing: key })
    };
    let (config, version) = (value(CONFIG)?, value(VERSION)?);
    let stored = metadata.schema_descr().columns();
    let columns = columns(stored.iter().map(|c| c.name()))?;
    columns.iter().zip(stored).try_for_each(|(column, stored)| check(column, stored))?;
    let mut records = Vec::new();
    for group in 0..file.num_row_groups() {
        append(&*file.get_row_group(group)?, &columns, &mut records)?;
    }
    Ok(Sweep { config, version, records })
}

/// Checks that a column is stored as [`write_parquet`] stores it.
fn check(column: &Column, stored: &ColumnDescriptor) -> Result<(), Fault> {
    let wanted = column.types().0;
    let required = stored.max_def_level() == 0 && stored.max_rep_level() == 0;
    if stored.physical_type() == wanted && required {
        return Ok(());
    }
    let kind = if required { "required" } else { "optional or repeated" };
    Err(Fault::ColumnType {
        column: column.name,
        found: format!("{kind} {}", stored.physical_type()),
        wanted: format!("required {wanted}"),
    })
}

/// Appends the rows of a group, whose columns are in the order of `columns`.
fn append(
    group: &dyn RowGroupReader,
    columns: &[&'static Column],
    records: &mut Vec<Record>,
) -> Result<(), Fault> {
    let start = records.len();
    let rows = group.metadata().num_rows();
    for (i, column) in columns.iter().enumerate() {
        // `check` has seen to it that these are all types.
        match group.get_column_reader(i)? {
            ColumnReader::Int64ColumnReader(reader) => {
                let counts = values(reader, column, rows)?;
                fill(column, records, start, counts, |slot, count| {
                    if let Slot::Count(slot) = slot {
                        *slot = count as u64;
                    }
                    Ok(())
                })?;
            }
            ColumnReader::DoubleColumnReader(reader) => {
                let numbers = values(reader, column, rows)?;
                fill(column, records, start, numbers, |slot, number| {
                    if let Slot::Number(slot) = slot {
                        *slot = number;
                    }
                    Ok(())
                })?;
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                let texts = values(reader, column, rows)?;
                fill(column, records, start, texts, |slot, text| {
                    if let Slot::Text(slot) = slot {
                        text.as_utf8()?.clone_into(slot);
                    }
                    Ok(())
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// All values of a column, one for each of `rows`.
fn values<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    column: &Column,
    rows: i64,
) -> Result<Vec<T::T>, Fault> {
    let mut values = Vec::new();
    while reader.read_records(BATCH, None, None, &mut values)?.0 > 0 {}
    if i64::try_from(values.len()) != Ok(rows) {
        return Err(Fault::ColumnLength { column: column.name, found: values.len(), rows });
    }
    Ok(values)
}

/// Puts the values of a column into the records from `start` on, and makes them where there are none.
fn fill<T>(
    column: &Column,
    records: &mut Vec<Record>,
    start: usize,
    values: Vec<T>,
    put: impl Fn(Slot<'_>, T) -> Result<(), ParquetError>,
) -> Result<(), Fault> {
    records.resize_with(start + values.len(), Record::default);
    for (record, value) in records[start..].iter_mut().zip(values) {
        put((column.slot)(record), value)?;
    }
    Ok(())
}
