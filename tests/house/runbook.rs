//! The runbook has a section on every alarm, with the command that clears it, and describes every metric.

use std::collections::BTreeSet;

use shared::telemetry::{alarms::ALARMS, metrics::Metric};

use crate::workspace;

const FILE: &str = "docs/RUNBOOK.md";

/// After these words stands the command that clears an alarm.
const CLEAR_IT: &str = "**Clear it**";

const SHELL: &str = "```sh\n";

/// A section, by its heading.
struct Section<'a> {
    heading: &'a str,
    text: &'a str,
}

/// What stands between two headings of a part: the part's first sentences, then its sections.
fn sections<'a>(part: &'a str) -> Vec<Section<'a>> {
    let sections = part.split("\n## ").skip(1);
    sections.filter_map(|it| it.split_once('\n')).map(|(heading, text)| Section { heading, text }).collect()
}

fn complaints(runbook: &str) -> Vec<String> {
    let [alarms, metrics, procedures] = runbook
        .split_once("\n# Metrics\n")
        .and_then(|(alarms, rest)| rest.split_once("\n# Other procedures\n").map(|(a, b)| [alarms, a, b]))
        .unwrap_or_else(|| panic!("{FILE} has three parts"));
    let mut found = Vec::new();
    let on_alarms = sections(alarms);
    let names: Vec<&str> = ALARMS.iter().map(|alarm| alarm.name).collect();
    let headings: Vec<&str> = on_alarms.iter().map(|section| section.heading).collect();
    if headings != names {
        found.push(format!("the sections are {headings:?}, the alarms {names:?}"));
    }
    for section in &on_alarms {
        found.extend(wrong_with(section).map(|wrong| format!("{} {wrong}", section.heading)));
    }
    let rows: Vec<&str> = metrics.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = Metric::ALL
        .into_iter()
        .map(|metric| format!("| `{}` | {} | {} |", metric.name(), metric.unit().name(), metric.meaning()))
        .collect();
    let (are, should): (BTreeSet<&str>, BTreeSet<&str>) =
        (rows.iter().copied().collect(), expected.iter().map(String::as_str).collect());
    found.extend(should.difference(&are).map(|row| format!("no row {row}")));
    found.extend(are.difference(&should).map(|row| format!("not as in the code: {row}")));
    let anchors: BTreeSet<String> =
        on_alarms.iter().chain(&sections(procedures)).map(|section| anchor(section.heading)).collect();
    let links = runbook.split("](#").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    found.extend(links.filter(|link| !anchors.contains(*link)).map(|link| format!("#{link} leads nowhere")));
    found
}

/// What is wrong with a section on an alarm.
fn wrong_with(section: &Section<'_>) -> Option<&'static str> {
    let Some((before, after)) = section.text.split_once(CLEAR_IT) else { return Some("does not say how to clear it") };
    let commands: Vec<&str> = after.split(SHELL).skip(1).filter_map(|it| it.split("```").next()).collect();
    match commands.as_slice() {
        [] => Some("has no command that clears it"),
        [command] if command.trim().is_empty() => Some("has an empty command"),
        [_] if after.contains(CLEAR_IT) => Some("says twice how to clear it"),
        [_] if !before.contains(SHELL) => Some("does not say where to look"),
        [_] if !after.contains("It is over when") => Some("does not say when it is over"),
        [_] => None,
        [_, _, ..] => Some("has more than one command that clears it"),
    }
}

/// The anchor GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept =
        heading.to_lowercase().chars().filter(|it| it.is_alphanumeric() || " -".contains(*it)).collect::<String>();
    kept.replace(' ', "-")
}

#[test]
fn the_runbook_knows_every_alarm_and_every_metric_and_no_other() {
    assert_eq!(complaints(&workspace::read(FILE)), [""; 0]);
}

#[test]
fn what_is_wrong_with_the_runbook_is_found() {
    let runbook = workspace::read(FILE);
    let command = "aws lambda delete-function-concurrency --function-name \"$ARCHIVER\"\n";
    for (from, to, complaint) in [
        ("\n## SlackLow\n", "\n## SlackHigh\n", "the sections are "),
        ("\n## SlackLow\n", "\n## Nothing\n\n## SlackLow\n", "the sections are "),
        (command, "", "ArchiverSilent has an empty command"),
        (command, "```\n```sh\nls\n", "ArchiverSilent has more than one command that clears it"),
        ("| `Backlog` | Count |", "| `Backlog` | Seconds |", "no row | `Backlog` | Count |"),
        ("| `Backlog` |", "| `Backlogs` |", "no row | `Backlog` |"),
        ("calls that were due", "calls that were new", "no row | `Backlog` |"),
        ("](#accessrefused)", "](#access)", "#access leads nowhere"),
    ] {
        assert!(runbook.contains(from), "{from}");
        let found = complaints(&runbook.replace(from, to));
        assert!(found.iter().any(|line| line.starts_with(complaint)), "{complaint}: {found:?}");
    }
    for (words, complaint) in
        [(CLEAR_IT, "does not say how to clear it"), ("It is over when", "does not say when it is over")]
    {
        let found = complaints(&runbook.replace(words, ""));
        let expected: Vec<String> = ALARMS.iter().map(|alarm| format!("{} {complaint}", alarm.name)).collect();
        assert_eq!(found, expected);
    }
    let unseen = Section { heading: "X", text: "**Clear it**\n\n```sh\nls\n```\n\nIt is over when it is.\n" };
    assert_eq!(wrong_with(&unseen), Some("does not say where to look"));
}
