//! T17, T20, S1: orders of approximation, as fitted slopes.

use nalgebra::DMatrix;

use super::check::{Case, Check, Judge, Scored, Trial, fit_slope, unit};
use super::general::{solve, text};
use super::instance::Instance;
use super::{Entry, Evidence, Kind};
use taskhead::flow::Flow;
use taskhead::flow::descent::descend;
use taskhead::flow::lazy::lazy;
use taskhead::flow::solver;
use taskhead::probing::ProbingPath;
use taskhead::reduction::State;

/// Entries of this file.
pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "T17",
        name: "lazy limit",
        kind: Kind::Order,
        statement: "With the tangent kernel frozen at the start the motion is right to first order in the energy; the error \
                    is of second order.",
        formula: "Z_T − Z₀ = K S V₀ᵀ + O(E²) with K S V₀ᵀV₀ + γ Z₀Z₀ᵀS = R₀",
        hypotheses: &["features of full row rank: the head alone can fit the targets"],
        source: "Jacot, Gabriel, Hongler 2018; Chizat, Oyallon, Bach 2019",
        proofs: &[],
        figure: None,
        evidence: Evidence::Checks(&[Check {
            claim: "the slope of the error of the features over the energy is 2",
            judge: Judge::Slope { expected: 2.0, within: 0.1 },
            trial: lazy_order,
            cost: 40,
            edges: &["one sample", "γ = 0.1"],
            violations: &["the tangent kernel of another head"],
        }]),
    },
    Entry {
        id: "T20",
        name: "gradient descent",
        kind: Kind::Order,
        statement: "Gradient descent with step η follows the flow to first order in η, and the conserved matrix drifts by as \
                    much.",
        formula: "‖state after t/η steps − state(t)‖ = O(η), drift of VVᵀ − γBBᵀ = O(η)",
        hypotheses: &["steps below the stable one"],
        source: "Euler's method; Arora, Cohen, Golowich, Hu 2019",
        proofs: &["T20_drift_of_a_step"],
        figure: None,
        evidence: Evidence::Checks(&[
            Check {
                claim: "the slope of the distance to the flow over the step is 1",
                judge: Judge::Slope { expected: 1.0, within: 0.05 },
                trial: descent_order,
                cost: 40,
                edges: &["one sample", "γ = 0.1"],
                violations: &["descent with another head rate"],
            },
            Check {
                claim: "the slope of the drift over the step is 1",
                judge: Judge::Slope { expected: 1.0, within: 0.05 },
                trial: drift_order,
                cost: 40,
                edges: &["one sample", "γ = 0.1"],
                violations: &["descent with another head rate"],
            },
        ]),
    },
    Entry {
        id: "S1",
        name: "order of the solver",
        kind: Kind::Order,
        statement: "The solver's error at a fixed number of equal steps falls with the order of its method, 2s − 1 for s Radau \
                    stages.",
        formula: "error = O(step^(2s−1)), s = 3 in this check",
        hypotheses: &["steps that resolve the motion"],
        source: "Hairer, Wanner, Solving Ordinary Differential Equations II",
        proofs: &[],
        figure: Some("agreement"),
        evidence: Evidence::Checks(&[Check {
            claim: "the slope of the error over the step is 5 for three stages",
            judge: Judge::Slope { expected: 5.0, within: 0.5 },
            trial: solver_order,
            cost: 40,
            edges: &["one sample"],
            violations: &["one stage: order 1"],
        }]),
    },
];

fn distance(a: &State, b: &State) -> f64 {
    (&a.motion - &b.motion).norm().hypot((&a.head - &b.head).norm())
}

/// A problem whose head can fit the targets: h ≥ N, singular values of the features from 0.5 to 1.5.
fn fittable(draw: &mut super::check::Draw, n: usize) -> Instance {
    let (h, k) = (n + draw.integer(0, 4), draw.integer(1, 3));
    let (u, w) = (draw.orthonormal(n, n), draw.orthonormal(h, n));
    let s = nalgebra::DVector::from_fn(n, |_, _| draw.uniform(0.5, 1.5));
    let x = draw.normal(n, n + 2, unit(n));
    let head = draw.normal(h, k, unit(h));
    let features = &u * DMatrix::from_diagonal(&s) * w.transpose();
    Instance::new(features, &x * x.transpose(), draw.normal(n, k, 1.0), head)
}

fn samples(draw: &mut super::check::Draw, edge: Option<usize>) -> usize {
    if edge == Some(0) { 1 } else { draw.integer(1, 4) }
}

fn lazy_order(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = samples(&mut draw, edge);
    let mut instance = fittable(&mut draw, n);
    if edge == Some(1) {
        instance.head_rate = 0.1;
    }
    let path = ProbingPath::new(&instance.problem().map_err(text)?, &instance.head).map_err(text)?;
    let fitted = path.head(f64::INFINITY).map_err(text)?;
    let direction = &instance.head - &fitted;
    let reduction = instance.reduction().map_err(text)?;
    let rate = instance.head_rate;
    let mut points = Vec::new();
    for i in 0..5 {
        let scale = 2e-3 * 0.5f64.powi(i) / direction.norm();
        let flow = Flow::new(&reduction, &(&fitted + &direction * scale), rate).map_err(text)?;
        let exact = solve(&flow, f64::INFINITY)?;
        let approximate = if violation.is_some() {
            // The kernel of the head before probing, on the same residual.
            let other = Flow::new(&reduction, &instance.head, rate).map_err(text)?;
            let mut state = lazy(&other, f64::INFINITY).map_err(text)?;
            state.motion *= scale;
            state
        } else {
            lazy(&flow, f64::INFINITY).map_err(text)?
        };
        points.push((scale, (approximate.motion - exact.motion).norm()));
    }
    let (slope, deviation) = fit_slope(&points);
    Ok(Trial { deviation, ..Trial::new(slope, instance) })
}

/// Step, distance to the flow, drift.
type Descent = (f64, f64, f64);

/// Descents with a few steps.
fn descents(case: Case) -> Result<(Instance, Vec<Descent>), String> {
    let (mut draw, edge, violation) = case.split();
    let n = samples(&mut draw, edge);
    let mut instance = fittable(&mut draw, n).until(draw.uniform(0.5, 1.5));
    if edge == Some(1) {
        instance.head_rate = 0.1;
    }
    let reduction = instance.reduction().map_err(text)?;
    let flow = Flow::new(&reduction, &instance.head, instance.head_rate).map_err(text)?;
    let other = Flow::new(&reduction, &instance.head, instance.head_rate + 1.0).map_err(text)?;
    let exact = solve(&flow, instance.time)?;
    let points = (0..5)
        .map(|i| {
            let step = instance.time / (2000.0 * 2f64.powi(i));
            let used = if violation.is_some() { &other } else { &flow };
            let descent = descend(used, step, &[instance.time], 1_000_000).map_err(text)?;
            let end = &descent.moments[0].state;
            let drift = reduction.conservation_drift(flow.start(), end, instance.head_rate);
            Ok((step, distance(end, &exact), drift.ok_or("T2 does not apply")?))
        })
        .collect::<Result<_, String>>()?;
    Ok((instance, points))
}

fn descent_order(case: Case) -> Scored {
    let (instance, points) = descents(case)?;
    let (slope, deviation) = fit_slope(&points.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>());
    Ok(Trial { deviation, ..Trial::new(slope, instance) })
}

fn drift_order(case: Case) -> Scored {
    let (instance, points) = descents(case)?;
    let (slope, deviation) = fit_slope(&points.iter().map(|p| (p.0, p.2)).collect::<Vec<_>>());
    Ok(Trial { deviation, ..Trial::new(slope, instance) })
}

fn solver_order(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = samples(&mut draw, edge);
    let instance = fittable(&mut draw, n).until(1.0);
    let reduction = instance.reduction().map_err(text)?;
    let flow = Flow::new(&reduction, &instance.head, instance.head_rate).map_err(text)?;
    let stages = if violation.is_some() { 1 } else { 3 };
    let steps = |stages, count| solver::equal_steps(&flow, stages, instance.time, count).map_err(text);
    let exact = steps(7, 64)?;
    let points = [16, 23, 32, 45]
        .map(|count| Ok((1.0 / count as f64, distance(&steps(stages, count)?, &exact))))
        .into_iter()
        .collect::<Result<Vec<_>, String>>()?;
    let (slope, deviation) = fit_slope(&points);
    Ok(Trial { deviation, ..Trial::new(slope, instance) })
}
