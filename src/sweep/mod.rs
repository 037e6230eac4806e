//! Sweeps: many heads, energies and seeds on one kind of problem.
//!
//! A [`config::Config`] says what, a [`plan::Plan`] is one that can be run, its [`grid::Grid`] has the cells, and a
//! [`record::Record`] is what came of one. A [`journal::Journal`] lets an interrupted run go on, and a [`Shard`] is a
//! part for one of several machines.

pub mod config;
mod digest;
mod finished;
pub mod grid;
pub mod journal;
pub mod plan;
pub mod record;
mod shard;

pub use finished::{OLDEST_SCHEMA, SCHEMA, Sweep};
pub use shard::{NoShard, Part, Shard, TooManyParts};
