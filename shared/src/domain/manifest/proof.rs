//! Whether the bucket still holds what a row or a manifest says.

use crate::domain::{checksum::Verified, session::ArchivedBytes};

/// What somebody found under an object's key: a listing tells size and entity tag, a HEAD the checksum too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Length in bytes.
    pub size_bytes: u64,
    /// The entity tag.
    pub etag: Option<String>,
    /// A checksum over the whole object: S3's own, or that of whoever has read the bytes.
    pub checksum: Option<Verified>,
}

/// Where an object is not the one that was archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disagreement {
    /// Nothing lies under its key.
    Missing,
    /// It has another length.
    Size,
    /// It has another checksum: these are other bytes.
    Checksum,
    /// Nothing says so, and nothing proves that it is: there is no checksum to compare, and its entity tag is not known
    /// or another one, as that of a copy may be. Its bytes must be asked for a checksum.
    Unproven,
}

impl ArchivedBytes {
    /// Compares an object with what was found under its key; nothing if it is what was archived. A checksum decides; where
    /// there is none to compare, size and entity tag do.
    pub fn disagreement(&self, found: Option<&Found>) -> Option<Disagreement> {
        let Some(found) = found else { return Some(Disagreement::Missing) };
        if found.size_bytes != self.size_bytes {
            return Some(Disagreement::Size);
        }
        let same_bytes = match &found.checksum {
            Some(Verified::Sha256(sha256)) => Some(*sha256 == self.sha256),
            Some(Verified::Crc64Nvme(crc64nvme)) => self.crc64nvme.as_ref().map(|ours| ours == crc64nvme),
            None => None,
        };
        let same_tag = found.etag.as_ref().is_some_and(|etag| !etag.is_empty() && *etag == self.etag);
        match same_bytes {
            Some(true) => None,
            Some(false) => Some(Disagreement::Checksum),
            None if same_tag => None,
            None => Some(Disagreement::Unproven),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{media::AudioFormat, session::Way};

    #[test]
    fn what_was_found_is_compared() {
        let sha256 = |text: &str| Some(Verified::Sha256(text.into()));
        let crc = |text: &str| Some(Verified::Crc64Nvme(text.into()));
        for (case, crc64nvme, size_bytes, etag, checksum, expected) in [
            ("a listing", None, 7, Some("\"e\""), None, None),
            ("a listing of a copy", None, 7, Some("\"f\""), None, Some(Disagreement::Unproven)),
            ("a length alone", None, 7, None, None, Some(Disagreement::Unproven)),
            ("another length", None, 8, Some("\"e\""), sha256("ours"), Some(Disagreement::Size)),
            ("the digest", None, 7, None, sha256("ours"), None),
            ("the digest of a copy", None, 7, Some("\"f\""), sha256("ours"), None),
            ("another digest", None, 7, Some("\"e\""), sha256("theirs"), Some(Disagreement::Checksum)),
            ("the CRC", Some("crc"), 7, None, crc("crc"), None),
            ("another CRC", Some("crc"), 7, Some("\"e\""), crc("x"), Some(Disagreement::Checksum)),
            ("a CRC we do not know", None, 7, None, crc("crc"), Some(Disagreement::Unproven)),
            ("a CRC we do not know beside the tag", None, 7, Some("\"e\""), crc("crc"), None),
            ("the digest where S3 had verified a CRC", Some("crc"), 7, None, sha256("ours"), None),
        ] {
            let archived = ArchivedBytes {
                sha256: "ours".into(),
                crc64nvme: crc64nvme.map(str::to_owned),
                etag: "\"e\"".into(),
                size_bytes: 7,
                format: AudioFormat::Mp3,
                duration_ms: None,
                way: Way::Direct,
            };
            let found = Found { size_bytes, etag: etag.map(str::to_owned), checksum };
            assert_eq!(archived.disagreement(Some(&found)), expected, "{case}");
            assert_eq!(archived.disagreement(None), Some(Disagreement::Missing));
            let untagged = ArchivedBytes { etag: String::new(), ..archived };
            let found = Found { etag: Some(String::new()), checksum: None, size_bytes: 7 };
            assert_eq!(untagged.disagreement(Some(&found)), Some(Disagreement::Unproven), "no tag equals no tag");
        }
    }
}
