//! The commands that look at objects of every kind: `ipc ls`, `ipc who` and `ipc prune`.

mod ls;
mod prune;
mod who;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::str::FromStr;
use std::sync::Arc;

use crate::app::arguments::Plain;
use crate::app::machine::Part;
use crate::base::exit::{Exit, Failure, about};
use crate::io::output::{Output, Process, Value};
use crate::mechanism::survey::{Kind, Object, Survey};
use crate::sys::{accounts, mqueue, process};

pub use self::ls::Ls;
pub use self::prune::Prune;
pub use self::who::Who;

/// A user, by name or ID.
#[derive(Clone, Copy, Debug)]
pub struct User(u32);

impl User {
    /// The ID.
    pub fn uid(self) -> u32 {
        self.0
    }
}

impl FromStr for User {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        accounts::user(text).map(Self).ok_or_else(|| format!("there is no user {text}"))
    }
}

/// The choice of objects by their kind and owner.
#[derive(Debug, clap::Args, Plain)]
pub struct Choice {
    /// Only objects of this kind; repeatable
    #[arg(short, long, value_name = "KIND", hide_possible_values = true)]
    kind: Vec<Kind>,
    /// Only objects of this user
    #[arg(short, long, value_name = "USER")]
    user: Option<User>,
}

impl Choice {
    /// Whether an object belongs to the chosen user, or to any.
    fn includes(&self, object: &Object) -> bool {
        self.user.is_none_or(|User(uid)| object.uid == Some(uid))
    }
}

/// Names of users and processes, each looked up once.
#[derive(Debug, Default)]
struct Names {
    users: BTreeMap<u32, String>,
    commands: BTreeMap<i32, Arc<[u8]>>,
}

impl Names {
    fn user(&mut self, uid: u32) -> &str {
        self.users.entry(uid).or_insert_with(|| accounts::user_name(uid))
    }

    /// Looks up the names of all holders and waiters of these objects, which several threads can do.
    fn learn(&mut self, objects: &[Object]) {
        let holders = objects.iter().flat_map(|object| &object.holders).map(|used| used.pid);
        let waiters = objects.iter().flat_map(|object| &object.waiters).flatten().copied();
        let mut pids: Vec<i32> = holders.chain(waiters).collect();
        pids.sort_unstable();
        pids.dedup();
        let commands = process::commands(&pids).into_iter().map(Arc::from);
        self.commands.extend(pids.into_iter().zip(commands));
    }

    fn command(&mut self, pid: i32) -> &Arc<[u8]> {
        self.commands.entry(pid).or_insert_with(|| process::command(pid).into())
    }

    /// Processes, each once.
    fn processes(&mut self, mut pids: Vec<i32>) -> Value {
        pids.sort_unstable();
        pids.dedup();
        let named = pids.into_iter().map(|pid| Process { pid, command: self.command(pid).clone() });
        let processes: Vec<Process> = named.collect();
        let mut text = if processes.is_empty() { b"-".to_vec() } else { Vec::new() };
        for process in &processes {
            text.extend_from_slice(if text.is_empty() { b"" } else { b", " });
            text.extend_from_slice(process.text().as_bytes());
        }
        Value::Processes(processes, text)
    }
}

/// Reports the places and the operands that could not be listed; returns the status of the first. What
/// several places lack, such as a /proc, is reported once.
pub fn report_unlisted(survey: &Survey, output: &Output) -> Exit {
    let mut reasons = Vec::new();
    let places = survey.unlisted.iter().filter_map(|&(place, errno)| {
        let failure = match (place, errno) {
            (mqueue::DIRECTORY, errno) => crate::app::machine::without_queues(errno),
            _ => Part::listed_at(place).explain(errno),
        };
        let reason = failure.to_string();
        let is_new = !reasons.contains(&reason);
        reasons.push(reason);
        is_new.then(|| about(failure, place))
    });
    let operands = survey.refused.iter().map(|(path, errno)| match errno.0 {
        libc::EINVAL => about(
            Failure::failed("neither a lock file, a spool, a queue, a FIFO nor a socket"),
            path,
        ),
        _ => about(*errno, path),
    });
    let mut exit = Exit::Done;
    for error in places.chain(operands) {
        output.error(&error);
        exit = if exit == Exit::Done { Exit::of(&error) } else { exit };
    }
    exit
}

/// A name, as a value of a listing.
fn name(name: &OsStr) -> Value {
    Value::text(name.as_encoded_bytes())
}
