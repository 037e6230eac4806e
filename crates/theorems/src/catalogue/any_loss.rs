//! T22–T25: any loss, with softmax and cross-entropy as the example. The statements are checked on the reference's own
//! integration, but for the rank-one limit that T23 says is the same; the engine is held against it in `engine_loss`.

use nalgebra::{DMatrix, dmatrix};

use super::check::{Case, Check, Judge, Scored, Trial, fit_slope};
use super::engine_loss;
use super::instance::{Instance, Linear};
use super::reference;
use super::softmax::{cross_entropy, labels, softmax};
use super::{Entry, Evidence, Kind, OWN};
use taskhead::flow::rank_one::Limit;
use taskhead::loss::Loss;

const TOMIHARI: &str = "Soudry et al. 2018; Tomihari and Sato, NeurIPS 2024";

/// Entries of this file.
pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "T22",
        name: "any loss",
        kind: Kind::Identity,
        statement: "With R = −∂L/∂F in place of Y − F, T1, T2, T4, T5 and T6 hold for every differentiable loss; for softmax \
                    with cross-entropy R = Y − p.",
        formula: "d/dt (V Vᵀ − γ B Bᵀ) = 0, dL/dt = −tr(RᵀK R VᵀV) − γ‖ZᵀR‖²",
        hypotheses: &[
            "gradient flow of head and backbone without weight decay",
            "a differentiable loss of the predictions",
        ],
        source: OWN,
        proofs: &[
            "T22_kernel_direction_energy",
            "T22_features_follow_kernel",
            "T22_conservation",
            "T22_loss_budget",
            "T22_loss_decreases",
            "T22_probing_decreases",
            "T22_squared_loss",
            "T22_cross_entropy",
            "T22_width",
        ],
        figure: None,
        evidence: Evidence::Checks(&[
            Check {
                claim: "with cross-entropy V Vᵀ − γ B Bᵀ stays what it was",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: conservation,
                cost: 20,
                edges: &["one sample", "smoothed labels"],
                violations: &["weight decay 0.1"],
            },
            Check {
                claim: "the cross-entropy that is gone is what backbone and head have spent",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: budget,
                cost: 20,
                edges: &["one sample", "smoothed labels"],
                violations: &["weight decay 0.1", "the residual of the squared loss"],
            },
            Check {
                claim: "the engine's features, head and budget under cross-entropy are those of an independent integration",
                judge: Judge::Error { tolerance: 1e-7 },
                trial: engine_loss::state_at_a_time,
                cost: 40,
                edges: &["one sample", "smoothed labels", "logits of 30"],
                violations: &["twice the residual", "softmax over the samples"],
            },
        ]),
    },
    Entry {
        id: "T23",
        name: "one sample: the same path for every loss",
        kind: Kind::Identity,
        statement: "Only the clock knows the loss. Stopped at the prediction q, feature and head are those that the squared loss with \
                    target q has in the end, so the laws of the trend hold at a given training loss. With the logistic loss the norm peaks \
                    exactly at energy ½.",
        formula: "ẑ = cosh ρ ẑ₀ + sinh ρ v̂₀, ρ̇ = √(κγ) r(q)",
        hypotheses: &[
            "one sample and one output, z₀ ≠ 0, v̂₀ ≠ −ẑ₀",
            "finetuning stops at a given prediction q > 0, z₀·v₀ ≤ q",
            "a continuous residual, positive up to q",
        ],
        source: OWN,
        proofs: &[
            "T23_path",
            "T23_prediction",
            "T23_same_end",
            "T23_reached",
            "T23_norm",
            "T23_norm_beyond",
            "T23_distance",
            "T23_cosine",
            "T23_dot",
            "T23_logistic_energy",
            "T23_logistic_laws",
            "T23_logistic_peak",
        ],
        figure: None,
        evidence: Evidence::Checks(&[
            Check {
                claim: "logistic training seen at prediction q is the rank-one limit with target q",
                judge: Judge::Error { tolerance: 1e-9 },
                trial: logistic_path,
                cost: 10,
                edges: &["a head that knows nothing of the feature", "w = 0"],
                violations: &["a second sample"],
            },
            Check {
                claim: "at a given prediction norm and distance rise while e ≤ ½, then the norm falls; the cosine distance rises",
                judge: Judge::Margin,
                trial: logistic_laws,
                cost: 1,
                edges: &["q = 0.1", "q = 8"],
                violations: &["a given time in place of a given prediction"],
            },
            Check {
                claim: "the engine's form for one output and colinear inputs is an independent integration at every time, and \
                        stops at the training loss that was asked for",
                judge: Judge::Error { tolerance: 1e-8 },
                trial: engine_loss::one_output,
                cost: 20,
                edges: &["one sample", "a label that contradicts the others"],
                violations: &["twice the residual", "a stop 1 % late"],
            },
        ]),
    },
    Entry {
        id: "T24",
        name: "probing with cross-entropy",
        kind: Kind::Order,
        statement: "On separable features the energy of a probed head goes to 0 as one over the probing time, and its norm grows without \
                    end; on others a floor is left.",
        formula: "‖R(τ)‖ = Θ(1/τ), ‖V(τ)‖ ~ ln τ",
        hypotheses: &["features that separate the classes (h ≥ N generically)"],
        source: TOMIHARI,
        proofs: &[],
        figure: None,
        evidence: Evidence::Checks(&[
            Check {
                claim: "the slope of the energy over the probing time is −1",
                judge: Judge::Slope { expected: -1.0, within: 0.15 },
                trial: probing_decay,
                cost: 40,
                edges: &["one sample"],
                violations: &["one feature with two labels"],
            },
            Check {
                claim: "the engine probes towards smoothed labels and measures energy against the labels themselves",
                judge: Judge::Error { tolerance: 1e-7 },
                trial: engine_loss::probed_head,
                cost: 40,
                edges: &["one sample", "labels that are not smoothed"],
                violations: &[
                    "probing towards the labels themselves",
                    "energy against the smoothed labels",
                ],
            },
        ]),
    },
    Entry {
        id: "T25",
        name: "finetuning with cross-entropy has no end",
        kind: Kind::Law,
        statement: "Where the data can be fitted, features and head grow without end, so runs are compared at an equal training loss, \
                    never at t = ∞.",
        formula: "L → 0 and ‖Z‖, ‖V‖ → ∞",
        hypotheses: &["cross-entropy", "data that can be fitted"],
        source: OWN,
        proofs: &[],
        figure: None,
        evidence: Evidence::Checks(&[
            Check {
                claim: "features and head are larger by 1 % at least when ten times the time has passed",
                judge: Judge::Margin,
                trial: growth,
                cost: 40,
                edges: &["one sample"],
                violations: &["the squared loss"],
            },
            Check {
                claim: "the engine stops at the training loss that was asked for",
                judge: Judge::Error { tolerance: 1e-7 },
                trial: engine_loss::stop_at_a_loss,
                cost: 40,
                edges: &["one sample"],
                violations: &["a stop 1 % late"],
            },
            Check {
                claim: "the engine stops where the last training sample turns right",
                judge: Judge::Error { tolerance: 1e-7 },
                trial: engine_loss::stop_at_an_accuracy,
                cost: 40,
                edges: &[],
                violations: &["a stop 1 % late"],
            },
        ]),
    },
];

/// The problem of a model under cross-entropy.
fn instance(model: &Linear) -> Instance {
    Instance { loss: Loss::CrossEntropy, ..model.instance() }
}

fn classifier(case: Case) -> (Linear, Option<usize>) {
    let (mut draw, edge, violation) = case.split();
    let n = if edge == Some(0) { 1 } else { draw.integer(2, 4) };
    let (k, h) = (draw.integer(2, 3), draw.integer(1, 6));
    let d = draw.integer(1, n + 2);
    let classes: Vec<usize> = (0..n).map(|_| draw.integer(0, k - 1)).collect();
    let smoothing = if edge == Some(1) { 0.2 } else { 0.0 };
    let model = Linear::of_shape(&mut draw, [n, d, h, k]);
    (Linear { targets: labels(&classes, k, smoothing), ..model }, violation)
}

/// Backbone, head, and what each has spent, with weight decay.
fn train(model: &Linear, decay: f64, squared: bool) -> Result<Vec<DMatrix<f64>>, String> {
    let Linear { inputs, backbone, targets, head, head_rate, time } = model;
    let kernel = inputs * inputs.transpose();
    let velocity = |parts: &[DMatrix<f64>]| {
        let (b, v) = (&parts[0], &parts[1]);
        let z = inputs * b.transpose();
        let f = &z * v;
        let r = if squared { targets - f } else { targets - softmax(&f) };
        let pull = z.transpose() * &r;
        let by_backbone = (r.transpose() * &kernel * &r * v.transpose() * v).trace();
        let spent = DMatrix::from_row_slice(1, 2, &[by_backbone, head_rate * pull.norm_squared()]);
        vec![v * r.transpose() * inputs - b * decay, (pull - v * decay) * *head_rate, spent]
    };
    reference::integrate(&[backbone.clone(), head.clone(), DMatrix::zeros(1, 2)], velocity, *time)
}

fn conservation(case: Case) -> Scored {
    let (model, violation) = classifier(case);
    let end = train(&model, if violation.is_some() { 0.1 } else { 0.0 }, false)?;
    let kept =
        |b: &DMatrix<f64>, v: &DMatrix<f64>| v * v.transpose() - b * b.transpose() * model.head_rate;
    let change = kept(&end[0], &end[1]) - kept(&model.backbone, &model.head);
    let size = end[1].norm_squared() + model.head_rate * end[0].norm_squared();
    Ok(Trial::new(change.norm() / size, instance(&model)))
}

fn budget(case: Case) -> Scored {
    let (model, violation) = classifier(case);
    let end = train(&model, if violation == Some(0) { 0.1 } else { 0.0 }, violation == Some(1))?;
    let loss = |b: &DMatrix<f64>, v: &DMatrix<f64>| {
        cross_entropy(&model.targets, &(&model.inputs * b.transpose() * v))
    };
    let (before, after) = (loss(&model.backbone, &model.head), loss(&end[0], &end[1]));
    Ok(Trial::new((before - after - end[2].sum()).abs() / before, instance(&model)))
}

/// The residual of the logistic loss with label 1 at the prediction q.
fn logistic(q: f64) -> f64 {
    1.0 / (1.0 + q.exp())
}

/// Features (the first coordinate along z₀) and head after logistic training for a time; label 1 throughout.
fn logistic_training(
    features: &DMatrix<f64>,
    head: &DMatrix<f64>,
    time: f64,
) -> Result<(DMatrix<f64>, DMatrix<f64>), String> {
    let velocity = |parts: &[DMatrix<f64>]| {
        let (z, v) = (&parts[0], &parts[1]);
        let r = (z * v).map(logistic);
        vec![&r * v.transpose(), z.transpose() * &r]
    };
    let mut end = reference::integrate(&[features.clone(), head.clone()], velocity, time)?;
    let v = end.remove(1);
    Ok((end.remove(0), v))
}

fn logistic_path(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let a = if edge == Some(0) { 0.0 } else { draw.uniform(-0.9, 1.5) };
    let w = if edge == Some(1) { 0.0 } else { draw.log_uniform(0.1, 3.0) };
    let features = if violation.is_some() { dmatrix![1.0, 0.0; -0.4, 0.8] } else { dmatrix![1.0, 0.0] };
    let head = dmatrix![a; w];
    let time = draw.log_uniform(3.0, 30.0);
    let (z, v) = logistic_training(&features, &head, time)?;
    let q = (&z * &v)[0];
    if q <= 0.0 {
        return Err(format!("the prediction {q} is not positive"));
    }
    let sigma = Limit::new(q, w, a).rapidity();
    let (c, s) = (sigma.cosh(), sigma.sinh());
    let (feature, end) = (dmatrix![c + a * s, w * s], dmatrix![a * c + s; w * c]);
    let error = (z.rows(0, 1) - &feature).norm() / feature.norm() + (v - &end).norm() / end.norm();
    Ok(Trial::new(error, Instance::rank_one(q, w, a)))
}

fn logistic_laws(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let q = match edge {
        Some(0) => 0.1,
        Some(_) => 8.0,
        None => draw.log_uniform(0.05, 20.0),
    };
    let w = if violation.is_some() { 1.0 } else { draw.log_uniform(0.05, 20.0) };
    // Energies 1/(1 + eᵃ) from that of the prediction q on both sides of ½, which is a = 0.
    let grid: Vec<f64> = (-12..=12).map(|i| -q * f64::from(i) / 12.0).collect();
    let mut norms = Vec::new();
    let (mut distances, mut cosines) = (Vec::new(), Vec::new());
    for &a in &grid {
        if violation.is_some() {
            norms.push(logistic_training(&dmatrix![1.0, 0.0], &dmatrix![a; w], 2.0)?.0.norm());
        } else {
            let adaptation = Limit::new(q, w, a).adaptation();
            norms.push(adaptation.norm);
            cosines.push(adaptation.cosine);
            distances.push(adaptation.euclidean);
        }
    }
    let rise = |values: &[f64]| {
        let size = values.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        values.windows(2).map(|v| v[1] - v[0]).fold(f64::INFINITY, f64::min) / size
    };
    let falling: Vec<f64> = norms[12..].iter().map(|n| -n).collect();
    let mut margin = rise(&norms[..=12]).min(rise(&falling));
    if violation.is_none() {
        margin = margin.min(rise(&distances[..=12])).min(rise(&cosines));
    }
    Ok(Trial::new(margin, Instance::rank_one(q, w, 0.0)))
}

fn probing_decay(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = if edge == Some(0) { 1 } else { draw.integer(2, 3) };
    let k = draw.integer(2, 3);
    let h = n + draw.integer(0, 2);
    // Nearly orthonormal rows: every sample is separated at about the same rate.
    let mut features = draw.orthonormal(h, n).transpose() + draw.normal(n, h, 0.02);
    let mut classes: Vec<usize> = (0..n).map(|_| draw.integer(0, k - 1)).collect();
    if violation.is_some() {
        let first = features.row(0).into_owned();
        features.set_row(1, &first);
        classes[1] = (classes[0] + 1) % k;
    }
    let y = labels(&classes, k, 0.0);
    let mut head = draw.normal(h, k, 0.1);
    let start = Instance {
        loss: Loss::CrossEntropy,
        probe_time: 3200.0,
        time: 0.0,
        ..Instance::new(features.clone(), DMatrix::identity(n, n), y.clone(), head.clone())
    };
    let (mut now, mut points) = (0.0, Vec::new());
    for i in 0..5 {
        let tau = 200.0 * 2f64.powi(i);
        let velocity =
            |v: &[DMatrix<f64>]| vec![features.transpose() * (&y - softmax(&(&features * &v[0])))];
        head = reference::integrate(std::slice::from_ref(&head), velocity, tau - now)?.remove(0);
        now = tau;
        points.push((tau, (&y - softmax(&(&features * &head))).norm()));
    }
    let (slope, deviation) = fit_slope(&points);
    Ok(Trial { deviation, ..Trial::new(slope, start) })
}

fn growth(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = if edge == Some(0) { 1 } else { draw.integer(2, 3) };
    let (k, h) = (draw.integer(2, 3), n + draw.integer(1, 3));
    let classes: Vec<usize> = (0..n).map(|_| draw.integer(0, k - 1)).collect();
    let mut model = Linear::of_shape(&mut draw, [n, n + 2, h, k]);
    // Rates of one, so that a hundred is late.
    model.inputs = draw.orthonormal(n + 2, n).transpose();
    model.targets = labels(&classes, k, 0.0);
    model.head_rate = 1.0;
    let mut sizes = Vec::new();
    for time in [100.0, 1000.0] {
        model.time = time;
        let end = train(&model, 0.0, violation.is_some())?;
        sizes.push([(&model.inputs * end[0].transpose()).norm(), end[1].norm()]);
    }
    let grown = (0..2).map(|i| sizes[1][i] / sizes[0][i] - 1.01).fold(f64::INFINITY, f64::min);
    Ok(Trial::new(grown, instance(&model)))
}
