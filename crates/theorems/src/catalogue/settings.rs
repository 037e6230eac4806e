//! How much of the catalogue's checks is run.

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Seed of all random cases.
    pub seed: u64,
    /// Random cases of a cheap check, and random problems of an observation; costly checks take a share.
    pub instances: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 0, instances: 2000 }
    }
}
