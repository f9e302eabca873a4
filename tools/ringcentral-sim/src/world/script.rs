//! A call before it happens.

use super::{Call, Recording};
use serde_json::Value;

/// A call that will happen: how it behaves, and what happens when. The world learns of each step at its time, whether or
/// not anybody is told.
#[derive(Clone, Debug)]
pub struct Script {
    /// The call without parties and recordings: the steps bring them.
    pub call: Call,
    /// How each recording that the steps name behaves.
    pub recordings: Vec<Recording>,
    /// What happens, in order of time.
    pub steps: Vec<Step>,
}

/// One transition of a call.
#[derive(Clone, Debug)]
pub struct Step {
    /// When, in epoch milliseconds.
    pub at_ms: u64,
    /// What the world learns, as a whole webhook body (API.md §6).
    pub event: Value,
    /// What subscribers are told of it, if they are: the event, or one that says less.
    pub told: Option<Value>,
}
