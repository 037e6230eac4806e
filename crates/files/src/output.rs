//! Writing in one step, and knowing before a long computation that it will work.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::error::{At, Fault, FileError};

/// The folder of a file; the current one for a bare name.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A temporary file beside the output, readable by whoever the user's umask allows.
fn temporary(path: &Path) -> Result<NamedTempFile, Fault> {
    let folder = folder(path);
    if path.is_dir() {
        return Err(Fault::NotAFile { found: "folder" });
    }
    if !folder.is_dir() {
        return Err(Fault::NoFolder { folder: folder.to_owned() });
    }
    let mut builder = Builder::new();
    builder.prefix(".taskhead-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder).map_err(|source| Fault::Io { action: "write into its folder", source })
}

/// Writes a file in one step: into a temporary file of the same folder, which then takes the place of
/// `path`. Until then an older file stays as it was, and a failure leaves nothing behind.
///
/// ```
/// use std::io::Write;
/// use taskhead_files::{Fault, write_atomically};
///
/// # let folder = std::env::temp_dir().join(format!("taskhead-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("note.txt");
/// write_atomically(&path, |writer| {
///     writer.write_all(b"42").map_err(|source| Fault::Io { action: "write", source })
/// })?;
/// assert_eq!(std::fs::read(&path)?, b"42");
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Whatever `write` returns; a missing folder; whatever the operating system says.
pub fn write_atomically(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), Fault>,
) -> Result<(), FileError> {
    let path = path.as_ref();
    replace(path, write).at(path)
}

fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let (file, name) = temporary(path)?.into_parts();
    let failed = |source| Fault::Io { action: "write", source };
    let mut writer = BufWriter::new(file);
    write(&mut writer)?;
    writer.flush().map_err(failed)?;
    // A rename may reach the disk before the data does.
    writer.get_ref().sync_all().map_err(failed)?;
    drop(writer);
    name.persist(path).map_err(|e| failed(e.error))
}

/// Checks that an output file can be written, before anything is computed: that its extension is one
/// of `accepted` (without dot, in lower case), that its folder exists, and that a file can be made in
/// it. Nothing is left there.
///
/// # Errors
///
/// The first of these that does not hold.
pub fn check_output(path: impl AsRef<Path>, accepted: &'static [&'static str]) -> Result<(), FileError> {
    let path = path.as_ref();
    format_of(path, accepted).at(path)?;
    temporary(path).map(drop).at(path)
}

/// Checks that no output is one of the inputs, under whatever name.
///
/// # Errors
///
/// The first output that is ([`Fault::Input`]).
pub fn check_apart<P: AsRef<Path>>(
    outputs: impl IntoIterator<Item = impl AsRef<Path>>,
    inputs: &[P],
) -> Result<(), FileError> {
    for output in outputs {
        let output = output.as_ref();
        let same = |input: &P| same_file::is_same_file(input, output).unwrap_or(false);
        if inputs.iter().any(same) {
            return Err(Fault::Input).at(output);
        }
    }
    Ok(())
}

/// The accepted extension that a path has.
pub(super) fn format_of(path: &Path, accepted: &'static [&'static str]) -> Result<&'static str, Fault> {
    let found = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    accepted
        .iter()
        .copied()
        .find(|&e| found.as_deref() == Some(e))
        .ok_or(Fault::Extension { found, accepted })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENSIONS: &[&str] = &["npz", "csv"];

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "old").unwrap();
        let error = write_atomically(&path, |writer| {
            writer.write_all(&[b'x'; 100_000]).unwrap();
            Err(Fault::Empty)
        })
        .unwrap_err();
        assert!(matches!(error.fault, Fault::Empty));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a.csv"]);
        write_atomically(&path, |writer| {
            writer.write_all(b"new").unwrap();
            Ok(())
        })
        .unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()), ["a.csv"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_written_file_has_the_rights_of_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| {
            let data = std::fs::metadata(folder.path().join(name)).unwrap();
            data.permissions().mode()
        };
        std::fs::write(folder.path().join("plain"), "").unwrap();
        write_atomically(folder.path().join("ours"), |_| Ok(())).unwrap();
        assert_eq!(mode("ours"), mode("plain"));
    }

    #[test]
    fn outputs_are_checked_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str| {
            check_output(folder.path().join(name), EXTENSIONS).map_err(|e| e.fault.to_string())
        };
        assert_eq!(check("a.npz"), Ok(()));
        assert_eq!(check("A.NPZ"), Ok(()));
        assert_eq!(check("a.txt").unwrap_err(), "cannot write a .txt file; accepted: `npz`, `csv`");
        assert!(check("npz").unwrap_err().contains("a file without extension"));
        assert!(check("none/a.npz").unwrap_err().starts_with("there is no folder"));
        std::fs::create_dir(folder.path().join("b.npz")).unwrap();
        assert_eq!(check("b.npz").unwrap_err(), "this is a folder, not a file");
        assert_eq!(names(folder.path()), ["b.npz"]);
        assert_eq!(super::folder(Path::new("bare.csv")), Path::new("."));
    }
}
