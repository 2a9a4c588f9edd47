//! `ipc signal send`.

use std::ffi::{OsStr, OsString};
use std::str::FromStr;

use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::signal::Signal;
use crate::base::units::Timeout;
use crate::io::output::{Output, escape};
use crate::mechanism::lock_file;
use crate::mechanism::lock_file::{Content, Fate};
use crate::mechanism::process_group::{ProcessGroup, Rest};
use crate::sys::pidfd::Process;
use crate::sys::process;

use crate::app::arguments::Plain;
use crate::app::options::{NOT_A_PROCESS, Pid};

use super::Sendable;

/// Send a signal to processes
///
/// A process is named by its process ID, or by PID:START with its start time ('ipc signal info'
/// shows it). With a start time, a PID that belongs to another process by now is an error.
///
/// The signal may begin with a hyphen, as for kill(1): -TERM, -9.
///
/// Signal 0 is not delivered. The status shows whether a signal could be sent: 0 yes, 4 no such
/// process, 6 permission denied. If one process cannot be signalled, the others are still signalled;
/// the status is that of the first failure.
#[derive(Debug, clap::Args, Plain)]
pub struct Send {
    /// Signal, such as TERM, 15, RTMIN+3, or 0
    signal: Sendable,
    /// Process IDs
    #[arg(
        required_unless_present_any = ["pidfile", "name", "all_processes"],
        value_name = "PID[:START]",
        allow_negative_numbers = true
    )]
    pids: Vec<Target>,
    /// Queue the signal with this value
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    value: Option<i32>,
    /// Signal process groups; 0 is that of the caller
    ///
    /// A group with a leader gets the signal by the pidfd of the leader. A group may outlive its
    /// leader; the kernel reuses its number only after the group has ended, and the group gets the
    /// signal by that number.
    #[arg(short, long, conflicts_with = "all_processes")]
    group: bool,
    /// Wait until all processes have ended
    ///
    /// With --group, until the groups have no process that runs, including those that are forked
    /// meanwhile. A process that has left a group, as by setsid(2), is not waited for. A process that
    /// /proc does not show is status 6.
    #[arg(short, long)]
    wait: bool,
    /// Wait at most this long
    #[arg(short, long, value_name = "DURATION", requires = "wait", allow_negative_numbers = true)]
    timeout: Option<Timeout>,
    /// Send this signal after the timeout, and wait again
    ///
    /// With --group, to the groups that still exist. A group is found by the pidfd of its leader, also
    /// after the leader has ended. A group that has no leader from the beginning is known by its number
    /// alone, which the kernel reuses; 'ipc' warns about that.
    #[arg(long, value_name = "SIGNAL", requires = "timeout")]
    then: Option<Signal>,
    /// Signal the process that a pidfile or lock file names
    ///
    /// A file without the start time of the process has to be younger than the process: otherwise the
    /// process ID was reused since the file was written, and the status is 4. The clock may have been set
    /// meanwhile; --force signals the process anyway.
    #[arg(long, value_name = "FILE")]
    pidfile: Option<OsString>,
    /// Signal the process even if the pidfile is older than it
    #[arg(long, requires = "pidfile", hide_short_help = true)]
    force: bool,
    /// Signal the only process of this name
    ///
    /// The name is that of its program or script, or the one that the process has set, as ps(1) shows
    /// it under COMMAND. The whole name is compared. The kernel keeps 15 bytes of a longer name; the
    /// rest is read from the command line and the executable of the process.
    #[arg(long, value_name = "COMMAND")]
    name: Option<OsString>,
    /// Signal the newest process of that name
    #[arg(long, requires = "name")]
    newest: bool,
    /// Signal all processes of that name
    #[arg(long, requires = "name", conflicts_with = "newest")]
    all: bool,
    /// Signal all processes, except this one and PID 1
    #[arg(long, conflicts_with_all = ["pids", "pidfile", "name", "value", "wait"])]
    all_processes: bool,
}

impl Action for Send {
    const EXAMPLES: &'static [Example] = &[
        ("Reload the configuration of a daemon", "ipc signal send HUP --pidfile daemon.pid"),
        ("Send a signal with a value", "ipc signal send RTMIN+1 --value 42 4711"),
        (
            "End a process with TERM, or with KILL after 10 seconds",
            "ipc signal send TERM --wait -t 10s --then KILL 4711",
        ),
        (
            "Stop a process group: TERM, then KILL after 10 seconds, until it has ended",
            "ipc signal send TERM --group --wait -t 10s --then KILL 4711",
        ),
        ("Check whether a process exists", "ipc signal send -q 0 4711 && echo yes"),
    ];

    /// Removes the hyphen of a signal such as -TERM, which is before the first operand.
    fn translate(words: &mut [OsString]) {
        /// Options with a value.
        const WITH_VALUE: [&str; 6] =
            ["--value", "-t", "--timeout", "--then", "--pidfile", "--name"];
        let mut options = words.iter_mut();
        while let Some(word) = options.next().filter(|word| *word != "--") {
            let Some(name) = word.to_str().and_then(|word| word.strip_prefix('-')) else { return };
            if name.parse::<Sendable>().is_ok() {
                *word = name.into();
                return;
            }
            if WITH_VALUE.iter().any(|option| *word == *option) {
                options.next();
            }
        }
    }

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = match self.timeout {
            Some(Timeout::For(duration)) => Deadline::after(duration),
            _ => Deadline::NEVER,
        };
        let Sendable(signal) = self.signal;
        if !self.group && self.pids.iter().any(|target| target.pid == 0) {
            let reason = Failure::new(Exit::Usage, NOT_A_PROCESS);
            return Err(reason.hint("--group 0 is the process group of the caller")).about("0");
        }
        if self.all_processes {
            process::kill_all(signal).map_err(explain)?;
            return Ok(Exit::Done);
        }
        let mut sent = Vec::new();
        let exit = crate::app::objects::each(&self.targets()?, output, |target, _| {
            let receiver = match self.group {
                true => self.send_to_group(target, signal)?,
                false => self.send_to_process(target, signal).map(Receiver::Process)?,
            };
            sent.push((target.text.clone(), receiver));
            Ok::<(), Failure>(())
        })?;
        if self.wait {
            self.wait_for(sent, deadline, output)?;
        }
        Ok(exit)
    }
}

impl Send {
    /// The processes or groups to signal.
    fn targets(&self) -> anyhow::Result<Vec<Target>> {
        let mut targets = self.pids.clone();
        if let Some(path) = &self.pidfile {
            let age = if self.force { Age::Any } else { Age::YoungerThanProcess };
            targets.push(Target::of_pidfile(path, age).about(path)?);
        }
        if let Some(name) = &self.name {
            targets.extend(self.named(name).about(name)?);
        }
        Ok(targets)
    }

    /// The processes with a name.
    fn named(&self, name: &OsStr) -> Result<Vec<Target>, Failure> {
        let name = name.as_encoded_bytes();
        let own = std::process::id() as i32;
        let mut found: Vec<Target> = process::all()
            .filter(|&pid| pid != own && process::full_name(pid) == name)
            .filter_map(|pid| Some(Target::new(pid, Some(process::start_time(pid).ok()?))))
            .collect();
        found.sort_by_key(|target| (target.start, target.pid));
        match found.len() {
            0 => Err(Failure::new(Exit::NotFound, "no process has this name")),
            1 => Ok(found),
            _ if self.all => Ok(found),
            _ if self.newest => Ok(found.split_off(found.len() - 1)),
            _ => {
                let pids: Vec<String> = found.iter().map(|target| target.pid.to_string()).collect();
                let reason = format!("is the name of several processes: {}", pids.join(", "));
                Err(Failure::failed(reason).hint("--newest selects one of them, --all selects all"))
            }
        }
    }

    fn send_to_process(&self, target: &Target, signal: Option<Signal>) -> Result<Process, Failure> {
        let process = target.open()?;
        match self.value {
            Some(value) => process.queue(signal, value).map_err(explain)?,
            None => process.send(signal).map_err(explain)?,
        }
        Ok(process)
    }

    /// Sends a signal to a group, which is opened before that if its end is waited for.
    fn send_to_group(&self, target: &Target, signal: Option<Signal>) -> Result<Receiver, Failure> {
        let group = if target.pid == 0 { process::own_group() } else { target.pid };
        if !self.wait {
            return self.signal_group(target, group, signal).map(|()| Receiver::Done);
        }
        if group == process::own_group() {
            let reason = "--wait: this process is in the group, and would wait for itself";
            return Err(Failure::new(Exit::Usage, reason));
        }
        let opened = ProcessGroup::open(group).map_err(explain)?;
        self.signal_group(target, group, signal)?;
        Ok(Receiver::Group(opened))
    }

    fn signal_group(
        &self,
        target: &Target,
        group: i32,
        signal: Option<Signal>,
    ) -> Result<(), Failure> {
        let sent = match Process::open(group) {
            Ok(leader) => {
                target.check()?;
                leader.send_to_group(signal, self.value)
            }
            // A group may outlive its leader.
            Err(errno) => Err(errno),
        };
        match (sent, self.value) {
            (Err(Errno(libc::ESRCH | libc::EINVAL)), None) if target.start.is_none() => {
                process::kill_group(group, signal).map_err(explain)
            }
            (Err(Errno(libc::ESRCH)), Some(_)) if process::kill_group(group, None).is_ok() => {
                Err(Failure::failed(
                    "the leader has ended, and only through the leader does a group get a value",
                ))
            }
            (sent, _) => sent.map_err(explain),
        }
    }

    /// Waits until all have ended; after the timeout, sends the second signal to the others.
    fn wait_for(
        &self,
        sent: Vec<(OsString, Receiver)>,
        deadline: Deadline,
        output: &Output,
    ) -> anyhow::Result<()> {
        let mut deadline = deadline;
        let mut left = sent;
        loop {
            let mut stayed = Vec::new();
            for (name, receiver) in left {
                if receiver.wait_until_ended(deadline).about(&name)? == Waited::TimedOut {
                    stayed.push((name, receiver));
                }
            }
            let Some((name, _)) = stayed.first() else { return Ok(()) };
            let Some(then) = self.then.filter(|_| deadline != Deadline::NEVER) else {
                return Err(Failure::timed_out()).about(name);
            };
            for (name, receiver) in &stayed {
                let name = escape(name.as_encoded_bytes());
                output.note(format_args!("{name}: timed out, sending {then}"));
                if !receiver.is_certain() {
                    output.warn(format_args!(
                        "{name}: the group had no leader: {then} goes to the group that has its number now"
                    ));
                }
                match receiver.send(then) {
                    Ok(()) | Err(Errno(libc::ESRCH)) => {}
                    Err(errno) => return Err(errno).about(name.as_ref()),
                }
            }
            (left, deadline) = (stayed, Deadline::NEVER);
        }
    }
}

/// A process or a group that was signalled.
#[derive(Debug)]
enum Receiver {
    Process(Process),
    Group(ProcessGroup),
    /// Its end is not waited for.
    Done,
}

impl Receiver {
    /// Waits until it has ended.
    fn wait_until_ended(&self, deadline: Deadline) -> Result<Waited, Failure> {
        match self {
            Self::Process(process) => Ok(process.wait_until_ended(deadline)?),
            Self::Group(group) => match group.wait_until_ended(deadline) {
                Ok(Waited::Done(Rest::None)) => Ok(Waited::Done(())),
                Ok(Waited::Done(Rest::Hidden)) => {
                    let reason = "the group has processes that are not visible";
                    Err(Failure::new(Exit::Denied, reason)
                        .hint("/proc may hide the processes of other users: its option hidepid"))
                }
                Ok(Waited::TimedOut) => Ok(Waited::TimedOut),
                Err(Errno(libc::ENOENT)) => {
                    let reason = "the processes of the group are not visible";
                    Err(Failure::failed(reason).hint("a /proc of this PID namespace shows them"))
                }
                Err(errno) => Err(errno.into()),
            },
            Self::Done => Ok(Waited::Done(())),
        }
    }

    fn send(&self, signal: Signal) -> Result<(), Errno> {
        match self {
            Self::Process(process) => process.send(Some(signal)),
            Self::Group(group) => group.send(Some(signal)),
            Self::Done => Ok(()),
        }
    }

    /// Whether it is known by more than its number.
    fn is_certain(&self) -> bool {
        !matches!(self, Self::Group(group) if !group.is_certain())
    }
}

/// How old a pidfile may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Age {
    /// Younger than the process that has its process ID.
    YoungerThanProcess,
    /// Any.
    Any,
}

/// The failure of a PID that means a process of another namespace or machine.
fn elsewhere(whereabouts: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("has the PID of a process of another {whereabouts}"))
}

/// A process or group as the command line names it.
#[derive(Clone, Debug)]
pub struct Target {
    text: OsString,
    pid: i32,
    /// Its start time, if it was given.
    start: Option<u64>,
}

impl Target {
    fn new(pid: i32, start: Option<u64>) -> Self {
        Self { text: pid.to_string().into(), pid, start }
    }

    fn of_pidfile(path: &OsStr, age: Age) -> Result<Self, Failure> {
        match lock_file::owner(path).map_err(crate::cmd::lock::explain_lock_file)? {
            Some((owner, written)) => match owner.fate(Content::Full)? {
                Fate::Gone => Err(Errno(libc::ESRCH).into()),
                Fate::InAnotherNamespace => Err(elsewhere("PID namespace")),
                Fate::OnAnotherMachine => Err(elsewhere("machine")),
                Fate::Alive | Fate::Unknown => {
                    let start = owner.start();
                    if start.is_none() && age == Age::YoungerThanProcess {
                        check_age(owner.pid, written)?;
                    }
                    Ok(Self::new(owner.pid, start))
                }
            },
            None => Err(Failure::failed("has no process ID")),
        }
    }

    /// The process, if its start time is the given one.
    fn open(&self) -> Result<Process, Failure> {
        // The descriptor comes first: if the start time matches now, it is that process.
        let process = Process::open(self.pid).map_err(explain)?;
        self.check()?;
        Ok(process)
    }

    fn check(&self) -> Result<(), Failure> {
        match self.start {
            Some(start) if process::start_time(self.pid)? != start => {
                Err(Failure::new(Exit::NotFound, "is another process by now"))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a file that was written before the process with its process ID was started: it names an earlier
/// process.
fn check_age(pid: i32, written: i64) -> Result<(), Failure> {
    /// The start of a process and the time of a file are rounded, each in its own way.
    const ROUNDING: i64 = 2;
    match process::started_at(pid) {
        Ok(started) if started > written.saturating_add(ROUNDING) => {
            let command = process::command(pid);
            let reason =
                format!("is older than process {pid} ({}), and so names another", escape(&command));
            Err(Failure::new(Exit::NotFound, reason).hint("--force signals the process anyway"))
        }
        // A process whose start is not visible may be the right one.
        _ => Ok(()),
    }
}

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (pid, start) = match text.split_once(':') {
            Some((pid, start)) => {
                let start = start.parse().map_err(|_| "the start time is not a number of ticks")?;
                (pid, Some(start))
            }
            None => (text, None),
        };
        let pid = if pid == "0" { 0 } else { pid.parse::<Pid>()?.number };
        Ok(Self { text: text.into(), pid, start })
    }
}

impl AsRef<OsStr> for Target {
    fn as_ref(&self) -> &OsStr {
        &self.text
    }
}

/// The failure of an error, with a hint.
fn explain(errno: Errno) -> Failure {
    match errno.0 {
        libc::EAGAIN => Failure::failed("its user has the maximum number of signals queued")
            .hint("'ulimit -i' shows the limit and raises it"),
        libc::EINVAL | libc::ENOENT => Failure::new(Exit::NotFound, "is a thread, not a process"),
        _ => errno.into(),
    }
}
