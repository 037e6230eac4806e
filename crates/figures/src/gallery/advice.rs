//! The figure of a recommendation: what each probing time is worth, and how far it moves the features.

use taskhead::advise::{Advice, Row};

use crate::plot::{Series, SeriesPanel, Trend};

/// Held-out accuracy (or loss) after finetuning and after probing alone, each on a scale of its own, and how far and
/// how much the features move and turn, against the share of the energy.
///
/// The band is two standard errors of the difference to the recommended row, on both sides; that row has a marker.
pub fn advice(advice: &Advice) -> Trend {
    let column = |of: &dyn Fn(&Row) -> f64| advice.rows.iter().map(of).collect::<Vec<_>>();
    let shares = column(&|row| row.share);
    let sign = if advice.counts { 1.0 } else { -1.0 };
    let edge = |side: f64| column(&|row| sign * row.score + side * 2.0 * row.behind.error);
    let best = &advice.rows[advice.best];
    let tuned = Series::band("", shares.clone(), column(&|row| sign * row.score), edge(-1.0), edge(1.0));
    let line = |of: &dyn Fn(&Row) -> f64| Series::line("", shares.clone(), column(of));
    let panel = |title: &str, y_label: &str, series: Vec<Series>| SeriesPanel {
        title: title.into(),
        y_label: y_label.into(),
        series,
    };
    let score = if advice.counts { "accuracy" } else { "loss" };
    let held_out = format!("{score} of {} held out", advice.held_out);
    let mark = Series::points("", vec![best.share], vec![sign * best.score]);
    let panels = vec![
        panel(
            &format!("After finetuning; recommended: {:.2}", best.share),
            &held_out,
            vec![tuned, mark],
        ),
        panel("After probing alone", &held_out, vec![line(&|row| sign * row.probed)]),
        panel(
            "How far features move",
            "mean Euclidean distance",
            vec![line(&|row| row.adaptation.euclidean)],
        ),
        panel("How much they turn", "mean cosine distance", vec![line(&|row| row.adaptation.cosine)]),
    ];
    Trend { x_label: "share of energy left (0: probed fully)".into(), panels }
}
