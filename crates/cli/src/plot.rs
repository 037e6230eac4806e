//! `taskhead plot`: figures of a stored sweep.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use taskhead::sweep::record::Counts;
use taskhead_figures::gallery::stored::{NAMES, figure};
use taskhead_figures::plot::{Figure, Theme};
use taskhead_files::{Fault, read_sweep_with_notes, write_atomically};

/// Flags of the command.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --figure every figure that the sweep has the numbers for is drawn.\n\nExamples:\n  \
    taskhead plot sweep.parquet\n  taskhead plot sweep.csv --figure trend --format png --theme dark"
)]
pub struct Args {
    /// A stored sweep, .parquet or .csv.
    results: PathBuf,
    /// trend, trajectories, heatmap, risk, smoothing, digits, transfer or course.
    #[arg(long)]
    figure: Option<String>,
    /// File format.
    #[arg(long, value_enum, default_value = "svg")]
    format: Format,
    /// Colours for a light or a dark page.
    #[arg(long, value_enum, default_value = "light")]
    theme: Colours,
    /// Folder for the figures; it is made if it is missing.
    #[arg(long, value_name = "FOLDER", default_value = "plots")]
    out: PathBuf,
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

/// Runs the command.
pub fn run(args: &Args, quiet: bool) -> Result<ExitCode> {
    let looks_like_a_file = args.out.extension().is_some_and(|e| e == "svg" || e == "png");
    if looks_like_a_file && !args.out.is_dir() {
        let out = args.out.display();
        bail!(
            "--out {out} is not valid; accepted: a folder, where each figure is named after what it shows (trend.svg)"
        );
    }
    let (sweep, notes) = read_sweep_with_notes(&args.results)?;
    for note in notes {
        eprintln!("warning: {}: {note}", args.results.display());
    }
    let names: Vec<&str> = match &args.figure {
        Some(name) => vec![name],
        None => NAMES.to_vec(),
    };
    let mut figures = Vec::new();
    for name in names {
        match figure(name, &sweep.records) {
            Ok(figure) => figures.push(figure),
            Err(missing) if args.figure.is_some() => bail!(missing),
            Err(_) => {}
        }
    }
    let Counts { failed, stopped, cells, .. } = Counts::of(&sweep.records);
    if failed + stopped > 0 {
        eprintln!(
            "warning: of {cells} cells, {failed} failed and {stopped} stopped early; figures leave them out"
        );
    }
    if figures.is_empty() {
        bail!("{}: no figure can be drawn of this sweep", args.results.display());
    }
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("{}: the folder cannot be made", args.out.display()))?;
    let theme = match args.theme {
        Colours::Light => Theme::Light,
        Colours::Dark => Theme::Dark,
    };
    for figure in figures {
        let path = args.out.join(figure.name());
        let path = save(figure.as_ref(), theme, path, args.format)?;
        if !quiet {
            println!("{}", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
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
