//! Webhook subscriptions: created only if their address answers as it must (API.md §5).

mod handshake;
mod reminder;

pub use handshake::{Handshake, HandshakeAnswer};
pub(super) use handshake::{Pending, failure, judge, recheck};
pub(super) use reminder::Reminder;

use super::fault::Fault;
use super::links::Links;
use super::message::Reply;
use crate::settings::{DeliverySettings, Settings};
use crate::time_text::format_ms;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::{Host, Url};

const DEFAULT_EXPIRES_IN_S: u64 = 604_800;
const MAX_SUBSCRIPTIONS: usize = 30;

/// A webhook subscription (API.md §5).
#[derive(Clone, Debug)]
pub struct Subscription {
    /// A UUID.
    pub id: String,
    /// The filters in force, with real ids in place of `~`.
    pub event_filters: Vec<String>,
    /// Where notifications go.
    pub address: String,
    /// Whether they go there.
    pub status: SubscriptionStatus,
    /// When it ends, in epoch milliseconds.
    pub expires_at_ms: u64,
    created_at_ms: u64,
    disabled_filters: Vec<String>,
    verification_token: Option<String>,
    /// The life last asked for, in seconds: what a renewal gives again.
    expires_in_s: u64,
    /// Failures since the last good answer.
    failures: u32,
    failing_since_ms: Option<u64>,
}

/// `status` of a subscription (API.md §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionStatus {
    /// Notifications are sent.
    Active,
    /// Nothing is sent any more (API.md §5.4).
    Blacklisted {
        /// The vendor's words for why.
        reason: String,
        /// Since when, in epoch milliseconds.
        at_ms: u64,
    },
}

/// A subscription whose address has not answered yet.
#[derive(Debug)]
pub(super) struct Draft {
    event_filters: Vec<String>,
    disabled_filters: Vec<String>,
    address: String,
    verification_token: Option<String>,
    expires_in_s: u64,
    number: usize,
}

#[derive(Default)]
pub(super) struct Subscriptions {
    subscriptions: Vec<Subscription>,
    drafts: usize,
}

impl Subscriptions {
    pub(super) fn draft(&mut self, body: &[u8], settings: &Settings, now_ms: u64) -> Result<Draft, Fault> {
        if !settings.grants("SubscriptionWebhook") {
            return Err(Fault::app_lacks("SubscriptionWebhook"));
        }
        if self.living(now_ms).count() >= MAX_SUBSCRIPTIONS {
            return Err(Fault::plain(403, "SUB-505", "Subscriptions limit exceeded"));
        }
        let body: Value = serde_json::from_slice(body).map_err(|_| Fault::invalid("body"))?;
        let (event_filters, disabled_filters) = filters(&body, settings)?;
        let mode = &body["deliveryMode"];
        if mode["transportType"] != "WebHook" {
            return Err(Fault::invalid("deliveryMode.transportType"));
        }
        let address = mode["address"].as_str().filter(|address| is_reachable_by_rule(address));
        self.drafts += 1;
        Ok(Draft {
            event_filters,
            disabled_filters,
            address: address.ok_or_else(|| Fault::invalid("deliveryMode.address"))?.to_owned(),
            verification_token: mode["verificationToken"].as_str().map(str::to_owned),
            expires_in_s: expires_in_s(&body["expiresIn"], settings)?,
            number: self.drafts,
        })
    }

    pub(super) fn add(&mut self, draft: Draft, now_ms: u64) -> Subscription {
        let subscription = Subscription {
            id: uuid(&format!("subscription {}", draft.number)),
            event_filters: draft.event_filters,
            address: draft.address,
            status: SubscriptionStatus::Active,
            expires_at_ms: now_ms + draft.expires_in_s * 1_000,
            created_at_ms: now_ms,
            disabled_filters: draft.disabled_filters,
            verification_token: draft.verification_token,
            expires_in_s: draft.expires_in_s,
            failures: 0,
            failing_since_ms: None,
        };
        self.subscriptions.push(subscription.clone());
        subscription
    }

    pub(super) fn living(&self, now_ms: u64) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.iter().filter(move |subscription| subscription.expires_at_ms > now_ms)
    }

    pub(super) fn list(&self, links: &Links, now_ms: u64) -> Reply {
        let records: Vec<Value> =
            self.living(now_ms).map(|subscription| subscription.resource(links, now_ms)).collect();
        Reply::json(200, &json!({"uri": links.subscriptions(), "records": records}))
    }

    pub(super) fn read(&self, id: &str, links: &Links, now_ms: u64) -> Result<Reply, Fault> {
        let found = self.living(now_ms).find(|subscription| subscription.id == id);
        let subscription = found.ok_or_else(|| Fault::not_found("subscriptionId"))?;
        Ok(Reply::json(200, &subscription.resource(links, now_ms)))
    }

    /// Only filters and life count; a life that is not named becomes the default, an empty body changes nothing else
    /// (API.md §5).
    pub(super) fn update(&mut self, id: &str, body: &[u8], settings: &Settings, now_ms: u64) -> Result<(), Fault> {
        let subscription = self.living_mut(id, now_ms).ok_or_else(|| Fault::not_found("subscriptionId"))?;
        let body: Value = match body {
            [] => Value::Null,
            body => serde_json::from_slice(body).map_err(|_| Fault::invalid("body"))?,
        };
        let expires_in_s = expires_in_s(&body["expiresIn"], settings)?;
        if !body["eventFilters"].is_null() {
            (subscription.event_filters, subscription.disabled_filters) = filters(&body, settings)?;
        }
        subscription.live_for(expires_in_s, now_ms);
        Ok(())
    }

    /// Gives the life that was last asked for once more.
    pub(super) fn renew(&mut self, id: &str, now_ms: u64) -> Result<(), Fault> {
        let subscription = self.living_mut(id, now_ms).ok_or_else(|| Fault::not_found("subscriptionId"))?;
        subscription.live_for(subscription.expires_in_s, now_ms);
        Ok(())
    }

    pub(super) fn delete(&mut self, id: &str, now_ms: u64) -> Result<Reply, Fault> {
        if !self.living(now_ms).any(|subscription| subscription.id == id) {
            return Err(Fault::not_found("subscriptionId"));
        }
        self.subscriptions.retain(|subscription| subscription.id != id);
        Ok(Reply::bare(204))
    }

    pub(super) fn living_mut(&mut self, id: &str, now_ms: u64) -> Option<&mut Subscription> {
        self.subscriptions.iter_mut().find(|subscription| subscription.id == id && subscription.expires_at_ms > now_ms)
    }
}

impl Subscription {
    pub(super) fn is_active(&self) -> bool {
        self.status == SubscriptionStatus::Active
    }

    fn live_for(&mut self, expires_in_s: u64, now_ms: u64) {
        self.expires_in_s = expires_in_s;
        self.expires_at_ms = now_ms + expires_in_s * 1_000;
    }

    pub(super) fn blacklist(&mut self, reason: &str, at_ms: u64) {
        self.status = SubscriptionStatus::Blacklisted { reason: reason.to_owned(), at_ms };
    }

    pub(super) fn succeed(&mut self) {
        self.failures = 0;
        self.failing_since_ms = None;
    }

    /// Counts a failure; true if it puts the subscription on the blacklist.
    pub(super) fn fail(&mut self, reason: &str, settings: &DeliverySettings, now_ms: u64) -> bool {
        if !self.is_active() {
            return false;
        }
        self.failures += 1;
        let since_ms = *self.failing_since_ms.get_or_insert(now_ms);
        let too_many = settings.blacklist_after_failures.is_some_and(|most| self.failures >= most);
        let gives_up = too_many || now_ms.saturating_sub(since_ms) >= settings.blacklist_after_ms;
        if gives_up {
            self.blacklist(reason, now_ms);
        }
        gives_up
    }

    /// The address is well again.
    pub(super) fn recover(&mut self) {
        self.succeed();
        self.status = SubscriptionStatus::Active;
    }

    /// The renewal reminder among its filters.
    pub(super) fn reminder(&self) -> Option<Reminder> {
        self.event_filters.iter().find_map(|filter| Reminder::parse(filter))
    }

    /// What its deliveries carry.
    pub fn verification_token(&self) -> Option<&str> {
        self.verification_token.as_deref()
    }

    /// The resource as replies show it: the verification token is never among its fields.
    pub(super) fn resource(&self, links: &Links, now_ms: u64) -> Value {
        let mut body = json!({
            "uri": links.subscription(&self.id),
            "id": self.id,
            "eventFilters": self.event_filters,
            "creationTime": format_ms(self.created_at_ms),
            "expirationTime": format_ms(self.expires_at_ms),
            "expiresIn": self.expires_at_ms.saturating_sub(now_ms) / 1_000,
            "deliveryMode": {"transportType": "WebHook", "encryption": false, "address": self.address},
        });
        match &self.status {
            SubscriptionStatus::Active => body["status"] = json!("Active"),
            SubscriptionStatus::Blacklisted { reason, at_ms } => {
                body["status"] = json!("Blacklisted");
                body["blacklistedData"] = json!({"blacklistedAt": format_ms(*at_ms), "reason": reason});
            }
        }
        if !self.disabled_filters.is_empty() {
            body["disabledFilters"] = self.disabled_filters.iter().map(|filter| disabled(filter)).collect();
        }
        body
    }
}

/// Splits the wanted filters into those in force and those the application has no permission for.
fn filters(body: &Value, settings: &Settings) -> Result<(Vec<String>, Vec<String>), Fault> {
    let fault = || Fault::invalid("eventFilters");
    let wanted = body["eventFilters"].as_array().filter(|filters| !filters.is_empty()).ok_or_else(fault)?;
    let (mut active, mut disabled) = (Vec::new(), Vec::new());
    for filter in wanted {
        let filter = filter.as_str().filter(|filter| filter.starts_with("/restapi/")).ok_or_else(fault)?;
        if filter.contains("/telephony/sessions") && !settings.grants("CallControl") {
            disabled.push(filter.to_owned());
        } else {
            active.push(expand(filter, settings));
        }
    }
    Ok((active, disabled))
}

/// Puts real ids in the place of `~`; the reminder filter keeps its own (API.md §5).
pub(super) fn expand(filter: &str, settings: &Settings) -> String {
    filter
        .replace("/account/~", &format!("/account/{}", settings.account_id))
        .replace("/extension/~", &format!("/extension/{}", settings.extension_id))
}

fn disabled(filter: &str) -> Value {
    let message = "In order to subscribe, application needs to have [CallControl] permission";
    json!({"filter": filter, "reason": "CMN-401", "message": message})
}

fn expires_in_s(value: &Value, settings: &Settings) -> Result<u64, Fault> {
    if value.is_null() {
        return Ok(DEFAULT_EXPIRES_IN_S);
    }
    let wanted = value.as_u64().filter(|wanted| (1..=settings.max_expires_in_s).contains(wanted));
    wanted.ok_or_else(|| Fault::invalid("expiresIn"))
}

/// The vendor wants HTTPS (API.md §5.1); a simulator on loopback also calls plain HTTP on loopback.
fn is_reachable_by_rule(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

fn uuid(seed: &str) -> String {
    let hex: String = Sha256::digest(seed).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
