//! What became of every recording heard of: table and bucket, held against what the simulated vendor has.

use std::collections::BTreeSet;

use local_cloud::{dynamodb::TableError, s3::StoredObject};
use serde_json::{Map, Value};
use shared::{
    clients::dynamodb::schema,
    domain::{
        checksum::{Digests, Fingerprint, Verified},
        manifest::{Found, Manifest},
    },
};

use crate::stack::{BUCKET, Stack};

/// All recordings of the table.
pub(crate) struct Archive {
    pub(crate) recordings: Vec<Recording>,
    /// Sessions of which every recording has ended.
    pub(crate) settled: usize,
    /// How many of them have a manifest that agrees with every object it names.
    pub(crate) described: usize,
}

/// One of them.
pub(crate) struct Recording {
    pub(crate) id: String,
    /// The row's word for where it stands.
    pub(crate) state: String,
    /// The row's word for the way its bytes came, if they did.
    pub(crate) way: Option<String>,
    /// Why it stands there, if it is not archived.
    pub(crate) reason: Option<String>,
    /// The object under its key.
    pub(crate) object: Option<StoredObject>,
    /// Whether that is what the vendor offered, byte for byte.
    pub(crate) identical: bool,
}

impl Archive {
    /// Reads table and bucket, and compares every object with what the vendor has.
    pub(crate) fn read(stack: &Stack) -> Result<Self, TableError> {
        let objects = stack.s3.objects(BUCKET);
        let (mut recordings, mut settled, mut described) = (Vec::new(), 0, 0);
        for row in stack.sessions()? {
            if row.contains_key("heard") && !row.contains_key(schema::QUEUE) {
                settled += 1;
                described += usize::from(is_described(&row, &objects));
            }
            let heard = row.get("heard").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let heard: BTreeSet<&str> = heard.filter_map(|element| element.split('|').next()).collect();
            for id in heard {
                let result = row.get(&format!("r#{id}")).cloned().unwrap_or_default();
                let text = |name: &str| result.get(name).and_then(Value::as_str).map(str::to_owned);
                let object = text("key").and_then(|key| objects.iter().find(|object| object.key == key)).cloned();
                let held = object.as_ref().and_then(|object| std::fs::read(&object.path).ok());
                let offered = stack.vendor.with(|vendor| vendor.audio_of(id));
                recordings.push(Recording {
                    id: id.to_owned(),
                    state: text("state").unwrap_or_else(|| "waiting".to_owned()),
                    way: text("way"),
                    reason: text("reason"),
                    identical: held.is_some() && held == offered,
                    object,
                });
            }
        }
        Ok(Self { recordings, settled, described })
    }

    /// Whether nothing waits, and every archived recording lies in the bucket, byte for byte as the vendor offered it.
    pub(crate) fn is_whole(&self) -> bool {
        let waiting = self.recordings.iter().any(|recording| recording.state == "waiting");
        !waiting && self.is_identical()
    }

    /// Whether every archived recording lies in the bucket, byte for byte as the vendor offered it.
    pub(crate) fn is_identical(&self) -> bool {
        self.archived().all(|recording| recording.identical)
    }

    pub(crate) fn archived(&self) -> impl Iterator<Item = &Recording> {
        self.recordings.iter().filter(|recording| recording.state == "archived")
    }

    pub(crate) fn archived_by(&self, way: &str) -> usize {
        self.archived().filter(|recording| recording.way.as_deref() == Some(way)).count()
    }
}

/// Whether the manifest a row names lies in the bucket, and its objects are what it says.
fn is_described(row: &Map<String, Value>, objects: &[StoredObject]) -> bool {
    let bytes_at = |key: &str| {
        let object = objects.iter().find(|object| object.key == key)?;
        std::fs::read(&object.path).ok()
    };
    let key = row.get("manifest").and_then(|manifest| manifest["key"].as_str());
    let Some(Ok(manifest)) = key.and_then(bytes_at).map(|json| Manifest::parse(&json)) else { return false };
    manifest.recordings.values().all(|recording| {
        let object = recording.result.key.as_ref().zip(recording.result.archived.as_ref());
        object.is_none_or(|(key, archived)| {
            let found = bytes_at(key.as_str()).map(|bytes| {
                let mut digests = Digests::default();
                digests.add(&bytes);
                let Fingerprint { size_bytes, sha256, .. } = digests.finish();
                Found { size_bytes, etag: None, checksum: Some(Verified::Sha256(sha256)) }
            });
            archived.disagreement(found.as_ref()).is_none()
        })
    })
}
