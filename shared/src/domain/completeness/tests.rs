use super::*;
use crate::domain::session::tests::id;

mod judging;

/// The example of the documentation.
fn example() -> &'static str {
    let page = include_str!("../../../../docs/completeness.md");
    let (_, rest) = page.split_once("```json\n").unwrap();
    rest.split_once("```").unwrap().0
}

fn recording(text: &str) -> RecordingId {
    id(RecordingId::parse, text)
}

fn session(text: &str) -> TelephonySessionId {
    id(TelephonySessionId::parse, text)
}

fn link(key: &str, version: &str, sha256: &str) -> Link {
    Link { key: ObjectKey::from_row(key.into()), version: Some(version.into()), sha256: sha256.into() }
}

/// The report of the example.
fn report() -> Report {
    let missing_row = About::Recording {
        recording: recording("900000006005"),
        session: session("s-a0aa000000006z19c0a1b2c06z1a60000"),
    };
    let stray = ObjectKey::from_row("recordings/account=800000001/date=2026-03-02/notes.txt".into());
    let proof = DayProof {
        account: id(AccountId::parse, "800000001"),
        day: Day::parse("2026-03-02").unwrap(),
        counts: Counts { archived: 2, waiting: 1, too_short: 1, unavailable: 0, deleted: 1, missing: 1 },
        missing: [recording("900000006005")].into(),
        defects: [
            Defect { class: DefectClass::MissingRow, about: missing_row },
            Defect { class: DefectClass::StrayObject, about: About::Object(stray) },
        ]
        .into(),
        waiting: [session("s-a0aa000000004z19c0a1b2c04z1a40000")].into(),
        manifests: vec![link(
            "sessions/account=800000001/date=2026-03-02/s-a0aa000000002z19c0a1b2c02z1a20000.json",
            "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY",
            "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
        )],
    };
    let previous = link(
        "reports/account=800000001/date=2026-03-01.json",
        "QUpfdndhfd8438MNFDN93jdnJFkdmqnh893",
        "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
    );
    let issued_ms = crate::domain::day::parse_time("2026-03-03T01:00:04.120Z").unwrap();
    Report { proof, sequence: 17, issued_ms, previous: Some(previous) }
}

#[test]
fn the_documented_example_is_what_is_written_and_read() {
    assert_eq!(String::from_utf8(report().to_json()).unwrap(), example());
    assert_eq!(Report::parse(example().as_bytes()), Ok(report()));
    assert_eq!(report().proof.object_key().as_str(), "reports/account=800000001/date=2026-03-02.json");
    let mut first = Report { previous: None, ..report() };
    first.proof.manifests.iter_mut().for_each(|link| link.version = None);
    assert_eq!(Report::parse(&first.to_json()), Ok(first));
}

#[test]
fn what_is_no_report_says_why() {
    let changed = |from: &str, to: &str| {
        assert!(example().contains(from), "{from}");
        example().replacen(from, to, 1)
    };
    for (case, json, why) in [
        ("nothing", String::new(), ReportError::Malformed),
        ("cut off", example()[..700].to_owned(), ReportError::Malformed),
        ("the next major", changed("completeness/1", "completeness/2"), ReportError::OtherSchema),
        ("another schema, of another shape", r#"{"schema":"x"}"#.to_owned(), ReportError::OtherSchema),
        ("a day that is none", changed("\"date\": \"2026-03-02", "\"date\": \"2026-02-30"), ReportError::Field("date")),
        ("a time that is none", changed("2026-03-03T01", "2026-03-03T31"), ReportError::Field("issued_at")),
        ("an unknown class", changed("stray_object", "odd_object"), ReportError::Field("class")),
        ("a defect of nothing", changed("\"session\"", "\"x\""), ReportError::Field("defects")),
        ("a count that is not the list's", changed("\"missing\": 1", "\"missing\": 2"), ReportError::Field("missing")),
        ("a negative count", changed("\"archived\": 2", "\"archived\": -2"), ReportError::Malformed),
    ] {
        assert_eq!(Report::parse(json.as_bytes()), Err(why), "{case}");
    }
    let hostile = changed("\"800000001\"", "\"../8\"");
    assert!(matches!(Report::parse(hostile.as_bytes()), Err(ReportError::Id(_))));
    let grown = changed("\"date\"", "\"weather\": \"rain\", \"date\"");
    assert_eq!(Report::parse(grown.as_bytes()), Ok(report()));
}

#[test]
fn the_share_of_a_day_counts_what_was_a_recording_and_does_not_wait() {
    let counts = Counts { archived: 3, ..Counts::default() };
    for (counts, offered, share) in [
        (Counts::default(), 0, 1.0),
        (Counts { too_short: 4, unavailable: 5, ..Counts::default() }, 0, 1.0),
        (Counts { too_short: 4, unavailable: 5, ..counts }, 3, 1.0),
        (Counts { waiting: 1, ..Counts::default() }, 1, 1.0),
        (Counts { waiting: 1, ..counts }, 4, 1.0),
        (Counts { deleted: 1, ..counts }, 4, 0.75),
        (Counts { deleted: 1, missing: 2, waiting: 9, ..counts }, 15, 0.5),
    ] {
        assert_eq!((counts.offered(), counts.share()), (offered, share), "{counts:?}");
    }
}

#[test]
fn days_are_added_count_by_count() {
    let day = Counts { archived: 2, waiting: 3, too_short: 4, unavailable: 5, deleted: 6, missing: 7 };
    let mut both = Counts::default();
    both.add(&day);
    assert_eq!(both, day);
    both.add(&day);
    assert_eq!(both, Counts { archived: 4, waiting: 6, too_short: 8, unavailable: 10, deleted: 12, missing: 14 });
}

#[test]
fn a_day_stays_open_while_it_waits_and_for_five_weeks_while_something_is_wrong() {
    let wrong = DayProof { waiting: BTreeSet::new(), ..report().proof };
    let settled = DayProof { missing: BTreeSet::new(), defects: BTreeSet::new(), ..wrong.clone() };
    let waits = report().proof;
    for (proof, now_ms, open) in [
        (&settled, 0, false),
        (&wrong, WATCHED_MS + 6, true),
        (&wrong, WATCHED_MS + 7, false),
        (&wrong, WATCHED_MS + 8, false),
        (&waits, WATCHED_MS + 8, true),
    ] {
        assert_eq!(proof.stays_open(7, now_ms), open, "{now_ms}");
    }
}

#[test]
fn accounts_survive_a_round_trip() {
    let accounts: BTreeSet<_> = ["800000001", "800000002"].map(|text| id(AccountId::parse, text)).into();
    assert_eq!(parse_accounts(&accounts_to_json(&accounts)), Ok(accounts));
    for spoiled in ["", "{}", r#"["../8"]"#, "[8]"] {
        assert!(parse_accounts(spoiled).is_err(), "{spoiled}");
    }
}

#[test]
fn every_class_has_a_name_of_its_own() {
    for class in DefectClass::ALL {
        assert_eq!(DefectClass::from_name(class.name()), Some(class));
    }
    assert_eq!(DefectClass::from_name("lost"), None);
}
