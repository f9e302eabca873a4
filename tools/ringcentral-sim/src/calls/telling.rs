//! What subscribers are told of a call: never more than happens, often less (API.md §0.6, §0.8, §6).

use super::spread::pick;
use crate::world::{Script, Step};
use serde_json::Value;

/// Shares of the telephony sessions of which less than everything is told; all between 0 and 1, together at most 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Telling {
    /// A party, the recorded one if there is one, never reports its end.
    pub without_end: f64,
    /// The last event of a party does not repeat its recordings.
    pub end_without_recordings: f64,
    /// The end comes first: what names the recordings is told after everything else.
    pub end_first: f64,
    /// No event names the recordings.
    pub unmentioned: f64,
}

impl Default for Telling {
    /// A twentieth of each, and an eighth whose ends do not repeat the recordings.
    fn default() -> Self {
        Self { without_end: 0.05, end_without_recordings: 0.125, end_first: 0.05, unmentioned: 0.05 }
    }
}

#[derive(Clone, Copy)]
enum Lack {
    End,
    RecordingsAtEnd,
    RecordingsInTime,
    Recordings,
}

impl Telling {
    /// Everything is told.
    pub const WHOLE: Self = Self { without_end: 0.0, end_without_recordings: 0.0, end_first: 0.0, unmentioned: 0.0 };

    /// Takes away what is not told, by the session's place in `[0, 1)`.
    pub(super) fn tell(&self, mut script: Script, place: f64) -> Script {
        let lack = pick(
            place,
            &[
                (self.without_end, Lack::End),
                (self.end_without_recordings, Lack::RecordingsAtEnd),
                (self.end_first, Lack::RecordingsInTime),
                (self.unmentioned, Lack::Recordings),
            ],
        );
        match lack {
            None => {}
            Some(Lack::End) => withhold_an_end(&mut script.steps),
            Some(Lack::RecordingsAtEnd) => {
                script.steps.iter_mut().filter(|step| ends(step)).for_each(forget_recordings);
            }
            Some(Lack::RecordingsInTime) => delay_recordings(&mut script.steps),
            Some(Lack::Recordings) => script.steps.iter_mut().for_each(forget_recordings),
        }
        script
    }
}

fn withhold_an_end(steps: &mut [Step]) {
    let recorded = steps.iter().rposition(|step| ends(step) && is_recorded(step));
    let place = recorded.or_else(|| steps.iter().rposition(ends));
    if let Some(step) = place.and_then(|place| steps.get_mut(place)) {
        step.told = None;
    }
}

/// Tells of the recordings once more at the end, and not before: an event that comes late.
fn delay_recordings(steps: &mut Vec<Step>) {
    let Some(at_ms) = steps.last().map(|step| step.at_ms) else { return };
    let mut late: Vec<Step> = Vec::new();
    for step in steps.iter_mut().filter(|step| is_recorded(step)) {
        if ends(step) {
            forget_recordings(step);
        } else if let Some(told) = step.told.take() {
            // The last event of a party names all its recordings.
            late.retain(|other| party(&other.event)["id"] != party(&told)["id"]);
            late.push(Step { at_ms, event: step.event.clone(), told: Some(told) });
        }
    }
    steps.append(&mut late);
}

fn forget_recordings(step: &mut Step) {
    let party = step.told.as_mut().and_then(|told| told["body"]["parties"][0].as_object_mut());
    party.and_then(|party| party.remove("recordings"));
}

/// Whether the party of this step says its last word in the session.
fn ends(step: &Step) -> bool {
    matches!(party(&step.event)["status"]["code"].as_str(), Some("Disconnected" | "Gone"))
}

fn is_recorded(step: &Step) -> bool {
    party(&step.event)["recordings"].is_array()
}

fn party(event: &Value) -> &Value {
    &event["body"]["parties"][0]
}
