//! How many threads a command may use.

use super::numbers::whole;

/// As many threads as any machine has cores.
const MOST_THREADS: u64 = 4095;

/// Parses the number of threads.
pub fn threads(text: &str) -> Result<usize, String> {
    whole(1..=MOST_THREADS)(text)
}

/// Limits the threads, if a number is given.
pub fn use_threads(count: Option<usize>) -> anyhow::Result<()> {
    match count {
        Some(count) => Ok(rayon::ThreadPoolBuilder::new().num_threads(count).build_global()?),
        None => Ok(()),
    }
}
