//! Whether something fits into memory, before it is made.

use super::error::Fault;

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

/// Nobody says how much there is, but a page has no more than it can address.
#[cfg(not(feature = "all"))]
pub fn available_memory() -> f64 {
    if cfg!(target_pointer_width = "32") { 2f64.powi(31) } else { f64::INFINITY }
}

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
