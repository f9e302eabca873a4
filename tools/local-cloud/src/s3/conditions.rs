//! `If-Match` and `If-None-Match`.

use s3s::dto::{ETag, ETagCondition};
use s3s::{S3Result, s3_error};

/// The conditions of a request.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

impl Conditions {
    /// For a write over what is there, if anything.
    pub(super) fn allow_write(&self, there: Option<&ETag>) -> S3Result<()> {
        match (&self.if_match, there) {
            (Some(_), None) => return Err(s3_error!(NoSuchKey)),
            (Some(condition), Some(there)) if !is_met(condition, there) => {
                return Err(s3_error!(PreconditionFailed));
            }
            (Some(_) | None, _) => {}
        }
        match (&self.if_none_match, there) {
            (Some(condition), Some(there)) if is_met(condition, there) => Err(s3_error!(PreconditionFailed)),
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// For a read of what is there.
    pub(super) fn allow_read(&self, there: &ETag) -> S3Result<()> {
        if self.if_match.as_ref().is_some_and(|condition| !is_met(condition, there)) {
            return Err(s3_error!(PreconditionFailed));
        }
        if self.if_none_match.as_ref().is_some_and(|condition| is_met(condition, there)) {
            return Err(s3_error!(NotModified));
        }
        Ok(())
    }
}

fn is_met(condition: &ETagCondition, there: &ETag) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.weak_cmp(there),
    }
}
