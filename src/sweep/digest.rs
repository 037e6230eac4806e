//! What tells contents apart.

use std::fmt;
use std::str::FromStr;

/// 32 bytes that tell contents apart. Whoever has the bytes of a file makes them, with a cryptographic hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(
    /// The bytes.
    pub [u8; 32],
);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest has 64 hexadecimal digits")]
pub struct NoDigest;

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NoDigest);
        }
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| NoDigest)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_as_they_are_written() {
        let digest = Digest(std::array::from_fn(|i| 7 * i as u8));
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for bad in ["", "ab", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(bad.parse::<Digest>(), Err(NoDigest));
        }
    }

    /// Knows the first of two curves, with a mark, and counts what is kept.
    struct Half(Vec<Record>, std::sync::atomic::AtomicUsize);

    impl Journal for Half {
        fn known(&self, first: u64) -> Option<Vec<Record>> {
            (first == 0).then(|| self.0.clone())
        }

        fn keep(&self, records: &[Record]) {
            self.1.fetch_add(records.len(), std::sync::atomic::Ordering::Relaxed);
        }
    }

    #[test]
    fn known_curves_are_not_run_again_and_broken_ones_are() {
        let mut config = Config::new(TaskSpec::Gaussian(Gaussian::default()));
        config.heads.seeds = 2;
        config.probe.points = Some(2);
        let plan = Plan::new(config).unwrap();
        let first = plan.records();
        let tasks = |seed| Task::new(&plan.config().problem, seed).map(Arc::new);
        let mut known = first[..2].to_vec();
        known[0].outcome = Outcome::Failed("mark".into());
        known[0].cell.problem = "where the file was before".into();
        let journal = Half(known.clone(), 0.into());
        let again = plan.run(&tasks, &journal);
        assert_eq!(journal.1.into_inner(), 2);
        assert_eq!((&again[0].outcome, &again[0].cell), (&known[0].outcome, &first[0].cell));
        assert_eq!(again[1..], first[1..]);
        // A curve that is known in part is run again.
        let journal = Half(known[..1].to_vec(), 0.into());
        assert_eq!(plan.run(&tasks, &journal), first);
        assert_eq!(journal.1.into_inner(), 4);
    }
}
