//! One run at a time on an output.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use same_file::Handle;

use super::error::{At, Fault, FileError};

/// A lock on an output, held until it goes away: a file beside it that the operating system locks, and frees when the
/// process ends, however that comes about. The file is removed with the lock; one that was left behind locks nothing.
#[derive(Debug)]
pub struct OutputLock {
    path: PathBuf,
    _held: Handle,
}

impl OutputLock {
    /// Locks this file, which is made.
    ///
    /// # Errors
    ///
    /// [`Fault::Locked`] where another process, or another place in this one, holds it; whatever the operating system
    /// says.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let held = hold(path).at(path)?;
        Ok(Self { path: path.to_owned(), _held: held })
    }
}

impl Drop for OutputLock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn hold(path: &Path) -> Result<Handle, Fault> {
    let failed = |source| Fault::Io { action: "lock", source };
    loop {
        let open = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file: File = open.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Fault::Locked),
            // Some file systems do not support locks; then there is none.
            Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let handle = Handle::from_file(file).map_err(failed)?;
        // Whoever held it may have removed the file between the two steps: then what was locked is no longer the file.
        if Handle::from_path(path).is_ok_and(|there| there == handle) {
            return Ok(handle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.lock");
        let first = OutputLock::new(&path).unwrap();
        assert!(matches!(OutputLock::new(&path).unwrap_err().fault, Fault::Locked));
        drop(first);
        assert!(!path.exists());
        // A leftover file is not a lock.
        std::fs::write(&path, "").unwrap();
        let _second = OutputLock::new(&path).unwrap();
        assert!(OutputLock::new(folder.path().join("none/s.lock")).is_err());
    }

    #[test]
    fn many_that_come_and_go_never_hold_it_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.lock");
        let inside = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let Ok(lock) = OutputLock::new(&path) else { continue };
                        assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
    }
}
