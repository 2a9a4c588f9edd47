//! Starts COMMANDs, and becomes one: posix_spawn(3), execve(2).
//!
//! posix_spawn(3) shares the memory of this process until the COMMAND has its own, whereas fork(2)
//! would copy the page tables; that is a tenth of the time that a small program takes to start. C
//! libraries differ in the search for the file and in scripts without `#!`, so both are implemented
//! here.

mod child;
mod fork;

use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::errno::Errno as Reason;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::unistd::{AccessFlags, access, dup2_stderr, dup2_stdin, dup2_stdout, execve};

use crate::base::errno::Errno;
use crate::base::signal::Signal;

use self::child::init;
pub use self::child::{Child, has_orphans, reap_orphans};
pub use self::fork::start_copy;
use self::fork::{LET_THROUGH, fork};
use super::signal::{self, SignalSet};
use super::socket::Socket;
use super::{descriptor, environment};

/// A COMMAND with its words and its environment, found and ready to be started.
#[derive(Debug)]
pub struct Program {
    path: CString,
    words: Vec<CString>,
    environment: Vec<Cow<'static, CStr>>,
    group: Group,
    /// The socket to which each process that may become the COMMAND sends its process ID.
    announced_to: Option<Socket>,
}

/// The process group of a COMMAND.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Group {
    /// The group of this process.
    Shared,
    /// A new group, whose ID is the process ID of the COMMAND.
    Own,
}

/// The dispositions and the mask that a COMMAND begins with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signals {
    /// All dispositions are the default, and no signal is blocked. HUP keeps the disposition of
    /// this process, so that a command under nohup(1) survives a hang-up.
    Clean,
    /// The dispositions and the mask that this process inherited from its caller.
    Inherited,
}

/// The first number above the three standard descriptors.
const THIRD: i32 = 3;

/// The stdin, stdout and stderr of a COMMAND; `None` is the descriptor of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Streams<'a> {
    /// Its stdin.
    pub input: Option<BorrowedFd<'a>>,
    /// Its stdout.
    pub output: Option<BorrowedFd<'a>>,
    /// Its stderr.
    pub errors: Option<BorrowedFd<'a>>,
    /// Other descriptors that it inherits, under the same numbers.
    pub inherited: [Option<BorrowedFd<'a>>; 2],
    /// The text that replaces each `{}` in its arguments.
    pub inserted: Option<&'a CStr>,
    /// Descriptors that it gets from number 3 up. Their own numbers are above those.
    pub from_third: &'a [BorrowedFd<'a>],
}

impl<'a> Streams<'a> {
    /// One descriptor for stdin and stdout, such as a socket.
    pub fn both(both: &'a impl AsFd) -> Self {
        Self { input: Some(both.as_fd()), output: Some(both.as_fd()), ..Self::default() }
    }

    /// A descriptor for stdin only.
    pub fn reading(input: &'a impl AsFd) -> Self {
        Self { input: Some(input.as_fd()), ..Self::default() }
    }

    /// Each descriptor with its number in the COMMAND.
    fn numbered(self) -> impl Iterator<Item = (BorrowedFd<'a>, i32)> {
        let standard = [
            (self.input, libc::STDIN_FILENO),
            (self.output, libc::STDOUT_FILENO),
            (self.errors, libc::STDERR_FILENO),
        ];
        let others = self.from_third.iter().copied().zip(THIRD..);
        standard.into_iter().filter_map(|(fd, number)| Some((fd?, number))).chain(others)
    }
}

impl Program {
    /// Finds a COMMAND as a shell does: a word with a slash is a path; another word is searched for
    /// in PATH.
    ///
    /// # Errors
    /// ENOENT if the file does not exist; EACCES if it is not executable.
    pub fn find(words: &[OsString]) -> Result<Self, Errno> {
        let name = words.first().map_or(OsStr::new(""), OsString::as_os_str);
        let strings = words.iter().map(|word| c_string(word.as_bytes().to_vec()));
        Ok(Self {
            path: look_up(name)?,
            words: strings.collect::<Result<_, _>>()?,
            environment: environment::variables().map(Cow::from).collect(),
            group: Group::Shared,
            announced_to: None,
        })
    }

    /// Starts it in a process group of its own.
    pub fn in_own_group(self) -> Self {
        Self { group: Group::Own, ..self }
    }

    /// Sends its process ID to a seqpacket socket before it runs, and waits for an answer or for the end
    /// of the peer. So the peer knows it, even if this process is killed while it starts.
    pub fn announced_to(self, socket: Socket) -> Self {
        Self { announced_to: Some(socket), ..self }
    }

    /// Adds a variable to its environment, which replaces one of the same name.
    ///
    /// # Errors
    /// EINVAL for a value with a NUL.
    pub fn with(mut self, name: &str, value: &[u8]) -> Result<Self, Errno> {
        let new = assignment(OsStr::new(name), value)?;
        self.environment.retain(|own| !has_name(own, name));
        self.environment.push(new.into());
        Ok(self)
    }

    /// Removes the variables that begin with one of these from its environment.
    pub fn without(mut self, prefixes: &[impl AsRef<str>]) -> Self {
        self.environment.retain(|variable| {
            !prefixes
                .iter()
                .any(|prefix| variable.to_bytes().starts_with(prefix.as_ref().as_bytes()))
        });
        self
    }

    /// Starts it, with these variables added to its environment. It inherits the other descriptors
    /// that do not close on exec.
    ///
    /// # Errors
    /// Those of posix_spawn(3) or fork(2), and of execve(2).
    pub fn start(
        &self,
        signals: Signals,
        streams: Streams<'_>,
        variables: &[(&str, &[u8])],
    ) -> Result<Child, Errno> {
        let environment = self.environment(variables)?;
        // The lock keeps other threads of the first process from reaping the child before it is
        // registered.
        let ours = init::children();
        let announced_to = self.announced_to.as_ref().map(|socket| socket.as_fd().as_raw_fd());
        let pid = if signal::mask().contains(LET_THROUGH) || announced_to.is_some() {
            let start = (signals, self.group, announced_to);
            let fork =
                |path: &CStr, words: &[&CStr]| fork(path, words, &environment, start, streams);
            self.execute(streams.inserted, fork)?
        } else {
            self.spawn(signals, streams, &environment)?
        };
        Ok(Child::new(pid, self.group, ours))
    }

    fn spawn(
        &self,
        signals: Signals,
        streams: Streams<'_>,
        environment: &[Cow<'_, CStr>],
    ) -> Result<i32, Errno> {
        let mut actions = PosixSpawnFileActions::init()?;
        for (fd, number) in streams.numbered() {
            actions.add_dup2(fd.as_raw_fd(), number)?;
        }
        for fd in streams.inherited.into_iter().flatten() {
            // A descriptor duplicated onto itself stays open in the COMMAND; it still closes on
            // exec elsewhere.
            actions.add_dup2(fd.as_raw_fd(), fd.as_raw_fd())?;
        }
        let attributes = attributes(signals, self.group)?;
        let spawn = |path: &CStr, words: &[&CStr]| {
            posix_spawn(path, &actions, &attributes, words, environment)
        };
        Ok(self.execute(streams.inserted, spawn)?.as_raw())
    }

    /// Becomes it, with the dispositions and the mask of this process; returns only if that fails.
    pub fn exec(&self, streams: Streams<'_>, variables: &[(&str, &[u8])]) -> Errno {
        self.try_exec(streams, variables).expect_err("a success does not return")
    }

    fn try_exec(
        &self,
        streams: Streams<'_>,
        variables: &[(&str, &[u8])],
    ) -> Result<std::convert::Infallible, Errno> {
        streams.input.map_or(Ok(()), dup2_stdin)?;
        streams.output.map_or(Ok(()), dup2_stdout)?;
        streams.errors.map_or(Ok(()), dup2_stderr)?;
        for (&fd, number) in streams.from_third.iter().zip(THIRD..) {
            descriptor::duplicate(fd, number)?;
        }
        let environment = self.environment(variables)?;
        Ok(self.execute(streams.inserted, |path, words| execve(path, words, &environment))?)
    }

    /// Its environment; these variables replace variables of the same names.
    fn environment(&self, variables: &[(&str, &[u8])]) -> Result<Vec<Cow<'_, CStr>>, Errno> {
        let stays = |own: &&Cow<CStr>| !variables.iter().any(|(name, _)| has_name(own, name));
        let own = self.environment.iter().filter(stays);
        let new = variables.iter().map(|(name, value)| assignment(OsStr::new(name), value));
        own.map(|own| Ok(Cow::Borrowed(&**own))).chain(new.map(|new| new.map(Cow::from))).collect()
    }

    /// Its words; each `{}` in its arguments is replaced, as by find(1).
    fn words_with(&self, inserted: Option<&CStr>) -> Vec<Cow<'_, CStr>> {
        let Some(inserted) = inserted else {
            return self.words.iter().map(|word| Cow::from(word.as_c_str())).collect();
        };
        let words = self.words.iter().enumerate().map(|(index, word)| match index {
            0 => Cow::from(word.as_c_str()),
            _ => Cow::from(replaced(word, inserted)),
        });
        words.collect()
    }

    /// Executes the file. If the kernel does not know its format, sh(1) executes it, as for
    /// execvp(3) of glibc and for every shell.
    fn execute<T>(
        &self,
        inserted: Option<&CStr>,
        mut execute: impl FnMut(&CStr, &[&CStr]) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        const SHELL: &CStr = c"/bin/sh";
        let words = self.words_with(inserted);
        let words: Vec<&CStr> = words.iter().map(AsRef::as_ref).collect();
        match execute(&self.path, &words) {
            Err(Reason::ENOEXEC) => {
                let script = [SHELL, self.path.as_c_str()].into_iter();
                let words: Vec<&CStr> = script.chain(words.into_iter().skip(1)).collect();
                execute(SHELL, &words)
            }
            executed => executed,
        }
    }
}

/// A word in which each `{}` is replaced.
fn replaced(word: &CStr, text: &CStr) -> CString {
    let (mut bytes, mut rest) = (Vec::new(), word.to_bytes());
    while let Some(at) = rest.windows(2).position(|pair| pair == b"{}") {
        bytes.extend_from_slice(&rest[..at]);
        bytes.extend_from_slice(text.to_bytes());
        rest = &rest[at + 2..];
    }
    bytes.extend_from_slice(rest);
    CString::new(bytes).expect("neither has a NUL")
}

/// Whether a variable has this name.
fn has_name(variable: &CStr, name: &str) -> bool {
    variable.to_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
}

fn attributes(signals: Signals, group: Group) -> Result<PosixSpawnAttr, Errno> {
    let mut attributes = PosixSpawnAttr::init()?;
    let (default, mask) = match signals {
        Signals::Clean => {
            let named = Signal::all().filter(|&signal| signal != Signal::HUP);
            (named.chain(signal::kept_by_c_libraries()).collect(), SignalSet::default())
        }
        Signals::Inherited => (signal::defaults_of_caller(), signal::mask()),
    };
    attributes.set_sigdefault(&default.for_c_library())?;
    attributes.set_sigmask(&mask.for_c_library())?;
    let mut flags =
        PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF;
    // The group is 0 by default: a new group of the COMMAND itself.
    flags.set(PosixSpawnFlags::POSIX_SPAWN_SETPGROUP, group == Group::Own);
    attributes.set_flags(flags)?;
    Ok(attributes)
}

fn look_up(name: &OsStr) -> Result<CString, Errno> {
    /// The search path without PATH, as for execvp(3).
    const DEFAULT_PATH: &str = "/bin:/usr/bin";
    if name.as_bytes().contains(&b'/') {
        check(Path::new(name))?;
        return c_string(name.as_bytes().to_vec());
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    let mut reason = Errno(libc::ENOENT);
    for directory in std::env::split_paths(&path).filter(|_| !name.is_empty()) {
        let candidate = directory.join(name);
        match check(&candidate) {
            Ok(()) => return c_string(candidate.into_os_string().into_vec()),
            Err(Errno(libc::EACCES)) => reason = Errno(libc::EACCES),
            Err(_) => {}
        }
    }
    Err(reason)
}

/// Checks that a path is an executable file.
///
/// # Errors
/// EACCES if the file exists and is not executable; those of stat(2).
fn check(path: &Path) -> Result<(), Errno> {
    let is_file = fs::metadata(path)?.is_file();
    if is_file && access(path, AccessFlags::X_OK).is_ok() {
        Ok(())
    } else {
        Err(Errno(libc::EACCES))
    }
}

fn assignment(name: &OsStr, value: &[u8]) -> Result<CString, Errno> {
    c_string([name.as_bytes(), b"=", value].concat())
}

/// Converts a string of the kernel, which has no NUL inside.
fn c_string(bytes: Vec<u8>) -> Result<CString, Errno> {
    CString::new(bytes).map_err(|_| Errno(libc::EINVAL))
}
