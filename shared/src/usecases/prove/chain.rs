//! The chain of reports, from its end back to its beginning.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    ABREAST, Answer, ProveError, Prover,
    issue::{Kept, There},
    of_one,
};
use crate::{
    domain::{
        completeness::{About, Defect, DefectClass, Head, Link, Progress},
        ids::AccountId,
        object_key::ObjectKey,
    },
    ports::{
        archive_store::{ArchiveError, ArchiveStore},
        clock::Clock,
        cursor_store::CursorStore,
        session_store::SessionStore,
    },
};

/// So many of the reports issued last are verified every hour; what is older is verified once.
const RECENT: u64 = 100;

/// What the chain needs of a report.
pub(super) struct Ring {
    link: Link,
    /// Its place and the one before it; none where these bytes are no report.
    says: Option<(u64, Option<Link>)>,
}

/// How the chain is, from its end back to what was verified before.
enum Recent {
    Sound,
    Broken,
    /// There was no time for all of it.
    Unfinished,
}

impl<S: SessionStore, A: ArchiveStore, K: CursorStore, C: Clock> Prover<'_, S, A, K, C> {
    /// Reports of an account that are not what the chain says of them: the last one as the cursor says, every other as the
    /// one after it does. Each key is named once.
    ///
    /// # Errors
    /// The table's and the bucket's.
    pub async fn verify_chain(&self, account: &AccountId) -> Result<Vec<Defect>, ProveError> {
        let kept = self.kept(account).await?;
        Ok(self.verify_from(&kept, account).await?)
    }

    /// The same of the last reports and those that were never verified; of all of them only where something is wrong there.
    pub(super) async fn verify_recent(
        &self,
        kept: &mut Kept,
        account: &AccountId,
        until_ms: u64,
    ) -> Result<Vec<Defect>, ArchiveError> {
        match self.recent(&kept.progress, until_ms).await? {
            Recent::Sound => kept.progress.verified = kept.progress.head.as_ref().map_or(0, |head| head.sequence),
            Recent::Unfinished => {}
            Recent::Broken => return self.verify_from(kept, account).await,
        }
        Ok(Vec::new())
    }

    async fn recent(&self, progress: &Progress, until_ms: u64) -> Result<Recent, ArchiveError> {
        let mut seen = BTreeSet::new();
        let mut expected = progress.head.clone();
        let mut steps = 0;
        while let Some(Head { sequence, link }) = expected {
            if steps >= RECENT && sequence <= progress.verified {
                break;
            }
            if steps >= RECENT && self.clock.now_ms() >= until_ms {
                return Ok(Recent::Unfinished);
            }
            steps += 1;
            let ring = if seen.insert(link.key.clone()) {
                self.ring(&link.key).await?.filter(|ring| ring.link.sha256 == link.sha256)
            } else {
                self.ring_as(&link).await?
            };
            let Some((sequence, previous)) = ring.and_then(|ring| ring.says) else { return Ok(Recent::Broken) };
            expected = previous.map(|link| Head { sequence: sequence.saturating_sub(1), link });
        }
        Ok(Recent::Sound)
    }

    async fn verify_from(&self, kept: &Kept, account: &AccountId) -> Result<Vec<Defect>, ArchiveError> {
        let current = self.rings(account).await?;
        let mut seen = BTreeSet::new();
        let mut broken = BTreeSet::new();
        let mut expected = kept.progress.head.clone();
        while let Some(Head { sequence, link }) = expected {
            let is_last_of_its_key = seen.insert(link.key.clone());
            let lies_there = current.get(&link.key).filter(|ring| ring.link.sha256 == link.sha256);
            if is_last_of_its_key && lies_there.is_none() {
                broken.insert(link.key.clone());
            }
            let earlier = match lies_there {
                Some(_) => None,
                None => self.ring_as(&link).await?,
            };
            expected = match lies_there.or(earlier.as_ref()).and_then(|ring| ring.says.clone()) {
                Some((_, None)) => None,
                Some((sequence, Some(previous))) => Some(Head { sequence: sequence.saturating_sub(1), link: previous }),
                None => {
                    // Where versions are not kept, what was replaced cannot be asked for.
                    if link.version.is_some() {
                        broken.insert(link.key);
                    }
                    newest_before(sequence, &current)
                }
            };
        }
        // What no later report leads to was not issued by us.
        broken.extend(current.into_keys().filter(|key| !seen.contains(key)));
        let about = |key| Defect { class: DefectClass::BrokenChain, about: About::Object(key) };
        Ok(broken.into_iter().map(about).collect())
    }

    /// All reports of an account that have not been replaced, as far as they can be looked at.
    pub(super) async fn rings(&self, account: &AccountId) -> Result<BTreeMap<ObjectKey, Ring>, ArchiveError> {
        let listed = self.archive.list(&format!("reports/account={account}/")).await?;
        let reads: Vec<_> = listed.into_iter().map(|entry| async move { self.ring(&entry.key).await }).collect();
        let rings = stream::iter(reads).buffer_unordered(ABREAST);
        rings.try_filter_map(|ring| async { Ok(ring.map(|ring| (ring.link.key.clone(), ring))) }).try_collect().await
    }

    async fn ring(&self, key: &ObjectKey) -> Result<Option<Ring>, ArchiveError> {
        Ok(self.readable(key).await?.map(Ring::of))
    }

    /// The very version of a report that a link names, if the bucket still has it and it is that one.
    async fn ring_as(&self, link: &Link) -> Result<Option<Ring>, ArchiveError> {
        let Some(version) = &link.version else { return Ok(None) };
        Ok(match of_one(&link.key, self.report_as(&link.key, version).await)? {
            Answer::Says(there) => there.filter(|there| there.link.sha256 == link.sha256).map(Ring::of),
            Answer::Refused => None,
        })
    }
}

impl Ring {
    fn of(there: There) -> Self {
        Self { link: there.link, says: there.report.map(|report| (report.sequence, report.previous)) }
    }
}

/// Behind a report that cannot be read the chain goes on with the newest one before it that can.
pub(super) fn newest_before(sequence: u64, current: &BTreeMap<ObjectKey, Ring>) -> Option<Head> {
    let heads = current.values().filter_map(|ring| Some((ring.says.as_ref()?.0, &ring.link)));
    let (sequence, link) = heads.filter(|(place, _)| *place < sequence).max_by_key(|(place, _)| *place)?;
    Some(Head { sequence, link: link.clone() })
}
