//! RingCentral's JSON.

mod log;
mod subscription;

use std::collections::BTreeSet;

use serde::Deserialize;

pub use log::LogReply;
pub(super) use subscription::{SubscriptionList, SubscriptionReply};

use crate::domain::{ids::PartyId, notification::is_end};

#[derive(Deserialize)]
pub(super) struct TokenReply {
    pub(super) access_token: String,
    pub(super) expires_in: u64,
}

/// The status of a live session (API.md §6).
#[derive(Deserialize)]
pub(super) struct LiveReply {
    #[serde(default)]
    parties: Vec<LiveParty>,
}

#[derive(Deserialize)]
struct LiveParty {
    id: Option<String>,
    status: Option<LiveStatus>,
}

#[derive(Deserialize)]
struct LiveStatus {
    code: Option<String>,
}

impl LiveReply {
    /// Parties that have left the call.
    pub(super) fn ended(&self) -> BTreeSet<PartyId> {
        let gone = |party: &&LiveParty| {
            let code = party.status.as_ref().and_then(|status| status.code.as_deref());
            code.is_some_and(is_end)
        };
        self.parties.iter().filter(gone).filter_map(|party| PartyId::parse(party.id.as_deref()?).ok()).collect()
    }
}
