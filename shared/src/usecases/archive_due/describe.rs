//! The manifest of a session that settles: written before the row says so, and only where the bucket's own says less.

use super::{Archiver, look::Look};
use crate::{
    domain::{
        manifest::Manifest,
        object_key::ObjectKey,
        session::{KeptManifest, SessionKey},
    },
    ports::{
        archive_store::{ArchiveError, ArchiveStore, Written},
        clock::{Chance, Clock},
        recording_source::RecordingSource,
        session_store::SessionStore,
    },
    usecases::documents::{MAX_MANIFEST_BYTES, sha256, whole},
};

/// So often a manifest is read and merged anew because somebody else has written it meanwhile.
const MOST_WRITES: u32 = 4;

/// Why a session is not described.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotDescribed {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A person must look.
    #[error("conflict: what lies under the manifest's key is no manifest of this session")]
    Conflict,
    #[error("somebody else keeps writing the manifest")]
    Contended,
}

/// A manifest as it lies in the bucket.
pub(super) struct There {
    pub(super) manifest: Manifest,
    pub(super) kept: KeptManifest,
    etag: String,
}

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    /// Sees to it that the bucket has the session's manifest, and answers which it has. What an earlier manifest says and
    /// this row does not is kept.
    pub(super) async fn describe(&self, look: &Look) -> Result<KeptManifest, NotDescribed> {
        let manifest = Manifest::of(&look.row);
        let kept = look.row.manifest.as_ref();
        let key = kept.map_or_else(|| manifest.object_key(), |kept| kept.key.clone());
        let json = manifest.to_json();
        let ours = KeptManifest { key: key.clone(), sha256: sha256(&json) };
        match kept {
            Some(kept) if *kept == ours => return Ok(ours),
            Some(_) => {}
            // An earlier look may have written it and died before it could say so.
            None if look.attempts > 1 => {}
            None => match self.archive.write(&key, json.into(), None).await? {
                Written::Done { .. } => return Ok(ours),
                Written::Changed => {}
            },
        }
        for _ in 0..MOST_WRITES {
            let there = self.manifest_at(&key, &look.row.key).await?;
            let merged =
                there.as_ref().map_or_else(|| manifest.clone(), |there| manifest.clone().merge(&there.manifest));
            let json = merged.to_json();
            let ours = KeptManifest { key: key.clone(), sha256: sha256(&json) };
            let replacing = match &there {
                Some(there) if there.kept == ours => return Ok(ours),
                Some(there) => Some(there.etag.as_str()),
                None => None,
            };
            match self.archive.write(&key, json.into(), replacing).await? {
                Written::Done { .. } => return Ok(ours),
                Written::Changed => {}
            }
        }
        Err(NotDescribed::Contended)
    }

    /// The manifest of a session that lies under `key`, if anything does.
    pub(super) async fn manifest_at(
        &self,
        key: &ObjectKey,
        session: &SessionKey,
    ) -> Result<Option<There>, NotDescribed> {
        let Some(reading) = self.archive.read(key).await? else { return Ok(None) };
        let json = whole(reading.body, MAX_MANIFEST_BYTES).await?.ok_or(NotDescribed::Conflict)?;
        let manifest = Manifest::parse(&json).ok().filter(|manifest| manifest.key == *session);
        let manifest = manifest.ok_or(NotDescribed::Conflict)?;
        let kept = KeptManifest { key: key.clone(), sha256: sha256(&json) };
        Ok(Some(There { manifest, kept, etag: reading.etag }))
    }
}
