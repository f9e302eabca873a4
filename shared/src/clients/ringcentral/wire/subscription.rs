//! Subscriptions as RingCentral writes them (API.md §5).

use serde::Deserialize;

use crate::{
    domain::{day::parse_time, subscription::Subscription},
    ports::recording_source::SourceError,
};

#[derive(Deserialize)]
pub(in super::super) struct SubscriptionList {
    records: Vec<SubscriptionReply>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct SubscriptionReply {
    id: Option<String>,
    status: Option<String>,
    expiration_time: Option<String>,
    #[serde(default)]
    event_filters: Vec<String>,
    #[serde(default)]
    disabled_filters: Vec<DisabledFilter>,
    delivery_mode: Option<DeliveryMode>,
}

#[derive(Deserialize)]
struct DisabledFilter {
    filter: String,
}

#[derive(Deserialize)]
struct DeliveryMode {
    address: Option<String>,
}

impl SubscriptionList {
    /// Those that lead to a webhook.
    ///
    /// One that cannot be read is an error: it may be ours, and would be created again and again.
    pub(in super::super) fn into_subscriptions(self) -> Result<Vec<Subscription>, SourceError> {
        self.records.into_iter().filter_map(|record| record.into_subscription().transpose()).collect()
    }
}

impl SubscriptionReply {
    /// The subscription; nothing if it leads to no webhook.
    pub(in super::super) fn into_subscription(self) -> Result<Option<Subscription>, SourceError> {
        let Some(address) = self.delivery_mode.and_then(|mode| mode.address) else { return Ok(None) };
        let unreadable = || SourceError::Malformed("a subscription is not what is documented");
        Ok(Some(Subscription {
            id: self.id.filter(|id| is_id(id)).ok_or_else(unreadable)?,
            address,
            active: self.status.as_deref() == Some("Active"),
            filters: self.event_filters,
            disabled: self.disabled_filters.into_iter().map(|disabled| disabled.filter).collect(),
            expires_at_ms: self.expiration_time.as_deref().and_then(parse_time).ok_or_else(unreadable)?,
        }))
    }
}

/// It becomes a part of a path. UUIDs have been seen (API.md §5).
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(records: &str) -> Option<Vec<Subscription>> {
        let list: SubscriptionList = serde_json::from_str(&format!(r#"{{"uri":"x","records":[{records}]}}"#)).ok()?;
        list.into_subscriptions().ok()
    }

    #[test]
    fn a_blacklisted_one_with_a_disabled_filter_is_read_whole() {
        let read = read(
            r#"{"id":"0f1e2d3c-4b5a-4968-8776-655443322110","status":"Blacklisted","eventFilters":["/restapi/v1.0/a"],
            "disabledFilters":[{"filter":"/restapi/v1.0/b","reason":"CMN-401","message":"no"}],
            "expirationTime":"2036-02-28T12:00:00.000Z","expiresIn":315000000,"creationTime":"2026-03-02T12:00:00.000Z",
            "deliveryMode":{"transportType":"WebHook","encryption":false,"address":"https://hooks.example.com/webhook"},
            "blacklistedData":{"reason":"I/O","blacklistedAt":"2026-03-05T05:24:00.720Z"}}"#,
        );
        let expected = Subscription {
            id: "0f1e2d3c-4b5a-4968-8776-655443322110".into(),
            address: "https://hooks.example.com/webhook".into(),
            active: false,
            filters: vec!["/restapi/v1.0/a".into()],
            disabled: vec!["/restapi/v1.0/b".into()],
            expires_at_ms: 2_087_812_800_000,
        };
        assert_eq!(read, Some(vec![expected]));
    }

    #[test]
    fn only_what_leads_to_a_webhook_counts() {
        let no_webhook = r#"{"id":"1","status":"Active","deliveryMode":{"transportType":"PubNub"}}"#;
        assert_eq!(read(no_webhook), Some(Vec::new()));
        assert_eq!(read(r#"{"id":"1"}"#), Some(Vec::new()));
        assert_eq!(read(""), Some(Vec::new()));
    }

    #[test]
    fn one_that_cannot_be_read_spoils_the_list() {
        let good =
            r#"{"id":"1","status":"Active","expirationTime":"2036-02-28T12:00:00Z","deliveryMode":{"address":"x"}}"#;
        assert_eq!(read(good).map(|read| (read.len(), read[0].active)), Some((1, true)));
        let without_status = good.replace("Active", "Suspended");
        assert_eq!(read(&without_status).map(|read| read[0].active), Some(false));
        for (from, to) in [
            (r#""id":"1""#, r#""id":"../1""#),
            (r#""id":"1""#, r#""id":"..""#),
            (r#""id":"1""#, r#""id":"""#),
            (r#""id":"1","#, ""),
            ("2036-02-28T12:00:00Z", "some day"),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good);
            assert_eq!(read(&format!("{good},{bad}")), None, "{bad}");
        }
    }
}
