//! What the solver allocates: on a problem so small that the matrix products of the library need no memory of their own.

mod suite;

use allocation_counter::measure;
use suite::Case;
use taskhead::flow::solver::{Options, Solution, solve};

/// Between two solutions, one of which takes a step more, without a new tangent kernel between them, nothing
/// more is allocated, but that the acceleration makes its memory when it first needs it.
#[test]
fn steps_allocate_nothing() {
    // A frozen head, so that the states that are given back need no correction, whose cost varies.
    let case = Case { head_rate: 0.0, ..suite::tiny() };
    case.with_flow(|flow| {
        let run = |max_steps: usize| {
            let options = Options { rtol: 1e-10, max_steps, ..Options::default() };
            let mut solution: Option<Solution> = None;
            let count = measure(|| solution = solve(flow, 1e3, &options).ok()).count_total;
            (count, solution.expect("valid options").work)
        };
        let all = run(1000).1.steps;
        assert!(all > 30, "{all} steps");
        let runs: Vec<_> = (1..all).map(run).collect();
        let (mut more, mut evaluations) = (0, 0);
        for ((count, work), (next_count, next)) in runs.iter().zip(&runs[1..]) {
            println!("{count} {work:?}");
            if next.decompositions == work.decompositions {
                more += next_count - count;
                evaluations += next.evaluations - work.evaluations;
            }
        }
        assert!(evaluations > 200, "{evaluations}");
        assert!(more <= 50, "{more} allocations in {evaluations} evaluations");
    });
}
