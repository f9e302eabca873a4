//! Renewal reminders (API.md §5.5).

/// A filter that asks for reminders before the subscription ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core) struct Reminder {
    /// The filter as it was written: the `event` of each reminder.
    pub(in crate::core) filter: String,
    /// Remaining life at the first reminder, in seconds.
    pub(in crate::core) threshold_s: u64,
    /// Time from one reminder to the next, in seconds.
    pub(in crate::core) interval_s: u64,
}

impl Reminder {
    pub(super) fn parse(filter: &str) -> Option<Self> {
        let (path, query) = filter.split_once('?')?;
        path.strip_prefix("/restapi/v1.0/subscription/").filter(|id| !id.contains('/'))?;
        let seconds = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).and_then(|(_, value)| value.parse::<u64>().ok())
        };
        Some(Self { filter: filter.to_owned(), threshold_s: seconds("threshold")?, interval_s: seconds("interval")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reminder_with_both_numbers_is_one() {
        let filter = "/restapi/v1.0/subscription/~?threshold=259200&interval=43200";
        let expected = Reminder { filter: filter.to_owned(), threshold_s: 259_200, interval_s: 43_200 };
        assert_eq!(Reminder::parse(filter), Some(expected));
        for other in [
            "/restapi/v1.0/subscription/~",
            "/restapi/v1.0/subscription/~?threshold=60",
            "/restapi/v1.0/account/1/telephony/sessions?threshold=60&interval=15",
        ] {
            assert_eq!(Reminder::parse(other), None, "{other}");
        }
    }
}
