//! A reader of bytes, and the bound on the memory that it takes.

use allocation_counter::measure;

/// What a reader may take however little it is given: names, messages, buffers, the state of what unpacks.
pub const BASE: u64 = 128 << 10;

/// A reader of bytes from users.
#[derive(Debug)]
pub struct Reader {
    /// Its name.
    pub name: &'static str,
    /// Reads, and says whether the bytes were accepted.
    pub read: fn(&[u8]) -> bool,
    /// Valid bytes, small ones first.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the format.
    pub words: fn() -> Vec<&'static str>,
}

/// Reads what is given, of this many bytes, and fails if that takes more memory than ten times as many bytes, counting
/// what is packed as what it unpacks to.
pub fn bounded(given: usize, unpacked: impl FnOnce() -> usize, read: impl FnOnce() -> bool) -> bool {
    let mut accepted = false;
    let taken = measure(|| accepted = read()).bytes_max;
    let allowed = |size: usize| 10 * size as u64 + BASE;
    if taken > allowed(given) {
        let size = given.max(unpacked());
        assert!(taken <= allowed(size), "{taken} bytes for {given} that unpack to {size}");
    }
    accepted
}

/// Two parts as one: the length of the first in two bytes, the parts.
pub fn join(first: &[u8], second: &[u8]) -> Vec<u8> {
    let length = u16::try_from(first.len()).expect("a short part");
    [&length.to_le_bytes(), first, second].concat()
}

/// The two parts of [`join`]; a first part that is too long takes all there is.
pub fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk() else { return (bytes, &[]) };
    rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()))
}
