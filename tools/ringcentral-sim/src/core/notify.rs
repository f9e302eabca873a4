//! Which subscriptions hear of an event, and what is sent to them (API.md §5.4, §6).

use super::subscriptions::{Subscription, SubscriptionStatus, expand};
use crate::settings::Settings;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One notification to be sent with `POST`.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The subscription it belongs to.
    pub subscription_id: String,
    /// Where to send it.
    pub address: String,
    /// Headers to send; `Verification-Token` is there if the subscription has one.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Vec<u8>,
}

pub(super) fn user_agent() -> (&'static str, String) {
    ("User-Agent", "RingCentral-Webhook/8.3".to_owned())
}

pub(super) fn deliveries<'a>(
    subscriptions: impl Iterator<Item = &'a Subscription>,
    event: &Value,
    settings: &Settings,
) -> Vec<Delivery> {
    let event_path = expand(event["event"].as_str().unwrap_or_default(), settings);
    let matching = subscriptions.filter(|subscription| {
        let hears = |filter: &String| matches(filter, &event_path, &event["body"]);
        subscription.status == SubscriptionStatus::Active && subscription.event_filters.iter().any(hears)
    });
    matching.enumerate().map(|(place, subscription)| delivery(subscription, event, place, settings)).collect()
}

fn delivery(subscription: &Subscription, event: &Value, place: usize, settings: &Settings) -> Delivery {
    let mut body = event.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("subscriptionId".into(), json!(subscription.id));
        fields.insert("ownerId".into(), json!(settings.extension_id));
        if place > 0 {
            fields.insert("uuid".into(), json!(other_uuid(&event["uuid"], &subscription.id)));
        }
    }
    let mut headers = vec![
        ("Content-Type", "application/json; charset=UTF-8".to_owned()),
        ("Accept", "application/json".to_owned()),
        ("Accept-Encoding", "UTF-8".to_owned()),
        user_agent(),
    ];
    headers.extend(subscription.verification_token().map(|token| ("Verification-Token", token.to_owned())));
    Delivery {
        subscription_id: subscription.id.clone(),
        address: subscription.address.clone(),
        headers,
        body: body.to_string().into_bytes(),
    }
}

/// A `uuid` of the vendor's kind: up to 19 decimal digits.
fn other_uuid(uuid: &Value, subscription_id: &str) -> String {
    let digest = Sha256::digest(format!("{uuid} {subscription_id}"));
    let number = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    (number % 10_000_000_000_000_000_000).to_string()
}

/// An account's filter also hears what happens on its extensions.
fn matches(filter: &str, event_path: &str, body: &Value) -> bool {
    if filter == event_path {
        return true;
    }
    let (path, query) = filter.split_once('?').unwrap_or((filter, ""));
    let of_extension = || {
        let account = path.strip_suffix("/telephony/sessions").filter(|account| !account.contains("/extension/"));
        let rest = account.and_then(|account| event_path.strip_prefix(account));
        rest.is_some_and(|rest| rest.starts_with("/extension/") && rest.ends_with("/telephony/sessions"))
    };
    let covers = path == event_path || of_extension();
    covers && url::form_urlencoded::parse(query.as_bytes()).all(|(name, value)| holds(&name, &value, body))
}

/// Whether some party of the event satisfies one option of a filter; options we do not simulate let all pass.
fn holds(name: &str, value: &str, body: &Value) -> bool {
    let some_party = |test: &dyn Fn(&Value) -> bool| body["parties"].as_array().is_some_and(|all| all.iter().any(test));
    let same = |found: &Value| found.as_str().is_some_and(|found| found.eq_ignore_ascii_case(value));
    match (name, value) {
        ("withRecordings", "true") => {
            some_party(&|party| party["recordings"].as_array().is_some_and(|recordings| !recordings.is_empty()))
        }
        ("statusCode", _) => some_party(&|party| same(&party["status"]["code"])),
        ("direction", _) => some_party(&|party| same(&party["direction"])),
        ("missedCall", "true") => some_party(&|party| party["missedCall"] == true),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON_EXTENSION: &str = "/restapi/v1.0/account/1/extension/2/telephony/sessions";

    fn hears(filter: &str, event_path: &str) -> bool {
        let recorded = json!({"parties": [{"status": {"code": "Disconnected"}, "recordings": [{"id": "9"}]}]});
        matches(filter, event_path, &recorded)
    }

    #[test]
    fn an_account_filter_hears_its_extensions_and_no_other_account() {
        assert!(hears("/restapi/v1.0/account/1/telephony/sessions", ON_EXTENSION));
        assert!(hears(ON_EXTENSION, ON_EXTENSION));
        assert!(!hears("/restapi/v1.0/account/12/telephony/sessions", ON_EXTENSION));
        assert!(!hears("/restapi/v1.0/account/1/extension/3/telephony/sessions", ON_EXTENSION));
        assert!(!hears(ON_EXTENSION, "/restapi/v1.0/account/1/telephony/sessions"));
    }

    #[test]
    fn options_combine() {
        let filter = |query: &str| format!("/restapi/v1.0/account/1/telephony/sessions?{query}");
        assert!(hears(&filter("withRecordings=true&statusCode=Disconnected"), ON_EXTENSION));
        assert!(!hears(&filter("withRecordings=true&statusCode=Answered"), ON_EXTENSION));
    }

    #[test]
    fn a_reminder_is_heard_by_its_literal_filter() {
        let reminder = "/restapi/v1.0/subscription/~?threshold=259200&interval=43200";
        assert!(hears(reminder, reminder));
        assert!(!hears(reminder, "/restapi/v1.0/subscription/~?threshold=60&interval=15"));
    }
}
