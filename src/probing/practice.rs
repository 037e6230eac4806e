//! Probing as it is done in practice, on the scale of the probing time τ: steps of gradient descent, and a penalty on
//! the head.
//!
//! *Gradient descent* with step η on the loss summed over the samples, V ← V + ηZᵀR, follows the flow with τ = η ·
//! steps, to the first order in η. (A framework that averages the loss over N samples steps by η/N.)
//!
//! *A penalty*: the head that minimises ½‖V‖² + C·L(ZV), as scikit-learn's `LogisticRegression(C=…,
//! fit_intercept=False)` does for cross-entropy. From a zero head and for small C it is V = C·ZᵀR, so that τ ≈ C;
//! further on it is another path with the same ends (Suggala, Prasad and Ravikumar, NeurIPS 2018), and the time of a
//! penalty is the one with the same training loss.
//!
//! Each comes with how far the head is from that of the flow.

use nalgebra::DMatrix;

use super::curvature::Curvature;
use super::modes::Convex;
use super::root::{Side, root};
use super::{ProbingError, ProbingPath};
use crate::loss::Loss;
use crate::problem::{Problem, ProblemError};
use crate::product::{Factor, Multiplier, product};
use crate::setting::Setting;

/// A head that was probed in another way than by the flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Matched {
    /// The head, h×k.
    pub head: DMatrix<f64>,
    /// The probing time τ that it stands for.
    pub time: f64,
    /// ‖V − V(τ)‖ over ‖V(τ)‖: the accuracy of the map.
    pub error: f64,
}

/// Mini-batch gradient descent on the mean loss of a batch, as frameworks run it.
///
/// A step of rate η on the mean of b samples goes η/N along the flow of the summed loss, on average, so that an epoch
/// of N/b steps takes τ = η/b; momentum m makes that η/(b(1−m)).
///
/// ```
/// use taskhead::probing::practice::Optimiser;
///
/// let sgd = Optimiser { rate: 0.1, batch: 50, momentum: 0.9 };
/// assert!((sgd.epochs(2.0) - 100.0).abs() < 1e-10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optimiser {
    /// Learning rate η.
    pub rate: f64,
    /// Samples in a batch, b.
    pub batch: usize,
    /// Momentum, from 0 to below 1.
    pub momentum: f64,
}

impl Optimiser {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// The first that is not accepted.
    pub fn check(&self) -> Result<(), Setting> {
        let rate = |v: f64| v > 0.0 && v.is_finite();
        Setting::check("learning rate", self.rate, rate, "a finite number above 0")?;
        Setting::check("batch", self.batch as f64, |v| v >= 1.0, "at least 1")?;
        Setting::check("momentum", self.momentum, |v| (0.0..1.0).contains(&v), "from 0 to below 1")
    }

    /// The epochs that take as long as a probing time.
    pub fn epochs(&self, time: f64) -> f64 {
        time * self.batch as f64 * (1.0 - self.momentum) / self.rate
    }

    /// The largest learning rate that is stable on these features with all samples in one batch: 2(1+m)N/(s₁²c) with
    /// the largest singular value s₁ and the largest curvature c of the loss. Smaller batches need smaller rates.
    ///
    /// # Errors
    ///
    /// A decomposition of the features that fails.
    pub fn stable_rate(&self, problem: &Problem, loss: Loss) -> Result<f64, ProbingError> {
        let factors = problem.factors().map_err(ProblemError::from)?;
        let curvature = factors.s.amax().powi(2) * loss.steepest(problem.outputs());
        Ok(2.0 * (1.0 + self.momentum) * problem.samples() as f64 / curvature)
    }
}

/// Newton steps for a penalised head, and conjugate gradients in each.
const STEPS: usize = 100;
const GRADIENTS: usize = 2000;

impl Matched {
    fn new(path: &ProbingPath, head: DMatrix<f64>, time: f64) -> Result<Self, ProbingError> {
        let flow = path.head(time)?;
        let error = (&head - &flow).norm() / flow.norm().max(f64::MIN_POSITIVE);
        Ok(Self { head, time, error })
    }
}

/// The head after `steps` steps of gradient descent with step η from the start of a path, towards its targets.
///
/// # Errors
///
/// A step that is not a finite number above 0, or so large that descent is not stable (2 over the largest curvature,
/// s₁² times that of the loss).
pub fn descend(
    problem: &Problem,
    path: &ProbingPath,
    loss: Loss,
    step: f64,
    steps: usize,
) -> Result<Matched, ProbingError> {
    let factors = problem.factors().map_err(ProblemError::from)?;
    let steepest =
        factors.s.iter().fold(0.0, |a: f64, &s| a.max(s)).powi(2) * loss.steepest(problem.outputs());
    let stable = |step: f64| step > 0.0 && step.is_finite() && step * steepest < 2.0;
    let accepted = "a number above 0, and below 2 over the largest curvature of the loss in the head";
    Setting::check("step of gradient descent", step, stable, accepted)?;
    let mut head = path.head(0.0)?;
    let features = problem.features();
    for _ in 0..steps {
        let residual = loss.residual(path.targets(), &product(features, &head));
        head += product(Factor::from(features).t(), &residual) * step;
    }
    Matched::new(path, head, step * steps as f64)
}

/// The head that minimises ½‖V‖² + C·L(ZV) for the targets of a path, with the probing time that has the same training
/// loss: 0 if the loss of the path is below it from the start.
///
/// # Errors
///
/// A strength C that is not a finite number above 0; a path that never comes down to that loss.
pub fn penalised(
    problem: &Problem,
    path: &ProbingPath,
    loss: Loss,
    strength: f64,
) -> Result<Matched, ProbingError> {
    let accepted = "a finite number above 0";
    Setting::check("strength C", strength, |c| c > 0.0 && c.is_finite(), accepted)?;
    let (head, wanted) = minimise(problem, path.targets(), loss, strength)?;
    let targets = path.targets();
    let loss_at = |tau: f64| -> Result<f64, ProbingError> {
        Ok(loss.value(targets, &product(problem.features(), &path.head(tau)?)))
    };
    let time = time_of_loss(loss_at, strength, wanted)?;
    Matched::new(path, head, time)
}

/// The strength C at which the penalised head has a training loss, summed over the samples, within 1e-4 of it; none
/// where the loss is that of a zero head or more, or less than any strength up to 1e15 reaches.
///
/// # Errors
///
/// A decomposition of the features that fails.
pub fn strength_of_loss(problem: &Problem, loss: Loss, level: f64) -> Result<Option<f64>, ProbingError> {
    let targets = loss.targets(problem.targets()).map_err(ProblemError::from)?;
    let loss_at = |c: f64| minimise(problem, &targets, loss, c).map(|(_, value)| value);
    let zero = DMatrix::zeros(targets.nrows(), targets.ncols());
    if level >= loss.value(&targets, &zero) {
        return Ok(None);
    }
    let steepest = problem.factors().map_err(ProblemError::from)?.s.amax().powi(2);
    let (mut low, mut high) = (0.0, 1.0 / steepest);
    while loss_at(high)? > level {
        (low, high) = (high, 8.0 * high);
        if high > 1e15 {
            return Ok(None);
        }
    }
    for _ in 0..60 {
        let middle = if low > 0.0 { (low * high).sqrt() } else { high / 8.0 };
        let value = loss_at(middle)?;
        if (value - level).abs() <= 1e-4 * level {
            return Ok(Some(middle));
        }
        if value > level { low = middle } else { high = middle }
    }
    Ok(Some(high))
}

/// The head that minimises ½‖V‖² + C·L(ZV), and L there.
fn minimise(
    problem: &Problem,
    targets: &DMatrix<f64>,
    loss: Loss,
    strength: f64,
) -> Result<(DMatrix<f64>, f64), ProbingError> {
    let factors = problem.factors().map_err(ProblemError::from)?;
    let (u, s) = (&*factors.u, &factors.s);
    let scaled = |a: &DMatrix<f64>| DMatrix::from_fn(a.nrows(), a.ncols(), |i, j| s[i] * a[(i, j)]);
    let predictions = |a: &DMatrix<f64>| product(u, &scaled(a));
    let back = |r: &DMatrix<f64>| scaled(&product(Factor::from(u).t(), r));
    let value =
        |a: &DMatrix<f64>| a.norm_squared() / 2.0 + strength * loss.value(targets, &predictions(a));
    let largest = s.iter().copied().next().unwrap_or(1.0);
    let (relative, most, count) = (s / largest, strength * largest * largest, Multiplier::default());
    let nothing = targets * 0.0;
    let convex = Convex { loss, targets, start: &nothing, u };
    let mut a = DMatrix::zeros(s.len(), targets.ncols());
    let mut now = value(&a);
    let mut last = f64::INFINITY;
    for _ in 0..STEPS {
        let f = predictions(&a);
        let downhill = back(&loss.residual(targets, &f)) * strength - &a;
        let size = downhill.norm();
        if size >= 0.5 * last && size <= 1e-8 * (1.0 + a.norm()) {
            break;
        }
        last = size;
        // (1 + C s Uᵀ S U s) d = downhill
        let apply = |d: &DMatrix<f64>| d + back(&loss.curvature(&f, &predictions(d))) * strength;
        let curvature = Curvature::new(&convex, &relative, &f, false).map_err(ProblemError::from)?;
        let divided = |rest: &DMatrix<f64>| {
            let mut out = rest.clone();
            curvature.apply_plain(&count, &mut out, |d| 1.0 / (1.0 + most * d));
            out
        };
        let (mut d, mut rest) = (&downhill * 0.0, downhill.clone());
        let mut along = divided(&rest);
        let mut square = rest.dot(&along);
        for _ in 0..GRADIENTS {
            if rest.norm() <= 1e-12 * size {
                break;
            }
            let image = apply(&along);
            let factor = square / along.dot(&image);
            d += &along * factor;
            rest -= image * factor;
            let towards = divided(&rest);
            let next = rest.dot(&towards);
            along = towards + along * (next / square);
            square = next;
        }
        let mut factor = 1.0;
        loop {
            let there = &a + &d * factor;
            let lower = value(&there);
            if lower <= now * (1.0 + 1e-14) || factor < 1e-10 {
                (a, now) = (there, lower);
                break;
            }
            factor /= 2.0;
        }
    }
    let reached = loss.value(targets, &predictions(&a));
    Ok((product(&*factors.w, &a), reached))
}

/// The probing time at which a training loss, which never rises, has fallen to `wanted`, from a first guess.
fn time_of_loss(
    loss_at: impl Fn(f64) -> Result<f64, ProbingError>,
    guess: f64,
    wanted: f64,
) -> Result<f64, ProbingError> {
    if loss_at(0.0)? <= wanted {
        return Ok(0.0);
    }
    let excess = |tau: f64| -> Result<f64, ProbingError> { Ok((loss_at(tau)? / wanted).ln()) };
    let mut low = Side { at: 0.0, value: excess(0.0)? };
    let mut high = Side { at: guess, value: excess(guess)? };
    while high.value > 0.0 {
        let at = 4.0 * high.at;
        if at > 1e100 {
            let reason = format!("its training loss never falls to {wanted:e}");
            return Err(ProbingError::Unsolved { reason });
        }
        low = std::mem::replace(&mut high, Side { at, value: excess(at)? });
    }
    root(low, high, 1e-13, excess)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;

    fn with_path(run: impl Fn(&Problem, &ProbingPath, Loss)) {
        let y = DMatrix::from_fn(6, 3, |r, c| if r % 3 == c { 1.0 } else { 0.0 });
        let problem = Problem::on_features(wobble(6, 8, 0.0), y).unwrap();
        for loss in Loss::ALL {
            run(
                &problem,
                &ProbingPath::with_loss(&problem, &DMatrix::zeros(8, 3), 0.0, loss).unwrap(),
                loss,
            );
        }
    }

    /// Halving the step halves the distance to the flow.
    #[test]
    fn descent_follows_the_flow_to_first_order() {
        with_path(|problem, path, loss| {
            let [one, two] = [(2e-3, 500), (1e-3, 1000)]
                .map(|(step, steps)| descend(problem, path, loss, step, steps).unwrap());
            assert_eq!((one.time, two.time), (1.0, 1.0));
            let order = (one.error / two.error).log2();
            assert!((order - 1.0).abs() < 0.02 && two.error < 1e-2, "{loss:?}: {order} {}", two.error);
            assert!(descend(problem, path, loss, 1e3, 1).is_err());
        });
    }

    /// Epochs of mini-batch descent, averaged over shuffles, go as far as the flow does in the time that they stand
    /// for.
    #[test]
    fn epochs_take_the_time_that_they_stand_for() {
        use rand::seq::SliceRandom;
        with_path(|problem, path, loss| {
            let sgd = Optimiser { rate: 1e-3, batch: 2, momentum: 0.0 };
            sgd.check().unwrap();
            let epochs = 1000;
            assert!((sgd.epochs(0.5) - epochs as f64).abs() < 1e-9);
            let (z, y) = (problem.features(), path.targets());
            let mut head = path.head(0.0).unwrap();
            let mut rng = crate::tasks::stream(0, 99);
            let mut rows: Vec<usize> = (0..6).collect();
            for _ in 0..epochs {
                rows.shuffle(&mut rng);
                for batch in rows.chunks(sgd.batch) {
                    let (z, y) = (z.select_rows(batch), y.select_rows(batch));
                    head +=
                        z.tr_mul(&loss.residual(&y, &(&z * &head))) * (sgd.rate / batch.len() as f64);
                }
            }
            let flow = path.head(0.5).unwrap();
            assert!((&head - &flow).norm() < 2e-3 * flow.norm(), "{loss:?}");
            assert!(Optimiser { momentum: 1.0, ..sgd }.check().is_err());
            let most = sgd.stable_rate(problem, loss).unwrap() / 6.0;
            assert!(descend(problem, path, loss, most * 0.99, 1).is_ok());
            assert!(descend(problem, path, loss, most * 1.01, 1).is_err());
        });
    }

    /// The head is stationary, and small strengths are short times.
    #[test]
    fn a_penalised_head_is_the_minimum_and_has_its_time() {
        with_path(|problem, path, loss| {
            for strength in [1e-3, 1.0, 100.0] {
                let found = penalised(problem, path, loss, strength).unwrap();
                let z = problem.features();
                let pull = z.tr_mul(&loss.residual(path.targets(), &(z * &found.head))) * strength;
                assert!((pull - &found.head).norm() < 1e-10 * found.head.norm(), "{loss:?} {strength}");
                let flow = path.head(found.time).unwrap();
                let [a, b] = [&found.head, &flow].map(|v| loss.value(path.targets(), &(z * v)));
                assert!((a / b - 1.0).abs() < 1e-9, "{loss:?} {strength}: {a} {b}");
                if strength < 0.01 {
                    assert!((found.time / strength - 1.0).abs() < 0.02 && found.error < 1e-2);
                }
            }
            assert!(penalised(problem, path, loss, 0.0).is_err());
            // The strength of a loss is the way back.
            let found = penalised(problem, path, loss, 3.0).unwrap();
            let level = loss.value(path.targets(), &(problem.features() * found.head));
            let back = strength_of_loss(problem, loss, level).unwrap().unwrap();
            assert!((back / 3.0 - 1.0).abs() < 1e-3, "{loss:?} {back}");
            assert_eq!(strength_of_loss(problem, loss, 1e9).unwrap(), None);
        });
    }
}
