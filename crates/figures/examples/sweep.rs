//! A sweep without files: does the trend hold on ten random problems?
//!
//! `cargo run --release --example sweep`

use taskhead::analysis::summary::summarize;
use taskhead::sweep::{config::Config, plan::Plan};
use taskhead::tasks::{Gaussian, TaskSpec};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::new(TaskSpec::Gaussian(Gaussian::default()));
    config.heads.seeds = 10;
    let records = Plan::new(config)?.records();
    for row in summarize("random", &records, false) {
        println!("{:<20} {:<20} {}", row.metric.title(), row.claim(), row.finding());
    }
    Ok(())
}
