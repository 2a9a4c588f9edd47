//! The descriptors of a process: `/proc/PID/fd`, `/proc/PID/fdinfo`.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileTypeExt;

use crate::base::errno::Errno;

/// A descriptor of a process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Descriptor {
    /// Its number.
    pub number: i32,
    /// The path of its file, or what the kernel shows in its place, such as `pipe:[4711]`.
    pub target: Vec<u8>,
    /// The type of its file: file, directory, fifo, socket, character, block; or other.
    pub file_type: &'static str,
    /// The flags of open(2).
    pub flags: i32,
    /// Its position.
    pub position: u64,
}

impl Descriptor {
    /// The access: r, w or rw; - for one that has none (O_PATH).
    pub fn access(&self) -> &'static str {
        match self.flags & libc::O_ACCMODE {
            _ if self.flags & libc::O_PATH != 0 => "-",
            libc::O_RDONLY => "r",
            libc::O_WRONLY => "w",
            _ => "rw",
        }
    }

    /// The names of the other flags, without `O_`.
    pub fn flag_names(&self) -> impl Iterator<Item = &'static str> {
        const NAMES: [(i32, &str); 9] = [
            (libc::O_APPEND, "append"),
            (libc::O_CLOEXEC, "cloexec"),
            (libc::O_DIRECT, "direct"),
            (libc::O_DSYNC, "dsync"),
            (libc::O_ASYNC, "async"),
            (libc::O_NOATIME, "noatime"),
            (libc::O_NONBLOCK, "nonblock"),
            (libc::O_PATH, "path"),
            (libc::O_TMPFILE & !libc::O_DIRECTORY, "tmpfile"),
        ];
        let flags = self.flags;
        NAMES.into_iter().filter(move |(flag, _)| flags & flag == *flag).map(|(_, name)| name)
    }
}

/// The descriptors of a process, by number. One that is closed meanwhile is left out.
///
/// # Errors
/// ESRCH if there is no such process; EACCES if this process may not see them; ENOENT without a /proc.
pub fn descriptors(pid: i32) -> Result<Vec<Descriptor>, Errno> {
    super::can_be_seen()?;
    let directory = format!("/proc/{pid}/fd");
    if let Err(errno) = fs::read_dir(&directory).map_err(Errno::from) {
        return Err(if errno == Errno(libc::ENOENT) { Errno(libc::ESRCH) } else { errno });
    }
    let numbers = super::numbers_in(&directory);
    Ok(numbers.into_iter().filter_map(|number| look(pid, number)).collect())
}

/// The numbers and targets of the descriptors of a process, as far as this process may see them.
pub fn targets(pid: i32) -> Vec<(i32, Vec<u8>)> {
    let numbers = super::numbers_in(&format!("/proc/{pid}/fd"));
    numbers.into_iter().filter_map(|number| Some((number, target(&link(pid, number))?))).collect()
}

fn link(pid: i32, number: i32) -> String {
    format!("/proc/{pid}/fd/{number}")
}

fn target(link: &str) -> Option<Vec<u8>> {
    Some(fs::read_link(link).ok()?.into_os_string().into_vec())
}

fn look(pid: i32, number: i32) -> Option<Descriptor> {
    let link = link(pid, number);
    let target = target(&link)?;
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).ok()?;
    let field = |key: &str| info.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let file_type = fs::metadata(&link).map_or("other", |status| match status.file_type() {
        kind if kind.is_file() => "file",
        kind if kind.is_dir() => "directory",
        kind if kind.is_fifo() => "fifo",
        kind if kind.is_socket() => "socket",
        kind if kind.is_char_device() => "character",
        kind if kind.is_block_device() => "block",
        _ => "other",
    });
    Some(Descriptor {
        number,
        target,
        file_type,
        flags: i32::from_str_radix(field("flags:")?, 8).ok()?,
        position: field("pos:")?.parse().ok()?,
    })
}
