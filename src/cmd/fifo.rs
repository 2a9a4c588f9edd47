//! `ipc fifo`: named pipes.

use std::ffi::OsString;
use std::fmt::Display;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Noun, Verb};
use crate::app::context::Context;
use crate::app::machine::Part;
use crate::app::options::Format;
use crate::app::options::Framing;
use crate::app::options::Waiting;
use crate::app::trust::{Accepted, Trust};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::units::{Permissions, Size};
use crate::io::frame::{Form, Messages, ReadError};
use crate::io::output::{Output, Record, Unwritable};
use crate::io::transfer::{Side, Transfer};
use crate::mechanism::fifo;
use crate::mechanism::fifo::{Error, LONGEST_RECORD, Reader, Writer};
use crate::sys::directory;
use crate::sys::origin::Found;
use crate::sys::process::Openings;
use crate::sys::stdio::Stream;

use crate::app::creation::Creation;
use crate::app::objects::{no_room_in, not_there};

pub const NOUN: Noun = Noun {
    name: "fifo",
    about: "Pass bytes by named pipes",
    verbs: &[
        Verb::new::<Create>("create"),
        Verb::new::<Write>("write"),
        Verb::new::<Cat>("cat"),
        Verb::new::<Stat>("stat"),
        Verb::new::<Ls>("ls"),
        Verb::new::<Rm>("rm"),
    ],
    see_also: &["fifo(7)", "pipe(7)", "mkfifo(3)"],
};

/// Create FIFOs
///
/// One that fails is told, and the others are still made. The permissions are exactly those asked
/// for, whatever the umask.
#[derive(Debug, clap::Args, Plain)]
pub struct Create {
    /// Paths of the new FIFOs
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    creation: Creation,
}

impl Action for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Make a FIFO that is ours alone", "ipc fifo create ./jobs"),
        (
            "Make sure that it is there, for everyone to write to",
            "ipc fifo create -e -m 0622 ./log",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let mode = self.creation.mode();
        crate::app::objects::each(&self.paths, output, |path, output| {
            let exists = || self.creation.accept(&fifo::find(path).map_err(explain)?);
            self.creation.make(path, output, || create(path, mode), exists).map(drop)
        })
    }
}

/// Create FIFOs
///
/// This is 'ipc fifo create'. Called by a link of the name 'mkfifo', this program is the usual
/// mkfifo instead.
#[derive(Debug, clap::Args, Plain)]
pub struct Mkfifo {
    #[command(flatten)]
    create: Create,
}

impl Action for Mkfifo {
    const EXAMPLES: &'static [Example] = &[("Make two FIFOs", "ipc mkfifo ./request ./reply")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        self.create.run(context)
    }
}

/// Write stdin or messages into a FIFO
///
/// It waits for a reader, and then wherever the FIFO is full; --timeout limits each of these waits,
/// and none for stdin, so that a slow producer is no error. Messages are written as a line each.
///
/// With --records each record is written in one piece, so that the records of several writers
/// never mix. A piece holds 4096 bytes at most, with the newline or what else ends the record; a
/// longer record is refused by its number, with nothing of it written.
///
/// Bytes of a file on stdin are handed on without a copy: a change to the file shows until the
/// reader has read them. Passing them through 'cat' prevents that.
#[derive(Debug, clap::Args, Plain)]
pub struct Write {
    /// Path of the FIFO
    path: PathBuf,
    /// What to write, instead of stdin
    #[arg(value_name = "MESSAGE")]
    messages: Vec<OsString>,
    /// Write each record of stdin in one piece
    #[arg(long)]
    records: bool,
    #[command(flatten)]
    framing: Framing,
    /// Create the FIFO if there is none; it stays
    #[arg(long)]
    create: bool,
    /// Permissions for a FIFO that is created; 0600 if not given
    #[arg(short, long, requires = "create")]
    mode: Option<Permissions>,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Write {
    const EXAMPLES: &'static [Example] = &[
        ("Send a file", "ipc fifo write ./jobs < job.txt"),
        ("Send a line, if somebody reads", "ipc fifo write -n ./log 'backup done'"),
        ("Log from several scripts at once", "./backup | ipc fifo write --records ./log"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = self.waiting.deadline();
        let tell = || crate::app::objects::tell_wait(output, &self.path, "for a reader");
        let opened =
            crate::app::objects::wait_aloud(output, deadline, tell, |until| self.open(until));
        let opened = opened.about(&self.path)?;
        let writer = self.waiting.or_error(opened).about(&self.path)?;
        if self.records || !self.messages.is_empty() {
            return self.write_records(&writer);
        }
        let mut transfer = Transfer::new(Stream::Input.fd(), writer.as_fd(), None);
        let waited = transfer.run(|side| match side {
            Side::Source => Deadline::NEVER,
            Side::Destination => self.waiting.deadline(),
        });
        let waited = waited.map_err(|error| match error.side {
            Side::Source => crate::app::objects::stdin_failed(error.errno),
            Side::Destination => unwritten(error.errno, &self.path),
        })?;
        self.waiting.or_error(waited).about(&self.path)?;
        Ok(Exit::Done)
    }
}

impl Write {
    fn open(&self, deadline: Deadline) -> Result<Waited<Writer>, Failure> {
        let open = || Writer::open(&self.path, deadline).map_err(explain);
        if !self.create {
            return open()
                .map_err(|failure| not_there(failure, &self.path, "--create makes the FIFO"));
        }
        match create(&self.path, Permissions::of_new_object(self.mode)) {
            Err(failure) if failure.exit() == Exit::InUse => {}
            created => created?,
        }
        // Before the wait for a reader, and again when it is known which file was opened.
        self.accept(fifo::find(&self.path))?;
        let opened = open()?;
        if let Waited::Done(writer) = &opened {
            self.accept(writer.found(&self.path))?;
        }
        Ok(opened)
    }

    fn accept(&self, found: Result<Found, Error>) -> Result<Accepted, Failure> {
        let mode = self.mode.map(|mode| Permissions::of_new_object(Some(mode)));
        self.trust.accept(&found.map_err(explain)?, mode)
    }

    fn write_records(self, writer: &Writer) -> anyhow::Result<Exit> {
        let form = self.framing.form();
        // Messages may be longer where nobody asked for them to stay in one piece.
        let limit = if self.records { LONGEST_RECORD - overhead(form) } else { usize::MAX };
        let mut messages = Messages::new(self.messages, form, limit)
            .map_err(too_long("message"))
            .about(&self.path)?;
        let mut piece = Vec::with_capacity(LONGEST_RECORD);
        for number in 1_u64.. {
            let message = messages.next().map_err(too_long(format_args!("record {number}")));
            let Some(message) = message.about(&self.path)? else { break };
            piece.clear();
            form.encode(message, |part| {
                piece.extend_from_slice(part);
                Ok::<(), std::convert::Infallible>(())
            })?;
            let written = writer.write(&piece, self.waiting.deadline());
            let written = written.map_err(|errno| unwritten(errno, &self.path))?;
            self.waiting.or_error(written).about(&self.path)?;
        }
        Ok(Exit::Done)
    }
}

/// Says of a record that cannot be written which one it is.
fn too_long(what: impl Display) -> impl FnOnce(ReadError) -> Failure {
    move |error| match error {
        ReadError::TooLong { length, limit } => Failure::failed(format!(
            "{what} of {length} is longer than a pipe keeps in one piece ({limit})"
        )),
        ReadError::Kernel(errno) => Failure::from(errno),
        error => Failure::failed(format!("{what}: {error}")),
    }
}

/// The most that a framing adds to a record no longer than [`LONGEST_RECORD`].
fn overhead(form: Form) -> usize {
    match form {
        Form::Whole => 0,
        Form::Line | Form::Null => 1,
        Form::Len4 => 4,
        Form::Netstring => "4096:,".len(),
    }
}

/// Print what comes through a FIFO
///
/// It ends when the last writer has left, which is no proof that a writer had finished: one that
/// was killed leaves in the same way. --timeout limits the wait for the first byte, and then each
/// wait for more.
#[derive(Debug, clap::Args, Plain)]
pub struct Cat {
    /// Path of the FIFO
    path: PathBuf,
    /// Go on with the next writer when the last one has left
    #[arg(short, long)]
    keep_open: bool,
    /// End after this many bytes
    #[arg(long, value_name = "SIZE")]
    count: Option<Size>,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Cat {
    const EXAMPLES: &'static [Example] = &[
        ("Read what one writer sends", "ipc fifo cat ./jobs > job.txt"),
        ("Collect lines for ever", "ipc fifo cat --keep-open ./log >> all.log"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let opened = Reader::open(&self.path).map_err(explain);
        let opened = opened
            .map_err(|failure| not_there(failure, &self.path, "'ipc fifo create' makes the FIFO"));
        let mut reader = opened.about(&self.path)?;
        let mut left = self.count.map(|Size(count)| count);
        loop {
            let waited = self.pass_on(&reader, &mut left, output)?;
            self.waiting.or_error(waited).about(&self.path)?;
            if !self.keep_open || left == Some(0) {
                return Ok(Exit::Done);
            }
            reader.renew().map_err(explain).about(&self.path)?;
        }
    }
}

impl Cat {
    /// Passes on what comes until the last writer leaves, or nothing is left to pass on.
    fn pass_on(
        &self,
        reader: &Reader,
        left: &mut Option<u64>,
        output: &Output,
    ) -> anyhow::Result<Waited> {
        let deadline = self.waiting.deadline();
        let tell = || crate::app::objects::tell_wait(output, &self.path, "for a writer");
        let waited =
            crate::app::objects::wait_aloud(output, deadline, tell, |until| reader.wait(until));
        if waited.about(&self.path)? == Waited::TimedOut {
            return Ok(Waited::TimedOut);
        }
        let mut transfer = Transfer::new(reader.as_fd(), Stream::Output.fd(), *left);
        let waited = transfer.run(|side| match side {
            Side::Source => self.waiting.deadline(),
            Side::Destination => Deadline::NEVER,
        });
        *left = left.map(|left| left - transfer.moved());
        waited.map_err(|error| match error.side {
            Side::Source => about(error.errno, &self.path),
            Side::Destination => Unwritable(error.errno).into(),
        })
    }
}

/// Show all that is known of a FIFO
///
/// That is how many bytes wait in it, how many it holds, and who reads and writes. Looking does
/// not disturb them: nothing is opened, and a process that waits for another end to be opened is
/// not seen yet.
#[derive(Debug, clap::Args, Plain)]
pub struct Stat {
    /// Path of the FIFO
    path: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl Action for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("See who is at the other end", "ipc fifo stat ./jobs"),
        ("Ask from a program", "ipc fifo stat --json ./jobs | jq .waiting"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let status = fifo::status(&self.path).map_err(explain).about(&self.path)?;
        let openings = Openings::of(&status);
        let contents = fifo::contents(&openings);
        let record = Record::new()
            .bytes("path", self.path.as_os_str().as_encoded_bytes())
            .optional_number("waiting", contents.map(|contents| contents.waiting))
            .optional_number("capacity", contents.map(|contents| contents.capacity));
        let record =
            crate::app::objects::ownership(record, &status).time("modified", status.st_mtime);
        let (readers, writers) = (openings.readers(), openings.writers());
        let record = crate::app::objects::processes(record, "readers", &readers, openings.hidden);
        let record = crate::app::objects::processes(record, "writers", &writers, openings.hidden)
            .json_only("hidden", openings.hidden.into());
        output.show(&record, self.format)?;
        Ok(Exit::Done)
    }
}

/// List the FIFOs of a directory
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    /// Directory to look in
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[("See those of a service", "ipc fifo ls /run/service")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let fifos = fifo::list(&self.directory).about(&self.directory)?;
        let records = fifos.iter().map(|(name, status)| {
            let path = if self.directory == Path::new(".") {
                name.into()
            } else {
                self.directory.join(name)
            };
            let record = Record::new().bytes("path", path.as_os_str().as_encoded_bytes());
            crate::app::objects::ownership(record, status).time("modified", status.st_mtime)
        });
        output.list(&records.collect::<Vec<_>>(), self.format)?;
        Ok(Exit::Done)
    }
}

/// Remove FIFOs
///
/// Those who have one open go on using it. What is no FIFO stays.
#[derive(Debug, clap::Args, Plain)]
pub struct Rm {
    /// Paths of FIFOs
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Ignore what does not exist
    #[arg(short, long)]
    force: bool,
}

impl Action for Rm {
    const EXAMPLES: &'static [Example] = &[("Tidy up", "ipc fifo rm -f ./jobs ./log")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        crate::app::objects::remove(&self.paths, self.force, output, |path| {
            fifo::remove(path).map_err(explain)
        })
    }
}

/// Makes a FIFO, and says what is used up where there is no room for it.
fn create(path: &Path, mode: u32) -> Result<(), Failure> {
    fifo::create(path, mode).map_err(|errno| match errno {
        Errno(libc::ENOSPC) => no_room_in(directory::parent(path), errno),
        errno => errno.into(),
    })
}

/// Why bytes did not get into the FIFO.
fn unwritten(errno: Errno, path: &Path) -> anyhow::Error {
    let failure = match errno {
        Errno(libc::EPIPE) => Failure::failed(format!("the reader has left: {errno}")),
        errno => errno.into(),
    };
    about(failure, path)
}

/// Puts the way out beside the reason.
fn explain(error: Error) -> Failure {
    match error {
        Error::Kernel(errno @ Errno(libc::ENOSYS)) => Part::Proc.explain(errno),
        Error::Kernel(errno) => errno.into(),
        Error::NotAFifo(_) => Failure::failed(error.to_string()),
    }
}
