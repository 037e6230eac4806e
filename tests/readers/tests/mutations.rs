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

/// The smallest inputs of what was found: panics, hangs, and memory for what was only claimed.
#[test]
fn what_was_once_found_is_refused() {
    let brackets = [b"a = [1".to_vec(), b"{......".repeat(500)].concat();
    // 65,534 members in 3 MB from 65,536 on.
    let end = [&[0; 4][..], &[0xfe, 0xff, 0xfe, 0xff], &[0xff, 0xff, 0x2f, 0], &[0, 0, 1, 0], &[0; 2]]
        .concat();
    let archive = [&b"PK\x03\x04"[..], &[0; 70_000], b"PK\x01\x02", b"PK\x05\x06", &end].concat();
    let empty = "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 9223372036854775807, 9223372036854775807)}";
    let npy =
        |shape: &str| [&b"\x93NUMPY\x01\0"[..], &[shape.len() as u8, 0], shape.as_bytes()].concat();
    let (images, labels) = (npy(empty), npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0,)}"));
    let images = [&(images.len() as u16).to_le_bytes()[..], &images, &labels].concat();
    let found: &[(&str, &[u8])] = &[
        // A list where a number belongs, and behind it one of 2³¹ booleans.
        ("parquet", b"\x19*\n\x0b\0\n\0*\xf2\xf2\xf2\xf2\xf2\0"),
        // An unknown list of 13 booleans, in whose bytes another one has 2³¹.
        ("parquet", b"\xd9\xd1\x19\xf1\xff\xff\xff\xff\x07\0\0\0\0\0\0\0"),
        ("sweep", "#tahead \u{feff},cell,problem\n".as_bytes()),
        ("config", &brackets),
        ("problem", &archive),
        ("archive", &images),
    ];
    for (name, bytes) in found {
        assert!(!taskhead_readers::read(name, bytes), "{name}: {}", bytes.escape_ascii());
    }
}
