//! `ipc spool put`, on a server.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use crate::app::command::Example;
use crate::app::context::Context;
use crate::app::options::{Framing, TimeLimit, done};
use crate::app::remote::sending::Sending;
use crate::app::remote::{Remote, RemoteAction, Storage};
use crate::base::deadline::Deadline;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::frame::{Form, Reader, Writer};
use crate::io::output::{Output, escape};
use crate::mechanism::door::{Content, Gather};
use crate::mechanism::remote::queue::{Letter, Queue, Sent};
use crate::mechanism::remote::{Creation, Error, RemoteName};
use crate::mechanism::spool::name::MessageName;
use crate::sys::{stream, time};

use super::open;
use crate::cmd::spool::labels::Labels;

/// Put messages into a spool on a server
///
/// Each FILE is a message, and '-' is standard input, as without any; with --each-line each line is one. The
/// command prints the name of each message when the servers that store the spool have it. A message is at
/// most as long as the server allows.
///
/// A message with --delay is not taken before that time, on the clock of the day of the worker's machine.
///
/// While a message of this name and priority waits or is claimed, --name ends with status 5, and --dedupe
/// puts nothing, prints the name and reports that on standard error.
#[derive(Debug, clap::Args)]
pub struct Put {
    /// Name of the spool, such as nats://HOST/NAME
    spool: RemoteName,
    /// Files; '-' is standard input
    files: Vec<OsString>,
    #[command(flatten)]
    labels: Labels,
    /// Create the spool if there is none
    #[arg(long)]
    create: bool,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    limit: TimeLimit,
    #[command(flatten)]
    framing: Framing,
}

impl RemoteAction for Put {
    const EXAMPLES: &'static [Example] = &[
        ("Put a file", "ipc spool put nats://broker/jobs report.pdf"),
        (
            "Put each line, for later",
            "ipc spool put --each-line --delay 1h nats://broker/jobs <list",
        ),
    ];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        self.labels.refuse_one_name_for_many(&self.files, &self.framing)?;
        let creation = self.create.then(|| Creation::from(self.storage));
        let deadline = self.limit.deadline();
        let mut spool = open(&remote, &self.spool, creation, deadline)?;
        if self.files.is_empty() {
            self.put_input(&mut *spool, context.stdin, deadline, &mut context.output)?;
        }
        for file in &self.files {
            if file == "-" {
                self.put_input(&mut *spool, context.stdin, deadline, &mut context.output)?;
                continue;
            }
            let opened = stream::open(Path::new(file)).about(file)?;
            self.put_input(&mut *spool, opened.as_fd(), deadline, &mut context.output)
                .map_err(|error| error.context(escape(file.as_encoded_bytes()).into_owned()))?;
        }
        Ok(Exit::Done)
    }
}

impl Put {
    fn put_input(
        &self,
        spool: &mut dyn Queue,
        input: BorrowedFd<'_>,
        deadline: Deadline,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let limit = spool.limit();
        if !self.labels.are_of_records(&self.framing) {
            let read = Gather::all_of(input, limit, deadline).map_err(Failure::from);
            return match done(read)? {
                Content::Bytes(bytes) => self.put(spool, &[&bytes], deadline, output),
                Content::File(..) => Err(Failure::from(Error::TooLarge { limit }).into()),
            };
        }
        let mut reader = Reader::new(input, self.framing.form(), limit);
        while let Some(block) = reader.next_block()? {
            let messages: Vec<&[u8]> = block.after(0).collect();
            self.put(spool, &messages, deadline, output)?;
            output.flush()?;
        }
        Ok(())
    }

    /// Puts messages in order, and prints the names of those that the servers have.
    fn put(
        &self,
        spool: &mut dyn Queue,
        messages: &[&[u8]],
        deadline: Deadline,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let given = self.labels.name();
        let (now, own) = (time::now(), std::process::id());
        // Each of a nanosecond of its own. The next ones are named after these were sent.
        let names = (now..).take(messages.len()).map(|place| match given {
            Some(name) => name.encoded().to_owned(),
            None => format!("{place:016x}{own}"),
        });
        let names: Vec<String> = names.collect();
        let (priority, due) = (self.labels.priority(), self.labels.due());
        let letters: Vec<Letter<'_>> = std::iter::zip(messages, &names)
            .map(|(bytes, name)| Letter { bytes, priority, identity: None, name, due })
            .collect();
        let mut sending = Sending { deadline: || deadline, full: || (), sent: 0 };
        let sent = sending.send_all(spool, &letters);
        let stored = sending.sent as usize;
        for name in &names[..stored] {
            self.print(given.map_or(name.as_bytes(), MessageName::bytes), output)?;
        }
        if done(sent.map_err(Failure::from)).about(&self.spool)? == Sent::Stored {
            return Ok(());
        }
        let Some(key) = given.filter(|_| self.labels.accepts_equal_name()) else {
            let reason = "a message of this name and priority waits or is claimed";
            let failure = Failure::new(Exit::InUse, reason);
            return Err(failure).about(&names[stored]).about(&self.spool);
        };
        let (spool, shown) = (escape(self.spool.as_ref().as_encoded_bytes()), escape(key.bytes()));
        output.warn(format_args!("{spool}: {shown}: is there already"));
        self.print(key.bytes(), output)
    }

    /// Prints the name of a message.
    fn print(&self, name: &[u8], output: &mut Output) -> anyhow::Result<()> {
        let form = match self.framing.form() {
            Form::Whole => Form::Line,
            form => form,
        };
        Writer::new(form).write(output, name)?;
        Ok(())
    }
}
