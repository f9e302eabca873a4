//! The template's alarms are those of the table, and its dashboard shows every metric of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::telemetry::{
    DIMENSION, NAMESPACE,
    alarms::{ALARMS, Alarm, Bad, Missing, Statistic},
    metrics::Metric,
};

use super::Template;

const KIND: &str = "AWS::CloudWatch::Alarm";

/// What an alarm of the table is in the template, but for its description.
fn properties(alarm: &Alarm) -> BTreeMap<&'static str, Value> {
    let (operator, threshold) = match alarm.bad {
        Bad::Below(least) => ("LessThanThreshold", json!(least)),
        Bad::BelowParameter(parameter, _) => ("LessThanThreshold", json!({ "Ref": parameter })),
        Bad::AtLeast(most) => ("GreaterThanOrEqualToThreshold", json!(most)),
    };
    let statistic = match alarm.statistic {
        Statistic::Minimum => "Minimum",
        Statistic::Maximum => "Maximum",
        Statistic::Sum => "Sum",
    };
    let missing = match alarm.missing {
        Missing::NotBreaching => "notBreaching",
        Missing::Breaching => "breaching",
        Missing::Ignore => "ignore",
    };
    let told = json!({ "Fn::If": ["HasAlarmEmail", [{ "Ref": "AlarmTopic" }], { "Ref": "AWS::NoValue" }] });
    BTreeMap::from([
        ("Namespace", json!(NAMESPACE)),
        ("MetricName", json!(alarm.metric.name())),
        ("Dimensions", json!([{ "Name": DIMENSION, "Value": { "Ref": "Table" } }])),
        ("Statistic", json!(statistic)),
        ("ComparisonOperator", json!(operator)),
        ("Threshold", threshold),
        ("Period", json!(alarm.period_s)),
        ("EvaluationPeriods", json!(alarm.periods)),
        ("TreatMissingData", json!(missing)),
        ("AlarmActions", told.clone()),
        ("OKActions", told),
    ])
}

/// Whether both are the same; 1 is 1.0.
fn same(value: &Value, expected: &Value) -> bool {
    match (value.as_f64(), expected.as_f64()) {
        (Some(value), Some(expected)) => value == expected,
        (_, _) => value == expected,
    }
}

fn complaints(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    let there: BTreeMap<&str, &Value> = template.resources(KIND).into_iter().collect();
    let names: BTreeSet<String> = ALARMS.iter().map(|alarm| format!("{}Alarm", alarm.name)).collect();
    found.extend(there.keys().filter(|name| !names.contains(**name)).map(|name| format!("{name} is not in the table")));
    for alarm in ALARMS {
        let name = format!("{}Alarm", alarm.name);
        let Some(own) = there.get(name.as_str()).and_then(|it| it["Properties"].as_object()) else {
            found.push(format!("{name} is not in the template"));
            continue;
        };
        let expected = properties(alarm);
        for (property, expected) in &expected {
            if !same(own.get(*property).unwrap_or(&Value::Null), expected) {
                found.push(format!("{name}: {property} is not {expected}"));
            }
        }
        let further = own.keys().filter(|it| *it != "AlarmDescription" && !expected.contains_key(it.as_str()));
        found.extend(further.map(|property| format!("{name}: {property} is not in the table")));
        let section = format!(" docs/RUNBOOK.md#{}", alarm.name.to_lowercase());
        let described =
            own.get("AlarmDescription").and_then(Value::as_str).and_then(|text| text.strip_suffix(&section));
        if described.is_none_or(|sentence| !sentence.ends_with('.')) {
            found.push(format!("{name} does not say what it means, and where to read on"));
        }
        if let Bad::BelowParameter(parameter, least) = alarm.bad
            && !same(&template.0["Parameters"][parameter]["Default"], &json!(least))
        {
            found.push(format!("{parameter} is not {least} by default"));
        }
    }
    found.extend(dashboard_complaints(&template.resource("AWS::CloudWatch::Dashboard")["Properties"]));
    found
}

fn dashboard_complaints(dashboard: &Value) -> Vec<String> {
    let body = dashboard["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let rows = widgets.iter().filter_map(|widget| widget["properties"]["metrics"].as_array()).flatten();
    let mut shown: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for row in rows.filter(|row| row[0] == NAMESPACE) {
        shown.extend(row[1].as_str());
        if (&row[2], &row[3]) != (&json!(DIMENSION), &json!("${Table}")) {
            found.push(format!("the dashboard shows {} of another dimension", row[1]));
        }
    }
    let known: BTreeSet<&str> = Metric::ALL.into_iter().map(Metric::name).collect();
    found.extend(shown.difference(&known).map(|name| format!("the dashboard shows {name}, which nobody emits")));
    found.extend(known.difference(&shown).map(|name| format!("the dashboard does not show {name}")));
    let states = widgets.iter().filter_map(|widget| widget["properties"]["alarms"].as_array()).flatten();
    let states: BTreeSet<String> = states.filter_map(Value::as_str).map(str::to_owned).collect();
    let expected = ALARMS.iter().map(|alarm| format!("${{{}Alarm.Arn}}", alarm.name)).collect();
    if states != expected {
        found.push("the dashboard does not show the states of all alarms, and of no other".to_owned());
    }
    found
}

#[test]
fn alarms_and_dashboard_are_those_of_the_table() {
    assert_eq!(complaints(&Template::read()), [""; 0]);
}

#[test]
fn no_two_alarms_are_one() {
    let names: BTreeSet<&str> = ALARMS.iter().map(|alarm| alarm.name).collect();
    let metrics: BTreeSet<Metric> = ALARMS.iter().map(|alarm| alarm.metric).collect();
    assert_eq!((names.len(), metrics.len()), (ALARMS.len(), ALARMS.len()));
    assert!(Metric::ALL.len() <= 15, "CloudWatch charges for each");
}

#[test]
fn what_is_wrong_with_an_alarm_is_found() {
    let template = Template::read();
    for (property, value, complaint) in [
        ("MetricName", json!("Defect"), "SlackLowAlarm: MetricName is not \"Slack\""),
        ("Namespace", json!("Ringvaults"), "SlackLowAlarm: Namespace is not \"Ringvault\""),
        ("Threshold", json!(604_801), "SlackLowAlarm: Threshold is not 604800.0"),
        ("Statistic", json!("Maximum"), "SlackLowAlarm: Statistic is not \"Minimum\""),
        (
            "ComparisonOperator",
            json!("GreaterThanThreshold"),
            "SlackLowAlarm: ComparisonOperator is not \"LessThanThreshold\"",
        ),
        ("Period", json!(60), "SlackLowAlarm: Period is not 3600"),
        ("EvaluationPeriods", json!(2), "SlackLowAlarm: EvaluationPeriods is not 1"),
        ("TreatMissingData", json!("breaching"), "SlackLowAlarm: TreatMissingData is not \"notBreaching\""),
        ("AlarmDescription", json!("Low."), "SlackLowAlarm does not say what it means, and where to read on"),
    ] {
        let changed = template.with(&format!("/Resources/SlackLowAlarm/Properties/{property}"), value);
        assert_eq!(complaints(&changed), [complaint]);
    }
    for property in ["Dimensions", "AlarmActions", "OKActions"] {
        let changed = template.with(&format!("/Resources/SlackLowAlarm/Properties/{property}"), json!([]));
        let found = complaints(&changed);
        assert!(found.len() == 1 && found[0].starts_with(&format!("SlackLowAlarm: {property} ")), "{found:?}");
    }
    let lower = template.with("/Parameters/CompletenessTargetPercent/Default", json!(99));
    assert_eq!(complaints(&lower), ["CompletenessTargetPercent is not 100 by default"]);
    let other = template.with("/Resources/SlackLowAlarm/Type", json!("AWS::CloudWatch::CompositeAlarm"));
    assert_eq!(complaints(&other), ["SlackLowAlarm is not in the template"]);
    let one_more = template.with("/Resources/AlarmTopic/Type", json!(KIND));
    assert_eq!(complaints(&one_more), ["AlarmTopic is not in the table"]);
}

#[test]
fn what_is_wrong_with_the_dashboard_is_found() {
    let template = Template::read();
    let pointer = "/Resources/Dashboard/Properties/DashboardBody/Fn::Sub";
    let body = template.0.pointer(pointer).and_then(Value::as_str).unwrap();
    for (from, to, complaints_of) in [
        (
            r#""Backlog""#,
            r#""Backlogs""#,
            vec!["the dashboard shows Backlogs, which nobody emits", "the dashboard does not show Backlog"],
        ),
        (
            r#""Backlog", "Table""#,
            r#""Backlog", "Function""#,
            vec!["the dashboard shows \"Backlog\" of another dimension"],
        ),
        (
            "${SlackLowAlarm.Arn}",
            "${Table.Arn}",
            vec!["the dashboard does not show the states of all alarms, and of no other"],
        ),
    ] {
        assert!(body.contains(from));
        assert_eq!(complaints(&template.with(pointer, json!(body.replace(from, to)))), complaints_of);
    }
}
