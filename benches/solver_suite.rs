//! Work and error of the solver on its suite.
//!
//! * `cargo run --release -p taskhead-benches --bin solver_suite` prints a table: tolerance, achieved error, steps,
//!   evaluations, n×p×k products, decompositions and seconds, each from 0 to the limit.
//! * `… -- errors` prints the largest error at wanted times from the start to the limit, in units of the tolerance.
//! * `… -- export CASE TIME` writes the heads of a case and their states at a time as JSON, for other programs.
//! * `… -- solve CASE TIME RTOL` solves them one after the other and prints seconds, work and the largest error as
//!   JSON. `wide-16` is `wide` from 16 heads; the other cases have one.
//! * `… -- large SAMPLES WIDTH [RTOL]` is the table of real digits behind a random layer of WIDTH rectified units;
//!   with RTOL at this tolerance alone and without an error, because the solution that tells it takes longest.

use taskhead_suite as suite;

use std::time::Instant;

use cpu_time::ProcessTime;
use nalgebra::DMatrix;
use serde_json::{Value, json};
use taskhead::flow::Flow;
use taskhead::flow::solver::{Options, Solution, solve};
use taskhead_suite::{Case, error};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => table(suite::small().into_iter().chain([suite::forty(), suite::digits()]), None),
        ["errors"] => errors_on_the_way(),
        ["large", samples, width, ref rtol @ ..] if rtol.len() <= 1 => {
            let rtol = rtol.first().map(|rtol| rtol.parse()).transpose()?;
            table([suite::random_features("large", samples.parse()?, width.parse()?)], rtol);
        }
        ["export", name, time] => {
            let time = time.parse()?;
            let heads: Value = heads(name)?.iter().map(|case| export(case, time)).collect();
            println!("{heads}");
        }
        ["solve", name, time, rtol] => {
            println!("{}", timed(&heads(name)?, time.parse()?, rtol.parse()?));
        }
        _ => return Err("see the first lines of benches/solver_suite.rs for its arguments".into()),
    }
    Ok(())
}

/// A case, once for each of its heads.
fn heads(name: &str) -> Result<Vec<Case>, String> {
    if name == "wide-16" {
        return Ok((0..16).map(suite::wide).collect());
    }
    let all = suite::small().into_iter().chain([suite::forty(), suite::wide(0), suite::digits()]);
    let case = all.into_iter().find(|case| case.name == name);
    Ok(vec![case.ok_or(format!("no case is called {name}"))?])
}

fn run(flow: &Flow, until: f64, rtol: f64) -> Solution {
    solve(flow, until, &Options { rtol, ..Options::default() }).expect("valid options")
}

/// A row for each tolerance, or one for a given tolerance without the error.
fn table(cases: impl IntoIterator<Item = Case>, only: Option<f64>) {
    println!(
        "case                 n    p   k  tolerance     error  steps refused evaluations products decompositions seconds"
    );
    for case in cases {
        case.with_flow(|flow| {
            let exact = only.is_none().then(|| run(flow, f64::INFINITY, 1e-13).end.state);
            let [n, p, k] = [flow.reduction().rows(), flow.reduction().width(), case.head.ncols()];
            for rtol in only.map_or(vec![1e-4, 1e-6, 1e-8, 1e-10], |rtol| vec![rtol]) {
                let clock = Instant::now();
                let solution = run(flow, f64::INFINITY, rtol);
                let seconds = clock.elapsed().as_secs_f64();
                let work = solution.work;
                let error = exact.as_ref().map(|exact| format!("{:.1e}", error(&solution.end.state, exact)));
                let error = error.unwrap_or_default();
                let stopped = if solution.end.stop.is_success() { "" } else { " stopped early" };
                println!(
                    "{:<18} {n:>4} {p:>4} {k:>3} {rtol:>10.0e} {error:>9} {:>6} {:>7} {:>11} {:>8} {:>14} {seconds:>7.3}{stopped}",
                    case.name, work.steps, work.rejected, work.evaluations, work.products, work.decompositions,
                );
            }
        });
    }
}

fn errors_on_the_way() {
    let tolerances = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10];
    println!("case              {}", tolerances.map(|t| format!("{t:>9.0e}")).concat());
    for case in suite::small().into_iter().chain([suite::forty(), suite::digits()]) {
        let errors = suite::worst_on_the_way(&case, &tolerances);
        let ratios = errors.iter().zip(tolerances).map(|(e, t)| format!("{:>9.1e}", e / t));
        println!("{:<18}{}", case.name, ratios.collect::<String>());
    }
}

fn rows(a: &DMatrix<f64>) -> Value {
    a.row_iter().map(|row| row.iter().copied().collect::<Vec<_>>()).collect()
}

fn export(case: &Case, time: f64) -> Value {
    case.with_flow(|flow| {
        let reduction = flow.reduction();
        let end = run(flow, time, 1e-13).end.state;
        json!({
            "inputs": rows(&case.inputs), "backbone": rows(&case.backbone), "targets": rows(&case.targets),
            "head": rows(&case.head), "head_rate": case.head_rate,
            "lambda": reduction.lambda().as_slice(), "reduced_features": rows(reduction.features()),
            "reduced_targets": rows(reduction.targets()), "reduced_head": rows(&flow.start().head),
            "features_moved": rows(&reduction.full_displacement(&end)), "head_end": rows(&reduction.full_head(&end)),
            "motion_end": rows(&end.motion), "reduced_head_end": rows(&end.head),
        })
    })
}

fn timed(heads: &[Case], time: f64, rtol: f64) -> Value {
    let [mut seconds, mut worst] = [0.0f64; 2];
    let [mut steps, mut evaluations, mut products, mut decompositions] = [0; 4];
    let mut success = true;
    for case in heads {
        case.with_flow(|flow| {
            let exact = run(flow, time, 1e-13).end.state;
            // As for the peers: the mean of elapsed or processor time, whichever is less, over a fifth of a second.
            let clocks = (Instant::now(), ProcessTime::now());
            let mut solution = run(flow, time, rtol);
            let mut runs = 1;
            while clocks.0.elapsed().as_secs_f64() < 0.2 {
                solution = run(flow, time, rtol);
                runs += 1;
            }
            seconds += clocks.0.elapsed().min(clocks.1.elapsed()).as_secs_f64() / f64::from(runs);
            worst = worst.max(error(&solution.end.state, &exact));
            steps += solution.work.steps;
            evaluations += solution.work.evaluations;
            products += solution.work.products;
            decompositions += solution.work.decompositions;
            success &= solution.end.stop.is_success();
        });
    }
    json!({
        "seconds": seconds, "steps": steps, "evaluations": evaluations, "products": products,
        "decompositions": decompositions, "error": worst, "success": success,
    })
}
