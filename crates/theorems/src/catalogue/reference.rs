//! An independent integration: a library's DOP853 on the defining equations, in full width.
//!
//! Nothing here knows of reductions, closed forms or tangent kernels.

use differential_equations::prelude::*;
use nalgebra::{DMatrix, DVector};

use super::instance::{Instance, Linear};

/// Relative tolerance of the integration; what it achieves is near 1e-12.
const TOLERANCE: f64 = 1e-13;

/// A list of matrices as one vector, and back.
fn pack(parts: &[DMatrix<f64>]) -> DVector<f64> {
    DVector::from_iterator(
        parts.iter().map(DMatrix::len).sum(),
        parts.iter().flat_map(|m| m.iter().copied()),
    )
}

fn unpack(shapes: &[(usize, usize)], values: &DVector<f64>) -> Vec<DMatrix<f64>> {
    let mut at = 0;
    shapes
        .iter()
        .map(|&(rows, columns)| {
            let part = &values.as_slice()[at..at + rows * columns];
            at += rows * columns;
            DMatrix::from_column_slice(rows, columns, part)
        })
        .collect()
}

struct Matrices<F> {
    shapes: Vec<(usize, usize)>,
    velocity: F,
}

impl<F: Fn(&[DMatrix<f64>]) -> Vec<DMatrix<f64>>> ODE<f64, DVector<f64>> for Matrices<F> {
    fn diff(&self, _t: f64, y: &DVector<f64>, dydt: &mut DVector<f64>) {
        dydt.copy_from(&pack(&(self.velocity)(&unpack(&self.shapes, y))));
    }
}

/// The solution at time t of Ẋ = velocity(X) for a list of matrices.
pub fn integrate(
    start: &[DMatrix<f64>],
    velocity: impl Fn(&[DMatrix<f64>]) -> Vec<DMatrix<f64>>,
    t: f64,
) -> Result<Vec<DMatrix<f64>>, String> {
    if t == 0.0 {
        return Ok(start.to_vec());
    }
    let shapes: Vec<_> = start.iter().map(DMatrix::shape).collect();
    let system = Matrices { shapes: shapes.clone(), velocity };
    let first = pack(start);
    let size = first.norm().max(f64::MIN_POSITIVE);
    let method =
        ExplicitRungeKutta::dop853().rtol(TOLERANCE).atol(TOLERANCE * size).max_steps(1_000_000);
    let solution = IVP::ode(&system, 0.0, t, first)
        .method(method)
        .solve()
        .map_err(|error| format!("the reference integration failed: {error:?}"))?;
    match (solution.t.last(), solution.y.last()) {
        // The last step may end a rounding error before t.
        (Some(&last), Some(end)) if (t - last).abs() <= 4.0 * f64::EPSILON * t => {
            Ok(unpack(&shapes, end))
        }
        (last, _) => Err(format!("the reference integration ended at {last:?} before t = {t}")),
    }
}

/// (Z, V) at the time of an instance, by Ż = K R Vᵀ, V̇ = γ ZᵀR.
pub fn features_and_head(instance: &Instance) -> Result<(DMatrix<f64>, DMatrix<f64>), String> {
    let Instance { features, kernel, targets, head, head_rate, time, .. } = instance;
    let velocity = |parts: &[DMatrix<f64>]| {
        let (z, v) = (&parts[0], &parts[1]);
        let r = targets - z * v;
        vec![kernel * &r * v.transpose(), z.transpose() * r * *head_rate]
    };
    let end = integrate(&[features.clone(), head.clone()], velocity, *time)?;
    let [z, v] = <[_; 2]>::try_from(end).expect("two matrices went in");
    Ok((z, v))
}

/// (B, V) of a linear model at its time, by Ḃ = V RᵀX − decay·B, V̇ = γ ZᵀR − γ decay·V.
pub fn backbone_and_head(model: &Linear, decay: f64) -> Result<(DMatrix<f64>, DMatrix<f64>), String> {
    let Linear { inputs, backbone, targets, head, head_rate, time } = model;
    let velocity = |parts: &[DMatrix<f64>]| {
        let (b, v) = (&parts[0], &parts[1]);
        let z = inputs * b.transpose();
        let r = targets - &z * v;
        vec![v * r.transpose() * inputs - b * decay, (z.transpose() * r - v * decay) * *head_rate]
    };
    let end = integrate(&[backbone.clone(), head.clone()], velocity, *time)?;
    let [b, v] = <[_; 2]>::try_from(end).expect("two matrices went in");
    Ok((b, v))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    #[test]
    fn a_rotation_and_a_decay_are_exact() {
        let turn = dmatrix![0.0, -1.0; 1.0, 0.0];
        let start = [dmatrix![1.0; 0.0], dmatrix![2.0]];
        let end = integrate(&start, |x| vec![&turn * &x[0], -&x[1]], 3.0).unwrap();
        assert!((&end[0] - dmatrix![3f64.cos(); 3f64.sin()]).norm() < 1e-12);
        assert!((end[1][0] - 2.0 * (-3f64).exp()).abs() < 1e-12);
    }
}
