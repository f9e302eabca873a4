//! An authentic delivery becomes facts in the table.

use crate::{
    domain::{
        delivery::AuthenticDelivery,
        notification::{NotUnderstood, Notification},
        session::{Learned, Schedule},
    },
    ports::session_store::{Recorded, SessionStore, StoreError},
};

/// What became of a delivery. Every one of these is answered with 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A session row has grown.
    Recorded,
    /// Everything it says was known.
    Known,
    /// It says nothing that decides about a recording.
    NotOfInterest,
    /// The subscription asks to be renewed; whoever may do that is told.
    RenewalReminder,
    /// Authentic, but nothing in it may be acted on.
    NotUnderstood(NotUnderstood),
}

impl Outcome {
    /// A stable name for the reply, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Known => "known",
            Self::NotOfInterest => "not_of_interest",
            Self::RenewalReminder => "renewal_reminder",
            Self::NotUnderstood(why) => why.name(),
        }
    }
}

/// Records what a delivery says. Nothing is written for one that says nothing new or nothing of interest.
///
/// # Errors
/// The store's: the delivery is not recorded and the sender must be told so.
pub async fn record_notification<S: SessionStore>(
    store: &S,
    schedule: &Schedule,
    delivery: &AuthenticDelivery<'_>,
    now_ms: u64,
) -> Result<Outcome, StoreError> {
    let sessions = match delivery.parse() {
        Ok(Notification::Telephony(sessions)) => sessions,
        Ok(Notification::RenewalReminder) => {
            store.remind(now_ms).await?;
            return Ok(Outcome::RenewalReminder);
        }
        Err(why) => return Ok(Outcome::NotUnderstood(why)),
    };
    let mut outcome = Outcome::NotOfInterest;
    for facts in sessions.iter().filter(|facts| facts.of_interest()) {
        match store.record(&Learned::of(facts, schedule, now_ms)).await? {
            Recorded::New => outcome = Outcome::Recorded,
            Recorded::Known if outcome == Outcome::NotOfInterest => outcome = Outcome::Known,
            Recorded::Known => {}
        }
    }
    Ok(outcome)
}
