//! Whatever numbers come in, nothing panics, nothing hangs, and what is claimed is finite.

use nalgebra::{DMatrix, dmatrix};
use rand::RngExt;
use taskhead::problem::Problem;
use taskhead::simulation::{Method, Probe, Run, Settings};
use taskhead::tasks::stream;

fn entry(rng: &mut impl RngExt) -> f64 {
    let sign = if rng.random::<bool>() { 1.0 } else { -1.0 };
    sign * match rng.random_range(0..9) {
        0 | 1 => 0.0,
        2 => 1.0,
        3 => 1.0 + 10f64.powi(rng.random_range(-16..=-12)),
        4 => rng.random::<f64>(),
        5 => 10f64.powi(rng.random_range(-8..=8)),
        6 => 10f64.powi(rng.random_range(-160..=160)),
        7 => 10f64.powi(rng.random_range(-323..=308)),
        _ => [f64::MIN_POSITIVE, f64::MAX, 5e-324, f64::EPSILON][rng.random_range(0..4_usize)],
    }
}

/// Tries all ways to one problem; what is refused is an error, not a panic.
fn try_all(problem: &Problem, head: &DMatrix<f64>, head_rate: f64, smoothing: f64) {
    let Ok(run) = Run::new(problem, head, smoothing) else { return };
    let (whole, floor) = (run.path().energy(0.0), run.path().energy(f64::INFINITY));
    let share = match (whole, floor) {
        (Ok(a), Ok(b)) => (a.aie + b.aie) / 2.0,
        _ => 1.0,
    };
    let probes =
        [Probe::Time(0.0), Probe::Time(f64::INFINITY), Probe::Aie(share), Probe::Frobenius(1.0)];
    for probe in probes {
        for method in [Method::Auto, Method::ClosedForm, Method::Flow, Method::Descent] {
            let max_steps = if method == Method::Descent { 1 } else { 25 };
            let settings = Settings { head_rate, method, max_steps, ..Settings::default() };
            let times = [0.0, 1e-300, 1.0, 1e17, f64::INFINITY];
            let Ok(found) = run.finetune(probe, &times, &settings) else { continue };
            for s in found.iter().filter(|s| s.stop.is_success()) {
                let a = s.adaptation;
                assert!(
                    s.residual.is_finite() && a.euclidean.is_finite() && a.norm.is_finite(),
                    "{a:?}"
                );
                assert!(a.cosine.is_nan() || (0.0..=2.0).contains(&a.cosine), "{a:?}");
            }
        }
    }
}

#[test]
fn no_numbers_panic() {
    let number = |name, usual| std::env::var(name).map_or(usual, |n| n.parse().expect("a number"));
    let (first, count) = (number("EDGES_FROM", 0_u64), number("EDGES", 48));
    let mut made = 0;
    // Features beyond f64 from a state within it: once their distances were NaN.
    let more = [137, 145].into_iter().filter(|_| std::env::var("EDGES").is_err());
    for seed in (first..first + count).chain(more) {
        let mut rng = stream(seed, 78);
        let [n, h, k, d] = [4, 4, 3, 4].map(|most| rng.random_range(1..=most));
        let mut matrix = |rows: usize, columns: usize| {
            let mut m = DMatrix::from_fn(rows, columns, |_, _| entry(&mut rng));
            if rows > 1 && rng.random_range(0..4) == 0 {
                let near = m.row(0) * (1.0 + 10f64.powi(rng.random_range(-16..=-12)));
                m.set_row(1, &near);
            }
            m
        };
        let (inputs, backbone, targets, head) = (matrix(n, d), matrix(h, d), matrix(n, k), matrix(h, k));
        let problem = match seed % 3 {
            0 => Problem::linear(&inputs, &backbone, targets),
            1 => Problem::new(matrix(n, h), DMatrix::identity(n, n) * entry(&mut rng).abs(), targets),
            _ => Problem::new(matrix(n, h), &inputs * inputs.transpose(), targets),
        };
        let rates = [1.0, 0.0, 1e-300, 1e300, 1e-14];
        if let Ok(problem) = problem {
            made += 1;
            try_all(&problem, &head, rates[seed as usize % 5], [0.0, 0.1, 1.0][seed as usize % 7 % 3]);
        }
    }
    assert!(made > count / 8, "{made} of {count} are problems");
}

/// Samples that differ in their last digits: the kernel has a second eigenvalue that f64 hardly tells from zero.
#[test]
fn nearly_equal_inputs_do_not_panic() {
    let backbone = dmatrix![1.0, 0.5; 0.3, -0.2; 0.1, 0.9];
    for step in 0..10 {
        let gap = 3e-14 + 3e-14 * f64::from(step);
        let problem =
            Problem::linear(&dmatrix![1.0, 2.0; 1.0 + gap, 2.0], &backbone, dmatrix![1.0; 1.5]);
        let problem = problem.expect("a problem");
        let run = Run::new(&problem, &dmatrix![0.1; 0.2; 0.3], 0.0).expect("a head");
        for head_rate in [1.0, 0.0, 1e-14] {
            let settings = Settings { head_rate, max_steps: 25, ..Settings::default() };
            // Refused or not: what counts is that it comes back.
            let _ = run.finetune(Probe::Time(0.0), &[1.0, f64::INFINITY], &settings);
        }
    }
}
