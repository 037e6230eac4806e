//! How the task head that you start finetuning with decides how far the features move.
//!
//! The theory is that of Ren, Guo, Bae and Sutherland, *How to prepare your task head for finetuning*
//! (ICLR 2023), in the overparameterized two-layer linear model: a [`problem::Problem`] (features Z₀,
//! kernel K, targets Y) and an initial head are [probed](probing), finetuned by a [gradient flow](flow)
//! in closed form or numerically, and [measured](adaptation). Numbers like T7 refer to the list of
//! theorems in the README.
//!
//! The core does no I/O and starts no thread unless the feature `parallel` is on.
//!
//! ```
//! use nalgebra::dmatrix;
//! use taskhead::problem::Problem;
//! use taskhead::simulation::{Probe, Run, Settings};
//!
//! // One sample with feature (1, 0), target 1.5, and a head that starts at (0, 0.7).
//! let problem = Problem::new(dmatrix![1.0, 0.0], dmatrix![1.0], dmatrix![1.5])?;
//! let run = Run::new(&problem, &dmatrix![0.0; 0.7], 0.0)?;
//! // Probe the head until an energy of 0.9 is left, then finetune everything to the end.
//! let result = &run.finetune(Probe::Aie(0.9), &[f64::INFINITY], &Settings::default())?[0];
//! assert_eq!(result.method, "rank-one");
//! assert!((result.energy.aie - 0.9).abs() < 1e-12);
//! assert!(result.adaptation.euclidean > 0.0 && result.residual < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod adaptation;
pub mod analysis;
mod check;
pub mod digits;
pub mod energy;
pub mod flow;
#[doc(hidden)]
pub mod linalg;
pub mod loss;
pub mod metric;
#[doc(hidden)]
pub mod parallel;
pub mod probing;
pub mod problem;
mod product;
pub mod reduction;
pub mod simulation;
pub mod sweep;
pub mod tasks;
pub mod trend;
