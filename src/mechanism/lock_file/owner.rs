//! The owners of lock files, and whether they still run.

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::pidfd::Process;
use crate::sys::process;

/// The owner of a lock file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Owner {
    /// The process ID.
    pub pid: i32,
    /// Which process of that process ID; `None` in a file with the process ID alone.
    identity: Option<Identity>,
}

/// Distinguishes a process from every other with its process ID, at any time and on any machine.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Identity {
    start: u64,
    /// `None` if the kernel did not provide it: such a file is never broken.
    boot: Option<String>,
    namespace: u64,
    /// `None` if the machine has no ID: such a file is not broken after a reboot.
    machine: Option<String>,
}

/// Written for an ID that could not be read. No ID is equal to it, also in versions of this program that
/// do not know it.
const UNKNOWN: &str = "-";

/// The content of a lock file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Content {
    /// The process ID and the identity of the process.
    Full,
    /// The process ID alone, for programs that expect a pidfile. All users of the file are in one PID
    /// namespace, and the file is owned as long as a process with this process ID exists.
    PidOnly,
}

/// The state of the process that owns a lock file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It runs.
    Alive,
    /// It has ended.
    Gone,
    /// It is in another PID namespace. In this and the following states, the lock is respected.
    InAnotherNamespace,
    /// It is on another machine.
    OnAnotherMachine,
    /// The file or the system provides too little information.
    Unknown,
}

impl Owner {
    /// The process with this process ID at this moment.
    ///
    /// # Errors
    /// ESRCH if there is none.
    pub fn now(pid: i32) -> Result<Self, Errno> {
        if !process::proc_shows_own_namespace() {
            // The process ID would be that of another process.
            return Err(Errno(libc::ESRCH));
        }
        let identity = Identity {
            start: process::start_time(pid)?,
            boot: process::boot_id(),
            namespace: process::pid_namespace()?,
            machine: process::machine(),
        };
        Ok(Self { pid, identity: Some(identity) })
    }

    /// The start time of the process, if the file contains it.
    pub fn start(&self) -> Option<u64> {
        Some(self.identity.as_ref()?.start)
    }

    pub(super) fn content(&self, content: Content) -> String {
        let pid = self.pid;
        match &self.identity {
            Some(Identity { start, boot, namespace, machine }) if content == Content::Full => {
                let boot = boot.as_deref().unwrap_or(UNKNOWN);
                let machine = machine.as_deref().unwrap_or(UNKNOWN);
                format!("{pid}\nstart {start}\nboot {boot}\npidns {namespace}\nmachine {machine}\n")
            }
            _ => format!("{pid}\n"),
        }
    }

    /// Parses the result of [`Owner::content`]. Later versions may add lines.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.ends_with('\n'))?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok().filter(|&pid| pid > 0)?;
        let mut value = |key: &str| lines.next()?.strip_prefix(key)?.strip_prefix(' ');
        let known =
            |id: &str| Some(id.to_owned()).filter(|id| !matches!(id.as_str(), "" | UNKNOWN));
        let identity = match value("start") {
            None if text.lines().count() == 1 => None,
            start => Some(Identity {
                start: start?.parse().ok()?,
                boot: known(value("boot")?),
                namespace: value("pidns")?.parse().ok()?,
                machine: known(value("machine")?),
            }),
        };
        Some(Self { pid, identity })
    }

    /// The state, as far as it is certain.
    pub fn fate(&self, content: Content) -> Result<Fate, Errno> {
        let Some(identity) = &self.identity else {
            return match content {
                Content::PidOnly => Ok(if exists(self.pid)? { Fate::Alive } else { Fate::Gone }),
                Content::Full => Ok(Fate::Unknown),
            };
        };
        let (current, boot) = (process::boot_id(), &identity.boot);
        if current.is_none() || boot.is_none() {
            return Ok(Fate::Unknown);
        }
        if current != *boot {
            return Ok(match (process::machine(), &identity.machine) {
                (Some(current), Some(other)) if current == *other => Fate::Gone,
                (Some(_), Some(_)) => Fate::OnAnotherMachine,
                _ => Fate::Unknown,
            });
        }
        if identity.namespace != process::pid_namespace()? {
            return Ok(Fate::InAnotherNamespace);
        }
        if !process::proc_shows_own_namespace() {
            return Ok(Fate::Unknown);
        }
        self.fate_here(identity.start)
    }

    /// The state of a process in this PID namespace.
    fn fate_here(&self, started: u64) -> Result<Fate, Errno> {
        match process::start_time(self.pid) {
            Ok(start) => Ok(if start == started { Fate::Alive } else { Fate::Gone }),
            Err(Errno(libc::ESRCH)) => {
                Ok(if exists(self.pid)? { Fate::Unknown } else { Fate::Gone })
            }
            Err(_) => Ok(Fate::Unknown),
        }
    }

    /// Whether a lock file with this owner contains the identity, so that no other file has such a content
    /// by chance.
    pub(super) fn is_unmistakable(&self) -> bool {
        self.identity.is_some()
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && (self.identity == other.identity || self.identity.is_none())
    }
}

/// Whether a process with this process ID runs, also one that `/proc` hides.
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
    fn a_text_that_is_no_content_has_no_owner() {
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
    fn the_state_of_an_owner_is_certain_or_unknown() {
        let fate = |owner: Owner| owner.fate(Content::Full).unwrap();
        assert_eq!(fate(me()), Fate::Alive);
        assert_eq!(fate(changed(|me| me.start += 1)), Fate::Gone);
        assert_eq!(fate(changed(|me| me.namespace += 1)), Fate::InAnotherNamespace);
    }

    #[test]
    fn the_machine_id_distinguishes_an_earlier_boot_from_another_machine() {
        let fate = |owner: Owner| owner.fate(Content::Full).unwrap();
        let other = || Some("x".to_owned());
        assert_eq!(fate(changed(|me| me.boot = None)), Fate::Unknown);
        let elsewhere = changed(|me| (me.boot, me.machine) = (other(), None));
        assert_eq!(fate(elsewhere), Fate::Unknown);
        if process::machine().is_some() {
            assert_eq!(fate(changed(|me| me.boot = other())), Fate::Gone);
            let elsewhere = changed(|me| (me.boot, me.machine) = (other(), other()));
            assert_eq!(fate(elsewhere), Fate::OnAnotherMachine);
        }
    }

    #[test]
    fn an_id_that_could_not_be_read_is_written_as_none() {
        let owner = changed(|me| (me.boot, me.machine) = (None, None));
        let content = owner.content(Content::Full);
        assert!(content.contains("\nboot -\n") && content.ends_with("\nmachine -\n"), "{content}");
        assert_eq!(Owner::parse(content.as_bytes()), Some(owner));
    }

    #[test]
    fn a_process_id_alone_is_judged_only_in_a_pidfile() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let gone = Owner { pid: child.id() as i32, identity: None };
        assert_eq!(gone.fate(Content::Full), Ok(Fate::Unknown));
        assert_eq!(gone.fate(Content::PidOnly), Ok(Fate::Gone));
        let alive = Owner { identity: None, ..me() };
        assert_eq!(alive.fate(Content::PidOnly), Ok(Fate::Alive));
    }
}
