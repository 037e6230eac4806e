//! x
#![allow(missing_docs)]
mod interval;
mod jet;
mod laws;
mod subdivision;
mod phase;
