//! Ninety days of calls.

use std::{collections::BTreeMap, error::Error};

use bytes::Bytes;
use shared::domain::{
    call_log::{Listed, Offer},
    completeness::Offered,
    day::{DAY_MS, Day},
    ids::{AccountId, RecordingId, TelephonySessionId},
    session::{RecordingState, SessionKey},
};

use crate::{
    chance::Dice,
    memory::{Fate, MemoryBucket, MemoryTable, PastCall},
};

/// The first day: 2026-01-05.
const BEGIN_MS: u64 = 20_458 * DAY_MS;
const DAYS: u64 = 90;

/// Everything that was ever recorded.
pub(super) struct Population {
    pub(super) calls: Vec<PastCall>,
    offered: BTreeMap<Day, Offered>,
}

pub(super) fn account() -> AccountId {
    known(AccountId::parse("800000001"))
}

pub(super) fn recording(number: u64) -> RecordingId {
    known(RecordingId::parse(&format!("{}", 900_000_000_000 + number)))
}

/// Made of digits and letters, which are in every alphabet.
fn known<T, E: std::fmt::Debug>(id: Result<T, E>) -> T {
    id.unwrap_or_else(|error| unreachable!("{error:?}"))
}

impl Population {
    /// Calls with one to three recordings each, of which most are archived, some ended otherwise, and a few wait.
    pub(super) fn of(recordings: usize, dice: &Dice) -> Self {
        let mut calls = Vec::new();
        let mut offered: BTreeMap<Day, Offered> = BTreeMap::new();
        let mut made = 0;
        while made < recordings {
            let number = calls.len();
            let many = usize::try_from(dice.between(1..=3)).unwrap_or(1).min(recordings - made);
            let named = (made..made + many).map(|number| recording(number as u64));
            let call = PastCall {
                key: SessionKey {
                    account: account(),
                    session: known(TelephonySessionId::parse(&format!("s-a0aa{number:08x}"))),
                },
                happened_ms: BEGIN_MS + dice.between(0..=DAYS * DAY_MS - 1),
                recordings: named.map(|id| (id.clone(), fate(&id, dice))).collect(),
            };
            made += many;
            let offers = call.recordings.iter().filter(|(_, fate)| is_offered(fate));
            let offers = offers.map(|(id, _)| (id.clone(), offer(id))).collect();
            offered.entry(call.day()).or_default().insert(call.key.session.clone(), offers);
            calls.push(call);
        }
        Self { calls, offered }
    }

    pub(super) async fn leave_in(&self, table: &MemoryTable, bucket: &MemoryBucket) -> Result<(), Box<dyn Error>> {
        for call in &self.calls {
            call.leave_in(table, bucket).await?;
        }
        Ok(())
    }

    pub(super) fn days(&self) -> impl Iterator<Item = Day> {
        (0..DAYS).map(|n| Day::of(BEGIN_MS + n * DAY_MS))
    }

    /// What the call log offers of a day.
    pub(super) fn offered(&self, day: Day) -> Offered {
        self.offered.get(&day).cloned().unwrap_or_default()
    }

    pub(super) fn recordings(&self) -> usize {
        self.calls.iter().map(|call| call.recordings.len()).sum()
    }
}

fn fate(id: &RecordingId, dice: &Dice) -> Fate {
    match dice.between(1..=100) {
        1..=2 => Fate::Waiting,
        3..=5 => Fate::Ended(RecordingState::TooShort),
        6 => Fate::Ended(RecordingState::Unavailable),
        7 => Fate::Ended(RecordingState::Deleted),
        _ => Fate::Archived(Bytes::from(format!("audio of {id}, {}", "la ".repeat(dice.between(1..=20) as usize)))),
    }
}

fn is_offered(fate: &Fate) -> bool {
    match fate {
        Fate::Archived(_) | Fate::Waiting => true,
        Fate::Ended(_) => false,
    }
}

fn offer(id: &RecordingId) -> Offer {
    let content_uri = format!("https://media.ringcentral.com/restapi/v1.0/account/800000001/recording/{id}/content");
    Offer { content_uri, listed: Listed::default() }
}
