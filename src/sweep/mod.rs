//! Sweeps: many heads, energies and seeds on one kind of problem.

pub mod record;

/// A finished sweep: its rows in the order of the configuration, and what made them.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// The configuration as TOML text.
    pub config: String,
    /// The version of this program that ran it.
    pub version: String,
    /// One record a cell.
    pub records: Vec<record::Record>,
}
