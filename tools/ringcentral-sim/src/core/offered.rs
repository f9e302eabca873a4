//! What the world has offered, for who judges an archive.

use super::Simulator;

/// A recording that was heard of: in an event, or in the call log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its id; [`Simulator::audio_of`] has its bytes.
    pub recording_id: String,
    /// The `telephonySessionId` of its call.
    pub telephony_session_id: String,
    /// The account it belongs to.
    pub account_id: String,
    /// Below the vendor's minimum: it never becomes a file.
    pub too_short: bool,
    /// It never becomes a file, for no reason that anybody is told.
    pub never_ready: bool,
    /// When its file is there, in epoch milliseconds; `None` if it never is, or its party has not ended.
    pub ready_at_ms: Option<u64>,
    /// When its file is deleted, by a user or for its age, in epoch milliseconds; `None` if there is none, or its
    /// party has not ended.
    pub deleted_at_ms: Option<u64>,
    /// When the call log names it, in epoch milliseconds; `None` if it never does, or its call has not ended.
    pub listed_at_ms: Option<u64>,
}

impl Simulator {
    /// Every recording the world has offered so far, in the order their calls were heard of.
    pub fn offered(&self) -> impl Iterator<Item = Offered> {
        let all = self.world.calls().iter().flat_map(|call| call.recordings.iter().map(move |one| (call, one)));
        all.map(|(call, recording)| Offered {
            recording_id: recording.id.clone(),
            telephony_session_id: call.telephony_session_id.clone(),
            account_id: self.settings.account_id.clone(),
            too_short: recording.too_short,
            never_ready: recording.ready_after_ms.is_none() && !recording.too_short,
            ready_at_ms: call.ready_at_ms(recording),
            deleted_at_ms: call
                .deleted_at_ms(recording, self.settings.retention_days)
                .filter(|_| recording.ready_after_ms.is_some() && !recording.too_short),
            listed_at_ms: call.linked_at_ms().filter(|_| !recording.too_short),
        })
    }
}
