//! The table of methods: on the terminal, as Markdown and as CSV.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use super::json::number;
use crate::outcome::make_folder;
use crate::plot::write;
use taskhead::analysis::Point;
use taskhead::analysis::comparison::{Comparison, Method};
use taskhead::analysis::paired::Difference;
use taskhead::counted;
use taskhead::metric::Metric;
use taskhead::sweep::record::ScoreKind;

/// The files of a table, in the folder of the figures.
pub const NAMES: [&str; 2] = ["table.md", "table.csv"];

/// How its Markdown begins; `plot::check_ours` knows it by that.
const MARK: &str = "<!-- A table of `taskhead replay`. -->\n";

/// What stands where a method is compared with itself, or a feature has no direction.
const NOTHING: &str = "—";

/// Least, mean and largest energy at which a method starts.
fn energies(method: &Method) -> [f64; 3] {
    let all = method.values(Point::aie);
    let fold = |start, pick: fn(f64, f64) -> f64| all.iter().copied().fold(start, pick);
    [fold(f64::INFINITY, f64::min), method.mean(Point::aie), fold(f64::NEG_INFINITY, f64::max)]
}

/// A mean over the seeds with its spread.
fn spread<'a>(method: &Method<'a>, of: impl Fn(&Point<'a>) -> f64) -> String {
    let (mean, deviation) = (method.mean(&of), method.deviation(of));
    if deviation.is_nan() { format!("{mean:.4}") } else { format!("{mean:.4} ± {deviation:.4}") }
}

fn title(score: Option<ScoreKind>) -> &'static str {
    score.map_or("accuracy", ScoreKind::title)
}

/// The header and a row for each method.
fn rows(all: &Comparison) -> Vec<Vec<String>> {
    let mut header =
        vec!["method".into(), "AIE".into(), "τ".into(), format!("test {}", title(all.score))];
    header.extend(all.score.map(|_| "test accuracy".into()));
    header.push("less no probing".into());
    header.extend(Metric::MEANS.map(|metric| metric.name().to_owned()));
    let row = |(i, method): (usize, &Method)| {
        let [least, mean, most] = energies(method);
        let mut row = vec![method.name.clone(), format!("{mean:.2}")];
        if all.seeds > 1 {
            row[1] += &format!(" ({least:.2} to {most:.2})");
        }
        row.push(format!("{:.1}", method.mean(|p| p.measured.probe_time)));
        row.push(spread(method, Point::held_out_score));
        row.extend(all.score.map(|_| spread(method, Point::held_out_accuracy)));
        row.push(if i == 0 { NOTHING.into() } else { method.less(&all.methods[0]).to_string() });
        let means = Metric::MEANS.map(|metric| method.mean(|p| p.metric(metric)));
        row.extend(means.map(|v| if v.is_nan() { NOTHING.into() } else { format!("{v:.3}") }));
        row
    };
    [header].into_iter().chain(all.methods.iter().enumerate().map(row)).collect()
}

/// What the table shows.
fn caption(all: &Comparison) -> String {
    let (seeds, by) = match all.seeds {
        1 => ("", "its"),
        _ => (": means over the seeds ± their standard deviation", "the other seeds'"),
    };
    format!(
        "{}, {}{seeds}, at the probing points that {by} validation {} chooses",
        all.problem,
        counted(all.seeds, "seed"),
        title(all.score)
    )
}

/// The table and its words for a terminal.
pub fn text(all: &Comparison) -> String {
    let rows = rows(all);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..rows[0].len()).filter_map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let lines = [caption(all)].into_iter().chain(rows.iter().map(line)).chain(all.words());
    lines.collect::<Vec<_>>().join("\n")
}

fn markdown(all: &Comparison) -> String {
    let rows = rows(all);
    let mut text = format!("{MARK}{}.\n\n", caption(all));
    for (i, row) in rows.iter().enumerate() {
        let _ = writeln!(text, "| {} |", row.join(" | "));
        if i == 0 {
            text += &format!("|{}\n", "---|".repeat(row.len()));
        }
    }
    all.words().iter().for_each(|words| text += &format!("\n{words}\n"));
    text
}

/// The columns of the CSV file with their values for a method, which are its entries in JSON.
fn fields(all: &Comparison, method: &Method) -> Vec<(&'static str, Value)> {
    let [least, mean, most] = energies(method);
    let (test, accuracy) = (Point::held_out_score, Point::held_out_accuracy);
    let first = &all.methods[0];
    let less = (method.name != first.name).then(|| method.less(first));
    let of_less = |of: fn(Difference) -> f64| less.map_or(Value::Null, |less| number(of(less)));
    let mut fields = vec![
        ("problem", json!(all.problem)),
        ("method", json!(method.name)),
        ("seeds", json!(all.seeds)),
        ("aie", number(mean)),
        ("aie_least", number(least)),
        ("aie_most", number(most)),
        ("probe_time", number(method.mean(|p| p.measured.probe_time))),
        ("score", json!(all.score.map_or("accuracy", ScoreKind::name))),
        ("test", number(method.mean(test))),
        ("test_spread", number(method.deviation(test))),
        ("accuracy", number(method.mean(accuracy))),
        ("accuracy_spread", number(method.deviation(accuracy))),
        ("less_no_probing", of_less(|less| less.mean)),
        ("less_no_probing_half_width", of_less(|less| less.half_width)),
    ];
    let metric = |metric: Metric| (metric.name(), number(method.mean(|p| p.metric(metric))));
    fields.extend(Metric::MEANS.map(metric));
    fields
}

fn csv(all: &Comparison) -> String {
    let rows: Vec<_> = all.methods.iter().map(|method| fields(all, method)).collect();
    let field = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) if text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let line = |cells: Vec<String>| cells.join(",") + "\n";
    let header = line(rows[0].iter().map(|(name, _)| (*name).to_owned()).collect());
    let lines = rows.iter().map(|row| line(row.iter().map(|(_, value)| field(value)).collect()));
    header + &lines.collect::<String>()
}

/// The table as JSON.
pub fn as_json(all: &Comparison) -> Value {
    let row = |method: &Method| -> Value {
        let fields = fields(all, method).into_iter();
        Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).collect())
    };
    json!({
        "methods": all.methods.iter().map(row).collect::<Vec<_>>(),
        "left_out": all.left_out,
        "words": all.words(),
    })
}

/// Writes the files of the table.
pub fn save(all: &Comparison, folder: &Path) -> Result<Vec<PathBuf>> {
    make_folder(folder)?;
    let paths: Vec<PathBuf> = NAMES.iter().map(|name| folder.join(name)).collect();
    for (path, text) in paths.iter().zip([markdown(all), csv(all)]) {
        write(path, text.as_bytes())?;
    }
    Ok(paths)
}
