//! S2: what is measured. Every metric, both energies, the budget of every method, the limit and descent, by plain
//! arithmetic in full width on tiny problems.

use nalgebra::DMatrix;

use super::check::{Case, Check, Draw, Judge, Scored, Trial, unit};
use super::forms::modes;
use super::general::{relative, text};
use super::instance::{Instance, Linear};
use super::reference;
use super::{Entry, Evidence, Kind, OWN};
use taskhead::flow::Flow;
use taskhead::flow::descent::descend;
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
    let name = ["rank-one", "frozen-head", "decoupled", "flow"][method];
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

    let Instance { features, kernel, targets, head, head_rate, .. } = &instance;
    let rate = if violation == Some(1) { 2.0 * head_rate + 1.0 } else { *head_rate };
    let velocity = |parts: &[DMatrix<f64>]| {
        let (z, v) = (&parts[0], &parts[1]);
        let r = targets - z * v;
        let by_backbone = (r.transpose() * kernel * &r * v.transpose() * v).trace();
        let pull = z.transpose() * &r;
        let spent = DMatrix::from_row_slice(1, 2, &[by_backbone, rate * pull.norm_squared()]);
        vec![kernel * &r * v.transpose(), pull * *head_rate, spent]
    };
    let until = if to_the_end { LATE } else { time };
    let start = [features.clone(), head.clone(), DMatrix::zeros(1, 2)];
    let spent = &reference::integrate(&start, velocity, until)?[2];
    let exact = if violation == Some(0) { [spent[1], spent[0]] } else { [spent[0], spent[1]] };
    let loss = (targets - features * head).norm_squared() / 2.0;
    let error = (budget.backbone - exact[0]).abs().max((budget.head - exact[1]).abs()) / loss;
    Ok(Trial::new(error, instance))
}

fn limit(case: Case) -> Scored {
    let (mut draw, edge, violation) = case.split();
    let samples = if edge == Some(0) { 1 } else { draw.integer(1, 3) };
    // Features that fit by themselves, with singular values from 0.6 to 1.6.
    let (h, k) = (samples + 2, draw.integer(1, 2));
    let (u, w) = (draw.orthonormal(samples, samples), draw.orthonormal(h, samples));
    let s = nalgebra::DVector::from_fn(samples, |_, _| draw.uniform(0.6, 1.6));
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
