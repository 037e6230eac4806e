//! S2: what is measured. Every metric, both energies, the budget of every method, the limit and descent, by plain
//! arithmetic in full width on tiny problems.

use nalgebra::{DMatrix, DVector};

use super::check::{Case, Check, Draw, Judge, Scored, Trial, unit};
use super::forms::modes;
use super::general::{relative, text};
use super::instance::{Instance, Linear};
use super::reference;
use super::{Entry, Evidence, Kind, OWN};
use taskhead::decomposition::{Eigen, Svd};
use taskhead::flow::balanced::Balanced;
use taskhead::flow::decoupled::Decoupled;
use taskhead::flow::descent::descend;
use taskhead::flow::frozen::FrozenHead;
use taskhead::flow::rank_one::RankOne;
use taskhead::flow::{Flow, FlowError, SolvedBy};
use taskhead::loss::{Labels, Loss};
use taskhead::problem::Problem;
use taskhead::simulation::{Method, Probe, Run, Settings, Simulation};

/// Entries of this file.
pub const ENTRIES: &[Entry] = &[Entry {
    id: "S2",
    name: "what is measured",
    kind: Kind::Identity,
    statement: "Metrics, energies, budgets, limits and gradient descent are what their definitions say, seen in full \
                width and without any of the engine's arithmetic.",
    formula: "mean ‖z_T − z₀‖, mean 1 − cos, mean z_T·z₀, mean ‖z_T‖, ‖Z_T − Z₀‖_F; mean ‖rₙ‖, ‖R‖_F; ∫tr(RᵀK R VᵀV), γ∫‖ZᵀR‖²",
    hypotheses: &["the definitions themselves"],
    source: OWN,
    proofs: &[],
    figure: None,
    evidence: Evidence::Checks(&[
        Check {
            claim: "the metrics, on training and on held-out features, are means over the inputs in full width, and the \
                    Frobenius distance the root of the sum of all squares",
            judge: Judge::Error { tolerance: 1e-8 },
            trial: metrics,
            cost: 20,
            edges: &["one sample", "frozen head"],
            violations: &[
                "root mean square in place of the mean distance",
                "cosine of the mean features in place of the mean cosine",
                "the part of a feature outside the span of the motion left out",
                "the Frobenius distance over √N",
            ],
        },
        Check {
            claim: "both energies are those of the residual, and a wanted energy of either kind is left by its probing time",
            judge: Judge::Error { tolerance: 1e-9 },
            trial: energies,
            cost: 20,
            edges: &["one sample: the two are equal"],
            violations: &["an average energy read as a Frobenius energy"],
        },
        Check {
            claim: "the budget of every method is the integral of what backbone and head spend",
            judge: Judge::Error { tolerance: 1e-7 },
            trial: budgets,
            cost: 20,
            edges: &[
                "rank one",
                "rank one, to the end",
                "frozen head",
                "frozen head, to the end",
                "decoupled modes",
                "decoupled modes, to the end",
                "the solver",
                "the solver, to the end",
                "rank one, a rapidity above 1",
                "the solver, at a time between two of its steps",
            ],
            violations: &["backbone and head exchanged", "the spending of another head rate"],
        },
        Check {
            claim: "the limit is where the flow is after a very long time, to the tolerance that was asked for",
            judge: Judge::Error { tolerance: 1.0 },
            trial: limit,
            cost: 20,
            edges: &["one sample", "tolerance 1e-3"],
            violations: &["a time of one"],
        },
        Check {
            claim: "gradient descent is B ← B + ηVRᵀX, V ← V + γηZᵀR with a shorter last step onto the wanted time",
            judge: Judge::Error { tolerance: 1e-11 },
            trial: descent,
            cost: 4,
            edges: &["one sample", "less than one step"],
            violations: &["without the last, shorter step"],
        },
        Check {
            claim: "features, head, residual and loss are the same however the problem is given, where a part of the \
                    targets is out of reach as well",
            judge: Judge::Error { tolerance: 1e-9 },
            trial: given,
            cost: 20,
            edges: &[
                "by inputs",
                "by inputs, more of them than samples",
                "by a factor",
                "by features alone",
                "by a kernel",
            ],
            violations: &["a kernel a thousandth too small", "the loss of what can be reached only"],
        },
        Check {
            claim: "where the best fit leaves a residual, the limit, its loss and its budget are those after a very long \
                    time, to the tolerance that was asked for",
            judge: Judge::Error { tolerance: 1.0 },
            trial: rest,
            cost: 20,
            edges: &["tolerance 1e-3", "many more samples than width"],
            violations: &[
                "a time of one",
                "backbone and head exchanged",
                "the budget of the last part only",
            ],
        },
        Check {
            claim: "a closed form refuses a problem that breaks one of its hypotheses by a millionth or more",
            judge: Judge::Error { tolerance: 0.5 },
            trial: refused,
            cost: 1,
            edges: &[
                "rank one: a second eigenvalue of the kernel",
                "rank one: a feature that is not colinear",
                "rank one: a second output",
                "frozen head: a head rate",
                "decoupled: features that overlap",
                "decoupled: heads that overlap",
                "decoupled: targets that are not diagonal",
                "balanced: another head rate",
                "balanced: a kernel that is not the identity",
                "balanced: features that are not balanced",
            ],
            violations: &["rank one", "frozen head", "decoupled modes", "balanced and whitened"],
        },
        Check {
            claim: "loss and accuracy are those of every sample by itself, and a tie is not right",
            judge: Judge::Error { tolerance: 1e-12 },
            trial: scores,
            cost: 1,
            edges: &["one sample", "one output", "every prediction a tie"],
            violations: &["the squared loss without its half", "a tie that is right"],
        },
    ]),
}];

/// A small linear model whose features leave the span of the motion: h > N + k.
fn wide(draw: &mut Draw, samples: usize) -> Linear {
    let k = draw.integer(1, 2);
    let (d, h) = (samples + 2, samples + k + draw.integer(1, 3));
    Linear::of_shape(draw, [samples, d, h, k])
}

/// The head after probing for τ, by integration.
fn probed(instance: &Instance, tau: f64) -> Result<DMatrix<f64>, String> {
    let Instance { features: z, targets, head, .. } = instance;
    let velocity = |v: &[DMatrix<f64>]| vec![z.transpose() * (targets - z * &v[0])];
    Ok(reference::integrate(std::slice::from_ref(head), velocity, tau)?.remove(0))
}

fn run_of(
    run: &Run,
    instance: &Instance,
    probe: Probe,
    method: Method,
    rtol: f64,
) -> Result<Simulation, String> {
    let settings = Settings { head_rate: instance.head_rate, method, rtol, ..Settings::default() };
    let result = run.finetune(probe, &[instance.time], &settings).map_err(text)?.remove(0);
    if result.stop.is_success() { Ok(result) } else { Err(format!("it stopped: {:?}", result.stop)) }
}

/// Distance, cosine distance, dot product, norm and Frobenius distance by their definitions, one input at a time.
fn plain(before: &DMatrix<f64>, after: &DMatrix<f64>, mistake: Option<usize>) -> [f64; 5] {
    let (rows, width) = before.shape();
    let length = |sum: f64| sum.sqrt();
    let dot = |a: &dyn Fn(usize) -> f64, b: &dyn Fn(usize) -> f64| {
        (0..width).map(|j| a(j) * b(j)).sum::<f64>()
    };
    let (mut sums, mut squares) = ([0.0; 4], 0.0);
    for n in 0..rows {
        let old = |j: usize| before[(n, j)];
        let new = |j: usize| after[(n, j)];
        let moved = |j: usize| after[(n, j)] - before[(n, j)];
        let product = dot(&old, &new);
        let (size, end) = (length(dot(&old, &old)), length(dot(&new, &new)));
        let distance = dot(&moved, &moved);
        sums[0] += if mistake == Some(0) { distance } else { length(distance) };
        squares += distance;
        sums[1] += 1.0 - product / (size * end);
        sums[2] += product;
        sums[3] += end;
    }
    let mut means = sums.map(|sum| sum / rows as f64);
    if mistake == Some(0) {
        means[0] = length(means[0]);
    }
    if mistake == Some(1) {
        let mean = |m: &DMatrix<f64>, j: usize| m.column(j).sum() / rows as f64;
        let (old, new) = (|j: usize| mean(before, j), |j: usize| mean(after, j));
        means[1] = 1.0 - dot(&old, &new) / (length(dot(&old, &old)) * length(dot(&new, &new)));
    }
    let [euclidean, cosine, product, norm] = means;
    let all = if mistake == Some(3) { squares / rows as f64 } else { squares };
    [euclidean, cosine, product, norm, length(all)]
}

fn metrics(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let samples = if edge == Some(0) { 1 } else { draw.integer(2, 3) };
    let mut model = wide(&mut draw, samples);
    if edge == Some(1) {
        model.head_rate = 0.0;
    }
    let held = draw.normal(2, model.inputs.ncols(), unit(model.inputs.ncols()));
    let instance = Instance { probe_time: draw.log_uniform(0.1, 2.0), ..model.instance() };
    let before = (instance.features.clone(), &held * model.backbone.transpose());
    let problem = instance
        .problem()
        .and_then(|p| p.with_held_out(before.1.clone(), &held * model.inputs.transpose()))
        .map_err(text)?;
    let run = Run::new(&problem, &instance.head, 0.0).map_err(text)?;
    let found = run_of(&run, &instance, Probe::Time(instance.probe_time), Method::Auto, 1e-12)?;
    model.head = probed(&instance, instance.probe_time)?;
    let (b, _) = reference::backbone_and_head(&model, 0.0)?;
    let mut after = (&model.inputs * b.transpose(), &held * b.transpose());
    let mut start = before;
    if violation == Some(2) {
        // What training moves lies in the span of the features and of the head.
        let spanning = DMatrix::from_columns(
            &start
                .0
                .row_iter()
                .map(|r| r.transpose())
                .chain(model.head.column_iter().map(|c| c.into_owned()))
                .collect::<Vec<_>>(),
        );
        let basis = spanning.qr().q();
        let inside = |z: &DMatrix<f64>| z * &basis * basis.transpose();
        (start, after) = ((inside(&start.0), inside(&start.1)), (inside(&after.0), inside(&after.1)));
    }
    let held_out = found.held_out.ok_or("no held-out metrics")?;
    let pairs = [
        (found.adaptation.values(), plain(&start.0, &after.0, violation)),
        (held_out.values(), plain(&start.1, &after.1, violation)),
    ];
    let error = pairs
        .iter()
        .flat_map(|(found, exact)| {
            found.iter().zip(exact).map(|(f, e)| (f - e).abs() / e.abs().max(1e-3))
        })
        .fold(0.0, f64::max);
    Ok(Trial::new(error, instance))
}

/// Mean length of the rows, and the root of the sum of all squares.
fn plain_energies(residual: &DMatrix<f64>) -> [f64; 2] {
    let (rows, columns) = residual.shape();
    let square = |n: usize| (0..columns).map(|c| residual[(n, c)] * residual[(n, c)]).sum::<f64>();
    let mean = (0..rows).map(|n| square(n).sqrt()).sum::<f64>() / rows as f64;
    [mean, (0..rows).map(square).sum::<f64>().sqrt()]
}

fn energies(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let samples = if edge == Some(0) { 1 } else { draw.integer(2, 4) };
    let instance = wide(&mut draw, samples).instance();
    let tau = draw.log_uniform(0.1, 2.0);
    let instance = Instance { probe_time: tau, time: 0.0, ..instance };
    let problem = instance.problem().map_err(text)?;
    let run = Run::new(&problem, &instance.head, 0.0).map_err(text)?;
    let left = |head: &DMatrix<f64>| plain_energies(&(&instance.targets - &instance.features * head));
    let exact = left(&probed(&instance, tau)?);
    let found = run_of(&run, &instance, Probe::Time(tau), Method::Auto, 1e-12)?.energy;
    let mut error =
        ((found.aie - exact[0]) / exact[0]).abs().max(((found.frobenius - exact[1]) / exact[1]).abs());
    // From an energy to a probing time and back.
    for (kind, probe) in [Probe::Aie(exact[0]), Probe::Frobenius(exact[1])].into_iter().enumerate() {
        let probe = if violation.is_some() { Probe::Frobenius(exact[0]) } else { probe };
        let simulation = run_of(&run, &instance, probe, Method::Auto, 1e-12)?;
        let there = left(&run.reduction().full_head(&simulation.states.0));
        error = error.max(((there[kind] - exact[kind]) / exact[kind]).abs());
    }
    Ok(Trial::new(error, instance))
}

/// One problem for each method: rank one, frozen head, decoupled modes, and one that fits no form.
fn of_method(draw: &mut Draw, method: usize) -> Instance {
    let rate = draw.log_uniform(0.3, 3.0);
    match method {
        0 => {
            let mode =
                [draw.uniform(0.5, 2.0), draw.uniform(0.5, 1.5), draw.uniform(0.7, 1.5), 0.3, 0.5];
            modes(draw, &[mode]).with_head_rate(rate)
        }
        1 => {
            let model = Linear::of_shape(draw, [2, 4, 5, 2]);
            let head =
                DMatrix::from_fn(5, 2, |i, j| if i == j { 1.0 } else { 0.2 * draw.uniform(-1.0, 1.0) });
            Linear { head, ..model }.instance().with_head_rate(0.0)
        }
        2 => {
            let mode = |kappa: f64, y: f64| [kappa, y, 0.9, 0.2, 0.6];
            let all = [mode(0.5, draw.uniform(0.5, 1.5)), mode(1.3, draw.uniform(-1.5, -0.5))];
            modes(draw, &all).with_head_rate(rate)
        }
        _ => Linear::of_shape(draw, [2, 5, 6, 2]).instance().with_head_rate(rate),
    }
}

/// The time by which what is slowest in these problems has died out.
const LATE: f64 = 300.0;

/// Features, head, and what backbone and head have spent at a time, the head at this rate.
fn spending(instance: &Instance, rate: f64, time: f64) -> Result<[DMatrix<f64>; 3], String> {
    let Instance { features, kernel, targets, head, head_rate, .. } = instance;
    let velocity = |parts: &[DMatrix<f64>]| {
        let (z, v) = (&parts[0], &parts[1]);
        let r = targets - z * v;
        let by_backbone = (r.transpose() * kernel * &r * v.transpose() * v).trace();
        let pull = z.transpose() * &r;
        let spent = DMatrix::from_row_slice(1, 2, &[by_backbone, rate * pull.norm_squared()]);
        vec![kernel * &r * v.transpose(), pull * *head_rate, spent]
    };
    let start = [features.clone(), head.clone(), DMatrix::zeros(1, 2)];
    let end = reference::integrate(&start, velocity, time)?;
    Ok(<[_; 3]>::try_from(end).expect("three matrices went in"))
}

fn budgets(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let (method, to_the_end) = match edge {
        Some(8) => (0, true),
        Some(9) => (3, false),
        Some(edge) => (edge / 2, edge % 2 == 1),
        None => (draw.integer(0, 3), draw.integer(0, 1) == 1),
    };
    let mut instance = of_method(&mut draw, method);
    if edge == Some(8) {
        instance.targets *= 10.0;
    }
    let time = draw.log_uniform(0.2, 2.0);
    let instance = instance.until(if to_the_end { f64::INFINITY } else { time });
    let problem = instance.problem().map_err(text)?;
    let run = Run::new(&problem, &instance.head, 0.0).map_err(text)?;
    let name = [SolvedBy::RankOne, SolvedBy::FrozenHead, SolvedBy::Decoupled, SolvedBy::Flow][method];
    let settings = Settings { head_rate: instance.head_rate, rtol: 1e-11, ..Settings::default() };
    // A time on the way to a later one lies between two steps.
    let times = if edge == Some(9) { vec![time, 3.0 * time] } else { vec![instance.time] };
    let found = run.finetune(Probe::Time(0.0), &times, &settings).map_err(text)?.remove(0);
    if !found.stop.is_success() {
        return Err(format!("it stopped: {:?}", found.stop));
    }
    if found.method != name {
        return Err(format!("{} in place of {name}", found.method));
    }
    let budget = found.budget.ok_or("no budget")?;

    let rate = if violation == Some(1) { 2.0 * instance.head_rate + 1.0 } else { instance.head_rate };
    let [.., spent] = spending(&instance, rate, if to_the_end { LATE } else { time })?;
    let exact = if violation == Some(0) { [spent[1], spent[0]] } else { [spent[0], spent[1]] };
    let loss = (&instance.targets - &instance.features * &instance.head).norm_squared() / 2.0;
    let error = (budget.backbone - exact[0]).abs().max((budget.head - exact[1]).abs()) / loss;
    Ok(Trial::new(error, instance))
}

fn limit(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let samples = if edge == Some(0) { 1 } else { draw.integer(1, 3) };
    // Features that fit by themselves, with singular values from 0.6 to 1.6.
    let (h, k) = (samples + 2, draw.integer(1, 2));
    let (u, w) = (draw.orthonormal(samples, samples), draw.orthonormal(h, samples));
    let s = DVector::from_fn(samples, |_, _| draw.uniform(0.6, 1.6));
    let features = &u * DMatrix::from_diagonal(&s) * w.transpose();
    let x = draw.normal(samples, samples + 2, unit(samples));
    let head = draw.normal(h, k, unit(h));
    let targets = draw.normal(samples, k, 1.0);
    let rate = draw.log_uniform(0.5, 2.0);
    let instance = Instance::new(features, &x * x.transpose(), targets, head).with_head_rate(rate);
    let rtol = if edge == Some(1) { 1e-3 } else { [1e-4, 1e-6, 1e-8][draw.integer(0, 2)] };
    let problem = instance.problem().map_err(text)?;
    let run = Run::new(&problem, &instance.head, 0.0).map_err(text)?;
    let found = run_of(&run, &instance, Probe::Time(0.0), Method::Flow, rtol)?;
    let long = if violation.is_some() { 1.0 } else { LATE };
    let (z, v) = reference::features_and_head(&instance.clone().until(long))?;
    let moved = (&z - &instance.features).norm();
    let error = ((run.features(&found) - z).norm() / moved).max(relative(&run.head(&found), &v));
    Ok(Trial::new(error / rtol, instance))
}

fn descent(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let samples = if edge == Some(0) { 1 } else { draw.integer(1, 3) };
    let mut model = wide(&mut draw, samples);
    let step = draw.uniform(0.01, 0.03);
    let whole = if edge == Some(1) { 0 } else { draw.integer(5, 40) };
    let last = draw.uniform(0.2, 0.8) * step;
    model.time = whole as f64 * step + last;
    let instance = model.instance();
    let reduction = instance.reduction().map_err(text)?;
    let flow = Flow::new(&reduction, &instance.head, instance.head_rate).map_err(text)?;
    let end = descend(&flow, step, &[instance.time], 1000).map_err(text)?.moments.remove(0).state;

    let (mut b, mut v) = (model.backbone.clone(), model.head.clone());
    let last = if violation.is_some() { 0.0 } else { last };
    for eta in std::iter::repeat_n(step, whole).chain(std::iter::once(last)) {
        let z = &model.inputs * b.transpose();
        let r = &model.targets - &z * &v;
        let (db, dv) = (&v * r.transpose() * &model.inputs, z.transpose() * &r * model.head_rate);
        b += db * eta;
        v += dv * eta;
    }
    let z = &instance.features + reduction.full_displacement(&end);
    let error =
        relative(&z, &(&model.inputs * b.transpose())).max(relative(&reduction.full_head(&end), &v));
    Ok(Trial::new(error, instance))
}

/// In how many ways a problem is given here.
const GIVEN: usize = 5;

fn given(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let way = edge.unwrap_or_else(|| draw.integer(0, GIVEN - 1));
    let samples = draw.integer(3, 4);
    let d = if way == 1 { samples + 2 } else { samples - 1 };
    let (h, k) = (draw.integer(1, 3), draw.integer(1, 2));
    let mut model = Linear::of_shape(&mut draw, [samples, d, h, k]);
    if way == 3 {
        // One more layer on the features, which starts as the identity.
        model.inputs = &model.inputs * model.backbone.transpose();
        model.backbone = DMatrix::identity(h, h);
    }
    let Linear { inputs: x, backbone: b, targets, .. } = &model;
    let held = draw.normal(2, x.ncols(), unit(x.ncols()));
    let (z, held_z, y) = (x * b.transpose(), &held * b.transpose(), targets.clone());
    let problem = match way {
        0 | 1 => Problem::linear(x, b, y).and_then(|p| p.with_held_out_inputs(&held, x, b)),
        2 => Problem::with_factor(z, x, y).and_then(|p| p.with_held_out_factor(held_z, &held)),
        3 => Problem::on_features(z, y).and_then(|p| p.with_held_out_features(held_z)),
        _ => Problem::new(z, x * x.transpose(), y)
            .and_then(|p| p.with_held_out(held_z, &held * x.transpose())),
    }
    .map_err(text)?;
    let instance = model.instance();
    let run = Run::new(&problem, &instance.head, 0.0).map_err(text)?;
    let found = run_of(&run, &instance, Probe::Time(0.0), Method::Flow, 1e-12)?;

    let scale = if violation == Some(0) { 0.999f64.sqrt() } else { 1.0 };
    model.inputs *= scale;
    model.backbone /= scale;
    let (b, v) = reference::backbone_and_head(&model, 0.0)?;
    let z = &model.inputs * b.transpose();
    let mut left = &instance.targets - &z * &v;
    if violation == Some(1) {
        let basis = Svd::new(&model.inputs).map_err(text)?.u;
        left = &basis * basis.tr_mul(&left);
    }
    let [_, size] = plain_energies(&left);
    let loss = size * size / 2.0 / samples as f64;
    let moved = run.held_out_features(&found).ok_or("no held-out features")?;
    let held_end = held * scale * b.transpose();
    let error = relative(&run.features(&found), &z)
        .max(relative(&run.head(&found), &v))
        .max(relative(&moved, &held_end))
        .max((found.residual / size - 1.0).abs())
        .max((found.loss / loss - 1.0).abs());
    Ok(Trial::new(error, instance))
}

/// One feature for two outputs: the best fit has rank one, and leaves the second direction of the targets.
fn rest(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let samples = if edge == Some(1) { 6 } else { draw.integer(2, 3) };
    let mut spread = |n: usize, low: f64, high: f64| {
        let (u, w) = (draw.orthonormal(samples, n), draw.orthonormal(n, n));
        let s = DVector::from_fn(n, |i, _| if i == 0 { high } else { draw.uniform(low, 1.5 * low) });
        (
            &u * DMatrix::from_diagonal(&s) * w.transpose(),
            &u * DMatrix::from_diagonal(&s) * u.transpose(),
        )
    };
    let (targets, _) = spread(2, 0.3, 1.5);
    let (_, kernel) = spread(samples, 0.6, 1.2);
    let (features, head) = (draw.normal(samples, 1, 1.0), draw.normal(1, 2, 1.0));
    let rate = draw.log_uniform(0.5, 2.0);
    let instance = Instance::new(features, kernel, targets, head).with_head_rate(rate);
    let rtol = if edge == Some(0) { 1e-3 } else { [1e-4, 1e-6, 1e-8][draw.integer(0, 2)] };
    let problem = instance.problem().map_err(text)?;
    let run = Run::new(&problem, &instance.head, 0.0).map_err(text)?;
    let found = run_of(&run, &instance, Probe::Time(0.0), Method::Flow, rtol)?;
    let budget = found.budget.ok_or("no budget")?;

    let long = if violation == Some(0) { 1.0 } else { LATE };
    let [z, v, spent] = spending(&instance, instance.head_rate, long)?;
    let left = plain_energies(&(&instance.targets - &z * &v))[1];
    let loss = |left: f64| left * left / 2.0 / samples as f64;
    let mut exact = [spent[0], spent[1]];
    match violation {
        Some(1) => exact.reverse(),
        Some(2) => {
            let [.., before] = spending(&instance, instance.head_rate, 1.0)?;
            exact = [exact[0] - before[0], exact[1] - before[1]];
        }
        _ => {}
    }
    let start = (&instance.targets - &instance.features * &instance.head).norm_squared() / 2.0;
    let moved = (&z - &instance.features).norm();
    let error = ((run.features(&found) - z).norm() / moved)
        .max(relative(&run.head(&found), &v))
        .max((found.residual / left - 1.0).abs())
        .max((found.loss / loss(left) - 1.0).abs())
        .max((budget.backbone - exact[0]).abs() / start)
        .max((budget.head - exact[1]).abs() / start);
    Ok(Trial::new(error / rtol, instance))
}

/// Whether a form takes a problem that is one of its own but for a small amount; a violation has none of it.
fn refused(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let way = match violation {
        Some(form) => [0, 3, 4, 7][form],
        None => edge.unwrap_or_else(|| draw.integer(0, 9)),
    };
    let amount = if violation.is_some() { 0.0 } else { draw.log_uniform(1e-6, 0.1) };
    let rate = draw.log_uniform(0.3, 3.0);
    let mut instance = match way {
        0..3 => {
            let k = if way == 2 { 2 } else { 1 };
            Linear::of_shape(&mut draw, [3, 1, 2, k]).instance().with_head_rate(rate)
        }
        3 => Linear::of_shape(&mut draw, [2, 4, 3, 2]).instance().with_head_rate(amount),
        4..7 => {
            let all = [[0.5, 0.7, 0.9, 0.2, 0.6], [1.3, -1.1, 1.2, 0.4, 0.5]];
            modes(&mut draw, &all).with_head_rate(rate)
        }
        _ => {
            let (z, y) = (draw.orthonormal(3, 2), draw.normal(3, 2, 1.0));
            Instance::new(z, DMatrix::identity(3, 3), y, DMatrix::zeros(2, 2))
        }
    };
    let (n, h) = instance.features.shape();
    match way {
        0 => {
            // Across the features, so that they stay colinear like the inputs.
            let (x, z) = (draw.normal(n, 1, 1.0), instance.features.column(0).normalize());
            let x = &x - &z * z.tr_mul(&x);
            instance.kernel += &x * x.transpose() * amount;
        }
        1 => instance.features += draw.normal(n, h, amount),
        2 => {
            let second = draw.normal(n, 1, amount).column(0).into_owned();
            instance.targets.set_column(1, &second);
        }
        4 => {
            // Across the heads, so that the residual stays diagonal.
            let u = Eigen::new(&instance.kernel).map_err(text)?.q;
            let z = instance.features.tr_mul(&u.column(0));
            let v = &instance.head * instance.targets.tr_mul(&u.column(0)).normalize();
            let across = &z - &v * (z.dot(&v) / v.norm_squared());
            instance.features += u.column(1) * across.transpose() * amount;
        }
        5 => {
            let first = instance.head.column(0) * amount;
            let mut second = instance.head.column_mut(1);
            second += first;
        }
        6 => instance.targets += draw.normal(n, 2, amount),
        7 => instance.head_rate += amount,
        8 => instance.kernel *= 1.0 + amount,
        9 => {
            let mut first = instance.features.column_mut(0);
            first *= 1.0 + amount;
        }
        _ => {}
    }
    let reduction = instance.reduction().map_err(text)?;
    let flow = Flow::new(&reduction, &instance.head, instance.head_rate).map_err(text)?;
    let taken = match way {
        0..3 => RankOne::of_flow(&flow).map(drop),
        3 => FrozenHead::of_flow(&flow).map(drop),
        4..7 => Decoupled::of_flow(&flow).map(drop),
        _ => Balanced::of_flow(&flow).map(drop),
    };
    match taken {
        Ok(()) => Ok(Trial::new(1.0, instance)),
        Err(FlowError::Violation(_)) => Ok(Trial::new(0.0, instance)),
        Err(error) => Err(text(error)),
    }
}

/// Loss under both losses and accuracy, for predictions of which some are equal.
fn scores(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let samples = if edge == Some(0) { 1 } else { draw.integer(2, 5) };
    let k = if edge == Some(1) { 1 } else { draw.integer(1, 4) };
    let classes: Vec<usize> = (0..samples).map(|_| draw.integer(0, k.max(2) - 1)).collect();
    let labels = DMatrix::from_fn(samples, k, |n, c| match k {
        1 => classes[n] as f64,
        _ => f64::from(u8::from(classes[n] == c)),
    });
    let tied = edge == Some(2) || violation == Some(1);
    let f =
        DMatrix::from_fn(samples, k, |_, _| if tied { 0.0 } else { draw.integer(0, 3) as f64 - 1.5 });
    let half = if violation == Some(0) { 1.0 } else { 0.5 };
    let (mut squared, mut entropy, mut right) = (0.0, 0.0, 0);
    for n in 0..samples {
        squared += (0..k).map(|c| half * (labels[(n, c)] - f[(n, c)]).powi(2)).sum::<f64>();
        let (own, others) = match k {
            1 => (f[n] * classes[n] as f64, vec![f[n] * (1.0 - classes[n] as f64)]),
            _ => {
                let others = (0..k).filter(|&c| c != classes[n]).map(|c| f[(n, c)]).collect();
                (f[(n, classes[n])], others)
            }
        };
        entropy += (own.exp() + others.iter().map(|f| f.exp()).sum::<f64>()).ln() - own;
        let wins = |f: &f64| if violation == Some(1) { own >= *f } else { own > *f };
        right += usize::from(others.iter().all(wins));
    }
    let mut error = (Loss::Squared.value(&labels, &f) / squared - 1.0)
        .abs()
        .max((Loss::CrossEntropy.value(&labels, &f) / entropy - 1.0).abs());
    let share = right as f64 / samples as f64;
    let accuracy = Labels::of(Loss::CrossEntropy, &labels).ok_or("no labels")?.accuracy(&f);
    error = error.max((accuracy - share).abs());
    let instance =
        Instance::new(f.clone(), DMatrix::identity(samples, samples), labels, DMatrix::identity(k, k));
    Ok(Trial::new(error, instance))
}
