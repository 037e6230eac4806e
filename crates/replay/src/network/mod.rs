//! Networks as stacks of layers, on images with channels last.

mod affine;
mod conv;
mod cost;
mod norm;
mod pool;
mod relu;
mod residual;
mod storage;

use candle_core::{DType, Device, Result, Tensor, Var};
use nalgebra::DMatrix;
use rand_chacha::ChaCha8Rng;

use affine::affine;
use conv::{Conv, conv};
pub use cost::Cost;
use norm::Norm;
use pool::{Pool, pool};
use residual::{Normalise, Normed, Residual};
use taskhead::tasks::normal;

/// A layer to be made.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// x ↦ max(0, xW + b), on flattened inputs.
    Dense {
        /// Outputs.
        width: usize,
    },
    /// x ↦ xW.
    Linear {
        /// Outputs.
        width: usize,
    },
    /// A convolution with 3×3 filters and max(0, ·), then the largest of each 2×2 square if `pool`.
    Conv {
        /// Output channels.
        channels: usize,
        /// Whether height and width are halved.
        pool: bool,
    },
    /// A convolution with batch normalisation and max(0, ·): 3×3 filters, or for `large` images 7×7 filters at
    /// every other pixel and then the largest of overlapping 3×3 windows, also at every other one.
    Stem {
        /// Output channels.
        channels: usize,
        /// Whether height and width are divided by 4.
        large: bool,
    },
    /// A residual block of two convolutions with 3×3 filters, each with batch normalisation. Where it changes
    /// the shape, the shortcut is a convolution with 1×1 filters, else the identity.
    Residual {
        /// Output channels.
        channels: usize,
        /// What height and width are divided by, rounding up.
        stride: usize,
        /// Whether the mean over all pixels is taken after it.
        mean: bool,
    },
}

/// A layer.
#[derive(Debug, Clone)]
enum Layer {
    Dense { weight: Var, bias: Var },
    Linear { weight: Var, zero: Tensor },
    Conv { weight: Var, bias: Var, pool: bool },
    Stem { normed: Normed, large: bool },
    Residual(Box<Residual>),
}

/// Height and width of filters.
const FILTER: usize = 3;

/// Height and width of the first filters, and pixels from one to the next.
fn stem(large: bool) -> (usize, usize) {
    if large { (7, 2) } else { (FILTER, 1) }
}

/// Layers, one after the other.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    layers: Vec<Layer>,
}

/// Shape of one sample: height × width × channels, or a single number of features.
pub type Shape = Vec<usize>;

impl Stack {
    /// Makes layers for inputs of a shape; returns the shape of their output too.
    ///
    /// Weights of layers that end in max(0, ·) have a deviation of √(2 / inputs), those of linear ones
    /// 1/√inputs; biases are zero.
    pub fn new(
        plans: &[Plan],
        input: &[usize],
        rng: &mut ChaCha8Rng,
        (dtype, device): (DType, &Device),
    ) -> Result<(Self, Shape)> {
        let mut shape = input.to_vec();
        let mut layers = Vec::new();
        for plan in plans {
            let inputs: usize = shape.iter().product();
            let mut matrix = |inputs: usize, outputs: usize, gain: f64| {
                let deviation = (gain / inputs as f64).sqrt();
                Var::from_tensor(&tensor(&normal(rng, inputs, outputs, deviation), dtype, device)?)
            };
            match *plan {
                Plan::Dense { width } => {
                    let bias = Var::zeros(width, dtype, device)?;
                    layers.push(Layer::Dense { weight: matrix(inputs, width, 2.0)?, bias });
                    shape = vec![width];
                }
                Plan::Linear { width } => {
                    let zero = Tensor::zeros(width, dtype, device)?;
                    layers.push(Layer::Linear { weight: matrix(inputs, width, 1.0)?, zero });
                    shape = vec![width];
                }
                Plan::Conv { channels, pool } => {
                    let &[height, width, depth] = &shape[..] else {
                        return Err(storage::misfit("a convolution", &shape));
                    };
                    let bias = Var::zeros(channels, dtype, device)?;
                    let weight = matrix(FILTER * FILTER * depth, channels, 2.0)?;
                    layers.push(Layer::Conv { weight, bias, pool });
                    let scale = if pool { 2 } else { 1 };
                    shape = vec![height / scale, width / scale, channels];
                    if shape.contains(&0) {
                        return Err(storage::misfit("pooling", &[height, width, channels]));
                    }
                }
                Plan::Stem { channels, large } => {
                    let &[height, width, depth] = &shape[..] else {
                        return Err(storage::misfit("a convolution", &shape));
                    };
                    let (size, stride) = stem(large);
                    let weight = matrix(size * size * depth, channels, 2.0)?;
                    let normed = Normed::new(weight, size, stride, (dtype, device))?;
                    layers.push(Layer::Stem { normed, large });
                    let out = |side| if large { Pool::OVERLAPPING.out(side) } else { side };
                    shape = vec![out(height.div_ceil(stride)), out(width.div_ceil(stride)), channels];
                }
                Plan::Residual { channels, stride, mean } => {
                    let &[height, width, depth] = &shape[..] else {
                        return Err(storage::misfit("a residual block", &shape));
                    };
                    let mut part = |depth: usize, size: usize, stride: usize| {
                        let weight = matrix(size * size * depth, channels, 2.0)?;
                        Normed::new(weight, size, stride, (dtype, device))
                    };
                    let first = part(depth, FILTER, stride)?;
                    let second = part(channels, FILTER, 1)?;
                    let changes = stride != 1 || channels != depth;
                    let shortcut = changes.then(|| part(depth, 1, stride)).transpose()?;
                    let block = Residual { first, second, shortcut, mean };
                    layers.push(Layer::Residual(Box::new(block)));
                    shape = if mean {
                        vec![channels]
                    } else {
                        vec![height.div_ceil(stride), width.div_ceil(stride), channels]
                    };
                }
            }
        }
        Ok((Self { layers }, shape))
    }

    /// One linear layer of a given weight (inputs × outputs).
    pub fn linear(weight: &DMatrix<f64>, dtype: DType, device: &Device) -> Result<Self> {
        let zero = Tensor::zeros(weight.ncols(), dtype, device)?;
        let weight = Var::from_tensor(&tensor(weight, dtype, device)?)?;
        Ok(Self { layers: vec![Layer::Linear { weight, zero }] })
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
        let mut x = inputs.clone();
        for layer in &self.layers {
            x = match layer {
                Layer::Dense { weight, bias } => affine(&x.flatten_from(1)?, weight, bias, true)?,
                Layer::Linear { weight, zero } => affine(&x.flatten_from(1)?, weight, zero, false)?,
                Layer::Conv { weight, bias, pool: halve } => {
                    let y = conv(&x, weight, bias, Conv { size: FILTER, stride: 1, relu: true })?;
                    if *halve { pool(&y, Pool::SQUARES)? } else { y }
                }
                Layer::Stem { normed, large } => {
                    let y = normed.forward(&x, true, norm)?;
                    if *large { pool(&y, Pool::OVERLAPPING)? } else { y }
                }
                Layer::Residual(block) => block.forward(&x, norm)?,
            };
        }
        Ok(x)
    }

    /// Convolutions with batch normalisation in the order of a walk, with their names.
    fn normed<'a>(&'a self, prefix: &str) -> Vec<(String, &'a Normed)> {
        let of_layer = |(i, layer): (usize, &'a Layer)| match layer {
            Layer::Stem { normed, .. } => vec![(format!("{prefix}.{i}"), normed)],
            Layer::Residual(block) => {
                let parts = block.parts().into_iter();
                parts.map(|(part, normed)| (format!("{prefix}.{i}.{part}"), normed)).collect()
            }
            _ => vec![],
        };
        self.layers.iter().enumerate().flat_map(of_layer).collect()
    }

    /// The normalisations in the order of a walk.
    fn norms(&self) -> Vec<&Norm> {
        self.normed("").into_iter().map(|(_, normed)| &normed.norm).collect()
    }

    /// The variables that learn with their names, which start with a prefix.
    pub fn variables(&self, prefix: &str) -> Vec<(String, Var)> {
        let mut all = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            match layer {
                Layer::Dense { weight, bias } | Layer::Conv { weight, bias, .. } => {
                    all.push((format!("{prefix}.{i}.weight"), weight.clone()));
                    all.push((format!("{prefix}.{i}.bias"), bias.clone()));
                }
                Layer::Linear { weight, .. } => {
                    all.push((format!("{prefix}.{i}.weight"), weight.clone()));
                }
                Layer::Stem { .. } | Layer::Residual(_) => {}
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

    /// A copy whose variables are its own.
    pub fn fork(&self) -> Result<Self> {
        let copy = |v: &Var| Var::from_tensor(&v.as_tensor().copy()?.detach());
        let layers = self.layers.iter().map(|layer| {
            Ok(match layer {
                Layer::Dense { weight, bias } => {
                    Layer::Dense { weight: copy(weight)?, bias: copy(bias)? }
                }
                Layer::Linear { weight, zero } => {
                    Layer::Linear { weight: copy(weight)?, zero: zero.clone() }
                }
                Layer::Conv { weight, bias, pool } => {
                    Layer::Conv { weight: copy(weight)?, bias: copy(bias)?, pool: *pool }
                }
                Layer::Stem { normed, large } => {
                    Layer::Stem { normed: normed.fork(copy)?, large: *large }
                }
                Layer::Residual(block) => Layer::Residual(Box::new(block.fork(copy)?)),
            })
        });
        Ok(Self { layers: layers.collect::<Result<_>>()? })
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

/// A tensor with the entries of a matrix.
pub fn tensor(matrix: &DMatrix<f64>, dtype: DType, device: &Device) -> Result<Tensor> {
    let rows = matrix.transpose().as_slice().to_vec();
    Tensor::from_vec(rows, matrix.shape(), &Device::Cpu)?.to_dtype(dtype)?.to_device(device)
}

/// A matrix with the entries of a tensor of two dimensions.
pub fn matrix(tensor: &Tensor) -> Result<DMatrix<f64>> {
    let (rows, columns) = tensor.dims2()?;
    let values =
        tensor.to_dtype(DType::F64)?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f64>()?;
    Ok(DMatrix::from_row_slice(rows, columns, &values))
}

#[cfg(test)]
mod tests;
