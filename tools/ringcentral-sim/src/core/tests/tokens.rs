//! API.md §2 and §3.

use super::rig::{CALL_LOG, Rig, body, code, jwt_form};
use crate::core::{Origin, RateGroup};
use crate::{JwtState, Settings};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[test]
fn a_wrong_client_jwt_or_grant_is_refused_with_its_code() {
    let ours = "sim-client:sim-secret";
    let good = jwt_form("sim.jwt.assertion");
    let cases = [
        ("secret", "sim-client:wrong", good.as_str(), 401, "OAU-146", "invalid_client"),
        ("client", "other:sim-secret", good.as_str(), 401, "OAU-146", "invalid_client"),
        ("jwt", ours, &jwt_form("other"), 400, "OAU-213", "invalid_grant"),
        ("grant", ours, "grant_type=password&username=x", 403, "OAU-112", "unauthorized_client"),
        ("no form", ours, "", 400, "CMN-101", "invalid_request"),
    ];
    for (name, client, form, status, inner, error) in cases {
        let mut rig = Rig::new();
        let reply = rig.ask_token(client, form);
        assert_eq!((reply.status, code(&reply).as_str()), (status, inner), "{name}");
        assert_eq!(body(&reply)["error"], error, "{name}");
    }
}

#[test]
fn a_request_without_a_live_token_is_refused_with_its_code() {
    let unknown = format!("Bearer SIM{}", "x".repeat(43));
    let cases = [
        (None, "AGW-401"),
        (Some("Bearer"), "AGW-402"),
        (Some("Basic abc"), "AGW-402"),
        (Some("Bearer rubbish"), "OAU-149"),
        (Some(unknown.as_str()), "OAU-213"),
    ];
    for (header, expected) in cases {
        let mut rig = Rig::new();
        let headers = header.map(|value| ("Authorization".to_owned(), value.to_owned()));
        let reply = rig.send(Origin::Platform, "GET", CALL_LOG, headers.into_iter().collect(), "");
        assert_eq!((reply.status, code(&reply).as_str()), (401, expected), "{header:?}");
        assert_eq!(reply.header("x-rate-limit-group"), None, "it was counted nowhere");
    }
}

#[test]
fn a_token_expires() {
    let mut rig = Rig::new();
    rig.now_ms += 3_599_999;
    assert_eq!(rig.get(CALL_LOG).status, 200);
    rig.now_ms += 1;
    let reply = rig.get(CALL_LOG);
    assert_eq!((reply.status, code(&reply).as_str()), (401, "OAU-128"));
    assert_eq!(body(&reply)["errorCode"], "TokenExpired");
}

#[test]
fn the_sixth_session_evicts_the_first() {
    let mut rig = Rig::new();
    let first = rig.token.clone();
    for _ in 0..4 {
        rig.mint();
    }
    assert_eq!(rig.get(CALL_LOG).status, 200, "five may live");
    rig.now_ms += 60_000;
    let sixth = rig.mint();
    let reply = rig.get(CALL_LOG);
    assert_eq!((reply.status, code(&reply).as_str()), (401, "OAU-213"));
    rig.token = sixth;
    assert_eq!(rig.get(CALL_LOG).status, 200);
    assert_ne!(first, rig.token);
}

#[test]
fn the_sixth_token_request_of_a_minute_is_refused() {
    let mut rig = Rig::new();
    for _ in 0..4 {
        rig.mint();
    }
    let reply = rig.ask_token("sim-client:sim-secret", &jwt_form("sim.jwt.assertion"));
    assert_eq!((reply.status, code(&reply).as_str()), (429, "CMN-301"));
    assert_eq!(reply.header("x-rate-limit-group"), Some("auth"));
}

#[test]
fn the_call_log_and_the_media_share_one_budget_and_every_refused_request_restarts_the_penalty() {
    let mut rig = Rig::new();
    for _ in 0..5 {
        rig.get(CALL_LOG);
        rig.direct("1");
    }
    let refused = rig.get(CALL_LOG);
    assert_eq!((refused.status, code(&refused).as_str()), (429, "CMN-301"));
    assert_eq!(refused.header("Retry-After"), Some("60"));
    assert_eq!(refused.header("X-Rate-Limit-Group"), Some("heavy"));
    assert_eq!(refused.header("X-Rate-Limit-Remaining"), Some("0"));
    rig.now_ms += 59_999;
    assert_eq!(rig.direct("1").status, 429, "inside the penalty");
    rig.now_ms += 59_999;
    assert_eq!(rig.get(CALL_LOG).status, 429, "it began again");
    rig.now_ms += 60_000;
    let let_in = rig.get(CALL_LOG);
    assert_eq!(let_in.status, 200);
    assert_eq!(let_in.header("X-Rate-Limit-Remaining"), Some("9"));
    assert_eq!(let_in.header("X-Rate-Limit-Limit"), Some("10"));
    assert_eq!(let_in.header("X-Rate-Limit-Window"), Some("60"));
    assert!(let_in.header("RCRequestId").is_some());
}

#[test]
fn the_request_log_tells_tokens_apart_without_showing_them() {
    let mut rig = Rig::new();
    rig.get(&format!("{CALL_LOG}?view=Simple"));
    rig.direct("1");
    rig.token = rig.mint();
    rig.get("/restapi/v1.0/nothing");
    let [minted, log, media, _, nowhere] = rig.simulator.requests() else { panic!("five requests were made") };
    assert_eq!((minted.group, minted.status, &minted.bearer), (Some(RateGroup::Auth), 200, &None));
    assert_eq!((log.group, log.status), (Some(RateGroup::Heavy), 200));
    assert_eq!(log.target, format!("{CALL_LOG}?view=Simple"));
    assert_eq!((media.origin, media.status), (Origin::Media, 404));
    assert_eq!(log.bearer, media.bearer);
    assert_ne!(log.bearer, nowhere.bearer);
    assert_eq!((nowhere.group, nowhere.status), (None, 404));
    assert!(!format!("{:?}", rig.simulator.requests()).contains(&rig.token));
}

#[test]
fn a_path_that_is_no_endpoint_is_cmn_120() {
    let mut rig = Rig::with(Settings::default());
    assert_eq!(code(&rig.get("/restapi/v1.0/account/~/call-logs")), "CMN-120");
    assert_eq!(code(&rig.call(Origin::Media, "GET", CALL_LOG)), "CMN-120");
    assert_eq!(code(&rig.call(Origin::Platform, "POST", CALL_LOG)), "CMN-120");
}

#[test]
fn a_revoked_token_ends_at_once_and_its_place_is_free() {
    let mut rig = Rig::new();
    let revoke = |rig: &mut Rig, client: &str, token: &str| {
        let basic = format!("Basic {}", STANDARD.encode(client));
        let headers = vec![("Authorization".to_owned(), basic)];
        rig.send(Origin::Platform, "POST", "/restapi/oauth/revoke", headers, &format!("token={token}"))
    };
    let token = rig.token.clone();
    assert_eq!(code(&revoke(&mut rig, "other:secret", &token)), "OAU-146");
    assert_eq!(rig.get(CALL_LOG).status, 200);
    let revoked = revoke(&mut rig, "sim-client:sim-secret", &token);
    assert_eq!((revoked.status, revoked.body.len()), (200, 0));
    assert_eq!(code(&rig.get(CALL_LOG)), "OAU-213");
    assert_eq!(revoke(&mut rig, "sim-client:sim-secret", &token).status, 200, "nobody minds");
}

#[test]
fn a_jwt_may_have_expired_or_been_revoked() {
    for (jwt_state, expected) in [(JwtState::Expired, "OAU-210"), (JwtState::Revoked, "OAU-211")] {
        let mut rig = Rig::new();
        rig.simulator.settings_mut().jwt_state = jwt_state;
        let reply = rig.ask_token("sim-client:sim-secret", &jwt_form("sim.jwt.assertion"));
        assert_eq!((reply.status, code(&reply).as_str()), (400, expected));
        assert_eq!(body(&reply)["error"], "invalid_grant");
        assert_eq!(rig.get(CALL_LOG).status, 200, "the session lives on");
    }
}

#[test]
fn a_shorter_life_may_be_asked_for() {
    let cases = [("600", Some(600)), ("3600", Some(1_800)), ("599", None), ("3601", None), ("x", None)];
    for (asked, expected) in cases {
        let mut rig = Rig::with(Settings { token_ttl_s: 1_800, ..Settings::default() });
        let form = format!("{}&access_token_ttl={asked}", jwt_form("sim.jwt.assertion"));
        let reply = body(&rig.ask_token("sim-client:sim-secret", &form));
        assert_eq!(reply["expires_in"].as_u64(), expected, "{asked}");
    }
}

#[test]
fn a_refresh_token_serves_once_where_the_application_has_them() {
    let mut rig = Rig::with(Settings { refresh_tokens: true, auth_limit: 100, ..Settings::default() });
    let granted = body(&rig.ask_token("sim-client:sim-secret", &jwt_form("sim.jwt.assertion")));
    rig.token = granted["access_token"].as_str().unwrap().to_owned();
    let form = format!("grant_type=refresh_token&refresh_token={}", granted["refresh_token"].as_str().unwrap());
    let refreshed = rig.ask_token("sim-client:sim-secret", &form);
    assert_eq!(refreshed.status, 200);
    for token in [&granted["access_token"], &granted["refresh_token"], &body(&refreshed)["access_token"]] {
        assert!(rig.simulator.issued().iter().any(|issued| token == issued), "it stays known");
    }
    assert_eq!(code(&rig.get(CALL_LOG)), "OAU-213", "the old access token has ended");
    assert_eq!(rig.ask_token("sim-client:sim-secret", &form).status, 400);

    let mut without = Rig::new();
    let granted = body(&without.ask_token("sim-client:sim-secret", &jwt_form("sim.jwt.assertion")));
    assert!(granted.get("refresh_token").is_none());
    assert_eq!(code(&without.ask_token("sim-client:sim-secret", &form)), "OAU-112");
}
