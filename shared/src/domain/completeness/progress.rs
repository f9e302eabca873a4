//! How far the reports of an account have come: the state of its cursor.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Link;
use crate::domain::{day::Day, object_key::ObjectKey};

/// Days are proved again when the last proof ended so long ago, milliseconds: hourly, by a schedule that is not punctual.
const HOURLY_MS: u64 = 55 * 60_000;

/// What a run leaves for the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The report issued last.
    pub head: Option<Head>,
    /// The reports up to this place were found to be what the ones after them say.
    pub verified: u64,
    /// A report that may have been written since.
    pub pending: Option<Pending>,
    /// Days whose proof was not settled, or of whose calls more was learned since.
    pub open: BTreeSet<Day>,
    /// Days of the round under way that are not proved yet.
    pub left: BTreeSet<Day>,
    /// A digest of what lay under the keys of manifests and recordings of the last closed days when the round began.
    pub listed: BTreeMap<Day, String>,
    /// When the last round ended, epoch milliseconds.
    pub proved_ms: Option<u64>,
    /// The last of the closed days that are all proved; none before the first run.
    pub through: Option<Day>,
}

/// The end of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its place, from 1.
    pub sequence: u64,
    /// The report.
    pub link: Link,
}

/// A report about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its key.
    pub key: ObjectKey,
    /// SHA-256 of its bytes, base64.
    pub sha256: String,
}

/// The cursor's state is not what this version writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot read how far the reports have come")]
pub struct InvalidProgress;

#[derive(Serialize, Deserialize)]
struct Document {
    head: Option<HeadDocument>,
    #[serde(default)]
    verified: u64,
    pending: Option<PendingDocument>,
    open: Vec<String>,
    #[serde(default)]
    left: Vec<String>,
    #[serde(default)]
    listed: BTreeMap<String, String>,
    #[serde(default)]
    proved_ms: Option<u64>,
    through: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct HeadDocument {
    sequence: u64,
    key: String,
    version: Option<String>,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
struct PendingDocument {
    key: String,
    sha256: String,
}

impl Progress {
    /// The state as the cursor keeps it.
    pub fn to_json(&self) -> String {
        let head = self.head.clone().map(|Head { sequence, link: Link { key, version, sha256 } }| HeadDocument {
            sequence,
            key: key.to_string(),
            version,
            sha256,
        });
        let pending = self.pending.clone();
        let document = Document {
            head,
            verified: self.verified,
            pending: pending.map(|Pending { key, sha256 }| PendingDocument { key: key.to_string(), sha256 }),
            open: self.open.iter().map(Day::to_string).collect(),
            left: self.left.iter().map(Day::to_string).collect(),
            listed: self.listed.iter().map(|(day, digest)| (day.to_string(), digest.clone())).collect(),
            proved_ms: self.proved_ms,
            through: self.through.as_ref().map(Day::to_string),
        };
        // Texts, numbers and lists: there is nothing in it that JSON cannot say.
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// Reads [`Progress::to_json`].
    ///
    /// # Errors
    /// Refuses what no version of this program wrote.
    pub fn parse(json: &str) -> Result<Self, InvalidProgress> {
        let document: Document = serde_json::from_str(json).map_err(|_| InvalidProgress)?;
        let Document { head, verified, pending, open, left, listed, proved_ms, through } = document;
        let day = |text: String| Day::parse(&text).ok_or(InvalidProgress);
        let head = head.map(|HeadDocument { sequence, key, version, sha256 }| {
            let link = Link { key: ObjectKey::from_row(key), version, sha256 };
            Head { sequence, link }
        });
        Ok(Self {
            head,
            verified,
            pending: pending.map(|PendingDocument { key, sha256 }| Pending { key: ObjectKey::from_row(key), sha256 }),
            open: open.into_iter().map(day).collect::<Result<_, _>>()?,
            left: left.into_iter().map(day).collect::<Result<_, _>>()?,
            listed: listed.into_iter().map(|(text, digest)| Ok((day(text)?, digest))).collect::<Result<_, _>>()?,
            proved_ms,
            through: through.map(day).transpose()?,
        })
    }

    /// More was learned of calls of these days. Those that are not proved yet need no reminder.
    pub fn touch(&mut self, days: &BTreeSet<Day>) {
        let proved = days.iter().filter(|day| self.through.is_some_and(|through| **day <= through));
        self.open.extend(proved);
    }

    /// Whether days are to be proved at `now_ms`, epoch milliseconds: a round is under way, or the last one was an hour ago.
    pub fn is_due(&self, now_ms: u64) -> bool {
        !self.left.is_empty() || self.proved_ms.is_none_or(|proved_ms| now_ms >= proved_ms.saturating_add(HOURLY_MS))
    }

    /// Begins a round, if none is under way: with the days up to `first_open` that have closed since the last one, those that
    /// are open, those that have calls in the queue, and the last closed days that are not `listed` as they were.
    pub fn begin(&mut self, first_open: Day, queued: impl Iterator<Item = Day>, listed: BTreeMap<Day, String>) {
        if !self.left.is_empty() {
            return;
        }
        let changed =
            listed.iter().filter(|(day, digest)| self.listed.get(day).is_some_and(|before| before != *digest));
        let others = self.open.iter().copied().chain(queued).chain(changed.map(|(day, _)| *day));
        self.left = others.filter(|day| self.through.is_some_and(|through| *day <= through)).collect();
        let mut next = self.through.map(Day::next);
        while let Some(day) = next.filter(|day| *day < first_open) {
            self.left.insert(day);
            next = Some(day.next());
        }
        self.listed = listed;
    }

    /// The days that are left: first those that have closed since, one after the other, then the others, from another one on
    /// with every one of the `turns`, so that none is always the one there is no time for.
    pub fn in_turn(&self, turns: u64) -> Vec<Day> {
        let (mut days, mut others): (Vec<_>, Vec<_>) =
            self.left.iter().partition(|day| self.through.is_none_or(|through| **day > through));
        let turns = usize::try_from(turns).unwrap_or_default().checked_rem(others.len());
        others.rotate_left(turns.unwrap_or_default());
        days.extend(others);
        days
    }

    /// A day was proved. If it is the one that was next, the one after it is.
    pub fn proved(&mut self, day: Day, stays_open: bool) {
        self.left.remove(&day);
        if self.through.is_some_and(|through| through.next() == day) {
            self.through = Some(day);
        }
        if stays_open {
            self.open.insert(day);
        } else {
            self.open.remove(&day);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn progress_survives_a_round_trip() {
        let key = ObjectKey::from_row("reports/account=800/date=2026-03-02.json".into());
        let link = Link { key: key.clone(), version: Some("v1".into()), sha256: "abc=".into() };
        let full = Progress {
            head: Some(Head { sequence: 7, link: link.clone() }),
            verified: 6,
            pending: Some(Pending { key, sha256: "def=".into() }),
            open: [day("2026-03-01"), day("2026-02-28")].into(),
            left: [day("2026-02-28")].into(),
            listed: [(day("2026-03-02"), "ghi=".to_owned())].into(),
            proved_ms: Some(7),
            through: Some(day("2026-03-02")),
        };
        let unversioned =
            Progress { head: Some(Head { sequence: 1, link: Link { version: None, ..link } }), ..Progress::default() };
        for progress in [full, unversioned, Progress::default()] {
            assert_eq!(Progress::parse(&progress.to_json()), Ok(progress));
        }
        for json in ["", "{}", r#"{"head":null,"pending":null,"open":["yesterday"],"through":null}"#] {
            assert_eq!(Progress::parse(json), Err(InvalidProgress), "{json}");
        }
    }

    #[test]
    fn a_state_of_an_earlier_version_is_read() {
        let json = r#"{"head":null,"pending":null,"open":[],"through":"2026-03-02"}"#;
        let expected = Progress { through: Some(day("2026-03-02")), ..Progress::default() };
        assert_eq!(Progress::parse(json), Ok(expected));
    }

    #[test]
    fn a_round_has_what_closed_what_is_open_and_what_changed() {
        let listed = |digests: &[(&str, &str)]| -> BTreeMap<_, _> {
            digests.iter().map(|(text, digest)| (day(text), (*digest).to_owned())).collect()
        };
        let mut progress = Progress {
            through: Some(day("2026-03-03")),
            listed: listed(&[("2026-03-02", "a"), ("2026-03-03", "a")]),
            ..Progress::default()
        };
        progress.touch(&[day("2026-01-01"), day("2026-03-04")].into());
        assert_eq!(progress.open, [day("2026-01-01")].into(), "what is not closed will be proved anyway");
        let queued = [day("2026-01-02"), day("2026-03-06")];
        let now = listed(&[("2026-03-01", "b"), ("2026-03-02", "b"), ("2026-03-03", "a")]);
        progress.begin(day("2026-03-06"), queued.into_iter(), now.clone());
        let [first, second, third] = [day("2026-01-01"), day("2026-01-02"), day("2026-03-02")];
        let closed = [day("2026-03-04"), day("2026-03-05")];
        assert_eq!(progress.in_turn(0), [closed[0], closed[1], first, second, third]);
        assert_eq!(progress.in_turn(4), [closed[0], closed[1], second, third, first]);
        assert_eq!(progress.listed, now);

        progress.proved(third, false);
        progress.begin(day("2026-03-06"), queued.into_iter(), BTreeMap::new());
        assert_eq!(progress.in_turn(0), [closed[0], closed[1], first, second], "the round goes on");
        assert_eq!(Progress::default().in_turn(3), []);
    }

    #[test]
    fn a_round_is_due_hourly_and_until_it_ends() {
        let ended = Progress { proved_ms: Some(HOURLY_MS), ..Progress::default() };
        assert!(Progress::default().is_due(0));
        assert!(!ended.is_due(2 * HOURLY_MS - 1) && ended.is_due(2 * HOURLY_MS));
        assert!(Progress { left: [day("2026-03-02")].into(), ..ended }.is_due(HOURLY_MS));
    }

    #[test]
    fn a_proved_day_is_open_until_it_is_settled() {
        let mut progress = Progress { through: Some(day("2026-03-01")), ..Progress::default() };
        progress.proved(day("2026-03-02"), true);
        assert_eq!((progress.through, progress.open.len()), (Some(day("2026-03-02")), 1));
        for other in ["2026-02-01", "2026-03-04"] {
            progress.proved(day(other), true);
            assert_eq!(progress.through, Some(day("2026-03-02")), "{other} is not the next one");
        }
        progress.proved(day("2026-03-02"), false);
        assert_eq!(progress.open, [day("2026-02-01"), day("2026-03-04")].into());
        progress.proved(day("2026-03-03"), false);
        assert_eq!(progress.through, Some(day("2026-03-03")));
    }
}
