use http::{HeaderMap, HeaderName, HeaderValue};
use shared::{
    clients::ringcentral::{Scope, Throttled, plan},
    domain::permits::{Group, Ledger, PermitId, Reserved, Share},
};

/// When the replies come, epoch milliseconds.
const NOW_MS: u64 = 1_772_409_600_000;

/// The longest pause and the longest window that are believed, milliseconds.
const LONGEST_MS: u64 = 15 * 60 * 1000;

/// The code of a 429 and, a line each, its headers. Whatever they are: the pause is bounded and never shorter than the
/// vendor asks for within that; the ledger that follows them grants no more than the limit and nothing while it is frozen.
pub fn rate_headers(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let code = lines.next().and_then(|line| std::str::from_utf8(line).ok()).map(str::to_owned);
    let headers: HeaderMap = lines.filter_map(header).take(32).collect();
    let (group, plan) = plan(&headers);
    assert!(plan.limit.is_none_or(|limit| limit > 0));
    assert!(plan.window_ms.is_none_or(|window_ms| (1..=LONGEST_MS).contains(&window_ms)));
    if let Some(group) = &group {
        assert_eq!(Group::parse(group.as_str()).as_ref(), Some(group), "a group is written as it is read");
    }
    let throttled = Throttled::of(&headers, code.clone());
    assert!((1..=LONGEST_MS).contains(&throttled.pause_ms), "{throttled:?}");
    let asked_ms = asked_s(&headers).map(|seconds| seconds.saturating_mul(1000).min(LONGEST_MS));
    assert!(asked_ms.max(plan.window_ms).is_none_or(|least_ms| throttled.pause_ms >= least_ms), "{throttled:?}");
    let nameless = group.is_none() && plan.limit.is_none() && plan.window_ms.is_none();
    let everything = nameless || code.as_deref() == Some("CMN-310");
    assert_eq!(throttled.scope == Scope::All, everything, "{throttled:?}");

    let mut ledger = Ledger::of(&group.unwrap_or_else(Group::heavy));
    ledger.follow(plan);
    let ids: Vec<PermitId> = (0..36).map(|number| PermitId::new("h", number, Share::WHOLE)).collect();
    let limit = ledger.limit as usize;
    assert!(limit > 0 && ledger.window_ms > 0, "{ledger:?}");
    let (first, rest) = ids.split_at(12);
    let (second, last) = rest.split_at(12);
    let within_ms = NOW_MS + ledger.window_ms - 1;
    let granted = taken(&mut ledger, first, NOW_MS) + taken(&mut ledger, second, within_ms);
    assert!(granted <= limit, "{granted} of {limit} within one window");
    ledger.freeze(NOW_MS + throttled.pause_ms);
    assert_eq!(taken(&mut ledger, last, NOW_MS + throttled.pause_ms - 1), 0, "sent inside the penalty");
    let long_after_ms = NOW_MS + 3 * LONGEST_MS;
    assert_eq!(taken(&mut ledger, last, long_after_ms), limit.min(last.len()), "nothing is held back for good");
}

/// How many permits are granted.
fn taken(ledger: &mut Ledger, ids: &[PermitId], now_ms: u64) -> usize {
    match ledger.reserve(ids, Share::WHOLE, now_ms, now_ms) {
        Reserved::Granted(granted) => granted.len(),
        Reserved::NotBefore(at_ms) => {
            assert!(at_ms > now_ms, "it says to ask again at once");
            0
        }
    }
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(colon);
    Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value.get(1..)?).ok()?))
}

/// `Retry-After` in plain digits.
fn asked_s(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
