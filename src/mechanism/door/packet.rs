//! The packets of a door: their header, their contents, and the descriptors that come with them.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::base::errno::Errno;
use crate::mechanism::door::content::Content;
use crate::sys::socket::{Carried, Socket};
use crate::sys::{heap, inode, memfd, stream};

/// The first bytes of every packet.
const MAGIC: [u8; 4] = *b"door";

/// The version of the format.
const VERSION: u16 = 1;

/// The length of the header.
pub const HEADER: usize = 32;

/// The length of the longest packet: a send buffer of the default size, less the kernel's record.
pub const PACKET_MAX: usize = 212_960;

/// The flags of the two contents: each may be in a file.
const IN_FILE: [u32; 2] = [1, 2];

/// What a packet is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A call: the first content is the argument, and the number that of the descriptors lent.
    Call = 1,
    /// Its answer: the contents are stdout and stderr, and the number is the status.
    Answer = 2,
    /// A question about the door.
    Info = 3,
    /// Its answer: the first content is a [`Description`].
    Description = 4,
    /// The request to take no more calls.
    Revoke = 5,
    /// The answer: no more calls are taken, and the number is that of the calls in progress.
    Revoked = 6,
    /// A refusal: the number is a [`Reason`], and the first content a sentence.
    Refusal = 7,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Call,
        Self::Answer,
        Self::Info,
        Self::Description,
        Self::Revoke,
        Self::Revoked,
        Self::Refusal,
    ];
}

/// Why a packet was not understood.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// Its first bytes are others.
    #[error("not a packet of a door")]
    NotADoor,
    /// Its version is another.
    #[error("a packet of version {0}, where {VERSION} is known")]
    Version(u16),
    /// Its kind is unknown, or not expected here.
    #[error("a packet of kind {0}, which is not expected here")]
    Kind(u16),
    /// It has flags that are unknown.
    #[error("a packet with unknown flags ({0:#x})")]
    Flags(u32),
    /// Its length is not that of its contents.
    #[error("a packet of another length than its header says")]
    Length,
    /// It is longer than a packet may be.
    #[error("a packet of more than {PACKET_MAX} bytes")]
    TooLong,
    /// The number of its descriptors is not the one in its header.
    #[error("a packet with another number of descriptors than its header says")]
    Descriptors,
    /// There were more descriptors than this process may have.
    #[error("a packet with more descriptors than could be received")]
    Cut,
    /// The file of a content can still be changed.
    #[error("a packet with a file that is not sealed")]
    NotSealed,
}

/// The header of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header {
    kind: Kind,
    flags: u32,
    number: u32,
    lengths: [u64; 2],
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&VERSION.to_le_bytes());
        bytes[6..8].copy_from_slice(&(self.kind as u16).to_le_bytes());
        bytes[8..12].copy_from_slice(&self.flags.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.lengths[0].to_le_bytes());
        bytes[24..32].copy_from_slice(&self.lengths[1].to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Problem> {
        let Some(header) = bytes.first_chunk::<HEADER>() else { return Err(Problem::NotADoor) };
        if header[0..4] != MAGIC {
            return Err(Problem::NotADoor);
        }
        let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let word = |at: usize| u32::from(short(at)) | u32::from(short(at + 2)) << 16;
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        if short(4) != VERSION {
            return Err(Problem::Version(short(4)));
        }
        let known = Kind::ALL.into_iter().find(|&kind| kind as u16 == short(6));
        let kind = known.ok_or(Problem::Kind(short(6)))?;
        let flags = word(8);
        if flags & !(IN_FILE[0] | IN_FILE[1]) != 0 {
            return Err(Problem::Flags(flags));
        }
        Ok(Self { kind, flags, number: word(12), lengths: [long(16), long(24)] })
    }

    fn is_in_file(&self, index: usize) -> bool {
        self.flags & IN_FILE[index] != 0
    }
}

/// A content of a packet that was received.
#[derive(Debug)]
pub enum Part<'a> {
    /// In the packet.
    Bytes(&'a [u8]),
    /// In a sealed file, of so many bytes.
    File(OwnedFd, u64),
}

impl Part<'_> {
    /// The number of bytes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, length) => *length,
        }
    }

    /// All bytes, in memory.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn into_bytes(self) -> Result<Vec<u8>, Errno> {
        match self {
            Self::Bytes(bytes) => heap::copy(bytes),
            Self::File(file, length) => {
                let length = usize::try_from(length).map_err(|_| Errno(libc::ENOMEM))?;
                let mut bytes = heap::zeros(length)?;
                // It is sealed, so that it has this length still.
                let count = stream::read_at(file, &mut bytes, 0)?;
                bytes.truncate(count);
                Ok(bytes)
            }
        }
    }

    /// The bytes, if they are in the packet.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::File(..) => &[],
        }
    }
}

/// A packet that was received.
#[derive(Debug)]
pub struct Packet<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its number, which each kind defines.
    pub number: u32,
    /// Its contents.
    pub parts: [Part<'a>; 2],
    /// The descriptors besides those of the contents.
    pub descriptors: Vec<OwnedFd>,
}

/// The kind of the packet that begins with these bytes, as far as they say.
pub fn kind_of(beginning: &[u8]) -> Option<Kind> {
    Header::decode(beginning).ok().map(|header| header.kind)
}

/// Sends a packet, with the descriptors besides those of the contents. Contents that are too long
/// for this packet go in files.
///
/// # Errors
/// EPIPE and ECONNRESET if the peer has left; those of memfd_create(2) and sendmsg(2).
pub fn send(
    socket: &Socket,
    kind: Kind,
    number: u32,
    contents: [Content; 2],
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), Errno> {
    let in_packet = |content: &Content| match content {
        Content::Bytes(bytes) => bytes.len(),
        Content::File(..) => 0,
    };
    let fits = HEADER + contents.iter().map(in_packet).sum::<usize>() <= PACKET_MAX;
    if fits {
        match send_as_is(socket, kind, number, &contents, descriptors) {
            // The send buffer is smaller than usual.
            Err(Errno(libc::EMSGSIZE)) => {}
            result => return result,
        }
    }
    let [first, second] = contents;
    let contents = [first.into_file()?, second.into_file()?];
    send_as_is(socket, kind, number, &contents, descriptors)
}

fn send_as_is(
    socket: &Socket,
    kind: Kind,
    number: u32,
    contents: &[Content; 2],
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), Errno> {
    let mut flags = 0;
    let mut all = Vec::new();
    let mut bytes = [&[][..]; 2];
    for (index, content) in contents.iter().enumerate() {
        match content {
            Content::Bytes(own) => bytes[index] = own,
            Content::File(file, _) => {
                flags |= IN_FILE[index];
                all.push(file.as_fd());
            }
        }
    }
    all.extend(descriptors);
    let lengths = [contents[0].length(), contents[1].length()];
    let header = Header { kind, flags, number, lengths };
    socket.send_with(&[&header.encode(), bytes[0], bytes[1]], &all)
}

/// Sends a refusal. A peer that has left does not need it.
pub fn refuse(socket: &Socket, refusal: &Refusal) {
    let _ = socket.send(&refusal.packet());
}

/// Receives a packet into a buffer of [`PACKET_MAX`] bytes; `None` at the end. All descriptors of a
/// packet that was not understood are closed.
///
/// # Errors
/// EAGAIN if the socket is non-blocking and no packet is there.
pub fn receive<'a>(
    socket: &Socket,
    buffer: &'a mut [u8],
) -> Result<Option<Result<Packet<'a>, Problem>>, Errno> {
    let carried = socket.receive_with(buffer)?;
    Ok(of(buffer, carried))
}

/// The packet that was received into this buffer; `None` at the end.
pub(super) fn of(buffer: &[u8], carried: Carried) -> Option<Result<Packet<'_>, Problem>> {
    (carried.size > 0).then(|| understand(&buffer[..carried.size], carried))
}

fn understand(bytes: &[u8], carried: Carried) -> Result<Packet<'_>, Problem> {
    if carried.is_truncated {
        return Err(Problem::TooLong);
    }
    let header = Header::decode(bytes)?;
    if carried.is_cut {
        return Err(Problem::Cut);
    }
    let mut descriptors = carried.descriptors.into_iter();
    let mut rest = &bytes[HEADER..];
    let mut take = |index: usize| -> Result<Part<'_>, Problem> {
        let length = header.lengths[index];
        if header.is_in_file(index) {
            let file = descriptors.next().ok_or(Problem::Descriptors)?;
            return sealed(file, length);
        }
        let count = usize::try_from(length).ok().filter(|&count| count <= rest.len());
        let (own, others) = rest.split_at(count.ok_or(Problem::Length)?);
        rest = others;
        Ok(Part::Bytes(own))
    };
    let parts = [take(0)?, take(1)?];
    if !rest.is_empty() {
        return Err(Problem::Length);
    }
    let lent = if header.kind == Kind::Call { header.number as usize } else { 0 };
    if descriptors.len() != lent {
        return Err(Problem::Descriptors);
    }
    Ok(Packet {
        kind: header.kind,
        number: header.number,
        parts,
        descriptors: descriptors.collect(),
    })
}

/// The content in a file, if it is sealed and as long as the header says.
fn sealed(file: OwnedFd, length: u64) -> Result<Part<'static>, Problem> {
    if !memfd::is_sealed(&file) {
        return Err(Problem::NotSealed);
    }
    match inode::length(&file) {
        Ok(own) if own == length => Ok(Part::File(file, length)),
        _ => Err(Problem::Length),
    }
}

/// Why a server refuses a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The packet was not understood.
    Malformed = 1,
    /// The caller is not admitted.
    Denied = 2,
    /// The argument or the answer is longer than the server allows.
    TooLong = 3,
    /// The server takes no descriptors, or fewer.
    Descriptors = 4,
    /// The procedure has called its own door, and no call is left for that.
    Recursion = 5,
    /// The procedure did not answer in time.
    TimedOut = 6,
    /// The procedure could not be run, or ended without an answer.
    Failed = 7,
    /// The caller has sent no request in time.
    Silent = 8,
}

impl Reason {
    const ALL: [Self; 8] = [
        Self::Malformed,
        Self::Denied,
        Self::TooLong,
        Self::Descriptors,
        Self::Recursion,
        Self::TimedOut,
        Self::Failed,
        Self::Silent,
    ];

    /// The reason of this number; an unknown one is a failure.
    pub fn of(number: u32) -> Self {
        Self::ALL.into_iter().find(|&reason| reason as u32 == number).unwrap_or(Self::Failed)
    }
}

/// A refusal, in words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Its reason.
    pub reason: Reason,
    /// A sentence for people.
    pub words: String,
}

impl Refusal {
    /// A refusal with this sentence.
    pub fn new(reason: Reason, words: impl fmt::Display) -> Self {
        Self { reason, words: words.to_string() }
    }

    /// Its packet.
    pub fn packet(&self) -> Vec<u8> {
        let lengths = [self.words.len() as u64, 0];
        let number = self.reason as u32;
        let header = Header { kind: Kind::Refusal, flags: 0, number, lengths };
        [&header.encode()[..], self.words.as_bytes()].concat()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::new(Reason::Malformed, format_args!("the server has received {problem}"))
    }
}

/// What a server says of its door.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Description {
    /// The process ID of the server, in its own PID namespace.
    pub pid: u64,
    /// The number of calls that were answered.
    pub answered: u64,
    /// The number of calls in progress.
    pub running: u64,
    /// The number of calls that wait until others have ended.
    pub waiting: u64,
    /// The number of calls that may be in progress at a time.
    pub max_calls: u64,
    /// The maximum length of an argument, and of an answer.
    pub max_size: u64,
    /// The number of descriptors that a caller may lend.
    pub max_descriptors: u64,
    /// The number of worker processes; 0 if each call has a process of its own.
    pub workers: u64,
    /// The cookie.
    pub cookie: Vec<u8>,
}

impl Description {
    /// The number of its numbers.
    const NUMBERS: usize = 8;

    /// The bytes of the content.
    pub fn encode(&self) -> Vec<u8> {
        let numbers = [
            self.pid,
            self.answered,
            self.running,
            self.waiting,
            self.max_calls,
            self.max_size,
            self.max_descriptors,
            self.workers,
        ];
        let mut bytes: Vec<u8> = numbers.into_iter().flat_map(u64::to_le_bytes).collect();
        bytes.extend(&self.cookie);
        bytes
    }

    /// Reads the bytes of the content.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (numbers, cookie) = bytes.split_at_checked(Self::NUMBERS * size_of::<u64>())?;
        let (numbers, _) = numbers.as_chunks::<{ size_of::<u64>() }>();
        let number = |index: usize| u64::from_le_bytes(numbers[index]);
        Some(Self {
            pid: number(0),
            answered: number(1),
            running: number(2),
            waiting: number(3),
            max_calls: number(4),
            max_size: number(5),
            max_descriptors: number(6),
            workers: number(7),
            cookie: cookie.to_vec(),
        })
    }
}
