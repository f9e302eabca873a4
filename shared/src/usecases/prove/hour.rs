//! The hourly work: every day that may say something new is proved.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;

use super::{ProveError, Prover, issue::Kept, queue::Queue};
use crate::{
    domain::{
        completeness::{About, Counts, Defect, DefectClass, Evidence, Offered, Vendor},
        day::{DAY_MS, Day},
        ids::AccountId,
        object_key::ObjectKey,
    },
    ports::{
        archive_store::{ArchiveError, ArchiveStore},
        clock::Clock,
        cursor_store::CursorStore,
        session_store::SessionStore,
    },
    usecases::documents::sha256,
};

const HOUR_MS: u64 = 3_600_000;

/// So long after its end a day is closed: what happened last in it has been heard of and archived.
const CLOSED_AFTER_MS: u64 = HOUR_MS;

/// So many closed days are listed every hour: what an event tells late may come and go in the queue between two proofs, and
/// of what other hands do to the bucket nobody tells.
const LISTED_DAYS: u64 = 3;

/// What a run has to do.
#[derive(Debug, Clone, Copy)]
pub struct Hour<'a> {
    /// Whose days.
    pub account: &'a AccountId,
    /// Days of calls of which more was learned: they are proved anew, now or by a later run.
    pub touched: &'a BTreeSet<Day>,
    /// Whether the call log of the last hours has been gone through: no day is proved before.
    pub swept: bool,
    /// Whether a round begins although the last one is not an hour old.
    pub now: bool,
    /// When it begins no further day, epoch milliseconds.
    pub until_ms: u64,
    /// How the vendor keeps recordings and gives them out.
    pub vendor: Vendor,
    /// When the stack's first run was, epoch milliseconds, if that is known.
    pub began_ms: Option<u64>,
    /// The beginning of what the backfill has not been through, epoch milliseconds; none where there is nothing.
    pub backfill_next_ms: Option<u64>,
}

/// What became of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turn {
    /// What it found out; none if the last proof is not an hour old, or the call log is to be gone through first.
    pub found: Option<Completeness>,
    /// Seconds since the last proof that came to its end; since the stack's first run, if there was none.
    pub age_s: Option<u64>,
}

/// What a run found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completeness {
    /// Days proved.
    pub days: usize,
    /// Reports issued.
    pub issued: usize,
    /// Recordings of these days; where there was no day to prove, of the last closed one; none before the first.
    pub counts: Option<Counts>,
    /// Defects of these days and of the chain of reports, by class.
    pub defects: BTreeMap<DefectClass, usize>,
    /// Seconds until the vendor deletes something that is not archived, less what it takes to fetch all that waits;
    /// none where nothing waits.
    pub slack_s: Option<i64>,
    /// Whether its time was over before all days were proved: the next run goes on.
    pub unfinished: bool,
}

impl<S: SessionStore, A: ArchiveStore, K: CursorStore, C: Clock> Prover<'_, S, A, K, C> {
    /// Writes down the days that were touched. Then, once an hour, and again while days are left: verifies the end of the chain, proves
    /// every day that has closed since, that was touched or not settled, that has sessions in the queue, or whose manifests
    /// or recordings are not the same any more, and issues what changed. A new stack begins with the day of its first run.
    ///
    /// # Errors
    /// The table's and the bucket's, and where somebody else issues reports; what was issued until then stands.
    pub async fn run(&self, hour: Hour<'_>) -> Result<Turn, ProveError> {
        let now_ms = self.clock.now_ms();
        let mut kept = self.kept(hour.account).await?;
        let before = kept.progress.clone();
        kept.progress.through.get_or_insert(Day::of(now_ms.saturating_sub(DAY_MS)));
        kept.progress.touch(hour.touched);
        if kept.progress != before {
            self.keep(&mut kept).await?;
        }
        let is_due = hour.swept && (hour.now || kept.progress.is_due(now_ms));
        let found = if is_due { Some(self.go_on(&mut kept, hour, now_ms).await?) } else { None };
        let since_ms = kept.progress.proved_ms.or(hour.began_ms);
        let age_s = since_ms.map(|since_ms| now_ms.saturating_sub(since_ms) / 1000);
        Ok(Turn { found, age_s })
    }

    /// Begins a round, or goes on with one.
    async fn go_on(&self, kept: &mut Kept, hour: Hour<'_>, now_ms: u64) -> Result<Completeness, ProveError> {
        let mut found = Completeness::default();
        found.count(&self.verify_recent(kept, hour.account, hour.until_ms).await?);
        let first_open = Day::of(now_ms.saturating_sub(CLOSED_AFTER_MS));
        let listed = self.listed(hour.account, first_open).await?;
        let queue = Queue::read(self.sessions, hour.account).await?;
        kept.progress.begin(first_open, queue.days.keys().copied(), listed);
        self.keep(kept).await?;
        for day in kept.progress.in_turn(now_ms / HOUR_MS) {
            if self.clock.now_ms() >= hour.until_ms {
                break;
            }
            let proof = self.prove(&queue, hour.account, day, Offered::new()).await?;
            found.issued += usize::from(self.issue_after(kept, &proof).await?);
            found.days += 1;
            found.counts.get_or_insert_default().add(&proof.counts);
            found.count(&proof.defects);
        }
        found.unfinished = !kept.progress.left.is_empty();
        if !found.unfinished {
            kept.progress.proved_ms = Some(now_ms);
            self.keep(kept).await?;
        }
        let mut backlog = queue.backlog;
        if let Some(next_ms) = hour.backfill_next_ms {
            backlog.add(0, next_ms);
        }
        let last = self.last_closed(kept, hour.account).await?;
        let per_day = last.map_or(0, |last| last.offered() as u64);
        found.counts = found.counts.or(last);
        found.slack_s = backlog.slack_s(hour.vendor, per_day, now_ms);
        Ok(found)
    }

    /// What the report of the last closed day counts, if there is one.
    async fn last_closed(&self, kept: &Kept, account: &AccountId) -> Result<Option<Counts>, ProveError> {
        let Some(day) = kept.progress.through else { return Ok(None) };
        let there = self.readable(&ObjectKey::report(account, day)).await?;
        Ok(there.and_then(|there| there.report).map(|report| report.proof.counts))
    }

    /// A digest of what lies under the keys of manifests and recordings of each of the last days before `first_open`.
    async fn listed(&self, account: &AccountId, first_open: Day) -> Result<BTreeMap<Day, String>, ArchiveError> {
        let days = (1..=LISTED_DAYS).map(|n| Day::of(first_open.start_ms().saturating_sub(n * DAY_MS)));
        let each = days.map(|day| async move {
            let (manifests, recordings) = self.list_day(&Evidence::new(account.clone(), day)).await?;
            let lines = manifests.iter().chain(&recordings);
            let lines: String = lines.map(|entry| format!("{} {}\n", entry.key, entry.etag)).collect();
            Ok((day, sha256(lines.as_bytes())))
        });
        Ok(try_join_all(each).await?.into_iter().collect())
    }
}

impl Completeness {
    fn count<'a>(&mut self, defects: impl IntoIterator<Item = &'a Defect>) {
        for defect in defects {
            let class = defect.class.name();
            match &defect.about {
                About::Recording { recording, session } => {
                    tracing::warn!(class, recording.id = %recording, session.id = %session, "a defect");
                }
                // Others choose the names of strays: the report has them, a log must not.
                About::Object(key) => tracing::warn!(class, object.day = ?key.day(), "a defect"),
            }
            *self.defects.entry(defect.class).or_default() += 1;
        }
    }
}
