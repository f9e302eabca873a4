//! How far something is: a bar on a terminal, plain lines elsewhere.

use std::io::{self, Write};

const WIDTH: usize = 40;

/// Where progress is shown.
pub struct Progress {
    out: Box<dyn Write>,
    is_terminal: bool,
    shown: Option<String>,
}

impl Progress {
    /// Shows progress on `out`; a terminal gets a bar that is drawn over itself.
    pub fn new(out: Box<dyn Write>, is_terminal: bool) -> Self {
        Self { out, is_terminal, shown: None }
    }

    pub(crate) fn announce(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}\n")
    }

    /// So much is done of so much, and in words. What has been shown is not shown again.
    pub(crate) fn show(&mut self, done: u64, all: u64, words: &str) -> io::Result<()> {
        if self.shown.as_deref() == Some(words) {
            return Ok(());
        }
        self.shown = Some(words.to_owned());
        if self.is_terminal {
            let full = (WIDTH as u64 * done).checked_div(all).and_then(|full| usize::try_from(full).ok());
            let full = full.unwrap_or(WIDTH).min(WIDTH);
            write!(self.out, "\r[{}{}] {words}\x1b[K", "#".repeat(full), ".".repeat(WIDTH - full))?;
            self.out.flush()
        } else {
            writeln!(self.out, "{words}")
        }
    }

    pub(crate) fn end(&mut self) -> io::Result<()> {
        if self.is_terminal { writeln!(self.out, "\n") } else { writeln!(self.out) }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Rc<RefCell<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(is_terminal: bool) -> String {
        let paper = Paper::default();
        let mut progress = Progress::new(Box::new(paper.clone()), is_terminal);
        for (done, words) in [(1, "one"), (1, "one"), (2, "two")] {
            progress.show(done, 2, words).unwrap();
        }
        progress.end().unwrap();
        String::from_utf8(paper.0.take()).unwrap()
    }

    #[test]
    fn a_terminal_gets_a_bar_and_a_file_lines() {
        let [half, full] = [[20, 20], [40, 0]].map(|[done, left]| "#".repeat(done) + &".".repeat(left));
        assert_eq!(shown(true), format!("\r[{half}] one\x1b[K\r[{full}] two\x1b[K\n\n"));
        assert_eq!(shown(false), "one\ntwo\n\n");
    }
}
