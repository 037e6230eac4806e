//! Where arrays are read from: a file recognised by its content, a folder of .npy files, files under an index.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use super::arrays::Arrays;
use super::error::{Fault, printable};
use super::memory::available_memory;
use super::names::PROBLEM_ARRAYS;
use super::notes::Note;
use super::{npy, npz, tensors};

/// What is read here.
const ACCEPTED: &str = ".npz and .safetensors files, folders of .npy files";

/// Bytes at the beginning of a file that tell what it is.
const START: u64 = 16;

/// The arrays of a path.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// The arrays.
    pub arrays: Arrays<'static>,
    /// Notes on how they were found.
    pub notes: Vec<Note>,
    /// Every file that was read.
    pub files: Vec<PathBuf>,
}

/// Opens a file and reads its first bytes, up to `n`.
pub(super) fn open(path: &Path, n: u64) -> Result<(File, Vec<u8>), Fault> {
    let failed = |action| move |source| Fault::Io { action, source };
    // Before opening: a pipe without a writer would never open.
    let kind = std::fs::metadata(path).map_err(failed("open"))?.file_type();
    if kind.is_dir() {
        return Err(Fault::NotAFile { found: "folder" });
    }
    if !kind.is_file() {
        return Err(Fault::NotAFile { found: "pipe or device" });
    }
    let mut file = File::open(path).map_err(failed("open"))?;
    let mut start = Vec::new();
    (&mut file).take(n).read_to_end(&mut start).map_err(failed("read"))?;
    if start.is_empty() {
        return Err(Fault::Empty);
    }
    file.rewind().map_err(failed("read"))?;
    Ok((file, start))
}

/// The longest configuration that is read, in bytes: its parser takes up to 200 times as many.
pub const MAX_CONFIGURATION: usize = 1 << 18;

/// Reads the text of a configuration.
///
/// # Errors
///
/// Whatever the operating system says, and a file that is longer than any configuration.
pub fn read_configuration(path: impl AsRef<Path>) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_CONFIGURATION as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_CONFIGURATION {
        let text = format!("it has more than {MAX_CONFIGURATION} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, text));
    }
    String::from_utf8(bytes).map_err(|error| std::io::Error::other(error.utf8_error()))
}

/// Reads the arrays of these names from a file or a folder, and the names of all.
pub(super) fn read(path: &Path, wanted: &[&str]) -> Result<Source, Fault> {
    let mut source = if path.is_dir() {
        folder(path, wanted)?
    } else {
        let (file, start) = open(path, START)?;
        if start.starts_with(b"\x93NUMPY") {
            neighbours(path, wanted)?
        } else if path.extension().is_some_and(|extension| extension == "json") {
            index(path, file, wanted)?
        } else {
            let arrays = decode(BufReader::new(file), start, wanted)?;
            Source { arrays, files: vec![path.to_owned()], ..Source::default() }
        }
    };
    source.arrays.found.sort_unstable();
    Ok(source)
}

/// The same from the content of a file.
pub(super) fn read_bytes(bytes: &[u8], wanted: &[&str]) -> Result<Source, Fault> {
    if bytes.is_empty() {
        return Err(Fault::Empty);
    }
    let start = bytes[..bytes.len().min(START as usize)].to_vec();
    let arrays = decode(Cursor::new(bytes), start, wanted)?;
    Ok(Source { arrays, ..Source::default() })
}

/// Reads arrays from a file that begins with the bytes `start`.
fn decode(file: impl Read + Seek, start: Vec<u8>, wanted: &[&str]) -> Result<Arrays<'static>, Fault> {
    let available = available_memory();
    let mut arrays = match &start {
        npz if npz.starts_with(b"PK\x03\x04") || npz.starts_with(b"PK\x05\x06") => {
            npz::read(file, wanted, available)?
        }
        other if tensors::is_safetensors(other) => tensors::read(file, wanted, available)?,
        _ => return Err(Fault::Format { start, accepted: ACCEPTED }),
    };
    arrays.found.sort_unstable();
    Ok(arrays)
}

/// Every `NAME.npy` of a folder as the array `NAME`; without any, the files under an index.
fn folder(path: &Path, wanted: &[&str]) -> Result<Source, Fault> {
    let failed = |source| Fault::Io { action: "read", source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_unstable();
    let mut source = Source::default();
    for file in &names {
        let Some(name) = file.strip_suffix(".npy") else { continue };
        let name = printable(name);
        source.arrays.add(&name)?;
        if wanted.contains(&name.as_str()) {
            let shard = |fault| Fault::Shard { file: file.clone(), fault: Box::new(fault) };
            let path = path.join(file);
            let (opened, _) = open(&path, START).map_err(shard)?;
            let array = npy::read(&name, &mut BufReader::new(opened), available_memory());
            source.arrays.arrays.push(array.map_err(shard)?);
            source.files.push(path);
        }
    }
    if !source.arrays.found.is_empty() {
        return Ok(source);
    }
    match names.iter().find(|name| name.ends_with(".safetensors.index.json")) {
        Some(name) => {
            let path = path.join(name);
            index(&path, open(&path, START)?.0, wanted)
        }
        None => Err(Fault::NoArrays { place: "the folder", found: names }),
    }
}

/// One .npy file whose name says what it is, with those beside it.
fn neighbours(path: &Path, wanted: &[&str]) -> Result<Source, Fault> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if !PROBLEM_ARRAYS.contains(&name.as_str()) || path.extension().is_none_or(|e| e != "npy") {
        return Err(Fault::Single { array: printable(&name), accepted: PROBLEM_ARRAYS });
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut source = folder(parent.unwrap_or(Path::new(".")), wanted)?;
    let others = |other: &&String| **other != name && PROBLEM_ARRAYS.contains(&other.as_str());
    let arrays: Vec<String> = source.arrays.found.iter().filter(others).cloned().collect();
    // The folder was not asked for: whatever else is in it does not matter.
    source.arrays.found.retain(|found| PROBLEM_ARRAYS.contains(&found.as_str()));
    if !arrays.is_empty() {
        source.notes.push(Note::Neighbours { arrays });
    }
    Ok(source)
}

/// The longest index that is read, in bytes.
const MAX_INDEX: u64 = 100_000_000;

/// `model.safetensors.index.json`: which file beside it holds which array.
fn index(path: &Path, file: File, wanted: &[&str]) -> Result<Source, Fault> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: std::collections::BTreeMap<String, String>,
    }
    let mut text = Vec::new();
    let failed = |source| Fault::Io { action: "read", source };
    file.take(MAX_INDEX).read_to_end(&mut text).map_err(failed)?;
    let index: Index =
        serde_json::from_slice(&text).map_err(|e| Fault::Index(printable(&e.to_string())))?;
    let mut source = Source { files: vec![path.to_owned()], ..Source::default() };
    let mut needed: Vec<&String> = Vec::new();
    for (name, file) in &index.weight_map {
        source.arrays.add(&printable(name))?;
        if wanted.contains(&name.as_str()) && !needed.contains(&file) {
            needed.push(file);
        }
    }
    for file in needed {
        let shard = |fault| Fault::Shard { file: file.clone(), fault: Box::new(fault) };
        // Nothing but the folder of the index is read.
        if Path::new(file).components().count() != 1 || Path::new(file).file_name().is_none() {
            return Err(Fault::Index(format!("`{}` is no name of a file beside it", printable(file))));
        }
        let path = path.with_file_name(file);
        let (opened, start) = open(&path, START).map_err(shard)?;
        if !tensors::is_safetensors(&start) {
            return Err(shard(Fault::Format { start, accepted: ".safetensors files" }));
        }
        let here = |name: &&&str| index.weight_map.get(**name) == Some(file);
        let names: Vec<&str> = wanted.iter().filter(here).copied().collect();
        let found = tensors::read(BufReader::new(opened), &names, available_memory()).map_err(shard)?;
        if let Some(name) = names.iter().find(|name| !found.has(name)) {
            return Err(Fault::Index(format!("`{name}` is not in {}", printable(file))));
        }
        source.arrays.arrays.extend(found.arrays);
        source.files.push(path);
    }
    Ok(source)
}
