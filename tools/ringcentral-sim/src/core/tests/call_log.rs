//! API.md §7, and the live session of §6.

use super::rig::{CALL_LOG, RECORDING, Rig, SESSION, body, code};
use crate::Settings;
use serde_json::json;

const DAY_MS: u64 = 86_400_000;

#[test]
fn without_a_date_only_calls_that_began_in_the_last_day_are_seen() {
    let mut rig = Rig::new();
    rig.hear(2, "Answered", &[RECORDING]);
    rig.now_ms += DAY_MS;
    rig.hear(2, "Disconnected", &[]);
    rig.token = rig.mint();
    assert_eq!(rig.records(&format!("telephonySessionId={SESSION}")).len(), 1, "exactly a day ago");
    rig.now_ms += 1;
    assert_eq!(rig.records(&format!("telephonySessionId={SESSION}")).len(), 0, "its end does not count");
    assert_eq!(rig.records("dateFrom=2026-01-01T00:00:00Z").len(), 1);
    assert_eq!(rig.records("dateFrom=2026-01-01T00:00:00Z&dateTo=2026-01-02T00:00:00Z").len(), 0);
}

#[test]
fn a_record_appears_some_time_after_the_call() {
    let mut rig = Rig::with(Settings { listed_after_ms: 20_000, ..Settings::default() });
    rig.hear(2, "Answered", &[RECORDING]);
    assert_eq!(rig.records("").len(), 0, "the call runs");
    rig.hear(2, "Disconnected", &[]);
    rig.now_ms += 19_999;
    assert_eq!(rig.records("").len(), 0);
    rig.now_ms += 1;
    assert_eq!(rig.records("").len(), 1);
    rig.simulator.call_mut(SESSION).unwrap().listed_after_ms = None;
    assert_eq!(rig.records("").len(), 0);
}

#[test]
fn a_transferred_call_has_its_second_recording_on_a_leg() {
    let mut rig = Rig::new();
    rig.hear(2, "Answered", &[RECORDING]);
    rig.hear(3, "Answered", &["910000000002"]);
    rig.hear(2, "Disconnected", &[]);
    assert_eq!(rig.records("").len(), 0, "the second agent still talks");
    rig.now_ms += 5_000;
    rig.hear(3, "Gone", &[]);

    let detailed = rig.records("view=Detailed");
    let [record] = detailed.as_slice() else { panic!("one record per call") };
    assert_eq!(record["recording"]["id"], RECORDING);
    assert_eq!(record["extension"]["id"], 800_000_102);
    assert_eq!(record["legs"][0]["recording"], record["recording"]);
    assert_eq!(record["legs"][1]["recording"]["id"], "910000000002");
    assert_eq!(record["legs"][1]["legType"], "TransferCall");
    assert_eq!(record["durationMs"], 5_000);
    let simple = rig.records("");
    assert!(simple[0].get("legs").is_none());
}

#[test]
fn a_second_recording_of_one_party_gets_a_leg_of_its_own() {
    let mut rig = Rig::new();
    rig.hear(2, "Answered", &[RECORDING, "910000000002"]);
    rig.hear(2, "Disconnected", &[]);
    let record = rig.records("view=Detailed").remove(0);
    assert_eq!(record["legs"][0]["recording"]["id"], RECORDING);
    assert_eq!(record["legs"][1]["recording"]["id"], "910000000002");
}

#[test]
fn a_short_recording_is_announced_without_a_recording() {
    let mut rig = Rig::new();
    rig.hear_recorded_call();
    rig.simulator.recording_mut(RECORDING).unwrap().too_short = true;
    let record = rig.records("view=Detailed").remove(0);
    assert_eq!(record["shortRecording"], true);
    assert_eq!(record["legs"][0]["shortRecording"], true);
    assert!(record.get("recording").is_none());
    assert_eq!(rig.records("recordingType=All").len(), 0);
    rig.now_ms += DAY_MS;
    rig.token = rig.mint();
    assert_eq!(code(&rig.direct(RECORDING)), "CMN-102");
}

#[test]
fn a_deleted_recording_vanishes_and_its_record_stays() {
    let mut rig = Rig::new();
    rig.hear_recorded_call();
    rig.simulator.call_mut(SESSION).unwrap().recordings.clear();
    let record = rig.records("").remove(0);
    assert!(record.get("recording").is_none() && record.get("shortRecording").is_none());
    assert_eq!(rig.direct(RECORDING).status, 404);
}

#[test]
fn a_user_without_the_company_log_still_reads_extensions() {
    let settings = Settings { company_call_log_allowed: false, listed_after_ms: 0, ..Settings::default() };
    let mut rig = Rig::with(settings);
    rig.hear_recorded_call();
    let refused = rig.get(CALL_LOG);
    assert_eq!((refused.status, code(&refused).as_str()), (403, "CMN-408"));
    assert_eq!(body(&refused)["permissionName"], "FullCompanyCallLog");
    assert_eq!(body(&refused)["errorCode"], "InsufficientPermissions");
    let of = |extension: &str| format!("/restapi/v1.0/account/~/extension/{extension}/call-log");
    assert_eq!(body(&rig.get(&of("800000102")))["records"][0]["extension"]["id"], 800_000_102);
    assert_eq!(body(&rig.get(&of("~")))["records"], serde_json::json!([]));
}

#[test]
fn a_missing_permission_of_the_application_is_cmn_401() {
    let mut rig = Rig::with(Settings { scope: "ReadCallRecording".into(), ..Settings::default() });
    assert_eq!(code(&rig.get(CALL_LOG)), "CMN-401");
}

#[test]
fn pages_follow_one_another() {
    let mut rig = Rig::new();
    rig.hear_recorded_call();
    let mut earlier = rig.simulator.call_mut(SESSION).unwrap().clone();
    earlier.telephony_session_id = "s-earlier".into();
    earlier.started_at_ms -= 1;
    rig.simulator.add_call(earlier);

    let first = body(&rig.get(&format!("{CALL_LOG}?recordingType=All&perPage=1")));
    assert_eq!(first["records"][0]["telephonySessionId"], SESSION, "newest first");
    assert!(first["navigation"].get("previousPage").is_none());
    let next = first["navigation"]["nextPage"]["uri"].as_str().unwrap();
    assert!(next.contains("/account/800000001/") && next.contains("recordingType=All"), "{next}");
    let second = body(&rig.get_url(next));
    assert_eq!(second["records"][0]["telephonySessionId"], "s-earlier");
    assert_eq!(second["paging"]["pageStart"], 1);
    assert!(second["navigation"].get("nextPage").is_none());
}

#[test]
fn parameters_are_checked() {
    let cases = [
        ("dateFrom=yesterday", "CMN-101"),
        ("view=Full", "CMN-101"),
        ("recordingType=Some", "CMN-101"),
        ("page=0", "CMN-101"),
        ("perPage=0", "CMN-101"),
        ("sessionId=1&extensionNumber=101", "CLG-110"),
    ];
    let mut rig = Rig::new();
    for (query, expected) in cases {
        let reply = rig.get(&format!("{CALL_LOG}?{query}"));
        assert_eq!((reply.status, code(&reply).as_str()), (400, expected), "{query}");
    }
    assert_eq!(body(&rig.get(&format!("{CALL_LOG}?perPage=5000")))["paging"]["perPage"], 1_000);
    assert_eq!(code(&rig.get("/restapi/v1.0/account/1/call-log")), "CMN-102");
}

#[test]
fn a_live_session_is_there_while_somebody_talks() {
    let mut rig = Rig::new();
    let target = format!("/restapi/v1.0/account/~/telephony/sessions/{SESSION}");
    rig.hear(2, "Answered", &[RECORDING]);
    let reply = rig.get(&target);
    assert_eq!((reply.status, reply.header("x-rate-limit-group")), (200, Some("light")));
    assert_eq!(body(&reply)["parties"][0]["recordings"][0]["id"], RECORDING);
    rig.hear(2, "VoiceMail", &[]);
    let reply = rig.get(&target);
    assert_eq!((reply.status, code(&reply).as_str()), (404, "CMN-102"));
}

#[test]
fn a_call_may_be_listed_early_and_is_rewritten_under_the_same_id() {
    let mut rig = Rig::with(Settings { listed_after_ms: 20_000, ..Settings::default() });
    rig.hear(2, "Answered", &[RECORDING]);
    rig.simulator.call_mut(SESSION).unwrap().listed_early = true;
    rig.now_ms += 5_000;
    let early = rig.records("view=Detailed").remove(0);
    assert_eq!((&early["result"], &early["durationMs"]), (&json!("In Progress"), &json!(5_000)));
    assert!(early.get("recording").is_none() && early["legs"][0].get("recording").is_none());
    assert_eq!(rig.records("recordingType=All").len(), 0);
    rig.hear(2, "Disconnected", &[]);
    rig.now_ms += 20_000;
    let rewritten = rig.records("view=Detailed").remove(0);
    assert_eq!(rewritten["id"], early["id"]);
    assert_eq!((&rewritten["result"], &rewritten["durationMs"]), (&json!("Accepted"), &json!(5_000)));
    assert_eq!(rewritten["recording"]["id"], RECORDING);
    assert_ne!(rewritten["lastModifiedTime"], early["lastModifiedTime"]);
}

#[test]
fn a_record_may_name_its_recordings_later() {
    let mut rig = Rig::new();
    rig.hear_recorded_call();
    rig.simulator.call_mut(SESSION).unwrap().linked_after_ms = 30_000;
    rig.now_ms += 29_999;
    assert!(rig.records("")[0].get("recording").is_none());
    assert_eq!(rig.records("recordingType=All").len(), 0);
    assert_eq!(rig.direct(RECORDING).status, 200, "the file is there all the same");
    rig.now_ms += 1;
    assert_eq!(rig.records("recordingType=All")[0]["recording"]["id"], RECORDING);
}

#[test]
fn a_user_or_the_vendor_deletes_a_file_and_the_record_stays() {
    for by_user in [true, false] {
        let mut rig =
            Rig::with(Settings { listed_after_ms: 0, ready_after_ms: 0, retention_days: 2, ..Settings::default() });
        rig.hear_recorded_call();
        let kept_ms = if by_user { 3_600_000 } else { 2 * DAY_MS };
        rig.simulator.recording_mut(RECORDING).unwrap().deleted_after_ms = by_user.then_some(kept_ms);
        let target = format!("dateFrom=2026-01-01T00:00:00Z&telephonySessionId={SESSION}");
        rig.now_ms += kept_ms - 1;
        rig.token = rig.mint();
        assert_eq!(rig.direct(RECORDING).status, 200);
        assert_eq!(rig.records(&target)[0]["recording"]["id"], RECORDING);
        rig.now_ms += 1;
        assert_eq!(code(&rig.direct(RECORDING)), "CMN-102");
        assert!(rig.records(&target)[0].get("recording").is_none());
        assert_eq!(rig.simulator.offered().next().unwrap().deleted_at_ms, Some(rig.now_ms));
    }
}

#[test]
fn a_record_is_found_by_its_id() {
    let mut rig = Rig::with(Settings { listed_after_ms: 20_000, ready_after_ms: 0, ..Settings::default() });
    rig.hear_recorded_call();
    rig.now_ms += 20_000;
    let listed = rig.records("view=Detailed").remove(0);
    let id = listed["id"].as_str().unwrap().to_owned();
    let one = rig.get(&format!("{CALL_LOG}/{id}?view=Detailed"));
    assert_eq!((one.header("x-rate-limit-group"), body(&one)), (Some("heavy"), listed));
    let of = |extension: &str| format!("/restapi/v1.0/account/~/extension/{extension}/call-log/{id}");
    assert!(body(&rig.get(&of("800000102"))).get("legs").is_none());
    assert_eq!(code(&rig.get(&of("800000103"))), "CMN-102");
    assert_eq!(code(&rig.get(&format!("{CALL_LOG}/other"))), "CMN-102");
    rig.now_ms -= 1;
    assert_eq!(code(&rig.get(&format!("{CALL_LOG}/{id}"))), "CMN-102", "not listed yet");
}
