//! Links to this program: which of them to make, and making all of them or none.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::sys::cleanup;
use crate::sys::executable::{self, Entry, Made};
use crate::sys::signal::Blocked;

/// A text in every version of this program, by which an older version is recognized.
pub const MARK: &str = "ipc <NOUN> <VERB> ...";

/// The target of links.
#[derive(Debug)]
pub struct Target {
    /// The text of a link.
    text: PathBuf,
    /// The executable of this program.
    program: PathBuf,
}

/// The step for one link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The link exists.
    Keep,
    /// The path is free.
    Make,
    /// The path has another file, which is replaced.
    Replace,
}

/// The rule for a path with a file that is not a link to this program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Foreign {
    Refuse,
    Replace,
}

impl Target {
    /// The target of links in a directory. It is relative if the program is in the directory too,
    /// so that the whole directory can be moved.
    pub fn of(directory: &Path) -> Result<Self, Errno> {
        let program = executable::path()?;
        let parent = program.parent().unwrap_or(Path::new("/"));
        let text = match program.file_name() {
            Some(name) if executable::is_same(parent, directory) => PathBuf::from(name),
            _ => program.clone(),
        };
        Ok(Self { text, program })
    }

    /// The target at this path, which need not exist now.
    pub fn at(text: PathBuf) -> Result<Self, Errno> {
        Ok(Self { text, program: executable::path()? })
    }

    /// The step for a link at `path`.
    pub fn plan(&self, path: &Path, foreign: Foreign) -> Result<Step, Failure> {
        let entry = executable::entry(path)?;
        if self.is_itself(path, &entry) {
            return Err(Failure::new(Exit::InUse, "this is the program itself"));
        }
        match &entry {
            Entry::Free => Ok(Step::Make),
            Entry::Link(text) if *text == self.text => Ok(Step::Keep),
            Entry::Other => Err(Failure::new(Exit::InUse, "exists and is not a file")),
            entry if self.is_version(path, entry) => Ok(Step::Replace),
            _ if foreign == Foreign::Replace => Ok(Step::Replace),
            _ => Err(Failure::from(Errno(libc::EEXIST)).hint("--force replaces it")),
        }
    }

    /// Whether a link at `path` would replace its own target.
    fn is_itself(&self, path: &Path, entry: &Entry) -> bool {
        let parents = (path.parent(), self.program.parent());
        let is_same_directory =
            matches!(parents, (Some(one), Some(other)) if executable::is_same(one, other));
        *entry == Entry::File && path.file_name() == self.program.file_name() && is_same_directory
    }

    /// Whether a file is a link to a version of this program, symbolic or hard, or a copy of one.
    pub fn is_version(&self, path: &Path, entry: &Entry) -> bool {
        match entry {
            Entry::Link(text) if !path.exists() => {
                let name = text.file_name();
                name == self.text.file_name() || name == Some(OsStr::new("ipc"))
            }
            Entry::Link(_) | Entry::File => {
                executable::is_same(path, &self.program) || executable::is_program_with(path, MARK)
            }
            Entry::Free | Entry::Other => false,
        }
    }

    /// Makes links, or none of them.
    pub fn make_all(&self, steps: &[(PathBuf, Step)]) -> anyhow::Result<()> {
        // No signal ends the process between two links.
        let _blocked = Blocked::new(cleanup::signals());
        let mut made = Vec::new();
        for (path, step) in steps {
            let link = match step {
                Step::Keep => continue,
                Step::Make => Made::new(path, &self.text),
                Step::Replace => Made::replacing(path, &self.text),
            };
            match link {
                Ok(link) => made.push(link),
                Err(errno) => {
                    made.into_iter().rev().for_each(Made::undo);
                    return Err(errno).about(path);
                }
            }
        }
        made.into_iter().for_each(Made::keep);
        Ok(())
    }

    /// Removes a link to this program; returns whether there was one.
    pub fn remove(&self, path: &Path) -> Result<bool, Failure> {
        let entry = executable::entry(path)?;
        if !self.is_version(path, &entry) || self.is_itself(path, &entry) {
            return Ok(false);
        }
        executable::remove(path)?;
        Ok(true)
    }

    /// Another program in PATH with this name.
    pub fn other(&self, name: &str) -> Option<PathBuf> {
        let path = executable::in_path(name.as_ref())?;
        let entry = executable::entry(&path).ok()?;
        (!self.is_version(&path, &entry)).then_some(path)
    }
}
