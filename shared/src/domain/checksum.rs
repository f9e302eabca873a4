//! What tells that bytes are the same: digests over all of them, as they pass.

use base64::{Engine, prelude::BASE64_STANDARD};
use crc_fast::{CrcAlgorithm, Digest as Crc};
use sha2::{Digest, Sha256};

/// A checksum over the whole of an object that S3 itself computed when the bytes came, base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// Of objects that came in one piece.
    Sha256(String),
    /// Of objects that came in parts: S3 has no SHA-256 over the whole of those.
    Crc64Nvme(String),
}

/// Digests bytes in the order they pass.
#[derive(Debug, Clone)]
pub struct Digests {
    size_bytes: u64,
    sha256: Sha256,
    crc64nvme: Crc,
}

/// What bytes come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// How many there are.
    pub size_bytes: u64,
    /// Their SHA-256, base64.
    pub sha256: String,
    /// Their CRC-64/NVME, base64.
    pub crc64nvme: String,
}

impl Default for Digests {
    fn default() -> Self {
        Self { size_bytes: 0, sha256: Sha256::default(), crc64nvme: Crc::new(CrcAlgorithm::Crc64Nvme) }
    }
}

impl Digests {
    /// Adds the bytes that come next.
    pub fn add(&mut self, bytes: &[u8]) {
        self.size_bytes += bytes.len() as u64;
        self.sha256.update(bytes);
        self.crc64nvme.update(bytes);
    }

    /// What all bytes so far come to.
    pub fn finish(self) -> Fingerprint {
        Fingerprint {
            size_bytes: self.size_bytes,
            sha256: BASE64_STANDARD.encode(self.sha256.finalize()),
            crc64nvme: BASE64_STANDARD.encode(self.crc64nvme.finalize().to_be_bytes()),
        }
    }
}

impl Fingerprint {
    /// Whether S3 computed the same.
    pub fn is(&self, verified: &Verified) -> bool {
        match verified {
            Verified::Sha256(theirs) => *theirs == self.sha256,
            Verified::Crc64Nvme(theirs) => *theirs == self.crc64nvme,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_check_values_are_met() {
        let mut digests = Digests::default();
        digests.add(b"1234");
        digests.add(b"56789");
        let fingerprint = digests.finish();
        assert_eq!(fingerprint.size_bytes, 9);
        assert_eq!(fingerprint.sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
        assert_eq!(fingerprint.crc64nvme, BASE64_STANDARD.encode(0xae8b_1486_0a79_9888_u64.to_be_bytes()));
        assert!(fingerprint.is(&Verified::Sha256(fingerprint.sha256.clone())));
        assert!(fingerprint.is(&Verified::Crc64Nvme(fingerprint.crc64nvme.clone())));
        assert!(!fingerprint.is(&Verified::Sha256(fingerprint.crc64nvme.clone())));
    }
}
