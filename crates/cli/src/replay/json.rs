//! What a replay found, as JSON.

use serde_json::{Value, json};

use taskhead::analysis::findings::Finding;
use taskhead::analysis::nearness::{KernelChange, Nearness};
use taskhead::analysis::optimum::Optimum;
use taskhead::analysis::paired::Difference;
use taskhead::sweep::record::ScoreKind;

/// What JSON has no number for is null.
pub fn number(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { Value::Null }
}

/// One law on the curves of one group.
pub fn finding(finding: &Finding) -> Value {
    json!({
        "group": finding.group,
        "metric": finding.row.metric.name(),
        "claim": finding.row.claim(),
        "seen": finding.seen(),
        "verdict": finding.verdict(),
        "mean": finding.mean,
        "agree": finding.row.agree.0,
        "seeds": finding.row.agree.1,
        "spread": number(finding.spread),
    })
}

/// The best probing point of a group.
pub fn optimum(best: &Optimum) -> Value {
    let name = best.score.map_or("accuracy", ScoreKind::name);
    json!({
        "group": best.group,
        "seeds": best.seeds,
        "aie": best.energy,
        "probe_time": best.probe_time,
        "chosen_by": format!("validation_{name}"),
        "test_accuracy": best.accuracy,
        format!("validation_{name}"): best.validation,
        format!("test_{name}"): best.test,
        format!("test_{name}_at_least_energy"): best.ends[0],
        format!("test_{name}_at_most_energy"): best.ends[1],
        "inner_minus_least_energy": best.inner.map(|[least, _]| difference(&least)),
        "inner_minus_most_energy": best.inner.map(|[_, most]| difference(&most)),
    })
}

fn difference(difference: &Difference) -> Value {
    json!({"mean": difference.mean, "half_width": difference.half_width, "level": 0.95})
}

/// How near a theory comes in one metric.
pub fn nearness(near: &Nearness) -> Value {
    let errors = near.errors.iter().map(|&(aie, error)| json!({"aie": aie, "error": number(error)}));
    json!({
        "group": near.group,
        "metric": near.metric.name(),
        "compared": if near.metric.is_distance() { "value" } else { "change" },
        "network_over_theory": number(near.factor),
        "error": number(near.error),
        "correlation": number(near.correlation),
        "errors": errors.collect::<Vec<_>>(),
    })
}

/// By how much the tangent kernel of a network changed.
pub fn kernel_change(change: &KernelChange) -> Value {
    let changes = change.changes.iter().map(|(aie, change)| json!({"aie": aie, "change": change}));
    json!({"group": change.group, "changes": changes.collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskhead::metric::Metric;

    #[test]
    fn a_score_that_is_not_accuracy_stands_beside_it() {
        let mut best = Optimum {
            group: "all".into(),
            score: None,
            seeds: 1,
            energy: 1.0,
            probe_time: 2.0,
            validation: 0.5,
            test: 0.25,
            accuracy: 0.25,
            ends: [0.125, 0.0],
            inner: None,
        };
        let json = optimum(&best);
        assert_eq!((&json["test_accuracy"], &json["validation_accuracy"]), (&json!(0.25), &json!(0.5)));
        assert!(json["inner_minus_most_energy"].is_null());
        (best.score, best.accuracy) = (Some(ScoreKind::MeanIou), 0.75);
        let json = optimum(&best);
        assert_eq!((&json["test_mean_iou"], &json["test_accuracy"]), (&json!(0.25), &json!(0.75)));
    }

    #[test]
    fn what_is_no_number_is_null() {
        let near = Nearness {
            group: "all".into(),
            metric: Metric::Norm,
            factor: 1.0,
            error: 0.5,
            correlation: f64::NAN,
            errors: vec![(1.0, f64::INFINITY)],
        };
        let json = nearness(&near);
        assert!(json["correlation"].is_null() && json["errors"][0]["error"].is_null());
        assert_eq!((&json["compared"], &json["error"]), (&json!("change"), &json!(0.5)));
    }
}
