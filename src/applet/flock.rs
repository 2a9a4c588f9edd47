//! `flock`, as util-linux has it: flock(1).

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::getopt::{Known, Misuse, Order, Takes, Word, Words};
use super::{complain, complain_of_usage};
use crate::child;
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::output::{Output, Verbosity};
use crate::sys::descriptor;
use crate::sys::lock::{self, Kind, Lock, Mode, Range};

/// Statuses of sysexits(3), which are those of the original.
const USAGE: u8 = 64;
const DATA: u8 = 65;
const NO_INPUT: u8 = 66;
const UNAVAILABLE: u8 = 69;
const SYSTEM: u8 = 71;
const CANNOT_CREATE: u8 = 73;

/// What an option does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Meaning {
    Shared,
    Exclusive,
    Unlock,
    Nonblock,
    Timeout,
    ConflictStatus,
    Close,
    NoFork,
    Fcntl,
    Start,
    Length,
    Descriptor,
    Verbose,
    Help,
    Version,
}

const fn option(short: u8, long: Option<&'static str>, meaning: Meaning) -> (Known, Meaning) {
    use Meaning::{ConflictStatus, Descriptor, Length, Start, Timeout};
    let takes = match meaning {
        Timeout | ConflictStatus | Start | Length | Descriptor => Takes::Argument,
        _ => Takes::Nothing,
    };
    let short = if short == 0 { None } else { Some(short) };
    (Known { short, long, takes }, meaning)
}

/// In the order in which diagnostics of the original list them.
const OPTIONS: [(Known, Meaning); 18] = [
    option(b's', Some("shared"), Meaning::Shared),
    option(b'x', Some("exclusive"), Meaning::Exclusive),
    option(b'e', None, Meaning::Exclusive),
    option(b'u', Some("unlock"), Meaning::Unlock),
    option(b'n', Some("nonblocking"), Meaning::Nonblock),
    option(0, Some("nb"), Meaning::Nonblock),
    option(b'w', Some("timeout"), Meaning::Timeout),
    option(0, Some("wait"), Meaning::Timeout),
    option(b'E', Some("conflict-exit-code"), Meaning::ConflictStatus),
    option(b'o', Some("close"), Meaning::Close),
    option(b'F', Some("no-fork"), Meaning::NoFork),
    option(0, Some("fcntl"), Meaning::Fcntl),
    option(0, Some("start"), Meaning::Start),
    option(0, Some("length"), Meaning::Length),
    option(0, Some("fd"), Meaning::Descriptor),
    option(0, Some("verbose"), Meaning::Verbose),
    option(b'h', Some("help"), Meaning::Help),
    option(b'V', Some("version"), Meaning::Version),
];

const HELP: &str = "
Usage:
 flock [options] <file>|<directory> <command> [<argument>...]
 flock [options] <file>|<directory> -c <command>
 flock [options] <file descriptor number>

Have a command, or the rest of a shell script, run under a lock.

Options:
 -s, --shared             share the lock with others who share it
 -x, -e, --exclusive      have it alone; this is the default
 -u, --unlock             give a lock back
 -n, --nonblock           fail rather than wait
 -w, --timeout <seconds>  wait no longer than this
 -E, --conflict-exit-code <number>
                          status where the lock is not to be had; 1 if not given
 -o, --close              keep the descriptor from the command
 -c, --command <command>  have the shell run this
 -F, --no-fork            become the command
     --fd <number>        lock this descriptor and run the command, if there is one
     --fcntl              lock with fcntl(2), of the open file
     --start <offset>     lock from this byte on (implies --fcntl)
     --length <number>    lock this many bytes (implies --fcntl)
     --verbose            say how long it took, or why there is no lock

 -h, --help               show this and end
 -V, --version            show the version and end
";

/// What the options ask for.
#[derive(Debug)]
struct Options {
    lock: Lock,
    unlock: bool,
    nonblock: bool,
    timeout: Option<f64>,
    conflict_status: u8,
    close: bool,
    no_fork: bool,
    descriptor: Option<OsString>,
    verbose: bool,
}

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
        complain_of_usage(program, &Misuse::new("not enough arguments"));
        return Err(Ended(USAGE));
    }
    let (options, operands) = Options::parse(called, program, words)?;
    let fail = |status, sentence: &str| {
        complain(program, sentence);
        Err(Ended(status))
    };
    if options.no_fork && options.close {
        return fail(USAGE, "the --no-fork and --close options are incompatible");
    }
    let (target, command) = match (&options.descriptor, operands.as_slice()) {
        (Some(number), command) => (Target::descriptor(program, number)?, command),
        (None, []) => return fail(USAGE, "requires file descriptor, file or directory"),
        (None, [number]) => (Target::descriptor(program, number)?, [].as_slice()),
        (None, [file, command @ ..]) => {
            let command = Some(command).filter(|command| !is_bare_shell(command));
            let Some(command) = command else {
                return fail(USAGE, "-c requires exactly one command argument");
            };
            (Target::open(program, file, options.lock)?, command)
        }
    };
    options.acquire(program, &target)?;
    match shell_command(command) {
        Some(command) => options.execute(program, target, command),
        None => Ok(0),
    }
}

impl Options {
    fn parse(
        called: &OsStr,
        program: &OsStr,
        words: &[OsString],
    ) -> Result<(Self, Vec<OsString>), Ended> {
        let mut options = Self {
            lock: Lock { kind: Kind::Flock, mode: Mode::Exclusive, range: Range::default() },
            unlock: false,
            nonblock: false,
            timeout: None,
            conflict_status: 1,
            close: false,
            no_fork: false,
            descriptor: None,
            verbose: false,
        };
        let mut operands = Vec::new();
        let known = OPTIONS.map(|(known, _)| known);
        for word in Words::new(words, &known, Order::OptionsFirst) {
            match word {
                Ok(Word::Operand(operand)) => operands.push(operand),
                Ok(Word::Option(index, argument)) => {
                    options.set(program, OPTIONS[index].1, argument.unwrap_or_default())?;
                }
                Err(misuse) => {
                    complain(called, misuse.sentence());
                    let program = program.to_string_lossy();
                    let hint = format!("Try '{program} --help' for more information.\n");
                    crate::output::complain(hint);
                    return Err(Ended(USAGE));
                }
            }
        }
        Ok((options, operands))
    }

    fn set(&mut self, program: &OsStr, meaning: Meaning, text: OsString) -> Result<(), Ended> {
        match meaning {
            Meaning::Shared => self.lock.mode = Mode::Shared,
            Meaning::Exclusive => self.lock.mode = Mode::Exclusive,
            Meaning::Unlock => self.unlock = true,
            Meaning::Nonblock => self.nonblock = true,
            Meaning::Timeout => self.timeout = Some(seconds(program, &text)?),
            Meaning::ConflictStatus => self.conflict_status = status(program, &text)?,
            Meaning::Close => self.close = true,
            Meaning::NoFork => self.no_fork = true,
            Meaning::Fcntl => self.lock.kind = Kind::Ofd,
            Meaning::Start => {
                self.lock.kind = Kind::Ofd;
                self.lock.range.start = offset(program, "start", &text)?;
            }
            Meaning::Length => {
                self.lock.kind = Kind::Ofd;
                self.lock.range.length = offset(program, "length", &text)?;
            }
            Meaning::Descriptor => self.descriptor = Some(text),
            Meaning::Verbose => self.verbose = true,
            Meaning::Help => return Err(Ended(answer(program, HELP))),
            Meaning::Version => {
                let version = concat!("flock (ipc) ", env!("CARGO_PKG_VERSION"), "\n");
                return Err(Ended(answer(program, version)));
            }
        }
        Ok(())
    }

    /// The moment to give up at; one that no clock shows is refused, as the original's timer does.
    fn deadline(&self, program: &OsStr) -> Result<Deadline, Ended> {
        match self.timeout {
            _ if self.nonblock => Ok(Deadline::PASSED),
            None => Ok(Deadline::NEVER),
            Some(seconds) => match Duration::try_from_secs_f64(seconds) {
                Ok(duration) => Ok(Deadline::after(duration)),
                Err(_) => {
                    complain(program, "cannot set up timer: Invalid argument");
                    Err(Ended(SYSTEM))
                }
            },
        }
    }

    /// Locks, or gives the lock back.
    fn acquire(&self, program: &OsStr, target: &Target) -> Result<(), Ended> {
        let start = Instant::now();
        let waited = if self.unlock {
            self.lock.release(target.fd()).map(Waited::Done)
        } else {
            self.lock.wait(target.fd(), self.deadline(program)?)
        };
        match waited {
            Ok(Waited::Done(())) => self.tell(|| {
                let took = start.elapsed();
                let (seconds, micros) = (took.as_secs(), took.subsec_micros());
                let name = program.to_string_lossy();
                format!("{name}: getting lock took {seconds}.{micros:06} seconds\n")
            }),
            Ok(Waited::TimedOut) => {
                if self.verbose && (self.nonblock || self.timeout == Some(0.0)) {
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
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        let error = if self.no_fork {
            child::replace_by(&mut command)
        } else {
            match command.status() {
                Ok(status) => return Ok(child::exit_of(status).code()),
                Err(error) => error.into(),
            }
        };
        let parts = [b"failed to execute ".as_slice(), words[0].as_bytes()];
        complain(program, sentence(parts, error));
        Err(Ended(if error == Errno(libc::ENOMEM) { SYSTEM } else { UNAVAILABLE }))
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
    fn open(program: &OsStr, file: &OsStr, lock: Lock) -> Result<Self, Ended> {
        match lock::open_like_utility(file, lock) {
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

    fn descriptor(program: &OsStr, text: &OsStr) -> Result<Self, Ended> {
        let number = text.to_str().and_then(|text| text.trim_start().parse::<i32>().ok());
        let Some(number) = number else {
            let parts = [b"bad file descriptor: '".as_slice(), text.as_bytes(), b"'"].concat();
            complain(program, OsStr::from_bytes(&parts));
            return Err(Ended(USAGE));
        };
        match descriptor::inherited(number) {
            Ok(fd) => Ok(Self::Descriptor(number.to_string().into(), fd)),
            Err(errno) => {
                complain(program, format!("{number}: {errno}"));
                Err(Ended(DATA))
            }
        }
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

/// Whether it is `-c` with none or with too many arguments.
fn is_bare_shell(command: &[OsString]) -> bool {
    is_shell(command) && command.len() != 2
}

fn is_shell(command: &[OsString]) -> bool {
    command.first().is_some_and(|word| word == "-c" || word == "--command")
}

/// The words to execute, where there are any.
fn shell_command(command: &[OsString]) -> Option<Vec<OsString>> {
    if command.is_empty() {
        return None;
    }
    if !is_shell(command) {
        return Some(command.to_vec());
    }
    let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
    let shell = shell.unwrap_or_else(|| "/bin/sh".into());
    Some(vec![shell, "-c".into(), command[1].clone()])
}

/// Reads a number of seconds, as strtod(3) does.
fn seconds(program: &OsStr, text: &OsStr) -> Result<f64, Ended> {
    let number = text.to_str().and_then(|text| text.trim_start().parse().ok());
    number.ok_or_else(|| invalid(program, "invalid timeout value", text))
}

fn status(program: &OsStr, text: &OsStr) -> Result<u8, Ended> {
    let number = text.to_str().and_then(|text| text.trim_start().parse::<i64>().ok());
    let number = number.ok_or_else(|| invalid(program, "invalid exit code", text))?;
    u8::try_from(number).map_err(|_| {
        complain(program, "exit code out of range (expected 0 to 255)");
        Ended(USAGE)
    })
}

fn offset(program: &OsStr, what: &str, text: &OsStr) -> Result<i64, Ended> {
    let number = text.to_str().and_then(|text| text.trim_start().parse().ok());
    number.ok_or_else(|| invalid(program, &format!("invalid {what} value"), text))
}

fn invalid(program: &OsStr, reason: &str, text: &OsStr) -> Ended {
    let parts = [reason.as_bytes(), b": '", text.as_bytes(), b"'"].concat();
    complain(program, OsStr::from_bytes(&parts));
    Ended(USAGE)
}

/// Something in any bytes, and what the kernel says about it.
fn sentence<const N: usize>(parts: [&[u8]; N], errno: Errno) -> OsString {
    let mut sentence = OsStr::from_bytes(&parts.concat()).to_owned();
    sentence.push(format!(": {errno}"));
    sentence
}

fn answer(program: &OsStr, text: &str) -> u8 {
    let mut output = Output::new("flock", Verbosity::default());
    match output.text(text).and_then(|()| output.flush()) {
        Ok(()) => 0,
        Err(unwritable) => {
            complain(program, format!("write error: {}", unwritable.0));
            1
        }
    }
}
