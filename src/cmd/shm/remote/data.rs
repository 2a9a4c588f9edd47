//! Creating, writing and printing segments of a server.

use std::io::Read;

use crate::app::command::Example;
use crate::app::context::Context;
use crate::app::objects::{each, stdin_failed};
use crate::app::options::{TimeLimit, done};
use crate::app::remote::{Remote, RemoteAction, Storage, answered};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Size;
use crate::cmd::shm::bytes;
use crate::mechanism::remote::{Change, Error, RemoteName, cells as numbers};

use super::{EXISTING, beyond, creating, read};

/// The largest input that is read: what servers take in one message by default, and more.
const INPUT_MAX: u64 = 64 << 20;

/// Create a segment on a server
///
/// The segment consists of zeros. It is a message of the server, so it is at most as large as the server
/// takes, which is 1 MiB by default.
#[derive(Debug, clap::Args)]
pub struct Create {
    /// Name of the segment, such as nats://HOST/NAME
    name: RemoteName,
    /// Size in bytes
    #[arg(short, long)]
    size: Size,
    /// Succeed if a segment of this size exists
    #[arg(short, long)]
    exist_ok: bool,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Create {
    const EXAMPLES: &'static [Example] =
        &[("Create a counter", "ipc shm create nats://broker/visits --size 8")];

    fn run(self, remote: Remote, _: &mut Context) -> anyhow::Result<Exit> {
        let (name, deadline, Size(size)) = (&self.name, self.limit.deadline(), self.size);
        if size > INPUT_MAX {
            let reason = format!("{size} bytes are more than a server takes in one message");
            return Err(Failure::failed(reason)).about(name);
        }
        let zeros = vec![0; size as usize];
        let created = remote.with(name, creating(self.storage), deadline, |records| {
            numbers::create(records, name.key(), &zeros, deadline)
        });
        match created {
            Err(Error::Exists) if self.exist_ok => {
                let there = read(&remote, name, deadline)?.value.len() as u64;
                if there != size {
                    let reason = format!("exists with another size, {there} bytes");
                    return Err(Failure::new(Exit::InUse, reason)).about(name);
                }
            }
            created => answered(created, name)?,
        }
        Ok(Exit::Done)
    }
}

/// Write stdin into a segment of a server
///
/// A segment that does not exist is created with the size of the input. An existing one keeps its size,
/// unless --grow or --truncate is given, and longer input is refused. Readers see all of the change or
/// nothing of it.
#[derive(Debug, clap::Args)]
pub struct Write {
    /// Name of the segment
    name: RemoteName,
    /// Offset of the first byte
    #[arg(long, value_name = "SIZE")]
    offset: Option<Size>,
    /// Let the segment grow if the input does not fit
    #[arg(long)]
    grow: bool,
    /// Let the segment end with the input
    #[arg(long, conflicts_with = "grow")]
    truncate: bool,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Write {
    const EXAMPLES: &'static [Example] = &[(
        "Share a configuration with all machines",
        "ipc shm write --truncate nats://broker/config < app.conf",
    )];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let mut input = Vec::new();
        let stdin =
            context.stdin.try_clone_to_owned().map_err(|error| stdin_failed(error.into()))?;
        let mut stdin = std::fs::File::from(stdin).take(INPUT_MAX + 1);
        stdin.read_to_end(&mut input).map_err(|error| stdin_failed(Errno::from(error)))?;
        let (name, deadline) = (&self.name, self.limit.deadline());
        let written = remote.with(name, creating(self.storage), deadline, |records| {
            loop {
                match numbers::update(records, name.key(), None, deadline, &mut |segment| {
                    self.put(segment, &input)
                }) {
                    Err(Error::NotFound) => {}
                    updated => return updated,
                }
                let mut new = vec![0; bytes(self.offset) as usize];
                new.extend_from_slice(&input);
                let change = Change::of(name.key(), &new);
                if let Some(made) = made(records.change(change, deadline)?) {
                    return Ok(made.map(Ok));
                }
            }
        });
        answered(written, name)?.about(name)?;
        Ok(Exit::Done)
    }
}

/// The outcome of a creation; `None` if another process was faster.
fn made(created: Waited<Option<u64>>) -> Option<Waited> {
    match created {
        Waited::Done(revision) => revision.map(|_| Waited::Done(())),
        Waited::TimedOut => Some(Waited::TimedOut),
    }
}

impl Write {
    /// Puts the input into the bytes of a segment.
    fn put(&self, segment: &mut Vec<u8>, input: &[u8]) -> Result<(), Failure> {
        let (offset, size) = (bytes(self.offset), segment.len() as u64);
        let end = offset.saturating_add(input.len() as u64);
        if end > INPUT_MAX {
            return Err(Failure::failed("more than a server takes in one message"));
        }
        if end > size && !self.grow && !self.truncate {
            let reason = format!("the input does not fit into the segment, which has {size} bytes");
            return Err(Failure::failed(reason).hint("--grow lets it grow"));
        }
        if end > size || self.truncate {
            segment.resize(end as usize, 0);
        }
        segment[offset as usize..end as usize].copy_from_slice(input);
        Ok(())
    }
}

/// Print the contents of segments of servers
#[derive(Debug, clap::Args)]
pub struct Cat {
    /// Names of segments
    #[arg(required = true, value_name = "NAME")]
    names: Vec<RemoteName>,
    /// Offset of the first byte
    #[arg(long, value_name = "SIZE")]
    offset: Option<Size>,
    /// Number of bytes to print; all if not given
    #[arg(long, value_name = "SIZE")]
    count: Option<Size>,
    /// Stop at the first NUL
    #[arg(long)]
    string: bool,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Cat {
    const EXAMPLES: &'static [Example] =
        &[("Read a configuration", "ipc shm cat nats://broker/config > app.conf")];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let deadline = self.limit.deadline();
        each(&self.names, &mut context.output, |name, output| {
            let segment = read_alone(&remote, name, deadline)?;
            let (offset, size) = (bytes(self.offset), segment.len() as u64);
            let count = self.count.map_or(size.saturating_sub(offset), |Size(count)| count);
            let range = numbers::range(&segment, offset, count).map_err(beyond)?;
            let part = &segment[range];
            let end = part.iter().position(|&byte| byte == 0).filter(|_| self.string);
            Ok::<_, anyhow::Error>(output.bytes(&part[..end.unwrap_or(part.len())])?)
        })
    }
}

/// The bytes of a segment; the caller names it in an error.
fn read_alone(remote: &Remote, name: &RemoteName, deadline: Deadline) -> anyhow::Result<Vec<u8>> {
    let found = remote
        .with(name, EXISTING, deadline, |records| numbers::read(records, name.key(), deadline));
    let record = done(found.map_err(Failure::from))?;
    Ok(record.value)
}
