//! The words for a process that cannot be seen.

use crate::sys::accounts;

/// The words for a holder without a name. Only another PID namespace hides it from root.
pub fn holder() -> &'static str {
    if accounts::is_root() {
        "a process of another PID namespace"
    } else {
        "a process of another user or PID namespace"
    }
}
