//! Sweeps: many heads, energies and seeds on one kind of problem.
//!
//! A [`config::Config`] says what, a [`plan::Plan`] is one that can be run, its [`grid::Grid`] has the cells, and a
//! [`record::Record`] is what came of one. A [`journal::Journal`] lets an interrupted run go on.

pub mod config;
mod digest;
mod finished;
pub mod grid;
pub mod journal;
pub mod plan;
pub mod record;

pub use finished::{SCHEMA, Sweep};
