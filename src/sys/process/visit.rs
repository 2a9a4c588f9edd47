//! One pass over every process: its descriptors and its mappings. Its cost grows with their number alone,
//! however many objects are looked for.

use std::ffi::CStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{FileStat, Mode, fstatat};

use super::{look_into_others, text};

/// A descriptor of another process.
#[derive(Debug)]
pub struct Descriptor<'a> {
    /// The process.
    pub pid: i32,
    /// Its number in that process.
    pub number: i32,
    /// The status of its file.
    pub status: &'a FileStat,
}

impl Descriptor<'_> {
    /// The text of its link in `/proc`, such as a path or `pipe:[1]`; `None` if it was closed meanwhile.
    pub fn link(&self) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/fd/{}", self.pid, self.number)).ok()
    }

    /// Its lines in `/proc/PID/fdinfo`; empty if it was closed meanwhile.
    pub fn info(&self) -> String {
        info(self.pid, self.number)
    }
}

/// The lines of a descriptor in `/proc/PID/fdinfo`; empty if it was closed meanwhile.
pub fn info(pid: i32, number: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).unwrap_or_default()
}

/// A mapping of another process.
#[derive(Debug)]
pub struct Mapping<'a> {
    /// The process.
    pub pid: i32,
    /// The device of its file.
    pub device: u64,
    /// The inode of its file; for System V memory the identifier of the segment.
    pub inode: u64,
    /// The name by which the kernel shows it, such as a path.
    pub name: &'a [u8],
    /// Its range of addresses, as in the name of its file in `map_files`.
    range: &'a [u8],
    /// The offset of its first byte in the file.
    offset: u64,
}

impl Mapping<'_> {
    /// The status of its file, as far as this process may see it.
    pub fn status(&self) -> Option<FileStat> {
        let path = format!("/proc/{}/map_files/{}", self.pid, text(self.range)?);
        nix::sys::stat::stat(path.as_str()).ok()
    }

    /// The number of bytes up to its end in the file.
    pub fn end(&self) -> u64 {
        let range = text(self.range).and_then(|range| range.split_once('-'));
        let number = |digits| u64::from_str_radix(digits, 16).unwrap_or(0);
        range.map_or(0, |(start, end)| self.offset + number(end).saturating_sub(number(start)))
    }

    /// The mapping of a line of `/proc/PID/maps`, which has the form `START-END PERMISSIONS OFFSET
    /// MAJOR:MINOR INODE PATH`.
    fn parse(pid: i32, line: &[u8]) -> Option<Mapping<'_>> {
        let mut fields = line.splitn(6, |&byte| byte == b' ');
        let (range, _permissions, offset) = (fields.next()?, fields.next()?, fields.next()?);
        let (device, inode) = (fields.next()?, text(fields.next()?)?);
        let (major, minor) = text(device)?.split_once(':')?;
        let number = |digits| u32::from_str_radix(digits, 16).ok();
        Some(Mapping {
            pid,
            device: libc::makedev(number(major)?, number(minor)?),
            inode: inode.parse().ok().filter(|&inode: &u64| inode != 0 || is_system_v(line))?,
            name: fields.next()?.trim_ascii_start(),
            range,
            offset: u64::from_str_radix(text(offset)?, 16).ok()?,
        })
    }

    /// Whether it is System V memory.
    pub fn is_system_v(&self) -> bool {
        self.name.starts_with(SYSTEM_V)
    }
}

const SYSTEM_V: &[u8] = b"/SYSV";

/// Whether a line is about System V memory, whose first identifier is 0.
fn is_system_v(line: &[u8]) -> bool {
    line.windows(SYSTEM_V.len()).any(|part| part == SYSTEM_V)
}

/// The receiver of all that a pass finds.
pub trait Visitor {
    /// A process that can be seen.
    fn process(&mut self, pid: i32);

    /// A descriptor.
    fn descriptor(&mut self, descriptor: &Descriptor<'_>);

    /// A mapping of a file.
    fn mapping(&mut self, mapping: &Mapping<'_>);
}

/// The processes that could not be seen.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Unseen {
    /// Their number.
    pub count: usize,
    /// The process IDs that are known.
    pub pids: Vec<i32>,
}

/// Visits every process but this one.
pub fn visit(visitor: &mut impl Visitor) -> Unseen {
    let (mut unseen, mut buffer) = (Unseen::default(), Vec::new());
    unseen.count = look_into_others(|pid| {
        let looked = visit_process(pid, visitor, &mut buffer);
        if looked.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
            unseen.pids.push(pid);
        }
        looked
    });
    unseen
}

fn visit_process(pid: i32, visitor: &mut impl Visitor, buffer: &mut Vec<u8>) -> io::Result<()> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut directory = Dir::open(format!("/proc/{pid}/fd").as_str(), flags, Mode::empty())?;
    visitor.process(pid);
    let mut numbers = Vec::new();
    for entry in directory.iter() {
        numbers.extend(number_of(entry?.file_name()));
    }
    for number in numbers {
        // A descriptor may be closed meanwhile.
        if let Ok(status) = fstatat(&directory, number.to_string().as_str(), AtFlags::empty()) {
            visitor.descriptor(&Descriptor { pid, number, status: &status });
        }
    }
    buffer.clear();
    File::open(format!("/proc/{pid}/maps"))?.read_to_end(buffer)?;
    for mapping in buffer.split(|&byte| byte == b'\n').filter_map(|line| Mapping::parse(pid, line))
    {
        visitor.mapping(&mapping);
    }
    Ok(())
}

fn number_of(name: &CStr) -> Option<i32> {
    std::ffi::OsStr::from_bytes(name.to_bytes()).to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_read_with_spaces_in_its_name() {
        let line = b"7f00-8f00 rw-s 00001000 00:1a 77    /dev/shm/a b (deleted)";
        let mapping = Mapping::parse(1, line).unwrap();
        assert_eq!((mapping.device, mapping.inode), (libc::makedev(0, 0x1a), 77));
        assert_eq!(mapping.name, b"/dev/shm/a b (deleted)");
        assert_eq!(mapping.end(), 0x2000);
    }

    #[test]
    fn a_mapping_without_a_file_is_left_out_unless_it_is_a_first_segment() {
        assert!(Mapping::parse(1, b"7f00-8f00 rw-p 00000000 00:00 0 ").is_none());
        assert!(
            Mapping::parse(1, b"7f00-8f00 rw-p 00000000 00:00 0                  [heap]").is_none()
        );
        let line = b"7f00-8f00 rw-s 00000000 00:01 0    /SYSV00000000 (deleted)";
        assert!(Mapping::parse(1, line).unwrap().is_system_v());
    }
}
