//! All calls, found by what a request names.

use super::{Call, Recording};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

/// The calls that exist, and how those behave that are still to come.
#[derive(Default)]
pub(crate) struct World {
    calls: Vec<Call>,
    // What is found by name is never gone through, so that nothing follows from the order of a map.
    by_session: HashMap<String, usize>,
    by_record: HashMap<String, usize>,
    by_recording: HashMap<String, usize>,
    newest_first: BTreeSet<(Reverse<u64>, usize)>,
    planned_calls: HashMap<String, Call>,
    planned_recordings: HashMap<String, Recording>,
}

impl World {
    /// Keeps how a call and its recordings will behave, until events tell of them.
    pub(crate) fn plan(&mut self, call: Call, recordings: Vec<Recording>) {
        self.planned_calls.insert(call.telephony_session_id.clone(), call);
        self.planned_recordings.extend(recordings.into_iter().map(|recording| (recording.id.clone(), recording)));
    }

    pub(super) fn take_planned_call(&mut self, telephony_session_id: &str) -> Option<Call> {
        self.planned_calls.remove(telephony_session_id)
    }

    pub(super) fn take_planned_recording(&mut self, id: &str) -> Option<Recording> {
        self.planned_recordings.remove(id)
    }

    pub(crate) fn add(&mut self, call: Call) {
        let place = self.calls.len();
        self.by_session.entry(call.telephony_session_id.clone()).or_insert(place);
        self.by_record.entry(call.record_id()).or_insert(place);
        for recording in &call.recordings {
            self.by_recording.entry(recording.id.clone()).or_insert(place);
        }
        self.newest_first.insert((Reverse(call.started_at_ms), place));
        self.calls.push(call);
    }

    pub(super) fn add_recording(&mut self, telephony_session_id: &str, recording: Recording) {
        if let Some(place) = self.by_session.get(telephony_session_id) {
            self.by_recording.entry(recording.id.clone()).or_insert(*place);
            self.calls[*place].recordings.push(recording);
        }
    }

    /// In the order they were heard of.
    pub(crate) fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Those that began in this time, the newest first.
    pub(crate) fn begun_between(&self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = &Call> {
        let range = (Reverse(to_ms), 0)..=(Reverse(from_ms.min(to_ms)), usize::MAX);
        let found = self.newest_first.range(range).map(|(_, place)| &self.calls[*place]);
        found.filter(move |call| from_ms <= call.started_at_ms)
    }

    pub(crate) fn call(&self, telephony_session_id: &str) -> Option<&Call> {
        self.by_session.get(telephony_session_id).map(|place| &self.calls[*place])
    }

    pub(crate) fn call_mut(&mut self, telephony_session_id: &str) -> Option<&mut Call> {
        self.by_session.get(telephony_session_id).map(|place| &mut self.calls[*place])
    }

    pub(crate) fn begin_call(&mut self, telephony_session_id: &str, started_at_ms: u64) -> bool {
        let Some(place) = self.by_session.get(telephony_session_id) else { return false };
        let call = &mut self.calls[*place];
        self.newest_first.remove(&(Reverse(call.started_at_ms), *place));
        self.newest_first.insert((Reverse(started_at_ms), *place));
        call.started_at_ms = started_at_ms;
        true
    }

    /// A call by the id of its call-log record.
    pub(crate) fn call_of_record(&self, record_id: &str) -> Option<&Call> {
        self.by_record.get(record_id).map(|place| &self.calls[*place])
    }

    pub(crate) fn recording(&self, id: &str) -> Option<(&Call, &Recording)> {
        let call = &self.calls[*self.by_recording.get(id)?];
        call.recordings.iter().find(|recording| recording.id == id).map(|recording| (call, recording))
    }

    pub(crate) fn recording_mut(&mut self, id: &str) -> Option<&mut Recording> {
        let call = &mut self.calls[*self.by_recording.get(id)?];
        call.recordings.iter_mut().find(|recording| recording.id == id)
    }
}
