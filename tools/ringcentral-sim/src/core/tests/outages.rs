//! Requests that fail before anybody looks at them (API.md §4, §11).

use super::rig::{CALL_LOG, RECORDING, Rig, code};
use crate::{Outage, OutageAnswer, Settings};

fn outage(answer: OutageAnswer) -> Outage {
    Outage { from_ms: 0, until_ms: u64::MAX, share: 1.0, path_part: String::new(), answer }
}

fn rig_with(outages: Vec<Outage>) -> Rig {
    let mut rig = Rig::new();
    rig.simulator.settings_mut().outages = outages;
    rig
}

#[test]
fn an_outage_answers_in_its_own_way_and_counts_nowhere() {
    let cases = [
        (OutageAnswer::Error(503), 503, Some("application/json; charset=UTF-8")),
        (OutageAnswer::Html(502), 502, Some("text/html")),
        (OutageAnswer::Empty(500), 500, None),
        (OutageAnswer::OtherLimiter, 429, Some("application/json; charset=UTF-8")),
    ];
    for (answer, status, content_type) in cases {
        let mut rig = rig_with(vec![outage(answer)]);
        let reply = rig.get(CALL_LOG);
        assert_eq!((reply.status, reply.header("content-type")), (status, content_type), "{answer:?}");
        assert_eq!((reply.header("x-rate-limit-group"), reply.header("retry-after")), (None, None));
        assert_eq!(rig.simulator.requests().last().unwrap().group, None);
        if answer == OutageAnswer::OtherLimiter {
            assert_eq!(code(&reply), "CMN-310");
        }
    }
}

#[test]
fn an_outage_has_a_time_and_a_place() {
    let mut rig = Rig::new();
    let (from_ms, until_ms) = (rig.now_ms + 1_000, rig.now_ms + 2_000);
    let path_part = "/recording/".to_owned();
    rig.simulator.settings_mut().outages =
        vec![Outage { from_ms, until_ms, path_part, ..outage(OutageAnswer::Error(500)) }];
    let mut statuses = Vec::new();
    for now_ms in [from_ms - 1, from_ms, until_ms - 1, until_ms] {
        rig.now_ms = now_ms;
        statuses.push((rig.direct(RECORDING).status, rig.get(CALL_LOG).status));
    }
    assert_eq!(statuses, [(404, 200), (500, 200), (500, 200), (404, 200)]);
}

#[test]
fn an_outage_may_strike_some_only() {
    let mut rig = rig_with(vec![Outage { share: 0.3, ..outage(OutageAnswer::Html(502)) }]);
    rig.simulator.settings_mut().heavy_limit = 1_000;
    let struck = (0..1_000).filter(|_| rig.get(CALL_LOG).status == 502).count();
    assert!((230..370).contains(&struck), "{struck}");
}

#[test]
fn settings_are_read_from_json_and_a_stray_field_is_refused() {
    let read = |text: &str| serde_json::from_str::<Settings>(text).map_err(|error| error.to_string());
    let settings = read(
        r#"{"heavy_limit": 3, "delivery": {"secret_header": "Validation-Token"},
        "outages": [{"answer": {"Html": 502}}, {"share": 0.5, "answer": "OtherLimiter"}]}"#,
    );
    let settings = settings.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((settings.heavy_limit, settings.medium_limit), (3, 40));
    assert_eq!(settings.outages[0].share, 1.0);
    for (text, named) in [
        (r#"{"heavy": 3}"#, "unknown field `heavy`"),
        (r#"{"delivery": {"drop": 1}}"#, "unknown field `drop`"),
        (r#"{"outages": [{"share": 1}]}"#, "missing field `answer`"),
    ] {
        assert!(read(text).is_err_and(|error| error.contains(named)), "{text}");
    }
}
