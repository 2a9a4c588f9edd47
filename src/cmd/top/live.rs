//! The live screen: looks, keys, and the signals of a terminal.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::draw;
use super::state::{Next, State};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::io::output::Paint;
use crate::io::screen::{Keys, Screen};
use crate::mechanism::monitor::Monitor;
use crate::sys::signal::{self, Blocked};
use crate::sys::{poll, stream, time};

/// The time after which an escape character is the key and not the beginning of another one. On a slow line
/// a character takes a few milliseconds.
const ESCAPE: Duration = Duration::from_millis(100);

/// What ends the screen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// A key, or the end of the terminal.
    Quit,
    /// This signal.
    By(Signal),
}

/// A live screen.
#[derive(Debug)]
pub struct Live<'a> {
    state: &'a mut State,
    monitor: Monitor,
    screen: Screen,
    keys: Keys,
    input: BorrowedFd<'static>,
    signals: Blocked,
    /// The time of the next look.
    next: Deadline,
}

impl<'a> Live<'a> {
    /// Takes over the terminal.
    ///
    /// # Errors
    /// EIO if the terminal was hung up.
    pub fn open(
        state: &'a mut State,
        monitor: Monitor,
        (input, terminal): (BorrowedFd<'static>, BorrowedFd<'static>),
        paint: Paint,
    ) -> Result<Self, Errno> {
        let handled = [Signal::WINCH, Signal::CONT, Signal::TSTP, Signal::QUIT];
        let signals = Blocked::new(handled.into_iter().collect());
        let screen = Screen::open(terminal, paint)?;
        let (keys, next) = (Keys::default(), Deadline::PASSED);
        Ok(Self { state, monitor, screen, keys, input, signals, next })
    }

    /// Shows the screen until a key or a signal ends it.
    ///
    /// # Errors
    /// EIO if the terminal was hung up; EMFILE.
    pub fn run(mut self) -> Result<End, Errno> {
        let arrivals = self.signals.descriptor()?;
        loop {
            if self.next.has_passed() && !self.state.is_paused {
                self.look()?;
            } else {
                self.draw()?;
            }
            let _: Waited = poll::any_readable(&[self.input, arrivals.as_fd()], self.until())?;
            if let Some(end) = self.take_signals()? {
                return Ok(end);
            }
            if self.take_keys()? == Next::Quit {
                return Ok(End::Quit);
            }
        }
    }

    /// Looks, draws, and plans the next look by the cost of this one. The time that a slow line needs for the
    /// screen passes at least once more before the next look.
    fn look(&mut self) -> Result<(), Errno> {
        let (start, before) = (Instant::now(), time::of_cpu());
        let frame = self.monitor.look(time::monotonic());
        self.state.enter(frame, time::seconds());
        let drawn = Instant::now();
        self.draw()?;
        self.state.pace.spent(time::of_cpu().saturating_sub(before));
        let rest = self.state.pace.interval().saturating_sub(start.elapsed());
        self.next = Deadline::after(rest.max(drawn.elapsed()));
        Ok(())
    }

    fn draw(&mut self) -> Result<(), Errno> {
        if self.state.message.as_ref().is_some_and(|(_, until)| until.has_passed()) {
            self.state.message = None;
        }
        let buffer = draw::screen(self.state, self.screen.area());
        self.screen.show(buffer)
    }

    /// The moment at which something is to be done without a key or a signal.
    fn until(&self) -> Deadline {
        let next = if self.state.is_paused { Deadline::NEVER } else { self.next };
        let key = if self.keys.is_waiting() { Deadline::after(ESCAPE) } else { Deadline::NEVER };
        let message = self.state.message.as_ref().map_or(Deadline::NEVER, |(_, until)| *until);
        next.min(key).min(message)
    }

    fn take_signals(&mut self) -> Result<Option<End>, Errno> {
        while let Waited::Done(received) = self.signals.take(Deadline::PASSED)? {
            match received.signal {
                Signal::QUIT => return Ok(Some(End::By(Signal::QUIT))),
                Signal::TSTP => self.stop()?,
                // A shell, or the process that stopped this one, may have changed the terminal.
                Signal::CONT => self.screen.suspended(|| {})?,
                _ => {}
            }
        }
        Ok(None)
    }

    /// Stops with the terminal as it was, as a key asks for, and continues with the screen.
    fn stop(&mut self) -> Result<(), Errno> {
        let signals = &self.signals;
        self.screen.suspended(|| {
            signal::raise(Signal::TSTP);
            signals.lifted(|| {});
        })?;
        self.next = Deadline::PASSED;
        Ok(())
    }

    fn take_keys(&mut self) -> Result<Next, Errno> {
        let mut bytes = [0; 256];
        if poll::readable(self.input, Deadline::PASSED)? == Waited::Done(()) {
            match stream::read_at_once(self.input, &mut bytes) {
                Ok(0) | Err(Errno(libc::EIO)) => return Ok(Next::Quit),
                Ok(count) => self.keys.add(&bytes[..count]),
                Err(Errno(libc::EAGAIN)) => {}
                Err(errno) => return Err(errno),
            }
        } else if let Some(key) = self.keys.give_up() {
            return Ok(self.press(key));
        }
        while let Some(key) = self.keys.next() {
            if self.press(key) == Next::Quit {
                return Ok(Next::Quit);
            }
        }
        Ok(Next::Draw)
    }

    fn press(&mut self, key: crate::io::screen::Key) -> Next {
        let next = self.state.press(key);
        if next == Next::Redraw {
            self.screen.forget();
        }
        next
    }
}
