//! Chapter 3: where the laws go on beyond E = y (T13), sampled.

use serde::{Deserialize, Serialize};
use taskhead::flow::rank_one::Limit;
use taskhead::gallery::{log_steps, steps};

/// Energies between y and 2y at which a law is looked at.
const STEPS: usize = 120;

/// The grid.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Points a side.
    points: usize,
}

/// The diagram. `states[law][w][y]`: 0 holds on [y, 2y], 1 undecided by rounding, 2 fails.
#[derive(Debug, Serialize)]
pub struct Phase {
    certified: bool,
    targets: Vec<f64>,
    across: Vec<f64>,
    states: [Vec<Vec<u8>>; 4],
}

/// Direction of each metric that the trend has beyond E = y.
const SIGNS: [f64; 4] = [1.0, 1.0, -1.0, -1.0];

/// Samples the diagram.
pub fn phase(setting: Setting) -> Result<Phase, String> {
    if !(2..=200).contains(&setting.points) {
        return Err(format!("points = {} is not valid; it must be between 2 and 200", setting.points));
    }
    let targets = log_steps(0.1, 10.0, setting.points);
    let across = log_steps(0.01, 10.0, setting.points);
    let mut states = [const { Vec::new() }; 4];
    for &w in &across {
        let row: Vec<[u8; 4]> = targets.iter().map(|&y| laws(y, w)).collect();
        for (law, states) in states.iter_mut().enumerate() {
            states.push(row.iter().map(|s| s[law]).collect());
        }
    }
    Ok(Phase { certified: false, targets, across, states })
}

/// The four laws at one point: the sign of every step between neighbouring energies.
fn laws(y: f64, w: f64) -> [u8; 4] {
    let values: Vec<[f64; 4]> = steps(y, 2.0 * y, STEPS)
        .into_iter()
        .map(|e| Limit::new(y, w, y - e).adaptation().values())
        .collect();
    [0, 1, 2, 3].map(|i| {
        let size = values.iter().fold(0.0_f64, |r, v| r.max(v[i].abs()));
        let steps = values.windows(2).map(|p| SIGNS[i] * (p[1][i] - p[0][i]));
        let worst = steps.fold(f64::INFINITY, f64::min);
        let rounding = 1e-13 * size;
        if worst > rounding {
            0
        } else if worst < -rounding {
            2
        } else {
            1
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counter-example of the Coq file Beyond.v (a = −2, so E < 2y), and what is proved to go on.
    #[test]
    fn proved_points_are_where_they_belong() {
        assert_eq!(laws(23.0 / 9.0, 0.5)[2], 2);
        let phase = phase(Setting { points: 20 }).unwrap();
        assert!(phase.states[3].iter().flatten().all(|&s| s != 2));
        let distance: Vec<u8> = phase.states[0].iter().flatten().copied().collect();
        assert!(distance.contains(&0) && distance.contains(&2));
    }
}
