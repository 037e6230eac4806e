//! Training, step by step.

use candle_core::{
    CpuStorage, InplaceOp2, Layout, Result as TensorResult, Tensor, Var, WithDType, bail,
};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::config::{Loss, Training};
use super::error::ReplayError;
use super::network::Stack;
use super::targets::Targets;

/// Variables that learn, each at its rate, by gradient descent with momentum.
#[derive(Debug)]
pub struct Descent {
    variables: Vec<Learner>,
    momentum: f64,
}

#[derive(Debug)]
struct Learner {
    name: String,
    variable: Var,
    rate: f64,
    velocity: Option<Tensor>,
}

impl Descent {
    /// Nothing to learn yet.
    pub fn new(momentum: f64) -> Self {
        Self { variables: Vec::new(), momentum }
    }

    /// Adds variables at a rate; at rate 0 they stay as they are.
    pub fn with(mut self, variables: Vec<(String, Var)>, rate: f64) -> Self {
        if rate > 0.0 {
            self.variables.extend(variables.into_iter().map(|(name, variable)| Learner {
                name,
                variable,
                rate,
                velocity: None,
            }));
        }
        self
    }

    /// Steps down the gradient of a scalar.
    ///
    /// # Errors
    ///
    /// A variable on which the scalar does not depend.
    pub fn step(&mut self, scalar: &Tensor) -> Result<(), ReplayError> {
        let gradients = scalar.backward()?;
        for learner in &mut self.variables {
            let gradient = gradients
                .get(&learner.variable)
                .ok_or_else(|| ReplayError::NoGradient { name: learner.name.clone() })?;
            let direction = match &mut learner.velocity {
                Some(velocity) => {
                    add(velocity, self.momentum, gradient, 1.0)?;
                    &*velocity
                }
                None if self.momentum > 0.0 => &*learner.velocity.insert(gradient.copy()?),
                None => gradient,
            };
            add(learner.variable.as_tensor(), 1.0, direction, -learner.rate)?;
        }
        Ok(())
    }
}

/// y ← keep · y + by · x, in place.
fn add(y: &Tensor, keep: f64, x: &Tensor, by: f64) -> TensorResult<()> {
    if y.device().is_cpu() {
        return y.inplace_op2(&x.contiguous()?, &Add { keep, by });
    }
    let sum = ((y * keep)? + (x * by)?)?;
    y.slice_set(&sum, 0, 0)
}

struct Add {
    keep: f64,
    by: f64,
}

impl InplaceOp2 for Add {
    fn name(&self) -> &'static str {
        "add in place"
    }

    fn cpu_fwd(
        &self,
        y: &mut CpuStorage,
        y_layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
    ) -> TensorResult<()> {
        fn run<T: WithDType>(y: &mut [T], x: &[T], add: &Add) {
            let (keep, by) = (T::from_f64(add.keep), T::from_f64(add.by));
            for (y, &x) in y.iter_mut().zip(x) {
                *y = keep * *y + by * x;
            }
        }
        let ranges = y_layout.contiguous_offsets().zip(x_layout.contiguous_offsets());
        let Some(((y0, y1), (x0, x1))) = ranges else { bail!("contiguous tensors are needed") };
        match (y, x) {
            (CpuStorage::F32(y), CpuStorage::F32(x)) => run(&mut y[y0..y1], &x[x0..x1], self),
            (CpuStorage::F64(y), CpuStorage::F64(x)) => run(&mut y[y0..y1], &x[x0..x1], self),
            _ => bail!("numbers of one type, f32 or f64, are needed"),
        }
        Ok(())
    }
}

/// The batches of a training: all samples in a new order each epoch, the last batch being what is left.
#[derive(Debug)]
pub struct Batches {
    order: Vec<u32>,
    next: usize,
    batch: usize,
    rng: ChaCha8Rng,
}

impl Batches {
    /// Batches of samples 0, 1, …; 0 or at least as many as there are: all at once, in order.
    pub fn new(samples: usize, batch: usize, rng: ChaCha8Rng) -> Self {
        let batch = if batch == 0 { samples } else { batch.min(samples) };
        Self { order: (0..samples as u32).collect(), next: 0, batch, rng }
    }

    /// Whether a batch is everything.
    pub fn whole(&self) -> bool {
        self.batch == self.order.len()
    }

    /// Steps in one epoch.
    pub fn per_epoch(&self) -> usize {
        self.order.len().div_ceil(self.batch)
    }

    /// The samples of the next batch.
    pub fn next(&mut self) -> &[u32] {
        if self.next == 0 && !self.whole() {
            self.order.shuffle(&mut self.rng);
        }
        let from = self.next;
        let to = (from + self.batch).min(self.order.len());
        self.next = if to == self.order.len() { 0 } else { to };
        &self.order[from..to]
    }

    /// Inputs and targets of the next batch.
    pub fn pairs(&mut self, inputs: &Tensor, targets: &Targets) -> TensorResult<(Tensor, Targets)> {
        if self.whole() {
            return Ok((inputs.clone(), targets.clone()));
        }
        let index = Tensor::new(self.next(), inputs.device())?;
        Ok((inputs.index_select(&index, 0)?, targets.select(&index)?))
    }
}

/// Trains step by step.
pub struct Trainer<'a> {
    stack: &'a Stack,
    inputs: &'a Tensor,
    targets: &'a Targets,
    loss: Loss,
    descent: Descent,
    batches: Batches,
    steps: usize,
}

impl<'a> Trainer<'a> {
    /// A training of layers, of which `descent` holds the variables that learn.
    pub fn new(
        stack: &'a Stack,
        (inputs, targets): (&'a Tensor, &'a Targets),
        loss: Loss,
        training: Training,
        descent: Descent,
        rng: ChaCha8Rng,
    ) -> TensorResult<Self> {
        let batches = Batches::new(inputs.dim(0)?, training.batch, rng);
        Ok(Self { stack, inputs, targets, loss, descent, batches, steps: 0 })
    }

    /// Steps in one epoch.
    pub fn per_epoch(&self) -> usize {
        self.batches.per_epoch()
    }

    /// Steps taken so far.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Trains until this number of steps has been taken in all.
    pub fn until(&mut self, steps: usize) -> Result<(), ReplayError> {
        while self.steps < steps {
            let (inputs, targets) = self.batches.pairs(self.inputs, self.targets)?;
            let outputs = self.stack.forward_batch(&inputs)?;
            self.descent.step(&targets.driver(self.loss, &outputs)?)?;
            self.steps += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use taskhead::tasks::stream;

    fn random(rows: usize, columns: usize, purpose: u64) -> Tensor {
        let m = taskhead::tasks::normal(&mut stream(1, purpose), rows, columns, 1.0);
        super::super::network::tensor(&m, candle_core::DType::F64, &Device::Cpu).unwrap()
    }

    /// v ← μv + g, w ← w − ηv, by hand for w = 1, g = w: the loss is w²/2.
    #[test]
    fn momentum_is_that_of_the_textbook() {
        let w = Var::new(&[1.0f64], &Device::Cpu).unwrap();
        let mut descent = Descent::new(0.5).with(vec![("w".into(), w.clone())], 0.1);
        for expected in [0.9, 0.76, 0.614] {
            descent.step(&(w.sqr().unwrap() / 2.0).unwrap().sum_all().unwrap()).unwrap();
            let found = w.to_vec1::<f64>().unwrap()[0];
            assert!((found - expected).abs() < 1e-15, "{found}");
        }
    }

    #[test]
    fn an_epoch_visits_every_sample_once() {
        let mut batches = Batches::new(10, 4, stream(0, 1));
        assert_eq!(batches.per_epoch(), 3);
        let mut orders = Vec::new();
        for _ in 0..2 {
            let mut seen: Vec<u32> = (0..3).flat_map(|_| batches.next().to_vec()).collect();
            orders.push(seen.clone());
            seen.sort_unstable();
            assert_eq!(seen, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(orders[0], orders[1]);
        assert!(Batches::new(10, 0, stream(0, 1)).whole() && Batches::new(10, 99, stream(0, 1)).whole());
    }

    #[test]
    fn a_variable_that_nothing_depends_on_is_named() {
        let variable = || Var::from_tensor(&random(2, 2, 3)).unwrap();
        let (used, idle) = (variable(), variable());
        let mut descent =
            Descent::new(0.0).with(vec![("used".into(), used.clone()), ("idle".into(), idle)], 0.1);
        let error = descent.step(&used.as_tensor().sum_all().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "the variable `idle` has no gradient");
    }
}
