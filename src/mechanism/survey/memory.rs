//! Memory that has no name any more, or never had one, and that processes still use.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::object::{Kind, Object, Request};
use super::uses::{DELETED, Uses};

pub(super) fn find(request: &Request, uses: &Uses) -> Vec<Object> {
    if !request.wants(Kind::Memory) {
        return Vec::new();
    }
    let mut found: Vec<Object> = uses
        .memory()
        .map(|nameless| {
            let mut object = Object::new(Kind::Memory, name(&nameless.name));
            if let Some(status) = &nameless.status {
                object = object.with_file(status);
            }
            object.thing = Some(nameless.thing);
            let size = nameless.status.map(|status| status.st_size as u64);
            object.size = Some(size.unwrap_or(nameless.end));
            object.with_holders(|thing| uses.of(thing))
        })
        .collect();
    found.sort_by(|one, other| (&one.name, one.thing).cmp(&(&other.name, other.thing)));
    found
}

fn name(link: &Path) -> OsString {
    let bytes = link.as_os_str().as_bytes();
    let bytes = bytes.strip_suffix(DELETED).unwrap_or(bytes);
    OsString::from_vec(
        bytes
            .strip_prefix(b"/memfd:")
            .map_or_else(|| bytes.to_vec(), |name| [b"memfd:", name].concat()),
    )
}
