//! Links by whose names our program is called: which are to be made, and making all of them or none.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::sys::cleanup;
use crate::sys::executable::{self, Entry, Made};
use crate::sys::signal::Blocked;

/// A text in every version of our program, by which one that has been replaced is recognized.
pub const MARK: &str = "ipc <NOUN> <VERB> ...";

/// What the links lead to.
#[derive(Debug)]
pub struct Target {
    /// The text of a link.
    text: PathBuf,
    /// The file of our program.
    program: PathBuf,
}

/// What is to be done for a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// It is there.
    Keep,
    /// Its name is free.
    Make,
    /// Something else has its name, and is to go.
    Replace,
}

/// What to do where a name is taken by something that is no link to `ipc`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Foreign {
    Refuse,
    Replace,
}

impl Target {
    /// The one for links in this directory: relative if the program lies there too, so that they
    /// still lead to it when the whole directory is moved.
    pub fn of(directory: &Path) -> Result<Self, Errno> {
        let program = executable::path()?;
        let parent = program.parent().unwrap_or(Path::new("/"));
        let text = match program.file_name() {
            Some(name) if executable::is_same(parent, directory) => PathBuf::from(name),
            _ => program.clone(),
        };
        Ok(Self { text, program })
    }

    /// One that is there when the links are used.
    pub fn at(text: PathBuf) -> Result<Self, Errno> {
        Ok(Self { text, program: executable::path()? })
    }

    /// What is to be done for a link at `path`.
    pub fn plan(&self, path: &Path, foreign: Foreign) -> Result<Step, Failure> {
        let entry = executable::entry(path)?;
        if self.is_itself(path, &entry) {
            return Err(Failure::new(Exit::InUse, "this is the program itself"));
        }
        match &entry {
            Entry::Free => Ok(Step::Make),
            Entry::Link(text) if *text == self.text => Ok(Step::Keep),
            Entry::Other => Err(Failure::new(Exit::InUse, "there is something that is no file")),
            entry if self.is_ours(path, entry) => Ok(Step::Replace),
            _ if foreign == Foreign::Replace => Ok(Step::Replace),
            _ => Err(Failure::from(Errno(libc::EEXIST)).hint("--force replaces it")),
        }
    }

    /// Whether a link at `path` would take the place of what it leads to.
    fn is_itself(&self, path: &Path, entry: &Entry) -> bool {
        let parents = (path.parent(), self.program.parent());
        let is_same_directory =
            matches!(parents, (Some(one), Some(other)) if executable::is_same(one, other));
        *entry == Entry::File && path.file_name() == self.program.file_name() && is_same_directory
    }

    /// Whether a name is a link to some version of our program, symbolic or hard, or a copy.
    pub fn is_ours(&self, path: &Path, entry: &Entry) -> bool {
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
        // No signal ends us halfway.
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

    /// Removes a link to our program; whether there was one.
    pub fn remove(&self, path: &Path) -> Result<bool, Failure> {
        let entry = executable::entry(path)?;
        if !self.is_ours(path, &entry) || self.is_itself(path, &entry) {
            return Ok(false);
        }
        executable::remove(path)?;
        Ok(true)
    }

    /// Another program that a shell runs for this name, or would if it were not for `directory`.
    pub fn other(&self, name: &str) -> Option<PathBuf> {
        let path = executable::in_path(name.as_ref())?;
        let entry = executable::entry(&path).ok()?;
        (!self.is_ours(&path, &entry)).then_some(path)
    }
}
