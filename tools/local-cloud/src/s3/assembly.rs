//! Parts made one file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::ETag;
use s3s::{S3Error, S3Result};

use super::agreed::{Agreed, Kind};
use super::checksums::{self, Checksums};
use super::description::Description;
use super::store::Draft;
use super::upload::{BUFFER_BYTES, TemporaryFile, hex};
use super::uploads::Part;

/// Copies `parts` into `file` one after the other. The file goes with any error.
pub(super) async fn assemble(
    parts: Vec<Arc<Part>>,
    file: TemporaryFile,
    agreed: Agreed,
    description: Description,
) -> S3Result<Draft> {
    let size_bytes = parts.iter().map(|part| part.size_bytes).sum();
    let etag = etag(&parts);
    let copying = tokio::task::spawn_blocking(move || {
        let of_whole = copy(&parts, &file, agreed)?;
        let checksums = match agreed.kind {
            Kind::FullObject => of_whole,
            Kind::Composite => composite(&parts, agreed)?,
        };
        io::Result::Ok((file, checksums))
    });
    let copied = copying.await.map_err(S3Error::internal_error)?;
    let (file, checksums) = copied.map_err(S3Error::internal_error)?;
    Ok(Draft { file, size_bytes, etag, checksums, kind: agreed.kind, description })
}

fn copy(parts: &[Arc<Part>], file: &TemporaryFile, agreed: Agreed) -> io::Result<Checksums> {
    let mut hasher = checksums::hasher((agreed.kind == Kind::FullObject).then_some(agreed.algorithm));
    let mut whole = File::create(file.path())?;
    let mut buffer = vec![0; BUFFER_BYTES];
    for part in parts {
        let mut part = File::open(part.file.path())?;
        loop {
            let length = part.read(&mut buffer)?;
            let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            hasher.update(bytes);
            whole.write_all(bytes)?;
        }
    }
    Ok(checksums::values(hasher))
}

fn composite(parts: &[Arc<Part>], agreed: Agreed) -> io::Result<Checksums> {
    let mut hasher = checksums::hasher([agreed.algorithm]);
    for value in parts.iter().filter_map(|part| part.checksums.get(&agreed.algorithm)) {
        hasher.update(&STANDARD.decode(value).map_err(io::Error::other)?);
    }
    let values = checksums::values(hasher);
    Ok(values.into_iter().map(|(algorithm, value)| (algorithm, format!("{value}-{}", parts.len()))).collect())
}

fn etag(parts: &[Arc<Part>]) -> ETag {
    let md5s: Vec<u8> = parts.iter().flat_map(|part| part.md5).collect();
    ETag::Strong(format!("{}-{}", hex(Md5::checksum(&md5s)), parts.len()))
}
