//! How far the call log has been held against the table: a sweep goes over a stretch of time from its beginning to its
//! end, window by window, and may stop anywhere.

use std::ops::Range;

use serde::Deserialize;
use serde_json::json;

use super::day::DAY_MS;

/// The first window, and the longest.
const SPAN_MS: u64 = DAY_MS;
const LONGEST_SPAN_MS: u64 = 7 * DAY_MS;

/// No window is shorter than this, milliseconds: the log can be asked for no less than a second sensibly.
const SHORTEST_SPAN_MS: u64 = 1_000;

/// A window with fewer calls than this is followed by one twice as long, whose calls still fit a page.
const FEW_CALLS: usize = 450;

/// A sweep over calls by the time they began. All times are epoch milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sweep {
    /// The beginning.
    from_ms: u64,
    /// The end.
    to_ms: u64,
    /// What began before this is done.
    next_ms: u64,
    /// Length of the next window.
    span_ms: u64,
    /// The earliest time at which a session may become due that the sweep adds, so that it keeps its pace.
    slot_ms: u64,
}

impl Sweep {
    /// A sweep that begins now.
    pub fn over(stretch: Range<u64>) -> Self {
        Self { from_ms: stretch.start, to_ms: stretch.end, next_ms: stretch.start, span_ms: SPAN_MS, slot_ms: 0 }
    }

    /// Reads [`Sweep::to_json`]; nothing if it is not one.
    pub fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The state of the cursor.
    pub fn to_json(&self) -> String {
        let Self { from_ms, to_ms, next_ms, span_ms, slot_ms } = self;
        json!({ "from_ms": from_ms, "to_ms": to_ms, "next_ms": next_ms, "span_ms": span_ms, "slot_ms": slot_ms })
            .to_string()
    }

    /// A sweep over a later stretch, which has learned from this one how long windows may be.
    pub fn again_over(&self, stretch: Range<u64>) -> Self {
        Self { span_ms: self.span_ms.min(SPAN_MS), slot_ms: self.slot_ms, ..Self::over(stretch) }
    }

    /// What it goes over.
    pub fn stretch(&self) -> Range<u64> {
        self.from_ms..self.to_ms
    }

    /// What is left.
    pub fn left(&self) -> Range<u64> {
        self.next_ms..self.to_ms
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.next_ms >= self.to_ms
    }

    /// The next window.
    pub fn window(&self) -> Range<u64> {
        self.next_ms..self.to_ms.min(self.next_ms.saturating_add(self.span_ms))
    }

    /// There are too many calls in the window.
    pub fn narrow(&mut self) {
        self.span_ms = (self.span_ms / 4).max(SHORTEST_SPAN_MS);
    }

    /// Whether windows cannot be shorter.
    pub fn is_narrow(&self) -> bool {
        self.span_ms <= SHORTEST_SPAN_MS
    }

    /// Everything that began before `at_ms` is done; the window had so many `calls`.
    pub fn advance(&mut self, at_ms: u64, calls: usize) {
        if at_ms >= self.window().end && calls < FEW_CALLS {
            self.span_ms = (self.span_ms * 2).min(LONGEST_SPAN_MS);
        }
        self.next_ms = self.next_ms.max(at_ms);
    }

    /// When the next session that is added may become due.
    pub fn slot_ms(&self) -> u64 {
        self.slot_ms
    }

    /// Takes a slot, at `now_ms` at the earliest, for something that takes so long at the sweep's pace.
    pub fn take_slot(&mut self, takes_ms: u64, now_ms: u64) -> u64 {
        let slot_ms = self.slot_ms.max(now_ms);
        self.slot_ms = slot_ms.saturating_add(takes_ms);
        slot_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_window_by_window_to_its_end() {
        let mut sweep = Sweep::over(0..DAY_MS * 5 / 2);
        let mut windows = Vec::new();
        while !sweep.is_done() {
            let window = sweep.window();
            sweep.advance(window.end, FEW_CALLS);
            windows.push(window);
        }
        assert_eq!(windows, [0..DAY_MS, DAY_MS..2 * DAY_MS, 2 * DAY_MS..DAY_MS * 5 / 2]);
        assert_eq!((sweep.left(), sweep.stretch()), (DAY_MS * 5 / 2..DAY_MS * 5 / 2, 0..DAY_MS * 5 / 2));
        sweep.advance(0, 0);
        assert!(sweep.is_done(), "it never goes back");
    }

    #[test]
    fn windows_follow_the_number_of_calls() {
        let mut sweep = Sweep::over(0..100 * DAY_MS);
        sweep.advance(DAY_MS, 0);
        assert_eq!(sweep.window(), DAY_MS..3 * DAY_MS, "few calls: a longer one");
        for _ in 0..5 {
            sweep.advance(sweep.window().end, 0);
        }
        assert_eq!(sweep.window().end - sweep.window().start, LONGEST_SPAN_MS);
        sweep.narrow();
        assert_eq!(sweep.window().end - sweep.window().start, LONGEST_SPAN_MS / 4);
        sweep.advance(sweep.window().start + 1, 0);
        assert_eq!(sweep.window().end - sweep.window().start, LONGEST_SPAN_MS / 4, "not after half a window");
        while !sweep.is_narrow() {
            sweep.narrow();
        }
        assert_eq!(sweep.window().end - sweep.window().start, SHORTEST_SPAN_MS);
        let again = sweep.again_over(7..DAY_MS);
        assert_eq!(again.window(), 7..7 + SHORTEST_SPAN_MS, "what was learned stays");
    }

    #[test]
    fn survives_a_round_trip() {
        let mut sweep = Sweep::over(5..DAY_MS);
        sweep.advance(7, 1);
        sweep.take_slot(11, 13);
        sweep.narrow();
        assert_eq!(Sweep::parse(&sweep.to_json()), Some(sweep));
        for json in ["", "{}", r#"{"from_ms":1}"#] {
            assert_eq!(Sweep::parse(json), None, "{json}");
        }
    }

    #[test]
    fn slots_follow_each_other_at_the_pace() {
        let mut sweep = Sweep::over(0..1);
        assert_eq!(sweep.take_slot(20, 100), 100);
        assert_eq!(sweep.take_slot(20, 101), 120);
        assert_eq!(sweep.take_slot(20, 500), 500, "what was not used is lost");
        assert_eq!(sweep.slot_ms(), 520);
    }
}
