//! The mappings of files in another process: PROCMAP_QUERY of Linux 6.11, or else the text of
//! `/proc/PID/maps`, which takes the kernel several times as long.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;

use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::{FileStat, Mode};

use super::text;
use crate::base::errno::Errno;

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
    /// Its first address, and that behind its end.
    range: (u64, u64),
    /// The offset of its first byte in the file.
    offset: u64,
}

impl Mapping<'_> {
    /// The status of its file, as far as this process may see it.
    pub fn status(&self) -> Option<FileStat> {
        let (start, end) = self.range;
        let path = format!("/proc/{}/map_files/{start:x}-{end:x}", self.pid);
        nix::sys::stat::stat(path.as_str()).ok()
    }

    /// The number of bytes up to its end in the file.
    pub fn end(&self) -> u64 {
        let (start, end) = self.range;
        self.offset + end.saturating_sub(start)
    }

    /// The mapping of a line of `/proc/PID/maps`, which has the form `START-END PERMISSIONS OFFSET
    /// MAJOR:MINOR INODE PATH`.
    fn parse(pid: i32, line: &[u8]) -> Option<Mapping<'_>> {
        let mut fields = line.splitn(6, |&byte| byte == b' ');
        let (range, _permissions, offset) = (fields.next()?, fields.next()?, fields.next()?);
        let (device, inode) = (fields.next()?, text(fields.next()?)?);
        let ((start, end), (major, minor)) =
            (text(range)?.split_once('-')?, text(device)?.split_once(':')?);
        let number = |digits| u32::from_str_radix(digits, 16).ok();
        let long = |digits| u64::from_str_radix(digits, 16).ok();
        Some(Mapping {
            pid,
            device: libc::makedev(number(major)?, number(minor)?),
            inode: inode.parse().ok().filter(|&inode: &u64| inode != 0 || is_system_v(line))?,
            name: fields.next()?.trim_ascii_start(),
            range: (long(start)?, long(end)?),
            offset: long(text(offset)?)?,
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

/// The receiver of mappings.
pub trait Receiver {
    /// Whether it receives mappings of files of this device, which may be a disk.
    fn wants_mappings_of(&self, device: u64) -> bool;

    /// A mapping of a file.
    fn mapping(&mut self, mapping: &Mapping<'_>);
}

/// Finds the mappings of files of a process. Those of disks are left out unless they are wanted.
pub fn find(pid: i32, receiver: &mut impl Receiver, buffer: &mut Vec<u8>) -> io::Result<()> {
    let path = format!("/proc/{pid}/maps");
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let maps = File::from(openat(AT_FDCWD, path.as_str(), flags, Mode::empty())?);
    buffer.resize(buffer.len().max(USUAL), 0);
    let mut address = 0;
    loop {
        match Query::of(&maps, address, &mut []) {
            Ok(mut found) => {
                address = found.end;
                // Memory has a device without a driver, as overlayfs and others have.
                if found.major == 0 || receiver.wants_mappings_of(found.device()) {
                    // It may have gone meanwhile, or its name be too long.
                    found = Query::of(&maps, found.start, buffer).unwrap_or(found);
                    receiver.mapping(&found.mapping(pid, buffer));
                }
            }
            // The end, or a process without memory.
            Err(Errno(libc::ENOENT | libc::ESRCH)) => return Ok(()),
            // An older kernel.
            Err(_) if address == 0 => break,
            Err(errno) => return Err(io::Error::from_raw_os_error(errno.0)),
        }
    }
    let maps = read_whole(&maps, buffer)?;
    let lines = maps.split(|&byte| byte == b'\n');
    let mappings = lines.filter_map(|line| Mapping::parse(pid, line));
    mappings.for_each(|mapping| receiver.mapping(&mapping));
    Ok(())
}

/// `struct procmap_query` of linux/fs.h.
#[derive(Debug, Default)]
#[repr(C)]
struct Query {
    size: u64,
    flags: u64,
    address: u64,
    start: u64,
    end: u64,
    mapping_flags: u64,
    page_size: u64,
    offset: u64,
    inode: u64,
    major: u32,
    minor: u32,
    name_size: u32,
    build_id_size: u32,
    name_address: u64,
    build_id_address: u64,
}

impl Query {
    /// The first mapping of a file at an address or behind it, with its name if there is a buffer.
    fn of(maps: &File, address: u64, name: &mut [u8]) -> Result<Self, Errno> {
        /// `_IOWR('f', 17, struct procmap_query)`.
        const PROCMAP_QUERY: libc::Ioctl = 0xC068_6611_u32 as libc::Ioctl;
        const COVERING_OR_NEXT: u64 = 0x10;
        const FILE_BACKED: u64 = 0x20;
        let mut query = Self {
            size: size_of::<Self>() as u64,
            flags: COVERING_OR_NEXT | FILE_BACKED,
            address,
            name_size: u32::try_from(name.len()).unwrap_or(u32::MAX),
            // The kernel wants no address without a size.
            name_address: if name.is_empty() { 0 } else { name.as_mut_ptr() as u64 },
            ..Self::default()
        };
        // SAFETY: the kernel writes into the structure and the buffer, which live through the call, and not
        // beyond the sizes that the structure has.
        let result = unsafe { libc::ioctl(maps.as_raw_fd(), PROCMAP_QUERY, &raw mut query) };
        Errno::check(result).map(|()| query)
    }

    fn device(&self) -> u64 {
        libc::makedev(self.major, self.minor)
    }

    /// The mapping, with its name, which ends with a NUL.
    fn mapping<'b>(&self, pid: i32, buffer: &'b [u8]) -> Mapping<'b> {
        let length = (self.name_size as usize).saturating_sub(1);
        Mapping {
            pid,
            device: self.device(),
            inode: self.inode,
            name: buffer.get(..length).unwrap_or_default(),
            range: (self.start, self.end),
            offset: self.offset,
        }
    }
}

/// The size of a buffer for most texts, and for every name.
pub(super) const USUAL: usize = 64 << 10;

/// Reads a file of `/proc`. `File::read_to_end` would ask for its size first, which it does not have.
fn read_whole<'b>(mut file: &File, buffer: &'b mut Vec<u8>) -> io::Result<&'b [u8]> {
    let mut length = 0;
    loop {
        if length == buffer.len() {
            buffer.resize((2 * length).max(USUAL), 0);
        }
        match file.read(&mut buffer[length..]) {
            Ok(0) => return Ok(&buffer[..length]),
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
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

    /// Device, inode, name and end of the mappings of a file.
    struct Of(Vec<u8>, Vec<(u64, u64, Vec<u8>, u64)>);

    impl Receiver for Of {
        fn wants_mappings_of(&self, _device: u64) -> bool {
            true
        }

        fn mapping(&mut self, mapping: &Mapping<'_>) {
            if mapping.name == self.0 {
                let name = mapping.name.to_vec();
                self.1.push((mapping.device, mapping.inode, name, mapping.end()));
            }
        }
    }

    #[test]
    fn both_ways_find_the_same_mappings() {
        let own = std::process::id() as i32;
        // Other tests may map other files meanwhile.
        let program = std::env::current_exe().unwrap().into_os_string().into_encoded_bytes();
        let (mut found, mut read) = (Of(program.clone(), Vec::new()), Of(program, Vec::new()));
        find(own, &mut found, &mut Vec::new()).unwrap();
        let text = std::fs::read("/proc/self/maps").unwrap();
        let lines = text.split(|&byte| byte == b'\n');
        lines
            .filter_map(|line| Mapping::parse(own, line))
            .for_each(|mapping| read.mapping(&mapping));
        assert!(!found.1.is_empty());
        assert_eq!(found.1, read.1);
    }
}
