//! Records as Arrow: what pandas, polars, pyarrow and duckdb take.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, RecordBatchIterator, StringArray, UInt64Array};
use arrow_schema::{ArrowError, DataType, Field as Column, Schema, SchemaRef};
use taskhead::sweep::record::Record;
use taskhead::sweep::{SCHEMA, Sweep};
use taskhead_files::{Field, Kind, columns, fields};

/// Rows that are made at once.
const BATCH: usize = 1 << 16;

/// The columns of a sweep, with what made it as metadata, as in Parquet.
pub fn schema(sweep: &Sweep) -> SchemaRef {
    let columns: Vec<Column> = columns(&sweep.records)
        .map(|(name, kind, required)| {
            let data = match kind {
                Kind::Count => DataType::UInt64,
                Kind::Number => DataType::Float64,
                Kind::Text => DataType::Utf8,
            };
            Column::new(name, data, !required)
        })
        .collect();
    let identity = sweep.identity.map(|identity| ("identity", identity.to_string()));
    let metadata = [
        ("config", sweep.config.clone()),
        ("version", sweep.version.clone()),
        ("schema", SCHEMA.to_string()),
    ];
    let metadata = metadata.into_iter().chain(identity);
    let metadata: HashMap<String, String> =
        metadata.map(|(key, value)| (format!("taskhead.{key}"), value)).collect();
    Arc::new(Schema::new_with_metadata(columns, metadata))
}

/// The records as a stream of batches.
pub fn stream(sweep: &Arc<Sweep>) -> FFI_ArrowArrayStream {
    let schema = schema(sweep);
    let (sweep, of) = (sweep.clone(), schema.clone());
    let starts = (0..sweep.records.len()).step_by(BATCH);
    let batches = starts.map(move |start| {
        let end = sweep.records.len().min(start + BATCH);
        batch(&sweep.records[start..end], &of)
    });
    FFI_ArrowArrayStream::new(Box::new(RecordBatchIterator::new(batches, schema)))
}

fn batch(records: &[Record], schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let mut rows: Vec<_> = records.iter().map(|record| fields(record).into_iter()).collect();
    // The columns of a score are the last ones, and the whole sweep decides whether they are there.
    let arrays = schema.fields().iter().map(|column| -> ArrayRef {
        let next = rows.iter_mut().map(|row| row.next().and_then(|(_, value)| value));
        match column.data_type() {
            DataType::UInt64 => Arc::new(next.map(count).collect::<UInt64Array>()),
            DataType::Float64 => Arc::new(next.map(number).collect::<Float64Array>()),
            _ => Arc::new(next.map(text).collect::<StringArray>()),
        }
    });
    RecordBatch::try_new(schema.clone(), arrays.collect())
}

/// A whole number.
pub fn count(field: Option<Field>) -> Option<u64> {
    match field {
        Some(Field::Count(count)) => Some(count),
        _ => None,
    }
}

/// A number.
pub fn number(field: Option<Field>) -> Option<f64> {
    match field {
        Some(Field::Number(number)) => Some(number),
        _ => None,
    }
}

/// A text.
pub fn text(field: Option<Field>) -> Option<String> {
    match field {
        Some(Field::Text(text)) => Some(text),
        _ => None,
    }
}
