//! `taskhead verify --certify`: the interval certificates as a table.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;

use crate::outcome::progress_bar;
use crate::say;
use taskhead_theorems::catalogue::Entry;
use taskhead_theorems::certify::{
    CERTIFIED, Certificate, Map, Region, Report, Settings, Verdict, certify,
};

/// Steps of the progress bar.
const STEPS: f64 = 1000.0;

/// The chosen theorems that have certificates; all that are named must have one.
pub fn laws(chosen: &[&'static Entry], named: bool) -> Result<Vec<&'static str>> {
    let wanted: Vec<&str> =
        CERTIFIED.into_iter().filter(|id| chosen.iter().any(|e| e.id == *id)).collect();
    if wanted.is_empty() || named && wanted.len() < chosen.len() {
        bail!("there are certificates for {} only", CERTIFIED.join(", "));
    }
    Ok(wanted)
}

/// Certifies theorems, and prints their certificates.
pub fn run(settings: &Settings, laws: &[&str], json: bool, quiet: bool) -> Result<ExitCode> {
    let bar = progress_bar(STEPS as u64, quiet || json);
    let report = certify(settings, laws, &|share| bar.set_position((share * STEPS) as u64));
    bar.finish_and_clear();
    if json {
        say::line(json!(report))?;
    } else {
        say::print(text(&report))?;
    }
    Ok(if report.refuted() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    for law in &report.laws {
        let verdict = match law.verdict {
            Verdict::Proved => "proved",
            Verdict::Refuted => "REFUTED",
            Verdict::Undecided => "undecided",
        };
        out += &format!("{:<4}{verdict:<10} {}\n", law.theorem, law.statement);
        out += &format!("               for every {}\n", region(&law.region));
        out += &format!("               {}\n", counts(law));
        if let Some(counterexample) = &law.counterexample {
            out += &format!("               fails on {}\n", region(counterexample));
        }
    }
    for law in &report.beyond {
        out += &format!("{:<4}{:<10} {}\n", law.theorem, "in part", law.statement);
        out += &format!("               in {}\n", region(&law.region));
        out += &format!("               {}\n", counts(law));
        if let Some(counterexample) = &law.counterexample {
            out += &format!("               fails on {}, for one\n", region(counterexample));
        }
    }
    if !report.maps.is_empty() {
        out += "maps of T13 (share of the area that is proved, refuted, undecided)\n";
        report.maps.iter().for_each(|map| out += &format!("     {}\n", map_line(map)));
    }
    out
}

fn region(region: &Region) -> String {
    // E/y = 1 − s.
    let energy = [1.0 - region.s[1], 1.0 - region.s[0]];
    // Every digit: what is printed is what was proved.
    let range = |[low, high]: [f64; 2]| format!("[{low}, {high}]");
    format!("y in {}, w in {}, E/y in {}", range(region.y), range(region.w), range(energy))
}

fn counts(law: &Certificate) -> String {
    let [proved, undecided, failed] = law.boxes;
    let [p, u, f] = law.shares.map(|share| 100.0 * share);
    let boxes = if law.examined == 1 { "box" } else { "boxes" };
    let mut text = format!("{} {boxes} looked at: {proved} proved ({p:.3} %)", law.examined);
    if failed > 0 {
        text += &format!(", {failed} refuted ({f:.3} %)");
    }
    text += &format!(", {undecided} undecided ({u:.3} %)");
    if let Some(largest) = &law.largest_undecided {
        text += &format!(", the largest: {}", region(largest));
    }
    text
}

fn map_line(map: &Map) -> String {
    let [holds, undecided, fails] = map.shares.map(|share| 100.0 * share);
    let where_ = match map.target {
        None => "over (y, w), for all energies from y to 2y".to_owned(),
        Some(y) => format!("over (E/y, w) at y = {y}"),
    };
    format!("{:<22} {where_}: {holds:.2} %, {fails:.2} %, {undecided:.3} %", map.law.name())
}
