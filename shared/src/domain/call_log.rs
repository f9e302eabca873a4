//! What the call log says about one call, and what that means for a recording (API.md §7, §8).

use std::collections::BTreeMap;

use super::{
    ids::{PartyId, RecordingId},
    session::SessionRow,
};

/// A successful answer of the call log about one call: the union of all its records and their legs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallLogAnswer {
    /// How many records the answer holds; none means that the call is not listed (yet).
    pub records: usize,
    /// Recordings offered, with the address of their bytes. The address is untrusted.
    pub offered: BTreeMap<RecordingId, String>,
    /// Marks of recordings too short to be kept, each with the party it stands on, where the log names one.
    pub too_short: Vec<Option<PartyId>>,
}

/// What an answer means for one recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Fetch it from here.
    Offered(String),
    /// It was too short to be kept.
    TooShort,
    /// The answer does not speak of it.
    Silent,
}

impl CallLogAnswer {
    /// Judges one recording of a row. `shortRecording` names no recording: it is matched by party, or by being the
    /// only one that is unexplained; where that is ambiguous the recording waits.
    pub fn verdict(&self, row: &SessionRow, recording: &RecordingId) -> Verdict {
        if let Some(content_uri) = self.offered.get(recording) {
            return Verdict::Offered(content_uri.clone());
        }
        let unexplained: Vec<_> =
            row.unfinished().into_iter().filter(|other| !self.offered.contains_key(*other)).collect();
        let alone = unexplained.as_slice() == [recording];
        let mut parties = row.parties_of(recording);
        let marked = parties.any(|party| {
            let mine = self.too_short.iter().flatten().any(|marked| marked == party);
            mine && !unexplained
                .iter()
                .any(|other| *other != recording && row.parties_of(other).any(|its| its == party))
        });
        let nameless = self.too_short.iter().any(Option::is_none);
        if marked || (alone && nameless) { Verdict::TooShort } else { Verdict::Silent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::tests::{id, row};

    fn answer(offered: &[&str], too_short: &[Option<&str>]) -> CallLogAnswer {
        CallLogAnswer {
            records: 1,
            offered: offered
                .iter()
                .map(|text| (id(RecordingId::parse, text), format!("https://media/{text}")))
                .collect(),
            too_short: too_short.iter().map(|party| party.map(|text| id(PartyId::parse, text))).collect(),
        }
    }

    #[test]
    fn verdicts() {
        let two = row(&["1|p-1", "2|p-2"], &["p-1", "p-2"]);
        let shared = row(&["1|p-1", "2|p-1"], &["p-1"]);
        let one = row(&["1|p-1"], &["p-1"]);
        for (case, row, answer, expected) in [
            ("offered", &two, answer(&["1"], &[]), Verdict::Offered("https://media/1".into())),
            ("not listed", &two, answer(&[], &[]), Verdict::Silent),
            ("its party is marked", &two, answer(&[], &[Some("p-1")]), Verdict::TooShort),
            ("another party is marked", &two, answer(&[], &[Some("p-2")]), Verdict::Silent),
            ("the party has two recordings", &shared, answer(&[], &[Some("p-1")]), Verdict::Silent),
            ("the other one of the party is offered", &shared, answer(&["2"], &[Some("p-1")]), Verdict::TooShort),
            ("a nameless mark, the only one left", &one, answer(&[], &[None]), Verdict::TooShort),
            ("a nameless mark, the other one offered", &two, answer(&["2"], &[None]), Verdict::TooShort),
            ("a nameless mark, two left", &two, answer(&[], &[None]), Verdict::Silent),
            ("offered and marked", &one, answer(&["1"], &[None]), Verdict::Offered("https://media/1".into())),
        ] {
            assert_eq!(answer.verdict(row, &id(RecordingId::parse, "1")), expected, "{case}");
        }
    }
}
