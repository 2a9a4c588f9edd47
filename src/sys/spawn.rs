//! Starts COMMANDs, and becomes one: posix_spawn(3), execve(2).
//!
//! posix_spawn(3) shares the memory of this process until the COMMAND has its own, whereas fork(2)
//! would copy the page tables; that is a tenth of the time that a small program takes to start. C
//! libraries differ in the search for the file and in scripts without `#!`, so both are implemented
//! here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno as Reason;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::unistd::{AccessFlags, access, dup2_stderr, dup2_stdin, dup2_stdout, execve};

use crate::base::errno::Errno;
use crate::base::signal::Signal;

use super::descriptor;
use super::pidfd::Process;
use super::signal::{self, SignalSet};
use super::socket::Socket;

/// A COMMAND with its words and its environment, found and ready to be started.
#[derive(Debug)]
pub struct Program {
    path: CString,
    words: Vec<CString>,
    environment: Vec<CString>,
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
        let environment = std::env::vars_os();
        let environment = environment.map(|(name, value)| assignment(&name, value.as_bytes()));
        let name = words.first().map_or(OsStr::new(""), OsString::as_os_str);
        let strings = words.iter().map(|word| c_string(word.as_bytes().to_vec()));
        Ok(Self {
            path: look_up(name)?,
            words: strings.collect::<Result<_, _>>()?,
            environment: environment.collect::<Result<_, _>>()?,
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
        self.environment =
            self.environment(&[(name, value)])?.into_iter().map(Cow::into_owned).collect();
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
        if let Some(mut ours) = ours {
            ours.insert(pid, None);
        }
        Ok(Child { pid, ended: None, group: self.group })
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
        let has_name = |variable: &CStr, name: &str| {
            variable.to_bytes().strip_prefix(name.as_bytes()).is_some_and(|v| v.starts_with(b"="))
        };
        let stays = |own: &&CString| !variables.iter().any(|(name, _)| has_name(own, name));
        let own = self.environment.iter().filter(stays);
        let new = variables.iter().map(|(name, value)| assignment(OsStr::new(name), value));
        own.map(|own| Ok(Cow::from(own))).chain(new.map(|new| new.map(Cow::from))).collect()
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

/// A COMMAND that was started, and is a child of this process until it is reaped.
#[derive(Debug)]
pub struct Child {
    pid: i32,
    ended: Option<ExitStatus>,
    group: Group,
}

impl Child {
    /// Its process ID.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether it leads a process group of its own, which signals are sent to.
    pub fn leads_group(&self) -> bool {
        self.group == Group::Own
    }

    /// Whether its end is known.
    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Its status, if its end is known.
    pub fn status(&self) -> Option<ExitStatus> {
        self.ended
    }

    /// A process descriptor, for a wait with other descriptors.
    ///
    /// # Errors
    /// EMFILE if no descriptor is left; ESRCH if the child was reaped.
    pub fn process(&self) -> Result<Process, Errno> {
        // The process ID of a child that is not reaped is not reused.
        if self.ended.is_some() { Err(Errno(libc::ESRCH)) } else { Process::open(self.pid) }
    }

    /// Sends it a signal. If it has just ended, the caller sees its end next.
    ///
    /// The call uses the process ID, which is not reused before the child is reaped, and needs no
    /// descriptor: none may be left. A COMMAND in a process group of its own is reaped after the
    /// last wait for the group; until then the group keeps its ID.
    pub fn send(&self, signal: Signal) {
        if self.leads_group() {
            // SAFETY: the call takes numbers only.
            unsafe { libc::kill(-self.pid, signal.number()) };
            return;
        }
        let ours = init::children();
        let status = ours.as_ref().and_then(|ours| ours.get(&self.pid).copied().flatten());
        if self.ended.or(status).is_none() {
            // SAFETY: the call takes numbers only.
            unsafe { libc::kill(self.pid, signal.number()) };
        }
    }

    /// Its status, if it has ended. The first process of a PID namespace reaps orphans as well.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Errno> {
        if self.ended.is_none() {
            self.ended = match init::children() {
                Some(ours) => init::reap_all(ours, self.pid),
                None => wait_for(self.pid, libc::WNOHANG)?.map(|(_, status)| status),
            };
        }
        Ok(self.ended)
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> Result<ExitStatus, Errno> {
        let pid = self.pid as libc::id_t;
        if has_orphans() { self.wait_by(libc::P_PID, pid) } else { self.wait_here() }
    }

    /// Waits for its end; the caller has no other thread that waits for a child. The first process
    /// of a PID namespace also reaps orphans.
    pub fn wait_alone(&mut self) -> Result<ExitStatus, Errno> {
        if has_orphans() { self.wait_by(libc::P_ALL, 0) } else { self.wait_here() }
    }

    fn wait_here(&mut self) -> Result<ExitStatus, Errno> {
        loop {
            if let Some(status) = self.ended {
                return Ok(status);
            }
            self.ended = wait_for(self.pid, 0)?.map(|(_, status)| status);
        }
    }

    /// Sleeps until one of these children has ended, and repeats that until this one has.
    fn wait_by(&mut self, kind: libc::idtype_t, id: libc::id_t) -> Result<ExitStatus, Errno> {
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            match await_end(kind, id) {
                Ok(()) | Err(Errno(libc::EINTR)) => {}
                // Another thread may have reaped it.
                Err(errno) => return self.try_wait()?.ok_or(errno),
            }
        }
    }
}

/// Sleeps until one of these children has ended, without reaping it: waitid(2).
fn await_end(kind: libc::idtype_t, id: libc::id_t) -> Result<(), Errno> {
    let mut info = MaybeUninit::<libc::siginfo_t>::uninit();
    let options = libc::WEXITED | libc::WNOWAIT;
    // SAFETY: the structure outlives the call, and is not read.
    Errno::check(unsafe { libc::waitid(kind, id, info.as_mut_ptr(), options) })
}

/// Whether this is the first process of a PID namespace, which the kernel makes the parent of all
/// orphans.
pub fn has_orphans() -> bool {
    std::process::id() == 1
}

/// Reaps the orphans that have ended, if this is the first process of a PID namespace.
pub fn reap_orphans() {
    if let Some(ours) = init::children() {
        init::reap_all(ours, 0);
    }
}

/// The additional task of the first process of a PID namespace: it reaps orphans by waiting for any
/// child. Such a wait may reap a COMMAND that another thread waits for, so the status is kept for
/// that thread.
mod init {
    use super::{BTreeMap, ExitStatus, Mutex, MutexGuard, PoisonError, has_orphans, wait_for};

    /// The process IDs of COMMANDs, with the status of each that was reaped and not yet queried.
    type Children = BTreeMap<i32, Option<ExitStatus>>;

    static CHILDREN: Mutex<Children> = Mutex::new(BTreeMap::new());

    /// The COMMANDs of the first process; `None` in other processes, which wait only for their own
    /// children.
    pub fn children() -> Option<MutexGuard<'static, Children>> {
        has_orphans().then(|| CHILDREN.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reaps all children that have ended; returns the status of `pid`, if it has ended.
    pub fn reap_all(mut ours: MutexGuard<'_, Children>, pid: i32) -> Option<ExitStatus> {
        while let Ok(Some((ended, status))) = wait_for(-1, libc::WNOHANG) {
            ours.entry(ended).and_modify(|kept| *kept = Some(status));
        }
        let status = ours.get(&pid).copied().flatten()?;
        ours.remove(&pid);
        Some(status)
    }
}

/// waitpid(2); `None` if none has ended yet.
fn wait_for(which: i32, options: i32) -> Result<Option<(i32, ExitStatus)>, Errno> {
    let mut status = 0;
    loop {
        // SAFETY: the status outlives the call.
        match unsafe { libc::waitpid(which, &raw mut status, options) } {
            0 => return Ok(None),
            pid if pid > 0 => return Ok(Some((pid, ExitStatus::from_raw(status)))),
            _ => match Errno::last() {
                Errno(libc::EINTR) => {}
                errno => return Err(errno),
            },
        }
    }
}

/// A signal that musl reserves, and that its posix_spawn(3) unblocks in the calling thread. For
/// other C libraries it is the first real-time signal.
const LET_THROUGH: Signal = Signal::RTMIN;

/// Starts a COMMAND by fork(2), which keeps all blocked signals blocked.
fn fork(
    path: &CStr,
    words: &[&CStr],
    environment: &[Cow<'_, CStr>],
    (signals, group, announced_to): (Signals, Group, Option<i32>),
    streams: Streams<'_>,
) -> Result<i32, Reason> {
    let failed = |error: std::io::Error| Reason::from_raw(Errno::from(error).0);
    let text = |string: &CStr| OsStr::from_bytes(string.to_bytes()).to_owned();
    // `std` would search PATH again for a name without a slash.
    let mut command = Command::new(Path::new(".").join(text(path)));
    if let Some((name, arguments)) = words.split_first() {
        command.arg0(text(name)).args(arguments.iter().map(|word| text(word)));
    }
    command.env_clear().envs(environment.iter().filter_map(|variable| name_and_value(variable)));
    if let Some(input) = streams.input {
        command.stdin(input.try_clone_to_owned().map_err(failed)?);
    }
    if let Some(output) = streams.output {
        command.stdout(output.try_clone_to_owned().map_err(failed)?);
    }
    if let Some(errors) = streams.errors {
        command.stderr(errors.try_clone_to_owned().map_err(failed)?);
    }
    if group == Group::Own {
        command.process_group(0);
    }
    let inherited = streams.inherited.map(|fd| fd.map(|fd| fd.as_raw_fd()));
    let others: Vec<(i32, i32)> =
        streams.from_third.iter().map(AsRawFd::as_raw_fd).zip(THIRD..).collect();
    let begin = move || {
        if let Some(socket) = announced_to {
            announce(socket);
        }
        for &(fd, number) in &others {
            // SAFETY: the call takes numbers only.
            let changed = Errno::check(unsafe { libc::dup2(fd, number) }.min(0));
            changed.map_err(|Errno(errno)| std::io::Error::from_raw_os_error(errno))?;
        }
        for fd in inherited.into_iter().flatten() {
            // SAFETY: the call takes numbers only.
            let changed = Errno::check(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) });
            changed.map_err(|Errno(errno)| std::io::Error::from_raw_os_error(errno))?;
        }
        match signals {
            Signals::Clean => {
                signal::restore_dispositions();
                signal::unblock_all();
            }
            Signals::Inherited => signal::restore_dispositions_of_caller(),
        }
        Ok(())
    };
    // SAFETY: the closure only makes system calls, which are safe after fork(2).
    unsafe { command.pre_exec(begin) };
    Ok(command.spawn().map_err(failed)?.id() as i32)
}

/// Sends the process ID of this process to a socket, and waits for the answer. The peer may have ended,
/// which makes no difference here.
fn announce(socket: i32) {
    // SAFETY: the call takes no argument.
    let pid = unsafe { libc::getpid() }.to_ne_bytes();
    // SAFETY: the bytes outlive the call.
    let sent = unsafe { libc::send(socket, pid.as_ptr().cast(), pid.len(), libc::MSG_NOSIGNAL) };
    let mut answer = [0_u8; 1];
    if sent > 0 {
        // SAFETY: the byte outlives the call.
        unsafe { libc::recv(socket, answer.as_mut_ptr().cast(), answer.len(), 0) };
    }
}

/// Starts a child that runs `work` in a copy of the memory of this process, and exits with the status that
/// it returns: fork(2). The child has this thread alone, so that no other thread may hold a lock that
/// `work` needs. It has the mask of this thread.
///
/// # Errors
/// EAGAIN if a limit on processes is reached; ENOMEM.
pub fn start_copy(work: impl FnOnce() -> u8) -> Result<Child, Errno> {
    let ours = init::children();
    // SAFETY: the child makes use only of this thread, and ends within this function.
    match unsafe { libc::fork() } {
        -1 => Err(Errno::last()),
        0 => {
            drop(ours);
            let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            // SAFETY: the call takes a number only.
            unsafe { libc::_exit(worked.unwrap_or(u8::MAX).into()) }
        }
        pid => {
            if let Some(mut ours) = ours {
                ours.insert(pid, None);
            }
            Ok(Child { pid, ended: None, group: Group::Shared })
        }
    }
}

/// The name and the value of a variable, split at the first `=`.
fn name_and_value(variable: &CStr) -> Option<(&OsStr, &OsStr)> {
    let mut parts = variable.to_bytes().splitn(2, |&b| b == b'=').map(OsStr::from_bytes);
    Some((parts.next()?, parts.next()?))
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
