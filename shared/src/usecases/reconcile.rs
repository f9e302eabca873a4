//! The call log, held against the table: what no event told of becomes facts of a session row, and what a row lacks is
//! added. A sweep goes over a stretch of the log; it may be killed anywhere, and the next run goes on.

mod log;
mod task;
mod write;

pub use task::Task;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    domain::{day::Day, ids::AccountId, permits::Share, session::Schedule, sweep::Sweep},
    ports::{
        clock::Clock,
        cursor_store::{Cursor, CursorStore, Job},
        recording_source::RecordingSource,
        session_store::{Order, SessionStore, StoreError},
    },
    usecases::stopped::Stopped,
};

/// A backfill adds nothing that becomes due later than this from now, milliseconds, so that what is fresh then still comes
/// first: somewhat longer than it is until the next run.
const HORIZON_MS: u64 = 20 * 60_000;

/// So many sessions due, and a backfill adds none.
const BACKLOG: usize = 10;

/// The world a reconciler works in.
#[derive(Debug, Clone, Copy)]
pub struct Reconciler<'a, T, R, C> {
    /// Session rows and cursors.
    pub table: &'a T,
    /// RingCentral.
    pub source: &'a R,
    /// Time.
    pub clock: &'a C,
    /// The waits.
    pub schedule: &'a Schedule,
    /// The most of the vendor's limit that a backfill may cause requests for.
    pub share: Share,
}

/// What a sweep found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Beginning of the sweep, epoch milliseconds; it may have been begun by an earlier run.
    pub from_ms: u64,
    /// Its end, epoch milliseconds.
    pub to_ms: u64,
    /// What began before this is done, epoch milliseconds.
    pub next_ms: u64,
    /// Pages of the call log this run has read.
    pub pages: usize,
    /// Calls on them that were dealt with.
    pub calls: usize,
    /// Recordings they offer.
    pub offered: usize,
    /// Recordings no event had told of.
    pub unheard: usize,
    /// Sessions whose row lacked something else the log says.
    pub amended: usize,
    /// Recordings of these that had ended otherwise and that the log offers.
    pub reopened: usize,
    /// Recordings of these that were too short to be kept.
    pub too_short: usize,
    /// Recordings of these that the log offered once and does not any more, seen for the first time.
    pub silent: usize,
    /// Calls or rows that cannot be read.
    pub unreadable: usize,
    /// The accounts of these calls.
    #[serde(skip)]
    pub accounts: BTreeSet<AccountId>,
    /// Days of the sessions whose rows were made or have changed.
    #[serde(skip)]
    pub days: BTreeSet<Day>,
    /// Why this run ended before the sweep's end; nothing if it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

impl Swept {
    /// Whether the sweep has come to its end.
    pub fn is_done(&self) -> bool {
        self.next_ms >= self.to_ms
    }

    /// This and what a later run of the same sweep found.
    #[must_use]
    pub fn and_then(mut self, later: Self) -> Self {
        self.add(&later);
        self.pages += later.pages;
        self.calls += later.calls;
        self.offered += later.offered;
        self.unreadable += later.unreadable;
        self.accounts.extend(later.accounts);
        Self { from_ms: later.from_ms, to_ms: later.to_ms, next_ms: later.next_ms, stopped: later.stopped, ..self }
    }

    /// Counts what was found besides.
    fn add(&mut self, found: &Self) {
        self.unheard += found.unheard;
        self.amended += found.amended;
        self.reopened += found.reopened;
        self.too_short += found.too_short;
        self.silent += found.silent;
        self.days.extend(&found.days);
    }
}

/// A sweep under way.
struct Place {
    job: Job,
    rev: u64,
    sweep: Sweep,
}

/// What a scheduled run is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// Length of the trailing window, milliseconds.
    pub window_ms: u64,
    /// Whether it is read whenever it was read last: calls may have gone unheard.
    pub now: bool,
    /// How long the vendor keeps recordings, milliseconds.
    pub retention_ms: u64,
}

/// What a scheduled run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticked {
    /// Of calls older than the stack.
    pub backfilled: Swept,
    /// Of the last hours.
    pub reconciled: Swept,
}

impl<T: SessionStore + CursorStore, R: RecordingSource, C: Clock> Reconciler<'_, T, R, C> {
    /// What every scheduled run does until `until_ms`: first, in a third of the time at most, it adds calls that began before
    /// the stack did, as far as their turns go; then it reads the last hours.
    ///
    /// # Errors
    /// The table's; what was found by then stays found.
    pub async fn tick(&self, tick: Tick, until_ms: u64) -> Result<Ticked, StoreError> {
        let now_ms = self.clock.now_ms();
        let third_ms = now_ms.saturating_add(until_ms.saturating_sub(now_ms) / 3);
        let backfill = Task::Backfill { stretch: None, retention_ms: tick.retention_ms };
        let backfilled = self.sweep(&backfill, third_ms, |_| {}).await?;
        // What began before the stack did would be due all at once. Once the backfill is done only such calls can be new there
        // that were still under way when it read that far, or that the log was late with.
        let before_ms = if backfilled.is_done() { tick.window_ms } else { 0 };
        let since_ms = Some(backfilled.to_ms.saturating_sub(before_ms));
        let trailing = Task::Trailing { window_ms: tick.window_ms, now: tick.now, since_ms };
        let reconciled = self.sweep(&trailing, until_ms, |_| {}).await?;
        Ok(Ticked { backfilled, reconciled })
    }

    /// Sweeps until it is done, until `until_ms`, or until it must let others go first. `watch` is told after every window how
    /// far it has come.
    ///
    /// # Errors
    /// The table's; what was found by then stays found. The vendor's are results, not errors.
    pub async fn sweep(&self, task: &Task, until_ms: u64, mut watch: impl FnMut(&Swept)) -> Result<Swept, StoreError> {
        let job = task.job();
        let Cursor { rev, state } = self.table.cursor(&job).await?;
        let last = state.as_deref().and_then(Sweep::parse);
        if state.is_some() && last.is_none() {
            tracing::error!(job = job.as_str(), "where the sweep was cannot be read: it begins anew");
        }
        let is_new = last.is_none();
        let sweep = task.begin(last, self.clock.now_ms());
        let mut swept = Swept { from_ms: sweep.stretch().start, to_ms: sweep.stretch().end, ..Swept::default() };
        let mut place = Place { job, rev, sweep };
        swept.next_ms = place.sweep.left().start;
        // A backfill ends where the stack began, though the log be out of reach then.
        if task.is_backfill() && is_new && !self.save(&mut place).await? {
            swept.stopped = Some(Stopped::AnotherRun);
        }
        while swept.stopped.is_none() && !place.sweep.is_done() {
            swept.stopped = self.go_on(task, &mut place, until_ms, &mut swept).await?;
            swept.next_ms = place.sweep.left().start;
            watch(&swept);
        }
        Ok(swept)
    }

    /// One window, or why there is none now.
    async fn go_on(
        &self,
        task: &Task,
        place: &mut Place,
        until_ms: u64,
        swept: &mut Swept,
    ) -> Result<Option<Stopped>, StoreError> {
        let now_ms = self.clock.now_ms();
        if now_ms >= until_ms {
            return Ok(Some(Stopped::Deadline));
        }
        if task.is_backfill() {
            if place.sweep.slot_ms() > now_ms.saturating_add(HORIZON_MS) {
                return Ok(Some(Stopped::Paced));
            }
            if self.table.due(now_ms, Order::Oldest, BACKLOG).await?.len() >= BACKLOG {
                return Ok(Some(Stopped::FreshWork));
            }
        }
        let pages = swept.pages;
        let log = match self.read(task, &place.sweep, until_ms, swept).await {
            Ok(Some(log)) => log,
            Ok(None) => return self.narrow(place, None).await,
            // What a run does not read to its end, none would; a page may be too long to be read.
            Err(stopped) if swept.pages > pages || stopped == Stopped::LogUnreadable => {
                return self.narrow(place, Some(stopped)).await;
            }
            Err(stopped) => return Ok(Some(stopped)),
        };
        let window = place.sweep.window();
        let done_ms = if task.is_backfill() {
            self.add_in_turn(place, &log, window.end, swept).await?
        } else {
            self.add_at_once(&log, swept).await?;
            Some(window.end)
        };
        let Some(done_ms) = done_ms else { return Ok(Some(Stopped::AnotherRun)) };
        place.sweep.advance(done_ms, log.calls.len());
        Ok((!self.save(place).await?).then_some(Stopped::AnotherRun))
    }

    /// Makes the next window shorter, in this run and in later ones. Answers why this run ends, if it does.
    async fn narrow(&self, place: &mut Place, stopped: Option<Stopped>) -> Result<Option<Stopped>, StoreError> {
        place.sweep.narrow();
        let saved = self.save(place).await?;
        Ok(if saved { stopped } else { Some(Stopped::AnotherRun) })
    }

    /// Writes down where the sweep is; false if another run has done so meanwhile.
    async fn save(&self, place: &mut Place) -> Result<bool, StoreError> {
        let saved = self.table.advance(&place.job, place.rev, &place.sweep.to_json()).await?;
        place.rev += u64::from(saved);
        Ok(saved)
    }
}

#[cfg(test)]
mod tests;
