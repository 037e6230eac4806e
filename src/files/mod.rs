//! Files: problems in, results and sweeps out.
//!
//! | what | formats | read | written |
//! |---|---|---|---|
//! | problem | `.npz`, `.safetensors` | [`read_problem`] | [`write_result`] of the same arrays |
//! | features with labels | `.npz`, `.safetensors` | [`read_features`] | |
//! | result arrays | `.npz`, `.safetensors` | | [`write_result`] |
//! | sweep | `.parquet`, `.csv` | [`read_sweep`] | [`write_parquet`], [`write_csv`] |
//!
//! What is read is decided by the content of a file, what is written by its extension. Whatever is
//! written replaces an older file in one step ([`write_atomically`]), and its bytes depend on the
//! content only. A damaged file is an error with the path in front.

mod arrays;
mod error;
mod features;
mod npy;
mod output;
mod problem;
mod result;
mod table;

pub use error::{Fault, FileError, FormProblem};
pub use features::{FeaturesFile, MAX_CLASSES, read_features};
pub use output::{check_output, write_atomically};
pub use problem::{PROBLEM_ARRAYS, ProblemFile, read_problem};
pub use result::{RESULT_EXTENSIONS, write_result};
pub use table::{SWEEP_EXTENSIONS, read_sweep, write_csv, write_parquet};
