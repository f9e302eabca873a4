//! What a multipart upload is agreed to have as its checksum.

use std::collections::BTreeSet;

use s3s::dto::{ChecksumAlgorithm, ChecksumType};
use s3s::{S3Result, s3_error};

use super::checksums::Algorithm;

/// What the checksum of an object is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The bytes.
    FullObject,
    /// The checksums of the parts.
    Composite,
}

impl From<Kind> for ChecksumType {
    fn from(kind: Kind) -> Self {
        Self::from_static(match kind {
            Kind::FullObject => Self::FULL_OBJECT,
            Kind::Composite => Self::COMPOSITE,
        })
    }
}

/// The checksum named when an upload was created.
#[derive(Debug, Clone, Copy)]
pub(super) struct Agreed {
    pub(super) algorithm: Algorithm,
    pub(super) kind: Kind,
    /// By the client; S3 computes one anyway.
    pub(super) is_asked_for: bool,
}

impl Agreed {
    /// What S3 makes of the headers of CreateMultipartUpload.
    pub(super) fn of(algorithm: Option<&ChecksumAlgorithm>, kind: Option<&ChecksumType>) -> S3Result<Self> {
        let Some(name) = algorithm.map(ChecksumAlgorithm::as_str) else {
            return match kind {
                Some(_) => Err(s3_error!(InvalidRequest, "a checksum type needs a checksum algorithm")),
                None => Ok(Self { algorithm: Algorithm::Crc64Nvme, kind: Kind::FullObject, is_asked_for: false }),
            };
        };
        let algorithm = Algorithm::named(name)
            .ok_or_else(|| s3_error!(NotImplemented, "the local S3 does not know the checksum algorithm {name}"))?;
        let kind = match kind.map(ChecksumType::as_str) {
            Some(ChecksumType::FULL_OBJECT) => Kind::FullObject,
            Some(ChecksumType::COMPOSITE) => Kind::Composite,
            Some(other) => return Err(s3_error!(InvalidRequest, "{other} is no checksum type")),
            None if algorithm == Algorithm::Crc64Nvme => Kind::FullObject,
            None => Kind::Composite,
        };
        let is_possible = match algorithm {
            Algorithm::Crc32 | Algorithm::Crc32c => true,
            Algorithm::Crc64Nvme => kind == Kind::FullObject,
            Algorithm::Sha1 | Algorithm::Sha256 => kind == Kind::Composite,
        };
        if !is_possible {
            let kind = ChecksumType::from(kind);
            return Err(s3_error!(InvalidRequest, "{name} has no checksum of the type {}", kind.as_str()));
        }
        Ok(Self { algorithm, kind, is_asked_for: true })
    }

    /// Whether a part may come with these checksums. If none was agreed on, any may come; it is verified and forgotten.
    pub(super) fn allow_part(&self, sent: &BTreeSet<Algorithm>) -> S3Result<()> {
        if !self.is_asked_for {
            return Ok(());
        }
        let expected = self.algorithm.name();
        match sent.iter().find(|algorithm| **algorithm != self.algorithm) {
            Some(other) => Err(s3_error!(InvalidRequest, "expected a checksum {expected}, not {}", other.name())),
            None if sent.is_empty() && self.kind == Kind::Composite => {
                Err(s3_error!(InvalidRequest, "expected a checksum {expected}, and none came"))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_has_the_types_s3_documents() {
        let cases = [
            (None, None, Ok(("CRC64NVME", Kind::FullObject))),
            (None, Some("FULL_OBJECT"), Err("InvalidRequest")),
            (Some("CRC64NVME"), None, Ok(("CRC64NVME", Kind::FullObject))),
            (Some("CRC64NVME"), Some("COMPOSITE"), Err("InvalidRequest")),
            (Some("CRC32"), None, Ok(("CRC32", Kind::Composite))),
            (Some("CRC32C"), Some("FULL_OBJECT"), Ok(("CRC32C", Kind::FullObject))),
            (Some("SHA256"), None, Ok(("SHA256", Kind::Composite))),
            (Some("SHA256"), Some("FULL_OBJECT"), Err("InvalidRequest")),
            (Some("SHA1"), Some("HALF"), Err("InvalidRequest")),
            (Some("MD4"), None, Err("NotImplemented")),
        ];
        for (algorithm, kind, expected) in cases {
            let agreed = Agreed::of(
                algorithm.map(ChecksumAlgorithm::from_static).as_ref(),
                kind.map(ChecksumType::from_static).as_ref(),
            );
            let agreed = agreed.map(|agreed| (agreed.algorithm.name(), agreed.kind));
            let expected = expected.map_err(str::to_owned);
            assert_eq!(agreed.map_err(|error| error.code().as_str().to_owned()), expected, "{algorithm:?} {kind:?}");
        }
    }
}
