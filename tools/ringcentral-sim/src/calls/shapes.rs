//! How each kind of call goes (API.md §6).

use super::mix::Shape;
use super::people::{BRIDGE, MENU, Person, QUEUE, agents, customer};
use super::scene::{Change, Scene};
use crate::world::PartyStatus::{Answered, Disconnected, Hold, Proceeding, VoiceMail};
use crate::world::RecordingKind::{Automatic, OnDemand};
use serde_json::json;
use std::ops::RangeInclusive;

/// From one signal to the next, in milliseconds.
const AT_ONCE: RangeInclusive<u64> = 10..=120;
const RINGING: RangeInclusive<u64> = 2_000..=20_000;
/// From the answer until recording is announced.
const STARTING: RangeInclusive<u64> = 300..=800;
const LISTENING: RangeInclusive<u64> = 4_000..=15_000;
const TALK: RangeInclusive<u64> = 35_000..=600_000;
/// Below the vendor's minimum of about 30 s (API.md §8).
const SHORT_TALK: RangeInclusive<u64> = 3_000..=25_000;
const BREAK: RangeInclusive<u64> = 10_000..=90_000;
/// After so long unanswered a call is given up.
const PATIENCE: RangeInclusive<u64> = 20_000..=30_000;

/// Plays a call, its sessions in the order they begin.
pub(super) fn perform<'a>(shape: Shape, mut scene: Scene<'a>) -> Vec<Scene<'a>> {
    let people = Cast { customer: customer(&mut scene.rng), agents: agents(&mut scene.rng) };
    let mut others = Vec::new();
    match shape {
        Shape::Ivr => people.by_menu(&mut scene),
        Shape::Inbound => people.inbound(&mut scene),
        Shape::Outbound => people.outbound(&mut scene),
        Shape::Queue => people.in_a_queue(&mut scene),
        Shape::BlindTransfer => people.handed_on(&mut scene),
        Shape::AttendedTransfer => others.push(people.handed_over(&mut scene)),
        Shape::Conference => others.push(people.in_conference(&mut scene)),
        Shape::Park => others.push(people.parked(&mut scene)),
        Shape::OnDemand => people.recorded_by_hand(&mut scene),
        Shape::Paused => people.paused(&mut scene),
        Shape::Voicemail => people.to_voicemail(&mut scene),
        Shape::Missed => people.missed(&mut scene),
        Shape::TooShort => people.too_short(&mut scene),
    }
    std::iter::once(scene).chain(others).collect()
}

struct Cast {
    customer: Person,
    agents: [Person; 2],
}

impl Cast {
    fn by_menu(&self, scene: &mut Scene<'_>) {
        let caller = scene.calls(&self.customer, &MENU);
        let menu = scene.is_called(&self.customer, &MENU);
        scene.pass(AT_ONCE);
        scene.says(caller, Answered);
        scene.pass(LISTENING);
        scene.says(menu, Disconnected);
        let agent = self.first_agent_talks(scene);
        scene.says(agent, Hold);
        scene.pass(BREAK);
        scene.says(agent, Answered);
        scene.pass(TALK);
        end(scene, agent, Some(caller));
    }

    fn inbound(&self, scene: &mut Scene<'_>) {
        let caller = self.customer_calls(scene);
        let agent = self.first_agent_talks(scene);
        end(scene, agent, caller);
    }

    fn outbound(&self, scene: &mut Scene<'_>) {
        let (agent, customer) = self.agent_reaches_customer(scene);
        scene.pass(STARTING);
        scene.records(agent, Automatic);
        scene.pass(TALK);
        end(scene, agent, Some(customer));
    }

    fn in_a_queue(&self, scene: &mut Scene<'_>) {
        let caller = scene.calls(&self.customer, &QUEUE);
        let queue = scene.is_called(&self.customer, &QUEUE);
        scene.mark(queue, "queueCall", json!(true));
        scene.pass(AT_ONCE);
        scene.says(caller, Answered);
        scene.says(queue, Answered);
        scene.pass(LISTENING);
        let [busy, free] = self.agents;
        let unanswered = self.rings(scene, &busy);
        scene.mark(unanswered, "queueCall", json!(true));
        scene.pass(PATIENCE);
        scene.says(unanswered, Change::missed("NoAnswer"));
        let agent = self.rings(scene, &free);
        scene.mark(agent, "queueCall", json!(true));
        scene.pass(RINGING);
        scene.says(agent, Answered);
        scene.says(queue, Change::because(Disconnected, "AgentAnswered"));
        scene.pass(STARTING);
        scene.records(agent, Automatic);
        scene.pass(TALK);
        end(scene, agent, Some(caller));
    }

    fn handed_on(&self, scene: &mut Scene<'_>) {
        let caller = scene.calls(&self.customer, &self.agents[0]);
        let first = self.first_agent_talks(scene);
        scene.says(first, Change::because(Disconnected, "BlindTransfer"));
        let second = self.talks(scene, &self.agents[1]);
        end(scene, second, Some(caller));
    }

    fn handed_over<'a>(&self, scene: &mut Scene<'a>) -> Scene<'a> {
        let [first, second] = &self.agents;
        let caller = scene.calls(&self.customer, first);
        let agent = self.first_agent_talks(scene);
        scene.says(agent, Hold);
        scene.pass(LISTENING);
        let mut other = scene.other_session();
        let asking = other.calls(first, second);
        let asked = ring(&mut other, first, second);
        other.pass(RINGING);
        other.says(asked, Answered);
        other.says(asking, Answered);
        other.pass(STARTING);
        other.records(asked, Automatic);
        other.pass(BREAK);
        scene.follow(&other);
        scene.says(agent, Change::gone("AttendedTransfer", other.peer(asking)));
        other.says(asking, Change::because(Disconnected, "AttendedTransfer"));
        let customer = other.calls(&self.customer, second);
        scene.says(caller, Change::gone("AttendedTransfer", other.peer(customer)));
        other.says(customer, Answered);
        other.pass(TALK);
        end(&mut other, asked, Some(customer));
        other
    }

    fn in_conference<'a>(&self, scene: &mut Scene<'a>) -> Scene<'a> {
        let [host, guest] = &self.agents;
        let caller = scene.calls(&self.customer, host);
        let agent = self.first_agent_talks(scene);
        let mut other = scene.conference();
        let bridge = other.is_called(host, &BRIDGE);
        other.says(bridge, Answered);
        let hosting = other.calls(host, &BRIDGE);
        other.mark(hosting, "conferenceRole", json!("Host"));
        other.says(hosting, Answered);
        other.pass(STARTING);
        other.records(hosting, Automatic);
        scene.follow(&other);
        scene.says(agent, Change::gone("Conference", other.peer(hosting)));
        let customer = other.calls(&self.customer, &BRIDGE);
        scene.says(caller, Change::gone("Conference", other.peer(customer)));
        other.says(customer, Answered);
        let invited = ring(&mut other, host, guest);
        other.pass(RINGING);
        other.says(invited, Answered);
        other.pass(TALK);
        for party in [customer, invited, hosting] {
            other.says(party, Disconnected);
            other.pass(AT_ONCE);
        }
        other.says(bridge, Disconnected);
        other
    }

    fn parked<'a>(&self, scene: &mut Scene<'a>) -> Scene<'a> {
        let [first, second] = &self.agents;
        let caller = scene.calls(&self.customer, first);
        let agent = self.first_agent_talks(scene);
        scene.says(agent, Change::parked("*801"));
        scene.pass(BREAK);
        let mut other = scene.other_session();
        let picking = other.calls(second, first);
        other.says(picking, Answered);
        scene.follow(&other);
        scene.says(agent, Change::gone("Pickup", other.peer(picking)));
        other.pass(STARTING);
        other.records(picking, Automatic);
        other.pass(TALK);
        other.says(picking, Disconnected);
        scene.follow(&other);
        scene.says(caller, Disconnected);
        other
    }

    fn recorded_by_hand(&self, scene: &mut Scene<'_>) {
        let (agent, customer) = self.agent_reaches_customer(scene);
        for round in 0..scene.rng.u32(2..=3) {
            if round > 0 {
                scene.turn_recording(agent, false);
            }
            scene.pass(BREAK);
            scene.records(agent, OnDemand);
            scene.pass(TALK);
        }
        end(scene, agent, Some(customer));
    }

    fn paused(&self, scene: &mut Scene<'_>) {
        let caller = self.customer_calls(scene);
        let agent = self.first_agent_talks(scene);
        scene.turn_recording(agent, false);
        scene.pass(BREAK);
        // Some hang up while recording is paused.
        if scene.rng.bool() {
            scene.turn_recording(agent, true);
            scene.pass(TALK);
        }
        end(scene, agent, caller);
    }

    fn to_voicemail(&self, scene: &mut Scene<'_>) {
        let caller = scene.calls(&self.customer, &self.agents[0]);
        let agent = self.rings(scene, &self.agents[0]);
        scene.pass(PATIENCE);
        scene.says(agent, VoiceMail);
        scene.says(caller, Answered);
        scene.pass(BREAK);
        scene.says(agent, Change::missed("Voicemail"));
        scene.says(caller, Disconnected);
    }

    fn missed(&self, scene: &mut Scene<'_>) {
        let caller = scene.calls(&self.customer, &self.agents[0]);
        let agent = self.rings(scene, &self.agents[0]);
        scene.pass(PATIENCE);
        scene.says(agent, Change::missed("NoAnswer"));
        scene.says(caller, Disconnected);
    }

    fn too_short(&self, scene: &mut Scene<'_>) {
        let caller = self.customer_calls(scene);
        let agent = self.rings(scene, &self.agents[0]);
        scene.pass(RINGING);
        scene.says(agent, Answered);
        scene.pass(STARTING);
        scene.records(agent, Automatic);
        scene.was_too_short();
        scene.pass(SHORT_TALK);
        end(scene, agent, caller);
    }

    /// The customer's own party, where the vendor reports it: parties without an account may stay unseen (API.md §6).
    fn customer_calls(&self, scene: &mut Scene<'_>) -> Option<usize> {
        let seen = scene.rng.bool();
        seen.then(|| scene.calls(&self.customer, &self.agents[0]))
    }

    fn agent_reaches_customer(&self, scene: &mut Scene<'_>) -> (usize, usize) {
        let agent = scene.calls(&self.agents[0], &self.customer);
        let customer = ring(scene, &self.agents[0], &self.customer);
        scene.pass(RINGING);
        scene.says(customer, Answered);
        scene.says(agent, Answered);
        (agent, customer)
    }

    fn first_agent_talks(&self, scene: &mut Scene<'_>) -> usize {
        self.talks(scene, &self.agents[0])
    }

    /// An agent is called by the customer, answers, is recorded and talks.
    fn talks(&self, scene: &mut Scene<'_>, agent: &Person) -> usize {
        let agent = self.rings(scene, agent);
        scene.pass(RINGING);
        scene.says(agent, Answered);
        scene.pass(STARTING);
        scene.records(agent, Automatic);
        scene.pass(TALK);
        agent
    }

    fn rings(&self, scene: &mut Scene<'_>, agent: &Person) -> usize {
        ring(scene, &self.customer, agent)
    }
}

fn ring(scene: &mut Scene<'_>, from: &Person, to: &Person) -> usize {
    let party = scene.is_called(from, to);
    scene.pass(AT_ONCE);
    scene.says(party, Proceeding);
    party
}

/// One hangs up, and with him the other.
fn end(scene: &mut Scene<'_>, first: usize, second: Option<usize>) {
    scene.says(first, Disconnected);
    if let Some(second) = second {
        scene.pass(AT_ONCE);
        scene.says(second, Disconnected);
    }
}
