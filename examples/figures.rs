//! Draws every figure from small computations with the crate, as SVG and PNG in both themes.
//!
//! ```text
//! cargo run --release --example figures --features plot -- OUT_FOLDER
//! ```

use std::path::Path;

use nalgebra::{DMatrix, dvector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use taskhead::flow::Flow;
use taskhead::flow::rank_one::{Limit, RankOne};
use taskhead::flow::solver::{Options, solve};
use taskhead::plot::*;
use taskhead::probing::Measure;
use taskhead::problem::Problem;
use taskhead::simulation::{Probe, Run, Settings};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Title and axis of the four metrics.
const METRICS: [(&str, &str); 4] = [
    ("Euclidean distance", "‖z_{T} − z₀‖"),
    ("Cosine distance", "1 − cos(z_{T}, z₀)"),
    ("Dot product", "z_{T}·z₀"),
    ("Norm", "‖z_{T}‖"),
];

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "figures".into());
    std::fs::create_dir_all(&folder)?;
    let figures: [Box<dyn Figure>; 9] = [
        Box::new(trend()?),
        Box::new(hyperbolas()?),
        Box::new(trajectories()?),
        Box::new(agreement()?),
        Box::new(heatmap()),
        Box::new(phase()),
        Box::new(risk()?),
        Box::new(smoothing()?),
        Box::new(digits()?),
    ];
    for figure in figures {
        for theme in Theme::ALL {
            let svg = figure.svg(theme);
            let path = Path::new(&folder).join(format!("{}-{}", figure.name(), theme.name()));
            std::fs::write(path.with_extension("png"), to_png(&svg, 2.0)?)?;
            std::fs::write(path.with_extension("svg"), &svg)?;
            println!("{} ({} kB)", path.with_extension("svg").display(), svg.len() / 1000);
        }
    }
    Ok(())
}

/// `count` numbers from `low` to `high`.
fn steps(low: f64, high: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| low + (high - low) * i as f64 / (count - 1) as f64).collect()
}

/// The same, evenly in the logarithm.
fn log_steps(low: f64, high: f64, count: usize) -> Vec<f64> {
    steps(low.ln(), high.ln(), count).into_iter().map(f64::exp).collect()
}

fn gaussian(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> DMatrix<f64> {
    DMatrix::from_fn(rows, columns, |_, _| StandardNormal.sample(rng))
}

/// A random problem and an initial head.
fn random(seed: u64, [n, d, h, k]: [usize; 4]) -> Result<(Problem, DMatrix<f64>)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let inputs = gaussian(n, d, &mut rng) / (d as f64).sqrt();
    let backbone = gaussian(h, d, &mut rng) / (h as f64).sqrt() * 1.5;
    let teacher = gaussian(d, k, &mut rng);
    let problem = Problem::linear(&inputs, &backbone, &inputs * teacher)?;
    Ok((problem, gaussian(h, k, &mut rng) * 0.5))
}

/// Energies of a run and the four metrics at each.
fn sweep(problem: &Problem, head: &DMatrix<f64>, count: usize) -> Result<(Vec<f64>, [Vec<f64>; 4])> {
    let run = Run::new(problem, head, 0.0)?;
    let (end, start) = (run.path().energy(f64::INFINITY)?, run.path().energy(0.0)?);
    let measure = Measure::Frobenius;
    let (low, high) = (measure.of(&end), measure.of(&start));
    let mut metrics: [Vec<f64>; 4] = Default::default();
    let mut energies = Vec::new();
    for share in steps(0.02, 1.0, count) {
        let energy = low + share * (high - low);
        let result = run.finetune(Probe::Frobenius(energy), &[f64::INFINITY], &Settings::default());
        energies.push(share);
        let values = result?[0].adaptation.values();
        metrics.iter_mut().zip(values).for_each(|(m, v)| m.push(v));
    }
    Ok((energies, metrics))
}

fn scaled(values: &[f64], scale: f64) -> Vec<f64> {
    values.iter().map(|v| v / scale).collect()
}

/// The highest point inside a curve.
fn peak(x: &[f64], y: &[f64]) -> Option<(f64, f64)> {
    let best = (0..y.len()).max_by(|&a, &b| y[a].total_cmp(&y[b]))?;
    (best > 0 && best + 1 < y.len()).then(|| (x[best], y[best]))
}

/// The size that a metric of features of mean norm |z₀| is divided by.
fn unit(metric: usize, norm: f64) -> f64 {
    [norm, 1.0, norm * norm, norm][metric]
}

fn trend() -> Result<Trend> {
    let mut panels = METRICS.map(|(title, y_label)| SeriesPanel {
        title: title.into(),
        y_label: format!("{y_label} (start = {})", if title.contains("distance") { 0 } else { 1 }),
        series: vec![],
    });
    let seeds = 8;
    let mut all: [Vec<Vec<f64>>; 4] = Default::default();
    let mut energies = Vec::new();
    for seed in 0..seeds {
        let (problem, head) = random(seed, [8, 12, 10, 1])?;
        let (x, metrics) = sweep(&problem, &head, 25)?;
        let norm = (0..8).map(|i| problem.features().row(i).norm()).sum::<f64>() / 8.0;
        energies = x;
        for (i, values) in metrics.iter().enumerate() {
            all[i].push(scaled(values, unit(i, norm)));
        }
    }
    let exact = |e: f64| Limit::new(1.5, 0.7, 1.5 * (1.0 - e)).adaptation().values();
    let dense = steps(0.0, 1.0, 201);
    let (problem, head) = random(99, [20, 30, 16, 3])?;
    let (x, metrics) = sweep(&problem, &head, 13)?;
    let norm = (0..20).map(|i| problem.features().row(i).norm()).sum::<f64>() / 20.0;
    for (i, panel) in panels.iter_mut().enumerate() {
        let quantile = |q: f64| -> Vec<f64> {
            (0..energies.len())
                .map(|j| {
                    let mut column: Vec<f64> = all[i].iter().map(|c| c[j]).collect();
                    column.sort_by(f64::total_cmp);
                    column[(q * (column.len() - 1) as f64).round() as usize]
                })
                .collect()
        };
        let (low, middle, high) = (quantile(0.1), quantile(0.5), quantile(0.9));
        let top = peak(&energies, &middle);
        let label = "8 random problems, 10–90 %";
        panel.series.push(Series::band(label, energies.clone(), middle, low, high).with_peak(top));
        for curve in &all[i] {
            panel.series.push(Series::thin(label, energies.clone(), curve.clone()));
        }
        let law: Vec<f64> = dense.iter().map(|&e| exact(e)[i]).collect();
        let top = peak(&dense, &law);
        panel.series.push(Series::line("rank-one law", dense.clone(), law).with_peak(top));
        let values = scaled(&metrics[i], unit(i, norm));
        let top = peak(&x, &values);
        panel.series.push(Series::points("3 outputs", x.clone(), values).with_peak(top));
    }
    Ok(Trend { x_label: "initial energy E / E_{max}".into(), panels: panels.into() })
}

fn hyperbolas() -> Result<Hyperbolas> {
    let (y, w) = (1.5, 0.8);
    let times: Vec<f64> = log_steps(1e-3, 1e2, 300);
    let path = |energy: f64| -> Result<FeaturePath> {
        let a = y - energy;
        let flow = RankOne::new(1.0, 1.0, y, dvector![1.0, 0.0], dvector![a, w])?;
        let mut points = vec![(1.0, 0.0)];
        for &t in times.iter().chain([&f64::INFINITY]) {
            let z = flow.at(t)?.feature;
            points.push((z[0], z[1]));
        }
        Ok(FeaturePath { label: format!("E = {energy}"), head: (a, w), points })
    };
    let paths = [0.25, 0.75, 1.5, 2.25, 3.0].into_iter().map(path).collect::<Result<Vec<_>>>()?;
    let mut ends = Vec::new();
    for energy in steps(0.0, 3.0, 121) {
        ends.extend(path(energy)?.points.last());
    }
    Ok(Hyperbolas {
        x_label: "along z₀".into(),
        y_label: "along e ⊥ z₀".into(),
        start: ((1.0, 0.0), "z₀".into()),
        paths,
        ends: (ends, "ends z_{T}".into()),
    })
}

fn trajectories() -> Result<Trajectories> {
    let (problem, head) = random(3, [10, 16, 12, 2])?;
    let run = Run::new(&problem, &head, 0.0)?;
    let most = run.path().energy(0.0)?.frobenius;
    let times = log_steps(1e-2, 1e3, 120);
    let mut runs = Vec::new();
    let loss = |share: f64| (share * most).powi(2) / 2.0;
    for share in [0.25, 0.5, 1.0] {
        let results = run.finetune(Probe::Frobenius(share * most), &times, &Settings::default())?;
        let of = |f: &dyn Fn(&taskhead::simulation::Simulation) -> f64| results.iter().map(f).collect();
        runs.push(Trajectory {
            label: format!("E = {share} E_{{max}}"),
            time: times.clone(),
            residual: of(&|s| s.residual),
            distance: of(&|s| s.adaptation.euclidean),
            feature_norm: of(&|s| s.adaptation.norm),
            head_norm: of(&|s| s.head_norm.1),
            backbone: of(&|s| s.budget.map_or(f64::NAN, |b| b.backbone) / loss(share)),
            head: of(&|s| s.budget.map_or(f64::NAN, |b| b.head) / loss(share)),
        });
    }
    Ok(Trajectories {
        time: Axis::log("time t (1 / backbone rate)"),
        residual: Axis::log("‖R‖").with_range(1e-6, 10.0),
        distance: Axis::linear("‖z_{t} − z₀‖, mean"),
        feature_norm: Axis::linear("‖z_{t}‖, mean"),
        head_norm: Axis::linear("‖V‖_{F}"),
        spent: Axis::linear("share of the loss spent").with_range(0.0, 1.0),
        runs,
    })
}

fn agreement() -> Result<Agreement> {
    let problem = Problem::new(
        DMatrix::from_row_slice(1, 2, &[1.0, 0.0]),
        DMatrix::from_element(1, 1, 1.0),
        DMatrix::from_element(1, 1, 1.5),
    )?;
    let head = DMatrix::from_column_slice(2, 1, &[-0.4, 0.8]);
    let reduction = taskhead::reduction::Reduction::new(&problem, &head)?;
    let flow = Flow::new(&reduction, &head, 1.0)?;
    let exact = RankOne::of_flow(&flow)?;
    let times = log_steps(1e-3, 30.0, 150);
    let (mut curves, mut tolerances) = (Vec::new(), Vec::new());
    for (rtol, name) in [(1e-4, "10⁻⁴"), (1e-7, "10⁻⁷"), (1e-10, "10⁻¹⁰"), (1e-13, "10⁻¹³")]
    {
        let options = Options { rtol, times: times.clone(), ..Options::default() };
        let solution = solve(&flow, 30.0, &options)?;
        let mut errors = Vec::new();
        for point in &solution.points {
            let z = exact.at(point.time)?.feature;
            let found = reduction.features_at(&point.state);
            errors.push((found.row(0).transpose() - &z).norm() / z.norm());
        }
        let curve = format!("error at {name}");
        curves.push(Series::line(curve.clone(), times[..errors.len()].to_vec(), errors));
        tolerances.push(Tolerance { label: format!("tolerance {name}"), value: rtol, curve });
    }
    let (label, curve) = ("rounding of f64".into(), String::new());
    tolerances.push(Tolerance { label, value: f64::EPSILON, curve });
    Ok(Agreement {
        x_label: "time t (1 / backbone rate)".into(),
        y_label: "‖z_{t} − exact‖ / ‖z_{t}‖".into(),
        curves,
        tolerances,
        floor: f64::EPSILON / 4.0,
    })
}

fn heatmap() -> HeatMap {
    let y = 1.5;
    let energies = steps(0.0, 3.0, 61);
    let norms = steps(0.05, 2.5, 50);
    let value = |e: f64, w: f64, metric: usize| Limit::new(y, w, y - e).adaptation().values()[metric];
    let panels = METRICS.iter().enumerate().map(|(i, (title, label))| {
        let ridge: Vec<(f64, f64)> = norms
            .iter()
            .filter_map(|&w| {
                let x = steps(0.0, 3.0, 601);
                let values: Vec<f64> = x.iter().map(|&e| value(e, w, i)).collect();
                peak(&x, &values).map(|p| (p.0, w))
            })
            .collect();
        HeatPanel {
            title: (*title).into(),
            value_label: (*label).into(),
            grid: Grid::from_fn(energies.clone(), norms.clone(), |e, w| value(e, w, i)),
            ridge_label: if ridge.is_empty() { String::new() } else { "maximum over E".into() },
            ridge,
        }
    });
    HeatMap {
        x: Axis::linear("initial energy E"),
        y: Axis::linear("head norm orthogonal to z₀, w"),
        panels: panels.collect(),
    }
}

fn phase() -> Phase {
    let targets = log_steps(0.1, 10.0, 90);
    let widths = log_steps(0.01, 10.0, 90);
    // Up to E = 3y: does the metric keep its direction between E = y and the end?
    let law = |y: f64, w: f64, metric: usize, sign: f64| -> u8 {
        let values: Vec<f64> = steps(y, 3.0 * y, 120)
            .into_iter()
            .map(|e| sign * Limit::new(y, w, y - e).adaptation().values()[metric])
            .collect();
        let range = values.iter().fold(0.0_f64, |r, v| r.max(v.abs()));
        let worst = values.windows(2).map(|p| p[1] - p[0]).fold(f64::INFINITY, f64::min);
        if worst > 1e-4 * range {
            0
        } else if worst < 0.0 {
            2
        } else {
            1
        }
    };
    let laws =
        [("distance rises", 0, 1.0), ("cosine distance rises", 1, 1.0), ("dot product falls", 2, -1.0)];
    let panels = laws.into_iter().map(|(title, metric, sign)| PhasePanel {
        title: title.into(),
        grid: Grid::from_fn(targets.clone(), widths.clone(), |y, w| law(y, w, metric, sign)),
        curves: vec![],
    });
    Phase {
        x: Axis::log("target y"),
        y: Axis::log("head norm w"),
        states: ["holds for E in [y, 3y]", "undecided", "fails"].map(String::from).to_vec(),
        panels: panels.collect(),
    }
}

fn risk() -> Result<Risk> {
    let (n, d, h) = (30, 60, 8);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let inputs = gaussian(n, d, &mut rng);
    let backbone = gaussian(d, h, &mut rng).qr().q().transpose();
    let inside = backbone.rows(0, 1).transpose();
    let random = gaussian(d, 1, &mut rng);
    let outside = &random - backbone.tr_mul(&(&backbone * &random));
    let outside = &outside / outside.norm();
    let mut head = gaussian(h, 1, &mut rng);
    head *= 0.5 / head.norm();
    let held = gaussian(400, d, &mut rng);
    let mut times = vec![0.0];
    times.extend(log_steps(1e-3, 1.0, 25));
    times.push(f64::INFINITY);
    let mut curves = Vec::new();
    for angle in [0.0, 0.4, 0.8, 1.2] {
        let teacher = &inside * f64::cos(angle) + &outside * f64::sin(angle);
        let problem = Problem::linear(&inputs, &backbone, &inputs * &teacher)?
            .with_held_out_inputs(&held, &inputs, &backbone)?;
        let run = Run::new(&problem, &head, 0.0)?;
        let truth = &held * &teacher;
        let mut risks = Vec::new();
        for &tau in &times {
            let end = &run.finetune(Probe::Time(tau), &[f64::INFINITY], &Settings::default())?[0];
            let features = run.held_out_features(end).ok_or("held-out inputs were given")?;
            let error = features * run.head(end) - &truth;
            risks.push(error.norm_squared() / 400.0);
        }
        let best = (0..risks.len()).min_by(|&a, &b| risks[a].total_cmp(&risks[b])).unwrap_or(0);
        let optimum = Some((times[best], risks[best]));
        let label = format!("φ = {angle} rad");
        curves.push(Series::line(label, times.clone(), risks).with_peak(optimum));
    }
    Ok(Risk {
        x_label: "probing time τ (1 / head rate)".into(),
        y_label: "downstream risk".into(),
        curves,
    })
}

fn smoothing() -> Result<Smoothing> {
    let (n, h, k) = (24, 32, 4);
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let features = gaussian(n, h, &mut rng) / (h as f64).sqrt();
    let targets = DMatrix::from_fn(n, k, |i, j| if i % k == j { 1.0 } else { 0.0 });
    let problem = Problem::new(features, DMatrix::identity(n, n), targets)?;
    let head = gaussian(h, k, &mut rng) * 0.3;
    let mut time = vec![0.0];
    time.extend(log_steps(1e-1, 1e4, 120));
    time.push(f64::INFINITY);
    let path = |epsilon: f64| -> Result<Vec<f64>> {
        let run = Run::new(&problem, &head, epsilon)?;
        time.iter().map(|&t| Ok(run.path().energy(t)?.aie)).collect()
    };
    let mut curves = Vec::new();
    for epsilon in [0.0, 0.1, 0.2, 0.4] {
        let energy = path(epsilon)?;
        let floor = energy[energy.len() - 1];
        curves.push(SmoothingCurve { epsilon, time: time.clone(), energy, floor });
    }
    let mut floors = Vec::new();
    for epsilon in steps(0.0, 0.5, 11) {
        floors.push((epsilon, path(epsilon)?[time.len() - 1]));
    }
    Ok(Smoothing {
        time_label: "probing time τ (1 / head rate)".into(),
        energy_label: "average initial energy".into(),
        curves,
        epsilon_label: "label smoothing ε".into(),
        floor_label: "energy at τ = ∞".into(),
        floors,
    })
}

/// Five noisy classes stand in for images: the figure does not know the difference.
fn digits() -> Result<Digits> {
    let (d, h) = (40, 16);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let centres = gaussian(5, d, &mut rng);
    let mut sample = |count: usize| {
        let noise = gaussian(count, d, &mut rng) * 1.6;
        let inputs = DMatrix::from_fn(count, d, |i, j| (centres[(i % 5, j)] + noise[(i, j)]) / 6.0);
        let labels = DMatrix::from_fn(count, 5, |i, j| if i % 5 == j { 1.0 } else { 0.0 });
        (inputs, labels)
    };
    let ((inputs, targets), (held, held_targets)) = (sample(30), sample(300));
    let backbone = gaussian(h, d, &mut ChaCha8Rng::seed_from_u64(2)) / (d as f64).sqrt();
    let problem = Problem::linear(&inputs, &backbone, targets.clone())?
        .with_held_out_inputs(&held, &inputs, &backbone)?;
    let head = gaussian(h, 5, &mut ChaCha8Rng::seed_from_u64(3)) * 0.3;
    let run = Run::new(&problem, &head, 0.0)?;
    let right = |scores: DMatrix<f64>, truth: &DMatrix<f64>| -> f64 {
        let rows = scores.row_iter().zip(truth.row_iter());
        let hits = rows.filter(|(s, t)| s.transpose().imax() == t.transpose().imax()).count();
        hits as f64 / truth.nrows() as f64
    };
    let (mut energy, mut train, mut test) = (vec![], vec![], vec![]);
    let mut metrics: [Vec<f64>; 4] = Default::default();
    let mut times = vec![f64::INFINITY];
    times.extend(log_steps(3e-2, 100.0, 14).into_iter().rev());
    times.push(0.0);
    for tau in times {
        let end = &run.finetune(Probe::Time(tau), &[f64::INFINITY], &Settings::default())?[0];
        energy.push(end.energy.aie);
        train.push(right(run.features(end) * run.head(end), &targets));
        let features = run.held_out_features(end).ok_or("held-out inputs were given")?;
        test.push(right(features * run.head(end), &held_targets));
        metrics.iter_mut().zip(end.adaptation.values()).for_each(|(m, v)| m.push(v));
    }
    let most = energy.iter().fold(0.0_f64, |m, &e| m.max(e));
    let normalised = scaled(&energy, most);
    let series = METRICS.iter().zip(&metrics).map(|((title, _), values)| {
        let largest = values.iter().fold(0.0_f64, |m, &v| m.max(v));
        let values = scaled(values, largest);
        let top = peak(&normalised, &values);
        Series::line(*title, normalised.clone(), values).with_peak(top)
    });
    Ok(Digits {
        accuracy_x_label: "average initial energy".into(),
        accuracy: SeriesPanel {
            title: "Accuracy after finetuning".into(),
            y_label: "accuracy".into(),
            series: vec![
                Series::line("training", energy.clone(), train),
                Series::line("held out", energy, test),
            ],
        },
        adaptation_x_label: "initial energy E / E_{max}".into(),
        adaptation: SeriesPanel {
            title: "Adaptation".into(),
            y_label: "metric / its maximum".into(),
            series: series.collect(),
        },
    })
}
