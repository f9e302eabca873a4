//! RingCentral, as the archiver sees it: bytes of a recording by two ways, and the call log.

use std::{collections::BTreeSet, pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::Stream;

use crate::domain::{
    call_log::{CallLogAnswer, CallLogPage},
    ids::{PartyId, RecordingId, SessionId, TelephonySessionId},
};

/// The bytes of a recording, as they come.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Interrupted>> + Send>>;

/// The source stopped in the middle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the source broke off: {0}")]
pub struct Interrupted(pub String);

/// Where the bytes of a recording are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// The media URL built from the recording's id (API.md §8).
    Direct(&'a RecordingId),
    /// The address the call log gave. It is untrusted: it is refused unless its origin is allowed.
    Listed(&'a str),
}

/// The part of a body that is still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Position of its first byte, counted from 0.
    pub from: u64,
    /// [`Incoming::version`] of the body that has begun.
    pub version: Option<String>,
}

/// A body that has begun to arrive with a successful status.
pub struct Incoming {
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// Length of the whole recording in bytes, where the server declared it.
    pub length: Option<u64>,
    /// Position after the last byte of `body`, if that is a part of the recording.
    pub part_end: Option<u64>,
    /// What tells this version of the recording from another (an entity tag, strong or weak), where the server says.
    pub version: Option<String>,
    /// The bytes, from the one that was asked for.
    pub body: ByteStream,
}

/// Which call to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUp {
    /// The key of a call.
    pub session: TelephonySessionId,
    /// The legacy id, asked for if the first finds nothing.
    pub session_id: Option<SessionId>,
    /// Start of the window, epoch milliseconds: without it the log shows a day only (API.md §0.11).
    pub from_ms: u64,
}

/// Which calls a page of the call log is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Those with a recording that was kept.
    Recorded,
    /// All of them. Only these tell of recordings too short to be kept, and of such as are gone.
    All,
}

/// Whose call log is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The company's, and no other: an extension's says nothing of the others' calls.
    Company,
    /// The company's, or the user's own extension's where the company's is forbidden.
    CompanyOrExtension,
}

/// A page of the call log: the calls that began in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Start of the window, epoch milliseconds.
    pub from_ms: u64,
    /// End of the window, epoch milliseconds.
    pub to_ms: u64,
    /// Which page, from 1; the newest calls come first.
    pub page: u32,
    /// Which calls.
    pub calls: Calls,
    /// Whose.
    pub whose: Whose,
}

/// What the vendor says of a call that may still run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveCall {
    /// It runs.
    Running {
        /// Parties that have left it.
        ended: BTreeSet<PartyId>,
    },
    /// The vendor knows no such call any more.
    Over,
}

/// Recordings and the call log. Every request needs a permit of the vendor's limit, which all functions share; each call
/// says until when, epoch milliseconds, it may wait for one.
pub trait RecordingSource {
    /// Asks for the bytes of a recording: for all of them, or for the `rest` of a body that broke off. Even who asks for
    /// all may get a part (API.md §8).
    ///
    /// # Errors
    /// Any answer but a success; [`SourceError::ForeignOrigin`] if it was not asked at all; [`SourceError::Malformed`] if
    /// other bytes came than were asked for.
    async fn fetch(&self, place: Place<'_>, rest: Option<&Rest>, wait_until_ms: u64) -> Result<Incoming, SourceError>;

    /// Asks the call log about one call: by telephony session id, then by session id; of the company, then of the
    /// extension where the company's is forbidden. A success without records is an answer.
    ///
    /// # Errors
    /// Any answer but a success.
    async fn look_up(&self, look_up: &LookUp, wait_until_ms: u64) -> Result<CallLogAnswer, SourceError>;

    /// Asks the call log about the calls of a window at once.
    ///
    /// # Errors
    /// Any answer but a success.
    async fn page(&self, window: &Window, wait_until_ms: u64) -> Result<CallLogPage, SourceError>;

    /// Asks whether a call still runs. It costs no permit of the group that recordings are in (API.md §6).
    ///
    /// # Errors
    /// Any answer but a success, or that there is no such call.
    async fn live(&self, session: &TelephonySessionId, wait_until_ms: u64) -> Result<LiveCall, SourceError>;

    /// How many requests for recordings could be sent now. Others may be faster.
    async fn free(&self) -> usize;

    /// How long one recording takes at the vendor's limit, milliseconds, as far as is known.
    fn pace_ms(&self) -> u64;

    /// Gives back what was reserved and not used, and says of the rest when it was answered. For the end of a run; what
    /// it cannot say counts against the limit somewhat longer than it must.
    async fn settle(&self);
}

/// Why RingCentral gave no answer to work with.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nothing else may be asked either: the run ends, and no attempt is counted.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// Any other status that is no success, with the inner error code where the body has one.
    #[error("the vendor answered {status} {}", code.as_deref().unwrap_or("without a code"))]
    Status {
        /// HTTP status.
        status: u16,
        /// Inner error code (API.md §4), checked to be one.
        code: Option<String>,
    },
    /// A success whose body is not what the API documents.
    #[error("cannot read the vendor's answer: {0}")]
    Malformed(&'static str),
    /// The connection failed before there was an answer.
    #[error("could not reach the vendor: {0}")]
    Unreachable(String),
    /// The address names a host no token may go to.
    #[error("cannot send a token to the host the call log names")]
    ForeignOrigin,
}

/// Why nothing may be asked of RingCentral now.
#[derive(Debug, thiserror::Error)]
pub enum Closed {
    /// Its limit is reached, or it said so with a 429: nothing may be sent for this long (API.md §3).
    #[error("the vendor's limit is reached for {} s", retry_after.as_secs())]
    Throttled {
        /// How long to send nothing.
        retry_after: Duration,
    },
    /// There is no token to ask with.
    #[error("could not get a token: {0}")]
    Credentials(#[from] CredentialsError),
    /// The application lacks a permission: a person must grant it (API.md §4, CMN-401).
    #[error("the application lacks the permission to read recordings")]
    Forbidden,
    /// The ledger of permits cannot be reached.
    #[error("could not get a permit: {0}")]
    NoLedger(String),
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The vendor refuses the client or the JWT: asking again cannot help (API.md §2).
    #[error("the vendor refuses the credentials ({code})")]
    Refused {
        /// The vendor's code.
        code: String,
    },
    /// A token fresh from the vendor was refused by it.
    #[error("the vendor does not accept its own token")]
    NotAccepted,
    /// The token endpoint, the table or the secret could not be reached.
    #[error("could not mint a token: {0}")]
    Unavailable(String),
}
