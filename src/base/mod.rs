//! Values that every layer uses and that depend on no other layer: errors of the kernel, exit
//! statuses, deadlines, units, names, signal numbers, text.

pub mod deadline;
pub mod errno;
pub mod exit;
pub mod name;
pub mod remote_name;
pub mod short;
pub mod signal;
pub mod text;
pub mod units;
