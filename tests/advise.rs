//! Advice on tasks whose best probing is known.

use std::sync::atomic::{AtomicUsize, Ordering};

use nalgebra::DMatrix;
use taskhead::advise::{AdviseError, Row, Settings, Verdict, advise, advise_with, flows};
use taskhead::energy::Energy;
use taskhead::flow::solver::Watch;
use taskhead::loss::Loss;
use taskhead::probing::practice::{Optimiser, penalised};
use taskhead::probing::{ProbingError, ProbingPath};
use taskhead::problem::Problem;
use taskhead::simulation::{self, Probe, Run, SimulationError, Until};
use taskhead::tasks::{Gaussian, Task, TaskSpec, normal, stream};

/// A task from a linear teacher: at angle 0 its targets are linear in the features, further on they lack a part.
fn teacher(angle: f64, seed: u64) -> Task {
    Task::new(&TaskSpec::Gaussian(Gaussian::teacher(angle)), seed).unwrap()
}

/// Features that carry the classes in their first columns, and noise.
fn clusters(samples: usize, width: usize, distance: f64, seed: u64) -> (DMatrix<f64>, DMatrix<f64>) {
    let mut z = normal(&mut stream(seed, 90), samples, width, 1.0);
    let y = DMatrix::from_fn(samples, 3, |r, c| f64::from(u8::from(r % 3 == c)));
    z.columns_mut(0, 3).iter_mut().zip(y.iter()).for_each(|(z, y)| *z += distance * y);
    (z, y)
}

/// Held-out risk is that of the engine for the same head, and the recommendation has the least of it: full probing
/// where targets are linear in the features, some energy where the features lack a part of them.
#[test]
fn the_teacher_decides_how_much_energy_is_best() {
    for (angle, seed) in [(0.0, 1), (0.0, 2), (1.2, 1), (1.2, 2), (1.2, 3)] {
        let task = teacher(angle, seed);
        let settings =
            Settings { intercept: false, head_scale: 1.0, seeds: 1, seed, ..Settings::default() };
        let advice = advise(&task, &settings).unwrap();
        assert!(!advice.counts && advice.held_out == 60);
        assert_eq!(advice.best == 0, angle == 0.0, "{angle} {seed}: {}", advice.reason);
        let run = Run::new(&task.problem, &task.initial_head(seed, 1.0), 0.0).unwrap();
        let mut risks = Vec::new();
        for row in &advice.rows {
            let probe = Probe::Time(row.probe_time);
            let found = run
                .finetune(probe, &[f64::INFINITY], &simulation::Settings::default())
                .unwrap()
                .remove(0);
            let predictions = run.reduction().held_out_predictions(&found.states.1).unwrap();
            let risk = (predictions - task.held_out_targets.as_ref().unwrap()).norm_squared();
            assert!((row.risk * 120.0 - risk).abs() < 1e-7 * risk, "{} {risk}", row.risk * 120.0);
            assert!((row.adaptation.euclidean - found.adaptation.euclidean).abs() < 1e-6);
            risks.push(risk);
        }
        let least = (0..risks.len()).min_by(|&a, &b| risks[a].total_cmp(&risks[b]));
        assert_eq!(least, Some(advice.best));
    }
}

/// The heads that are handed out have the energy that is promised, for the features as they were given.
#[test]
fn heads_have_their_energy_on_the_features_as_given() {
    let (z, y) = clusters(30, 5, 2.0, 1);
    let z = DMatrix::from_fn(30, 5, |r, c| 3.0 + z[(r, c)] * (c + 1) as f64);
    for loss in Loss::ALL {
        for standardise in [false, true] {
            let task = Task::of_problem(Problem::on_features(z.clone(), y.clone()).unwrap(), None, None);
            let until = Until::Loss(0.1);
            let optimiser = Some(Optimiser { rate: 0.1, batch: 10, momentum: 0.0 });
            let settings = Settings {
                loss,
                standardise,
                until,
                optimiser,
                seeds: 1,
                points: 4,
                folds: 3,
                strengths: loss == Loss::CrossEntropy,
                ..Settings::default()
            };
            let advice = advise(&task, &settings).unwrap();
            assert!(advice.counts && advice.held_out == 30);
            for row in &advice.rows {
                let mut f = &z * row.weight.transpose();
                f.row_iter_mut().for_each(|mut line| line += row.bias.transpose());
                let energy = Energy::of(&loss.residual(&y, &f)).aie;
                assert!((energy - row.energy).abs() < 1e-9, "{loss:?}: {energy} {}", row.energy);
                let epochs = row.epochs.unwrap();
                let wanted = 100.0 * row.probe_time;
                assert!(epochs == wanted || (epochs / wanted - 1.0).abs() < 1e-14);
            }
            assert!(advice.rows.windows(2).all(|pair| pair[0].energy < pair[1].energy));
            assert_eq!(advice.rows[advice.best].behind.mean, 0.0);
            assert!(loss == Loss::Squared || advice.rows[0].strength.is_some_and(|c| c > 0.0));
            // No other row has a clearly better score.
            let better = |row: &Row| row.behind.mean < -2.0 * row.behind.error;
            assert!(!advice.rows.iter().any(better));
        }
    }
}

/// Targets that have nothing to do with the features: no choice is better than another.
#[test]
fn noise_does_not_matter() {
    let mut clear = 0;
    for seed in 0..10 {
        let (z, _) = clusters(40, 6, 0.0, seed);
        let y =
            DMatrix::from_fn(40, 2, |r, c| f64::from(u8::from((r * 7 / 3 + seed as usize) % 2 == c)));
        let task = Task::of_problem(Problem::on_features(z, y).unwrap(), None, None);
        let settings = Settings { until: Until::Loss(0.05), points: 4, seeds: 2, ..Settings::default() };
        let advice = advise(&task, &settings).unwrap();
        clear += usize::from(advice.verdict == Verdict::Matters);
    }
    assert!(clear <= 3, "{clear} of 10");
}

/// Finetuning to the limit on noisy features does worse than the right probing alone, and the advice says so.
#[test]
fn finetuning_that_does_harm_is_named() {
    let (z, noise) = (normal(&mut stream(4, 91), 60, 40, 1.0), normal(&mut stream(4, 92), 60, 1, 2.0));
    let y = z.columns(0, 1) + noise;
    let task = Task::of_problem(Problem::on_features(z, y).unwrap(), None, None);
    let settings = Settings { seeds: 1, points: 5, ..Settings::default() };
    let advice = advise(&task, &settings).unwrap();
    let alone = advice.rows.iter().map(|row| row.probed).fold(f64::NEG_INFINITY, f64::max);
    let tuned = advice.rows[advice.best].score;
    assert!(alone > tuned, "{alone} {tuned}");
    assert!(advice.reason.contains("without finetuning, is "), "{}", advice.reason);
    // A finetuning that moves nothing does no harm, and nothing is said.
    let advice = advise(&task, &Settings { time: 1e-9, ..settings }).unwrap();
    assert!(!advice.reason.contains("without finetuning, is "), "{}", advice.reason);
}

/// The best score may be that of the held-out samples that are given.
#[test]
fn held_out_samples_are_used_where_they_are_given() {
    let (z, y) = clusters(60, 5, 2.0, 3);
    let (train, held) = (z.rows(0, 24).into_owned(), z.rows(24, 36).into_owned());
    let problem = Problem::on_features(train, y.rows(0, 24).into_owned()).unwrap();
    let problem = problem.with_held_out_features(held).unwrap();
    let task = Task::of_problem(problem, None, Some(y.rows(24, 36).into_owned()));
    let settings = Settings { points: 3, seeds: 2, ..Settings::default() };
    let advice = advise(&task, &settings).unwrap();
    assert_eq!(advice.held_out, 36);
    assert!(advice.rows.iter().all(|row| row.over_folds == 0.0 && (row.score * 72.0).fract() < 1e-9));
}

/// Finetuning that never comes to its level goes on to its time, and that is counted and said.
#[test]
fn a_level_that_is_never_met_is_said() {
    let (z, y) = clusters(24, 5, 2.0, 3);
    let task = Task::of_problem(Problem::on_features(z, y).unwrap(), None, None);
    let said = |until, time| {
        let settings = Settings { until, time, points: 3, seeds: 2, folds: 2, ..Settings::default() };
        let advice = advise(&task, &Settings { loss: Loss::CrossEntropy, ..settings }).unwrap();
        let unmet: Vec<usize> = advice.rows.iter().map(|row| row.unmet).collect();
        let said =
            advice.assumptions.into_iter().find(|text| text.starts_with("Finetuning did not come"));
        (unmet, said)
    };
    let (unmet, text) = said(Until::Loss(1e-9), 0.01);
    assert_eq!(unmet, [4, 4, 4]);
    let text = text.unwrap();
    assert!(
        text.contains(
            "to a training loss of 1e-9 in 12 of 12 flows: there it went on for a time of 0.01."
        ),
        "{text}"
    );
    // The probed head is below this level before finetuning starts, the others are not.
    let (unmet, text) = said(Until::Loss(0.3), 1e-9);
    assert!(unmet[0] == 0 && unmet[2] == 4 && text.is_some(), "{unmet:?}");
    assert_eq!(said(Until::Loss(0.3), f64::INFINITY), (vec![0; 3], None));
    assert_eq!(said(Until::Time, 0.01), (vec![0; 3], None));
}

/// That features separate the classes is certain, or that they do not; or neither, and that is said.
#[test]
fn what_is_known_of_the_end_of_probing_is_said() {
    let first = |z: DMatrix<f64>, y: DMatrix<f64>| {
        let task = Task::of_problem(Problem::on_features(z, y).unwrap(), None, None);
        let settings = Settings { loss: Loss::CrossEntropy, time: 0.01, ..Settings::default() };
        let settings = Settings { points: 3, seeds: 1, folds: 2, ..settings };
        advise(&task, &settings).unwrap().assumptions
    };
    let (z, y) = clusters(24, 5, 9.0, 3);
    assert!(first(z, y.clone())[1].contains("they separate the classes, so that probing has no limit"));
    let z = normal(&mut stream(3, 90), 60, 2, 1.0);
    let noise = DMatrix::from_fn(60, 2, |r, c| f64::from(u8::from((r * 7 / 3) % 2 == c)));
    assert!(first(z, noise)[1].contains("probing cannot remove"));
    // One class lies apart, the two others cannot be told apart.
    let z = DMatrix::from_fn(24, 2, |r, c| match c {
        0 => 9.0 * y[(r, 0)],
        _ => ((r / 3) as f64).sin(),
    });
    let all = first(z, y);
    assert_eq!(
        all[0],
        "Probing and finetuning lower cross-entropy; finetuning goes on for a time of 0.01."
    );
    assert!(all[1].contains("it could not be decided whether probing has a limit"), "{all:?}");
    assert!(all.iter().any(|text| text.contains("could not be decided in 2 of 2 folds")), "{all:?}");
}

/// Every head fits these targets, and in the limit predicts the same: what differs is rounding, and no reason for a
/// choice.
#[test]
fn losses_that_differ_by_less_than_the_tolerance_do_not_matter() {
    let z = normal(&mut stream(8, 90), 20, 5, 1.0);
    let problem = Problem::on_features(z, DMatrix::from_element(20, 1, 1.0)).unwrap();
    let advice = advise(&Task::of_problem(problem, None, None), &Settings::default()).unwrap();
    assert_eq!((advice.best, advice.verdict), (0, Verdict::DoesNotMatter));
    assert!(advice.rows.iter().all(|row| row.behind.mean == 0.0), "{}", advice.reason);
}

/// A watch ends probing too: the search for its end, and its path.
#[test]
fn probing_is_ended_by_its_watch() {
    let (z, y) = clusters(24, 5, 2.0, 3);
    let task = Task::of_problem(Problem::on_features(z, y).unwrap(), None, None);
    let ended = |watch| {
        let settings =
            Settings { loss: Loss::CrossEntropy, points: 3, seeds: 1, folds: 2, ..Settings::default() };
        match advise(&task, &Settings { watch, ..settings }).unwrap_err() {
            AdviseError::Probing(error) | AdviseError::Simulation(SimulationError::Probing(error)) => {
                error
            }
            other => panic!("{other}"),
        }
    };
    assert_eq!(ended(Watch::new(|_| false)), ProbingError::Interrupted { time: f64::INFINITY });
    assert_eq!(ended(Watch::new(|here| here.time > 0.0)), ProbingError::Interrupted { time: 0.0 });
    let text = ended(Watch::new(|here| !(0.001..1e3).contains(&here.time))).to_string();
    assert!(text.starts_with("probing was interrupted at a probing time of "), "{text}");
}

#[test]
fn what_is_not_accepted_is_said() {
    let (z, y) = clusters(6, 4, 1.0, 1);
    let task = Task::of_problem(Problem::on_features(z, y).unwrap(), None, None);
    let refused = |settings: Settings| advise(&task, &settings).unwrap_err().to_string();
    let one = refused(Settings { points: 1, ..Settings::default() });
    assert_eq!(one, "points 1 is not valid; it must be at least 2");
    let many = refused(Settings { folds: 7, ..Settings::default() });
    assert_eq!(many, "folds 7 is not valid; it must be at most one for each sample");
    let scale = refused(Settings { head_scale: 0.0, ..Settings::default() });
    assert!(scale.starts_with("head scale 0 is not valid"), "{scale}");
    let zero = Problem::on_features(DMatrix::zeros(4, 2), DMatrix::from_element(4, 1, 1.0)).unwrap();
    let settings = Settings { intercept: false, folds: 2, ..Settings::default() };
    let none = advise(&Task::of_problem(zero, None, None), &settings).unwrap_err();
    assert!(matches!(none, AdviseError::NoChoice { .. }), "{none}");
    let strengths = Settings { strengths: true, loss: Loss::Squared, ..Settings::default() };
    assert!(refused(strengths).starts_with("a strength C is that of logistic regression"));
}

/// scikit-learn has one vector w for two classes: it is stationary where w = C Σ (y − p) z.
#[test]
fn the_strength_of_two_classes_is_that_of_one_vector() {
    let (z, _) = clusters(30, 4, 0.5, 3);
    let y = DMatrix::from_fn(30, 2, |r, c| f64::from(u8::from((r * 7 / 3) % 2 == c)));
    let problem = Problem::on_features(z.clone(), y.clone()).unwrap();
    let task = Task::of_problem(problem, None, None);
    let settings = Settings {
        strengths: true,
        until: Until::Loss(0.3),
        points: 3,
        seeds: 1,
        folds: 2,
        ..Settings::of_task(&task, Some(Loss::CrossEntropy))
    };
    let row = &advise(&task, &settings).unwrap().rows[1];
    let strength = row.strength.unwrap();
    let features = z.clone().insert_column(4, 1.0);
    let whole = Problem::on_features(features.clone(), y.clone()).unwrap();
    let path = ProbingPath::with_loss(&whole, &DMatrix::zeros(5, 2), 0.0, Loss::CrossEntropy).unwrap();
    let head = penalised(&whole, &path, Loss::CrossEntropy, strength / 2.0).unwrap().head;
    let w = head.column(1) - head.column(0);
    let left = (0..30).map(|r| y[(r, 1)] - 1.0 / (1.0 + (-(features.row(r) * &w)[0]).exp()));
    let left = DMatrix::from_iterator(30, 1, left);
    let pull = features.tr_mul(&left) * strength;
    assert!((pull - &w).norm() < 1e-6 * w.norm(), "{w}");
    // And its loss is that of the row.
    let loss = |head: &DMatrix<f64>| Loss::CrossEntropy.value(&y, &(&features * head));
    let own = DMatrix::from_fn(5, 2, |r, c| if r < 4 { row.weight[(c, r)] } else { row.bias[c] });
    assert!((loss(&own) / loss(&head) - 1.0).abs() < 1e-3);
}

/// Probing may raise the average energy while it lowers the loss and the Frobenius energy; it was refused.
#[test]
fn probing_that_raises_the_average_energy_is_no_reason_to_refuse() {
    let z = normal(&mut stream(1, 91), 60, 1, 1.0);
    let y = DMatrix::from_fn(60, 2, |r, c| f64::from(u8::from((r * r / 7) % 2 == c)));
    let mut raised = 0;
    for seed in 0..6 {
        let task = Task::of_problem(Problem::on_features(z.clone(), y.clone()).unwrap(), None, None);
        let settings = Settings { points: 3, seeds: 1, seed, ..Settings::of_task(&task, None) };
        let advice = advise(&task, &settings).unwrap();
        raised += u32::from(advice.rows[0].energy > advice.rows[2].energy);
    }
    assert!(raised > 0);
}

/// Progress counts flows, as many as there are; and the constant column is mentioned with a kernel, too, under which it
/// moves as well.
#[test]
fn flows_are_counted_and_the_constant_column_is_mentioned() {
    let (z, y) = clusters(18, 4, 2.0, 1);
    let x = normal(&mut stream(1, 91), 18, 6, 1.0);
    let on_kernel = Problem::new(z.clone(), &x * x.transpose(), y.clone()).unwrap();
    let held_out = Problem::on_features(z.clone(), y.clone()).unwrap();
    let held_out = held_out.with_held_out_features(z.rows(0, 5).into_owned()).unwrap();
    let tasks = [
        (Task::of_problem(on_kernel, None, None), 3 * 2 * 4),
        (Task::of_problem(held_out, None, Some(y.rows(0, 5).into_owned())), 2 * 4),
    ];
    for (task, expected) in tasks {
        let settings =
            Settings { points: 4, seeds: 2, folds: 3, time: 1.0, rtol: 1e-4, ..Settings::default() };
        let count = AtomicUsize::new(0);
        let done = || {
            count.fetch_add(1, Ordering::Relaxed);
        };
        let advice = advise_with(&task, &settings, &done).unwrap();
        assert_eq!((count.into_inner(), flows(&task, &settings)), (expected, expected));
        assert!(advice.assumptions.iter().any(|text| text.starts_with("The constant column counts")));
    }
}
