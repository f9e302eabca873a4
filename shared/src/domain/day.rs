//! Times as the vendor writes them, and the UTC day that object keys are sorted under.

use std::{fmt, time::Duration};

use time::{Date, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// Milliseconds of one day.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A UTC calendar day, written `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    /// The UTC day that holds `at_ms` (epoch milliseconds); the first day of 1970 for a time no calendar reaches.
    pub fn of(at_ms: u64) -> Self {
        Self(moment(at_ms).date())
    }

    /// Reads `YYYY-MM-DD`; anything else is nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let at_ms = parse_time(&format!("{text}T00:00:00Z"))?;
        (text.len() == 10).then(|| Self::of(at_ms))
    }

    /// The day after.
    pub fn next(self) -> Self {
        Self::of(self.start_ms().saturating_add(DAY_MS))
    }

    /// Midnight at the beginning of the day, in epoch milliseconds.
    pub fn start_ms(self) -> u64 {
        epoch_ms(self.0.midnight().assume_utc())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.to_calendar_date();
        write!(formatter, "{year:04}-{:02}-{day:02}", u8::from(month))
    }
}

/// Reads an RFC 3339 time into epoch milliseconds; nothing for other text and for times whose UTC year is before 1970 or
/// after 9999: they could not be written again.
pub fn parse_time(text: &str) -> Option<u64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC)?;
    u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Writes epoch milliseconds as RFC 3339 in UTC, as call-log queries want them (API.md §7).
pub fn format_time(at_ms: u64) -> String {
    let time = moment(at_ms);
    format!(
        "{}T{:02}:{:02}:{:02}.{:03}Z",
        Day(time.date()),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

/// A duration in whole milliseconds.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn moment(at_ms: u64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn epoch_ms(time: OffsetDateTime) -> u64 {
    u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_days_agree() {
        let at_ms = parse_time("2026-03-02T15:04:02.310Z").unwrap();
        assert_eq!(format_time(at_ms), "2026-03-02T15:04:02.310Z");
        assert_eq!(Day::of(at_ms).to_string(), "2026-03-02");
        assert_eq!(Day::parse("2026-03-02"), Some(Day::of(at_ms)));
        assert_eq!(format_time(Day::of(at_ms).start_ms()), "2026-03-02T00:00:00.000Z");
        assert_eq!(Day::parse("2026-02-28").map(Day::next), Day::parse("2026-03-01"));
    }

    #[test]
    fn a_day_is_the_utc_day() {
        let at_ms = parse_time("2026-03-02T23:30:00-02:00").unwrap();
        assert_eq!(Day::of(at_ms).to_string(), "2026-03-03");
    }

    #[test]
    fn refuses_what_is_not_a_day_or_time() {
        for text in ["", "2026-3-2", "2026-02-30", "2026-03-02T", "../../etc"] {
            assert_eq!(Day::parse(text), None, "{text:?}");
        }
        assert_eq!(parse_time("1969-12-31T23:59:59Z"), None);
        assert_eq!(parse_time("yesterday"), None);
        assert_eq!(parse_time("9999-12-31T23:59:59-00:01"), None);
        assert_eq!(parse_time("9999-12-31T23:59:59Z").map(format_time).as_deref(), Some("9999-12-31T23:59:59.000Z"));
        assert_eq!(Day::of(u64::MAX).to_string(), "1970-01-01");
    }
}
