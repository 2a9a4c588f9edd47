//! The memory of the machine: proc_meminfo(5).

/// The available memory and the free swap, in bytes; `None` if the kernel does not report them.
pub fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kib = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some((kib("MemAvailable:")? + kib("SwapFree:").unwrap_or(0)) << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_reports_available_memory() {
        assert!(available().is_some_and(|bytes| bytes > 1 << 20));
    }
}
