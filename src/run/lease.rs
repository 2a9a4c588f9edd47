//! Runs a COMMAND while this process holds something for a limited time only, and renews it.
//!
//! The holder may be stopped or killed, and then renews nothing. So a second process, the watchdog,
//! ends the process group of COMMAND before the time is over. It is this program, executed again: its
//! environment has no secrets, and it shares no memory with the threads that renew. It is in a session
//! of its own. It learns the process ID of COMMAND from the process that becomes COMMAND, before COMMAND
//! runs, and the end of the lease from the holder after each renewal. It counts on CLOCK_BOOTTIME, so a
//! machine that slept ends COMMAND when it wakes up.
//!
//! What the holder tells by the socket: two moments (16 bytes), or that COMMAND has ended (1 byte). What
//! COMMAND tells: its process ID (4 bytes).

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::base::signal::Signal;
use crate::run::foreground::Foreground;
use crate::run::job::{Command, Event, Job, exit_of, no_room};
use crate::sys::boot_timer::BootTimer;
use crate::sys::pidfd::Process;
use crate::sys::signal::{Blocked, SignalSet};
use crate::sys::socket::{Socket, SocketType};
use crate::sys::spawn::{Child, Streams};
use crate::sys::time::since_boot;
use crate::sys::{descriptor, poll, process, thread};

/// Something that this process holds for a limited time, and can renew.
pub trait Lease: Send {
    /// The time for which it is held after a renewal.
    fn duration(&self) -> Duration;

    /// Until when it is certainly held, as [`since_boot`] counts.
    fn end(&self) -> Duration;

    /// Tries to renew it, for a moment.
    fn renew(&mut self) -> Renewal;

    /// Gives it back.
    ///
    /// # Errors
    /// Why other processes have to wait for its end instead.
    fn release(&mut self) -> anyhow::Result<()>;
}

/// The outcome of an attempt to renew a lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Renewal {
    /// It is renewed.
    Done,
    /// There was no answer.
    Unanswered,
    /// Another process has it.
    Lost,
}

/// The word of the command line that makes this program a watchdog.
pub const WATCHDOG: &str = "lease-watchdog";

/// The name of the watchdog in listings of processes.
const NAME: &CStr = c"ipc-watchdog";

/// The longest pause between two renewals: a connection without traffic is closed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The pauses between attempts to renew, if there is no answer.
const RETRY: Duration = Duration::from_millis(250);

/// The message of the holder that COMMAND has ended.
const ENDED: &[u8] = b"e";

/// The size of a message with two moments, in nanoseconds.
const MOMENTS: usize = 2 * size_of::<u64>();

/// The size of a message with a process ID.
const PID: usize = size_of::<i32>();

/// The end of a COMMAND that ran with a lease.
#[derive(Debug)]
pub struct Ended {
    /// Its status.
    pub exit: Exit,
    /// Whether the watchdog ended it, as the lease was not renewed.
    pub lost: bool,
    /// Why the lease could not be given back.
    pub unreleased: Option<anyhow::Error>,
}

/// Runs COMMAND in a process group of its own while this process holds the lease; returns how it ended.
///
/// # Errors
/// Status 125, 126 or 127 if COMMAND cannot be started; the lease is given back then.
pub fn run(command: Command, mut lease: Box<dyn Lease>) -> anyhow::Result<Ended> {
    let (ours, theirs) = Socket::pair(SocketType::Seqpacket).map_err(no_room)?;
    let started = start_watchdog(&theirs).and_then(|watchdog| {
        drop(theirs);
        tell_end(&ours, &*lease).map_err(Failure::from)?;
        Ok((watchdog, ours.try_clone().map_err(no_room)?))
    });
    let (mut watchdog, socket) = match started {
        Ok(started) => started,
        Err(error) => {
            let _ = lease.release();
            return Err(error);
        }
    };
    let renewing = Renewing::start(lease, ours.try_clone().map_err(no_room)?)?;
    let ended = run_command(command.in_own_group().announced_to(socket));
    // A watchdog that was killed reads nothing.
    let _ = ours.send(ENDED);
    let watched = watchdog.wait().map_err(Failure::from)?;
    let mut lease = renewing.stop();
    let late = lease.end() <= since_boot();
    let lost = watched.code() == Some(KILLED.into()) || !watched.success() && late;
    // One that was lost is over, or ends by itself.
    let unreleased = if lost { None } else { lease.release().err() };
    Ok(Ended { exit: ended?, lost, unreleased })
}

/// Runs COMMAND, and forwards signals to its group.
fn run_command(command: Command) -> anyhow::Result<Exit> {
    let mut job = Job::new(None);
    let group = job.start(&command, Streams::default())?;
    let mut foreground = Foreground::for_group(group);
    loop {
        match job.next(foreground.next_look()).map_err(Failure::from)? {
            Waited::Done(Event::Signal(signal)) => job.send(signal),
            Waited::Done(Event::Ended(ended)) => {
                return Ok(ended.into_iter().next().map_or(Exit::Done, exit_of));
            }
            Waited::TimedOut => foreground.follow(),
        }
    }
}

/// Executes this program as a watchdog, whose stdin is the socket.
fn start_watchdog(socket: &Socket) -> anyhow::Result<Child> {
    let words = ["/proc/self/exe".into(), WATCHDOG.into()];
    // The terminal sends its signals to another group.
    let command = Command::new(&words)?.without(&[""]).in_own_group();
    command.start(Streams::reading(socket), &[]).map_err(|errno| command.failed(errno))
}

/// Tells the watchdog when COMMAND gets TERM, and when it gets KILL.
fn tell_end(watchdog: &Socket, lease: &dyn Lease) -> Result<(), Errno> {
    let end = lease.end();
    tell(watchdog, [end.saturating_sub(lease.duration() / 10), end])
}

fn tell(watchdog: &Socket, moments: [Duration; 2]) -> Result<(), Errno> {
    let moments = moments.map(|at| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX).to_ne_bytes());
    watchdog.send(moments.as_flattened()).map(drop)
}

/// A thread that renews a lease until it is stopped.
struct Renewing {
    thread: JoinHandle<Box<dyn Lease>>,
    stop: std::sync::mpsc::Sender<()>,
}

impl Renewing {
    fn start(lease: Box<dyn Lease>, watchdog: Socket) -> anyhow::Result<Self> {
        let (stop, stopped) = channel();
        let thread = thread::start(|new| new.spawn(move || renew(lease, &watchdog, &stopped)));
        Ok(Self { thread: thread.map_err(no_room)?, stop })
    }

    fn stop(self) -> Box<dyn Lease> {
        drop(self.stop);
        self.thread.join().expect("the thread does not panic")
    }
}

fn renew(mut lease: Box<dyn Lease>, watchdog: &Socket, stopped: &Receiver<()>) -> Box<dyn Lease> {
    let usual = (lease.duration() / 3).min(LONGEST_PAUSE);
    let mut pause = usual;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        pause = match lease.renew() {
            Renewal::Done => {
                // A watchdog that was killed reads nothing.
                let _ = tell_end(watchdog, &*lease);
                usual
            }
            Renewal::Unanswered => RETRY.min(usual),
            Renewal::Lost => {
                let _ = tell(watchdog, [Duration::ZERO; 2]);
                // It ends with COMMAND.
                let _ = stopped.recv();
                break;
            }
        };
    }
    lease
}

/// The status of a watchdog that has ended COMMAND.
const KILLED: u8 = 1;

/// The work of the watchdog, whose stdin is the socket; returns its exit status.
pub fn watch() -> u8 {
    let all: SignalSet = Signal::all().collect();
    let _blocked = Blocked::new(all);
    process::leave_session();
    process::set_name(NAME);
    match descriptor::handed_over(0).and_then(|stdin| {
        descriptor::close_others(&[stdin.as_fd()]);
        Watchdog::new(stdin.into())?.run()
    }) {
        Ok(status) => status,
        Err(_) => Exit::Failed.code(),
    }
}

/// A process that ends a COMMAND before its lease does.
struct Watchdog {
    /// The socket of the holder, as long as it has not closed it.
    holder: Option<Socket>,
    timer: BootTimer,
    /// The moments of TERM and KILL that are still to come.
    moments: Vec<(Duration, Signal)>,
    command: Option<(i32, Process)>,
    has_signalled: bool,
}

impl Watchdog {
    fn new(holder: Socket) -> Result<Self, Errno> {
        let timer = BootTimer::new()?;
        let (holder, moments) = (Some(holder), Vec::new());
        Ok(Self { holder, timer, moments, command: None, has_signalled: false })
    }

    fn run(mut self) -> Result<u8, Errno> {
        loop {
            self.signal_if_due()?;
            let mut fds: Vec<BorrowedFd<'_>> = vec![self.timer.as_fd()];
            match (&self.holder, &self.command) {
                (Some(holder), _) => fds.push(holder.as_fd()),
                // It was killed, and COMMAND lives on.
                (None, Some((_, command))) => fds.push(command.as_fd()),
                (None, None) => break,
            }
            let _ = poll::any_readable(&fds, Deadline::NEVER)?;
            let has_ended = |(_, command): &(i32, Process)| {
                command.wait_until_ended(Deadline::PASSED) == Ok(Waited::Done(()))
            };
            if self.holder.is_none() && self.command.as_ref().is_none_or(has_ended) {
                break;
            }
            if !self.listen()? {
                break;
            }
        }
        Ok(if self.has_signalled { KILLED } else { Exit::Done.code() })
    }

    /// Reads a message of the holder or of COMMAND, if one is there. Returns whether to go on.
    fn listen(&mut self) -> Result<bool, Errno> {
        let Some(holder) = &self.holder else { return Ok(true) };
        if poll::readable(holder, Deadline::PASSED)? == Waited::TimedOut {
            return Ok(true);
        }
        let mut message = [0; MOMENTS];
        match holder.receive(&mut message)? {
            MOMENTS => {
                let at = |part: usize| {
                    let bytes = message[part * 8..][..8].try_into().expect("it has 8 bytes");
                    Duration::from_nanos(u64::from_ne_bytes(bytes))
                };
                self.moments = vec![(at(0), Signal::TERM), (at(1), Signal::KILL)];
            }
            PID => {
                let pid = i32::from_ne_bytes(message[..PID].try_into().expect("it has 4 bytes"));
                self.command = Some((pid, Process::open(pid)?));
                holder.send(b"!")?;
            }
            0 => self.holder = None,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Sends the signals whose moments have come, and sets the timer for the next.
    fn signal_if_due(&mut self) -> Result<(), Errno> {
        let now = since_boot();
        if let Some((pid, _)) = &self.command {
            while let Some(&(_, signal)) = self.moments.first().filter(|(at, _)| *at <= now) {
                self.has_signalled = true;
                self.moments.remove(0);
                // Its processes may have ended.
                let _ = process::kill_group(*pid, Some(signal));
                if signal != Signal::KILL {
                    // A stopped process acts on the signal only after CONT.
                    let _ = process::kill_group(*pid, Some(Signal::CONT));
                }
            }
        }
        match (self.moments.first(), &self.command) {
            (Some(&(at, _)), Some(_)) => self.timer.set(at),
            _ => self.timer.unset(),
        }
    }
}
