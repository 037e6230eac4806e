//! Figures of the rank-one theory: no sweep is needed, every number is a closed form.

use nalgebra::{DMatrix, dvector};

use super::{Metric, log_steps, peak, steps};
use crate::plot::{
    Agreement, Axis, FeaturePath, Grid, HeatMap, HeatPanel, Hyperbolas, Phase, PhaseCell, PhasePanel,
    Series, Tolerance,
};
use taskhead::flow::rank_one::{Limit, RankOne};
use taskhead::flow::solver::{Options, solve};
use taskhead::flow::{Flow, FlowError};
use taskhead::problem::Problem;
use taskhead::reduction::Reduction;
use taskhead_theorems::certify::{Law as MapLaw, Map, MapCell, boundary};

/// The rank-one law in the trend figure: y, w and the largest energy in units of y.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    /// Target y.
    pub target: f64,
    /// Orthogonal part w of the head.
    pub across: f64,
    /// Largest energy over y.
    pub reach: f64,
}

impl Law {
    /// The law of one metric against the share of the largest energy.
    pub fn series(&self, metric: Metric) -> Series {
        let shares = steps(0.0, 1.0, 401);
        let values: Vec<f64> = shares
            .iter()
            .map(|s| {
                let energy = s * self.reach * self.target;
                metric.of(&Limit::new(self.target, self.across, self.target - energy).adaptation())
            })
            .collect();
        let top = peak(&shares, &values);
        Series::line("rank-one law", shares, values).with_peak(top)
    }
}

/// The path of the feature in the plane of z₀ and e for several energies.
pub fn hyperbolas(target: f64, across: f64, energies: &[f64]) -> Result<Hyperbolas, FlowError> {
    let times = log_steps(1e-3, 1e2, 300);
    let path = |energy: f64| -> Result<FeaturePath, FlowError> {
        let a = target - energy;
        let flow = RankOne::new(1.0, 1.0, target, dvector![1.0, 0.0], dvector![a, across])?;
        let mut points = vec![(1.0, 0.0)];
        for &t in times.iter().chain([&f64::INFINITY]) {
            let z = flow.at(t)?.feature;
            points.push((z[0], z[1]));
        }
        Ok(FeaturePath { label: format!("E = {energy}"), head: (a, across), points })
    };
    let paths = energies.iter().map(|&e| path(e)).collect::<Result<Vec<_>, _>>()?;
    let most = energies.iter().copied().fold(0.0, f64::max);
    let mut ends = Vec::new();
    for energy in steps(0.0, most, 121) {
        ends.extend(path(energy)?.points.last());
    }
    Ok(Hyperbolas {
        x_label: "along z₀".into(),
        y_label: "along e ⊥ z₀".into(),
        start: ((1.0, 0.0), "z₀".into()),
        paths,
        ends: (ends, "ends z_{T}".into()),
    })
}

/// The error of the solver against T7 over time, for several tolerances.
pub fn agreement() -> Result<Agreement, FlowError> {
    let problem = Problem::new(
        DMatrix::from_row_slice(1, 2, &[1.0, 0.0]),
        DMatrix::identity(1, 1),
        DMatrix::from_element(1, 1, 1.5),
    )?;
    let head = DMatrix::from_column_slice(2, 1, &[-0.4, 0.8]);
    let reduction = Reduction::new(&problem, &head)?;
    let flow = Flow::new(&reduction, &head, 1.0)?;
    let exact = RankOne::of_flow(&flow)?;
    let times = log_steps(1e-3, 30.0, 150);
    let (mut curves, mut tolerances) = (Vec::new(), Vec::new());
    for (rtol, name) in [(1e-4, "10⁻⁴"), (1e-7, "10⁻⁷"), (1e-10, "10⁻¹⁰"), (1e-13, "10⁻¹³")]
    {
        let options = Options { rtol, times: times.clone(), ..Options::default() };
        let solution = solve(&flow, 30.0, &options)?;
        let mut errors = Vec::new();
        for point in &solution.points {
            let z = exact.at(point.time)?.feature;
            let found = reduction.features_at(&point.state);
            errors.push((found.row(0).transpose() - &z).norm() / z.norm());
        }
        let curve = format!("error at {name}");
        curves.push(Series::line(curve.clone(), times[..errors.len()].to_vec(), errors));
        tolerances.push(Tolerance { label: format!("tolerance {name}"), value: rtol, curve });
    }
    let (label, curve) = ("rounding of f64".into(), String::new());
    tolerances.push(Tolerance { label, value: f64::EPSILON, curve });
    Ok(Agreement {
        x_label: "time t (1 / backbone rate)".into(),
        y_label: "‖z_{t} − exact‖ / ‖z_{t}‖".into(),
        curves,
        tolerances,
        floor: f64::EPSILON / 4.0,
    })
}

/// The four metrics over energy and orthogonal head norm (O3).
pub fn heat_map(target: f64) -> HeatMap {
    let most = 2.0 * target;
    let energies = steps(0.0, most, 61);
    let norms = steps(0.05, 2.5, 50);
    let value = |e: f64, w: f64, m: Metric| m.of(&Limit::new(target, w, target - e).adaptation());
    let panels = Metric::MEANS.into_iter().map(|metric| {
        let ridge: Vec<(f64, f64)> = norms
            .iter()
            .filter_map(|&w| {
                let x = steps(0.0, most, 601);
                let values: Vec<f64> = x.iter().map(|&e| value(e, w, metric)).collect();
                peak(&x, &values).map(|p| (p.0, w))
            })
            .collect();
        HeatPanel {
            title: metric.title().into(),
            value_label: metric.symbol().into(),
            grid: Grid::from_fn(energies.clone(), norms.clone(), |e, w| value(e, w, metric)),
            ridge_label: if ridge.is_empty() { String::new() } else { "maximum over E".into() },
            ridge,
        }
    });
    HeatMap {
        x: Axis::linear("initial energy E"),
        y: Axis::linear("head norm orthogonal to z₀, w"),
        panels: panels.collect(),
    }
}

/// Where the laws end beyond E = y (T13): the maps that interval arithmetic proved, with the exact boundaries.
pub fn phase(maps: &[Map]) -> Phase {
    let of = |law: MapLaw| maps.iter().filter(move |map| map.law == law).map(phase_panel);
    Phase {
        states: ["proved to hold", "undecided", "proved to fail"].map(String::from).to_vec(),
        panels: of(MapLaw::Distance).chain(of(MapLaw::Dot)).collect(),
    }
}

fn phase_panel(map: &Map) -> PhasePanel {
    let name = map.law.name();
    let (title, x) = match map.target {
        Some(y) => (format!("{name}, y = {y}"), Axis::linear("E / y")),
        None => (format!("{name}, E in [y, 2y]"), Axis::log("target y")),
    };
    let cell = |c: &MapCell| PhaseCell {
        x: if map.target.is_some() { (1.0 - c.s[1], 1.0 - c.s[0]) } else { (c.y[0], c.y[1]) },
        y: (c.w[0], c.w[1]),
        state: c.state as usize,
    };
    let curves = if map.target.is_some() { vec![] } else { boundaries(map.law) };
    PhasePanel {
        title,
        x,
        y: Axis::log("orthogonal head norm w"),
        cells: map.cells.iter().map(cell).collect(),
        curves,
    }
}

/// The exact boundary of a law at E = 2y.
fn boundaries(law: MapLaw) -> Vec<Series> {
    let (x, y) = match law {
        MapLaw::Distance => log_steps(1e-3, 0.98, 300).into_iter().map(boundary::distance_curve).unzip(),
        _ => log_steps(2.0001, 1e5, 300).into_iter().map(boundary::dot_curve).unzip(),
    };
    vec![Series::line("exact, E = 2y", x, y)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T9: the norm peaks at E = y exactly; T12: the dot product peaks before.
    #[test]
    fn peaks_of_the_rank_one_law_are_where_theory_puts_them() {
        let law = Law { target: 1.0, across: 0.5, reach: 2.0 };
        let norm = law.series(Metric::Norm).peak.expect("the norm has a peak inside").0;
        assert!((norm - 0.5).abs() < 1e-12);
        let dot = law.series(Metric::Dot).peak.expect("the dot product has a peak inside").0;
        assert!(dot > 0.0 && dot < 0.5);
        assert!(law.series(Metric::Cosine).peak.is_none());
    }
}
