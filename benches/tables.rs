//! Processor time of writing and reading a large table of a sweep.
//!
//! `cargo run --release -p taskhead-benches --features figures --bin tables -- ROWS FOLDER` writes this many rows to
//! FOLDER, as Parquet and as CSV, and reads them again.

use std::path::Path;

use cpu_time::ProcessTime;
use taskhead::sweep::{config::Config, plan::Plan};
use taskhead::tasks::{RankOneTask, TaskSpec};
use taskhead_files::{read_sweep, write_csv, write_parquet};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rows, folder] = &arguments[..] else {
        return Err("see the first lines of benches/tables.rs for its arguments".into());
    };
    let plan = Plan::new(Config::new(TaskSpec::RankOne(RankOneTask::default())))?;
    let few = plan.records();
    let records = few.iter().cycle().take(rows.parse()?).enumerate().map(|(i, record)| {
        let mut record = record.clone();
        (record.cell.number, record.cell.seed) = (i as u64, (i / few.len()) as u64);
        record
    });
    let sweep = plan.finished(String::new(), taskhead_files::digest("rows"), few.clone());
    let sweep = taskhead::sweep::Sweep { records: records.collect(), ..sweep };
    for (name, write) in [("rows.parquet", write_parquet as fn(_, _) -> _), ("rows.csv", write_csv)] {
        let path = Path::new(folder).join(name);
        let clock = ProcessTime::now();
        write(path.clone(), &sweep)?;
        let written = clock.elapsed();
        let clock = ProcessTime::now();
        let read = read_sweep(&path)?;
        let seconds = [written, clock.elapsed()].map(|time| time.as_secs_f64());
        assert_eq!(read.records, sweep.records);
        println!("{name}: written in {:.2} s, read in {:.2} s of the processor", seconds[0], seconds[1]);
    }
    Ok(())
}
