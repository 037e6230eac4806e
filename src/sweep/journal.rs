//! Resuming an interrupted run: what a journal knows is not computed again.

use super::record::{Cell, Record};

/// Keeps records while a sweep or a replay runs.
///
/// Cells that are computed together, a curve of a sweep or a probing point of a replay, are known together or not
/// at all. Whoever makes a journal ensures, by the identity of the plan, that it holds records of the same plan.
pub trait Journal: Sync {
    /// The records of an earlier, interrupted run from this cell on: as many as were kept together.
    fn known(&self, first: u64) -> Option<Vec<Record>>;

    /// Keeps the records of cells that were computed together.
    fn keep(&self, records: &[Record]);
}

/// Knows nothing and keeps nothing.
impl Journal for () {
    fn known(&self, _first: u64) -> Option<Vec<Record>> {
        None
    }

    fn keep(&self, _records: &[Record]) {}
}

/// The records of cells that belong together: those that the journal knows, or else what `compute` makes, which is
/// kept. What was not computed to its end is not a record and is not kept.
///
/// Of a known record only the outcome is taken; what it was asked for comes from the present cells.
pub fn known_or(
    journal: &dyn Journal,
    cells: Vec<Cell>,
    compute: impl FnOnce(Vec<Cell>) -> Option<Vec<Record>>,
) -> Option<Vec<Record>> {
    let known = cells.first().and_then(|first| journal.known(first.number));
    if let Some(known) = known
        && known.iter().map(|r| r.cell.number).eq(cells.iter().map(|c| c.number))
    {
        let outcomes = known.into_iter().map(|record| record.outcome);
        let known = cells.into_iter().zip(outcomes).map(|(cell, outcome)| Record { cell, outcome });
        return Some(known.collect());
    }
    let records = compute(cells)?;
    journal.keep(&records);
    Some(records)
}
