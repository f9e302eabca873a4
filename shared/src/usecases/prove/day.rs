//! One day: everything is read that tells of it, and what seems wrong is looked at twice.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, future::try_join, stream};

use super::{ABREAST, Answer, ProveError, Prover, of_one, queue::Queue};
use crate::{
    domain::{
        checksum::{Digests, Verified},
        completeness::{DayProof, Evidence, ManifestRead, Offered},
        day::Day,
        ids::{AccountId, TelephonySessionId},
        manifest::{Disagreement, Found, Manifest},
        object_key::ObjectKey,
        session::SessionKey,
    },
    ports::{
        archive_store::{ArchiveError, ArchiveStore, Entry, Held},
        clock::Clock,
        cursor_store::CursorStore,
        session_store::{Rows, SessionStore, StoreError},
    },
    usecases::documents::{MAX_MANIFEST_BYTES, sha256, whole},
};

/// Rows asked for at once.
const ROWS_AT_ONCE: usize = 100;

impl<S: SessionStore, A: ArchiveStore, K: CursorStore, C: Clock> Prover<'_, S, A, K, C> {
    /// Compares rows, manifests and objects of a day, and what the call log offers of it, as far as it was asked. The rows
    /// are those of the day's manifests, of the queue and of the call log: the table is not scanned.
    ///
    /// # Errors
    /// The table's and the bucket's: nothing is known then.
    pub async fn prove_day(&self, account: &AccountId, day: Day, offered: Offered) -> Result<DayProof, ProveError> {
        let queue = Queue::read(self.sessions, account).await?;
        self.prove(&queue, account, day, offered).await
    }

    pub(super) async fn prove(
        &self,
        queue: &Queue,
        account: &AccountId,
        day: Day,
        offered: Offered,
    ) -> Result<DayProof, ProveError> {
        let mut evidence = Evidence { offered, ..Evidence::new(account.clone(), day) };
        let (manifests, recordings) = self.list_day(&evidence).await?;
        evidence.objects =
            recordings.into_iter().map(|entry| (entry.key, listed(entry.size_bytes, entry.etag))).collect();
        self.read_manifests(manifests.into_iter().map(|entry| entry.key).collect(), &mut evidence).await?;
        let queued = queue.days.get(&day).into_iter().flatten().cloned();
        let sessions = evidence.sessions().into_iter().chain(queued).collect();
        self.read_rows(sessions, &mut evidence).await?;

        self.ask_whose_they_are(&mut evidence).await?;
        self.look_for_objects(&mut evidence).await?;
        self.read_manifests(evidence.unlike(), &mut evidence).await?;
        evidence.queued = evidence.rows.keys().filter(|key| queue.sessions.contains(key)).cloned().collect();

        let proof = evidence.judge();
        if proof.defects.is_empty() {
            return Ok(proof);
        }
        self.look_again(&mut evidence).await?;
        Ok(evidence.judge())
    }

    /// What lies under the keys of the day's manifests, and of its recordings.
    pub(super) async fn list_day(&self, evidence: &Evidence) -> Result<(Vec<Entry>, Vec<Entry>), ArchiveError> {
        let (manifests, recordings) = (evidence.manifests_prefix(), evidence.recordings_prefix());
        try_join(self.archive.list(&manifests), self.archive.list(&recordings)).await
    }

    /// Objects that nobody names may be ours by their metadata: their sessions' rows are read too.
    async fn ask_whose_they_are(&self, evidence: &mut Evidence) -> Result<(), ProveError> {
        for (key, held) in self.held(evidence.unknown(), evidence).await? {
            let origin = held.and_then(|held| held.origin);
            let ours = origin.filter(|origin| key.is_of(&evidence.account, &origin.recording));
            if let Some(origin) = ours.filter(|origin| origin.account == evidence.account) {
                evidence.origins.insert(key, origin.session);
            }
        }
        let named: BTreeSet<&TelephonySessionId> = evidence.origins.values().collect();
        let unread = evidence.sessions().into_iter().filter(|key| named.contains(&key.session));
        let unread = unread.filter(|key| !evidence.rows.contains_key(key)).collect();
        self.read_rows(unread, evidence).await
    }

    /// Where the listing does not prove an object, a HEAD may, and where that has no checksum to compare, its bytes.
    async fn look_for_objects(&self, evidence: &mut Evidence) -> Result<(), ProveError> {
        let unproven = evidence.unproven().into_iter().map(|(key, _)| key).collect();
        for (key, held) in self.held(unproven, evidence).await? {
            match held {
                Some(held) => drop(evidence.objects.insert(
                    key,
                    Found { size_bytes: held.size_bytes, etag: Some(held.etag), checksum: held.verified },
                )),
                None => drop(evidence.objects.remove(&key)),
            }
        }
        let refused = evidence.refused.clone();
        let undecided = evidence.unproven().into_iter().filter(|(_, why)| *why == Disagreement::Unproven);
        for (key, _) in undecided.filter(|(key, _)| !refused.contains(key)) {
            match of_one(&key, self.read_through(&key).await)? {
                Answer::Says(Some(found)) => drop(evidence.objects.insert(key, found)),
                Answer::Says(None) => drop(evidence.objects.remove(&key)),
                Answer::Refused => drop(evidence.refused.insert(key)),
            }
        }
        Ok(())
    }

    /// A session that has come into the queue since, or whose row is not as it was read, is on its way.
    async fn look_again(&self, evidence: &mut Evidence) -> Result<(), ProveError> {
        let sessions: BTreeSet<_> = evidence.sessions().into_iter().chain(evidence.rows.keys().cloned()).collect();
        let queued = self.sessions.queued().await?.into_iter().map(|due| due.key);
        evidence.queued.extend(queued.filter(|key| sessions.contains(key)));
        let now = self.rows(sessions.clone()).await?.known;
        let moved = |key: &SessionKey| now.get(key).map(|row| row.rev) != evidence.rows.get(key).map(|row| row.rev);
        evidence.moving = sessions.into_iter().filter(moved).collect();
        Ok(())
    }

    async fn read_rows(&self, keys: BTreeSet<SessionKey>, evidence: &mut Evidence) -> Result<(), ProveError> {
        let Rows { known, unreadable } = self.rows(keys).await?;
        for key in &unreadable {
            tracing::warn!(session.id = %key.session, "a row cannot be read: its day stays open");
        }
        evidence.rows.extend(known);
        evidence.unreadable.extend(unreadable);
        Ok(())
    }

    async fn rows(&self, keys: BTreeSet<SessionKey>) -> Result<Rows, StoreError> {
        let keys: Vec<_> = keys.into_iter().collect();
        let chunks: Vec<_> = keys.chunks(ROWS_AT_ONCE).map(|keys| self.sessions.rows(keys)).collect();
        let mut rows = Rows::default();
        let mut reads = stream::iter(chunks).buffer_unordered(ABREAST);
        while let Some(Rows { known, unreadable }) = reads.try_next().await? {
            rows.known.extend(known);
            rows.unreadable.extend(unreadable);
        }
        Ok(rows)
    }

    async fn read_manifests(&self, keys: Vec<ObjectKey>, evidence: &mut Evidence) -> Result<(), ArchiveError> {
        let reads: Vec<_> = keys
            .into_iter()
            .map(|key| async { of_one(&key, self.manifest(&key).await).map(|read| (key, read)) })
            .collect();
        let mut reads = stream::iter(reads).buffer_unordered(ABREAST);
        while let Some((key, read)) = reads.try_next().await? {
            match read {
                Answer::Says(Some(read)) => drop(evidence.manifests.insert(key, read)),
                Answer::Says(None) => {}
                Answer::Refused => drop(evidence.refused.insert(key)),
            }
        }
        Ok(())
    }

    async fn manifest(&self, key: &ObjectKey) -> Result<Option<ManifestRead>, ArchiveError> {
        let Some(reading) = self.archive.read(key).await? else { return Ok(None) };
        let version = reading.version;
        let json = whole(reading.body, MAX_MANIFEST_BYTES).await?.unwrap_or_default();
        let manifest = Manifest::parse(&json).ok();
        let manifest = manifest.filter(|manifest| key.session().as_ref() == Some(&manifest.key.session));
        Ok(Some(ManifestRead { version, sha256: sha256(&json), manifest }))
    }

    /// What lies under each of the keys that the bucket tells of.
    async fn held(
        &self,
        keys: Vec<ObjectKey>,
        evidence: &mut Evidence,
    ) -> Result<Vec<(ObjectKey, Option<Held>)>, ArchiveError> {
        let asked: Vec<_> = keys
            .into_iter()
            .map(|key| async { of_one(&key, self.archive.held(&key).await).map(|held| (key, held)) })
            .collect();
        let mut asked = stream::iter(asked).buffer_unordered(ABREAST);
        let mut told = Vec::new();
        while let Some((key, held)) = asked.try_next().await? {
            match held {
                Answer::Says(held) => told.push((key, held)),
                Answer::Refused => drop(evidence.refused.insert(key)),
            }
        }
        Ok(told)
    }

    /// An object as its own bytes tell.
    async fn read_through(&self, key: &ObjectKey) -> Result<Option<Found>, ArchiveError> {
        let Some(mut reading) = self.archive.read(key).await? else { return Ok(None) };
        let mut digests = Digests::default();
        while let Some(chunk) = reading.body.next().await {
            digests.add(&chunk.map_err(|interrupted| ArchiveError::Unavailable(interrupted.to_string()))?);
        }
        let fingerprint = digests.finish();
        let checksum = Some(Verified::Sha256(fingerprint.sha256));
        Ok(Some(Found { size_bytes: fingerprint.size_bytes, etag: Some(reading.etag), checksum }))
    }
}

fn listed(size_bytes: u64, etag: String) -> Found {
    Found { size_bytes, etag: Some(etag), checksum: None }
}
