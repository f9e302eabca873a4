//! What the processes of a function write.
//!
//! They write straight into one file: so a line is there as soon as it is written, even by a process that is killed
//! the moment after, and nobody has to wait for a pipe to run dry.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::LaunchError;
use crate::ids;

const TAIL_LINES: usize = 20;

pub(super) struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// At `path`, or in a file without a name.
    pub(super) fn create(path: Option<&Path>) -> Result<Self, LaunchError> {
        let (path, named) = match path {
            Some(path) => (path.to_owned(), true),
            None => (std::env::temp_dir().join(format!("local-cloud-{}.log", ids::request_id())), false),
        };
        let create = || {
            File::create(&path)?;
            let file = OpenOptions::new().read(true).append(true).open(&path)?;
            if !named {
                fs::remove_file(&path)?;
            }
            Ok(file)
        };
        match create() {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(LaunchError::Log { path, source }),
        }
    }

    /// For a process to write to.
    pub(super) fn stdio(&self) -> Result<Stdio, LaunchError> {
        let file = self.file.try_clone();
        file.map(Stdio::from).map_err(|source| LaunchError::Log { path: self.path.clone(), source })
    }

    pub(super) fn lines(&self) -> Vec<String> {
        // A log that cannot be read back shows as what could be read of it.
        let mut bytes = Vec::new();
        drop(self.read(&mut bytes));
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }

    /// The last lines, for error messages.
    pub(super) fn tail(&self) -> String {
        let lines = self.lines();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    /// Reads by offset: the processes share the file's cursor.
    fn read(&self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let length = usize::try_from(self.file.metadata()?.len()).map_err(io::Error::other)?;
        bytes.resize(length, 0);
        self.file.read_exact_at(bytes, 0)
    }
}
