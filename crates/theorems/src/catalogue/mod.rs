//! The catalogue: every theorem and observation with its statement, hypotheses, source and checks.
//!
//! A check draws random cases that meet the hypotheses, adds edge cases that barely do, and cases
//! that violate one, on which it must fail: a check that cannot see a failure proves nothing.
//! [`verify::verify`] runs them. What is proved by machine is in `proofs/`; the names are given here.

mod any_loss;
mod asymptotics;
mod beyond;
pub mod check;
mod draw;
mod drawn;
mod engine_loss;
mod entry;
pub mod examples;
pub mod finding;
mod forms;
mod general;
pub mod instance;
mod laws;
mod measures;
pub mod observations;
mod observed_loss;
mod probing;
mod rank_one;
mod reference;
mod settings;
mod softmax;
pub mod verify;

pub use entry::{Entry, Evidence, Kind};

use entry::OWN;

/// All entries: T1 to T33, C1, C2, S1, S2, O1 to O5.
pub fn catalogue() -> Vec<&'static Entry> {
    let all = [
        general::ENTRIES,
        probing::ENTRIES,
        rank_one::ENTRIES,
        laws::ENTRIES,
        forms::ENTRIES,
        asymptotics::ENTRIES,
        any_loss::ENTRIES,
        beyond::ENTRIES,
        measures::ENTRIES,
    ];
    let mut entries: Vec<&Entry> = all.into_iter().flatten().collect();
    let number = |id: &str| id[1..].parse::<usize>().unwrap_or(usize::MAX);
    entries.sort_by_key(|e| ("TCSO".find(&e.id[..1]), number(e.id)));
    entries.extend(observations::ENTRIES);
    entries.extend(observed_loss::ENTRIES);
    entries
}

/// No entry has this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The id.
    pub id: String,
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known: Vec<&str> = catalogue().iter().map(|entry| entry.id).collect();
        write!(f, "there is no statement `{}`; there are {}", self.id, known.join(", "))
    }
}

impl std::error::Error for Unknown {}

/// The entries of these ids, each once, in whatever case; all where none is named.
///
/// # Errors
///
/// The first id that no entry has.
pub fn chosen(ids: &[impl AsRef<str>]) -> Result<Vec<&'static Entry>, Unknown> {
    let all = catalogue();
    if ids.is_empty() {
        return Ok(all);
    }
    let find = |id: &str| all.iter().copied().find(|entry| entry.id.eq_ignore_ascii_case(id));
    let mut named: Vec<&'static Entry> = Vec::new();
    for id in ids.iter().map(AsRef::as_ref) {
        let entry = find(id).ok_or_else(|| Unknown { id: id.to_owned() })?;
        if named.iter().all(|other| other.id != entry.id) {
            named.push(entry);
        }
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_there_once_and_in_order() {
        let ids: Vec<&str> = catalogue().iter().map(|e| e.id).collect();
        let mut expected: Vec<String> = (1..=33).map(|i| format!("T{i}")).collect();
        expected.extend(["C1", "C2", "S1", "S2", "O1", "O2", "O3", "O4", "O5"].map(String::from));
        assert_eq!(ids, expected);
    }

    #[test]
    fn every_theorem_has_checks_that_can_fail() {
        for entry in catalogue() {
            let Evidence::Checks(checks) = entry.evidence else { continue };
            assert!(!checks.is_empty(), "{}", entry.id);
            let violations: usize = checks.iter().map(|c| c.violations.len()).sum();
            assert!(violations > 0, "{} has no case that violates a hypothesis", entry.id);
        }
    }
}
