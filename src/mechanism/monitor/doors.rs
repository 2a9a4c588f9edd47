//! What the servers of doors count. A look asks them, so a server that does not answer is not asked again
//! for some time.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::mechanism::door::Caller;
use crate::mechanism::door::Description;
use crate::mechanism::socket::address::Address;
use crate::mechanism::survey::{Fill, Object, Traffic};
use crate::sys::accounts;

/// The doors that did not answer, with the number of looks in which they are left alone.
#[derive(Debug, Default)]
pub struct Doors {
    silent: BTreeMap<OsString, u32>,
}

impl Doors {
    /// The time in which a server answers: this process waits for it.
    const PATIENCE: Duration = Duration::from_millis(50);

    /// The number of looks in which a silent server is left alone.
    const PAUSE: u32 = 20;

    /// Adds to a door what its server says. A server is asked only by its own user and by root, as others
    /// may be refused, which it would report.
    pub fn ask(&mut self, door: &mut Object) {
        let is_own = accounts::is_root() || door.uid == Some(accounts::own_user());
        if !is_own || self.is_silent(&door.name) {
            return;
        }
        match describe(door) {
            Some(description) => fill(door, &description),
            None => drop(self.silent.insert(door.name.clone(), Self::PAUSE)),
        }
    }

    fn is_silent(&mut self, name: &OsString) -> bool {
        let Some(left) = self.silent.get_mut(name) else { return false };
        *left -= 1;
        if *left == 0 {
            self.silent.remove(name);
        }
        true
    }
}

fn describe(door: &Object) -> Option<Description> {
    let address = Address::new(&door.name).ok()?;
    let deadline = Deadline::after(Doors::PATIENCE);
    let Ok(Waited::Done(mut server)) = Caller::connect(&address, deadline) else { return None };
    match server.describe() {
        Ok(Waited::Done(description)) => Some(description),
        Ok(Waited::TimedOut) | Err(_) => None,
    }
}

fn fill(door: &mut Object, description: &Description) {
    let entered = description.answered + description.running + description.waiting;
    door.count = Some(description.running);
    door.activity.fill = Fill::new(description.running, description.max_calls);
    door.activity.waiting = u32::try_from(description.waiting).unwrap_or(u32::MAX);
    door.activity.totals = Traffic {
        messages_in: Some(entered),
        messages_out: Some(description.answered),
        ..Traffic::default()
    };
}
