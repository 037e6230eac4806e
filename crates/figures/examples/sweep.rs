//! A sweep without files: does the trend hold on ten random problems?
//!
//! `cargo run --release -p taskhead-figures --example sweep`

use taskhead::analysis::summary::summarize;
use taskhead::sweep::{config::Config, run};
use taskhead::tasks::{Gaussian, Task, TaskSpec};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::new(TaskSpec::Gaussian(Gaussian::default()));
    config.heads.seeds = 10;
    config.validate()?;
    let records = run(&config, &|spec, seed| Task::new(spec, seed), &|_| None, &|_| {});
    for row in summarize("random", &records, false) {
        println!("{:<20} {:<20} {}", row.metric_name(), row.claim(), row.finding());
    }
    Ok(())
}
