//! Documents of the bucket, read whole.

use futures_util::StreamExt;

use crate::{
    domain::checksum::Digests,
    ports::{archive_store::ArchiveError, recording_source::ByteStream},
};

/// A manifest of a call with as many recordings as an event may have is a tenth of this.
pub(super) const MAX_MANIFEST_BYTES: usize = 1024 * 1024;

/// All bytes of a body; none if there are more than `most`.
pub(super) async fn whole(mut body: ByteStream, most: usize) -> Result<Option<Vec<u8>>, ArchiveError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|interrupted| ArchiveError::Unavailable(interrupted.to_string()))?;
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            return Ok(None);
        }
    }
    Ok(Some(bytes))
}

/// SHA-256, base64.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut digests = Digests::default();
    digests.add(bytes);
    digests.finish().sha256
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::{FutureExt, stream};

    use super::*;
    use crate::ports::recording_source::Interrupted;

    fn read(pieces: Vec<Result<Bytes, Interrupted>>, most: usize) -> Result<Option<Vec<u8>>, ArchiveError> {
        whole(Box::pin(stream::iter(pieces)), most).now_or_never().unwrap()
    }

    #[test]
    fn a_document_is_read_whole_or_not_at_all() {
        let pieces = || vec![Ok(Bytes::from_static(b"one, ")), Ok(Bytes::from_static(b"two"))];
        assert_eq!(read(pieces(), 8).unwrap().as_deref(), Some(&b"one, two"[..]));
        assert_eq!(read(pieces(), 7).unwrap(), None, "it is larger than a document can be");
        let cut = vec![Ok(Bytes::from_static(b"one, ")), Err(Interrupted("reset".into()))];
        assert!(matches!(read(cut, 8), Err(ArchiveError::Unavailable(_))));
    }
}
