//! Reports, issued one after the other. The cursor names a report before it is written, so that a run killed in between
//! leaves no doubt.

use super::{Answer, ProveError, Prover, chain::newest_before, of_one};
use crate::{
    domain::{
        completeness::{DayProof, Head, Link, Pending, Progress, Report},
        ids::AccountId,
        object_key::ObjectKey,
    },
    ports::{
        archive_store::{ArchiveError, ArchiveStore, Reading, Written},
        clock::Clock,
        cursor_store::{CursorStore, Job},
        session_store::SessionStore,
    },
    usecases::documents::{sha256, whole},
};

/// A report of a day with a hundred thousand calls is about as long.
const MAX_REPORT_BYTES: usize = 32 * 1024 * 1024;

/// The state of the cursor, and how often it was written.
pub(super) struct Kept {
    job: Job,
    rev: u64,
    pub(super) progress: Progress,
}

/// A report as it lies in the bucket.
pub(super) struct There {
    pub(super) link: Link,
    etag: String,
    /// What it says, if it is one.
    pub(super) report: Option<Report>,
}

impl<S: SessionStore, A: ArchiveStore, K: CursorStore, C: Clock> Prover<'_, S, A, K, C> {
    /// Issues the report of a day, unless the one that lies there says the same; true if it did.
    ///
    /// # Errors
    /// The table's and the bucket's, and where somebody else issues reports of the same account.
    pub async fn issue(&self, proof: &DayProof) -> Result<bool, ProveError> {
        let mut kept = self.kept(&proof.account).await?;
        self.issue_after(&mut kept, proof).await
    }

    pub(super) async fn issue_after(&self, kept: &mut Kept, proof: &DayProof) -> Result<bool, ProveError> {
        let key = proof.object_key();
        let there = match of_one(&key, self.report(&key).await)? {
            Answer::Says(there) => there,
            // What cannot be looked at is not replaced.
            Answer::Refused => {
                kept.progress.proved(proof.day, true);
                self.keep(kept).await?;
                return Ok(false);
            }
        };
        let now_ms = self.clock.now_ms();
        let said = there.as_ref().and_then(|there| there.report.as_ref());
        if let Some(said) = said.filter(|said| said.proof == *proof) {
            let before = kept.progress.clone();
            kept.progress.proved(proof.day, proof.stays_open(said.issued_ms, now_ms));
            if kept.progress != before {
                self.keep(kept).await?;
            }
            return Ok(false);
        }
        let head = kept.progress.head.clone();
        let report = Report {
            proof: proof.clone(),
            sequence: head.as_ref().map_or(1, |head| head.sequence + 1),
            issued_ms: now_ms,
            previous: head.map(|head| head.link),
        };
        let json = report.to_json();
        let sha256 = sha256(&json);
        kept.progress.pending = Some(Pending { key: key.clone(), sha256: sha256.clone() });
        self.keep(kept).await?;
        let replacing = there.as_ref().map(|there| there.etag.as_str());
        match self.archive.write(&key, json.into(), replacing).await? {
            Written::Done { version } => {
                let link = Link { key, version, sha256 };
                kept.progress.head = Some(Head { sequence: report.sequence, link });
                kept.progress.pending = None;
                kept.progress.proved(proof.day, proof.stays_open(now_ms, now_ms));
                self.keep(kept).await?;
                Ok(true)
            }
            Written::Changed => Err(ProveError::Contended),
        }
    }

    /// How far the reports have come; what an earlier run left in doubt is decided. A table that was lost goes on after
    /// the last report that the bucket holds.
    pub(super) async fn kept(&self, account: &AccountId) -> Result<Kept, ProveError> {
        let job = Job::new(format!("reports#{account}"));
        let cursor = self.cursors.cursor(&job).await?;
        let mut progress = cursor.state.as_deref().map_or(Ok(Progress::default()), Progress::parse)?;
        if let Some(pending) = progress.pending.take() {
            let there = self.readable(&pending.key).await?.filter(|there| there.link.sha256 == pending.sha256);
            if let Some((link, report)) = there.and_then(|there| Some((there.link, there.report?))) {
                progress.head = Some(Head { sequence: report.sequence, link });
                progress.proved(report.proof.day, report.proof.stays_open(report.issued_ms, self.clock.now_ms()));
            }
        }
        if progress.head.is_none() {
            progress.head = newest_before(u64::MAX, &self.rings(account).await?);
        }
        Ok(Kept { job, rev: cursor.rev, progress })
    }

    pub(super) async fn keep(&self, kept: &mut Kept) -> Result<(), ProveError> {
        if !self.cursors.advance(&kept.job, kept.rev, &kept.progress.to_json()).await? {
            return Err(ProveError::Contended);
        }
        kept.rev += 1;
        Ok(())
    }

    async fn report(&self, key: &ObjectKey) -> Result<Option<There>, ArchiveError> {
        there(key, self.archive.read(key).await?).await
    }

    /// What lies under the key of a report, as far as it can be looked at.
    pub(super) async fn readable(&self, key: &ObjectKey) -> Result<Option<There>, ArchiveError> {
        Ok(match of_one(key, self.report(key).await)? {
            Answer::Says(there) => there,
            Answer::Refused => None,
        })
    }

    pub(super) async fn report_as(&self, key: &ObjectKey, version: &str) -> Result<Option<There>, ArchiveError> {
        there(key, self.archive.read_version(key, version).await?).await
    }
}

async fn there(key: &ObjectKey, reading: Option<Reading>) -> Result<Option<There>, ArchiveError> {
    let Some(Reading { etag, version, body }) = reading else { return Ok(None) };
    let json = whole(body, MAX_REPORT_BYTES).await?.unwrap_or_default();
    let link = Link { key: key.clone(), version, sha256: sha256(&json) };
    Ok(Some(There { link, etag, report: Report::parse(&json).ok() }))
}
