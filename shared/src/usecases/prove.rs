//! Proves day by day that nothing is missing, and issues the reports that say so.

mod accounts;
mod chain;
mod day;
mod hour;
mod issue;
mod queue;

pub use hour::{Completeness, Hour, Turn};

use crate::{
    domain::{completeness::InvalidProgress, object_key::ObjectKey},
    failure::Class,
    ports::{archive_store::ArchiveError, session_store::StoreError},
};

/// Reads beside each other.
const ABREAST: usize = 20;

/// The world a prover works in.
#[derive(Debug, Clone, Copy)]
pub struct Prover<'a, S, A, K, C> {
    /// Session rows.
    pub sessions: &'a S,
    /// The bucket.
    pub archive: &'a A,
    /// How far the reports have come.
    pub cursors: &'a K,
    /// Time.
    pub clock: &'a C,
}

/// Why a day is not proved, or its report not issued. What was done stands, and another run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The table's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket's.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A person must look.
    #[error(transparent)]
    Progress(#[from] InvalidProgress),
    /// Somebody else is issuing reports of the same account.
    #[error("another run issues reports of this account")]
    Contended,
}

impl ProveError {
    /// What this means for the caller.
    pub fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Archive(error) => error.class(),
            Self::Progress(_) => Class::Permanent,
            Self::Contended => Class::Transient { retry_after: None },
        }
    }
}

/// What the bucket says of one key.
enum Answer<T> {
    Says(T),
    /// Rights, a key of others, or a storage class: it will not say.
    Refused,
}

/// A refusal concerns one key alone: a bucket that may not be used at all has refused the listing. Others end the run.
fn of_one<T>(key: &ObjectKey, answer: Result<T, ArchiveError>) -> Result<Answer<T>, ArchiveError> {
    match answer {
        Ok(says) => Ok(Answer::Says(says)),
        Err(ArchiveError::Rejected(error)) => {
            // Others choose the names of strays: a log must not have them.
            tracing::warn!(object.day = ?key.day(), error, "an object cannot be looked at: nothing is proved of it");
            Ok(Answer::Refused)
        }
        Err(error @ (ArchiveError::Unavailable(_) | ArchiveError::Indeterminate(_))) => Err(error),
    }
}

#[cfg(test)]
mod tests;
