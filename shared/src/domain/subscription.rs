//! What should become of the vendor's subscriptions to our webhook (API.md §5).

mod outcome;

pub use outcome::{Alarm, Outcome};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::day::DAY_MS;
use crate::secret::Secret;

/// What the subscription must hear of: every call of the account, and its own coming end (API.md §5.5, §6).
pub const FILTERS: [&str; 2] =
    ["/restapi/v1.0/account/~/telephony/sessions", "/restapi/v1.0/subscription/~?threshold=259200&interval=43200"];

/// What is left of a life when it is renewed, milliseconds: an hour more than when the vendor begins to remind.
const RENEW_BELOW_MS: u64 = 3 * DAY_MS + 60 * 60 * 1000;

/// Not known to be healthy for longer than this, milliseconds, is a gap: meanwhile the keeper has looked four times.
const GAP_MS: u64 = 60 * 60 * 1000;

/// A webhook subscription as the vendor lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The vendor's id.
    pub id: String,
    /// Where notifications go.
    pub address: String,
    /// Whether its status is `Active`; any other means that nothing is delivered.
    pub active: bool,
    /// The filters in force, as the vendor spells them.
    pub filters: Vec<String>,
    /// Filters the application has no permission for: it can exist and be deaf (API.md §0.13).
    pub disabled: Vec<String>,
    /// When it ends, epoch milliseconds.
    pub expires_at_ms: u64,
}

/// What our one subscription should be like.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The webhook's address.
    pub address: &'a str,
    /// [`fingerprint`] of the verification token that deliveries should carry.
    pub fingerprint: &'a str,
}

/// The subscription last seen healthy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The vendor's id.
    pub id: String,
    /// [`fingerprint`] of the verification token it was given.
    pub fingerprint: String,
    /// When it was seen healthy, epoch milliseconds.
    pub healthy_at_ms: u64,
}

/// Why somebody looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// It is time to.
    Schedule,
    /// The vendor reminded us to renew.
    Reminder,
}

/// What is wrong with a subscription, or with there being none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is none of ours.
    Missing,
    /// Blacklisted, or of a status nobody documented.
    NotActive,
    /// Listed past its end.
    Expired,
    /// It leads elsewhere; an address cannot be changed.
    WrongAddress,
    /// It was given another verification token than the one in force; a token cannot be changed.
    SecretRotated,
    /// Nobody remembers which verification token it was given, and the vendor never tells (API.md §5).
    TokenUnknown,
    /// It does not hear all it should.
    FilterMissing,
    /// The application lacks the permission for what it should hear.
    FilterDisabled,
    /// The vendor refused to renew it.
    NotRenewed,
}

/// What is to be done. Ids are those of our own subscriptions only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// One is healthy.
    Keep {
        /// Which stays.
        id: String,
        /// Whether its life is to be renewed.
        renew: bool,
        /// The others of ours.
        delete: Vec<String>,
    },
    /// None is.
    Create(Creation),
}

/// A new subscription, made before any other is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// What is wrong with the best there is.
    pub why: Fault,
    /// All of ours that stand, what hears nothing first and the stand-in last: in this order they make room.
    pub replaces: Vec<String>,
    /// The one among them that may still hear something: it stays if the new one is no better.
    pub stand_in: Option<String>,
}

/// What a new subscription leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The others, or the new one itself.
    pub delete: Vec<String>,
    /// What is wrong with the new one, if it is no better.
    pub fault: Option<Fault>,
}

impl Memory {
    /// Reads what [`Memory::to_json`] wrote; nothing if it is something else.
    pub fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// For the row.
    pub fn to_json(&self) -> String {
        // Plain texts and a number: it cannot fail, and an empty text would be read as no memory.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether calls may have gone unheard before the subscription `id` was seen healthy at `now_ms`.
    pub fn has_gap(&self, id: &str, now_ms: u64) -> bool {
        self.id != id || now_ms.saturating_sub(self.healthy_at_ms) > GAP_MS
    }
}

impl Wanted<'_> {
    /// What is to be done about the subscriptions the vendor lists. Ours is the remembered one and whatever leads to
    /// our address; everything else is somebody else's.
    pub fn plan(&self, listed: &[Subscription], memory: Option<&Memory>, occasion: Occasion, now_ms: u64) -> Plan {
        let is_remembered = |one: &Subscription| memory.is_some_and(|memory| memory.id == one.id);
        let mut ours: Vec<&Subscription> =
            listed.iter().filter(|one| is_remembered(one) || self.is_led_to_by(one)).collect();
        // The remembered one first, whose verification token is known; then the longest lived.
        ours.sort_by_key(|one| (!is_remembered(one), u64::MAX - one.expires_at_ms, one.id.as_str()));
        match ours.iter().find(|one| self.fault(one, memory, now_ms).is_none()) {
            Some(best) => Plan::Keep {
                id: best.id.clone(),
                renew: occasion == Occasion::Reminder || best.expires_at_ms - now_ms < RENEW_BELOW_MS,
                delete: ours.iter().filter(|one| one.id != best.id).map(|one| one.id.clone()).collect(),
            },
            None => {
                let may_hear = |one: &Subscription| one.active && self.is_led_to_by(one) && one.lives(now_ms);
                let stand_in = ours.iter().find(|one| may_hear(one)).map(|one| one.id.clone());
                let best = ours.iter().find(|one| may_hear(one)).or(ours.first());
                let why = best.and_then(|best| self.fault(best, memory, now_ms)).unwrap_or(Fault::Missing);
                ours.sort_by_key(|one| (may_hear(one), Some(&one.id) == stand_in.as_ref()));
                Plan::Create(Creation { why, replaces: ours.iter().map(|one| one.id.clone()).collect(), stand_in })
            }
        }
    }

    /// What a subscription that was created at `now_ms` is worth.
    pub fn judge(&self, creation: &Creation, new: &Subscription, now_ms: u64) -> Verdict {
        let fault = self.fault_besides_token(new, now_ms);
        let delete = match (&creation.stand_in, fault) {
            (Some(stand_in), Some(_)) => {
                let others = creation.replaces.iter().filter(|id| *id != stand_in);
                others.chain([&new.id]).cloned().collect()
            }
            (Some(_), None) | (None, _) => creation.replaces.clone(),
        };
        Verdict { delete, fault }
    }

    fn fault(&self, one: &Subscription, memory: Option<&Memory>, now_ms: u64) -> Option<Fault> {
        let remembered = memory.filter(|memory| memory.id == one.id);
        let of_token = match remembered {
            Some(memory) => (memory.fingerprint != self.fingerprint).then_some(Fault::SecretRotated),
            None => Some(Fault::TokenUnknown),
        };
        self.fault_besides_token(one, now_ms).or(of_token)
    }

    fn fault_besides_token(&self, one: &Subscription, now_ms: u64) -> Option<Fault> {
        let hears = |filter: &str| one.filters.iter().chain(&one.disabled).any(|known| normal(known) == normal(filter));
        if !one.active {
            Some(Fault::NotActive)
        } else if !one.lives(now_ms) {
            Some(Fault::Expired)
        } else if !self.is_led_to_by(one) {
            Some(Fault::WrongAddress)
        } else if !FILTERS.into_iter().all(hears) {
            Some(Fault::FilterMissing)
        } else if !one.disabled.is_empty() {
            Some(Fault::FilterDisabled)
        } else {
            None
        }
    }

    fn is_led_to_by(&self, one: &Subscription) -> bool {
        one.address == self.address || same_place(&one.address, self.address).unwrap_or(false)
    }
}

impl Subscription {
    fn lives(&self, now_ms: u64) -> bool {
        self.expires_at_ms > now_ms
    }
}

/// Tells a verification token from others without telling what it is.
pub fn fingerprint(token: &Secret) -> String {
    BASE64_STANDARD.encode(&Sha256::digest(token.expose())[..12])
}

/// Whether two addresses differ in spelling only: letter case of the host, default port, trailing slash.
fn same_place(one: &str, other: &str) -> Option<bool> {
    let (one, other) = (Url::parse(one).ok()?, Url::parse(other).ok()?);
    let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
    Some(one.origin() == other.origin() && path(&one) == path(&other) && one.query() == other.query())
}

/// A filter with `~` in the place of our own ids: the vendor spells them out, or not (API.md §5).
fn normal(filter: &str) -> String {
    let (path, query) = filter.split_at(filter.find('?').unwrap_or(filter.len()));
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        let is_id = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        let owner = matches!(segments.last(), Some(&"account" | &"extension"));
        segments.push(if is_id && owner { "~" } else { segment });
    }
    segments.join("/") + query
}

impl Fault {
    /// A stable name for logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotActive => "not_active",
            Self::Expired => "expired",
            Self::WrongAddress => "wrong_address",
            Self::SecretRotated => "secret_rotated",
            Self::TokenUnknown => "token_unknown",
            Self::FilterMissing => "filter_missing",
            Self::FilterDisabled => "filter_disabled",
            Self::NotRenewed => "not_renewed",
        }
    }
}

#[cfg(test)]
mod tests;
