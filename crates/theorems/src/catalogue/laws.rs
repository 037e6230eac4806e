//! T9–T13: the four laws of the trend in the rank-one model, and where they end.

use super::check::{Case, Check, Draw, Judge, Scored, Trial};
use super::instance::Instance;
use super::rank_one::{derivative, smooth_step};
use super::{Entry, Evidence, Kind, OWN};
use taskhead::adaptation::Adaptation;
use taskhead::flow::rank_one::Limit;

const MODEL: &str = "normalised rank-one model, t → ∞, y > 0";
const PROBED: &str = "heads that differ by probing only: v₀ = a z₀ + w e with w fixed";

/// Entries of this file.
pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "T9",
        name: "norm law",
        kind: Kind::Law,
        statement: "The norm of the finetuned feature grows with energy up to E = y, where the head sees nothing of the \
                    feature, and falls beyond.",
        formula: "|z_T|² = ½(√(4y² + m² − 4a²) + 1 − a² − w²), strictly decreasing in a²",
        hypotheses: &[MODEL, PROBED],
        source: OWN,
        proofs: &["T9_closed_form", "T9_norm_law", "T9_rises", "T9_energy"],
        figure: Some("trend"),
        evidence: Evidence::Checks(&[
            Check {
                claim: "the closed form is the norm of the limit",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: norm_formula,
                cost: 1,
                edges: &["w = 0", "a = 0"],
                violations: &["a finite time"],
            },
            Check {
                claim: "the norm rises with E on [0, y]",
                judge: Judge::Margin,
                trial: norm_rises,
                cost: 1,
                edges: &["w = 0", "y = w = 1e-2", "y = w = 1e2"],
                violations: &["beyond E = y"],
            },
            Check {
                claim: "the norm falls with E on [y, 2y]",
                judge: Judge::Margin,
                trial: norm_falls,
                cost: 1,
                edges: &["y = w = 1e-2", "y = w = 1e2"],
                violations: &["before E = y"],
            },
        ]),
    },
    Entry {
        id: "T10",
        name: "distance law",
        kind: Kind::Law,
        statement: "The Euclidean distance between new and old feature grows with energy on [0, y].",
        formula: "½P d|z_T − z₀|²/da = −{A a (cosh σ + a sinh σ) + w² sinh σ (cosh 2σ + a sinh σ)}, \
                  A = cosh σ − 1 + a sinh σ",
        hypotheses: &[MODEL, PROBED, "E ≤ y"],
        source: OWN,
        proofs: &["T10_is_derivative", "T10_derivative", "T10_distance_law", "T10_energy"],
        figure: Some("trend"),
        evidence: Evidence::Checks(&[
            Check {
                claim: "the derivative by differences is the formula",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: distance_slope,
                cost: 1,
                edges: &["a = 0", "a = y"],
                violations: &["a head norm that changes with a"],
            },
            Check {
                claim: "the distance rises with E on [0, y]",
                judge: Judge::Margin,
                trial: distance_rises,
                cost: 1,
                edges: &["w = 0", "y = w = 1e-2", "y = w = 1e2"],
                violations: &["beyond E = y, at y = 5 and w = 1"],
            },
        ]),
    },
    Entry {
        id: "T11",
        name: "cosine law",
        kind: Kind::Law,
        statement: "The angle between new and old feature grows with energy, without end.",
        formula: "d(coth σ + a)/da = ((P + 1 − a²) sinh²σ + (cosh σ + a sinh σ)²)/(P sinh²σ) > 0, \
                  as P + 1 − a² = 2|z_T|² + w²",
        hypotheses: &[MODEL, PROBED, "w > 0"],
        source: OWN,
        proofs: &["T11_cosine_law", "T11_no_orthogonal_part", "T11_energy"],
        figure: Some("trend"),
        evidence: Evidence::Checks(&[Check {
            claim: "the angle rises with E on [0, 10 y]",
            judge: Judge::Margin,
            trial: angle_rises,
            cost: 1,
            edges: &["w = 1e-6", "y = w = 1e-2", "y = w = 1e2"],
            violations: &["w = 0"],
        }]),
    },
    Entry {
        id: "T12",
        name: "dot-product law",
        kind: Kind::Law,
        statement: "The dot product of new and old feature first grows with energy, then falls, with one peak inside (0, y); \
                    if the head has no part orthogonal to the feature it grows on all of [0, y].",
        formula: "z_T·z₀ = cosh σ + a sinh σ, P d(z_T·z₀)/da = cosh σ (w² cosh 2σ tanh σ − a(1 + a tanh σ))",
        hypotheses: &[MODEL, PROBED, "w > 0 (for the peak)", "E ≤ y"],
        source: OWN,
        proofs: &[
            "T12_dot_law",
            "T12_no_orthogonal_part",
            "T12_energy",
            "T12_energy_parallel",
            "T12_two_turns",
        ],
        figure: Some("trend"),
        evidence: Evidence::Checks(&[
            Check {
                claim: "the dot product rises to one peak inside (0, y), then falls",
                judge: Judge::Margin,
                trial: dot_peaks,
                cost: 1,
                edges: &["y = w = 0.1", "y = w = 1e2"],
                violations: &["w = 0"],
            },
            Check {
                claim: "for w = 0 it rises on all of [0, y]",
                judge: Judge::Margin,
                trial: dot_rises,
                cost: 1,
                edges: &["y = 1e-2", "y = 1e2"],
                violations: &["w = 1"],
            },
        ]),
    },
    Entry {
        id: "T13",
        name: "where the trend ends",
        kind: Kind::Law,
        statement: "Beyond E = y the norm falls and the angle goes on to grow, but the distance law fails for some targets and \
                    heads, and the dot product may turn up again. The exact regions are certified by \
                    `taskhead verify --certify`.",
        formula: "a < 0",
        hypotheses: &[MODEL, PROBED, "E > y"],
        source: OWN,
        proofs: &[
            "T13_norm_falls",
            "T13_energy",
            "T13_distance_breaks",
            "T13_dot_turns_up",
            "T13_dot_boundary",
            "T13_distance_boundary",
        ],
        figure: Some("phase"),
        evidence: Evidence::Checks(&[
            Check {
                claim: "beyond E = y the norm falls and the angle rises, on [y, 2y]",
                judge: Judge::Margin,
                trial: beyond,
                cost: 1,
                edges: &["y = w = 1e-2", "y = w = 1e2"],
                violations: &["before E = y"],
            },
            Check {
                claim: "the distance falls somewhere in [y, y + 3] (an example)",
                judge: Judge::Margin,
                trial: distance_breaks,
                cost: 0,
                edges: &["y = 11/8, w = 1"],
                violations: &["y = 0.1, w = 10"],
            },
            Check {
                claim: "the dot product rises somewhere in [y, y + 3] (an example)",
                judge: Judge::Margin,
                trial: dot_turns_up,
                cost: 0,
                edges: &["y = 23/9, w = 1/2"],
                violations: &["y = 0.1, w = 10"],
            },
        ]),
    },
];

/// Energies on which a curve is looked at.
const STEPS: usize = 24;

/// (y, w) log-uniform in [1e-2, 1e2], or an edge given as (y, w).
fn target_and_norm(draw: &mut Draw, edge: Option<(f64, f64)>) -> (f64, f64) {
    edge.unwrap_or_else(|| (draw.log_uniform(1e-2, 1e2), draw.log_uniform(1e-2, 1e2)))
}

/// The smallest rise of a curve between neighbours, over the mean rise's size: above 0 if it rises strictly.
fn smallest_rise(values: &[f64]) -> f64 {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let unit = (high - low) / (values.len() - 1) as f64;
    let least = values.windows(2).map(|v| v[1] - v[0]).fold(f64::INFINITY, f64::min);
    if unit > 0.0 { least / unit } else { least.min(0.0) }
}

/// A function of the adaptation along the energies `from` to `to`.
fn curve(y: f64, w: f64, from: f64, to: f64, of: impl Fn(&Adaptation) -> f64) -> Vec<f64> {
    (0..=STEPS)
        .map(|i| {
            let e = from + (to - from) * i as f64 / STEPS as f64;
            of(&Limit::new(y, w, y - e).adaptation())
        })
        .collect()
}

/// tan²(θ/2) = (1 − cos θ)/(1 + cos θ), which rises with the angle and keeps small ones.
fn half_angle(a: &Adaptation) -> f64 {
    a.cosine / (2.0 - a.cosine)
}

/// The instance at the energy `e`.
fn at(y: f64, w: f64, e: f64) -> Instance {
    Instance::rank_one(y, w, y - e)
}

fn norm_formula(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let (y, mut w) = target_and_norm(&mut draw, None);
    let mut a = y * draw.uniform(-2.0, 2.0);
    match edge {
        Some(0) => (w, a) = (0.0, 0.3 * y),
        Some(1) => a = 0.0,
        _ => {}
    }
    let m = 1.0 + a * a + w * w;
    let square = ((4.0 * y * y + m * m - 4.0 * a * a).sqrt() + 1.0 - a * a - w * w) / 2.0;
    let mut norm = Limit::new(y, w, a).adaptation().norm;
    let instance = Instance::rank_one(y, w, a);
    if violation.is_some() {
        let (z, _) = super::reference::features_and_head(&instance.clone().until(0.1 / m))?;
        norm = z.norm();
    }
    // The formula itself cancels for large a and w: its terms set the scale.
    Ok(Trial::new((norm * norm - square).abs() / (m + 2.0 * y), instance))
}

fn norm_rises(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let edge = edge.map(|i| [(1.0, 0.0), (1e-2, 1e-2), (1e2, 1e2)][i]);
    let (y, w) = target_and_norm(&mut draw, edge);
    let (from, to) = if violation.is_some() { (y, 2.0 * y) } else { (0.0, y) };
    let margin = smallest_rise(&curve(y, w, from, to, |a| a.norm));
    Ok(Trial::new(margin, at(y, w, to)))
}

fn norm_falls(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let edge = edge.map(|i| [(1e-2, 1e-2), (1e2, 1e2)][i]);
    let (y, w) = target_and_norm(&mut draw, edge);
    let (from, to) = if violation.is_some() { (0.0, y) } else { (y, 2.0 * y) };
    let margin = smallest_rise(&curve(y, w, from, to, |a| -a.norm));
    Ok(Trial::new(margin, at(y, w, to)))
}

fn distance_slope(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let (y, w) = target_and_norm(&mut draw, None);
    let a = match edge {
        Some(0) => 0.0,
        Some(1) => y,
        _ => y * draw.uniform(-1.0, 1.0),
    };
    let square = |a: f64, w: f64| Limit::new(y, w, a).adaptation().euclidean.powi(2);
    let moving = if violation.is_some() { 1.0 } else { 0.0 };
    let step = smooth_step(y, w, a);
    let found = derivative(|x| square(x, w + moving * (x - a)), a, step);
    let sigma = Limit::new(y, w, a).rapidity();
    let (s, c) = (sigma.sinh(), sigma.cosh());
    let (turn, double) = (2.0 * (sigma / 2.0).sinh().powi(2), (2.0 * sigma).cosh());
    let m = 1.0 + a * a + w * w;
    let p = (4.0 * y * y + m * m - 4.0 * a * a).sqrt();
    let brace = (turn + a * s) * a * (c + a * s) + w * w * s * (double + a * s);
    // Differences see the change of D² over the step, not less.
    let seen =
        square(a, w).max(square(a - 4.0 * step, w)).max(square(a + 4.0 * step, w)) / (100.0 * step);
    let size = (2.0 * brace / p).abs() + seen;
    Ok(Trial::new((found + 2.0 * brace / p).abs() / size, Instance::rank_one(y, w, a)))
}

fn distance_rises(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let edge = edge.map(|i| [(1.0, 0.0), (1e-2, 1e-2), (1e2, 1e2)][i]);
    let (mut y, mut w) = target_and_norm(&mut draw, edge);
    let (mut from, mut to) = (0.0, y);
    if violation.is_some() {
        (y, w) = (5.0, 1.0);
        (from, to) = (y, 2.0 * y);
    }
    let margin = smallest_rise(&curve(y, w, from, to, |a| a.euclidean));
    Ok(Trial::new(margin, at(y, w, to)))
}

fn angle_rises(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let edge = edge.map(|i| [(1.0, 1e-6), (1e-2, 1e-2), (1e2, 1e2)][i]);
    let (y, mut w) = target_and_norm(&mut draw, edge);
    if violation.is_some() {
        w = 0.0;
    }
    let margin = smallest_rise(&curve(y, w, 0.0, 10.0 * y, half_angle));
    Ok(Trial::new(margin, at(y, w, 10.0 * y)))
}

/// The smallest step in the right direction on either side of the largest value, which must lie
/// inside; the steps at the peak itself may be of any size.
fn peak_margin(values: &[f64]) -> f64 {
    let peak = (0..values.len()).max_by(|&i, &j| values[i].total_cmp(&values[j])).unwrap_or(0);
    if peak == 0 || peak == values.len() - 1 {
        return -1.0;
    }
    let up = smallest_rise(&values[..=peak]);
    let down: Vec<f64> = values[peak..].iter().map(|v| -v).collect();
    up.min(smallest_rise(&down))
}

fn dot_peaks(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let edge = edge.map(|i| [(0.1, 0.1), (1e2, 1e2)][i]);
    let (y, mut w) = target_and_norm(&mut draw, edge);
    if violation.is_some() {
        w = 0.0;
    }
    // The peak may lie very near either end: energies are log-spaced from both.
    let mut energies: Vec<f64> = (0..60).map(|i| 0.5 * y * 0.7f64.powi(i)).collect();
    energies.extend(energies.clone().iter().map(|e| y - e));
    energies.sort_by(f64::total_cmp);
    energies.dedup();
    let values: Vec<f64> = energies.iter().map(|&e| dot_gain(y, w, y - e)).collect();
    let (peak, _) = values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap_or((0, &0.0));
    Ok(Trial::new(peak_margin(&values), at(y, w, energies[peak])))
}

/// z_T·z₀ − 1 without cancellation.
fn dot_gain(y: f64, w: f64, a: f64) -> f64 {
    let sigma = Limit::new(y, w, a).rapidity();
    2.0 * (sigma / 2.0).sinh().powi(2) + a * sigma.sinh()
}

fn dot_rises(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let edge = edge.map(|i| ([1e-2, 1e2][i], 0.0));
    let (y, _) = target_and_norm(&mut draw, edge);
    let w = if violation.is_some() { 1.0 } else { 0.0 };
    let values: Vec<f64> =
        (0..=STEPS).map(|i| dot_gain(y, w, y * (1.0 - i as f64 / STEPS as f64))).collect();
    Ok(Trial::new(smallest_rise(&values), at(y, w, y)))
}

fn beyond(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let edge = edge.map(|i| [(1e-2, 1e-2), (1e2, 1e2)][i]);
    let (y, w) = target_and_norm(&mut draw, edge);
    let (from, to) = if violation.is_some() { (0.0, y) } else { (y, 2.0 * y) };
    let norm = smallest_rise(&curve(y, w, from, to, |a| -a.norm));
    let angle = smallest_rise(&curve(y, w, y, 2.0 * y, half_angle));
    Ok(Trial::new(norm.min(angle), at(y, w, to)))
}

/// The largest step against the direction `sign` in [y, y + 3], relative to the value.
fn break_of(y: f64, w: f64, sign: f64, of: impl Fn(&Adaptation) -> f64) -> Trial {
    let values = curve(y, w, y, y + 3.0, |a| sign * of(a));
    let size = values.iter().fold(0.0_f64, |s, v| s.max(v.abs()));
    let against = values.windows(2).map(|v| v[0] - v[1]).fold(f64::NEG_INFINITY, f64::max);
    Trial::new(against / size, at(y, w, y + 3.0))
}

fn distance_breaks(case: Case) -> Scored {
    let (_, edge, _) = case.split();
    let (y, w) = if edge.is_some() { (11.0 / 8.0, 1.0) } else { (0.1, 10.0) };
    Ok(break_of(y, w, 1.0, |a| a.euclidean))
}

fn dot_turns_up(case: Case) -> Scored {
    let (_, edge, _) = case.split();
    let (y, w) = if edge.is_some() { (23.0 / 9.0, 0.5) } else { (0.1, 10.0) };
    Ok(break_of(y, w, -1.0, |a| a.dot))
}
