//! `ipc spool watch`: files of any directory as the messages of a worker.

use std::ffi::CString;
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
use crate::base::units::Timeout;
use crate::io::output::{Notes, escape};
use crate::mechanism::spool::dropped::{After, Claim, Dropped, Policy};
use crate::run::watchdog::look_up;
use crate::run::worker::{self, Supply};
use crate::sys::eventfd::Bell;

/// Run a COMMAND for each file that is dropped into a directory
///
/// It is for any directory, and goes on until a signal. COMMAND has the file as standard input and
/// finds its name in IPC_SPOOL_NAME; '{}' in its arguments is the path. Files that are there already
/// come first, the oldest before others. Only regular files are taken, and none whose name begins
/// with a dot.
///
/// A file that a process has open for writing is left alone until it is closed. If this user may not
/// ask the kernel for that, which takes a file of its own or the capability CAP_LEASE, a file is taken
/// when it has not changed for a while.
///
/// If COMMAND succeeds, the file is removed, unless it has changed meanwhile: then COMMAND runs
/// again. A file whose last attempt failed stays, and is taken again when it has changed, or by the
/// next 'watch'.
#[derive(Debug, clap::Args, Plain)]
pub struct Watch {
    /// Path of the directory
    directory: FilePath,
    /// Leave files that are done; they are taken again when they change
    #[arg(long)]
    keep_files: bool,
    /// Take the files that are there, and end
    #[arg(long, conflicts_with_all = ["timeout", "nonblock"])]
    all: bool,
    /// How long a file must be unchanged, if its writers cannot be seen; 2s if not given
    #[arg(long, value_name = "DURATION")]
    settle: Option<Timeout>,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    work: Work,
}

/// The default of --settle.
const SETTLE: Duration = Duration::from_secs(2);

impl Action for Watch {
    const EXAMPLES: &'static [Example] = &[
        ("Print what is dropped", "ipc spool watch /srv/print -- lp {}"),
        ("Load each version of a file", "ipc spool watch --keep-files ./conf.d -- ./load {}"),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let (timeout, timed_out) = options::timeout(&self.waiting);
        let name = self.directory.as_ref().to_owned();
        let ends_when_empty = self.all;
        let supply = Supply { name, count: u64::MAX, ends_when_empty, timeout, timed_out };
        let settle = self.settle.map_or(SETTLE, |settle| match settle {
            Timeout::For(settle) => settle,
            Timeout::Forever => Duration::MAX,
        });
        let after = if self.keep_files { After::Stay } else { After::Remove };
        let found = look_up(self.directory.path(), self.waiting.deadline());
        let files = found
            .map_err(anyhow::Error::from)
            .and_then(|()| Ok(Dropped::new(self.directory.path(), Policy { settle, after })?));
        match files.about(&self.directory) {
            Ok(files) => {
                let notes = context.output.notes();
                let source = Source { files: Arc::new(files), directory: self.directory, notes };
                self.work.run(source, supply, context)
            }
            Err(error) => self.work.fail(error, context),
        }
    }
}

/// The directory that the threads of a worker share.
#[derive(Debug)]
struct Source {
    files: Arc<Dropped>,
    directory: FilePath,
    notes: Notes,
}

impl worker::Source for Source {
    type Queue = Queue;

    fn open(&self) -> anyhow::Result<Queue> {
        let directory = escape(self.directory.as_ref().as_encoded_bytes()).into_owned();
        Ok(Queue { files: Arc::clone(&self.files), directory, notes: self.notes.clone() })
    }
}

/// A directory, for one thread of a worker.
#[derive(Debug)]
struct Queue {
    files: Arc<Dropped>,
    directory: String,
    notes: Notes,
}

impl worker::Queue for Queue {
    type Claim = Claim;

    fn claim(&mut self) -> Result<Option<Claim>, Failure> {
        let claimed = self.files.claim()?;
        for name in self.files.unreadable() {
            let (directory, name) = (&self.directory, escape(name.as_bytes()));
            self.notes.warn(format_args!(
                "{directory}: {name}: this user may not read it; it is skipped"
            ));
        }
        Ok(claimed)
    }

    fn wait(&mut self, stop: &Bell, deadline: Deadline) -> Result<Waited, Failure> {
        Ok(self.files.wait(stop, deadline)?)
    }

    fn begin(&mut self, claim: &mut Claim) -> Result<u32, Failure> {
        claim.attempts += 1;
        Ok(claim.attempts)
    }

    fn input(&self, claim: &Claim) -> Result<OwnedFd, Errno> {
        self.files.input(claim)
    }

    fn variables(&self, claim: &Claim) -> Vec<(&'static str, Vec<u8>)> {
        vec![("IPC_SPOOL_NAME", claim.name.as_bytes().to_vec())]
    }

    fn lease<'a>(&'a self, claim: &'a Claim) -> Option<BorrowedFd<'a>> {
        Some(claim.lock())
    }

    fn inserted(&self, claim: &Claim) -> Option<CString> {
        CString::new(self.files.path_of(&claim.name).as_os_str().as_bytes()).ok()
    }

    fn is_at_least_once(&self) -> bool {
        true
    }

    fn identity(&self, claim: &Claim) -> u64 {
        claim.identity()
    }

    fn acknowledge(&mut self, claim: Claim) -> Result<(), Failure> {
        Ok(self.files.acknowledge(&claim)?)
    }

    fn put_back(&mut self, claim: &Claim, _: &Bell, _: Deadline) -> Result<Waited, Failure> {
        claim.release()?;
        Ok(Waited::Done(()))
    }

    fn bury(&mut self, _: &Claim, _: &Bell, _: Deadline) -> Result<Waited, Failure> {
        Err(Failure::failed("a directory has no dead-letter queue"))
    }

    fn give_up(&mut self, claim: Claim) -> Result<&'static str, Failure> {
        self.files.leave(&claim)?;
        Ok("stays")
    }

    fn close(&mut self, _: &Bell) -> Result<(), Failure> {
        Ok(())
    }
}
