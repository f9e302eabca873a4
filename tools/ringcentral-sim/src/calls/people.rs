//! Who takes part: invented people of an invented company.

use fastrand::Rng;
use serde_json::{Value, json};

/// Somebody, or something, that can be called.
#[derive(Clone, Copy)]
pub(super) struct Person {
    name: &'static str,
    /// Last four digits of the telephone number.
    line: u32,
    /// Extension in the account; a customer has none.
    extension: Option<u32>,
    /// The telephone on the desk; only agents have one.
    device: Option<u32>,
}

const FIRST_AGENT: u32 = 800_000_101;
const FIRST_DEVICE: u32 = 800_000_501;
const FIRST_AGENT_LINE: u32 = 111;
const FIRST_CUSTOMER_LINE: u32 = 140;
const AGENTS: [&str; 6] = ["Agent One", "Agent Two", "Agent Three", "Agent Four", "Agent Five", "Agent Six"];
const CUSTOMERS: [&str; 4] = ["WIRELESS CALLER", "EXAMPLE COMPANY", "SAN MATEO CA", "A CUSTOMER"];
const CUSTOMER_LINES: u32 = 40;

pub(super) const MENU: Person = Person { name: "IVR Menu 1", line: 100, extension: Some(800_000_700), device: None };
pub(super) const QUEUE: Person =
    Person { name: "Support Queue", line: 190, extension: Some(800_000_900), device: None };
pub(super) const BRIDGE: Person = Person { name: "Conference", line: 199, extension: None, device: None };

impl Person {
    pub(super) fn extension(&self) -> Option<String> {
        self.extension.map(|id| id.to_string())
    }

    /// As `from` or `to` of a party.
    pub(super) fn endpoint(&self) -> Value {
        let mut endpoint = json!({"phoneNumber": format!("+1650555{:04}", self.line), "name": self.name});
        if let Some(extension) = self.extension {
            endpoint["extensionId"] = extension.to_string().into();
        }
        if let Some(device) = self.device {
            endpoint["deviceId"] = device.to_string().into();
        }
        endpoint
    }
}

/// Two agents who are not the same.
pub(super) fn agents(rng: &mut Rng) -> [Person; 2] {
    let first = rng.u32(..AGENTS.len() as u32);
    let second = (first + rng.u32(1..AGENTS.len() as u32)) % AGENTS.len() as u32;
    [first, second].map(|number| Person {
        name: AGENTS[number as usize],
        line: FIRST_AGENT_LINE + number,
        extension: Some(FIRST_AGENT + number),
        device: Some(FIRST_DEVICE + number),
    })
}

/// Somebody outside.
pub(super) fn customer(rng: &mut Rng) -> Person {
    let name = CUSTOMERS[rng.usize(..CUSTOMERS.len())];
    Person { name, line: FIRST_CUSTOMER_LINE + rng.u32(..CUSTOMER_LINES), extension: None, device: None }
}
