//! Numbers as JSON: what JSON has no number for is a text ("inf") or null (NaN).

use serde_json::{Value, json};

use taskhead::adaptation::Adaptation;

/// A number.
pub fn number(value: f64) -> Value {
    if value.is_nan() {
        Value::Null
    } else if value.is_infinite() {
        json!(if value > 0.0 { "inf" } else { "-inf" })
    } else {
        json!(value)
    }
}

/// The metrics.
pub fn adaptation(a: &Adaptation) -> Value {
    json!({
        "euclidean": number(a.euclidean),
        "cosine": number(a.cosine),
        "dot": number(a.dot),
        "norm": number(a.norm),
        "frobenius_distance": number(a.frobenius_distance),
    })
}
