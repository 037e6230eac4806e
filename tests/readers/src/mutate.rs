//! Mutations of bytes.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Changes some bytes, cuts, doubles, or writes numbers and words that are hard to digest.
pub fn mutate(bytes: &[u8], words: &[&str], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut mutated = bytes.to_vec();
    // Headers and directories stand at the ends.
    let place = |length: usize, random: &mut ChaCha8Rng| match random.random_range(0..3) {
        0 => random.random_range(0..length.min(256)),
        1 => length - 1 - random.random_range(0..length.min(256)),
        _ => random.random_range(0..length),
    };
    for _ in 0..random.random_range(1..6) {
        let at = place(mutated.len(), random);
        match random.random_range(0..10) {
            0 => drop(mutated.remove(at)),
            1 => mutated.insert(at, random.random_range(0..=255)),
            2 => mutated[at] = [0, 1, 0x7f, 0x80, 0xff][random.random_range(0..5)],
            3 => {
                let number: u64 =
                    [0, 1, 1 << 20, 1 << 31, u64::MAX >> 1, u64::MAX][random.random_range(0..6)];
                let end = mutated.len().min(at + 8);
                mutated[at..end].copy_from_slice(&number.to_le_bytes()[..end - at]);
            }
            4 => mutated[at] = random.random_range(b'0'..=b'9'),
            5 => {
                let from = place(mutated.len(), random);
                let piece = mutated[from..mutated.len().min(from + 40)].to_vec();
                drop(mutated.splice(at..at, piece));
            }
            6 if mutated.len() > 64 => mutated.truncate(mutated.len() - random.random_range(1..32)),
            7 if !words.is_empty() => {
                let word = words[random.random_range(0..words.len())];
                drop(mutated.splice(at..at, word.bytes()));
            }
            _ => mutated[at] ^= 1 << random.random_range(0..8),
        }
        if mutated.is_empty() {
            mutated.push(0);
        }
    }
    mutated
}
