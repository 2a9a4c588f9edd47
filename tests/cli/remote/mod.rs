//! Objects of servers: `ipc-remote` with servers that the tests start.

mod access;
mod cells;
mod cluster;
mod door;
mod encryption;
mod interoperation;
mod lease;
mod lock;
mod mq;
mod mq_cluster;
mod others;
mod permits;
mod refused;
pub mod server;
mod signals;
mod spool;

/// The children of a process, of whichever of its threads.
fn commands(pid: i32) -> Vec<i32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    let children = threads.into_iter().flatten().filter_map(|thread| {
        let path = thread.ok()?.path().join("children");
        std::fs::read_to_string(path).ok()
    });
    let children: Vec<String> = children.collect();
    let words = children.iter().flat_map(|text| text.split_whitespace());
    words.filter_map(|pid| pid.parse().ok()).collect()
}
