//! What a finished replay has computed already.

use std::collections::HashMap;

use taskhead::sweep::Sweep;
use taskhead::sweep::journal::Journal;
use taskhead::sweep::record::Record;

/// The cells of a finished replay, each with the records of all its times, by the number of the first.
pub struct Earlier(HashMap<u64, Vec<Record>>);

impl Earlier {
    /// Those of a sweep, each with this many records.
    pub fn of(sweep: Option<&Sweep>, size: usize) -> Self {
        let chunks = sweep.map_or(&[][..], |sweep| &sweep.records).chunks(size);
        Self(chunks.map(|cell| (cell[0].cell.number, cell.to_vec())).collect())
    }

    /// How many of the first cells it has, up to a given number of them.
    pub fn count(&self, cells: usize, size: usize) -> usize {
        self.0.keys().filter(|&&first| first < (cells * size) as u64).count()
    }

    /// A journal that knows them, and beyond them what another one knows.
    pub fn before<'a>(&'a self, then: &'a dyn Journal) -> impl Journal + 'a {
        Before { earlier: self, then }
    }
}

struct Before<'a> {
    earlier: &'a Earlier,
    then: &'a dyn Journal,
}

impl Journal for Before<'_> {
    fn known(&self, first: u64) -> Option<Vec<Record>> {
        self.earlier.0.get(&first).cloned().or_else(|| self.then.known(first))
    }

    fn keep(&self, records: &[Record]) {
        self.then.keep(records);
    }
}
