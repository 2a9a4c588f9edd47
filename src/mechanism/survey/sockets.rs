//! Unix sockets with an address, doors, and holders of descriptors.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use nix::sys::stat::lstat;

use super::activity::Fill;
use super::object::{Kind, Object, Request, Thing, each};
use super::uses::Uses;
use crate::base::errno::Errno;
use crate::mechanism::socket::table::{self, LISTENING, Row};
use crate::sys::process;

/// The sockets of Unix, if they are wanted.
pub(super) fn rows(request: &Request, uses: &Uses) -> Result<Vec<Row>, Errno> {
    match request.wants_sockets() {
        true => {
            let mut directories = BTreeMap::new();
            let of = |pid| process::directories_of(pid);
            let near = |inode| {
                let holders = uses.of(Thing::Socket { inode }).into_iter().map(|used| used.pid);
                let near = holders
                    .flat_map(|pid| directories.entry(pid).or_insert_with(|| of(pid)).clone());
                near.collect()
            };
            table::unix(near, process::directories)
        }
        false => Ok(Vec::new()),
    }
}

pub(super) fn find(request: &Request, rows: &[Row], uses: &Uses) -> Vec<Object> {
    each(rows, |row| {
        let object = row.is_reachable().then(|| of_row(row, uses));
        object.filter(|object| request.wants(object.kind))
    })
}

fn of_row(row: &Row, uses: &Uses) -> Object {
    let mut object = Object::new(Kind::Sock, OsString::from_vec(row.address.clone()));
    if object.name.as_encoded_bytes().starts_with(b"/")
        && let Ok(status) = lstat(object.name.as_os_str())
    {
        object = object.with_file(&status);
        object.file = object.thing;
    }
    object.uid = object.uid.or(row.uid);
    object.thing = Some(Thing::Socket { inode: row.inode });
    object.detail = format!("{} {}", row.kind, row.state);
    // A socket in the table is open, whether its holders are visible or not.
    object.holders = uses.of(Thing::Socket { inode: row.inode });
    object.count = Some(row.receive_queue.into());
    if row.state == LISTENING {
        object.activity.fill = Fill::new(row.receive_queue.into(), row.send_queue.into());
        object.activity.waiting = row.receive_queue;
    }
    if row.state == LISTENING && row.kind == "seqpacket" {
        object.kind = kind_of_server(&object);
    }
    object
}

/// The kind of a socket by its server: `ipc door serve`, `ipc fd hold` or another. No message is sent to it.
fn kind_of_server(object: &Object) -> Kind {
    let serves = |noun: &[u8], verb: &[u8]| {
        object.holders.iter().any(|holder| {
            let line = process::command_line(holder.pid);
            let words: Vec<&[u8]> = line.split(|&byte| byte == 0).collect();
            words.windows(2).any(|pair| pair[0].ends_with(noun) && pair[1] == verb)
        })
    };
    match () {
        () if serves(b"door", b"serve") => Kind::Door,
        () if serves(b"fd", b"hold") => Kind::Holder,
        () => Kind::Sock,
    }
}
