//! The names that exist at this moment: objects, listening sockets, processes, users. Nothing waits here:
//! no name service is asked, and nothing is opened but what `ipc ls` opens too.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::{Candidate, Cursor};
use crate::mechanism::socket::table;
use crate::mechanism::survey::{self, Kind, Object};
use crate::sys::process;

/// The objects of some kinds that have a name.
pub fn of(kinds: &[Kind]) -> Vec<Candidate> {
    let objects = survey::named(kinds).into_iter();
    objects.map(|object| Candidate::new(object.name.clone().into_vec(), about(&object))).collect()
}

/// What an object holds.
fn about(object: &Object) -> String {
    let count = |one: &str, many: &str| match object.count {
        Some(1) => format!("1 {one}"),
        Some(count) => format!("{count} {many}"),
        None => String::new(),
    };
    let contents = match object.kind {
        Kind::Sem => object.count.map_or(String::new(), |value| format!("value {value}")),
        Kind::Mq | Kind::Queue => count("message", "messages"),
        _ => object.size.map_or(String::new(), |size| format!("{size} bytes")),
    };
    let parts = [contents.as_str(), object.detail.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The sockets that wait for clients or for datagrams.
pub fn listeners() -> Vec<Candidate> {
    let mut found: Vec<Candidate> = (table::reachable().into_iter())
        .map(|row| Candidate::new(row.address, format!("{} {}", row.family, row.kind)))
        .collect();
    found.sort_by(|one, other| one.value.cmp(&other.value));
    found.dedup_by(|one, other| one.value == other.value);
    found
}

/// The processes whose IDs begin so, with their command lines. A list that fills more than a screen has their
/// names only, which the kernel finds sooner.
pub fn processes(cursor: Cursor<'_>) -> Vec<Candidate> {
    const SCREEN: usize = 24;
    let own = std::process::id() as i32;
    let beginning = cursor.word.as_bytes();
    let mut found: Vec<(i32, Candidate)> = (process::all().filter(|&pid| pid != own))
        .map(|pid| (pid, Candidate::new(pid.to_string(), "")))
        .filter(|(_, candidate)| candidate.value.starts_with(beginning))
        .collect();
    let describe = if found.len() > SCREEN { name } else { command_line };
    for (pid, candidate) in found.iter_mut().filter(|_| cursor.is_described) {
        candidate.about = describe(*pid);
    }
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The beginning of the command line of a process; the name of a thread of the kernel, in brackets.
fn command_line(pid: i32) -> String {
    /// More than a shell shows.
    const LENGTH: usize = 512;
    let mut buffer = [0; LENGTH];
    let line = process::command_line_in(pid, &mut buffer);
    let words = line.split(|&byte| byte == 0).filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
    match words.is_empty() {
        true => format!("[{}]", name(pid)),
        false => words.join(" "),
    }
}

fn name(pid: i32) -> String {
    String::from_utf8_lossy(&process::command(pid)).into_owned()
}

/// The names of the processes, each once.
pub fn commands() -> Vec<Candidate> {
    let mut names: Vec<Vec<u8>> = process::all().map(process::full_name).collect();
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    names.into_iter().map(|name| Candidate::new(name, "")).collect()
}

/// The descriptors of a process; none if the word is no process ID.
pub fn descriptors(pid: Option<&OsStr>) -> Vec<Candidate> {
    let pid = pid.and_then(OsStr::to_str).and_then(|pid| pid.parse().ok());
    let about = |target: &[u8]| String::from_utf8_lossy(target).into_owned();
    let targets = pid.map(process::targets).unwrap_or_default().into_iter();
    targets.map(|(number, target)| Candidate::new(number.to_string(), about(&target))).collect()
}

/// The users of passwd(5), by name and ID. A name service could be on another machine.
pub fn users(make: impl Fn(String, String) -> Candidate) -> Vec<Candidate> {
    accounts("/etc/passwd", make)
}

/// The groups of group(5), by name and ID.
pub fn groups(make: impl Fn(String, String) -> Candidate) -> Vec<Candidate> {
    accounts("/etc/group", make)
}

fn accounts(file: &str, make: impl Fn(String, String) -> Candidate) -> Vec<Candidate> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let account = |line: &str| {
        let mut fields = line.split(':');
        Some((fields.next()?.to_owned(), fields.nth(1)?.to_owned()))
    };
    text.lines().filter_map(account).map(|(name, number)| make(name, number)).collect()
}
