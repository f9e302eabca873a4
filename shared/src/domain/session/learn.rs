//! What one event changes in the row of its session: decided here, written by the table's adapter in one conditional
//! update without a read. docs/decisions/order-of-events.md says why the order of events does not matter.

use std::collections::{BTreeMap, BTreeSet};

use super::{Heard, Schedule, SessionKey};
use crate::domain::{
    call_log::Offers,
    day::{DAY_MS, Day, millis},
    ids::{PartyId, SessionId},
    notification::{PartyAbout, SessionFacts},
};

/// How long a session nobody recorded stays, in days.
const UNRECORDED_TTL_DAYS: u64 = 2;

/// A change to a session row: what is written once (where the row has nothing there yet), what is added to its sets,
/// and when the row is due and may vanish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    /// Which row; it is created where there is none.
    pub key: SessionKey,
    /// UTC day of the call; once.
    pub day: Day,
    /// When the event happened, epoch milliseconds; once.
    pub happened_ms: u64,
    /// When we heard of it, epoch milliseconds; once.
    pub seen_at_ms: u64,
    /// The call log's legacy id, where the event names it; once.
    pub session_id: Option<SessionId>,
    /// Who the parties are; once for each.
    pub parties: BTreeMap<PartyId, PartyAbout>,
    /// Added to what was heard.
    pub heard: BTreeSet<Heard>,
    /// Added to the parties that ended.
    pub ended: BTreeSet<PartyId>,
    /// What the call log offers of the recordings heard; written along with what is new.
    pub offers: Offers,
    /// When somebody should look, epoch milliseconds. It counts for a row in the queue only.
    pub due_at_ms: Write<u64>,
    /// When the row may vanish, epoch seconds.
    pub expires_s: Write<u64>,
}

/// How an attribute is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write<T> {
    /// Only where the row has none yet.
    Once(T),
    /// Over whatever is there.
    Always(T),
}

impl Learned {
    /// What `facts` change in a row if they are written at `now_ms`. A recording puts the session into the queue; an
    /// end moves it to its first attempt. Either may come first.
    pub fn of(facts: &SessionFacts, schedule: &Schedule, now_ms: u64) -> Self {
        // A clock that runs ahead must not postpone the fetch.
        let at_ms = facts.at_ms.map_or(now_ms, |at_ms| at_ms.min(now_ms));
        let mut parties = BTreeMap::new();
        let mut heard = BTreeSet::new();
        let mut ended = BTreeSet::new();
        for party in &facts.parties {
            if let Some(id) = &party.id {
                parties.entry(id.clone()).or_insert_with(|| party.about.clone());
            }
            heard
                .extend(party.recordings.iter().cloned().map(|recording| Heard { recording, party: party.id.clone() }));
            ended.extend(party.id.iter().filter(|_| party.ended).cloned());
        }
        let expires_s = if heard.is_empty() {
            Write::Once((now_ms + UNRECORDED_TTL_DAYS * DAY_MS) / 1000)
        } else {
            Write::Always(schedule.expires_s(now_ms))
        };
        let due_at_ms = if ended.is_empty() {
            Write::Once(now_ms.saturating_add(millis(schedule.quiet_period)))
        } else {
            Write::Always(at_ms.saturating_add(millis(schedule.first_attempt_delay)))
        };
        Self {
            key: SessionKey { account: facts.account.clone(), session: facts.session.clone() },
            day: Day::of(at_ms),
            happened_ms: at_ms,
            seen_at_ms: now_ms,
            session_id: facts.session_id.clone(),
            parties,
            heard,
            ended,
            offers: Offers::new(),
            due_at_ms,
            expires_s,
        }
    }

    /// Whether the row belongs in the queue from now on. Nothing learned ever takes it out.
    pub fn queues(&self) -> bool {
        !self.heard.is_empty()
    }

    /// Whether it says nothing that decides about a recording.
    pub fn is_silent(&self) -> bool {
        self.heard.is_empty() && self.ended.is_empty()
    }

    /// Whether it adds to a row that has these facts. Only then is anything of it written.
    pub fn is_news(&self, heard: &BTreeSet<Heard>, ended: &BTreeSet<PartyId>) -> bool {
        !self.heard.is_subset(heard) || !self.ended.is_subset(ended)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{ladder::Ladder, notification::Notification, session::tests::id};

    fn learned(parties: &str) -> Learned {
        let body = format!(
            r#"{{"body":{{"telephonySessionId":"s","eventTime":"1970-01-01T00:01:00Z","parties":[{parties}]}}}}"#
        );
        let Ok(Notification::Telephony(sessions)) = Notification::parse(body.as_bytes()) else { panic!("{body}") };
        let schedule = Schedule {
            first_attempt_delay: Duration::from_secs(1),
            ladder: Ladder::new(vec![Duration::ZERO]).unwrap(),
            quiet_period: Duration::from_secs(900),
            unlisted_after: Duration::ZERO,
            row_ttl: Duration::from_secs(86_400),
        };
        Learned::of(&sessions[0], &schedule, 100_000)
    }

    #[test]
    fn a_recording_queues_the_session_for_the_quiet_period() {
        let learned = learned(r#"{"accountId":"1","id":"p","recordings":[{"id":"9"}]}"#);
        assert!(learned.queues());
        assert_eq!(learned.due_at_ms, Write::Once(1_000_000));
        assert_eq!(learned.expires_s, Write::Always(86_500));
    }

    #[test]
    fn an_end_moves_it_to_the_first_attempt_with_or_without_a_recording() {
        let learned = learned(r#"{"accountId":"1","id":"p","status":{"code":"Gone"}}"#);
        assert!(!learned.queues());
        assert_eq!(learned.due_at_ms, Write::Always(61_000));
        assert_eq!((learned.happened_ms, learned.seen_at_ms), (60_000, 100_000));
        assert_eq!(learned.expires_s, Write::Once(100 + 2 * 86_400));
    }

    #[test]
    fn what_an_event_says_twice_is_learned_once() {
        let learned = learned(
            r#"{"accountId":"1","id":"p","direction":"Inbound","status":{"code":"Gone"},"recordings":[{"id":"9"}]},
               {"accountId":"1","id":"p","direction":"Outbound","status":{"code":"Gone"},"recordings":[{"id":"9"}]}"#,
        );
        assert_eq!((learned.parties.len(), learned.heard.len(), learned.ended.len()), (1, 1, 1));
        assert_eq!(learned.parties[&id(PartyId::parse, "p")].direction.as_deref(), Some("Inbound"));
    }

    #[test]
    fn who_names_neither_a_recording_nor_an_end_says_nothing() {
        for (party, silent) in [
            (r#""status":{"code":"Answered"}"#, true),
            (r#""status":{"code":"Gone"}"#, false),
            (r#""recordings":[{"id":"9"}]"#, false),
            (r#""status":{"code":"Gone"},"recordings":[{"id":"9"}]"#, false),
        ] {
            assert_eq!(learned(&format!(r#"{{"accountId":"1","id":"p",{party}}}"#)).is_silent(), silent, "{party}");
        }
    }

    #[test]
    fn one_new_fact_is_news() {
        let learned = learned(r#"{"accountId":"1","id":"p","status":{"code":"Gone"},"recordings":[{"id":"9"}]}"#);
        let heard = BTreeSet::from([Heard::from_element("9|p").unwrap()]);
        let ended = BTreeSet::from([id(PartyId::parse, "p")]);
        assert!(learned.is_news(&BTreeSet::new(), &ended));
        assert!(learned.is_news(&heard, &BTreeSet::new()));
        assert!(!learned.is_news(&heard, &ended));
    }
}
