//! The figure of a recommendation: what each probing time is worth, and how far it moves the features.

use taskhead::advise::Advice;

use crate::plot::{Series, SeriesPanel, Trend};

/// Held-out accuracy (or loss) after probing and after finetuning, and distance, against the share of the energy.
///
/// The band is two standard errors of the difference to the recommended row, on both sides.
pub fn advice(advice: &Advice) -> Trend {
    let column = |of: fn(&taskhead::advise::Row) -> f64| advice.rows.iter().map(of).collect::<Vec<_>>();
    let shares = column(|row| row.share);
    let sign = if advice.counts { 1.0 } else { -1.0 };
    let scores: Vec<f64> = advice.rows.iter().map(|row| sign * row.score).collect();
    let probed: Vec<f64> = advice.rows.iter().map(|row| sign * row.probed).collect();
    let edge = |side: f64| -> Vec<f64> {
        advice
            .rows
            .iter()
            .zip(&scores)
            .map(|(row, score)| score + side * 2.0 * row.behind.error)
            .collect()
    };
    let tuned = Series::band("finetuned", shares.clone(), scores.clone(), edge(-1.0), edge(1.0));
    let best = advice.rows[advice.best].share;
    // Probing alone moves no feature.
    let still = Series::line("probed only", shares.clone(), vec![0.0; shares.len()]);
    let panels = vec![
        SeriesPanel {
            title: format!("{} held-out samples; best: {best:.2}", advice.held_out),
            y_label: if advice.counts { "held-out accuracy".into() } else { "held-out loss".into() },
            series: vec![tuned, Series::line("probed only", shares.clone(), probed)],
        },
        SeriesPanel {
            title: "How far features move".into(),
            y_label: "mean Euclidean distance".into(),
            series: vec![
                Series::line("finetuned", shares, column(|row| row.adaptation.euclidean)),
                still,
            ],
        },
    ];
    Trend { x_label: "share of energy left (0: probed fully)".into(), panels }
}
