//! A sweep as Parquet: row groups of at most 65,536 rows; configuration, version, schema and identity as metadata of
//! the file.
//!
//! Between the first magic number and the data, where no reader of Parquet looks, lies a seal with the
//! checksum of the whole file, which tells damage to our own files. Other programs that filter or rewrite a table
//! drop the seal and often the metadata, too: such a table is read with a [note](super::TableNote).

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Once};

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

use super::columns::{Column, Row, Slot, Value, WHOLE, whole_of, written};
use super::promises::{check_codecs, check_columns, check_footer};
use super::rows::{TableNote, find, records};
use crate::error::{Fault, FileError};
use crate::output::write_atomically;
use taskhead::sweep::plan::Digest;
use taskhead::sweep::record::Record;
use taskhead::sweep::{OLDEST_SCHEMA, Part, SCHEMA, Sweep};

/// Key of the metadata that holds the configuration.
const CONFIG: &str = "taskhead.config";

/// Key of the metadata that holds the version.
const VERSION: &str = "taskhead.version";

/// Key of the metadata that holds the schema.
const SCHEMA_KEY: &str = "taskhead.schema";

/// Key of the metadata that holds the identity, if there is one.
const IDENTITY: &str = "taskhead.identity";

/// Keys of the metadata of a part: which one it is, and the number of cells of the whole.
const PART: [&str; 2] = ["taskhead.part", "taskhead.cells"];

/// Key of the metadata of a run that has not finished: the number of its cells.
const UNFINISHED: &str = "taskhead.unfinished";

/// What the seal begins with; the checksum follows as 4 bytes, little-endian.
const SEAL: &[u8; 8] = b"taskhead";

/// Where the checksum lies: after `PAR1` and [`SEAL`].
const CHECKSUM: std::ops::Range<usize> = 12..16;

/// Rows of a group: as many as are taken apart into columns at once.
const GROUP: usize = 1 << 16;

/// Values that are read at once, so that memory follows the data and not a promise.
const BATCH: usize = 8192;

/// Bytes that the texts of a table may take, over the size of its file: a text that many cells share is stored once.
const TEXTS: u64 = 64;

/// Writes a sweep as Parquet, in one step ([`write_atomically`]).
///
/// Texts are UTF-8, numbers DOUBLE, counts INT64 marked as unsigned; what a cell does not have is null. Pages are
/// compressed with Snappy. The metadata `taskhead.config`, `.version`, `.schema` and `.identity` say what made it. A
/// checksum that other readers of Parquet do not see covers the whole file.
///
/// # Errors
///
/// Whatever the operating system says.
pub fn write_parquet(path: impl AsRef<Path>, sweep: &Sweep) -> Result<(), FileError> {
    write_table(path.as_ref(), sweep, Extent::Whole)
}

/// Writes a part of a sweep, which [`merge`](crate::merge) puts together with the others; the metadata `taskhead.part`
/// and `taskhead.cells` say which one it is, and of how many cells.
///
/// # Errors
///
/// Whatever the operating system says.
pub fn write_part(path: impl AsRef<Path>, sweep: &Sweep, part: Part) -> Result<(), FileError> {
    write_table(path.as_ref(), sweep, Extent::Part(part))
}

/// Writes what there is of a run of this many cells that still goes on; the metadata `taskhead.unfinished` says how
/// many.
pub(crate) fn write_unfinished(path: &Path, sweep: &Sweep, cells: usize) -> Result<(), FileError> {
    write_table(path, sweep, Extent::Unfinished(cells))
}

/// How much of a run a table holds.
enum Extent {
    Whole,
    Part(Part),
    Unfinished(usize),
}

fn write_table(path: &Path, sweep: &Sweep, extent: Extent) -> Result<(), FileError> {
    write_atomically(path, |writer| {
        let failed = |source| Fault::Io { action: "write", source };
        let mut bytes = Vec::new();
        write(&mut bytes, sweep, extent).map_err(|e| failed(io::Error::other(e)))?;
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

/// Checks the seal, and leaves the file at its beginning; says whether there is one.
fn check_seal(file: &mut File) -> Result<bool, Fault> {
    let failed = |source| Fault::Io { action: "read", source };
    let mut start = Vec::new();
    file.take(CHECKSUM.end as u64).read_to_end(&mut start).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let stored = match start.split_last_chunk() {
        Some((seal, bytes)) if seal.ends_with(SEAL) => u32::from_le_bytes(*bytes),
        _ => return Ok(false),
    };
    let computed = checksum(file).map_err(failed)?;
    if stored != computed {
        return Err(Fault::Checksum { stored, computed });
    }
    file.rewind().map_err(failed)?;
    Ok(true)
}

impl Column {
    /// How its values are stored, and what they mean where that does not say it.
    fn types(&self) -> (Physical, Option<LogicalType>) {
        match (self.slot)(&mut Row::default()) {
            Slot::Count(_) => (Physical::INT64, Some(LogicalType::integer(64, false))),
            Slot::Number(_) => (Physical::DOUBLE, None),
            Slot::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        }
    }
}

fn schema(columns: &[&Column]) -> Result<TypePtr, ParquetError> {
    let field = |column: &&Column| {
        let (physical, logical) = column.types();
        let field = Type::primitive_type_builder(column.name, physical)
            .with_repetition(if column.required { Repetition::REQUIRED } else { Repetition::OPTIONAL })
            .with_logical_type(logical)
            .build()?;
        Ok(Arc::new(field))
    };
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, ParquetError>>()?;
    Ok(Arc::new(Type::group_type_builder("sweep").with_fields(fields).build()?))
}

fn write(writer: impl Write + Send, sweep: &Sweep, extent: Extent) -> Result<(), ParquetError> {
    let mut metadata = vec![
        (CONFIG, sweep.config.clone()),
        (VERSION, sweep.version.clone()),
        (SCHEMA_KEY, SCHEMA.to_string()),
    ];
    metadata.extend(sweep.identity.map(|identity| (IDENTITY, identity.to_string())));
    match extent {
        Extent::Whole => {}
        Extent::Part(Part { shard, cells }) => {
            metadata.extend([(PART[0], shard.to_string()), (PART[1], cells.to_string())]);
        }
        Extent::Unfinished(cells) => metadata.push((UNFINISHED, cells.to_string())),
    }
    let metadata = metadata.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value));
    let columns: Vec<&Column> = written(&sweep.records).collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(metadata.collect()))
        .set_created_by("taskhead".to_owned())
        .build();
    let mut file = SerializedFileWriter::new(writer, schema(&columns)?, Arc::new(properties))?;
    file.write_all(SEAL)?;
    file.write_all(&[0; 4])?;
    let groups =
        if sweep.records.is_empty() { vec![&[][..]] } else { sweep.records.chunks(GROUP).collect() };
    groups.into_iter().try_for_each(|records| write_group(&mut file, &columns, records))?;
    file.close().map(drop)
}

fn write_group(
    file: &mut SerializedFileWriter<impl Write + Send>,
    columns: &[&Column],
    records: &[Record],
) -> Result<(), ParquetError> {
    let table: Vec<Row> = records.iter().map(Row::from).collect();
    let mut rows = file.next_row_group()?;
    for column in columns {
        let (mut counts, mut numbers, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        let mut levels = Vec::new();
        for row in &table {
            let value = (column.value)(row);
            levels.push(i16::from(value.is_some()));
            match value {
                // The same bits; the schema says that they are unsigned.
                Some(Value::Count(count)) => counts.push(count as i64),
                Some(Value::Number(number)) => numbers.push(number),
                Some(Value::Text(text)) => texts.push(ByteArray::from(text)),
                None => {}
            }
        }
        let levels = (!column.required).then_some(&levels[..]);
        let Some(mut chunk) = rows.next_column()? else { break };
        match column.types().0 {
            Physical::INT64 => chunk.typed::<Int64Type>().write_batch(&counts, levels, None)?,
            Physical::DOUBLE => chunk.typed::<DoubleType>().write_batch(&numbers, levels, None)?,
            _ => chunk.typed::<ByteArrayType>().write_batch(&texts, levels, None)?,
        };
        chunk.close()?;
    }
    rows.close().map(drop)
}

/// What the metadata of the file says, where other programs have left it.
struct Head {
    config: Option<String>,
    version: Option<String>,
    identity: Option<Digest>,
    part: Option<Part>,
    unfinished: Option<usize>,
}

fn head(file: &SerializedFileReader<File>) -> Result<Head, Fault> {
    let all = file.metadata().file_metadata().key_value_metadata().map_or(&[][..], Vec::as_slice);
    let value =
        |key: &str| all.iter().find(|entry| entry.key == key).and_then(|entry| entry.value.clone());
    let (config, version) = (value(CONFIG), value(VERSION));
    // The first edition did not say it; other programs drop everything.
    let first = if version.is_some() { Some(1) } else { None };
    let schema = value(SCHEMA_KEY).map(|text| text.parse().unwrap_or(0)).or(first);
    if let Some(found) = schema.filter(|schema| !(OLDEST_SCHEMA..=SCHEMA).contains(schema)) {
        return Err(Fault::Schema { found, version: version.unwrap_or_default(), read: SCHEMA });
    }
    let identity = value(IDENTITY).map(|text| text.parse());
    let identity = identity.transpose().map_err(|_| Fault::NotASweep { missing: IDENTITY })?;
    let part = match PART.map(value) {
        [None, None] => None,
        [shard, cells] => {
            let part = || Some(Part { shard: shard?.parse().ok()?, cells: cells?.parse().ok()? });
            Some(part().ok_or(Fault::NotASweep { missing: PART[0] })?)
        }
    };
    let unfinished = value(UNFINISHED).and_then(|cells| cells.parse().ok());
    Ok(Head { config, version, identity, part, unfinished })
}

/// The identity of what [`write_parquet`] has written, without a look at the rest.
pub(super) fn identity(mut file: File) -> Result<Option<Digest>, Fault> {
    check_footer(&mut file)?;
    unpanicked(|| Ok(head(&SerializedFileReader::new(file)?)?.identity))
}

/// Reads what [`write_parquet`] has written, or what another program has made of it.
pub(super) fn read(mut file: File, notes: &mut Vec<TableNote>) -> Result<Sweep, Fault> {
    if !check_seal(&mut file)? {
        notes.push(TableNote::NoSeal);
    }
    check_footer(&mut file)?;
    unpanicked(|| {
        let failed = |source| Fault::Io { action: "read", source };
        let length = file.metadata().map_err(failed)?.len();
        let mut bytes = file.try_clone().map_err(failed)?;
        let file = SerializedFileReader::new(file)?;
        let Head { config, version, identity, part, unfinished } = head(&file)?;
        check_codecs(file.metadata())?;
        if config.is_none() || version.is_none() {
            notes.push(TableNote::NoMetadata);
        }
        notes.extend(part.map(TableNote::Part));
        let stored = file.metadata().file_metadata().schema_descr().columns();
        let columns = find(stored.iter().map(|c| c.name()), notes)?;
        check_columns(&mut bytes, file.metadata(), &columns)?;
        let mut table = Table { rows: Vec::new(), texts: TEXTS * length + (1 << 16) };
        for group in 0..file.num_row_groups() {
            table.append(&*file.get_row_group(group)?, &columns, stored)?;
        }
        let (config, version) = (config.unwrap_or_default(), version.unwrap_or_default());
        let records = records(table.rows.into_iter().map(Ok))?;
        notes.extend(unfinished.map(|cells| TableNote::Unfinished { found: records.len(), cells }));
        Ok(Sweep { config, version, identity, records })
    })
}

/// The library panics on some damaged metadata. A seal would have revealed it; without one, this does.
fn unpanicked<T>(read: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    thread_local! {
        static EXPECTED: Cell<bool> = const { Cell::new(false) };
    }
    static QUIET: Once = Once::new();
    // An expected panic that becomes an error is not printed.
    QUIET.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !EXPECTED.get() {
                others(panic);
            }
        }));
    });
    EXPECTED.set(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    EXPECTED.set(false);
    result.unwrap_or_else(|_| {
        let text = "its metadata contradicts itself".to_owned();
        Err(Fault::Parquet(ParquetError::General(text)))
    })
}

/// A value as it is stored.
enum Stored {
    Integer(i64),
    Number(f64),
    Bytes(ByteArray),
}

/// Rows as they are read.
struct Table {
    rows: Vec<Row>,
    /// Bytes that further texts may take.
    texts: u64,
}

impl Table {
    /// Appends the rows of a group; `columns` says which of its columns is which of ours.
    fn append(
        &mut self,
        group: &dyn RowGroupReader,
        columns: &[Option<&'static Column>],
        stored: &[Arc<ColumnDescriptor>],
    ) -> Result<(), Fault> {
        let (start, count) = (self.rows.len(), group.metadata().num_rows());
        for (i, column) in columns.iter().enumerate() {
            let Some(column) = column else { continue };
            let (column, stored) = (*column, &*stored[i]);
            let wrong = || {
                let (found, wanted) = (stored.physical_type().to_string(), column.types().0.to_string());
                Fault::ColumnType { column: column.name, found, wanted }
            };
            if stored.max_rep_level() > 0 {
                return Err(wrong());
            }
            let levels = stored.max_def_level();
            let values = match group.get_column_reader(i)? {
                ColumnReader::Int32ColumnReader(r) => {
                    values(r, count, levels, |v| Stored::Integer(v.into()))?
                }
                ColumnReader::Int64ColumnReader(r) => values(r, count, levels, Stored::Integer)?,
                ColumnReader::FloatColumnReader(r) => {
                    values(r, count, levels, |v| Stored::Number(v.into()))?
                }
                ColumnReader::DoubleColumnReader(r) => values(r, count, levels, Stored::Number)?,
                ColumnReader::ByteArrayColumnReader(r) => values(r, count, levels, Stored::Bytes)?,
                _ => return Err(wrong()),
            };
            if i64::try_from(values.len()) != Ok(count) {
                return Err(Fault::ColumnLength {
                    column: column.name,
                    found: values.len(),
                    rows: count,
                });
            }
            let unsigned = stored.logical_type_ref() == Some(&LogicalType::integer(64, false));
            self.rows.resize_with(start + values.len(), Row::default);
            for (i, (row, value)) in self.rows[start..].iter_mut().zip(values).enumerate() {
                let not_whole = |value: String| Fault::Cell {
                    row: start + i + 1,
                    column: column.name,
                    value,
                    wanted: WHOLE,
                };
                match ((column.slot)(row), value) {
                    (_, None) => {}
                    (Slot::Count(slot), Some(Stored::Integer(v))) if unsigned || v >= 0 => {
                        *slot = Some(v as u64)
                    }
                    (Slot::Count(_), Some(Stored::Integer(v))) => return Err(not_whole(v.to_string())),
                    // What pandas makes of a column of integers where a row has none.
                    (Slot::Count(slot), Some(Stored::Number(v))) => {
                        *slot = Some(whole_of(v).ok_or_else(|| not_whole(v.to_string()))?);
                    }
                    (Slot::Number(slot), Some(Stored::Number(v))) => *slot = Some(v),
                    (Slot::Number(slot), Some(Stored::Integer(v))) => *slot = Some(v as f64),
                    (Slot::Text(slot), Some(Stored::Bytes(v))) => {
                        let text = v.as_utf8()?;
                        let Some(left) = self.texts.checked_sub(text.len() as u64) else {
                            let text = format!("its texts take more than {TEXTS} times its size");
                            return Err(ParquetError::General(text).into());
                        };
                        self.texts = left;
                        *slot = Some(text.to_owned());
                    }
                    _ => return Err(wrong()),
                }
            }
        }
        Ok(())
    }
}

/// All values of a column of this many rows, with its nulls.
fn values<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: i64,
    most: i16,
    of: impl Fn(T::T) -> Stored,
) -> Result<Vec<Option<Stored>>, Fault> {
    let (mut all, mut values, mut levels) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        values.clear();
        levels.clear();
        let (read, ..) = reader.read_records(BATCH, Some(&mut levels), None, &mut values)?;
        // More than there should be: the caller reports it.
        if read == 0 || i64::try_from(all.len()).is_ok_and(|found| found > rows) {
            return Ok(all);
        }
        let mut values = values.drain(..).map(&of);
        if most == 0 {
            all.extend(values.map(Some));
        } else {
            all.extend(levels.iter().map(|&level| if level == most { values.next() } else { None }));
        }
    }
}
