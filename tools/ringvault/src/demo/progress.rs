//! How far the demo is: a bar on a terminal, plain lines elsewhere.

use std::io::{self, Write};

const WIDTH: usize = 40;

/// Where progress is shown.
pub struct Progress {
    out: Box<dyn Write>,
    is_terminal: bool,
    shown: Option<usize>,
}

impl Progress {
    /// Shows progress on `out`; a terminal gets a bar that is drawn over itself.
    pub fn new(out: Box<dyn Write>, is_terminal: bool) -> Self {
        Self { out, is_terminal, shown: None }
    }

    pub(super) fn announce(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}\n")
    }

    pub(super) fn show(&mut self, ended: usize, expected: usize, elapsed_ms: u64) -> io::Result<()> {
        if self.shown == Some(ended) {
            return Ok(());
        }
        self.shown = Some(ended);
        let words = format!("{ended} of {expected} recordings have ended, {:.1} s", elapsed_ms as f64 / 1_000.0);
        if self.is_terminal {
            let full = (WIDTH * ended).checked_div(expected).unwrap_or(WIDTH).min(WIDTH);
            write!(self.out, "\r[{}{}] {words}", "#".repeat(full), ".".repeat(WIDTH - full))?;
            self.out.flush()
        } else {
            writeln!(self.out, "{words}")
        }
    }

    pub(super) fn end(&mut self) -> io::Result<()> {
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
        for (ended, elapsed_ms) in [(1, 1_500), (1, 1_600), (2, 2_000)] {
            progress.show(ended, 2, elapsed_ms).unwrap();
        }
        progress.end().unwrap();
        String::from_utf8(paper.0.take()).unwrap()
    }

    #[test]
    fn a_terminal_gets_a_bar_and_a_file_lines() {
        let [half, full] = [[20, 20], [40, 0]].map(|[done, left]| "#".repeat(done) + &".".repeat(left));
        let words = |ended, seconds| format!("{ended} of 2 recordings have ended, {seconds} s");
        let [first, second] = [words(1, "1.5"), words(2, "2.0")];
        assert_eq!(shown(true), format!("\r[{half}] {first}\r[{full}] {second}\n\n"));
        assert_eq!(shown(false), format!("{first}\n{second}\n\n"));
    }
}
