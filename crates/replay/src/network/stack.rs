//! Layers, one after the other.

use std::sync::Arc;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor, Var};
use nalgebra::DMatrix;
use rand_chacha::ChaCha8Rng;

use super::convert::tensor;
use super::dense::LinearLayer;
use super::layer::{Layer, Shape};
use super::maker::{Copy, Maker, copy};
use super::moving::{Motion, Moving};
use super::norm::{Moments, Norm, Normalise};
use super::normed::Normed;
use super::plan::Plan;
use super::rows::Row;

/// Layers, one after the other. Clones share their variables; a [fork](Self::fork) has its own.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    layers: Vec<Arc<dyn Layer>>,
}

impl Stack {
    /// Makes layers for inputs of a shape; returns the shape of their output too.
    ///
    /// Weights of layers that end in max(0, ·) have a deviation of √(2 / inputs), those of linear ones
    /// 1/√inputs; biases are zero.
    ///
    /// # Errors
    ///
    /// A shape that a layer cannot take.
    pub fn new(
        plans: &[Plan],
        input: &[usize],
        rng: &mut ChaCha8Rng,
        (dtype, device): (DType, &Device),
    ) -> Result<(Self, Shape)> {
        let (mut shape, mut layers) = (input.to_vec(), Vec::new());
        let mut maker = Maker { rng, dtype, device };
        for kind in plans.iter().map(Plan::kind) {
            let next = kind.shape(&shape)?;
            layers.push(kind.make(&shape, &mut maker)?);
            shape = next;
        }
        Ok((Self { layers }, shape))
    }

    /// One linear layer of a given weight (inputs × outputs), on samples.
    pub fn linear(weight: &DMatrix<f64>, dtype: DType, device: &Device) -> Result<Self> {
        Self::linear_on(Row::Sample, weight, dtype, device)
    }

    /// One linear layer of a given weight on each row.
    pub fn linear_on(row: Row, weight: &DMatrix<f64>, dtype: DType, device: &Device) -> Result<Self> {
        let zero = Tensor::zeros(weight.ncols(), dtype, device)?;
        let weight = Var::from_tensor(&tensor(weight, dtype, device)?)?;
        Ok(Self { layers: vec![Arc::new(LinearLayer { weight, zero, row })] })
    }

    /// Applies all layers to samples in rows, normalising by the settled statistics.
    pub fn forward(&self, inputs: &Tensor) -> Result<Tensor> {
        self.walk(inputs, &mut Norm::settled)
    }

    /// Applies all layers to samples in rows, normalising by the statistics of these samples.
    pub fn forward_batch(&self, inputs: &Tensor) -> Result<Tensor> {
        self.walk(inputs, &mut Norm::of_batch)
    }

    fn walk(&self, inputs: &Tensor, norm: &mut Normalise<'_>) -> Result<Tensor> {
        self.layers.iter().try_fold(inputs.clone(), |x, layer| layer.forward(&x, norm))
    }

    /// Convolutions with batch normalisation in the order of a walk, with their names.
    pub(super) fn normed<'a>(&'a self, prefix: &str) -> Vec<(String, &'a Normed)> {
        let of_layer = |(i, layer): (usize, &'a Arc<dyn Layer>)| {
            layer.normed().into_iter().map(move |(part, normed)| {
                let name = part.map_or(String::new(), |part| format!(".{part}"));
                (format!("{prefix}.{i}{name}"), normed)
            })
        };
        self.layers.iter().enumerate().flat_map(of_layer).collect()
    }

    /// The variables that learn with their names, which start with a prefix.
    pub fn variables(&self, prefix: &str) -> Vec<(String, Var)> {
        let mut all = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            for (name, variable) in layer.variables() {
                all.push((format!("{prefix}.{i}.{name}"), variable.clone()));
            }
        }
        for (name, normed) in self.normed(prefix) {
            all.push((format!("{name}.weight"), normed.weight.clone()));
            all.push((format!("{name}.norm.scale"), normed.norm.scale.clone()));
            all.push((format!("{name}.norm.shift"), normed.norm.shift.clone()));
        }
        all
    }

    /// The statistics of normalisations, which are settled and do not learn, with their names.
    pub fn statistics(&self, prefix: &str) -> Vec<(String, Var)> {
        let of = |(name, normed): (String, &Normed)| {
            let mean = (format!("{name}.norm.mean"), normed.norm.mean.clone());
            [mean, (format!("{name}.norm.variance"), normed.norm.variance.clone())]
        };
        self.normed(prefix).into_iter().flat_map(of).collect()
    }

    /// Sets the statistics of every normalisation to those of training samples (N×…) under the present
    /// weights. Samples go through in parts of at most `part`, each normalised by itself as in training;
    /// with no more samples than that the settled network is the training one on all of them.
    pub fn settle(&self, samples: &Tensor, part: usize) -> Result<()> {
        let norms: Vec<&Norm> = self.normed("").into_iter().map(|(_, normed)| &normed.norm).collect();
        if norms.is_empty() {
            return Ok(());
        }
        let count = samples.dim(0)?;
        let mut found: Vec<Moments> = Vec::new();
        for from in (0..count).step_by(part) {
            let mut next = 0;
            self.walk(&samples.narrow(0, from, part.min(count - from))?, &mut |norm, x, relu| {
                let here = Moments::of(x)?;
                match found.get_mut(next) {
                    Some(all) => all.add(&here),
                    None => found.push(here),
                }
                next += 1;
                Ok(norm.of_batch(x, relu)?.detach())
            })?;
        }
        norms.iter().zip(found).try_for_each(|(norm, moments)| norm.settle(moments))
    }

    /// A copy whose variables are its own.
    pub fn fork(&self) -> Result<Self> {
        self.fork_by(&copy)
    }

    /// The same network with numbers of another type, on another device.
    pub fn fork_to(&self, dtype: DType, device: &Device) -> Result<Self> {
        self.fork_by(&|variable| {
            Var::from_tensor(&variable.as_detached_tensor().to_dtype(dtype)?.to_device(device)?.copy()?)
        })
    }

    fn fork_by(&self, copy: &Copy<'_>) -> Result<Self> {
        Ok(Self { layers: self.layers.iter().map(|layer| layer.fork(copy)).collect::<Result<_>>()? })
    }

    /// How the outputs of [`Self::forward_batch`] move with the variables: their Jacobian times a direction, which has
    /// an entry for every variable.
    ///
    /// # Errors
    ///
    /// A direction without a variable of this network.
    pub fn push(&self, inputs: &Tensor, direction: &GradStore) -> Result<Tensor> {
        let still = Moving { value: inputs.clone(), motion: None };
        let motion = Motion(direction);
        let last = self.layers.iter().try_fold(still, |x, layer| layer.push(&x, &motion))?;
        last.motion.map_or_else(|| last.value.zeros_like(), Ok)
    }

    /// How many layers there are.
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// The layers before and from a place on.
    pub fn split(mut self, at: usize) -> (Self, Self) {
        let rest = self.layers.split_off(at);
        (self, Self { layers: rest })
    }

    /// These layers, then others.
    pub fn then(mut self, mut others: Self) -> Self {
        self.layers.append(&mut others.layers);
        self
    }
}
