use super::{
    super::told::{encode_about, encode_offer},
    *,
};
use crate::domain::{
    call_log::{Listed, Offer},
    notification::PartyAbout,
};

fn listed() -> Listed {
    Listed {
        kind: Some("Automatic".into()),
        party: Some(PartyId::parse("p-1").unwrap()),
        started_ms: Some(1),
        duration_s: Some(2),
        direction: Some("Inbound".into()),
        from: Some("+16505550142".into()),
        to: Some("101".into()),
        extension: Some("800000101".into()),
        transfer_target: Some(TelephonySessionId::parse("s-2").unwrap()),
        transferee: Some(TelephonySessionId::parse("s-3").unwrap()),
    }
}

fn result() -> RecordingResult {
    RecordingResult {
        state: RecordingState::Archived,
        reason: None,
        content_uri: Some("https://media.ringcentral.com/x".into()),
        silent_since_ms: Some(4),
        key: Some(ObjectKey::from_row("recordings/account=1/date=2026-03-02/9.mp3".into())),
        archived: Some(ArchivedBytes {
            sha256: "c2hh".into(),
            crc64nvme: Some("Y3Jj".into()),
            etag: "\"e\"".into(),
            duration_ms: Some(6),
            size_bytes: 7,
            format: AudioFormat::Mp3,
            way: Way::CallLog,
        }),
        listed: Some(listed()),
        at_ms: 5,
    }
}

fn row() -> SessionRow {
    let [nine, ten] = ["9", "10"].map(|id| RecordingId::parse(id).unwrap());
    let party = PartyId::parse("p-1").unwrap();
    let about = PartyAbout {
        direction: Some("Inbound".into()),
        to: Some("+16505550111".into()),
        from: None,
        extension: Some("101".into()),
    };
    let offer = |listed| Offer { content_uri: "https://media.ringcentral.com/9".into(), listed };
    SessionRow {
        key: SessionKey {
            account: AccountId::parse("800").unwrap(),
            session: TelephonySessionId::parse("s-1").unwrap(),
        },
        heard: [Heard::from_element("9|p-1").unwrap()].into(),
        ended: BTreeSet::new(),
        parties: [(party, about)].into(),
        day: Day::parse("2026-03-02").unwrap(),
        happened_ms: 2,
        session_id: None,
        seen_at_ms: 1,
        rev: 3,
        attempts: 0,
        offers: [(nine.clone(), offer(listed())), (ten.clone(), offer(Listed::default()))].into(),
        results: [(nine, result()), (ten, RecordingResult::default())].into(),
        manifest: Some(KeptManifest {
            key: ObjectKey::from_row("sessions/account=800/date=2026-03-02/s-1.json".into()),
            sha256: "bWFu".into(),
        }),
    }
}

/// The item as the updates of the adapter write it.
fn item() -> Item {
    let row = row();
    let mut item = Item::from([
        (schema::KEY.into(), text(pk(&row.key))),
        ("heard".into(), AttributeValue::Ss(row.heard.iter().map(Heard::to_element).collect())),
        ("day".into(), text(row.day.to_string())),
        ("happened_at".into(), number(row.happened_ms)),
        ("seen_at".into(), number(row.seen_at_ms)),
        ("rev".into(), number(row.rev)),
    ]);
    item.extend(row.parties.iter().map(|(party, about)| (party_name(party), encode_about(about))));
    item.extend(row.offers.iter().map(|(recording, offer)| (offer_name(recording), encode_offer(offer))));
    item.extend(row.results.iter().map(|(recording, result)| (result_name(recording), encode_result(result))));
    item.extend(row.manifest.iter().map(|manifest| ("manifest".to_owned(), encode_manifest(manifest))));
    item
}

#[test]
fn a_row_survives_a_round_trip() {
    assert_eq!(decode(&item()).unwrap(), row());
}

#[test]
fn a_spoiled_row_says_what_is_wrong() {
    let map = |name: &str, value| AttributeValue::M(Item::from([(name.to_owned(), value)]));
    for (name, value, complaint) in [
        ("pk", text("vendor#drain"), "the key is not a session's"),
        ("day", text("2026-13-01"), "no day"),
        ("happened_at", text("noon"), "no happened_at"),
        ("heard", text("9|p-1"), "a set of facts is not a set"),
        ("heard", AttributeValue::Ss(vec!["../9|p".into()]), "an id is not one"),
        ("p#p-1", text("Inbound"), "a party is not a map"),
        ("p#p|1", AttributeValue::M(Item::new()), "an id is not one"),
        ("r#9", text("archived"), "a result is not a map"),
        ("o#9", text("https://media/9"), "an offer is not a map"),
        ("o#9", AttributeValue::M(Item::new()), "an offer without address"),
        ("r#9", AttributeValue::M(Item::new()), "a result of an unknown state"),
        ("manifest", map("key", text("sessions/x")), "a manifest without key or digest"),
    ] {
        let mut item = item();
        item.insert(name.into(), value);
        assert!(matches!(decode(&item), Err(StoreError::Corrupt(found)) if found == complaint), "{complaint}");
    }
    let listed = |listed| {
        let AttributeValue::M(mut offer) = encode_offer(&row().offers[&RecordingId::parse("9").unwrap()]) else {
            panic!("an offer is a map")
        };
        offer.insert(LISTED.to_owned(), listed);
        decode(&item().into_iter().chain([("o#9".to_owned(), AttributeValue::M(offer))]).collect())
    };
    assert!(matches!(listed(text("x")), Err(StoreError::Corrupt("what the call log says is not a map"))));
    assert!(matches!(listed(map("transferee", text("s|2"))), Err(StoreError::Corrupt("an id is not one"))));
}
