//! Files of a directory, of the types that an argument accepts. None is opened.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, FileType};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use super::Candidate;
use crate::mechanism::spool::entry::Entry;
use crate::mechanism::spool::name::MessageName;
use crate::mechanism::spool::part::Part;

/// The types of files that an argument accepts, beside directories on the way to them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wanted {
    Any,
    Directory,
    Fifo,
    Socket,
    /// A directory with the parts of a spool.
    Spool,
}

/// The files whose paths may begin with this word.
pub fn at(word: &OsStr, wanted: Wanted) -> Vec<Candidate> {
    let bytes = word.as_bytes();
    let (directory, beginning) =
        bytes.split_at(bytes.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1));
    let place = if directory.is_empty() { OsStr::new(".") } else { OsStr::from_bytes(directory) };
    let mut found: Vec<Candidate> = (entries(place).into_iter())
        .filter(|entry| beginning.starts_with(b".") || !is_hidden(&entry.file_name()))
        .filter_map(|entry| candidate(&entry, wanted))
        .map(|candidate| candidate.behind(directory))
        .collect();
    found.sort_by(|one, other| one.value.cmp(&other.value));
    found
}

fn entries(directory: &OsStr) -> Vec<DirEntry> {
    fs::read_dir(directory).map(|entries| entries.flatten().collect()).unwrap_or_default()
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

fn candidate(entry: &DirEntry, wanted: Wanted) -> Option<Candidate> {
    let name = entry.file_name().into_vec();
    let file_type = type_of(entry)?;
    if file_type.is_dir() {
        return Some(match wanted {
            Wanted::Spool if is_spool(&entry.path()) => Candidate::new(name, "spool"),
            _ => Candidate::open([name, b"/".to_vec()].concat(), ""),
        });
    }
    let is_wanted = match wanted {
        Wanted::Any => true,
        Wanted::Directory | Wanted::Spool => false,
        Wanted::Fifo => file_type.is_fifo(),
        Wanted::Socket => file_type.is_socket(),
    };
    is_wanted.then(|| Candidate::new(name, ""))
}

/// The type of a file, or of the file behind a symbolic link.
fn type_of(entry: &DirEntry) -> Option<FileType> {
    let file_type = entry.file_type().ok()?;
    match file_type.is_symlink() {
        true => {
            fs::metadata(entry.path()).map_or(Some(file_type), |status| Some(status.file_type()))
        }
        false => Some(file_type),
    }
}

fn is_spool(directory: &Path) -> bool {
    directory.join(Part::Ready.name()).is_dir() && directory.join(Part::Failed.name()).is_dir()
}

/// The names of the messages of a spool.
pub fn messages(spool: &OsStr) -> Vec<Candidate> {
    let in_part = |(part, about): (Part, &'static str)| {
        let directory = Path::new(spool).join(part.name());
        entries(directory.as_os_str()).into_iter().filter_map(move |file| message(&file, about))
    };
    let parts = [(Part::Ready, ""), (Part::Failed, "failed")];
    let mut found: Vec<Candidate> = parts.into_iter().flat_map(in_part).collect();
    found.sort_by(|one, other| one.value.cmp(&other.value));
    found
}

fn message(file: &DirEntry, about: &str) -> Option<Candidate> {
    let entry = Entry::parse(file.file_name().as_bytes())?;
    let name = MessageName::decode(&entry.name)?;
    Some(Candidate::new(name.bytes(), about))
}
