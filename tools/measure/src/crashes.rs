//! `measure crashes`.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use simulation::Crashed;

/// How many failures of a path are told of.
const TOLD: usize = 5;

#[derive(Args)]
pub(crate) struct Crashes;

impl Crashes {
    /// Stops every path at every await and prints the figures; true if all came to what an undisturbed run comes to.
    pub(crate) fn run(&self, as_json: bool, elapsed: impl Fn() -> Duration) -> bool {
        let crashed = simulation::crashes();
        let kept = crashed.iter().all(Crashed::is_converged);
        if as_json {
            println!("{}", figures(&crashed, kept, elapsed()));
        } else {
            print(&crashed, elapsed());
        }
        kept
    }
}

fn figures(crashed: &[Crashed], kept: bool, elapsed: Duration) -> Value {
    let paths = crashed.iter().map(|one| {
        json!({
            "path": one.path,
            "awaits": one.awaits,
            "crashes": one.crashes,
            "beside": one.beside,
            "pairs": one.pairs,
            "converged": one.converged,
            "failures": one.failures,
        })
    });
    json!({
        "awaits": crashed.iter().map(|one| one.awaits).sum::<u32>(),
        "tried": crashed.iter().map(Crashed::tried).sum::<usize>(),
        "converged": crashed.iter().map(|one| one.converged).sum::<usize>(),
        "all_converged": kept,
        "seconds": elapsed.as_secs_f64(),
        "paths": paths.collect::<Vec<_>>(),
    })
}

fn print(crashed: &[Crashed], elapsed: Duration) {
    println!("{:<24} {:>7} {:>8} {:>7} {:>6}   converged", "path", "awaits", "crashes", "beside", "pairs");
    for one in crashed {
        let Crashed { path, awaits, crashes, beside, pairs, converged, .. } = one;
        println!("{path:<24} {awaits:>7} {crashes:>8} {beside:>7} {pairs:>6}   {converged} of {}", one.tried());
    }
    println!("seconds                  {:.1}", elapsed.as_secs_f64());
    for one in crashed.iter().filter(|one| !one.is_converged()) {
        println!("\n{} does not converge, {} failures", one.path, one.failures.len());
        for failure in one.failures.iter().take(TOLD) {
            println!("  {failure}");
        }
    }
}
