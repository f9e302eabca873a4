//! RingCentral's webhook bodies (API.md §6), read leniently where the vendor is loose and strictly where it matters:
//! ids become parsed types, everything else is optional.

mod wire;

use super::ids::{AccountId, InvalidId, PartyId, RecordingId, SessionId, TelephonySessionId};

/// More parties or recordings than this in one event are no call; it also bounds the table update.
pub const MAX_FACTS_PER_EVENT: usize = 40;

/// A notification, sorted by what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// What the event says of its call; one entry for each account that takes part.
    Telephony(Vec<SessionFacts>),
    /// The subscription asks to be renewed (API.md §5.5).
    RenewalReminder,
}

/// What one event says about one session of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFacts {
    /// The account the parties belong to.
    pub account: AccountId,
    /// The call.
    pub session: TelephonySessionId,
    /// The call log's legacy id; absent where the event says none or `"0"`.
    pub session_id: Option<SessionId>,
    /// When it happened, epoch milliseconds, as far as the event says so.
    pub at_ms: Option<u64>,
    /// The parties named.
    pub parties: Vec<PartyFacts>,
}

/// What one event says about one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyFacts {
    /// The party; some events name none.
    pub id: Option<PartyId>,
    /// It has reached `Disconnected`, `Gone` or `VoiceMail`.
    pub ended: bool,
    /// Recordings of it that are running, paused or finished.
    pub recordings: Vec<RecordingId>,
    /// For the manifest.
    pub about: PartyAbout,
}

/// Who a party is: for the manifest, never for a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartyAbout {
    /// `Inbound` or `Outbound`.
    pub direction: Option<String>,
    /// Phone number called.
    pub to: Option<String>,
    /// Phone number calling.
    pub from: Option<String>,
    /// The party's extension.
    pub extension: Option<String>,
}

/// Why an authentic body is not acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotUnderstood {
    /// Larger than [`super::delivery::MAX_BODY_BYTES`].
    #[error("the body is too large")]
    TooLarge,
    /// Not JSON, or fields of other types than documented.
    #[error("the body is not a notification")]
    Malformed,
    /// A notification about something else.
    #[error("the notification is of a kind that is not archived")]
    UnknownKind,
    /// A telephony event that names no account anywhere.
    #[error("the event names no account")]
    NoAccount,
    /// More than [`MAX_FACTS_PER_EVENT`] parties or recordings.
    #[error("the event names too many parties or recordings")]
    TooMany,
    /// An id that is not one.
    #[error(transparent)]
    Id(#[from] InvalidId),
}

impl NotUnderstood {
    /// A stable name for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::UnknownKind => "unknown_kind",
            Self::NoAccount => "no_account",
            Self::TooMany => "too_many",
            Self::Id(_) => "invalid_id",
        }
    }
}

impl Notification {
    /// Reads a webhook body. It goes by the body, not by the `event` path (API.md §0.7).
    ///
    /// # Errors
    /// Says why nothing in the body may be acted on.
    pub fn parse(body: &[u8]) -> Result<Self, NotUnderstood> {
        let envelope: wire::Envelope = serde_json::from_slice(body).map_err(|_| NotUnderstood::Malformed)?;
        let event_path = envelope.event.as_deref().unwrap_or_default();
        match envelope.body {
            Some(session) if session.telephony_session_id.is_some() => {
                let sent_ms = envelope.timestamp.as_deref().and_then(super::day::parse_time);
                session.into_facts(event_path, sent_ms).map(Self::Telephony)
            }
            Some(_) | None if event_path.starts_with("/restapi/v1.0/subscription/") => Ok(Self::RenewalReminder),
            Some(_) | None => Err(NotUnderstood::UnknownKind),
        }
    }
}

impl PartyAbout {
    /// What is known, and from `other` what is not.
    pub fn or(self, other: Self) -> Self {
        Self {
            direction: self.direction.or(other.direction),
            to: self.to.or(other.to),
            from: self.from.or(other.from),
            extension: self.extension.or(other.extension),
        }
    }
}

impl SessionFacts {
    /// Whether the event says anything that decides about a recording.
    pub fn of_interest(&self) -> bool {
        self.parties.iter().any(|party| !party.recordings.is_empty() || (party.ended && party.id.is_some()))
    }
}

/// Whether a party with this `status.code` has left its call; letter case does not count (API.md §6).
pub fn is_end(status_code: &str) -> bool {
    ["disconnected", "gone", "voicemail"].iter().any(|end| status_code.eq_ignore_ascii_case(end))
}

/// A text about a party or a call, unless it is too long to be a number or a word: rows have a limit.
pub fn short(text: Option<String>) -> Option<String> {
    text.filter(|text| text.len() <= 64)
}

/// The account id in a path or URL with `/account/<id>/`; `~` names none.
pub fn account_in(event_path: &str) -> Option<&str> {
    let mut segments = event_path.split(['/', '?']);
    segments.find(|segment| *segment == "account")?;
    segments.next().filter(|account| !["", "~"].contains(account))
}

#[cfg(test)]
mod tests;
