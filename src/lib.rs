//! How the task head that you start finetuning with decides how far the features move.
//!
//! The theory is that of Ren, Guo, Bae and Sutherland, *How to prepare your task head for finetuning* (ICLR 2023), in
//! the overparameterized two-layer linear model: a [`Problem`] (features Z₀, kernel K, targets Y) and an initial head
//! are [probed](probing), finetuned by a [gradient flow](flow) in closed form or numerically, and
//! [measured](adaptation). Numbers like T7 are those of `taskhead verify --list`; the README has the main ones.
//!
//! The core does no I/O and starts no thread unless the feature `parallel` is on.
//!
//! # A problem from arrays
//!
//! Features and labels are enough: then the backbone is one more linear layer on the features. With an empirical
//! tangent kernel it is [`Problem::new`], with inputs and the weights of a linear backbone [`Problem::linear`]. The
//! arrays are those of [`nalgebra`], whose macros need its name in scope, so `self` is imported beside them.
//!
//! ```
//! use taskhead::Problem;
//! use taskhead::nalgebra::{self, dmatrix};
//!
//! // Two samples with three features each, and one target.
//! let problem = Problem::on_features(dmatrix![1.0, 0.0, 1.0; 0.0, 1.0, 0.5], dmatrix![1.5; -0.5])?;
//! assert_eq!((problem.samples(), problem.width(), problem.outputs()), (2, 3, 1));
//! # Ok::<(), taskhead::ProblemError>(())
//! ```
//!
//! # Probing to an energy
//!
//! Energy is what is left of the training residual when finetuning starts: the question is how much to leave.
//!
//! ```
//! use taskhead::{Energy, Problem};
//! use taskhead::nalgebra::{self, dmatrix};
//! # let problem = Problem::on_features(dmatrix![1.0, 0.0, 1.0; 0.0, 1.0, 0.5], dmatrix![1.5; -0.5])?;
//!
//! let head = problem.head(dmatrix![0.0; 0.1; 0.0])?;
//! let probed = head.probe(Energy::aie(0.5))?;
//! assert!((probed.energy().aie - 0.5).abs() < 1e-12);
//! println!("probed for {}, head {}", probed.time(), probed.head()?);
//!
//! // What probing does not reach is an error that says what it does.
//! let error = head.probe(Energy::aie(7.0)).unwrap_err();
//! assert!(error.to_string().starts_with("the AIE energy 7 is not reached by probing; reachable here: 0 to"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Finetuning to the limit
//!
//! ```
//! use taskhead::{Energy, Problem};
//! use taskhead::nalgebra::{self, dmatrix};
//! # let problem = Problem::on_features(dmatrix![1.0, 0.0, 1.0; 0.0, 1.0, 0.5], dmatrix![1.5; -0.5])?;
//! # let v = dmatrix![0.0; 0.1; 0.0];
//!
//! let far = problem.head(v.clone())?.probe(Energy::aie(0.9))?.finetune().head_rate(0.5).to_limit()?;
//! let near = problem.head(v)?.probe(Energy::aie(0.1))?.finetune().head_rate(0.5).to_limit()?;
//! // The more energy is left, the further features go and turn.
//! assert!(far.adaptation.euclidean > near.adaptation.euclidean);
//! assert!(far.adaptation.cosine > near.adaptation.cosine);
//! assert!(far.residual < 1e-9 && far.stop.reason().is_none());
//! println!("features {}, head {}", far.features(), far.head());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Over time, by another method
//!
//! One run gives any number of moments. The method is the best that fits: a closed form, else the solver. Gradient
//! descent is what a practitioner runs; the flow is its limit of small steps.
//!
//! ```
//! use taskhead::{Energy, Method, Problem, SolvedBy};
//! use taskhead::nalgebra::{self, dmatrix};
//! # let problem = Problem::on_features(dmatrix![1.0, 0.0, 1.0; 0.0, 1.0, 0.5], dmatrix![1.5; -0.5])?;
//! # let v = dmatrix![0.0; 0.1; 0.0];
//!
//! let probed = problem.head(v)?.probe(Energy::aie(0.9))?;
//! let times = [0.1, 1.0, 10.0, f64::INFINITY];
//! let flow = probed.finetune().rtol(1e-6).at(&times)?;
//! let descent = probed.finetune().method(Method::Descent).at(&times)?;
//! for (a, b) in flow.iter().zip(&descent) {
//!     assert!(a.method == SolvedBy::Flow && matches!(b.method, SolvedBy::Descent { step } if step < 1.0));
//!     assert!((a.adaptation.euclidean - b.adaptation.euclidean).abs() < 0.05);
//! }
//! assert!(flow[0].residual > flow[1].residual);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A sweep and its summary
//!
//! Many heads, energies and seeds, on all cores with the feature `parallel`; then each law, counted over all curves.
//!
//! ```
//! use taskhead::{Config, Gaussian, Metric, Plan, TaskSpec, summarize};
//!
//! let task = Gaussian { samples: 4, inputs: 9, width: 12, ..Gaussian::default() };
//! let mut config = Config::new(TaskSpec::Gaussian(task));
//! config.heads.seeds = 3;
//! config.probe.points = Some(6);
//! let records = Plan::new(config)?.records();
//! assert_eq!(records.len(), 3 * 6);
//! let laws = summarize("gaussian", &records, false);
//! for law in &laws {
//!     println!("{} {}: {}", law.metric.title(), law.claim(), law.finding());
//! }
//! assert!(laws[0].metric == Metric::Euclidean && laws[0].holds());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod adaptation;
pub mod advise;
pub mod analysis;
mod check;
pub mod digits;
pub mod energy;
pub mod flow;
pub mod front;
mod graded;
mod linalg;
pub mod loss;
pub mod metric;
#[doc(hidden)]
pub mod parallel;
pub mod probing;
pub mod problem;
mod product;
pub mod reduction;
mod setting;
pub mod simulation;
pub mod sweep;
pub mod tasks;
pub mod trend;

/// Decompositions of matrices that are checked after they are made.
pub mod decomposition {
    pub use crate::linalg::{DecompositionError, Eigen, Svd};
}

pub use nalgebra;

pub use adaptation::Adaptation;
pub use analysis::summary::summarize;
pub use energy::{Energy, Measure};
pub use flow::solver::Work;
pub use flow::{Budget, FlowError, SolvedBy, Stop};
pub use front::{Finetuning, Head, Probed, Tuned};
pub use loss::Loss;
pub use metric::Metric;
pub use probing::{ProbingError, ProbingPath};
pub use problem::{Problem, ProblemError};
pub use setting::{Number, Setting, counted};
pub use simulation::{Method, Probe, Simulation, SimulationError, Until};
pub use sweep::config::{Config, ConfigError};
pub use sweep::plan::Plan;
pub use sweep::record::{Measured, Outcome, Record};
pub use tasks::{DigitsTransfer, Gaussian, RankOneTask, Task, TaskError, TaskSpec};
