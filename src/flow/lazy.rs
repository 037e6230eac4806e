//! The lazy limit (T17): the motion to first order in the energy.
//!
//! With the tangent kernel Θ = K ⊗ V₀ᵀV₀ + γ Z₀Z₀ᵀ ⊗ I frozen at the start, the residual decays as
//! e^{−Θt} and the whole flow is S = ∫R dt = Θ⁻¹(1 − e^{−Θt})R₀:
//!
//! $$Z_t - Z_0 = K S V_0^\top,\qquad V_t - V_0 = \gamma Z_0^\top S .$$
//!
//! This is an approximation with an error of second order in the energy, not a closed form.

use super::{Flow, FlowError, check_time, phi, tangent::Tangent};
use crate::reduction::State;

/// The state of the lazy limit at time t in [0, ∞]. Directions in which Θ is zero to rounding do not move.
pub fn lazy(flow: &Flow, t: f64) -> Result<State, FlowError> {
    check_time(t)?;
    super::needs_squared_loss(flow, "the lazy limit (T17)")?;
    let tangent = Tangent::new(flow, flow.start())?;
    let residual = flow.residual();
    let integral = if t.is_infinite() {
        tangent.remaining(residual)
    } else {
        tangent.apply(residual, |d| phi(d, t))
    };
    let mut state = flow.start().clone();
    state.add(1.0, &tangent.push(&integral));
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::solver::{Options, solve};
    use crate::linalg::wobble;
    use crate::probing::ProbingPath;
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    /// Halving the energy divides the error by four.
    #[test]
    fn the_error_is_of_second_order_in_the_energy() {
        let problem =
            Problem::linear(&wobble(3, 8, 0.0), &wobble(6, 8, 1.0), wobble(3, 2, 2.0)).unwrap();
        let init = wobble(6, 2, 3.0);
        let reduction = Reduction::new(&problem, &init).unwrap();
        let path = ProbingPath::new(&problem, &init).unwrap();
        let exact = path.head(f64::INFINITY).unwrap();
        let direction = path.head(0.3).unwrap() - &exact;
        let error = |scale: f64| {
            let flow = Flow::new(&reduction, &(&exact + &direction * scale), 1.0).unwrap();
            let mut gap = lazy(&flow, f64::INFINITY).unwrap().motion;
            gap -= solve(&flow, f64::INFINITY, &Options::default()).unwrap().end.state.motion;
            gap.norm()
        };
        let slope = (error(1e-2) / error(5e-3)).log2();
        assert!((slope - 2.0).abs() < 0.05, "slope {slope}");
    }
}
