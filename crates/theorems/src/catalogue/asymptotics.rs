//! T17, T20, T26: orders of approximation, as fitted slopes; S1: the error of the solver.

use nalgebra::DMatrix;

use super::check::{Case, Check, Judge, Scored, Trial, fit_slope, unit};
use super::general::{relative, solve, text};
use super::instance::Instance;
use super::reference;
use super::{Entry, Evidence, Kind};
use taskhead::flow::Flow;
use taskhead::flow::descent::descend;
use taskhead::flow::lazy::lazy;
use taskhead::probing::ProbingPath;
use taskhead::reduction::State;
use taskhead::simulation::{Method, Probe, Run, Settings};

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
        evidence: Evidence::Checks(&[
            Check {
                claim: "the slope of the error of the features over the energy is 2",
                judge: Judge::Slope { expected: 2.0, within: 0.1 },
                trial: lazy_order,
                cost: 40,
                edges: &["one sample", "γ = 0.1"],
                violations: &["the tangent kernel of another head"],
            },
            Check {
                claim: "the lazy motion is that of the tangent kernel written out as a matrix, at any time and head rate",
                judge: Judge::Error { tolerance: 1e-9 },
                trial: lazy_written_out,
                cost: 4,
                edges: &["one sample", "t = ∞"],
                violations: &["γ left out of the tangent kernel"],
            },
        ]),
    },
    Entry {
        id: "T26",
        name: "lazy limit of a network",
        kind: Kind::Order,
        statement: "For a network with features z(x) the lazy limit needs the whole tangent kernel 𝐊 = J Jᵀ, one N×N block for each pair of \
                    feature directions; the mean of its diagonal blocks misses a part of first order.",
        formula: "vec(Z_T − Z₀) = 𝐊 vec(S V₀ᵀ) + O(E²)",
        hypotheses: &["features of full row rank", "𝐊 in full"],
        source: "Jacot, Gabriel, Hongler 2018",
        proofs: &[],
        figure: None,
        evidence: Evidence::Checks(&[Check {
            claim: "the slope of the error of a two-layer network's features over the energy is 2",
            judge: Judge::Slope { expected: 2.0, within: 0.15 },
            trial: network_order,
            cost: 100,
            edges: &["one sample"],
            violations: &["the mean of the diagonal blocks for all directions"],
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
        name: "accuracy of the solver",
        kind: Kind::Bound,
        statement: "The solver's error is at most 30 times the tolerance that it was asked for: of the features in units of their \
                    motion, of the head in units of its own size.",
        formula: "‖ΔZ − ΔZ*‖ ≤ 30 tol ‖ΔZ*‖, ‖V − V*‖ ≤ 30 tol ‖V*‖",
        hypotheses: &["data of moderate size", "a tolerance from 1e-10 to 1e-3"],
        source: "Hairer, Wanner, Solving Ordinary Differential Equations II",
        proofs: &[],
        figure: Some("agreement"),
        evidence: Evidence::Checks(&[Check {
            claim: "the error against an independent integration is within 30 times the tolerance",
            judge: Judge::Ratio,
            trial: solver_accuracy,
            cost: 10,
            edges: &["one sample", "γ = 0.1"],
            violations: &["a head rate that is 1 % larger"],
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

fn solver_accuracy(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = samples(&mut draw, edge);
    let mut instance = fittable(&mut draw, n).until(draw.log_uniform(0.1, 10.0));
    if edge == Some(1) {
        instance.head_rate = 0.1;
    }
    let problem = instance.problem().map_err(text)?;
    let run = Run::new(&problem, &instance.head, 0.0).map_err(text)?;
    let settings = Settings {
        method: Method::Flow,
        rtol: draw.log_uniform(1e-10, 1e-3),
        head_rate: instance.head_rate * if violation.is_some() { 1.01 } else { 1.0 },
        ..Settings::default()
    };
    let end = run.finetune(Probe::Time(0.0), &[instance.time], &settings).map_err(text)?.remove(0);
    let (z, v) = reference::features_and_head(&instance)?;
    let of_features = (run.features(&end) - &z).norm() / (&z - &instance.features).norm();
    let of_head = (run.head(&end) - &v).norm() / v.norm();
    Ok(Trial::new(of_features.max(of_head) / (30.0 * settings.rtol), instance))
}

/// (1 − e^{−λt})/λ.
fn faded(lambda: f64, t: f64) -> f64 {
    if lambda == 0.0 { t } else { -(-lambda * t).exp_m1() / lambda }
}

fn lazy_written_out(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = samples(&mut draw, edge);
    let rate = draw.log_uniform(0.2, 5.0);
    let time = if edge == Some(1) { f64::INFINITY } else { draw.log_uniform(0.1, 10.0) };
    let instance = fittable(&mut draw, n).with_head_rate(rate).until(time);
    let reduction = instance.reduction().map_err(text)?;
    let flow = Flow::new(&reduction, &instance.head, rate).map_err(text)?;
    let found = lazy(&flow, time).map_err(text)?;

    let Instance { features: z, kernel, targets, head: v, .. } = &instance;
    let (gram, size) = (v.transpose() * v, z * z.transpose());
    let k = v.ncols();
    let counted = if violation.is_some() { 1.0 } else { rate };
    // Entry (n, c) of S is number n·k + c.
    let theta = DMatrix::from_fn(n * k, n * k, |a, b| {
        let (i, c, j, e) = (a / k, a % k, b / k, b % k);
        kernel[(i, j)] * gram[(c, e)] + if c == e { counted * size[(i, j)] } else { 0.0 }
    });
    let residual = targets - z * v;
    let r = nalgebra::DVector::from_fn(n * k, |a, _| residual[(a / k, a % k)]);
    let eigen = theta.symmetric_eigen();
    let mut parts = eigen.eigenvectors.transpose() * r;
    for (part, &d) in parts.iter_mut().zip(eigen.eigenvalues.iter()) {
        *part *= faded(d, time);
    }
    let solved = &eigen.eigenvectors * parts;
    let s = DMatrix::from_fn(n, k, |i, c| solved[i * k + c]);
    let (moved, turned) = (kernel * &s * v.transpose(), z.transpose() * &s * rate);
    let error = relative(&reduction.full_displacement(&found), &moved)
        .max(relative(&(reduction.full_head(&found) - v), &turned));
    Ok(Trial::new(error, instance))
}

/// z(x) = B tanh(A x) for all inputs, N×h.
fn network(inputs: &DMatrix<f64>, a: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
    (inputs * a.transpose()).map(f64::tanh) * b.transpose()
}

/// What a pull on the features (N×h) does to A and B.
fn pulled(
    inputs: &DMatrix<f64>,
    a: &DMatrix<f64>,
    b: &DMatrix<f64>,
    pull: &DMatrix<f64>,
) -> [DMatrix<f64>; 2] {
    let hidden = (inputs * a.transpose()).map(f64::tanh);
    let back = (pull * b).zip_map(&hidden, |p, t| p * (1.0 - t * t));
    [back.transpose() * inputs, pull.transpose() * hidden]
}

fn network_order(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = if edge == Some(0) { 1 } else { 2 };
    let (d, m, h, k) = (3, 4, n + 1, draw.integer(1, 2));
    // Features that are far from parallel.
    let (inputs, a, b, z) = loop {
        let inputs = draw.normal(n, d, 1.0);
        let (a, b) = (draw.normal(m, d, unit(d)), draw.normal(h, m, 1.0));
        let z = network(&inputs, &a, &b);
        if z.singular_values().min() > 0.5 {
            break (inputs, a, b, z);
        }
    };
    let targets = draw.normal(n, k, 1.0);
    let gram = (&z * z.transpose()).try_inverse().ok_or("singular features")?;
    let fitted = z.transpose() * gram * &targets;
    let direction = draw.normal(h, k, 1.0);
    // The Jacobian of feature (i, j), number i·h + j, by the pull of a unit vector.
    let rows: Vec<Vec<f64>> = (0..n * h)
        .map(|at| {
            let mut one = DMatrix::zeros(n, h);
            one[(at / h, at % h)] = 1.0;
            pulled(&inputs, &a, &b, &one).iter().flat_map(|m| m.iter().copied()).collect()
        })
        .collect();
    let jacobian = DMatrix::from_fn(n * h, rows[0].len(), |i, j| rows[i][j]);
    let mut kernel = &jacobian * jacobian.transpose();
    if violation.is_some() {
        let mean = DMatrix::from_fn(n, n, |i, l| {
            (0..h).map(|j| kernel[(i * h + j, l * h + j)]).sum::<f64>() / h as f64
        });
        kernel = mean.kronecker(&DMatrix::identity(h, h));
    }
    let instance = Instance::new(z.clone(), DMatrix::identity(n, n), targets.clone(), fitted.clone());
    let mut points = Vec::new();
    for i in 0..4 {
        let scale = 2e-2 * 0.5f64.powi(i) / direction.norm();
        let head = &fitted + &direction * scale;
        let velocity = |parts: &[DMatrix<f64>]| {
            let z = network(&inputs, &parts[0], &parts[1]);
            let r = &targets - &z * &parts[2];
            let [da, db] = pulled(&inputs, &parts[0], &parts[1], &(&r * parts[2].transpose()));
            vec![da, db, z.transpose() * r]
        };
        let end = reference::integrate(&[a.clone(), b.clone(), head.clone()], velocity, 150.0)?;
        let moved = network(&inputs, &end[0], &end[1]) - &z;
        // vec(R) ↦ vec(R Vᵀ), NkxNh, and the kernel of the predictions.
        let spread = DMatrix::identity(n, n).kronecker(&head);
        let theta = spread.transpose() * &kernel * &spread
            + (&z * z.transpose()).kronecker(&DMatrix::identity(k, k));
        let r = &targets - &z * &head;
        let r = nalgebra::DVector::from_fn(n * k, |at, _| r[(at / k, at % k)]);
        let s = theta.lu().solve(&r).ok_or("singular tangent kernel")?;
        let lazy = &kernel * (&spread * s);
        let lazy = DMatrix::from_fn(n, h, |i, j| lazy[i * h + j]);
        points.push((scale, (lazy - moved).norm()));
    }
    let (slope, deviation) = fit_slope(&points);
    Ok(Trial { deviation, ..Trial::new(slope, instance) })
}
