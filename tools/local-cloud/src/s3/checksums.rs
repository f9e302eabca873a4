//! Checksums: which were promised, and whether the bytes keep the promise.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::{S3Result, s3_error};

/// An algorithm S3 knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// What S3 computes if nothing was promised.
pub(super) const DEFAULT: Algorithm = Algorithm::Crc64Nvme;

/// The base64 value of each algorithm.
pub(super) type Checksums = BTreeMap<Algorithm, String>;

impl Algorithm {
    const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// As S3 writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    fn header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        })
    }
}

/// What the sender says of the bytes.
#[derive(Debug, Default)]
pub(super) struct Promise {
    md5: Option<String>,
    checksums: Checksums,
    /// To come after the body.
    announced: BTreeSet<Algorithm>,
}

impl Promise {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let trailer = headers.get("x-amz-trailer").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_announced =
            |header: &HeaderName| trailer.split(',').any(|name| name.trim().eq_ignore_ascii_case(header.as_str()));
        Self {
            md5: text(headers, &HeaderName::from_static("content-md5")),
            checksums: read(headers),
            announced: Algorithm::ALL.into_iter().filter(|algorithm| is_announced(&algorithm.header())).collect(),
        }
    }

    pub(super) fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.checksums.keys().chain(&self.announced).copied()
    }

    /// Holds the promise, and what came after the body, against what the bytes gave.
    pub(super) fn verify(mut self, trailer: Option<&HeaderMap>, digests: &Digests) -> S3Result<()> {
        let sent = trailer.map(read).unwrap_or_default();
        for algorithm in &self.announced {
            let Some(value) = sent.get(algorithm) else {
                return Err(s3_error!(IncompleteBody, "the announced trailer {} did not come", algorithm.header()));
            };
            self.checksums.insert(*algorithm, value.clone());
        }
        for (algorithm, promised) in &self.checksums {
            if digests.checksums.get(algorithm) != Some(promised) {
                return Err(s3_error!(BadDigest, "{} does not match the body", algorithm.header()));
            }
        }
        match &self.md5 {
            Some(promised) if *promised != STANDARD.encode(digests.md5) => {
                Err(s3_error!(BadDigest, "content-md5 does not match the body"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The checksums among the headers.
pub(super) fn read(headers: &HeaderMap) -> Checksums {
    Algorithm::ALL.into_iter().filter_map(|algorithm| Some((algorithm, text(headers, &algorithm.header())?))).collect()
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(|value| value.trim().to_owned())
}

/// Computes the checksums of `algorithms`.
pub(super) fn hasher(algorithms: impl IntoIterator<Item = Algorithm>) -> ChecksumHasher {
    let mut checksums = ChecksumHasher::default();
    for algorithm in algorithms {
        match algorithm {
            Algorithm::Crc32 => checksums.crc32 = Some(Crc32::new()),
            Algorithm::Crc32c => checksums.crc32c = Some(Crc32c::new()),
            Algorithm::Crc64Nvme => checksums.crc64nvme = Some(Crc64Nvme::new()),
            Algorithm::Sha1 => checksums.sha1 = Some(Sha1::new()),
            Algorithm::Sha256 => checksums.sha256 = Some(Sha256::new()),
        }
    }
    checksums
}

/// What a [`hasher`] gave.
pub(super) fn values(hasher: ChecksumHasher) -> Checksums {
    let computed = hasher.finalize();
    let checksums = [
        (Algorithm::Crc32, computed.checksum_crc32),
        (Algorithm::Crc32c, computed.checksum_crc32c),
        (Algorithm::Crc64Nvme, computed.checksum_crc64nvme),
        (Algorithm::Sha1, computed.checksum_sha1),
        (Algorithm::Sha256, computed.checksum_sha256),
    ];
    checksums.into_iter().filter_map(|(algorithm, value)| Some((algorithm, value?))).collect()
}

/// Hashes bytes as they pass.
pub(super) struct Hasher {
    md5: Md5,
    checksums: ChecksumHasher,
}

/// What the bytes gave.
pub(super) struct Digests {
    pub(super) md5: [u8; 16],
    pub(super) checksums: Checksums,
}

impl Hasher {
    /// Of what was promised, or `unless_promised`.
    pub(super) fn new(promise: &Promise, unless_promised: Algorithm) -> Self {
        let mut algorithms: BTreeSet<_> = promise.algorithms().collect();
        if algorithms.is_empty() {
            algorithms.insert(unless_promised);
        }
        Self { md5: Md5::new(), checksums: hasher(algorithms) }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.checksums.update(bytes);
    }

    pub(super) fn finish(self) -> Digests {
        Digests { md5: self.md5.finalize(), checksums: values(self.checksums) }
    }
}
