//! T27, T28, T30 to T33 and the conjectures: what is left of the trend beyond one sample, and what is not.

use nalgebra::{DMatrix, DVector, dmatrix};

use super::check::{Case, Check, Draw, Judge, Scored, Trial, unit};
use super::examples::{self, Along, Example, Rises, examples, seen_head, skewed_kernel};
use super::forms::modes;
use super::general::text;
use super::instance::Instance;
use super::reference;
use super::{Entry, Evidence, Kind, OWN};
use taskhead::decomposition::Eigen;
use taskhead::simulation::{Method, Probe, Run, Settings};

/// Entries of this file.
pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "T27",
        name: "frozen-head trend",
        kind: Kind::Law,
        statement: "With a frozen head that the features do not see before probing, the Frobenius distance grows with energy for \
                    any number of samples and outputs, mode by mode.",
        formula: "‖uₙᵀ(Z_T(τ₂) − Z₀)‖ ≤ e^(−λₙ(τ₂ − τ₁)) ‖uₙᵀ(Z_T(τ₁) − Z₀)‖, τ₁ < τ₂, Z₀Z₀ᵀuₙ = λₙuₙ",
        hypotheses: &[
            "γ = 0",
            "Z₀V_init = 0",
            "K definite, Z₀ of full row rank, Y ≠ 0 and τ₁ > 0 (so that the runs converge and fit)",
        ],
        source: OWN,
        proofs: &[
            "T27_probed",
            "T27_residual",
            "T27_mode",
            "T27_trend",
            "T27_fits",
            "T27_whole",
            "T27_energy",
            "T27_any_features",
        ],
        figure: None,
        evidence: Evidence::Checks(&[Check {
            claim: "every mode moves at most e^(−λₙ(τ₂ − τ₁)) times as far after the longer probing",
            judge: Judge::Ratio,
            trial: frozen_trend,
            cost: 4,
            edges: &[
                "one sample",
                "a head with a part that the features do not see",
                "more outputs than samples",
            ],
            violations: &[
                "a head that the features see: Z₀ = diag(1, 3), Y = (2, 4), V = (−2, 2)",
                "γ = 1",
            ],
        }]),
    },
    Entry {
        id: "T28",
        name: "first step, any kernel and head rate",
        kind: Kind::Law,
        statement: "From a zero initial prediction the dot product first grows with energy, at a known rate, if the slowest probing \
                    direction is an eigenvector of the kernel. Sharpens T19.",
        formula: "d tr(Z_T Z₀ᵀ)/dE = κ₁ ηᵀ(κ₁G + γλ₁I)⁻¹η/‖η‖ at E = 0, G = V_∞ᵀV_∞, η = Yᵀu₁",
        hypotheses: &[
            "K u₁ = κ₁u₁, κ₁ > 0",
            "Z₀ of full row rank with a simple smallest singular value",
            "Z₀V_init = 0, γ > 0",
        ],
        source: OWN,
        proofs: &["T28_lazy_solution", "T28_lazy_dot", "T28_lazy_dot_rises"],
        figure: None,
        evidence: Evidence::Checks(&[
            Check {
                claim: "the measured slope is the predicted one",
                judge: Judge::Error { tolerance: 1e-3 },
                trial: first_slope,
                cost: 10,
                edges: &["one sample", "γ = 10", "a head with a part that the features do not see"],
                violations: &["a kernel of which u₁ is no eigenvector"],
            },
            Check {
                claim: "the dot product first grows (if u₁ is no eigenvector it may fall: an example)",
                judge: Judge::Margin,
                trial: first_rise,
                cost: 10,
                edges: &["one sample"],
                violations: &["Z₀ = diag(1, 2), K = [1 1; 1 2], Y = (1, −2): it falls"],
            },
        ]),
    },
    Entry {
        id: "T30",
        name: "head-rate law",
        kind: Kind::Law,
        statement: "In one mode, and so in decoupled modes, features move less the faster the head learns; with any γ > 0 they move \
                    less than with a frozen head.",
        formula: "d‖z_T − z₀‖/dγ < 0 and ‖z_T − z₀‖ < E/‖v₀‖, for 0 ≤ z₀·v₀ < y",
        hypotheses: &[
            "one sample and one output, or decoupled modes",
            "z₀ ≠ 0 and 0 ≤ z₀·v₀ < y in every mode, γ > 0",
            "for the frozen head: v₀ ≠ 0",
        ],
        source: OWN,
        proofs: &["T30_derivative", "T30_normalised", "T30_rates", "T30_below_frozen", "T30_total"],
        figure: None,
        evidence: Evidence::Checks(&[Check {
            claim: "the distance falls along γ = 0, 1/8, 1/4, …, 8",
            judge: Judge::Margin,
            trial: rates,
            cost: 10,
            edges: &["one mode", "heads without a part orthogonal to the features", "zero predictions"],
            violations: &["a head that points away from the target: y = 1/2, w = 1/20, a = −2"],
        }]),
    },
    Entry {
        id: "T31",
        name: "trend with a rate, commuting data",
        kind: Kind::Law,
        statement: "Where kernel, Z₀Z₀ᵀ and YYᵀ commute and the head is zero before probing, the Frobenius distance falls with probing \
                    time at least at the rate λ₁(1 − e^(−λ₁τ)), λ₁ the smallest squared singular value of the features.",
        formula: "‖Z_T(τ₂) − Z₀‖ ≤ e^(−(g(τ₂) − g(τ₁))) ‖Z_T(τ₁) − Z₀‖, g(τ) = λ₁τ + e^(−λ₁τ), τ₁ < τ₂",
        hypotheses: &[
            "K, Z₀Z₀ᵀ and YYᵀ commute (shared singular directions, one feature direction for each)",
            "V_init = 0, γ > 0",
            "every mode with a feature, one with a target at least",
            "λ₁ the smallest eigenvalue of Z₀Z₀ᵀ among the modes with a target",
        ],
        source: OWN,
        proofs: &["T31_one_mode", "T31_runs", "T31_commuting", "T31_whitened"],
        figure: None,
        evidence: Evidence::Checks(&[Check {
            claim: "the distance falls at that rate or faster",
            judge: Judge::Ratio,
            trial: commuting_rate,
            cost: 6,
            edges: &["one mode", "targets of size 1000", "equal singular values"],
            violations: &[
                "K does not commute: Z₀ = diag(1, 2), K = [1 1; 1 2], Y = (1, −2), from τ = 0 to 0.25",
                "Z₀V_init ≠ 0: Z₀ = diag(1, 3), Y = (2, 4), V = (−2, 2), from τ = 0 to 0.2",
                "λ₁ the larger of two squared singular values: Z₀ = diag(½, 2), Y = I, from τ = 0.5 to 1",
            ],
        }]),
    },
    Entry {
        id: "T32",
        name: "trend for small targets",
        kind: Kind::Law,
        statement: "Conjecture A holds for small targets, or for a fast head: with an explicit bound on ‖Y‖/√γ the Frobenius distance \
                    strictly falls with probing time, for any number of samples and outputs.",
        formula: "‖Y‖ ≤ √γ s₁⁴/(95 √N s_N²) ⇒ d‖Z_T − Z₀‖/dτ < 0, s₁ ≤ … ≤ s_N the singular values of Z₀",
        hypotheses: &[
            "K = I",
            "V_init = 0, γ > 0",
            "Z₀ of full row rank",
            "0 < ‖Y‖ ≤ √γ s₁⁴/(95 √N s_N²)",
        ],
        source: OWN,
        proofs: &[],
        figure: None,
        evidence: Evidence::Checks(&[Check {
            claim: "the distance falls from one probing time to the next",
            judge: Judge::Margin,
            trial: small_targets,
            cost: 10,
            edges: &["one sample", "more outputs than samples", "targets a thousand times smaller"],
            violations: &["K ≠ I: Z₀ = diag(1, 2), K = [1 1; 1 2], Y = (1, −2)/100, from τ = 0 to 0.25"],
        }]),
    },
    Entry {
        id: "T33",
        name: "trend at the end of probing",
        kind: Kind::Law,
        statement: "Near probing convergence the Frobenius distance falls with probing time for any definite kernel and any head that fits: it is \
                    e^(−λ₁τ) times a constant to first order. A trend that fails fails early in probing. With K = I and a zero head \
                    the next order is no less than that of one mode.",
        formula: "−d ln ‖Z_T − Z₀‖/dτ → λ₁; ≥ λ₁(1 + βx + o(x)), x = e^(−λ₁τ), β ≥ −17/32 for K = I, V_init = 0 and simple λ₁",
        hypotheses: &[
            "K definite, Z₀ of full row rank, γ > 0",
            "R⁽¹⁾V_∞ᵀ ≠ 0, R⁽¹⁾ the part of the first residual in the eigenspace of λ₁ (with V_init = 0: R⁽¹⁾ ≠ 0)",
        ],
        source: OWN,
        proofs: &["T33_second_order", "T33_sharp"],
        figure: None,
        evidence: Evidence::Checks(&[
            Check {
                claim: "where e^(−9) of the slowest part is left the distance falls at the rate λ₁",
                judge: Judge::Error { tolerance: 1e-2 },
                trial: end_of_probing,
                cost: 6,
                edges: &["one sample", "γ = 10", "zero head"],
                violations: &["a head that vanishes with the residual: one sample, y = 0"],
            },
            Check {
                claim: "the measured β is the one that is computed from the features and targets (K = I, zero head)",
                judge: Judge::Error { tolerance: 1e-2 },
                trial: second_order,
                cost: 6,
                edges: &["one sample", "γ = 10", "more outputs than samples"],
                violations: &["another kernel"],
            },
        ]),
    },
    Entry {
        id: "C1",
        name: "conjecture A: the Frobenius distance grows with energy",
        kind: Kind::Conjecture,
        statement: "For whitened inputs, a zero initial head and features of full row rank the Frobenius distance strictly falls with \
                    probing time, for any number of outputs and any head rate, and at least at the rate of a single mode. Proved for \
                    γ = 0 (T27), for one sample and where YYᵀ and Z₀Z₀ᵀ commute (T31), both with that rate; without the rate for \
                    small targets (T32) and at the end of probing (T33). Each hypothesis is needed.",
        formula: "d ln ‖Z_T − Z₀‖_F/dτ ≤ −λ₁(1 − e^(−λ₁τ)) < 0 for τ > 0",
        hypotheses: &["K = I", "V_init = 0", "Z₀ of full row rank", "Y ≠ 0"],
        source: OWN,
        proofs: &[],
        figure: None,
        evidence: Evidence::Checks(&[
            Check {
                claim: "the distance falls from one probing time to the next",
                judge: Judge::Margin,
                trial: probing_lowers_distance,
                cost: 10,
                edges: &[
                    "one sample",
                    "frozen head",
                    "more outputs than samples",
                    "targets of size 1000",
                ],
                violations: &[
                    "K ≠ I: Z₀ = diag(1, 2), K = [1 1; 1 2], Y = (1, −2), from τ = 0 to 0.25",
                    "Z₀V_init ≠ 0: Z₀ = diag(1, 3), Y = (2, 4), V = (−2, 2), from τ = 0 to 0.2",
                    "a part of the head that the features do not see: Z₀ = [diag(1, 6) 0], Y = (16, 16), V = (0, 0, 1), to 0.002",
                    "rank-deficient features: Z₀ = [1 0; 0 2; 0 0], Y = [0 1; 1 1; 1 1], from τ = 1 to 10",
                ],
            },
            Check {
                claim: "it falls at the rate λ₁(1 − e^(−λ₁τ)) or faster, λ₁ the smallest eigenvalue of Z₀Z₀ᵀ",
                judge: Judge::Ratio,
                trial: falls_at_rate,
                cost: 10,
                edges: &[
                    "one sample",
                    "frozen head",
                    "more outputs than samples",
                    "targets of size 1000",
                ],
                violations: &[
                    "λ₁ the larger eigenvalue: Z₀ = diag(½, 2), Y = (1, 1), from τ = 0.5 to 1",
                ],
            },
            Check {
                claim: "the counter-examples have the distances that are stated, by an independent integration",
                judge: Judge::Error { tolerance: 1e-9 },
                trial: stated_distances,
                cost: 0,
                edges: &[
                    "K ≠ I",
                    "Z₀V_init ≠ 0",
                    "a part that the features do not see",
                    "rank-deficient features",
                ],
                violations: &["the distance of another probing time"],
            },
            Check {
                claim: "the mean of the row distances may rise even where the Frobenius distance falls (an example)",
                judge: Judge::Margin,
                trial: mean_distance_rises,
                cost: 0,
                edges: &["Z₀ = [1 0; 3 −2], Y = (2, 4), from τ = 0.05 to 0.1"],
                violations: &["the Frobenius distance"],
            },
            Check {
                claim: "so may the mean cosine distance (an example)",
                judge: Judge::Margin,
                trial: mean_cosine_rises,
                cost: 0,
                edges: &["Z₀ = [0 1; 3 3], Y = (6, 2), from τ = 0.1 to 0.15"],
                violations: &["the Frobenius distance"],
            },
        ]),
    },
    Entry {
        id: "C2",
        name: "conjecture B: the Frobenius distance falls with the head rate",
        kind: Kind::Conjecture,
        statement: "For whitened inputs, features of full row rank and heads that the features do not see before probing the Frobenius \
                    distance strictly falls with the head rate. Proved for one sample and for decoupled modes (T30).",
        formula: "d‖Z_T − Z₀‖_F/dγ < 0 for γ > 0",
        hypotheses: &["K = I", "Z₀V_init = 0", "Z₀ of full row rank", "Y ≠ 0"],
        source: OWN,
        proofs: &[],
        figure: None,
        evidence: Evidence::Checks(&[
            Check {
                claim: "the distance falls from one head rate to the next",
                judge: Judge::Margin,
                trial: rate_lowers_distance,
                cost: 10,
                edges: &[
                    "one sample",
                    "a head with a part that the features do not see",
                    "targets of size 1000",
                ],
                violations: &[
                    "K ≠ I: Z₀ = diag(1, 4), K = [5 −9; −9 18], Y = (−2, 9), τ = 0.5, from γ = 1 to 1.5",
                    "Z₀V_init ≠ 0: Z₀ = diag(1, 3), Y = (2, −1), V = (−2, 0), from γ = 1 to 4",
                ],
            },
            Check {
                claim: "the counter-examples have the distances that are stated, by an independent integration",
                judge: Judge::Error { tolerance: 1e-9 },
                trial: stated_distances_by_rate,
                cost: 0,
                edges: &["K ≠ I", "Z₀V_init ≠ 0"],
                violations: &["the distance of another head rate"],
            },
        ]),
    },
];

/// Z_T − Z₀ at t = ∞ after probing for τ.
fn motion(instance: &Instance, tau: f64) -> Result<DMatrix<f64>, String> {
    let problem = instance.problem().map_err(text)?;
    let run = Run::new(&problem, &instance.head, 0.0).map_err(text)?;
    let settings = Settings {
        head_rate: instance.head_rate,
        method: Method::Auto,
        rtol: 1e-11,
        ..Settings::default()
    };
    let end = run.finetune(Probe::Time(tau), &[f64::INFINITY], &settings).map_err(text)?.remove(0);
    if !end.stop.is_success() {
        return Err(format!("it stopped: {:?}", end.stop));
    }
    Ok(run.reduction().full_displacement(&end.states.1))
}

/// Features of full row rank with given singular values: left directions, features.
fn of_singular_values(draw: &mut Draw, s: &[f64], h: usize) -> (DMatrix<f64>, DMatrix<f64>) {
    let n = s.len();
    let (u, w) = (draw.orthonormal(n, n), draw.orthonormal(h, n));
    let features = &u * DMatrix::from_diagonal(&DVector::from_column_slice(s)) * w.transpose();
    (u, features)
}

/// A random head without what the features see of it.
fn unseen(draw: &mut Draw, features: &DMatrix<f64>, k: usize) -> DMatrix<f64> {
    let h = features.ncols();
    let raw = draw.normal(h, k, unit(h));
    let seen = features.transpose().qr().q();
    &raw - &seen * (seen.transpose() * &raw)
}

fn frozen_trend(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = if edge == Some(0) { 1 } else { draw.integer(1, 4) };
    let k = if edge == Some(2) { n + 1 } else { draw.integer(1, 3) };
    let s: Vec<f64> = (0..n).map(|_| draw.log_uniform(0.4, 2.0)).collect();
    let h = n + draw.integer(1, 3);
    let (u, features) = of_singular_values(&mut draw, &s, h);
    let x = draw.normal(n, n + 2, unit(n));
    let targets = draw.normal(n, k, 1.0);
    let head = if edge == Some(1) { unseen(&mut draw, &features, k) } else { DMatrix::zeros(h, k) };
    let mut instance = Instance::new(features, &x * x.transpose(), targets, head).with_head_rate(0.0);
    let first = draw.log_uniform(0.05, 2.0);
    let (mut directions, mut rates, mut times) =
        (u, s.iter().map(|s| s * s).collect::<Vec<_>>(), [first, first + draw.log_uniform(0.05, 2.0)]);
    match violation {
        Some(0) => {
            instance = seen_head().with_head_rate(0.0);
            (directions, rates, times) = (DMatrix::identity(2, 2), vec![1.0, 9.0], [0.0, 0.2]);
        }
        Some(_) => instance.head_rate = 1.0,
        None => {}
    }
    let moved = [motion(&instance, times[0])?, motion(&instance, times[1])?];
    let mut worst: f64 = 0.0;
    for (i, rate) in rates.iter().enumerate() {
        let size = |m: &DMatrix<f64>| (directions.column(i).transpose() * m).norm();
        worst = worst.max(size(&moved[1]) / (size(&moved[0]) * (-rate * (times[1] - times[0])).exp()));
    }
    // With a large part that the features do not see the ratio tends to 1: what is beyond is rounding.
    Ok(Trial::new(worst / (1.0 + 1e-9), Instance { probe_time: times[1], ..instance }))
}

/// Near the limit of probing: what is left lies along the slowest direction u₁.
struct NearLimit {
    instance: Instance,
    slope: f64,
    predicted: f64,
}

impl NearLimit {
    fn new(draw: &mut Draw, edge: Option<usize>, eigenvector: bool) -> Result<Self, String> {
        let n = if edge == Some(0) { 1 } else { draw.integer(2, 4) };
        let mut s: Vec<f64> = (0..n).map(|_| draw.uniform(0.9, 1.6)).collect();
        s[0] = 0.5;
        let k = draw.integer(1, 3);
        let h = n + draw.integer(1, 3);
        let (u, features) = of_singular_values(draw, &s, h);
        let slowest = u.column(0).into_owned();
        // Eigenvalues in the directions of the features, or in others.
        let values = DVector::from_fn(n, |_, _| draw.log_uniform(0.3, 3.0));
        let other = draw.orthonormal(n, n);
        let axes = if eigenvector { &u } else { &other };
        let kernel = axes * DMatrix::from_diagonal(&values) * axes.transpose();
        let kernel = (&kernel + kernel.transpose()) * 0.5;
        let targets = draw.normal(n, k, 1.0);
        let head = if edge == Some(2) { unseen(draw, &features, k) } else { DMatrix::zeros(h, k) };
        let rate = if edge == Some(1) { 10.0 } else { draw.log_uniform(0.2, 5.0) };
        let (lambda, kappa) = (s[0] * s[0], (&kernel * &slowest).dot(&slowest));
        // The head that probing tends to: the least change that fits.
        let gram = (&features * features.transpose()).try_inverse().ok_or("singular features")?;
        let fitted = &head + features.transpose() * gram * &targets;
        let eta = targets.transpose() * &slowest;
        let pull = fitted.transpose() * &fitted * kappa + DMatrix::identity(k, k) * (rate * lambda);
        let answer = pull.try_inverse().ok_or("singular pull")? * &eta;
        let predicted = kappa * eta.dot(&answer) / eta.norm();
        let instance = Instance::new(features, kernel, targets, head).with_head_rate(rate);
        // e^(−11) of the slowest part is left, and far less of all others.
        let tau = 11.0 / lambda;
        let slope = slope_of_dot(&instance, tau, (-11f64).exp() * eta.norm())?;
        Ok(Self { instance: Instance { probe_time: tau, ..instance }, slope, predicted })
    }
}

fn slope_of_dot(instance: &Instance, tau: f64, energy: f64) -> Result<f64, String> {
    Ok(motion(instance, tau)?.dot(&instance.features) / energy)
}

fn first_slope(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let near = NearLimit::new(&mut draw, edge, violation.is_none())?;
    Ok(Trial::new((near.slope / near.predicted - 1.0).abs(), near.instance))
}

fn first_rise(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    if violation.is_some() {
        // The slowest direction is e₁, with the target 1: its residual after τ is e^(−τ).
        let instance = skewed_kernel();
        let slope = slope_of_dot(&instance, 11.0, (-11f64).exp())?;
        return Ok(Trial::new(slope, Instance { probe_time: 11.0, ..instance }));
    }
    let near = NearLimit::new(&mut draw, edge, true)?;
    Ok(Trial::new(near.slope, near.instance))
}

fn rates(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = if edge == Some(0) { 1 } else { draw.integer(1, 3) };
    let all: Vec<[f64; 5]> = (0..n)
        .map(|i| {
            let (y, z) = (draw.log_uniform(0.2, 3.0), draw.uniform(0.5, 1.5));
            let w = if edge == Some(1) { 0.0 } else { draw.log_uniform(0.1, 3.0) };
            // The head's part along z is a/|z|, its prediction a.
            let a = if edge == Some(2) { 0.0 } else { draw.uniform(0.02, 0.95) * y };
            [0.4 + 0.7 * i as f64, y, z, a / z, w]
        })
        .collect();
    let instance = match violation {
        Some(_) => Instance::rank_one(0.5, 0.05, -2.0),
        None => modes(&mut draw, &all),
    };
    let frozen = if violation.is_some() || edge == Some(2) { vec![] } else { vec![0.0] };
    let distances = frozen
        .into_iter()
        .chain((-3..=3).map(|i| 2f64.powi(i)))
        .map(|rate| Ok(motion(&instance.clone().with_head_rate(rate), 0.0)?.norm()))
        .collect::<Result<Vec<f64>, String>>()?;
    Ok(Trial::new(least_fall(&distances), instance))
}

/// The smallest fall from one value to the next, relative to the first.
fn least_fall(values: &[f64]) -> f64 {
    values.windows(2).map(|d| d[0] - d[1]).fold(f64::INFINITY, f64::min) / values[0]
}

/// A random problem of the conjectures: whitened, features of full row rank with singular values from 0.2 to 2.
fn whitened(
    draw: &mut Draw,
    edge_samples: Option<usize>,
    k: Option<usize>,
    size: f64,
    seen: bool,
) -> Instance {
    let n = edge_samples.unwrap_or_else(|| draw.integer(2, 6));
    let s: Vec<f64> = (0..n).map(|_| draw.log_uniform(0.2, 2.0)).collect();
    let h = n + draw.integer(0, 2);
    let (_, features) = of_singular_values(draw, &s, h);
    let k = k.unwrap_or_else(|| draw.integer(1, 4));
    let targets = draw.normal(n, k, size);
    let head = if seen || h == n { DMatrix::zeros(h, k) } else { unseen(draw, &features, k) };
    Instance::new(features, DMatrix::identity(n, n), targets, head)
}

/// Squared singular values ¼ and 4; with the targets I it decouples.
fn slow_and_fast(targets: DMatrix<f64>) -> Instance {
    examples::whitened(dmatrix![0.5, 0.0; 0.0, 2.0], targets)
}

/// The counter-examples along a probing time or a head rate: the problem and its distances at two values.
fn counter_examples(along: Along) -> Vec<(Instance, [(f64, f64); 2])> {
    examples().into_iter().filter(|e| e.along == along).filter_map(Example::distances).collect()
}

/// A problem of conjecture A and three probing times.
fn sweep_of_a(draw: &mut Draw, edge: Option<usize>) -> Result<(Instance, Vec<f64>), String> {
    let size = if edge == Some(3) { 1e3 } else { draw.log_uniform(0.1, 30.0) };
    let outputs = if edge == Some(2) { Some(7) } else { None };
    let samples = if edge == Some(0) { Some(1) } else { None };
    let rate = if edge == Some(1) { 0.0 } else { draw.log_uniform(0.05, 20.0) };
    let instance = whitened(draw, samples, outputs, size, true).with_head_rate(rate);
    let first = draw.log_uniform(0.05, 5.0) / squared_singular_values(&instance)?.max();
    Ok((instance, vec![first, 1.5 * first, 2.5 * first]))
}

fn squared_singular_values(instance: &Instance) -> Result<DVector<f64>, String> {
    Ok(Eigen::new(&(&instance.features * instance.features.transpose())).map_err(text)?.d)
}

fn distances(instance: &Instance, times: &[f64]) -> Result<Vec<f64>, String> {
    times.iter().map(|&tau| Ok(motion(instance, tau)?.norm())).collect()
}

fn probing_lowers_distance(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let (instance, times) = if let Some(number) = violation {
        let (instance, stated) = counter_examples(Along::ProbingTime)[number].clone();
        (instance, stated.map(|(tau, _)| tau).to_vec())
    } else {
        sweep_of_a(&mut draw, edge)?
    };
    let distances = distances(&instance, &times)?;
    Ok(Trial::new(least_fall(&distances), Instance { probe_time: times[0], ..instance }))
}

/// The largest distance in units of the one that a fall at the rate λ(1 − e^(−λτ)) leaves.
fn against_rate(instance: Instance, times: &[f64], lambda: f64) -> Scored {
    let lag = |tau: f64| lambda * tau + (-lambda * tau).exp();
    let distances = distances(&instance, times)?;
    let worst = (1..times.len())
        .map(|i| distances[i] / distances[i - 1] * (lag(times[i]) - lag(times[i - 1])).exp())
        .fold(0.0, f64::max);
    Ok(Trial::new(worst, Instance { probe_time: times[0], ..instance }))
}

fn falls_at_rate(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    if violation.is_some() {
        return against_rate(slow_and_fast(dmatrix![1.0; 1.0]), &[0.5, 1.0], 4.0);
    }
    let (instance, times) = sweep_of_a(&mut draw, edge)?;
    let slowest = squared_singular_values(&instance)?.min();
    against_rate(instance, &times, slowest)
}

fn commuting_rate(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    match violation {
        Some(0) => return against_rate(skewed_kernel(), &[0.0, 0.25], 1.0),
        Some(1) => return against_rate(seen_head(), &[0.0, 0.2], 1.0),
        Some(_) => return against_rate(slow_and_fast(DMatrix::identity(2, 2)), &[0.5, 1.0], 4.0),
        None => {}
    }
    let n = if edge == Some(0) { 1 } else { draw.integer(2, 3) };
    let all: Vec<[f64; 5]> = (0..n)
        .map(|i| {
            let y = if edge == Some(1) { 1e3 } else { draw.log_uniform(0.1, 10.0) };
            let z = if edge == Some(2) { 1.0 } else { draw.log_uniform(0.5, 2.0) };
            [0.4 + 0.7 * i as f64, y, z, 0.0, 0.0]
        })
        .collect();
    let instance = modes(&mut draw, &all).with_head_rate(draw.log_uniform(0.05, 20.0));
    let values = DVector::from_iterator(n, all.iter().map(|mode| mode[2] * mode[2]));
    let first = draw.log_uniform(0.05, 3.0) / values.max();
    against_rate(instance, &[first, 1.5 * first, 2.5 * first], values.min())
}

fn small_targets(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let (instance, times) = if violation.is_some() {
        let skewed = skewed_kernel();
        (Instance { targets: &skewed.targets / 100.0, ..skewed }, vec![0.0, 0.25])
    } else {
        let samples = if edge == Some(0) { Some(1) } else { None };
        let outputs = if edge == Some(1) { Some(7) } else { None };
        let rate = draw.log_uniform(0.05, 20.0);
        let instance = whitened(&mut draw, samples, outputs, 1.0, true).with_head_rate(rate);
        let values = squared_singular_values(&instance)?;
        let n = instance.features.nrows() as f64;
        let bound = rate.sqrt() * values.min().powi(2) / (95.0 * n.sqrt() * values.max());
        let size = if edge == Some(2) { 1e-3 * bound } else { bound };
        let targets = &instance.targets * (size / instance.targets.norm());
        let first = draw.log_uniform(0.05, 5.0) / values.max();
        (Instance { targets, ..instance }, vec![first, 1.5 * first, 2.5 * first])
    };
    let distances = distances(&instance, &times)?;
    Ok(Trial::new(least_fall(&distances), Instance { probe_time: times[0], ..instance }))
}

/// The coefficient β of the rate λ₁(1 + βx + …), x = e^(−λ₁τ), for K = I and a zero head: from the smallest squared
/// singular value, the targets along its direction and the Gram matrix of the head that probing tends to.
fn rate_of_second_order(slowest: f64, along: &DVector<f64>, gram: &DMatrix<f64>) -> Result<f64, String> {
    let Eigen { q, d } = Eigen::new(&(gram / slowest)).map_err(text)?;
    let parts: Vec<(f64, f64)> = (0..d.len())
        .map(|i| {
            let t = 1.0 / (1.0 + d[i].max(0.0));
            ((q.column(i).dot(along) / slowest).powi(2) * t, t)
        })
        .collect();
    let first: f64 = parts.iter().map(|(e, t)| e * (1.0 - t)).sum();
    let pair = |t: f64, s: f64| (1.0 - t).powi(2) + (1.0 - s).powi(2) - 1.0 + t * s / (t + s);
    let second: f64 =
        parts.iter().flat_map(|(e, t)| parts.iter().map(move |(f, s)| e * f * pair(*t, *s))).sum();
    Ok(second / first)
}

fn second_order(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = if edge == Some(0) { 1 } else { draw.integer(2, 4) };
    let k = if edge == Some(2) { n + 2 } else { draw.integer(1, 3) };
    let mut s: Vec<f64> = (0..n).map(|_| draw.uniform(1.1, 1.6)).collect();
    s[0] = 0.5;
    let (u, features) = of_singular_values(&mut draw, &s, n);
    let targets = draw.normal(n, k, 0.5);
    let rate = if edge == Some(1) { 10.0 } else { draw.log_uniform(0.2, 5.0) };
    let scale = if violation.is_some() { 3.0 } else { 1.0 };
    let kernel = DMatrix::identity(n, n) * scale;
    let lambda = s[0] * s[0];
    let scaled = &targets / rate.sqrt();
    let fitted = features.clone().try_inverse().ok_or("singular features")? * &scaled;
    let along = scaled.transpose() * u.column(0);
    let predicted = rate_of_second_order(lambda, &along, &(fitted.transpose() * &fitted))?;
    let head = DMatrix::zeros(n, k);
    let instance = Instance::new(features, kernel, targets, head).with_head_rate(rate);
    let times = [8.0 / lambda, 8.5 / lambda];
    let distances = distances(&instance, &times)?;
    let [first, last] = times.map(|tau| (-lambda * tau).exp());
    let seen = ((distances[0] / distances[1]).ln() - lambda * (times[1] - times[0])) / (first - last);
    let error = (seen - predicted).abs() / (1.0 + predicted.abs());
    Ok(Trial::new(error, Instance { probe_time: times[0], ..instance }))
}

fn end_of_probing(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = if edge == Some(0) || violation.is_some() { 1 } else { draw.integer(2, 4) };
    let k = draw.integer(1, 3);
    let h = n + draw.integer(1, 3);
    let mut s: Vec<f64> = (0..n).map(|_| draw.uniform(0.9, 1.6)).collect();
    s[0] = 0.5;
    let (_, features) = of_singular_values(&mut draw, &s, h);
    let axes = draw.orthonormal(n, n);
    let values = DVector::from_fn(n, |_, _| draw.log_uniform(0.3, 3.0));
    let kernel = &axes * DMatrix::from_diagonal(&values) * axes.transpose();
    let kernel = (&kernel + kernel.transpose()) * 0.5;
    let (targets, head) = if violation.is_some() {
        (DMatrix::zeros(n, k), features.transpose() * draw.normal(n, k, 1.0))
    } else if edge == Some(2) {
        (draw.normal(n, k, 1.0), DMatrix::zeros(h, k))
    } else {
        (draw.normal(n, k, 1.0), draw.normal(h, k, 0.5))
    };
    let rate = if edge == Some(1) { 10.0 } else { draw.log_uniform(0.2, 5.0) };
    let instance = Instance::new(features, kernel, targets, head).with_head_rate(rate);
    let lambda = s[0] * s[0];
    let times = [9.0 / lambda, 9.5 / lambda];
    let distances = distances(&instance, &times)?;
    let seen = (distances[0] / distances[1]).ln() / (times[1] - times[0]);
    Ok(Trial::new((seen / lambda - 1.0).abs(), Instance { probe_time: times[0], ..instance }))
}

/// Z_T − Z₀ by probing and finetuning in full width until nothing is left.
fn integrated(instance: &Instance, tau: f64, head_rate: f64) -> Result<DMatrix<f64>, String> {
    let Instance { features: z, targets, head, .. } = instance;
    // Probing carries the features along: a start of zero has no size that a step could be measured by.
    let velocity =
        |parts: &[DMatrix<f64>]| vec![z * 0.0, parts[0].transpose() * (targets - &parts[0] * &parts[1])];
    let head = reference::integrate(&[z.clone(), head.clone()], velocity, tau)?.remove(1);
    let run = Instance { head, ..instance.clone() }.with_head_rate(head_rate);
    let mut until = 20.0;
    loop {
        let (end, v) = reference::features_and_head(&run.clone().until(until))?;
        if (targets - &end * &v).norm() < 1e-12 * targets.norm() {
            return Ok(end - z);
        }
        until *= 2.0;
        if until > 2e4 {
            return Err("it has not converged".into());
        }
    }
}

fn stated_distances(case: Case) -> Scored {
    let (_, edge, violation) = case.split();
    let (instance, stated) = counter_examples(Along::ProbingTime)[edge.unwrap_or(0)].clone();
    let mut error: f64 = 0.0;
    for (tau, distance) in stated {
        let tau = if violation.is_some() { tau + 0.1 } else { tau };
        error = error.max((integrated(&instance, tau, 1.0)?.norm() / distance - 1.0).abs());
    }
    Ok(Trial::new(error, instance))
}

fn stated_distances_by_rate(case: Case) -> Scored {
    let (_, edge, violation) = case.split();
    let (instance, stated) = counter_examples(Along::HeadRate)[edge.unwrap_or(0)].clone();
    let mut error: f64 = 0.0;
    for (rate, distance) in stated {
        let rate = if violation.is_some() { 1.1 * rate } else { rate };
        error =
            error.max((integrated(&instance, instance.probe_time, rate)?.norm() / distance - 1.0).abs());
    }
    Ok(Trial::new(error, instance))
}

/// How much a size of the motion grows where it is a mean that rises.
fn growth(rises: Rises, size: impl Fn(&DMatrix<f64>, &DMatrix<f64>) -> f64) -> Scored {
    let example = examples().into_iter().find(|e| e.rises == rises).ok_or("no such example")?;
    let Example { instance, at: [first, second], .. } = example;
    let at = |tau: f64| Ok::<_, String>(size(&instance.features, &integrated(&instance, tau, 1.0)?));
    Ok(Trial::new(at(second)? / at(first)? - 1.0, instance))
}

fn mean_distance_rises(case: Case) -> Scored {
    let (_, _, violation) = case.split();
    growth(Rises::MeanDistance, |_, moved| {
        let mean = moved.row_iter().map(|row| row.norm()).sum::<f64>() / moved.nrows() as f64;
        if violation.is_some() { moved.norm() } else { mean }
    })
}

fn mean_cosine_rises(case: Case) -> Scored {
    let (_, _, violation) = case.split();
    growth(Rises::MeanCosine, |z, moved| {
        let pairs = z.row_iter().zip(moved.row_iter());
        let cosine =
            pairs.map(|(z, d)| 1.0 - z.dot(&(z + d)) / (z.norm() * (z + d).norm())).sum::<f64>();
        if violation.is_some() { moved.norm() } else { cosine / z.nrows() as f64 }
    })
}

fn rate_lowers_distance(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let (instance, rates) = if let Some(number) = violation {
        let (instance, stated) = counter_examples(Along::HeadRate)[number].clone();
        (instance, stated.map(|(rate, _)| rate).to_vec())
    } else {
        let size = if edge == Some(2) { 1e3 } else { draw.log_uniform(0.1, 30.0) };
        let samples = if edge == Some(0) { Some(1) } else { None };
        let zero = edge != Some(1) && draw.integer(0, 1) == 0;
        let instance = whitened(&mut draw, samples, None, size, zero);
        let fastest = squared_singular_values(&instance)?.max();
        let first = draw.log_uniform(0.05, 5.0);
        let instance = Instance { probe_time: draw.log_uniform(0.05, 5.0) / fastest, ..instance };
        (instance, vec![first, 1.5 * first, 2.5 * first])
    };
    let distances = rates
        .iter()
        .map(|&rate| Ok(motion(&instance.clone().with_head_rate(rate), instance.probe_time)?.norm()))
        .collect::<Result<Vec<f64>, String>>()?;
    Ok(Trial::new(least_fall(&distances), instance.with_head_rate(rates[0])))
}
