//! The linearised network against networks that are linear, and against the engine.

use candle_core::{DType, Device, Tensor};
use nalgebra::DMatrix;

use super::kernel::{Kernel, Linearised};
use super::learner::{Descent, Learner, State};
use crate::config::{self, Loss, Training};
use crate::network::{Plan, Stack, matrix, tensor};
use crate::train::{self, Batches, Trainer};
use taskhead::problem::Problem;
use taskhead::simulation::{Probe, Run, Settings};
use taskhead::tasks::{normal, stream};

const PLACE: (DType, &Device) = (DType::F64, &Device::Cpu);
const LOSSES: [Loss; 2] = [Loss::Squared, Loss::CrossEntropy];

fn random(rows: usize, columns: usize, purpose: u64) -> DMatrix<f64> {
    normal(&mut stream(6, purpose), rows, columns, 1.0)
}

fn of(m: &DMatrix<f64>) -> Tensor {
    tensor(m, PLACE.0, PLACE.1).unwrap()
}

fn kernel(stack: &Stack, inputs: &Tensor, kind: config::Kernel) -> Kernel {
    Kernel::of(stack, inputs, &[kind]).unwrap().pop().unwrap()
}

/// A network whose features are linear in its weights: X (N×d), its backbone, targets and head.
struct Linear {
    inputs: DMatrix<f64>,
    backbone: Stack,
    features: DMatrix<f64>,
    targets: DMatrix<f64>,
    head: DMatrix<f64>,
}

impl Linear {
    fn new() -> Self {
        let (inputs, weight) = (random(7, 5, 1), random(5, 4, 2) * 0.5);
        let targets = DMatrix::from_fn(7, 3, |n, c| f64::from(u8::from(n % 3 == c)));
        let backbone = Stack::linear(&weight, PLACE.0, PLACE.1).unwrap();
        Self { features: &inputs * &weight, inputs, backbone, targets, head: random(4, 3, 3) * 0.7 }
    }

    fn learner<'a>(&'a self, kernel: &'a Kernel, loss: Loss) -> Learner<'a> {
        let Self { features, targets, .. } = self;
        Learner { kernel, features, targets, loss, head_rate: 0.6 }
    }

    fn start(&self) -> State {
        State::start(7, self.head.clone())
    }
}

/// All kernels of a linear network are X Xᵀ ⊗ I, and their flow is the engine's.
#[test]
fn a_linear_network_follows_the_engine() {
    let net = Linear::new();
    let gram = &net.inputs * net.inputs.transpose();
    let problem = Problem::new(net.features.clone(), gram, net.targets.clone()).unwrap();
    let times = [0.02, 0.3, 2.0];
    for loss in LOSSES {
        let run = Run::with_loss(&problem, &net.head, 0.0, loss).unwrap();
        let settings = Settings { head_rate: 0.6, ..Settings::default() };
        let exact = run.finetune(Probe::Time(0.0), &times, &settings).unwrap();
        for kind in config::Kernel::ALL {
            let kernel = kernel(&net.backbone, &of(&net.inputs), kind);
            let learner = net.learner(&kernel, loss);
            for (found, exact) in learner.flow(&net.start(), &times, 1e-9).unwrap().iter().zip(&exact) {
                let moved = run.features(exact) - &net.features;
                let gap = (&found.moved - &moved).norm() / moved.norm();
                assert!(gap < 1e-7, "{loss:?}, {kind:?} at {}: {gap}", exact.time);
                let gap = (&found.head - run.head(exact)).norm() / found.head.norm();
                assert!(gap < 1e-7, "{loss:?}, {kind:?} at {}: {gap}", exact.time);
                assert!((learner.residual(found).norm() / exact.residual - 1.0).abs() < 1e-6);
            }
        }
    }
}

/// The network's own steps, batch by batch with momentum, are those of a network that is linear anyway.
#[test]
fn descent_takes_the_steps_of_a_linear_network() {
    let net = Linear::new();
    let training = Training { rate: 0.002, momentum: 0.8, batch: 3 };
    for loss in LOSSES {
        let backbone = net.backbone.fork().unwrap();
        let head = Stack::linear(&net.head, PLACE.0, PLACE.1).unwrap();
        let whole = backbone.clone().then(head.clone());
        let (inputs, targets) = (of(&net.inputs), of(&net.targets));
        let descent = train::Descent::new(training.momentum)
            .with(backbone.variables("backbone"), training.rate)
            .with(head.variables("head"), training.rate * 0.6);
        let targets = targets.into();
        let samples = (&inputs, &targets);
        let mut trainer = Trainer::new(&whole, samples, loss, training, descent, stream(1, 1)).unwrap();
        let kernel = kernel(&net.backbone, &inputs, config::Kernel::Full);
        let descent = Descent {
            rate: training.rate,
            momentum: training.momentum,
            batches: Batches::new(7, training.batch, stream(1, 1)),
        };
        let found = net.learner(&kernel, loss).descend(&net.start(), descent, &[1, 40]).unwrap();
        for (steps, found) in [1, 40].into_iter().zip(found) {
            trainer.until(steps).unwrap();
            let moved = matrix(&backbone.forward(&inputs).unwrap()).unwrap() - &net.features;
            let gap = (&found.moved - &moved).norm() / moved.norm();
            assert!(gap < 1e-12, "{loss:?} {steps}: {gap}");
            let v = matrix(head.variables("head")[0].1.as_tensor()).unwrap();
            let gap = (&found.head - &v).norm() / v.norm();
            assert!(gap < 1e-12, "{loss:?} {steps}: {gap}");
        }
    }
}

/// Descent with ever smaller steps goes to the flow, with an error of first order.
#[test]
fn the_flow_is_the_limit_of_descent() {
    let net = Linear::new();
    let kernel = kernel(&net.backbone, &of(&net.inputs), config::Kernel::Directions);
    let learner = net.learner(&kernel, Loss::CrossEntropy);
    let time = 0.5;
    let exact = learner.flow(&net.start(), &[time], 1e-10).unwrap().pop().unwrap();
    let gap = |steps: usize| {
        let rate = 7.0 * time / steps as f64;
        let descent = Descent { rate, momentum: 0.0, batches: Batches::new(7, 0, stream(1, 1)) };
        let found = learner.descend(&net.start(), descent, &[steps]).unwrap().pop().unwrap();
        (found.moved - &exact.moved).norm() / exact.moved.norm()
    };
    let (coarse, fine) = (gap(500), gap(1000));
    assert!(fine < 1e-2 && (coarse / fine - 2.0).abs() < 0.05, "{coarse} and {fine}");
}

fn network(norms: bool) -> (Stack, Tensor) {
    let plans = if norms {
        vec![
            Plan::Stem { channels: 3, large: false },
            Plan::Residual { channels: 4, stride: 2, mean: true },
        ]
    } else {
        vec![Plan::Conv { channels: 3, pool: true }, Plan::Dense { width: 4 }]
    };
    let (stack, _) = Stack::new(&plans, &[4, 6, 1], &mut stream(3, 1), PLACE).unwrap();
    (stack, of(&random(5, 24, 4)).reshape((5, 4, 6, 1)).unwrap())
}

/// Without normalisation the kernel by direction is the diagonal of the full one, block by block, and the mean one is
/// their mean.
#[test]
fn kernels_are_parts_of_the_full_one() {
    let (stack, inputs) = network(false);
    let [mean, directions, full] = config::Kernel::ALL.map(|kind| kernel(&stack, &inputs, kind));
    let mut beside = 0.0;
    let mut mean_of_blocks = DMatrix::zeros(5, 5);
    for (m, j) in (0..5).flat_map(|m| (0..4).map(move |j| (m, j))) {
        let mut unit = DMatrix::zeros(5, 4);
        unit[(m, j)] = 1.0;
        let [mean, directions, full] = [&mean, &directions, &full].map(|k| k.times(&unit).unwrap());
        // Some features are 0 and have no slope.
        assert!((directions.column(j) - full.column(j)).norm() <= 1e-12 * full.norm());
        for other in (0..4).filter(|&other| other != j) {
            assert!(directions.column(other).norm() == 0.0 && mean.column(other).norm() == 0.0);
            beside += full.column(other).norm_squared();
        }
        let mut column = mean_of_blocks.column_mut(m);
        column += full.column(j) / 4.0;
        if j == 3 {
            assert!((mean.column(3) - mean_of_blocks.column(m)).norm() <= 1e-12 * mean.norm());
        }
    }
    assert!(beside > 0.0, "features share the first layer");
}

/// One small step of training moves features by the full kernel, also through batch normalisation; and no other kernel
/// does.
#[test]
fn a_small_step_moves_features_by_the_full_kernel() {
    for norms in [false, true] {
        let (stack, inputs) = network(norms);
        let push = random(5, 4, 5);
        let expected = kernel(&stack, &inputs, config::Kernel::Full).times(&push).unwrap();
        let other = kernel(&stack, &inputs, config::Kernel::Directions).times(&push).unwrap();
        let step = 1e-6;
        let before = stack.forward_batch(&inputs).unwrap();
        let drive = (&before * of(&-&push)).unwrap().sum_all().unwrap();
        let before = before.detach();
        train::Descent::new(0.0).with(stack.variables("all"), step).step(&drive).unwrap();
        let moved = (stack.forward_batch(&inputs).unwrap() - before).unwrap();
        let moved = matrix(&moved).unwrap() / step;
        let gap = |kernel: &DMatrix<f64>| (&moved - kernel).norm() / moved.norm();
        assert!(gap(&expected) < 1e-4, "{}", gap(&expected));
        assert!(gap(&other) > 1e-2, "{}", gap(&other));
    }
}

/// Products with the Jacobian are symmetric and not negative, whatever the precision of the network.
#[test]
fn the_full_kernel_is_symmetric() {
    for norms in [false, true] {
        let (stack, inputs) = network(norms);
        let single = stack.fork_to(DType::F32, PLACE.1).unwrap();
        let kernel = Linearised::new(&single, &inputs.to_dtype(DType::F32).unwrap()).unwrap();
        let (a, b) = (random(5, 4, 7), random(5, 4, 8));
        let (ka, kb) = (kernel.times(&a).unwrap(), kernel.times(&b).unwrap());
        assert!((ka.dot(&b) - kb.dot(&a)).abs() < 1e-12 * ka.norm() * b.norm());
        assert!(ka.dot(&a) > 0.0);
    }
}
