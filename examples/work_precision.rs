//! The work-precision diagrams of `plots/solver/`, from the runs that `benches/peers/run` writes.
//!
//! `cargo run --release --features plot --example work_precision -- [RUNS.csv [FOLDER]]`

use std::collections::BTreeMap;
use std::path::PathBuf;

use taskhead::plot::{Figure, Series, SeriesPanel, Theme, WorkPrecision};

/// Cases with their titles, drawn if there are runs of them, and methods with their labels, in the order in which they are drawn.
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

/// Error, seconds and evaluations of a run.
type Run = (f64, f64, f64);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let table = arguments.next().unwrap_or("plots/solver/work-precision.csv".into());
    let folder = PathBuf::from(arguments.next().unwrap_or("plots/solver".into()));
    let runs = read(&std::fs::read_to_string(&table).map_err(|e| format!("{table}: {e}"))?)?;
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

/// The runs of each case and method by tolerance; of a repeated run the fastest.
fn read(text: &str) -> Result<BTreeMap<(String, String), Vec<Run>>, String> {
    let mut fastest: BTreeMap<(String, String, String), Run> = BTreeMap::new();
    for (number, line) in text.lines().enumerate().skip(1) {
        let fault = |what: &str| format!("line {}: {what}: {line}", number + 1);
        let fields: Vec<&str> = line.split(',').collect();
        let [case, method, tolerance, values @ ..] = &fields[..] else {
            return Err(fault("seven columns are expected"));
        };
        let values: Result<Vec<f64>, _> = values.iter().map(|v| v.parse::<f64>()).collect();
        let [error, seconds, evaluations, _] = values.map_err(|e| fault(&e.to_string()))?[..] else {
            return Err(fault("seven columns are expected"));
        };
        let key = (case.to_string(), method.to_string(), tolerance.to_string());
        let run = fastest.entry(key).or_insert((error, seconds, evaluations));
        run.1 = run.1.min(seconds);
    }
    let mut runs: BTreeMap<(String, String), Vec<Run>> = BTreeMap::new();
    for ((case, method, _), run) in fastest {
        runs.entry((case, method)).or_default().push(run);
    }
    for list in runs.values_mut() {
        list.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    Ok(runs)
}

fn panels(runs: &BTreeMap<(String, String), Vec<Run>>, case: &str, title: &str) -> [SeriesPanel; 2] {
    let panel = |title: String, y_label: &str, pick: fn(&Run) -> f64| SeriesPanel {
        title,
        y_label: y_label.into(),
        // A method without a run keeps its place, and so its pen.
        series: METHODS
            .map(|(method, label)| {
                let list = runs.get(&(case.into(), method.into())).map_or(&[][..], Vec::as_slice);
                Series::line(label, list.iter().map(|r| r.0).collect(), list.iter().map(pick).collect())
            })
            .into(),
    };
    [
        panel(title.into(), "seconds", |r| r.1),
        panel(format!("{title}: evaluations"), "right-hand sides", |r| r.2),
    ]
}
