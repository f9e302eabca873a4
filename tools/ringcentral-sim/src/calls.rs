//! Days of calls before they happen: who rings whom, what is recorded, what is told of it, and what goes wrong.
//!
//! Everything follows from a [`Day`] and its seed: the same day has the same scripts, byte for byte.

mod mix;
mod people;
mod scene;
mod shapes;
mod spread;
mod telling;
mod troubles;

pub use mix::{Mix, Shape};
pub use telling::Telling;
pub use troubles::Troubles;

use crate::settings::Settings;
use crate::world::Script;
use fastrand::Rng;
use scene::{Ids, Scene};
use spread::Spread;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A day of calls.
#[derive(Clone, Debug)]
pub struct Day {
    /// Decides everything that is left to chance. Days with different seeds below a billion have no id in common.
    pub seed: u64,
    /// The account whose calls these are.
    pub account_id: String,
    /// When the day begins, in epoch milliseconds.
    pub start_ms: u64,
    /// Time within which the calls begin, in milliseconds; the last ones end later.
    pub length_ms: u64,
    /// How many calls; a call that is handed on to another telephony session is one.
    pub calls: u32,
    /// How many times faster than in life rings, talks and the vendor's own delays pass; at least 1. Only the time
    /// between an event and its sending stays.
    pub hurry: u64,
    /// The longest audio, in seconds, at least 1. Lengths are drawn and do not follow the talk: a day of real talks
    /// would be gigabytes.
    pub longest_audio_s: u32,
    /// What kinds of calls.
    pub mix: Mix,
    /// What is told of them.
    pub telling: Telling,
    /// What becomes of their recordings.
    pub troubles: Troubles,
}

impl Day {
    /// A day of 60 calls at the pace of life in the simulator's own account, with some of everything.
    pub fn new(seed: u64, start_ms: u64) -> Self {
        Self {
            seed,
            account_id: Settings::default().account_id,
            start_ms,
            length_ms: DAY_MS,
            calls: 60,
            hurry: 1,
            longest_audio_s: 8,
            mix: Mix::default(),
            telling: Telling::default(),
            troubles: Troubles::default(),
        }
    }

    /// The day's calls, in order of their beginning: a script for each telephony session. Every party comes to its end,
    /// whether or not anybody is told.
    pub fn scripts(&self) -> Vec<Script> {
        let mut rng = Rng::with_seed(self.seed);
        let mut starts: Vec<u64> = (0..self.calls).map(|_| self.start_ms + rng.u64(..=self.length_ms)).collect();
        starts.sort_unstable();
        let mut deck = self.mix.deck();
        let mut files = Spread::new(&mut rng);
        let mut sessions = Spread::new(&mut rng);
        let mut scripts = Vec::with_capacity(starts.len() + starts.len() / 4);
        for (call, start_ms) in (0..).zip(starts) {
            let Some(shape) = deck.deal(&mut rng) else { break };
            let ids = Ids::new(self.seed, call, start_ms);
            for scene in shapes::perform(shape, Scene::new(self, ids, rng.fork(), start_ms)) {
                let mut script = scene.into_script(&mut files);
                let [behaviour, told, _] = sessions.next();
                self.troubles.of_call(&mut script.call, behaviour, self.hurry, &mut rng);
                scripts.push(self.telling.tell(script, told));
            }
        }
        scripts
    }
}

#[cfg(test)]
mod tests;
