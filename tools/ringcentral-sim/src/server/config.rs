//! What a simulator begins with.

use super::SimServer;
use crate::calls::Day;
use crate::settings::Settings;
use serde::Deserialize;
use serde_json::Value;

/// The config file of the binary. Every field may be left out; a field that does not exist is refused.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The vendor's side of the bargain.
    pub settings: Settings,
    /// Telephony session notifications of calls that happened before, in order; subscribers are not told.
    pub events: Vec<Value>,
    /// Days of calls to come.
    pub days: Vec<DayOrder>,
}

/// A generated day of calls, as a client orders it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayOrder {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// When the day begins, in epoch milliseconds; `None`: now.
    pub start_ms: Option<u64>,
    /// Time within which the calls begin, in milliseconds.
    pub length_ms: Option<u64>,
    /// How many calls.
    pub calls: Option<u32>,
    /// How many times faster than in life rings, talks and the vendor's own delays pass.
    pub hurry: Option<u64>,
    /// The longest audio, in seconds.
    pub longest_audio_s: Option<u32>,
}

impl DayOrder {
    fn day(&self, account_id: &str, now_ms: u64) -> Day {
        let usual = Day::new(self.seed, self.start_ms.unwrap_or(now_ms));
        Day {
            account_id: account_id.to_owned(),
            length_ms: self.length_ms.unwrap_or(usual.length_ms),
            calls: self.calls.unwrap_or(usual.calls),
            hurry: self.hurry.unwrap_or(usual.hurry).max(1),
            longest_audio_s: self.longest_audio_s.unwrap_or(usual.longest_audio_s).max(1),
            ..usual
        }
    }
}

impl SimServer {
    /// Learns the events and schedules the days of a config; its settings were for the start.
    pub fn begin(&self, config: &Config) {
        for event in &config.events {
            self.learn(event);
        }
        for order in &config.days {
            self.add_day(order);
        }
    }

    /// Schedules a generated day; gives the number of telephony sessions.
    pub fn add_day(&self, order: &DayOrder) -> usize {
        let now_ms = super::now_ms();
        self.with(|simulator| {
            let scripts = order.day(&simulator.settings().account_id, now_ms).scripts();
            let sessions = scripts.len();
            scripts.into_iter().for_each(|script| simulator.schedule(script));
            sessions
        })
    }
}
