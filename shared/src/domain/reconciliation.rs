//! What the call log says of one call, held against the row of its session: what no event told becomes facts of the row,
//! and what the log says and the row lacks is added.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::{
    call_log::{LoggedCall, Offer, Verdict},
    day::{Day, millis},
    ids::RecordingId,
    notification::{MAX_FACTS_PER_EVENT, PartyAbout},
    session::{Heard, Learned, RecordingResult, RecordingState, Schedule, SessionKey, SessionRow, Silence, Write},
};

/// A call that has been running for longer than this, milliseconds, is over: the log will not rewrite it any more.
const LONGEST_CALL_MS: u64 = 6 * 3_600_000;

/// What is to be done about a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The row knows all of it, or it is too early to say.
    Nothing,
    /// No event told of a recording of it.
    Learn(Vec<Learned>),
    /// The row lacks something.
    Amend(Amendment),
}

/// What a row lacks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Amendment {
    /// Recordings no event told of.
    pub heard: BTreeSet<Heard>,
    /// Results that change.
    pub results: BTreeMap<RecordingId, RecordingResult>,
}

/// When things are said to be.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Epoch milliseconds.
    pub now_ms: u64,
    /// When a session no event told of is due, epoch milliseconds.
    pub due_at_ms: u64,
    /// The waits.
    pub schedule: &'a Schedule,
    /// What was read of the log.
    pub view: &'a View,
}

/// What was read of the call log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Calls that began in it, epoch milliseconds.
    pub window: Range<u64>,
    /// Whether its silence counts: it is the company's whole log about all calls.
    pub whole: bool,
}

impl View {
    /// Whether every record there is of a session's call can be in it. Records of one call begin hours apart.
    fn shows_all_of(&self, row: &SessionRow, now_ms: u64) -> bool {
        let begins_in_it = row.happened_ms >= self.window.start.saturating_add(LONGEST_CALL_MS);
        let is_the_end = self.window.end.saturating_add(LONGEST_CALL_MS) >= now_ms;
        let ends_in_it = is_the_end || row.happened_ms.saturating_add(LONGEST_CALL_MS) <= self.window.end;
        self.whole && begins_in_it && ends_in_it
    }
}

impl LoggedCall {
    /// Holds the call against its row, if it has one.
    pub fn against(&self, key: &SessionKey, row: Option<&SessionRow>, moment: Moment<'_>) -> Step {
        let age_ms = moment.now_ms.saturating_sub(self.began_ms.unwrap_or(moment.now_ms));
        if self.running && age_ms < LONGEST_CALL_MS {
            return Step::Nothing;
        }
        match row {
            Some(row) if !row.heard.is_empty() => {
                let amendment = self.amend(row, moment);
                let nothing = amendment.results.is_empty() && amendment.heard.is_empty();
                if nothing { Step::Nothing } else { Step::Amend(amendment) }
            }
            // A row without a recording fades away by itself: it is told of one as if it were not there.
            Some(_) | None if self.said.offered.is_empty() => Step::Nothing,
            Some(_) | None => Step::Learn(self.learned(key, moment)),
        }
    }

    /// How many recordings the log offers of it.
    pub fn offers(&self) -> usize {
        self.said.offered.len()
    }

    /// The facts of a call, as if events had told them; a write takes a limited number.
    fn learned(&self, key: &SessionKey, moment: Moment<'_>) -> Vec<Learned> {
        let began_ms = self.began_ms.unwrap_or(moment.now_ms);
        let offers: Vec<_> = self.said.offered.iter().collect();
        let some = offers.chunks(MAX_FACTS_PER_EVENT);
        some.map(|offers| {
            let parties = offers.iter().filter_map(|(_, offer)| Some((offer.listed.party.clone()?, about(offer))));
            let parties: BTreeMap<_, _> = parties.collect();
            Learned {
                key: key.clone(),
                day: Day::of(began_ms),
                happened_ms: began_ms,
                seen_at_ms: moment.now_ms,
                session_id: self.session_id.clone(),
                ended: parties.keys().cloned().collect(),
                parties,
                heard: offers.iter().map(|(recording, offer)| heard(recording, offer)).collect(),
                offers: offers.iter().map(|(id, offer)| ((*id).clone(), (*offer).clone())).collect(),
                due_at_ms: Write::Always(moment.due_at_ms),
                expires_s: Write::Always(moment.schedule.expires_s(moment.now_ms)),
            }
        })
        .collect()
    }

    fn amend(&self, row: &SessionRow, moment: Moment<'_>) -> Amendment {
        let mut amendment = Amendment::default();
        let known = row.recordings();
        for (recording, offer) in &self.said.offered {
            if !known.contains(recording) {
                amendment.heard.insert(heard(recording, offer));
            }
            if let Some(result) = offered(row, recording, offer) {
                amendment.results.insert(recording.clone(), result);
            }
        }
        for recording in row.unfinished() {
            if self.said.records > 0
                && moment.view.shows_all_of(row, moment.now_ms)
                && let Some(result) = self.unoffered(row, recording, moment)
            {
                amendment.results.insert(recording.clone(), result);
            }
        }
        amendment
    }

    /// What changes for a recording that waits, and that the log does not offer.
    fn unoffered(&self, row: &SessionRow, recording: &RecordingId, moment: Moment<'_>) -> Option<RecordingResult> {
        let before = row.result(recording);
        let mut result = before.clone();
        match self.said.verdict(row, recording) {
            Verdict::TooShort => {
                result.state = RecordingState::TooShort;
                result.reason = Some(format!("call log: marked shortRecording ({} records)", self.said.records));
                result.at_ms = moment.now_ms;
            }
            // Since when it is silent is noted. Whether the recording ends, the archiver says: it looks into the bucket first.
            Verdict::Silent if row.was_offered(recording) && before.silent_since_ms.is_none() => {
                let silence = Silence {
                    at_ms: moment.now_ms,
                    records: self.said.records,
                    was_offered: true,
                    unlisted_after_ms: millis(moment.schedule.unlisted_after),
                };
                result.hear(silence);
                result.reason = Some(silence.reason());
            }
            Verdict::Silent | Verdict::Offered(_) | Verdict::Unsaid => return None,
        }
        Some(result)
    }
}

/// What changes for a recording that the log offers. An ending other than in the bucket was a mistake then.
fn offered(row: &SessionRow, recording: &RecordingId, offer: &Offer) -> Option<RecordingResult> {
    let before = row.result(recording);
    let mut result = before.clone();
    let known = row.offers.get(recording).map(|offer| offer.listed.clone()).unwrap_or_default();
    let known = before.listed.clone().unwrap_or_default().or(known);
    let listed = known.clone().or(offer.listed.clone());
    if listed != known {
        result.listed = Some(listed);
    }
    match before.state {
        RecordingState::Archived => {}
        RecordingState::Waiting => {
            if row.address(recording).as_ref() != Some(&offer.content_uri) {
                (result.content_uri, result.silent_since_ms) = (Some(offer.content_uri.clone()), None);
            }
        }
        RecordingState::TooShort | RecordingState::Unavailable | RecordingState::Deleted => {
            let why = before.reason.as_deref().unwrap_or("no reason given");
            result.reason = Some(format!("call log: offered; had ended as {} ({why})", before.state.name()));
            result.state = RecordingState::Waiting;
            (result.content_uri, result.silent_since_ms) = (Some(offer.content_uri.clone()), None);
        }
    }
    (result != before).then_some(result)
}

fn heard(recording: &RecordingId, offer: &Offer) -> Heard {
    Heard { recording: recording.clone(), party: offer.listed.party.clone() }
}

/// Who the party of an offer is.
fn about(offer: &Offer) -> PartyAbout {
    let listed = &offer.listed;
    PartyAbout {
        direction: listed.direction.clone(),
        to: listed.to.clone(),
        from: listed.from.clone(),
        extension: listed.extension.clone(),
    }
}

#[cfg(test)]
mod tests;
