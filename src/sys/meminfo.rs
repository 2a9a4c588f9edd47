//! The memory of the machine: proc_meminfo(5).

use crate::base::errno::Errno;

/// The available memory and the free swap, in bytes; `None` if the kernel does not report them.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kib = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some((kib("MemAvailable:")? + kib("SwapFree:").unwrap_or(0)) << 10)
}

/// Smaller amounts are not checked: it would take longer than to allocate them.
const WORTHWHILE: u64 = 16 << 20;

/// Checks that so many bytes are available, as the kernel ends processes when memory runs out.
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
    fn the_kernel_reports_available_memory() {
        assert!(available().is_some_and(|bytes| bytes > 1 << 20));
    }
}
