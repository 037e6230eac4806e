//! One sample, three probing times: with more energy left the feature moves further.
//!
//! `cargo run --release -p taskhead --example one_head`

use nalgebra::dmatrix;
use taskhead::problem::Problem;
use taskhead::simulation::{Probe, Run, Settings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let problem = Problem::new(dmatrix![1.0, 0.0], dmatrix![1.0], dmatrix![1.5])?;
    let run = Run::new(&problem, &dmatrix![0.0; 0.7], 0.0)?;
    for tau in [f64::INFINITY, 1.0, 0.0] {
        let result = &run.finetune(Probe::Time(tau), &[f64::INFINITY], &Settings::default())?[0];
        println!(
            "probed for {tau:>3}: energy {:.3}, moved by {:.3}, solved by {}",
            result.energy.aie, result.adaptation.euclidean, result.method
        );
    }
    Ok(())
}
