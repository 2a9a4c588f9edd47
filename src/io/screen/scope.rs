//! The scope in which a terminal is a screen: however it ends, the terminal is as before.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::errno::Errno;
use crate::sys::cleanup::{Registered, Undo};
use crate::sys::stream;
use crate::sys::termios::Settings;

/// The alternate screen, no cursor, and no line breaks at the last column: the private modes of xterm,
/// which other terminals ignore.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J";

/// The opposite, with the cursor on the last line for terminals without an alternate screen.
const LEAVE: &[u8] = b"\x1b[0m\x1b[?7h\x1b[999;1H\x1b[K\x1b[?25h\x1b[?1049l";

/// A terminal in its state for a screen. Dropping it, a fatal signal and a panic restore the terminal.
#[derive(Debug)]
pub struct Scope {
    restoring: Arc<Registered<Restoring>>,
    _before_panics: BeforePanics,
}

/// Restores the terminal.
#[derive(Debug)]
struct Restoring {
    terminal: BorrowedFd<'static>,
    before: Settings,
    is_screen: AtomicBool,
}

impl Undo for Restoring {
    fn undo(&self) {
        if self.is_screen.swap(false, Ordering::SeqCst) {
            let _ = self.before.apply(self.terminal);
            let _ = stream::write_at_once(self.terminal, LEAVE);
        }
    }
}

impl Restoring {
    fn make_screen(&self) -> Result<(), Errno> {
        self.is_screen.store(true, Ordering::SeqCst);
        self.before.for_keys().apply(self.terminal)?;
        stream::write(self.terminal, ENTER)
    }
}

impl Scope {
    /// Makes the terminal a screen.
    ///
    /// # Errors
    /// ENOTTY if it is no terminal; EIO if it was hung up.
    pub fn enter(terminal: BorrowedFd<'static>) -> Result<Self, Errno> {
        let before = Settings::of(terminal)?;
        let is_screen = AtomicBool::new(false);
        let restoring = Arc::new(Registered::new(Restoring { terminal, before, is_screen })?);
        let before_panics = BeforePanics::restore(Arc::clone(&restoring));
        let scope = Self { restoring, _before_panics: before_panics };
        scope.restoring.make_screen()?;
        Ok(scope)
    }

    /// Restores the terminal while `work` runs, which may stop the process. It may change the settings of
    /// the terminal, too, as a shell does.
    ///
    /// # Errors
    /// EIO if the terminal was hung up meanwhile.
    pub fn suspended(&self, work: impl FnOnce()) -> Result<(), Errno> {
        self.restoring.undo();
        work();
        self.restoring.make_screen()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.restoring.undo();
    }
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// Restores the terminal before the message of a panic, which would be lost on the alternate screen. The
/// release ends with the message, and drops nothing. Dropping it restores the former hook.
struct BeforePanics {
    former: Arc<Mutex<Option<Hook>>>,
}

impl BeforePanics {
    fn restore(restoring: Arc<Registered<Restoring>>) -> Self {
        let former = Arc::new(Mutex::new(Some(panic::take_hook())));
        let print = Arc::clone(&former);
        panic::set_hook(Box::new(move |information| {
            restoring.undo();
            if let Some(print) = &*print.lock().unwrap_or_else(PoisonError::into_inner) {
                print(information);
            }
        }));
        Self { former }
    }
}

impl Drop for BeforePanics {
    fn drop(&mut self) {
        // The hook of a thread that panics cannot be changed.
        if !std::thread::panicking() {
            drop(panic::take_hook());
            let former = self.former.lock().unwrap_or_else(PoisonError::into_inner).take();
            former.into_iter().for_each(panic::set_hook);
        }
    }
}

impl fmt::Debug for BeforePanics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BeforePanics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd, OwnedFd};

    use super::*;
    use crate::sys::terminal::{self, Pair};

    /// The hook for panics is that of the process, so that one scope at a time is tested.
    static ONE_SCOPE: Mutex<()> = Mutex::new(());

    /// A terminal that lives as long as the process.
    fn terminal() -> (OwnedFd, BorrowedFd<'static>) {
        let Pair { master, terminal } = terminal::create().unwrap();
        let terminal: &'static OwnedFd = Box::leak(Box::new(terminal));
        (master, terminal.as_fd())
    }

    fn written(master: &OwnedFd) -> Vec<u8> {
        let mut buffer = [0; 4096];
        let count = stream::read_at_once(master, &mut buffer).unwrap();
        buffer[..count].to_vec()
    }

    fn settings(terminal: BorrowedFd<'_>) -> String {
        format!("{:?}", Settings::of(terminal).unwrap())
    }

    #[test]
    fn the_terminal_is_as_before_after_the_scope_and_within_a_suspension() {
        let _alone = ONE_SCOPE.lock();
        let (master, terminal) = terminal();
        let before = settings(terminal);
        let scope = Scope::enter(terminal).unwrap();
        assert_eq!(written(&master), ENTER);
        scope
            .suspended(|| {
                assert_eq!(written(&master), LEAVE);
                assert_eq!(settings(terminal), before);
            })
            .unwrap();
        assert_eq!(written(&master), ENTER);
        drop(scope);
        assert_eq!(written(&master), LEAVE);
        assert_eq!(settings(terminal), before);
    }

    #[test]
    fn a_panic_restores_the_terminal_before_its_message() {
        let _alone = ONE_SCOPE.lock();
        let (master, terminal) = terminal();
        let before = settings(terminal);
        let panicked = panic::catch_unwind(|| {
            let _scope = Scope::enter(terminal).unwrap();
            panic!("this panic is part of a test");
        });
        assert!(panicked.is_err());
        let written = written(&master);
        assert!(written.starts_with(ENTER) && written.ends_with(LEAVE), "{written:?}");
        assert_eq!(settings(terminal), before);
    }
}
