//! What the writer says of an object beside its bytes.

use std::collections::BTreeMap;

use s3s::dto::{CreateMultipartUploadInput, PutObjectInput, StorageClass};
use s3s::{S3Result, s3_error};

/// What is kept of it.
#[derive(Debug, Clone)]
pub(super) struct Description {
    pub(super) content_type: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) storage_class: String,
}

impl Description {
    pub(super) fn of_put(input: &mut PutObjectInput) -> S3Result<Self> {
        refuse(&[
            ("an ACL", input.acl.is_some()),
            ("tags", input.tagging.is_some()),
            (
                "server-side encryption",
                input.server_side_encryption.is_some() || input.sse_customer_algorithm.is_some(),
            ),
            ("Object Lock", input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some()),
            ("a write offset", input.write_offset_bytes.is_some()),
        ])?;
        Ok(Self {
            content_type: input.content_type.take(),
            content_encoding: input.content_encoding.as_deref().and_then(without_chunking),
            metadata: input.metadata.take().into_iter().flatten().collect(),
            storage_class: class_name(input.storage_class.as_ref()),
        })
    }

    pub(super) fn of_upload(input: &mut CreateMultipartUploadInput) -> S3Result<Self> {
        refuse(&[
            ("an ACL", input.acl.is_some()),
            ("tags", input.tagging.is_some()),
            (
                "server-side encryption",
                input.server_side_encryption.is_some() || input.sse_customer_algorithm.is_some(),
            ),
            ("Object Lock", input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some()),
        ])?;
        Ok(Self {
            content_type: input.content_type.take(),
            content_encoding: input.content_encoding.as_deref().and_then(without_chunking),
            metadata: input.metadata.take().into_iter().flatten().collect(),
            storage_class: class_name(input.storage_class.as_ref()),
        })
    }
}

/// Refuses what would otherwise be dropped in silence.
pub(super) fn refuse(asked: &[(&str, bool)]) -> S3Result<()> {
    match asked.iter().find(|(_, is_asked)| *is_asked) {
        Some((what, _)) => Err(s3_error!(NotImplemented, "the local S3 does not keep {what}")),
        None => Ok(()),
    }
}

fn class_name(class: Option<&StorageClass>) -> String {
    class.map_or(StorageClass::STANDARD, StorageClass::as_str).to_owned()
}

/// `aws-chunked` says how the bytes travelled, not what they are.
fn without_chunking(encoding: &str) -> Option<String> {
    let kept: Vec<&str> =
        encoding.split(',').map(str::trim).filter(|coding| !coding.is_empty() && *coding != "aws-chunked").collect();
    (!kept.is_empty()).then(|| kept.join(","))
}
