//! The call log, asked once for as many sessions as possible.

use std::{collections::BTreeSet, ops::Range};

use futures_util::future::join_all;

use super::{ABREAST, Archiver, Stop, look::Look};
use crate::{
    domain::{
        call_log::CallLogPage,
        day::DAY_MS,
        session::{SessionKey, SessionRow},
    },
    failure::Class,
    ports::{
        archive_store::ArchiveStore,
        clock::{Chance, Clock},
        recording_source::{Calls, Closed, LookUp, RecordingSource, SourceError, Whose, Window},
        session_store::{SessionStore, StoreError},
    },
};

/// What becomes of the sessions on a page that are not in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// Their rows are told, so that nobody need ask about them.
    AreTold,
    /// They are few, and mostly settled.
    AreLeft,
}

/// How far before the call's day its start may lie: calls run over midnight, and clocks differ.
const LOOK_BACK_MS: u64 = DAY_MS;

/// Calls may be listed with a start a little after we heard of them: clocks differ.
pub(super) const LOOK_AHEAD_MS: u64 = 60_000;

/// The most pages one question is worth. The newest calls come first, and those asked about are neighbours.
const MOST_PAGES: u32 = 3;

/// A first look may come before the log does. From this look on a session that no page offers is worth a question of its
/// own, which alone can say that a recording was too short or is silent for good.
const OWN_QUESTION_FROM: u32 = 2;

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    /// Asks about every session with an open recording and merges what the log says: one by session; two or more by
    /// pages, and then those that no page offers one by one, as far as there are permits.
    pub(super) async fn ask_the_log(&self, looks: &mut [Look], wait_until_ms: u64) -> Result<(), Stop> {
        let mut open: Vec<&mut Look> = looks.iter_mut().filter(|look| self.is_open(look)).collect();
        match open.as_mut_slice() {
            [] => return Ok(()),
            [look] => return self.ask_about(look, wait_until_ms).await,
            _ => {}
        }
        let heard_ms = open.iter().map(|look| look.row.seen_at_ms).max().unwrap_or_default();
        let read = self.read_pages(&mut open, heard_ms + LOOK_AHEAD_MS, Others::AreLeft, wait_until_ms).await?;
        if let Err(why) = &read {
            open.iter_mut().for_each(|look| look.answer = Some(Err(why.clone())));
        }
        let worth_it = |look: &&mut Look| look.attempts >= OWN_QUESTION_FROM && self.is_open(look);
        for look in open.into_iter().filter(worth_it) {
            match self.ask_about(look, wait_until_ms).await {
                Ok(()) => {}
                Err(Stop::Closed(Closed::Throttled { .. })) => break,
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }

    /// Whether a recording is ready, and no address is known for it.
    pub(super) fn is_open(&self, look: &Look) -> bool {
        let todo = look.todo(self.schedule, self.clock.now_ms());
        todo.iter().any(|recording| look.address(recording).is_none())
    }

    /// Asks about one session.
    pub(super) async fn ask_about(&self, look: &mut Look, wait_until_ms: u64) -> Result<(), Stop> {
        let look_up = LookUp {
            session: look.row.key.session.clone(),
            session_id: look.row.session_id.clone(),
            from_ms: begins_after_ms(&look.row),
        };
        look.answer = Some(match self.source.look_up(&look_up, wait_until_ms).await {
            Ok(answer) => {
                look.learn(&answer.offered);
                Ok(answer)
            }
            Err(SourceError::Closed(closed)) => return Err(Stop::Closed(closed)),
            Err(error) => Err(error.to_string()),
        });
        Ok(())
    }

    /// Reads pages about sessions in hand, backwards from `to_ms`, and merges what they offer; further ones only while
    /// something may be on them. Answers when the calls that were on them were first heard of, or why the log cannot be
    /// read.
    pub(super) async fn read_pages(
        &self,
        open: &mut [&mut Look],
        to_ms: u64,
        others: Others,
        wait_until_ms: u64,
    ) -> Result<Result<Range<u64>, String>, Stop> {
        let from_ms = open.iter().map(|look| begins_after_ms(&look.row)).min().unwrap_or(to_ms);
        let mut since_ms = to_ms;
        let whose = Whose::CompanyOrExtension;
        let window = |page| Window { from_ms, to_ms, page, calls: Calls::Recorded, whose };
        for page in 1..=MOST_PAGES {
            let answer = match self.source.page(&window(page), wait_until_ms).await {
                Ok(answer) => answer,
                // What the first ones said is worth having.
                Err(SourceError::Closed(Closed::Throttled { .. })) if page > 1 => break,
                Err(SourceError::Closed(closed)) => return Err(Stop::Closed(closed)),
                Err(error) if page > 1 => {
                    tracing::debug!(%error, "a further page cannot be read");
                    break;
                }
                Err(error) => return Ok(Err(error.to_string())),
            };
            for look in open.iter_mut() {
                if let Some(offers) = answer.offers_of(&look.row) {
                    let offers = offers.clone();
                    look.learn(&offers);
                }
            }
            if others == Others::AreTold {
                self.tell_others(open, &answer).await?;
            }
            since_ms = answer.oldest_ms.filter(|_| answer.more).unwrap_or(0);
            if !open.iter().any(|look| look.row.seen_at_ms <= since_ms && self.is_open(look)) {
                break;
            }
        }
        Ok(Ok(since_ms..to_ms))
    }

    /// Writes what a page offers into the rows of sessions that nobody has in hand.
    async fn tell_others(&self, in_hand: &[&mut Look], page: &CallLogPage) -> Result<(), StoreError> {
        let Some(account) = in_hand.first().map(|look| &look.row.key.account) else { return Ok(()) };
        let mine: BTreeSet<_> = in_hand.iter().map(|look| &look.row.key.session).collect();
        let others: Vec<_> = page.calls.iter().filter(|(session, _)| !mine.contains(session)).collect();
        for some in others.chunks(ABREAST) {
            let told = some.iter().map(|(session, call)| async move {
                let key = SessionKey { account: account.clone(), session: (*session).clone() };
                self.sessions.offer(&key, &call.said.offered).await
            });
            for told in join_all(told).await {
                match told {
                    Ok(_) => {}
                    Err(error) if error.class() == Class::Permanent => {
                        tracing::error!(%error, "a row does not take what the call log offers");
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// The earliest a call can have begun.
fn begins_after_ms(row: &SessionRow) -> u64 {
    row.day.start_ms().saturating_sub(LOOK_BACK_MS)
}
