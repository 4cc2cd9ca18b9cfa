//! How much memory another process has.

use std::fs;

use super::LoadError;

/// Resident set size of a process, bytes (proc_pid_status(5), `VmRSS`).
pub(crate) fn resident_bytes(process: u32) -> Result<u64, LoadError> {
    let path = format!("/proc/{process}/status");
    let status =
        fs::read_to_string(&path).map_err(|error| LoadError::NoMemory { why: format!("{path}: {error}") })?;
    parse(&status).ok_or_else(|| LoadError::NoMemory { why: format!("{path} has no VmRSS in kB") })
}

fn parse(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_size_is_read_from_among_the_others() {
        let status = "Name:\tdouble\nVmHWM:\t   20 kB\nVmRSS:\t   12 kB\nRssAnon:\t    8 kB\n";
        assert_eq!(parse(status), Some(12 * 1024));
        assert_eq!(parse("VmHWM:\t 20 kB\n"), None);
    }

    #[test]
    fn this_process_has_some() {
        assert!(resident_bytes(std::process::id()).unwrap() > 0);
    }
}
