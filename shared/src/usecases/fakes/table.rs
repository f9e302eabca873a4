//! The table.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use super::{Failures, failure};
use crate::{
    domain::{
        call_log::Offers,
        session::{Learned, Next, SessionKey, SessionRow, Write},
    },
    ports::{
        cursor_store::{Cursor, CursorStore, Job},
        session_store::{Drain, Due, Finish, Finished, Order, Recorded, Rows, SessionStore, StoreError},
    },
};

/// A row, and when it is due; settled ones are not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub(crate) row: SessionRow,
    pub(crate) due_at_ms: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) rows: RefCell<BTreeMap<SessionKey, Kept>>,
    pub(crate) cursors: RefCell<BTreeMap<Job, Cursor>>,
    /// Who holds the lease, and until when.
    pub(crate) lease: RefCell<Option<(String, u64)>>,
    pub(crate) reminded_ms: Cell<Option<u64>>,
    /// What others write into a row before the next `finish` of it.
    pub(crate) meanwhile: RefCell<BTreeMap<SessionKey, SessionRow>>,
    pub(crate) fails: Failures<StoreError>,
}

impl Table {
    pub(crate) fn with(rows: impl IntoIterator<Item = (SessionRow, u64)>) -> Self {
        let table = Self::default();
        for (row, due_at_ms) in rows {
            table.rows.borrow_mut().insert(row.key.clone(), Kept { row, due_at_ms: Some(due_at_ms) });
        }
        table
    }

    pub(crate) fn kept(&self, key: &SessionKey) -> Kept {
        self.rows.borrow()[key].clone()
    }

    fn all_due(&self, now_ms: u64) -> Vec<Due> {
        let rows = self.rows.borrow();
        let due = rows.values().filter_map(|kept| Some((kept.due_at_ms?, &kept.row.key)));
        let mut due: Vec<_> = due.filter(|(due_at_ms, _)| *due_at_ms <= now_ms).collect();
        due.sort();
        due.into_iter().map(|(due_at_ms, key)| Due { key: key.clone(), due_at_ms }).collect()
    }
}

impl SessionStore for Table {
    async fn record(&self, learned: &Learned) -> Result<Recorded, StoreError> {
        failure(&self.fails, &format!("record {}", learned.key.session))?;
        let mut rows = self.rows.borrow_mut();
        let (Write::Once(due_at_ms) | Write::Always(due_at_ms)) = learned.due_at_ms;
        let new = SessionRow {
            key: learned.key.clone(),
            heard: BTreeSet::new(),
            ended: BTreeSet::new(),
            parties: learned.parties.clone(),
            day: learned.day,
            happened_ms: learned.happened_ms,
            session_id: learned.session_id.clone(),
            seen_at_ms: learned.seen_at_ms,
            rev: 0,
            attempts: 0,
            offers: BTreeMap::new(),
            results: BTreeMap::new(),
            manifest: None,
        };
        let kept = rows.entry(learned.key.clone()).or_insert(Kept { row: new, due_at_ms: None });
        if !learned.is_news(&kept.row.heard, &kept.row.ended) {
            return Ok(Recorded::Known);
        }
        kept.row.heard.extend(learned.heard.clone());
        kept.row.ended.extend(learned.ended.clone());
        kept.row.offers.extend(learned.offers.clone());
        kept.row.rev += 1;
        kept.due_at_ms = Some(due_at_ms);
        Ok(Recorded::New)
    }

    async fn rows(&self, keys: &[SessionKey]) -> Result<Rows, StoreError> {
        failure(&self.fails, "rows")?;
        let mut read = Rows::default();
        for key in keys {
            if failure(&self.fails, &format!("read {}", key.session)).is_err() {
                read.unreadable.insert(key.clone());
            } else if let Some(kept) = self.rows.borrow().get(key) {
                read.known.insert(key.clone(), kept.row.clone());
            }
        }
        Ok(read)
    }

    async fn queued(&self) -> Result<Vec<Due>, StoreError> {
        Ok(self.all_due(u64::MAX))
    }

    async fn due(&self, now_ms: u64, order: Order, limit: usize) -> Result<Vec<Due>, StoreError> {
        failure(&self.fails, "due")?;
        let mut due = self.all_due(now_ms);
        if order == Order::Latest {
            due.reverse();
        }
        due.truncate(limit);
        Ok(due)
    }

    async fn count_due(&self, now_ms: u64) -> Result<usize, StoreError> {
        Ok(self.all_due(now_ms).len())
    }

    async fn claim(&self, key: &SessionKey, now_ms: u64, until_ms: u64) -> Result<Option<SessionRow>, StoreError> {
        failure(&self.fails, &format!("claim {}", key.session))?;
        let mut rows = self.rows.borrow_mut();
        let Some(kept) = rows.get_mut(key).filter(|kept| kept.due_at_ms.is_some_and(|at_ms| at_ms <= now_ms)) else {
            return Ok(None);
        };
        kept.due_at_ms = Some(until_ms);
        kept.row.attempts += 1;
        kept.row.rev += 1;
        Ok(Some(kept.row.clone()))
    }

    async fn finish(&self, key: &SessionKey, rev: u64, finish: &Finish) -> Result<Finished, StoreError> {
        failure(&self.fails, &format!("finish {}", key.session))?;
        let mut rows = self.rows.borrow_mut();
        let kept = rows.get_mut(key).ok_or(StoreError::Corrupt("the row has vanished"))?;
        if let Some(other) = self.meanwhile.borrow_mut().remove(key) {
            kept.row = SessionRow { rev: kept.row.rev + 1, ..other };
        }
        if kept.row.rev != rev {
            return Ok(Finished::Changed(Box::new(kept.row.clone())));
        }
        kept.row.rev += 1;
        kept.row.attempts = finish.attempts;
        kept.row.results.extend(finish.results.clone());
        kept.row.heard.extend(finish.found.heard.clone());
        kept.row.ended.extend(finish.found.ended.clone());
        kept.row.manifest = finish.manifest.clone().or(kept.row.manifest.take());
        kept.due_at_ms = match finish.next {
            Next::Settled => None,
            Next::At(due_at_ms) => Some(due_at_ms),
        };
        Ok(Finished::Done)
    }

    async fn offer(&self, key: &SessionKey, offers: &Offers) -> Result<bool, StoreError> {
        failure(&self.fails, &format!("offer {}", key.session))?;
        let mut rows = self.rows.borrow_mut();
        let Some(kept) = rows.get_mut(key).filter(|kept| kept.due_at_ms.is_some()) else { return Ok(false) };
        kept.row.offers.extend(offers.clone());
        kept.row.rev += 1;
        Ok(true)
    }

    async fn remind(&self, now_ms: u64) -> Result<(), StoreError> {
        self.reminded_ms.set(Some(now_ms));
        Ok(())
    }

    async fn acquire_drain(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<Drain, StoreError> {
        let mut lease = self.lease.borrow_mut();
        match &*lease {
            Some((_, until_ms)) if *until_ms > now_ms => Ok(Drain::Held { until_ms: *until_ms }),
            Some(_) | None => {
                *lease = Some((holder.to_owned(), until_ms));
                Ok(Drain::Ours)
            }
        }
    }

    async fn release_drain(&self, holder: &str) -> Result<(), StoreError> {
        failure(&self.fails, "release")?;
        self.lease.borrow_mut().take_if(|(held_by, _)| held_by == holder);
        Ok(())
    }
}

impl CursorStore for Table {
    async fn cursor(&self, job: &Job) -> Result<Cursor, StoreError> {
        Ok(self.cursors.borrow().get(job).cloned().unwrap_or_default())
    }

    async fn advance(&self, job: &Job, rev: u64, state: &str) -> Result<bool, StoreError> {
        if failure(&self.fails, &format!("advance {}", job.as_str())).is_err() {
            return Ok(false);
        }
        let mut cursors = self.cursors.borrow_mut();
        let kept = cursors.entry(job.clone()).or_default();
        let ours = kept.rev == rev;
        if ours {
            *kept = Cursor { rev: rev + 1, state: Some(state.to_owned()) };
        }
        Ok(ours)
    }
}
