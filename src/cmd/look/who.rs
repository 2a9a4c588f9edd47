//! `ipc who`.

use std::ffi::{OsStr, OsString};
use std::str::FromStr;

use super::{Names, name};
use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{Column, Columns, Json, Listing};
use crate::app::machine::Part;
use crate::app::objects::{not_seen, unseen_holder};
use crate::app::options::Pid;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, about};
use crate::base::name::SystemVName;
use crate::io::output::{Key, Type, Value};
use crate::mechanism::socket::address::Address;
use crate::mechanism::socket::table;
use crate::mechanism::survey::relations::{self, Relation};
use crate::mechanism::survey::{Kind, Request, Survey, Thing};
use crate::sys::system_v::{self, Target};
use crate::sys::{inode, process};

/// Show the users of an object
///
/// For an object, these are the processes that have it open, mapped, attached or locked, that wait for
/// its lock, or that have the other end of a connection (peer). NAME is a POSIX object such as /jobs, a
/// System V object such as sysv:0x1234, an abstract socket such as @name, or a port such as
/// tcp:localhost:80; PATH is any file, FIFO, socket, lock file, or spool, whose workers hold locks on its
/// messages. The kernel records no holders of System V semaphores and queues, only the processes that
/// used them last, and it does not show which processes wait for a semaphore or a message: 'ipc sem stat'
/// and 'ipc mq stat' show what it counts.
///
/// For a process ID, these are the objects that the process uses: pipes and sockets with their other
/// ends, shared memory, queues, semaphores, FIFOs, memory without a name, and locks.
///
/// The name of the PID namespace is printed for a process in another one. The number of processes that
/// cannot be seen is printed on stderr. Status 1 means that no visible process uses the object.
#[derive(Debug, clap::Args, Plain)]
pub struct Who {
    /// Name or path of an object, or a process ID
    #[arg(value_name = "NAME|PATH|PID")]
    subject: OsString,
    #[command(flatten)]
    listing: Listing<Related>,
}

impl Action for Who {
    const JSON: &'static [Json] = &[Json::array::<Related>()];
    const EXAMPLES: &'static [Example] = &[
        ("Find the processes that keep a segment", "ipc who /cache"),
        ("Find the holder of a lock and its waiters", "ipc who /run/lock/backup"),
        ("See what a process holds, and its peers", "ipc who $$"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        process::can_be_seen()
            .map_err(|errno| Part::Proc.explain(errno))
            .map_err(|failure| about(failure, &self.subject))?;
        let (survey, found) = self.find().map_err(|error| about(error, &self.subject))?;
        let output = &mut context.output;
        let mut names = Names::default();
        let hidden = survey.unseen.count;
        let is_empty = found.is_empty();
        let rows = found.into_iter().map(|relation| Related::new(relation, hidden, &mut names));
        self.listing.print(rows, output)?;
        output.flush()?;
        for &(place, errno) in &survey.unlisted {
            output.note(format_args!("{place}: {errno}"));
        }
        if hidden > 0 && self.listing.is_text() {
            output.warn(not_seen(hidden));
        }
        Ok(if is_empty { Exit::No } else { Exit::Done })
    }
}

impl Who {
    fn find(&self) -> anyhow::Result<(Survey, Vec<Relation>)> {
        if let Some(Ok(pid)) = self.subject.to_str().map(Pid::from_str) {
            return Ok(of_process(pid.number)?);
        }
        match self.subject.to_str().and_then(|text| text.split_once(':')) {
            Some(("tcp" | "udp", _)) => of_port(&self.subject),
            Some(("unix", path)) => Ok(of_object(path.as_ref())?),
            _ => Ok(of_object(&self.subject)?),
        }
    }
}

/// The users of the sockets at a port, and the peers that are on this machine.
fn of_port(subject: &OsStr) -> anyhow::Result<(Survey, Vec<Relation>)> {
    let address = Address::new(subject);
    let address = address.map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let rows = table::at(&address).map_err(Failure::from)?;
    if rows.is_empty() {
        return Err(Errno(libc::ENOENT).into());
    }
    let mut survey = Survey::take(&Request { kinds: vec![Kind::Sock], ..Request::default() });
    relations::add_inet(&mut survey);
    let inodes: Vec<u64> = rows.iter().map(|row| row.inode).collect();
    let found = relations::of_sockets(&survey, &inodes);
    Ok((survey, found))
}

fn of_process(pid: i32) -> Result<(Survey, Vec<Relation>), Errno> {
    if process::user_of(pid).is_none() {
        return Err(Errno(libc::ESRCH));
    }
    if process::is_hidden(pid) {
        return Err(Errno(libc::EACCES));
    }
    let mut survey = Survey::take(&Request::default());
    relations::add_inet(&mut survey);
    let found = relations::of_process(&survey, pid);
    Ok((survey, found))
}

fn of_object(subject: &OsStr) -> Result<(Survey, Vec<Relation>), Errno> {
    let file = inode::status(subject.as_ref());
    let paths = file.iter().map(|_| subject.into()).collect();
    let request = Request { paths, file: file.as_ref().ok().map(Thing::of), ..Request::default() };
    let survey = Survey::take(&request);
    let found = relations::of_name(&survey, &spelled(subject), file.as_ref().ok());
    match (found, file) {
        (Some(found), _) => Ok((survey, found)),
        // The file is there, and is no object.
        (None, Ok(_)) => Ok((survey, Vec::new())),
        (None, Err(errno)) => Err(errno),
    }
}

/// The name as a survey has it: with the slash of POSIX objects, and keys in the form of ipcs(1).
fn spelled(subject: &OsStr) -> OsString {
    let bytes = subject.as_encoded_bytes();
    if let Some(Ok(name)) = SystemVName::new(subject) {
        return Target::new(&name).map_or_else(|_| subject.to_owned(), system_v::spelled);
    }
    if bytes.contains(&b'/') || bytes.starts_with(b"@") || bytes.starts_with(b"memfd:") {
        return subject.to_owned();
    }
    let mut name = OsString::from("/");
    name.push(subject);
    name
}

/// A row of `who`.
#[derive(Debug)]
pub struct Related {
    relation: Relation,
    command: Value,
    user: Value,
    namespace: Value,
    hidden: usize,
}

impl Related {
    fn new(relation: Relation, hidden: usize, names: &mut Names) -> Self {
        let pid = relation.pid;
        let unseen = || Value::Missing(format!("({})", unseen_holder()).into());
        let command = pid.map_or_else(unseen, |pid| Value::text(names.command(pid)));
        let uid = pid.and_then(process::user_of);
        let user = uid.map(|uid| Value::text(names.user(uid))).into();
        let namespace = pid.and_then(process::other_namespace_of);
        let namespace = namespace.map_or(Value::Inapplicable, Value::text);
        Self { relation, command, user, namespace, hidden }
    }
}

impl Columns for Related {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("pid", Type::Number, "Process, if it is visible").or_null(), |row| {
            row.relation.pid.into()
        }),
        Column::new(Key::new("command", Type::Text, "Name of its program").or_null(), |row| {
            row.command.clone()
        }),
        Column::new(Key::new("user", Type::Text, "Its user").or_null(), |row| row.user.clone()),
        Column::new(
            Key::new(
                "use",
                Type::Word,
                "open, mapped, attached, locked, waiting, peer, last-use, owner",
            ),
            |row| row.relation.how.word().into(),
        ),
        Column::new(
            Key::new("descriptor", Type::Number, "Number of its descriptor").or_null(),
            |row| row.relation.descriptor.into(),
        ),
        Column::new(
            Key::new("access", Type::Word, "Access of the descriptor: r, w or rw").or_null(),
            |row| row.relation.access.into(),
        ),
        Column::new(
            Key::new("kind", Type::Word, "Kind of the object, as in 'ipc ls', or pipe or file"),
            |row| row.relation.kind.into(),
        ),
        Column::new(
            Key::new("namespace", Type::Text, "PID namespace of the process")
                .only("processes of another PID namespace"),
            |row| row.namespace.clone(),
        ),
        Column::new(
            Key::new("hidden", Type::Number, "Number of processes that could not be seen")
                .on_request(),
            |row| row.hidden.into(),
        ),
        Column::new(Key::new("name", Type::Text, "Name of the object"), |row| {
            name(&row.relation.name)
        }),
    ];
}
