//! Files as NumPy and other programs write them, byte by byte.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A .npy array: type as NumPy writes it ("'<f4'"), shape as a tuple, and the bytes of the values.
pub fn npy(descr: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    npy_of(1, descr, false, shape, bytes)
}

/// The same of a version of the format (1 to 3), and in Fortran order if wanted.
pub fn npy_of(version: u8, descr: &str, fortran: bool, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let text = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': ({shape}), }}");
    let mut all = vec![0x93, b'N', b'U', b'M', b'P', b'Y', version, 0];
    let length = if version == 1 { 2 } else { 4 };
    // Data begin at a multiple of 64 bytes.
    let width = 192 - (8 + length) - 1;
    let header = format!("{text:<width$}\n");
    all.extend_from_slice(&(header.len() as u32).to_le_bytes()[..length]);
    all.extend_from_slice(header.as_bytes());
    all.extend_from_slice(bytes);
    all
}

/// A .npy array in double precision.
pub fn doubles(shape: &[usize], values: &[f64]) -> Vec<u8> {
    npy("'<f8'", shape, &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())
}

/// A .npy array of 64-bit integers.
pub fn longs(values: &[i64]) -> Vec<u8> {
    npy("'<i8'", &[values.len()], &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())
}

/// A .npy array of texts, as NumPy stores `str`.
pub fn texts(values: &[&str]) -> Vec<u8> {
    let width = values.iter().map(|v| v.chars().count()).max().unwrap_or(1);
    let points = |v: &&str| -> Vec<u8> {
        let points = v.chars().map(u32::from).chain(std::iter::repeat(0)).take(width);
        points.flat_map(u32::to_le_bytes).collect()
    };
    npy(&format!("'<U{width}'"), &[values.len()], &values.iter().flat_map(points).collect::<Vec<_>>())
}

/// A zip archive of these members.
pub fn archive(members: &[(&str, Vec<u8>)], method: CompressionMethod, zip64: bool) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method).large_file(zip64);
        zip.start_file(*name, options).expect("a new member");
        zip.write_all(bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

/// What `np.savez` would write.
pub fn npz(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    archive(members, CompressionMethod::Stored, true)
}

/// Features 4×2.
pub const FEATURES: [f64; 8] = [1.0, 0.0, 2.0, -1.0, 0.5, 3.0, 0.0, 1.0];

/// The same as a member of an archive.
pub fn features() -> (&'static str, Vec<u8>) {
    ("features.npy", doubles(&[4, 2], &FEATURES))
}
