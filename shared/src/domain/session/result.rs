//! What became of a recording.

use crate::domain::{call_log::Listed, media::AudioFormat, object_key::ObjectKey};

/// What became of one recording so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordingResult {
    /// Where it stands.
    pub state: RecordingState,
    /// Why it stands there, and on which answer that rests.
    pub reason: Option<String>,
    /// Where the call log says the bytes are.
    pub content_uri: Option<String>,
    /// Since when the call log has been answering without it, epoch milliseconds.
    pub silent_since_ms: Option<u64>,
    /// Where the object lies, written before the upload begins.
    pub key: Option<ObjectKey>,
    /// The archived bytes.
    pub archived: Option<ArchivedBytes>,
    /// What else the call log says of it.
    pub listed: Option<Listed>,
    /// When it was last tried, epoch milliseconds; zero if never.
    pub at_ms: u64,
}

/// Proof of an archived object.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchivedBytes {
    /// SHA-256 of the object, base64.
    pub sha256: String,
    /// CRC-64/NVME of the object, base64, where that is what S3 verified: it came without a declared length.
    pub crc64nvme: Option<String>,
    /// The entity tag S3 gave it.
    pub etag: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// MP3 or WAV.
    pub format: AudioFormat,
    /// How long the audio plays, milliseconds, where its bytes tell.
    pub duration_ms: Option<u64>,
    /// Which way the bytes came.
    pub way: Way,
}

/// How long the audio plays, compared with the leg of the call that the call log says it is of. Who begins to record in
/// the middle of a call has a shorter recording; a longer one, or a shorter one of an automatic recording, is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DurationCheck {
    /// As long, give or take [`DURATION_SLACK_MS`] or a twentieth.
    Agrees,
    /// Shorter.
    Shorter,
    /// Longer.
    Longer,
}

/// The call log counts in whole seconds, and a recording begins a little after its leg.
const DURATION_SLACK_MS: u64 = 5_000;

/// The two ways of the hybrid strategy, and a third for bytes an earlier run had stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The media URL built from the recording id.
    Direct,
    /// The call log's `contentUri`.
    CallLog,
    /// Found in the bucket, proven to be ours.
    Adopted,
}

/// Where a recording stands. `archived` is never left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RecordingState {
    /// Not ended yet.
    #[default]
    Waiting,
    /// In the bucket, confirmed by S3.
    Archived,
    /// RingCentral keeps no recording this short (API.md §0.9).
    TooShort,
    /// The call log has long been answering without it, and the vendor says that it has no such bytes, or keeps none so long.
    Unavailable,
    /// The call log offered it once and does not any more: the vendor no longer has it (API.md §8).
    Deleted,
}

/// What the call log has listed and no longer lists may come back while the log is being rewritten (API.md §7): only
/// silence that lasts as long, milliseconds, means that the vendor has deleted it.
const DELETED_AFTER_MS: u64 = 3_600_000;

/// An answer of the company's whole call log that does not offer a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// When it came, epoch milliseconds.
    pub at_ms: u64,
    /// How many records it has of the call.
    pub records: usize,
    /// Whether the log has offered the recording before.
    pub was_offered: bool,
    /// How long the log must be silent on what it never offered, milliseconds.
    pub unlisted_after_ms: u64,
}

impl Silence {
    /// It in words, for the result's reason.
    pub fn reason(&self) -> String {
        let any_more = if self.was_offered { " any more" } else { "" };
        format!("call log: not offered{any_more} ({} records)", self.records)
    }
}

impl RecordingResult {
    /// Hears silence: the address is taken back. Answers how the recording ends, if the first such answer was long enough
    /// ago: whether it does, who asked for its bytes must say. State and reason are the caller's to write.
    pub fn hear(&mut self, silence: Silence) -> RecordingState {
        self.content_uri = None;
        let since_ms = *self.silent_since_ms.get_or_insert(silence.at_ms);
        let still_listed = silence.was_offered && silence.records > 0;
        let after_ms =
            if still_listed { silence.unlisted_after_ms.min(DELETED_AFTER_MS) } else { silence.unlisted_after_ms };
        match (silence.at_ms.saturating_sub(since_ms) >= after_ms, silence.was_offered) {
            (false, _) => RecordingState::Waiting,
            (true, true) => RecordingState::Deleted,
            (true, false) => RecordingState::Unavailable,
        }
    }

    /// Compares the durations, where both are known.
    pub fn duration_check(&self) -> Option<DurationCheck> {
        let plays_ms = self.archived.as_ref()?.duration_ms?;
        let leg_ms = self.listed.as_ref()?.duration_s?.saturating_mul(1_000);
        let slack_ms = DURATION_SLACK_MS.max(leg_ms / 20);
        Some(match plays_ms {
            _ if plays_ms.abs_diff(leg_ms) <= slack_ms => DurationCheck::Agrees,
            _ if plays_ms < leg_ms => DurationCheck::Shorter,
            _ => DurationCheck::Longer,
        })
    }

    /// Whether the durations differ in a way that the vendor's ways of recording do not explain.
    pub fn duration_is_odd(&self) -> bool {
        let automatic = || self.listed.as_ref().and_then(|listed| listed.kind.as_deref()) == Some("Automatic");
        match self.duration_check() {
            Some(DurationCheck::Longer) => true,
            Some(DurationCheck::Shorter) => automatic(),
            Some(DurationCheck::Agrees) | None => false,
        }
    }
}

impl DurationCheck {
    /// The word in the manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Shorter => "shorter",
            Self::Longer => "longer",
        }
    }
}

impl RecordingState {
    /// Whether nothing is left to do for the recording.
    pub fn is_final(self) -> bool {
        match self {
            Self::Waiting => false,
            Self::Archived | Self::TooShort | Self::Unavailable | Self::Deleted => true,
        }
    }

    /// The word in the row.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Archived => "archived",
            Self::TooShort => "too_short",
            Self::Unavailable => "unavailable",
            Self::Deleted => "deleted",
        }
    }

    /// Reads [`RecordingState::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Archived, Self::TooShort, Self::Unavailable, Self::Deleted]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

impl Way {
    /// The word in the row.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::CallLog => "call_log",
            Self::Adopted => "adopted",
        }
    }

    /// Reads [`Way::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Direct, Self::CallLog, Self::Adopted].into_iter().find(|way| way.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_compared_where_both_are_known() {
        let archived = |duration_ms| ArchivedBytes {
            sha256: String::new(),
            crc64nvme: None,
            etag: String::new(),
            size_bytes: 1,
            format: AudioFormat::Mp3,
            duration_ms,
            way: Way::Direct,
        };
        let check = |plays_ms, leg_s| {
            let listed = Listed { duration_s: leg_s, ..Listed::default() };
            let result = RecordingResult {
                archived: Some(archived(plays_ms)),
                listed: Some(listed),
                ..RecordingResult::default()
            };
            result.duration_check()
        };
        for (plays_ms, leg_s, expected) in [
            (Some(60_400), Some(60), Some(DurationCheck::Agrees)),
            (Some(55_000), Some(60), Some(DurationCheck::Agrees)),
            (Some(54_999), Some(60), Some(DurationCheck::Shorter)),
            (Some(65_001), Some(60), Some(DurationCheck::Longer)),
            (Some(3_430_000), Some(3_600), Some(DurationCheck::Agrees)),
            (None, Some(60), None),
            (Some(60_000), None, None),
        ] {
            assert_eq!(check(plays_ms, leg_s), expected, "{plays_ms:?} {leg_s:?}");
        }
        assert_eq!(RecordingResult::default().duration_check(), None);
    }

    #[test]
    fn a_recording_begun_by_hand_may_be_shorter_than_its_call_and_none_longer() {
        let odd = |plays_ms, kind: &str| {
            let bytes = ArchivedBytes {
                sha256: String::new(),
                crc64nvme: None,
                etag: String::new(),
                size_bytes: 1,
                format: AudioFormat::Mp3,
                duration_ms: Some(plays_ms),
                way: Way::Direct,
            };
            let listed = Listed { kind: Some(kind.into()), duration_s: Some(60), ..Listed::default() };
            let result = RecordingResult { archived: Some(bytes), listed: Some(listed), ..RecordingResult::default() };
            result.duration_is_odd()
        };
        assert_eq!([10_000, 60_000, 90_000].map(|plays_ms| odd(plays_ms, "OnDemand")), [false, false, true]);
        assert_eq!([10_000, 60_000, 90_000].map(|plays_ms| odd(plays_ms, "Automatic")), [true, false, true]);
        assert!(!RecordingResult::default().duration_is_odd(), "nothing is known");
    }

    #[test]
    fn silence_ends_what_was_never_offered_later_than_what_is_no_longer_offered() {
        let silent = |was_offered, records, since_ms, at_ms| {
            let mut result = RecordingResult {
                content_uri: Some("https://media/1".into()),
                silent_since_ms: since_ms,
                ..RecordingResult::default()
            };
            let silence = Silence { at_ms, records, was_offered, unlisted_after_ms: 10 * DELETED_AFTER_MS };
            let state = result.hear(silence);
            assert_eq!((result.content_uri, result.silent_since_ms), (None, Some(since_ms.unwrap_or(at_ms))));
            state
        };
        use RecordingState::{Deleted, Unavailable, Waiting};
        let hour_ms = DELETED_AFTER_MS;
        for (was_offered, records, since_ms, at_ms, expected) in [
            (true, 1, None, 7, Waiting),
            (true, 1, Some(7), 6 + hour_ms, Waiting),
            (true, 1, Some(7), 7 + hour_ms, Deleted),
            (true, 0, Some(7), 7 + hour_ms, Waiting),
            (true, 0, Some(7), 7 + 10 * hour_ms, Deleted),
            (false, 1, Some(7), 6 + 10 * hour_ms, Waiting),
            (false, 1, Some(7), 7 + 10 * hour_ms, Unavailable),
        ] {
            assert_eq!(silent(was_offered, records, since_ms, at_ms), expected, "{was_offered} {records} {since_ms:?}");
        }
    }

    #[test]
    fn silence_says_what_it_rests_on() {
        let reason = |was_offered| Silence { at_ms: 0, records: 2, was_offered, unlisted_after_ms: 0 }.reason();
        assert_eq!(reason(false), "call log: not offered (2 records)");
        assert_eq!(reason(true), "call log: not offered any more (2 records)");
    }

    #[test]
    fn state_and_way_names_survive_a_round_trip() {
        for name in ["waiting", "archived", "too_short", "unavailable", "deleted"] {
            assert_eq!(RecordingState::from_name(name).map(RecordingState::name), Some(name));
        }
        for name in ["direct", "call_log", "adopted"] {
            assert_eq!(Way::from_name(name).map(Way::name), Some(name));
        }
        assert_eq!(RecordingState::from_name("lost"), None);
    }
}
