//! What finetuning does to features and to held-out samples, against the energy, with the spread of the seeds.

use super::{Metric, Point, is_squared, reached};
use crate::plot::{Figure, Series, SeriesPanel, Transfer};
use taskhead::analysis::Means;
use taskhead::sweep::record::{Record, ScoreKind};

/// The mean, the least and the largest value over the seeds at each energy.
pub(super) fn series(means: &Means, of: impl Fn(&Point) -> f64) -> Series {
    let y = means.points.iter().map(|a| a.mean(&of)).collect();
    let fold = |start: f64, pick: fn(f64, f64) -> f64| -> Vec<f64> {
        means.points.iter().map(|a| a.values(&of).into_iter().fold(start, pick)).collect()
    };
    let (low, high) = (fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max));
    if means.seeds > 1 {
        Series::band(&means.name, means.energy.clone(), y, low, high)
    } else {
        Series::line(&means.name, means.energy.clone(), y)
    }
}

/// The panel of a metric.
fn panel_of(metric: Metric, means: &[Means]) -> SeriesPanel {
    SeriesPanel {
        title: metric.title().into(),
        y_label: metric.symbol().into(),
        series: means.iter().map(|m| series(m, |p| p.metric(metric))).collect(),
    }
}

/// The metrics against the average initial energy, and what it means for the held-out samples.
pub fn transfer(records: &[Record], metrics: &[Metric]) -> Option<Box<dyn Figure>> {
    let means = Means::all(records);
    if means.iter().all(|m| m.points.len() < 2) {
        return None;
    }
    let panel = |title: &str, label: &str, of: &dyn Fn(&Point) -> f64| SeriesPanel {
        title: title.into(),
        y_label: label.into(),
        series: means.iter().map(|m| series(m, of)).collect(),
    };
    let mut panels: Vec<_> = metrics.iter().map(|&metric| panel_of(metric, &means)).collect();
    if reached(records).iter().any(|p| p.measured.held_out_accuracy.is_some()) {
        let kind = reached(records).iter().find_map(|p| Some(p.measured.score?.kind));
        let name = kind.map_or("accuracy", ScoreKind::title);
        let mut score = panel(&format!("Test {name}"), name, &|p| p.held_out_score());
        for (series, means) in score.series.iter_mut().zip(&means) {
            let best = means.best(|p| p.validation_score());
            series.peak =
                best.map(|(i, _)| (means.energy[i], means.points[i].mean(|p| p.held_out_score())));
        }
        if score.series.iter().any(|series| series.peak.is_some()) {
            score.title += ", best by validation marked";
        }
        panels.push(score);
        let risk = |p: &Point| p.measured.risk.map_or(f64::NAN, |risk| risk.end);
        panels.push(match kind {
            Some(_) => panel("Test accuracy", "accuracy", &|p| p.held_out_accuracy()),
            None if is_squared(records) => panel("Test squared error", "mean ‖r‖²", &risk),
            None => panel("Test loss", "cross-entropy, mean", &risk),
        });
    }
    Some(Box::new(Transfer { x_label: "average initial energy".into(), panels }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::record;
    use super::*;
    use crate::plot::Theme;
    use taskhead::sweep::record::{Change, Measured, Outcome, Score};

    /// Two seeds with accuracies, changed.
    fn records(change: impl Fn(&mut Measured)) -> Vec<Record> {
        let one = |seed: u64, point: u64| {
            let mut record = record(seed, point, (point + 1) as f64, [point as f64; 4]);
            if let Outcome::Reached(_, measured) = &mut record.outcome {
                measured.validation_accuracy = Some(0.5 + 0.1 * point as f64);
                measured.held_out_accuracy = Some(Change { start: 0.0, end: 0.75 });
                change(measured);
            }
            record
        };
        (0..2).flat_map(|seed| (0..4).map(move |point| (seed, point))).map(|(s, p)| one(s, p)).collect()
    }

    fn panels(records: &[Record]) -> String {
        transfer(records, &Metric::MEANS).unwrap().svg(Theme::Light)
    }

    #[test]
    fn the_best_point_by_validation_is_marked() {
        let drawn = panels(&records(|_| ()));
        assert!(drawn.contains("Test accuracy, best by validation marked"), "{drawn}");
        // Without validation samples nothing is marked, and nothing says so.
        let drawn = panels(&records(|m| m.validation_accuracy = None));
        assert!(drawn.contains("Test accuracy") && !drawn.contains("by validation"), "{drawn}");
        // With a score of its own, that is drawn and marked.
        let drawn = panels(&records(|m| {
            let held_out = m.held_out_accuracy.unwrap();
            m.score =
                Some(Score { kind: ScoreKind::MeanIou, training: held_out, held_out, validation: 0.5 });
        }));
        assert!(drawn.contains("Test mean IoU, best by validation marked"), "{drawn}");
    }
}
