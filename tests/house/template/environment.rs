//! The functions' variables.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Value, json};
use shared::config::{ArchiverConfig, ConfigError, ReconcilerConfig, WebhookConfig};

use super::{Function, Template};

/// The interface other people's scripts rely on, by function: what must be set, and what may be.
const INTERFACE: &[(&str, &[&str], &[&str])] = &[
    ("webhook", &["TABLE_NAME", "VERIFICATION_SECRET_ID"], WAITS),
    ("archiver", &["BUCKET_NAME", "RINGCENTRAL_SECRET_ID", "TABLE_NAME"], ARCHIVER),
    (
        "reconciler",
        &["BUCKET_NAME", "RINGCENTRAL_SECRET_ID", "TABLE_NAME", "VERIFICATION_SECRET_ID", "WEBHOOK_URL"],
        RECONCILER,
    ),
];
const WAITS: &[&str] = &[
    "FIRST_ATTEMPT_DELAY_SECONDS",
    "QUIET_PERIOD_SECONDS",
    "RETRY_LADDER_SECONDS",
    "ROW_TTL_DAYS",
    "UNLISTED_AFTER_HOURS",
];
const ARCHIVER: &[&str] = &[
    "FIRST_ATTEMPT_DELAY_SECONDS",
    "QUIET_PERIOD_SECONDS",
    "RETRY_LADDER_SECONDS",
    "RINGCENTRAL_ALLOWED_HOSTS",
    "RINGCENTRAL_MEDIA_URL",
    "RINGCENTRAL_SERVER_URL",
    "ROW_TTL_DAYS",
    "STORAGE_CLASS",
    "UNLISTED_AFTER_HOURS",
    "VENDOR_RETENTION_DAYS",
];

const RECONCILER: &[&str] = &[
    "FIRST_ATTEMPT_DELAY_SECONDS",
    "QUIET_PERIOD_SECONDS",
    "RECONCILER_SHARE_PERCENT",
    "RECONCILE_WINDOW_HOURS",
    "RETRY_LADDER_SECONDS",
    "RINGCENTRAL_ALLOWED_HOSTS",
    "RINGCENTRAL_MEDIA_URL",
    "RINGCENTRAL_SERVER_URL",
    "ROW_TTL_DAYS",
    "UNLISTED_AFTER_HOURS",
    "VENDOR_RETENTION_DAYS",
];

/// Where the template means to choose otherwise than the code does by itself: what is archived is seldom listened to.
const CHOSEN: &[(&str, &str)] = &[("STORAGE_CLASS", "GLACIER_IR")];

pub(super) type Variables = BTreeMap<&'static str, String>;

/// What a function makes of variables, in words, and the names it asked for.
fn config(binary: &str, variables: &Variables) -> (Result<String, ConfigError>, BTreeSet<&'static str>) {
    let asked = RefCell::new(BTreeSet::new());
    let lookup = |name: &'static str| {
        asked.borrow_mut().insert(name);
        variables.get(name).cloned()
    };
    let made = match binary {
        "webhook" => WebhookConfig::read(lookup).map(|config| format!("{config:?}")),
        "archiver" => ArchiverConfig::read(lookup).map(|config| format!("{config:?}")),
        "reconciler" => ReconcilerConfig::read(lookup).map(|config| format!("{config:?}")),
        other => panic!("say here which configuration {other} reads"),
    };
    (made, asked.into_inner())
}

/// What a function cannot start without, found by leaving out everything and adding what it complains about.
pub(super) fn required(binary: &str) -> Variables {
    let mut set = Variables::new();
    while let Err(complaint) = config(binary, &set).0 {
        let ConfigError::Missing(name) = complaint else { panic!("{binary}: {complaint}") };
        let value = if name == "WEBHOOK_URL" { "https://hook.example.com/" } else { "some-name" };
        assert_eq!(set.insert(name, value.to_owned()), None, "{binary} does not take {name}");
    }
    set
}

/// The names a function asks for when it starts well.
fn known(binary: &str) -> BTreeSet<&'static str> {
    config(binary, &required(binary)).1
}

fn complaints(template: &Template) -> Vec<String> {
    template.functions().iter().flat_map(|function| complaints_of(template, function)).collect()
}

fn complaints_of(template: &Template, function: &Function) -> Vec<String> {
    let binary = &function.binary;
    let (set, known, required) = (function.variables(), known(binary), required(binary));
    let unknown = set.keys().filter(|name| !known.contains(name.as_str()));
    let unknown = unknown.map(|name| format!("{binary} does not read {name}"));
    let missing = required.keys().filter(|name| !set.contains_key(**name));
    let missing = missing.map(|name| format!("{binary} needs {name}"));
    let (plain, _) = config(binary, &required);
    let differs = known.iter().filter(|name| {
        let Some(default) = set.get(**name).and_then(|value| default_of(template, value)) else { return false };
        if CHOSEN.contains(&(**name, &default)) {
            return false;
        }
        let mut with_default = required.clone();
        with_default.insert(name, default);
        config(binary, &with_default).0 != plain
    });
    let differs = differs.map(|name| format!("{binary}: the template's default of {name} is not the code's"));
    unknown.chain(missing).chain(differs).collect()
}

/// What a variable is if nobody chooses: a text, or the default of the parameter it refers to.
fn default_of(template: &Template, value: &Value) -> Option<String> {
    let value = match value.get("Ref").and_then(Value::as_str) {
        Some(name) => template.0["Parameters"].get(name)?.get("Default")?,
        None => value,
    };
    value.as_str().map(str::to_owned).or_else(|| value.is_number().then(|| value.to_string()))
}

#[test]
fn the_template_sets_what_the_functions_read_and_repeats_their_defaults() {
    assert_eq!(complaints(&Template::read()), [""; 0]);
}

#[test]
fn a_wrong_variable_or_default_is_found() {
    let template = Template::read();
    let environment = "/Resources/ArchiverFunction/Properties/Environment/Variables";
    let found = complaints(&template.with(environment, json!({ "BUCKET": "b", "STORAGE_CLASS": "STANDARD_IA" })));
    let expected = [
        "archiver does not read BUCKET",
        "archiver needs BUCKET_NAME",
        "archiver needs RINGCENTRAL_SECRET_ID",
        "archiver: the template's default of STORAGE_CLASS is not the code's",
    ];
    assert_eq!(found, expected);
    let found = complaints(&template.with("/Parameters/RingCentralMediaUrl/Default", json!("https://example.com")));
    let said =
        |function: &str| format!("{function}: the template's default of RINGCENTRAL_MEDIA_URL is not the code's");
    assert_eq!(found, ["archiver", "reconciler"].map(said));
}

#[test]
fn the_functions_read_the_published_variables() {
    for (binary, must, may) in INTERFACE {
        assert_eq!(required(binary).into_keys().collect::<Vec<_>>(), *must, "{binary}");
        let optional: Vec<_> = known(binary).into_iter().filter(|name| !must.contains(name)).collect();
        assert_eq!(optional, *may, "{binary}");
    }
}

#[test]
fn every_variable_that_names_a_parameter_names_one_that_exists() {
    let template = Template::read();
    for function in template.functions() {
        for (name, value) in function.variables() {
            for referred in super::referred(&value) {
                // SAM makes a resource of its own of a function's URL.
                let named = referred.strip_suffix("Url").unwrap_or(&referred);
                let named = if template.0["Parameters"].get(&referred).is_some() { &referred } else { named };
                let exists = ["Parameters", "Resources"].iter().any(|part| template.0[part].get(named).is_some());
                assert!(exists, "{}: {name} refers to {referred}", function.binary);
            }
        }
    }
}
