//! Every way through the program, stopped at each of its awaits: whatever a run had begun, those that follow it come to
//! what an undisturbed one comes to.

mod paths;
mod play;
mod rest;

use ringcentral_sim::Sound;

use crate::{
    chance::Dice,
    crashes::{
        paths::{Path, paths},
        play::{Kills, Played, play},
    },
    logs::Logs,
};

/// So many second kills are tried after each first one, at awaits that a seed decides.
const SECOND_KILLS: u64 = 3;

/// What became of one way through the program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crashed {
    /// Its name.
    pub path: &'static str,
    /// Awaits of the run that goes this way and that nothing disturbs.
    pub awaits: u32,
    /// Worlds in which it was killed, each at another await.
    pub crashes: usize,
    /// Worlds in which it was killed while another run, begun at the same moment, was at work as well.
    pub beside: usize,
    /// Worlds in which it was killed, and one that followed was, too.
    pub pairs: usize,
    /// Worlds of all these that came to what the undisturbed one comes to.
    pub converged: usize,
    /// What was wrong with each that did not, and what was not as planned.
    pub failures: Vec<String>,
}

/// Stops every way at each of its awaits: alone, beside another run, and with one of those that follow killed as well.
pub fn crashes() -> Vec<Crashed> {
    paths().iter().map(|path| crash(path, true)).collect()
}

/// Stops one way at each of its awaits, and `again`: beside another run, and with one of those that follow killed as well.
fn crash(path: &Path, again: bool) -> Crashed {
    let logs = Logs::default();
    tracing::subscriber::with_default(logs.clone(), || {
        let mut crashed = Crashed { path: path.name, ..Crashed::default() };
        let whole = play(path, Kills::default(), &logs);
        let Some(awaits) = whole.awaits.filter(|_| whole.violations.is_empty()) else {
            crashed.failures.push(format!("undisturbed: {:?} awaits, {:?}", whole.awaits, whole.violations));
            return crashed;
        };
        crashed.awaits = awaits;
        let dice = Dice::of(1);
        for at in 0..awaits {
            let alone = play(path, Kills { at: &[at], beside: false }, &logs);
            if alone.struck != 1 {
                crashed.failures.push(format!("not killed at await {at}"));
            }
            crashed.crashes += crashed.count(&whole, &alone, 1, || format!("killed at await {at}"));
            if !again || path.sound == Sound::Melody {
                // Megabytes take their time, and what they add to a short body is in the first kill.
                continue;
            }
            let beside = play(path, Kills { at: &[at], beside: true }, &logs);
            crashed.beside += crashed.count(&whole, &beside, 1, || format!("killed at await {at} beside another"));
            for _ in 0..SECOND_KILLS {
                let then = dice.between(0..=u64::from(awaits)) as u32;
                let twice = play(path, Kills { at: &[at, then], beside: false }, &logs);
                crashed.pairs += crashed.count(&whole, &twice, 2, || format!("killed at awaits {at} and {then}"));
            }
        }
        crashed
    })
}

impl Crashed {
    /// Worlds in which something was killed.
    pub fn tried(&self) -> usize {
        self.crashes + self.beside + self.pairs
    }

    /// Whether it was stopped at each await, and all worlds came to the same.
    pub fn is_converged(&self) -> bool {
        let at_each = self.awaits > 0 && self.crashes == self.awaits as usize;
        self.failures.is_empty() && at_each && self.converged == self.tried()
    }

    /// One if so many runs were killed, or else none: that world is another one's. Says what is wrong with it.
    fn count(&mut self, whole: &Played, played: &Played, kills: u32, what: impl FnOnce() -> String) -> usize {
        let differing = whole.rest.differences(&played.rest);
        if !played.violations.is_empty() || !differing.is_empty() {
            self.failures.push(format!("{}: {}; differs in {differing:?}", what(), played.violations.join(", ")));
        } else if played.struck == kills {
            self.converged += 1;
        }
        usize::from(played.struck == kills)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At least so many awaits, or something is not waited for that was.
    const FLOORS: [(&str, u32); 14] = [
        ("webhook, new session", 2),
        ("webhook, known session", 2),
        ("direct", 40),
        ("fallback", 55),
        ("resumed", 45),
        ("multipart", 180),
        ("backlog", 300),
        ("reconcile", 35),
        ("backfill", 110),
        ("prove", 80),
        ("keeper, replaced", 100),
        ("keeper, created", 100),
        ("keeper, repaired", 105),
        ("keeper, renewed", 60),
    ];

    #[test]
    fn whatever_is_killed_at_whatever_await_what_follows_puts_it_right() {
        let paths = paths();
        let names: Vec<_> = paths.iter().map(|path| path.name).collect();
        assert_eq!(names, FLOORS.map(|(name, _)| name));
        // The megabytes are for `measure crashes`.
        for (path, (_, floor)) in paths.iter().zip(FLOORS).filter(|(path, _)| path.sound == Sound::Sketch) {
            let crashed = crash(path, false);
            assert!(crashed.is_converged() && crashed.awaits >= floor, "{crashed:#?}");
        }
    }
}
