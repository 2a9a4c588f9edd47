//! Names of objects. Every value of these types is a name that the kernel accepts.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The name of a POSIX object, such as `/jobs`: a slash, then 1 to `MAX` bytes without a slash.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct PosixName<const MAX: usize>(CString);

/// The name of a shared memory object or a message queue, which is the name of a file: NAME_MAX.
pub type ObjectName = PosixName<255>;

/// The name of a semaphore. Its file is `sem.NAME`, which is shorter than NAME_MAX:
/// sem_overview(7).
pub type SemaphoreName = PosixName<251>;

impl<const MAX: usize> PosixName<MAX> {
    /// The name of `/name`, or of `name`, which means the same.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn new(text: &OsStr) -> Result<Self, NameError> {
        let bytes = text.as_bytes();
        if bytes.starts_with(SystemVName::SCHEME.as_bytes()) {
            return Err(NameError::SystemV);
        }
        Self::of_file(OsStr::from_bytes(bytes.strip_prefix(b"/").unwrap_or(bytes)))
    }

    /// A name in a directory of such objects, which has no slash.
    ///
    /// # Errors
    /// As [`PosixName::new`].
    pub fn of_file(name: &OsStr) -> Result<Self, NameError> {
        let name = name.as_bytes();
        match name {
            b"" => return Err(NameError::Empty),
            b"." | b".." => return Err(NameError::Dots),
            _ if name.contains(&b'/') => return Err(NameError::SecondSlash),
            _ if name.len() > MAX => {
                return Err(NameError::TooLong { bytes: name.len(), limit: MAX });
            }
            _ => {}
        }
        let mut path = Vec::with_capacity(name.len() + 2);
        path.push(b'/');
        path.extend_from_slice(name);
        CString::new(path).map(Self).map_err(|_| NameError::Nul)
    }

    /// The name with its slash, for shm_open(3) and mq_open(3).
    pub fn with_slash(&self) -> &std::ffi::CStr {
        &self.0
    }

    /// The name without its slash, as in the directory of such objects.
    pub fn without_slash(&self) -> &OsStr {
        OsStr::from_bytes(&self.0.as_bytes()[1..])
    }
}

impl<const MAX: usize> AsRef<OsStr> for PosixName<MAX> {
    fn as_ref(&self) -> &OsStr {
        OsStr::from_bytes(self.0.as_bytes())
    }
}

/// The name of a System V object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SystemVName {
    text: OsString,
    target: SystemVTarget,
}

/// The object of a System V name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SystemVTarget {
    /// A key.
    Key(i32),
    /// The key of an existing path and a project number: ftok(3).
    Ftok {
        /// The path.
        path: OsString,
        /// The project number, of which ftok(3) uses the low 8 bits.
        project: u8,
    },
    /// The identifier of an existing object.
    Id(i32),
}

impl SystemVName {
    const SCHEME: &str = "sysv:";

    /// A name that begins with `sysv:`: `sysv:KEY`, `sysv:PATH:PROJ` or `sysv:id=N`; `None` for
    /// another kind of name.
    ///
    /// # Errors
    /// The valid forms, if the name has none of them.
    pub fn new(text: &OsStr) -> Option<Result<Self, NameError>> {
        let rest = text.as_bytes().strip_prefix(Self::SCHEME.as_bytes())?;
        let target = SystemVTarget::new(rest);
        Some(target.map(|target| Self { text: text.to_owned(), target }))
    }

    /// The name of an object by its identifier.
    pub fn of_id(id: i32) -> Self {
        let text = format!("{}id={id}", Self::SCHEME);
        Self { text: text.into(), target: SystemVTarget::Id(id) }
    }

    /// The object of this name.
    pub fn target(&self) -> &SystemVTarget {
        &self.target
    }
}

impl AsRef<OsStr> for SystemVName {
    fn as_ref(&self) -> &OsStr {
        &self.text
    }
}

impl SystemVTarget {
    /// The target of a name, without its scheme.
    fn new(rest: &[u8]) -> Result<Self, NameError> {
        let text = std::str::from_utf8(rest).ok();
        if let Some(id) = text.and_then(|text| text.strip_prefix("id=")) {
            let id = id.parse().ok().filter(|&id| id >= 0);
            return id.map(Self::Id).ok_or(NameError::SystemVForm);
        }
        if let Some(colon) = rest.iter().rposition(|&b| b == b':') {
            let path = OsString::from_vec(rest[..colon].to_vec());
            return match project(&rest[colon + 1..]) {
                _ if path.is_empty() => Err(NameError::SystemVForm),
                Some(project) => Ok(Self::Ftok { path, project }),
                None => Err(NameError::Project),
            };
        }
        text.and_then(number).map(Self::Key).ok_or(NameError::SystemVForm)
    }
}

/// The name of a POSIX object, or of a System V object if it begins with `sysv:`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AnyName<const MAX: usize = 255> {
    /// A POSIX object.
    Posix(PosixName<MAX>),
    /// A System V object.
    SystemV(SystemVName),
}

impl<const MAX: usize> AnyName<MAX> {
    /// A name of either kind.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn new(text: &OsStr) -> Result<Self, NameError> {
        match SystemVName::new(text) {
            Some(name) => name.map(Self::SystemV),
            None => PosixName::new(text).map(Self::Posix),
        }
    }
}

impl<const MAX: usize> AsRef<OsStr> for AnyName<MAX> {
    fn as_ref(&self) -> &OsStr {
        match self {
            Self::Posix(name) => name.as_ref(),
            Self::SystemV(name) => name.as_ref(),
        }
    }
}

/// The path of a file, of any bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FilePath(PathBuf);

impl FilePath {
    /// The path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl From<PathBuf> for FilePath {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl AsRef<OsStr> for FilePath {
    fn as_ref(&self) -> &OsStr {
        self.0.as_os_str()
    }
}

/// The rule of names that a text breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// The name is empty, or only the slash.
    #[error("a name is a slash and at least one character")]
    Empty,
    /// The name of a directory itself or of its parent.
    #[error("'.' and '..' are no names of objects")]
    Dots,
    /// The name has another slash.
    #[error("a name has no slash but the first")]
    SecondSlash,
    /// The name has a NUL.
    #[error("a name has no NUL")]
    Nul,
    /// The name is longer than the mechanism allows.
    #[error("a name of {bytes} bytes is longer than this mechanism allows ({limit})")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The maximum length.
        limit: usize,
    },
    /// A System V name, but only a POSIX name is allowed.
    #[error("a POSIX name is wanted here, such as /name")]
    SystemV,
    /// A System V name of an unknown form.
    #[error("a System V name is sysv:KEY, sysv:PATH:PROJ or sysv:id=N")]
    SystemVForm,
    /// A System V name with an invalid project number.
    #[error("PROJ in sysv:PATH:PROJ is one character, or a number from 1 to 255")]
    Project,
}

/// A key in decimal, or in hexadecimal with 32 bits, as ipcs(1) prints it.
fn number(text: &str) -> Option<i32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok().map(|bits| bits as i32),
        None => {
            text.parse::<i32>().ok().or_else(|| text.parse::<u32>().ok().map(|bits| bits as i32))
        }
    }
}

/// A number from 1 to 255, or one character that is not a digit.
fn project(text: &[u8]) -> Option<u8> {
    match text {
        [character] if !character.is_ascii_digit() => Some(*character),
        _ => std::str::from_utf8(text).ok()?.parse().ok().filter(|&number| number != 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<ObjectName, NameError> {
        ObjectName::new(OsStr::new(text))
    }

    #[test]
    fn a_name_without_a_slash_is_the_name_with_it() {
        assert_eq!(name("jobs"), name("/jobs"));
        assert_eq!(name("/jobs").unwrap().without_slash(), "jobs");
    }

    #[test]
    fn the_file_of_an_object_may_have_the_form_of_a_system_v_name() {
        let name = ObjectName::of_file(OsStr::new("sysv:1"));
        assert_eq!(name, ObjectName::new(OsStr::new("/sysv:1")));
        assert_eq!(ObjectName::of_file(OsStr::new("..")), Err(NameError::Dots));
    }

    #[test]
    fn a_name_need_not_be_utf_8() {
        let bytes = OsStr::from_bytes(b"/\xff\n");
        assert_eq!(ObjectName::new(bytes).unwrap().as_ref(), bytes);
    }

    #[test]
    fn an_invalid_name_is_refused_with_the_reason() {
        assert_eq!(name(""), Err(NameError::Empty));
        assert_eq!(name("/"), Err(NameError::Empty));
        assert_eq!(name("/."), Err(NameError::Dots));
        assert_eq!(name(".."), Err(NameError::Dots));
        assert_eq!(name("/a/b"), Err(NameError::SecondSlash));
        assert_eq!(name("a/"), Err(NameError::SecondSlash));
        assert_eq!(name("sysv:1"), Err(NameError::SystemV));
        assert_eq!(name("/a\0b"), Err(NameError::Nul));
    }

    #[test]
    fn the_longest_name_is_valid_and_one_byte_more_is_not() {
        assert!(name(&"n".repeat(255)).is_ok());
        assert!(name(&format!("/{}", "n".repeat(255))).is_ok());
        assert_eq!(name(&"n".repeat(256)), Err(NameError::TooLong { bytes: 256, limit: 255 }));
        assert!(SemaphoreName::new(OsStr::new(&"n".repeat(252))).is_err());
    }

    #[test]
    fn a_system_v_name_has_one_of_three_forms() {
        let parse = |text: &str| {
            SystemVName::new(OsStr::new(text)).map(|name| name.map(|name| name.target))
        };
        let ftok =
            |path: &str, project| Some(Ok(SystemVTarget::Ftok { path: path.into(), project }));
        assert_eq!(parse("/jobs"), None);
        assert_eq!(parse("sysv:42"), Some(Ok(SystemVTarget::Key(42))));
        assert_eq!(parse("sysv:0xdeadbeef"), Some(Ok(SystemVTarget::Key(0xdead_beef_u32 as i32))));
        assert_eq!(parse("sysv:id=7"), Some(Ok(SystemVTarget::Id(7))));
        assert_eq!(parse("sysv:/tmp/a:b:J"), ftok("/tmp/a:b", b'J'));
        assert_eq!(parse("sysv:/tmp:65"), ftok("/tmp", 65));
        for text in ["sysv:", "sysv:x", "sysv:id=-1", "sysv:id=", "sysv::1", "sysv:0x1ffffffff"] {
            assert_eq!(parse(text), Some(Err(NameError::SystemVForm)), "{text}");
        }
        for text in ["sysv:/tmp:", "sysv:/tmp:0", "sysv:/tmp:256", "sysv:/tmp:ab"] {
            assert_eq!(parse(text), Some(Err(NameError::Project)), "{text}");
        }
    }

    #[test]
    fn the_scheme_selects_the_mechanism_and_stays_in_the_text() {
        let any = |text: &str| AnyName::<255>::new(OsStr::new(text)).unwrap();
        assert!(matches!(any("jobs"), AnyName::Posix(_)));
        assert!(matches!(any("sysv:42"), AnyName::SystemV(_)));
        assert_eq!(
            (any("jobs").as_ref(), any("sysv:42").as_ref()),
            ("/jobs".as_ref(), "sysv:42".as_ref())
        );
        assert_eq!(AnyName::<255>::new(OsStr::new("sysv:x")), Err(NameError::SystemVForm));
    }
}
