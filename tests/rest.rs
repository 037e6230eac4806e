//! A flow that has met its soft targets rests: the limit is noticed, and nothing drifts afterwards.
#![allow(clippy::excessive_precision)]

use nalgebra::{DMatrix, dmatrix};
use taskhead::loss::Loss;
use taskhead::problem::Problem;
use taskhead::simulation::{Probe, Run, Settings, Simulation, SimulationError, Until};
use taskhead::tasks::{normal, stream};

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

/// Soft targets are met. The distance is that at time 1000 at a tolerance of 1e-12, where 4e-11 of the residual are
/// left; once long steps let the sums of the residuals drift, and the distance was off by 7e-6 at time 10⁸.
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

/// Soft targets that are met by t = 1000: at rest after few steps. The distance is that of DOP853 at 1e-12.
#[test]
fn rest_is_noticed() {
    let targets = dmatrix![0.38798285322928433, 0.1474374083130831, 0.46457973845763256; 0.4426564010869379, 0.5196515114104623, 0.03769208750259981; 0.24977855371628357, 0.25967761369529047, 0.490543832588426; 0.5306038884022714, 0.23875554173744035, 0.23064056986028833];
    let problem = Problem::on_features(dmatrix![-0.33889079006978534, -1.923682866353282, -0.07228295450292373, 0.22534578702721786, 1.084475594643844; 0.5778638956158266, -0.6435606861455095, -0.7237765601247179, 2.0105975223757233, 0.756637954017235; 1.831439822737841, 2.129444531219653, -0.818083666605393, 0.38526930227745887, 0.4581670048370468; 0.5596122240618859, 0.5419022252820672, 0.20205463691158088, 0.17412924424976314, -1.5024999410944402], targets).expect("a problem");
    let head = dmatrix![-0.1654011831842485, -0.7476197010175331, 0.12608730560642875; -0.46754626006357575, 0.6185207511629426, 0.8190757096799433; 0.30869236500853114, 0.31616814431588613, 0.09294668494996648; -0.4477978929622047, -0.16450126423277087, -0.49564606330714495; 0.3879871341457924, 0.014113411841972533, 0.5812911986088503];
    let end = finetuned(&problem, &head, Loss::CrossEntropy, 1.0, f64::INFINITY);
    assert!(end.stop.is_success() && end.work.steps < 100, "{:?} {:?}", end.stop, end.work);
    assert!((end.adaptation.euclidean - 0.904131579968).abs() < 1e-9, "{}", end.adaptation.euclidean);
}

/// Two equal samples with different labels keep a flow from an accuracy that it is asked for, and it rests.
#[test]
fn an_accuracy_that_is_never_met_is_an_error() {
    let problem = Problem::on_features(dmatrix![-0.11122467817215831; -0.11122467817215831; 2.19273985522294; 0.10439535767319141; 0.33992917780934606], dmatrix![1.0; 0.0; 0.0; 1.0; 1.0]).expect("a problem");
    let run = Run::with_loss(&problem, &dmatrix![-1.1502684378024826], 0.0, Loss::CrossEntropy)
        .expect("a head");
    let until = Until::Accuracy(0.5);
    let settings = Settings { head_rate: 5.0, until, ..Settings::default() };
    let error =
        run.finetune(Probe::Time(0.0), &[f64::INFINITY], &settings).expect_err("no such accuracy");
    assert!(matches!(error, SimulationError::NeverMet { limit: 0.4, .. }), "{error}");
}

/// The best head of a classifier, on features that carry the backbone: nothing moves, and its rounding was followed for
/// thousands of steps.
#[test]
fn the_end_of_probing_is_the_end_of_finetuning() {
    let z = normal(&mut stream(3, 92), 40, 3, 1.0);
    let labels = DMatrix::from_fn(40, 3, |r, c| f64::from(u8::from((r * r / 3) % 3 == c)));
    let problem = Problem::on_features(z, labels).expect("a problem");
    let run = Run::with_loss(&problem, &DMatrix::zeros(3, 3), 0.0, Loss::CrossEntropy).expect("a head");
    for time in [5.0, f64::INFINITY] {
        let end = run.finetune(Probe::Time(f64::INFINITY), &[time], &Settings::default());
        let end = end.expect("a result").remove(0);
        assert!(end.stop.is_success() && end.work.steps == 0, "{:?} {:?}", end.stop, end.work);
        assert_eq!((end.adaptation.euclidean, end.time), (0.0, time));
    }
}
