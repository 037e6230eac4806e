//! One cell: probe the head for a time, finetune everything, measure.

use candle_core::{DType, Tensor};
use nalgebra::DMatrix;
use rand_chacha::ChaCha8Rng;

use super::config::{Config, Loss};
use super::data::{Dataset, Samples, draw, with_noise};
use super::error::ReplayError;
use super::measure::{self, apply, settle};
use super::network::{Plan, Row, Stack, tensor};
use super::pretrain;
use super::probing::{Energies, Probe, Wanted};
use super::replay::{Curve, Replay};
use super::score::{auc, mean_iou};
use super::targets::Targets;
use super::train::{Descent, Trainer};
use taskhead::adaptation::Adaptation;
use taskhead::energy::Energy;
use taskhead::flow::Stop;
use taskhead::probing::Measure;
use taskhead::sweep::config::Points;
use taskhead::sweep::record::{Cell, Change, Measured, Outcome, Record, Score, ScoreKind};
use taskhead::tasks::{accuracy, normal, stream};

/// Purposes of random streams. That of the last layer is the same as that of the heads of linear tasks.
mod purpose {
    pub const HEAD: u64 = 5;
    pub const LAYERS_OF_HEAD: u64 = 122;
    pub const BATCHES: u64 = 123;
}

/// Samples that are measured but not trained on.
struct HeldOut {
    inputs: Tensor,
    targets: Option<Targets>,
    /// Output of the backbone in its own shape.
    features: Tensor,
}

impl HeldOut {
    /// Features as numbers: a matrix with one row for each row of the targets.
    fn rows(&self, features: &Tensor) -> Result<DMatrix<f64>, ReplayError> {
        Ok(match &self.targets {
            Some(targets) => targets.rows(features)?,
            None => measure::rows(features)?,
        })
    }
}

/// Everything of a curve before probing.
pub(super) struct Start {
    pub train: Samples,
    pub targets: DMatrix<f64>,
    smoothed: Targets,
    held_out: HeldOut,
    /// Inputs and targets by which the best probing point is chosen.
    validation: Option<Samples>,
    pub backbone: Stack,
    head: Stack,
    /// Output of the backbone in its own shape.
    features: Tensor,
    pub seed: u64,
    pub head_rate: f64,
    /// What it is scored by, if not by accuracy.
    score: Option<ScoreKind>,
}

/// A backbone with the samples of its task, and the layers that belong to the head.
struct Parts {
    train: Samples,
    held_inputs: Tensor,
    held_targets: Option<Targets>,
    validation: Option<Samples>,
    backbone: Stack,
    layers_of_head: Vec<Plan>,
}

impl Parts {
    fn new(replay: &Replay, seed: u64, blocks: usize) -> Result<Self, ReplayError> {
        let (dtype, device) = (replay.dtype, &replay.device);
        match (&replay.dataset, replay.backbone(seed)?) {
            (Dataset::Images(tasks), Some(pretrained)) => {
                let (downstream, pretrained) = (&tasks.downstream, &pretrained.stack);
                let drawn = draw(&downstream.train, tasks.samples, seed);
                let drawn = with_noise(drawn, replay.config.label_noise, seed);
                if replay.config.is_molecular() && drawn.classes_seen().len() < 2 {
                    return Err(ReplayError::Unfit(format!(
                        "the {} training molecules that the seed {seed} draws have one class; more of them help \
                         (--samples)",
                        drawn.count()
                    )));
                }
                let held = downstream.test.samples(dtype, device)?;
                let kept = pretrained.depth() - blocks;
                Ok(Self {
                    train: drawn.samples(dtype, device)?,
                    held_inputs: held.inputs,
                    held_targets: Some(held.targets),
                    validation: Some(downstream.validation.samples(dtype, device)?),
                    backbone: pretrained.fork()?.split(kept).0,
                    layers_of_head: pretrain::plan(&replay.config.backbone).split_off(kept),
                })
            }
            (Dataset::Linear(task), _) => {
                let drawn = task.draw(seed);
                let tensor = |m: &DMatrix<f64>| tensor(m, dtype, device);
                Ok(Self {
                    train: Samples {
                        inputs: tensor(&drawn.inputs)?,
                        targets: tensor(&drawn.targets)?.into(),
                    },
                    held_inputs: tensor(&drawn.held_out)?,
                    held_targets: None,
                    validation: None,
                    backbone: Stack::linear(&drawn.backbone.transpose(), dtype, device)?,
                    layers_of_head: Vec::new(),
                })
            }
            (Dataset::Images(_), None) => unreachable!("a replay of images has a backbone"),
        }
    }
}

impl Start {
    pub fn new(replay: &Replay, curve: &Curve) -> Result<Self, ReplayError> {
        let Parts { train, held_inputs, held_targets, validation, backbone, layers_of_head: mut plans } =
            Parts::new(replay, curve.of.seed, curve.head.blocks)?;
        let (dtype, device) = (replay.dtype, &replay.device);
        let (targets, row) = (train.targets.matrix()?, train.targets.row());
        let smoothed = train.targets.smoothed(curve.of.smoothing)?;
        settle(&backbone, &train.inputs)?;
        let features = apply(&backbone, &train.inputs)?;
        if train.targets.rows(&features)?.iter().any(|z| !z.is_finite()) {
            return Err(ReplayError::Unfit("the features before finetuning are not finite".into()));
        }

        plans.extend(curve.head.hidden.map(|width| Plan::dense(row, width)));
        let mut rng = stream(curve.of.seed, purpose::LAYERS_OF_HEAD);
        let (layers, shape) = Stack::new(&plans, &features.dims()[1..], &mut rng, (dtype, device))?;
        let (h, k) = (row.width(&shape), train.targets.outputs());
        let deviation = curve.of.scale / f64::sqrt(h as f64);
        let last = normal(&mut stream(curve.of.seed, purpose::HEAD), h, k, deviation);
        let head = layers.then(Stack::linear_on(row, &last, dtype, device)?);

        let held_out = HeldOut {
            features: apply(&backbone, &held_inputs)?,
            targets: held_targets,
            inputs: held_inputs,
        };
        let (seed, head_rate) = (curve.of.seed, curve.of.head_rate);
        let score = match row {
            Row::Pixel => Some(ScoreKind::MeanIou),
            Row::Sample => (replay.config.is_molecular() && k == 2).then_some(ScoreKind::Auc),
        };
        Ok(Self {
            train,
            targets,
            smoothed,
            held_out,
            validation,
            backbone,
            head,
            features,
            seed,
            head_rate,
            score,
        })
    }

    fn probe(&self) -> Probe<'_> {
        Probe {
            head: &self.head,
            features: &self.features,
            smoothed: &self.smoothed,
            targets: &self.train.targets,
            seed: self.seed,
        }
    }

    /// The energies along the whole of probing.
    pub fn energies(&self, config: &Config) -> Result<Energies, ReplayError> {
        self.probe().energies(config)
    }

    /// Steps of probing to a point. Even points go from the longest probing (0) to none in equal steps of
    /// Frobenius energy.
    pub fn place<'a>(
        &self,
        config: &Config,
        point: usize,
        energies: impl Fn() -> Result<&'a Energies, ReplayError>,
    ) -> Result<usize, ReplayError> {
        let probe = self.probe();
        let reach = |measure, value| probe.reach(Wanted { measure, value }, energies()?, config);
        match config.points() {
            Points::Times(times) if times[point].is_infinite() => probe.longest(config),
            Points::Times(times) => probe.steps(times[point], config),
            Points::Energies(wanted) => reach(Measure::Aie, wanted[point]),
            Points::Even(_) if point == 0 => probe.longest(config),
            Points::Even(count) if point + 1 == count => Ok(0),
            Points::Above(count) if point + 1 == count => Ok(0),
            points @ (Points::Even(_) | Points::Above(_)) => {
                let [low, high] = [energies()?.last(), energies()?.first()].map(|e| e.frobenius);
                let (part, parts) = match points {
                    Points::Above(count) => (point + 1, count),
                    _ => (point, points.count() - 1),
                };
                reach(Measure::Frobenius, low + (high - low) * part as f64 / parts as f64)
            }
        }
    }

    /// A probing time in steps.
    pub fn probe_steps(&self, config: &Config, time: f64) -> Result<usize, ReplayError> {
        self.probe().steps(time, config)
    }

    /// Features Z₀ of the training samples, N×h: one row for each row of the targets.
    pub fn features(&self) -> Result<DMatrix<f64>, ReplayError> {
        Ok(self.train.targets.rows(&self.features)?)
    }

    /// Backbone, head and both, each with variables of its own, after a given number of steps of probing.
    pub fn probed(
        &self,
        config: &Config,
        probe_steps: usize,
    ) -> Result<(Stack, Stack, Stack), ReplayError> {
        let (backbone, head) = (self.backbone.fork()?, self.probe().head_after(probe_steps, config)?);
        Ok((backbone.clone(), head.clone(), backbone.then(head)))
    }

    /// The finetuning of a backbone and a head, which together are `whole`.
    pub fn trainer<'a>(
        &'a self,
        config: &Config,
        backbone: &Stack,
        head: &Stack,
        whole: &'a Stack,
    ) -> Result<Trainer<'a>, ReplayError> {
        let (training, samples) = (config.finetune, (&self.train.inputs, &self.train.targets));
        let rate = config.step_size(training, self.train.count());
        let descent = Descent::new(training.momentum)
            .with(backbone.variables("backbone"), rate)
            .with(head.variables("head"), rate * self.head_rate);
        Ok(Trainer::new(whole, samples, config.loss, training, descent, self.batches())?)
    }

    /// The random numbers that the batches of finetuning are drawn by.
    pub fn batches(&self) -> ChaCha8Rng {
        stream(self.seed, purpose::BATCHES)
    }

    /// Probes for a given number of steps, finetunes everything, and measures at the time of each cell.
    pub fn finetune(
        &self,
        config: &Config,
        probe_steps: usize,
        cells: &[Cell],
    ) -> Result<Vec<Record>, ReplayError> {
        let (loss, training, samples) = (config.loss, config.finetune, self.train.count());
        let (backbone, head, whole) = self.probed(config, probe_steps)?;

        let before = self.fit(loss, &head, &self.features, &self.held_out.features)?;
        let probe_time = config.time(probe_steps, config.probing.training, samples);
        if !before.energy.aie.is_finite() {
            let rate = config.probing.training.rate;
            return Err(ReplayError::Diverged { stage: "head probing", time: probe_time, rate });
        }
        let (features, held_features) = (self.features()?, self.held_out.rows(&self.held_out.features)?);
        let mut trainer = self.trainer(config, &backbone, &head, &whole)?;
        let mut records = Vec::new();
        for cell in cells {
            let steps = config.steps(cell.time, training, samples);
            trainer.until(steps)?;
            settle(&backbone, &self.train.inputs)?;
            let moved = apply(&backbone, &self.train.inputs)?;
            settle(&head, &moved)?;
            let held_moved = apply(&backbone, &self.held_out.inputs)?;
            let after = self.fit(loss, &head, &moved, &held_moved)?;
            let (moved, held_moved) =
                (self.train.targets.rows(&moved)?, self.held_out.rows(&held_moved)?);
            if !after.energy.aie.is_finite() || moved.iter().all(|&z| z == 0.0) {
                let (time, rate) = (cell.time, training.rate);
                return Err(ReplayError::Diverged { stage: "finetuning", time, rate });
            }
            let by_validation = |Samples { inputs, targets }: &Samples| {
                Fitting::of(&apply(&whole, inputs)?, targets, loss, self.score)
            };
            let validation = self.validation.as_ref().map(by_validation).transpose()?;
            let near = Adaptation::of(&features, &(moved - &features));
            let far = Adaptation::of(&held_features, &(held_moved - &held_features));
            let change = |of: fn(&Classes) -> f64| {
                Some(Change { start: of(before.classes.as_ref()?), end: of(after.classes.as_ref()?) })
            };
            let of_both = |of: fn(&Classes) -> Option<f64>| {
                Some(Change { start: of(before.classes.as_ref()?)?, end: of(after.classes.as_ref()?)? })
            };
            let score = || {
                Some(Score {
                    kind: self.score?,
                    training: of_both(|c| c.training.score)?,
                    held_out: of_both(|c| c.held_out.score)?,
                    validation: validation.as_ref()?.score?,
                })
            };
            let measured = Measured {
                method: "gradient descent".into(),
                probe_time,
                energies: before.energy,
                // Whole steps, which those of a flow are next to.
                time: if config.is_flow() { cell.time } else { config.time(steps, training, samples) },
                residual: after.energy.frobenius,
                loss: None,
                drift: None,
                training: near.into(),
                held_out: Some(far.into()),
                budget: None,
                head_norm: Change { start: before.head_norm, end: after.head_norm },
                risk: change(|c| c.held_out.risk),
                accuracy: change(|c| c.training.accuracy),
                held_out_accuracy: change(|c| c.held_out.accuracy),
                validation_accuracy: validation.as_ref().map(|v| v.accuracy),
                score: score(),
            };
            records.push(Record { cell: cell.clone(), outcome: Outcome::of(Stop::Time, measured) });
        }
        Ok(records)
    }

    /// How a head fits its task from the features of training and held-out samples.
    fn fit(
        &self,
        loss: Loss,
        head: &Stack,
        features: &Tensor,
        held_features: &Tensor,
    ) -> Result<Fit, ReplayError> {
        let predicted = apply(head, features)?;
        let targets = &self.train.targets;
        let energy = Energy::of(&targets.rows(&targets.residual(loss, &predicted)?)?);
        let squares = head.variables("head").into_iter().map(|(_, v)| -> Result<f64, ReplayError> {
            Ok(v.as_tensor().sqr()?.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?)
        });
        let head_norm = squares.sum::<Result<f64, _>>()?.sqrt();
        let classes = |of_held: &Targets| -> Result<Classes, ReplayError> {
            Ok(Classes {
                training: Fitting::of(&predicted, targets, loss, self.score)?,
                held_out: Fitting::of(&apply(head, held_features)?, of_held, loss, self.score)?,
            })
        };
        let classes = self.held_out.targets.as_ref().map(classes).transpose()?;
        Ok(Fit { energy, head_norm, classes })
    }
}

/// How a network fits its task.
struct Fit {
    energy: Energy,
    head_norm: f64,
    classes: Option<Classes>,
}

/// How well it does where rows have classes.
struct Classes {
    training: Fitting,
    held_out: Fitting,
}

/// How well predictions fit rows with classes.
struct Fitting {
    /// The mean squared residual.
    risk: f64,
    accuracy: f64,
    /// Where that is not accuracy.
    score: Option<f64>,
}

impl Fitting {
    fn of(
        predicted: &Tensor,
        targets: &Targets,
        loss: Loss,
        score: Option<ScoreKind>,
    ) -> Result<Self, ReplayError> {
        let residual = targets.rows(&targets.residual(loss, predicted)?)?;
        let (predicted, right) = (targets.rows(predicted)?, targets.matrix()?);
        Ok(Self {
            risk: residual.norm_squared() / right.nrows() as f64,
            accuracy: accuracy(&predicted, &right),
            score: match score {
                Some(ScoreKind::MeanIou) => Some(mean_iou(&predicted, &right)),
                Some(ScoreKind::Auc) => auc(&predicted, &right),
                None => None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Backbone, Data, Head};

    /// Every kind of network and head: all that should learn has a finite gradient that is not zero when
    /// everything is finetuned, and the backbone has none while the head is probed.
    #[test]
    fn all_that_should_learn_has_a_gradient_and_nothing_else() {
        let digits = Config::preset("digits").unwrap();
        let cnn = Config::preset("digits-cnn").unwrap();
        let mlp = Backbone::Mlp { widths: vec![12, 8] };
        let networks = [
            Config { backbone: mlp, ..digits },
            Config { backbone: Backbone::Cnn { channels: vec![3, 4], width: 8 }, ..cnn.clone() },
            Config {
                backbone: Backbone::Resnet { channels: vec![3, 4], blocks: 1, large: false },
                ..cnn
            },
            Config::preset("linear").unwrap(),
        ];
        for mut config in networks {
            let flow = config.is_flow();
            if !flow {
                config.data =
                    Data::Digits { samples: Some(40), source_folder: None, shifted_folder: None };
                config.pretrain.source = crate::config::Source::None;
                config.head.push(Head { hidden: Some(6), blocks: 1 });
            }
            for loss in [Loss::Squared, Loss::CrossEntropy] {
                let config = Config { loss, ..config.clone() };
                let replay = Replay::new(config, candle_core::Device::Cpu, None).unwrap();
                for curve in &replay.curves {
                    let start = Start::new(&replay, curve).unwrap();
                    let (backbone, head) = (start.backbone.clone(), start.head.clone());
                    let whole = backbone.clone().then(head.clone());
                    let outputs = whole.forward_batch(&start.train.inputs).unwrap();
                    let finetuning = start.train.targets.driver(loss, &outputs).unwrap();
                    let finetuning = finetuning.backward().unwrap();
                    let outputs = head.forward_batch(&start.features).unwrap();
                    let probing = start.smoothed.driver(loss, &outputs).unwrap().backward().unwrap();
                    let all = whole.variables("whole");
                    assert_eq!(all.len(), backbone.variables("").len() + head.variables("").len());
                    for (name, variable) in all {
                        let gradient = finetuning.get(&variable).expect(&name).abs().unwrap();
                        let sum = gradient.sum_all().unwrap().to_dtype(DType::F64).unwrap();
                        let sum = sum.to_scalar::<f64>().unwrap();
                        assert!(
                            sum.is_finite() && sum > 0.0,
                            "{}: {name}",
                            replay.config.title(&curve.head)
                        );
                    }
                    for (name, variable) in backbone.variables("backbone") {
                        assert!(probing.get(&variable).is_none(), "{name}");
                    }
                    for (name, variable) in head.variables("head") {
                        assert!(probing.get(&variable).is_some(), "{name}");
                    }
                }
            }
        }
    }
}
