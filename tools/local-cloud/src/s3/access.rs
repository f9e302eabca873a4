//! Who may do what in a bucket.

use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{Credentials, S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{S3Error, S3Result, s3_error};
use url::form_urlencoded;

use crate::iam::{Call, Denial, Iam};
use crate::{SECRET_ACCESS_KEY, arn};

/// The keys S3 knows, and what their roles may do.
#[derive(Clone)]
pub(super) struct Access {
    iam: Arc<Iam>,
}

impl Access {
    pub(super) fn new(iam: Arc<Iam>) -> Self {
        Self { iam }
    }

    /// What a reader is told who finds nothing: whoever may not list learns no more than that it is refused.
    pub(super) fn of_missing(&self, error: S3Error, reader: Option<&Credentials>, bucket: &str) -> S3Error {
        let action = match error.code().as_str() {
            "NoSuchKey" => "s3:ListBucket",
            "NoSuchVersion" => "s3:ListBucketVersions",
            _ => return error,
        };
        self.authorize(reader, action, arn::bucket(bucket)).err().unwrap_or(error)
    }

    fn authorize(&self, caller: Option<&Credentials>, action: &str, resource: String) -> S3Result<()> {
        let call = Call { action: action.to_owned(), resource, leading_keys: Vec::new() };
        let access_key_id = caller.map(|caller| caller.access_key.as_str());
        self.iam.authorize(access_key_id, vec![call]).map_err(|denial| match denial {
            Denial::UnknownKey => s3_error!(AccessDenied, "Access Denied"),
            Denial::Refused(message) => s3_error!(AccessDenied, "{message}"),
        })
    }
}

#[async_trait::async_trait]
impl S3Auth for Access {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if self.iam.knows(access_key) {
            Ok(SecretKey::from(SECRET_ACCESS_KEY))
        } else {
            Err(s3_error!(InvalidAccessKeyId, "The access key id you provided does not exist in our records."))
        }
    }
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let resource = match context.s3_path() {
            S3Path::Root => "*".to_owned(),
            S3Path::Bucket { bucket } => arn::bucket(bucket),
            S3Path::Object { bucket, key } => format!("{}/{key}", arn::bucket(bucket)),
        };
        let query = context.uri().query().unwrap_or_default();
        let of_version = form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "versionId");
        let action = action(context.s3_op().name(), of_version);
        self.authorize(context.credentials(), &action, resource)
    }
}

/// The action that allows an operation; they are not always called alike.
fn action(operation: &str, of_version: bool) -> String {
    let name = match operation {
        "HeadObject" | "GetObject" if of_version => "GetObjectVersion",
        "HeadObject" | "GetObject" => "GetObject",
        "DeleteObject" if of_version => "DeleteObjectVersion",
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => "PutObject",
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "ListParts" => "ListMultipartUploadParts",
        other => other,
    };
    format!("s3:{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_allowed_by_s3_s_own_actions() {
        for (operation, of_version, expected) in [
            ("HeadObject", false, "s3:GetObject"),
            ("HeadObject", true, "s3:GetObjectVersion"),
            ("GetObject", true, "s3:GetObjectVersion"),
            ("UploadPart", false, "s3:PutObject"),
            ("AbortMultipartUpload", false, "s3:AbortMultipartUpload"),
            ("ListObjectsV2", false, "s3:ListBucket"),
            ("ListMultipartUploads", false, "s3:ListBucketMultipartUploads"),
            ("DeleteObject", false, "s3:DeleteObject"),
            ("DeleteObject", true, "s3:DeleteObjectVersion"),
        ] {
            assert_eq!(action(operation, of_version), expected, "{operation}");
        }
    }
}
