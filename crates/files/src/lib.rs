//! Files: problems in, results and sweeps out.
//!
//! | what | formats | read | written |
//! |---|---|---|---|
//! | problem, or features with labels | `.npz`, `.safetensors`, `.npy` in a folder | [`read_problem`], [`problem_of_bytes`] | [`write_result`] of the same arrays |
//! | result arrays | `.npz`, `.safetensors` | | [`write_result`] |
//! | sweep | `.parquet`, `.csv` | [`read_sweep`] | [`write_parquet`], [`write_csv`] |
//! | part of a sweep | `.parquet` | [`merge`] | [`write_part`] |
//! | running sweep | `.partial.parquet` | [`TableJournal`] | [`TableJournal`] |
//!
//! What is read is decided by the content of a file, what is written by its extension. Whatever is
//! written replaces an older file in one step ([`write_atomically`]), and its bytes depend on the
//! content only. A damaged file is an error with the path in front.
//!
//! Without the feature `all` no format is read: there is [`ProblemParts::of_arrays`] only.

mod arrays;
#[cfg(feature = "all")]
mod digest;
mod error;
#[cfg(feature = "all")]
mod journal;
mod labels;
#[cfg(feature = "all")]
mod lock;
mod memory;
#[cfg(feature = "all")]
mod merge;
mod names;
mod notes;
#[cfg(feature = "all")]
mod npy;
#[cfg(feature = "all")]
mod npz;
#[cfg(feature = "all")]
mod output;
mod parts;
mod problem;
#[cfg(feature = "all")]
mod result;
#[cfg(feature = "all")]
mod source;
#[cfg(feature = "all")]
mod stored;
#[cfg(feature = "all")]
mod table;
#[cfg(feature = "all")]
mod task;
#[cfg(feature = "all")]
mod tensors;

pub use arrays::NamedArray;
#[cfg(feature = "all")]
pub use digest::{digest, digest_of_file, digest_of_parts};
#[cfg(feature = "all")]
pub use error::FileError;
pub use error::{Fault, FormProblem, MAX_KERNEL_TOLERANCE, Remedy};
#[cfg(feature = "all")]
pub use journal::{TableJournal, check_replaceable};
pub use labels::MAX_CLASSES;
#[cfg(feature = "all")]
pub use memory::{available_memory, check_memory};
#[cfg(feature = "all")]
pub use memory::{memory_of_records, memory_of_task};
#[cfg(feature = "all")]
pub use merge::merge;
pub use names::PROBLEM_ARRAYS;
pub use notes::Note;
#[cfg(feature = "all")]
pub use npz::{check_directory, check_packing};
#[cfg(feature = "all")]
pub use output::{check_apart, check_output, write_atomically};
pub use parts::ProblemParts;
pub use problem::{ProblemFile, check_head};
#[cfg(feature = "all")]
pub use problem::{problem_of_bytes, read_problem};
#[cfg(feature = "all")]
pub use result::{RESULT_EXTENSIONS, write_layer, write_result, write_result_of};
#[cfg(feature = "all")]
pub use source::{MAX_CONFIGURATION, read_configuration};
#[cfg(feature = "all")]
pub use stored::{STORE_EVERY, SweepFiles, with_suffix};
#[cfg(feature = "all")]
pub use table::{
    Field, Kind, SWEEP_EXTENSIONS, TableNote, check_repeated, columns, fields, read_sweep,
    read_sweep_with_notes, record_of, write_csv, write_parquet, write_part,
};
#[cfg(feature = "all")]
pub use task::{TaskFile, read_parts, read_parts_with_digest, read_task};
