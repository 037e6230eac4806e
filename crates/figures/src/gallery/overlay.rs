//! The theory laid over a network: both against the energy.

use std::collections::HashMap;

use super::transfer::series;
use super::{Metric, Point, reached};
use crate::plot::{Figure, Series, SeriesPanel, Transfer};
use taskhead::analysis::Means;
use taskhead::analysis::nearness::{Grounds, Place, kernel_change, moved, place, title};
use taskhead::sweep::record::Record;

/// Distances, and the changes of dot product and norm, of a network with those of the theory; by how much the network
/// moves further than the theory; and how its kernel changes.
pub fn overlay(network: &[Record], theory: &[Record], grounds: &Grounds) -> Option<Box<dyn Figure>> {
    let panels = panels(network, theory, grounds)?;
    Some(Box::new(Transfer { x_label: "average initial energy".into(), panels }))
}

fn panels(network: &[Record], theory: &[Record], grounds: &Grounds) -> Option<Vec<SeriesPanel>> {
    let both = [network, theory].concat();
    let means = Means::all(&both);
    if means.len() < 2 {
        return None;
    }
    let of_metric = |metric: Metric| SeriesPanel {
        title: title(metric),
        y_label: ["‖z_{T} − z₀‖", "1 − cos(z_{T}, z₀)", "z_{T}·z₀ − z₀·z₀", "‖z_{T}‖ − ‖z₀‖"]
            [metric as usize]
            .into(),
        series: means.iter().map(|m| series(m, |p| moved(p, metric, grounds))).collect(),
    };
    let mut panels = Metric::MEANS.map(of_metric).to_vec();
    let distances: HashMap<Place, f64> =
        reached(network).iter().map(|p| (place(p.cell), p.metric(Metric::Euclidean))).collect();
    let factor =
        |p: &Point| distances.get(&place(p.cell)).map_or(f64::NAN, |d| d / p.metric(Metric::Euclidean));
    let own: Vec<Means> = Means::all(network);
    let is_own = |m: &&Means| own.iter().any(|o| o.name == m.name);
    let even = |m: &Means| Series::line(&m.name, m.energy.clone(), vec![1.0; m.energy.len()]);
    panels.push(SeriesPanel {
        title: "Distance, network over theory".into(),
        y_label: "ratio".into(),
        series: means.iter().map(|m| if is_own(&m) { even(m) } else { series(m, factor) }).collect(),
    });
    panels.push(SeriesPanel {
        title: "Change of the network's kernel".into(),
        y_label: "‖K_{T} − K₀‖ / ‖K₀‖".into(),
        series: means.iter().filter(is_own).map(|m| series(m, |p| kernel_change(p, grounds))).collect(),
    });
    Some(panels)
}

#[cfg(test)]
mod tests {
    use super::super::testing::record;
    use super::*;
    use taskhead::analysis::nearness::Ground;
    use taskhead::sweep::record::Cell;

    /// A network of two seeds whose features have z₀·z₀ = 100 and ‖z₀‖ = 10, and a theory that has 1.5 times the change
    /// of its dot product and does not see that its norm changes.
    fn pair() -> (Vec<Record>, Vec<Record>, Vec<(Cell, Ground)>) {
        let (mut network, mut theory, mut grounds) = (vec![], vec![], vec![]);
        for seed in 0..2 {
            for i in 0..4u64 {
                let change = (i + 1 + seed) as f64;
                let of = |dot: f64, norm: f64| record(seed, i, change, [change, change, dot, norm]);
                network.push(of(100.0 + change, 10.0 + change));
                let mut one = of(100.0 + 1.5 * change, 10.0);
                let ground = Ground { start: [100.0, 10.0], kernel_change: Some(change / 100.0) };
                grounds.push((one.cell.clone(), ground));
                one.cell.problem += ", full kernel";
                one.cell.number += 500;
                theory.push(one);
            }
        }
        (network, theory, grounds)
    }

    #[test]
    fn panels_show_the_changes_of_both() {
        let (network, theory, grounds) = pair();
        let grounds = grounds.into_iter().collect();
        let panels = panels(&network, &theory, &grounds).unwrap();
        let of = |panel: usize| panels[panel].series.iter().map(|s| s.y.clone()).collect::<Vec<_>>();
        assert_eq!(of(2)[0].iter().map(|y| y * 1.5).collect::<Vec<_>>(), of(2)[1]);
        assert_eq!((of(4), of(5)), (vec![vec![1.0; 4]; 2], vec![vec![0.015, 0.025, 0.035, 0.045]]));
    }
}
