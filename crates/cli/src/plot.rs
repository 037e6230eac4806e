//! `taskhead plot`: figures of a stored sweep, or of several side by side.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::choices::choice;
use super::outcome::make_folder;
use super::say;
use taskhead::counted;
use taskhead::metric::Metric;
use taskhead::sweep::Sweep;
use taskhead::sweep::record::Counts;
use taskhead_figures::gallery::stored::{NAMES, figure};
use taskhead_figures::plot::{Figure, Theme};
use taskhead_files::{Fault, check_apart, check_output, read_sweep_with_notes, write_atomically};

/// Flags of the command.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --figure every figure that the sweep has the numbers for is drawn.\n\nExamples:\n  \
    taskhead plot sweep.parquet\n  taskhead plot sweep.csv --figure trend --format png --theme dark\n  taskhead plot \
    network.parquet theory.parquet --figure trend"
)]
pub struct Args {
    /// Stored sweeps or recordings, .parquet or .csv; several are drawn side by side under the names of their files.
    #[arg(required = true)]
    results: Vec<PathBuf>,
    /// trend, trajectories, heatmap, risk, smoothing, accuracy, transfer or course.
    #[arg(long)]
    figure: Option<String>,
    /// The metrics to show in figures that have a panel or a curve for each (default: the four means).
    #[arg(long, value_delimiter = ',', value_parser = choice::<Metric>())]
    metrics: Option<Vec<Metric>>,
    /// File format.
    #[arg(long, value_enum, default_value = "svg")]
    format: Format,
    /// Colours for a light or a dark page.
    #[arg(long, value_enum, default_value = "light")]
    theme: Colours,
    /// Folder for the figures; it is made if it is missing.
    #[arg(long, value_name = "FOLDER", default_value = "plots")]
    out: PathBuf,
    /// Replace whatever is there. Without this only figures of this program are replaced.
    #[arg(long)]
    force: bool,
}

/// A file format of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Vector graphics.
    Svg,
    /// An image of two dots a pixel.
    Png,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Colours {
    Light,
    Dark,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

/// What the files of this program have near their beginning: figures, the index and the areas of the gallery, the
/// report, tables of replays.
const MARKS: [&[u8]; 7] = [
    b" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">\n<title>",
    b"tEXtSoftware\0taskhead",
    b"# Gallery\n\nEvery figure is written by `taskhead reproduce`",
    b"law,target,y_low,y_high",
    b"<title>taskhead: ",
    b"<!-- A table of `taskhead replay`. -->",
    b"problem,method,seeds,aie,",
];

/// How far into a file a mark is looked for.
const NEAR: u64 = 300;

/// Refuses files of these names in a folder that this program has not written, unless it is by `force`.
pub fn check_ours(folder: &Path, names: impl IntoIterator<Item = String>, force: bool) -> Result<()> {
    for name in names {
        let path = folder.join(name);
        check_output(&path, &["svg", "png", "md", "csv", "html"])?;
        if !force && path.symlink_metadata().is_ok() && !is_ours(&path).unwrap_or(false) {
            bail!(
                "{}: this is there already, and this program has not written it; choose another place, or --force to \
                 replace it",
                path.display()
            );
        }
    }
    Ok(())
}

fn is_ours(path: &Path) -> std::io::Result<bool> {
    let mut start = Vec::new();
    std::fs::File::open(path)?.take(NEAR).read_to_end(&mut start)?;
    Ok(MARKS.iter().any(|mark| start.windows(mark.len()).any(|part| part == *mark)))
}

/// Runs the command.
pub fn run(args: &Args, quiet: bool) -> Result<ExitCode> {
    let looks_like_a_file = args.out.extension().is_some_and(|e| e == "svg" || e == "png");
    if looks_like_a_file && !args.out.is_dir() {
        let out = args.out.display();
        bail!(
            "--out {out} is not valid; accepted: a folder, where each figure is named after what it shows (trend.svg)"
        );
    }
    let sweep = read(&args.results)?;
    let names: Vec<&str> = match &args.figure {
        Some(name) => vec![name],
        None => NAMES.to_vec(),
    };
    let metrics = args.metrics.as_deref().unwrap_or(&Metric::MEANS);
    let mut figures = Vec::new();
    for name in names {
        match figure(name, &sweep.records, metrics) {
            Ok(figure) => figures.push(figure),
            Err(missing) if args.figure.is_some() => bail!(missing),
            Err(_) => {}
        }
    }
    let Counts { failed, stopped, cells, .. } = Counts::of(&sweep.records);
    if failed + stopped > 0 {
        let cells = counted(cells, "cell");
        say::warning(format_args!(
            "of {cells}, {failed} failed and {stopped} stopped early; figures leave them out"
        ));
    }
    if figures.is_empty() {
        let paths: Vec<String> = args.results.iter().map(|path| path.display().to_string()).collect();
        bail!("{}: no figure can be drawn of this sweep", paths.join(", "));
    }
    make_folder(&args.out)?;
    let ending = args.format.ending();
    let names: Vec<String> =
        figures.iter().map(|figure| format!("{}.{ending}", figure.name())).collect();
    check_apart(names.iter().map(|name| args.out.join(name)), &args.results)?;
    check_ours(&args.out, names, args.force)?;
    let theme = match args.theme {
        Colours::Light => Theme::Light,
        Colours::Dark => Theme::Dark,
    };
    for figure in figures {
        let path = args.out.join(figure.name());
        let path = save(figure.as_ref(), theme, path, args.format)?;
        if !quiet {
            say::line(path.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A sweep, or several side by side: by the names of their files without the extension if these differ, else by their
/// paths.
fn read(paths: &[PathBuf]) -> Result<Sweep> {
    let mut parts = Vec::new();
    let stem = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let stems: HashSet<String> = paths.iter().map(stem).collect();
    for (i, path) in paths.iter().enumerate() {
        if paths[..i].contains(path) {
            bail!("{} is given twice; accepted: tables that differ", path.display());
        }
        let (sweep, notes) = read_sweep_with_notes(path)?;
        for note in notes {
            say::warning(format_args!("{}: {note}", path.display()));
        }
        let name = if stems.len() == paths.len() { stem(path) } else { path.display().to_string() };
        parts.push((name, sweep));
    }
    Ok(if parts.len() == 1 { parts.remove(0).1 } else { Sweep::beside(parts) })
}

/// Writes a figure; the format gives the extension.
pub fn save(figure: &dyn Figure, theme: Theme, path: PathBuf, format: Format) -> Result<PathBuf> {
    let (path, bytes) = match format {
        Format::Svg => (path.with_extension("svg"), figure.svg(theme).into_bytes()),
        #[cfg(feature = "png")]
        Format::Png => (path.with_extension("png"), figure.png(theme, 2.0)?),
        #[cfg(not(feature = "png"))]
        Format::Png => bail!("--format png: this build draws SVG only; the feature `png` brings PNG"),
    };
    write(&path, &bytes)?;
    Ok(path)
}

/// The names of the files that [`save_svgs`] writes.
pub fn svg_names(name: &str) -> [String; 2] {
    [format!("{name}.svg"), format!("{name}-dark.svg")]
}

/// Writes a figure as SVG for light and for dark pages.
pub fn save_svgs(figure: &dyn Figure, folder: &Path, name: &str) -> Result<Vec<PathBuf>> {
    let themes = [(Theme::Light, ""), (Theme::Dark, "-dark")];
    let draw =
        |(theme, suffix)| save(figure, theme, folder.join(format!("{name}{suffix}")), Format::Svg);
    themes.into_iter().map(draw).collect()
}

/// Writes a file in one step.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomically(path, |writer| {
        std::io::Write::write_all(writer, bytes).map_err(|source| Fault::Io { action: "write", source })
    })?;
    Ok(())
}
