//! Which subscriptions hear of an event, and what is sent to them (API.md §5.4, §6).

use super::message::json_text;
use super::subscriptions::{Subscription, SubscriptionStatus, expand};
use crate::settings::{EndRecordings, Settings};
use crate::world::PartyStatus;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One request of the vendor's own, to be sent with `POST`; what comes of it is told to
/// [`Simulator::delivered`](super::Simulator::delivered).
#[derive(Clone, Debug)]
pub struct Delivery {
    /// A number of its own.
    pub id: u64,
    /// The subscription it belongs to.
    pub subscription_id: String,
    /// Where to send it.
    pub address: String,
    /// Headers to send; the subscription's secret is among them, if it has one.
    pub headers: Vec<(&'static str, String)>,
    /// The body: JSON, or nothing when an address is asked again.
    pub body: Vec<u8>,
    /// What it is for.
    pub purpose: DeliveryPurpose,
}

/// What a delivery is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryPurpose {
    /// It tells of something.
    Notification {
        /// How often it has been sent before.
        failures: u32,
    },
    /// It asks a blacklisted address whether it is well again, as a handshake does (API.md §5.4).
    Recheck {
        /// What the address must send back.
        validation_token: String,
    },
}

pub(super) fn user_agent() -> (&'static str, String) {
    ("User-Agent", "RingCentral-Webhook/8.3".to_owned())
}

/// One for each active subscription that hears of the event; `made` counts all that were ever made.
pub(super) fn deliveries<'a>(
    subscriptions: impl Iterator<Item = &'a Subscription>,
    event: &Value,
    settings: &Settings,
    made: &mut u64,
) -> Vec<Delivery> {
    let event_path = expand(event["event"].as_str().unwrap_or_default(), settings);
    let matching = subscriptions.filter(|subscription| {
        let hears = |filter: &String| matches(filter, &event_path, &event["body"]);
        subscription.status == SubscriptionStatus::Active && subscription.event_filters.iter().any(hears)
    });
    let mut number = || {
        *made += 1;
        *made
    };
    let one = |(place, subscription): (usize, &Subscription)| {
        let mut event = event.clone();
        if place > 0 {
            event["uuid"] = json!(uuid_from(&format!("{} {}", event["uuid"], subscription.id)));
        }
        notification(subscription, event, settings, number())
    };
    matching.enumerate().map(one).collect()
}

/// Tells one subscription of an event.
pub(super) fn notification(subscription: &Subscription, event: Value, settings: &Settings, id: u64) -> Delivery {
    let mut body = event;
    if let Some(fields) = body.as_object_mut() {
        fields.insert("subscriptionId".into(), json!(subscription.id));
        fields.insert("ownerId".into(), json!(settings.extension_id));
    }
    tell_end_recordings(&mut body, settings.delivery.end_recordings);
    let mut headers = vec![
        ("Content-Type", "application/json; charset=UTF-8".to_owned()),
        ("Accept", "application/json".to_owned()),
        ("Accept-Encoding", "UTF-8".to_owned()),
        user_agent(),
    ];
    let secret = subscription.verification_token();
    headers.extend(secret.map(|token| (settings.delivery.secret_header.name(), token.to_owned())));
    Delivery {
        id,
        subscription_id: subscription.id.clone(),
        address: subscription.address.clone(),
        headers,
        body: json_text(&body).into_bytes(),
        purpose: DeliveryPurpose::Notification { failures: 0 },
    }
}

/// The same once more under another number and, if wanted, another `uuid`.
pub(super) fn copy(delivery: &Delivery, id: u64, with_new_uuid: bool) -> Delivery {
    let mut copy = Delivery { id, ..delivery.clone() };
    if with_new_uuid && let Ok(mut body) = serde_json::from_slice::<Value>(&copy.body) {
        body["uuid"] = json!(uuid_from(&format!("{} {id}", body["uuid"])));
        copy.body = json_text(&body).into_bytes();
    }
    copy
}

fn tell_end_recordings(event: &mut Value, how: EndRecordings) {
    let active = match how {
        EndRecordings::AsTheyAre => return,
        EndRecordings::Omitted => None,
        EndRecordings::Active => Some(true),
        EndRecordings::Paused => Some(false),
    };
    let ended = |party: &&mut Value| {
        party["status"]["code"].as_str().and_then(PartyStatus::parse).is_some_and(PartyStatus::is_end)
    };
    for party in event["body"]["parties"].as_array_mut().into_iter().flatten().filter(ended) {
        match active {
            Some(active) => {
                let recordings = party.get_mut("recordings").and_then(Value::as_array_mut);
                recordings.into_iter().flatten().for_each(|recording| recording["active"] = json!(active));
            }
            None => drop(party.as_object_mut().and_then(|fields| fields.remove("recordings"))),
        }
    }
}

/// Puts the parties of a later transition of the same call into an event. Gives the later one back if a party is in
/// both: it has two states then.
pub(super) fn merge(earlier: &mut Value, later: Value, settings: &Settings) -> Option<Value> {
    let ids = |event: &Value| -> Vec<String> {
        let parties = event["body"]["parties"].as_array().into_iter().flatten();
        parties.map(|party| party["id"].to_string()).collect()
    };
    let known = ids(earlier);
    if ids(&later).iter().any(|id| known.contains(id)) {
        return Some(later);
    }
    let mut merged = later;
    let mut parties = earlier["body"]["parties"].as_array().cloned().unwrap_or_default();
    parties.extend(merged["body"]["parties"].as_array().into_iter().flatten().cloned());
    merged["body"]["parties"] = Value::Array(parties);
    merged["event"] = json!(format!("/restapi/v1.0/account/{}/telephony/sessions", settings.account_id));
    *earlier = merged;
    None
}

/// A `uuid` of the vendor's kind: up to 19 decimal digits.
pub(super) fn uuid_from(seed: &str) -> String {
    let digest = Sha256::digest(seed);
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
        ("phoneNumber", _) => {
            some_party(&|party| [&party["from"]["phoneNumber"], &party["to"]["phoneNumber"]].into_iter().any(&same))
        }
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
