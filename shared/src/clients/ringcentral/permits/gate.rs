//! One process's hand in the ledger of one group.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::lock::Mutex as Turn;

use super::{ANSWERED_WITHIN_MS, LATER_STILL_MS, Permit, SENT_WITHIN_MS, lock};
use crate::{
    domain::permits::{Group, Ledger, PermitId, Plan, Reserved, Share},
    failure::Class,
    ports::{
        permit_store::{KeptLedger, PermitStore, Replaced},
        session_store::StoreError,
    },
};

/// How often a write is tried that fails, and one that others were faster than.
const TRIES: u32 = 3;
const RACES: u32 = 50;

/// What is to be said to the ledger.
#[derive(Debug, Clone)]
enum News {
    Answered(PermitId, u64),
    Unused(PermitId),
    Plan(Plan),
    Frozen(u64),
}

#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Callers stand here in the order they came; the first one waits for all.
    pub(super) turn: Turn<()>,
    /// The row as last read or written. Held while it is written.
    row: Turn<Option<KeptLedger>>,
    local: Mutex<Local>,
    /// How many callers want a permit.
    wishes: AtomicUsize,
}

#[derive(Debug, Default)]
struct Local {
    /// Reserved and not taken yet.
    stock: VecDeque<Permit>,
    news: Vec<News>,
    /// As last heard.
    pace_ms: Option<u64>,
    window_ms: Option<u64>,
    /// This process has heard that nothing may be sent before this, epoch milliseconds.
    frozen_until_ms: u64,
}

/// The permits a process wants, by the names they shall have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want<'a> {
    pub(super) ids: &'a [PermitId],
    pub(super) share: Share,
}

impl Want<'_> {
    pub(super) const NOTHING: Self = Self { ids: &[], share: Share::WHOLE };
}

/// A caller that wants a permit.
pub(super) struct Wish<'a>(&'a Gate);

impl<'a> Wish<'a> {
    pub(super) fn at(gate: &'a Gate) -> Self {
        gate.wishes.fetch_add(1, Ordering::Relaxed);
        Self(gate)
    }

    /// How many callers want one now: the first reserves for all of them in one write.
    pub(super) fn all(&self) -> usize {
        self.0.wishes.load(Ordering::Relaxed)
    }
}

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        self.0.wishes.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    pub(super) fn take_stock(&self, now_ms: u64) -> Option<Permit> {
        let mut local = lock(&self.local);
        while let Some(permit) = local.stock.pop_front() {
            if now_ms >= local.frozen_until_ms && now_ms <= permit.reserved_at_ms + SENT_WITHIN_MS {
                return Some(permit);
            }
            local.news.push(News::Unused(permit.id));
        }
        None
    }

    pub(super) fn stock(&self, group: &Group, ids: Vec<PermitId>, reserved_at_ms: u64) {
        let permits = ids.into_iter().map(|id| Permit { id, group: group.clone(), reserved_at_ms });
        lock(&self.local).stock.extend(permits);
    }

    pub(super) fn empty_stock(&self) {
        let mut local = lock(&self.local);
        let unused: Vec<_> = local.stock.drain(..).map(|permit| News::Unused(permit.id)).collect();
        local.news.extend(unused);
    }

    pub(super) fn answered(&self, id: PermitId, at_ms: u64) {
        lock(&self.local).news.push(News::Answered(id, at_ms));
    }

    pub(super) fn give_back(&self, id: PermitId) {
        lock(&self.local).news.push(News::Unused(id));
    }

    pub(super) fn follow(&self, plan: Plan) {
        lock(&self.local).news.push(News::Plan(plan));
    }

    pub(super) fn freeze(&self, until_ms: u64) {
        let mut local = lock(&self.local);
        local.frozen_until_ms = local.frozen_until_ms.max(until_ms);
        local.news.push(News::Frozen(until_ms));
    }

    pub(super) fn has_news(&self) -> bool {
        !lock(&self.local).news.is_empty()
    }

    pub(super) fn pace_ms(&self, group: &Group) -> u64 {
        let heard = lock(&self.local).pace_ms;
        heard.unwrap_or_else(|| pace_ms(&Ledger::of(group)))
    }

    /// Says the news and reserves as many of the permits wanted as are free, all in one conditional write, or in none
    /// where there is nothing to write.
    pub(super) async fn sync<P: PermitStore>(
        &self,
        store: &P,
        group: &Group,
        want: Want<'_>,
        now_ms: u64,
    ) -> Result<Reserved, StoreError> {
        let Want { ids, share } = want;
        let mut row = self.row.lock().await;
        let (news, frozen_until_ms) = {
            let local = lock(&self.local);
            (local.news.clone(), local.frozen_until_ms)
        };
        let (mut failures, mut races, mut fresh) = (0, 0, false);
        loop {
            let known = match row.take() {
                Some(known) => known,
                None => {
                    fresh = true;
                    match store.ledger(group).await {
                        Ok(known) => known,
                        Err(error) if again(&error, &mut failures) => continue,
                        Err(error) => return Err(error),
                    }
                }
            };
            let mut ledger = known.ledger.clone();
            news.iter().for_each(|news| news.say_to(&mut ledger));
            // Said again to a row that was lost and made anew: it must not grant what this process may not use.
            if now_ms < frozen_until_ms {
                ledger.freeze(frozen_until_ms);
            }
            let said = ledger != known.ledger;
            let answered_by_ms = now_ms + SENT_WITHIN_MS + ANSWERED_WITHIN_MS + LATER_STILL_MS;
            let reserved = ledger.reserve(ids, share, now_ms, answered_by_ms);
            let granted = matches!(reserved, Reserved::Granted(_));
            if !said && !granted {
                if !fresh && !ids.is_empty() {
                    // Others may have given something back since.
                    continue;
                }
                *row = Some(known);
                self.heard(&ledger, news.len());
                return Ok(reserved);
            }
            match store.replace(group, known.rev, &ledger).await {
                Ok(Replaced::Done) => {
                    self.heard(&ledger, news.len());
                    *row = Some(KeptLedger { ledger, rev: known.rev + 1 });
                    return Ok(reserved);
                }
                Ok(Replaced::Changed(newer)) if races < RACES => {
                    races += 1;
                    fresh = true;
                    *row = Some(newer);
                }
                Ok(Replaced::Changed(_)) => {
                    return Err(StoreError::Unavailable("too many write the permit ledger at once".to_owned()));
                }
                Err(error) if again(&error, &mut failures) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Does not trust the row as last read any more. Where a table has been restored, its revisions come again with other
    /// contents: what was known before must not be written under one of them.
    pub(super) async fn forget_row(&self) {
        self.row.lock().await.take();
    }

    /// How many permits are free at `now_ms`, those in stock included; none where the ledger cannot be read.
    pub(super) async fn free<P: PermitStore>(&self, store: &P, group: &Group, now_ms: u64) -> usize {
        self.forget_row().await;
        if let Err(error) = self.sync(store, group, Want::NOTHING, now_ms).await {
            tracing::debug!(%group, %error, "the permit ledger cannot be read");
        }
        let row = self.row.lock().await;
        let free = row.as_ref().map_or(0, |known| known.ledger.free(now_ms));
        free + lock(&self.local).stock.len()
    }

    /// The ledger knows the first `said` news now.
    fn heard(&self, ledger: &Ledger, said: usize) {
        let mut local = lock(&self.local);
        local.news.drain(..said);
        local.pace_ms = Some(pace_ms(ledger));
        local.window_ms = Some(ledger.window_ms);
    }

    /// The window as last heard, milliseconds.
    pub(super) fn window_ms(&self, group: &Group) -> u64 {
        lock(&self.local).window_ms.unwrap_or_else(|| Ledger::of(group).window_ms)
    }
}

impl News {
    fn say_to(&self, ledger: &mut Ledger) {
        match self {
            Self::Answered(id, at_ms) => ledger.answered(id, *at_ms),
            Self::Unused(id) => ledger.give_back(id),
            Self::Plan(plan) => ledger.follow(*plan),
            Self::Frozen(until_ms) => ledger.freeze(*until_ms),
        }
    }
}

/// Whether a failed call is worth another try.
fn again(error: &StoreError, failures: &mut u32) -> bool {
    *failures += 1;
    match error.class() {
        Class::Transient { .. } | Class::Indeterminate => *failures < TRIES,
        Class::Permanent => false,
    }
}

fn pace_ms(ledger: &Ledger) -> u64 {
    ledger.window_ms / u64::from(ledger.limit.max(1))
}
