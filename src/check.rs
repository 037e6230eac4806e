//! Checks each result against the laws that every flow obeys, before it is given.

use crate::adaptation::Adaptation;
use crate::flow::{Broken, ClosedForm, Flow, FlowError, Moment, SolvedBy, Stop};
use crate::reduction::State;

/// What is checked, and for whom.
pub(crate) struct Check<'a> {
    pub flow: &'a Flow<'a>,
    pub method: SolvedBy,
    pub rtol: f64,
}

impl Check<'_> {
    fn law(&self, time: f64, law: &'static str, size: f64, allowed: f64) -> Result<(), Broken> {
        let method = self.method;
        // Below the smallest normal number nothing has digits.
        if size <= allowed.max(f64::MIN_POSITIVE) {
            Ok(())
        } else {
            Err(Broken { method, time, law, size, allowed })
        }
    }

    /// The budget (T6), the conserved matrix (T2), and finite numbers. Gradient descent obeys none of these exactly.
    pub fn moment(&self, moment: &Moment) -> Result<(), Broken> {
        let (flow, reduction, time) = (self.flow, self.flow.reduction(), moment.time);
        let State { motion, head } = &moment.state;
        let finite = motion.iter().chain(head.iter()).all(|x| x.is_finite());
        self.law(time, "a finite state", if finite { 0.0 } else { f64::INFINITY }, 0.0)?;
        let Some(budget) = moment.budget else { return Ok(()) };
        let (before, after) = (reduction.loss(flow.start()), reduction.loss(&moment.state));
        let spent = budget.backbone + budget.head;
        // Predictions that cancel against targets leave their rounding in the loss.
        let predicted = reduction.features_at(&moment.state).norm() * head.norm();
        let noise = f64::EPSILON * (reduction.targets().norm() + predicted);
        let noise = 30.0 * noise * ((2.0 * before).sqrt() + (2.0 * after).sqrt() + noise);
        let allowed = (1e3 * self.rtol).max(1e-6) * before + noise;
        self.law(
            time,
            "the loss spent against the loss that is gone",
            (spent - (before - after)).abs(),
            allowed,
        )?;
        let grown = after - before;
        self.law(time, "the loss, which cannot grow,", grown.max(0.0), allowed)?;
        if let Some(drift) = reduction.conservation_drift(flow.start(), &moment.state, flow.head_rate())
        {
            // Where the backbone is large beside all that moves its products are rounding.
            let (gamma, v) = (flow.head_rate(), flow.start().head.norm_squared() + head.norm_squared());
            let crossed = f64::EPSILON * gamma * reduction.backbone().norm() * motion.norm();
            let scale = v + gamma * motion.norm_squared();
            let noise = if crossed > 0.0 { 30.0 * crossed / scale } else { 0.0 };
            self.law(time, "the conserved matrix", drift, 1e-8 + noise)?;
        }
        // The residual is carried by its changes; that of the state has the rounding of Y − ZV.
        let apart = (reduction.residual(&moment.state) - &moment.residual).norm();
        let rounding = 30.0 * f64::EPSILON * (reduction.targets().norm() + predicted);
        let tolerance = (1e3 * self.rtol).max(1e-6) * flow.residual().norm();
        // A probed head has the rounding of the head that probing began with.
        let start = (reduction.residual(flow.start()) - flow.residual()).norm();
        let allowed = tolerance + rounding + 10.0 * start;
        self.law(time, "the residual that was carried along against Y − ZV", apart, allowed)
    }

    /// Distances are numbers, and cosine distances lie between 0 and 2.
    pub fn adaptation(&self, time: f64, a: &Adaptation) -> Result<(), Broken> {
        let finite = a.euclidean.is_finite() && a.norm.is_finite() && a.frobenius_distance.is_finite();
        self.law(time, "finite features", if finite { 0.0 } else { f64::INFINITY }, 0.0)?;
        let outside = if a.cosine.is_nan() { 0.0 } else { (a.cosine - 2.0).max(-a.cosine).max(0.0) };
        self.law(time, "the cosine distance, from 0 to 2,", outside, 1e-12)
    }

    /// A closed form against the equations of the flow where it ends: at a finite time its difference quotient is the
    /// velocity there, at its limit nothing moves.
    pub fn closed_form(&self, form: &dyn ClosedForm, moment: &Moment) -> Result<(), FlowError> {
        if matches!(moment.stop, Stop::Saddle(_) | Stop::Rounding { .. }) {
            return Ok(());
        }
        let (flow, reduction, time) = (self.flow, self.flow.reduction(), moment.time);
        let gamma = flow.head_rate();
        let lambda = reduction.lambda().iter().fold(0.0, |a, &b| f64::max(a, b));
        let part = |size: f64, rate: f64| if rate > 0.0 { size / rate.sqrt() } else { 0.0 };
        let size = |state: &State| state.motion.norm().hypot(part(state.head.norm(), gamma));
        // Sizes at the end or at the start, whichever are larger: a state that shrinks keeps the rounding of its start.
        let (z0, v0) = (reduction.features().norm(), flow.start().head.norm());
        let z = reduction.features_at(&moment.state).norm().max(z0);
        let v = moment.state.head.norm().max(v0);
        let r = reduction.residual(&moment.state).norm();
        let whole = part(z, lambda).hypot(part(v, gamma));
        let rate = lambda * v * v + gamma * z * z + (lambda * gamma).sqrt() * r;
        let velocity = flow.velocity(&moment.state);
        let law = "the closed form against the equations of the flow";
        // What the hypotheses leave out pulls, too.
        let left_out = form.left_out() * (lambda.sqrt() * v + gamma.sqrt() * z) * (r + z * v);
        if time.is_infinite() {
            let rounding =
                1e-12 * (lambda.sqrt() * v + gamma.sqrt() * z) * (reduction.targets().norm() + z * v);
            let allowed = 1e-9 * rate * whole + left_out + rounding;
            return Ok(self.law(time, law, size(&velocity), allowed)?);
        }
        // What moves faster than a millionth of the time is over.
        let step = (1e-4 / rate).max(1e-6 * time);
        if !step.is_finite() || time < step {
            return Ok(());
        }
        let (later, earlier) = (time + step, time - step);
        let mut change = form.state(later)?;
        change.add(-1.0, &form.state(earlier)?);
        let mut gap = velocity.clone();
        gap.add(-1.0 / (later - earlier), &change);
        let allowed =
            1e-5 * size(&velocity) + (1e-9 + f64::EPSILON * rate * time * 1e4) * rate * whole + left_out;
        Ok(self.law(time, law, size(&gap), allowed)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Budget, rank_one::RankOne};
    use crate::problem::Problem;
    use crate::reduction::Reduction;
    use nalgebra::dmatrix;

    /// Each law notices a violation.
    #[test]
    fn planted_errors_are_found() {
        let problem = Problem::new(dmatrix![1.0, 0.0], dmatrix![2.0], dmatrix![1.5]).unwrap();
        let head = dmatrix![0.2; 0.7];
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 0.5).unwrap();
        let form = RankOne::of_flow(&flow).unwrap();
        let check = Check { flow: &flow, method: SolvedBy::RankOne, rtol: 1e-9 };
        let fails = |moment: &Moment| check.moment(moment).unwrap_err().law;
        for t in [0.5, f64::INFINITY] {
            let right = form.moment(t).unwrap();
            check.moment(&right).unwrap();
            check.closed_form(&form, &right).unwrap();

            let mut wrong = right.clone();
            wrong.budget.as_mut().unwrap().head += 1e-4;
            assert!(fails(&wrong).contains("spent"));
            let mut wrong = right.clone();
            wrong.residual[0] += 1e-4;
            assert!(fails(&wrong).contains("carried along"));
            let mut wrong = right.clone();
            wrong.state.motion[0] = f64::NAN;
            assert!(fails(&wrong).contains("finite"));
            let mut wrong = right.clone();
            wrong.state.head *= 1.0 + 1e-3;
            assert!(check.closed_form(&form, &wrong).unwrap_err().to_string().contains("equations"));
            let loss = reduction.loss(flow.start()) - reduction.loss(&wrong.state);
            wrong.budget = Some(Budget { backbone: loss, head: 0.0 });
            assert!(fails(&wrong).contains("conserved"));
            let mut wrong = right.clone();
            wrong.state.head *= -10.0;
            let loss = reduction.loss(flow.start()) - reduction.loss(&wrong.state);
            wrong.budget = Some(Budget { backbone: loss, head: 0.0 });
            assert!(fails(&wrong).contains("cannot grow"));
        }
        let distance = 1.0;
        let at = |cosine| Adaptation {
            euclidean: distance,
            cosine,
            dot: 1.0,
            norm: 1.0,
            frobenius_distance: distance,
        };
        let endless = Adaptation { norm: f64::INFINITY, ..at(1.0) };
        assert!(check.adaptation(1.0, &endless).is_err());
        let endless = Adaptation { frobenius_distance: f64::NAN, ..at(1.0) };
        assert!(check.adaptation(1.0, &endless).is_err());
        assert!(check.adaptation(1.0, &at(2.0)).is_ok() && check.adaptation(1.0, &at(f64::NAN)).is_ok());
        assert!(
            check.adaptation(1.0, &at(2.0004)).is_err() && check.adaptation(1.0, &at(-1e-3)).is_err()
        );
    }
}
