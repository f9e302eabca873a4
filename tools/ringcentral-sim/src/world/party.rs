//! The sides of a call (API.md §6).

/// One side of a call (API.md §6).
#[derive(Clone, Debug)]
pub struct Party {
    /// Party id, such as `p-…-2`.
    pub id: String,
    /// The extension of a party inside the account; an external party has none.
    pub extension_id: Option<String>,
    /// Direction as this party sees it.
    pub direction: Direction,
    /// Who called.
    pub from: Endpoint,
    /// Who was called.
    pub to: Endpoint,
    /// The last state told.
    pub status: PartyStatus,
    /// `sequence` of the event that told `status`; older events do not change it.
    pub sequence: u64,
    /// When the party joined, in epoch milliseconds.
    pub started_at_ms: u64,
    /// When the party ended, in epoch milliseconds; `None` while it is in the call.
    pub ended_at_ms: Option<u64>,
}

/// `from` or `to` of a party (API.md §6).
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    /// Telephone number or short number.
    pub phone_number: Option<String>,
    /// Display name.
    pub name: Option<String>,
}

/// Direction of a party (API.md §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The party was called.
    Inbound,
    /// The party called.
    Outbound,
}

/// `status.code` of a party (API.md §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the vendor's; API.md §6 says what each means")]
pub enum PartyStatus {
    Setup,
    Proceeding,
    Answered,
    Disconnected,
    Gone,
    Parked,
    Hold,
    VoiceMail,
    FaxReceive,
    Tds,
    VoiceMailScreening,
}

impl Direction {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Inbound => "Inbound",
            Self::Outbound => "Outbound",
        }
    }
}

impl PartyStatus {
    const ALL: [Self; 11] = [
        Self::Setup,
        Self::Proceeding,
        Self::Answered,
        Self::Disconnected,
        Self::Gone,
        Self::Parked,
        Self::Hold,
        Self::VoiceMail,
        Self::FaxReceive,
        Self::Tds,
        Self::VoiceMailScreening,
    ];

    /// Reads a code, whatever its case.
    pub(crate) fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(code))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Setup => "Setup",
            Self::Proceeding => "Proceeding",
            Self::Answered => "Answered",
            Self::Disconnected => "Disconnected",
            Self::Gone => "Gone",
            Self::Parked => "Parked",
            Self::Hold => "Hold",
            Self::VoiceMail => "VoiceMail",
            Self::FaxReceive => "FaxReceive",
            Self::Tds => "Tds",
            Self::VoiceMailScreening => "VoiceMailScreening",
        }
    }

    /// Whether a party in this state will not speak again in this session (API.md §6).
    pub(crate) fn is_end(self) -> bool {
        match self {
            Self::Disconnected | Self::Gone | Self::VoiceMail => true,
            Self::Setup
            | Self::Proceeding
            | Self::Answered
            | Self::Parked
            | Self::Hold
            | Self::FaxReceive
            | Self::Tds
            | Self::VoiceMailScreening => false,
        }
    }
}
