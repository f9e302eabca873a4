//! The chain of reports, from its end back to its beginning.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ProveError, Prover,
    issue::{Kept, There},
};
use crate::{
    domain::{
        completeness::{About, Defect, DefectClass, Head, Link},
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

/// What the chain needs of a report.
struct Ring {
    link: Link,
    /// Its place and the one before it; none where these bytes are no report.
    says: Option<(u64, Option<Link>)>,
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

    pub(super) async fn verify_from(&self, kept: &Kept, account: &AccountId) -> Result<Vec<Defect>, ArchiveError> {
        let reports = self.reports(account).await?.into_iter();
        let current: BTreeMap<ObjectKey, Ring> =
            reports.map(|there| (there.link.key.clone(), Ring::of(there))).collect();
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

    /// The very version of a report that a link names, if the bucket still has it and it is that one.
    async fn ring_as(&self, link: &Link) -> Result<Option<Ring>, ArchiveError> {
        let Some(version) = &link.version else { return Ok(None) };
        let there = self.report_as(&link.key, version).await?;
        Ok(there.filter(|there| there.link.sha256 == link.sha256).map(Ring::of))
    }
}

impl Ring {
    fn of(there: There) -> Self {
        Self { link: there.link, says: there.report.map(|report| (report.sequence, report.previous)) }
    }
}

/// Behind a report that cannot be read the chain goes on with the newest one before it that can.
fn newest_before(sequence: u64, current: &BTreeMap<ObjectKey, Ring>) -> Option<Head> {
    let heads = current.values().filter_map(|ring| Some((ring.says.as_ref()?.0, &ring.link)));
    let (sequence, link) = heads.filter(|(place, _)| *place < sequence).max_by_key(|(place, _)| *place)?;
    Some(Head { sequence, link: link.clone() })
}
