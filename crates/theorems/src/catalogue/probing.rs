//! T3, T19, T21: head probing, its energy, and the first step of the trend.

use nalgebra::{DMatrix, DVector, dmatrix};

use super::check::{Case, Check, Draw, Judge, Scored, Trial};
use super::general::{relative, solve, text};
use super::instance::Instance;
use super::reference;
use super::{Entry, Evidence, Kind, OWN};
use taskhead::decomposition::Eigen;
use taskhead::flow::Flow;
use taskhead::probing::{Measure, ProbingPath};

/// Entries of this file.
pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "T3",
        name: "head probing",
        kind: Kind::Identity,
        statement: "The head and the residual during probing are known for every time. The Frobenius energy never rises, \
                    so every energy between its ends has a probing time; the average initial energy is continuous but \
                    may rise.",
        formula: "R(τ) = R_init − U(1 − e^(−s²τ))UᵀR_init with Z₀ = U diag(s) Wᵀ",
        hypotheses: &[
            "features fixed while the head is probed",
            "probing towards Y (for the monotone energy)",
        ],
        source: OWN,
        proofs: &[
            "T3_path",
            "T3_residual",
            "T3_unique",
            "T3_energy_monotone",
            "T3_energy_strict",
            "T3_energy_attained",
            "T3_energy_limit",
            "T3_matrix_converges",
            "T3_matrix_unique",
            "T3_matrix_best",
            "T3_matrix_nearest",
            "T3_matrix_energy",
            "T3_matrix_path",
            "T3_matrix_residual",
        ],
        figure: Some("smoothing"),
        evidence: Evidence::Checks(&[
            Check {
                claim: "the path is the integrated gradient flow of the head",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: path,
                cost: 10,
                edges: &["τ = 0", "singular features, more samples than width", "features of size 1e-3"],
                violations: &["features that move as well"],
            },
            Check {
                claim: "the Frobenius energy falls all along the path",
                judge: Judge::Margin,
                trial: monotone_energy,
                cost: 1,
                edges: &["one sample"],
                violations: &["probing towards other targets than the energy's"],
            },
            Check {
                claim: "probing for the time of a wanted energy leaves that energy",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: inverse,
                cost: 4,
                edges: &["the energy of τ = 0"],
                violations: &["an energy below that of τ = ∞"],
            },
            Check {
                claim: "the average initial energy can rise (an example)",
                judge: Judge::Margin,
                trial: rising_aie,
                cost: 0,
                edges: &["two samples with features of Gram matrix [1, 3; 3, 10]"],
                violations: &["orthogonal features"],
            },
        ]),
    },
    Entry {
        id: "T19",
        name: "first step of the trend",
        kind: Kind::Law,
        statement: "Near probing convergence the dot product grows with energy exactly if the residual and the targets \
                    agree along the slowest direction of the features; from a zero head they always do.",
        formula: "sign d(tr Z_T Z₀ᵀ)/dE = sign (u₁·ρ)(u₁·Y), ρ = Y − Z₀V_init, with slope (u₁·ρ)(u₁·Y)/(|V∞|² + λ₁)",
        hypotheses: &[
            "K = I, k = 1, γ = 1",
            "Z₀ of full row rank with a simple smallest singular value",
            "small energy",
        ],
        source: OWN,
        proofs: &[],
        figure: None,
        evidence: Evidence::Checks(&[
            Check {
                claim: "the growth of the dot product has the predicted sign and size",
                judge: Judge::Margin,
                trial: first_step,
                cost: 10,
                edges: &["one sample", "zero initial head"],
                violations: &["a residual along the fastest direction"],
            },
            Check {
                claim: "from a zero initial head it grows",
                judge: Judge::Margin,
                trial: first_step_of_a_zero_head,
                cost: 10,
                edges: &["one sample"],
                violations: &["a head that overshoots the target"],
            },
        ]),
    },
    Entry {
        id: "T21",
        name: "label smoothing",
        kind: Kind::Identity,
        statement: "Probing towards smoothed labels to convergence leaves an energy floor proportional to ε.",
        formula: "R(∞) = ε (Y − mean Y)",
        hypotheses: &["features of full row rank, so that the head fits the smoothed labels"],
        source: "Ren, Guo, Bae, Sutherland, ICLR 2023",
        proofs: &["T21_residual", "T21_floor"],
        figure: Some("smoothing"),
        evidence: Evidence::Checks(&[Check {
            claim: "the residual at τ = ∞ is ε (Y − mean Y)",
            judge: Judge::Error { tolerance: 1e-10 },
            trial: smoothing_floor,
            cost: 2,
            edges: &["ε = 0", "ε = 1"],
            violations: &["more samples than width"],
        }]),
    },
];

fn path(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let mut instance = match edge {
        Some(1) => super::instance::Linear::of_shape(&mut draw, [6, 3, 4, 2]).instance(),
        _ => Instance::random(&mut draw),
    };
    if edge == Some(2) {
        instance.features *= 1e-3;
    }
    let tau = if edge == Some(0) { 0.0 } else { draw.log_uniform(0.1, 5.0) };
    instance.probe_time = tau;
    let path = ProbingPath::new(&instance.problem().map_err(text)?, &instance.head).map_err(text)?;
    let Instance { features: z, targets, head, kernel, .. } = &instance;
    let exact = if violation.is_some() {
        let moving = Instance::new(z.clone(), kernel.clone(), targets.clone(), head.clone()).until(tau);
        reference::features_and_head(&moving)?.1
    } else {
        let velocity = |v: &[DMatrix<f64>]| vec![z.transpose() * (targets - z * &v[0])];
        reference::integrate(std::slice::from_ref(head), velocity, tau)?.remove(0)
    };
    let left = targets - z * &exact;
    let size = targets.norm() + (z * head).norm();
    let error = relative(&path.head(tau).map_err(text)?, &exact)
        .max((path.residual(tau).map_err(text)? - left).norm() / size);
    Ok(Trial::new(error, instance))
}

/// Times from 0 to past the slowest decay that is worth a look.
fn times_of(path_rate: f64) -> Vec<f64> {
    let steps = (0..24).map(|i| 1e-3 * 10f64.powf(f64::from(i) / 6.0) / path_rate);
    std::iter::once(0.0).chain(steps).collect()
}

fn monotone_energy(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let mut instance = match edge {
        Some(_) => super::instance::Linear::of_shape(&mut draw, [1, 3, 4, 2]).instance(),
        None => Instance::random(&mut draw),
    };
    let problem = instance.problem().map_err(text)?;
    if violation.is_some() {
        // From the head that fits Y, towards smoothed labels.
        instance.smoothing = 0.5;
        let fitted = ProbingPath::new(&problem, &instance.head).map_err(text)?;
        instance.head = fitted.head(f64::INFINITY).map_err(text)?;
    }
    let path =
        ProbingPath::with_smoothing(&problem, &instance.head, instance.smoothing).map_err(text)?;
    let fastest = instance.features.norm_squared();
    let energies = times_of(fastest)
        .into_iter()
        .map(|tau| Ok(path.energy(tau).map_err(text)?.frobenius))
        .collect::<Result<Vec<f64>, String>>()?;
    let margin = energies.windows(2).map(|e| e[0] - e[1]).fold(f64::INFINITY, f64::min);
    Ok(Trial::new(margin / energies[0], instance))
}

fn inverse(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let instance = Instance::random(&mut draw);
    let path = ProbingPath::new(&instance.problem().map_err(text)?, &instance.head).map_err(text)?;
    let measure = if draw.integer(0, 1) == 0 { Measure::Aie } else { Measure::Frobenius };
    let energy = |tau: f64| path.energy(tau).map(|e| measure.of(&e)).map_err(text);
    let slowest = instance.features.norm_squared();
    let tau = if edge.is_some() { 0.0 } else { draw.log_uniform(1e-3, 30.0) / slowest };
    let mut wanted = energy(tau)?;
    if violation.is_some() {
        wanted = energy(f64::INFINITY)? * 0.5 - 1e-3;
    }
    let found = path.time_for(measure, wanted).map_err(text)?;
    let error = (energy(found)? - wanted).abs() / energy(0.0)?;
    Ok(Trial::new(error, Instance { probe_time: found, ..instance }))
}

fn rising_aie(case: Case) -> Scored {
    let (_, _, violation) = case.split();
    let features =
        if violation.is_some() { dmatrix![1.0, 0.0; 0.0, 1.0] } else { dmatrix![1.0, 0.0; 3.0, 1.0] };
    let kernel = DMatrix::identity(2, 2);
    let instance = Instance::new(features, kernel, dmatrix![1.0; 0.0], dmatrix![0.0; 0.0]);
    let path = ProbingPath::new(&instance.problem().map_err(text)?, &instance.head).map_err(text)?;
    let aie = |tau: f64| path.energy(tau).map(|e| e.aie).map_err(text);
    Ok(Trial::new(aie(0.05)? / aie(0.0)? - 1.0, Instance { probe_time: 0.05, ..instance }))
}

/// Whitened data with one output, probed from a head to near its limit, with u₁ and λ₁.
struct NearConvergence {
    instance: Instance,
    slowest: DVector<f64>,
    rate: f64,
    /// Where the residual points, of length 1.
    direction: DVector<f64>,
    fitted: DMatrix<f64>,
}

/// Energy near convergence at which first order is all that is seen.
const SMALL: f64 = 1e-5;

impl NearConvergence {
    fn new(draw: &mut Draw, n: usize, zero_head: bool, fastest: bool) -> Result<Self, String> {
        let h = n + draw.integer(0, 3);
        // Singular values with a gap: 0.5, then from 0.8 up.
        let (u, w) = (draw.orthonormal(n, n), draw.orthonormal(h, n));
        let mut s = DVector::from_fn(n, |_, _| draw.uniform(0.8, 1.6));
        s[0] = 0.5;
        let features = &u * DMatrix::from_diagonal(&s) * w.transpose();
        let targets = draw.normal(n, 1, 1.0);
        let head = if zero_head { DMatrix::zeros(h, 1) } else { draw.normal(h, 1, 1.0) };
        let mut instance = Instance::new(features, DMatrix::identity(n, n), targets, head);
        let problem = instance.problem().map_err(text)?;
        let path = ProbingPath::new(&problem, &instance.head).map_err(text)?;
        let gram = Eigen::new(&(&instance.features * instance.features.transpose())).map_err(text)?;
        // Eigenvalues descend.
        let (most, least) = (0, n - 1);
        let fitted = path.head(f64::INFINITY).map_err(text)?;
        let direction = if fastest {
            // A residual that probing would never leave: along the fastest direction, against the targets' sign there.
            let u = gram.q.column(most).into_owned();
            let slow = gram.q.column(least).dot(&instance.targets.column(0)).signum();
            let slow = gram.q.column(least) * (slow * 0.1);
            let fast = &u * -u.dot(&instance.targets.column(0)).signum();
            (fast + slow).normalize()
        } else {
            // Probing to convergence: only the slowest direction is left.
            let u = gram.q.column(least).into_owned();
            let first = path.residual(0.0).map_err(text)?.column(0).dot(&u);
            u * first.signum()
        };
        // The head with the residual SMALL·direction and nothing else.
        let inverse = &gram.q * DMatrix::from_diagonal(&gram.d.map(f64::recip)) * gram.q.transpose();
        let change = instance.features.transpose() * inverse * &direction * SMALL;
        instance.head.copy_from(&(&fitted - DMatrix::from_column_slice(h, 1, change.as_slice())));
        let slowest = gram.q.column(least).into_owned();
        Ok(Self { slowest, rate: gram.d[least], instance, direction, fitted })
    }

    /// Growth of tr Z_T Z₀ᵀ by finetuning to the end.
    fn growth(&self) -> Result<f64, String> {
        let reduction = self.instance.reduction().map_err(text)?;
        let flow = Flow::new(&reduction, &self.instance.head, 1.0).map_err(text)?;
        let state = solve(&flow, f64::INFINITY)?;
        Ok(reduction.full_displacement(&state).dot(&self.instance.features))
    }

    /// Growth of the dot product minus the predicted growth, in units of the largest that a residual of
    /// this size can have: of first order in the energy.
    fn gap(&self) -> Result<f64, String> {
        let growth = self.growth()?;
        let along = |x: &DVector<f64>| self.slowest.dot(x);
        let y = self.instance.targets.column(0).into_owned();
        let unit = SMALL / (self.fitted.norm_squared() + self.rate);
        let predicted = unit * along(&self.direction) * along(&y);
        Ok((growth - predicted).abs() / (unit * y.norm()))
    }
}

/// Far from the prediction by less than a hundredth of what it could be.
fn first_step(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = if edge == Some(0) { 1 } else { draw.integer(2, 5) };
    let near = NearConvergence::new(&mut draw, n, edge == Some(1), violation.is_some())?;
    Ok(Trial::new(1e-2 - near.gap()?, near.instance))
}

fn first_step_of_a_zero_head(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = if edge == Some(0) { 1 } else { draw.integer(2, 5) };
    let mut near = NearConvergence::new(&mut draw, n, true, false)?;
    if violation.is_some() {
        // Twice the fitted head: the residual −Y shrinks to the same limit from the other side.
        near.instance.head = &near.fitted * 2.0 - &near.instance.head;
    }
    Ok(Trial::new(near.growth()? / SMALL, near.instance))
}

fn smoothing_floor(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let n = draw.integer(1, 6);
    let h = if violation.is_some() { n.div_ceil(2) } else { n + draw.integer(0, 4) };
    let n = if violation.is_some() { n + 2 } else { n };
    let k = draw.integer(1, 4);
    let features = draw.normal(n, h, 1.0);
    let labels =
        DMatrix::from_fn(n, k, |i, j| if i % k == j { 1.0 } else { 0.0 }) + draw.normal(n, k, 0.1);
    let epsilon = edge.map_or_else(|| draw.uniform(0.0, 1.0), |e| e as f64);
    let instance = Instance {
        probe_time: f64::INFINITY,
        smoothing: epsilon,
        ..Instance::new(features, DMatrix::identity(n, n), labels.clone(), draw.normal(h, k, 1.0))
    };
    let problem = instance.problem().map_err(text)?;
    let path = ProbingPath::with_smoothing(&problem, &instance.head, epsilon).map_err(text)?;
    let left = path.residual(f64::INFINITY).map_err(text)?;
    let floor = labels.add_scalar(-labels.mean()) * epsilon;
    Ok(Trial::new((left - floor).norm() / labels.norm(), instance))
}
