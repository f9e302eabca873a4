//! The hourly work: every day that may say something new is proved.

use std::collections::{BTreeMap, BTreeSet};

use super::{ProveError, Prover, issue::Kept, queue::Queue};
use crate::{
    domain::{
        completeness::{About, Counts, DayProof, Defect, DefectClass, Offered, Vendor},
        day::{DAY_MS, Day},
        ids::AccountId,
        object_key::ObjectKey,
    },
    ports::{archive_store::ArchiveStore, clock::Clock, cursor_store::CursorStore, session_store::SessionStore},
};

const HOUR_MS: u64 = 3_600_000;

/// So long after its end a day is closed: what happened last in it has been heard of and archived.
const CLOSED_AFTER_MS: u64 = HOUR_MS;

/// What a run has to do.
#[derive(Debug, Clone, Copy)]
pub struct Hour<'a> {
    /// Whose days.
    pub account: &'a AccountId,
    /// When it begins no further day, epoch milliseconds.
    pub until_ms: u64,
    /// How the vendor keeps recordings and gives them out.
    pub vendor: Vendor,
    /// The beginning of what the backfill has not been through, epoch milliseconds; none where there is nothing.
    pub backfill_next_ms: Option<u64>,
}

/// What a run found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completeness {
    /// Days proved.
    pub days: usize,
    /// Reports issued.
    pub issued: usize,
    /// Recordings of these days.
    pub counts: Counts,
    /// Defects of these days and of the chain of reports, by class.
    pub defects: BTreeMap<DefectClass, usize>,
    /// Seconds until the vendor deletes something that is not archived, less what it takes to fetch all that waits;
    /// none where nothing waits.
    pub deadline_s: Option<i64>,
    /// Whether its time was over before all days were proved: the next run goes on.
    pub unfinished: bool,
}

impl<S: SessionStore, A: ArchiveStore, K: CursorStore, C: Clock> Prover<'_, S, A, K, C> {
    /// Verifies the chain, proves every day that has closed since the last run, that was not settled then, or that has
    /// sessions in the queue, and issues what changed. A new stack begins with the day of its first run.
    ///
    /// # Errors
    /// The table's and the bucket's, and where somebody else issues reports; what was issued until then stands.
    pub async fn run(&self, hour: Hour<'_>) -> Result<Completeness, ProveError> {
        let now_ms = self.clock.now_ms();
        let mut kept = self.kept(hour.account).await?;
        let mut found = Completeness::default();
        found.count(&self.verify_from(&kept, hour.account).await?);
        if kept.progress.through.is_none() {
            kept.progress.through = Some(Day::of(now_ms.saturating_sub(DAY_MS)));
            self.keep(&mut kept).await?;
        }
        let queue = Queue::read(self.sessions, hour.account).await?;
        let mut latest: Option<DayProof> = None;
        for day in days(&kept, &queue, now_ms) {
            if self.clock.now_ms() >= hour.until_ms {
                found.unfinished = true;
                break;
            }
            let proof = self.prove(&queue, hour.account, day, Offered::new()).await?;
            found.issued += usize::from(self.issue_after(&mut kept, &proof).await?);
            found.days += 1;
            found.counts.add(&proof.counts);
            found.count(&proof.defects);
            latest = latest.filter(|latest| latest.day > day).or(Some(proof));
        }
        let mut backlog = queue.backlog;
        if let Some(next_ms) = hour.backfill_next_ms {
            backlog.add(0, next_ms);
        }
        let per_day = match latest {
            Some(proof) => proof.counts.offered(),
            None => self.offered_of_last(&kept, hour.account).await?,
        };
        found.deadline_s = backlog.deadline_s(hour.vendor, per_day as u64, now_ms);
        Ok(found)
    }

    /// How many recordings the report of the last closed day tells of.
    async fn offered_of_last(&self, kept: &Kept, account: &AccountId) -> Result<usize, ProveError> {
        let Some(day) = kept.progress.through else { return Ok(0) };
        let there = self.report(&ObjectKey::report(account, day)).await?;
        Ok(there.and_then(|there| there.report).map_or(0, |report| report.proof.counts.offered()))
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

/// The days to prove: first those that have closed since, one after the other, then the others, every hour from another
/// one on, so that none is always the one there is no time for.
fn days(kept: &Kept, queue: &Queue, now_ms: u64) -> Vec<Day> {
    let first_open = Day::of(now_ms.saturating_sub(CLOSED_AFTER_MS));
    let through = kept.progress.through;
    let mut days = Vec::new();
    let mut next = through.map(Day::next);
    while let Some(day) = next.filter(|day| *day < first_open) {
        days.push(day);
        next = Some(day.next());
    }
    let others: BTreeSet<_> = kept.progress.open.iter().chain(queue.days.keys()).copied().collect();
    let mut others: Vec<_> = others.into_iter().filter(|day| through.is_some_and(|through| *day <= through)).collect();
    let turns = usize::try_from(now_ms / HOUR_MS).unwrap_or_default().checked_rem(others.len());
    others.rotate_left(turns.unwrap_or_default());
    days.extend(others);
    days
}
