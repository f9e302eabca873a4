//! What starts a run; anything else is refused, so that a misrouted event is seen.

use serde::Deserialize;
use serde_json::Value;
use shared::{domain::day::parse_time, usecases::oversee::Errand};

/// An event this function is for: an EventBridge rule's or EventBridge Scheduler's; the same, or a person's, with times in
/// `detail`, so that only this range is looked at; or a batch of the table's stream, of which the template lets through only
/// the vendor's reminders to renew.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct Trigger(pub(crate) Errand);

impl TryFrom<Value> for Trigger {
    type Error = &'static str;

    fn try_from(event: Value) -> Result<Self, Self::Error> {
        if let Some(records) = event.get("Records").and_then(Value::as_array) {
            let of_the_table = records.iter().all(|record| record.get("dynamodb").is_some());
            return if of_the_table {
                Ok(Self(Errand::Reminder))
            } else {
                Err("a batch that is not of a DynamoDB stream")
            };
        }
        let detail = event.get("detail").map_or(Ok(Value::Null), detail)?;
        let time = |name: &str| match detail.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(time) => time.as_str().and_then(parse_time).map(Some).ok_or("a time in detail that is not RFC 3339"),
        };
        match (time("from")?, time("to")?) {
            (Some(from_ms), Some(to_ms)) if from_ms < to_ms => Ok(Self(Errand::Range(from_ms..to_ms))),
            (Some(_), Some(_)) => Err("a range that ends before it begins"),
            (Some(_), None) | (None, Some(_)) => Err("a range needs both from and to"),
            (None, None) if event.get("detail-type").is_some_and(Value::is_string) => Ok(Self(Errand::Schedule)),
            (None, None) => Err("no schedule, range or stream batch"),
        }
    }
}

/// The scheduler sends its input as text.
fn detail(detail: &Value) -> Result<Value, &'static str> {
    match detail.as_str() {
        Some(text) => serde_json::from_str(text).map_err(|_| "a detail that is text, but not JSON"),
        None => Ok(detail.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Errand, String> {
        serde_json::from_str(json).map(|Trigger(errand)| errand).map_err(|error| error.to_string())
    }

    #[test]
    fn schedules_ranges_and_streams_are_triggers() {
        let range = Errand::Range(1_776_124_800_000..1_776_211_200_000);
        for (json, expected) in [
            (r#"{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#, Errand::Schedule),
            (r#"{"source":"aws.scheduler","detail-type":"Scheduled Event","detail":"{}"}"#, Errand::Schedule),
            (r#"{"detail-type":"Scheduled Event"}"#, Errand::Schedule),
            (r#"{"detail":{"from":"2026-04-14T00:00:00Z","to":"2026-04-15T02:00:00+02:00"}}"#, range.clone()),
            (
                r#"{"detail-type":"x","detail":"{\"from\":\"2026-04-14T00:00:00Z\",\"to\":\"2026-04-15T00:00:00Z\"}"}"#,
                range,
            ),
            (r#"{"Records":[{"eventSource":"aws:dynamodb","dynamodb":{"Keys":{}}}]}"#, Errand::Reminder),
            (r#"{"Records":[]}"#, Errand::Reminder),
        ] {
            assert_eq!(read(json), Ok(expected), "{json}");
        }
    }

    #[test]
    fn everything_else_is_refused_and_says_why() {
        for (json, why) in [
            (r#"{"Records":[{"eventSource":"aws:s3","s3":{}}]}"#, "a batch that is not of a DynamoDB stream"),
            (r#"{"version":"2.0","headers":{}}"#, "no schedule, range or stream batch"),
            ("{}", "no schedule, range or stream batch"),
            ("[]", "no schedule, range or stream batch"),
            (r#"{"detail-type":7}"#, "no schedule, range or stream batch"),
            (r#"{"detail-type":"x","detail":"soon"}"#, "a detail that is text, but not JSON"),
            (r#"{"detail":{"from":"2026-04-14T00:00:00Z"}}"#, "a range needs both from and to"),
            (r#"{"detail-type":"x","detail":{"to":"2026-04-14T00:00:00Z"}}"#, "a range needs both from and to"),
            (r#"{"detail":{"from":"yesterday","to":"today"}}"#, "a time in detail that is not RFC 3339"),
            (r#"{"detail":{"from":1,"to":2}}"#, "a time in detail that is not RFC 3339"),
            (
                r#"{"detail":{"from":"2026-04-15T00:00:00Z","to":"2026-04-15T00:00:00Z"}}"#,
                "a range that ends before it begins",
            ),
        ] {
            assert_eq!(read(json), Err(why.to_owned()), "{json}");
        }
    }
}
