//! The names that a measurement needs. They are removed when it ends; its supervisor postpones fatal
//! signals until then.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::trial::Error;
use crate::base::name::PosixName;
use crate::sys::{dev_shm, system_v_queue};

/// The names of one measurement.
#[derive(Debug, Default)]
pub struct Names(Vec<Leftover>);

/// Something that stays unless it is removed.
#[derive(Debug)]
enum Leftover {
    File(PathBuf),
    Directory(PathBuf),
    Queue(i32),
}

impl Drop for Names {
    fn drop(&mut self) {
        for leftover in &self.0 {
            // What was not created yet, or is removed already, is no error.
            let _ = match leftover {
                Leftover::File(path) => fs::remove_file(path).is_ok(),
                Leftover::Directory(path) => fs::remove_dir_all(path).is_ok(),
                Leftover::Queue(id) => system_v_queue::Queue::of_id(*id).remove().is_ok(),
            };
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
    pub fn in_memory(&mut self) -> PathBuf {
        self.file(dev_shm::path(&OsString::from(Self::word())))
    }

    /// The path of a new file in the directory for temporary files.
    pub fn on_disk(&mut self) -> PathBuf {
        self.file(std::env::temp_dir().join(Self::word()))
    }

    /// The path of a new directory in the directory for temporary files.
    pub fn directory(&mut self) -> PathBuf {
        let path = std::env::temp_dir().join(Self::word());
        self.0.push(Leftover::Directory(path.clone()));
        path
    }

    /// The name of a new POSIX object, whose file in shared memory has a prefix.
    pub fn posix<const MAX: usize>(&mut self, prefix: &str) -> Result<PosixName<MAX>, Error> {
        let word = Self::word();
        self.file(dev_shm::path(&OsString::from(format!("{prefix}{word}"))));
        let name = PosixName::new(&OsString::from(format!("/{word}")));
        name.map_err(|_| Error::Wrong("a name is too long"))
    }

    /// The name of a POSIX queue, which the caller unlinks at once.
    pub fn word_of_queue(&self) -> String {
        format!("/{}", Self::word())
    }

    /// A System V queue.
    pub fn system_v_queue(&mut self, id: i32) {
        self.0.push(Leftover::Queue(id));
    }

    fn file(&mut self, path: PathBuf) -> PathBuf {
        self.0.push(Leftover::File(path.clone()));
        path
    }
}
