//! The session rows, and the index of what is due.

use std::collections::{BTreeMap, BTreeSet};

use shared::{
    domain::{
        call_log::Offers,
        session::{Heard, Learned, Next, SessionKey, SessionRow, Write},
    },
    ports::session_store::{Due, Finish, Finished, Order, Recorded, Rows, StoreError},
};

/// A session row with what the table keeps beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRow {
    /// The row as the port answers it.
    pub row: SessionRow,
    /// Whether it is in the queue.
    pub queued: bool,
    /// When it is due, epoch milliseconds; settled rows are not.
    pub due_at_ms: Option<u64>,
    /// When it may vanish, epoch seconds. Nothing vanishes here: an expired row of a real table stays readable too.
    pub expires_s: u64,
}

/// All session rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Sessions {
    rows: BTreeMap<SessionKey, StoredRow>,
    unreadable: BTreeSet<SessionKey>,
    /// The rows in the queue, by the time they are due: what the sparse index is to DynamoDB.
    queue: BTreeSet<(u64, SessionKey)>,
    changed: BTreeSet<SessionKey>,
}

impl Sessions {
    pub(super) fn rows(&self) -> &BTreeMap<SessionKey, StoredRow> {
        &self.rows
    }

    pub(super) fn take_changed(&mut self) -> Vec<SessionKey> {
        std::mem::take(&mut self.changed).into_iter().collect()
    }

    pub(super) fn next_due_ms(&self) -> Option<u64> {
        self.queue.first().map(|(due_at_ms, _)| *due_at_ms)
    }

    pub(super) fn record(&mut self, learned: &Learned) -> Recorded {
        let known = self.rows.get(&learned.key);
        let nothing = (BTreeSet::new(), BTreeSet::new());
        let (heard, ended) = known.map_or((&nothing.0, &nothing.1), |known| (&known.row.heard, &known.row.ended));
        if !learned.is_news(heard, ended) {
            return Recorded::Known;
        }
        let key = learned.key.clone();
        if known.is_none() {
            self.rows.insert(key.clone(), StoredRow::of(learned));
        }
        self.write(&key, |stored| stored.learn(learned));
        Recorded::New
    }

    pub(super) fn read(&self, keys: &[SessionKey]) -> Rows {
        let (unreadable, known): (BTreeSet<_>, BTreeSet<_>) =
            keys.iter().cloned().partition(|key| self.unreadable.contains(key));
        let known = known.into_iter().filter_map(|key| Some((key.clone(), self.rows.get(&key)?.row.clone())));
        Rows { known: known.collect(), unreadable }
    }

    pub(super) fn queued(&self) -> Vec<Due> {
        self.due(u64::MAX, Order::Oldest, usize::MAX)
    }

    pub(super) fn due(&self, now_ms: u64, order: Order, limit: usize) -> Vec<Due> {
        let due = |(due_at_ms, key): &(u64, SessionKey)| Due { key: key.clone(), due_at_ms: *due_at_ms };
        let oldest = self.queue.iter();
        match order {
            Order::Oldest => oldest.take_while(|(at_ms, _)| *at_ms <= now_ms).take(limit).map(due).collect(),
            Order::Latest => oldest.rev().skip_while(|(at_ms, _)| *at_ms > now_ms).take(limit).map(due).collect(),
        }
    }

    pub(super) fn count_due(&self, now_ms: u64) -> usize {
        // Under a backlog most of the queue is due, and what is not lies at its end.
        self.queue.len() - self.queue.iter().rev().take_while(|(due_at_ms, _)| *due_at_ms > now_ms).count()
    }

    pub(super) fn claim(
        &mut self,
        key: &SessionKey,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<Option<SessionRow>, StoreError> {
        let is_due =
            |stored: &StoredRow| stored.queued && stored.due_at_ms.is_some_and(|due_at_ms| due_at_ms <= now_ms);
        if !self.rows.get(key).is_some_and(is_due) {
            return Ok(None);
        }
        let claimed = self.write(key, |stored| {
            stored.due_at_ms = Some(until_ms);
            stored.row.attempts = stored.row.attempts.saturating_add(1);
        });
        if self.unreadable.contains(key) { Err(StoreError::Corrupt("the row is spoilt")) } else { Ok(claimed) }
    }

    pub(super) fn finish(&mut self, key: &SessionKey, rev: u64, finish: &Finish) -> Result<Finished, StoreError> {
        let stored = self.rows.get(key).ok_or(StoreError::Corrupt("the row has vanished"))?;
        if stored.row.rev != rev {
            return Ok(Finished::Changed(Box::new(stored.row.clone())));
        }
        self.write(key, |stored| {
            stored.row.attempts = finish.attempts;
            stored.expires_s = finish.expires_s;
            stored.row.results.extend(finish.results.clone());
            stored.row.heard.extend(finish.found.heard.iter().cloned());
            stored.row.ended.extend(finish.found.ended.iter().cloned());
            if let Some(manifest) = &finish.manifest {
                stored.row.manifest = Some(manifest.clone());
            }
            match finish.next {
                Next::Settled => (stored.queued, stored.due_at_ms) = (false, None),
                Next::At(due_at_ms) => (stored.queued, stored.due_at_ms) = (true, Some(due_at_ms)),
            }
        });
        Ok(Finished::Done)
    }

    pub(super) fn offer(&mut self, key: &SessionKey, offers: &Offers) -> bool {
        let news = |row: &SessionRow| {
            let known = |recording| row.offers.get(recording).map(|known| &known.content_uri);
            offers.iter().any(|(recording, offer)| known(recording) != Some(&offer.content_uri))
        };
        let takes = self.rows.get(key).is_some_and(|stored| stored.queued && news(&stored.row));
        takes
            && self
                .write(key, |stored| {
                    for (recording, offer) in offers {
                        stored.row.offers.insert(recording.clone(), offer.clone());
                        let heard = Heard { recording: recording.clone(), party: offer.listed.party.clone() };
                        stored.row.heard.insert(heard);
                    }
                })
                .is_some()
    }

    /// A row as no version of this program writes it.
    pub(super) fn spoil(&mut self, key: &SessionKey) {
        self.unreadable.insert(key.clone());
    }

    /// A row as this version writes it again.
    pub(super) fn mend(&mut self, key: &SessionKey) {
        self.unreadable.remove(key);
    }

    /// What no port allows.
    pub(super) fn tamper(&mut self, key: &SessionKey, change: impl FnOnce(SessionRow) -> Option<SessionRow>) {
        let Some(mut stored) = self.rows.remove(key) else { return };
        let due = stored.due();
        match change(stored.row) {
            Some(row) => {
                stored.row = row;
                self.rows.insert(key.clone(), stored);
            }
            None => drop(due.map(|due_at_ms| self.queue.remove(&(due_at_ms, key.clone())))),
        }
    }

    /// The one way a port changes a row: counts `rev` up, keeps the index, remembers that the row changed. Answers the row
    /// as it is then; nothing if there is none.
    fn write(&mut self, key: &SessionKey, change: impl FnOnce(&mut StoredRow)) -> Option<SessionRow> {
        let stored = self.rows.get_mut(key)?;
        let before = stored.due();
        change(stored);
        stored.row.rev += 1;
        let after = stored.due();
        if before != after {
            before.map(|due_at_ms| self.queue.remove(&(due_at_ms, key.clone())));
            after.map(|due_at_ms| self.queue.insert((due_at_ms, key.clone())));
        }
        self.changed.insert(key.clone());
        Some(stored.row.clone())
    }
}

impl StoredRow {
    /// The row before its first write.
    fn of(learned: &Learned) -> Self {
        let row = SessionRow {
            key: learned.key.clone(),
            heard: BTreeSet::new(),
            ended: BTreeSet::new(),
            parties: BTreeMap::new(),
            day: learned.day,
            happened_ms: learned.happened_ms,
            session_id: None,
            seen_at_ms: learned.seen_at_ms,
            rev: 0,
            attempts: 0,
            offers: BTreeMap::new(),
            results: BTreeMap::new(),
            manifest: None,
        };
        let (Write::Once(expires_s) | Write::Always(expires_s)) = learned.expires_s;
        Self { row, queued: false, due_at_ms: None, expires_s }
    }

    fn learn(&mut self, learned: &Learned) {
        self.queued |= learned.queues();
        self.due_at_ms = Some(match learned.due_at_ms {
            Write::Once(due_at_ms) => self.due_at_ms.unwrap_or(due_at_ms),
            Write::Always(due_at_ms) => due_at_ms,
        });
        if let Write::Always(expires_s) = learned.expires_s {
            self.expires_s = expires_s;
        }
        if self.row.session_id.is_none() {
            self.row.session_id.clone_from(&learned.session_id);
        }
        for (party, about) in &learned.parties {
            self.row.parties.entry(party.clone()).or_insert_with(|| about.clone());
        }
        self.row.heard.extend(learned.heard.iter().cloned());
        self.row.ended.extend(learned.ended.iter().cloned());
        self.row.offers.extend(learned.offers.clone());
    }

    /// Its place in the index, which holds only what is in the queue.
    fn due(&self) -> Option<u64> {
        self.due_at_ms.filter(|_| self.queued)
    }
}
