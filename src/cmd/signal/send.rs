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
use crate::sys::pidfd::Process;
use crate::sys::process;

use crate::app::arguments::Plain;
use crate::app::options::{NOT_A_PROCESS, Pid};

use super::Sendable;

/// Send a signal to processes
///
/// A process is named by its number, or by PID:START with the time it was started at ('ipc signal
/// info' shows it), so that a number which was given to another process meanwhile is refused.
///
/// The signal may begin with a hyphen, as for kill(1): -TERM, -9.
///
/// Signal 0 sends nothing, and tells by the status whether it could be: 0 yes, 4 no such process,
/// 6 not allowed. All get the signal that can; the status is that of the first failure.
#[derive(Debug, clap::Args, Plain)]
pub struct Send {
    /// Signal, such as TERM, 15, RTMIN+3, or 0
    signal: Sendable,
    /// Numbers of processes
    #[arg(
        required_unless_present_any = ["pidfile", "name", "all_processes"],
        value_name = "PID[:START]",
        allow_negative_numbers = true
    )]
    pids: Vec<Target>,
    /// Queue the signal with this value
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    value: Option<i32>,
    /// Send it to the process groups of these numbers; 0 is our own
    ///
    /// A group whose leader is there gets it through that, by pidfd. A group outlives its leader;
    /// the kernel gives nobody else its number, and it gets the signal by that.
    #[arg(short, long, conflicts_with_all = ["wait", "all_processes"])]
    group: bool,
    /// Wait until all of them have ended
    #[arg(short, long)]
    wait: bool,
    /// Wait no longer than this
    #[arg(short, long, value_name = "DURATION", requires = "wait", allow_negative_numbers = true)]
    timeout: Option<Timeout>,
    /// After that, send this signal to those that are left, and wait on
    #[arg(long, value_name = "SIGNAL", requires = "timeout")]
    then: Option<Signal>,
    /// Send it to the process that a pidfile, or a lock file of ours, names
    #[arg(long, value_name = "FILE")]
    pidfile: Option<OsString>,
    /// Send it to the process of this name; there has to be only one
    ///
    /// The name is that of its program or script, or the one it has given itself, as ps(1) shows it
    /// under COMMAND. It is compared as a whole: of a name of more than 15 bytes the kernel keeps as
    /// many, and the rest is looked up in the command line and the file of the process.
    #[arg(long, value_name = "COMMAND")]
    name: Option<OsString>,
    /// Of several of that name, the one that was started last
    #[arg(long, requires = "name")]
    newest: bool,
    /// All of that name
    #[arg(long, requires = "name", conflicts_with = "newest")]
    all: bool,
    /// Send it to every process that we may signal, but for the first one and ourselves
    #[arg(long, conflicts_with_all = ["pids", "pidfile", "name", "value", "wait"])]
    all_processes: bool,
}

impl Action for Send {
    const EXAMPLES: &'static [Example] = &[
        ("Have a daemon read its configuration again", "ipc signal send HUP --pidfile daemon.pid"),
        ("Send a number along", "ipc signal send RTMIN+1 --value 42 4711"),
        ("End a process, for certain", "ipc signal send TERM --wait -t 10s --then KILL 4711"),
        ("See whether a process is there", "ipc signal send -q 0 4711 && echo yes"),
    ];

    /// A signal that begins with a hyphen stands among the options before the first operand.
    fn translate(words: &mut [OsString]) {
        /// Options that a value follows.
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
            return Err(reason.hint("--group 0 is our own process group")).about("0");
        }
        if self.all_processes {
            process::kill_all(signal).map_err(explain)?;
            return Ok(Exit::Done);
        }
        let mut sent = Vec::new();
        let exit = crate::app::objects::each(&self.targets()?, output, |target, _| {
            let process = match self.group {
                true => return self.send_to_group(target, signal),
                false => target.open()?,
            };
            match self.value {
                Some(value) => process.queue(signal, value).map_err(explain)?,
                None => process.send(signal).map_err(explain)?,
            }
            sent.push((target.text.clone(), process));
            Ok(())
        })?;
        if self.wait {
            self.wait_for(sent, deadline, output)?;
        }
        Ok(exit)
    }
}

impl Send {
    /// All that is to get the signal.
    fn targets(&self) -> anyhow::Result<Vec<Target>> {
        let mut targets = self.pids.clone();
        if let Some(path) = &self.pidfile {
            targets.push(Target::of_pidfile(path).about(path)?);
        }
        if let Some(name) = &self.name {
            targets.extend(self.named(name).about(name)?);
        }
        Ok(targets)
    }

    /// The processes of a name.
    fn named(&self, name: &OsStr) -> Result<Vec<Target>, Failure> {
        let name = name.as_encoded_bytes();
        let ours = std::process::id() as i32;
        let mut found: Vec<Target> = process::all()
            .filter(|&pid| pid != ours && process::full_name(pid) == name)
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
                Err(Failure::failed(reason).hint("--newest picks one, --all takes them all"))
            }
        }
    }

    fn send_to_group(&self, target: &Target, signal: Option<Signal>) -> Result<(), Failure> {
        let group = if target.pid == 0 { process::own_group() } else { target.pid };
        let sent = match Process::open(group) {
            Ok(leader) => {
                target.check()?;
                leader.send_to_group(signal, self.value)
            }
            // A group outlives its leader.
            Err(errno) => Err(errno),
        };
        match (sent, self.value) {
            (Err(Errno(libc::ESRCH | libc::EINVAL)), None) if target.start.is_none() => {
                process::kill_group(group, signal).map_err(explain)
            }
            (Err(Errno(libc::ESRCH)), Some(_)) if process::kill_group(group, None).is_ok() => {
                Err(Failure::failed("has lost its leader, by whom alone a group gets values"))
            }
            (sent, _) => sent.map_err(explain),
        }
    }

    /// Waits until all have ended, helping on those that do not.
    fn wait_for(
        &self,
        sent: Vec<(OsString, Process)>,
        deadline: Deadline,
        output: &Output,
    ) -> anyhow::Result<()> {
        let mut deadline = deadline;
        let mut left = sent;
        loop {
            let mut stayed = Vec::new();
            for (name, process) in left {
                if process.wait_until_ended(deadline).about(&name)? == Waited::TimedOut {
                    stayed.push((name, process));
                }
            }
            let Some((name, _)) = stayed.first() else { return Ok(()) };
            let Some(then) = self.then.filter(|_| deadline != Deadline::NEVER) else {
                return Err(Failure::timed_out()).about(name);
            };
            for (name, process) in &stayed {
                let name = escape(name.as_encoded_bytes());
                output.note(format_args!("{name}: still there, sending {then}"));
                match process.send(Some(then)) {
                    Ok(()) | Err(Errno(libc::ESRCH)) => {}
                    Err(errno) => return Err(errno).about(name.as_ref()),
                }
            }
            (left, deadline) = (stayed, Deadline::NEVER);
        }
    }
}

/// A number that would lead to another process here.
fn elsewhere(place: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("has the number of a process of another {place}"))
}

/// A process as the caller named it.
#[derive(Clone, Debug)]
pub struct Target {
    text: OsString,
    pid: i32,
    /// When it was started, where it is known.
    start: Option<u64>,
}

impl Target {
    fn new(pid: i32, start: Option<u64>) -> Self {
        Self { text: pid.to_string().into(), pid, start }
    }

    fn of_pidfile(path: &OsStr) -> Result<Self, Failure> {
        match lock_file::owner(path).map_err(crate::cmd::lock::explain_lock_file)? {
            Some(owner) => match owner.fate(Content::Full)? {
                Fate::Gone => Err(Errno(libc::ESRCH).into()),
                Fate::InAnotherNamespace => Err(elsewhere("PID namespace")),
                Fate::OnAnotherMachine => Err(elsewhere("machine")),
                Fate::Alive | Fate::Unknown => Ok(Self::new(owner.pid, owner.start())),
            },
            None => Err(Failure::failed("holds no number of a process")),
        }
    }

    /// The process, if it is the one that was meant.
    fn open(&self) -> Result<Process, Failure> {
        // The order counts: who has the start time now had it when the descriptor was opened.
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

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (pid, start) = match text.split_once(':') {
            Some((pid, start)) => {
                let start = start.parse().map_err(|_| "the start is no number of ticks")?;
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

/// Puts the way out beside the reason.
fn explain(errno: Errno) -> Failure {
    match errno.0 {
        libc::EAGAIN => Failure::failed("has as many signals queued as its user may have")
            .hint("'ulimit -i' shows the limit and raises it"),
        libc::EINVAL | libc::ENOENT => Failure::new(Exit::NotFound, "is a thread, not a process"),
        _ => errno.into(),
    }
}
