//! The memory and the limits of this process, if the operating system reports them.

use std::fs;

/// Resets the peak of memory.
pub(crate) fn forget_peak() {
    // "5" resets the peak (proc(5)); where that is not allowed, the peak is that of the whole run.
    let _not_allowed = fs::write("/proc/self/clear_refs", "5");
}

/// The peak of memory, in KiB.
pub(crate) fn peak_kib() -> Option<u64> {
    first_number(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// The memory that is used now, in KiB.
pub(crate) fn resident_kib() -> Option<u64> {
    first_number(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// Greatest number of open files and connections.
pub(crate) fn most_open_files() -> Option<u64> {
    first_number(
        &fs::read_to_string("/proc/self/limits").ok()?,
        "Max open files",
    )
}

/// The first number after a line's name; `None` if it is `unlimited`.
fn first_number(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_by_the_name_of_its_line() {
        let text = "VmPeak:\t  9 kB\nVmHWM:\t    5140 kB\nMax open files   1024   4096   files\n";
        assert_eq!(first_number(text, "VmHWM:"), Some(5140));
        assert_eq!(first_number(text, "Max open files"), Some(1024));
        assert_eq!(
            first_number("Max open files unlimited", "Max open files"),
            None
        );
        assert_eq!(first_number(text, "VmRSS:"), None);
    }
}
