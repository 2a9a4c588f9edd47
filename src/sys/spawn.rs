//! Starting COMMANDs in ways that the standard library has not: the same one again and again, by
//! posix_spawn(3); and one that is told its own process ID.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};

use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};

use crate::errno::Errno;

/// A COMMAND with its words and its environment, found and ready to be started.
#[derive(Debug)]
pub struct Program {
    path: CString,
    words: Vec<CString>,
    environment: Vec<CString>,
    attributes: PosixSpawnAttr,
}

impl Program {
    /// Finds a COMMAND as a shell would. Variables whose names begin with one of `reserved` are
    /// not taken over from our own environment.
    ///
    /// # Errors
    /// ENOENT if there is none; EACCES if it may not be executed.
    pub fn find(words: &[OsString], reserved: &[&str]) -> Result<Self, Errno> {
        let inherited = std::env::vars_os().filter(|(name, _)| {
            !reserved.iter().any(|prefix| name.as_bytes().starts_with(prefix.as_bytes()))
        });
        let environment = inherited
            .map(|(name, value)| assignment(name.as_bytes(), value.as_bytes()))
            .collect::<Result<_, _>>()?;
        let name = words.first().map_or(OsStr::new(""), OsString::as_os_str);
        let strings = words.iter().map(|word| c_string(word.as_bytes().to_vec()));
        Ok(Self {
            path: look_up(name)?,
            words: strings.collect::<Result<_, _>>()?,
            environment,
            attributes: attributes()?,
        })
    }

    /// Starts it with this descriptor as its stdin and stdout, and with these variables besides
    /// its environment; returns its process ID. It gets our stderr, and no other descriptor that
    /// closes on exec.
    pub fn start(&self, stream: impl AsFd, variables: &[(&str, &[u8])]) -> Result<i32, Errno> {
        let fd = stream.as_fd().as_raw_fd();
        let mut actions = PosixSpawnFileActions::init()?;
        for standard in [libc::STDIN_FILENO, libc::STDOUT_FILENO] {
            actions.add_dup2(fd, standard)?;
        }
        let variables = variables
            .iter()
            .map(|(name, value)| assignment(name.as_bytes(), value))
            .collect::<Result<Vec<_>, _>>()?;
        let environment: Vec<&CStr> =
            self.environment.iter().chain(&variables).map(CString::as_c_str).collect();
        let path = self.path.as_c_str();
        let pid = posix_spawn(path, &actions, &self.attributes, &self.words, &environment)?;
        Ok(pid.as_raw())
    }
}

/// The next child that has ended, if one has.
pub fn reap() -> Option<(i32, ExitStatus)> {
    let mut status = 0;
    // SAFETY: the status lives through the call.
    match unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) } {
        pid if pid > 0 => Some((pid, ExitStatus::from_raw(status))),
        _ => None,
    }
}

/// The same COMMAND, which finds its own process ID in its environment under this name. This process
/// has no other thread when it starts it.
pub fn telling_own_pid(mut command: Command, variable: &'static str) -> Command {
    let mut child = Command::new(command.get_program());
    let become_it = move || {
        command.env(variable, std::process::id().to_string());
        // It comes back with the reason why it did not.
        Err(command.exec())
    };
    // SAFETY: the only thread that there was goes on in the child, so that all of its memory is as
    // it left it.
    unsafe { child.pre_exec(become_it) };
    child
}

/// An empty mask, and default dispositions; but for HUP, as a command under nohup(1) shall go on.
fn attributes() -> Result<PosixSpawnAttr, Errno> {
    let mut default = SigSet::all();
    default.remove(Signal::SIGHUP);
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_sigmask(&SigSet::empty())?;
    attributes.set_sigdefault(&default)?;
    let flags = PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF;
    attributes.set_flags(flags)?;
    Ok(attributes)
}

/// The file of a COMMAND: its own path if it has a slash, the first of that name in PATH if not.
fn look_up(name: &OsStr) -> Result<CString, Errno> {
    /// Where to look without a PATH, as execvp(3) does.
    const DEFAULT_PATH: &str = "/bin:/usr/bin";
    let candidates: Vec<Vec<u8>> = if name.as_bytes().contains(&b'/') {
        vec![name.as_bytes().to_vec()]
    } else {
        let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
        std::env::split_paths(&path).map(|at| at.join(name).into_os_string().into_vec()).collect()
    };
    let mut reason = Errno(libc::ENOENT);
    for candidate in candidates.into_iter().filter(|_| !name.is_empty()) {
        match fs::metadata(OsStr::from_bytes(&candidate)) {
            Ok(file) if file.is_file() && file.permissions().mode() & 0o111 != 0 => {
                return c_string(candidate);
            }
            Ok(_) => reason = Errno(libc::EACCES),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                reason = Errno(libc::EACCES);
            }
            Err(_) => {}
        }
    }
    Err(reason)
}

fn assignment(name: &[u8], value: &[u8]) -> Result<CString, Errno> {
    c_string([name, b"=", value].concat())
}

/// What comes from the kernel has no NUL inside; nothing else is handed to us.
fn c_string(bytes: Vec<u8>) -> Result<CString, Errno> {
    CString::new(bytes).map_err(|_| Errno(libc::EINVAL))
}
