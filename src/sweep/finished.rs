//! A finished sweep.

use super::digest::Digest;
use super::record::Record;

/// The version of the fields of a record. Tables carry it.
pub const SCHEMA: u32 = 4;

/// The oldest version whose tables are read: it has no Frobenius distances.
pub const OLDEST_SCHEMA: u32 = 3;

/// A finished sweep: its rows in the order of the grid, and what made them.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// The configuration as TOML text; empty if it is not known.
    pub config: String,
    /// The version of this program that ran it; empty if it is not known.
    pub version: String,
    /// The digest of what its records depend on: [`Plan::identity`](super::plan::Plan::identity).
    pub identity: Option<Digest>,
    /// One record for each cell.
    pub records: Vec<Record>,
}
