//! `taskhead advise`: how long to probe the head of exported features, and the heads themselves.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::failure::stopped_early;
use super::goal::Goal;
use super::json::{adaptation, number};
use super::plot::{Format, check_ours, save};
use super::progress::Line;
use super::threads::use_threads;
use super::{input, say};
use crate::choices::choice;
use taskhead::advise::{Advice, Row, Settings, Verdict, advise};
use taskhead::loss::Loss;
use taskhead::probing::practice::Optimiser;
use taskhead::simulation::Until;
use taskhead::tasks::Task;
use taskhead_figures::gallery::advice::advice as figure;
use taskhead_figures::plot::Theme;
use taskhead_files::{Note, check_apart, check_output, write_layer};

/// Flags of the command.
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
#[command(
    after_help = "FEATURES holds `features` N×h with `labels` (N integers or strings) or `targets` N×k; if wanted \
    `kernel` N×N, the tangent kernel of the backbone. Held out, if wanted: `probe_features` P×h with `probe_labels` or \
    `probe_targets`, and with a kernel `probe_kernel` P×N; otherwise samples are held out fold by fold.\n\nExamples:\n  \
    taskhead advise features.npz\n  \
    taskhead advise features.npz --rate 0.1 --batch 64 --heads heads --figure advice.svg",
    // Here a level that is never met is not an error.
    mut_arg("until_loss", |arg| arg.help(
        "Stop finetuning where the mean training loss has fallen to this, if it ever does [default for cross-entropy \
        without --time: 0.05]"
    )),
    mut_arg("until_accuracy", |arg| arg.help(
        "Stop finetuning where this share of the training samples is predicted right, if it ever is"
    ))
)]
pub struct Args {
    /// The features: .npz, .safetensors, or a folder of .npy.
    features: PathBuf,
    /// The loss that probing and finetuning lower [default: cross-entropy for labels, squared for other targets].
    #[arg(long, value_parser = choice::<Loss>())]
    loss: Option<Loss>,
    /// Probing times to compare, from full probing to none.
    #[arg(long, value_name = "COUNT", default_value_t = Settings::default().points,
          value_parser = super::whole::<usize>(2..))]
    points: usize,
    /// Initial heads for each fold.
    #[arg(long, value_name = "COUNT", default_value_t = Settings::default().seeds,
          value_parser = super::whole::<usize>(1..))]
    seeds: usize,
    /// The first seed.
    #[arg(long, default_value_t = 0, value_parser = super::whole::<u64>(0..))]
    seed: u64,
    /// Folds, where FEATURES has no held-out targets.
    #[arg(long, value_name = "COUNT", default_value_t = Settings::default().folds,
          value_parser = super::whole::<usize>(2..))]
    folds: usize,
    /// Deviation of the entries of the initial head, times the root of the width; a linear layer of PyTorch has 0.577.
    #[arg(long, value_name = "SCALE", default_value_t = Settings::default().head_scale, value_parser = super::amount)]
    head_scale: f64,
    /// Learning rate of the head over that of the backbone, in finetuning.
    #[arg(long, value_name = "GAMMA", default_value_t = 1.0, value_parser = super::amount)]
    head_rate: f64,
    /// Finetuning time.
    #[arg(long, value_name = "T", default_value = "inf", value_parser = super::time)]
    time: f64,
    #[command(flatten)]
    goal: Goal,
    /// Your learning rate for probing by mini-batches: probing times are shown as epochs.
    #[arg(long, value_name = "RATE", value_parser = super::amount, requires = "batch")]
    rate: Option<f64>,
    /// Your batch.
    #[arg(long, value_name = "COUNT", requires = "rate", value_parser = super::whole::<usize>(1..))]
    batch: Option<usize>,
    /// Your momentum.
    #[arg(long, value_name = "M", default_value_t = 0.0, value_parser = super::amount, requires = "rate")]
    momentum: f64,
    /// Find the strength C of a penalised head with the same training loss: that of scikit-learn's
    /// LogisticRegression, but that the intercept is penalised, too.
    #[arg(long)]
    strengths: bool,
    /// Bring features to mean 0 and deviation 1 first; heads are for the features as given all the same.
    #[arg(long)]
    standardise: bool,
    /// Leave out the constant column, and with it the bias.
    #[arg(long)]
    no_intercept: bool,
    /// Relative tolerance of the solver.
    #[arg(long, default_value_t = Settings::default().rtol, value_parser = super::real)]
    rtol: f64,
    /// Stop probing and finetuning with an error (exit code 1) after this many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = super::amount)]
    max_time: Option<f64>,
    /// Threads [default: all cores].
    #[arg(long, value_name = "COUNT", value_parser = super::threads)]
    threads: Option<usize>,
    #[command(flatten)]
    reading: input::Reading,
    /// Write the probed heads to this folder, which must be new or empty: `best.safetensors` and one file a row, each
    /// with `weight` k×h and `bias` k, as `load_state_dict` of a linear layer takes them.
    #[arg(long, value_name = "FOLDER")]
    heads: Option<PathBuf>,
    /// Draw the comparison to this .svg or .png.
    #[arg(long, value_name = "FILE")]
    figure: Option<PathBuf>,
    /// Replace the figure if it is there, whatever it is. Without this only a figure of this program is replaced.
    #[arg(long, requires = "figure")]
    force: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args, quiet: bool) -> Result<ExitCode> {
    use_threads(args.threads)?;
    let format = args.figure.as_deref().map(|path| format_of(path, args.force)).transpose()?;
    if let Some(folder) = &args.heads
        && folder.exists()
        && std::fs::read_dir(folder)
            .with_context(|| format!("--heads {} is not a folder", folder.display()))?
            .next()
            .is_some()
    {
        bail!("--heads {}: the folder is not empty; accepted: a new or an empty one", folder.display());
    }
    let line = Line::new(quiet, args.max_time);
    line.say(&format!("reading {}", args.features.display()));
    let threads = rayon::current_num_threads();
    let file = args.reading.problem(&args.features, threads, "advice on")?;
    check_apart(&args.figure, &file.files)?;
    // Heads are drawn here whether the file has one or not, and a missing kernel is mentioned below.
    let said = |note: &&Note| !matches!(note, Note::NoHead | Note::NoKernel);
    let notes: Vec<Note> = file.notes.iter().filter(said).cloned().collect();
    let notes = line.bar.suspend(|| input::print(&notes, quiet));
    let class_names = file.class_names;
    let task = Task::of_problem(file.problem, file.head, file.held_out_targets);
    let settings = settings(args, &task, &line);
    line.say("finetuning from every head");
    let advice = advise(&task, &settings).map_err(|error| {
        let error = anyhow::Error::from(error);
        match args.max_time {
            Some(seconds) if stopped_early(&error) && line.is_over() => {
                error.context(format!("--max-time {seconds} was not enough"))
            }
            _ => error,
        }
    })?;
    line.bar.finish_and_clear();
    if let Some(folder) = &args.heads {
        write_heads(&advice, folder)?;
    }
    if let (Some(path), Some(format)) = (&args.figure, format) {
        save(&figure(&advice), Theme::Light, path.clone(), format)?;
    }
    if args.json {
        let mut json = to_json(&advice, settings.loss);
        json["classes"] = json!(class_names);
        json["notes"] = json!(notes);
        say::line(json)?;
    } else {
        say::print(to_text(&advice))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn settings(args: &Args, task: &Task, line: &Line) -> Settings {
    let settings = Settings::of_task(task, args.loss);
    let without_goal = if args.time < f64::INFINITY { Until::Time } else { settings.until };
    let until = args.goal.until().unwrap_or(without_goal);
    Settings {
        points: args.points,
        seeds: args.seeds,
        seed: args.seed,
        folds: args.folds,
        head_scale: args.head_scale,
        head_rate: args.head_rate,
        time: args.time,
        until,
        rtol: args.rtol,
        intercept: !args.no_intercept,
        standardise: args.standardise,
        optimiser: args.rate.zip(args.batch).map(|(rate, batch)| Optimiser {
            rate,
            batch,
            momentum: args.momentum,
        }),
        strengths: args.strengths,
        watch: line.watch(),
        ..settings
    }
}

fn format_of(path: &Path, force: bool) -> Result<Format> {
    check_output(path, &["svg", "png"])?;
    let (folder, name) = (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default());
    check_ours(folder, [name.to_string_lossy().into_owned()], force)?;
    let png = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    if png && cfg!(not(feature = "png")) {
        bail!("--figure {}: this build draws SVG only; the feature `png` brings PNG", path.display());
    }
    Ok(if png { Format::Png } else { Format::Svg })
}

/// All heads, or no file at all: a run that was cut short must not pass for advice.
fn write_heads(advice: &Advice, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{}: the folder cannot be made", folder.display()))?;
    let rows = advice.rows.iter().enumerate();
    let named = rows.map(|(i, row)| (format!("{i:02}-share-{:.3}.safetensors", row.share), row));
    let mut written = Vec::new();
    for (name, row) in named.chain([("best.safetensors".into(), &advice.rows[advice.best])]) {
        let path = folder.join(name);
        if let Err(error) = write_layer(&path, &row.weight, &row.bias) {
            for path in written {
                let _ = std::fs::remove_file(path);
            }
            return Err(error.into());
        }
        written.push(path);
    }
    Ok(())
}

fn to_json(advice: &Advice, loss: Loss) -> Value {
    let row = |row: &Row| {
        json!({
            "share": number(row.share),
            "probe_time": number(row.probe_time),
            "epochs": row.epochs.map(number),
            "strength": row.strength.map(number),
            "energy": number(row.energy),
            "accuracy": row.accuracy.map(number),
            "head_norm": number(row.head_norm),
            "adaptation": adaptation(&row.adaptation),
            "probe_score": { "probed": number(row.probed), "finetuned": number(row.score) },
            "probe_risk": number(row.risk),
            "over_seeds": number(row.over_seeds),
            "over_folds": number(row.over_folds),
            "unmet": row.unmet,
            "behind": { "mean": number(row.behind.mean), "error": number(row.behind.error) },
        })
    };
    json!({
        "loss": loss.name(),
        "score": if advice.counts { "accuracy" } else { "negative loss" },
        "held_out": advice.held_out,
        "rows": advice.rows.iter().map(row).collect::<Vec<_>>(),
        "best": advice.best,
        "matters": advice.verdict == Verdict::Matters,
        "reason": advice.reason,
        "assumptions": advice.assumptions,
    })
}

fn to_text(advice: &Advice) -> String {
    let optional = |value: Option<f64>, digits: usize| match value {
        Some(value) => format!("{value:.digits$}"),
        None => "-".into(),
    };
    let time = |value: f64| if value.is_finite() { format!("{value:.3e}") } else { "inf".into() };
    let with_epochs = advice.rows.iter().any(|row| row.epochs.is_some());
    let with_strengths = advice.rows.iter().any(|row| row.strength.is_some());
    let score = if advice.counts { "held out" } else { "-loss" };
    let mut head = vec!["share", "tau"];
    head.extend(with_epochs.then_some("epochs"));
    head.extend(with_strengths.then_some("C"));
    head.extend(["AIE", "training", "|V|", "distance", "cosine", "probed", score, "behind"]);
    let mut table = vec![head.into_iter().map(String::from).collect::<Vec<_>>()];
    for (i, row) in advice.rows.iter().enumerate() {
        let mut line = vec![format!("{}{:.2}", if i == advice.best { "> " } else { "" }, row.share)];
        line.push(time(row.probe_time));
        line.extend(
            row.epochs
                .filter(|_| with_epochs)
                .map(|epochs| if epochs.is_finite() { format!("{epochs:.1}") } else { "inf".into() }),
        );
        line.extend(with_strengths.then(|| row.strength.map_or("-".into(), |c| format!("{c:.2e}"))));
        line.push(format!("{:.4}", row.energy));
        line.push(optional(row.accuracy, 3));
        line.push(format!("{:.3}", row.head_norm));
        line.push(format!("{:.4}", row.adaptation.euclidean));
        line.push(format!("{:.4}", row.adaptation.cosine));
        line.push(format!("{:.4}", row.probed));
        line.push(format!("{:.4}", row.score));
        line.push(if i == advice.best {
            "-".into()
        } else {
            format!("{:.4} ± {:.4}", row.behind.mean, row.behind.error)
        });
        table.push(line);
    }
    let columns = table[0].len();
    let width = |c: usize| table.iter().map(|line| line[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = format!("{}\n\n", advice.reason);
    for line in &table {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        text += &format!("{}\n", cells.join("  ").trim_end());
    }
    let what = if advice.counts { "accuracy" } else { "loss, turned round," };
    text += &format!(
        "\nshare: of the energy that probing leaves. probed, {score}: {what} of {} held-out samples before and after \
         finetuning.\nbehind: the recommended row minus this one, with its standard error over the same samples.\n",
        advice.held_out
    );
    for assumption in &advice.assumptions {
        text += &format!("- {assumption}\n");
    }
    text
}
