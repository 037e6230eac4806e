//! Speed of the core: `cargo bench --bench core`. Counts are cells.

use taskhead_suite as suite;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use nalgebra::DMatrix;
use taskhead::flow::balanced::Balanced;
use taskhead::flow::decoupled::Decoupled;
use taskhead::flow::frozen::FrozenHead;
use taskhead::flow::rank_one::{Limit, RankOne};
use taskhead::flow::solver::{Options, solve};
use taskhead::flow::{ClosedForm, Flow, FlowError, lazy::lazy};
use taskhead::problem::Problem;
use taskhead::reduction::Reduction;
use taskhead::simulation::{Probe, Run, Settings};
use taskhead::tasks::{Gaussian, Task, TaskSpec};
use taskhead_suite::Case;

fn main() {
    divan::main();
}

/// Limits with four metrics over 10⁷ cells (y, w, a).
#[divan::bench(sample_count = 5, sample_size = 1)]
fn rank_one_limits(bencher: Bencher) {
    const SIDE: usize = 215;
    let cells = SIDE * SIDE * SIDE;
    bencher.counter(ItemsCount::new(cells)).bench(|| {
        let axis = |i: usize, low: f64, high: f64| low + (high - low) * i as f64 / (SIDE - 1) as f64;
        let mut sum = [0.0; 4];
        for i in 0..SIDE {
            let y = axis(i, 0.1, 5.0);
            for j in 0..SIDE {
                let w = axis(j, 0.01, 3.0);
                for k in 0..SIDE {
                    let metrics = Limit::new(y, w, axis(k, -y, y)).adaptation().means();
                    sum.iter_mut().zip(metrics).for_each(|(s, m)| *s += m);
                }
            }
        }
        black_box(sum)
    });
}

fn task(width: usize) -> Task {
    let spec = Gaussian { samples: 16, inputs: 48, width, outputs: 2, ..Gaussian::default() };
    Task::new(&TaskSpec::Gaussian(spec), 0).expect("a valid task")
}

/// The one-time projection, which depends on the width.
#[divan::bench(args = [64, 4096], sample_count = 10)]
fn prepare(bencher: Bencher, width: usize) {
    let task = task(width);
    let head = task.initial_head(0, 1.0);
    bencher.bench(|| Run::new(&task.problem, &head, 0.0).expect("a valid head"));
}

/// One flow to its limit after the projection, which does not.
#[divan::bench(args = [64, 4096], sample_count = 10)]
fn finetune(bencher: Bencher, width: usize) {
    let task = task(width);
    let run = Run::new(&task.problem, &task.initial_head(0, 1.0), 0.0).expect("a valid head");
    bencher.bench(|| run.finetune(Probe::Time(0.3), &[f64::INFINITY], &Settings::default()));
}

/// The velocity of the reduced flow, three products of n×p×k.
#[divan::bench(args = ["tiny", "condition-1e6", "wide", "digits"])]
fn right_hand_side(bencher: Bencher, name: &str) {
    case(name).with_flow(|flow| bencher.bench_local(|| flow.velocity(black_box(flow.start()))));
}

/// One flow of the solver's suite until its limit, at tolerance 1e-8.
#[divan::bench(args = ["tiny", "easy", "condition-1e6", "forty", "wide"])]
fn flow_to_its_limit(bencher: Bencher, name: &str) {
    let options = Options { rtol: 1e-8, ..Options::default() };
    case(name).with_flow(|flow| bencher.bench_local(|| solve(flow, f64::INFINITY, &options)));
}

fn case(name: &str) -> Case {
    let all = suite::small().into_iter().chain([
        suite::tiny(),
        suite::forty(),
        suite::wide(0),
        suite::digits(),
    ]);
    all.into_iter().find(|case| case.name == name).expect("a case of the suite")
}

/// The state at t = 2 of a form that is recognised once: 8 decoupled modes, or one of them.
fn state_at<F: ClosedForm>(
    bencher: Bencher,
    modes: usize,
    rate: f64,
    form: fn(&Flow) -> Result<F, FlowError>,
) {
    with_modes(modes, rate, |flow| {
        let form = form(flow).expect("a flow of this form");
        bencher.bench_local(|| form.state(black_box(2.0)));
    });
}

/// Modes with features 1 + i/8 and heads of two parts, along their feature and orthogonal to all.
fn with_modes(modes: usize, rate: f64, run: impl FnOnce(&Flow)) {
    let features =
        DMatrix::from_fn(modes, 2 * modes, |i, j| if i == j { 1.0 + i as f64 / 8.0 } else { 0.0 });
    let head = DMatrix::from_fn(2 * modes, modes, |i, j| if i % modes == j { 0.3 } else { 0.0 });
    let kernel = DMatrix::from_fn(modes, modes, |i, j| if i == j { 1.0 + i as f64 / 16.0 } else { 0.0 });
    let problem =
        Problem::new(features, kernel, DMatrix::identity(modes, modes)).expect("a valid problem");
    let reduction = Reduction::new(&problem, &head).expect("a valid head");
    run(&Flow::new(&reduction, &head, rate).expect("a valid flow"));
}

#[divan::bench]
fn rank_one(bencher: Bencher) {
    state_at(bencher, 1, 1.0, RankOne::of_flow);
}

#[divan::bench]
fn decoupled(bencher: Bencher) {
    state_at(bencher, 8, 1.0, Decoupled::of_flow);
}

#[divan::bench]
fn frozen_head(bencher: Bencher) {
    state_at(bencher, 8, 0.0, FrozenHead::of_flow);
}

/// Gram matrices of 8 whitened samples.
#[divan::bench]
fn balanced(bencher: Bencher) {
    let identity = DMatrix::identity(8, 8);
    let form = Balanced::new(&identity, &identity.columns(0, 3).into_owned(), &DMatrix::zeros(8, 3));
    let form = form.expect("a balanced flow");
    bencher.bench_local(|| form.at(black_box(2.0)));
}

/// With its tangent kernel.
#[divan::bench]
fn lazy_limit(bencher: Bencher) {
    with_modes(8, 1.0, |flow| bencher.bench_local(|| lazy(flow, black_box(2.0))));
}

/// 24 energies from each of 16 seeds, on one thread and on two.
#[divan::bench(args = [1, 2], sample_count = 10, sample_size = 1)]
fn sweep(bencher: Bencher, threads: usize) {
    use taskhead::sweep::{config::Config, plan::Plan};
    let spec = Gaussian { samples: 16, inputs: 48, width: 64, outputs: 2, ..Gaussian::default() };
    let mut config = Config::new(TaskSpec::Gaussian(spec));
    config.heads.seeds = 16;
    let plan = Plan::new(config).expect("a valid sweep");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let work = || plan.records();
    bencher.counter(ItemsCount::new(plan.grid().cells())).bench_local(|| pool.install(work));
}
