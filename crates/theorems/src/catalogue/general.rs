//! T1, T2, T4, T5, T6: what holds for any data.

use nalgebra::DMatrix;

use super::check::{Case, Check, Draw, Judge, Scored, Trial, unit};
use super::instance::{Instance, Linear};
use super::reference;
use super::{Entry, Evidence, Kind, OWN};
use taskhead::flow::solver::{self, Options};
use taskhead::flow::{Flow, Moment};
use taskhead::problem::Problem;
use taskhead::reduction::{Reduction, State};

const REN: &str = "Ren, Guo, Bae, Sutherland, ICLR 2023";

/// Entries of this file.
pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "T1",
        name: "kernel × direction × energy",
        kind: Kind::Identity,
        statement: "The feature of any input x moves by the sum over samples of kernel, direction and energy. \
                    The kernel of the linear model is constant, so only head and residual change.",
        formula: "ż(x) = Σₙ (x·xₙ) V rₙ",
        hypotheses: &["linear backbone trained by gradient flow: K = XXᵀ"],
        source: REN,
        proofs: &[
            "T1_kernel_direction_energy",
            "T1_features_follow_kernel",
            "T1_flow_exists",
            "T1_flow_unique",
        ],
        figure: None,
        evidence: Evidence::Checks(&[Check {
            claim: "the velocity of held-out features from the kernel equals the backbone's own, Ḃx",
            judge: Judge::Error { tolerance: 1e-10 },
            trial: velocity_of_held_out_features,
            cost: 4,
            edges: &["one sample", "one input dimension, singular kernel"],
            violations: &["a kernel that is not XXᵀ"],
        }]),
    },
    Entry {
        id: "T2",
        name: "conservation",
        kind: Kind::Identity,
        statement: "What head and backbone gain stays in balance: V Vᵀ − γ B Bᵀ never changes.",
        formula: "d/dt (V Vᵀ − γ B Bᵀ) = 0",
        hypotheses: &["gradient flow of head and backbone without weight decay"],
        source: "Saxe, McClelland, Ganguli 2014; Du, Hu, Lee 2018",
        proofs: &["T2_rank_one", "T2_matrix"],
        figure: None,
        evidence: Evidence::Checks(&[
            Check {
                claim: "V Vᵀ − γ B Bᵀ of the solver's end state is that of the start",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: conservation,
                cost: 4,
                edges: &["one sample", "singular kernel", "γ = 0.01", "γ = 100"],
                violations: &["weight decay 0.1"],
            },
            Check {
                claim: "and so is that of an independent integration of backbone and head",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: conservation_of_the_reference,
                cost: 40,
                edges: &[],
                violations: &["weight decay 0.1"],
            },
        ]),
    },
    Entry {
        id: "T4",
        name: "exact reduction",
        kind: Kind::Identity,
        statement: "All motion lies in the span of the rows of Z₀ and the columns of V_init, so a backbone of any width \
                    is simulated at the cost of N + k.",
        formula: "Z(t) = Z'(t) Pᵀ, V(t) = P V'(t), P orthonormal with p ≤ N + k columns",
        hypotheses: &["V₀ in the span for which the reduction was made"],
        source: OWN,
        proofs: &["T4_width", "T4_start"],
        figure: None,
        evidence: Evidence::Checks(&[Check {
            claim: "the reduced flow, widened, is the flow of backbone and head in full width",
            judge: Judge::Error { tolerance: 1e-10 },
            trial: reduction,
            cost: 20,
            edges: &["h = 40 for N = 2", "singular kernel, N > d", "h = 1"],
            violations: &["a head outside the span"],
        }]),
    },
    Entry {
        id: "T5",
        name: "boost",
        kind: Kind::Identity,
        statement: "Finetuning moves features and head together by a pseudo-orthogonal (Lorentz) transformation.",
        formula: "[Ẑ(t); V(t)ᵀ] = Φ(t) [Ẑ₀; V₀ᵀ], ΦᵀJΦ = J, J = diag(I_r, −I_k), K = FFᵀ, Z = FẐ",
        hypotheses: &["γ = 1 (else scale V by √γ)"],
        source: OWN,
        proofs: &[
            "T5_generator",
            "T5_invariance",
            "T5_boost",
            "T5_propagator_exists",
            "T5_rank_one_propagator",
        ],
        figure: Some("hyperbolas"),
        evidence: Evidence::Checks(&[Check {
            claim: "the propagator preserves J and carries the start to the solver's end state",
            judge: Judge::Error { tolerance: 1e-10 },
            trial: boost,
            cost: 40,
            edges: &["one sample, one output"],
            violations: &["γ = 2 without scaling"],
        }]),
    },
    Entry {
        id: "T6",
        name: "loss budget",
        kind: Kind::Identity,
        statement: "The loss is spent by moving the backbone and by moving the head, and by nothing else; it never rises.",
        formula: "d/dt ½‖R‖² = −tr(RᵀK R VᵀV) − γ‖ZᵀR‖² ≤ 0",
        hypotheses: &["K positive semidefinite and γ ≥ 0 (for the sign)"],
        source: OWN,
        proofs: &[
            "T6_loss_budget",
            "T6_loss_decreases",
            "T6_covers_rank_one",
            "T6_flow_exists",
            "T6_flow_unique",
        ],
        figure: Some("trajectories"),
        evidence: Evidence::Checks(&[
            Check {
                claim: "the derivative of the loss is minus the two parts of the budget",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: budget_rate,
                cost: 4,
                edges: &["singular kernel", "γ = 0"],
                violations: &["weight decay 0.1 in the velocity"],
            },
            Check {
                claim: "the budget that the solver integrates sums to the loss that is gone at the end",
                judge: Judge::Error { tolerance: 1e-10 },
                trial: budget_sum,
                cost: 4,
                edges: &["singular kernel", "γ = 0"],
                violations: &["the budget of another head rate"],
            },
            Check {
                claim: "the loss falls wherever something moves",
                judge: Judge::Margin,
                trial: falling_loss,
                cost: 1,
                edges: &["singular kernel"],
                violations: &["an indefinite kernel"],
            },
        ]),
    },
];

/// A relative difference.
pub fn relative(a: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    let (gap, size) = ((a - b).norm(), b.norm());
    if gap == 0.0 { 0.0 } else { gap / size }
}

/// The end state of the solver at a tolerance far below that of the checks.
pub fn solve(flow: &Flow, t: f64) -> Result<State, String> {
    Ok(solve_with_budget(flow, t)?.state)
}

fn solve_with_budget(flow: &Flow, t: f64) -> Result<Moment, String> {
    let options = Options { rtol: 1e-12, ..Options::default() };
    let solution = solver::solve(flow, t, &options).map_err(text)?;
    if solution.end.stop.is_success() {
        Ok(solution.end)
    } else {
        Err(format!("the solver stopped: {:?}", solution.end.stop))
    }
}

/// Any error as the reason why a case has no score.
pub fn text(error: impl ToString) -> String {
    error.to_string()
}

/// A linear model with held-out inputs, solved to its time: B(t) comes from the held-out unit vectors.
struct Solved {
    reduction: Reduction,
    state: State,
}

impl Solved {
    fn new(model: &Linear, kernel: Option<&DMatrix<f64>>) -> Result<Self, String> {
        let instance = model.instance();
        let held_out = (model.backbone.transpose(), model.inputs.transpose());
        let kernel = kernel.unwrap_or(&instance.kernel).clone();
        let problem = Problem::new(instance.features, kernel, instance.targets)
            .and_then(|p| p.with_held_out(held_out.0, held_out.1))
            .map_err(text)?;
        let reduction = Reduction::new(&problem, &model.head).map_err(text)?;
        let flow = Flow::new(&reduction, &model.head, model.head_rate).map_err(text)?;
        let state = solve(&flow, model.time)?;
        Ok(Self { reduction, state })
    }

    fn flow(&self, model: &Linear) -> Result<Flow<'_>, String> {
        Flow::new(&self.reduction, &model.head, model.head_rate).map_err(text)
    }

    fn backbone(&self, model: &Linear) -> DMatrix<f64> {
        &model.backbone + self.moved(&self.state)
    }

    /// What a motion (or its velocity) does to the backbone, h×d.
    fn moved(&self, state: &State) -> DMatrix<f64> {
        self.reduction.full_held_out_displacement(state).expect("it has held-out inputs").transpose()
    }
}

/// Shapes of edge cases by number: the first is one sample, the second a singular kernel.
fn edge_shape(edge: usize) -> [usize; 4] {
    [[1, 3, 4, 2], [5, 1, 4, 2]][edge.min(1)]
}

fn velocity_of_held_out_features(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let model = match edge {
        Some(edge) => Linear::of_shape(&mut draw, edge_shape(edge)),
        None => Linear::random(&mut draw),
    };
    let other = violation.map(|_| {
        let n = model.inputs.nrows();
        &model.inputs * model.inputs.transpose() + DMatrix::identity(n, n) * 0.1
    });
    let solved = Solved::new(&model, other.as_ref())?;
    let velocity = solved.flow(&model)?.velocity(&solved.state);
    let (b, v) = (solved.backbone(&model), solved.reduction.full_head(&solved.state));
    let r = &model.targets - &model.inputs * b.transpose() * &v;
    let exact = &v * r.transpose() * &model.inputs;
    // Late in training the velocity itself is rounding: its size without cancelling residuals counts.
    let size = exact.norm() + v.norm() * model.targets.norm() * model.inputs.norm();
    let error = (solved.moved(&velocity) - exact).norm() / size;
    Ok(Trial::new(error, model.instance()))
}

fn conserved(b: &DMatrix<f64>, v: &DMatrix<f64>, head_rate: f64) -> DMatrix<f64> {
    v * v.transpose() - b * b.transpose() * head_rate
}

/// The change of VVᵀ − γBBᵀ relative to its terms.
fn drift(model: &Linear, b: &DMatrix<f64>, v: &DMatrix<f64>) -> f64 {
    let change =
        conserved(b, v, model.head_rate) - conserved(&model.backbone, &model.head, model.head_rate);
    change.norm() / (v.norm_squared() + model.head_rate * b.norm_squared())
}

fn conservation(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let mut model = match edge {
        Some(edge) if edge < 2 => Linear::of_shape(&mut draw, edge_shape(edge)),
        _ => Linear::random(&mut draw),
    };
    match edge {
        Some(2) => model.head_rate = 0.01,
        Some(3) => model.head_rate = 100.0,
        _ => {}
    }
    let (b, v) = if violation.is_some() {
        reference::backbone_and_head(&model, 0.1)?
    } else {
        let solved = Solved::new(&model, None)?;
        (solved.backbone(&model), solved.reduction.full_head(&solved.state))
    };
    Ok(Trial::new(drift(&model, &b, &v), model.instance()))
}

fn conservation_of_the_reference(case: Case) -> Scored {
    let (mut draw, _, violation) = case.split();
    let model = Linear::random(&mut draw);
    let (b, v) = reference::backbone_and_head(&model, if violation.is_some() { 0.1 } else { 0.0 })?;
    Ok(Trial::new(drift(&model, &b, &v), model.instance()))
}

fn reduction(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let model = match edge {
        Some(edge) => Linear::of_shape(&mut draw, [[2, 3, 40, 1], [6, 2, 5, 2], [3, 4, 1, 2]][edge]),
        None if violation.is_some() => Linear::of_shape(&mut draw, [2, 3, 9, 1]),
        None => Linear::random(&mut draw),
    };
    let instance = model.instance();
    let made_for = if violation.is_some() {
        draw.normal(model.head.nrows(), model.head.ncols(), 1.0)
    } else {
        model.head.clone()
    };
    let reduction = Reduction::new(&instance.problem().map_err(text)?, &made_for).map_err(text)?;
    let flow = Flow::new(&reduction, &model.head, model.head_rate).map_err(text)?;
    let state = solve(&flow, model.time)?;
    let (b, v) = reference::backbone_and_head(&model, 0.0)?;
    let features = &instance.features + reduction.full_displacement(&state);
    let error = relative(&features, &(&model.inputs * b.transpose()))
        .max(relative(&reduction.full_head(&state), &v));
    Ok(Trial::new(error, instance))
}

fn boost(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let [n, r, h, k] = match edge {
        Some(_) => [1, 1, 3, 1],
        None => [draw.integer(1, 4), draw.integer(1, 4), draw.integer(1, 6), draw.integer(1, 3)],
    };
    let factor = draw.normal(n, r, unit(r));
    let (hidden, head) = (draw.normal(r, h, unit(h)), draw.normal(h, k, unit(h)));
    let targets = draw.normal(n, k, 1.0);
    let rate = if violation.is_some() { 2.0 } else { 1.0 };
    let instance =
        Instance::new(&factor * &hidden, &factor * factor.transpose(), targets.clone(), head.clone())
            .until(draw.log_uniform(0.1, 2.0))
            .with_head_rate(rate);

    // Features in the square root, head and propagator, all by the reference.
    let velocity = |parts: &[DMatrix<f64>]| {
        let (z, v, phi) = (&parts[0], &parts[1], &parts[2]);
        let r_hat = factor.transpose() * (&targets - &factor * z * v);
        let mut generator = DMatrix::zeros(r + k, r + k);
        generator.view_mut((0, r), (r, k)).copy_from(&r_hat);
        generator.view_mut((r, 0), (k, r)).tr_copy_from(&r_hat);
        vec![&r_hat * v.transpose(), z.transpose() * &r_hat * rate, generator * phi]
    };
    let identity = DMatrix::identity(r + k, r + k);
    let end = reference::integrate(&[hidden.clone(), head.clone(), identity], velocity, instance.time)?;
    let phi = &end[2];
    let j = DMatrix::from_fn(r + k, r + k, |a, b| {
        if a != b {
            0.0
        } else if a < r {
            1.0
        } else {
            -1.0
        }
    });
    let preserved = (phi.transpose() * &j * phi - &j).norm() / phi.norm_squared();

    // The solver's end state: Z = F·(upper part), Vᵀ = the lower part.
    let mut start = DMatrix::zeros(r + k, h);
    start.rows_mut(0, r).copy_from(&hidden);
    start.rows_mut(r, k).tr_copy_from(&head);
    let carried = phi * start;
    let reduction = instance.reduction().map_err(text)?;
    let flow = Flow::new(&reduction, &instance.head, rate).map_err(text)?;
    let state = solve(&flow, instance.time)?;
    let z = &instance.features + reduction.full_displacement(&state);
    let carried_z = &factor * carried.rows(0, r);
    let error = relative(&carried_z, &z)
        .max(relative(&carried.rows(r, k).into_owned(), &reduction.full_head(&state).transpose()));
    Ok(Trial::new(preserved.max(error), instance))
}

fn edge_instance(draw: &mut Draw, edge: Option<usize>) -> Instance {
    match edge {
        Some(0) => Linear::of_shape(draw, edge_shape(1)).instance(),
        Some(_) => Instance::random(draw).with_head_rate(0.0),
        None => Instance::random(draw),
    }
}

fn budget_rate(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let instance = edge_instance(&mut draw, edge);
    let reduction = instance.reduction().map_err(text)?;
    let flow = Flow::new(&reduction, &instance.head, instance.head_rate).map_err(text)?;
    let state = solve(&flow, instance.time)?;
    let velocity = flow.velocity(&state);
    let spent = flow.spending(&velocity);

    let Instance { features, targets, head_rate, .. } = &instance;
    let z = features + reduction.full_displacement(&state);
    let v = reduction.full_head(&state);
    let r = targets - &z * &v;
    let decay = if violation.is_some() { 0.1 } else { 0.0 };
    let dv = (z.transpose() * &r - &v * decay) * *head_rate;
    let dz = &instance.kernel * &r * v.transpose() - &z * decay;
    let falls = r.dot(&(dz * &v + &z * dv));
    let first = flow.spending(&flow.velocity(flow.start()));
    let rate = spent.backbone + spent.head;
    let size = rate + first.backbone + first.head;
    Ok(Trial::new((rate - falls).abs() / size, instance))
}

fn budget_sum(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let instance = edge_instance(&mut draw, edge);
    let reduction = instance.reduction().map_err(text)?;
    let run = |rate: f64| {
        solve_with_budget(&Flow::new(&reduction, &instance.head, rate).map_err(text)?, instance.time)
    };
    let Moment { state: end, budget, .. } = run(instance.head_rate)?;
    let spent = if violation.is_some() { run(2.0 * instance.head_rate)?.budget } else { budget };
    let spent = spent.ok_or("no budget")?;
    let before = reduction.loss(&reduction.start(&instance.head));
    let gone = before - reduction.loss(&end);
    Ok(Trial::new((spent.backbone + spent.head - gone).abs() / before, instance))
}

fn falling_loss(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let mut instance = edge_instance(&mut draw, edge);
    if violation.is_some() {
        let n = instance.kernel.nrows();
        instance.kernel -= DMatrix::identity(n, n) * 10.0;
    }
    let Instance { features: z, kernel, targets, head: v, head_rate, .. } = &instance;
    let r = targets - z * v;
    let loss_rate = -r.dot(&(kernel * &r * v.transpose() * v + z * z.transpose() * &r * *head_rate));
    let size = r.norm_squared();
    Ok(Trial::new(-loss_rate / size, instance))
}
