//! What tells contents apart: SHA-256.

use std::io::Read;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::error::{At, Fault, FileError};
use super::source::open;
use taskhead::sweep::plan::Digest;

/// The digest of bytes: of a file's, or of the text of an identity.
pub fn digest(bytes: impl AsRef<[u8]>) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// The digest of bytes in several parts, one after the other.
pub fn digest_of_parts(parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Digest {
    let mut hasher = Sha256::new();
    parts.into_iter().for_each(|part| hasher.update(part));
    Digest(hasher.finalize().into())
}

/// The digest of the bytes of a file.
///
/// # Errors
///
/// A file that cannot be read.
pub fn digest_of_file(path: impl AsRef<Path>) -> Result<Digest, FileError> {
    let path = path.as_ref();
    let read = || -> Result<Digest, Fault> {
        let failed = |source| Fault::Io { action: "read", source };
        let (mut file, _) = open(path, 1)?;
        let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
        loop {
            match file.read(&mut buffer).map_err(failed)? {
                0 => return Ok(Digest(hasher.finalize().into())),
                n => hasher.update(&buffer[..n]),
            }
        }
    };
    read().at(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest of "abc" in FIPS 180-2.
    #[test]
    fn digests_are_those_of_the_standard() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest("abc").to_string(), expected);
        assert_eq!(digest_of_parts([&b"a"[..], b"", b"bc"]), digest("abc"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(digest_of_file(&path).unwrap(), digest("abc"));
        std::fs::write(&path, vec![b'x'; 200_000]).unwrap();
        assert_eq!(digest_of_file(&path).unwrap(), digest(vec![b'x'; 200_000]));
        assert!(
            digest_of_file(folder.path()).unwrap_err().to_string().ends_with("a folder, not a file")
        );
    }
}
