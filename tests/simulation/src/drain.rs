//! Once faults stop, what waited is archived at the vendor's pace.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use shared::domain::ids::RecordingId;

use crate::{
    functions::TIMEOUT_MS,
    judge::Judge,
    memory::StoredRow,
    world::{MINUTE_MS, World},
};

/// So much longer than the backlog's size at the vendor's limit it may take to go, percent.
const LONGER_PERCENT: u64 = 110;

/// Before a session that is due is looked at, a run that faults left may come to its end (5 minutes), the schedule may
/// leave out the rest of a minute (2), a penalty may end (1), and a run looks at once at what is due when it begins, whose
/// bodies may take their time (2).
const LOOKED_AT_WITHIN_MS: u64 = 10 * MINUTE_MS;

/// What waited when faults stopped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backlog(Rc<RefCell<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    /// How many recordings were known and had not ended.
    size: usize,
    /// Those of them that could be had at once, and when somebody was to look at them at the latest, epoch milliseconds.
    ready: BTreeMap<RecordingId, u64>,
}

/// How a backlog went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// How many recordings waited when faults stopped.
    pub waited: usize,
    /// How many of them the vendor had ready, and did nothing wrong with.
    pub ready: usize,
    /// The longest that one of these took, in percent of what it may take.
    pub longest_percent: u64,
}

impl Drained {
    /// Two days together.
    pub fn and(self, other: Self) -> Self {
        Self {
            waited: self.waited + other.waited,
            ready: self.ready + other.ready,
            longest_percent: self.longest_percent.max(other.longest_percent),
        }
    }
}

impl Backlog {
    /// Sees what waits when faults stop, and when those are due that a run still had in hand, once such runs have ended.
    /// `plain` are the recordings that the vendor serves at the first request.
    pub(crate) async fn see(self, world: World, plain: BTreeSet<String>) {
        world.time.sleep_until(world.faults.until_ms()).await;
        let now_ms = world.time.now_ms();
        let offered = world.vendor.core.borrow().offered().collect::<Vec<_>>();
        let is_there = |at_ms: Option<u64>| at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        let there = offered.into_iter().filter(|one| is_there(one.ready_at_ms) && is_there(one.listed_at_ms));
        let there: BTreeSet<String> = there.map(|one| one.recording_id).filter(|id| plain.contains(id)).collect();
        self.note(&world, |waiting, stored| {
            let unfinished = stored.row.unfinished();
            waiting.size += unfinished.len();
            let ready = unfinished.into_iter().filter(|one| there.contains(one.as_str()) && stored.row.is_over(one));
            let due_ms = stored.due_at_ms.unwrap_or_default().max(now_ms);
            waiting.ready.extend(ready.map(|recording| (recording.clone(), due_ms)));
        });
        world.time.sleep_until(now_ms + TIMEOUT_MS).await;
        self.note(&world, |waiting, stored| {
            for recording in stored.row.unfinished() {
                if let Some(due_ms) = waiting.ready.get_mut(recording) {
                    *due_ms = stored.due_at_ms.unwrap_or_default().max(now_ms);
                }
            }
        });
    }

    fn note(&self, world: &World, mut from: impl FnMut(&mut Waiting, &StoredRow)) {
        let mut waiting = self.0.borrow_mut();
        world.table.with_rows(|rows| rows.values().for_each(|stored| from(&mut waiting, stored)));
    }
}

impl Judge {
    /// What waited when faults stopped, and could be had, is archived as soon as its turn comes: once somebody is to look at
    /// it, in 1.1 times the time that the whole backlog takes at the vendor's limit.
    pub(crate) fn look_at_drain(&mut self, backlog: &Backlog, limit: usize) -> Drained {
        let Waiting { size, ready } = &*backlog.0.borrow();
        let takes_ms = *size as u64 * MINUTE_MS / limit as u64;
        let may_take_ms = takes_ms * LONGER_PERCENT / 100 + LOOKED_AT_WITHIN_MS;
        let mut drained = Drained { waited: *size, ready: ready.len(), longest_percent: 0 };
        for (recording, due_ms) in ready {
            let archived_ms = self.archived_at_ms(recording);
            let took_ms = archived_ms.map_or(u64::MAX, |at_ms| at_ms.saturating_sub(*due_ms));
            drained.longest_percent = drained.longest_percent.max(took_ms.saturating_mul(100) / may_take_ms);
            if took_ms > may_take_ms {
                self.complain(format!(
                    "{recording} waited when faults stopped, was due at {due_ms} and archived at {archived_ms:?}: {size} waited"
                ));
            }
        }
        drained
    }
}
