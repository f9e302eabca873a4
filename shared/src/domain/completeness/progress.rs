//! How far the reports of an account have come: the state of its cursor.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Link;
use crate::domain::{day::Day, object_key::ObjectKey};

/// What a run leaves for the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The report issued last.
    pub head: Option<Head>,
    /// A report that may have been written since.
    pub pending: Option<Pending>,
    /// Days whose proof was not settled.
    pub open: BTreeSet<Day>,
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
    pending: Option<PendingDocument>,
    open: Vec<String>,
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
            pending: pending.map(|Pending { key, sha256 }| PendingDocument { key: key.to_string(), sha256 }),
            open: self.open.iter().map(Day::to_string).collect(),
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
        let Document { head, pending, open, through } = serde_json::from_str(json).map_err(|_| InvalidProgress)?;
        let day = |text: String| Day::parse(&text).ok_or(InvalidProgress);
        let head = head.map(|HeadDocument { sequence, key, version, sha256 }| {
            let link = Link { key: ObjectKey::from_row(key), version, sha256 };
            Head { sequence, link }
        });
        Ok(Self {
            head,
            pending: pending.map(|PendingDocument { key, sha256 }| Pending { key: ObjectKey::from_row(key), sha256 }),
            open: open.into_iter().map(day).collect::<Result<_, _>>()?,
            through: through.map(day).transpose()?,
        })
    }

    /// A day was proved. If it is the one that was next, the one after it is.
    pub fn proved(&mut self, day: Day, settled: bool) {
        if self.through.is_some_and(|through| through.next() == day) {
            self.through = Some(day);
        }
        if settled {
            self.open.remove(&day);
        } else {
            self.open.insert(day);
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
            pending: Some(Pending { key, sha256: "def=".into() }),
            open: [day("2026-03-01"), day("2026-02-28")].into(),
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
    fn a_proved_day_is_open_until_it_is_settled() {
        let mut progress = Progress { through: Some(day("2026-03-01")), ..Progress::default() };
        progress.proved(day("2026-03-02"), false);
        assert_eq!((progress.through, progress.open.len()), (Some(day("2026-03-02")), 1));
        for other in ["2026-02-01", "2026-03-04"] {
            progress.proved(day(other), false);
            assert_eq!(progress.through, Some(day("2026-03-02")), "{other} is not the next one");
        }
        progress.proved(day("2026-03-02"), true);
        assert_eq!(progress.open, [day("2026-02-01"), day("2026-03-04")].into());
        progress.proved(day("2026-03-03"), true);
        assert_eq!(progress.through, Some(day("2026-03-03")));
    }
}
