//! Figures of a stored sweep.

use super::course::course;
use super::transfer::transfer;
use super::{Across, Curve, Group, Metric, Point, groups, is_squared, peak, quantile, reached, steps};
use crate::plot::{
    Axis, Digits, Figure, Grid, HeatMap, HeatPanel, Risk, Series, SeriesPanel, Smoothing,
    SmoothingCurve, Trajectories, Trajectory, Trend,
};
use taskhead::flow::Budget;
use taskhead::sweep::record::{Asked, Measured, Record};

/// The figures that can be drawn of sweeps.
pub const NAMES: [&str; 8] =
    ["trend", "trajectories", "heatmap", "risk", "smoothing", "accuracy", "transfer", "course"];

/// Why a figure cannot be drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Missing {
    /// It needs what a sweep does not have.
    #[error("the figure `{figure}` needs {needs}, which this sweep does not have")]
    Needs {
        /// The figure.
        figure: String,
        /// What it needs.
        needs: &'static str,
    },
    /// A figure that is not known.
    #[error("there is no figure `{0}`; accepted: {known}", known = NAMES.join(", "))]
    Unknown(
        /// Its name.
        String,
    ),
}

/// A figure of the records of a sweep, by name; of the metrics it shows those that are given, which usually are the
/// means of the paper.
pub fn figure(name: &str, records: &[Record], metrics: &[Metric]) -> Result<Box<dyn Figure>, Missing> {
    let missing = |needs| Missing::Needs { figure: name.into(), needs };
    match name {
        "trend" => trend(records, metrics).map(boxed).ok_or(missing("two probing points that succeeded")),
        "trajectories" => trajectories(records)
            .map(boxed)
            .ok_or(missing("at least three finite finetuning times above 0")),
        "heatmap" => heat_map(records, metrics).map(boxed).ok_or(missing(
            "at least three head scales with the same probing points, of one problem, smoothing and head rate",
        )),
        "risk" => risk(records).map(boxed).ok_or(missing("a downstream risk (held-out targets)")),
        "smoothing" => smoothing(records).map(boxed).ok_or(missing("at least two label smoothings")),
        // Of the digits transfer it is the figure of that name.
        "accuracy" | "digits" => accuracies(records, metrics).map(boxed).ok_or(missing("accuracies (one-hot targets)")),
        "transfer" => transfer(records, metrics).ok_or(missing("two probing points that succeeded")),
        "course" => {
            course(records, metrics).map(boxed).ok_or(missing("at least three finite finetuning times above 0"))
        }
        _ => Err(Missing::Unknown(name.into())),
    }
}

fn boxed<F: Figure + 'static>(figure: F) -> Box<dyn Figure> {
    Box::new(figure)
}

/// A band or, for a single seed, points of one metric over the curves of a group.
///
/// Curves are compared at the same number of the probing point, which all have, so that x is the mean share of energy.
pub fn series(label: &str, curves: &[Curve], value: impl Fn(&Point) -> f64) -> Series {
    let across = Across::shared(curves);
    let at = |q: f64| -> Vec<f64> { across.iter().map(|a| quantile(&a.values(&value), q)).collect() };
    let x: Vec<f64> = across.iter().map(|a| a.share).collect();
    let middle = at(0.5);
    let top = peak(&x, &middle);
    if curves.len() > 1 {
        Series::band(label, x, middle, at(0.1), at(0.9)).with_peak(top)
    } else {
        Series::points(label, x, middle).with_peak(top)
    }
}

/// Groups with their curves and the label of a figure: that of a single group says how many seeds it has.
fn labelled(records: &[Record]) -> Vec<(String, Vec<Curve<'_>>)> {
    let groups = groups(records);
    let several = groups.len() > 1;
    let mut all: Vec<(String, Vec<Curve>)> =
        groups.iter().map(|g| (g.label.clone(), g.curves())).collect();
    all.retain(|(_, curves)| !curves.is_empty());
    for (label, curves) in &mut all {
        if !several && curves.len() > 1 {
            *label += &format!(", {} seeds", curves.len());
        }
    }
    all
}

fn trend(records: &[Record], metrics: &[Metric]) -> Option<Trend> {
    let groups = labelled(records);
    if groups.iter().flat_map(|(_, curves)| curves).all(|c| c.points.len() < 2) {
        return None;
    }
    let panels = metrics.iter().map(|&metric| SeriesPanel {
        title: metric.title().into(),
        y_label: metric.symbol().into(),
        series: groups.iter().map(|(label, g)| series(label, g, |p| p.metric(metric))).collect(),
    });
    Some(Trend { x_label: "initial energy E / E_{max}".into(), panels: panels.collect() })
}

/// The first seed of the first group, at three probing points, over time. If there are other groups or seeds, labels
/// say which one is drawn.
fn trajectories(records: &[Record]) -> Option<Trajectories> {
    let groups = groups(records);
    let group = groups.first()?;
    let seed = group.cell().seed;
    let mut points: Vec<Vec<Point>> = Vec::new();
    let timed = |p: &&Point| p.cell.seed == seed && p.cell.time.is_finite() && p.cell.time > 0.0;
    for p in group.points.iter().filter(timed) {
        match points.iter_mut().find(|other| other[0].cell.point == p.cell.point) {
            Some(point) => point.push(*p),
            None => points.push(vec![*p]),
        }
    }
    points.retain(|p| p.len() >= 3 && p[0].frobenius() > 0.0);
    points.sort_by(|a, b| a[0].frobenius().total_cmp(&b[0].frobenius()));
    let last = points.len().checked_sub(1)?;
    let most = points[last][0].frobenius();
    let mut chosen = vec![last / 4, last / 2, last];
    chosen.dedup();
    let mut name = if groups.len() > 1 { format!("{}, ", group.label) } else { String::new() };
    if groups.iter().flat_map(|g| &g.points).any(|p| p.cell.seed != seed) {
        name += &format!("seed {seed}, ");
    }
    let squared = is_squared(records);
    let runs = chosen.into_iter().map(|i| {
        let p = &points[i];
        let of = |f: fn(&Measured) -> f64| p.iter().map(|p| f(p.measured)).collect::<Vec<f64>>();
        let budget = |p: &Point, f: fn(&Budget) -> f64| p.measured.budget.as_ref().map_or(f64::NAN, f);
        let all = match squared {
            true => p[0].frobenius() * p[0].frobenius() / 2.0,
            false => p.last().map_or(f64::NAN, |p| budget(p, |b| b.backbone + b.head)),
        };
        let spent = |f: fn(&Budget) -> f64| p.iter().map(|p| budget(p, f) / all).collect();
        let metric = |metric| p.iter().map(|p| p.metric(metric)).collect();
        Trajectory {
            label: format!("{name}E = {:.2} E_{{max}}", p[0].frobenius() / most),
            time: p.iter().map(|p| p.cell.time).collect(),
            residual: of(|m| m.residual),
            distance: metric(Metric::Euclidean),
            feature_norm: metric(Metric::Norm),
            head_norm: of(|m| m.head_norm.end),
            backbone: spent(|b| b.backbone),
            head: spent(|b| b.head),
        }
    });
    Some(Trajectories {
        time: Axis::log("time t (1 / backbone rate)"),
        residual: Axis::log("‖R‖"),
        distance: Axis::linear("‖z_{t} − z₀‖, mean"),
        feature_norm: Axis::linear("‖z_{t}‖, mean"),
        head_norm: Axis::linear("‖V‖_{F}"),
        spent: Axis::linear(match squared {
            true => "share of the loss spent",
            false => "share of all spent",
        })
        .with_range(0.0, 1.0),
        runs: runs.collect(),
    })
}

/// Medians over seeds, over the share of energy and the head scale. None if groups differ in more than the scale, or
/// if a cell is missing.
fn heat_map(records: &[Record], metrics: &[Metric]) -> Option<HeatMap> {
    let mut groups = groups(records);
    groups.sort_by(|a, b| a.cell().head_scale.total_cmp(&b.cell().head_scale));
    let rest = |g: &Group| {
        let cell = g.cell();
        (cell.problem.clone(), cell.smoothing, cell.head_rate)
    };
    let rows: Vec<(f64, Vec<Across>)> =
        groups.iter().map(|g| (g.cell().head_scale, Across::of(&g.curves()))).collect();
    let count = rows.first()?.1.len();
    let whole = |g: &Group| g.curves().iter().all(|c| c.points.len() == count);
    if rows.len() < 3 || count < 2 || !groups.iter().all(|g| whole(g) && rest(g) == rest(&groups[0])) {
        return None;
    }
    let shares = steps(0.0, 1.0, count);
    let even = groups.iter().all(|g| g.points.iter().all(|p| matches!(p.cell.probe, Asked::Share(_))));
    let scales: Vec<f64> = rows.iter().map(|g| g.0).collect();
    let panels = metrics.iter().map(|&metric| {
        let value = |a: &Across| quantile(&a.values(|p| p.metric(metric)), 0.5);
        HeatPanel {
            title: metric.title().into(),
            value_label: metric.symbol().into(),
            grid: Grid {
                x: shares.clone(),
                y: scales.clone(),
                values: rows.iter().flat_map(|(_, row)| row.iter().map(value)).collect(),
            },
            ridge: vec![],
            ridge_label: String::new(),
        }
    });
    Some(HeatMap {
        x: Axis::linear(match even {
            true => "probing point, from converged to none",
            false => "probing point, by ascending energy",
        }),
        y: Axis::linear("scale of the initial head"),
        panels: panels.collect(),
    })
}

fn risk(records: &[Record]) -> Option<Risk> {
    let known = reached(records).iter().any(|p| p.measured.risk.is_some());
    let curves = labelled(records).into_iter().map(|(label, group)| risk_curve(&label, &group));
    known.then(|| Risk {
        x_label: "probing time τ (1 / head rate)".into(),
        y_label: "downstream risk".into(),
        curves: curves.collect(),
    })
}

/// Mean risk over seeds against probing time, with the optimum marked. Curves share their probing points.
pub fn risk_curve(label: &str, group: &[Curve]) -> Series {
    let risk = |p: &Point| p.measured.risk.map_or(f64::NAN, |risk| risk.end);
    let at = |a: &Across| (a.mean(|p| p.measured.probe_time), a.mean(risk));
    let mut points: Vec<(f64, f64)> = Across::shared(group).iter().map(at).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let best = points.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
    let (x, y) = points.into_iter().unzip();
    Series::line(label, x, y).with_peak(best)
}

/// The energy over probing time for each group: means over its seeds, point by point. None if no two groups differ in
/// the smoothing only.
fn smoothing(records: &[Record]) -> Option<Smoothing> {
    let all = groups(records);
    let mut names: Vec<&str> = Vec::new();
    for group in &all {
        if !names.contains(&group.beside_smoothing.as_str()) {
            names.push(&group.beside_smoothing);
        }
    }
    let (mut paths, mut floors): (Vec<SmoothingCurve>, Vec<Vec<(f64, f64)>>) = (Vec::new(), Vec::new());
    let mut seeds: Vec<usize> = Vec::new();
    for name in names {
        let mut own: Vec<SmoothingCurve> = Vec::new();
        for group in all.iter().filter(|group| group.beside_smoothing == name) {
            let curves = group.curves();
            if curves.is_empty() {
                continue;
            }
            seeds.push(curves.len());
            let at = |a: &Across| (a.mean(|p| p.measured.probe_time), a.mean(Point::aie));
            let mut points: Vec<(f64, f64)> = Across::shared(&curves).iter().map(at).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let floor = points.iter().find(|p| p.0.is_infinite()).map_or(f64::NAN, |p| p.1);
            let (time, energy) = points.into_iter().unzip();
            own.push(SmoothingCurve {
                name: name.to_owned(),
                epsilon: group.cell().smoothing,
                time,
                energy,
                floor,
            });
        }
        own.sort_by(|a, b| a.epsilon.total_cmp(&b.epsilon));
        floors.push(own.iter().map(|p| (p.epsilon, p.floor)).collect());
        paths.extend(own);
    }
    let most = seeds.into_iter().max()?;
    floors.iter().any(|line| line.len() >= 2).then(|| Smoothing {
        time_label: "probing time τ (1 / head rate)".into(),
        energy_label: match most {
            1 => "average initial energy".into(),
            _ => format!("average initial energy, mean over {most} seeds"),
        },
        floors,
        curves: paths,
        epsilon_label: "label smoothing ε".into(),
        floor_label: "energy at τ = ∞".into(),
    })
}

/// Accuracy and adaptation against energy, over seeds; if there are several groups, each with its own series.
pub fn accuracies(records: &[Record], metrics: &[Metric]) -> Option<Digits> {
    let known = |m: &Measured| m.accuracy.is_some() || m.held_out_accuracy.is_some();
    if !reached(records).iter().any(|p| known(p.measured)) {
        return None;
    }
    let all = groups(records);
    let (mut accuracy, mut adaptation) = (Vec::new(), Vec::new());
    for group in &all {
        let curves = group.curves();
        if curves.is_empty() {
            continue;
        }
        let name = |what: &str| match all.len() {
            1 => what.to_owned(),
            _ => format!("{what}, {}", group.label),
        };
        let mut plain = |what: &str, of: &dyn Fn(&Measured) -> Option<f64>| {
            let of = |p: &Point| of(p.measured).unwrap_or(f64::NAN);
            // Recordings may know less.
            if !curves.iter().any(|c| c.values(of).iter().any(|v| v.is_finite())) {
                return;
            }
            accuracy.push(Series { peak: None, ..series(&name(what), &curves, of) });
        };
        plain("training", &|m| Some(m.accuracy?.end));
        plain("held out", &|m| Some(m.held_out_accuracy?.end));
        plain("held out, head only", &|m| Some(m.held_out_accuracy?.start));
        adaptation.extend(metrics.iter().map(|&metric| {
            let median = series(&name(metric.title()), &curves, |p| p.metric(metric));
            let most = median.y.iter().copied().fold(0.0, f64::max);
            let y = median.y.iter().map(|y| y / most).collect();
            let top = median.peak.map(|(x, y)| (x, y / most));
            Series::line(median.label, median.x, y).with_peak(top)
        }));
    }
    let label = "initial energy E / E_{max}";
    Some(Digits {
        transfer: records.iter().all(|r| r.cell.problem == "digits"),
        accuracy_x_label: label.into(),
        accuracy: SeriesPanel {
            title: "Accuracy after finetuning".into(),
            y_label: "accuracy".into(),
            series: accuracy,
        },
        adaptation_x_label: label.into(),
        adaptation: SeriesPanel {
            title: "Adaptation of training features".into(),
            y_label: "metric / its maximum".into(),
            series: adaptation,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{record, smoothed};
    use super::*;
    use taskhead::sweep::record::{Change, Outcome};

    /// Three points of one seed, whose metrics are all this number, in one problem.
    fn of(problem: &str, seed: u64, value: f64) -> Vec<Record> {
        let named = |mut record: Record| {
            record.cell.problem = problem.into();
            record
        };
        (0..3).map(|i| named(record(seed, i, (i + 1) as f64, [value + i as f64; 4]))).collect()
    }

    fn labels(series: &[Series]) -> Vec<&str> {
        series.iter().map(|s| s.label.as_str()).collect()
    }

    /// A table with two kinds of head drew one band, labelled with the first.
    #[test]
    fn problems_are_not_merged_into_one_band() {
        let records = [of("a", 0, 1.0), of("b", 0, 5.0)].concat();
        let trend = trend(&records, &Metric::MEANS).unwrap();
        assert_eq!(labels(&trend.panels[0].series), ["a", "b"]);
        assert_eq!(trend.panels[0].series[0].y, [1.0, 2.0, 3.0]);
        assert_eq!(trend.panels[0].series[1].y, [5.0, 6.0, 7.0]);
        assert_eq!(super::trend(&records, &[Metric::Norm]).unwrap().panels, trend.panels[3..]);
        let seeds = super::trend(&[of("a", 0, 1.0), of("a", 1, 5.0)].concat(), &Metric::MEANS).unwrap();
        assert_eq!(labels(&seeds.panels[0].series), ["a, 2 seeds"]);
    }

    #[test]
    fn accuracies_are_those_of_each_group() {
        let with = |records: Vec<Record>, right: f64| -> Vec<Record> {
            let change = |mut record: Record| {
                if let Outcome::Reached(_, measured) = &mut record.outcome {
                    measured.accuracy = Some(Change { start: 0.0, end: right });
                }
                record
            };
            records.into_iter().map(change).collect()
        };
        let (a, b) = (with(of("a", 0, 1.0), 0.5), with(of("b", 0, 1.0), 0.75));
        let one = accuracies(&a, &Metric::MEANS).unwrap();
        // What nobody measured has no name beside nothing.
        assert_eq!(labels(&one.accuracy.series), ["training"]);
        // A user's own features were called digits.
        let title = |figure: &Digits| figure.svg(crate::plot::Theme::Light);
        assert_eq!(one.name(), "accuracy");
        assert!(title(&one).contains("<title>Accuracy and adaptation"));
        let digits = accuracies(&with(of("digits", 0, 1.0), 0.5), &Metric::MEANS).unwrap();
        assert_eq!(digits.name(), "digits");
        assert!(title(&digits).contains("<title>Digits transfer: accuracy and adaptation"));
        let two = accuracies(&[a, b].concat(), &Metric::MEANS).unwrap();
        let training: Vec<_> =
            two.accuracy.series.iter().filter(|s| s.label.starts_with("training")).collect();
        assert_eq!((training[0].label.as_str(), training[0].y[0]), ("training, a", 0.5));
        assert_eq!((training[1].label.as_str(), training[1].y[0]), ("training, b", 0.75));
        assert!(accuracies(&of("a", 0, 1.0), &Metric::MEANS).is_none());
    }

    #[test]
    fn a_heat_map_takes_scales_of_one_group_only() {
        let scaled = |scale: f64| -> Vec<Record> {
            let change = |mut record: Record| {
                record.cell.head_scale = scale;
                record
            };
            of("a", 0, scale).into_iter().map(change).collect()
        };
        let mut records = [scaled(2.0), scaled(1.0), scaled(0.5)].concat();
        let map = heat_map(&records, &Metric::MEANS).unwrap();
        assert_eq!(map.panels[0].grid.y, [0.5, 1.0, 2.0]);
        assert_eq!(map.panels[0].grid.values[..4], [0.5, 1.5, 2.5, 1.0]);
        records.extend(scaled(1.0).into_iter().map(smoothed));
        assert!(heat_map(&records, &Metric::MEANS).is_none());
    }

    #[test]
    fn trajectories_are_of_one_group_and_say_which() {
        let timed = |records: Vec<Record>| -> Vec<Record> {
            let at = |record: &Record, time| {
                let mut record = record.clone();
                record.cell.time = time;
                record
            };
            records.iter().flat_map(|r| [1.0, 2.0, 3.0].map(|time| at(r, time))).collect()
        };
        let (a, b) = (timed(of("a", 0, 1.0)), timed(of("b", 0, 9.0)));
        assert_eq!(trajectories(&a).unwrap().runs[0].label, "E = 0.33 E_{max}");
        let seeds = trajectories(&[a.clone(), timed(of("a", 1, 9.0))].concat()).unwrap();
        assert_eq!(seeds.runs[0].label, "seed 0, E = 0.33 E_{max}");
        let both = trajectories(&[a, b].concat()).unwrap();
        assert_eq!(both.runs[0].label, "a, E = 0.33 E_{max}");
        assert!(
            both.runs.iter().all(|run| run.distance.iter().all(|d| *d < 9.0) && run.time.len() == 3)
        );
    }

    /// A seed without a point took the band along: the last energy was that of the other seed alone.
    #[test]
    fn a_point_that_a_seed_lacks_is_left_out() {
        let mut records = [of("a", 0, 1.0), of("a", 1, 5.0)].concat();
        records.remove(5);
        let series = &trend(&records, &Metric::MEANS).unwrap().panels[0].series[0];
        assert_eq!(series.y, [3.0, 4.0]);
        // Where nothing is shared, all is shown.
        records.truncate(4);
        assert_eq!(trend(&records, &Metric::MEANS).unwrap().panels[0].series[0].y.len(), 3);
    }

    /// The budget of another loss than ½‖R‖² is no share of that.
    #[test]
    fn what_is_spent_is_a_share_of_the_loss_that_it_is_of() {
        let run = |squared: bool| -> Vec<Record> {
            let at = |record: &Record, time: f64| {
                let mut record = record.clone();
                record.cell.time = time;
                let Outcome::Reached(_, measured) = &mut record.outcome else { unreachable!() };
                measured.energies.frobenius = 2.0;
                measured.residual = 2.0 / time;
                let half = measured.residual * measured.residual / 2.0;
                measured.loss = Some(if squared { half / 4.0 } else { half.sqrt() });
                let spent = 2.0 - half;
                measured.budget = Some(Budget { backbone: 0.75 * spent, head: 0.25 * spent });
                record
            };
            of("a", 0, 1.0).iter().flat_map(|r| [1.0, 2.0, 4.0].map(|time| at(r, time))).collect()
        };
        assert!(is_squared(&run(true)) && !is_squared(&run(false)) && is_squared(&of("a", 0, 1.0)));
        // One point is enough to tell.
        assert!(is_squared(&run(true)[..1]) && !is_squared(&run(false)[..1]));
        let last = |squared| trajectories(&run(squared)).unwrap().runs[0].backbone[2];
        assert!((last(true) - 0.75 * (1.0 - 1.0 / 16.0)).abs() < 1e-12);
        assert_eq!(last(false), 0.75);
    }

    #[test]
    fn smoothings_are_of_one_problem() {
        let smooth =
            |records: Vec<Record>| -> Vec<Record> { records.into_iter().map(smoothed).collect() };
        assert!(super::smoothing(&[of("a", 0, 1.0), smooth(of("b", 0, 1.0))].concat()).is_none());
        assert!(super::smoothing(&[of("a", 0, 1.0), smooth(of("a", 0, 1.0))].concat()).is_some());
    }

    /// The figure was that of the first scale, problem and seed alone, byte for byte.
    #[test]
    fn smoothings_are_those_of_each_group() {
        let smooth =
            |records: Vec<Record>| -> Vec<Record> { records.into_iter().map(smoothed).collect() };
        let pair = |problem: &str, seed: u64, energy: f64, scale: f64| -> Vec<Record> {
            let change = |mut record: Record| {
                record.cell.head_scale = scale;
                if let Outcome::Reached(_, measured) = &mut record.outcome {
                    measured.energies.aie *= energy;
                }
                record
            };
            let plain: Vec<Record> = of(problem, seed, 1.0).into_iter().map(change).collect();
            [plain.clone(), smooth(plain)].concat()
        };
        let drawn = |records: &[Record]| -> Vec<(String, f64, f64)> {
            let figure = super::smoothing(records).unwrap();
            figure.curves.into_iter().map(|c| (c.name, c.epsilon, c.energy[0])).collect()
        };
        let one = pair("a", 0, 1.0, 1.0);
        assert_eq!(drawn(&one), [(String::new(), 0.0, 1.0), (String::new(), 0.2, 1.0)]);
        for (other, names) in
            [(pair("a", 0, 5.0, 2.0), ["scale 1", "scale 2"]), (pair("b", 0, 5.0, 1.0), ["a", "b"])]
        {
            let both = [one.clone(), other].concat();
            let of = |i: usize, epsilon, energy| (names[i].to_owned(), epsilon, energy);
            assert_eq!(
                drawn(&both),
                [of(0, 0.0, 1.0), of(0, 0.2, 1.0), of(1, 0.0, 5.0), of(1, 0.2, 5.0)]
            );
            let figure = super::smoothing(&both).unwrap();
            assert_eq!(figure.floors.len(), 2);
            let svg = figure.svg(crate::plot::Theme::Light);
            assert!(names.iter().all(|name| svg.contains(&format!("{name}, ε = 0.2"))), "{svg}");
        }
        let seeds = [one, pair("a", 1, 5.0, 1.0)].concat();
        assert_eq!(drawn(&seeds), [(String::new(), 0.0, 3.0), (String::new(), 0.2, 3.0)]);
        let figure = super::smoothing(&seeds).unwrap();
        assert_eq!(figure.energy_label, "average initial energy, mean over 2 seeds");
    }

    #[test]
    fn a_risk_needs_held_out_targets() {
        assert!(risk(&of("a", 0, 1.0)).is_none());
    }
}
