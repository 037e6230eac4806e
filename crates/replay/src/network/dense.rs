//! Layers of all inputs with all outputs, on flattened samples.

use std::sync::Arc;

use candle_core::{Result, Tensor, Var};

use super::affine::{affine, push};
use super::cost::{Cost, count};
use super::layer::{Kind, Layer, Shape};
use super::maker::{Copy, Maker};
use super::moving::{Motion, Moving};
use super::norm::Normalise;

/// x ↦ max(0, xW + b)
pub(super) struct Dense {
    pub width: usize,
}

/// x ↦ xW
pub(super) struct Linear {
    pub width: usize,
}

fn cost(input: &[usize], width: usize) -> Cost {
    let width = width as f64;
    Cost { weights: count(input) * width + width, outputs: width }
}

impl Kind for Dense {
    fn shape(&self, _input: &[usize]) -> Result<Shape> {
        Ok(vec![self.width])
    }

    fn cost(&self, input: &[usize]) -> Result<Cost> {
        Ok(cost(input, self.width))
    }

    fn make(&self, input: &[usize], maker: &mut Maker<'_>) -> Result<Arc<dyn Layer>> {
        let bias = maker.bias(self.width)?;
        let weight = maker.weight(input.iter().product(), self.width, 2.0)?;
        Ok(Arc::new(DenseLayer { weight, bias }))
    }
}

impl Kind for Linear {
    fn shape(&self, _input: &[usize]) -> Result<Shape> {
        Ok(vec![self.width])
    }

    fn cost(&self, input: &[usize]) -> Result<Cost> {
        Ok(cost(input, self.width))
    }

    fn make(&self, input: &[usize], maker: &mut Maker<'_>) -> Result<Arc<dyn Layer>> {
        let zero = maker.zero(self.width)?;
        let weight = maker.weight(input.iter().product(), self.width, 1.0)?;
        Ok(Arc::new(LinearLayer { weight, zero }))
    }
}

#[derive(Debug)]
struct DenseLayer {
    weight: Var,
    bias: Var,
}

impl Layer for DenseLayer {
    fn forward(&self, x: &Tensor, _norm: &mut Normalise<'_>) -> Result<Tensor> {
        affine(&x.flatten_from(1)?, &self.weight, &self.bias, true)
    }

    fn variables(&self) -> Vec<(&'static str, &Var)> {
        vec![("weight", &self.weight), ("bias", &self.bias)]
    }

    fn fork(&self, copy: &Copy<'_>) -> Result<Arc<dyn Layer>> {
        Ok(Arc::new(Self { weight: copy(&self.weight)?, bias: copy(&self.bias)? }))
    }

    fn push(&self, x: &Moving, motion: &Motion<'_>) -> Result<Moving> {
        let x = x.map(|x| x.flatten_from(1))?;
        push(&x, motion.pair(&self.weight)?, motion.pair(&self.bias)?, true)
    }
}

#[derive(Debug)]
pub(super) struct LinearLayer {
    /// Inputs × outputs.
    pub weight: Var,
    pub zero: Tensor,
}

impl Layer for LinearLayer {
    fn forward(&self, x: &Tensor, _norm: &mut Normalise<'_>) -> Result<Tensor> {
        affine(&x.flatten_from(1)?, &self.weight, &self.zero, false)
    }

    fn variables(&self) -> Vec<(&'static str, &Var)> {
        vec![("weight", &self.weight)]
    }

    fn fork(&self, copy: &Copy<'_>) -> Result<Arc<dyn Layer>> {
        let weight = copy(&self.weight)?;
        let zero = Tensor::zeros(weight.dim(1)?, weight.dtype(), weight.device())?;
        Ok(Arc::new(Self { weight, zero }))
    }

    fn push(&self, x: &Moving, motion: &Motion<'_>) -> Result<Moving> {
        let x = x.map(|x| x.flatten_from(1))?;
        push(&x, motion.pair(&self.weight)?, [self.zero.clone(), self.zero.clone()], false)
    }
}
