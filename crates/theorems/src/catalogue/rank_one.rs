//! T7, T8: the rank-one model in closed form, and its limit.

use nalgebra::{DMatrix, DVector};

use super::check::{Case, Check, Draw, Judge, Scored, Trial};
use super::general::text;
use super::instance::Instance;
use super::reference;
use super::{Entry, Evidence, Kind, OWN};
use taskhead::flow::rank_one::{Limit, RankOne};

/// Entries of this file.
pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "T7",
        name: "rank one in closed form",
        kind: Kind::Identity,
        statement: "One sample with one output: feature and head rotate hyperbolically by the rapidity σ(t), which solves \
                    a Riccati equation. Training fits the target exactly unless the head is exactly opposite to the \
                    feature; then both shrink to 0 and the target is never fitted (y > 0).",
        formula: "ẑ(t) = cosh σ ẑ₀ + sinh σ v̂₀, v̂(t) = cosh σ v̂₀ + sinh σ ẑ₀, σ̇ = √(κγ) r",
        hypotheses: &["one sample (or colinear inputs) and one output", "κ, γ ≥ 0"],
        source: OWN,
        proofs: &[
            "T7_clock_equation",
            "T7_boost_is_flow",
            "T7_flow_is_boost",
            "T7_clock_limit",
            "T7_convergence",
            "T7_limit_unique",
            "T7_residual_vanishes",
            "T7_opposite_head",
            "T7_opposite_collapse",
            "T7_general_converges",
            "T7_general_unique",
        ],
        figure: Some("hyperbolas"),
        evidence: Evidence::Checks(&[
            Check {
                claim: "feature, head and residual at any time are those of an independent integration",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: any_time,
                cost: 4,
                edges: &[
                    "t = 0",
                    "y = 0",
                    "z₀ = 0",
                    "v₀ = 0",
                    "head opposite to the feature",
                    "v̂₀ = ẑ₀",
                    "frozen head",
                    "y < 0",
                ],
                violations: &["a second sample"],
            },
            Check {
                claim: "the limit is where an independent integration ends, and it fits the target",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: limit,
                cost: 10,
                edges: &["y < 0", "v₀ = 0", "head nearly opposite to the feature (1e-3)"],
                violations: &["head opposite to the feature: the target is not fitted"],
            },
        ]),
    },
    Entry {
        id: "T8",
        name: "limit equation",
        kind: Kind::Identity,
        statement: "The final rapidity is the only root of m sinh 2σ + 2a cosh 2σ = 2y; it is positive exactly if a < y, and \
                    all limit quantities need square roots only.",
        formula: "P = m cosh 2σ + 2a sinh 2σ = √(4y² + m² − 4a²), dσ/da = −(cosh 2σ + a sinh 2σ)/P, m = 1 + a² + w²",
        hypotheses: &["κ = γ = |z₀| = 1 (else scale)", "w > 0 or |a| ≠ 1"],
        source: OWN,
        proofs: &[
            "T8_root",
            "T8_unique",
            "T8_generic",
            "T8_zero",
            "T8_sign",
            "T8_algebraic",
            "T8_derivative",
        ],
        figure: None,
        evidence: Evidence::Checks(&[
            Check {
                claim: "σ solves the limit equation and P is the square root",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: limit_equation,
                cost: 1,
                edges: &["w = 0", "y = 0", "a = −1 and w = 1e-3", "y = 1e3", "y = 1e-6"],
                violations: &["w = 0 and a = −1"],
            },
            Check {
                claim: "the left-hand side rises with σ through exactly one root, with the sign of y − a",
                judge: Judge::Margin,
                trial: one_root,
                cost: 1,
                edges: &["w = 0", "y = 0"],
                violations: &["w = 0 and a = −1"],
            },
            Check {
                claim: "dσ/da by differences is −(cosh 2σ + a sinh 2σ)/P",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: slope_of_rapidity,
                cost: 1,
                edges: &["a = 0", "a = y"],
                violations: &["a head norm that changes with a"],
            },
        ]),
    },
];

/// A random rank-one instance in width up to 5 with κ and γ between 0.1 and 10.
fn random(draw: &mut Draw) -> Instance {
    let h = draw.integer(1, 5);
    let size = draw.log_uniform(0.3, 3.0) / (h as f64).sqrt();
    let kappa = draw.log_uniform(0.1, 10.0);
    let features = draw.normal(1, h, size);
    let head = draw.normal(h, 1, size);
    let y = draw.normal(1, 1, 1.5);
    let gamma = draw.log_uniform(0.1, 10.0);
    Instance::new(features, DMatrix::from_element(1, 1, kappa), y, head).with_head_rate(gamma)
}

/// How fast anything happens: an upper bound of the rates at the start and at the end.
fn rate(instance: &Instance) -> f64 {
    let size = instance.kernel[(0, 0)] * instance.head.norm_squared()
        + instance.head_rate * instance.features.norm_squared();
    size + 2.0 * (instance.kernel[(0, 0)] * instance.head_rate).sqrt() * instance.targets[(0, 0)].abs()
}

/// The head that is `factor` times the feature in hat coordinates (v̂₀ = factor·ẑ₀).
fn aligned(instance: &Instance, factor: f64) -> DMatrix<f64> {
    instance.features.transpose() * (factor * (instance.head_rate / instance.kernel[(0, 0)]).sqrt())
}

fn form(instance: &Instance) -> Result<RankOne, String> {
    let row = |m: &DMatrix<f64>| DVector::from_iterator(m.len(), m.iter().copied());
    RankOne::new(
        instance.kernel[(0, 0)],
        instance.head_rate,
        instance.targets[(0, 0)],
        row(&instance.features),
        row(&instance.head),
    )
    .map_err(text)
}

/// Errors of feature and head against a reference, relative to the size of both.
fn error(form: &RankOne, t: f64, z: &DMatrix<f64>, v: &DMatrix<f64>) -> Result<f64, String> {
    let point = form.at(t).map_err(text)?;
    let size = z.norm().hypot(v.norm()).max(f64::MIN_POSITIVE);
    let gap = (point.feature.transpose() - z).norm().hypot((point.head - v).norm());
    Ok(gap / size)
}

fn any_time(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let mut instance = random(&mut draw);
    match edge {
        Some(1) => instance.targets.fill(0.0),
        Some(2) => instance.features.fill(0.0),
        Some(3) => instance.head.fill(0.0),
        Some(4) => instance.head = aligned(&instance, -1.0),
        Some(5) => instance.head = aligned(&instance, 1.0),
        Some(6) => instance.head_rate = 0.0,
        Some(7) => instance.targets[(0, 0)] = -instance.targets[(0, 0)].abs(),
        _ => {}
    }
    let t = if edge == Some(0) { 0.0 } else { draw.log_uniform(0.03, 3.0) / rate(&instance) };
    instance.time = t;
    let form = form(&instance)?;
    if violation.is_some() {
        // The first sample of two: what the closed form says of it alone is not what happens.
        let h = instance.features.ncols();
        let mut two = instance.clone();
        two.features =
            DMatrix::from_fn(2, h, |i, j| instance.features[(0, j)] * if i == 0 { 1.0 } else { -0.5 });
        two.kernel = DMatrix::identity(2, 2) * instance.kernel[(0, 0)];
        two.targets = DMatrix::from_element(2, 1, instance.targets[(0, 0)]);
        let (z, v) = reference::features_and_head(&two)?;
        return Ok(Trial::new(error(&form, t, &z.rows(0, 1).into_owned(), &v)?, two));
    }
    let (z, v) = reference::features_and_head(&instance)?;
    let residual = instance.targets[(0, 0)] - (&z * &v)[(0, 0)];
    let size = instance.targets[(0, 0)].abs()
        + z.norm() * v.norm()
        + instance.features.norm() * instance.head.norm();
    let off = (form.at(t).map_err(text)?.residual - residual).abs();
    let off = if off == 0.0 { 0.0 } else { off / size };
    Ok(Trial::new(error(&form, t, &z, &v)?.max(off), instance))
}

fn limit(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let mut instance = random(&mut draw);
    let target = instance.targets[(0, 0)].abs().max(0.3);
    instance.targets[(0, 0)] = target * if edge == Some(0) { -1.0 } else { 1.0 };
    match edge {
        Some(1) => instance.head.fill(0.0),
        Some(2) => instance.head = aligned(&instance, -0.999),
        _ => {}
    }
    if violation.is_some() {
        instance.head = aligned(&instance, -1.0);
    }
    let form = form(&instance)?;
    let end = form.at(f64::INFINITY).map_err(text)?;
    let unfitted = (instance.targets[(0, 0)] - end.feature.dot(&end.head)).abs() / target;
    if violation.is_some() {
        return Ok(Trial::new(unfitted, instance));
    }
    // The residual decays at least like exp(−2√(κγ)|y|t) in the end.
    let slow = 2.0 * (instance.kernel[(0, 0)] * instance.head_rate).sqrt() * target;
    let late = instance.clone().until(60.0 / slow);
    let (z, v) = reference::features_and_head(&late)?;
    Ok(Trial::new(error(&form, f64::INFINITY, &z, &v)?.max(unfitted), instance))
}

/// A random point (y, w, a) of the normalised model: y, w log-uniform in [1e-2, 1e2], a up to 2y on either side.
fn point(draw: &mut Draw) -> (f64, f64, f64) {
    let (y, w) = (draw.log_uniform(1e-2, 1e2), draw.log_uniform(1e-2, 1e2));
    (y, w, y * draw.uniform(-2.0, 2.0))
}

fn size(w: f64, a: f64) -> f64 {
    1.0 + a * a + w * w
}

fn limit_equation(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let (mut y, mut w, mut a) = point(&mut draw);
    match edge {
        Some(0) => (w, a) = (0.0, 0.7 * y),
        Some(1) => y = 0.0,
        Some(2) => (w, a) = (1e-3, -1.0),
        Some(3) => y = 1e3,
        Some(4) => (y, a) = (1e-6, 3e-7),
        _ => {}
    }
    if violation.is_some() {
        (w, a) = (0.0, -1.0);
    }
    let sigma = Limit::new(y, w, a).rapidity();
    let (m, s, c) = (size(w, a), (2.0 * sigma).sinh(), (2.0 * sigma).cosh());
    let p = (4.0 * y * y + m * m - 4.0 * a * a).sqrt();
    let terms = m * s.abs() + 2.0 * a.abs() * c + 2.0 * y;
    let equation = (m * s + 2.0 * a * c - 2.0 * y).abs() / terms;
    let root = (m * c + 2.0 * a * s - p).abs() / (m * c + 2.0 * a.abs() * s.abs() + p);
    Ok(Trial::new(equation.max(root), Instance::rank_one(y, w, a)))
}

fn one_root(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let (mut y, mut w, mut a) = point(&mut draw);
    match edge {
        Some(0) => w = 0.0,
        Some(1) => y = 0.0,
        _ => {}
    }
    if violation.is_some() {
        (w, a) = (0.0, -1.0);
    }
    let m = size(w, a);
    let f = |sigma: f64| m * (2.0 * sigma).sinh() + 2.0 * a * (2.0 * sigma).cosh() - 2.0 * y;
    let grid: Vec<f64> = (-200..=200).map(|i| f64::from(i) * 0.06).collect();
    let steps = grid.windows(2).map(|s| (f(s[1]) - f(s[0])) / (m * (2.0 * s[0]).cosh()));
    let rises = steps.fold(f64::INFINITY, f64::min);
    let crosses = if f(grid[0]) < 0.0 && f(grid[400]) > 0.0 { 1.0 } else { -1.0 };
    // f(0) = 2(a − y): the root lies on the side of the sign of y − a.
    let sigma = Limit::new(y, w, a).rapidity();
    let side = if (y - a) == 0.0 { 1.0 } else { (y - a).signum() * sigma.signum() };
    Ok(Trial::new(rises.min(crosses).min(side), Instance::rank_one(y, w, a)))
}

/// Coefficients of the central difference of order 8.
const DIFFERENCES: [f64; 4] = [4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0, -1.0 / 280.0];

/// The derivative of f at x by central differences of order 8 with step h.
pub fn derivative(f: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    let pairs = (1..).zip(DIFFERENCES);
    pairs.map(|(i, c)| c * (f(x + f64::from(i) * h) - f(x - f64::from(i) * h))).sum::<f64>() / h
}

/// A step on which the limit quantities are smooth: their singularities lie at distance ~ √((1−|a|)² + w²).
pub fn smooth_step(y: f64, w: f64, a: f64) -> f64 {
    let (plus, minus) = ((1.0 + a).hypot(w), (1.0 - a).hypot(w));
    0.004 * plus.min(minus).min(plus * minus + y)
}

fn slope_of_rapidity(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let (y, w, mut a) = point(&mut draw);
    match edge {
        Some(0) => a = 0.0,
        Some(1) => a = y,
        _ => {}
    }
    let sigma = |a: f64, w: f64| Limit::new(y, w, a).rapidity();
    let s = sigma(a, w);
    let p = (4.0 * y * y + size(w, a).powi(2) - 4.0 * a * a).sqrt();
    let expected = -((2.0 * s).cosh() + a * (2.0 * s).sinh()) / p;
    let moving = if violation.is_some() { 1.0 } else { 0.0 };
    let found = derivative(|x| sigma(x, w + moving * (x - a)), a, smooth_step(y, w, a));
    // The two terms may cancel.
    let size = ((2.0 * s).cosh() + (a * (2.0 * s).sinh()).abs()) / p;
    Ok(Trial::new((found - expected).abs() / size, Instance::rank_one(y, w, a)))
}
