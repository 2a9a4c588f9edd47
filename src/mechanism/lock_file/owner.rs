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
    /// Which process of that process ID, recorded beside a file with the process ID alone.
    record: Option<Record>,
}

/// The process that a pidfile names. Programs that read the file expect nothing but the process ID in it,
/// so this is in an extended attribute.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Record {
    start: u64,
    boot: String,
    /// [`Process::unique_number`]: a container may restart within one tick of the start time.
    number: u64,
}

impl Record {
    /// Parses the result of [`Owner::record`], if it is that of this process ID and of a file of this time
    /// of change.
    fn parse(text: &[u8], pid: i32, changed: i128) -> Option<Self> {
        let mut words = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
        let of: i32 = words.next()?.parse().ok()?;
        let (start, boot) = (words.next()?.parse().ok()?, words.next()?.into());
        let record = Self { start, boot, number: words.next()?.parse().ok()? };
        let at: i128 = words.next()?.parse().ok()?;
        (of == pid && at == changed).then_some(record)
    }
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
        Ok(Self { pid, identity: Some(identity), record: None })
    }

    /// The start time of the process, if the file has it.
    pub fn start(&self) -> Option<u64> {
        let recorded = self.record.as_ref().map(|record| record.start);
        self.identity.as_ref().map(|identity| identity.start).or(recorded)
    }

    /// The text to record beside a pidfile of this time of change, in nanoseconds. `None` if the kernel
    /// does not identify the boot.
    pub(super) fn record(&self, changed: i128) -> Option<String> {
        let Identity { start, boot, .. } = self.identity.as_ref()?;
        let number = Process::open(self.pid).ok()?.unique_number().ok()?;
        Some(format!("{} {start} {} {number} {changed}\n", self.pid, boot.as_deref()?))
    }

    /// The same owner with the record of the result of [`Owner::record`]. A record of another process ID,
    /// or of a file that was changed since then, is that of an earlier owner.
    pub(super) fn recorded(mut self, text: &[u8], changed: i128) -> Self {
        self.record = Record::parse(text, self.pid, changed);
        self
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
        Some(Self { pid, identity, record: None })
    }

    /// The state, as far as it is certain.
    pub fn fate(&self, content: Content) -> Result<Fate, Errno> {
        let Some(identity) = &self.identity else {
            return match content {
                Content::PidOnly => self.fate_by_record(),
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

    /// The state for a process `taker` that wants the lock file.
    ///
    /// The process ID of a pidfile without a record may be that of an earlier process. If the taker, this
    /// process or an ancestor of one of them has it, it is: none of these has the lock, as the taker would
    /// not want it then. So a pidfile that survives the restart of a container, where process IDs repeat,
    /// does not keep the lock.
    pub fn fate_for(&self, taker: &Self, content: Content) -> Result<Fate, Errno> {
        let is_bare = self.identity.is_none() && self.record.is_none();
        if content == Content::PidOnly && is_bare && taker.is_related_to(self.pid) {
            return Ok(Fate::Gone);
        }
        self.fate(content)
    }

    /// Whether a process ID is that of this owner, of the process that runs this, or of an ancestor.
    fn is_related_to(&self, pid: i32) -> bool {
        let own = std::process::id() as i32;
        [own, self.pid].into_iter().any(|of| of == pid || process::ancestors(of).contains(&pid))
    }

    /// The state of the owner of a pidfile. The PID namespace is not compared: that of a container that
    /// was restarted is another one.
    fn fate_by_record(&self) -> Result<Fate, Errno> {
        match &self.record {
            Some(record) if process::boot_id().is_some_and(|boot| boot != record.boot) => {
                Ok(Fate::Gone)
            }
            Some(record) if process::proc_shows_own_namespace() => {
                let process = Process::open(self.pid).and_then(|process| process.unique_number());
                match process {
                    Ok(number) if number != record.number => Ok(Fate::Gone),
                    _ => self.fate_here(record.start),
                }
            }
            _ => Ok(if exists(self.pid)? { Fate::Alive } else { Fate::Gone }),
        }
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

    /// Whether the file names this process.
    pub(super) fn is(&self, other: &Self) -> bool {
        let is_it = match (&self.identity, &self.record) {
            (Some(_), _) => self.identity == other.identity,
            (None, Some(record)) => other.start() == Some(record.start),
            (None, None) => true,
        };
        self.pid == other.pid && is_it
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
        assert_eq!(short, Owner { pid: owner.pid, identity: None, record: None });
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
    fn a_record_distinguishes_a_process_from_others_with_its_number() {
        let bare = Owner { identity: None, ..me() };
        let text = me().record(7).unwrap();
        let own = bare.clone().recorded(text.as_bytes(), 7);
        assert_eq!((own.fate(Content::PidOnly), own.is(&me())), (Ok(Fate::Alive), true));
        assert_eq!(own.fate_for(&me(), Content::PidOnly), Ok(Fate::Alive));
        let start = me().start().unwrap();
        let other = text.replace(&format!(" {start} "), &format!(" {} ", start + 1));
        let earlier = bare.clone().recorded(other.as_bytes(), 7);
        assert_eq!((earlier.fate(Content::PidOnly), earlier.is(&me())), (Ok(Fate::Gone), false));
        let boot = process::boot_id().unwrap();
        let before = bare.clone().recorded(text.replace(&boot, "x").as_bytes(), 7);
        assert_eq!(before.fate(Content::PidOnly), Ok(Fate::Gone));
        // The file was written again since then, or is that of another process.
        assert_eq!(bare.clone().recorded(text.as_bytes(), 8), bare);
        assert_eq!(bare.clone().recorded(b"1 2 x 3 7\n", 7), bare);
        assert_eq!(bare.clone().recorded(b"", 7), bare);
    }

    #[test]
    fn a_process_id_alone_that_a_relative_of_the_taker_has_is_that_of_an_earlier_process() {
        let parent = std::os::unix::process::parent_id() as i32;
        for pid in [std::process::id() as i32, parent] {
            let bare = Owner { pid, identity: None, record: None };
            assert_eq!(bare.fate(Content::PidOnly), Ok(Fate::Alive));
            assert_eq!(bare.fate_for(&me(), Content::PidOnly), Ok(Fate::Gone));
            assert_eq!(bare.fate_for(&me(), Content::Full), Ok(Fate::Unknown));
        }
    }

    #[test]
    fn a_process_id_alone_is_judged_only_in_a_pidfile() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let gone = Owner { pid: child.id() as i32, identity: None, record: None };
        assert_eq!(gone.fate(Content::Full), Ok(Fate::Unknown));
        assert_eq!(gone.fate(Content::PidOnly), Ok(Fate::Gone));
        let alive = Owner { identity: None, ..me() };
        assert_eq!(alive.fate(Content::PidOnly), Ok(Fate::Alive));
    }
}
