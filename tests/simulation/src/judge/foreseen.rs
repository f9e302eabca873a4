//! What is known beforehand of a world's calls.

use std::collections::{BTreeMap, BTreeSet};

use ringcentral_sim::world::{Direct, ListedAt, Script};
use serde_json::Value;
use shared::domain::ids::RecordingId;

/// Parts of the secrets and tokens of the simulated world; none may be in a log line, nor a name or a number.
const PRIVATE: [&str; 4] = ["SIM", "sim-secret", "sim.jwt", "simulated-verification"];

/// What is known beforehand of a world's calls.
#[derive(Default)]
pub(crate) struct Foreseen {
    private: BTreeSet<String>,
    truth: BTreeMap<String, Truth>,
}

/// What the vendor will do with a recording.
pub(super) struct Truth {
    /// It is below the vendor's minimum.
    pub(super) too_short: bool,
    /// It waits until a person looks or the vendor's retention is over: the log names a host that no token may go to,
    /// nothing comes of it, or the media URL neither serves nor denies it.
    pub(super) out_of_reach: bool,
    /// Sooner or later it can be had, and stays.
    pub(super) must_be_archived: bool,
    /// The vendor never says that there is no such recording.
    pub(super) never_denied: bool,
}

impl Foreseen {
    /// What these scripts say.
    pub(crate) fn of<'a>(scripts: impl IntoIterator<Item = &'a Script>) -> Self {
        let mut foreseen = Self::default();
        scripts.into_iter().for_each(|script| foreseen.add(script));
        foreseen
    }

    /// A script more.
    fn add(&mut self, script: &Script) {
        for step in &script.steps {
            collect_private(&step.event["body"]["parties"], &mut self.private);
        }
        self.truth.extend(truths(script));
    }

    /// A recording more that is offered and stays, of people who are known.
    pub(crate) fn add_lasting(&mut self, recording: &str) {
        let truth = Truth { too_short: false, out_of_reach: false, must_be_archived: true, never_denied: false };
        self.truth.insert(recording.to_owned(), truth);
    }

    /// A recording more, of people who are known, that the vendor deletes before anybody can be sure to have it.
    pub(crate) fn add_passing(&mut self, recording: &str) {
        let truth = Truth { too_short: false, out_of_reach: false, must_be_archived: false, never_denied: false };
        self.truth.insert(recording.to_owned(), truth);
    }

    /// A recording more, of people who are known, of which nothing comes until a person looks.
    pub(crate) fn add_waiting(&mut self, recording: &str) {
        let truth = Truth { too_short: false, out_of_reach: true, must_be_archived: false, never_denied: true };
        self.truth.insert(recording.to_owned(), truth);
    }

    /// What the vendor will do with a recording; nothing if it is none of the vendor's.
    pub(super) fn truth(&self, recording: &RecordingId) -> Option<&Truth> {
        self.truth.get(recording.as_str())
    }

    /// What must not be logged and is in a line.
    pub(super) fn private_in(&self, line: &str) -> Option<String> {
        let names = self.private.iter().map(String::as_str);
        PRIVATE.into_iter().chain(names).find(|private| line.contains(private)).map(str::to_owned)
    }
}

fn truths(script: &Script) -> impl Iterator<Item = (String, Truth)> {
    let listed = script.call.listed_after_ms.is_some();
    script.recordings.iter().map(move |recording| {
        let heals = recording.spoilt_answers != u32::MAX;
        let moved = recording.listed_at != ListedAt::Media;
        let by_direct = !moved && (heals || recording.direct == Direct::Served);
        let elsewhere = matches!(recording.listed_at, ListedAt::Other(_));
        let by_log = listed && !elsewhere;
        let stays = recording.ready_after_ms.is_some() && recording.deleted_after_ms.is_none();
        let must_be_archived = !recording.too_short && stays && (by_direct || by_log);
        let undecided = !heals && !moved && !matches!(recording.direct, Direct::Served | Direct::Status(404));
        let truth = Truth {
            too_short: recording.too_short,
            out_of_reach: elsewhere || (undecided && !must_be_archived && !recording.too_short),
            must_be_archived,
            never_denied: undecided,
        };
        (recording.id.clone(), truth)
    })
}

/// Every name and number in an event.
fn collect_private(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if matches!(name.as_str(), "name" | "phoneNumber") {
                    into.extend(value.as_str().map(str::to_owned));
                }
                collect_private(value, into);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect_private(element, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
