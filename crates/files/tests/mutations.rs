//! Mutations of valid input: no panic, no hang, and no more memory than ten times what was read.

mod common;

use allocation_counter::measure;
use common::{archive, npy, npy_of, npz, texts};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use taskhead::sweep::config::Config;
use taskhead::sweep::plan::Plan;
use taskhead::sweep::record::Outcome;
use taskhead::tasks::{RankOneTask, TaskSpec};
use taskhead_files::{ProblemParts, digest, read_sweep, write_csv, write_parquet};
use zip::CompressionMethod::Deflated;

/// What a reader may take however little it is given: names, messages, buffers.
const SLACK: u64 = 64 << 10;

/// Changes some bytes, cuts, doubles, or writes numbers that are hard to digest.
fn mutate(bytes: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut mutated = bytes.to_vec();
    // Headers and directories stand at the ends.
    let place = |length: usize, random: &mut ChaCha8Rng| match random.random_range(0..3) {
        0 => random.random_range(0..length.min(256)),
        1 => length - 1 - random.random_range(0..length.min(256)),
        _ => random.random_range(0..length),
    };
    for _ in 0..random.random_range(1..6) {
        let at = place(mutated.len(), random);
        match random.random_range(0..9) {
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
            _ => mutated[at] ^= 1 << random.random_range(0..8),
        }
        if mutated.is_empty() {
            mutated.push(0);
        }
    }
    mutated
}

/// Runs a reader on so many mutations; it says whether it accepted. Some of both must come.
fn check(kind: &str, rounds: usize, bytes: &[u8], size: usize, read: impl Fn(&[u8]) -> bool) {
    assert!(read(bytes), "{kind} is valid");
    let mut random = ChaCha8Rng::seed_from_u64(bytes.len() as u64);
    let mut accepted = 0;
    for round in 0..rounds {
        let mutated = mutate(bytes, &mut random);
        let mut good = false;
        let taken = measure(|| good = read(&mutated)).bytes_max;
        accepted += usize::from(good);
        let allowed = 10 * size.max(mutated.len()) as u64 + SLACK;
        assert!(taken <= allowed, "{kind}, round {round}: {taken} bytes, allowed {allowed}");
    }
    assert!(accepted < rounds, "{kind}: every mutation was accepted");
}

const SAMPLES: usize = 1500;

/// The smallest types, which grow most when they become numbers of eight bytes.
fn members() -> Vec<(&'static str, Vec<u8>)> {
    let bytes: Vec<u8> = (0..SAMPLES * 4).map(|i| (i * 7 % 5) as u8).collect();
    let halves: Vec<u8> =
        bytes.iter().flat_map(|&b| half::f16::from_f64(f64::from(b)).to_be_bytes()).collect();
    vec![
        ("features.npy", npy("'|u1'", &[SAMPLES, 4], &bytes)),
        ("labels.npy", npy("'|i1'", &[SAMPLES, 1], &bytes[..SAMPLES])),
        ("probe_features.npy", npy_of(2, "'>f2'", true, &[SAMPLES, 4, 1], &halves)),
        ("probe_labels.npy", npy("'|b1'", &[SAMPLES], &bytes[..SAMPLES])),
        ("ids.npy", npy("'<i2'", &[SAMPLES], &bytes[..2 * SAMPLES])),
    ]
}

#[test]
fn arrays_of_numpy() {
    let read = |bytes: &[u8]| ProblemParts::of_bytes(bytes).is_ok();
    let stored = npz(&members());
    check("stored", 4000, &stored, 0, read);
    check("deflated", 4000, &archive(&members(), Deflated, false), stored.len(), read);
    let words: Vec<&str> = (0..SAMPLES).map(|i| ["a", "bc", "löwe"][i % 3]).collect();
    let bytes: Vec<u8> = (0..SAMPLES).map(|i| b'a' + (i % 20) as u8).collect();
    for labels in [texts(&words), npy("'|S1'", &[SAMPLES], &bytes)] {
        let named =
            [("features.npy", npy("'|b1'", &[SAMPLES, 1], &vec![1; SAMPLES])), ("labels.npy", labels)];
        check("strings", 2000, &npz(&named), 0, read);
    }
}

#[test]
fn safetensors() {
    let bytes: Vec<u8> = (0..SAMPLES * 2).map(|i| (i * 7 % 5) as u8).collect();
    let view = |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
    let arrays = [
        ("features", view(Dtype::BF16, &[SAMPLES, 1], &bytes)),
        ("labels", view(Dtype::U8, &[SAMPLES], &bytes[..SAMPLES])),
        ("step", view(Dtype::I64, &[1], &bytes[..8])),
    ];
    let file = safetensors::serialize(arrays, None).unwrap();
    check("safetensors", 8000, &file, 0, |bytes| ProblemParts::of_bytes(bytes).is_ok());
}

#[test]
fn sweeps() {
    let mut config = Config::new(TaskSpec::RankOne(RankOneTask::default()));
    config.probe.points = Some(60);
    let plan = Plan::new(config).unwrap();
    let mut records = plan.records();
    for record in records.iter_mut().filter(|r| r.cell.number % 5 == 4) {
        record.outcome = Outcome::Failed("no, \"not\"\nthis".into());
    }
    let sweep = plan.finished("a = 1\n".into(), digest(plan.identity()), records);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mutated");
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        read_sweep(&path).is_ok()
    };
    let (csv, parquet) = (folder.path().join("s.csv"), folder.path().join("s.parquet"));
    write_csv(&csv, &sweep).unwrap();
    write_parquet(&parquet, &sweep).unwrap();
    let sealed = std::fs::read(parquet).unwrap();
    check("csv", 2000, &std::fs::read(csv).unwrap(), 0, read);
    check("parquet", 2000, &sealed, 0, read);
    // As another program would write it: nothing tells damage. A row in memory is larger than one that is packed well.
    let open = [&sealed[..4], b"no seal.", &sealed[12..]].concat();
    check("parquet without a seal", 4000, &open, 60 * 1000 / 10, read);
}

#[test]
fn configurations() {
    let text = include_str!("../../../tests/golden/random.toml");
    check("configuration", 8000, text.as_bytes(), 0, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let Ok(config) = toml::from_str::<Config>(text) else { return false };
        config.validate().is_ok() && config.cells() > 0
    });
}
