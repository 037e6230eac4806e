//! What is allocated: by the solver, on a problem so small that faer's matrix products need no memory of their own; and
//! by a whole run on the features of many samples.

use taskhead_suite as suite;

use allocation_counter::measure;
use nalgebra::DMatrix;
use taskhead::flow::solver::{Options, Solution, solve};
use taskhead::problem::Problem;
use taskhead::simulation::{Probe, Run, Settings};
use taskhead::tasks::{normal, stream};
use taskhead_suite::Case;

/// What every further step costs: pairs of solutions of which one takes a step more, without a new tangent
/// kernel between them. Returns allocations and evaluations of each pair.
fn steps(head_rate: f64) -> Vec<(i64, usize)> {
    Case { head_rate, ..suite::tiny() }.with_flow(|flow| {
        let run = |max_steps: usize| {
            let options = Options { rtol: 1e-12, max_steps, ..Options::default() };
            let mut solution: Option<Solution> = None;
            let count = measure(|| solution = solve(flow, 1e3, &options).ok()).count_total;
            (count as i64, solution.expect("valid options").work)
        };
        let all = run(1000).1.steps;
        let runs: Vec<_> = (1..all).map(run).collect();
        let pairs = runs.iter().zip(&runs[1..]);
        let same = pairs.filter(|((_, work), (_, next))| work.decompositions == next.decompositions);
        same.map(|((count, work), (more, next))| (more - count, next.evaluations - work.evaluations))
            .collect()
    })
}

/// A frozen head: nothing at all, as the states that are given back need no correction.
#[test]
fn a_step_allocates_nothing() {
    let steps = steps(0.0);
    assert!(steps.iter().map(|s| s.1).sum::<usize>() > 100, "{steps:?}");
    assert!(steps.iter().all(|s| s.0 == 0), "{steps:?}");
}

/// A head that moves: the acceleration makes its memory when it first needs it, and the correction of the state that is
/// given back takes one pass more or less; most steps still make no difference.
#[test]
fn most_steps_allocate_nothing_where_the_head_moves() {
    let mut steps = steps(1.0);
    assert!(steps.iter().map(|s| s.1).sum::<usize>() > 300, "{steps:?}");
    steps.sort_by_key(|s| s.0);
    assert_eq!(steps[steps.len() / 2].0, 0, "{steps:?}");
}

/// From features to adaptation, held-out inputs included, in a few times the bytes of the features: an array of N×N
/// would take 312 times as many, one of P×N as many as 78.
#[test]
fn many_samples_take_memory_for_their_features_only() {
    let (n, p, h, k) = (20_000, 5_000, 64, 10);
    let (features, held_out) =
        (normal(&mut stream(1, 1), n, h, 0.01), normal(&mut stream(1, 2), p, h, 0.01));
    let head = normal(&mut stream(1, 3), h, k, 0.1);
    let targets = DMatrix::from_fn(n, k, |sample, class| f64::from(u8::from(sample % k == class)));
    let bytes = 8 * n * h;
    let used = measure(|| {
        let problem = Problem::on_features(features.clone(), targets).unwrap();
        let problem = problem.with_held_out_features(held_out.clone()).unwrap();
        let run = Run::new(&problem, &head, 0.0).unwrap();
        let (low, high) =
            [f64::INFINITY, 0.0].map(|tau| run.path().energy(tau).unwrap().frobenius).into();
        let probe = Probe::Frobenius((low + high) / 2.0);
        let result = run.finetune(probe, &[f64::INFINITY], &Settings::default()).unwrap().remove(0);
        assert!(result.stop.reason().is_none() && result.adaptation.euclidean > 0.0);
        assert!(result.held_out.unwrap().euclidean > 0.0);
        assert_eq!(run.features(&result).shape(), (n, h));
    });
    let times = used.bytes_max as f64 / bytes as f64;
    assert!((2.0..10.0).contains(&times), "{times} times the bytes of the features");
}
