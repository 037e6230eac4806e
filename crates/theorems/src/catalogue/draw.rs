//! Random numbers of the cases of checks.

use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use taskhead::tasks;

/// Random numbers of one case.
#[derive(Debug, Clone)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The numbers of a seed and a stream.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Uniform between two numbers.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    /// Uniform in the logarithm between two positive numbers.
    pub fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        self.uniform(low.ln(), high.ln()).exp()
    }

    /// An integer from `low` to `high`, both included.
    pub fn integer(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high)
    }

    /// A matrix of normal entries.
    pub fn normal(&mut self, rows: usize, columns: usize, deviation: f64) -> DMatrix<f64> {
        tasks::normal(&mut self.0, rows, columns, deviation)
    }

    /// Orthonormal columns, rows×columns with rows ≥ columns.
    pub fn orthonormal(&mut self, rows: usize, columns: usize) -> DMatrix<f64> {
        self.normal(rows, columns, 1.0).qr().q()
    }
}

/// 1/√size: entries of this deviation make vectors of length about 1.
pub fn unit(size: usize) -> f64 {
    1.0 / (size as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_their_seed_and_stream() {
        let first = |seed, stream| Draw::new(seed, stream).uniform(0.0, 1.0);
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
    }
}
