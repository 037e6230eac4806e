//! How many numbers layers hold, before any of them is made.

/// Numbers that layers hold; not whole where they are more than can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Weights.
    pub weights: f64,
    /// Outputs of all operations for one sample, which are kept for the way back.
    pub outputs: f64,
}

impl Cost {
    /// That of these layers and others after them.
    pub fn with(self, others: Self) -> Self {
        Self { weights: self.weights + others.weights, outputs: self.outputs + others.outputs }
    }
}

/// Numbers of a shape.
pub(super) fn count(shape: &[usize]) -> f64 {
    shape.iter().map(|&d| d as f64).product()
}
