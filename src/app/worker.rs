//! The options of verbs that run a COMMAND for each message.

use std::ffi::{OsStr, OsString};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use crate::app::arguments::Plain;
use crate::app::command::Statuses;
use crate::app::context::Context;
use crate::app::options::{Conflict, Waiting};
use crate::base::deadline::Waited;
use crate::base::exit::{Exit, Failure};
use crate::base::units::Timeout;
use crate::mechanism::remote::SECRETS;
use crate::run::job::Command;
use crate::run::pool::Limits;
use crate::run::worker::{self, Ended, LastResort, Plan, Source, Supply};

/// Options that run a COMMAND for each message instead of printing it.
#[derive(Clone, Debug, clap::Args, Plain)]
pub struct Execution {
    /// Run COMMAND for each message, with it as stdin
    #[arg(long, requires = "command")]
    exec: bool,
    /// Run up to N COMMANDs at a time
    #[arg(long, value_name = "N", requires = "exec")]
    jobs: Option<NonZeroUsize>,
    /// Run COMMAND up to N times, until it succeeds
    ///
    /// COMMAND finds the number of the attempt in IPC_ATTEMPT. Between two attempts the worker
    /// holds the message and goes on with others. It holds at most 64 messages.
    #[arg(long, value_name = "N", requires = "exec")]
    attempts: Option<NonZeroU32>,
    /// Wait this long before the next attempt; 1s if not given
    ///
    /// With each failure of the same message the delay doubles, up to 1 minute. It also applies to
    /// messages that go back to the queue.
    #[arg(long, value_name = "DURATION", requires = "exec", hide_short_help = true)]
    retry_delay: Option<Timeout>,
    /// Send a message back if its last attempt fails
    ///
    /// It goes back behind the messages of its priority, after the delay and as soon as the queue
    /// has room. Messages that the worker holds go back when it ends, also by a signal; SIGKILL
    /// loses them. A message of 'ipc queue' never leaves its place, and SIGKILL loses none.
    #[arg(long, requires = "exec", conflicts_with = "dead_letter")]
    requeue: bool,
    /// Send a message to this queue if its last attempt fails
    ///
    /// While that queue is full, the worker waits with the message. If the worker ends, or that
    /// queue does not take the message, the message goes back to its own queue.
    #[arg(long, value_name = "NAME", requires = "exec", hide_short_help = true)]
    dead_letter: Option<OsString>,
    /// Send TERM to a COMMAND that runs longer than this
    ///
    /// COMMAND begins in a process group of its own, and the signal goes to that group. A COMMAND
    /// that timed out has failed, with status 124, or 137 if it took KILL.
    #[arg(long, value_name = "DURATION", requires = "exec", hide_short_help = true)]
    time_limit: Option<Timeout>,
    /// Send KILL too if COMMAND still runs this long after TERM
    #[arg(long, value_name = "DURATION", requires = "time_limit", hide_short_help = true)]
    kill_after: Option<Timeout>,
    /// Also wait for the children that COMMAND leaves running
    ///
    /// The worker waits until all of them have closed a descriptor that they inherit. The time
    /// limit is for them as well.
    #[arg(long, requires = "exec", hide_short_help = true)]
    wait_children: bool,
    #[command(flatten)]
    conflict: Conflict,
    /// The command and its arguments
    #[arg(last = true, value_name = "COMMAND", requires = "exec")]
    command: Vec<OsString>,
}

/// Options of verbs whose purpose is a COMMAND for each message.
#[derive(Clone, Debug, clap::Args, Plain)]
pub struct Work {
    /// Run up to N COMMANDs at a time
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Run COMMAND up to N times, until it succeeds
    ///
    /// Each start counts, also if the worker is killed meanwhile: a message whose COMMAND was
    /// started N times is not started again. If it is not given, one failure is the last one, and a
    /// message whose worker was killed is started again. COMMAND finds the number of the attempt in
    /// IPC_ATTEMPT. Between two attempts the worker holds the message and goes on with others. It
    /// holds at most 64 messages.
    #[arg(long, value_name = "N")]
    attempts: Option<NonZeroU32>,
    /// Wait this long before the next attempt; 1s if not given
    ///
    /// With each failure of the same message the delay doubles, up to 1 minute.
    #[arg(long, value_name = "DURATION", hide_short_help = true)]
    retry_delay: Option<Timeout>,
    /// Send TERM to a COMMAND that runs longer than this
    ///
    /// COMMAND begins in a process group of its own, and the signal goes to that group. A COMMAND
    /// that timed out has failed, with status 124, or 137 if it took KILL.
    #[arg(long, value_name = "DURATION", hide_short_help = true)]
    time_limit: Option<Timeout>,
    /// Send KILL too if COMMAND still runs this long after TERM
    #[arg(long, value_name = "DURATION", requires = "time_limit", hide_short_help = true)]
    kill_after: Option<Timeout>,
    /// Also wait for the children that COMMAND leaves running
    ///
    /// The worker waits until all of them have closed a descriptor that they inherit. The time
    /// limit is for them as well.
    #[arg(long, hide_short_help = true)]
    wait_children: bool,
    #[command(flatten)]
    conflict: Conflict,
    /// The command and its arguments
    #[arg(last = true, value_name = "COMMAND", required = true)]
    command: Vec<OsString>,
}

impl Work {
    /// The greatest number of starts of a COMMAND for one message, if it is given.
    pub fn attempts(&self) -> Option<u32> {
        self.attempts.map(NonZeroU32::get)
    }

    /// Claims messages and runs COMMAND for each, as [`Execution::run`].
    pub fn run(
        self,
        source: impl Source,
        supply: Supply,
        context: &mut Context,
    ) -> anyhow::Result<Exit> {
        self.execution().run(source, supply, context)
    }

    /// Reports an error from before the first COMMAND, as [`Execution::fail`].
    pub fn fail(&self, error: anyhow::Error, context: &mut Context) -> anyhow::Result<Exit> {
        fail(self.conflict, error, context)
    }

    fn execution(self) -> Execution {
        let Self { jobs, attempts, retry_delay, time_limit, kill_after, .. } = self;
        Execution {
            exec: true,
            jobs,
            attempts,
            retry_delay,
            requeue: false,
            dead_letter: None,
            time_limit,
            kill_after,
            wait_children: self.wait_children,
            conflict: self.conflict,
            command: self.command,
        }
    }
}

/// The delay after the first failure, unless the options give another.
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl Execution {
    /// Whether a COMMAND is to run for each message.
    pub fn is_wanted(&self) -> bool {
        self.exec
    }

    /// The name of the dead-letter queue.
    pub fn dead_letter(&self) -> Option<&OsStr> {
        self.dead_letter.as_deref()
    }

    /// Whether messages are requeued after their last attempt, so that the queue must support it.
    pub fn requeues(&self) -> bool {
        self.requeue
    }

    /// The delay after the first failure of a message.
    pub fn retry_delay(&self) -> Duration {
        self.retry_delay.map_or(RETRY_DELAY, |delay| match delay {
            Timeout::For(delay) => delay,
            Timeout::Forever => Duration::MAX,
        })
    }

    /// Rejects options that apply only to COMMANDs, if none is to run.
    ///
    /// # Errors
    /// Status 2 if such an option is given.
    pub fn refuse_options_without(&self) -> anyhow::Result<()> {
        match !self.exec && self.conflict.is_given() {
            true => Err(Failure::new(Exit::Usage, "--conflict-exit-code is for --exec").into()),
            false => Ok(()),
        }
    }

    /// Claims messages and runs COMMAND for each. The status is that of the first COMMAND that
    /// fails in its last attempt; the others still run. An error that ends the worker is reported:
    /// COMMAND cannot be started, or the queue fails.
    pub fn run(
        self,
        source: impl Source,
        supply: Supply,
        context: &mut Context,
    ) -> anyhow::Result<Exit> {
        let conflict = self.conflict;
        let output = &context.output;
        let ended = self
            .plan(context.engine.is_some())
            .and_then(|plan| worker::run(source, supply, plan, output));
        let exit = match ended {
            Ok(Ended::Signal(signal)) => return Ok(context.cancellation.by(signal)),
            Ok(Ended::Exit(exit)) => Ok(exit),
            Err(error) => Err(error),
        };
        exit.or_else(|error| fail(conflict, error, context))
    }

    /// Reports an error from before the first COMMAND; returns the status.
    ///
    /// # Errors
    /// None: the signature is that of a verb.
    pub fn fail(&self, error: anyhow::Error, context: &mut Context) -> anyhow::Result<Exit> {
        fail(self.conflict, error, context)
    }

    fn plan(self, has_secrets: bool) -> anyhow::Result<Plan> {
        let mut command = Command::new(&self.command)?;
        if has_secrets {
            command = command.without(&SECRETS);
        }
        if self.time_limit.is_some() || self.wait_children {
            command = command.in_own_group();
        }
        let retry_delay = self.retry_delay();
        let last_resort = match (self.dead_letter, self.requeue) {
            (Some(name), _) => LastResort::Bury(name),
            (None, true) => LastResort::PutBack,
            (None, false) => LastResort::GiveUp,
        };
        Ok(Plan {
            command,
            jobs: self.jobs.map_or(1, NonZeroUsize::get),
            attempts: self.attempts.map_or(1, NonZeroU32::get),
            retry_delay,
            last_resort,
            limits: Limits { time: limit(self.time_limit), kill_after: limit(self.kill_after) },
            waits_for_children: self.wait_children,
        })
    }
}

fn fail(conflict: Conflict, error: anyhow::Error, context: &Context) -> anyhow::Result<Exit> {
    let output = &context.output;
    conflict.or_error(error, output).or_else(|error| {
        output.error(&error);
        Ok(Statuses::OfCommand.of(Exit::of(&error)))
    })
}

/// The limit of a duration option; 0 and inf are no limit, as for timeout(1).
fn limit(timeout: Option<Timeout>) -> Option<Duration> {
    match timeout {
        Some(Timeout::For(duration)) if !duration.is_zero() => Some(duration),
        _ => None,
    }
}

/// The timeout of each wait for a message by these options, and its failure.
pub fn timeout(waiting: &Waiting) -> (Option<Duration>, Failure) {
    let failure = match waiting.or_error(Waited::<()>::TimedOut) {
        Err(failure) => failure,
        Ok(()) => Failure::timed_out(),
    };
    (waiting.duration(), failure)
}
