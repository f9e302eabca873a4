//! Where a recording lies in the bucket: computed from ids and the day alone, so that a second run lands in the
//! same place and no name or number is in a key.

use std::fmt;

use super::{
    day::Day,
    ids::{AccountId, RecordingId},
    media::AudioFormat,
};

/// The key of an archived recording.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// `recordings/account=<id>/date=<YYYY-MM-DD>/<recordingId>.<mp3|wav>`.
    pub fn of(account: &AccountId, day: Day, recording: &RecordingId, format: AudioFormat) -> Self {
        Self(format!("recordings/account={account}/date={day}/{recording}.{}", format.extension()))
    }

    /// A key this program wrote into its own table earlier.
    pub fn from_row(key: String) -> Self {
        Self(key)
    }

    /// The format the key's extension names.
    pub fn format(&self) -> Option<AudioFormat> {
        let extension = self.0.rsplit_once('.')?.1;
        [AudioFormat::Mp3, AudioFormat::Wav].into_iter().find(|format| format.extension() == extension)
    }

    /// The key as S3 takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_built_from_ids_and_the_day() {
        let key = ObjectKey::of(
            &AccountId::parse("800000001").unwrap(),
            Day::parse("2026-03-02").unwrap(),
            &RecordingId::parse("900000001005").unwrap(),
            AudioFormat::Mp3,
        );
        assert_eq!(key.as_str(), "recordings/account=800000001/date=2026-03-02/900000001005.mp3");
        assert_eq!(key.format(), Some(AudioFormat::Mp3));
        assert_eq!(ObjectKey::from_row("recordings/x".into()).format(), None);
    }
}
