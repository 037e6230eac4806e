//! Whether a replay fits into memory, before anything large is made.

use sysinfo::{MemoryRefreshKind, System};

use super::config::{Config, LinearTask, Training};
use super::data::{Dataset, ImageTasks};
use super::error::ReplayError;
use super::measure::PART;
use super::network::{Cost, Plan, Row};
use super::pretrain::plan;

/// Copies of the weights of a network that learns: where it started, where it is, gradient and velocity.
const COPIES: f64 = 4.0;

/// Copies of the outputs of all operations: on the way forward, and as gradients on the way back.
const WAYS: f64 = 2.0;

const DOUBLE: f64 = 8.0;

/// Copies of features and outputs of all pixels, of double precision, while they are measured.
const MEASURED: f64 = 4.0;

/// What a stage needs, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Need {
    stage: &'static str,
    bytes: f64,
    /// Samples that go through the network at once.
    batch: usize,
    /// Networks that run at once.
    at_once: usize,
}

impl Need {
    /// Refuses what is more than `available` bytes.
    pub fn within(self, available: f64) -> Result<(), ReplayError> {
        let Self { stage, bytes, batch, at_once } = self;
        if bytes <= available {
            return Ok(());
        }
        let gib = |bytes: f64| bytes / (1u64 << 30) as f64;
        let (needed, available) = (gib(bytes), gib(available));
        Err(ReplayError::Memory { stage, needed, available, batch, at_once })
    }
}

/// Bytes that the machine, or the limit set for this process, has left; ∞ where the
/// operating system does not say.
pub(super) fn available() -> f64 {
    let Ok(mut system) = System::new() else { return f64::INFINITY };
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let limited = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    match system.available_memory().min(limited) {
        0 => f64::INFINITY,
        bytes => bytes as f64,
    }
}

/// The stage of a replay that needs the most; at least so much, as buffers of single operations are not counted.
///
/// # Errors
///
/// A shape that a layer cannot take.
pub(super) fn most(config: &Config, dataset: &Dataset, threads: usize) -> Result<Need, ReplayError> {
    match dataset {
        Dataset::Images(tasks) => images(config, tasks, threads),
        Dataset::Linear(task) => Ok(linear(config, task, threads)),
    }
}

fn images(config: &Config, tasks: &ImageTasks, threads: usize) -> Result<Need, ReplayError> {
    let (source, downstream) = (&tasks.source.train, &tasks.downstream.train);
    let shape = downstream.shape();
    let pixels: f64 = shape.iter().map(|&d| d as f64).product();
    let size = config.dtype.bytes();
    let (backbone, features) = Cost::of(&plan(&config.backbone), &shape)?;
    let stage = |stage, cost: Cost, batch: usize, samples: usize, at_once: usize| {
        let network = COPIES * cost.weights
            + f64::max(WAYS * batch as f64, PART.min(samples) as f64) * cost.outputs;
        let data = pixels * samples as f64;
        Need { stage, bytes: size * at_once as f64 * (network + data), batch, at_once }
    };
    let held = |training: Training, samples: usize| match training.batch {
        0 => samples,
        batch => batch.min(samples),
    };
    let head = Cost::of(&[Plan::linear(source.row(), source.classes())], &features)?.0;
    let source_batch = held(config.pretrain.training, source.count());
    let mut most = stage("pretraining", backbone.with(head), source_batch, source.count(), 1);
    let samples = tasks.samples.unwrap_or(downstream.count());
    let batch = held(config.finetune, samples);
    let at_once = threads.min(config.cells() / config.times.len()).max(1);
    for head in &config.head {
        let hidden = head.hidden.map(|width| Plan::dense(downstream.row(), width));
        let plans: Vec<Plan> =
            hidden.into_iter().chain([Plan::linear(downstream.row(), downstream.classes())]).collect();
        let (layers, _) = Cost::of(&plans, &features)?;
        let mut need = stage("finetuning", backbone.with(layers), batch, samples, at_once);
        if downstream.row() == Row::Pixel {
            let images = samples + tasks.downstream.validation.count() + tasks.downstream.test.count();
            let of_pixel = (Row::Pixel.width(&features) + downstream.classes()) as f64;
            let pixels = images as f64 * (shape[0] * shape[1]) as f64;
            need.bytes += DOUBLE * MEASURED * at_once as f64 * pixels * of_pixel;
        }
        most = if need.bytes > most.bytes { need } else { most };
    }
    Ok(most)
}

fn linear(config: &Config, task: &LinearTask, threads: usize) -> Need {
    let &LinearTask { samples, inputs, width, outputs, held_out } = task;
    let [n, d, h, k, p] = [samples, inputs, width, outputs, held_out].map(|v| v as f64);
    let at_once = threads.min(config.cells() / config.times.len()).max(1);
    let numbers = (n + p) * d + COPIES * (h * d + h * k) + WAYS * (n + p) * (h + k);
    Need {
        stage: "the linear network",
        bytes: DOUBLE * at_once as f64 * numbers,
        batch: samples,
        at_once,
    }
}

/// What the gradients of one feature in all weights need, for each sample, with a kernel for each feature and the
/// outputs of all operations.
pub(super) fn of_kernel(cost: Cost, features: &[usize], samples: usize) -> Need {
    let width: f64 = features.iter().map(|&d| d as f64).product();
    let n = samples as f64;
    let bytes = DOUBLE * (cost.weights * n + width * n * n + 2.0 * WAYS * n * cost.outputs);
    Need { stage: "the tangent kernel", bytes, batch: samples, at_once: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Architecture, Backbone, Head};

    #[test]
    fn needs_grow_with_what_is_asked_for_and_are_refused_with_it() {
        let need = |change: &dyn Fn(&mut Config)| {
            let mut config = Config::preset("digits").unwrap();
            change(&mut config);
            let dataset = Dataset::load(&config.data).unwrap();
            most(&config, &dataset, 2).unwrap()
        };
        let usual = need(&|_| {});
        assert!(usual.bytes > 1e5 && usual.bytes < 1e8, "{usual:?}");
        assert!(usual.within(available()).is_ok());
        let wide = need(&|c| c.backbone = Backbone::Mlp { widths: vec![1 << 20, 1 << 20] });
        // The second layer alone has 2⁴⁰ weights of four bytes.
        assert!(wide.bytes > 4.0 * 2f64.powi(42));
        let text = wide.within(8e9).unwrap_err().to_string();
        assert!(text.contains("needs at least") && text.contains("7.5 GiB"), "{text}");
        let deep = need(&|c| c.head = vec![Head { hidden: Some(usize::MAX), blocks: 0 }]);
        assert!(deep.bytes.is_finite() && deep.bytes > 1e20 && deep.stage == "finetuning");
        let resnet = |batch: usize| {
            need(&|c| {
                c.backbone = Architecture::Resnet18.backbone();
                c.pretrain.training.batch = batch;
            })
        };
        assert!(resnet(0).bytes > resnet(32).bytes && resnet(0).stage == "pretraining");
    }

    #[test]
    fn costs_are_those_of_the_layers_made() {
        use crate::network::Stack;
        use candle_core::{DType, Device};
        use taskhead::tasks::stream;
        for architecture in
            [Architecture::Mlp, Architecture::Cnn, Architecture::Resnet8, Architecture::Resnet18Imagenet]
        {
            let plans = plan(&architecture.backbone());
            let (cost, shape) = Cost::of(&plans, &[9, 8, 3]).unwrap();
            let place = (DType::F32, &Device::Cpu);
            let (stack, made) = Stack::new(&plans, &[9, 8, 3], &mut stream(0, 1), place).unwrap();
            let all = stack.variables("").into_iter().chain(stack.statistics(""));
            let weights: usize = all.map(|(_, v)| v.elem_count()).sum();
            assert_eq!((cost.weights, shape), (weights as f64, made), "{architecture:?}");
        }
    }
}
