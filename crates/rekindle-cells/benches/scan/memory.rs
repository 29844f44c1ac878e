//! How much memory a piece of work takes, as far as the system tells.

use std::fs;

/// How far the greatest resident set during `work` exceeds the one before it, in bytes; `None` where there is no
/// `/proc` as on Linux.
pub fn growth<T>(work: impl FnOnce() -> T) -> Option<u64> {
    // Sets `VmHWM`, the greatest resident set so far, back to the present one: proc_pid_clear_refs(5).
    fs::write("/proc/self/clear_refs", "5").ok()?;
    let before = resident("VmRSS:")?;
    work();
    Some(resident("VmHWM:")?.saturating_sub(before))
}

/// A line of `/proc/self/status` that counts kibibytes, in bytes.
fn resident(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
