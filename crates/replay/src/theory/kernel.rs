//! Tangent kernels of a network's features, formed or applied by products with the Jacobian.
//!
//! With the features of N samples in rows (N×h) and a matrix M of that shape, the full kernel is the map M ↦ J(Jᵀ M):
//! one pass back and one forward, which need no memory beyond those of training. Its diagonal blocks are N×N matrices,
//! formed from the gradients of single features: K_j = (⟨∂z_j(x_n)/∂θ, ∂z_j(x_m)/∂θ⟩)_nm.
//!
//! Batch normalisation is that of all training samples. The full kernel lets its statistics move with the weights, as
//! they do in training; the diagonal blocks hold them fixed.

use candle_core::{DType, Device, Tensor};
use nalgebra::DMatrix;

use crate::config;
use crate::error::ReplayError;
use crate::network::{Stack, gram, matrix, tensor};

/// Kernels are of double precision, on the CPU: what is small in them counts.
const PLACE: (DType, &Device) = (DType::F64, &Device::Cpu);

/// A kernel of the features of N samples.
pub(super) enum Kernel {
    /// N×N, for every feature direction.
    Mean(DMatrix<f64>),
    /// N×N, one for each feature direction.
    Directions(Vec<DMatrix<f64>>),
    /// Nh×Nh, by its products.
    Full(Box<Linearised>),
}

impl Kernel {
    /// Those that are asked for.
    ///
    /// # Errors
    ///
    /// A layer without a way back.
    pub fn of(
        stack: &Stack,
        inputs: &Tensor,
        wanted: &[config::Kernel],
    ) -> Result<Vec<Self>, ReplayError> {
        let blocks = if wanted.iter().all(|kind| *kind == config::Kernel::Full) {
            Vec::new()
        } else {
            blocks(stack, inputs)?
        };
        let mean = || blocks.iter().sum::<DMatrix<f64>>() / blocks.len() as f64;
        let one = |kind: &config::Kernel| {
            Ok(match kind {
                config::Kernel::Mean => Self::Mean(mean()),
                config::Kernel::Directions => Self::Directions(blocks.clone()),
                config::Kernel::Full => Self::Full(Box::new(Linearised::new(stack, inputs)?)),
            })
        };
        wanted.iter().map(one).collect()
    }

    /// The kernel times a matrix with a row for each sample and a column for each feature direction.
    pub fn times(&self, of: &DMatrix<f64>) -> Result<DMatrix<f64>, ReplayError> {
        match self {
            Self::Mean(kernel) => Ok(kernel * of),
            Self::Directions(kernels) => {
                let mut all = DMatrix::zeros(of.nrows(), of.ncols());
                for (j, kernel) in kernels.iter().enumerate() {
                    all.column_mut(j).gemv(1.0, kernel, &of.column(j), 0.0);
                }
                Ok(all)
            }
            Self::Full(linearised) => linearised.times(of),
        }
    }
}

/// The diagonal blocks of the kernel.
fn blocks(stack: &Stack, inputs: &Tensor) -> Result<Vec<DMatrix<f64>>, ReplayError> {
    let (stack, inputs) =
        (stack.fork_to(PLACE.0, PLACE.1)?, inputs.to_dtype(PLACE.0)?.to_device(PLACE.1)?);
    let samples = inputs.dim(0)?;
    let variables = stack.variables("backbone");
    let features: Vec<Tensor> = (0..samples)
        .map(|n| stack.forward(&inputs.narrow(0, n, 1)?)?.flatten_all())
        .collect::<candle_core::Result<_>>()?;
    let width = features[0].elem_count();
    let block = |j: usize| {
        // One row per sample.
        let mut gradients: Vec<f64> = Vec::new();
        for z in &features {
            let all = z.get(j)?.backward()?;
            for (name, variable) in &variables {
                let gradient =
                    all.get(variable).ok_or_else(|| ReplayError::NoGradient { name: name.clone() })?;
                gradients.extend(gradient.flatten_all()?.to_vec1::<f64>()?);
            }
        }
        Ok(gram(&gradients, samples))
    };
    (0..width).map(block).collect()
}

/// A network's features as a linear function of its weights, around those that it has.
pub(super) struct Linearised {
    stack: Stack,
    inputs: Tensor,
    /// With their way back.
    features: Tensor,
}

impl Linearised {
    /// That of a network at its present weights.
    pub fn new(stack: &Stack, inputs: &Tensor) -> Result<Self, ReplayError> {
        let stack = stack.fork_to(PLACE.0, PLACE.1)?;
        let inputs = inputs.to_dtype(PLACE.0)?.to_device(PLACE.1)?;
        let features = stack.forward_batch(&inputs)?;
        Ok(Self { stack, inputs, features })
    }

    /// J(Jᵀ M).
    pub fn times(&self, of: &DMatrix<f64>) -> Result<DMatrix<f64>, ReplayError> {
        let of = tensor(of, PLACE.0, PLACE.1)?.reshape(self.features.shape())?;
        let gradients = (&self.features * of)?.sum_all()?.backward()?;
        for (name, variable) in self.stack.variables("backbone") {
            if gradients.get(&variable).is_none() {
                return Err(ReplayError::NoGradient { name });
            }
        }
        Ok(matrix(&self.stack.push(&self.inputs, &gradients)?.flatten_from(1)?)?)
    }
}
