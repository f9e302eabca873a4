//! What replies say of the vendor's limits: the plan in their headers, and what a 429 forbids (API.md §3).

use std::time::Duration;

use http::HeaderMap;

use crate::domain::{
    day::millis,
    permits::{Group, Plan},
};

/// Without `Retry-After` and window, wait at least this long (API.md §3).
const PAUSE_UNKNOWN_MS: u64 = 30_000;

/// The vendor's windows are a minute. A longer word, from whatever stands between, must not stop the archive for good.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// A 429.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttled {
    /// What it is about.
    pub scope: Scope,
    /// How long nothing may be sent, milliseconds.
    pub pause_ms: u64,
    /// The inner error code, where there is one.
    pub code: Option<String>,
}

/// What a 429 is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The group of the request.
    Group,
    /// Everything this credential sends.
    All,
}

/// The codes of a 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    /// CMN-301, CMN-302: a limit is passed.
    Rate,
    /// CMN-303: the limits of the application could not be found out.
    PlanUnresolved,
    /// CMN-304: the same request runs already.
    Duplicate,
    /// CMN-310: the whole service defends itself.
    Global,
    /// None of these, or none at all.
    Other,
}

impl Code {
    fn of(code: Option<&str>) -> Self {
        match code {
            Some("CMN-301" | "CMN-302") => Self::Rate,
            Some("CMN-303") => Self::PlanUnresolved,
            Some("CMN-304") => Self::Duplicate,
            Some("CMN-310") => Self::Global,
            Some(_) | None => Self::Other,
        }
    }
}

impl Throttled {
    /// What a 429 with these headers and this code forbids, for the longer of `Retry-After` and the window. Without any
    /// word of the limit it is some other limiter, of the account, the address or the service. Every further request
    /// would restart the penalty, whatever the code: so all of them close the gate, and a `Retry-After` of nothing is no word.
    pub fn of(headers: &HeaderMap, code: Option<String>) -> Self {
        let (group, Plan { limit, window_ms }) = plan(headers);
        let named = group.is_some() || limit.is_some() || window_ms.is_some();
        let scope = match Code::of(code.as_deref()) {
            Code::Global => Scope::All,
            Code::Rate | Code::PlanUnresolved | Code::Duplicate | Code::Other if named => Scope::Group,
            Code::Rate | Code::PlanUnresolved | Code::Duplicate | Code::Other => Scope::All,
        };
        let retry_after = number(headers, "retry-after").filter(|seconds| *seconds > 0);
        let retry_after_ms = retry_after.map(|seconds| seconds.saturating_mul(1000));
        let pause_ms = retry_after_ms.max(window_ms).unwrap_or(PAUSE_UNKNOWN_MS).min(millis(LONGEST_PAUSE));
        Self { scope, pause_ms, code }
    }

    /// Whether it reaches further than `other`.
    pub(super) fn is_wider_than(&self, other: &Self) -> bool {
        self.scope == Scope::All && other.scope == Scope::Group
    }
}

/// The group a reply names, and what it says of its limit. A limit of nothing, or a window of nothing or of more than a
/// quarter of an hour, is not believed.
pub fn plan(headers: &HeaderMap) -> (Option<Group>, Plan) {
    let group = headers.get("x-rate-limit-group").and_then(|value| value.to_str().ok()).and_then(Group::parse);
    let limit = number(headers, "x-rate-limit-limit").and_then(|limit| u32::try_from(limit).ok());
    let window_ms = number(headers, "x-rate-limit-window").map(|seconds| seconds.saturating_mul(1000));
    let plan = Plan {
        limit: limit.filter(|limit| *limit > 0),
        window_ms: window_ms.filter(|window_ms| (1..=millis(LONGEST_PAUSE)).contains(window_ms)),
    };
    (group, plan)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    const LIMITED: (&str, &str) = ("x-rate-limit-limit", "10");

    #[test]
    fn the_longer_of_retry_after_and_window_counts() {
        for (pairs, pause_s) in [
            (&[][..], 30),
            (&[("retry-after", "5")], 5),
            (&[("retry-after", "0")], 30),
            (&[("retry-after", "5"), ("x-rate-limit-window", "60")], 60),
            (&[("retry-after", "90"), ("x-rate-limit-window", "60")], 90),
            (&[("retry-after", "86400")], 900),
            (&[("retry-after", "18446744073709551615")], 900),
            (&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], 30),
        ] {
            assert_eq!(Throttled::of(&headers(pairs), None).pause_ms, pause_s * 1000, "{pairs:?}");
        }
    }

    #[test]
    fn a_code_or_the_lack_of_headers_decides_how_far_it_reaches() {
        for (code, pairs, scope, pause_s) in [
            (Some("CMN-301"), &[LIMITED, ("x-rate-limit-window", "60")][..], Scope::Group, 60),
            (Some("CMN-302"), &[LIMITED], Scope::Group, 30),
            (Some("CMN-303"), &[LIMITED], Scope::Group, 30),
            (Some("CMN-304"), &[LIMITED, ("retry-after", "2")], Scope::Group, 2),
            (Some("CMN-310"), &[LIMITED, ("x-rate-limit-window", "60")], Scope::All, 60),
            (Some("CMN-301"), &[], Scope::All, 30),
            (None, &[("retry-after", "7")], Scope::All, 7),
            (Some("XYZ-1"), &[LIMITED], Scope::Group, 30),
        ] {
            let throttled = Throttled::of(&headers(pairs), code.map(str::to_owned));
            assert_eq!((throttled.scope, throttled.pause_ms), (scope, pause_s * 1000), "{code:?} {pairs:?}");
        }
    }

    #[test]
    fn a_plan_is_believed_as_far_as_it_makes_sense() {
        let heard = |limit, window| {
            plan(&headers(&[
                ("X-Rate-Limit-Group", "Heavy"),
                ("X-Rate-Limit-Limit", limit),
                ("X-Rate-Limit-Window", window),
            ]))
        };
        let said = |limit, window_ms| (Some(Group::heavy()), Plan { limit, window_ms });
        assert_eq!(heard("40", "60"), said(Some(40), Some(60_000)));
        assert_eq!(heard("0", "0"), said(None, None));
        assert_eq!(heard("18446744073709551615", "18446744073709551615"), said(None, None));
        assert_eq!(heard("ten", "-1"), said(None, None));
        assert_eq!(plan(&HeaderMap::new()), (None, Plan::default()));
    }
}
