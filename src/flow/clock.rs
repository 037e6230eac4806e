//! Rank one under any loss (T23): the path of T7 by another clock.
//!
//! One output and one row of the reduction (one sample, or colinear inputs) turn feature and head by the rapidity σ
//! with σ̇ = c·r, whatever the loss; only r is another function of the prediction
//!
//! $$f(\sigma) = \tfrac12\big(a e^{2\sigma} - b e^{-2\sigma}\big)$$
//!
//! (a, b, c as in [`super::rank_one`]). So the state at a given prediction, or at a given training loss, is
//! algebraic; the time there is the integral t = ∫ dσ/(c r(f(σ))), taken by Gauss–Legendre quadrature on pieces in
//! which neither σ nor f changes by more than 1. Since L is convex, r falls with f: to 0 at a finite f where there is
//! a limit, and otherwise for ever.

use nalgebra::DMatrix;

use super::rank_one::{RankOne, gauss_legendre};
use super::{
    Budget, ClosedForm, Flow, FlowError, LOST, Moment, Saddle, SolvedBy, Stop, Violation, check_time,
};
use crate::product::Multiplier;
use crate::reduction::Sampled;

const FORM: &str = "the rank-one closed form for any loss (T23)";

/// Pieces of the integral before it is given up: each is a step of at least 1/2 in σ, in f or in the logarithm of
/// what is left.
const PIECES: usize = 100_000;

/// Share of the way to the limit in one piece.
const SHARE: f64 = 0.5;

/// A rank-one flow under a loss that is not the squared one.
#[derive(Debug, Clone)]
pub struct Clock<'a> {
    path: RankOne,
    samples: &'a Sampled,
    /// The rapidity at which the residual is 0; ±∞ if it never is.
    end: f64,
}

/// A point on the path with the time and the loss spent until there.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Passed {
    sigma: f64,
    time: f64,
    spent: Budget,
}

impl<'a> Clock<'a> {
    /// The rank-one flow that a general flow is, if it is one.
    pub fn of_flow(flow: &Flow<'a>) -> Result<Self, FlowError> {
        let reduction = flow.reduction();
        let squared = if reduction.samples().is_none() { 1.0 } else { 0.0 };
        Violation::unless(
            FORM,
            "a loss that is not the squared one",
            "the number of squared losses",
            squared,
            0.0,
        )?;
        let path = RankOne::path_of_flow(flow, FORM)?;
        let samples = reduction.samples().expect("checked above");
        let [grow, shrink] = path.parts();
        let gone = if grow > 0.0 && shrink > 0.0 { 0.0 } else { 1.0 };
        Violation::unless(
            FORM,
            "a head that is neither frozen nor exactly along or against its feature",
            "the number of parts of feature and head that are zero",
            gone,
            0.0,
        )?;
        let mut new = Self { path, samples, end: f64::NAN };
        new.end = new.find_end();
        Ok(new)
    }

    /// The residual of the row at a rapidity.
    fn residual(&self, sigma: f64) -> f64 {
        self.residual_at(self.path.prediction(sigma))
    }

    fn residual_at(&self, prediction: f64) -> f64 {
        let mut row = [prediction];
        let mut all = vec![0.0; self.samples.count()];
        self.samples.residual(&Multiplier::default(), &mut row, &mut all, 1);
        row[0]
    }

    /// Where the residual, which falls with the prediction, is 0.
    fn find_end(&self) -> f64 {
        let r = self.residual(0.0);
        if r == 0.0 {
            return 0.0;
        }
        let sign = r.signum();
        let start = self.path.prediction(0.0);
        let (mut near, mut step) = (start, 1.0);
        let mut far;
        loop {
            far = near + sign * step;
            let there = self.residual_at(far) * sign;
            if there < 0.0 {
                break;
            }
            // Beyond this every prediction is as good as certain.
            if there == 0.0 || step > 1e6 {
                return sign * f64::INFINITY;
            }
            (near, step) = (far, 2.0 * step);
        }
        loop {
            let middle = near + (far - near) / 2.0;
            if middle == near || middle == far {
                return self.path.rapidity_of(middle);
            }
            if self.residual_at(middle) * sign > 0.0 { near = middle } else { far = middle }
        }
    }

    /// The end of the next piece from a rapidity, towards the end of the path.
    fn next(&self, sigma: f64) -> f64 {
        let sign = (self.end - sigma).signum();
        let slope = self.path.prediction_slope(sigma).max(self.path.prediction_slope(sigma + sign));
        let step = (1.0 / slope).min(1.0);
        if self.end.is_finite() {
            sigma + sign * step.min(SHARE * (self.end - sigma).abs())
        } else {
            sigma + sign * step
        }
    }

    /// Time and loss spent between two rapidities of a piece.
    fn between(&self, from: f64, to: f64) -> (f64, Budget) {
        let (mut time, mut spent) = (0.0, Budget::default());
        for &(x, weight) in gauss_legendre() {
            let sigma = from + (to - from) * x;
            let r = self.residual(sigma);
            time += weight * (to - from) / (self.path.speed() * r);
            let rates = self.path.spending(sigma);
            spent.backbone += weight * (to - from) * r * rates.backbone;
            spent.head += weight * (to - from) * r * rates.head;
        }
        (time, spent)
    }

    /// Follows the path to where a condition on rapidity and time is met within a piece; `inside` then finds the place.
    fn follow(
        &self,
        met: impl Fn(f64, f64) -> bool,
        inside: impl Fn(&Passed, f64) -> f64,
    ) -> Result<Passed, FlowError> {
        let mut here = Passed { sigma: 0.0, time: 0.0, spent: Budget::default() };
        for _ in 0..PIECES {
            let next = self.next(here.sigma);
            let (time, spent) = self.between(here.sigma, next);
            if met(next, here.time + time) || next == here.sigma {
                let sigma = inside(&here, next);
                let (time, spent) = self.between(here.sigma, sigma);
                return Ok(here.moved(sigma, time, spent));
            }
            here = here.moved(next, time, spent);
        }
        Err(FlowError::Clock { time: here.time })
    }

    /// The point at time t.
    fn at_time(&self, t: f64) -> Result<Passed, FlowError> {
        if t == 0.0 || self.end == 0.0 {
            return Ok(Passed { sigma: 0.0, time: t, spent: Budget::default() });
        }
        if t.is_infinite() {
            if self.end.is_infinite() {
                // A time at which the loss is low enough to be certain.
                let level = 0.99 * std::f64::consts::LN_2 / self.samples.count() as f64;
                let time = self.time_of_loss(level)?.unwrap_or(f64::INFINITY);
                let loss = self.loss_at(self.at_time(time)?.sigma);
                return Err(FlowError::NoLimit { time, loss });
            }
            return self.at_rapidity(self.end);
        }
        let found = self.follow(
            |_, time| time >= t,
            |here, next| {
                let left = t - here.time;
                let (mut near, mut far) = (here.sigma, next);
                let mut sigma = near + (far - near) / 2.0;
                // Newton's method within a bracket: dt/dσ = 1/(c r).
                for _ in 0..200 {
                    let gap = self.between(here.sigma, sigma).0 - left;
                    if gap > 0.0 {
                        far = sigma
                    } else {
                        near = sigma
                    }
                    let better = sigma - gap * self.path.speed() * self.residual(sigma);
                    let inside = (better - near) * (better - far) < 0.0;
                    let better = if inside { better } else { near + (far - near) / 2.0 };
                    if (better - sigma).abs() <= f64::EPSILON * sigma.abs() {
                        break;
                    }
                    sigma = better;
                }
                sigma
            },
        )?;
        Ok(Passed { time: t, ..found })
    }

    fn at_rapidity(&self, sigma: f64) -> Result<Passed, FlowError> {
        if sigma == 0.0 {
            return Ok(Passed { sigma, time: 0.0, spent: Budget::default() });
        }
        self.follow(|next, _| next.abs() >= sigma.abs(), |_, _| sigma)
    }

    /// The point at a prediction of the row on the way.
    fn at_prediction(&self, prediction: f64) -> Result<Passed, FlowError> {
        let sigma = self.path.rapidity_of(prediction);
        // What is behind the start is met at the start.
        if sigma * self.end <= 0.0 {
            return self.at_rapidity(0.0);
        }
        self.at_rapidity(sigma)
    }

    /// The training loss, summed over the samples, at a rapidity.
    fn loss_at(&self, sigma: f64) -> f64 {
        self.samples.value(&DMatrix::from_element(1, 1, self.path.prediction(sigma)))
    }

    /// The time at which the training loss, on average over the samples, has fallen to a level; none if it never does.
    pub fn time_of_loss(&self, level: f64) -> Result<Option<f64>, FlowError> {
        let wanted = level * self.samples.count() as f64;
        if self.loss_at(0.0) <= wanted {
            return Ok(Some(0.0));
        }
        if wanted <= 0.0 || (self.end.is_finite() && self.loss_at(self.end) > wanted) {
            return Ok(None);
        }
        // A bracket in the prediction, in which the loss is convex; then halving, to the last bit.
        let start = self.path.prediction(0.0);
        let value = |f: f64| self.samples.value(&DMatrix::from_element(1, 1, f));
        let sign = self.end.signum();
        let (mut near, mut far) = (start, start + sign);
        if self.end.is_finite() {
            far = self.path.prediction(self.end);
        } else {
            while value(far) > wanted {
                (near, far) = (far, far + 2.0 * (far - start));
            }
        }
        loop {
            let middle = near + (far - near) / 2.0;
            if middle == near || middle == far {
                break;
            }
            if value(middle) > wanted { near = middle } else { far = middle }
        }
        Ok(Some(self.at_prediction(far)?.time))
    }
}

impl Passed {
    fn moved(self, sigma: f64, time: f64, spent: Budget) -> Self {
        Self {
            sigma,
            time: self.time + time,
            spent: Budget {
                backbone: self.spent.backbone + spent.backbone,
                head: self.spent.head + spent.head,
            },
        }
    }
}

impl ClosedForm for Clock<'_> {
    fn solved_by(&self) -> SolvedBy {
        SolvedBy::RankOne
    }

    fn moment(&self, t: f64) -> Result<Moment, FlowError> {
        check_time(t)?;
        let Passed { sigma, spent, .. } = self.at_time(t)?;
        let state = self.path.state_at(sigma);
        let r = if t.is_infinite() { 0.0 } else { self.residual(sigma) };
        let residual = DMatrix::from_element(1, 1, r);
        let (error, size) = self.path.error_at(sigma);
        let stop = if error > LOST * size {
            let (growth, along) = self.path.escape_at(self.residual(0.0));
            Stop::Saddle(Saddle { time: t, growth, size: along, sample: 0, output: 0 })
        } else {
            Stop::Exact
        };
        Ok(Moment { time: t, state, residual, budget: Some(spent), error: Some(error / size), stop })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::solver::{Options, solve};
    use crate::loss::Loss;
    use crate::problem::Problem;
    use crate::reduction::Reduction;
    use nalgebra::dmatrix;

    fn with_clock(
        features: DMatrix<f64>,
        kernel: DMatrix<f64>,
        targets: DMatrix<f64>,
        rate: f64,
        run: impl FnOnce(&Clock, &Flow),
    ) {
        let problem = Problem::new(features, kernel, targets).unwrap();
        let head = dmatrix![-0.4; 0.7; 0.2];
        let reduction = Reduction::for_loss(&problem, &head, Loss::CrossEntropy).unwrap();
        let flow = Flow::new(&reduction, &head, rate).unwrap();
        run(&Clock::of_flow(&flow).unwrap(), &flow);
    }

    /// One sample with either label, a soft one, colinear samples with one label and with both: at every time the
    /// state and the loss spent are those of the solver.
    #[test]
    fn the_clock_is_that_of_the_flow() {
        let one = || dmatrix![1.0, 0.5, -0.3];
        let line = || dmatrix![1.0; -2.0; 0.5] * one();
        let kernel = || dmatrix![1.0; -2.0; 0.5] * dmatrix![1.0, -2.0, 0.5] * 1.7;
        for (features, kernel, targets, rate) in [
            (one(), dmatrix![2.0], dmatrix![1.0], 1.0),
            (one(), dmatrix![2.0], dmatrix![0.0], 0.3),
            (one(), dmatrix![0.5], dmatrix![0.8], 4.0),
            (line(), kernel(), dmatrix![1.0; 0.0; 1.0], 1.0),
            (line(), kernel(), dmatrix![1.0; 1.0; 0.0], 0.7),
        ] {
            with_clock(features, kernel, targets, rate, |clock, flow| {
                for t in [1e-6, 0.01, 0.7, 5.0, 300.0, 1e6] {
                    let found = clock.moment(t).unwrap();
                    let exact =
                        solve(flow, t, &Options { rtol: 1e-12, ..Options::default() }).unwrap().end;
                    let gap = (&found.state.motion - &exact.state.motion).norm();
                    assert!(gap < 3e-11 * exact.state.motion.norm(), "t = {t}: {gap:e}");
                    assert!((&found.state.head - &exact.state.head).norm() < 3e-11);
                    let (a, b) = (found.budget.unwrap(), exact.budget.unwrap());
                    assert!(
                        (a.backbone - b.backbone).abs() + (a.head - b.head).abs()
                            < 1e-9 * (b.head + b.backbone)
                    );
                    let level =
                        flow.reduction().loss(&found.state) / flow.reduction().sample_count() as f64;
                    if t < 100.0 {
                        let back = clock.time_of_loss(level).unwrap().unwrap();
                        let again = clock.moment(back).unwrap().state;
                        let found =
                            flow.reduction().loss(&again) / flow.reduction().sample_count() as f64;
                        assert!((found / level - 1.0).abs() < 1e-13, "{t}: {back}");
                    }
                }
                match clock.moment(f64::INFINITY) {
                    Ok(limit) => {
                        let exact = solve(flow, f64::INFINITY, &Options::default()).unwrap().end;
                        assert!((limit.state.motion - exact.state.motion).norm() < 1e-8);
                        assert!(clock.time_of_loss(1e-9).unwrap().is_none());
                    }
                    Err(error) => {
                        assert!(
                            matches!(error, FlowError::NoLimit { loss, .. } if loss < std::f64::consts::LN_2)
                        );
                    }
                }
            });
        }
    }

    /// T23: where the prediction is q the feature is that of the squared loss with target q at its limit.
    #[test]
    fn a_prediction_is_the_limit_of_the_squared_loss_with_that_target() {
        with_clock(dmatrix![1.0, 0.5, -0.3], dmatrix![2.0], dmatrix![1.0], 0.6, |clock, flow| {
            for t in [0.3, 20.0] {
                let moment = clock.moment(t).unwrap();
                let q = (flow.reduction().features_at(&moment.state) * &moment.state.head)[0];
                let z0 = flow.reduction().features().row(0).transpose();
                let squared =
                    RankOne::new(2.0, 0.6, q, z0, flow.start().head.column(0).into_owned()).unwrap();
                let limit = squared.at(f64::INFINITY).unwrap();
                let motion = moment.state.motion.row(0).transpose() * 2f64.sqrt();
                assert!((motion - limit.displacement).norm() < 1e-13);
                assert!((moment.state.head.column(0) - limit.head).norm() < 1e-13);
            }
        });
    }
}
