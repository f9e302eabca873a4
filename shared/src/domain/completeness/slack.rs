//! How long is left until the vendor deletes what is not archived yet.

use crate::domain::day::DAY_MS;

/// RingCentral deletes the oldest recordings of an account that has more (API.md §8).
const MOST_RECORDINGS: u64 = 100_000;

/// How the vendor keeps recordings and gives them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vendor {
    /// How long it keeps one, milliseconds.
    pub retention_ms: u64,
    /// How long it takes to fetch one at its limits, milliseconds.
    pub pace_ms: u64,
}

/// What is not archived yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Recordings that wait.
    pub recordings: u64,
    /// When the oldest call with one began, epoch milliseconds; none where nothing waits.
    pub oldest_ms: Option<u64>,
}

impl Backlog {
    /// Adds recordings of a call that began at `began_ms`, epoch milliseconds.
    pub fn add(&mut self, recordings: u64, began_ms: u64) {
        self.recordings += recordings;
        self.oldest_ms = [self.oldest_ms, Some(began_ms)].into_iter().flatten().min();
    }

    /// Seconds until the vendor deletes the oldest of them, less what it takes to fetch them all; negative when it is too
    /// late, none where nothing waits. At `per_day` new recordings a day the vendor's limit on how many it keeps may come
    /// before its limit on how long.
    pub fn slack_s(&self, vendor: Vendor, per_day: u64, now_ms: u64) -> Option<i64> {
        let full_ms = (MOST_RECORDINGS * DAY_MS).checked_div(per_day);
        let kept_ms = full_ms.map_or(vendor.retention_ms, |full_ms| full_ms.min(vendor.retention_ms));
        let deleted_ms = i128::from(self.oldest_ms?) + i128::from(kept_ms);
        let drained_ms = i128::from(now_ms) + i128::from(self.recordings) * i128::from(vendor.pace_ms);
        let left_s = (deleted_ms - drained_ms).div_euclid(1000);
        Some(i64::try_from(left_s).unwrap_or(if left_s < 0 { i64::MIN } else { i64::MAX }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_is_the_nearer_of_two_limits_less_the_time_to_fetch() {
        let vendor = Vendor { retention_ms: 90 * DAY_MS, pace_ms: 6_000 };
        let day_s = 86_400;
        let began_ms = 1_000 * DAY_MS;
        for (case, recordings, per_day, now_ms, expected) in [
            ("just begun", 1, 0, began_ms, 90 * day_s - 6),
            ("few a day", 1, 1_111, began_ms, 90 * day_s - 6),
            ("ten thousand a day", 1, 10_000, began_ms, 10 * day_s - 6),
            ("a backlog", 14_400, 0, began_ms, 89 * day_s),
            ("a month later", 0, 0, began_ms + 30 * DAY_MS, 60 * day_s),
            ("too late", 1, 10_000, began_ms + 11 * DAY_MS, -day_s - 6),
            ("half a second too late", 0, 0, began_ms + 90 * DAY_MS + 500, -1),
        ] {
            let backlog = Backlog { recordings, oldest_ms: Some(began_ms) };
            assert_eq!(backlog.slack_s(vendor, per_day, now_ms), Some(expected), "{case}");
        }
        assert_eq!(Backlog::default().slack_s(vendor, 1, began_ms), None);
        let never = Vendor { retention_ms: u64::MAX, pace_ms: 0 };
        let backlog = Backlog { recordings: 1, oldest_ms: Some(u64::MAX) };
        assert!(backlog.slack_s(never, 0, 0) > Some(0));
        let endless = Backlog { recordings: u64::MAX, oldest_ms: Some(0) };
        let slow = Vendor { retention_ms: 0, pace_ms: 6_000_000 };
        assert_eq!(endless.slack_s(slow, 0, 0), Some(i64::MIN), "too late by more than can be said");
    }

    #[test]
    fn the_oldest_call_counts() {
        let mut backlog = Backlog::default();
        for (recordings, began_ms) in [(2, 30), (1, 20), (3, 40)] {
            backlog.add(recordings, began_ms);
        }
        assert_eq!(backlog, Backlog { recordings: 6, oldest_ms: Some(20) });
    }
}
