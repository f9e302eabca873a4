//! How much memory a process takes, as the system says.

use std::{fs, io};

/// Memory of a process that is in RAM, its libraries' and binary's pages included, MiB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Resident {
    /// Now.
    pub(crate) now_mib: f64,
    /// The most since the process began.
    pub(crate) peak_mib: f64,
}

impl Resident {
    /// Asks Linux.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        Self::read(&status).ok_or_else(|| io::Error::other(format!("/proc/{pid}/status names no resident memory")))
    }

    fn read(status: &str) -> Option<Self> {
        let mib = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let kib: f64 = value.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
            Some(kib / 1024.0)
        };
        Some(Self { now_mib: mib("VmRSS")?, peak_mib: mib("VmHWM")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_files_are_read() {
        let status = "Name:\tarchiver\nVmPeak:\t  900000 kB\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\nThreads:\t1\n";
        assert_eq!(Resident::read(status), Some(Resident { now_mib: 10.0, peak_mib: 20.0 }));
        assert_eq!(Resident::read("Name:\tkthreadd\n"), None);
    }
}
