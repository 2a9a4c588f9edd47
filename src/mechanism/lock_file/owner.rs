//! Whose a lock file is, and what has become of him.

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
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
    /// `None` where the kernel did not say: such a file is never broken.
    boot: Option<String>,
    namespace: u64,
    /// `None` where the machine has no ID: such a file is not broken after a reboot.
    machine: Option<String>,
}

/// What stands for an ID that could not be read. No ID is equal to it, not even to versions of this
/// program that do not know it.
const UNKNOWN: &str = "-";

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
pub enum Fate {
    /// It has the lock.
    Alive,
    /// It has ended.
    Gone,
    /// Its number belongs to another PID namespace. Like all below, the lock is respected.
    InAnotherNamespace,
    /// Its number belongs to another machine.
    OnAnotherMachine,
    /// There is too little to judge it by.
    Unknown,
}

impl Owner {
    /// The process that has this number now.
    ///
    /// # Errors
    /// ESRCH if there is none.
    pub fn now(pid: i32) -> Result<Self, Errno> {
        if !process::has_our_numbers() {
            // The number would lead to another process.
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

    /// When the process was started, where the file says so.
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

    /// Reads what [`Owner::content`] writes; further lines are somebody's later addition.
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

    /// What has become of it, as far as that can be known for certain.
    pub fn fate(&self, content: Content) -> Result<Fate, Errno> {
        let Some(identity) = &self.identity else {
            return match content {
                Content::PidOnly => Ok(if exists(self.pid)? { Fate::Alive } else { Fate::Gone }),
                Content::Full => Ok(Fate::Unknown),
            };
        };
        let (ours, boot) = (process::boot_id(), &identity.boot);
        if ours.is_none() || boot.is_none() {
            return Ok(Fate::Unknown);
        }
        if ours != *boot {
            return Ok(match (process::machine(), &identity.machine) {
                (Some(ours), Some(theirs)) if ours == *theirs => Fate::Gone,
                (Some(_), Some(_)) => Fate::OnAnotherMachine,
                _ => Fate::Unknown,
            });
        }
        if identity.namespace != process::pid_namespace()? {
            return Ok(Fate::InAnotherNamespace);
        }
        if !process::has_our_numbers() {
            return Ok(Fate::Unknown);
        }
        self.fate_here(identity.start)
    }

    /// The same where its number is one of ours.
    fn fate_here(&self, started: u64) -> Result<Fate, Errno> {
        match process::start_time(self.pid) {
            Ok(start) => Ok(if start == started { Fate::Alive } else { Fate::Gone }),
            Err(Errno(libc::ESRCH)) => {
                Ok(if exists(self.pid)? { Fate::Unknown } else { Fate::Gone })
            }
            Err(_) => Ok(Fate::Unknown),
        }
    }

    /// Whether a lock file with this owner says all that it takes to judge it, so that nothing else
    /// has such a content by chance.
    pub(super) fn is_unmistakable(&self) -> bool {
        self.identity.is_some()
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
        assert_eq!(fate(changed(|me| me.namespace += 1)), Fate::InAnotherNamespace);
    }

    #[test]
    fn an_earlier_boot_is_told_from_another_machine_by_what_both_say() {
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
