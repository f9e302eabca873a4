//! Proves day by day that nothing is missing, and issues the reports that say so.

mod accounts;
mod chain;
mod day;
mod hour;
mod issue;
mod queue;

pub use hour::{Completeness, Hour, Turn};

use crate::{
    domain::completeness::InvalidProgress,
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
