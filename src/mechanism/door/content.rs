//! Bytes of any number on their way through a door: in memory, or in a file in memory.

use std::os::fd::{AsFd, OwnedFd};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::transfer;
use crate::sys::{heap, memfd, offset, poll, stream};

/// Bytes to send.
#[derive(Debug)]
pub enum Content {
    /// In memory.
    Bytes(Vec<u8>),
    /// In a sealed file, of so many bytes.
    File(OwnedFd, u64),
}

impl Default for Content {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl Content {
    /// The number of bytes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, length) => *length,
        }
    }

    /// The same in a sealed file.
    pub(super) fn into_file(self) -> Result<Self, Errno> {
        match self {
            Self::File(..) => Ok(self),
            Self::Bytes(bytes) => {
                let file = memfd::sealable()?;
                stream::write_at(&file, &bytes, 0)?;
                memfd::seal(&file)?;
                Ok(Self::File(file, bytes.len() as u64))
            }
        }
    }
}

/// Whether bytes were taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Outcome {
    /// They were.
    Taken,
    /// There are more than the limit.
    TooMany,
}

/// Bytes that arrive in pieces. More than a few are gathered in a file.
#[derive(Debug)]
pub struct Gather {
    bytes: Vec<u8>,
    file: Option<OwnedFd>,
    length: u64,
    /// The number of bytes up to which they stay in memory.
    few: usize,
    limit: u64,
}

impl Gather {
    /// No bytes yet, and `limit` at most; up to `few` stay in memory.
    pub fn new(few: usize, limit: u64) -> Self {
        Self { bytes: Vec::new(), file: None, length: 0, few, limit }
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// ENOMEM, EMFILE.
    pub fn push(&mut self, piece: &[u8]) -> Result<Outcome, Errno> {
        let length = self.length + piece.len() as u64;
        if length > self.limit {
            return Ok(Outcome::TooMany);
        }
        if self.file.is_none() && length > self.few as u64 {
            self.move_to_file()?;
        }
        match &self.file {
            Some(file) => stream::write_at(file, piece, self.length)?,
            None => heap::append(&mut self.bytes, piece)?,
        }
        self.length = length;
        Ok(Outcome::Taken)
    }

    fn move_to_file(&mut self) -> Result<(), Errno> {
        let file = memfd::sealable()?;
        stream::write_at(&file, &self.bytes, 0)?;
        self.file = Some(file);
        self.bytes = Vec::new();
        Ok(())
    }

    /// All bytes of a descriptor, which is read to its end.
    ///
    /// # Errors
    /// Those of read(2); ENOMEM, EMFILE.
    pub fn all_of(
        source: impl AsFd,
        few: usize,
        deadline: Deadline,
    ) -> Result<Waited<Content>, Errno> {
        let mut gather = Self::new(few, u64::MAX);
        let mut buffer = heap::zeros(BLOCK)?;
        let is_limited = deadline != Deadline::NEVER;
        // A transfer waits for some kinds of source without a limit.
        while is_limited || gather.file.is_none() {
            if is_limited && poll::readable(&source, deadline)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
            match stream::read(&source, &mut buffer)? {
                0 => return gather.finish().map(Waited::Done),
                count => {
                    let _: Outcome = gather.push(&buffer[..count])?;
                }
            }
        }
        if let Some(file) = &gather.file {
            offset::seek(file, gather.length)?;
            gather.length += transfer::copy(source, file, None).map_err(|error| error.errno)?;
        }
        gather.finish().map(Waited::Done)
    }

    /// The bytes that were gathered; a file is sealed now.
    ///
    /// # Errors
    /// Those of fcntl(2).
    pub fn finish(self) -> Result<Content, Errno> {
        let Some(file) = self.file else { return Ok(Content::Bytes(self.bytes)) };
        memfd::seal(&file)?;
        Ok(Content::File(file, self.length))
    }
}

/// The size of a block that is read.
const BLOCK: usize = 64 << 10;
