//! One sample, three probing times: with more energy left the feature moves further.
//!
//! `cargo run --release -p taskhead --example one_head`

use taskhead::nalgebra::{self, dmatrix};
use taskhead::{Probe, Problem};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let problem = Problem::new(dmatrix![1.0, 0.0], dmatrix![1.0], dmatrix![1.5])?;
    let head = problem.head(dmatrix![0.0; 0.7])?;
    for tau in [f64::INFINITY, 1.0, 0.0] {
        let tuned = head.probe(Probe::Time(tau))?.finetune().to_limit()?;
        println!(
            "probed for {tau:>3}: energy {:.3}, moved by {:.3}, solved by {}",
            tuned.energy.aie, tuned.adaptation.euclidean, tuned.method
        );
    }
    Ok(())
}
