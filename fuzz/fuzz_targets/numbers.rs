//! Small problems of numbers that break arithmetic: the check of `tests/random_edges.rs` on bytes in place of a seed.
#![no_main]

use std::convert::Infallible;

use rand::TryRng;

#[path = "../../tests/random_edges.rs"]
#[allow(dead_code, reason = "its tests are for seeds")]
mod random_edges;

/// A byte for every choice, and zeros behind the last.
struct Choices<'a>(std::slice::Iter<'a, u8>);

impl TryRng for Choices<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_ne_bytes([*self.0.next().unwrap_or(&0); 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_ne_bytes([*self.0.next().unwrap_or(&0); 8]))
    }

    fn try_fill_bytes(&mut self, all: &mut [u8]) -> Result<(), Infallible> {
        all.fill_with(|| *self.0.next().unwrap_or(&0));
        Ok(())
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&seed, choices)) = bytes.split_first() else { return };
    let case = random_edges::case_of(seed.into(), Choices(choices.iter()));
    random_edges::agree_or_are_refused(std::iter::once((seed.into(), case)));
});
