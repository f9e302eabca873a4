//! What the log says becomes part of the table.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::{HORIZON_MS, Place, Reconciler, Swept, log::Log};
use crate::{
    domain::{
        call_log::LoggedCall,
        ids::RecordingId,
        reconciliation::{Amendment, Moment, Step, View},
        session::{Learned, Next, RecordingResult, RecordingState, SessionKey, SessionRow},
    },
    failure::Class,
    ports::{
        clock::Clock,
        cursor_store::CursorStore,
        recording_source::RecordingSource,
        session_store::{Finish, Finished, Found, Recorded, Rows, SessionStore, StoreError},
    },
};

/// Calls to the table beside each other.
const ABREAST: usize = 20;

/// Rows that could not be written, or were written by others meanwhile, are read and compared so often.
const ROUNDS: u32 = 4;

/// A call, and when its session is due if no event has told of it, epoch milliseconds.
type Dated<'a> = (&'a SessionKey, &'a LoggedCall, u64);

/// How a write went.
enum Wrote {
    /// There was nothing to write.
    Nothing,
    Done,
    /// The row has changed since it was read.
    Again,
}

impl<T: SessionStore + CursorStore, R: RecordingSource, C: Clock> Reconciler<'_, T, R, C> {
    /// Adds everything now: it is due at once.
    pub(super) async fn add_at_once(&self, log: &Log, swept: &mut Swept) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        let calls = log.calls.iter().map(|(key, call)| (key, call, now_ms)).collect();
        self.add(calls, &log.view, swept).await
    }

    /// Adds the oldest calls first, each due in its turn, as many as fall due before the horizon. Answers up to which time
    /// all is done; nothing if another run is at it. The turns are written down first: a killed run wastes some, and
    /// none is used twice.
    pub(super) async fn add_in_turn(
        &self,
        place: &mut Place,
        log: &Log,
        end_ms: u64,
        swept: &mut Swept,
    ) -> Result<Option<u64>, StoreError> {
        let now_ms = self.clock.now_ms();
        let turn_ms = self.share.pace_ms(self.source.pace_ms());
        let mut calls: Vec<Dated<'_>> = log.calls.iter().map(|(key, call)| (key, call, now_ms)).collect();
        calls.sort_by_key(|(_, call, _)| call.began_ms);
        let known = self.rows_of(&calls).await?;
        let (mut dated, mut done_ms) = (Vec::new(), end_ms);
        // The page was a request too.
        place.sweep.take_slot(turn_ms, now_ms);
        let mut added = false;
        for (key, call, _) in calls {
            let step = call.against(key, known.known.get(key), self.moment(now_ms, &log.view));
            let takes_ms = match step {
                Step::Learn(_) if added && place.sweep.slot_ms() > now_ms.saturating_add(HORIZON_MS) => {
                    done_ms = call.began_ms.unwrap_or(place.sweep.left().start);
                    break;
                }
                Step::Learn(_) => {
                    added = true;
                    turn_ms.saturating_mul(call.offers() as u64)
                }
                Step::Amend(_) | Step::Nothing => 0,
            };
            dated.push((key, call, place.sweep.take_slot(takes_ms, now_ms)));
        }
        if added && !self.save(place).await? {
            return Ok(None);
        }
        self.add(dated, &log.view, swept).await?;
        Ok(Some(done_ms))
    }

    /// Adds calls, until nothing is left to add.
    async fn add(&self, mut calls: Vec<Dated<'_>>, view: &View, swept: &mut Swept) -> Result<(), StoreError> {
        swept.calls += calls.len();
        swept.accounts.extend(calls.iter().map(|(key, ..)| key.account.clone()));
        swept.offered += calls.iter().map(|(_, call, _)| call.offers()).sum::<usize>();
        let (mut failed, mut refused, mut taken) = (Ok(()), None, false);
        for _ in 0..ROUNDS {
            let known = self.rows_of(&calls).await?;
            swept.unreadable += known.unreadable.len();
            calls.retain(|(key, ..)| !known.unreadable.contains(*key));
            failed = Ok(());
            let mut left = Vec::new();
            for some in calls.chunks(ABREAST) {
                let each = some.iter().map(|(key, call, due_at_ms)| {
                    self.add_call(key, call, known.known.get(*key), self.moment(*due_at_ms, view))
                });
                for (call, (found, wrote)) in some.iter().zip(join_all(each).await) {
                    swept.add(&found);
                    match wrote {
                        Ok(Wrote::Nothing) => {}
                        Ok(Wrote::Done) => taken = true,
                        Ok(Wrote::Again) => left.push(*call),
                        Err(error) if error.class() == Class::Permanent => {
                            tracing::error!(session.id = %call.0.session, %error, "a row does not take what the log says");
                            swept.unreadable += 1;
                            refused = Some(error);
                        }
                        Err(error) => {
                            left.push(*call);
                            failed = Err(error);
                        }
                    }
                }
            }
            if left.is_empty() {
                // Where the table takes nothing at all, it is not this or that row.
                return refused.filter(|_| !taken).map_or(Ok(()), Err);
            }
            calls = left;
        }
        failed.and(Err(StoreError::Unavailable("others keep writing the same rows".to_owned())))
    }

    /// One call.
    async fn add_call(
        &self,
        key: &SessionKey,
        call: &LoggedCall,
        row: Option<&SessionRow>,
        moment: Moment<'_>,
    ) -> (Swept, Result<Wrote, StoreError>) {
        let mut found = Swept::default();
        let wrote = match call.against(key, row, moment) {
            Step::Nothing => Ok(Wrote::Nothing),
            Step::Learn(learned) => self.learn(key, &learned, &mut found).await,
            Step::Amend(amendment) => match row {
                Some(row) => self.amend(row, amendment, moment.now_ms, &mut found).await,
                None => Ok(Wrote::Again),
            },
        };
        (found, wrote)
    }

    async fn learn(&self, key: &SessionKey, learned: &[Learned], found: &mut Swept) -> Result<Wrote, StoreError> {
        for learned in learned {
            match self.table.record(learned).await? {
                Recorded::New => {
                    found.unheard += learned.heard.len();
                    found.days.insert(learned.day);
                    tracing::info!(session.id = %key.session, recordings = learned.heard.len(), "no event had told of these");
                }
                Recorded::Known => {}
            }
        }
        Ok(Wrote::Done)
    }

    async fn amend(
        &self,
        row: &SessionRow,
        amendment: Amendment,
        now_ms: u64,
        found: &mut Swept,
    ) -> Result<Wrote, StoreError> {
        let count = |is: fn(&RecordingResult) -> bool| amendment.results.values().filter(|result| is(result)).count();
        let counted = Swept {
            amended: 1,
            unheard: amendment.heard.len(),
            reopened: amendment.results.keys().filter(|id| is_reopened(row, &amendment, id)).count(),
            too_short: count(|result| result.state == RecordingState::TooShort),
            silent: count(|result| result.silent_since_ms.is_some() && !result.state.is_final()),
            days: [row.day].into(),
            ..Swept::default()
        };
        let finish = Finish {
            results: amendment.results,
            found: Found { heard: amendment.heard, ended: BTreeSet::new() },
            manifest: None,
            next: Next::At(now_ms),
            attempts: row.attempts,
            expires_s: self.schedule.expires_s(now_ms),
        };
        match self.table.finish(&row.key, row.rev, &finish).await? {
            Finished::Done => {
                tracing::info!(session.id = %row.key.session, "the row lacked what the call log says");
                found.add(&counted);
                Ok(Wrote::Done)
            }
            Finished::Changed(_) => Ok(Wrote::Again),
        }
    }

    async fn rows_of(&self, calls: &[Dated<'_>]) -> Result<Rows, StoreError> {
        let keys: Vec<_> = calls.iter().map(|(key, ..)| (*key).clone()).collect();
        self.table.rows(&keys).await
    }

    fn moment<'m>(&'m self, due_at_ms: u64, view: &'m View) -> Moment<'m> {
        Moment { now_ms: self.clock.now_ms(), due_at_ms, schedule: self.schedule, view }
    }
}

/// Whether a recording had ended otherwise than in the bucket and waits again.
fn is_reopened(row: &SessionRow, amendment: &Amendment, recording: &RecordingId) -> bool {
    let waits = amendment.results.get(recording).is_some_and(|result| result.state == RecordingState::Waiting);
    waits && row.result(recording).state.is_final()
}
