//! A plain limit on requests of one process, as the vendor's headers state it (API.md §3). The permit ledger that all
//! functions share takes its place.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use http::HeaderMap;

use super::error::LONGEST_PAUSE;
use crate::{domain::day::millis, ports::recording_source::Closed};

/// Requests of one rate group in a sliding window.
#[derive(Debug)]
pub(super) struct RateLimit(Mutex<Window>);

#[derive(Debug)]
struct Window {
    limit: usize,
    window_ms: u64,
    replied_ms: VecDeque<u64>,
}

impl RateLimit {
    /// The documented default of the Heavy group: 10 requests in 60 s.
    pub(super) fn heavy() -> Self {
        Self(Mutex::new(Window { limit: 10, window_ms: 60_000, replied_ms: VecDeque::new() }))
    }

    /// Refuses where a request more would pass the limit, and says how long.
    pub(super) fn permit(&self, now_ms: u64) -> Result<(), Closed> {
        match self.with(|window| window.wait(now_ms)) {
            None => Ok(()),
            Some(retry_after) => Err(Closed::Throttled { retry_after }),
        }
    }

    /// Notes that a reply was seen, and what its headers say of the limit.
    pub(super) fn replied(&self, headers: &HeaderMap, now_ms: u64) {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok().filter(|n| *n > 0);
        self.with(|window| {
            window.replied_ms.push_back(now_ms);
            if let Some(limit) = number("x-rate-limit-limit") {
                window.limit = usize::try_from(limit).unwrap_or(usize::MAX);
            }
            if let Some(seconds) = number("x-rate-limit-window") {
                window.window_ms = seconds.saturating_mul(1000).min(millis(LONGEST_PAUSE));
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Window) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Window {
    /// Nothing if there is room; else how long until the window is empty, since a run that gets a single request may
    /// have to throw its answer away.
    fn wait(&mut self, now_ms: u64) -> Option<Duration> {
        while self.replied_ms.front().is_some_and(|replied_ms| replied_ms + self.window_ms <= now_ms) {
            self.replied_ms.pop_front();
        }
        let full = self.replied_ms.len() >= self.limit;
        let newest_ms = self.replied_ms.back().filter(|_| full)?;
        Some(Duration::from_millis((newest_ms + self.window_ms).saturating_sub(now_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_is_waited_out() {
        let limit = RateLimit::heavy();
        for now_ms in 0..10 {
            assert_eq!(limit.with(|window| window.wait(now_ms)), None);
            limit.replied(&HeaderMap::new(), now_ms);
        }
        assert_eq!(limit.with(|window| window.wait(10)), Some(Duration::from_millis(59_999)));
        assert_eq!(limit.with(|window| window.wait(60_000)), None);
        limit.replied(&HeaderMap::new(), 60_000);
        assert_eq!(limit.with(|window| window.wait(60_000)), Some(Duration::from_millis(60_000)));
    }

    #[test]
    fn follows_the_headers() {
        let limit = RateLimit::heavy();
        let mut headers = HeaderMap::new();
        headers.insert("X-Rate-Limit-Limit", "1".parse().unwrap());
        headers.insert("X-Rate-Limit-Window", "2".parse().unwrap());
        limit.replied(&headers, 5);
        assert_eq!(limit.with(|window| window.wait(6)), Some(Duration::from_millis(1999)));
        assert!(matches!(limit.permit(6), Err(Closed::Throttled { .. })));
        headers.insert("X-Rate-Limit-Window", u64::MAX.to_string().parse().unwrap());
        limit.replied(&headers, 6);
        assert_eq!(limit.with(|window| window.wait(7)), Some(LONGEST_PAUSE - Duration::from_millis(1)));
    }
}
