//! What happened, in order. Two runs of one seed must write the same, byte for byte.

use std::{cell::RefCell, fmt, fmt::Write, rc::Rc};

use sha2::{Digest, Sha256};

use crate::executor::Time;

/// The trace of one world; clones write to the same.
#[derive(Clone)]
pub(crate) struct Trace {
    time: Time,
    lines: Rc<RefCell<Lines>>,
}

#[derive(Default)]
struct Lines {
    digest: Sha256,
    line: String,
    kept: Option<Vec<String>>,
}

impl Trace {
    /// An empty trace; its lines are hashed, and kept too if `keep`.
    pub(crate) fn new(time: Time, keep: bool) -> Self {
        let kept = keep.then(Vec::new);
        Self { time, lines: Rc::new(RefCell::new(Lines { kept, ..Lines::default() })) }
    }

    /// Writes a line, with the time before it.
    pub(crate) fn line(&self, text: fmt::Arguments<'_>) {
        let Lines { digest, line, kept } = &mut *self.lines.borrow_mut();
        line.clear();
        // Writing into a string cannot fail.
        let _ = writeln!(line, "{} {text}", self.time.now_ms());
        digest.update(line.as_bytes());
        if let Some(kept) = kept {
            kept.push(line.trim_end().to_owned());
        }
    }

    /// SHA-256 of all lines so far, in hex.
    pub(crate) fn hash(&self) -> String {
        let digest = self.lines.borrow().digest.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Takes the lines, if they were kept.
    pub(crate) fn take(&self) -> Vec<String> {
        self.lines.borrow_mut().kept.take().unwrap_or_default()
    }
}
