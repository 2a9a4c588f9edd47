//! `ipc fd ls`.

use std::ffi::OsString;
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::door::connect;
use crate::app::listing::{Column, Columns, Listing};
use crate::app::options::{Pid, TimeLimit};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::FilePath;
use crate::cmd::fd::hold::ask;
use crate::io::output::{Key, Type, Value};
use crate::mechanism::descriptors::holder::Request;
use crate::mechanism::descriptors::of_process;

/// List the descriptors of a process or a holder
///
/// Of each descriptor: its number (fd); what it is (kind), such as file, directory, pipe, fifo, unix
/// stream, tcp, memfd, epoll, eventfd; its access (r, w or rw); its other flags, such as append,
/// cloexec and nonblock; its position; the bytes in a pipe and its capacity, or the unread bytes of a
/// socket; its path or address (target), and the address of the peer of a socket.
///
/// Of each descriptor that a holder ('ipc fd hold') has and this user may have: its name, its owner, the
/// seconds until the holder closes it (expires_in), its kind, its target and its peer. A path of digits
/// is written with ./ before it. The timeout is for the answer of a holder.
///
/// Only root can see the descriptors of other users' processes. How full a pipe is shows only where the
/// process may be traced, and '-' otherwise.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    /// Number of the process, or the path of a holder
    #[arg(value_name = "PID|HOLDER")]
    of: OsString,
    #[command(flatten)]
    limit: TimeLimit,
    #[command(flatten)]
    listing: Listing<Listed>,
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("See what a process has open", "ipc fd ls $(pidof nginx)"),
        ("The files of this shell", "ipc fd ls --json $$ | jq -r '.[].target'"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let rows = match self.of.to_str().map(str::parse) {
            Some(Ok(pid)) => of(&pid)?,
            _ => self.of_holder()?,
        };
        self.listing.print(rows, &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// The descriptors of a process.
fn of(pid: &Pid) -> anyhow::Result<Vec<Listed>> {
    let rows = of_process(pid.number).map_err(|errno| match errno {
        Errno(libc::EACCES) => Failure::from(errno)
            .hint("only root, or a process that may trace it, sees its descriptors"),
        errno => errno.into(),
    });
    Ok(rows.about(pid)?.iter().map(|row| Listed(row.describe())).collect())
}

impl Ls {
    /// What a holder has.
    fn of_holder(&self) -> anyhow::Result<Vec<Listed>> {
        let path = FilePath::from(PathBuf::from(&self.of));
        let mut caller = connect(&path, self.limit)?;
        let answer = ask(&mut caller, &path, &Request::List, &[])?;
        let all: Result<Vec<Json>, _> = serde_json::from_slice(&answer);
        let all = all.map_err(|_| Failure::failed("not a holder")).about(&path)?;
        Ok(all.into_iter().map(Listed).collect())
    }
}

/// A row: the description of a descriptor.
#[derive(Debug)]
pub struct Listed(Json);

impl Listed {
    fn text(&self, key: &str) -> Value {
        self.0[key].as_str().map_or(Value::MISSING, Value::text)
    }

    fn number(&self, key: &str) -> Value {
        self.0[key].as_u64().into()
    }

    /// A property of what a holder has.
    fn of_holder(&self, value: Value) -> Value {
        if self.0["name"].is_null() { Value::Inapplicable } else { value }
    }
}

impl Columns for Listed {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(
            Key::new("name", Type::Text, "Name, at a holder").only("descriptors of a holder"),
            |row| row.of_holder(row.text("name")),
        ),
        Column::new(
            Key::new("owner", Type::Number, "User that has stored it")
                .only("descriptors of a holder"),
            |row| row.of_holder(row.number("owner")),
        ),
        Column::new(
            Key::new("expires_in", Type::Number, "Seconds until it is closed")
                .or_null()
                .only("descriptors of a holder"),
            |row| row.of_holder(row.number("expires_in")),
        ),
        Column::new(Key::new("fd", Type::Number, "Its number"), |row| row.number("fd")),
        Column::new(Key::new("kind", Type::Text, "What it is"), |row| row.text("kind")),
        Column::new(Key::new("access", Type::Text, "r, w or rw"), |row| row.text("access")),
        Column::new(Key::new("flags", Type::Words, "Such as append and nonblock"), |row| {
            let flags = row.0["flags"].as_array().into_iter().flatten();
            Value::several(flags.filter_map(Json::as_str), ",", "-")
        }),
        Column::new(Key::new("position", Type::Number, "Its position"), |row| {
            row.number("position")
        }),
        Column::new(Key::new("waiting", Type::Size, "Bytes to be read").or_null(), |row| {
            row.number("waiting")
        }),
        Column::new(Key::new("capacity", Type::Size, "Capacity of a pipe").or_null(), |row| {
            row.number("capacity")
        }),
        Column::new(Key::new("target", Type::Text, "Path or address"), |row| row.text("target")),
        Column::new(Key::new("peer", Type::Text, "Address of the peer").or_null(), |row| {
            row.text("peer")
        }),
    ];
}
