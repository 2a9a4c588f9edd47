//! The names that a measurement needs. They are removed when it ends, also by a signal.

use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::trial::Error;
use crate::base::name::PosixName;
use crate::sys::cleanup::{Registered, Undo};
use crate::sys::{dev_shm, regular_file, system_v_queue};

/// The names of one measurement.
#[derive(Debug, Default)]
pub struct Names(Vec<Registered<Leftover>>);

/// Something that stays unless it is removed.
#[derive(Debug)]
enum Leftover {
    File(CString),
    Queue(i32),
}

impl Undo for Leftover {
    fn undo(&self) {
        match self {
            Self::File(path) => regular_file::unlink(path),
            Self::Queue(id) => system_v_queue::destroy(*id),
        }
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        for leftover in &self.0 {
            leftover.undo();
        }
    }
}

/// The number of names so far in this process.
static COUNT: AtomicU32 = AtomicU32::new(0);

impl Names {
    /// A word that no other process and no other name has.
    fn word() -> String {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        format!("ipc-bench-{}-{count}", std::process::id())
    }

    /// The path of a new file in shared memory.
    pub fn in_memory(&mut self) -> Result<PathBuf, Error> {
        self.file(dev_shm::path(&OsString::from(Self::word())))
    }

    /// The path of a new file in the directory for temporary files.
    pub fn on_disk(&mut self) -> Result<PathBuf, Error> {
        self.file(std::env::temp_dir().join(Self::word()))
    }

    /// The name of a new POSIX object, whose file in shared memory has a prefix.
    pub fn posix<const MAX: usize>(&mut self, prefix: &str) -> Result<PosixName<MAX>, Error> {
        let word = Self::word();
        self.file(dev_shm::path(&OsString::from(format!("{prefix}{word}"))))?;
        let name = PosixName::new(&OsString::from(format!("/{word}")));
        name.map_err(|_| Error::Wrong("a name is too long"))
    }

    /// The name of a POSIX queue, which the caller unlinks at once.
    pub fn word_of_queue(&self) -> String {
        format!("/{}", Self::word())
    }

    /// A System V queue.
    pub fn system_v_queue(&mut self, id: i32) -> Result<(), Error> {
        self.keep(Leftover::Queue(id))
    }

    fn file(&mut self, path: PathBuf) -> Result<PathBuf, Error> {
        self.keep(Leftover::File(c_string(&path)?))?;
        Ok(path)
    }

    fn keep(&mut self, leftover: Leftover) -> Result<(), Error> {
        self.0.push(Registered::new(leftover).map_err(Error::of("clean-up"))?);
        Ok(())
    }
}

fn c_string(path: &Path) -> Result<CString, Error> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| Error::Wrong("a path contains NUL"))
}
