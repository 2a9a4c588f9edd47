//! `ipc spool put`.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{not_there, stdin_failed};
use crate::app::options::Framing;
use crate::app::trust::Trust;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::name::FilePath;
use crate::base::units::Permissions;
use crate::io::frame::{Form, ReadError, Reader, Writer};
use crate::io::output::{Output, escape};
use crate::io::transfer::{self, Side};
use crate::mechanism::spool::directory::Spool;
use crate::mechanism::spool::name::MessageName;
use crate::mechanism::spool::part::Part;
use crate::mechanism::spool::put::{self, Draft, Label, Session};
use crate::sys::origin::Found;
use crate::sys::stream;

use super::create::create;
use super::labels::Labels;
use super::{CREATE, explain};

/// Put messages into a spool
///
/// Each FILE is a message, and '-' is standard input, as without any; with --each-line each line is
/// one. The command prints the name of each message when it is on disk, whole: a message whose name
/// was printed survives a crash of the machine. A put that is killed before has put it whole or not
/// at all.
///
/// Messages are taken in the order of their priorities, the highest first, and then of their puts.
/// A message with --delay is not taken before that time, on the clock of the day, also after a
/// reboot.
///
/// A name can be given to one message at a time: while a message of that name waits, is claimed or
/// has failed, --name ends with status 5, and --dedupe puts nothing, prints the name and reports
/// that on standard error.
#[derive(Debug, clap::Args, Plain)]
pub struct Put {
    /// Path of the spool
    directory: FilePath,
    /// Files; '-' is standard input
    files: Vec<OsString>,
    #[command(flatten)]
    labels: Labels,
    /// Create the spool if there is none
    #[arg(long)]
    create: bool,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    framing: Framing,
}

impl Action for Put {
    const EXAMPLES: &'static [Example] = &[
        ("Put a file", "ipc spool put ./jobs report.pdf"),
        ("Put a message, and know its name", "name=$(echo hello | ipc spool put ./jobs)"),
        ("Put each line, for later", "ipc spool put --each-line --delay 1h ./jobs <list"),
        (
            "Put it once, however often it is asked for",
            "ipc spool put --dedupe rebuild ./jobs /dev/null",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        self.labels.refuse_one_name_for_many(&self.files, &self.framing)?;
        let spool = self.open()?;
        let _session = Session::default();
        let mut group = Group { put: &self, spool: &spool, names: Vec::new() };
        let put = self.put_all(&mut group, context);
        // The messages before an error are put.
        let printed = group.finish(&mut context.output);
        put.and(printed)?;
        Ok(Exit::Done)
    }
}

/// The number of messages that are made durable at once.
const GROUP: usize = 64;

impl Put {
    fn open(&self) -> anyhow::Result<Spool> {
        let opened = || self.open_accepted().about(&self.directory);
        match opened() {
            Err(error) if self.create && Exit::of(&error) == Exit::NotFound => {}
            opened => return opened,
        }
        match create(&self.directory, Permissions::of_new_object(None)) {
            // Another process created it first.
            Err(failure) if failure.exit() == Exit::InUse => opened(),
            created => created.about(&self.directory),
        }
    }

    fn open_accepted(&self) -> Result<Spool, Failure> {
        let directory = &self.directory;
        let spool = Spool::open(directory.path()).map_err(|error| explain(error, directory));
        let spool = spool.map_err(|failure| not_there(failure, directory, CREATE))?;
        if self.create {
            self.trust.accept(&Found::at(directory.path())?, None)?;
        }
        Ok(spool)
    }

    fn put_all(&self, group: &mut Group<'_>, context: &mut Context) -> anyhow::Result<()> {
        let stdin = context.stdin;
        if self.files.is_empty() {
            return self.put_input(stdin, None, group, &mut context.output);
        }
        for file in &self.files {
            if file == "-" {
                self.put_input(stdin, None, group, &mut context.output)?;
                continue;
            }
            let opened = stream::open(Path::new(file)).about(file)?;
            self.put_input(opened.as_fd(), Some(file), group, &mut context.output)?;
        }
        Ok(())
    }

    /// Puts one message, or one for each record.
    fn put_input(
        &self,
        input: BorrowedFd<'_>,
        name: Option<&OsString>,
        group: &mut Group<'_>,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let failed = |errno| name.map_or_else(|| stdin_failed(errno), |name| about(errno, name));
        if !self.labels.are_of_records(&self.framing) {
            let draft = group.draft()?;
            transfer::copy(input, draft.file(), None).map_err(|error| match error.side {
                Side::Source => failed(error.errno),
                Side::Destination => group.failed(error.errno),
            })?;
            return group.publish(draft, output);
        }
        let mut reader = Reader::new(input, self.framing.form(), usize::MAX);
        while let Some(block) = reader.next_block().map_err(|error| match error {
            ReadError::Kernel(errno) => failed(errno),
            error => error.into(),
        })? {
            for record in block.after(0) {
                let draft = group.draft()?;
                stream::write(draft.file(), record).map_err(|errno| group.failed(errno))?;
                group.publish(draft, output)?;
            }
            group.finish(output)?;
        }
        Ok(())
    }

    fn label(&self) -> Label {
        let labels = &self.labels;
        Label { priority: labels.priority(), due: labels.due(), name: labels.name().cloned() }
    }
}

/// Messages that have their names and are not durable yet.
struct Group<'a> {
    put: &'a Put,
    spool: &'a Spool,
    names: Vec<MessageName>,
}

impl<'a> Group<'a> {
    fn failed(&self, errno: Errno) -> anyhow::Error {
        about(explain(errno, &self.put.directory), &self.put.directory)
    }

    fn draft(&self) -> anyhow::Result<Draft<'a>> {
        Draft::new(self.spool, &self.put.label()).map_err(|errno| self.failed(errno))
    }

    fn publish(&mut self, draft: Draft<'a>, output: &mut Output) -> anyhow::Result<()> {
        match draft.publish().map_err(|errno| self.failed(errno))? {
            put::Put::Done(name) => self.names.push(name),
            put::Put::Exists(name) if self.put.labels.accepts_equal_name() => {
                let (directory, key) = (self.put.directory.as_ref(), escape(name.bytes()));
                let directory = escape(directory.as_encoded_bytes());
                output.warn(format_args!("{directory}: {key}: is there already"));
                self.names.push(name);
            }
            put::Put::Exists(name) => {
                let reason = "a message of this name waits, is claimed or has failed";
                return Err(about(
                    about(Failure::new(Exit::InUse, reason), name),
                    &self.put.directory,
                ));
            }
        }
        if self.names.len() >= GROUP { self.finish(output) } else { Ok(()) }
    }

    /// Makes the messages durable and prints their names.
    fn finish(&mut self, output: &mut Output) -> anyhow::Result<()> {
        if self.names.is_empty() {
            return Ok(());
        }
        self.spool.sync(Part::Ready).map_err(|errno| self.failed(errno))?;
        let mut writer = Writer::new(self.form());
        for name in self.names.drain(..) {
            writer.write(output, name.bytes())?;
        }
        Ok(output.flush()?)
    }

    /// The form of the names: that of the records, but lines for whole inputs.
    fn form(&self) -> Form {
        match self.put.framing.form() {
            Form::Whole => Form::Line,
            form => form,
        }
    }
}
