//! The entry point of the program: arguments, standard descriptors, privileges.

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::stdio::Stream;

/// Defines the C function `main` that runs this library, or the function that is given.
///
/// It replaces the entry point of Rust for two reasons: the run-time of Rust opens `/dev/null` in
/// place of a closed standard descriptor, where output is lost without an error; and a start without
/// that run-time is a third faster.
#[macro_export]
macro_rules! entry_point {
    () => {
        $crate::entry_point!($crate::run);
    };
    ($run:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn main(
            count: std::ffi::c_int,
            arguments: *const *const std::ffi::c_char,
        ) -> std::ffi::c_int {
            // SAFETY: these are the arguments that the C library passes to main.
            unsafe { $crate::start(count, arguments, $run) }
        }
    };
}

/// Prepares the process and runs `run` to its exit status.
///
/// # Safety
/// `arguments` points to `count` strings that nothing changes, as the argument of main does.
pub unsafe fn start(
    count: c_int,
    arguments: *const *const c_char,
    run: fn(Vec<OsString>) -> u8,
) -> c_int {
    // SAFETY: the caller guarantees the same.
    let arguments = unsafe { collect(count, arguments) };
    occupy_standard_descriptors();
    super::signal::let_writes_fail();
    run(arguments).into()
}

/// Whether the executable gives this process privileges that its caller does not have.
pub fn is_privileged_by_file() -> bool {
    // SAFETY: the call takes a number and returns one.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// # Safety
/// As for [`start`].
unsafe fn collect(count: c_int, arguments: *const *const c_char) -> Vec<OsString> {
    (0..usize::try_from(count).unwrap_or(0))
        .map(|index| {
            // SAFETY: the index is below the count.
            let argument = unsafe { arguments.add(index) };
            // SAFETY: it points to an element of the array.
            let argument = unsafe { *argument };
            // SAFETY: each element is a string that ends with NUL.
            let argument = unsafe { CStr::from_ptr(argument) };
            OsStr::from_bytes(argument.to_bytes()).to_owned()
        })
        .collect()
}

/// Opens `/dev/null` in place of each closed standard descriptor, so that no file that is opened
/// later becomes stdin or stdout. It is opened for the wrong direction: a transfer fails with EBADF, as
/// with the closed descriptor.
fn occupy_standard_descriptors() {
    for (stream, wrong_direction) in [
        (Stream::Input, OFlag::O_WRONLY),
        (Stream::Output, OFlag::O_RDONLY),
        (Stream::Error, OFlag::O_RDONLY),
    ] {
        if is_open(stream) {
            continue;
        }
        super::descriptor::mark_closed(stream.fd().as_raw_fd());
        if let Ok(fd) = open("/dev/null", wrong_direction | OFlag::O_CLOEXEC, Mode::empty()) {
            // It has the lowest free number, which is that of the stream.
            std::mem::forget(fd);
        }
    }
}

/// Whether a descriptor is open. The function of nix would bring a table of all operations of fcntl(2)
/// into the start of every command.
fn is_open(stream: Stream) -> bool {
    // SAFETY: the call takes numbers and returns one.
    unsafe { libc::fcntl(stream.fd().as_raw_fd(), libc::F_GETFD) != -1 }
}

// The standard library needs the unwinder to print a panic. It is linked from the archive, because
// loading it as a shared library would take an eighth of the whole start.
#[cfg(all(target_os = "linux", target_env = "gnu", not(target_feature = "crt-static")))]
#[link(name = "gcc_eh")]
unsafe extern "C" {}
