//! What the solver allocates: on a problem so small that the matrix products of the library need no memory of their own.

use taskhead_suite as suite;

use allocation_counter::measure;
use taskhead::flow::solver::{Options, Solution, solve};
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
