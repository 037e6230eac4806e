//! Chapter 3: where the laws go on beyond E = y (T13), certified.

use serde::{Deserialize, Serialize};
use taskhead::analysis::log_steps;
use taskhead_theorems::certify::{Law, Map, Settings, boundary, diagram};

/// Points of a boundary curve.
const POINTS: usize = 200;

/// Which law.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its place in the order of the metrics.
    law: usize,
}

/// The map of a law over (y, w): where it is proved to hold at every energy from y to 2y, and proved to fail at one.
#[derive(Debug, Serialize)]
pub struct Phase {
    #[serde(flatten)]
    map: Map,
    /// (y, w) of the exact boundary at E = 2y; empty where the law never ends.
    boundary: Vec<(f64, f64)>,
}

/// Certifies the map of a law by interval arithmetic.
pub fn phase(setting: Setting) -> Result<Phase, String> {
    let law = *Law::ALL
        .get(setting.law)
        .ok_or_else(|| format!("law = {} is not valid; it must be between 0 and 3", setting.law))?;
    let boundary = match law {
        Law::Distance => {
            log_steps(1e-3, 0.999, POINTS).into_iter().map(boundary::distance_curve).collect()
        }
        Law::Dot => log_steps(2.0001, 1e5, POINTS).into_iter().map(boundary::dot_curve).collect(),
        Law::Cosine | Law::Norm => Vec::new(),
    };
    Ok(Phase { map: diagram(law, &Settings::default(), &|_| {}), boundary })
}

#[cfg(test)]
mod tests {
    use taskhead_theorems::certify::{State, csv};

    use super::*;

    fn at(phase: &Phase, y: f64, w: f64) -> State {
        let within = |[low, high]: [f64; 2], v: f64| low <= v && v <= high;
        phase.map.cells.iter().find(|c| within(c.y, y) && within(c.w, w)).expect("the cells tile").state
    }

    /// The counter-example of the Coq file Beyond.v (a = −2, so E < 2y), and the laws that never end.
    #[test]
    fn proved_points_are_where_they_belong() {
        assert_eq!(at(&phase(Setting { law: 2 }).unwrap(), 23.0 / 9.0, 0.5), State::Fails);
        for law in [1, 3] {
            let phase = phase(Setting { law }).unwrap();
            assert_eq!(phase.map.shares, [1.0, 0.0, 0.0]);
            assert!(phase.boundary.is_empty());
        }
        assert!(phase(Setting { law: 4 }).unwrap_err().starts_with("law = 4"));
    }

    /// The page shows the certificate that the repository keeps.
    #[test]
    fn the_maps_are_those_of_the_gallery() {
        let maps = [0, 1, 2, 3].map(|law| phase(Setting { law }).unwrap().map);
        let kept = include_str!("../../../plots/phase-certified.csv");
        // Rows with a target are slices.
        let is_diagram = |row: &&str| matches!(row.split(',').nth(1), Some("" | "target"));
        assert_eq!(
            csv(&maps).lines().collect::<Vec<_>>(),
            kept.lines().filter(is_diagram).collect::<Vec<_>>()
        );
    }

    /// A tenth off the exact curve the dot law is proved on one side and refuted on the other. So is the
    /// distance law where it fails first at E = 2y.
    #[test]
    fn the_exact_boundary_parts_the_regions() {
        for (law, from) in [(0, 1.3), (2, 1.05)] {
            let phase = phase(Setting { law }).unwrap();
            let inside = |&&(y, w): &&(f64, f64)| from < y && y < 50.0 && 0.05 < w && w < 50.0;
            let points: Vec<_> = phase.boundary.iter().filter(inside).collect();
            assert!(points.len() > 20);
            for &&(y, w) in &points {
                assert_eq!(at(&phase, y / 1.1, 1.1 * w), State::Holds);
                assert_eq!(at(&phase, 1.1 * y, w / 1.1), State::Fails);
            }
        }
    }
}
