//! Where the trend fails beyond one sample: the counter-examples of the catalogue along their probing time or head
//! rate.

use super::{log_steps, steps};
use crate::plot::{Beyond, Series, SeriesPanel};
use taskhead::adaptation::Adaptation;
use taskhead::simulation::SimulationError;
use taskhead_theorems::catalogue::examples::{Along, Example, Rises, examples};

/// Points of a curve.
const POINTS: usize = 61;

/// What a curve shows, with its label.
type Curve = (&'static str, fn(&Adaptation) -> f64);

/// A panel for each counter-example, by its number in `docs/beyond-one-sample.md`. The two values that it names are
/// marked.
///
/// # Errors
///
/// A flow without an answer.
pub fn beyond() -> Result<Beyond, SimulationError> {
    Ok(Beyond {
        name: "beyond",
        title: "Where the trend fails beyond one sample",
        panels: examples().iter().map(panel).collect::<Result<_, _>>()?,
    })
}

/// Where a curve is computed, to a little beyond its marks: densely towards probing time 0, and around the second head
/// rate, where example 6 passes a saddle and has a sharp peak.
fn places(example: &Example) -> Vec<f64> {
    let [low, high] = example.at;
    match example.along {
        Along::ProbingTime => {
            let end = high + 1.5 * (high - low);
            steps(0.0, 1.0, POINTS).into_iter().map(|share| share * share * end).collect()
        }
        Along::HeadRate => {
            let end = high + (high - low) / 2.0;
            let near = log_steps(1e-6, 1.0, POINTS / 2);
            let around =
                near.iter().flat_map(|share| [high - share * (high - low), high + share * (end - high)]);
            let mut all: Vec<f64> =
                steps(low / 4.0, end, POINTS).into_iter().chain([high]).chain(around).collect();
            all.sort_by(f64::total_cmp);
            all
        }
    }
}

fn panel(example: &Example) -> Result<(String, SeriesPanel), SimulationError> {
    let x = places(example);
    let at = |x: &f64| example.adaptation(*x);
    let all: Vec<Adaptation> = x.iter().map(at).collect::<Result<_, _>>()?;
    let marks: Vec<Adaptation> = example.at.iter().map(at).collect::<Result<_, _>>()?;
    // Where a mean rises it is compared with the Frobenius distance, both in units of their first mark.
    let curves: &[Curve] = match example.rises {
        Rises::Frobenius => &[("", |a| a.frobenius_distance)],
        Rises::MeanDistance => &[("Frobenius", |a| a.frobenius_distance), ("mean", |a| a.euclidean)],
        Rises::MeanCosine => &[("Frobenius", |a| a.frobenius_distance), ("mean cosine", |a| a.cosine)],
    };
    let mut series = Vec::new();
    for (label, of) in curves {
        let unit = if curves.len() > 1 { of(&marks[0]) } else { 1.0 };
        let values = |all: &[Adaptation]| all.iter().map(|a| of(a) / unit).collect::<Vec<f64>>();
        series.push(Series::line(*label, x.clone(), values(&all)));
        series.push(Series::points(*label, example.at.to_vec(), values(&marks)));
    }
    let x_label = match example.along {
        Along::ProbingTime => "probing time τ",
        Along::HeadRate => "head rate γ",
    };
    let y_label = if curves.len() > 1 { "distance / first mark" } else { "‖Z_{T} − Z₀‖_{F}" };
    Ok((x_label.into(), SeriesPanel { title: example.title.into(), y_label: y_label.into(), series }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between the marks of every panel a curve rises, as it would not where the trend is a law.
    #[test]
    fn every_panel_shows_a_rise_between_its_marks() {
        let figure = beyond().unwrap();
        assert_eq!(figure.panels.len(), 8);
        for (number, (_, panel)) in figure.panels.iter().enumerate() {
            let marks = panel.series.iter().filter(|s| s.x.len() == 2);
            let rises: Vec<bool> = marks.map(|s| s.y[0] < s.y[1]).collect();
            let expected: &[bool] = if number < 6 { &[true] } else { &[false, true] };
            assert_eq!(rises, expected, "example {}", number + 1);
        }
    }
}
