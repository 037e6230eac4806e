//! A flow that has met its soft targets rests: the limit is noticed, and nothing drifts afterwards.
#![allow(clippy::excessive_precision)]

use nalgebra::{DMatrix, dmatrix};
use taskhead::loss::Loss;
use taskhead::problem::Problem;
use taskhead::simulation::{Probe, Run, Settings, Simulation};

fn finetuned(
    problem: &Problem,
    head: &DMatrix<f64>,
    loss: Loss,
    head_rate: f64,
    time: f64,
) -> Simulation {
    let run = Run::with_loss(problem, head, 0.0, loss).expect("a head");
    let settings = Settings { head_rate, max_steps: 300, ..Settings::default() };
    run.finetune(Probe::Time(0.0), &[time], &settings).expect("a result").remove(0)
}

/// Soft targets are met. The distance is that at time 1000 at a tolerance of 1e-12, where 4e-11 of the residual are left;
/// once long steps let the sums of the residuals drift, and the distance was off by 7e-6 at time 10⁸.
#[test]
fn what_has_met_soft_targets_stays() {
    let targets = dmatrix![0.028900088646883343, 0.9710999113531167; 0.34148207462172636, 0.6585179253782736; 0.5130297913360684, 0.48697020866393165];
    let problem = Problem::on_features(dmatrix![0.12957587279758478, -0.7567393122486353, 0.21142155200757654; 2.6385967525787044, 1.2717736740410226, -2.7821691176232233; -0.14201691359430452, -0.8750905219509657, 0.6222625144051509], targets).expect("a problem");
    let head = dmatrix![-0.17326348062410027, 1.932695747995194; 0.9312355636189067, 0.8904028924592736; 0.18657106002655185, -0.04029765330752769];
    for time in [1e8, f64::INFINITY] {
        let end = finetuned(&problem, &head, Loss::CrossEntropy, 1.0, time);
        assert!(end.stop.is_success(), "{:?}", end.stop);
        assert!((end.adaptation.euclidean - 1.1949736652).abs() < 2e-9, "{}", end.adaptation.euclidean);
    }
}
