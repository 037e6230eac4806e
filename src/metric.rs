//! The metrics by name: the four of the paper, which are means over the inputs, and the Frobenius distance.

use serde::{Deserialize, Serialize};

use crate::adaptation::Adaptation;

/// How far features moved, in one of five ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Mean Euclidean distance ‖z_T − z₀‖.
    Euclidean,
    /// Mean cosine distance 1 − cos(z_T, z₀).
    Cosine,
    /// Mean dot product z_T·z₀.
    Dot,
    /// Mean norm ‖z_T‖.
    Norm,
    /// Frobenius distance ‖Z_T − Z₀‖_F over all inputs.
    #[serde(rename = "frobenius_distance")]
    Frobenius,
}

impl Metric {
    /// The four of the paper: means over the inputs, in the order of [`Adaptation::means`].
    pub const MEANS: [Self; 4] = [Self::Euclidean, Self::Cosine, Self::Dot, Self::Norm];

    /// All five, in the order of [`Adaptation::values`].
    pub const ALL: [Self; 5] = [Self::Euclidean, Self::Cosine, Self::Dot, Self::Norm, Self::Frobenius];

    /// Its name in tables, flags and JSON.
    pub fn name(self) -> &'static str {
        ["euclidean", "cosine", "dot", "norm", "frobenius_distance"][self as usize]
    }

    /// Its name in texts and figures.
    pub fn title(self) -> &'static str {
        ["Euclidean distance", "Cosine distance", "Dot product", "Norm", "Frobenius distance"]
            [self as usize]
    }

    /// Its formula; braces hold a subscript.
    pub fn symbol(self) -> &'static str {
        ["‖z_{T} − z₀‖", "1 − cos(z_{T}, z₀)", "z_{T}·z₀", "‖z_{T}‖", "‖Z_{T} − Z₀‖_{F}"][self as usize]
    }

    /// Whether it is a distance, which is 0 where nothing moved.
    pub fn is_distance(self) -> bool {
        matches!(self, Self::Euclidean | Self::Cosine | Self::Frobenius)
    }

    /// Its value.
    pub fn of(self, adaptation: &Adaptation) -> f64 {
        adaptation.values()[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_values() {
        let a = Adaptation { euclidean: 1.0, cosine: 2.0, dot: 3.0, norm: 4.0, frobenius_distance: 5.0 };
        assert_eq!(Metric::ALL.map(|m| m.of(&a)), a.values());
        assert_eq!(Metric::MEANS.map(|m| m.of(&a)), a.means());
        let names = ["euclidean", "cosine", "dot", "norm", "frobenius_distance"];
        assert_eq!(Metric::ALL.map(Metric::name), names);
        for (metric, name) in Metric::ALL.into_iter().zip(names) {
            assert_eq!(serde_json::to_value(metric).unwrap(), name);
        }
        assert_eq!(Metric::ALL.map(Metric::is_distance), [true, true, false, false, true]);
    }
}
