//! Whose a lock file is, and what has become of him.

use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::sys::pidfd::Process;
use crate::sys::process;

/// Who has a lock file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Owner {
    /// The number of the process.
    pub pid: i32,
    /// Which process of that number; `None` in a file that has only the number.
    identity: Option<Identity>,
}

/// What tells a process from every other that has, had or will have its number.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Identity {
    start: u64,
    boot: String,
    namespace: u64,
    machine: String,
}

/// What is written into a lock file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Content {
    /// The number of the process, and what makes it unmistakable.
    Full,
    /// The number alone, for programs that expect no more. Everybody who uses the file has to be
    /// in one PID namespace, and it counts as owned for as long as there is a process so numbered.
    PidOnly,
}

/// What has become of the owner.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    /// It has it.
    Alive,
    /// It has ended.
    Gone,
    /// Who knows; the lock is respected.
    Unknown,
}

impl Owner {
    /// The process that has this number now.
    ///
    /// # Errors
    /// ESRCH if there is none.
    pub fn now(pid: i32) -> Result<Self, Errno> {
        let identity = Identity {
            start: process::start_time(pid)?,
            boot: process::boot_id()?,
            namespace: process::pid_namespace()?,
            machine: process::machine(),
        };
        Ok(Self { pid, identity: Some(identity) })
    }

    /// When the process was started, where the file says so.
    pub fn start(&self) -> Option<u64> {
        Some(self.identity.as_ref()?.start)
    }

    /// Whether it is known to have ended.
    pub fn is_certainly_gone(&self) -> bool {
        self.fate(Content::Full) == Ok(Fate::Gone)
    }

    pub(super) fn content(&self, content: Content) -> String {
        let pid = self.pid;
        match &self.identity {
            Some(Identity { start, boot, namespace, machine }) if content == Content::Full => {
                format!("{pid}\nstart {start}\nboot {boot}\npidns {namespace}\nmachine {machine}\n")
            }
            _ => format!("{pid}\n"),
        }
    }

    /// Reads what [`Owner::content`] writes; further lines are somebody's later addition.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.ends_with('\n'))?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok().filter(|&pid| pid > 0)?;
        let mut value = |key: &str| lines.next()?.strip_prefix(key)?.strip_prefix(' ');
        let identity = match value("start") {
            None if text.lines().count() == 1 => None,
            start => Some(Identity {
                start: start?.parse().ok()?,
                boot: value("boot")?.to_owned(),
                namespace: value("pidns")?.parse().ok()?,
                machine: value("machine")?.to_owned(),
            }),
        };
        Some(Self { pid, identity })
    }

    /// What has become of it, as far as that can be known for certain.
    pub(super) fn fate(&self, content: Content) -> Result<Fate, Errno> {
        let Some(identity) = &self.identity else {
            return match content {
                Content::PidOnly => Ok(if exists(self.pid)? { Fate::Alive } else { Fate::Gone }),
                Content::Full => Ok(Fate::Unknown),
            };
        };
        if identity.boot != process::boot_id()? {
            let same = identity.machine == process::machine();
            return Ok(if same { Fate::Gone } else { Fate::Unknown });
        }
        if identity.namespace != process::pid_namespace()? {
            return Ok(Fate::Unknown);
        }
        match process::start_time(self.pid) {
            Ok(start) => Ok(if start == identity.start { Fate::Alive } else { Fate::Gone }),
            Err(Errno(libc::ESRCH)) => {
                Ok(if exists(self.pid)? { Fate::Unknown } else { Fate::Gone })
            }
            Err(_) => Ok(Fate::Unknown),
        }
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && (self.identity == other.identity || self.identity.is_none())
    }
}

/// Whether a process of this number runs, even one that `/proc` hides from us.
fn exists(pid: i32) -> Result<bool, Errno> {
    match Process::open(pid) {
        Ok(process) => Ok(process.wait_until_ended(Deadline::PASSED)? == Waited::TimedOut),
        Err(Errno(libc::ESRCH)) => Ok(false),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Owner {
        Owner::now(std::process::id() as i32).unwrap()
    }

    fn changed(change: impl Fn(&mut Identity)) -> Owner {
        let mut owner = me();
        change(owner.identity.as_mut().unwrap());
        owner
    }

    #[test]
    fn an_owner_is_read_back_from_what_is_written() {
        let owner = me();
        assert_eq!(Owner::parse(owner.content(Content::Full).as_bytes()), Some(owner.clone()));
        let short = Owner::parse(owner.content(Content::PidOnly).as_bytes()).unwrap();
        assert_eq!(short, Owner { pid: owner.pid, identity: None });
        assert!(short.is(&owner));
    }

    #[test]
    fn what_nobody_of_us_wrote_has_no_owner() {
        for text in [
            "",
            "\n",
            "0\n",
            "-1\n",
            "x\n",
            "4711",
            "4711\nstart x\n",
            "4711\nstart 5\nboot",
            "4711\nstart 5\nboot x\npidns 1\n",
            "4711\nsomething\n",
        ] {
            assert_eq!(Owner::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Owner::parse(b"\xff\n"), None);
    }

    #[test]
    fn the_fate_of_an_owner_is_only_told_where_it_is_known() {
        let fate = |owner: Owner| owner.fate(Content::Full).unwrap();
        assert_eq!(fate(me()), Fate::Alive);
        assert_eq!(fate(changed(|me| me.start += 1)), Fate::Gone);
        assert_eq!(fate(changed(|me| me.namespace += 1)), Fate::Unknown);
        assert_eq!(fate(changed(|me| me.boot.push('x'))), Fate::Gone);
        let elsewhere = changed(|me| {
            me.boot.push('x');
            me.machine.push('x');
        });
        assert_eq!(fate(elsewhere), Fate::Unknown);
    }

    #[test]
    fn a_bare_number_is_only_judged_where_all_agreed_on_that() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let gone = Owner { pid: child.id() as i32, identity: None };
        assert_eq!(gone.fate(Content::Full), Ok(Fate::Unknown));
        assert_eq!(gone.fate(Content::PidOnly), Ok(Fate::Gone));
        let alive = Owner { identity: None, ..me() };
        assert_eq!(alive.fate(Content::PidOnly), Ok(Fate::Alive));
    }
}
