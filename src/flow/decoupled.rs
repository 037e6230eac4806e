//! Decoupled modes in closed form (T14): a flow that splits into rank-one flows.
//!
//! If there are orthonormal bases U of the samples and W of the outputs in which the kernel is diagonal
//! (κ_i), the targets are diagonal (y_i), and the features z_i = u_iᵀZ₀ and heads v_i = V₀w_i of
//! different modes are orthogonal, then every mode i obeys T7 with (κ_i, γ, y_i, z_i, v_i) alone, and squared
//! distances, dot products and squared norms add up.

use nalgebra::{DMatrix, DVector};

use super::rank_one::RankOne;
use super::{
    Budget, ClosedForm, Flow, FlowError, HYPOTHESIS_TOLERANCE, LOST, Moment, Saddle, SolvedBy, Stop,
    Violation, check_time,
};
use crate::linalg::{Eigen, Svd, null_threshold};
use crate::reduction::State;

/// A flow as a sum of rank-one flows.
#[derive(Debug, Clone)]
pub struct Decoupled {
    /// U, n×n, and W, k×k.
    samples: DMatrix<f64>,
    outputs: DMatrix<f64>,
    /// One rank-one flow for each of the first min(n, k) modes.
    modes: Vec<RankOne>,
    /// Kernel eigenvalue of each mode.
    kappa: DVector<f64>,
    lambda: DVector<f64>,
    /// The largest relative coupling of modes that was left out.
    coupling: f64,
    /// The sample of each mode, as reports name it.
    named: Vec<usize>,
    /// V₀W, p×k. Columns without a sample of their own have no residual and stay.
    heads: DMatrix<f64>,
}

const FORM: &str = "the decoupled closed form (T14)";

/// Mixtures of the matrices that are tried before a flow counts as not decoupled.
const MIXTURES: usize = 3;

impl Decoupled {
    /// The modes of a flow, if it has them.
    pub fn of_flow(flow: &Flow) -> Result<Self, FlowError> {
        super::needs_squared_loss(flow, FORM)?;
        // Two modes may by chance be nearly alike in one mixture of the matrices, not in the next.
        let mut least: Option<Violation> = None;
        for mixture in 0..MIXTURES {
            match Self::of_mixture(flow, mixture) {
                Err(FlowError::Violation(violation)) => {
                    if least.as_ref().is_none_or(|other| violation.size < other.size) {
                        least = Some(violation);
                    }
                }
                other => return other,
            }
        }
        Err(match least {
            Some(violation) => violation.into(),
            None => unreachable!("every mixture gives modes or what they miss"),
        })
    }

    fn of_mixture(flow: &Flow, mixture: usize) -> Result<Self, FlowError> {
        let reduction = flow.reduction();
        let (n, k) = (reduction.rows(), reduction.outputs());
        let (z, y, v) = (reduction.features(), reduction.targets(), &flow.start().head);
        let kernel = DMatrix::from_diagonal(reduction.lambda());
        // Hypotheses are about directions: they are judged by numbers whose squares are numbers.
        let [unit_z, unit_y, unit_v, unit_r] = [z, y, v, flow.residual()].map(of_size_one);
        let (samples, outputs) = bases(&kernel, &unit_z, &unit_y, &unit_v, mixture)?;

        let mut coupling: f64 = 0.0;
        let mut within = |hypothesis, measure, off: f64, all: f64| {
            let size = if off == 0.0 { 0.0 } else { off / all };
            coupling = coupling.max(size);
            Violation::unless(FORM, hypothesis, measure, size, 100.0 * HYPOTHESIS_TOLERANCE)
        };
        let kappa = samples.transpose() * &kernel * &samples;
        within(
            "a kernel that is diagonal in the modes",
            "the off-diagonal part of the kernel over its size",
            off_diagonal(&kappa),
            kappa.norm(),
        )?;
        let targets = samples.transpose() * unit_y * &outputs;
        within(
            "targets that are diagonal in the modes",
            "the off-diagonal part of the targets over their size",
            off_diagonal(&targets),
            targets.norm(),
        )?;
        let residual = samples.transpose() * unit_r * &outputs;
        within(
            "a residual that is diagonal in the modes",
            "the off-diagonal part of the residual over its size",
            off_diagonal(&residual),
            residual.norm(),
        )?;
        let (features, heads) = (samples.transpose() * unit_z, unit_v * &outputs);
        for (measure, gram, size) in [
            (
                "the overlap of features of different modes",
                &features * features.transpose(),
                features.norm_squared(),
            ),
            (
                "the overlap of heads of different modes",
                heads.transpose() * &heads,
                heads.norm_squared(),
            ),
            (
                "the overlap of features and heads of different modes",
                &features * &heads,
                features.norm() * heads.norm(),
            ),
        ] {
            within("modes with orthogonal feature subspaces", measure, off_diagonal(&gram), size)?;
        }

        let (features, heads) = (samples.transpose() * z, v * &outputs);
        let targets = samples.transpose() * y * &outputs;
        let residual = samples.transpose() * flow.residual() * &outputs;
        let paired = n.min(k);
        // What rounding leaves of a mode that is zero, and the couplings that are left out.
        let rounding = null_threshold(n + z.ncols());
        let part = |size: f64, rate: f64| if rate > 0.0 { size / rate.sqrt() } else { 0.0 };
        let noise = |kappa: f64| part(z.norm(), kappa) + part(v.norm(), flow.head_rate());
        let zero = rounding * targets.amax();
        let target = |i: usize| if targets[(i, i)].abs() > zero { targets[(i, i)] } else { 0.0 };
        let modes = (0..paired)
            .map(|i| {
                let kappa = kappa[(i, i)].max(0.0);
                let mode = RankOne::with_residual(
                    kappa,
                    flow.head_rate(),
                    target(i),
                    features.row(i).transpose(),
                    heads.column(i).into_owned(),
                    residual[(i, i)],
                )?;
                Ok(mode.with_noise(rounding * noise(kappa), coupling * noise(kappa)))
            })
            .collect::<Result<_, FlowError>>()?;
        let named = (0..paired).map(|i| reduction.sample_moved_most(&samples.column(i))).collect();
        Ok(Self {
            named,
            coupling: if coupling > rounding { coupling } else { 0.0 },
            samples,
            outputs,
            modes,
            kappa: kappa.diagonal(),
            lambda: reduction.lambda().clone(),
            heads,
        })
    }

    /// The rank-one flows of the modes.
    pub fn modes(&self) -> &[RankOne] {
        &self.modes
    }
}

impl ClosedForm for Decoupled {
    fn solved_by(&self) -> SolvedBy {
        SolvedBy::Decoupled
    }

    fn left_out(&self) -> f64 {
        self.coupling.max(f64::EPSILON)
    }

    fn moment(&self, t: f64) -> Result<Moment, FlowError> {
        check_time(t)?;
        let mut budget = Budget::default();
        let mut residual = DMatrix::zeros(self.samples.nrows(), self.outputs.nrows());
        let (mut error, mut size, mut worst) = (0.0f64, 0.0f64, (0.0, 0));
        let mut moved = DMatrix::zeros(self.samples.nrows(), self.heads.nrows());
        let mut heads = self.heads.clone();
        for (i, mode) in self.modes.iter().enumerate() {
            let point = mode.at(t)?;
            let (wrong, long) = mode.uncertainty(t)?;
            (error, size) = (error.hypot(wrong), size.hypot(long));
            worst = if wrong > worst.0 { (wrong, i) } else { worst };
            // D in the modes: displacement / √κ.
            if self.kappa[i] > 0.0 {
                moved.set_row(i, &(point.displacement.transpose() / self.kappa[i].sqrt()));
            }
            heads.set_column(i, &point.head);
            residual[(i, i)] = point.residual;
            budget.backbone += point.budget.backbone;
            budget.head += point.budget.head;
        }
        // The kernel is the same matrix in both bases, so D turns with U.
        let mut motion = &self.samples * moved;
        for (i, mut row) in motion.row_iter_mut().enumerate() {
            if self.lambda[i] == 0.0 {
                row.fill(0.0);
            }
        }
        let state = State { motion, head: heads * self.outputs.transpose() };
        let residual = &self.samples * residual * self.outputs.transpose();
        let stop = if error > LOST * size {
            let (mode, rest) = (worst.1, size);
            let (growth, along) = self.modes[mode].escape();
            let output = self.outputs.column(mode).iamax();
            let sample = self.named[mode];
            Stop::Saddle(Saddle { time: t, growth, size: along / rest, sample, output })
        } else {
            Stop::Exact
        };
        let error = Some(if error == 0.0 { 0.0 } else { error / size });
        Ok(Moment { time: t, state, residual, budget: Some(budget), error, stop })
    }
}

/// A matrix over its largest entry; one of zeros as it is.
fn of_size_one(a: &DMatrix<f64>) -> DMatrix<f64> {
    let size = a.amax();
    // Not by the reciprocal, which may not be a number.
    if size > 0.0 { a / size } else { a.clone() }
}

fn off_diagonal(a: &DMatrix<f64>) -> f64 {
    let mut sum = 0.0;
    for r in 0..a.nrows() {
        for c in (0..a.ncols()).filter(|&c| c != r) {
            sum += a[(r, c)] * a[(r, c)];
        }
    }
    sum.sqrt()
}

/// Orthonormal bases U (n×n) and W (k×k) that diagonalise K, Y, Z₀Z₀ᵀ, V₀ᵀV₀ and Z₀V₀ together, if any do.
///
/// If such bases exist, every matrix below commutes with every other, and the eigenvectors of a sum
/// with unrelated weights separate all modes that differ in any number. What is left are modes that
/// agree in all of them, for which any basis does as long as W follows U: that is how W is made.
fn bases(
    kernel: &DMatrix<f64>,
    z: &DMatrix<f64>,
    y: &DMatrix<f64>,
    v: &DMatrix<f64>,
    mixture: usize,
) -> Result<(DMatrix<f64>, DMatrix<f64>), FlowError> {
    let prediction = z * v;
    // Couplings between samples and outputs, each n×k.
    let cross = mix(mixture, [y.clone(), prediction.clone()]);
    let on_samples = mix(
        mixture,
        [
            kernel.clone(),
            z * z.transpose(),
            y * y.transpose(),
            &prediction * prediction.transpose(),
            y * prediction.transpose() + &prediction * y.transpose(),
            y * v.tr_mul(v) * y.transpose(),
        ],
    );
    let samples = Eigen::new(&on_samples)?.q;
    let on_outputs = mix(
        mixture,
        [
            v.tr_mul(v),
            y.tr_mul(y),
            prediction.tr_mul(&prediction),
            y.tr_mul(&(kernel * y)),
            y.tr_mul(&(z * z.tr_mul(y))),
        ],
    );
    // Columns CᵀU are w_i times a number: keep the clear ones, fill up with eigenvectors on the outputs.
    let images = cross.tr_mul(&samples);
    let (n, k) = (samples.nrows(), y.ncols());
    let clear = 1e-8 * cross.norm();
    let mut order: Vec<usize> = (0..n).filter(|&i| images.column(i).norm() > clear).collect();
    order.sort_by(|&i, &j| images.column(j).norm().total_cmp(&images.column(i).norm()));
    order.truncate(k);
    let paired = order.len();
    let rest: Vec<usize> = (0..n).filter(|i| !order.contains(i)).collect();
    order.extend(rest);
    let samples = DMatrix::from_fn(n, n, |r, c| samples[(r, order[c])]);
    let mut outputs = DMatrix::zeros(k, k);
    for (i, &column) in order.iter().enumerate().take(paired) {
        outputs.set_column(i, &images.column(column).normalize());
    }
    if paired < k {
        let known = outputs.columns(0, paired).into_owned();
        let free = DMatrix::identity(k, k) - &known * known.transpose();
        // An orthonormal basis of the complement that diagonalises what lives there.
        let complement = Svd::new(&free)?.u.columns(0, k - paired).into_owned();
        let inside = complement.transpose() * on_outputs * &complement;
        outputs.columns_mut(paired, k - paired).copy_from(&(complement * Eigen::new(&inside)?.q));
    }
    Ok((samples, outputs))
}

/// A sum of matrices, each scaled to size 1, with unrelated weights, others for each mixture.
fn mix<const M: usize>(mixture: usize, matrices: [DMatrix<f64>; M]) -> DMatrix<f64> {
    let mut sum = DMatrix::zeros(matrices[0].nrows(), matrices[0].ncols());
    for (i, matrix) in matrices.iter().enumerate() {
        let size = matrix.norm();
        if size > 0.0 {
            let number = (2 + i + 7 * mixture) as f64;
            sum += matrix * (number.sqrt().fract() + 0.3) / size;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::solver::{Options, solve};
    use crate::linalg::{spanning_basis, wobble};
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    /// Modes with the given (κ, y, |z|, a, w) in random bases, width 2 per mode.
    fn modes(values: &[(f64, f64, f64, f64, f64)], k: usize) -> (Problem, DMatrix<f64>) {
        let n = values.len();
        let (u, w) = (spanning_basis(wobble(n, n, 1.0)), spanning_basis(wobble(k, k, 2.0)));
        let h = 2 * n.max(k);
        let q = spanning_basis(wobble(h, h, 3.0));
        let mut z = DMatrix::zeros(n, h);
        let mut v = DMatrix::zeros(h, k);
        let mut y = DMatrix::zeros(n, k);
        let mut kernel = DMatrix::zeros(n, n);
        for (i, &(kappa, target, size, along, across)) in values.iter().enumerate() {
            z.set_row(i, &(q.column(2 * i).transpose() * size));
            kernel[(i, i)] = kappa;
            if i < k {
                y[(i, i)] = target;
                v.set_column(i, &(q.column(2 * i) * along + q.column(2 * i + 1) * across));
            }
        }
        let kernel = &u * kernel * u.transpose();
        let problem = Problem::new(&u * z, kernel, &u * y * w.transpose()).unwrap();
        (problem, v * w.transpose())
    }

    fn agrees_with_the_solver(problem: &Problem, head: &DMatrix<f64>, head_rate: f64) {
        let reduction = Reduction::new(problem, head).unwrap();
        let flow = Flow::new(&reduction, head, head_rate).unwrap();
        let form = Decoupled::of_flow(&flow).unwrap();
        for t in [0.3, 3.0] {
            let Moment { state: exact, budget: spent, .. } = form.moment(t).unwrap();
            let end = solve(&flow, t, &Options::default()).unwrap().end;
            assert!((&exact.motion - end.state.motion).norm() < 1e-8);
            assert!((&exact.head - end.state.head).norm() < 1e-8);
            let (spent, wanted) = (spent.unwrap(), end.budget.unwrap());
            assert!((spent.backbone - wanted.backbone).abs() < 1e-8);
        }
    }

    #[test]
    fn different_modes_are_found_in_any_basis() {
        let (problem, head) = modes(
            &[(1.0, 2.0, 1.0, 0.3, 0.4), (0.5, -1.0, 0.7, 0.2, 0.0), (2.0, 0.4, 1.1, -0.5, 1.0)],
            3,
        );
        agrees_with_the_solver(&problem, &head, 0.7);
    }

    #[test]
    fn equal_modes_and_modes_without_partner_are_found() {
        let equal = (1.0, 2.0, 1.0, 0.3, 0.4);
        let (problem, head) = modes(&[equal, equal, (1.0, 0.0, 0.5, 0.0, 0.2)], 3);
        agrees_with_the_solver(&problem, &head, 1.0);
        let (problem, head) = modes(&[equal, (1.0, 0.0, 0.5, 0.0, 0.0), equal], 1);
        agrees_with_the_solver(&problem, &head, 1.0);
        let (problem, head) = modes(&[equal], 3);
        agrees_with_the_solver(&problem, &head, 1.0);
    }

    #[test]
    fn coupled_modes_are_refused_with_the_overlap() {
        let problem =
            Problem::linear(&wobble(3, 5, 0.0), &wobble(4, 5, 1.0), wobble(3, 2, 2.0)).unwrap();
        let head = wobble(4, 2, 3.0);
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 1.0).unwrap();
        assert!(matches!(Decoupled::of_flow(&flow), Err(FlowError::Violation(v)) if v.size > 1e-3));
    }
}
