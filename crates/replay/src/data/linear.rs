//! Random two-layer linear networks, for the replay and for the engine alike.

use nalgebra::DMatrix;

use crate::config::LinearTask;
use taskhead::problem::{Problem, ProblemError};
use taskhead::tasks::{normal, stream};

/// The matrices of one seed.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// X, N×d.
    pub inputs: DMatrix<f64>,
    /// B₀, h×d.
    pub backbone: DMatrix<f64>,
    /// Y, N×k.
    pub targets: DMatrix<f64>,
    /// P×d.
    pub held_out: DMatrix<f64>,
}

impl LinearTask {
    /// The matrices of a seed.
    pub fn draw(&self, seed: u64) -> Drawn {
        let &Self { samples: n, inputs: d, width: h, outputs: k, held_out: p } = self;
        let per = |m: usize| 1.0 / (m as f64).sqrt();
        Drawn {
            inputs: normal(&mut stream(seed, 131), n, d, per(d)),
            backbone: normal(&mut stream(seed, 132), h, d, per(h)),
            targets: normal(&mut stream(seed, 133), n, k, per(k)),
            held_out: normal(&mut stream(seed, 134), p, d, per(d)),
        }
    }
}

impl Drawn {
    /// The engine's problem of these matrices.
    pub fn problem(&self) -> Result<Problem, ProblemError> {
        let Self { inputs, backbone, targets, held_out } = self;
        Problem::linear(inputs, backbone, targets.clone())?
            .with_held_out_inputs(held_out, inputs, backbone)
    }
}
