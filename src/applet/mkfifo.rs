//! `mkfifo` of GNU coreutils: mkfifo(1).

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::getopt::{Known, Misuse, Order, SharedWords, Takes, Word};
use super::quote::{Charset, quote};
use super::{answer, complain, complain_of_usage};
use crate::base::units::Mode;
use crate::mechanism::fifo;
use crate::sys::umask;

const CONTEXT: usize = 0;
const MODE: usize = 1;
const HELP: usize = 2;
const VERSION: usize = 3;

/// In the order of the original, which is that of its diagnostics.
const OPTIONS: [Known; 5] = [
    Known { short: None, long: Some("context"), takes: Takes::OptionalArgument },
    Known { short: Some(b'm'), long: Some("mode"), takes: Takes::Argument },
    Known { short: None, long: Some("help"), takes: Takes::Nothing },
    Known { short: None, long: Some("version"), takes: Takes::Nothing },
    Known { short: Some(b'Z'), long: None, takes: Takes::Nothing },
];

/// The permissions without `-m`, less the umask.
const DEFAULT_MODE: u32 = 0o666;

const PERMISSIONS: u32 = 0o777;

const FAILURE: u8 = 1;

const USAGE: &str = "\
Create named pipes (FIFOs) with the given NAMEs.

  -m, --mode=MODE    permissions as for chmod, rather than a=rw less the umask
  -Z, --context[=CONTEXT]
                     accepted; security contexts are those of the system
      --help         show this and end
      --version      show the version and end
";

/// Creates a FIFO for each operand; returns the exit status.
pub fn run(arguments: &[OsString]) -> u8 {
    let (program, words) =
        arguments.split_first().expect("the name of the program is the first argument");
    let mut names = Vec::new();
    let mut mode = None;
    for word in SharedWords::new(words, &OPTIONS, Order::Any) {
        match word {
            Ok(Word::Operand(name)) => names.push(name),
            Ok(Word::Option(MODE, text)) => mode = text,
            Ok(Word::Option(CONTEXT, Some(_))) => complain(
                program,
                "warning: ignoring --context; it requires an SELinux/SMACK-enabled kernel",
            ),
            Ok(Word::Option(HELP, _)) => return answer(program, &usage(program)),
            Ok(Word::Option(VERSION, _)) => {
                return answer(program, concat!("mkfifo (ipc) ", env!("CARGO_PKG_VERSION"), "\n"));
            }
            Ok(Word::Option(..)) => {}
            Err(misuse) => return refuse(program, &misuse),
        }
    }
    if names.is_empty() {
        return refuse(program, &Misuse::new("missing operand"));
    }
    match mode.as_deref().map(permissions).transpose() {
        Ok(mode) => create(program, &names, mode),
        Err(sentence) => {
            complain(program, sentence);
            FAILURE
        }
    }
}

fn create(program: &OsStr, names: &[OsString], mode: Option<u32>) -> u8 {
    let mut status = 0;
    for name in names {
        let created = match mode {
            Some(mode) => fifo::create(Path::new(name), mode),
            None => fifo::create_less_umask(Path::new(name), DEFAULT_MODE),
        };
        if let Err(errno) = created {
            let name = quote(name, Charset::of_locale());
            complain(program, format!("cannot create fifo {name}: {errno}"));
            status = FAILURE;
        }
    }
    status
}

/// The permissions of a mode.
fn permissions(text: &OsStr) -> Result<u32, &'static str> {
    let mode: Option<Mode> = text.to_str().and_then(|text| text.parse().ok());
    let mode = mode.ok_or("invalid mode")?.apply(DEFAULT_MODE, umask::current());
    if mode & !PERMISSIONS != 0 {
        return Err("mode must specify only file permission bits");
    }
    Ok(mode)
}

fn usage(program: &OsStr) -> String {
    format!("Usage: {} [OPTION]... NAME...\n{USAGE}", program.to_string_lossy())
}

fn refuse(program: &OsStr, misuse: &Misuse) -> u8 {
    complain_of_usage(program, misuse.sentence());
    FAILURE
}
