//! The work-precision diagrams of `plots/solver/`, from the runs that `benches/peers/run` writes.
//!
//! `cargo run --release -p taskhead-benches --features figures --bin work_precision -- [RUNS.csv [FOLDER]]`

use std::collections::BTreeMap;
use std::path::PathBuf;

use taskhead_figures::plot::{Figure, Series, SeriesPanel, Theme, WorkPrecision};

/// Cases with their titles, drawn if there are runs of them, and methods with their labels, in the order in which
/// they are drawn.
const CASES: [(&str, &str); 4] = [
    ("easy", "Easy"),
    ("wide-16", "Wide, 16 heads"),
    ("forty", "Condition 2.5·10⁴"),
    ("condition-1e6", "Condition 10⁶"),
];
const METHODS: [(&str, &str); 6] = [
    ("ours", "ours"),
    ("lsoda", "LSODA"),
    ("diffrax-kvaerno5", "Kvaerno5"),
    ("diffrax-tsit5", "Tsit5"),
    ("diffrax-tsit5-full", "Tsit5 on (B, V)"),
    ("torchdiffeq-dopri5-full", "dopri5 on (B, V)"),
];

/// A row of the table, whose last column is not drawn.
#[derive(Debug, Clone, serde::Deserialize)]
struct Run {
    case: String,
    method: String,
    tolerance: String,
    error: f64,
    seconds: f64,
    right_hand_sides: f64,
}

/// The runs of each case and method.
type Runs = BTreeMap<(String, String), Vec<Run>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let table = arguments.next().unwrap_or("plots/solver/work-precision.csv".into());
    let folder = PathBuf::from(arguments.next().unwrap_or("plots/solver".into()));
    let runs = read(&table).map_err(|e| format!("{table}: {e}"))?;
    let there = CASES.iter().filter(|(case, _)| runs.keys().any(|(name, _)| name == case));
    let figure = WorkPrecision {
        x_label: "achieved relative error".into(),
        columns: 2,
        panels: there.flat_map(|(case, title)| panels(&runs, case, title)).collect(),
    };
    std::fs::create_dir_all(&folder)?;
    for (theme, suffix) in [(Theme::Light, ""), (Theme::Dark, "-dark")] {
        std::fs::write(folder.join(format!("{}{suffix}.svg", figure.name())), figure.svg(theme))?;
    }
    Ok(())
}

/// The runs in the order of their errors; of a repeated run the fastest.
fn read(table: &str) -> Result<Runs, csv::Error> {
    let mut fastest: BTreeMap<(String, String, String), Run> = BTreeMap::new();
    for run in csv::Reader::from_path(table)?.into_deserialize() {
        let run: Run = run?;
        let key = (run.case.clone(), run.method.clone(), run.tolerance.clone());
        let kept = fastest.entry(key).or_insert(run.clone());
        kept.seconds = kept.seconds.min(run.seconds);
    }
    let mut runs = Runs::new();
    for ((case, method, _), run) in fastest {
        runs.entry((case, method)).or_default().push(run);
    }
    for list in runs.values_mut() {
        list.sort_by(|a, b| a.error.total_cmp(&b.error));
    }
    Ok(runs)
}

fn panels(runs: &Runs, case: &str, title: &str) -> [SeriesPanel; 2] {
    let panel = |title: String, y_label: &str, pick: fn(&Run) -> f64| SeriesPanel {
        title,
        y_label: y_label.into(),
        // A method without a run keeps its place, and so its pen.
        series: METHODS
            .map(|(method, label)| {
                let list = runs.get(&(case.into(), method.into())).map_or(&[][..], Vec::as_slice);
                Series::line(
                    label,
                    list.iter().map(|r| r.error).collect(),
                    list.iter().map(pick).collect(),
                )
            })
            .into(),
    };
    [
        panel(title.into(), "seconds", |r| r.seconds),
        panel(format!("{title}: work"), "right-hand sides", |r| r.right_hand_sides),
    ]
}
