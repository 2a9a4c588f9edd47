//! `ipc spool put`, on a server.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use crate::app::command::Example;
use crate::app::context::Context;
use crate::app::options::{Framing, TimeLimit, done};
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
                Content::Bytes(bytes) => self.put(spool, &bytes, deadline, output),
                Content::File(..) => Err(Failure::from(Error::TooLarge { limit }).into()),
            };
        }
        let mut reader = Reader::new(input, self.framing.form(), limit);
        while let Some(block) = reader.next_block()? {
            for record in block.after(0) {
                self.put(spool, record, deadline, output)?;
            }
            output.flush()?;
        }
        Ok(())
    }

    /// Puts a message, and prints its name.
    fn put(
        &self,
        spool: &mut dyn Queue,
        bytes: &[u8],
        deadline: Deadline,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let given = self.labels.name();
        let made;
        let name = match given {
            Some(name) => name.encoded(),
            None => {
                made = format!("{:016x}{}", time::now(), std::process::id());
                &made
            }
        };
        let (priority, due) = (self.labels.priority(), self.labels.due());
        let letter = Letter { bytes, priority, identity: None, name, due };
        let sent = spool.send(letter, deadline.into()).map_err(Failure::from);
        let shown = given.map_or(name.as_bytes(), MessageName::bytes);
        match done(sent).about(&self.spool)? {
            Sent::Stored => {}
            Sent::NameInUse if self.labels.accepts_equal_name() => {
                let spool = escape(self.spool.as_ref().as_encoded_bytes());
                let key = escape(shown);
                output.warn(format_args!("{spool}: {key}: is there already"));
            }
            Sent::NameInUse => {
                let reason = "a message of this name and priority waits or is claimed";
                let failure = Failure::new(Exit::InUse, reason);
                return Err(failure).about(name).about(&self.spool);
            }
        }
        let form = match self.framing.form() {
            Form::Whole => Form::Line,
            form => form,
        };
        Writer::new(form).write(output, shown)?;
        Ok(())
    }
}
