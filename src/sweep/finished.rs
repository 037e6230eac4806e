//! A finished sweep.

use super::digest::Digest;
use super::record::Record;

/// The version of the fields of a record. Tables carry it.
pub const SCHEMA: u32 = 4;

/// The oldest version whose tables are read: it has no Frobenius distances.
pub const OLDEST_SCHEMA: u32 = 3;

/// A finished sweep: its rows in the order of the grid, and what made them.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// The configuration as TOML text; empty if it is not known.
    pub config: String,
    /// The version of this program that ran it; empty if it is not known.
    pub version: String,
    /// The digest of what its records depend on: [`Plan::identity`](super::plan::Plan::identity).
    pub identity: Option<Digest>,
    /// One record for each cell.
    pub records: Vec<Record>,
}

impl Sweep {
    /// Sweeps side by side, each under a name that takes the place of that of its problem, or stands before it where
    /// there are several: what figures draw in one picture. How each was made is no longer known.
    pub fn beside(parts: Vec<(String, Self)>) -> Self {
        let mut records = Vec::new();
        for (name, sweep) in parts {
            let several = sweep.records.iter().any(|r| r.cell.problem != sweep.records[0].cell.problem);
            for mut record in sweep.records {
                let cell = &mut record.cell;
                cell.number = records.len() as u64;
                cell.problem = if several { format!("{name}, {}", cell.problem) } else { name.clone() };
                records.push(record);
            }
        }
        let version = env!("CARGO_PKG_VERSION").into();
        Self { config: String::new(), version, identity: None, records }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups;
    use crate::sweep::record::tests::reached;

    fn sweep(problems: &[&str]) -> Sweep {
        let record = |(point, problem): (usize, &&str)| {
            let mut record = reached(0, point as u64, point as f64 + 1.0, [1.0; 4]);
            record.cell.problem = (*problem).into();
            record
        };
        let records = problems.iter().enumerate().map(record).collect();
        Sweep { config: "x".into(), version: "0".into(), identity: None, records }
    }

    /// Every part is a group of its own with its name, however its problem was called.
    #[test]
    fn sweeps_stand_side_by_side() {
        let parts = [("network", &["p", "p"]), ("theory", &["p", "p"]), ("both", &["p", "q"])];
        let parts = parts.map(|(name, problems)| (name.to_owned(), sweep(problems)));
        let all = Sweep::beside(parts.into());
        let numbers: Vec<u64> = all.records.iter().map(|r| r.cell.number).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
        let groups = groups(&all.records);
        let labels: Vec<&str> = groups.iter().map(|g| g.label.as_str()).collect();
        assert_eq!(labels, ["network", "theory", "both, p", "both, q"]);
        assert_eq!(all.config, "");
        assert!(Sweep::beside(Vec::new()).records.is_empty());
    }
}
