//! Days on which nothing is wrong: no alarm may fire.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::telemetry::alarms::ALARMS;
use simulation::{
    cloudwatch::fired,
    month::{Month, Weather, month},
};

/// A simulated month, and the alarms that fired in it.
pub(super) struct Calm {
    weather: Weather,
    month: Month,
    /// When each first did, epoch milliseconds.
    pub(super) fired: BTreeMap<&'static str, u64>,
}

impl Calm {
    /// Lives through so many days.
    pub(super) fn of(weather: Weather, days: u64, seed: u64) -> Self {
        let month = month(weather, days, seed);
        let fired = fired(ALARMS, &month.points, month.from_ms..month.to_ms);
        Self { weather, month, fired }
    }

    /// Whether the stack was at work: where nothing happens, nothing fires.
    pub(super) fn proves_something(&self) -> bool {
        self.month.offered > 0
            && self.month.wrongs.is_empty()
            && self.month.archived == self.month.offered
            && self.month.reports as u64 + 1 == self.month.days
    }

    /// One JSON object.
    pub(super) fn as_json(&self) -> Value {
        let Month { days, calls, offered, archived, reports, runs: [archiver, reconciler], wrongs, points, .. } =
            &self.month;
        json!({
            "weather": self.name(),
            "days": days,
            "calls": calls,
            "offered": offered,
            "archived": archived,
            "reports": reports,
            "archiver_runs": archiver,
            "reconciler_runs": reconciler,
            "wrongs": wrongs,
            "values": points.len(),
            "fired": self.fired,
        })
    }

    /// A few lines.
    pub(super) fn print(&self) {
        let Month { days, calls, offered, archived, reports, runs: [archiver, reconciler], points, from_ms, .. } =
            &self.month;
        println!("{days} {} days", self.name());
        println!("  {calls} calls, {offered} recordings, {archived} archived, {reports} reports of closed days");
        println!(
            "  {archiver} runs of the archiver, {reconciler} of the reconciler, {} values of metrics",
            points.len()
        );
        for (alarm, at_ms) in &self.fired {
            println!("  {alarm} FIRED after {:.1} hours", (at_ms - from_ms) as f64 / 3_600_000.0);
        }
        for wrong in &self.month.wrongs {
            println!("  {wrong}");
        }
        if !self.proves_something() {
            println!("  NOT EVERYTHING WAS ARCHIVED AND REPORTED");
        }
        println!();
    }

    fn name(&self) -> &'static str {
        match self.weather {
            Weather::Clean => "clean",
            Weather::Rough => "rough",
        }
    }
}
