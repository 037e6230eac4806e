//! Layers of all inputs with all outputs, on flattened samples or on each pixel.

use std::sync::Arc;

use candle_core::{Result, Tensor, Var};

use super::affine::{affine, push};
use super::cost::{Cost, count};
use super::layer::{Kind, Layer, Shape};
use super::maker::{Copy, Maker};
use super::moving::{Motion, Moving};
use super::norm::Normalise;
use super::rows::Row;

/// x ↦ max(0, xW + b)
pub(super) struct Dense {
    pub width: usize,
    pub row: Row,
}

/// x ↦ xW
pub(super) struct Linear {
    pub width: usize,
    pub row: Row,
}

fn cost(input: &[usize], width: usize, row: Row) -> Result<Cost> {
    let inputs = row.width(input) as f64;
    let outputs = count(&row.shape(input, width)?);
    Ok(Cost { weights: inputs * width as f64 + width as f64, outputs })
}

impl Kind for Dense {
    fn shape(&self, input: &[usize]) -> Result<Shape> {
        self.row.shape(input, self.width)
    }

    fn cost(&self, input: &[usize]) -> Result<Cost> {
        cost(input, self.width, self.row)
    }

    fn make(&self, input: &[usize], maker: &mut Maker<'_>) -> Result<Arc<dyn Layer>> {
        let bias = maker.bias(self.width)?;
        let weight = maker.weight(self.row.width(input), self.width, 2.0)?;
        Ok(Arc::new(DenseLayer { weight, bias, row: self.row }))
    }
}

impl Kind for Linear {
    fn shape(&self, input: &[usize]) -> Result<Shape> {
        self.row.shape(input, self.width)
    }

    fn cost(&self, input: &[usize]) -> Result<Cost> {
        cost(input, self.width, self.row)
    }

    fn make(&self, input: &[usize], maker: &mut Maker<'_>) -> Result<Arc<dyn Layer>> {
        let zero = maker.zero(self.width)?;
        let weight = maker.weight(self.row.width(input), self.width, 1.0)?;
        Ok(Arc::new(LinearLayer { weight, zero, row: self.row }))
    }
}

#[derive(Debug)]
struct DenseLayer {
    weight: Var,
    bias: Var,
    row: Row,
}

impl Layer for DenseLayer {
    fn forward(&self, x: &Tensor, _norm: &mut Normalise<'_>) -> Result<Tensor> {
        self.row.restore(affine(&self.row.flatten(x)?, &self.weight, &self.bias, true)?, x)
    }

    fn variables(&self) -> Vec<(&'static str, &Var)> {
        vec![("weight", &self.weight), ("bias", &self.bias)]
    }

    fn fork(&self, copy: &Copy<'_>) -> Result<Arc<dyn Layer>> {
        Ok(Arc::new(Self { weight: copy(&self.weight)?, bias: copy(&self.bias)?, row: self.row }))
    }

    fn push(&self, x: &Moving, motion: &Motion<'_>) -> Result<Moving> {
        let rows = x.map(|x| self.row.flatten(x))?;
        let y = push(&rows, motion.pair(&self.weight)?, motion.pair(&self.bias)?, true)?;
        y.map(|y| self.row.restore(y.clone(), &x.value))
    }
}

#[derive(Debug)]
pub(super) struct LinearLayer {
    /// Inputs × outputs.
    pub weight: Var,
    pub zero: Tensor,
    pub row: Row,
}

impl Layer for LinearLayer {
    fn forward(&self, x: &Tensor, _norm: &mut Normalise<'_>) -> Result<Tensor> {
        self.row.restore(affine(&self.row.flatten(x)?, &self.weight, &self.zero, false)?, x)
    }

    fn variables(&self) -> Vec<(&'static str, &Var)> {
        vec![("weight", &self.weight)]
    }

    fn fork(&self, copy: &Copy<'_>) -> Result<Arc<dyn Layer>> {
        let weight = copy(&self.weight)?;
        let zero = Tensor::zeros(weight.dim(1)?, weight.dtype(), weight.device())?;
        Ok(Arc::new(Self { weight, zero, row: self.row }))
    }

    fn push(&self, x: &Moving, motion: &Motion<'_>) -> Result<Moving> {
        let rows = x.map(|x| self.row.flatten(x))?;
        let y = push(&rows, motion.pair(&self.weight)?, [self.zero.clone(), self.zero.clone()], false)?;
        y.map(|y| self.row.restore(y.clone(), &x.value))
    }
}
