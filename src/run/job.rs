//! Running a COMMAND: with the dispositions that it expects, the signals that we get passed on to
//! it, and its status as ours.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, about};
use crate::base::signal::Signal;
use crate::sys::pidfd::Process;
use crate::sys::signal::{
    Blocked, Received, SignalSet, await_children, restore_dispositions, unblock_all,
};
use crate::sys::spawn::{Child, Program, Signals, Streams};
use crate::sys::{descriptor, poll};

/// The signals that somebody may send to us and mean the COMMAND.
pub const FORWARDED: [Signal; 6] =
    [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];

/// A COMMAND that can be started.
#[derive(Debug)]
pub struct Command {
    name: OsString,
    program: Program,
}

impl Command {
    /// The COMMAND of these words: its name, then its arguments.
    ///
    /// # Errors
    /// That there is none, with status 126 or 127.
    pub fn new(words: &[OsString]) -> anyhow::Result<Self> {
        let name = words.first().cloned().unwrap_or_default();
        let program = Program::find(words).map_err(|errno| not_started(&name, errno))?;
        Ok(Self { name, program })
    }

    /// Leaves out what begins so of our own environment.
    pub fn without(self, prefixes: &[impl AsRef<str>]) -> Self {
        Self { program: self.program.without(prefixes), ..self }
    }

    /// Runs it beside us until it ends, passing signals on to it; tells its process ID as soon as it
    /// is started.
    ///
    /// # Errors
    /// That it could not be started, with status 125, 126 or 127.
    pub fn run(&self, started: impl FnOnce(i32)) -> anyhow::Result<Exit> {
        let mut job = Job::new(None);
        started(job.start(self, Streams::default())?);
        Ok(job.finish()?.into_iter().next().unwrap_or(Exit::Done))
    }

    /// Starts it beside us, with these variables besides its environment.
    ///
    /// # Errors
    /// Why it could not be started; [`Command::failed`] says it.
    pub fn start(&self, streams: Streams<'_>, variables: &[(&str, &[u8])]) -> Result<Child, Errno> {
        self.program.start(Signals::Clean, streams, variables)
    }

    /// Becomes it, with the dispositions and the mask that we have; comes back only with the
    /// reason why it did not.
    pub fn exec(&self, streams: Streams<'_>, variables: &[(&str, &[u8])]) -> anyhow::Error {
        self.failed(self.program.exec(streams, variables))
    }

    /// What went wrong when it was started, with status 125, 126 or 127.
    pub fn failed(&self, errno: Errno) -> anyhow::Error {
        not_started(&self.name, errno)
    }
}

/// A COMMAND that runs, and the descriptor by which its end is seen.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// `None` where no descriptor was left.
    process: Option<Process>,
}

impl Running {
    /// The COMMAND that was started.
    pub fn new(child: Child) -> Self {
        let process = child.process().ok();
        Self { child, process }
    }

    /// One of so many that a descriptor for each would leave too few for other things: its end is
    /// seen by its signal.
    fn one_of_many(child: Child) -> Self {
        Self { child, process: None }
    }

    /// Its process ID.
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// Sends it a signal.
    pub fn send(&self, signal: Signal) {
        self.child.send(signal);
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// Those of waitpid(2).
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Errno> {
        let ended = self.child.try_wait()?;
        if ended.is_some() {
            self.process = None;
        }
        Ok(ended)
    }
}

/// How long to sleep at most where the end of a COMMAND may not be seen by a descriptor.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Sleeps until there is something to read from `signals`, a COMMAND has ended, or `deadline` has
/// passed; perhaps for a shorter time. The caller looks at the COMMANDs before and afterwards.
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
        match &running.process {
            Some(process) => fds.push(process.as_fd()),
            // CHLD tells of it, and might be lost.
            None => deadline = deadline.min(Deadline::after(LOOK_AGAIN)),
        }
    }
    match poll::any_readable(&fds, deadline)? {
        Waited::Done(()) | Waited::TimedOut => Ok(()),
    }
}

/// COMMANDs that run beside us, and the signals that we get meanwhile: blocked before the first one
/// starts, so that none falls between.
#[derive(Debug)]
pub struct Job {
    signals: Blocked,
    /// Readable while one of them waits to be taken; `None` where no descriptor was left.
    readable: Option<OwnedFd>,
    running: Vec<Running>,
    /// How many of them may have a descriptor each.
    watched: usize,
    /// The signals of the caller and of the terminal that have come.
    received: SignalSet,
}

/// What happens while COMMANDs run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// All have ended; how, in the order in which they were started.
    Ended(Vec<ExitStatus>),
    /// Somebody sent us a signal, who may mean them.
    Signal(Signal),
}

impl Job {
    /// One without COMMANDs yet, for those that are passed on, and these signals besides.
    pub fn new(besides: Option<Signal>) -> Self {
        await_children();
        let ours = FORWARDED.into_iter().chain([Signal::CHLD]).chain(besides);
        let signals = Blocked::new(ours.collect());
        let readable = signals.descriptor().ok();
        Self {
            signals,
            readable,
            running: Vec::new(),
            watched: descriptor::limit() / 4,
            received: SignalSet::default(),
        }
    }

    /// Starts a COMMAND more; returns its process ID.
    ///
    /// # Errors
    /// That it could not be started, with status 125, 126 or 127; those before it get TERM.
    pub fn start(&mut self, command: &Command, streams: Streams<'_>) -> anyhow::Result<i32> {
        let child = command.start(streams, &[]).map_err(|errno| {
            self.send(Signal::TERM);
            command.failed(errno)
        })?;
        let pid = child.pid();
        let has_room = self.running.len() < self.watched;
        self.running.push(if has_room { Running::new(child) } else { Running::one_of_many(child) });
        Ok(pid)
    }

    /// What happens next, before `deadline`.
    pub fn next(&mut self, deadline: Deadline) -> Result<Waited<Event>, Errno> {
        let waited = self.signal_unless(Self::have_all_ended, deadline)?;
        Ok(waited.map(|signal| match signal {
            Some(signal) => Event::Signal(signal),
            None => Event::Ended(self.statuses()),
        }))
    }

    /// The next signal that is meant for the COMMANDs; `None` as soon as they have ended as `has_ended`
    /// asks.
    ///
    /// The COMMANDs are looked at before and after each wait, as a CHLD may be lost. Signals that
    /// came before the end are taken before the end is reported: left behind they would have their
    /// effect on us.
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
                    if !ended && is_for_command(received) {
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

    /// Whether this signal has come, from the terminal or from another process.
    pub fn has_received(&self, signal: Signal) -> bool {
        self.received.contains(signal)
    }

    /// The next signal, unless a COMMAND ends before, or it is time to look again.
    fn take(&self, deadline: Deadline) -> Result<Waited<Received>, Errno> {
        let Some(readable) = &self.readable else {
            return self.signals.take(deadline.min(Deadline::after(LOOK_AGAIN)));
        };
        if deadline == Deadline::PASSED {
            return self.signals.take(deadline);
        }
        sleep(readable.as_fd(), &self.running, deadline)?;
        self.signals.take(Deadline::PASSED)
    }

    /// Sends a signal to all COMMANDs that have not ended.
    pub fn send(&self, signal: Signal) {
        self.running.iter().for_each(|running| running.send(signal));
    }

    /// Waits until all have ended, passing signals on to each of them.
    pub fn finish(mut self) -> anyhow::Result<Vec<Exit>> {
        let statuses = self.finish_by(Deadline::NEVER, Duration::ZERO)?;
        Ok(statuses.into_iter().map(exit_of).collect())
    }

    /// The same; those that still run at the deadline get TERM, and KILL `grace` later.
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
                    // A stopped one gets the signal when it goes on.
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

    /// Waits until one has ended, passing signals on to each of them.
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

    /// Looks which COMMANDs have ended.
    fn look(&mut self) -> Result<(), Errno> {
        self.running.iter_mut().try_for_each(|running| running.try_wait().map(drop))
    }

    fn have_all_ended(&self) -> bool {
        self.running.iter().all(|running| running.child.has_ended())
    }

    fn has_one_ended(&self) -> bool {
        self.running.iter().any(|running| running.child.has_ended())
    }

    /// How those have ended that have, in the order in which they were started.
    fn statuses(&self) -> Vec<ExitStatus> {
        self.running.iter().filter_map(|running| running.child.status()).collect()
    }
}

/// Whether a signal is meant for the COMMANDs and has not reached them.
fn is_for_command(Received { signal, sender, .. }: Received) -> bool {
    match (signal, sender) {
        // It tells of them.
        (Signal::CHLD, _) => false,
        // The terminal sent it, to the COMMANDs as well.
        (_, None) => false,
        // We sent it, to our whole group.
        (_, Some((pid, _))) => pid != std::process::id() as i32,
    }
}

/// Becomes a COMMAND: nothing of us remains. Comes back only with the reason why it did not.
pub fn exec(words: &[OsString]) -> anyhow::Error {
    match Command::new(words) {
        Ok(command) => {
            start_clean();
            command.exec(Streams::default(), &[])
        }
        Err(error) => error,
    }
}

/// Has signals do to us what a COMMAND expects, before we become it.
pub fn start_clean() {
    restore_dispositions();
    unblock_all();
}

/// The status by which a shell would tell how a COMMAND ended.
pub fn exit_of(status: ExitStatus) -> Exit {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Exit::Command(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
}

/// How a COMMAND ended, in words.
pub fn told(status: ExitStatus) -> String {
    match status.signal().and_then(Signal::new) {
        Some(signal) => format!("died of signal {signal}"),
        None => format!("ended with status {}", status.code().unwrap_or_default()),
    }
}

/// Why a COMMAND did not start: as env(1) has it, 127 if there is none, 126 if it cannot be executed,
/// 125 if we have no room to try.
fn not_started(name: &OsStr, errno: Errno) -> anyhow::Error {
    let exit = match errno {
        Errno(libc::ENOENT) => Exit::CommandNotFound,
        Errno(libc::EAGAIN | libc::EMFILE | libc::ENFILE | libc::ENOMEM) => Exit::CommandNotStarted,
        _ => Exit::CommandNotExecutable,
    };
    about(no_room(errno).with_exit(exit), name)
}

/// What a start, or what comes before it, failed with; beside it the limit that it ran into.
pub fn no_room(errno: Errno) -> Failure {
    hint_text(errno).into_iter().fold(errno.into(), Failure::hint)
}

/// The limit that a start ran into, and how to see it.
fn hint_text(errno: Errno) -> Option<&'static str> {
    match errno.0 {
        libc::EMFILE => Some("'prlimit --nofile' shows how many files a process may have open"),
        libc::ENFILE => Some("'sysctl fs.file-max' shows how many files may be open at once"),
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

    /// Lets time pass.
    fn pause(milliseconds: u64) {
        let deadline = Deadline::after(Duration::from_millis(milliseconds));
        assert_eq!(poll::any_readable(&[], deadline), Ok(Waited::TimedOut));
    }

    /// What makes the thread that uses it end late.
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

    /// The main thread of a test run has CHLD open, and so the signal does nothing here.
    #[test]
    fn an_end_is_seen_although_the_signal_is_lost_while_it_is_waited_for() {
        let mut job = Job::new(None);
        let words = ["sleep".into(), "0.1".into()];
        job.start(&Command::new(&words).unwrap(), Streams::default()).unwrap();
        assert_eq!(job.finish().unwrap(), [Exit::Command(0)]);
    }
}
