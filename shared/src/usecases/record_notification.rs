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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::delivery::Delivery,
        secret::Secret,
        usecases::fakes::{Jumping, Table, schedule},
    };

    fn recorded(table: &Table, body: &str) -> Outcome {
        let delivery = Delivery { body: body.as_bytes(), tokens: vec![b"hush"] };
        let delivery = delivery.authenticate(&[Secret::new("hush".to_owned())]).unwrap();
        Jumping::at(7).run(record_notification(table, &schedule(), &delivery, 7)).unwrap()
    }

    fn event(parties: &str) -> String {
        format!(r#"{{"body":{{"telephonySessionId":"s-1","parties":[{parties}]}}}}"#)
    }

    const OF_ONE: &str = r#"{"accountId":"1","id":"p","recordings":[{"id":"9"}]}"#;
    const OF_ANOTHER: &str = r#"{"accountId":"2","id":"q","recordings":[{"id":"9"}]}"#;

    #[test]
    fn news_outweighs_what_is_known_and_that_what_is_of_no_interest() {
        let table = Table::default();
        assert_eq!(recorded(&table, &event(r#"{"accountId":"1","id":"p"}"#)), Outcome::NotOfInterest);
        assert_eq!(recorded(&table, &event(OF_ONE)), Outcome::Recorded);
        assert_eq!(recorded(&table, &event(OF_ONE)), Outcome::Known);
        // Of two accounts, one of which is known already; whichever comes first.
        assert_eq!(recorded(&table, &event(&format!("{OF_ANOTHER},{OF_ONE}"))), Outcome::Recorded);
        let table = Table::default();
        recorded(&table, &event(OF_ONE));
        assert_eq!(recorded(&table, &event(&format!("{OF_ONE},{OF_ANOTHER}"))), Outcome::Recorded);
        assert_eq!(table.rows.borrow().len(), 2);
    }

    #[test]
    fn every_outcome_has_the_name_that_the_reply_says() {
        let table = Table::default();
        let reminder = r#"{"event":"/restapi/v1.0/subscription/~?threshold=1","body":{"expiresIn":1200}}"#;
        for (body, name) in [
            (event(r#"{"accountId":"1","id":"p"}"#), "not_of_interest"),
            (event(OF_ONE), "recorded"),
            (event(OF_ONE), "known"),
            (reminder.to_owned(), "renewal_reminder"),
            ("{".to_owned(), "malformed"),
        ] {
            assert_eq!(recorded(&table, &body).name(), name);
        }
        assert_eq!(table.reminded_ms.get(), Some(7));
    }
}
