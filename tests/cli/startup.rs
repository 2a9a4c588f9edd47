//! Short commands start fast, measured in page faults, which do not depend on the load of the machine.
//!
//! The benchmark `startup` measures times, on a quiet machine.

use std::fs;
use std::path::{Path, PathBuf};

use crate::layout;
use crate::peers;
use crate::support::{Name, binary, ipc, sh};

/// The page faults of a program: the minimum of ten runs.
const COUNT: &str = "
import os, sys
def faults():
    pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
    _, status, usage = os.wait4(pid, 0)
    return usage.ru_minflt if status == 0 else sys.exit(f'status {status}')
print(min(faults() for _ in range(10)))
";

/// Whether the static release is under test, in which the linker orders functions.
fn is_ordered() -> bool {
    let program = fs::read(binary()).expect("the binary can be read");
    let section = b".text.verbs";
    program.windows(section.len()).any(|bytes| bytes == section)
}

/// A copy of the binary that one write has made. How many pages the kernel maps at a fault depends on the
/// sizes in which a file came into the page cache: those of a file that a linker wrote piece by piece are small.
fn written_at_once(directory: &Path) -> PathBuf {
    let copy = directory.join("ipc");
    let line = format!("dd if={:?} of={copy:?} bs=64M status=none && chmod 755 {copy:?}", binary());
    sh(&line).is(0, "", "");
    copy
}

#[test]
fn short_commands_touch_few_pages() {
    if !is_ordered() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory can be made");
    let program = written_at_once(directory.path());
    let (sem, queue, shm) = (Name::new("sem"), Name::new("queue"), Name::new("shm"));
    ipc(&["sem", "create", &sem]).is(0, "", "");
    ipc(&["queue", "create", "--capacity", "64K", &queue]).is(0, "", "");
    ipc(&["shm", "create", &shm, "--size", "4096"]).is(0, "", "");
    // Measured: 8 to 11 with the order, 33 without; 6 are those of a program that does nothing.
    let commands: [&[&str]; 8] = [
        &["sem", "post", &sem],
        &["sem", "post", "--count", "1", &sem],
        &["sem", "wait", &sem],
        &["queue", "push", &queue, "hello"],
        &["queue", "pop", &queue],
        &["shm", "peek", &shm],
        &["shm", "add", &shm, "1"],
        &["signal", "send", "0", &std::process::id().to_string()],
    ];
    for words in commands {
        let Some(count) = peers::python("os", COUNT, &[]) else { return };
        let count = count.word(&program).words(words).succeeds();
        let faults = count.lines().last().and_then(|line| line.parse::<u32>().ok());
        assert!(faults.is_some_and(|faults| faults <= 14), "{words:?}: {count} page faults");
    }
}

/// A little-endian number of eight bytes in a program.
fn number(program: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(program[offset..offset + 8].try_into().expect("they are eight"))
}

#[test]
fn the_c_library_has_room_for_all_thread_local_variables() {
    if !is_ordered() {
        return;
    }
    let program = fs::read(binary()).expect("the binary can be read");
    // elf(5): the program headers have 56 bytes each; PT_TLS is 7, and its size in memory is at 40.
    let headers = (number(&program, 32) as usize..).step_by(56).take(usize::from(program[56]));
    let tls = headers.filter(|&header| program[header..header + 4] == [7, 0, 0, 0]);
    let sizes: Vec<u64> = tls.map(|header| number(&program, header + 40)).collect();
    // For more, musl maps memory at the start of every command.
    assert!(sizes.iter().all(|&size| size <= 112), "{sizes:?} bytes are thread-local");
}

/// A part of a path in a pattern of mangled names, where it stands behind its length.
#[derive(Debug)]
struct Part<'a> {
    name: &'a str,
    /// It belongs to the part before it.
    is_next: bool,
}

fn parts(pattern: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest, mut is_next) = (Vec::new(), pattern, false);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let length = rest[..digits].parse().unwrap_or(0);
        let name = rest[digits..].get(..length).filter(|name| !name.is_empty());
        parts.extend(name.map(|name| Part { name, is_next }));
        is_next = name.is_some();
        rest = &rest[(digits + length).clamp(1, rest.len())..];
    }
    parts
}

/// The files of a module: its own, or all that are below its directory.
fn module(path: &[&str]) -> Option<Vec<PathBuf>> {
    let path = Path::new("src").join(path.join("/"));
    let file = path.with_extension("rs");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = path.to_str().filter(|_| root.join(&path).is_dir());
    let mut files = directory.map_or(Vec::new(), layout::sources);
    files.extend(Some(file).filter(|file| root.join(file).is_file()));
    Some(files).filter(|files| !files.is_empty())
}

fn has_word(files: &[PathBuf], word: &str) -> bool {
    let is_in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    files.iter().any(|file| {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
        text.expect("it can be read").split(|c| !is_in_word(c)).any(|found| found == word)
    })
}

/// The module or item in a pattern that is not in the source.
fn missing(pattern: &str) -> Option<String> {
    let all = layout::sources("src");
    let (mut path, mut files) = (Vec::new(), all.clone());
    for Part { name, is_next } in parts(pattern) {
        if !is_next {
            (path, files) = (Vec::new(), all.clone());
        }
        path.push(name);
        match module(&path) {
            Some(found) => files = found,
            // It is an item of the module.
            None if has_word(&files, name) => drop(path.pop()),
            None => return Some(path.join("::")),
        }
    }
    None
}

#[test]
fn every_name_in_the_linker_script_is_in_the_source() {
    let script = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/link/startup.ld"));
    let script = script.expect("it can be read");
    let patterns = script.split_whitespace().filter_map(|word| word.split_once("9ipc_suite"));
    let patterns: Vec<&str> =
        patterns.map(|(_, path)| path).filter(|path| !path.starts_with('*')).collect();
    assert!(patterns.len() > 50, "only {} patterns name functions of ipc", patterns.len());
    for path in patterns {
        let first = parts(path).first().and_then(|part| module(&[part.name]));
        assert!(first.is_some(), "link/startup.ld: {path}: no such module");
        assert_eq!(missing(path), None, "link/startup.ld: {path}: not in the source");
    }
}
