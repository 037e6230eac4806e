//! Figures of a stored sweep.

use super::course::course;
use super::transfer::transfer;
use super::{Curve, METRICS, curves, peak, quantile, same_group, steps};
use crate::plot::{
    Axis, Digits, Figure, Grid, HeatMap, HeatPanel, Risk, Series, SeriesPanel, Smoothing,
    SmoothingCurve, Trajectories, Trajectory, Trend,
};
use taskhead::sweep::record::Record;

/// The figures that can be drawn of sweeps.
pub const NAMES: [&str; 8] =
    ["trend", "trajectories", "heatmap", "risk", "smoothing", "digits", "transfer", "course"];

/// What a figure needs and a sweep does not have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the figure `{figure}` needs {needs}, which this sweep does not have")]
pub struct Missing {
    /// The figure.
    pub figure: String,
    /// What it needs.
    pub needs: &'static str,
}

/// A figure of the records of a sweep, by name.
pub fn figure(name: &str, records: &[Record]) -> Result<Box<dyn Figure>, Missing> {
    let missing = |needs| Missing { figure: name.into(), needs };
    match name {
        "trend" => trend(records).map(boxed).ok_or(missing("two probing points that succeeded")),
        "trajectories" => trajectories(records)
            .map(boxed)
            .ok_or(missing("at least three finite finetuning times above 0")),
        "heatmap" => heat_map(records)
            .map(boxed)
            .ok_or(missing("at least three head scales with the same probing points")),
        "risk" => risk(records).map(boxed).ok_or(missing("a downstream risk (held-out targets)")),
        "smoothing" => smoothing(records).map(boxed).ok_or(missing("at least two label smoothings")),
        "digits" => accuracies(records).map(boxed).ok_or(missing("accuracies (one-hot targets)")),
        "transfer" => transfer(records).ok_or(missing("two probing points that succeeded")),
        "course" => {
            course(records).map(boxed).ok_or(missing("at least three finite finetuning times above 0"))
        }
        _ => Err(missing(
            "a name of trend, trajectories, heatmap, risk, smoothing, digits, transfer, course",
        )),
    }
}

fn boxed<F: Figure + 'static>(figure: F) -> Box<dyn Figure> {
    Box::new(figure)
}

/// A band or, for a single seed, points of one metric over the curves of a group.
///
/// Curves are compared at the same number of the probing point, so that x is the mean share of energy.
pub fn series(label: &str, curves: &[&Curve], value: impl Fn(&Record) -> f64) -> Series {
    let shares: Vec<Vec<f64>> = curves.iter().map(|c| c.shares()).collect();
    let values: Vec<Vec<f64>> = curves.iter().map(|c| c.values(&value)).collect();
    let count = shares.iter().map(Vec::len).min().unwrap_or(0);
    let at = |q: f64| -> Vec<f64> {
        (0..count).map(|i| quantile(&values.iter().map(|v| v[i]).collect::<Vec<_>>(), q)).collect()
    };
    let x: Vec<f64> =
        (0..count).map(|i| shares.iter().map(|s| s[i]).sum::<f64>() / shares.len() as f64).collect();
    let middle = at(0.5);
    let top = peak(&x, &middle);
    if curves.len() > 1 {
        Series::band(label, x, middle, at(0.1), at(0.9)).with_peak(top)
    } else {
        Series::points(label, x, middle).with_peak(top)
    }
}

/// Curves that differ in the seed only, with a label that says what the others differ in.
fn groups<'a>(all: &'a [Curve<'a>]) -> Vec<(String, Vec<&'a Curve<'a>>)> {
    let mut groups: Vec<Vec<&Curve>> = Vec::new();
    for curve in all {
        match groups.iter_mut().find(|g| same_group(g[0].records[0], curve.records[0])) {
            Some(group) => group.push(curve),
            None => groups.push(vec![curve]),
        }
    }
    let firsts: Vec<&Record> = groups.iter().map(|g| g[0].records[0]).collect();
    let differs = |of: fn(&Record) -> f64| firsts.iter().any(|r| of(r) != of(firsts[0]));
    let (scale, smoothing, rate) =
        (differs(|r| r.head_scale), differs(|r| r.smoothing), differs(|r| r.head_rate));
    let label = |group: &[&Curve]| {
        let r = group[0].records[0];
        let mut parts = Vec::new();
        if scale {
            parts.push(format!("scale {}", r.head_scale));
        }
        if smoothing {
            parts.push(format!("ε = {}", r.smoothing));
        }
        if rate {
            parts.push(format!("γ = {}", r.head_rate));
        }
        if parts.is_empty() {
            let seeds = if group.len() > 1 { format!(", {} seeds", group.len()) } else { String::new() };
            parts.push(format!("{}{seeds}", r.problem));
        }
        parts.join(", ")
    };
    groups.iter().map(|g| (label(g), g.clone())).collect()
}

fn trend(records: &[Record]) -> Option<Trend> {
    let all = curves(records);
    let groups = groups(&all);
    if all.iter().all(|c| c.records.len() < 2) {
        return None;
    }
    let panels = METRICS.iter().enumerate().map(|(metric, (title, symbol))| SeriesPanel {
        title: (*title).into(),
        y_label: (*symbol).into(),
        series: groups.iter().map(|(label, g)| series(label, g, |r| r.metric(metric))).collect(),
    });
    Some(Trend { x_label: "initial energy E / E_{max}".into(), panels: panels.collect() })
}

/// The first curve's records, at three probing points, over time.
fn trajectories(records: &[Record]) -> Option<Trajectories> {
    let first = records.iter().find(|r| r.succeeded())?;
    let mut points: Vec<Vec<&Record>> = Vec::new();
    for r in records.iter().filter(|r| r.succeeded() && r.seed == first.seed && same_group(first, r)) {
        if r.time.is_finite() && r.time > 0.0 {
            match points.iter_mut().find(|p| p[0].point == r.point) {
                Some(point) => point.push(r),
                None => points.push(vec![r]),
            }
        }
    }
    points.retain(|p| p.len() >= 3 && p[0].frobenius > 0.0);
    points.sort_by(|a, b| a[0].frobenius.total_cmp(&b[0].frobenius));
    let last = points.len().checked_sub(1)?;
    let most = points[last][0].frobenius;
    let mut chosen = vec![last / 4, last / 2, last];
    chosen.dedup();
    let runs = chosen.into_iter().map(|i| {
        let p = &points[i];
        let of = |f: fn(&Record) -> f64| p.iter().map(|r| f(r)).collect::<Vec<f64>>();
        let loss = |r: &&Record| r.frobenius * r.frobenius / 2.0;
        Trajectory {
            label: format!("E = {:.2} E_{{max}}", p[0].frobenius / most),
            time: of(|r| r.time),
            residual: of(|r| r.residual),
            distance: of(|r| r.euclidean),
            feature_norm: of(|r| r.norm),
            head_norm: of(|r| r.head_norm),
            backbone: p.iter().map(|r| r.budget_backbone / loss(r)).collect(),
            head: p.iter().map(|r| r.budget_head / loss(r)).collect(),
        }
    });
    Some(Trajectories {
        time: Axis::log("time t (1 / backbone rate)"),
        residual: Axis::log("‖R‖"),
        distance: Axis::linear("‖z_{t} − z₀‖, mean"),
        feature_norm: Axis::linear("‖z_{t}‖, mean"),
        head_norm: Axis::linear("‖V‖_{F}"),
        spent: Axis::linear("share of the loss spent").with_range(0.0, 1.0),
        runs: runs.collect(),
    })
}

/// Medians over seeds, over the share of energy and the head scale.
fn heat_map(records: &[Record]) -> Option<HeatMap> {
    let all = curves(records);
    let mut groups: Vec<(f64, Vec<&Curve>)> = Vec::new();
    for curve in &all {
        let scale = curve.records[0].head_scale;
        match groups.iter_mut().find(|g| g.0 == scale) {
            Some(group) => group.1.push(curve),
            None => groups.push((scale, vec![curve])),
        }
    }
    groups.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = all.first()?.records.len();
    if groups.len() < 3 || count < 2 || all.iter().any(|c| c.records.len() != count) {
        return None;
    }
    let shares = steps(0.0, 1.0, count);
    let scales: Vec<f64> = groups.iter().map(|g| g.0).collect();
    let panels = METRICS.iter().enumerate().map(|(metric, (title, symbol))| {
        let mut values = Vec::new();
        for (_, group) in &groups {
            for i in 0..count {
                let column: Vec<f64> = group.iter().map(|c| c.records[i].metric(metric)).collect();
                values.push(quantile(&column, 0.5));
            }
        }
        HeatPanel {
            title: (*title).into(),
            value_label: (*symbol).into(),
            grid: Grid { x: shares.clone(), y: scales.clone(), values },
            ridge: vec![],
            ridge_label: String::new(),
        }
    });
    Some(HeatMap {
        x: Axis::linear("probing point, from converged to none"),
        y: Axis::linear("scale of the initial head"),
        panels: panels.collect(),
    })
}

fn risk(records: &[Record]) -> Option<Risk> {
    let all = curves(records);
    let known = all.iter().any(|c| c.records.iter().any(|r| r.risk.is_finite()));
    let curves = groups(&all).into_iter().map(|(label, group)| risk_curve(&label, &group));
    known.then(|| Risk {
        x_label: "probing time τ (1 / head rate)".into(),
        y_label: "downstream risk".into(),
        curves: curves.collect(),
    })
}

/// Mean risk over seeds against probing time, with the optimum marked. Curves share their probing points.
pub fn risk_curve(label: &str, group: &[&Curve]) -> Series {
    let count = group.iter().map(|c| c.records.len()).min().unwrap_or(0);
    let mut points: Vec<(f64, f64)> = (0..count)
        .map(|i| {
            let mean = |of: fn(&Record) -> f64| {
                group.iter().map(|c| of(c.records[i])).sum::<f64>() / group.len() as f64
            };
            (mean(|r| r.probe_time), mean(|r| r.risk))
        })
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let best = points.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
    let (x, y) = points.into_iter().unzip();
    Series::line(label, x, y).with_peak(best)
}

fn smoothing(records: &[Record]) -> Option<Smoothing> {
    let all = curves(records);
    let first = all.first()?.records[0];
    let mut paths: Vec<SmoothingCurve> = Vec::new();
    for curve in all.iter().filter(|c| {
        let r = c.records[0];
        r.seed == first.seed && r.head_scale == first.head_scale && r.head_rate == first.head_rate
    }) {
        let mut points: Vec<(f64, f64)> = curve.records.iter().map(|r| (r.probe_time, r.aie)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let floor = points.iter().find(|p| p.0.is_infinite()).map_or(f64::NAN, |p| p.1);
        let (time, energy) = points.into_iter().unzip();
        paths.push(SmoothingCurve { epsilon: curve.records[0].smoothing, time, energy, floor });
    }
    paths.sort_by(|a, b| a.epsilon.total_cmp(&b.epsilon));
    (paths.len() >= 2).then(|| Smoothing {
        time_label: "probing time τ (1 / head rate)".into(),
        energy_label: "average initial energy".into(),
        floors: paths.iter().map(|p| (p.epsilon, p.floor)).collect(),
        curves: paths,
        epsilon_label: "label smoothing ε".into(),
        floor_label: "energy at τ = ∞".into(),
    })
}

/// Accuracy and adaptation against energy, over seeds.
pub fn accuracies(records: &[Record]) -> Option<Digits> {
    let all = curves(records);
    if !all.iter().any(|c| c.records.iter().any(|r| r.accuracy.is_finite())) {
        return None;
    }
    let group: Vec<&Curve> =
        all.iter().filter(|c| same_group(c.records[0], all[0].records[0])).collect();
    let plain = |label: &str, of: fn(&Record) -> f64| Series { peak: None, ..series(label, &group, of) };
    let metrics = METRICS.iter().enumerate().map(|(metric, (title, _))| {
        let largest = |c: &Curve| c.values(|r| r.metric(metric)).into_iter().fold(0.0, f64::max);
        let most = group.iter().map(|c| largest(c)).fold(0.0, f64::max);
        let scaled = series(title, &group, |r| r.metric(metric) / most);
        let top = scaled.peak;
        Series::line(*title, scaled.x, scaled.y).with_peak(top)
    });
    let label = "initial energy E / E_{max}";
    Some(Digits {
        accuracy_x_label: label.into(),
        accuracy: SeriesPanel {
            title: "Accuracy after finetuning".into(),
            y_label: "accuracy".into(),
            series: vec![
                plain("training", |r| r.accuracy),
                plain("held out", |r| r.held_out_accuracy),
                plain("held out, head only", |r| r.held_out_accuracy_start),
            ],
        },
        adaptation_x_label: label.into(),
        adaptation: SeriesPanel {
            title: "Adaptation of training features".into(),
            y_label: "metric / its maximum".into(),
            series: metrics.collect(),
        },
    })
}
