//! Multipart uploads neither completed nor aborted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use s3s::dto::{CompletedPart, ETag};
use s3s::{S3Result, s3_error};

use super::agreed::{Agreed, Kind};
use super::checksums::{Algorithm, Checksums};
use super::description::Description;
use super::upload::{TemporaryFile, Upload, hex};

/// For every part but the last.
const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
const MAX_PARTS: i32 = 10_000;

/// The open uploads of a bucket by id.
#[derive(Default)]
pub(super) struct Uploads(BTreeMap<String, OpenUpload>);

/// An upload and its parts so far. The files of the parts go with it.
pub(super) struct OpenUpload {
    pub(super) key: String,
    pub(super) description: Description,
    pub(super) agreed: Agreed,
    pub(super) initiated: SystemTime,
    parts: BTreeMap<i32, Arc<Part>>,
}

/// A part in its file. Whoever copies it holds it, so that an abort does not take it away meanwhile.
pub(super) struct Part {
    pub(super) file: TemporaryFile,
    pub(super) size_bytes: u64,
    pub(super) md5: [u8; 16],
    /// Only the one the upload is agreed to have, if it came or was computed.
    pub(super) checksums: Checksums,
}

impl Uploads {
    pub(super) fn insert(&mut self, id: String, upload: OpenUpload) {
        self.0.insert(id, upload);
    }

    pub(super) fn find(&mut self, id: &str, key: &str) -> S3Result<&mut OpenUpload> {
        self.0.get_mut(id).filter(|upload| upload.key == key).ok_or_else(|| s3_error!(NoSuchUpload))
    }

    pub(super) fn remove(&mut self, id: &str, key: &str) -> S3Result<()> {
        self.find(id, key)?;
        self.0.remove(id);
        Ok(())
    }

    /// By key, and the oldest first.
    pub(super) fn in_order(&self) -> Vec<(&str, &OpenUpload)> {
        let mut uploads: Vec<_> = self.0.iter().map(|(id, upload)| (id.as_str(), upload)).collect();
        uploads.sort_by_key(|(_, upload)| (&upload.key, upload.initiated));
        uploads
    }
}

impl OpenUpload {
    pub(super) fn new(key: String, description: Description, agreed: Agreed, initiated: SystemTime) -> Self {
        Self { key, description, agreed, initiated, parts: BTreeMap::new() }
    }

    /// Keeps a part in place of what had its number.
    pub(super) fn keep(&mut self, number: i32, received: Upload) -> S3Result<()> {
        if !(1..=MAX_PARTS).contains(&number) {
            return Err(s3_error!(InvalidArgument, "a part number is an integer from 1 to {MAX_PARTS}"));
        }
        let mut checksums = received.digests.checksums;
        checksums.retain(|algorithm, _| *algorithm == self.agreed.algorithm);
        let md5 = received.digests.md5;
        let part = Part { file: received.file, size_bytes: received.size_bytes, md5, checksums };
        self.parts.insert(number, Arc::new(part));
        Ok(())
    }

    /// The parts CompleteMultipartUpload names.
    pub(super) fn chosen(&self, named: &[CompletedPart]) -> S3Result<Vec<Arc<Part>>> {
        let mut chosen = Vec::with_capacity(named.len());
        let mut previous = 0;
        for part in named {
            let number = part.part_number.ok_or_else(|| s3_error!(MalformedXML, "a part without a number"))?;
            if number <= previous {
                return Err(s3_error!(InvalidPartOrder, "part {number} is named after part {previous}"));
            }
            previous = number;
            let checksums = checksums(part);
            if self.agreed.kind == Kind::Composite && checksums.is_empty() {
                let algorithm = self.agreed.algorithm.name();
                return Err(s3_error!(InvalidRequest, "the checksum {algorithm} of part {number} is missing"));
            }
            let kept = self.parts.get(&number).filter(|kept| kept.is(part.e_tag.as_ref(), &checksums));
            chosen.push(Arc::clone(kept.ok_or_else(|| s3_error!(InvalidPart, "there is no such part {number}"))?));
        }
        let Some((_last, others)) = chosen.split_last() else {
            return Err(s3_error!(MalformedXML, "no part is named"));
        };
        if others.iter().any(|part| part.size_bytes < MIN_PART_BYTES) {
            return Err(s3_error!(EntityTooSmall, "only the last part may be below {MIN_PART_BYTES} bytes"));
        }
        Ok(chosen)
    }
}

impl Part {
    fn is(&self, etag: Option<&ETag>, checksums: &Checksums) -> bool {
        let mut named = checksums.iter();
        etag.is_some_and(|etag| etag.value() == hex(self.md5))
            && named.all(|(algorithm, value)| self.checksums.get(algorithm) == Some(value))
    }
}

fn checksums(part: &CompletedPart) -> Checksums {
    let named = [
        (Algorithm::Crc32, &part.checksum_crc32),
        (Algorithm::Crc32c, &part.checksum_crc32c),
        (Algorithm::Crc64Nvme, &part.checksum_crc64nvme),
        (Algorithm::Sha1, &part.checksum_sha1),
        (Algorithm::Sha256, &part.checksum_sha256),
    ];
    named.into_iter().filter_map(|(algorithm, value)| Some((algorithm, value.clone()?))).collect()
}
