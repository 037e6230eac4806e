//! Random problems of the observations.

use nalgebra::DMatrix;

use super::draw::{Draw, unit};
use super::finding::{METRICS, TURN};
use super::instance::Instance;
use taskhead::problem::Problem;
use taskhead::tasks::{Gaussian, Task, TaskSpec};
use taskhead::trend::Shape;

/// A random linear model with a head, of one of many shapes.
pub(super) fn random_linear(draw: &mut Draw, seed: u64) -> Result<Instance, String> {
    let samples = draw.integer(1, 8);
    // One problem in five has fewer features than samples.
    let narrow = samples > 1 && draw.integer(0, 4) == 0;
    let width = if narrow { draw.integer(1, samples - 1) } else { draw.integer(samples, 4 * samples) };
    let spec = Gaussian {
        samples,
        inputs: draw.integer(samples, 3 * samples),
        width,
        outputs: draw.integer(1, 4),
        input_decay: draw.uniform(0.0, 1.0),
        backbone_decay: draw.uniform(0.0, 1.0),
        ..Gaussian::default()
    };
    let scale = draw.log_uniform(0.1, 3.0);
    let task = Task::new(&TaskSpec::Gaussian(spec), seed).map_err(|e| e.to_string())?;
    let head = task.initial_head(seed, scale);
    let p = &task.problem;
    let inputs = &task.linear.as_ref().expect("a Gaussian task has inputs").inputs;
    let kernel = inputs * inputs.transpose();
    Ok(Instance::new(p.features().clone(), kernel, p.targets().clone(), head))
}

/// Sizes of the head's part orthogonal to the features, O3.
const ACROSS: [f64; 6] = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0];

/// A problem with h > N and a head in two parts, of which the features see one only.
pub(super) struct Across {
    problem: Problem,
    seen: DMatrix<f64>,
    unseen: DMatrix<f64>,
}

impl Across {
    pub(super) fn random(seed: u64, problem: usize) -> Result<Self, String> {
        let mut draw = Draw::new(seed, (u64::from(b'O') << 41) + problem as u64);
        let samples = draw.integer(1, 6);
        let spec = Gaussian {
            samples,
            inputs: 3 * samples,
            width: samples + draw.integer(1, 8),
            outputs: draw.integer(1, 3),
            ..Gaussian::default()
        };
        let task = Task::new(&TaskSpec::Gaussian(spec), draw.integer(0, usize::MAX >> 1) as u64)
            .map_err(|e| e.to_string())?;
        let (h, k) = (task.problem.width(), task.problem.outputs());
        let basis = nalgebra::QR::new(task.problem.features().transpose()).q();
        let raw = draw.normal(h, k, 1.0);
        let unseen = (&raw - &basis * (basis.transpose() * &raw)).normalize();
        let head = draw.normal(h, k, unit(h));
        Ok(Self { problem: task.problem, seen: &basis * (basis.transpose() * head), unseen })
    }

    /// The same with other targets.
    pub(super) fn towards(self, targets: DMatrix<f64>) -> Result<Self, String> {
        let features = self.problem.features().clone();
        let kernel = self.problem.kernel().to_matrix();
        let problem = Problem::new(features, kernel, targets).map_err(|e| e.to_string())?;
        Ok(Self { problem, ..self })
    }

    pub(super) fn shape(&self) -> (usize, usize) {
        self.problem.targets().shape()
    }

    /// The shapes of the metrics over the size of the part that the features do not see, at one energy.
    pub(super) fn shapes(
        &self,
        metrics: impl Fn(&Problem, &DMatrix<f64>) -> Result<[f64; METRICS], String>,
    ) -> Result<[Shape; METRICS], String> {
        let mut values = [const { Vec::new() }; METRICS];
        for size in ACROSS {
            let adaptation = metrics(&self.problem, &(&self.seen + &self.unseen * size))?;
            values.iter_mut().zip(adaptation).for_each(|(curve, value)| curve.push(value));
        }
        Ok(values.map(|curve| Shape::of(&ACROSS, &curve, TURN)))
    }
}
