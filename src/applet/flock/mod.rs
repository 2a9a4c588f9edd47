//! `flock`, as util-linux has it: flock(1). What versions differ in is as in 2.43.

mod numbers;
mod options;

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use super::{answer, complain, complain_of_usage};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::run::job;
use crate::sys::descriptor;
use crate::sys::lock::{self, Access, Mode};
use crate::sys::signal::{await_children, restore_dispositions_of_our_caller};
use crate::sys::spawn::{Program, Signals, Streams};

use options::{Options, Parsed, is_line};

/// Statuses of sysexits(3), which are those of the original.
const USAGE: u8 = 64;
const DATA: u8 = 65;
const NO_INPUT: u8 = 66;
const UNAVAILABLE: u8 = 69;
const SYSTEM: u8 = 71;
const CANNOT_CREATE: u8 = 73;

/// Why there is nothing to do, or nothing more: the status, after what there was to say is said.
struct Ended(u8);

/// What is locked.
enum Target {
    File(OsString, OwnedFd),
    Descriptor(OsString, BorrowedFd<'static>),
}

/// Locks, and runs a command under the lock; returns the exit status.
pub fn run(arguments: &[OsString]) -> u8 {
    let (called, words) = arguments.split_first().expect("it was called by its name");
    let program = Path::new(called).file_name().unwrap_or(called);
    match lock_and_run(called, program, words) {
        Ok(status) | Err(Ended(status)) => status,
    }
}

fn lock_and_run(called: &OsStr, program: &OsStr, words: &[OsString]) -> Result<u8, Ended> {
    if words.is_empty() {
        complain_of_usage(program, "not enough arguments");
        return Err(Ended(USAGE));
    }
    let parsed = Options::parse(called, program, words)?;
    let options = &parsed.options;
    if options.no_fork && options.close {
        complain(program, "the --no-fork and --close options are incompatible");
        return Err(Ended(USAGE));
    }
    let (place, command) = parsed.wanted(program)?;
    let (mut target, deadline) = match place {
        Place::File(file) => {
            let target = Target::open(program, file, lock::access_of_utility(options.lock))?;
            (target, options.deadline(program)?)
        }
        Place::Descriptor(number) => {
            let deadline = options.deadline(program)?;
            (Target::descriptor(program, number)?, deadline)
        }
    };
    options.acquire(program, &mut target, deadline)?;
    match command {
        Some(command) => options.execute(program, target, command),
        None => Ok(0),
    }
}

/// What is to be locked.
enum Place<'a> {
    File(&'a OsStr),
    Descriptor(i32),
}

impl<'a> Parsed<'a> {
    /// What is to be locked, and what is to be run.
    fn wanted(&self, program: &OsStr) -> Result<(Place<'a>, Option<Vec<OsString>>), Ended> {
        let Self { options, operands, last_option } = self;
        let (place, command) = match (options.descriptor, *operands) {
            (descriptor, [line]) if options.line => {
                (Place::Descriptor(descriptor.unwrap_or(-1)), Some(shell_command(line)))
            }
            _ if options.line => return misses_line(program, last_option),
            (Some(_), []) => return misused(program, "missing command"),
            (Some(descriptor), words) => (Place::Descriptor(descriptor), Some(words.to_vec())),
            (None, []) => return misused(program, NOTHING_TO_LOCK),
            (None, [number]) => (Place::Descriptor(options::descriptor(program, number)?), None),
            (None, [file, option, line]) if is_line(option) => {
                (Place::File(file), Some(shell_command(line)))
            }
            (None, [_, option, ..]) if is_line(option) => return misses_line(program, option),
            (None, [file, words @ ..]) => (Place::File(file), Some(words.to_vec())),
        };
        match place {
            Place::Descriptor(..0) => misused(program, NOTHING_TO_LOCK),
            place => Ok((place, command)),
        }
    }
}

const NOTHING_TO_LOCK: &str = "missing file descriptor, file or directory";

fn misused<T>(program: &OsStr, sentence: impl AsRef<OsStr>) -> Result<T, Ended> {
    complain(program, sentence);
    Err(Ended(USAGE))
}

fn misses_line<T>(program: &OsStr, option: &OsStr) -> Result<T, Ended> {
    let rest = b" requires exactly one command argument";
    misused(program, OsStr::from_bytes(&[option.as_bytes(), rest].concat()))
}

impl Options {
    /// The moment to give up at; one that no clock shows is refused, as the original's timer does.
    fn deadline(&self, program: &OsStr) -> Result<Deadline, Ended> {
        match self.timeout {
            Some(Some(0)) => Ok(Deadline::PASSED),
            None | Some(Some(1..)) if self.nonblock => Ok(Deadline::PASSED),
            None => Ok(Deadline::NEVER),
            Some(Some(micros @ 1..)) => {
                Ok(Deadline::after(Duration::from_micros(micros.unsigned_abs())))
            }
            Some(_) => {
                complain(program, "cannot set up timer: Invalid argument");
                Err(Ended(SYSTEM))
            }
        }
    }

    /// Locks, or gives the lock back.
    fn acquire(
        &self,
        program: &OsStr,
        target: &mut Target,
        deadline: Deadline,
    ) -> Result<(), Ended> {
        let start = Instant::now();
        let waited = match self.attempt(target, deadline) {
            Err(Errno(libc::EBADF | libc::EIO)) if target.reopens(program, self)? => {
                self.attempt(target, deadline)
            }
            waited => waited,
        };
        match waited {
            Ok(Waited::Done(())) => self.tell(|| {
                let took = start.elapsed();
                let (seconds, micros) = (took.as_secs(), took.subsec_micros());
                let name = program.to_string_lossy();
                format!("{name}: getting lock took {seconds}.{micros:06} seconds\n")
            }),
            // Some file systems say EACCES of a record lock that another has.
            Ok(Waited::TimedOut) | Err(Errno(libc::EACCES)) => {
                if self.verbose && deadline == Deadline::PASSED {
                    complain(program, "failed to get lock");
                } else if self.verbose {
                    complain(program, "timeout while waiting to get lock");
                }
                Err(Ended(self.conflict_status))
            }
            Err(errno) => {
                complain(program, sentence([target.name().as_bytes()], errno));
                let is_ours = matches!(errno.0, libc::ENOLCK | libc::ENOMEM);
                Err(Ended(if is_ours { SYSTEM } else { DATA }))
            }
        }
    }

    fn attempt(&self, target: &Target, deadline: Deadline) -> Result<Waited, Errno> {
        match self.unlock {
            true => self.lock.release(target.fd()).map(Waited::Done),
            false => self.lock.wait(target.fd(), deadline),
        }
    }

    fn execute(&self, program: &OsStr, target: Target, words: Vec<OsString>) -> Result<u8, Ended> {
        self.tell(|| {
            let name = program.to_string_lossy();
            format!("{name}: executing {}\n", words[0].to_string_lossy())
        })?;
        let passed = if self.close { target.keep() } else { target.pass_on() };
        passed.map_err(|errno| {
            complain(program, sentence([target.name().as_bytes()], errno));
            Ended(SYSTEM)
        })?;
        let error = match self.run(&words) {
            Ok(status) => return Ok(job::exit_of(status).code()),
            Err(error) => error,
        };
        let parts = [b"failed to execute ".as_slice(), words[0].as_bytes()];
        complain(program, sentence(parts, error));
        Err(Ended(if error == Errno(libc::ENOMEM) { SYSTEM } else { UNAVAILABLE }))
    }

    /// Runs the command to its end, or becomes it.
    fn run(&self, words: &[OsString]) -> Result<ExitStatus, Errno> {
        let program = Program::find(words)?;
        if self.no_fork {
            restore_dispositions_of_our_caller();
            return Err(program.exec(Streams::default(), &[]));
        }
        await_children();
        program.start(Signals::Inherited, Streams::default(), &[])?.wait_alone()
    }

    /// Says something on stdout if asked to.
    fn tell(&self, sentence: impl FnOnce() -> String) -> Result<(), Ended> {
        match self.verbose {
            true => match answer(OsStr::new("flock"), &sentence()) {
                0 => Ok(()),
                status => Err(Ended(status)),
            },
            false => Ok(()),
        }
    }
}

impl Target {
    fn open(program: &OsStr, file: &OsStr, access: Access) -> Result<Self, Ended> {
        match lock::open_like_utility(file, access) {
            Ok(fd) => Ok(Self::File(file.to_owned(), fd)),
            Err(errno) => {
                let parts = [b"cannot open lock file ".as_slice(), file.as_bytes()];
                complain(program, sentence(parts, errno));
                Err(Ended(match errno.0 {
                    libc::ENOMEM | libc::EMFILE | libc::ENFILE => SYSTEM,
                    libc::EROFS | libc::ENOSPC => CANNOT_CREATE,
                    _ => NO_INPUT,
                }))
            }
        }
    }

    fn descriptor(program: &OsStr, number: i32) -> Result<Self, Ended> {
        match descriptor::inherited(number) {
            Ok(fd) => Ok(Self::Descriptor(number.to_string().into(), fd)),
            Err(errno) => {
                complain(program, format!("{number}: {errno}"));
                Err(Ended(DATA))
            }
        }
    }

    /// Opens a file for both, if we may and that is what the lock wants: over NFS it is a record
    /// lock of the server's. Whether there is another descriptor now.
    fn reopens(&mut self, program: &OsStr, options: &Options) -> Result<bool, Ended> {
        let Self::File(file, _) = self else { return Ok(false) };
        let wants_more = !options.unlock && options.lock.mode == Mode::Exclusive;
        if !wants_more || !lock::may_open_for_both(file) {
            return Ok(false);
        }
        *self = Self::open(program, &file.clone(), Access::Both)?;
        Ok(true)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::File(_, fd) => fd.as_fd(),
            Self::Descriptor(_, fd) => *fd,
        }
    }

    fn name(&self) -> &OsStr {
        let (Self::File(name, _) | Self::Descriptor(name, _)) = self;
        name
    }

    /// Lets the command have it, so that the lock lasts for as long as anybody there lives.
    fn pass_on(&self) -> Result<(), Errno> {
        descriptor::pass_on(self.fd())
    }

    fn keep(&self) -> Result<(), Errno> {
        descriptor::keep(self.fd())
    }
}

/// The words by which a shell executes a line.
fn shell_command(line: &OsStr) -> Vec<OsString> {
    let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
    let shell = shell.unwrap_or_else(|| "/bin/sh".into());
    vec![shell, "-c".into(), line.to_owned()]
}

/// Something in any bytes, and what the kernel says about it.
fn sentence<const N: usize>(parts: [&[u8]; N], errno: Errno) -> OsString {
    let mut sentence = OsStr::from_bytes(&parts.concat()).to_owned();
    sentence.push(format!(": {errno}"));
    sentence
}
