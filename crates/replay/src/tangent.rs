//! Theory over network: the engine's flow from a network's features, tangent kernel and probed head.
//!
//! The theory has one kernel for all feature directions. A network has a matrix of kernels, one for each pair
//! of directions; their mean over the diagonal is taken: K_nm = (1/h) Σ_j ⟨∂z_j(x_n)/∂θ, ∂z_j(x_m)/∂θ⟩, estimated
//! from gradients of random directions u·z with |u|² = h. For a linear layer it is X Xᵀ, exactly.
//!
//! A step of size η with momentum μ on the mean loss of N samples counts as a time of η / ((1 − μ) N).
//! With cross-entropy the targets are set so that the residual is e_y − softmax(f) at the start; after that
//! the theory's residual follows the squared loss.

use candle_core::Tensor;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;

use super::error::ReplayError;
use super::network::{Stack, matrix, tensor};
use taskhead::problem::{KERNEL_TOLERANCE_F32, Problem};
use taskhead::simulation::{Probe, Run, Settings, Simulation};
use taskhead::tasks::stream;

/// Purpose of the random stream of the directions.
const DIRECTIONS: u64 = 141;

/// The mean tangent kernel (N×N) of layers, estimated from a number of random directions.
pub(super) fn kernel(
    stack: &Stack,
    inputs: &Tensor,
    directions: usize,
    seed: u64,
) -> Result<DMatrix<f64>, ReplayError> {
    let samples = inputs.dim(0)?;
    let mut rng = stream(seed, DIRECTIONS);
    let mut sum = DMatrix::zeros(samples, samples);
    let variables = stack.variables("backbone");
    let width: usize = stack.forward(&inputs.narrow(0, 0, 1)?)?.elem_count();
    for _ in 0..directions {
        let mut u = DMatrix::from_fn(width, 1, |_, _| rng.sample::<f64, _>(StandardNormal));
        u *= (width as f64).sqrt() / u.norm();
        let u = tensor(&u, inputs.dtype(), inputs.device())?;
        // One column a sample.
        let mut gradients: Vec<f64> = Vec::new();
        for n in 0..samples {
            let features = stack.forward(&inputs.narrow(0, n, 1)?)?.flatten_from(1)?;
            let all = features.matmul(&u)?.sum_all()?.backward()?;
            for (name, variable) in &variables {
                let gradient =
                    all.get(variable).ok_or_else(|| ReplayError::NoGradient { name: name.clone() })?;
                gradients.extend(matrix(&gradient.flatten_all()?.unsqueeze(0)?)?.iter());
            }
        }
        let gradients = DMatrix::from_vec(gradients.len() / samples, samples, gradients);
        sum += gradients.tr_mul(&gradients);
    }
    Ok(sum / (directions * width) as f64)
}

/// The engine's finetuning of features from a probed head with learning-rate ratio γ, at the given times of the flow.
pub(super) fn finetune(
    features: DMatrix<f64>,
    kernel: &DMatrix<f64>,
    head: &DMatrix<f64>,
    residual: &DMatrix<f64>,
    head_rate: f64,
    times: &[f64],
) -> Result<Vec<Simulation>, ReplayError> {
    let unfit = |reason: String| ReplayError::Unfit(format!("the theory cannot be run: {reason}"));
    let targets = &features * head + residual;
    let problem = Problem::with_tolerance(features, kernel.clone(), targets, KERNEL_TOLERANCE_F32)
        .map_err(|e| unfit(e.to_string()))?;
    let run = Run::new(&problem, head, 0.0).map_err(|e| unfit(e.to_string()))?;
    let settings = Settings { head_rate, rtol: THEORY_RTOL, ..Settings::default() };
    run.finetune(Probe::Time(0.0), times, &settings).map_err(|e| unfit(e.to_string()))
}

/// Far more exact than a network can be compared.
const THEORY_RTOL: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::network::Plan;
    use crate::train::Descent;
    use taskhead::tasks::normal;

    /// With one feature there is one direction: a small step moves it by the kernel.
    #[test]
    fn a_small_step_moves_a_single_feature_by_the_kernel() {
        let place = (DType::F64, &Device::Cpu);
        let plans = [Plan::Conv { channels: 3, pool: true }, Plan::Linear { width: 1 }];
        let (stack, _) = Stack::new(&plans, &[4, 4, 1], &mut stream(2, 1), place).unwrap();
        let x = tensor(&normal(&mut stream(2, 2), 5, 16, 1.0), place.0, place.1).unwrap();
        let x = x.reshape((5, 4, 4, 1)).unwrap();
        let kernel = kernel(&stack, &x, 1, 0).unwrap();
        let push = normal(&mut stream(2, 3), 5, 1, 1.0);
        let step = 1e-6;
        let before = stack.forward(&x).unwrap().detach();
        let drive = (stack.forward(&x).unwrap() * tensor(&-&push, place.0, place.1).unwrap()).unwrap();
        Descent::new(0.0).with(stack.variables("all"), step).step(&drive.sum_all().unwrap()).unwrap();
        let moved = matrix(&(stack.forward(&x).unwrap() - before).unwrap()).unwrap() / step;
        let expected = &kernel * &push;
        assert!((moved - &expected).norm() < 1e-4 * expected.norm());
    }

    /// The mean over feature directions, against all of them one by one.
    #[test]
    fn random_directions_have_the_mean_kernel() {
        let place = (DType::F64, &Device::Cpu);
        let (stack, _) =
            Stack::new(&[Plan::Dense { width: 6 }], &[3], &mut stream(4, 1), place).unwrap();
        let x = tensor(&normal(&mut stream(4, 2), 4, 3, 1.0), place.0, place.1).unwrap();
        // z_j = max(0, w_j·x + b_j): its gradients are (x, 1) where it is above 0.
        let active = matrix(&stack.forward(&x).unwrap()).unwrap().map(|z| f64::from(u8::from(z > 0.0)));
        let inputs = matrix(&x).unwrap();
        let exact = (&inputs * inputs.transpose())
            .add_scalar(1.0)
            .component_mul(&(&active * active.transpose()))
            / 6.0;
        let found = kernel(&stack, &x, 4000, 1).unwrap();
        assert!((&found - &exact).norm() < 0.05 * exact.norm(), "{found}{exact}");
    }
}
