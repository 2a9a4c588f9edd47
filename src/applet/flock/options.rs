//! The options of `flock`.

use std::ffi::{OsStr, OsString};
use std::num::{IntErrorKind, ParseIntError};
use std::os::unix::ffi::OsStrExt;

use super::super::getopt::{Known, Order, Takes, Word, Words};
use super::super::{answer, complain};
use super::{Ended, USAGE, sentence};
use crate::errno::Errno;
use crate::sys::lock::{Kind, Lock, Mode, Range};
use crate::units::Size;

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
    Line,
    Verbose,
    Help,
    Version,
}

const fn option(short: u8, long: Option<&'static str>, meaning: Meaning) -> (Known, Meaning) {
    use Meaning::{ConflictStatus, Descriptor, Length, Line, Start, Timeout};
    let takes = match meaning {
        Timeout | ConflictStatus | Start | Length | Descriptor | Line => Takes::Argument,
        _ => Takes::Nothing,
    };
    let short = if short == 0 { None } else { Some(short) };
    (Known { short, long, takes }, meaning)
}

/// In the order in which diagnostics of the original list them.
const OPTIONS: [(Known, Meaning); 19] = [
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
    option(b'c', Some("command"), Meaning::Line),
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
pub struct Options {
    /// Which lock.
    pub lock: Lock,
    /// Whether to give it back instead.
    pub unlock: bool,
    /// Whether to fail rather than wait.
    pub nonblock: bool,
    /// How many seconds to wait.
    pub timeout: Option<f64>,
    /// The status where it is not to be had.
    pub conflict_status: u8,
    /// Whether the command does not get the descriptor.
    pub close: bool,
    /// Whether to become the command.
    pub no_fork: bool,
    /// The number of a descriptor instead of a file.
    pub descriptor: Option<OsString>,
    /// What the shell shall run, where that stands before the file or there is none.
    pub line: Option<OsString>,
    /// Whether to say how it went.
    pub verbose: bool,
}

impl Options {
    /// Reads the command line; says what is wrong with it.
    pub fn parse(
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
            line: None,
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
                self.lock.range.start = offset(program, "start offset", &text)?;
            }
            Meaning::Length => {
                self.lock.kind = Kind::Ofd;
                self.lock.range.length = offset(program, "length of lock range", &text)?;
            }
            Meaning::Descriptor => self.descriptor = Some(text),
            Meaning::Line => self.line = Some(text),
            Meaning::Verbose => self.verbose = true,
            Meaning::Help => return Err(Ended(answer(program, HELP))),
            Meaning::Version => {
                let version = concat!("flock (ipc) ", env!("CARGO_PKG_VERSION"), "\n");
                return Err(Ended(answer(program, version)));
            }
        }
        Ok(())
    }
}

/// Reads a number of seconds, as strtod(3) does.
fn seconds(program: &OsStr, text: &OsStr) -> Result<f64, Ended> {
    let number = text.to_str().and_then(|text| text.trim_start().parse().ok());
    number.ok_or_else(|| invalid(program, "invalid timeout value", text))
}

fn status(program: &OsStr, text: &OsStr) -> Result<u8, Ended> {
    u8::try_from(integer(program, "invalid exit code", text)?).map_err(|_| {
        complain(program, "exit code out of range (expected 0 to 255)");
        Ended(USAGE)
    })
}

/// Reads an integer, as strtol(3) does, of 32 bits.
pub fn integer(program: &OsStr, reason: &str, text: &OsStr) -> Result<i32, Ended> {
    let digits = text.to_str().unwrap_or_default().trim_start();
    digits.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => {
            let parts = [reason.as_bytes(), b": '", text.as_bytes(), b"'"];
            complain(program, sentence(parts, Errno(libc::ERANGE)));
            Ended(USAGE)
        }
        _ => invalid(program, reason, text),
    })
}

fn offset(program: &OsStr, what: &str, text: &OsStr) -> Result<i64, Ended> {
    let size = text.to_str().and_then(|text| text.trim_start().parse().ok());
    let number = size.and_then(|Size(bytes)| i64::try_from(bytes).ok());
    number.ok_or_else(|| {
        let reason = Errno(libc::EINVAL);
        let parts = [b"invalid as ", what.as_bytes(), b": '", text.as_bytes(), b"'"];
        complain(program, sentence(parts, reason));
        Ended(USAGE)
    })
}

fn invalid(program: &OsStr, reason: &str, text: &OsStr) -> Ended {
    let parts = [reason.as_bytes(), b": '", text.as_bytes(), b"'"].concat();
    complain(program, OsStr::from_bytes(&parts));
    Ended(USAGE)
}
