//! Problems: .npz and .safetensors.

use std::io::{Cursor, Read};

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use taskhead_files::{PROBLEM_ARRAYS, ProblemParts};
use zip::CompressionMethod::Deflated;
use zip::ZipArchive;

use crate::numpy::{archive, features, longs, npy, npy_of, npz, texts};
use crate::reader::{Reader, bounded, join, split};

/// The whole of a file.
pub const PROBLEM: Reader = Reader {
    name: "problem",
    read: problem,
    seeds: || {
        let large = members(LARGE);
        vec![
            npz(&[features(), ("labels.npy", longs(&[0, 1, 1, 2]))]),
            archive(&members(3), Deflated, false),
            tensors(3),
            npz(&large),
            archive(&large, Deflated, false),
            tensors(LARGE),
        ]
    },
    words,
};

/// Two .npy arrays, `features` and `labels`, in an archive whose checksums are right.
pub const NPY: Reader = Reader {
    name: "npy",
    read: |bytes| {
        let (features, labels) = split(bytes);
        // A fuzzer rarely finds the first bytes by itself.
        let start = |bytes: &[u8]| match bytes.starts_with(MAGIC) {
            true => bytes.to_vec(),
            false => [MAGIC, &[1, 0], bytes].concat(),
        };
        problem(&npz(&[("features.npy", start(features)), ("labels.npy", start(labels))]))
    },
    seeds: || {
        let words: Vec<&str> = (0..LARGE).map(|i| ["a", "bc", "löwe"][i % 3]).collect();
        let bytes: Vec<u8> = (0..LARGE).map(|i| b'a' + (i % 20) as u8).collect();
        let ones = npy("'|b1'", &[LARGE, 1], &[1; LARGE]);
        let small = features().1;
        vec![
            join(&small, &longs(&[0, 1, 1, 2])),
            join(&small, &texts(&["a", "bc", "löwe", ""])),
            join(
                &npy_of(2, "'>f2'", true, &[4, 1, 1], &[0x3c, 0, 0, 0, 0, 0, 0, 0]),
                &longs(&[0, 1, 1, 2]),
            ),
            join(
                &npy_of(3, "'<i4'", false, &[1, 2], &[1, 0, 0, 0, 2, 0, 0, 0]),
                &npy("'|b1'", &[1, 1], &[1]),
            ),
            join(&ones, &texts(&words)),
            join(&ones, &npy("'|S1'", &[LARGE], &bytes)),
        ]
    },
    words,
};

/// The header of a .safetensors file, whose length is put before it, and its data.
pub const SAFETENSORS: Reader = Reader {
    name: "safetensors",
    read: |bytes| {
        let (header, data) = split(bytes);
        problem(&[&(header.len() as u64).to_le_bytes(), header, data].concat())
    },
    seeds: || {
        let parts = |file: Vec<u8>| {
            let end = 8 + usize::from(u16::from_le_bytes([file[0], file[1]]));
            join(&file[8..end], &file[end..])
        };
        vec![parts(tensors(3)), parts(tensors(LARGE))]
    },
    words,
};

const MAGIC: &[u8] = b"\x93NUMPY";

/// Samples of the large seeds.
const LARGE: usize = 1500;

/// Problems that take more bytes than this are not made, only read.
const SMALL: f64 = 1e6;

fn problem(bytes: &[u8]) -> bool {
    let mut parts = None;
    let read = || {
        parts = ProblemParts::of_bytes(bytes).ok();
        parts.is_some()
    };
    let accepted = bounded(bytes.len(), || unpacked(bytes), read);
    if let Some(parts) = parts.filter(|parts| parts.memory(0) < SMALL) {
        let _ = parts.problem();
    }
    accepted
}

/// Bytes that the members of an archive become.
fn unpacked(bytes: &[u8]) -> usize {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else { return 0 };
    let members = archive.len();
    let member = |i: usize| {
        let mut count = 0;
        let mut buffer = [0; 4096];
        let Ok(mut member) = archive.by_index(i) else { return 0 };
        while let Ok(read @ 1..) = member.read(&mut buffer) {
            count += read;
        }
        count
    };
    (0..members).map(member).sum()
}

/// The smallest types, which grow most when they become numbers of eight bytes.
fn members(samples: usize) -> Vec<(&'static str, Vec<u8>)> {
    let bytes: Vec<u8> = (0..samples * 4).map(|i| (i * 7 % 5) as u8).collect();
    let halves: Vec<u8> =
        bytes.iter().flat_map(|&b| half::f16::from_f64(f64::from(b)).to_be_bytes()).collect();
    vec![
        ("features.npy", npy("'|u1'", &[samples, 4], &bytes)),
        ("labels.npy", npy("'|i1'", &[samples, 1], &bytes[..samples])),
        ("probe_features.npy", npy_of(2, "'>f2'", true, &[samples, 4, 1], &halves)),
        ("probe_labels.npy", npy("'|b1'", &[samples], &bytes[..samples])),
        ("ids.npy", npy("'<i2'", &[samples], &bytes[..2 * samples])),
    ]
}

fn tensors(samples: usize) -> Vec<u8> {
    let bytes: Vec<u8> = (0..8 + samples * 2).map(|i| (i * 7 % 5) as u8).collect();
    let view =
        |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), bytes).expect("they fit");
    let arrays = [
        ("features", view(Dtype::BF16, &[samples, 1], &bytes[..2 * samples])),
        ("labels", view(Dtype::U8, &[samples], &bytes[..samples])),
        ("step", view(Dtype::I64, &[1], &bytes[..8])),
    ];
    safetensors::serialize(arrays, None).expect("plain tensors")
}

fn words() -> Vec<&'static str> {
    let types = [
        "'descr': ",
        "'fortran_order': True",
        "'fortran_order': False",
        "'shape': (",
        "'<f8'",
        "'>f2'",
        "'|b1'",
        "'|u1'",
        "'<i4'",
        "'>i8'",
        "'<U3'",
        "'|S2'",
        "'<c16'",
        "'|O'",
        "'|V2'",
        "[('a', '<f8')]",
        "\"dtype\":",
        "\"shape\":",
        "\"data_offsets\":",
        "\"F64\"",
        "\"BF16\"",
        "\"U8\"",
        "\"I64\"",
        "\"F8_E4M3\"",
        "__metadata__",
        "PK\u{3}\u{4}",
        "PK\u{1}\u{2}",
        "PK\u{5}\u{6}",
        "PK\u{6}\u{6}",
        "PK\u{6}\u{7}",
        ".npy",
        "9999999999999999",
        "NaN",
        "-1",
    ];
    PROBLEM_ARRAYS.iter().chain(&types).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use zip::CompressionMethod::Stored;

    /// What is packed counts as what it becomes.
    #[test]
    fn members_are_measured_unpacked() {
        let members = members(100);
        let all: usize = members.iter().map(|(_, bytes)| bytes.len()).sum();
        assert_eq!(
            [Stored, Deflated].map(|method| unpacked(&archive(&members, method, false))),
            [all; 2]
        );
        assert_eq!(unpacked(b"PK"), 0);
    }
}
