//! One drill, from a stack where all is well to one where all is well again.

use std::path::Path;

use ringvault::stack::Binaries;
use shared::telemetry::alarms::{ALARMS, Alarm};
use simulation::cloudwatch::{fired, ringing};

use super::{
    act::variables_of,
    command::Command,
    runbook,
    site::{BEGAN_MS, DrillError, ROUND_MS, Site},
    trouble::Trouble,
    verdict::{Moments, Verdict},
    words,
};

/// So long all is well before: every alarm has looked at as many periods as it wants.
const HEALTHY_ROUNDS: u64 = 12;

/// Periods that CloudWatch looks at besides those that must be bad, and those that the drill begins and ends in.
const PERIODS_BESIDES: u64 = 4;

/// So long it is watched whether all stays well: every alarm for silence has looked at as many periods as it wants.
const WATCHED_ROUNDS: u64 = 8;

/// What came of a drill.
pub(super) struct Drill {
    /// The alarm.
    pub(super) alarm: &'static str,
    /// Its condition, in words.
    pub(super) condition: &'static str,
    /// The commands that cleared it.
    pub(super) commands: Vec<String>,
    /// Whether it was exact.
    pub(super) verdict: Verdict,
}

impl Drill {
    /// Drills an alarm. One that cannot be drilled is not exact.
    pub(super) async fn of(alarm: &'static Alarm, binaries: &Binaries, ringvault: &Path) -> Self {
        let Some(trouble) = Trouble::ALL.into_iter().find(|trouble| trouble.alarm() == alarm.name) else {
            return Self::broken(alarm, "", "nobody knows how to bring its condition about".to_owned());
        };
        let drilled = drill(alarm, trouble, binaries, ringvault).await;
        drilled.unwrap_or_else(|error| Self::broken(alarm, trouble.condition(), error.to_string()))
    }

    fn broken(alarm: &'static Alarm, condition: &'static str, why: String) -> Self {
        let verdict = Verdict { value: None, fired_min: None, wrongs: vec![why] };
        Self { alarm: alarm.name, condition, commands: Vec::new(), verdict }
    }
}

async fn drill(
    alarm: &'static Alarm,
    trouble: Trouble,
    binaries: &Binaries,
    ringvault: &Path,
) -> Result<Drill, DrillError> {
    let mut site = Site::start(binaries, trouble).await?;
    while site.now_ms < BEGAN_MS + HEALTHY_ROUNDS * ROUND_MS {
        site.round().await?;
    }
    let caused_ms = site.now_ms;
    trouble.bring_about(&mut site).await?;
    site.listen()?;
    for _ in 0..rounds(alarm) {
        site.round().await?;
        if fired(ALARMS, &site.points, BEGAN_MS..site.now_ms).contains_key(alarm.name) {
            break;
        }
    }
    trouble.mend_outside(&mut site).await?;
    if trouble.is_helped(&site)?.is_none() {
        for _ in 0..rounds(alarm) {
            site.round().await?;
        }
        if !ringing(ALARMS, &site.points, BEGAN_MS..site.now_ms).contains(&alarm.name) {
            return Err(DrillError::Told("it was cleared before the command".to_owned()));
        }
    }
    let mended_ms = site.now_ms;
    let commands = commands(trouble).map_err(DrillError::Told)?;
    if trouble.is_helped(&site)? == Some(true) {
        return Err(DrillError::Told("nothing is left for the command to do".to_owned()));
    }
    for (_, command) in &commands {
        site.act(command, ringvault).await?;
    }
    if trouble.is_helped(&site)? == Some(false) {
        return Err(DrillError::Told("the command does not do what it is for".to_owned()));
    }
    for _ in 0..rounds(alarm) {
        site.round().await?;
        if ringing(ALARMS, &site.points, BEGAN_MS..site.now_ms).is_empty() {
            break;
        }
    }
    for _ in 0..WATCHED_ROUNDS {
        site.round().await?;
    }
    if let Some(left) = trouble.left(&site) {
        return Err(DrillError::Told(left));
    }
    let moments = Moments { began_ms: BEGAN_MS, caused_ms, mended_ms, ended_ms: site.now_ms };
    Ok(Drill {
        alarm: alarm.name,
        condition: trouble.condition(),
        commands: commands.into_iter().map(|(line, _)| line).collect(),
        verdict: Verdict::of(alarm.name, ALARMS, &site.points, moments),
    })
}

/// The runbook's commands against a trouble, each as it is printed and as it is understood.
fn commands(trouble: Trouble) -> Result<Vec<(String, Command)>, String> {
    let script = trouble.fill_in(runbook::script(trouble.alarm())?);
    let commands = words::split(&script, &variables_of(trouble))?;
    if commands.is_empty() {
        return Err(format!("{} is cleared by no command", trouble.alarm()));
    }
    let understood = commands.into_iter().map(|words| {
        let line = words.join(" ");
        let words = words.iter().map(|word| read_in(word, trouble)).collect::<Result<Vec<_>, _>>()?;
        Ok((line, Command::read(&words)?))
    });
    understood.collect()
}

/// A word, or what is in the file it names, as the AWS CLI has it.
fn read_in(word: &str, trouble: Trouble) -> Result<String, String> {
    let Some(name) = word.strip_prefix("file://") else { return Ok(word.to_owned()) };
    trouble.file(name).ok_or_else(|| format!("nobody knows what is in the file {name}"))
}

/// How many rounds an alarm has to fire, or to be cleared.
fn rounds(alarm: &Alarm) -> u64 {
    let period_ms = u64::from(alarm.period_s) * 1_000;
    ((u64::from(alarm.periods) + PERIODS_BESIDES) * period_ms).div_ceil(ROUND_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alarm_has_a_drill_and_its_runbook_is_understood() {
        let mut drilled = Trouble::ALL.map(Trouble::alarm).to_vec();
        let mut alarms: Vec<&str> = ALARMS.iter().map(|alarm| alarm.name).collect();
        drilled.sort_unstable();
        alarms.sort_unstable();
        assert_eq!(drilled, alarms);
        for trouble in Trouble::ALL {
            let commands = commands(trouble).map_err(|why| format!("{}: {why}", trouble.alarm()));
            assert_eq!(commands.map(|commands| commands.len()), Ok(1));
        }
    }
}
