//! The same sweep on real networks: pretrain, probe the head, finetune, measure.
//!
//! A [`Config`](config::Config) says what; [`Replay::new`] reads the data and gets the backbone; [`Replay::run`] gives
//! the records that a sweep of the linear theory gives, so that figures and laws serve both. Cells run in parallel on a
//! CPU, one thread each, and a cell's numbers depend on its seed only.
//!
//! Two things differ from the linear theory: times count epochs, and with cross-entropy the residual is
//! e_y − softmax(f), in energies as well as in `residual` and `risk`.

mod cell;
pub mod config;
pub mod data;
pub mod device;
pub mod error;
mod fit;
mod measure;
mod memory;
pub mod network;
mod pretrain;
mod probing;
mod replay;
mod run;
mod score;
mod targets;
mod theory;
mod train;
mod weights;

pub use replay::Replay;
pub use theory::{Ground, Overlay};
