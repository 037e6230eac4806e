//! Which theory is laid over a network.

use serde::{Deserialize, Serialize};

/// Theories of the same network, which differ in their tangent kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Theory {
    /// What stands for the tangent kernel; each once.
    pub kernels: Vec<Kernel>,
    /// How the linearised network learns.
    pub dynamics: Dynamics,
}

/// What stands for the tangent kernel 𝐊 = J Jᵀ of the features, Nh×Nh, at the start of finetuning (T26).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// K ⊗ I with the mean of its diagonal blocks, as in the two-layer linear theory.
    Mean,
    /// Its diagonal blocks: a kernel for each feature direction.
    Directions,
    /// All of it.
    Full,
}

impl Kernel {
    /// All of them, from the coarsest on.
    pub const ALL: [Self; 3] = [Self::Mean, Self::Directions, Self::Full];

    /// In words.
    pub fn title(self) -> &'static str {
        ["mean kernel", "kernel by direction", "full kernel"][self as usize]
    }
}

/// How the linearised network learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dynamics {
    /// By gradient flow. A step of size η with momentum μ on the mean loss of N samples is a time of η / ((1 − μ) N).
    Flow,
    /// By the network's own steps: the same batches, the same momentum.
    Descent,
}
