//! Where a recording lies in the bucket: computed from ids and the day alone, so that a second run lands in the
//! same place and no name or number is in a key.

use std::fmt;

use super::{
    day::Day,
    ids::{AccountId, RecordingId, TelephonySessionId},
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

    /// `sessions/account=<id>/date=<YYYY-MM-DD>/<telephonySessionId>.json`. Older session ids may have slashes and dots;
    /// they are written `%2F` and `%2E`, so that no id makes a folder.
    pub fn manifest(account: &AccountId, day: Day, session: &TelephonySessionId) -> Self {
        let name = session.as_str().replace('/', "%2F").replace('.', "%2E");
        Self(format!("sessions/account={account}/date={day}/{name}.json"))
    }

    /// A key this program wrote into its own table earlier.
    pub fn from_row(key: String) -> Self {
        Self(key)
    }

    /// `reports/account=<id>/date=<YYYY-MM-DD>.json`.
    pub fn report(account: &AccountId, day: Day) -> Self {
        Self(format!("reports/account={account}/date={day}.json"))
    }

    /// What the bucket says it holds, whoever put it there.
    pub fn from_listing(key: String) -> Self {
        Self(key)
    }

    /// The day it is sorted under.
    pub fn day(&self) -> Option<Day> {
        Day::parse(self.0.split_once("/date=")?.1.get(..10)?)
    }

    /// The recording whose key it looks like.
    pub fn recording(&self) -> Option<RecordingId> {
        let rest = self.0.strip_prefix("recordings/account=")?;
        RecordingId::parse(rest.rsplit_once('/')?.1.rsplit_once('.')?.0).ok()
    }

    /// The session whose manifest it looks like.
    pub fn session(&self) -> Option<TelephonySessionId> {
        let rest = self.0.strip_prefix("sessions/account=")?;
        let name = rest.rsplit_once('/')?.1.strip_suffix(".json")?;
        TelephonySessionId::parse(&name.replace("%2F", "/").replace("%2E", ".")).ok()
    }

    /// The format the key's extension names.
    pub fn format(&self) -> Option<AudioFormat> {
        let extension = self.0.rsplit_once('.')?.1;
        [AudioFormat::Mp3, AudioFormat::Wav].into_iter().find(|format| format.extension() == extension)
    }

    /// Whether it is the key of this recording, under whichever day and format.
    pub fn is_of(&self, account: &AccountId, recording: &RecordingId) -> bool {
        let dated = self.0.strip_prefix("recordings/account=").and_then(|rest| rest.split_once("/date="));
        let day = dated.and_then(|(_, rest)| Day::parse(rest.split_once('/')?.0));
        day.zip(self.format()).is_some_and(|(day, format)| *self == Self::of(account, day, recording, format))
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
        assert_eq!(key.recording().unwrap().as_str(), "900000001005");
        assert_eq!(key.day(), Day::parse("2026-03-02"));
        assert_eq!(key.session(), None);
        for odd in
            ["recordings/x", "recordings/date=2026-03-02", "recordings/date=", "x/date=2026-3-2/9.mp3", "/date=é"]
        {
            let odd = ObjectKey::from_listing(odd.into());
            assert_eq!(
                (odd.format().is_some(), odd.recording(), odd.session()),
                (odd.as_str().ends_with("mp3"), None, None)
            );
        }
        for (key, day) in
            [("reports/account=8/date=2026-03-02.json", Day::parse("2026-03-02")), ("x/date=2026-3-2/9", None)]
        {
            assert_eq!(ObjectKey::from_listing(key.into()).day(), day, "{key}");
        }
    }

    #[test]
    fn a_manifest_lies_beside_the_recordings_under_one_name_without_folders() {
        let (account, day) = (AccountId::parse("800000001").unwrap(), Day::parse("2026-03-02").unwrap());
        for (session, name) in [("s-a0aa0z1", "s-a0aa0z1"), ("Y3M/+=", "Y3M%2F+="), ("../..", "%2E%2E%2F%2E%2E")] {
            let key = ObjectKey::manifest(&account, day, &TelephonySessionId::parse(session).unwrap());
            assert_eq!(key.as_str(), format!("sessions/account=800000001/date=2026-03-02/{name}.json"));
            assert_eq!(key.session().unwrap().as_str(), session);
            assert_eq!(key.recording(), None);
        }
    }

    #[test]
    fn knows_whose_it_is() {
        let (account, recording) = (AccountId::parse("800").unwrap(), RecordingId::parse("9").unwrap());
        for (key, is_its) in [
            ("recordings/account=800/date=2026-03-02/9.mp3", true),
            ("recordings/account=800/date=2026-03-03/9.wav", true),
            ("recordings/account=801/date=2026-03-02/9.mp3", false),
            ("recordings/account=800/date=2026-03-02/8.mp3", false),
            ("recordings/account=800/date=2026-03-32/9.mp3", false),
            ("recordings/account=800/date=2026-03-02/9.ogg", false),
            ("recordings/account=800/date=2026-03-02/x/9.mp3", false),
            ("sessions/account=800/date=2026-03-02/9.mp3", false),
        ] {
            assert_eq!(ObjectKey::from_row(key.into()).is_of(&account, &recording), is_its, "{key}");
        }
    }
}
