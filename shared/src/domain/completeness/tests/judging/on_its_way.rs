use super::*;

#[test]
fn what_is_on_its_way_is_no_defect() {
    type Change = fn(&mut Evidence);
    let waits = Counts { waiting: 1, too_short: 1, ..Counts::default() };
    let archived = Counts { archived: 1, too_short: 1, ..Counts::default() };
    let cases: &[(&str, Change, Counts)] = &[
        ("a copy under another tag", |day| put(day, with_checksum("ours")), archived),
        (
            "a recording heard of anew: the manifest is older than the row",
            |day| {
                hear(day, "3");
                queue(day);
            },
            Counts { waiting: 1, ..archived },
        ),
        (
            "a manifest that was written before its row says so",
            |day| {
                day.manifests.get_mut(&manifest_key()).unwrap().sha256 = "newer".into();
                queue(day);
            },
            archived,
        ),
        (
            "archived, and the manifest is still to come",
            |day| {
                undescribe(day);
                queue(day);
            },
            waits,
        ),
        ("not in the queue that was read, and not described either", undescribe, waits),
        (
            "an upload whose row does not say so yet",
            |day| {
                undescribe(day);
                the_row(day).results.remove(&recording("1"));
                queue(day);
            },
            waits,
        ),
        (
            "a row that changed while its object was looked for",
            |day| {
                drop_object(day);
                day.moving.insert(session_key());
            },
            waits,
        ),
        (
            "a row that came while it was looked for",
            |day| {
                day.rows.clear();
                day.moving.insert(session_key());
            },
            Counts::default(),
        ),
        (
            "an object of which the bucket says nothing",
            |day| {
                put(day, found(7, "\"x\""));
                day.refused.insert(key("1.mp3"));
            },
            waits,
        ),
        (
            "a manifest of which the bucket says nothing",
            |day| {
                day.manifests.clear();
                day.refused.insert(manifest_key());
            },
            waits,
        ),
        (
            "a row that cannot be read",
            |day| {
                day.rows.clear();
                day.unreadable.insert(session_key());
            },
            waits,
        ),
        (
            "the log offers what a row of another day knows",
            |day| {
                let key = ObjectKey::from_row("sessions/account=800/date=1970-01-02/s-1.json".into());
                the_row(day).manifest.as_mut().unwrap().key = key;
                day.manifests.clear();
                offer(day, "1");
            },
            Counts::default(),
        ),
        (
            "other endings",
            |day| {
                for (id, state) in [("3", RecordingState::Unavailable), ("4", RecordingState::Deleted)] {
                    hear(day, id);
                    the_row(day).results.insert(recording(id), ended(state));
                }
                let row = the_row(day).clone();
                settle(day, row);
            },
            Counts { unavailable: 1, deleted: 1, ..archived },
        ),
    ];
    for (case, change, expected) in cases {
        let mut evidence = healthy();
        change(&mut evidence);
        let proof = evidence.judge();
        assert_eq!(words(&proof), "", "{case}");
        assert_eq!(proof.counts, *expected, "{case}");
        assert_eq!(proof.waiting.len(), usize::from(expected.waiting > 0), "{case}");
    }
}
