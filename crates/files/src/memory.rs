//! Whether something fits into memory, before it is made.

use super::error::Fault;
#[cfg(feature = "all")]
use taskhead::sweep::record::Record;
#[cfg(feature = "all")]
use taskhead::tasks::{Gaussian, TaskSpec};

/// Bytes of a number in double precision.
pub(super) const DOUBLE: f64 = 8.0;

/// Bytes that the machine, or the limit set for this process, has left; ∞ where the operating system does not say.
#[cfg(feature = "all")]
pub fn available_memory() -> f64 {
    use sysinfo::{MemoryRefreshKind, System};
    let Ok(mut system) = System::new() else { return f64::INFINITY };
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let limited = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    match system.available_memory().min(limited) {
        0 => f64::INFINITY,
        bytes => bytes as f64,
    }
}

/// The amount is not known, but a page has no more than it can address.
#[cfg(not(feature = "all"))]
pub fn available_memory() -> f64 {
    if cfg!(target_pointer_width = "32") { 2f64.powi(31) } else { f64::INFINITY }
}

/// The sizes that decide what a problem and its flow take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// N
    pub samples: f64,
    /// P
    pub held_out: f64,
    /// The larger of h and d.
    pub width: f64,
    /// How many of them remain after a reduction to what can move.
    pub reduced: f64,
    /// k
    pub outputs: f64,
    /// The largest rank that the kernel may have.
    pub rank: f64,
}

impl Size {
    /// Numbers that a problem takes besides its arrays, as an estimate from above.
    pub fn problem(&self) -> f64 {
        LAYERS * self.layers()
    }

    /// Numbers that a run on it takes: the flow decomposes a matrix of the size of the kernel's rank for each output.
    pub fn run(&self) -> f64 {
        let matrices = self.outputs.min(self.rank + self.width) + SOLVER;
        RUN_LAYERS * self.layers() + matrices * self.rank * self.rank
    }

    fn layers(&self) -> f64 {
        (self.samples + self.held_out + self.reduced) * (self.width + self.outputs)
    }
}

/// Copies of features, targets and factors of a decomposition.
const LAYERS: f64 = 6.0;

/// The same in one run of the flow.
const RUN_LAYERS: f64 = 4.0;

/// Matrices of the size of the rank that the solver needs beside one for each output.
const SOLVER: f64 = 4.0;

/// Bytes that this many simultaneous runs take, each on a task of this description that it makes for itself, as an
/// estimate from above; 0 for a task from a file, which knows it by itself
/// ([`ProblemParts::memory`](super::ProblemParts::memory)).
#[cfg(feature = "all")]
pub fn memory_of_task(task: &TaskSpec, runs: usize) -> f64 {
    let [n, d, h, k, p] = match task {
        &TaskSpec::Gaussian(Gaussian {
            samples,
            inputs,
            width,
            outputs,
            held_out,
            ref teacher_angle,
            ..
        }) => {
            // The risk of a teacher is that of all unit inputs.
            let held_out = if teacher_angle.is_some() { inputs } else { held_out };
            [samples, inputs, width, outputs, held_out]
        }
        TaskSpec::Digits(digits) => [DIGITS, PIXELS, digits.width, CLASSES, DIGITS],
        TaskSpec::RankOne(_) | TaskSpec::File { .. } => return 0.0,
    }
    .map(|size| size as f64);
    // A backbone is drawn by decompositions of its own.
    let width = d.max(h);
    let size = Size { samples: n, held_out: p, width, reduced: width, outputs: k, rank: n.min(d) };
    let drawn = DRAWN * ((n + p + h) * d + n * k);
    DOUBLE * runs as f64 * (drawn + size.problem() + size.run())
}

/// The most images in either half of the embedded digits, with their pixels and their classes.
#[cfg(feature = "all")]
const DIGITS: usize = 901;
#[cfg(feature = "all")]
const PIXELS: usize = 64;
#[cfg(feature = "all")]
const CLASSES: usize = 5;

/// Copies of an array that is drawn: its numbers, its matrix, the task's and the problem's.
#[cfg(feature = "all")]
const DRAWN: f64 = 4.0;

/// Bytes that a sweep takes for the records of this many cells, as an estimate from above.
#[cfg(feature = "all")]
pub fn memory_of_records(cells: usize) -> f64 {
    cells as f64 * COPIES * (size_of::<Record>() as f64 + TEXTS)
}

/// Records in the journal, on their way into a file, and in the result.
#[cfg(feature = "all")]
const COPIES: f64 = 5.0;

/// Bytes of the texts of a record.
#[cfg(feature = "all")]
const TEXTS: f64 = 64.0;

/// Refuses what needs more bytes than there are.
///
/// # Errors
///
/// [`Fault::Memory`], with what is needed and what is available.
pub fn check_memory(what: impl Into<String>, needed: f64, available: f64) -> Result<(), Fault> {
    if needed <= available {
        return Ok(());
    }
    Err(Fault::Memory { what: what.into(), needed, available })
}

#[cfg(all(test, feature = "all"))]
mod tests {
    use super::*;
    use taskhead::tasks::{DigitsTransfer, RankOneTask};

    #[test]
    fn what_no_machine_has_is_known_before_it_is_made() {
        let gaussian = |change: &dyn Fn(&mut Gaussian)| {
            let mut gaussian = Gaussian::default();
            change(&mut gaussian);
            memory_of_task(&TaskSpec::Gaussian(gaussian), 2)
        };
        assert!(gaussian(&|_| ()) < 1e6);
        let changes: [&dyn Fn(&mut Gaussian); 7] = [
            &|g| g.samples = 100_000_000,
            &|g| g.inputs = 100_000_000,
            &|g| g.width = 100_000_000,
            &|g| g.outputs = 100_000_000,
            &|g| g.held_out = 100_000_000,
            &|g| g.samples = usize::MAX,
            &|g| (g.inputs, g.teacher_angle) = (1_000_000, Some(0.5)),
        ];
        for change in changes {
            assert!(gaussian(change) > 64e9, "{}", gaussian(change));
        }
        let wide = DigitsTransfer { width: 100_000_000, ..DigitsTransfer::default() };
        assert!(memory_of_task(&TaskSpec::Digits(wide), 1) > 64e9);
        assert!(memory_of_task(&TaskSpec::Digits(DigitsTransfer::default()), 2) < 1e8);
        assert_eq!(memory_of_task(&TaskSpec::RankOne(RankOneTask::default()), 2), 0.0);
        assert!(memory_of_records(1000) < 1e7);
    }
}
