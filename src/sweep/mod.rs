//! Sweeps: many heads, energies and seeds on one kind of problem.
//!
//! A [`config::Config`] says what, a [`plan::Plan`] is one that can be run, its [`grid::Grid`] has the cells, and a
//! [`record::Record`] is what came of one. A [`journal::Journal`] lets an interrupted run go on.

pub mod config;
pub mod grid;
pub mod journal;
pub mod plan;
pub mod record;

use plan::Digest;
use record::Record;

/// The version of what a record holds. Tables carry it, and tables of another version are not read.
pub const SCHEMA: u32 = 3;

/// A finished sweep: its rows in the order of the grid, and what made them.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// The configuration as TOML text; empty if it is not known.
    pub config: String,
    /// The version of this program that ran it; empty if it is not known.
    pub version: String,
    /// The digest of what its records depend on: [`plan::Plan::identity`].
    pub identity: Option<Digest>,
    /// One record a cell.
    pub records: Vec<Record>,
}
