//! Flags of the curves that a sweep and a replay make: heads and probing points.

use taskhead::sweep::config::{Heads, Probes};

/// Which heads, and where on their probing paths finetuning starts.
#[derive(Debug, clap::Args)]
pub struct Curves {
    /// Number of seeds.
    #[arg(long, value_name = "COUNT", value_parser = super::whole::<u64>(1..))]
    seeds: Option<u64>,
    /// The first seed.
    #[arg(long, value_name = "SEED", value_parser = super::whole::<u64>(0..))]
    first_seed: Option<u64>,
    /// Scales of the initial head, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = super::amount)]
    scales: Option<Vec<f64>>,
    /// Label smoothings while probing.
    #[arg(long, value_delimiter = ',', value_parser = super::amount)]
    smoothings: Option<Vec<f64>>,
    /// Head learning rates over the backbone's.
    #[arg(long, value_delimiter = ',', value_parser = super::amount)]
    head_rates: Option<Vec<f64>>,
    /// Probing times; inf for the longest.
    #[arg(long, value_delimiter = ',', value_parser = super::time, group = "points_from")]
    probe_times: Option<Vec<f64>>,
    /// Average initial energies to probe to.
    #[arg(long, value_delimiter = ',', value_parser = super::amount, group = "points_from")]
    energies: Option<Vec<f64>>,
    /// Number of probing points, evenly spaced in Frobenius energy from convergence to no probing. In a sweep under
    /// cross-entropy, where convergence may not exist, the first is 1/COUNT of the way above it.
    #[arg(long, value_name = "COUNT", group = "points_from", value_parser = super::whole::<usize>(2..))]
    points: Option<usize>,
}

impl Curves {
    /// Puts what was given in the place of what a configuration says.
    pub fn apply(&self, heads: &mut Heads, probe: &mut Probes) {
        set(&mut heads.seeds, self.seeds);
        set(&mut heads.first_seed, self.first_seed);
        set(&mut heads.scales, self.scales.clone());
        set(&mut heads.smoothings, self.smoothings.clone());
        set(&mut heads.head_rates, self.head_rates.clone());
        if self.probe_times.is_some() || self.energies.is_some() || self.points.is_some() {
            probe.times = self.probe_times.clone();
            probe.energies = self.energies.clone();
            probe.points = self.points;
        }
    }
}

/// A flag, and whether it was given.
#[cfg(feature = "replay")]
type Given = (&'static str, bool);

#[cfg(feature = "replay")]
impl Curves {
    /// Whether smoothings were given.
    pub fn smoothings(&self) -> Given {
        ("--smoothings", self.smoothings.is_some())
    }

    /// Whether scales were given.
    pub fn scales(&self) -> Given {
        ("--scales", self.scales.is_some())
    }

    /// Whether head rates were given.
    pub fn head_rates(&self) -> Given {
        ("--head-rates", self.head_rates.is_some())
    }
}

/// Puts a value in its place, if there is one.
pub fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
