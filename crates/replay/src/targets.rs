//! What outputs are trained towards and measured against, row by row.
//!
//! A task yields rows, grouped by sample: samples are drawn, split and put into batches, rows have features, outputs
//! and an energy. In classification a row is a sample. In segmentation it is a pixel, and a pixel without a label (the
//! value that masks say to ignore) is no row at all: it has no part in loss, energy, metrics and scores. The loss is
//! the mean over the rows of a batch; energies, metrics of adaptation and accuracies are means over the rows of all
//! samples, in which every row counts the same, whichever sample it is of.

use candle_core::{D, DType, Result, Tensor, bail};
use nalgebra::DMatrix;

use super::config::Loss;
use super::network::{Row, matrix, tensor};
use taskhead::probing::smooth;

/// Targets of samples.
#[derive(Debug, Clone)]
pub struct Targets {
    /// N×k for whole samples, N×height×width×k for pixels; one-hot for classes.
    values: Tensor,
    /// N×height×width×1, 1 where there is a label, else 0; absent if there is one everywhere.
    known: Option<Tensor>,
}

impl From<Tensor> for Targets {
    /// Of rows that are all known.
    fn from(values: Tensor) -> Self {
        Self { values, known: None }
    }
}

impl Targets {
    /// Of pixels, some of which have no label.
    pub fn of_pixels(values: Tensor, known: Option<Tensor>) -> Self {
        Self { values, known }
    }

    /// What a row is.
    pub fn row(&self) -> Row {
        if self.values.rank() == 4 { Row::Pixel } else { Row::Sample }
    }

    /// How many samples there are.
    pub fn count(&self) -> usize {
        self.values.dims()[0]
    }

    /// Outputs k.
    pub fn outputs(&self) -> usize {
        self.values.dims()[self.values.rank() - 1]
    }

    /// Those of some samples.
    pub fn select(&self, samples: &Tensor) -> Result<Self> {
        let of = |t: &Tensor| t.index_select(samples, 0);
        Ok(Self { values: of(&self.values)?, known: self.known.as_ref().map(of).transpose()? })
    }

    /// Features, outputs or residuals of all samples as numbers, a matrix with one row for each that has a label.
    ///
    /// # Errors
    ///
    /// More or fewer pixels than targets have.
    pub fn rows(&self, of: &Tensor) -> Result<DMatrix<f64>> {
        let row = self.row();
        if row == Row::Pixel && of.dims().get(..3) != Some(&self.values.dims()[..3]) {
            bail!("rows of shape {:?} do not fit masks of shape {:?}", of.dims(), self.values.dims());
        }
        let all = matrix(&row.flatten(of)?)?;
        Ok(match self.known_rows()? {
            Some(rows) => all.select_rows(&rows),
            None => all,
        })
    }

    /// The rows that have a label; none if all have.
    fn known_rows(&self) -> Result<Option<Vec<usize>>> {
        let Some(known) = &self.known else { return Ok(None) };
        let known = known.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
        Ok(Some((0..known.len()).filter(|&i| known[i] > 0.0).collect()))
    }

    /// The targets as numbers.
    pub fn matrix(&self) -> Result<DMatrix<f64>> {
        self.rows(&self.values)
    }

    /// Smoothed targets.
    pub fn smoothed(&self, smoothing: f64) -> Result<Self> {
        // What a row is smoothed towards is taken from all rows; what has no label is not one of them.
        let mut values = smooth(&self.matrix()?, smoothing);
        if let Some(rows) = self.known_rows()? {
            let smoothed = values;
            values = matrix(&self.row().flatten(&self.values)?)?;
            for (from, &to) in rows.iter().enumerate() {
                values.row_mut(to).copy_from(&smoothed.row(from));
            }
        }
        let values = tensor(&values, self.values.dtype(), self.values.device())?;
        Ok(Self { values: values.reshape(self.values.shape())?, known: self.known.clone() })
    }

    /// The residual R: what is left of the targets, y − f or y − softmax(f); 0 where there is no label.
    ///
    /// For both losses −r is the gradient of the loss of a row in its outputs, so that the residual is
    /// the energy that moves the features, as in the linear theory (T1).
    pub fn residual(&self, loss: Loss, outputs: &Tensor) -> Result<Tensor> {
        let residual = match loss {
            Loss::Squared => &self.values - outputs,
            Loss::CrossEntropy => &self.values - softmax(outputs)?,
        };
        match &self.known {
            Some(known) => residual?.broadcast_mul(known),
            None => residual,
        }
    }

    /// Something whose gradient is that of the mean loss of the rows: −⟨R, f⟩ / rows with the residual held fixed.
    ///
    /// It needs no derivative of the loss itself, and is the same for both losses.
    pub fn driver(&self, loss: Loss, outputs: &Tensor) -> Result<Tensor> {
        let residual = self.residual(loss, &outputs.detach())?;
        let rows = match &self.known {
            Some(known) => known.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?,
            None => (self.values.elem_count() / self.outputs()) as f64,
        };
        // Without a row the residual is 0, and so is the gradient.
        (outputs * residual)?.sum_all()? * (-1.0 / rows.max(1.0))
    }
}

fn softmax(outputs: &Tensor) -> Result<Tensor> {
    let shifted = outputs.broadcast_sub(&outputs.max_keepdim(D::Minus1)?)?;
    let powers = shifted.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};
    use taskhead::tasks::{normal, stream};

    fn random(shape: &[usize], purpose: u64) -> Tensor {
        let count: usize = shape.iter().product();
        let m = normal(&mut stream(1, purpose), 1, count, 1.0);
        tensor(&m, DType::F64, &Device::Cpu).unwrap().reshape(shape).unwrap()
    }

    /// The driver's gradient against that of the written-out losses.
    #[test]
    fn the_driver_has_the_gradient_of_the_mean_loss() {
        let outputs = Var::from_tensor(&random(&[3, 4], 1)).unwrap();
        let targets =
            Tensor::new(&[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.25; 4]], &Device::Cpu).unwrap();
        let f = outputs.as_tensor();
        let squared = ((&targets - f).unwrap().sqr().unwrap().sum_all().unwrap() / 6.0).unwrap();
        let normaliser = f.exp().unwrap().sum_keepdim(1).unwrap().log().unwrap();
        let entropy = (f.broadcast_sub(&normaliser).unwrap() * &targets).unwrap();
        let entropy = (entropy.sum_all().unwrap() * (-1.0 / 3.0)).unwrap();
        for (loss, written) in [(Loss::Squared, squared), (Loss::CrossEntropy, entropy)] {
            let gradient = |scalar: &Tensor| scalar.backward().unwrap().get(&outputs).unwrap().clone();
            let driver = Targets::from(targets.clone()).driver(loss, f).unwrap();
            let gap = (gradient(&driver) - gradient(&written)).unwrap().abs().unwrap();
            assert!(gap.max_all().unwrap().to_scalar::<f64>().unwrap() < 1e-14, "{loss:?}");
        }
    }

    /// Pixels without a label by hand: the loss, the rows and the gradient are those of the others alone, in every
    /// batch.
    #[test]
    fn pixels_without_a_label_have_no_part() {
        let known = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let mask = Tensor::new(&known, &Device::Cpu).unwrap().reshape((2, 2, 2, 1)).unwrap();
        let outputs = Var::from_tensor(&random(&[2, 2, 2, 3], 1)).unwrap();
        let one_hot = |i: u32| Tensor::new(&[0, 1, 2].map(|c| f64::from(c == i)), &Device::Cpu);
        let values: Vec<Tensor> = (0..8u32).map(|i| one_hot(i % 3).unwrap()).collect();
        // As data give them: all zero where there is no label.
        let zero = mask.reshape((8, 1)).unwrap();
        let values = Tensor::stack(&values, 0).unwrap().broadcast_mul(&zero).unwrap();
        let targets = Targets::of_pixels(values.reshape((2, 2, 2, 3)).unwrap(), Some(mask));
        let f = outputs.as_tensor();
        let index = Tensor::new(&[0u32, 2, 3, 7], &Device::Cpu).unwrap();
        let pick = |t: &Tensor| t.reshape((8, 3)).unwrap().index_select(&index, 0).unwrap();
        let alone = Targets::from(pick(&values));
        assert_eq!(targets.matrix().unwrap(), alone.matrix().unwrap());
        assert_eq!(targets.rows(f).unwrap(), matrix(&pick(f)).unwrap());
        for loss in [Loss::Squared, Loss::CrossEntropy] {
            let gradient = |t: Tensor| t.backward().unwrap().get(&outputs).unwrap().clone();
            let whole = gradient(targets.driver(loss, f).unwrap());
            let gap = (&whole - gradient(alone.driver(loss, &pick(f)).unwrap())).unwrap();
            assert!(gap.abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap() < 1e-14);
            // Of the second sample only the last pixel is left, and its loss is not divided by four.
            let second = Tensor::new(&[1u32], &Device::Cpu).unwrap();
            let part = targets.select(&second).unwrap();
            let part = gradient(part.driver(loss, &f.index_select(&second, 0).unwrap()).unwrap());
            let [part, whole] =
                [part, whole].map(|t| t.flatten_all().unwrap().to_vec1::<f64>().unwrap());
            assert!(part[..21].iter().all(|&g| g == 0.0));
            assert!(part[21..].iter().zip(&whole[21..]).all(|(p, w)| (p - 4.0 * w).abs() < 1e-15));
        }
        let smooth = targets.smoothed(0.3).unwrap().matrix().unwrap();
        assert!(
            (smooth[(0, 0)] - 0.8).abs() < 1e-15 && (smooth[(3, 0)] - 0.1).abs() < 1e-15,
            "{smooth}"
        );
        let error = targets.rows(&random(&[2, 1, 1, 3], 1)).unwrap_err().to_string();
        assert!(error.contains("rows of shape [2, 1, 1, 3] do not fit masks"), "{error}");
        // A batch in which nothing is labelled moves nothing.
        let none = Targets::of_pixels(
            random(&[1, 1, 1, 3], 2),
            Some(random(&[1, 1, 1, 1], 3).zeros_like().unwrap()),
        );
        let g = Var::from_tensor(&random(&[1, 1, 1, 3], 4)).unwrap();
        let driver = none.driver(Loss::CrossEntropy, &g).unwrap().backward().unwrap();
        assert_eq!(driver.get(&g).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap(), [0.0; 3]);
    }
}
