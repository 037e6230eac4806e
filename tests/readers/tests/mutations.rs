//! Mutations of valid bytes through every reader: no panic, no hang, and no more memory than ten times what was read.
//! `MUTATIONS=1000000` tries more.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use taskhead_readers::{READERS, Reader, mutate};

/// Mutations of a reader's seeds, of each the same number.
const MUTATIONS: usize = 6000;

/// Of the mutations of all seeds some are accepted and some are not.
fn check(reader: &Reader) {
    let (words, seeds) = ((reader.words)(), (reader.seeds)());
    let all = std::env::var("MUTATIONS").map_or(MUTATIONS, |n| n.parse().expect("a number"));
    let mut random = ChaCha8Rng::seed_from_u64(seeds.len() as u64);
    assert!(seeds.iter().all(|seed| (reader.read)(seed)), "{}: a seed is not valid", reader.name);
    let seeds = seeds.iter().cycle().take(all);
    let accepted = seeds.filter(|seed| (reader.read)(&mutate(seed, &words, &mut random))).count();
    println!("{}: {accepted} of {all} accepted", reader.name);
    assert!((all / 200..all).contains(&accepted), "{}: {accepted} of {all} accepted", reader.name);
}

macro_rules! check_all {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(READERS.iter().find(|reader| reader.name == stringify!($name)).expect("a known reader"));
        })*

        #[test]
        fn no_reader_is_left_out() {
            let names: Vec<&str> = READERS.iter().map(|reader| reader.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

check_all! { problem npy safetensors sweep csv parquet config replay idx cifar archive }
