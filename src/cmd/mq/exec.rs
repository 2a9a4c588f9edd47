//! `ipc mq recv --exec`: a COMMAND for each message.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use crate::app::arguments::Plain;
use crate::app::command::Statuses;
use crate::app::objects::tell_wait;
use crate::app::options::Conflict;
use crate::app::options::Waiting;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::{Output, escape};
use crate::mechanism::queue::{MessageQueue, QueueName};
use crate::run::job;
use crate::run::job::Command;
use crate::run::pool::{Busy, Crew, start_thread};
use crate::sys::heap;
use crate::sys::memfd;
use crate::sys::mqueue::Access;
use crate::sys::poll;
use crate::sys::spawn::Streams;
use crate::sys::system_v_queue::Selection;

use crate::cmd::mq::delayed::{Delayed, Failures};
use crate::cmd::mq::{explain, not_sent_back, unopened};

/// What to do with messages instead of printing them.
#[derive(Clone, Debug, clap::Args, Plain)]
pub struct Execution {
    /// Run COMMAND for each message, which it has on its standard input
    #[arg(
        long,
        requires = "command",
        conflicts_with_all = ["show_priority", "json", "peek", "null", "frame"]
    )]
    exec: bool,
    /// Run so many COMMANDs at a time, instead of one
    #[arg(long, value_name = "N", requires = "exec")]
    jobs: Option<NonZeroUsize>,
    /// Send a message back to the queue if its COMMAND fails, after 1 s
    ///
    /// For each further failure of the same message the delay doubles, up to 1 minute; meanwhile the
    /// worker goes on with the other messages. It holds at most 64 messages back. They return to the
    /// queue when it ends, by a signal as well; SIGKILL loses them.
    #[arg(long, requires = "exec")]
    requeue: bool,
    #[command(flatten)]
    conflict: Conflict,
    /// The command and its arguments; it finds the priority in IPC_MQ_PRIORITY
    #[arg(last = true, value_name = "COMMAND", requires = "exec")]
    command: Vec<OsString>,
}

/// Which messages, and for how long to wait for each.
#[derive(Clone, Debug)]
pub struct Task {
    /// Where they are.
    pub name: QueueName,
    /// Which of them.
    pub selection: Selection,
    /// How many; `None` is as many as are there.
    pub count: Option<u64>,
    /// How long to wait for each.
    pub waiting: Waiting,
}

impl Execution {
    /// Whether that is asked for.
    pub fn is_wanted(&self) -> bool {
        self.exec
    }

    /// Refuses what is only for COMMANDs, if none is to be run.
    pub fn refuse_options_without(&self) -> anyhow::Result<()> {
        match !self.exec && self.conflict.is_given() {
            true => Err(Failure::new(Exit::Usage, "--conflict-exit-code is for --exec").into()),
            false => Ok(()),
        }
    }

    /// Takes messages and runs the COMMAND for each. The status is that of the first one that
    /// fails; the others are run all the same. What ends the whole is told: that a COMMAND cannot be
    /// started, or what happens to the queue.
    pub fn run(self, task: Task, output: &Output) -> anyhow::Result<Exit> {
        let conflict = self.conflict;
        self.work(task, output).or_else(|error| conflict.or_error(error, output)).or_else(|error| {
            output.error(&error);
            Ok(Statuses::OfCommand.of(Exit::of(&error)))
        })
    }

    fn work(self, task: Task, output: &Output) -> anyhow::Result<Exit> {
        let count = self.count(&task).map_err(|errno| unopened(errno, &task.name));
        let left = AtomicU64::new(count.about(&task.name)?);
        let (events, received) = mpsc::channel();
        let jobs = self.jobs.map_or(1, NonZeroUsize::get);
        let command = Command::new(&self.command)?;
        // All of them before the first message is taken.
        let mailboxes: Result<Vec<MessageQueue>, Errno> =
            (0..jobs).map(|_| self.open(&task.name)).collect();
        let failed = |errno| unopened(errno, &task.name);
        let mailboxes = mailboxes.map_err(failed).about(&task.name)?;
        let crew = Crew::new().map_err(no_thread)?;
        let (taken, failures) = (AtomicU64::new(0), Failures::default());
        let job = Job { crew, left, taken, failures, command, execution: self, task };
        let job = Arc::new(job);
        for mailbox in mailboxes {
            let worker = Worker {
                job: Arc::clone(&job),
                mailbox,
                events: events.clone(),
                kept: VecDeque::new(),
                delayed: Delayed::default(),
            };
            if let Err(errno) = start_thread(move || worker.run()) {
                // Those who have started bring to an end what they have taken.
                let _ = events.send(Event::Ended(Err(no_thread(errno).into())));
                break;
            }
        }
        drop(events);
        job.attend(received, output)
    }

    fn open(&self, name: &QueueName) -> Result<MessageQueue, Errno> {
        match self.requeue {
            true => MessageQueue::open(name, Access::Work),
            false => MessageQueue::open_to_receive(name),
        }
    }

    /// How many messages to take at most.
    fn count(&self, task: &Task) -> Result<u64, Errno> {
        match task.count {
            Some(count) => Ok(count),
            // Or those that are sent back would be taken again and again.
            None if self.requeue => {
                MessageQueue::open(&task.name, Access::Receive)?.messages_of(task.selection)
            }
            None => Ok(u64::MAX),
        }
    }
}

/// What the workers share.
#[derive(Debug)]
struct Job {
    task: Task,
    execution: Execution,
    command: Command,
    crew: Arc<Crew>,
    /// How many messages nobody has set out to take.
    left: AtomicU64,
    /// How many were taken.
    taken: AtomicU64,
    failures: Failures,
}

/// A message, until its COMMAND has ended.
#[derive(Debug, Hash)]
struct Message {
    bytes: Vec<u8>,
    priority: i64,
}

/// What a worker tells.
#[derive(Debug)]
enum Event {
    /// A COMMAND failed. We do not end before that is told.
    Failed(ExitStatus, Busy),
    /// A message is done with.
    Done,
    /// There is no message.
    Waits,
    /// The last thing to do takes as long as the queue is full.
    Full,
    /// A message cannot be sent back. We do not end before that is told.
    Lost(Errno, Busy),
    /// The worker has come to its end.
    Ended(anyhow::Result<()>),
}

impl Job {
    /// Tells what fails, until all is done or nothing more can be.
    fn attend(&self, events: Receiver<Event>, output: &Output) -> anyhow::Result<Exit> {
        let mut exit = Exit::Done;
        let mut error = None;
        let mut has_told = false;
        for event in events {
            match event {
                Event::Failed(status, _busy) => {
                    output.warn(self.tell(status));
                    exit = if exit == Exit::Done { job::exit_of(status) } else { exit };
                }
                Event::Ended(Err(reason)) => {
                    self.crew.stop();
                    error.get_or_insert(reason);
                }
                Event::Full => {
                    let name = self.name();
                    output.warn(format_args!("{name}: full; waiting to send a message back"));
                }
                Event::Lost(errno, _busy) => {
                    let name = self.name();
                    let reason = not_sent_back(errno);
                    output.warn(format_args!("{name}: a message cannot be sent back: {reason}"));
                    exit = if exit == Exit::Done { Exit::Failed } else { exit };
                }
                // Once, and not for each message and each worker.
                Event::Waits if !std::mem::replace(&mut has_told, true) => {
                    tell_wait(output, &self.task.name, "for a message");
                }
                Event::Done | Event::Waits | Event::Ended(Ok(())) => {}
            }
            // The others may be waiting for messages that never come.
            if error.is_some() && self.crew.is_idle() {
                break;
            }
        }
        error.map_or(Ok(exit), Err)
    }

    fn name(&self) -> Cow<'_, str> {
        escape(self.task.name.as_ref().as_encoded_bytes())
    }

    /// How a COMMAND failed, in a line.
    fn tell(&self, status: ExitStatus) -> String {
        let name = self.name();
        let command = escape(self.execution.command[0].as_encoded_bytes());
        let end = job::told(status);
        let then = if self.execution.requeue { "; the message goes back" } else { "" };
        format!("{name}: {command} {end}{then}")
    }
}

/// One who takes messages, each when the COMMAND for the one before has ended.
struct Worker {
    job: Arc<Job>,
    mailbox: MessageQueue,
    events: Sender<Event>,
    /// Messages that shall go back to the queue, which was full.
    kept: VecDeque<(Message, Busy)>,
    /// Messages that go back after a delay.
    delayed: Delayed<(Message, Busy)>,
}

/// How many messages a worker keeps while the queue is full, before their COMMANDs are run again
/// instead. It may be full because nobody else takes messages from it.
const KEPT: usize = 8;

/// How soon a worker that holds messages back learns that it shall stop. While it holds none, a signal
/// ends the process at once.
const LOOK: Duration = Duration::from_millis(100);

impl Worker {
    fn run(mut self) {
        let worked = self.work();
        let settled = self.or_error().map_err(explain).about(&self.job.task.name);
        // Nobody listens any more if the whole has come to its end.
        let _ = self.events.send(Event::Ended(worked.and(settled)));
    }

    fn work(&mut self) -> anyhow::Result<()> {
        let job = Arc::clone(&self.job);
        let claim =
            || job.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        while claim().is_ok() {
            let Some((message, busy)) = self.next().about(&job.task.name)? else { break };
            self.process(message, busy)?;
            let _ = self.events.send(Event::Done);
        }
        Ok(())
    }

    /// The next message; `None` if there is none, or none shall be taken.
    fn next(&mut self) -> Result<Option<(Message, Busy)>, Failure> {
        let job = Arc::clone(&self.job);
        let Job { task, crew, taken, .. } = &*job;
        let mut seen = taken.load(Ordering::Relaxed);
        let mut deadline = task.waiting.deadline();
        loop {
            self.kept.extend(self.delayed.due());
            self.send_back_kept();
            if crew.is_stopped() {
                return Ok(None);
            }
            if self.kept.len() >= KEPT {
                return Ok(self.kept.pop_front());
            }
            if let Some(message) = self.take().map_err(explain)? {
                taken.fetch_add(1, Ordering::Relaxed);
                return Ok(Some(message));
            }
            if task.count.is_none() || crew.is_stopped() {
                return Ok(None);
            }
            // What fills the queue is not for us.
            if let Some(kept) = self.kept.pop_front() {
                return Ok(Some(kept));
            }
            let waited = self.wait(deadline).map_err(explain)?;
            // The time counts anew for each message, whoever took it.
            let now = taken.load(Ordering::Relaxed);
            match waited {
                Waited::TimedOut if !deadline.has_passed() => {}
                Waited::TimedOut if now == seen => task.waiting.or_error(waited)?,
                Waited::TimedOut => (seen, deadline) = (now, task.waiting.deadline()),
                Waited::Done(()) => {}
            }
        }
    }

    /// Takes a message, unless as many as may be are held back.
    fn take(&mut self) -> Result<Option<(Message, Busy)>, Errno> {
        if self.delayed.is_full() {
            return Ok(None);
        }
        let Job { task, crew, .. } = &*self.job;
        crew.take(|| take(&mut self.mailbox, task.selection))
    }

    /// Waits for a message; with messages held back, no longer than until one of them may be due, or
    /// we may have been stopped.
    fn wait(&mut self, deadline: Deadline) -> Result<Waited, Errno> {
        if deadline == Deadline::PASSED {
            return Ok(Waited::TimedOut);
        }
        let _ = self.events.send(Event::Waits);
        if self.delayed.is_empty() {
            return self.mailbox.wait_for(self.job.task.selection, None, deadline);
        }
        let soon = deadline.min(self.delayed.first()).min(Deadline::after(LOOK));
        match self.delayed.is_full() {
            true => poll::any_readable(&[], soon),
            false => self.mailbox.wait_for(self.job.task.selection, None, soon),
        }
    }

    /// Runs the COMMAND for a message.
    fn process(&mut self, message: Message, busy: Busy) -> anyhow::Result<()> {
        let job = Arc::clone(&self.job);
        let priority = message.priority.to_string();
        let variables = [("IPC_MQ_PRIORITY", priority.as_bytes())];
        let ended = memfd::with(&message.bytes)
            .and_then(|input| busy.run(|| job.command.start(Streams::reading(&input), &variables)));
        match &ended {
            Ok(Some(status)) if status.success() => job.failures.forget(&message),
            Ok(Some(status)) => {
                let _ = self.events.send(Event::Failed(*status, busy.also()));
                if job.execution.requeue {
                    self.delayed.push(job.failures.add(&message), (message, busy));
                }
            }
            // Nobody has seen the message.
            Ok(None) | Err(_) => {
                self.kept.push_back((message, busy));
                self.send_back_kept();
            }
        }
        match ended {
            Ok(_) => Ok(()),
            Err(errno) => Err(job.command.failed(errno)),
        }
    }

    /// Sends back as much of what was kept as the queue has room for.
    fn send_back_kept(&mut self) {
        while let Some((Message { bytes, priority }, busy)) = self.kept.front() {
            match self.mailbox.send(bytes, *priority, Deadline::PASSED) {
                Ok(Waited::TimedOut) => break,
                Ok(Waited::Done(())) => {}
                // What cannot be sent now never can.
                Err(errno) => self.report_lost(errno, busy),
            }
            self.kept.pop_front();
        }
    }

    fn report_lost(&self, errno: Errno, busy: &Busy) {
        let _ = self.events.send(Event::Lost(errno, busy.also()));
    }

    /// Sends back what was kept, however long that takes, and what was taken only by looking.
    fn or_error(&mut self) -> Result<(), Errno> {
        self.kept.extend(self.delayed.all());
        self.send_back_kept();
        if !self.kept.is_empty() {
            let _ = self.events.send(Event::Full);
        }
        while let Some((message, busy)) = self.kept.pop_front() {
            let sent = self.mailbox.send(&message.bytes, message.priority, Deadline::NEVER);
            if let Err(errno) = sent {
                self.report_lost(errno, &busy);
            }
        }
        self.mailbox.give_back(Deadline::NEVER).map(drop)
    }
}

/// That a worker cannot be had.
fn no_thread(errno: Errno) -> Failure {
    Failure::new(errno.into(), format!("starting a thread: {errno}"))
        .hint("'ulimit -u' shows how many there may be")
}

fn take(mailbox: &mut MessageQueue, selection: Selection) -> Result<Option<Message>, Errno> {
    mailbox.make_room()?;
    // A message that is taken when there is no memory for it is lost.
    let mut bytes = Vec::new();
    heap::reserve(&mut bytes, mailbox.room())?;
    Ok(mailbox.try_receive(selection)?.map(|taken| {
        bytes.extend_from_slice(mailbox.message(taken));
        bytes.shrink_to_fit();
        Message { bytes, priority: taken.priority }
    }))
}
