//! Ids become keys of objects.

use std::collections::BTreeMap;

use proptest::{prelude::*, sample::select};
use shared::domain::{
    day::{DAY_MS, Day},
    ids::{AccountId, RecordingId, TelephonySessionId},
    media::AudioFormat,
    object_key::ObjectKey,
};

use crate::cases;

/// S3's limit for a key.
const LONGEST_KEY: usize = 1024;

/// What a key is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    Recording(AccountId, Day, RecordingId, bool),
    Manifest(AccountId, Day, TelephonySessionId),
    Report(AccountId, Day),
}

impl Named {
    fn key(&self) -> ObjectKey {
        match self {
            Self::Recording(account, day, recording, mp3) => {
                let format = if *mp3 { AudioFormat::Mp3 } else { AudioFormat::Wav };
                ObjectKey::of(account, *day, recording, format)
            }
            Self::Manifest(account, day, session) => ObjectKey::manifest(account, *day, session),
            Self::Report(account, day) => ObjectKey::report(account, *day),
        }
    }
}

/// Ids that could be taken for each other: of few characters, of those that mean something in a path, and of any length.
fn text(extra: &'static str, longest: usize) -> impl Strategy<Value = String> {
    let common = select(vec!["1", "a", "A", "-", "_", "mp3", "date"]);
    let odd = select(extra.chars().map(String::from).collect::<Vec<_>>());
    let piece = prop_oneof![2 => common.prop_map(str::to_owned), 3 => odd];
    let short = prop::collection::vec(piece.clone(), 1..3).prop_map(|pieces| pieces.concat());
    let long = (piece, 1..=longest).prop_map(|(piece, times)| piece.repeat(times));
    prop_oneof![8 => short, 1 => long].prop_map(move |mut text| {
        text.truncate(longest);
        text
    })
}

fn named() -> impl Strategy<Value = Named> {
    let account = || {
        let text = prop_oneof![4 => select(vec!["1", "1-"]).prop_map(str::to_owned), 1 => text("-_", 32)];
        text.prop_map(|text| AccountId::parse(&text).unwrap())
    };
    let day = || (0_u64..3).prop_map(|day| Day::of(day * DAY_MS));
    let recording = text("-_", 64).prop_map(|text| RecordingId::parse(&text).unwrap());
    let session = text("-_+/=.:", 128).prop_filter_map("a folder", |text| TelephonySessionId::parse(&text).ok());
    let recorded = (account(), day(), recording, any::<bool>());
    prop_oneof![
        recorded.prop_map(|(account, day, recording, mp3)| Named::Recording(account, day, recording, mp3)),
        (account(), day(), session).prop_map(|(account, day, session)| Named::Manifest(account, day, session)),
        (account(), day()).prop_map(|(account, day)| Named::Report(account, day)),
    ]
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn different_things_have_different_keys_that_s3_takes(named in prop::collection::vec(named(), 100..300)) {
        let mut keys = BTreeMap::new();
        for named in &named {
            let key = named.key();
            prop_assert!(key.as_str().len() <= LONGEST_KEY, "{key}");
            prop_assert!(key.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
            prop_assert!(key.as_str().split('/').all(|part| !["", ".", ".."].contains(&part)), "{key}");
            let other = keys.entry(key).or_insert(named);
            prop_assert_eq!(*other, named);
        }
    }

    #[test]
    fn a_key_says_what_it_was_made_of(named in named()) {
        let key = named.key();
        match &named {
            Named::Recording(account, day, recording, _) => {
                prop_assert_eq!((key.recording(), key.day(), key.session()), (Some(recording.clone()), Some(*day), None));
                prop_assert!(key.is_of(account, recording));
            }
            Named::Manifest(_, day, session) => {
                prop_assert_eq!((key.session(), key.day(), key.recording()), (Some(session.clone()), Some(*day), None));
            }
            Named::Report(_, day) => {
                prop_assert_eq!((key.day(), key.recording(), key.session()), (Some(*day), None, None));
            }
        }
    }
}
