//! Plain integration of the equations as they are written, which shares nothing with the engine: no kernel, no
//! reduction, no error control.

use nalgebra::DMatrix;

/// Matrices that move together: a head, or a backbone and a head.
pub type Moving<const M: usize> = [DMatrix<f64>; M];

/// Classical Runge–Kutta of order 4 over a time t in equal steps.
pub fn runge_kutta<const M: usize>(
    start: Moving<M>,
    t: f64,
    steps: usize,
    velocity: impl Fn(&Moving<M>) -> Moving<M>,
) -> Moving<M> {
    let step = t / steps as f64;
    let shifted = |from: &Moving<M>, by: &Moving<M>, factor: f64| -> Moving<M> {
        std::array::from_fn(|i| &from[i] + &by[i] * factor)
    };
    let mut here = start;
    for _ in 0..steps {
        let a = velocity(&here);
        let b = velocity(&shifted(&here, &a, step / 2.0));
        let c = velocity(&shifted(&here, &b, step / 2.0));
        let d = velocity(&shifted(&here, &c, step));
        for (i, moved) in here.iter_mut().enumerate() {
            *moved += (&a[i] + &b[i] * 2.0 + &c[i] * 2.0 + &d[i]) * (step / 6.0);
        }
    }
    here
}

/// The same with the leading error term of two step sizes taken away.
pub fn extrapolated<const M: usize>(
    start: Moving<M>,
    t: f64,
    steps: usize,
    velocity: impl Fn(&Moving<M>) -> Moving<M>,
) -> Moving<M> {
    let one = runge_kutta(start.clone(), t, steps, &velocity);
    let two = runge_kutta(start, t, 2 * steps, &velocity);
    std::array::from_fn(|i| &two[i] + (&two[i] - &one[i]) / 15.0)
}

/// The velocity of backbone B (h×d) and head V (h×k) of the linear model with inputs X (N×d), where `residual` makes R
/// of the predictions, N×k.
pub fn velocity(
    [b, v]: &Moving<2>,
    inputs: &DMatrix<f64>,
    head_rate: f64,
    residual: impl Fn(DMatrix<f64>) -> DMatrix<f64>,
) -> Moving<2> {
    let z = inputs * b.transpose();
    let r = residual(&z * v);
    [v * r.transpose() * inputs, z.transpose() * r * head_rate]
}

/// Y − softmax(F) by rows; with one output, the logistic function.
pub fn softmax_residual(targets: &DMatrix<f64>, mut predictions: DMatrix<f64>) -> DMatrix<f64> {
    for mut row in predictions.row_iter_mut() {
        if row.len() == 1 {
            row[0] = 1.0 / (1.0 + (-row[0]).exp());
        } else {
            let most = row.max();
            row.apply(|x| *x = (*x - most).exp());
            row /= row.sum();
        }
    }
    targets - predictions
}
