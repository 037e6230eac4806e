//! Work and time under cross-entropy.
//!
//! * `cargo run --release -p taskhead-benches --bin cross_entropy -- probing SAMPLES WIDTH OUTPUTS [ENERGIES]` probes
//!   normal features with labels that they do not know to this many energies (12), in equal ratios down to a twentieth
//!   of the first, or of what is between the first and the limit.
//! * `… -- flows` prints steps, work and seconds of finetuning.

use std::time::Instant;

use cpu_time::ProcessTime;
use nalgebra::DMatrix;
use taskhead::flow::Flow;
use taskhead::flow::solver::{Options, solve};
use taskhead::loss::Loss;
use taskhead::probing::{Measure, ProbingPath};
use taskhead::problem::Problem;
use taskhead::reduction::Reduction;
use taskhead::tasks::{normal, stream};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["probing", n, h, k, ref rest @ ..] if rest.len() <= 1 => {
            let count = rest.first().map_or(Ok(12), |count| count.parse())?;
            probing([n.parse()?, h.parse()?, k.parse()?], count)
        }
        ["flows"] => flows(),
        _ => Err("see the first lines of benches/cross_entropy.rs for its arguments".into()),
    }
}

fn labels(n: usize, k: usize) -> DMatrix<f64> {
    let class = |row: usize| (3 * row + row / k.max(2)) % k.max(2);
    DMatrix::from_fn(n, k, |r, c| if class(r) == c { 1.0 } else { 0.0 })
}

fn probing([n, h, k]: [usize; 3], count: i32) -> Result<(), Box<dyn std::error::Error>> {
    let problem = Problem::on_features(normal(&mut stream(1, 1), n, h, 1.0), labels(n, k))?;
    let clocks = (Instant::now(), ProcessTime::now());
    let path = ProbingPath::with_loss(&problem, &DMatrix::zeros(h, k), 0.0, Loss::CrossEntropy)?;
    let start = path.energy(0.0)?.aie;
    println!("decomposed: {:.2} s", clocks.0.elapsed().as_secs_f64());
    let floor = path.energy(f64::INFINITY).map_or_else(
        |error| {
            println!("{error}");
            0.0
        },
        |energy| energy.aie,
    );
    println!("limit: {:.2} s, energy {floor:.3e}", clocks.0.elapsed().as_secs_f64());
    for i in 0..count {
        let wanted =
            floor + (start - floor) * 0.9 * 20f64.powf(-f64::from(i) / f64::from(count.max(2) - 1));
        let tau = path.time_for(Measure::Aie, wanted)?;
        let off = path.energy(tau)?.aie / wanted - 1.0;
        println!(
            "energy {wanted:.6}: tau {tau:.6e}, off by {off:.0e}; {:.2} s, {:.2} s of the processor",
            clocks.0.elapsed().as_secs_f64(),
            clocks.1.elapsed().as_secs_f64()
        );
    }
    println!("{:?}", path.work());
    Ok(())
}

/// N, d, h, k, the size of the head, and the training loss to stop at.
const FLOWS: [(&str, [usize; 4], f64, f64); 7] = [
    ("wide", [32, 512, 256, 4], 0.7, 1e-3),
    ("many samples", [500, 512, 512, 10], 0.7, 1e-1),
    ("saturated", [24, 32, 48, 5], 1.5e3, 1e-2),
    ("many classes", [200, 128, 128, 100], 0.7, 1e-1),
    ("middle", [60, 64, 80, 8], 0.7, 1e-3),
    ("middle, saturated", [40, 48, 64, 8], 1.5e3, 1e-2),
    ("contradictory", [60, 10, 12, 3], 0.7, 0.9),
];

fn flows() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "case                n    p   k  tolerance  steps refused evaluations products decompositions    time seconds"
    );
    for (name, [n, d, h, k], size, level) in FLOWS {
        let rng = |purpose| stream(7, purpose);
        let inputs = normal(&mut rng(1), n, d, 1.0 / (d as f64).sqrt());
        let backbone = normal(&mut rng(2), h, d, 1.5 / (h as f64).sqrt());
        let head = normal(&mut rng(5), h, k, size / (h as f64).sqrt());
        let problem = Problem::linear(&inputs, &backbone, labels(n, k))?;
        let reduction = Reduction::for_loss(&problem, &head, Loss::CrossEntropy)?;
        let flow = Flow::new(&reduction, &head, 1.0)?;
        for rtol in [1e-4, 1e-6, 1e-9] {
            let clock = ProcessTime::now();
            let options = Options { rtol, loss: Some(level), max_steps: 2000, ..Options::default() };
            let solution = solve(&flow, 1e8, &options)?;
            let (work, end) = (solution.work, solution.end);
            println!(
                "{name:<17} {:>3} {:>4} {k:>3} {rtol:>10.0e} {:>6} {:>7} {:>11} {:>8} {:>14} {:>7.1e} {:>7.2}  {:?}",
                reduction.rows(),
                reduction.width(),
                work.steps,
                work.rejected,
                work.evaluations,
                work.products,
                work.decompositions,
                end.time,
                clock.elapsed().as_secs_f64(),
                end.stop,
            );
        }
    }
    Ok(())
}
