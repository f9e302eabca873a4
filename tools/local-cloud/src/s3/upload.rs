//! A body on its way into a file.

use std::path::{Path, PathBuf};
use std::{fs, io};

use axum::http::HeaderMap;
use futures_util::StreamExt;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};
use tokio::io::{AsyncWriteExt, BufWriter};

use super::checksums::{Algorithm, Digests, Hasher, Promise};

pub(super) const BUFFER_BYTES: usize = 256 * 1024;

/// A file that is gone again unless it is moved to its place.
pub(super) struct TemporaryFile(PathBuf);

impl TemporaryFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives the file its name, in one step; what had that name is replaced.
    pub(super) fn rename(self, to: &Path) -> io::Result<()> {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(&self.0, to)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // After a rename there is nothing of that name, which is as well.
        drop(fs::remove_file(&self.0));
    }
}

/// A whole body, verified.
pub(super) struct Upload {
    pub(super) file: TemporaryFile,
    pub(super) size_bytes: u64,
    pub(super) digests: Digests,
}

/// Streams `body` into `file` and verifies its length and checksums; the checksum `unless_promised` is computed if the
/// sender names none. The file goes with any error.
pub(super) async fn receive(
    body: Option<StreamingBlob>,
    headers: &HeaderMap,
    trailer: Option<&TrailingHeaders>,
    file: TemporaryFile,
    unless_promised: Algorithm,
) -> S3Result<Upload> {
    let expected_bytes = body_length(headers)?;
    let promise = Promise::of(headers);
    let mut hasher = Hasher::new(&promise, unless_promised);
    let size_bytes = write(body, &file.0, &mut hasher).await?;
    // A chunked body may end early without any sign but this.
    if size_bytes != expected_bytes {
        return Err(s3_error!(IncompleteBody, "{expected_bytes} bytes were promised, {size_bytes} came"));
    }
    let digests = hasher.finish();
    promise.verify(trailer.and_then(TrailingHeaders::take).as_ref(), &digests)?;
    Ok(Upload { file, size_bytes, digests })
}

/// Like S3, which shows an MD5 in lower-case hexadecimal.
pub(super) fn hex(md5: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(md5))
}

fn body_length(headers: &HeaderMap) -> S3Result<u64> {
    ["x-amz-decoded-content-length", "content-length"]
        .into_iter()
        .find_map(|name| headers.get(name)?.to_str().ok()?.parse().ok())
        .ok_or_else(|| s3_error!(MissingContentLength))
}

async fn write(body: Option<StreamingBlob>, path: &Path, hasher: &mut Hasher) -> S3Result<u64> {
    let file = tokio::fs::File::create(path).await.map_err(S3Error::internal_error)?;
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
    let mut size_bytes = 0;
    if let Some(mut body) = body {
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|cause| S3Error::with_source(S3ErrorCode::IncompleteBody, cause))?;
            hasher.update(&bytes);
            file.write_all(&bytes).await.map_err(S3Error::internal_error)?;
            size_bytes += bytes.len() as u64;
        }
    }
    file.flush().await.map_err(S3Error::internal_error)?;
    Ok(size_bytes)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;

    use super::*;
    use crate::ids;

    async fn receive_five_bytes(headers: &[(&'static str, &'static str)]) -> Result<u64, String> {
        let path = std::env::temp_dir().join(format!("local-cloud-upload-{}", ids::request_id()));
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let pieces = ["mu", "sic"].map(|piece| Ok::<_, io::Error>(Bytes::from(piece)));
        let body = StreamingBlob::wrap(stream::iter(pieces));
        let received = receive(Some(body), &headers, None, TemporaryFile::new(path.clone()), Algorithm::Sha1).await;
        let outcome = received.map(|upload| upload.size_bytes).map_err(|error| error.code().as_str().to_owned());
        assert!(!path.exists());
        outcome
    }

    #[tokio::test]
    async fn a_body_is_as_long_as_promised_or_is_refused() {
        let incomplete = Err("IncompleteBody".to_owned());
        let cases: [(&[_], _); 5] = [
            (&[("content-length", "5")], Ok(5)),
            (&[("content-length", "90"), ("x-amz-decoded-content-length", "5")], Ok(5)),
            (&[("x-amz-decoded-content-length", "6")], incomplete.clone()),
            (&[("content-length", "5"), ("x-amz-trailer", "x-amz-checksum-sha256")], incomplete),
            (&[], Err("MissingContentLength".to_owned())),
        ];
        for (headers, expected) in cases {
            assert_eq!(receive_five_bytes(headers).await, expected, "{headers:?}");
        }
    }
}
