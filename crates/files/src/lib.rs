//! Files: problems in, results and sweeps out.
//!
//! | what | formats | read | written |
//! |---|---|---|---|
//! | problem | `.npz`, `.safetensors` | [`read_problem`], [`problem_of_bytes`] | [`write_result`] of the same arrays |
//! | features with labels | `.npz`, `.safetensors` | [`read_features`] | |
//! | result arrays | `.npz`, `.safetensors` | | [`write_result`] |
//! | sweep | `.parquet`, `.csv` | [`read_sweep`] | [`write_parquet`], [`write_csv`] |
//! | running sweep | `.partial.parquet` | [`TableJournal`] | [`TableJournal`] |
//!
//! What is read is decided by the content of a file, what is written by its extension. Whatever is
//! written replaces an older file in one step ([`write_atomically`]), and its bytes depend on the
//! content only. A damaged file is an error with the path in front.
//!
//! With the feature `safetensors` alone there is no more than the reading of `.safetensors`.

mod arrays;
#[cfg(feature = "all")]
mod digest;
mod error;
mod features;
#[cfg(feature = "all")]
mod journal;
#[cfg(feature = "all")]
mod npy;
#[cfg(feature = "all")]
mod output;
mod problem;
#[cfg(feature = "all")]
mod result;
#[cfg(feature = "all")]
mod table;

#[cfg(feature = "all")]
pub use digest::{digest, digest_of_file, digest_of_parts};
pub use error::{Fault, FileError, FormProblem};
pub use features::{FeaturesFile, MAX_CLASSES, read_features};
#[cfg(feature = "all")]
pub use journal::{TableJournal, check_replaceable};
#[cfg(feature = "all")]
pub use output::{check_output, write_atomically};
pub use problem::{PROBLEM_ARRAYS, ProblemFile, problem_of_bytes, read_problem};
#[cfg(feature = "all")]
pub use result::{RESULT_EXTENSIONS, write_result};
#[cfg(feature = "all")]
pub use table::{
    Field, SWEEP_EXTENSIONS, TableNote, fields, read_sweep, read_sweep_with_notes, write_csv,
    write_parquet,
};
