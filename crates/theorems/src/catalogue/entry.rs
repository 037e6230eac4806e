//! What an entry of the catalogue says.

use super::check::Check;

/// What a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Two expressions are equal.
    Identity,
    /// A direction of change.
    Law,
    /// An inequality with constants.
    Bound,
    /// How fast an error falls.
    Order,
    /// Believed, not proved: no violation has been found.
    Conjecture,
    /// Seen in experiments; not a theorem.
    Observation,
}

/// A theorem or an observation.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// T1 … T33, C1 and C2 for conjectures, S1 for the solver, S2 for what is measured, O1 … O5.
    pub id: &'static str,
    /// Short name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// In words.
    pub statement: &'static str,
    /// As a formula.
    pub formula: &'static str,
    /// What it needs.
    pub hypotheses: &'static [&'static str],
    /// Where it comes from.
    pub source: &'static str,
    /// The Coq theorems that prove it or a part of it (`proofs/README.md` says which part); empty: none.
    pub proofs: &'static [&'static str],
    /// The figure of the gallery that shows it.
    pub figure: Option<&'static str>,
    /// How it is verified.
    pub evidence: Evidence,
}

/// How a statement is verified.
#[derive(Debug, Clone, Copy)]
pub enum Evidence {
    /// Every case must pass.
    Checks(&'static [Check]),
    /// Cases are counted.
    Count(Observation),
}

/// Which observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    /// O1
    Trend,
    /// O2
    BestProbing,
    /// O3
    HeadNorm,
    /// O4
    TrendCrossEntropy,
    /// O5
    HeadNormCrossEntropy,
}

/// The source of what is this project's own.
pub(super) const OWN: &str = "this project";
