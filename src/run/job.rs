//! Runs a COMMAND with the dispositions that it expects, forwards signals to it, and reports its
//! status.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, about};
use crate::base::signal::Signal;
use crate::base::text;
use crate::sys::pidfd::Process;
use crate::sys::signal::{
    Blocked, Handler, Received, SignalSet, restore_dispositions, unblock_all,
};
use crate::sys::socket::Socket;
use crate::sys::spawn::{Child, Program, Signals, Streams};
use crate::sys::{descriptor, poll};

/// The signals that are forwarded to a COMMAND.
pub const FORWARDED: [Signal; 6] =
    [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];

/// A COMMAND that was found and can be started.
#[derive(Debug)]
pub struct Command {
    name: OsString,
    program: Program,
}

impl Command {
    /// The COMMAND of these words: its name, then its arguments.
    ///
    /// # Errors
    /// Status 126 or 127 if the file is not executable or does not exist.
    pub fn new(words: &[OsString]) -> anyhow::Result<Self> {
        let name = words.first().cloned().unwrap_or_default();
        let program = Program::find(words).map_err(|errno| not_started(&name, errno))?;
        Ok(Self { name, program })
    }

    /// Starts it in a process group of its own, which receives the signals for it.
    pub fn in_own_group(self) -> Self {
        Self { program: self.program.in_own_group(), ..self }
    }

    /// Sends the process ID of the process that becomes it to a socket before it runs.
    pub fn announced_to(self, socket: Socket) -> Self {
        Self { program: self.program.announced_to(socket), ..self }
    }

    /// Adds a variable to its environment.
    ///
    /// # Errors
    /// EINVAL for a value with a NUL.
    pub fn with(self, name: &str, value: &[u8]) -> Result<Self, Errno> {
        Ok(Self { program: self.program.with(name, value)?, ..self })
    }

    /// Its name.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// Removes the variables that begin with one of these from its environment.
    pub fn without(self, prefixes: &[impl AsRef<str>]) -> Self {
        Self { program: self.program.without(prefixes), ..self }
    }

    /// Runs it as a child until it ends, and forwards signals to it. Calls `started` with its
    /// process ID.
    ///
    /// # Errors
    /// Status 125, 126 or 127 if it could not be started.
    pub fn run(&self, started: impl FnOnce(i32)) -> anyhow::Result<Exit> {
        let mut job = Job::new(None);
        started(job.start(self, Streams::default())?);
        Ok(job.finish()?.into_iter().next().unwrap_or(Exit::Done))
    }

    /// Starts it as a child, with these variables added to its environment.
    ///
    /// # Errors
    /// The reason why it could not be started, for [`Command::failed`].
    pub fn start(&self, streams: Streams<'_>, variables: &[(&str, &[u8])]) -> Result<Child, Errno> {
        self.program.start(Signals::Clean, streams, variables)
    }

    /// Becomes it, with the dispositions and the mask of this process; returns only if that fails.
    pub fn exec(&self, streams: Streams<'_>, variables: &[(&str, &[u8])]) -> anyhow::Error {
        self.failed(self.program.exec(streams, variables))
    }

    /// The error of a start, with status 125, 126 or 127.
    pub fn failed(&self, errno: Errno) -> anyhow::Error {
        not_started(&self.name, errno)
    }
}

/// A COMMAND that runs, and a descriptor that is readable when it has ended.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Opened for the first sleep, since a short COMMAND may end before; `None` if no descriptor was
    /// left.
    process: OnceCell<Option<Process>>,
}

impl Running {
    /// A running COMMAND of this child.
    pub fn new(child: Child) -> Self {
        Self { child, process: OnceCell::new() }
    }

    /// One of many COMMANDs: descriptors for all of them would leave too few for other uses, so
    /// CHLD reports its end.
    fn one_of_many(child: Child) -> Self {
        Self { child, process: OnceCell::from(None) }
    }

    /// Its process ID.
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// Sends it a signal.
    pub fn send(&self, signal: Signal) {
        self.child.send(signal);
    }

    /// Its status, if it has ended.
    ///
    /// # Errors
    /// Those of waitpid(2).
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Errno> {
        let ended = self.child.try_wait()?;
        if ended.is_some() {
            self.process.take();
        }
        Ok(ended)
    }

    fn process(&self) -> Option<&Process> {
        self.process.get_or_init(|| self.child.process().ok()).as_ref()
    }
}

/// The maximum sleep if no descriptor was left to detect the end of a COMMAND.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Sleeps until `signals` is readable, a COMMAND has ended, or `deadline` has passed; it may return
/// earlier. The caller checks the COMMANDs before and afterwards.
///
/// # Errors
/// Those of poll(2).
pub fn sleep<'a>(
    signals: BorrowedFd<'a>,
    running: impl IntoIterator<Item = &'a Running>,
    deadline: Deadline,
) -> Result<(), Errno> {
    let mut fds = vec![signals];
    let mut deadline = deadline;
    for running in running.into_iter().filter(|running| !running.child.has_ended()) {
        match running.process() {
            Some(process) => fds.push(process.as_fd()),
            // CHLD reports the end, and may be lost.
            None => deadline = deadline.min(Deadline::after(LOOK_AGAIN)),
        }
    }
    match poll::any_readable(&fds, deadline)? {
        Waited::Done(()) | Waited::TimedOut => Ok(()),
    }
}

/// Keeps ended children as zombies until it is dropped, even if the caller ignores CHLD.
pub fn keep_ended_children() -> Handler {
    extern "C" fn nothing(_: i32) {}
    Handler::install(Signal::CHLD, nothing)
}

/// COMMANDs that run as children, and the signals that this process receives meanwhile. The signals
/// are blocked before the first COMMAND starts, so that none arrives in between.
#[derive(Debug)]
pub struct Job {
    signals: Blocked,
    /// Readable while a signal is pending; opened for the first sleep, and `None` if no descriptor was
    /// left.
    readable: OnceCell<Option<OwnedFd>>,
    running: Vec<Running>,
    _children: Handler,
    /// The signals that have arrived, from the terminal or from another process.
    received: SignalSet,
}

/// An event while COMMANDs run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// All have ended; their statuses are in the order of their starts.
    Ended(Vec<ExitStatus>),
    /// A signal arrived that must be forwarded.
    Signal(Signal),
}

impl Job {
    /// A job without COMMANDs. It blocks the signals that are forwarded, and `besides`.
    pub fn new(besides: impl IntoIterator<Item = Signal>) -> Self {
        let children = keep_ended_children();
        let ours = FORWARDED.into_iter().chain([Signal::CHLD]).chain(besides);
        let signals = Blocked::new(ours.collect());
        Self {
            signals,
            readable: OnceCell::new(),
            running: Vec::new(),
            _children: children,
            received: SignalSet::default(),
        }
    }

    /// Starts another COMMAND; returns its process ID.
    ///
    /// # Errors
    /// Status 125, 126 or 127 if it could not be started; the COMMANDs before it get TERM.
    pub fn start(&mut self, command: &Command, streams: Streams<'_>) -> anyhow::Result<i32> {
        let child = command.start(streams, &[]).map_err(|errno| {
            self.send(Signal::TERM);
            command.failed(errno)
        })?;
        let pid = child.pid();
        // The first one needs no look at the limit.
        let count = self.running.len();
        let has_room = count == 0 || count < descriptor::limit() / 4;
        self.running.push(if has_room { Running::new(child) } else { Running::one_of_many(child) });
        Ok(pid)
    }

    /// The next event before `deadline`.
    pub fn next(&mut self, deadline: Deadline) -> Result<Waited<Event>, Errno> {
        let waited = self.signal_unless(Self::have_all_ended, deadline)?;
        Ok(waited.map(|signal| match signal {
            Some(signal) => Event::Signal(signal),
            None => Event::Ended(self.statuses()),
        }))
    }

    /// The next signal for the COMMANDs; `None` as soon as `has_ended` holds.
    ///
    /// The COMMANDs are checked before and after each wait, because a CHLD may be lost. Signals
    /// that arrived before the end are accepted before the end is reported: otherwise they would
    /// have their effect on this process.
    fn signal_unless(
        &mut self,
        has_ended: fn(&Self) -> bool,
        deadline: Deadline,
    ) -> Result<Waited<Option<Signal>>, Errno> {
        loop {
            self.look()?;
            let ended = has_ended(self);
            let received = self.take(if ended { Deadline::PASSED } else { deadline })?;
            match received {
                Waited::Done(received) => {
                    self.received = self.received.with(received.signal);
                    if !ended && self.is_for_command(received) {
                        return Ok(Waited::Done(Some(received.signal)));
                    }
                }
                Waited::TimedOut if ended => return Ok(Waited::Done(None)),
                Waited::TimedOut => {
                    self.look()?;
                    if deadline.has_passed() && !has_ended(self) {
                        return Ok(Waited::TimedOut);
                    }
                }
            }
        }
    }

    /// Whether this signal has arrived, from the terminal or from another process.
    pub fn has_received(&self, signal: Signal) -> bool {
        self.received.contains(signal)
    }

    /// The next signal, unless a COMMAND ends before, or the COMMANDs must be checked again.
    fn take(&self, deadline: Deadline) -> Result<Waited<Received>, Errno> {
        if deadline == Deadline::PASSED {
            return self.signals.take(deadline);
        }
        let Some(readable) = self.readable.get_or_init(|| self.signals.descriptor().ok()) else {
            return self.signals.take(deadline.min(Deadline::after(LOOK_AGAIN)));
        };
        sleep(readable.as_fd(), &self.running, deadline)?;
        self.signals.take(Deadline::PASSED)
    }

    /// Sends a signal to all COMMANDs that have not ended.
    pub fn send(&self, signal: Signal) {
        self.running.iter().for_each(|running| running.send(signal));
    }

    /// Waits until all have ended, and forwards signals to each of them.
    pub fn finish(mut self) -> anyhow::Result<Vec<Exit>> {
        let statuses = self.finish_by(Deadline::NEVER, Duration::ZERO)?;
        Ok(statuses.into_iter().map(exit_of).collect())
    }

    /// As [`Job::finish`]; COMMANDs that still run at the deadline get TERM, and KILL `grace`
    /// later.
    ///
    /// # Errors
    /// Those of the wait.
    pub fn finish_by(
        &mut self,
        mut deadline: Deadline,
        grace: Duration,
    ) -> Result<Vec<ExitStatus>, Errno> {
        let mut last = Signal::TERM;
        loop {
            match self.next(deadline)? {
                Waited::Done(Event::Ended(statuses)) => return Ok(statuses),
                Waited::Done(Event::Signal(signal)) => self.send(signal),
                Waited::TimedOut => {
                    self.send(last);
                    // A stopped COMMAND acts on TERM only after it continues.
                    self.send(Signal::CONT);
                    deadline = match last {
                        Signal::KILL => Deadline::NEVER,
                        _ => Deadline::after(grace),
                    };
                    last = Signal::KILL;
                }
            }
        }
    }

    /// Waits until one has ended, and forwards signals to each of them.
    ///
    /// # Errors
    /// Those of the wait.
    pub fn await_first_end(&mut self) -> Result<(), Errno> {
        while let Waited::Done(Some(signal)) =
            self.signal_unless(Self::has_one_ended, Deadline::NEVER)?
        {
            self.send(signal);
        }
        Ok(())
    }

    /// Whether a signal must be forwarded to the COMMANDs, which have not received it.
    fn is_for_command(&self, Received { signal, sender, .. }: Received) -> bool {
        match (signal, sender) {
            // CHLD reports their end.
            (Signal::CHLD, _) => false,
            // The terminal has sent it to its foreground group, in which the COMMANDs usually are.
            (_, None) => self.running.iter().any(|running| running.child.leads_group()),
            // This process has sent it, to its whole process group.
            (_, Some((pid, _))) => pid != std::process::id() as i32,
        }
    }

    /// Updates the statuses of the COMMANDs.
    fn look(&mut self) -> Result<(), Errno> {
        self.running.iter_mut().try_for_each(|running| running.try_wait().map(drop))
    }

    fn have_all_ended(&self) -> bool {
        self.running.iter().all(|running| running.child.has_ended())
    }

    fn has_one_ended(&self) -> bool {
        self.running.iter().any(|running| running.child.has_ended())
    }

    /// The statuses of the COMMANDs that have ended, in the order of their starts.
    fn statuses(&self) -> Vec<ExitStatus> {
        self.running.iter().filter_map(|running| running.child.status()).collect()
    }
}

/// Becomes a COMMAND; returns only if that fails.
pub fn exec(words: &[OsString]) -> anyhow::Error {
    match Command::new(words) {
        Ok(command) => {
            start_clean();
            command.exec(Streams::default(), &[])
        }
        Err(error) => error,
    }
}

/// Gives signals the dispositions for a COMMAND, before this process becomes it.
pub fn start_clean() {
    restore_dispositions();
    unblock_all();
}

/// The status by which a shell reports the end of a COMMAND.
pub fn exit_of(status: ExitStatus) -> Exit {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Exit::Command(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
}

/// The end of a COMMAND, in words.
pub fn told(status: ExitStatus) -> String {
    match status.signal().and_then(Signal::new) {
        Some(signal) => format!("died of signal {signal}"),
        None => format!("ended with status {}", status.code().unwrap_or_default()),
    }
}

/// The error of a start. As for env(1), the status is 127 if the file does not exist, 126 if it
/// cannot be executed, 125 if a limit prevents the attempt.
fn not_started(name: &OsStr, errno: Errno) -> anyhow::Error {
    let exit = match errno {
        Errno(libc::ENOENT) => Exit::CommandNotFound,
        Errno(libc::EAGAIN | libc::EMFILE | libc::ENFILE | libc::ENOMEM) => Exit::CommandNotStarted,
        _ => Exit::CommandNotExecutable,
    };
    about(no_room(errno).with_exit(exit), name)
}

/// The failure of a start, with a hint about the limit that it exceeded.
pub fn no_room(errno: Errno) -> Failure {
    hint_text(errno).into_iter().fold(errno.into(), Failure::hint)
}

/// The limit that a start exceeded, and the command that shows it.
fn hint_text(errno: Errno) -> Option<&'static str> {
    match errno.0 {
        libc::EMFILE => Some(text::OPEN_FILES_HINT),
        libc::ENFILE => Some(text::ALL_OPEN_FILES_HINT),
        libc::EAGAIN => Some(
            "'prlimit --nproc' shows how many processes a user may have; \
             a control group has a limit of its own, pids.max",
        ),
        libc::E2BIG => Some("'getconf ARG_MAX' shows how long arguments and environment may be"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::watchdog::within;

    /// Sleeps.
    fn pause(milliseconds: u64) {
        let deadline = Deadline::after(Duration::from_millis(milliseconds));
        assert_eq!(poll::any_readable(&[], deadline), Ok(Waited::TimedOut));
    }

    /// Delays the end of the thread that uses it.
    struct Late;

    impl Drop for Late {
        fn drop(&mut self) {
            pause(200);
        }
    }

    thread_local! {
        static LATE: Late = const { Late };
    }

    #[test]
    fn an_end_is_seen_although_a_thread_on_its_way_out_has_taken_the_signal() {
        let soon = Deadline::after(Duration::from_secs(10));
        let helped = within(soon, || {
            LATE.with(|_| {});
            Ok::<_, Errno>(Waited::Done(()))
        });
        assert_eq!(helped, Ok(Ok(Waited::Done(()))));
        let mut job = Job::new(None);
        job.start(&Command::new(&["true".into()]).unwrap(), Streams::default()).unwrap();
        pause(100);
        let ended = Event::Ended(vec![ExitStatus::default()]);
        assert_eq!(job.next(soon), Ok(Waited::Done(ended)));
    }

    /// The main thread of a test run does not block CHLD, so the signal has no effect here.
    #[test]
    fn an_end_is_seen_although_the_signal_is_lost_while_it_is_waited_for() {
        let mut job = Job::new(None);
        let words = ["sleep".into(), "0.1".into()];
        job.start(&Command::new(&words).unwrap(), Streams::default()).unwrap();
        assert_eq!(job.finish().unwrap(), [Exit::Command(0)]);
    }
}
