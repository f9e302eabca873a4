//! What is measured in operation. The table all else is held against: what the functions emit, the alarms and the dashboard of
//! the template, and the runbook.

/// A metric in CloudWatch, below [`NAMESPACE`](super::NAMESPACE) and the one dimension [`DIMENSION`](super::DIMENSION).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// The archiver runs.
    ArchiverHeartbeat,
    /// The reconciler runs.
    ReconcilerHeartbeat,
    /// What the archiver achieves.
    RecordingsArchived,
    /// What it has before it.
    Backlog,
    /// What time it has left.
    Slack,
    /// Whether anything was lost.
    Completeness,
    /// Whether anything is wrong with what was not.
    Defects,
    /// Since when nobody knows.
    ProofAge,
    /// What events failed to tell.
    RecordingsUnheard,
    /// Whether events can come.
    SubscriptionUnhealthy,
    /// Whether RingCentral lets us in.
    AccessRefused,
    /// What a person must see to.
    Blocked,
    /// Who else knocks.
    DeliveriesForged,
    /// What RingCentral says that we do not know.
    DeliveriesNotUnderstood,
    /// What we failed to write down.
    DeliveriesNotRecorded,
}

/// Of what a metric is a number, in CloudWatch's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Hundredths.
    Percent,
}

impl Unit {
    /// CloudWatch's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Seconds => "Seconds",
            Self::Percent => "Percent",
        }
    }
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::ArchiverHeartbeat,
        Self::ReconcilerHeartbeat,
        Self::RecordingsArchived,
        Self::Backlog,
        Self::Slack,
        Self::Completeness,
        Self::Defects,
        Self::ProofAge,
        Self::RecordingsUnheard,
        Self::SubscriptionUnhealthy,
        Self::AccessRefused,
        Self::Blocked,
        Self::DeliveriesForged,
        Self::DeliveriesNotUnderstood,
        Self::DeliveriesNotRecorded,
    ];

    /// Its name in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            Self::ArchiverHeartbeat => "ArchiverHeartbeat",
            Self::ReconcilerHeartbeat => "ReconcilerHeartbeat",
            Self::RecordingsArchived => "RecordingsArchived",
            Self::Backlog => "Backlog",
            Self::Slack => "Slack",
            Self::Completeness => "Completeness",
            Self::Defects => "Defects",
            Self::ProofAge => "ProofAge",
            Self::RecordingsUnheard => "RecordingsUnheard",
            Self::SubscriptionUnhealthy => "SubscriptionUnhealthy",
            Self::AccessRefused => "AccessRefused",
            Self::Blocked => "Blocked",
            Self::DeliveriesForged => "DeliveriesForged",
            Self::DeliveriesNotUnderstood => "DeliveriesNotUnderstood",
            Self::DeliveriesNotRecorded => "DeliveriesNotRecorded",
        }
    }

    /// What it is a number of.
    pub fn unit(self) -> Unit {
        match self {
            Self::Slack | Self::ProofAge => Unit::Seconds,
            Self::Completeness => Unit::Percent,
            Self::ArchiverHeartbeat
            | Self::ReconcilerHeartbeat
            | Self::RecordingsArchived
            | Self::Backlog
            | Self::Defects
            | Self::RecordingsUnheard
            | Self::SubscriptionUnhealthy
            | Self::AccessRefused
            | Self::Blocked
            | Self::DeliveriesForged
            | Self::DeliveriesNotUnderstood
            | Self::DeliveriesNotRecorded => Unit::Count,
        }
    }

    /// What it says, for an operator. The runbook has the same sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::ArchiverHeartbeat => "1 for each run of the archiver that came to its end",
            Self::ReconcilerHeartbeat => "1 for each run of the reconciler that came to its end",
            Self::RecordingsArchived => "recordings that a run has archived, or found archived",
            Self::Backlog => "calls that were due when a run of the archiver began",
            Self::Slack => {
                "the time left until RingCentral deletes a recording that is not archived, less the time it takes to fetch all \
                 that is due before it"
            }
            Self::Completeness => {
                "of the recordings of closed days that do not wait any more, the share that is proved to lie in the bucket"
            }
            Self::Defects => {
                "what the last proof found to be wrong with the archive, by the classes of docs/completeness.md"
            }
            Self::ProofAge => {
                "the time since closed days were last proved complete, or found not to be; before the first proof, since the \
                 reconciler's first run"
            }
            Self::RecordingsUnheard => "recordings that the call log knew of and no event had told of",
            Self::SubscriptionUnhealthy => {
                "1 for each run that left the subscription in a state that a person must look at"
            }
            Self::AccessRefused => {
                "1 for each run that RingCentral refused: the credentials are not accepted, or the app lacks a permission"
            }
            Self::Blocked => {
                "recordings and calls that no further attempt can help: the call log names a host that is not allowed, something \
                 else lies under the key, the user may not have the recording, or the row cannot be read"
            }
            Self::DeliveriesForged => "requests to the webhook that did not carry the verification token",
            Self::DeliveriesNotUnderstood => "authentic events that the webhook could make nothing of",
            Self::DeliveriesNotRecorded => {
                "events that were answered with 503, for the table or the secret was out of reach"
            }
        }
    }
}
