//! Limits and settings of the kernel: sysctl(8), proc_sys(5).

/// The number at this path of `/proc/sys`; if it cannot be read, the default of the kernel.
pub fn number(path: &str, default: u64) -> u64 {
    find(path).unwrap_or(default)
}

/// The first number at this path of `/proc/sys`; `None` if the kernel does not have it or it cannot be
/// read.
pub fn find(path: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/sys/{path}")).ok()?;
    text.split_whitespace().next()?.parse().ok()
}
