//! Where a function of the probing time changes its sign.

use super::error::ProbingError;

/// An end of a bracket: a place, and the value there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub at: f64,
    pub value: f64,
}

/// Most evaluations.
const MOST: usize = 200;

/// A zero between two places with values of different signs, to a relative width of the bracket or where the value is
/// 0: by inverse quadratic interpolation where three values lie well for it, else by halving (Chandrupatla, *Advances
/// in Engineering Software* 28, 1997).
pub(super) fn root(
    mut a: Side,
    mut b: Side,
    width: f64,
    mut value: impl FnMut(f64) -> Result<f64, ProbingError>,
) -> Result<f64, ProbingError> {
    let mut part = a.value / (a.value - b.value);
    for _ in 0..MOST {
        let size = a.at.abs().max(b.at.abs());
        let least = width.max(2.0 * f64::EPSILON) * size / (b.at - a.at).abs();
        if least >= 0.5 {
            break;
        }
        let inside = part.is_finite() && part > 0.0 && part < 1.0;
        let at = a.at + (if inside { part.clamp(least, 1.0 - least) } else { 0.5 }) * (b.at - a.at);
        let found = Side { at, value: value(at)? };
        if found.value == 0.0 {
            return Ok(at);
        }
        let c = if (found.value > 0.0) == (a.value > 0.0) { a } else { std::mem::replace(&mut b, a) };
        a = found;
        let xi = (a.at - b.at) / (c.at - b.at);
        let phi = (a.value - b.value) / (c.value - b.value);
        part = if phi * phi < xi && (1.0 - phi) * (1.0 - phi) < 1.0 - xi {
            a.value / (b.value - a.value) * (c.value / (b.value - c.value))
                + (c.at - a.at) / (b.at - a.at)
                    * (a.value / (c.value - a.value))
                    * (b.value / (c.value - b.value))
        } else {
            0.5
        };
    }
    Ok(if a.value.abs() < b.value.abs() { a.at } else { b.at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_found_in_few_evaluations() {
        type Case = (fn(f64) -> f64, f64, usize);
        let functions: [Case; 4] = [
            (|x| x - 0.3, 0.3, 8),
            (|x| (x * 20.0).exp() - 400.0, 400f64.ln() / 20.0, 25),
            (|x| (x - 0.7).powi(3), 0.7, 110),
            (|x| (x / 1e-9).ln(), 1e-9, 60),
        ];
        for (f, zero, most) in functions {
            let mut count = 0;
            let [low, high] = [1e-12, 1.0].map(|at| Side { at, value: f(at) });
            let found = root(low, high, 1e-12, |x| {
                count += 1;
                Ok(f(x))
            });
            assert!((found.unwrap() - zero).abs() < 1e-5 * zero, "{zero}");
            assert!(count <= most, "{zero}: {count} evaluations");
        }
    }
}
