//! The members of a .npz archive.

use std::io::{Read, Seek};

use zip::ZipArchive;

use super::arrays::Arrays;
use super::error::{Fault, printable};
use super::npy;

/// Reads the arrays of these names, and the names of all.
pub(super) fn read(
    reader: impl Read + Seek,
    wanted: &[&str],
    available: f64,
) -> Result<Arrays<'static>, Fault> {
    let mut archive = ZipArchive::new(reader)?;
    // Of two members with one name the archive shows one only.
    if archive.has_duplicate_names() {
        return Err(Fault::Repeated);
    }
    let mut arrays = Arrays::default();
    for i in 0..archive.len() {
        let (member, is_folder) = {
            let entry = archive.by_index_raw(i)?;
            (String::from_utf8_lossy(entry.name_raw()).into_owned(), entry.is_dir())
        };
        if is_folder {
            continue;
        }
        let Some(name) = array_name(&member) else {
            arrays.skipped.push(printable(&member));
            continue;
        };
        let name = printable(name);
        arrays.add(&name)?;
        if wanted.contains(&name.as_str()) {
            arrays.arrays.push(npy::read(&name, &mut archive.by_index(i)?, available)?);
        }
    }
    if arrays.found.is_empty() && !arrays.skipped.is_empty() {
        return Err(Fault::NoArrays { place: "the archive", found: arrays.skipped });
    }
    Ok(arrays)
}

/// The name of an array from that of its member: without the folder that was packed, and without what macOS
/// adds to every file.
fn array_name(member: &str) -> Option<&str> {
    let (folder, name) = member.rsplit_once('/').unwrap_or(("", member));
    if folder.split('/').any(|part| part == "__MACOSX") || name.starts_with("._") {
        return None;
    }
    name.strip_suffix(".npy")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_apart_by_name() {
        assert_eq!(array_name("features.npy"), Some("features"));
        assert_eq!(array_name("problem/features.npy"), Some("features"));
        for other in ["__MACOSX/._features.npy", "__MACOSX/a/b.npy", "._b.npy", "readme.txt", "features"]
        {
            assert_eq!(array_name(other), None, "{other}");
        }
    }
}
