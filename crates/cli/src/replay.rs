//! `taskhead replay`: the sweep on a real network, stored and drawn like a sweep of the theory.

mod json;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::curves::{Curves, set};
use super::earlier::Earlier;
use super::outcome::{
    Split, Watched, check_cells, make_folder, output, progress_bar, report, warn, write,
};
use super::plot::{check_ours, save_svgs, svg_names};
use super::say;
use super::slurm;
use super::threads::use_threads;
use crate::choices::choice;
use taskhead::analysis::comparison::comparison;
use taskhead::analysis::findings::findings;
use taskhead::analysis::nearness::{Ground, Grounds, KernelChange, Nearness, kernel_changes, nearness};
use taskhead::analysis::optimum::optima;
use taskhead::counted;
use taskhead::metric::Metric;
use taskhead::sweep::config::ConfigError;
use taskhead::sweep::record::Counts;
use taskhead::sweep::{Part, Shard, Sweep};
use taskhead_figures::gallery::course::course;
use taskhead_figures::gallery::overlay::overlay;
use taskhead_figures::gallery::transfer::transfer;
use taskhead_figures::plot::Figure;
use taskhead_files::{
    SweepFiles, check_replaceable, digest, read_configuration, with_suffix, write_csv, write_parquet,
};
use taskhead_replay::config::{
    Architecture, Backbone, Class, Config, Data, Dynamics, Experiment, Files, Kernel, Loss, MAX_ATOMS,
    MAX_SIDE, Precision, SETTINGS, Source, Table, Theory,
};
use taskhead_replay::{self as replay, Overlay, Replay, device};

/// Flags of the command.
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
#[command(
    after_help = "Flags change what the setting or the configuration file says; --print-config shows the outcome as \
    TOML. Times count epochs, but for `linear`, where they are times of the flow.\n\nExamples:\n  \
    taskhead replay digits\n  \
    taskhead replay digits --experiment smoothing --out smoothing\n  \
    taskhead replay digits --experiment table --out table\n  \
    taskhead replay digits --loss squared --samples 80 --theory\n  \
    taskhead replay fashion --seeds 5\n  \
    taskhead replay segmentation\n  \
    taskhead replay segmentation --data VOC2012 --side 64 --classes cat,dog --out pets\n  \
    taskhead replay digits --source none --out random-backbone\n  \
    taskhead replay molecules\n  \
    taskhead replay molecules --data tox21.csv --source-label NR-AhR --label SR-MMP --out toxicity\n  \
    taskhead replay linear --times 1,10 --rate 0.0005"
)]
pub struct Args {
    /// linear, digits, digits-cnn, fashion, images, segmentation, molecules, or the path of a TOML configuration.
    #[arg(default_value = "digits")]
    setting: String,
    /// A ready experiment on one of the paper's practical options, or on all of them, one at a time (table).
    #[arg(long, value_parser = choice::<Experiment>())]
    experiment: Option<Experiment>,
    /// Folder of the data: train/CLASS and test/CLASS (or val/CLASS) with images; IDX files of MNIST and its like (one
    /// set among several: FOLDER/emnist-letters); CIFAR-10's or CIFAR-100's binary files; or an .npz file of MedMNIST.
    /// For segmentation: images/ and masks/ with the same names but for their endings (PNG masks with a palette or of
    /// grey, whose values are labels; 0 is the background), or the layout of Pascal VOC. For molecules: a CSV file
    /// (comma, semicolon or tab; also .gz) with a column of SMILES and columns of labels, which may be missing.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Column of the downstream labels of molecules.
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// Column of the source task's labels, if it is another one. No molecule is in both tasks.
    #[arg(long, value_name = "COLUMN")]
    source_label: Option<String>,
    /// Column of SMILES [default: the one named smiles].
    #[arg(long, value_name = "COLUMN")]
    smiles: Option<String>,
    /// The most atoms but hydrogen of a molecule of --data; larger ones are skipped [default: 64].
    #[arg(long, value_name = "N", value_parser = super::whole::<usize>(2..=MAX_ATOMS as u64))]
    atoms: Option<usize>,
    /// Folder of the source task's data, if it is another one; its images must have the same shape. Then all
    /// classes of both folders are taken, unless said otherwise. With the digits they are brought to 8×8 grey pixels.
    /// Of molecules another table.
    #[arg(long, value_name = "FOLDER")]
    source_data: Option<PathBuf>,
    /// Folder of other images of the same classes, whose held-out ones become the test images: a shifted test set.
    /// Validation images stay those of the data. Other shapes are brought to that of the data.
    #[arg(long, value_name = "FOLDER")]
    shifted_data: Option<PathBuf>,
    /// Share of the finetuning labels that are replaced by another class, drawn evenly.
    #[arg(long, value_name = "SHARE", value_parser = super::real)]
    label_noise: Option<f64>,
    /// Classes of the source task: labels, or names of folders (of masks: beside the background, and without any the
    /// first half of them).
    #[arg(long, value_delimiter = ',', value_name = "CLASSES")]
    source_classes: Option<Vec<Class>>,
    /// Classes of the downstream task: labels, or names of folders.
    #[arg(long, value_delimiter = ',', value_name = "CLASSES")]
    classes: Option<Vec<Class>>,
    /// Height and width that image files (of train/CLASS and test/CLASS, or with masks) are brought to, whatever their
    /// proportions.
    #[arg(long, value_name = "PIXELS", value_parser = super::whole::<u32>(1..=u64::from(MAX_SIDE)))]
    side: Option<u32>,
    /// The label of masks for pixels that have none [default: 255 for Pascal VOC, else none].
    #[arg(long, value_name = "LABEL", value_parser = super::whole::<u16>(0..))]
    ignore: Option<u16>,
    /// What is subtracted from pixels between 0 and 1: one number, or one for each channel.
    #[arg(long, value_delimiter = ',', value_name = "NUMBERS", value_parser = super::real)]
    mean: Option<Vec<f64>>,
    /// What they are then divided by. Weights that were trained elsewhere want what they were trained with.
    #[arg(long, value_delimiter = ',', value_name = "NUMBERS", value_parser = super::real)]
    std: Option<Vec<f64>>,
    /// auto, cpu, cuda:N or metal.
    #[arg(long, default_value = "auto")]
    device: String,
    /// Precision of the numbers.
    #[arg(long, value_parser = choice::<Precision>())]
    dtype: Option<Precision>,
    /// What is minimised.
    #[arg(long, value_parser = choice::<Loss>())]
    loss: Option<Loss>,
    /// What the backbone is pretrained on.
    #[arg(long, value_parser = choice::<Source>())]
    source: Option<Source>,
    /// Take the backbone from this .safetensors file instead.
    #[arg(long, value_name = "FILE")]
    weights: Option<String>,
    /// Downstream training samples, drawn by the seed.
    #[arg(long, value_name = "N", value_parser = super::whole::<usize>(1..))]
    samples: Option<usize>,
    /// Kind of backbone.
    #[arg(long, value_parser = choice::<Architecture>())]
    backbone: Option<Architecture>,
    /// Widths of the layers of an MLP backbone, or of a graph network (gin) for molecules.
    #[arg(long, conflicts_with = "backbone", value_delimiter = ',', value_name = "H",
          value_parser = super::whole::<usize>(1..))]
    widths: Option<Vec<usize>>,
    /// Width of a hidden layer of the head.
    #[arg(long, value_name = "WIDTH", value_parser = super::whole::<usize>(1..))]
    head_hidden: Option<usize>,
    /// How many layers at the end of the backbone are initialised anew and belong to the head.
    #[arg(long, value_name = "LAYERS", value_parser = super::whole::<usize>(0..))]
    head_blocks: Option<usize>,
    /// Learning rate of finetuning; for `linear` the step of probing too.
    #[arg(long, value_parser = super::real)]
    rate: Option<f64>,
    /// Momentum of finetuning.
    #[arg(long, value_parser = super::real)]
    momentum: Option<f64>,
    /// Samples of a batch of finetuning; 0 for all at once.
    #[arg(long, value_name = "N", value_parser = super::whole::<usize>(0..))]
    batch: Option<usize>,
    /// Held-out images of each task; of `linear` data the held-out inputs.
    #[arg(long, value_name = "N", value_parser = super::whole::<usize>(1..))]
    held_out: Option<usize>,
    /// One backbone for all seeds, pretrained (or drawn) with this seed. Without it each seed has its own.
    #[arg(long, value_name = "SEED", value_parser = super::whole::<u64>(0..))]
    backbone_seed: Option<u64>,
    /// Epochs of pretraining.
    #[arg(long, value_name = "EPOCHS", value_parser = super::real)]
    pretrain_epochs: Option<f64>,
    /// The time after which probing counts as converged.
    #[arg(long, value_name = "TIME", value_parser = super::real)]
    longest: Option<f64>,
    #[command(flatten)]
    curves: Curves,
    #[command(flatten)]
    split: Split,
    /// Finetuning times.
    #[arg(long, value_delimiter = ',', value_parser = super::amount)]
    times: Option<Vec<f64>>,
    /// Write OUT.parquet, OUT.csv and the figures into the folder OUT; OUT.partial.parquet is kept until then
    /// to go on after a stop.
    #[arg(long, value_name = "OUT", default_value = "replay", value_parser = output())]
    out: PathBuf,
    /// Replace whatever is there: a replay of another configuration or other input files, finished or interrupted, or
    /// any other file of the same name.
    #[arg(long)]
    force: bool,
    /// Folder of pretrained backbones [default: `backbones` beside OUT].
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// Cells that run at once (default: all cores). The result does not depend on it.
    #[arg(long, value_name = "COUNT", value_parser = super::threads)]
    threads: Option<usize>,
    /// Lay the theory over the network: the network that is linear in its weights, with these parts of the tangent
    /// kernel (default: all three, one after the other). A few hundred training samples at most.
    #[arg(long, value_name = "KERNELS", num_args = 0..=1, value_delimiter = ',',
          default_missing_values = ["mean", "directions", "full"],
          conflicts_with_all = ["shard", "slurm"], value_parser = choice::<Kernel>())]
    theory: Option<Vec<Kernel>>,
    /// How the theory's network learns: by the network's own steps, or by gradient flow for as long as they take, a
    /// step of size η with momentum μ on the mean loss of N samples being a time of η/((1 − μ)N).
    #[arg(long, requires = "theory", value_parser = choice::<Dynamics>(), default_value = "descent")]
    theory_dynamics: Dynamics,
    /// Print the configuration as TOML and stop.
    #[arg(long)]
    print_config: bool,
    /// Print a summary as JSON.
    #[arg(long)]
    json: bool,
}

/// Says that a backbone of the cache was not used.
fn warn_remade(path: &Path) {
    say::warning(format_args!(
        "{}: this is damaged or of an older build: it does not hold what its digest says, so that the backbone was \
         pretrained again",
        path.display()
    ));
}

/// Runs the command.
pub fn run(args: &Args, quiet: bool) -> Result<ExitCode> {
    let config = configuration(args)?;
    config.validate().map_err(with_flag)?;
    if args.theory.is_some() {
        config.admits_theory().map_err(anyhow::Error::msg)?;
    }
    if args.print_config {
        say::print(toml::to_string(&config)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(kernels) = &args.theory
        && let Some(twice) = (1..kernels.len()).find(|&i| kernels[..i].contains(&kernels[i]))
    {
        bail!("--theory names the kernel {} twice; accepted: each once", kernels[twice].title());
    }
    check_cells(config.cells())?;
    let part = args.split.shard.map(|shard| Part { shard, cells: config.cells() });
    let output = SweepFiles::new(&args.out, part)?;
    let tabled = config.one_at_a_time && part.is_none();
    if args.out.is_dir() && part.is_none() {
        let figures = ["transfer", "course", "theory"].iter().flat_map(|n| svg_names(n));
        let tables = table::NAMES.iter().filter(|_| tabled).map(|&name| name.to_owned());
        check_ours(&args.out, figures.chain(tables), args.force)?;
    }
    let (device, note) = device::open(&args.device)?;
    if let Some(note) = note {
        say::note(note);
    }
    use_threads(args.threads)?;
    let begun = Instant::now();
    let cache = args
        .cache
        .clone()
        .unwrap_or_else(|| args.out.parent().unwrap_or(Path::new("")).join("backbones"));
    let replay = Replay::new(config, device, Some(&cache))?;
    replay.notes().iter().for_each(say::note);
    let warned = replay.remade().inspect(|path| warn_remade(path)).count();
    if args.theory.is_some() {
        replay.admits_theory()?;
    }

    if let Some(tasks) = args.split.slurm {
        let identity = digest(replay.identity());
        replay.shard(Shard::last(tasks))?;
        output.check(identity, args.force)?;
        slurm::check_parts(&args.out, tasks, identity, args.force)?;
        slurm::run(&args.split, tasks, &args.out, args.threads.is_some(), args.force)?;
        return Ok(ExitCode::SUCCESS);
    }
    let replay = replay.shard(args.split.shard.unwrap_or_default())?;
    let size = replay.records_of_a_cell();
    let head = Sweep {
        config: toml::to_string(replay.config())?,
        version: env!("CARGO_PKG_VERSION").into(),
        identity: Some(digest(replay.identity())),
        records: Vec::new(),
    };
    // What is there of the same replay, with any number of seeds, is not computed again; of fewer seeds, it is
    // replaced.
    let finished = if part.is_some() || args.force { None } else { output.finished() };
    let finished = finished.filter(|sweep| {
        let same = |identity: &str| Some(digest(identity)) == sweep.identity;
        replay.continues(&sweep.config, same)
    });
    let earlier = Earlier::of(finished.as_ref(), size);
    let output = match finished {
        Some(Sweep { identity: Some(identity), records, .. }) if records.len() <= replay.records() => {
            output.superseding(identity)
        }
        _ => output,
    };
    let journal =
        output.journal(head.clone(), replay.records(), size, Duration::ZERO, args.force, warn)?;
    let theory = args.theory.clone().map(|kernels| Theory { kernels, dynamics: args.theory_dynamics });
    let theory_head = theory.as_ref().map(|theory| theory_head(&head, &replay, theory));
    if let (Some(head), false) = (&theory_head, args.force) {
        let identity = head.identity.expect("made above");
        check_replaceable(with_suffix(&args.out, "theory.parquet"), identity)?;
        check_replaceable(with_suffix(&args.out, "theory.csv"), identity)?;
    }
    let cells = replay.records() / size;
    let known = journal.count() / size + earlier.count(cells, size);
    let bar = progress_bar(cells as u64, quiet);
    bar.inc(known as u64);
    let watched = Watched { journal: &journal, bar: &bar, unit: size };
    let records = replay.run(&earlier.before(&watched));
    bar.finish_and_clear();
    replay.remade().skip(warned).for_each(warn_remade);
    let result = Sweep { records, ..head };
    write(&output, &result, journal)?;
    // A part has a part of each figure.
    let figures = if part.is_some() { Vec::new() } else { draw(&result, &args.out)? };

    let comparison =
        tabled.then(|| comparison(&result.records, |cell| replay.config().change(cell))).flatten();
    let of_methods = match &comparison {
        Some(all) => table::save(all, &args.out)?,
        None => Vec::new(),
    };
    if tabled && comparison.is_none() {
        say::warning("there is no table: some seed has no scores without probing");
    }
    // What is left of another run would be taken for that of this one.
    let theory_tables = ["theory.parquet", "theory.csv"].map(|end| with_suffix(&args.out, end));
    let method_tables = table::NAMES.map(|name| args.out.join(name));
    for (left, made, by) in [
        (theory_tables, args.theory.is_some(), "--theory"),
        (method_tables, comparison.is_some(), "--experiment table"),
    ] {
        if !made && part.is_none() && left.iter().any(|path| path.exists()) {
            let table = left[0].display();
            say::note(format_args!("{table} and what belongs to it are of an earlier run with {by}"));
        }
    }
    let (nearness, changes) = match (theory_head, theory) {
        (Some(head), Some(theory)) => lay_over(&replay, &result, head, &theory, &args.out, quiet)?,
        _ => (Vec::new(), Vec::new()),
    };
    let counts = Counts::of(&result.records);
    let findings = findings(&result.records);
    let optima = optima(&result.records);
    let worse = Replay::worse(&result.records);
    let (failed, stopped) = (counts.failed / size, counts.stopped / size);
    let names = |paths: &[PathBuf]| -> Vec<String> {
        paths.iter().map(|path| path.display().to_string()).collect()
    };
    let tables: Vec<String> = output.tables().map(|path| path.display().to_string()).collect();
    if args.json {
        let files = [tables, names(&of_methods), names(&figures)].concat();
        let seconds = begun.elapsed().as_secs_f64();
        let laws: Vec<_> = findings.iter().map(json::finding).collect();
        say::line(json!({
            "cells": cells, "known": known, "failed": failed, "stopped": stopped, "worse": worse, "seconds": seconds, "laws": laws, "files": files,
            "best": optima.iter().map(json::optimum).collect::<Vec<_>>(),
            "table": comparison.as_ref().map(table::as_json),
            "theory": nearness.iter().map(json::nearness).collect::<Vec<_>>(),
            "kernel_change": changes.iter().map(json::kernel_change).collect::<Vec<_>>(),
            "backbone": replay.backbone_file().map(|p| p.display().to_string()),
        }))?;
    } else {
        findings.iter().try_for_each(say::line)?;
        nearness.iter().try_for_each(say::line)?;
        changes.iter().try_for_each(say::line)?;
        optima.iter().try_for_each(say::line)?;
        comparison.iter().map(table::text).try_for_each(say::line)?;
        let seconds = begun.elapsed().as_secs_f64();
        say::line(format_args!("{}, {failed} failed, {seconds:.1} s", counted(cells, "cell")))?;
        if worse > 0 {
            let fit = if worse == 1 { "record fits" } else { "records fit" };
            say::line(format_args!(
                "{worse} {fit} the training samples worse than before finetuning; if it is not an early one, a smaller \
                 rate helps"
            ))?;
        }
        if !quiet {
            say::line(format_args!("records: {}", tables.join(" and ")))?;
            if !of_methods.is_empty() {
                say::line(format_args!("table: {}", names(&of_methods).join(" and ")))?;
            }
            if !figures.is_empty() {
                say::line(format_args!("figures: {}", args.out.display()))?;
            }
        }
    }
    Ok(report(&counts))
}

/// The sweep of the theory's records, without them.
fn theory_head(network: &Sweep, replay: &Replay, theory: &Theory) -> Sweep {
    let theory = toml::to_string(theory).expect("a theory is plain data");
    let says: String = theory.lines().map(|line| format!("# theory: {line}\n")).collect();
    let config = says + &network.config;
    let identity = format!("{theory}\ntheory of {}", replay.identity());
    Sweep { config, identity: Some(digest(identity)), ..network.clone() }
}

/// Flags of the keys of a configuration.
const FLAGS: [(&str, &str); 30] = [
    ("times", "--times"),
    ("seeds", "--seeds"),
    ("data.source", "--source-classes"),
    ("data.classes", "--classes"),
    ("data.samples", "--samples"),
    ("data.side", "--side"),
    ("data.mean", "--mean"),
    ("data.std", "--std"),
    ("backbone.widths", "--widths"),
    ("head.hidden", "--head-hidden"),
    ("head.blocks", "--head-blocks"),
    ("finetune.rate", "--rate"),
    ("rate", "--rate"),
    ("data.held-out", "--held-out"),
    ("label-noise", "--label-noise"),
    ("momentum", "--momentum"),
    ("batch", "--batch"),
    ("pretrain.epochs", "--pretrain-epochs"),
    ("probing.longest", "--longest"),
    ("backbone.kind = linear", "--backbone"),
    ("backbone.kind = encoder-decoder", "--backbone"),
    ("backbone.kind = gin", "--backbone"),
    ("data.file", "--data"),
    ("data.label", "--label"),
    ("data.atoms", "--atoms"),
    ("data.folder", "--data"),
    ("data.ignore", "--ignore"),
    ("data.shifted-folder", "--shifted-data"),
    ("one-at-a-time", "--experiment table"),
    ("probe", "--points"),
];

/// An error about a value of the configuration with the flag that sets it.
fn with_flag(error: ConfigError) -> anyhow::Error {
    let name = match &error {
        ConfigError::Setting(setting) => setting.name,
        ConfigError::Text { name, .. } | ConfigError::Empty { name } => name,
        ConfigError::Apart { second, .. } => second,
        _ => "",
    };
    match FLAGS.iter().find(|(key, _)| *key == name) {
        Some((_, flag)) => anyhow::anyhow!("{error} ({flag})"),
        None => error.into(),
    }
}

/// Draws adaptation and transfer against energy, and adaptation in time.
fn draw(result: &Sweep, folder: &Path) -> Result<Vec<PathBuf>> {
    make_folder(folder)?;
    let mut paths = Vec::new();
    if let Some(figure) = transfer(&result.records, &Metric::MEANS) {
        paths.extend(save_svgs(figure.as_ref(), folder, figure.name())?);
    }
    if let Some(figure) = course(&result.records, &Metric::MEANS) {
        paths.extend(save_svgs(&figure, folder, figure.name())?);
    }
    Ok(paths)
}

/// Runs the theory on the same cells, stores it beside the records and draws it over them.
fn lay_over(
    replay: &Replay,
    network: &Sweep,
    head: Sweep,
    theory: &Theory,
    out: &Path,
    quiet: bool,
) -> Result<(Vec<Nearness>, Vec<KernelChange>)> {
    let cells = network.records.len() / replay.records_of_a_cell();
    let bar = progress_bar(cells as u64, quiet);
    let Overlay { records, grounds } = replay.theory(&network.records, theory, &|| bar.inc(1))?;
    bar.finish_and_clear();
    let ground = |ground: replay::Ground| {
        let replay::Ground { number, start, kernel_change } = ground;
        (network.records[number as usize].cell.clone(), Ground { start, kernel_change })
    };
    let grounds: Grounds = grounds.into_iter().map(ground).collect();
    if let Some(figure) = overlay(&network.records, &records, &grounds) {
        save_svgs(figure.as_ref(), out, "theory")?;
    }
    let nearness = nearness(&network.records, &records, &grounds);
    let changes = kernel_changes(&network.records, &grounds);
    let result = Sweep { records, ..head };
    write_parquet(with_suffix(out, "theory.parquet"), &result)?;
    write_csv(with_suffix(out, "theory.csv"), &result)?;
    Ok((nearness, changes))
}

/// The configuration of setting or file, and flags.
fn configuration(args: &Args) -> Result<Config> {
    let mut config = match Config::preset(&args.setting) {
        Some(preset) => preset,
        None if Path::new(&args.setting).exists() => {
            let text = read_configuration(&args.setting)
                .with_context(|| format!("{}: the configuration cannot be read", args.setting))?;
            Config::parse(&text)
                .with_context(|| format!("{}: this is not a valid configuration", args.setting))?
        }
        None => bail!(
            "{} is no setting; accepted: {}, or the path of a TOML file",
            args.setting,
            SETTINGS.join(", ")
        ),
    };
    if let (Data::Scenes { .. }, Some(folder)) = (&config.data, &args.data) {
        config.data = Data::Masks(Files::of(folder));
    }
    if let (Data::Molecules { .. }, Some(file)) = (&config.data, &args.data) {
        config.data = Data::Table(Table::of(file, ""));
    }
    set(&mut config.dtype, args.dtype);
    set(&mut config.loss, args.loss);
    set(&mut config.times, args.times.clone());
    set(&mut config.pretrain.source, args.source);
    config.pretrain.weights = args.weights.clone().or(config.pretrain.weights);
    for head in &mut config.head {
        head.hidden = args.head_hidden.or(head.hidden);
        set(&mut head.blocks, args.head_blocks);
    }
    if let Some(architecture) = args.backbone {
        config.backbone = architecture.backbone();
    }
    if let Some(widths) = &args.widths {
        let widths = widths.clone();
        config.backbone = match config.backbone {
            Backbone::Gin { .. } => Backbone::Gin { widths },
            _ => Backbone::Mlp { widths },
        };
    }
    if let Some(given) = args.samples {
        match &mut config.data {
            Data::Digits { samples, .. } | Data::Scenes { samples } | Data::Molecules { samples } => {
                *samples = Some(given);
            }
            Data::Table(table) => table.samples = Some(given),
            Data::Linear(task) => task.samples = given,
            Data::Files(files) | Data::Masks(files) => files.samples = Some(given),
        }
    }
    if let Some(held_out) = args.held_out {
        match &mut config.data {
            Data::Files(files) | Data::Masks(files) => files.held_out = Some(held_out),
            Data::Linear(task) => task.held_out = held_out,
            Data::Digits { .. } | Data::Scenes { .. } | Data::Molecules { .. } | Data::Table(_) => {
                bail!(
                    "--held-out does not belong to this setting; accepted with: fashion, images, linear, segmentation \
                     with --data"
                )
            }
        }
    }
    set(&mut config.label_noise, args.label_noise);
    let of_tables = [
        ("--label", args.label.is_some()),
        ("--source-label", args.source_label.is_some()),
        ("--smiles", args.smiles.is_some()),
        ("--atoms", args.atoms.is_some()),
    ];
    if let (false, Some((flag, _))) =
        (matches!(config.data, Data::Table(_)), of_tables.into_iter().find(|(_, given)| *given))
    {
        bail!("{flag} does not belong to this setting; accepted with: molecules with --data");
    }
    let folders =
        [("--source-data", args.source_data.is_some()), ("--shifted-data", args.shifted_data.is_some())];
    let given = [
        ("--source-classes", args.source_classes.is_some()),
        ("--classes", args.classes.is_some()),
        ("--side", args.side.is_some()),
        ("--mean", args.mean.is_some()),
        ("--std", args.std.is_some()),
        ("--ignore", args.ignore.is_some()),
    ];
    let with_data = match config.data {
        Data::Scenes { .. } => " (`segmentation` takes it with --data)",
        _ => "",
    };
    match &mut config.data {
        Data::Table(table) => {
            let of_images = given.iter().chain(&folders[1..]);
            if let Some((flag, _)) = of_images.into_iter().find(|(_, given)| *given) {
                bail!("{flag} does not belong to molecules; accepted with: fashion, images");
            }
            set(&mut table.file, args.data.clone());
            set(&mut table.label, args.label.clone());
            set(&mut table.atoms, args.atoms);
            table.source_file = args.source_data.clone().or(table.source_file.take());
            table.source_label = args.source_label.clone().or(table.source_label.take());
            table.smiles = args.smiles.clone().or(table.smiles.take());
        }
        Data::Files(files) | Data::Masks(files) => {
            set(&mut files.folder, args.data.clone());
            files.shifted_folder = args.shifted_data.clone().or(files.shifted_folder.take());
            if let Some(folder) = &args.source_data {
                files.source_folder = Some(folder.clone());
                (files.source, files.classes) = (vec![], vec![]);
            }
            set(&mut files.source, args.source_classes.clone());
            set(&mut files.classes, args.classes.clone());
            files.side = args.side.or(files.side);
            set(&mut files.mean, args.mean.clone());
            set(&mut files.std, args.std.clone());
            files.ignore = args.ignore.or(files.ignore);
        }
        other => {
            let digits = matches!(other, Data::Digits { .. });
            let folders = folders.iter().filter(|_| !digits);
            let data = ("--data", args.data.is_some());
            if let Some((flag, _)) = [data].iter().chain(&given).chain(folders).find(|(_, given)| *given)
            {
                let with_data = if *flag == "--shifted-data" { "" } else { with_data };
                bail!(
                    "{flag} does not belong to this setting; accepted with: fashion, images{with_data}"
                );
            }
            if let Data::Digits { source_folder, shifted_folder, .. } = other {
                *source_folder = args.source_data.clone().or(source_folder.take());
                *shifted_folder = args.shifted_data.clone().or(shifted_folder.take());
            }
        }
    }
    if let Some(experiment) = args.experiment {
        let heads = [
            ("--head-hidden", args.head_hidden.is_some()),
            ("--head-blocks", args.head_blocks.is_some()),
        ];
        let smoothings = args.curves.smoothings();
        let same = match experiment {
            Experiment::Head | Experiment::Partial => heads.to_vec(),
            Experiment::Smoothing => vec![smoothings],
            Experiment::Scale => vec![args.curves.scales()],
            Experiment::Rate => vec![args.curves.head_rates()],
            Experiment::Table => vec![heads[0], heads[1], smoothings],
        };
        if let Some((flag, _)) = same.into_iter().find(|(_, given)| *given) {
            bail!("{flag} and this --experiment, which varies the same, exclude each other");
        }
        config.vary(experiment);
    }
    set(&mut config.finetune.rate, args.rate);
    set(&mut config.finetune.momentum, args.momentum);
    set(&mut config.finetune.batch, args.batch);
    set(&mut config.probing.longest, args.longest);
    set(&mut config.pretrain.epochs, args.pretrain_epochs);
    config.pretrain.seed = args.backbone_seed.or(config.pretrain.seed);
    if config.is_flow() {
        set(&mut config.probing.training.rate, args.rate);
    }
    args.curves.apply(&mut config.heads, &mut config.probe);
    let (source, cache) = (("--source", args.source.is_some()), ("--cache", args.cache.is_some()));
    let epochs = ("--pretrain-epochs", args.pretrain_epochs.is_some());
    let seed = ("--backbone-seed", args.backbone_seed.is_some());
    let (idle, because) = if config.is_flow() {
        (
            vec![("--weights", args.weights.is_some()), source, cache, epochs, seed],
            "linear data, which are not pretrained on",
        )
    } else if config.pretrain.weights.is_some() {
        (vec![source, cache, epochs, seed], "weights of a file, which are not pretrained here")
    } else if config.pretrain.source == Source::None {
        (vec![cache, epochs], "a random backbone, which is not pretrained")
    } else {
        (vec![], "")
    };
    if let Some((flag, _)) = idle.into_iter().find(|(_, given)| *given) {
        bail!("{flag} has no effect with {because}");
    }
    Ok(config)
}
