//! API.md §3: the knobs.

use super::rig::{CALL_LOG, RECORDING, Rig, code};
use crate::core::{Origin, RateGroup};
use crate::{Settings, ThrottleCode};

#[test]
fn media_may_have_a_bucket_of_its_own() {
    let mut rig = Rig::with(Settings { media_limit: Some(2), heavy_limit: 1, ..Settings::default() });
    assert_eq!(rig.get(CALL_LOG).status, 200);
    let first = rig.direct(RECORDING);
    assert_eq!((first.header("x-rate-limit-group"), first.header("x-rate-limit-limit")), (Some("media"), Some("2")));
    rig.direct(RECORDING);
    assert_eq!(rig.direct(RECORDING).status, 429);
    assert_eq!(rig.get(CALL_LOG).status, 429);
    assert_eq!(rig.simulator.requests().last().unwrap().group, Some(RateGroup::Heavy));
}

#[test]
fn headers_may_be_left_out() {
    let mut rig = Rig::with(Settings { heavy_limit: 1, rate_headers: false, ..Settings::default() });
    for status in [200, 429] {
        let reply = rig.get(CALL_LOG);
        assert_eq!(reply.status, status);
        assert!(reply.headers.iter().all(|(name, _)| !name.starts_with("X-Rate-Limit")));
        assert_eq!(reply.header("retry-after").is_some(), status == 429);
    }
    rig.simulator.settings_mut().retry_after = false;
    assert_eq!(rig.get(CALL_LOG).header("retry-after"), None);
}

#[test]
fn the_code_of_a_refusal_may_be_another() {
    use ThrottleCode::{Cmn301, Cmn302, Cmn303, Cmn304, Cmn310};
    let cases =
        [(Cmn301, "CMN-301"), (Cmn302, "CMN-302"), (Cmn303, "CMN-303"), (Cmn304, "CMN-304"), (Cmn310, "CMN-310")];
    for (throttle_code, expected) in cases {
        let mut rig = Rig::with(Settings { heavy_limit: 0, throttle_code, ..Settings::default() });
        let reply = rig.get(CALL_LOG);
        assert_eq!((reply.status, code(&reply).as_str()), (429, expected));
    }
}

#[test]
fn limits_change_while_it_runs() {
    let mut rig = Rig::new();
    rig.simulator.settings_mut().heavy_limit = 12;
    assert!((0..12).all(|_| rig.get(CALL_LOG).status == 200));
    rig.simulator.settings_mut().heavy_limit = 3;
    rig.now_ms += 60_000;
    assert_eq!((0..4).map(|_| rig.get(CALL_LOG).status).collect::<Vec<_>>(), [200, 200, 200, 429]);
}

#[test]
fn a_limit_may_be_announced_before_it_decides() {
    let mut rig = Rig::with(Settings { announced_heavy_limit: Some(2), heavy_limit: 3, ..Settings::default() });
    let mut ask = || {
        let reply = rig.get(CALL_LOG);
        let header = |name| reply.header(name).unwrap().to_owned();
        (reply.status, header("x-rate-limit-limit"), header("x-rate-limit-remaining"))
    };
    let told = |status, remaining: &str| (status, "2".to_owned(), remaining.to_owned());
    assert_eq!([ask(), ask(), ask(), ask()], [told(200, "1"), told(200, "0"), told(200, "0"), told(429, "0")]);
    assert_eq!(
        rig.call(Origin::Platform, "GET", "/restapi/v1.0/subscription").header("x-rate-limit-limit"),
        Some("50")
    );
}
