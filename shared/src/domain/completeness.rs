//! Whether anything is missing: of one account and UTC day, what exists at the vendor against what is proved to lie in the
//! bucket. The document it is told in is described in `docs/completeness.md`, whose example is the expectation of a test.

mod accounts;
mod document;
mod evidence;
mod progress;
mod slack;
mod strays;
mod unheard;

use std::collections::{BTreeMap, BTreeSet};

pub use accounts::{accounts_to_json, parse_accounts};
pub use document::SCHEMA;
pub use evidence::{Evidence, ManifestRead, day_of};
pub use progress::{Head, InvalidProgress, Pending, Progress};
pub use slack::{Backlog, Vendor};

use super::{
    call_log::Offers,
    day::{DAY_MS, Day},
    ids::{AccountId, InvalidId, RecordingId, TelephonySessionId},
    object_key::ObjectKey,
};

/// So long a day whose report says what is wrong is looked at every hour, milliseconds: who repairs it by then need not tell.
const WATCHED_MS: u64 = 35 * DAY_MS;

/// What the call log offers of a day's calls.
pub type Offered = BTreeMap<TelephonySessionId, Offers>;

/// A day's recordings by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Proved: the row says so, the manifest says so, and the bucket holds those bytes.
    pub archived: usize,
    /// Not ended, or ended so lately that the manifest is still to come.
    pub waiting: usize,
    /// Never became recordings: too short to be kept.
    pub too_short: usize,
    /// Never became recordings: the call log has never offered them.
    pub unavailable: usize,
    /// Gone from the vendor before they were archived.
    pub deleted: usize,
    /// Somebody told of them, they neither wait nor ended, and nothing proves them.
    pub missing: usize,
}

impl Counts {
    /// Recordings that exist or existed at the vendor, as far as anybody told.
    pub fn offered(&self) -> usize {
        self.archived + self.waiting + self.deleted + self.missing
    }

    /// Of what was offered and does not wait any more, the share that is archived; 1 where nothing is.
    pub fn share(&self) -> f64 {
        let decided = self.archived + self.deleted + self.missing;
        if decided == 0 { 1.0 } else { self.archived as f64 / decided as f64 }
    }

    /// Adds another day's.
    pub fn add(&mut self, other: &Self) {
        self.archived += other.archived;
        self.waiting += other.waiting;
        self.too_short += other.too_short;
        self.unavailable += other.unavailable;
        self.deleted += other.deleted;
        self.missing += other.missing;
    }
}

/// What can be wrong. Each defect is of exactly one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DefectClass {
    /// The call log, a manifest or an object of ours knows a recording that no row has heard of.
    MissingRow,
    /// Archived once, proved by a manifest, and nothing lies under its key; or a settled row's manifest is gone.
    MissingObject,
    /// What lies there has another length than what was archived.
    WrongSize,
    /// As long, but other bytes; or a settled row's manifest is not the one the row knows.
    ChangedBytes,
    /// A second object of a recording whose row or manifest names another: in the other format, or under another day.
    Duplicate,
    /// The row says archived, nothing lies under its key, and no manifest proves that anything ever did.
    EarlyArchived,
    /// An object that no row and no manifest knows, and that is none of ours by its metadata.
    StrayObject,
    /// A report that is not what the one after it says.
    BrokenChain,
}

impl DefectClass {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::MissingRow,
        Self::MissingObject,
        Self::WrongSize,
        Self::ChangedBytes,
        Self::Duplicate,
        Self::EarlyArchived,
        Self::StrayObject,
        Self::BrokenChain,
    ];

    /// The word in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingRow => "missing_row",
            Self::MissingObject => "missing_object",
            Self::WrongSize => "wrong_size",
            Self::ChangedBytes => "changed_bytes",
            Self::Duplicate => "duplicate",
            Self::EarlyArchived => "early_archived",
            Self::StrayObject => "stray_object",
            Self::BrokenChain => "broken_chain",
        }
    }

    /// Reads [`DefectClass::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// What a defect is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A recording.
    Recording {
        /// Which.
        recording: RecordingId,
        /// Of which call.
        session: TelephonySessionId,
    },
    /// What lies, or should lie, under a key.
    Object(ObjectKey),
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// In which way.
    pub class: DefectClass,
    /// With what.
    pub about: About,
}

/// A document as it lay in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Under which key.
    pub key: ObjectKey,
    /// As which version of it; none where the bucket keeps no versions.
    pub version: Option<String>,
    /// SHA-256 of its bytes, base64.
    pub sha256: String,
}

/// What was found out about one account and UTC day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayProof {
    /// Whose.
    pub account: AccountId,
    /// The day of the keys.
    pub day: Day,
    /// How many recordings, by what became of them.
    pub counts: Counts,
    /// Those that are missing.
    pub missing: BTreeSet<RecordingId>,
    /// What is wrong.
    pub defects: BTreeSet<Defect>,
    /// Calls with recordings that wait.
    pub waiting: BTreeSet<TelephonySessionId>,
    /// The manifests it rests on, in the order of keys.
    pub manifests: Vec<Link>,
}

impl DayProof {
    /// Whether nothing is left to wait for or to repair.
    pub fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.missing.is_empty() && self.defects.is_empty()
    }

    /// Whether the day must be looked at again by itself, where a report says so since `since_ms`, epoch milliseconds.
    pub fn stays_open(&self, since_ms: u64, now_ms: u64) -> bool {
        let watched = now_ms < since_ms.saturating_add(WATCHED_MS);
        !self.waiting.is_empty() || (watched && !self.is_settled())
    }

    /// Where its report lies.
    pub fn object_key(&self) -> ObjectKey {
        ObjectKey::report(&self.account, self.day)
    }
}

/// A proof that was issued, chained to the one issued before, of whatever day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it says.
    pub proof: DayProof,
    /// Its place in the chain, from 1.
    pub sequence: u64,
    /// When it was issued, epoch milliseconds.
    pub issued_ms: u64,
    /// The report before it; none for the first.
    pub previous: Option<Link>,
}

/// Why bytes are no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Not JSON, or fields that are missing or of other types than documented.
    #[error("the document is not a report")]
    Malformed,
    /// Another schema, or a major version we do not know.
    #[error("the document does not follow the schema {SCHEMA}")]
    OtherSchema,
    /// An id that is not one.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// A value the schema does not have, or one that contradicts another.
    #[error("the report's {0} is not what the schema says")]
    Field(&'static str),
}

impl Report {
    /// The document: fields in the order of the schema, lists in the order of ids, a newline at the end.
    pub fn to_json(&self) -> Vec<u8> {
        document::write(self)
    }

    /// Reads a document. Fields the schema does not have are passed over: it may grow.
    ///
    /// # Errors
    /// Says why the document may not be relied on.
    pub fn parse(json: &[u8]) -> Result<Self, ReportError> {
        document::read(json)
    }
}

#[cfg(test)]
mod tests;
