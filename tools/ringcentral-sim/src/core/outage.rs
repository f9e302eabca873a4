//! Requests that fail before anybody looks at them (API.md §4, §11).

use super::Simulator;
use super::chance::{Chance, Purpose};
use super::fault::Fault;
use super::message::{Reply, Request};
use crate::settings::{Outage, OutageAnswer, ThrottleCode};

impl Simulator {
    /// What the first outage that this request meets answers.
    pub(super) fn outage(&self, request: &Request, now_ms: u64) -> Option<Reply> {
        let chance = Chance { seed: self.settings.seed };
        let number = self.served.len() as u64;
        let strikes = |outage: &&Outage| {
            (outage.from_ms..outage.until_ms).contains(&now_ms)
                && request.path().contains(&outage.path_part)
                && chance.falls(Purpose::Outage, number, outage.share)
        };
        self.settings.outages.iter().find(strikes).map(|outage| reply(outage.answer))
    }
}

fn reply(answer: OutageAnswer) -> Reply {
    match answer {
        OutageAnswer::Error(status) => Fault::of_server(status).reply(),
        OutageAnswer::Html(status) => Reply::html(status),
        OutageAnswer::Empty(status) => Reply::bare(status).announcing(Some(0)),
        OutageAnswer::OtherLimiter => Fault::throttled(ThrottleCode::Cmn310).reply(),
    }
}
