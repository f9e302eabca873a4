//! Rate limits with a penalty that every further request restarts (API.md §3).

use crate::settings::Settings;
use std::collections::VecDeque;

/// A bucket of requests; all endpoints of one group share it (API.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateGroup {
    /// Call log, recording metadata and recording content.
    Heavy,
    /// Creating and deleting subscriptions.
    Medium,
    /// Reading subscriptions, the status of a live session.
    Light,
    /// Tokens.
    Auth,
    /// Recording content, if it does not count in group Heavy.
    Media,
}

impl RateGroup {
    /// The name in `X-Rate-Limit-Group`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Heavy => "heavy",
            Self::Medium => "medium",
            Self::Light => "light",
            Self::Auth => "auth",
            Self::Media => "media",
        }
    }

    fn limit(self, settings: &Settings) -> usize {
        match self {
            Self::Heavy => settings.heavy_limit,
            Self::Medium => settings.medium_limit,
            Self::Light => settings.light_limit,
            Self::Auth => settings.auth_limit,
            Self::Media => settings.media_limit.unwrap_or(settings.heavy_limit),
        }
    }

    /// The limit that headers speak of.
    fn announced(self, settings: &Settings) -> usize {
        let limit = self.limit(settings);
        match self {
            Self::Heavy => settings.announced_heavy_limit.unwrap_or(limit),
            Self::Medium | Self::Light | Self::Auth | Self::Media => limit,
        }
    }
}

/// All buckets of the one application and user.
#[derive(Default)]
pub(crate) struct Limits {
    heavy: Bucket,
    medium: Bucket,
    light: Bucket,
    auth: Bucket,
    media: Bucket,
}

#[derive(Default)]
struct Bucket {
    /// When each request of the window was let in, oldest first.
    admitted_at_ms: VecDeque<u64>,
    penalty_until_ms: u64,
}

/// The state of a bucket, as a reply's headers tell it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gauge {
    pub(crate) group: RateGroup,
    pub(crate) limit: usize,
    pub(crate) remaining: usize,
    pub(crate) window_s: u64,
    pub(crate) admitted: bool,
}

impl Limits {
    /// Counts a request, or refuses it and starts the penalty anew.
    pub(crate) fn count(&mut self, group: RateGroup, settings: &Settings, now_ms: u64) -> Gauge {
        let bucket = match group {
            RateGroup::Heavy => &mut self.heavy,
            RateGroup::Medium => &mut self.medium,
            RateGroup::Light => &mut self.light,
            RateGroup::Auth => &mut self.auth,
            RateGroup::Media => &mut self.media,
        };
        let admitted = bucket.admit(group.limit(settings), settings.rate_window_ms, now_ms);
        let limit = group.announced(settings);
        let remaining = if admitted { limit.saturating_sub(bucket.admitted_at_ms.len()) } else { 0 };
        Gauge { group, limit, remaining, window_s: settings.rate_window_ms.div_ceil(1_000), admitted }
    }
}

impl Bucket {
    fn admit(&mut self, limit: usize, window_ms: u64, now_ms: u64) -> bool {
        while self.admitted_at_ms.front().is_some_and(|at_ms| at_ms + window_ms <= now_ms) {
            self.admitted_at_ms.pop_front();
        }
        let admitted = now_ms >= self.penalty_until_ms && self.admitted_at_ms.len() < limit;
        if admitted {
            self.admitted_at_ms.push_back(now_ms);
        } else {
            self.penalty_until_ms = now_ms + window_ms;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(limits: &mut Limits, now_ms: u64) -> bool {
        limits.count(RateGroup::Heavy, &Settings::default(), now_ms).admitted
    }

    #[test]
    fn the_window_slides() {
        let mut limits = Limits::default();
        assert!((0..10).all(|index| admitted(&mut limits, index * 1_000)));
        assert!(admitted(&mut limits, 60_000), "the request at 0 has left the window");
        assert!(!admitted(&mut limits, 60_999));
    }

    #[test]
    fn a_request_in_the_penalty_restarts_it() {
        let mut limits = Limits::default();
        assert!((0..10).all(|_| admitted(&mut limits, 0)));
        assert!(!admitted(&mut limits, 1_000));
        assert!(!admitted(&mut limits, 60_999), "the first penalty lasts until 61 000");
        assert!(!admitted(&mut limits, 120_998), "the second until 120 999");
        assert!(admitted(&mut limits, 180_998));
    }

    #[test]
    fn groups_do_not_share() {
        let mut limits = Limits::default();
        assert!((0..10).all(|_| admitted(&mut limits, 0)));
        let light = limits.count(RateGroup::Light, &Settings::default(), 0);
        assert!(light.admitted);
        assert_eq!((light.remaining, light.window_s), (49, 60));
    }
}
