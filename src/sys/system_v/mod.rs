//! Keys, identifiers, permissions and tables of System V objects: sysvipc(7).

mod kind;

use std::ffi::{OsStr, OsString, c_int};
use std::sync::Arc;

use nix::sys::stat::stat;

pub use self::kind::{Kind, Status};

use super::origin::Found;
use crate::base::errno::Errno;
use crate::base::name::{SystemVName, SystemVTarget};

/// How an object is found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target {
    /// By its key, with which it may have to be created.
    Key(i32),
    /// By its identifier.
    Id(i32),
}

impl Target {
    /// The object that a name means.
    ///
    /// # Errors
    /// Those of stat(2), for the path of a key that ftok(3) makes.
    pub fn new(name: &SystemVName) -> Result<Self, Errno> {
        Ok(match name.target() {
            SystemVTarget::Key(key) => Self::Key(*key),
            SystemVTarget::Id(id) => Self::Id(*id),
            SystemVTarget::Ftok { path, project } => Self::Key(ftok(path, *project)?),
        })
    }

    /// Whether it means a new object each time, and never one that exists: IPC_PRIVATE.
    pub fn is_private(self) -> bool {
        self == Self::Key(libc::IPC_PRIVATE)
    }

    /// The key of a new object.
    ///
    /// # Errors
    /// EINVAL for an identifier: the kernel chooses it.
    pub fn new_key(self) -> Result<i32, Errno> {
        match self {
            Self::Key(key) => Ok(key),
            Self::Id(_) => Err(Errno(libc::EINVAL)),
        }
    }

    /// The identifier of an existing object: `get` finds it by a key, and `look` reads it by its
    /// identifier.
    ///
    /// # Errors
    /// ENOENT if there is none; those of `get`.
    pub fn find<T>(
        self,
        get: impl FnOnce(i32) -> Result<i32, Errno>,
        look: impl FnOnce(i32) -> Result<T, Errno>,
    ) -> Result<i32, Errno> {
        match self {
            private if private.is_private() => Err(Errno(libc::ENOENT)),
            Self::Key(key) => get(key),
            Self::Id(id) => match look(id).map_err(no_such) {
                Err(Errno(libc::ENOENT)) => Err(Errno(libc::ENOENT)),
                // A process may have permission to change it and not to read it.
                _ => Ok(id),
            },
        }
    }
}

/// A new object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NewObject {
    /// Its identifier.
    pub id: i32,
    /// Whether it has no key, so that only the identifier finds it.
    pub is_private: bool,
}

impl NewObject {
    /// The name of an object that has no key.
    pub fn own_name(self) -> Option<SystemVName> {
        self.is_private.then(|| self.name())
    }

    /// The name by its identifier.
    pub fn name(self) -> SystemVName {
        SystemVName::of_id(self.id)
    }
}

/// Flags to create an object that does not exist.
pub const NEW: c_int = libc::IPC_CREAT | libc::IPC_EXCL;

/// The permissions of the creator until an object is complete.
pub const OURS: u32 = 0o600;

/// Maps the errors for an identifier that no object has, or not any more, to ENOENT.
pub fn no_such(errno: Errno) -> Errno {
    match errno {
        Errno(libc::EINVAL | libc::EIDRM) => Errno(libc::ENOENT),
        errno => errno,
    }
}

/// A table of `/proc/sysvipc`, such as `msg`: a map from column to number for each object.
///
/// # Errors
/// ENOSYS if the kernel has no such table or /proc is not mounted; those of reading it.
pub fn table(name: &str) -> Result<Vec<Row>, Errno> {
    let text = std::fs::read_to_string(format!("/proc/sysvipc/{name}"));
    let text = text.map_err(|error| match Errno::from(error) {
        Errno(libc::ENOENT | libc::ENOTDIR) => Errno(libc::ENOSYS),
        errno => errno,
    })?;
    let mut lines = text.lines();
    let columns = lines.next().unwrap_or_default().split_whitespace().map(str::to_owned);
    let columns: Arc<[String]> = columns.collect();
    Ok(lines.map(|line| Row::parse(&columns, line)).collect())
}

/// The row of the object with this identifier.
///
/// # Errors
/// ENOENT if there is none; those of [`table`].
pub fn row(name: &str, id: i32) -> Result<Row, Errno> {
    table(name)?.into_iter().find(|row| row.id() == id).ok_or(Errno(libc::ENOENT))
}

/// One object of such a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// The names of the columns, of all rows.
    columns: Arc<[String]>,
    cells: Vec<i64>,
}

impl Row {
    fn parse(columns: &Arc<[String]>, line: &str) -> Self {
        let cells = columns.iter().zip(line.split_whitespace()).map(|(column, cell)| {
            // Permissions alone are octal.
            let radix = if column == "perms" { 8 } else { 10 };
            i64::from_str_radix(cell, radix).unwrap_or(0)
        });
        Self { columns: Arc::clone(columns), cells: cells.collect() }
    }

    /// The number in this column; 0 in one that the kernel does not have.
    pub fn number(&self, column: &str) -> i64 {
        let index = self.columns.iter().position(|name| name == column);
        index.and_then(|index| self.cells.get(index)).copied().unwrap_or(0)
    }

    /// The identifier, which is in the column behind the key in each table.
    pub fn id(&self) -> i32 {
        self.cells.get(1).map_or(0, |&id| id as i32)
    }

    /// The creator and the permissions.
    pub fn found(&self) -> Found {
        Found::in_kernel(self.number("cuid") as u32, self.number("perms") as u32 & 0o777)
    }

    /// The key in the notation of ipcs(1).
    pub fn key(&self) -> String {
        hexadecimal(self.number("key") as i32)
    }

    /// The name that finds the object: by its key or, if that is private, by its identifier.
    pub fn name(&self) -> OsString {
        spelled(match self.number("key") as i32 {
            libc::IPC_PRIVATE => Target::Id(self.id()),
            key => Target::Key(key),
        })
    }
}

/// The name of an object as [`Row::name`] has it.
pub fn spelled(target: Target) -> OsString {
    match target {
        Target::Key(key) => format!("sysv:{}", hexadecimal(key)).into(),
        Target::Id(id) => SystemVName::of_id(id).as_ref().to_owned(),
    }
}

fn hexadecimal(key: i32) -> String {
    format!("{key:#010x}")
}

/// The key that glibc's and musl's ftok(3) make.
fn ftok(path: &OsStr, project: u8) -> Result<i32, Errno> {
    let status = stat(path)?;
    let key = status.st_ino & 0xffff | (status.st_dev & 0xff) << 16 | u64::from(project) << 24;
    Ok(key as u32 as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_path_is_that_of_the_c_library() {
        // SAFETY: the path is a string.
        let theirs = unsafe { libc::ftok(c"/tmp".as_ptr(), 0x1c3) };
        assert_eq!(ftok(OsStr::new("/tmp"), 0xc3), Ok(theirs));
        assert_eq!(ftok(OsStr::new("/no/such"), 1), Err(Errno(libc::ENOENT)));
    }

    fn columns() -> Arc<[String]> {
        ["key", "msqid", "perms"].map(str::to_owned).into()
    }

    #[test]
    fn a_row_knows_its_columns() {
        let row = Row::parse(&columns(), "  -559038737  3   640");
        assert_eq!((row.number("key"), row.number("perms")), (-559_038_737, 0o640));
        assert_eq!((row.number("new"), &*row.name()), (0, OsStr::new("sysv:0xdeadbeef")));
    }

    #[test]
    fn a_private_object_is_named_by_its_identifier() {
        let row = Row::parse(&columns(), "0  3   640");
        assert_eq!(row.name(), "sysv:id=3");
    }
}
