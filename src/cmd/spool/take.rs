//! `ipc spool take`: a spool as the queue of a worker.

use std::ffi::{CString, OsString};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Duration;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::app::options::Waiting;
use crate::app::worker::{self as options, Work};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::FilePath;
use crate::base::units::{Size, Timeout};
use crate::io::output::{Destinations, Notes, escape};
use crate::mechanism::spool::claim::Claim;
use crate::mechanism::spool::failure::{Report, STDERR_MAX};
use crate::mechanism::spool::feed::{Feed, Notice, Policy};
use crate::mechanism::spool::history::Keep;
use crate::mechanism::spool::part::Part;
use crate::run::capture::{Capture, Log};
use crate::run::job;
use crate::run::pool::End;
use crate::run::worker::{self, Supply};
use crate::sys::eventfd::Bell;

use super::{explain, open_until};

/// Run a COMMAND for each message of a spool
///
/// It takes one message, waiting for it: the oldest of the highest priority. The timeout counts anew
/// for each wait. COMMAND has the message as standard input and finds its name in IPC_SPOOL_NAME and
/// the number of the attempt in IPC_ATTEMPT; '{}' in its arguments is the path of the message.
///
/// If COMMAND succeeds, the message is removed. A message whose last attempt failed goes to failed/,
/// with the status and the end of the standard error of COMMAND; 'ls --failed' shows it and 'requeue'
/// brings it back. If the worker is ended by a signal, or killed, the message stays: it is delivered
/// at least once. COMMAND inherits the claim of its message, so that no other worker starts another
/// COMMAND for it before this one and its children have ended. While the worker lives, the claim ends
/// with COMMAND itself.
///
/// A file that this user may not read stays, is reported once, and is skipped. Files that cannot be
/// messages go to quarantine/.
#[derive(Debug, clap::Args, Plain)]
pub struct Take {
    /// Path of the spool
    directory: FilePath,
    /// How many messages; 1 if not given
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// All messages that are there; none is success as well
    #[arg(long, conflicts_with_all = ["count", "timeout", "nonblock"])]
    all: bool,
    /// Go on until a signal
    #[arg(short, long, conflicts_with_all = ["count", "all"])]
    follow: bool,
    /// Keep up to SIZE bytes of the output of COMMAND in logs/NAME
    ///
    /// They are of the last attempt. Logs are removed when they are as old as --keep says.
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    log: Option<Size>,
    /// Remember for this long which messages are done, for 'join'; 1d if not given
    #[arg(long, value_name = "DURATION", hide_short_help = true)]
    keep: Option<Timeout>,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    work: Work,
}

/// The default of --keep.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Action for Take {
    const EXAMPLES: &'static [Example] = &[
        ("Process one message", "ipc spool take ./jobs -- ./process"),
        ("Process all that come, four at a time", "ipc spool take -f --jobs 4 ./jobs -- ./process"),
        ("Give COMMAND a path", "ipc spool take --all ./pages -- lp {}"),
        ("Retry for a while", "ipc spool take -f --attempts 8 --retry-delay 5s ./mail -- ./send"),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let (timeout, timed_out) = options::timeout(&self.waiting);
        let name = self.directory.as_ref().to_owned();
        let ends_when_empty = self.all;
        let count = match self.follow || self.all {
            true => u64::MAX,
            false => self.count.unwrap_or(1),
        };
        let supply = Supply { name, count, ends_when_empty, timeout, timed_out };
        match self.source(context) {
            Ok(source) => self.work.run(source, supply, context),
            Err(error) => self.work.fail(error, context),
        }
    }
}

impl Take {
    fn source(&self, context: &Context) -> anyhow::Result<Source> {
        let keep = Keep(self.keep.map_or(DAY, |keep| match keep {
            Timeout::For(keep) => keep,
            Timeout::Forever => Duration::MAX,
        }));
        let policy = Policy { keep, attempts: self.work.attempts() };
        let feed = Feed::new(open_until(&self.directory, &self.waiting)?, policy);
        let feed = feed.map_err(|errno| explain(errno, &self.directory)).about(&self.directory)?;
        Ok(Source {
            feed: Arc::new(feed),
            directory: self.directory.clone(),
            log: self.log.map(|Size(bytes)| bytes),
            notes: context.output.notes(),
        })
    }
}

/// The spool that the threads of a worker share.
#[derive(Debug)]
struct Source {
    feed: Arc<Feed>,
    directory: FilePath,
    log: Option<u64>,
    notes: Notes,
}

impl worker::Source for Source {
    type Queue = Queue;

    fn open(&self) -> anyhow::Result<Queue> {
        Ok(Queue {
            feed: Arc::clone(&self.feed),
            directory: self.directory.clone(),
            log: self.log,
            notes: self.notes.clone(),
        })
    }
}

/// A spool, for one thread of a worker.
#[derive(Debug)]
struct Queue {
    feed: Arc<Feed>,
    directory: FilePath,
    log: Option<u64>,
    notes: Notes,
}

/// A claimed message.
#[derive(Debug)]
struct Message {
    claim: Claim,
    /// What keeps the stdout, if there is a log, and the stderr of the running COMMAND.
    captures: [Option<Capture>; 2],
    /// The end of the last COMMAND.
    report: Report,
}

impl Queue {
    fn explain(&self, errno: Errno) -> Failure {
        explain(errno, &self.directory)
    }

    fn notify(&self) {
        let directory = escape(self.directory.as_ref().as_encoded_bytes());
        for notice in self.feed.notices() {
            self.notes.warn(match notice {
                Notice::Unreadable(name) => {
                    let name = escape(name.bytes());
                    format!("{directory}: {name}: this user may not read it; it is skipped")
                }
                Notice::Quarantined(file, reason) => {
                    let file = escape(file.as_bytes());
                    format!("{directory}: {file}: moved to quarantine/{reason}")
                }
                Notice::Exhausted(name) => {
                    let name = escape(name.bytes());
                    format!("{directory}: {name}: no attempt is left; the message goes to failed/")
                }
                Notice::Unrecorded(errno) => {
                    format!("{directory}: {errno}: it is not recorded how messages end, for 'join'")
                }
            });
        }
    }

    fn captures(&self, message: &Message) -> Result<[Option<Capture>; 2], Errno> {
        let Destinations { stdout, stderr, .. } = Destinations::of_process();
        let log = match self.log {
            None => None,
            Some(size) => {
                let file = self.feed.log(&message.claim)?;
                Some(Arc::new(Log::new(file, size)))
            }
        };
        let output = match &log {
            Some(log) => Some(Capture::new(stdout, 0, Some(Arc::clone(log)))?),
            None => None,
        };
        Ok([output, Some(Capture::new(stderr, STDERR_MAX, log)?)])
    }
}

impl worker::Queue for Queue {
    type Claim = Message;

    fn claim(&mut self) -> Result<Option<Message>, Failure> {
        let claimed = self.feed.claim();
        self.notify();
        let claimed = claimed.map_err(|errno| self.explain(errno))?;
        Ok(claimed.map(|claim| Message {
            claim,
            captures: [None, None],
            report: Report::default(),
        }))
    }

    fn wait(&mut self, stop: &Bell, deadline: Deadline) -> Result<Waited, Failure> {
        Ok(self.feed.wait(stop, deadline)?)
    }

    fn begin(&mut self, message: &mut Message) -> Result<u32, Failure> {
        // The pipes first: without them there is no attempt.
        message.captures = self.captures(message).map_err(|errno| self.explain(errno))?;
        self.feed.begin(&mut message.claim).map_err(|errno| self.explain(errno))
    }

    fn undo_begin(&mut self, message: &mut Message) {
        message.captures = [None, None];
        // If that fails, one attempt too many is counted.
        let _ = message.claim.undo_begin(&self.feed.spool);
    }

    fn input(&self, message: &Message) -> Result<OwnedFd, Errno> {
        message.claim.input(&self.feed.spool)
    }

    fn variables(&self, message: &Message) -> Vec<(&'static str, Vec<u8>)> {
        vec![("IPC_SPOOL_NAME", message.claim.entry.message_name().bytes().to_vec())]
    }

    fn lease<'a>(&'a self, message: &'a Message) -> Option<BorrowedFd<'a>> {
        Some(message.claim.lock())
    }

    fn outputs<'a>(&'a self, message: &'a Message) -> [Option<BorrowedFd<'a>>; 2] {
        message.captures.each_ref().map(|capture| capture.as_ref().map(Capture::end))
    }

    fn inserted(&self, message: &Message) -> Option<CString> {
        let path = self.feed.spool.path_of(Part::Ready, message.claim.entry.file());
        CString::new(OsString::from(path).as_bytes()).ok()
    }

    fn ended(&mut self, message: &mut Message, end: End) {
        let [output, errors] = std::mem::take(&mut message.captures);
        output.map(Capture::finish);
        message.report = Report {
            status: if end.timed_out { 124 } else { job::exit_of(end.status).code() },
            reason: job::told(end.status),
            stderr: errors.map(Capture::finish).unwrap_or_default(),
        };
    }

    fn is_at_least_once(&self) -> bool {
        true
    }

    fn identity(&self, message: &Message) -> u64 {
        message.claim.entry.put
    }

    fn acknowledge(&mut self, message: Message) -> Result<(), Failure> {
        let acknowledged = self.feed.acknowledge(message.claim);
        self.notify();
        acknowledged.map_err(|errno| self.explain(errno))
    }

    fn put_back(&mut self, message: &Message, _: &Bell, _: Deadline) -> Result<Waited, Failure> {
        message.claim.release()?;
        Ok(Waited::Done(()))
    }

    fn bury(&mut self, _: &Message, _: &Bell, _: Deadline) -> Result<Waited, Failure> {
        Err(Failure::failed("a spool has no dead-letter queue"))
    }

    fn give_up(&mut self, message: Message) -> Result<&'static str, Failure> {
        let Message { claim, report, .. } = message;
        let failed = self.feed.fail(claim, &report);
        self.notify();
        failed.map_err(|errno| self.explain(errno))?;
        Ok("goes to failed/")
    }

    fn close(&mut self, _: &Bell) -> Result<(), Failure> {
        Ok(())
    }
}
