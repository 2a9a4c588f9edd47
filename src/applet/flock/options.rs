//! The options of `flock`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::super::getopt::{Known, Order, SharedWords, Takes, Word, Wrong};
use super::super::{answer, complain, complain_of_usage};
use super::numbers::{self, Bad};
use super::{Ended, USAGE, sentence};
use crate::base::errno::Errno;
use crate::mechanism::lock::{Kind, Lock, Mode, Range};

/// The meaning of an option.
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

/// In the order in which messages of util-linux list them.
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
 flock [options] --fd <file descriptor number> <command> [<argument>...]
 flock [options] --fd <file descriptor number> -c <command>

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
     --fd <number>        lock this descriptor and run the command
     --fcntl              lock with fcntl(2), of the open file
     --start <offset>     lock from this byte on (implies --fcntl)
     --length <number>    lock this many bytes (implies --fcntl)
     --verbose            say how long it took, or why there is no lock

 -h, --help               show this and end
 -V, --version            show the version and end
";

/// The values of the options.
#[derive(Debug)]
pub struct Options {
    /// The lock.
    pub lock: Lock,
    /// Whether to release it instead.
    pub unlock: bool,
    /// Whether to fail rather than wait.
    pub nonblock: bool,
    /// The timeout in microseconds; `Some(None)` is beyond the range of timers.
    pub timeout: Option<Option<i64>>,
    /// The status if the lock cannot be acquired.
    pub conflict_status: u8,
    /// Whether to close the descriptor in the command.
    pub close: bool,
    /// Whether to become the command.
    pub no_fork: bool,
    /// A descriptor instead of a file.
    pub descriptor: Option<i32>,
    /// Whether -c precedes the operands: the operand is a line for the shell.
    pub line: bool,
    /// Whether to report the result.
    pub verbose: bool,
}

/// A parsed command line.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// The options.
    pub options: Options,
    /// The operands.
    pub operands: &'a [OsString],
    /// The word before the operands.
    pub last_option: &'a OsStr,
}

impl Options {
    const DEFAULT: Self = Self {
        lock: Lock {
            kind: Kind::Flock,
            mode: Mode::Exclusive,
            range: Range { start: 0, length: 0 },
        },
        unlock: false,
        nonblock: false,
        timeout: None,
        conflict_status: 1,
        close: false,
        no_fork: false,
        descriptor: None,
        line: false,
        verbose: false,
    };

    /// Parses the command line; prints its errors.
    pub fn parse<'a>(
        called: &'a OsStr,
        program: &OsStr,
        all: &'a [OsString],
    ) -> Result<Parsed<'a>, Ended> {
        let mut options = Self::DEFAULT;
        let known = OPTIONS.map(|(known, _)| known);
        let mut words = SharedWords::new(all, &known, Order::OptionsFirst);
        let mut operands: &[OsString] = &[];
        while let Some(word) = words.next() {
            match word {
                Ok(Word::Operand(_)) => {
                    operands = &all[all.len() - words.left() - 1..];
                    break;
                }
                Ok(Word::Option(index, argument)) => {
                    options.set(program, OPTIONS[index].1, argument.unwrap_or_default())?;
                }
                Err(misuse) => match words.latest().map_or(called, OsString::as_os_str) {
                    // It is an option only behind all others.
                    latest if is_line(latest) => options.line = true,
                    latest => return Err(misused(program, misuse.what(), latest)),
                },
            }
        }
        let before = all.len() - operands.len();
        let last_option = all[..before].last().map_or(called, OsString::as_os_str);
        Ok(Parsed { options, operands, last_option })
    }

    fn set(&mut self, program: &OsStr, meaning: Meaning, text: OsString) -> Result<(), Ended> {
        match meaning {
            Meaning::Shared => self.lock.mode = Mode::Shared,
            Meaning::Exclusive => self.lock.mode = Mode::Exclusive,
            Meaning::Unlock => self.unlock = true,
            Meaning::Nonblock => self.nonblock = true,
            Meaning::Timeout => {
                let seconds = or_end(program, "invalid timeout", &text, numbers::seconds)?;
                self.timeout = Some(microseconds(seconds));
            }
            Meaning::ConflictStatus => {
                let reason = "invalid exit code (allowed values: 0-255)";
                let read = |text: &OsStr| numbers::unsigned(text, u8::MAX.into());
                self.conflict_status = or_end(program, reason, &text, read)? as u8;
            }
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
            Meaning::Descriptor => self.descriptor = Some(descriptor(program, &text)?),
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

/// Whether a line for the shell follows this word.
pub fn is_line(word: &OsStr) -> bool {
    word == "-c" || word == "--command"
}

/// Reports an unknown or incomplete option.
fn misused(program: &OsStr, what: Wrong, word: &OsStr) -> Ended {
    let word = word.as_bytes();
    let parts = match what {
        Wrong::Argument => [b"option '".as_slice(), word, b"' requires an argument"],
        Wrong::Word => [b"unrecognized option '".as_slice(), word, b"'"],
    };
    complain_of_usage(program, OsStr::from_bytes(&parts.concat()));
    Ended(USAGE)
}

/// Reads a descriptor. A negative one counts as missing.
pub fn descriptor(program: &OsStr, text: &OsStr) -> Result<i32, Ended> {
    let read = |text: &OsStr| numbers::signed(text, i32::MAX.into());
    let number = or_end(program, "invalid file descriptor", text, read)?;
    Ok(i32::try_from(number).unwrap_or(-1))
}

/// Reads an offset or a length. The kernel checks the range.
fn offset(program: &OsStr, what: &str, text: &OsStr) -> Result<i64, Ended> {
    let reason = format!("invalid as {what}");
    let number = numbers::size(text).map_err(|bad| {
        let errno = if bad == Bad::Range { libc::ERANGE } else { libc::EINVAL };
        invalid(program, &reason, text, Some(Errno(errno)))
    })?;
    Ok(number as i64)
}

/// Converts seconds to microseconds.
fn microseconds(seconds: f64) -> Option<i64> {
    /// The first number of seconds beyond the range of timers.
    const BEYOND: f64 = (1_u64 << 63) as f64;
    let whole = seconds.trunc();
    if whole.is_nan() || whole.abs() >= BEYOND {
        return None;
    }
    let fraction = ((seconds - whole) * 1e6) as i64;
    Some((whole as i64).saturating_mul(1_000_000).saturating_add(fraction))
}

/// Reads a number by `read`, or reports why it is malformed.
fn or_end<T>(
    program: &OsStr,
    reason: &str,
    text: &OsStr,
    read: impl Fn(&OsStr) -> Result<T, Bad>,
) -> Result<T, Ended> {
    read(text).map_err(|bad| {
        let errno = (bad == Bad::Range).then_some(Errno(libc::ERANGE));
        invalid(program, reason, text, errno)
    })
}

fn invalid(program: &OsStr, reason: &str, text: &OsStr, errno: Option<Errno>) -> Ended {
    let parts = [reason.as_bytes(), b": '", text.as_bytes(), b"'"];
    match errno {
        Some(errno) => complain(program, sentence(parts, errno)),
        None => complain(program, OsStr::from_bytes(&parts.concat())),
    }
    Ended(USAGE)
}
