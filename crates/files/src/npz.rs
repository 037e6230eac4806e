//! The members of a .npz archive.

use std::io::{Read, Seek, SeekFrom};

use zip::read::ZipFile;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::arrays::Arrays;
use super::error::{Fault, printable};
use super::npy;

/// Reads the arrays of these names, and the names of all.
pub(super) fn read(
    mut reader: impl Read + Seek,
    wanted: &[&str],
    available: f64,
) -> Result<Arrays<'static>, Fault> {
    check_directory(&mut reader)?;
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
            check_packing(&name, &archive.by_index_raw(i)?)?;
            arrays.arrays.push(npy::read(&name, &mut archive.by_index(i)?, available)?);
        }
    }
    if arrays.found.is_empty() && !arrays.skipped.is_empty() {
        return Err(Fault::NoArrays { place: "the archive", found: arrays.skipped });
    }
    Ok(arrays)
}

/// Refuses an archive (.npz, .zip) that claims more members than its bytes could name: the library makes room for all
/// of them. Leaves the reader at its beginning.
///
/// # Errors
///
/// Such a claim, or whatever the operating system says.
pub fn check_directory(reader: &mut (impl Read + Seek)) -> Result<(), Fault> {
    /// Bytes of the name of a member, without the name.
    const ENTRY: u64 = 46;
    /// Bytes of the end of a directory, without the comment of up to 2¹⁶ behind it, and where in it the count is.
    const END: usize = 22;
    const COUNT: usize = 10;
    /// Bytes before it where the directory is one of 64 bits, of which the library checks the count itself.
    const LOCATOR: usize = 20;
    let failed = |source| Fault::Io { action: "read", source };
    let length = reader.seek(SeekFrom::End(0)).map_err(failed)?;
    let start = length.saturating_sub((LOCATOR + END + (1 << 16)) as u64);
    reader.seek(SeekFrom::Start(start)).map_err(failed)?;
    let mut tail = Vec::with_capacity((length - start) as usize);
    reader.read_to_end(&mut tail).map_err(failed)?;
    reader.rewind().map_err(failed)?;
    for (at, end) in tail.windows(END).enumerate().filter(|(_, end)| end.starts_with(b"PK\x05\x06")) {
        let count = u64::from(u16::from_le_bytes([end[COUNT], end[COUNT + 1]]));
        let wide = count == u64::from(u16::MAX)
            && at.checked_sub(LOCATOR).is_some_and(|at| tail[at..].starts_with(b"PK\x06\x07"));
        if !wide && count * ENTRY > start + at as u64 {
            return Err(ZipError::InvalidArchive("more members than it has room for".into()).into());
        }
    }
    Ok(())
}

/// Refuses a member that holds an array in a way that is not read: encrypted, or compressed by other means than
/// deflate.
///
/// # Errors
///
/// Such a member.
pub fn check_packing(array: &str, member: &ZipFile<'_, impl Read>) -> Result<(), Fault> {
    let packed = match member.compression() {
        _ if member.encrypted() => "encrypted".into(),
        CompressionMethod::Stored | CompressionMethod::Deflated => return Ok(()),
        CompressionMethod::DEFLATE64 => "compressed with deflate64".into(),
        CompressionMethod::BZIP2 => "compressed with bzip2".into(),
        CompressionMethod::LZMA => "compressed with lzma".into(),
        CompressionMethod::ZSTD => "compressed with zstd".into(),
        CompressionMethod::XZ => "compressed with xz".into(),
        other => format!("compressed in another way ({other})"),
    };
    Err(Fault::Packed { array: array.to_owned(), packed })
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
    fn a_directory_names_as_many_members_as_it_has_room_for() {
        // The end of a directory of this many members behind this many bytes.
        let check = |count: u16, before: usize| {
            let end = [&[0; 4][..], &count.to_le_bytes(), &count.to_le_bytes(), &[0; 10]].concat();
            let file = [&vec![0; before][..], b"PK\x05\x06", &end].concat();
            check_directory(&mut std::io::Cursor::new(file)).map_err(|fault| fault.to_string())
        };
        assert_eq!([check(0, 0), check(2, 92), check(u16::MAX, 46 * 65535)], [(); 3].map(Ok));
        for (count, before) in [(1, 45), (2, 91), (u16::MAX, 100_000)] {
            assert!(check(count, before).unwrap_err().contains("more members than it has room for"));
        }
        assert!(
            check_directory(&mut std::io::Cursor::new(b"PK\x05\x06")).is_ok(),
            "the library says it"
        );
    }

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
