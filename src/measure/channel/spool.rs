//! Channels of durable queues in directories. Each message is synced before it can be taken, and is
//! removed when it has been read.

use std::path::PathBuf;
use std::time::Duration;

use super::{Ends, Input, Meeting, Output, Side};
use crate::base::deadline::{Deadline, Waited};
use crate::measure::control::Control;
use crate::measure::names::Names;
use crate::measure::trial::{Error, Pace, Trial};
use crate::mechanism::spool::directory::{self, Spool};
use crate::mechanism::spool::feed::{Feed, Policy};
use crate::mechanism::spool::history::Keep;
use crate::mechanism::spool::part::Part;
use crate::mechanism::spool::put::{Draft, Label};
use crate::sys::eventfd::Bell;
use crate::sys::stream;

/// A spool to take messages from.
pub struct Taker {
    feed: Feed,
    never: Bell,
    pace: Pace,
    buffer: Vec<u8>,
}

impl Input for Taker {
    fn receive(&mut self) -> Result<&[u8], Error> {
        let claim = loop {
            if let Some(claim) = self.feed.claim().map_err(Error::of("claim"))? {
                break claim;
            }
            if self.pace == Pace::Blocking {
                let waited = self.feed.wait(&self.never, Deadline::NEVER);
                let _: Waited = waited.map_err(Error::of("wait"))?;
            }
        };
        let file = claim.input(&self.feed.spool).map_err(Error::of("open"))?;
        let length = stream::read_at(&file, &mut self.buffer, 0).map_err(Error::of("read"))?;
        claim.remove(&self.feed.spool).map_err(Error::of("unlink"))?;
        Ok(&self.buffer[..length])
    }
}

/// A spool to put messages into.
pub struct Putter(Spool);

impl Output for Putter {
    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        let put = || {
            let draft = Draft::new(&self.0, &Label::default())?;
            stream::write(draft.file(), message)?;
            draft.publish()?;
            self.0.sync(Part::Ready)
        };
        put().map_err(Error::of("put"))
    }
}

/// Two spools, by their paths.
struct Spools {
    forth: PathBuf,
    back: PathBuf,
    trial: Trial,
}

/// Two spools in the directory for temporary files.
pub fn spools(trial: &Trial, names: &mut Names) -> Result<Box<dyn Meeting>, Error> {
    let mut spool = || {
        let path = names.directory();
        Spool::create(&path, 0o700).map_err(error)?;
        Ok::<_, Error>(path)
    };
    Ok(Box::new(Spools { forth: spool()?, back: spool()?, trial: trial.clone() }))
}

fn error(error: directory::Error) -> Error {
    match error {
        directory::Error::Kernel(errno) => Error::Kernel("spool", errno),
        _ => Error::Wrong("not a spool"),
    }
}

impl Meeting for Spools {
    fn join(self: Box<Self>, side: Side, _: &Control) -> Result<Ends, Error> {
        let (input, output) = match side {
            Side::Receiver => (self.forth, self.back),
            Side::Sender(_) => (self.back, self.forth),
        };
        let spool = Spool::open(&input).map_err(error)?;
        let policy = Policy { keep: Keep(Duration::ZERO), attempts: None };
        let taker = Taker {
            feed: Feed::new(spool, policy).map_err(Error::of("spool"))?,
            never: Bell::new().map_err(Error::of("eventfd"))?,
            pace: self.trial.pace,
            // A byte more than a message has shows one that is too long.
            buffer: vec![0; self.trial.size + 1],
        };
        Ok((Box::new(taker), Box::new(Putter(Spool::open(&output).map_err(error)?))))
    }
}
