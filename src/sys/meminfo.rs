//! How much memory there is: proc_meminfo(5).

use crate::base::errno::Errno;

/// What can be had without swapping others out, and the free swap, in bytes; `None` where the kernel
/// does not tell.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kib = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some((kib("MemAvailable:")? + kib("SwapFree:").unwrap_or(0)) << 10)
}

/// Less than this is not worth asking for.
const WORTHWHILE: u64 = 16 << 20;

/// Refuses to use so many bytes, for which others would have to go without.
///
/// # Errors
/// ENOMEM.
pub fn check_available(bytes: u64) -> Result<(), Errno> {
    let is_too_much = || available().is_some_and(|available| bytes > available);
    if bytes >= WORTHWHILE && is_too_much() { Err(Errno(libc::ENOMEM)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_some() {
        assert!(available().is_some_and(|bytes| bytes > 1 << 20));
    }
}
