//! Limits and settings of the kernel: sysctl(8), proc_sys(5).

/// The number that `/proc/sys` has at this path; what cannot be read is as the kernel begins.
pub fn number(path: &str, usual: u64) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/sys/{path}"));
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(usual)
}
