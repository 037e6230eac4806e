//! Random two-layer linear networks, for the replay and for the engine alike.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use taskhead::problem::{Problem, ProblemError};
use taskhead::tasks::{normal, stream};

/// Shapes of a random linear task: |x| ≈ |z| ≈ |y| ≈ 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct LinearTask {
    /// Samples N.
    pub samples: usize,
    /// Input dimension d.
    pub inputs: usize,
    /// Feature width h.
    pub width: usize,
    /// Outputs k.
    pub outputs: usize,
    /// Held-out inputs P.
    pub held_out: usize,
}

impl Default for LinearTask {
    fn default() -> Self {
        Self { samples: 8, inputs: 24, width: 32, outputs: 2, held_out: 16 }
    }
}

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
