//! `taskhead reproduce`: every sweep, every figure, one summary and one report.

mod hypotheses;
mod report;
mod theorems;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use serde_json::json;

use super::outcome::{Watched, make_folder, progress_bar, report as report_of, summary};
use super::plot::{Format, check_ours, save, save_svgs, svg_names, write};
use super::say;
use report::{Entry, Report};
use taskhead::analysis::summary::{Row, summarize};
use taskhead::analysis::{curves, log_steps};
use taskhead::loss::Loss;
use taskhead::metric::Metric;
use taskhead::simulation::{Run, Until};
use taskhead::sweep::config::Config;
use taskhead::sweep::plan::Plan;
use taskhead::sweep::record::{Counts, Record};
use taskhead::tasks::{DigitsTransfer, Gaussian, RankOneTask, Task, TaskSpec};
use taskhead_figures::gallery::beyond::beyond;
use taskhead_figures::gallery::laws::laws;
use taskhead_figures::gallery::theory::{self, Law};
use taskhead_figures::gallery::units::{self, Norms, Set};
use taskhead_figures::gallery::{single, stored};
use taskhead_figures::plot::{Figure, Risk, Theme};
use taskhead_theorems::certify::{self, Map};
use theorems::Theorems;

/// Flags of the command.
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Folder for `plots/` and `report.html`; it is made if it is missing.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    /// Replace whatever is there. Without this only files of this program are replaced.
    #[arg(long)]
    force: bool,
    /// Seeds of the random problems.
    #[arg(long, default_value_t = 40, value_parser = super::whole::<u64>(1..=10_000))]
    seeds: u64,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

/// The law of the trend figure: y = 1, w = 0.5, energies up to 1.6 y.
const LAW: Law = Law { target: 1.0, across: 0.5, reach: 1.6 };

/// The figures of the gallery.
const FIGURES: [&str; 12] = [
    "trend",
    "trend-cross-entropy",
    "hyperbolas",
    "trajectories",
    "agreement",
    "heatmap",
    "phase",
    "beyond",
    "laws",
    "risk",
    "smoothing",
    "digits",
];

/// Seeds of the digits transfer and of the teachers.
const FEW_SEEDS: u64 = 3;

/// Finetuning time of the digits' accuracies: later the features fit the noise of 40 images.
const PRACTICAL_TIME: f64 = 0.3;

/// Where runs under cross-entropy are compared (T25): name, stop rule and time.
const ENDS: [(&str, Until, f64); 3] = [
    ("training loss 0.01", Until::Loss(0.01), f64::INFINITY),
    ("time 10", Until::Time, 10.0),
    ("all training samples right", Until::Accuracy(1.0), f64::INFINITY),
];

/// Angles between teacher and features (rad).
const ANGLES: [f64; 4] = [0.0, 0.4, 0.8, 1.2];

/// Runs the command.
pub fn run(args: &Args, quiet: bool) -> Result<ExitCode> {
    let plots = args.out.join("plots");
    make_folder(&plots)?;
    let figures = FIGURES.iter().flat_map(|name| {
        let [light, dark] = svg_names(name);
        [light, dark, format!("{name}.png")]
    });
    check_ours(&plots, figures.chain(["phase-certified.csv".into(), "README.md".into()]), args.force)?;
    check_ours(&args.out, ["report.html".into()], args.force)?;

    let plans = plans(args.seeds)?;
    let cells: usize = plans.all().map(|plan| plan.grid().cells()).sum();
    let bar = progress_bar(cells as u64, quiet || args.json);
    let rank_one = records(&plans.rank_one, &bar);
    let random = records(&plans.random, &bar);
    let digits = records(&plans.digits, &bar);
    let all_digits = records(&plans.all_digits, &bar);
    let teachers: Vec<Vec<Record>> = plans.teachers.iter().map(|plan| records(plan, &bar)).collect();
    let entropy: Vec<Vec<Record>> = plans.entropy.iter().map(|plan| records(plan, &bar)).collect();
    bar.finish_and_clear();
    let all = [&rank_one, &random, &digits, &all_digits].into_iter().chain(&teachers).chain(&entropy);
    let counts = Counts::of(all.flatten());

    let mut rows = summarize("rank-one law", &rank_one, false);
    let name = format!("random problems ({} seeds)", args.seeds);
    rows.extend(summarize(&name, &random, false));
    rows.extend(summarize(&format!("{name}, held out"), &random, true));
    rows.extend(summarize("digits, 40 images", &digits, false));
    rows.extend(summarize("digits, 40 images, held out", &digits, true));
    rows.extend(summarize("digits, 598 images (h < N)", &all_digits, false));
    for (records, (end, ..)) in entropy.iter().zip(ENDS) {
        rows.extend(summarize(&format!("digits, 40 images, cross-entropy, {end}"), records, false));
    }

    let norms = [Norms::of(plans.random.config())?, Norms::of(plans.digits.config())?];
    let theorems = Theorems::check();
    let known = theorems.rows();
    let maps = &theorems.certificates.maps;
    let entries = entries(&random, &digits, &entropy, &teachers, &norms, maps)?;
    debug_assert!(entries.iter().map(|entry| entry.name).eq(FIGURES));
    for entry in &entries {
        let figure = entry.figure.as_ref();
        save_svgs(figure, &plots, entry.name)?;
        if cfg!(feature = "png") {
            save(figure, Theme::Light, plots.join(entry.name), Format::Png)?;
        }
    }
    write(&plots.join("phase-certified.csv"), certify::csv(maps).as_bytes())?;
    write(&plots.join("README.md"), index(&entries, &rows, &known).as_bytes())?;
    let report = args.out.join("report.html");
    let page = Report { rows: &rows, theorems: &known, entries: &entries, counts: summary(&counts) };
    write(&report, page.html().as_bytes())?;

    if args.json {
        say::line(summary_json(&rows, &counts))?;
    } else {
        let holding = known.iter().filter(|row| row.holds).count();
        say::print(format_args!(
            "{}{holding} of {} theorems hold\n{}\nfigures: {}   report: {}\n",
            table(&rows),
            known.len(),
            summary(&counts),
            plots.display(),
            report.display()
        ))?;
    }
    let code = report_of(&counts);
    Ok(if known.iter().all(|row| row.holds) { code } else { ExitCode::from(1) })
}

/// All sweeps of the command.
struct Plans {
    rank_one: Plan,
    random: Plan,
    digits: Plan,
    all_digits: Plan,
    teachers: Vec<Plan>,
    /// The digits under cross-entropy, one for each of [`ENDS`].
    entropy: Vec<Plan>,
}

impl Plans {
    fn all(&self) -> impl Iterator<Item = &Plan> {
        [&self.rank_one, &self.random, &self.digits, &self.all_digits]
            .into_iter()
            .chain(&self.teachers)
            .chain(&self.entropy)
    }
}

fn plans(seeds: u64) -> Result<Plans> {
    let target = LAW.target;
    let along = target * (1.0 - LAW.reach);
    let mut rank_one = Config::new(TaskSpec::RankOne(RankOneTask { target, across: LAW.across, along }));
    rank_one.probe.points = Some(401);

    let mut random = Config::new(TaskSpec::Gaussian(Gaussian { held_out: 32, ..Gaussian::default() }));
    random.heads.seeds = seeds;
    random.probe.points = Some(25);

    let mut digits = Config::new(TaskSpec::Digits(DigitsTransfer::default()));
    digits.heads.seeds = FEW_SEEDS;
    digits.times = vec![PRACTICAL_TIME, f64::INFINITY];
    digits.probe.points = Some(17);
    let all = DigitsTransfer { samples: 598, width: 16, ..DigitsTransfer::default() };
    let mut all_digits = Config::new(TaskSpec::Digits(all));
    all_digits.heads.seeds = FEW_SEEDS;
    all_digits.probe.points = Some(13);

    let mut times = vec![0.0];
    times.extend(log_steps(1e-3, 1.0, 20));
    times.push(f64::INFINITY);
    let teacher = |angle| {
        let mut config = Config::new(TaskSpec::Gaussian(Gaussian::teacher(angle)));
        config.heads.seeds = FEW_SEEDS;
        config.heads.scales = vec![0.5];
        config.probe.times = Some(times.clone());
        Plan::new(config)
    };
    let entropy = |(_, until, time): (&str, Until, f64)| {
        let mut config = Config::new(TaskSpec::Digits(DigitsTransfer::default()));
        config.loss = Loss::CrossEntropy;
        config.heads.seeds = FEW_SEEDS;
        config.probe.points = Some(16);
        match until {
            Until::Loss(level) => config.until_loss = Some(level),
            Until::Accuracy(share) => config.until_accuracy = Some(share),
            _ => {}
        }
        config.times = vec![time];
        Plan::new(config)
    };
    Ok(Plans {
        rank_one: Plan::new(rank_one)?,
        random: Plan::new(random)?,
        digits: Plan::new(digits)?,
        all_digits: Plan::new(all_digits)?,
        teachers: ANGLES.into_iter().map(teacher).collect::<Result<_, _>>()?,
        entropy: ENDS.into_iter().map(entropy).collect::<Result<_, _>>()?,
    })
}

fn records(plan: &Plan, bar: &ProgressBar) -> Vec<Record> {
    let tasks = |seed| Task::new(&plan.config().problem, seed).map(Arc::new);
    plan.run(&tasks, &Watched { journal: &(), bar, unit: 1 })
}

fn entries(
    random: &[Record],
    digits: &[Record],
    entropy: &[Vec<Record>],
    teachers: &[Vec<Record>],
    [random_norms, digits_norms]: &[Norms; 2],
    maps: &[Map],
) -> Result<Vec<Entry>> {
    let practical: Vec<Record> =
        digits.iter().filter(|r| r.cell.time == PRACTICAL_TIME).cloned().collect();
    let entry = |title: &'static str, caption: &'static str, figure: Box<dyn Figure>| Entry {
        title,
        name: figure.name(),
        caption,
        figure,
    };
    let in_time = Task::new(&TaskSpec::Gaussian(Gaussian::default()), 0)?;
    let in_time = Run::new(&in_time.problem, &in_time.initial_head(0, 1.0), 0.0)
        .and_then(|run| single::in_time(&run, &[0.25, 0.5, 1.0]))?;
    let smoothed = Task::new(&TaskSpec::Digits(DigitsTransfer::default()), 0)?;
    let smoothed =
        single::smoothing(&smoothed.problem, &smoothed.initial_head(0, 1.0), &[0.0, 0.2, 0.4, 0.6])?;
    let both = [
        Set::new("random problems, 10–90 %", random, random_norms),
        Set::new("digits, 40 images", digits, digits_norms),
    ];
    let at_ends: Vec<Set> = entropy
        .iter()
        .zip(ENDS)
        .map(|(records, (name, ..))| Set::new(name, records, digits_norms))
        .collect();
    Ok(vec![
        entry(
            "The trend",
            "Each panel shows one metric against the energy that is left when finetuning starts, as a share of the \
             largest. Distances rise with energy. The dot product and the norm rise, then may fall: the norm of the \
             rank-one law peaks exactly at E = y (T9), the dot product before it (T12). Distances and norms are in units \
             of the mean feature norm before finetuning, dot products in units of the mean squared norm.",
            Box::new(units::trend(&both, Some(LAW))),
        ),
        Entry {
            name: "trend-cross-entropy",
            ..entry(
                "The trend under cross-entropy",
                "The digits transfer under cross-entropy, where finetuning has no end (T25): runs are compared at the same \
                 training loss, at the same time, or where the last training sample turns right (median and 10–90 % of three \
                 seeds). Units are those of the figure above. How often each law was seen on random classifiers: O4 in \
                 `taskhead verify`.",
                Box::new(units::trend(&at_ends, None)),
            )
        },
        entry(
            "The path of the feature",
            "One sample with target y = 1.5. The feature starts at z₀ and moves on a hyperbola in the plane of z₀ and the \
             head. Probing moves the head towards the target, from right to left in energy: the more energy is left, the \
             further the feature goes (T7).",
            Box::new(theory::hyperbolas(1.5, 0.8, &[0.25, 0.75, 1.5, 2.25, 3.0])?),
        ),
        entry(
            "In time",
            "A random problem from three energies: the residual decays, the features move, and the loss is spent by the \
             backbone and by the head, whose shares add up to all of it (T6).",
            Box::new(in_time),
        ),
        entry(
            "Closed form against flow",
            "Relative error of the numerical flow against the rank-one closed form, for four tolerances.",
            Box::new(theory::agreement()?),
        ),
        entry(
            "Energy and head norm",
            "The same energy moves the features differently under heads of different norm: rank-one limits for y = 1.5 (O3).",
            Box::new(theory::heat_map(1.5)),
        ),
        entry(
            "Where the laws end",
            "Beyond E = y the head points against the feature. The cosine and norm laws go on there for ever; the distance \
             law and the fall of the dot product end (T13). Proved by interval arithmetic for every real point of each \
             area: on the left for all energies from y to 2y at once, then at two targets y. The line is the exact boundary at \
             E = 2y. Below y = 1.25 the distance law fails first between y and 2y. The areas are in phase-certified.csv.",
            Box::new(theory::phase(maps)),
        ),
        entry(
            "Beyond one sample",
            "Where the trend fails beyond one sample: the smallest examples by their numbers in the table below. Of 1 to 4 the \
             distance should fall with the probing time, of 5 and 6 with the head rate; it rises between the two marks. In 7 and 8 \
             the Frobenius distance falls, and a mean over the samples rises.",
            Box::new(beyond()?),
        ),
        entry(
            "What holds beyond one sample",
            "T27: with a frozen head (γ = 0) the distance rises with the energy for any data; in the first example above it \
             does not for γ = 1. T23: under the logistic loss, where training stops at a given prediction, the norm peaks at \
             e = ½. T28: what the dot product gains for each unit of energy, with the formula for E → 0 as a point, is \
             positive if u₁ is an eigenvector of K. T30: a faster head moves the feature less.",
            Box::new(laws()?),
        ),
        entry(
            "What it means downstream",
            "Risk after finetuning against probing time, for linear teachers at an angle φ to what the features contain (mean \
             of three seeds). Features that contain the target want long probing; a poor match wants an early stop (O2).",
            Box::new(risk(teachers)),
        ),
        entry(
            "Label smoothing",
            "Digits 5–9: probing towards smoothed labels leaves an energy floor, which grows with ε (T21).",
            Box::new(smoothed),
        ),
        entry(
            "Digits transfer",
            "A linear backbone pretrained on the digits 0–4 is finetuned on 40 images of 5–9 until t = 0.3 (median and 10–90 % of \
             three seeds). Probing to convergence leaves little energy, and the head alone overfits; a moderate energy is enough \
             for the features to adapt.",
            Box::new(
                stored::accuracies(&practical, &Metric::MEANS)
                    .context("the digits sweep has no accuracies")?,
            ),
        ),
    ])
}

fn risk(teachers: &[Vec<Record>]) -> Risk {
    let series = teachers
        .iter()
        .zip(ANGLES)
        .map(|(records, angle)| stored::risk_curve(&format!("φ = {angle} rad"), &curves(records)));
    Risk {
        x_label: "probing time τ (1 / head rate)".into(),
        y_label: "downstream risk E|f(x) − y|²".into(),
        curves: series.collect(),
    }
}

fn verdict(row: &Row) -> &'static str {
    if row.holds() { "holds" } else { "does not hold everywhere" }
}

fn table(rows: &[Row]) -> String {
    let width = |of: fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let source = width(|r| r.source.chars().count());
    let mut text = String::new();
    let mut last = "";
    for row in rows {
        let shown = if row.source == last { "" } else { &row.source };
        last = &row.source;
        text += &format!(
            "{shown:<source$}  {:<18}  {:<20}  {:<24}  {}\n",
            row.metric.title(),
            row.claim(),
            verdict(row),
            row.finding()
        );
    }
    text
}

fn summary_json(rows: &[Row], counts: &Counts) -> serde_json::Value {
    let rows: Vec<_> = rows
        .iter()
        .map(|r| {
            json!({
                "source": r.source,
                "metric": r.metric.name(),
                "claim": r.claim(),
                "holds": r.holds(),
                "agree": r.agree.0,
                "curves": r.agree.1,
                "peak": r.peaks.map(|[low, median, high]| json!({"low": low, "median": median, "high": high})),
            })
        })
        .collect();
    json!({"rows": rows, "cells": counts.cells, "failed": counts.failed, "stopped": counts.stopped})
}

/// What is said of the figure of a real network, which `scripts/replay-gallery` draws.
const REAL_NETWORKS: &str = "A small CNN, pretrained on five classes of Fashion-MNIST and finetuned on the other five \
    (`taskhead replay fashion`): the mean of three seeds and their range, with the held-out accuracy. More networks, how long \
    they take and what was seen: [replay](replay/README.md).";

/// A figure of the gallery with its text.
fn section(title: &str, name: &str, text: &str) -> String {
    format!(
        "\n## {title}\n\n<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"{name}-dark.svg\">\
         <img alt=\"{title}\" src=\"{name}.svg\"></picture>\n\n{text}\n"
    )
}

/// The longest line of prose.
const WIDTH: usize = 120;

/// Text whose lines of prose, which are no tables, titles or pictures, are broken at spaces.
fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with(['|', '<', '#']) {
            lines.push(line.to_owned());
            continue;
        }
        let mut words = line.split(' ');
        lines.push(words.next().unwrap_or_default().to_owned());
        for word in words {
            let last = lines.last_mut().expect("there is a line");
            if last.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(word.to_owned());
            } else {
                *last += " ";
                *last += word;
            }
        }
    }
    lines.join("\n") + "\n"
}

/// The index of the gallery.
fn index(entries: &[Entry], rows: &[Row], theorems: &[theorems::Row]) -> String {
    let mut text =
        "# Gallery\n\nEvery figure is written by `taskhead reproduce`, for light and dark pages. Real networks: [replay](replay/README.md). The solver against others: [solver](solver/README.md).\n"
            .to_owned();
    for entry in entries {
        text += &section(entry.title, entry.name, entry.caption);
    }
    text += &section("Real networks", "replay/fashion", REAL_NETWORKS);
    text += "\n## Does the trend hold?\n\n| where | metric | claim | | seen |\n|---|---|---|---|---|\n";
    for row in rows {
        text += &format!(
            "| {} | {} | {} | {} | {} |\n",
            row.source,
            row.metric.title(),
            row.claim(),
            verdict(row),
            row.finding()
        );
    }
    text += &hypotheses::section();
    text += "\n## The theorems\n\nStatements: `taskhead verify --list`. More cases: `taskhead verify`. The certificates: \
             `taskhead verify --certify`. The proofs: [proofs](../proofs/README.md).\n\n";
    text += &theorems::markdown(theorems);
    wrapped(&text)
}
