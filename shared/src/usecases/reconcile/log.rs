//! A window of the call log, read to its end: several pages may speak of one call.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use super::{Reconciler, Swept, Task};
use crate::{
    domain::{
        call_log::{CallLogPage, LoggedCall},
        day::format_time,
        ids::TelephonySessionId,
        reconciliation::View,
        session::SessionKey,
        sweep::Sweep,
    },
    ports::{
        clock::Clock,
        cursor_store::CursorStore,
        recording_source::{Calls, RecordingSource, SourceError, Whose, Window},
        session_store::SessionStore,
    },
    usecases::stopped::Stopped,
};

/// What is read of a window is kept in memory, and must be read in one run at its share of the vendor's limit: more pages
/// than this, and the window is made shorter. A backfill reads a window again and again while it adds its calls in turn.
const MOST_PAGES: u32 = 8;
const MOST_PAGES_OF_A_BACKFILL: u32 = 1;

/// So often a page is asked for, with longer and longer waits between, milliseconds (API.md §4).
const TRIES: u32 = 4;
const FIRST_WAIT_MS: u64 = 2_000;

/// All calls of a window.
pub(super) struct Log {
    pub(super) calls: BTreeMap<SessionKey, LoggedCall>,
    pub(super) view: View,
}

impl<T: SessionStore + CursorStore, R: RecordingSource, C: Clock> Reconciler<'_, T, R, C> {
    /// Reads the next window; nothing if it has too many pages and may be shorter.
    pub(super) async fn read(
        &self,
        task: &Task,
        sweep: &Sweep,
        until_ms: u64,
        swept: &mut Swept,
    ) -> Result<Option<Log>, Stopped> {
        let Range { start: from_ms, end: to_ms } = sweep.window();
        // What is gone, a backfill cannot tell: no event has told of calls as old.
        let (most_pages, calls) =
            if task.is_backfill() { (MOST_PAGES_OF_A_BACKFILL, Calls::Recorded) } else { (MOST_PAGES, Calls::All) };
        let (mut log, mut whole) = (BTreeMap::<TelephonySessionId, LoggedCall>::new(), calls == Calls::All);
        for page in 1.. {
            let answer = self.page(&Window { from_ms, to_ms, page, calls, whose: Whose::Company }, until_ms).await?;
            swept.pages += 1;
            whole &= answer.whole;
            if answer.unusable > 0 {
                let (from, to) = (format_time(from_ms), format_time(to_ms));
                tracing::error!(records = answer.unusable, from, to, page, "records of the call log cannot be used");
                swept.unreadable += answer.unusable;
            }
            for (session, call) in answer.calls {
                log.entry(session).or_default().add(call);
            }
            if !answer.more {
                break;
            }
            if page >= most_pages && !sweep.is_narrow() {
                return Ok(None);
            }
        }
        // Whether the end is meant to be in it, the vendor does not say.
        let is_in =
            |call: &LoggedCall| call.began_ms.is_none_or(|began_ms| began_ms < to_ms) || to_ms == sweep.left().end;
        log.retain(|_, call| is_in(call));
        let mut calls = BTreeMap::new();
        for (session, call) in log {
            match call.account.clone() {
                Some(account) => drop(calls.insert(SessionKey { account, session }, call)),
                None => {
                    tracing::error!(session.id = %session, "the call log does not say whose call this is");
                    swept.unreadable += 1;
                }
            }
        }
        Ok(Some(Log { calls, view: View { window: from_ms..to_ms, whole } }))
    }

    /// One page. An answer that cannot be used is asked for again.
    async fn page(&self, window: &Window, until_ms: u64) -> Result<CallLogPage, Stopped> {
        let mut wait_ms = FIRST_WAIT_MS;
        for last in (1..TRIES).map(|_| false).chain([true]) {
            let answer = self.source.page(window, until_ms).await;
            let last = last || self.clock.now_ms() >= until_ms;
            match answer {
                Ok(page) => return Ok(page),
                Err(SourceError::Closed(closed)) => {
                    tracing::warn!(why = %closed, "the sweep pauses: nothing may be asked of the vendor now");
                    return Err(Stopped::by(&closed));
                }
                Err(error @ SourceError::Status { status: 403, .. }) => {
                    tracing::error!(%error, "the company's call log is forbidden: give the app ReadCallLog, and the user FullCompanyCallLog");
                    return Err(Stopped::PermissionMissing);
                }
                Err(
                    error @ (SourceError::Status { .. }
                    | SourceError::Malformed(_)
                    | SourceError::Unreachable(_)
                    | SourceError::ForeignOrigin),
                ) => {
                    tracing::warn!(%error, last, "a page of the call log cannot be read");
                    if last {
                        break;
                    }
                    self.clock.sleep(Duration::from_millis(wait_ms)).await;
                    wait_ms *= 2;
                }
            }
        }
        Err(Stopped::LogUnreadable)
    }
}
