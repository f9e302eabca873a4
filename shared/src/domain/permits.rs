//! How many requests may be sent, and when: arithmetic on one ledger of what was sent (API.md §3).
//!
//! A permit used is free again one window after its own reply was seen. The vendor counts a request when it arrives,
//! which is before its reply and after it was sent; so what this ledger lets through never passes the vendor's limit,
//! wherever in its sliding window the vendor looks.

use std::{collections::BTreeMap, fmt};

/// A group of endpoints that share one limit. The names are the vendor's data; it may change them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group(String);

/// The documented groups with their requests a window (API.md §3).
const DOCUMENTED: [(&str, u32); 4] = [("auth", 5), ("heavy", 10), ("light", 50), ("medium", 40)];

/// What is assumed of a group the vendor has said nothing of yet.
const UNKNOWN_LIMIT: u32 = 10;

/// The documented window, milliseconds.
const WINDOW_MS: u64 = 60_000;

/// While the vendor has not said what holds, one request at a time is sent; the others look again after this,
/// milliseconds.
const UNHEARD_MS: u64 = 250;

/// The functions' clocks agree to within this, milliseconds.
const CLOCKS_DIFFER_MS: u64 = 100;

impl Group {
    /// The group a header names, in lower case; nothing if it is no name.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        fits.then_some(Self(text))
    }

    /// Recordings and the call log, until a reply says otherwise.
    pub fn heavy() -> Self {
        Self("heavy".to_owned())
    }

    /// The status of a live session, and what stands of subscriptions, until a reply says otherwise.
    pub fn light() -> Self {
        Self("light".to_owned())
    }

    /// Making and deleting subscriptions, until a reply says otherwise.
    pub fn medium() -> Self {
        Self("medium".to_owned())
    }

    /// Tokens, until a reply says otherwise.
    pub fn auth() -> Self {
        Self("auth".to_owned())
    }

    /// The groups that are documented.
    pub fn documented() -> impl Iterator<Item = Self> {
        DOCUMENTED.iter().map(|(name, _)| Self((*name).to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Group {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Names one permit of one process, so that whoever repeats a write says the same thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PermitId(String);

/// Begins the names of permits that keep within a share of the limit.
const SHARED: &str = "share/";

impl PermitId {
    /// The `number`th permit of `holder`, who keeps within `share`.
    pub fn new(holder: &str, number: u64, share: Share) -> Self {
        let mark = if share == Share::WHOLE { "" } else { SHARED };
        Self(format!("{mark}{holder}/{number}"))
    }

    fn is_shared(&self) -> bool {
        self.0.starts_with(SHARED)
    }

    /// A permit as it stands in a row.
    pub fn from_row(text: String) -> Self {
        Self(text)
    }

    /// The text in the row.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The part of a limit that somebody keeps within, together with all others who keep within a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    percent: u32,
}

impl Share {
    /// All of it.
    pub const WHOLE: Self = Self { percent: 100 };

    /// So many percent of it; nothing unless that is 1 to 100.
    pub fn of_percent(percent: u32) -> Option<Self> {
        (1..=100).contains(&percent).then_some(Self { percent })
    }

    /// How long one request takes at this share of a limit that lets one through every `pace_ms`, milliseconds.
    pub fn pace_ms(self, pace_ms: u64) -> u64 {
        pace_ms.saturating_mul(100) / u64::from(self.percent)
    }

    /// How many of `room` uses it is; one at least.
    fn of(self, room: usize) -> usize {
        (room * self.percent as usize / 100).max(1)
    }
}

/// What one credential has sent in one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Whether a reply has come yet. Before, nobody knows that the limit is not lower than documented.
    pub heard: bool,
    /// Requests a window.
    pub limit: u32,
    /// Length of the window, milliseconds.
    pub window_ms: u64,
    /// Nothing may be sent before this, epoch milliseconds.
    pub frozen_until_ms: u64,
    /// Permits taken, each with the time its request was answered, or will have been at the latest; epoch milliseconds.
    pub uses: BTreeMap<PermitId, u64>,
}

/// What became of a wish for permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// These were granted, at least one.
    Granted(Vec<PermitId>),
    /// None is free before this, epoch milliseconds.
    NotBefore(u64),
}

/// What a reply's headers say of its group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Plan {
    /// Requests a window.
    pub limit: Option<u32>,
    /// Length of the window, milliseconds.
    pub window_ms: Option<u64>,
}

impl Ledger {
    /// A ledger with nothing in it: the documented limit and window.
    pub fn of(group: &Group) -> Self {
        let documented = DOCUMENTED.iter().find(|(name, _)| *name == group.0);
        Self {
            heard: false,
            limit: documented.map_or(UNKNOWN_LIMIT, |(_, limit)| *limit),
            window_ms: WINDOW_MS,
            frozen_until_ms: 0,
            uses: BTreeMap::new(),
        }
    }

    /// Takes as many of the permits `ids` as are free within `share`, the first ones; those taken before under the same ids
    /// are granted again. Until [`Ledger::answered`] says better they count as answered at `answered_by_ms`.
    pub fn reserve(&mut self, ids: &[PermitId], share: Share, now_ms: u64, answered_by_ms: u64) -> Reserved {
        if now_ms < self.frozen_until_ms {
            return Reserved::NotBefore(self.frozen_until_ms);
        }
        let mut granted = Vec::new();
        for id in ids {
            if self.uses.contains_key(id) {
                granted.push(id.clone());
            }
        }
        let window_ms = self.window_ms;
        self.uses.retain(|_, answered_ms| free_at_ms(*answered_ms, window_ms) > now_ms);
        for id in ids {
            if !granted.contains(id) && self.uses.len() < self.room() && self.has_room_within(share) {
                self.uses.insert(id.clone(), answered_by_ms);
                granted.push(id.clone());
            }
        }
        if granted.is_empty() {
            Reserved::NotBefore(self.room_at_ms(share, now_ms))
        } else {
            Reserved::Granted(granted)
        }
    }

    /// How many permits are free.
    pub fn free(&self, now_ms: u64) -> usize {
        if now_ms < self.frozen_until_ms {
            return 0;
        }
        let in_use =
            self.uses.values().filter(|answered_ms| free_at_ms(**answered_ms, self.window_ms) > now_ms).count();
        self.room().saturating_sub(in_use)
    }

    /// A request was answered, or given up, at `at_ms`.
    pub fn answered(&mut self, id: &PermitId, at_ms: u64) {
        self.uses.insert(id.clone(), at_ms);
    }

    /// A permit was not used: its request was never sent.
    pub fn give_back(&mut self, id: &PermitId) {
        self.uses.remove(id);
    }

    /// Follows what a reply said.
    pub fn follow(&mut self, plan: Plan) {
        self.heard = true;
        self.limit = plan.limit.filter(|limit| *limit > 0).unwrap_or(self.limit);
        self.window_ms = plan.window_ms.filter(|window_ms| *window_ms > 0).unwrap_or(self.window_ms);
    }

    /// Nothing may be sent before `until_ms`, on whatever clock. A freeze is never shortened.
    pub fn freeze(&mut self, until_ms: u64) {
        self.frozen_until_ms = self.frozen_until_ms.max(past_on_every_clock(until_ms));
    }

    /// How many uses the window takes.
    fn room(&self) -> usize {
        if self.heard { self.limit as usize } else { 1 }
    }

    fn has_room_within(&self, share: Share) -> bool {
        share == Share::WHOLE || self.uses.keys().filter(|id| id.is_shared()).count() < share.of(self.room())
    }

    /// When so many of the uses have left the window that one more fits, and one more within the share.
    fn room_at_ms(&self, share: Share, now_ms: u64) -> u64 {
        let leave = |counts: &dyn Fn(&PermitId) -> bool| {
            let mine = self.uses.iter().filter(|(id, _)| counts(id));
            let mut leave: Vec<u64> = mine.map(|(_, answered_ms)| free_at_ms(*answered_ms, self.window_ms)).collect();
            leave.sort_unstable();
            leave
        };
        let all = leave(&|_| true);
        if !self.heard {
            return all.first().map_or(now_ms, |free_ms| (*free_ms).min(now_ms + UNHEARD_MS));
        }
        let fits_at_ms = |leave: &[u64], room: usize| {
            let in_the_way = (leave.len() + 1).saturating_sub(room);
            in_the_way.checked_sub(1).and_then(|last| leave.get(last)).map_or(now_ms, |free_ms| *free_ms)
        };
        let any_ms = fits_at_ms(&all, self.room());
        if share == Share::WHOLE {
            return any_ms;
        }
        any_ms.max(fits_at_ms(&leave(&PermitId::is_shared), share.of(self.room())))
    }
}

/// When a permit can be used again: the first moment that is a window later on every clock.
fn free_at_ms(answered_ms: u64, window_ms: u64) -> u64 {
    past_on_every_clock(answered_ms.saturating_add(window_ms))
}

/// When a time of one clock is past on all of them.
fn past_on_every_clock(at_ms: u64) -> u64 {
    at_ms.saturating_add(CLOCKS_DIFFER_MS)
}

#[cfg(test)]
mod tests;
