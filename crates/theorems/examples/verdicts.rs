//! `taskhead verify` without the command line around it, quick to build: the verdicts that are not what they should be.
//!
//! `cargo run --release -p taskhead-theorems --example verdicts -- 200` (random cases of a cheap check).
//! `scripts/plants` runs it on a core with a planted error.

use std::process::ExitCode;

use taskhead_theorems::catalogue::catalogue;
use taskhead_theorems::catalogue::verify::{Settings, Verdict, verify};

fn main() -> ExitCode {
    let instances = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(200);
    let settings = Settings { seed: 0, instances };
    let mut good = true;
    for entry in catalogue() {
        let report = verify(entry, &settings, &|| {});
        for (i, check) in (1..).zip(&report.checks) {
            let verdict = check.verdict();
            if verdict != Verdict::Holds {
                good = false;
                let error = check.error.as_deref().unwrap_or_default();
                println!(
                    "{} check {i}: {verdict:?}, {} of {} failed; {error}",
                    entry.id, check.failed, check.cases
                );
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
