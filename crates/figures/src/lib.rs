//! Figures: what they show ([`gallery`]) and how it is drawn ([`plot`]).
//!
//! Nothing here reads or writes files.

pub mod gallery;
pub mod plot;
