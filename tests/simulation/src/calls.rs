//! Calls as plain as can be, for worlds with thousands of them.

use fastrand::Rng;
use ringcentral_sim::{
    Settings,
    world::{Call, Recording, Script, Step},
};
use serde_json::json;
use shared::domain::day::format_time;

use crate::world::MINUTE_MS;

/// A call of one party and one recording, of which one event tells: at its end.
pub(crate) struct Planned {
    /// `telephonySessionId`.
    pub(crate) session: String,
    /// When it begins, epoch milliseconds.
    pub(crate) started_at_ms: u64,
    /// When it ends, epoch milliseconds.
    pub(crate) ended_at_ms: u64,
    /// From its end until the call log has it, milliseconds.
    listed_after_ms: u64,
    /// What is recorded.
    pub(crate) recording: Recording,
}

/// Plans calls, in order of their ends.
pub(crate) struct Calls {
    seed: u64,
    /// Chance of its own: what a world does with its calls does not change them.
    rng: Rng,
    planned: Vec<Planned>,
}

impl Calls {
    /// None yet.
    pub(crate) fn of(seed: u64) -> Self {
        Self { seed, rng: Rng::with_seed(seed), planned: Vec::new() }
    }

    /// Calls that end between two times, epoch milliseconds: `per_minute` on average, at random.
    pub(crate) fn arrive(mut self, from_ms: u64, until_ms: u64, per_minute: f64) -> Self {
        let count = ((until_ms - from_ms) as f64 / MINUTE_MS as f64 * per_minute) as usize;
        let mut ends: Vec<u64> = (0..count).map(|_| self.rng.u64(from_ms..until_ms)).collect();
        ends.sort_unstable();
        ends.into_iter().for_each(|ended_at_ms| self.plan(ended_at_ms));
        self
    }

    /// So many calls that end at one time, epoch milliseconds.
    pub(crate) fn end_at_once(mut self, at_ms: u64, count: usize) -> Self {
        (0..count).for_each(|_| self.plan(at_ms));
        self
    }

    /// Lets `change` do to each recording what it likes.
    pub(crate) fn with(mut self, mut change: impl FnMut(&mut Recording, &mut Rng)) -> Self {
        self.planned.iter_mut().for_each(|call| change(&mut call.recording, &mut self.rng));
        self
    }

    /// The calls.
    pub(crate) fn planned(self) -> Vec<Planned> {
        self.planned
    }

    fn plan(&mut self, ended_at_ms: u64) {
        let (seed, number) = (self.seed % 1_000_000_000, self.planned.len());
        let recording = Recording {
            ready_after_ms: Some(self.rng.u64(0..MINUTE_MS)),
            ..Recording::new(format!("8{seed:09}{number:07}"))
        };
        self.planned.push(Planned {
            session: format!("s-c{seed:08x}z{number:06x}"),
            started_at_ms: ended_at_ms - self.rng.u64(35_000..600_000),
            ended_at_ms,
            listed_after_ms: self.rng.u64(15_000..30_000),
            recording,
        });
    }
}

impl Planned {
    /// What the vendor makes of it.
    pub(crate) fn script(&self) -> Script {
        let Settings { account_id, .. } = Settings::default();
        let (party, extension) = (format!("p{}-2", &self.session[1..]), "800000101");
        let event = json!({
            "uuid": format!("4{}", self.recording.id),
            "event": format!("/restapi/v1.0/account/{account_id}/extension/{extension}/telephony/sessions"),
            "timestamp": format_time(self.ended_at_ms + 50),
            "body": {
                "sequence": 7,
                "sessionId": format!("7{}", self.recording.id),
                "telephonySessionId": self.session,
                "eventTime": format_time(self.ended_at_ms),
                "parties": [{
                    "accountId": account_id,
                    "extensionId": extension,
                    "id": party,
                    "direction": "Inbound",
                    "from": {"phoneNumber": "+16505550140", "name": "A CUSTOMER"},
                    "to": {"phoneNumber": "+16505550111", "name": "Agent One"},
                    "status": {"code": "Disconnected", "rcc": false},
                    "recordings": [{"id": self.recording.id, "active": false}],
                }],
            },
        });
        let call = Call {
            telephony_session_id: self.session.clone(),
            session_id: format!("7{}", self.recording.id),
            started_at_ms: self.started_at_ms,
            listed_after_ms: Some(self.listed_after_ms),
            listed_early: false,
            linked_after_ms: 0,
            parties: Vec::new(),
            recordings: Vec::new(),
        };
        let step = Step { at_ms: self.ended_at_ms, told: Some(event.clone()), event };
        Script { call, recordings: vec![self.recording.clone()], steps: vec![step] }
    }
}
