//! Speed of the core: `cargo bench`. Counts are cells, flows or reductions.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use taskhead::flow::rank_one::Limit;
use taskhead::simulation::{Probe, Run, Settings};
use taskhead::tasks::{Gaussian, Task, TaskSpec};

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
                    let metrics = Limit::new(y, w, axis(k, -y, y)).adaptation().values();
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
