//! Times as the vendor writes them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Writes epoch milliseconds as `2026-03-02T15:00:02.594Z`.
pub(crate) fn format_ms(epoch_ms: u64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(epoch_ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (hour, minute, second, millisecond) = at.time().as_hms_milli();
    format!("{}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z", at.date())
}

/// Reads an ISO 8601 time with a zone as epoch milliseconds.
pub(crate) fn parse_ms(text: &str) -> Option<u64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_the_round_trip() {
        let text = format_ms(1_772_463_602_594);
        assert_eq!(text, "2026-03-02T15:00:02.594Z");
        assert_eq!(parse_ms(&text), Some(1_772_463_602_594));
        assert_eq!(parse_ms("2026-03-02T17:00:02.594+02:00"), Some(1_772_463_602_594));
        assert_eq!(parse_ms("2026-03-02"), None);
    }
}
