use shared::{
    clients::ringcentral::origin::Origin,
    domain::{
        day::{DAY_MS, Day},
        ids::{AccountId, PartyId, RecordingId, SessionId, TelephonySessionId},
        media::AudioFormat,
        object_key::ObjectKey,
        session::Heard,
    },
};

/// S3's limit for a key.
const LONGEST_KEY: usize = 1024;

/// Two objects' ids, one on each line: account, recording, telephony session, party, day number. What the parsers accept
/// gives keys that stay below their prefix, can be read back, and differ where the ids do; and fills one segment of a
/// URL's path.
pub fn keys(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    check_any_key(text);
    let mut lines = text.split('\n');
    let named = [(); 2].map(|()| Named::read(&mut lines));
    for named in &named {
        named.check();
    }
    let [one, other] = &named;
    assert!(one.recording_key().is_none() || one.recording_key() != other.recording_key() || one.same_recording(other));
    assert!(one.manifest_key().is_none() || one.manifest_key() != other.manifest_key() || one.same_session(other));
}

struct Named {
    account: Option<AccountId>,
    recording: Option<RecordingId>,
    session: Option<TelephonySessionId>,
    party: Option<PartyId>,
    day: Day,
}

impl Named {
    fn read<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Self {
        let mut line = || lines.next().unwrap_or_default();
        Self {
            account: AccountId::parse(line()).ok(),
            recording: RecordingId::parse(line()).ok(),
            session: TelephonySessionId::parse(line()).ok(),
            party: PartyId::parse(line()).ok(),
            day: Day::of(u64::from(line().parse::<u16>().unwrap_or_default()) * DAY_MS),
        }
    }

    fn recording_key(&self) -> Option<ObjectKey> {
        Some(ObjectKey::of(self.account.as_ref()?, self.day, self.recording.as_ref()?, AudioFormat::Mp3))
    }

    fn manifest_key(&self) -> Option<ObjectKey> {
        Some(ObjectKey::manifest(self.account.as_ref()?, self.day, self.session.as_ref()?))
    }

    fn same_recording(&self, other: &Self) -> bool {
        (&self.account, &self.recording, self.day) == (&other.account, &other.recording, other.day)
    }

    fn same_session(&self, other: &Self) -> bool {
        (&self.account, &self.session, self.day) == (&other.account, &other.session, other.day)
    }

    fn check(&self) {
        if let Some((account, recording)) = self.account.as_ref().zip(self.recording.as_ref()) {
            for format in [AudioFormat::Mp3, AudioFormat::Wav] {
                let key = ObjectKey::of(account, self.day, recording, format);
                check_key(&key, "recordings", account, self.day);
                assert_eq!((key.recording().as_ref(), key.format()), (Some(recording), Some(format)));
                assert!(key.is_of(account, recording) && key.session().is_none());
            }
            check_segments(&["restapi", account.as_str(), recording.as_str()]);
        }
        if let Some(key) = self.manifest_key() {
            let Some(account) = &self.account else { panic!("a key of no account") };
            check_key(&key, "sessions", account, self.day);
            assert_eq!((key.session(), key.recording()), (self.session.clone(), None));
        }
        if let Some(account) = &self.account {
            let key = ObjectKey::report(account, self.day);
            assert_eq!(key.as_str(), format!("reports/account={account}/date={}.json", self.day));
            check_segments(&[account.as_str(), "x"]);
        }
        if let Some(session) = &self.session {
            check_segments(&["sessions", session.as_str()]);
        }
        if let Some(recording) = &self.recording {
            let heard = Heard { recording: recording.clone(), party: self.party.clone() };
            assert_eq!(Heard::from_element(&heard.to_element()), Ok(heard));
        }
    }
}

/// A key is three folders and a name, all of harmless characters.
fn check_key(key: &ObjectKey, folder: &str, account: &AccountId, day: Day) {
    let text = key.as_str();
    assert!(text.len() <= LONGEST_KEY, "{} bytes", text.len());
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+:%./".contains(&byte);
    assert!(text.bytes().all(harmless) && !text.contains(".."), "{text}");
    let parts: Vec<&str> = text.split('/').collect();
    let [first, of, date, name] = parts.as_slice() else { panic!("{text} has other folders") };
    assert_eq!((*first, *of), (folder, &*format!("account={account}")));
    assert_eq!((*date, key.day()), (&*format!("date={day}"), Some(day)));
    assert!(!name.starts_with('.') && name.matches('.').count() == 1, "{text}");
}

/// Each id fills one segment of a path, and the path says what was asked for.
fn check_segments(segments: &[&str]) {
    let Some(origin) = Origin::configured("https://platform.ringcentral.com") else { panic!("an origin") };
    let url = origin.join(segments, &[]);
    let Some(path) = url.as_str().strip_prefix("https://platform.ringcentral.com/") else { panic!("{url}") };
    let read: Vec<String> = path.split('/').map(decoded).collect();
    assert_eq!(read, segments, "{url}");
}

fn decoded(segment: &str) -> String {
    let mut pieces = segment.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_at(2);
        text.extend(u8::from_str_radix(code, 16).map(char::from));
        text.push_str(rest);
    }
    text
}

/// Whatever lies in the bucket, looking at its key is harmless.
fn check_any_key(text: &str) {
    let key = ObjectKey::from_listing(text.to_owned());
    let (day, format) = (key.day(), key.format());
    if let (Some(recording), Some(day), Some(format)) = (key.recording(), day, format) {
        let account = text.strip_prefix("recordings/account=").and_then(|rest| rest.split('/').next());
        if let Some(Ok(account)) = account.map(AccountId::parse) {
            let own = ObjectKey::of(&account, day, &recording, format);
            assert_eq!(key.is_of(&account, &recording), own == key);
        }
    }
    let _ = (key.session(), SessionId::of_call(text), Day::parse(text));
}
