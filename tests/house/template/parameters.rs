//! What is asked of whoever deploys.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Template, referred};

/// All that must be filled in; the last three are shown nowhere.
const FOUR: [&str; 4] = ["RingCentralClientId", "RingCentralClientSecret", "RingCentralJwt", "VerificationToken"];

fn parameters(template: &Template) -> &Map<String, Value> {
    template.0["Parameters"].as_object().unwrap()
}

fn complaints(template: &Template) -> Vec<String> {
    let groups = template.0["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_array().unwrap();
    let grouped: Vec<&str> =
        groups.iter().flat_map(|it| it["Parameters"].as_array().unwrap()).map(|it| it.as_str().unwrap()).collect();
    let used = referred(&template.0["Resources"]).into_iter().chain(referred(&template.0["Conditions"]));
    let used: BTreeSet<String> = used.chain(referred(&template.0["Globals"])).collect();
    let mut found = Vec::new();
    for (name, parameter) in parameters(template) {
        if parameter["Description"].as_str().is_none_or(|text| !text.ends_with('.')) {
            found.push(format!("{name} is not described"));
        }
        let times = grouped.iter().filter(|it| *it == name).count();
        if times != 1 {
            found.push(format!("{name} is in {times} groups"));
        }
        if !used.contains(name) {
            found.push(format!("{name} changes nothing"));
        }
        let bounded = ["AllowedValues", "AllowedPattern", "MinValue"].iter().any(|it| parameter.get(it).is_some());
        if !bounded && name != "RingCentralAllowedHosts" {
            found.push(format!("{name} takes anything"));
        }
        if parameter.get("Default").is_none() != FOUR.contains(&name.as_str()) {
            found.push(format!("{name} must be filled in, or need not be"));
        }
        if (parameter["NoEcho"] == true) != FOUR[1..].contains(&name.as_str()) {
            found.push(format!("{name} is shown, or hidden without need"));
        }
    }
    let unknown = grouped.iter().filter(|name| !parameters(template).contains_key(**name));
    found.extend(unknown.map(|name| format!("{name} is in a group and is no parameter")));
    found
}

#[test]
fn four_values_are_asked_for_and_everything_else_has_a_default_and_bounds() {
    assert_eq!(complaints(&Template::read()), [""; 0]);
}

#[test]
fn what_is_wrong_with_a_parameter_is_found() {
    let template = Template::read();
    let jwt = json!({ "Type": "String", "Description": "Signs in" });
    assert_eq!(
        complaints(&template.with("/Parameters/RingCentralJwt", jwt)),
        [
            "RingCentralJwt is not described",
            "RingCentralJwt takes anything",
            "RingCentralJwt is shown, or hidden without need"
        ]
    );
    let group = "/Metadata/AWS::CloudFormation::Interface/ParameterGroups/1/Parameters";
    let found = complaints(&template.with(group, json!(["AlarmEmail", "LogLevel", "LogRetentionDays", "LogColour"])));
    assert_eq!(found, ["CompletenessTargetPercent is in 0 groups", "LogColour is in a group and is no parameter"]);
    let found = complaints(&template.with("/Parameters/StorageClass/Default", json!(null)));
    assert_eq!(found, [""; 0], "a default that is null is one");
    let found = complaints(&template.with("/Globals/Function/Architectures", json!(["arm64"])));
    assert_eq!(found, ["Architecture changes nothing"]);
}

#[test]
fn nothing_that_is_hidden_is_told() {
    let template = Template::read();
    let told = referred(&template.0["Outputs"]);
    assert!(FOUR.iter().all(|name| !told.contains(*name)), "{told:?}");
    for function in template.functions() {
        let set = referred(&Value::Object(function.variables()));
        assert!(FOUR.iter().all(|name| !set.contains(*name)), "{}: {set:?}", function.binary);
    }
}

/// When each condition holds. Whatever hangs on one is judged elsewhere by its name alone.
fn conditions() -> Value {
    let is = |name: &str, value: Value| json!({ "Fn::Equals": [{ "Ref": name }, value] });
    let is_not = |name: &str, value: Value| json!({ "Fn::Not": [is(name, value)] });
    json!({
        "HasAlarmEmail": is_not("AlarmEmail", json!("")),
        "HasExpiry": is_not("ExpireAfterDays", json!(0)),
        "HasKmsKey": is_not("KmsKeyArn", json!("")),
        "HasObjectLock": is_not("ObjectLockMode", json!("NONE")),
        "HasStreamTrigger": is("StreamTrigger", json!("on")),
        "LimitsArchiver": is_not("ArchiverConcurrency", json!(0)),
        "LimitsReconciler": is_not("ReconcilerConcurrency", json!(0)),
        "LimitsWebhook": is_not("WebhookConcurrency", json!(0)),
        "UsesFunctionUrl": is("WebhookEndpoint", json!("FunctionUrl")),
        "UsesHttpApi": is("WebhookEndpoint", json!("HttpApi")),
    })
}

#[test]
fn each_condition_is_what_its_name_says() {
    assert_eq!(Template::read().0["Conditions"], conditions());
}
