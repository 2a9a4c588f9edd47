//! Limits and settings of the kernel: sysctl(8), proc_sys(5).

/// The number at this path of `/proc/sys`; if it cannot be read, the default of the kernel.
pub fn number(path: &str, default: u64) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/sys/{path}"));
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(default)
}

/// The text of a file of `/proc/sys`, by its path; `None` if it cannot be read.
pub fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}
