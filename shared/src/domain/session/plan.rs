//! What to do next with a session: a pure function of its facts, its results and now.

use std::time::Duration;

use super::{RecordingState, SessionRow};
use crate::domain::{day::millis, ids::RecordingId, ladder::Ladder};

/// The waits that decide when a session is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// A party's end → the first fetch.
    pub first_attempt_delay: Duration,
    /// Waits between attempts.
    pub ladder: Ladder,
    /// Time from the first event of a session after which a recording whose end no event told of is tried all the same.
    pub quiet_period: Duration,
    /// How long the call log must have answered without a recording to end it.
    pub unlisted_after: Duration,
    /// How long rows with recordings stay; zero keeps them.
    pub row_ttl: Duration,
}

impl Schedule {
    /// When a row with recordings may vanish, epoch seconds, if it is written now. A time to live of zero keeps rows:
    /// they end in the year 9999, so that a later event's `if_not_exists` cannot shorten their life.
    pub fn expires_s(&self, now_ms: u64) -> u64 {
        const END_OF_9999_S: u64 = 253_402_300_799;
        if self.row_ttl.is_zero() { END_OF_9999_S } else { now_ms / 1000 + self.row_ttl.as_secs() }
    }
}

/// When a session wants to be looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Everything heard of has ended.
    Settled,
    /// At this time, epoch milliseconds.
    At(u64),
}

/// What a look knows of a session beside its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The vendor says that the call still runs.
    pub runs: bool,
    /// Its place in the queue before the look, epoch milliseconds.
    pub due_at_ms: u64,
}

impl SessionRow {
    /// The recordings to try now: those the call log offers; those whose party has ended (the first of several decides);
    /// and, once the session has been known for the quiet period and unless the call `runs`, those whose end no event
    /// told of. Those whose last try is longest ago come first.
    pub fn to_fetch(&self, schedule: &Schedule, runs: bool, now_ms: u64) -> Vec<RecordingId> {
        let quiet = !runs && now_ms >= self.quiet_until_ms(schedule);
        let ready = |recording: &RecordingId| quiet || self.is_over(recording);
        let mut ready: Vec<_> = self.unfinished().into_iter().filter(|recording| ready(recording)).cloned().collect();
        ready.sort_by_key(|recording| self.result(recording).at_ms);
        ready
    }

    /// Whether something has said that a recording is finished: the end of its party, or the call log that offers it.
    pub fn is_over(&self, recording: &RecordingId) -> bool {
        self.parties_of(recording).any(|party| self.ended.contains(party)) || self.address(recording).is_some()
    }

    /// When to look again after a look that tried `tried` recordings: they climb the ladder. Others that are ready keep
    /// the session's place in the queue. The rest waits for an event, at most until the quiet period is over, which
    /// begins anew while the call runs.
    pub fn next(
        &self,
        schedule: &Schedule,
        standing: Standing,
        tried: &[RecordingId],
        now_ms: u64,
        chance: f64,
    ) -> Next {
        let ready = self.to_fetch(schedule, standing.runs, now_ms);
        let (mut ladder, mut left, mut silent) = (false, false, false);
        for recording in self.unfinished() {
            match (tried.contains(recording), ready.contains(recording)) {
                (true, _) => ladder = true,
                (false, true) => left = true,
                (false, false) => silent = true,
            }
        }
        let again_ms = if standing.runs { now_ms.saturating_add(millis(schedule.quiet_period)) } else { now_ms };
        let waits = [
            ladder.then(|| now_ms + schedule.ladder.wait_ms(self.attempts, chance)),
            left.then(|| standing.due_at_ms.min(now_ms)),
            silent.then(|| self.quiet_until_ms(schedule).max(again_ms)),
        ];
        waits.into_iter().flatten().min().map_or(Next::Settled, Next::At)
    }

    /// Counts of the row's recordings by state, in the order archived, waiting, too short, unavailable, deleted.
    pub fn counts(&self) -> [usize; 5] {
        let states: Vec<_> = self.recordings().into_iter().map(|recording| self.result(recording).state).collect();
        let order = [
            RecordingState::Archived,
            RecordingState::Waiting,
            RecordingState::TooShort,
            RecordingState::Unavailable,
            RecordingState::Deleted,
        ];
        order.map(|state| states.iter().filter(|found| **found == state).count())
    }

    fn quiet_until_ms(&self, schedule: &Schedule) -> u64 {
        self.seen_at_ms.saturating_add(millis(schedule.quiet_period))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::{
        RecordingResult,
        tests::{id, row},
    };

    const SEEN_MS: u64 = 1_000_000;
    const QUIET_MS: u64 = 900_000;

    fn schedule() -> Schedule {
        Schedule {
            first_attempt_delay: Duration::from_secs(60),
            ladder: Ladder::new([60, 120].map(Duration::from_secs).to_vec()).unwrap(),
            quiet_period: Duration::from_millis(QUIET_MS),
            unlisted_after: Duration::from_secs(3600),
            row_ttl: Duration::ZERO,
        }
    }

    fn ids(recordings: &[&str]) -> Vec<RecordingId> {
        recordings.iter().map(|text| id(RecordingId::parse, text)).collect()
    }

    const PLACE: Standing = Standing { runs: false, due_at_ms: SEEN_MS - 5 };
    const RUNS: Standing = Standing { runs: true, ..PLACE };

    #[test]
    fn the_first_of_several_parties_makes_a_recording_due() {
        let row = row(&["1|p-1", "1|p-2", "2|p-2"], &["p-1"]);
        assert_eq!(row.to_fetch(&schedule(), false, SEEN_MS), ids(&["1"]));
    }

    #[test]
    fn an_unreported_end_is_due_after_the_quiet_period_unless_the_call_runs() {
        let row = row(&["1|p-1", "2|", "3|p-3"], &["p-3"]);
        assert_eq!(row.to_fetch(&schedule(), false, SEEN_MS + QUIET_MS - 1), ids(&["3"]));
        assert_eq!(row.to_fetch(&schedule(), false, SEEN_MS + QUIET_MS), ids(&["1", "2", "3"]));
        assert_eq!(row.to_fetch(&schedule(), true, SEEN_MS + QUIET_MS), ids(&["3"]));
    }

    #[test]
    fn what_the_call_log_offers_is_ready() {
        let mut row = row(&["1|p-1"], &[]);
        let offered = RecordingResult { content_uri: Some("https://media/1".into()), ..RecordingResult::default() };
        row.results.insert(id(RecordingId::parse, "1"), offered);
        assert_eq!(row.to_fetch(&schedule(), true, SEEN_MS), ids(&["1"]));
    }

    #[test]
    fn the_one_tried_longest_ago_comes_first() {
        let mut row = row(&["1|p-1", "2|p-1", "3|p-1"], &["p-1"]);
        for (recording, at_ms) in [("1", 7), ("2", 5)] {
            let tried = RecordingResult { at_ms, ..RecordingResult::default() };
            row.results.insert(id(RecordingId::parse, recording), tried);
        }
        assert_eq!(row.to_fetch(&schedule(), false, SEEN_MS), ids(&["3", "2", "1"]));
    }

    #[test]
    fn ended_recordings_are_left_alone() {
        let mut row = row(&["1|p-1"], &["p-1"]);
        row.results.insert(
            ids(&["1"])[0].clone(),
            RecordingResult { state: RecordingState::TooShort, ..RecordingResult::default() },
        );
        assert_eq!(row.to_fetch(&schedule(), false, u64::MAX), ids(&[]));
        assert_eq!(row.next(&schedule(), PLACE, &[], SEEN_MS, 0.5), Next::Settled);
        assert_eq!(row.counts(), [0, 0, 1, 0, 0]);
    }

    #[test]
    fn what_was_tried_climbs_the_ladder_and_what_was_not_keeps_its_place_or_waits() {
        let mut row = row(&["1|p-1", "2|p-2"], &["p-1"]);
        row.attempts = 2;
        let next = |standing, tried: &[&str], now_ms| row.next(&schedule(), standing, &ids(tried), now_ms, 0.5);
        assert_eq!(next(PLACE, &["1"], SEEN_MS), Next::At(SEEN_MS + 120_000));
        assert_eq!(next(PLACE, &[], SEEN_MS), Next::At(SEEN_MS - 5), "there was no time for it");
        let late_ms = SEEN_MS + 2 * QUIET_MS;
        assert_eq!(next(PLACE, &["1"], late_ms), Next::At(SEEN_MS - 5), "the silent one is ready too");
        assert_eq!(next(RUNS, &["1"], late_ms), Next::At(late_ms + 120_000));
        let alone = super::super::tests::row(&["2|p-2"], &[]);
        assert_eq!(alone.next(&schedule(), PLACE, &[], SEEN_MS, 0.5), Next::At(SEEN_MS + QUIET_MS));
        assert_eq!(alone.next(&schedule(), RUNS, &[], late_ms, 0.5), Next::At(late_ms + QUIET_MS), "asked again then");
    }
}
