//! The energies of a probing path as curves, with what bounds them.

use nalgebra::DMatrix;

use super::error::ProbingError;
use super::level::{self, Curve};
use super::linear::LinearPath;
use crate::energy::{Energy, Measure};
use crate::product::product;

/// Decays beyond this are zero in f64.
const GONE: f64 = 746.0;

/// Roundings of an energy that is a sum.
const ROUNDINGS: f64 = 8.0 * f64::EPSILON;

/// One energy along a path, over x = ln(1 + s₁²τ).
pub(super) struct EnergyCurve<'a> {
    path: &'a LinearPath,
    measure: Measure,
    /// (s_i/s₁)², r values.
    ratios: Vec<f64>,
    /// What mode i contributes to the energy at the start, at most.
    weights: Vec<f64>,
    /// The energy of what stays, at most.
    constant: f64,
}

impl<'a> EnergyCurve<'a> {
    pub fn new(path: &'a LinearPath, measure: Measure) -> Self {
        let first = path.s.iter().copied().next().unwrap_or(1.0);
        let ratios = path.s.iter().map(|s| (s / first).powi(2)).collect();
        let weights = (0..path.s.len())
            .map(|i| {
                path.c.row(i).norm()
                    * match measure {
                        Measure::Frobenius => 1.0,
                        Measure::Aie => path.u.column(i).map(f64::abs).mean(),
                    }
            })
            .collect();
        let constant = measure.of(&Energy::of(&path.constant));
        Self { path, measure, ratios, weights, constant }
    }

    /// Whether all bounds are numbers: squares of residuals may leave the range of f64.
    pub fn is_finite(&self) -> bool {
        self.rounding(0.0).is_finite()
    }

    /// The probing time of an x.
    pub fn time(&self, x: f64) -> f64 {
        let first = self.path.s.iter().copied().next().unwrap_or(1.0);
        x.exp_m1() / first / first
    }
}

impl Curve for EnergyCurve<'_> {
    fn at(&self, x: f64) -> (f64, f64) {
        let (path, t) = (self.path, x.exp_m1());
        let k = path.c.ncols();
        let decayed =
            DMatrix::from_fn(path.c.nrows(), k, |i, j| path.c[(i, j)] * (-self.ratios[i] * t).exp());
        let speeds =
            DMatrix::from_fn(path.c.nrows(), k, |i, j| -self.ratios[i] * x.exp() * decayed[(i, j)]);
        let along = |r: &DMatrix<f64>, v: &DMatrix<f64>, n: usize| {
            let size = r.row(n).norm();
            if size > 0.0 { r.row(n).dot(&v.row(n)) / size } else { 0.0 }
        };
        let residual = &path.constant + product(&*path.u, &decayed);
        let speed = product(&*path.u, &speeds);
        match self.measure {
            Measure::Aie => {
                let n = residual.nrows();
                let slopes: f64 = (0..n).map(|row| along(&residual, &speed, row)).sum();
                (Energy::of(&residual).aie, slopes / n as f64)
            }
            Measure::Frobenius => {
                let f = residual.norm();
                (f, if f > 0.0 { residual.dot(&speed) / f } else { 0.0 })
            }
        }
    }

    fn bend(&self, a: f64, b: f64) -> f64 {
        self.weights.iter().zip(&self.ratios).map(|(w, rho)| w * most_bend(*rho, a, b)).sum()
    }

    fn rounding(&self, x: f64) -> f64 {
        let t = x.exp_m1();
        let decayed: f64 =
            self.weights.iter().zip(&self.ratios).map(|(w, rho)| w * (-rho * t).exp()).sum();
        ROUNDINGS * (self.constant + decayed)
    }

    fn end(&self) -> f64 {
        self.ratios.last().map_or(0.0, |slowest| (GONE / slowest).ln_1p())
    }
}

/// The most that |d²/dx² e^{−ρ(eˣ − 1)}| is on [a, b]: with φ = ρeˣ it is e^ρ |φ² − φ| e^{−φ}, which is largest at
/// φ = (3 ± √5)/2 or at an end.
pub(super) fn most_bend(rho: f64, a: f64, b: f64) -> f64 {
    let bend = |phi: f64| (phi * phi - phi).abs() * (rho - phi).exp();
    let (from, to) = (rho * a.exp(), rho * b.exp());
    let root = 5f64.sqrt();
    let inside =
        [(3.0 - root) / 2.0, (3.0 + root) / 2.0].into_iter().filter(|phi| (from..to).contains(phi));
    inside.map(bend).fold(bend(from).max(bend(to)), f64::max)
}

impl LinearPath {
    /// The first `most` probing times at which the energy is `wanted`, ascending: each part of the path is either
    /// bounded away from the wanted energy, or monotone, or halved.
    pub fn times_for(
        &self,
        measure: Measure,
        wanted: f64,
        most: usize,
    ) -> Result<Vec<f64>, ProbingError> {
        let curve = EnergyCurve::new(self, measure);
        if !curve.is_finite() {
            return Err(ProbingError::Range { measure: measure.name(), wanted });
        }
        let value = |tau: f64| self.energy(tau).map(|e| measure.of(&e) - wanted);
        // Before the end, only underflow makes an energy 0.
        if (0.0..f64::MIN_POSITIVE).contains(&wanted)
            && value(0.0)? > 0.0
            && value(f64::INFINITY)? == -wanted
        {
            return Ok(vec![f64::INFINITY]);
        }
        let mut times = Vec::new();
        let Some(crossings) = level::crossings(&curve, wanted, most) else {
            return Err(ProbingError::Unsettled { measure: measure.name(), wanted });
        };
        for crossing in crossings {
            let (a, b) = (curve.time(crossing.a), curve.time(crossing.b));
            if b.is_infinite() || (b == 0.0 && crossing.b > 0.0) {
                return Err(ProbingError::Range { measure: measure.name(), wanted });
            }
            let side = if crossing.from_above { 1.0 } else { -1.0 };
            times.push(if a == b { a } else { bisect(value, a, b, side)? });
        }
        if times.is_empty() && value(f64::INFINITY)?.abs() <= curve.rounding(curve.end()) {
            times.push(f64::INFINITY);
        }
        if !times.is_empty() {
            return Ok(times);
        }
        let level::Range { low: lowest, high: highest, whole } = level::range(&curve);
        let measure = measure.name();
        Err(if wanted < lowest && self.rounding > 0.0 && lowest <= self.rounding {
            ProbingError::BelowRounding { measure, wanted, rounding: self.rounding, lowest, highest }
        } else {
            ProbingError::Unreachable { measure, wanted, lowest, highest, whole }
        })
    }
}

/// Halves a bracket until its ends are neighbours; `low` is the sign at `a`.
fn bisect(
    value: impl Fn(f64) -> Result<f64, ProbingError>,
    mut a: f64,
    mut b: f64,
    low: f64,
) -> Result<f64, ProbingError> {
    loop {
        let middle = if a > 0.0 && b / a > 2.0 { (a * b).sqrt() } else { a + (b - a) / 2.0 };
        if middle <= a || middle >= b {
            return Ok(middle);
        }
        let m = value(middle)?;
        if m == 0.0 {
            return Ok(middle);
        }
        if m * low < 0.0 { b = middle } else { a = middle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bend_is_that_of_differences() {
        for rho in [1.0, 0.3, 1e-3] {
            for (a, b) in [(0.0, 0.4), (1.0, 1.5), (0.2, 9.0), (6.0, 7.0)] {
                let e = |x: f64| (-rho * x.exp_m1()).exp();
                let h = 1e-4;
                let seen = (0..=2000)
                    .map(|i| a + (b - a) * f64::from(i) / 2000.0)
                    .map(|x| ((e(x + h) - 2.0 * e(x) + e(x - h)) / h / h).abs())
                    .fold(0.0, f64::max);
                let bound = most_bend(rho, a, b);
                assert!(
                    seen <= bound + 1e-6 && seen >= 0.99 * bound - 1e-6,
                    "{rho} {a} {b}: {seen} {bound}"
                );
            }
        }
    }
}
