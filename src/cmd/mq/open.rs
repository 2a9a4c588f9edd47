//! Opening a queue that may be missing: a receiver may start before the process that creates the queue.

use crate::app::arguments::Plain;
use crate::app::objects::{nameless, report_wait, target};
use crate::app::options::Waiting;
use crate::app::trust::Trust;
use crate::base::deadline::Deadline;
use crate::base::exit::{Exit, Failure};
use crate::base::units::{Permissions, Timeout};
use crate::io::output::Output;
use crate::mechanism::queue::{self, Access, MessageQueue, Posix, QueueName};

use super::create::{create_system_v, finished};
use super::{explain, unopened};

/// Options for a queue that does not exist yet.
#[derive(Clone, Debug, clap::Args, Plain)]
pub struct Missing {
    /// Create the queue if there is none
    ///
    /// It is created as 'ipc mq create' without options does, so that a receiver may start first.
    #[arg(long, hide_short_help = true, conflicts_with = "retry")]
    create: bool,
    /// Retry for this long while the queue does not exist
    #[arg(long, value_name = "DURATION", hide_short_help = true)]
    retry: Option<Timeout>,
    #[command(flatten)]
    trust: Trust,
}

impl Missing {
    /// Waits until the queue exists, or creates it, if an option says so.
    pub fn prepare(
        &self,
        name: &QueueName,
        waiting: &Waiting,
        output: &Output,
    ) -> Result<(), Failure> {
        match (self.create, self.retry) {
            (true, _) => self.open_or_create(name).map(drop),
            (_, Some(retry)) => wait_for(name, waiting.deadline_of_retry(retry), output)
                .map_err(|failure| waiting.explain_retry(failure, retry)),
            _ => Ok(()),
        }
    }

    fn open_or_create(&self, name: &QueueName) -> Result<MessageQueue, Failure> {
        loop {
            match open_trusted(name, Access::Look, &self.trust) {
                Err(failure) if failure.exit() == Exit::NotFound => {}
                opened => return opened,
            }
            match create(name) {
                // Another process has created it meanwhile.
                Err(failure) if failure.exit() == Exit::InUse => {}
                created => return created,
            }
        }
    }
}

/// Waits until the queue exists and its creator has finished it.
fn wait_for(name: &QueueName, until: Deadline, output: &Output) -> Result<(), Failure> {
    let opened = match MessageQueue::open(name, Access::Look) {
        Err(queue::Error::NotFound) => {
            report_wait(output, name, "until the queue exists");
            queue::open_until(name, Access::Look, until)
        }
        opened => opened,
    };
    let queue = opened.map_err(|error| unopened(error, name))?;
    finished(&queue).map(drop)
}

/// Opens a queue that exists, if a trusted user created it.
pub fn open_trusted(
    name: &QueueName,
    access: Access,
    trust: &Trust,
) -> Result<MessageQueue, Failure> {
    if let QueueName::SystemV(name) = name {
        target(name)?;
    }
    let queue = MessageQueue::open(name, access).map_err(explain)?;
    trust.accept(&finished(&queue)?, None)?;
    Ok(queue)
}

/// Creates the queue as 'mq create' without options does.
pub fn create(name: &QueueName) -> Result<MessageQueue, Failure> {
    let mode = Permissions::of_new_object(None);
    match name {
        QueueName::Posix(name) => {
            Posix::create(name, None, mode).map(MessageQueue::from).map_err(explain)
        }
        QueueName::SystemV(name) => {
            let target = target(name)?;
            if target.is_private() {
                return Err(nameless());
            }
            create_system_v(target, mode, None).map(MessageQueue::from)
        }
    }
}
