//! What S3 deletes of the archive, and what it refuses to delete: what was chosen, and nothing by default.

use std::time::Duration;

use serde_json::{Value, json};
use shared::config::ArchiverConfig;

use super::{Template, environment};

/// What stands there only where that was chosen.
fn chosen(condition: &str, value: &Value) -> Value {
    json!({ "Fn::If": [condition, value, { "Ref": "AWS::NoValue" }] })
}

/// All that the bucket's properties say of it, in whole: a rule more, or one word in another, deletes recordings.
fn expected() -> [(&'static str, Value); 3] {
    let expiry = |id: &str, prefix: &str| {
        let rule = json!({
            "Id": id,
            "Status": "Enabled",
            "Prefix": prefix,
            "ExpirationInDays": { "Ref": "ExpireAfterDays" },
            "NoncurrentVersionExpiration": { "NoncurrentDays": 90 },
        });
        chosen("HasExpiry", &rule)
    };
    let cut_off = json!({
        "Id": "UploadsThatWereCutOff",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 7 },
    });
    let retention = json!({ "Mode": { "Ref": "ObjectLockMode" }, "Days": { "Ref": "ObjectLockDays" } });
    let lock = json!({ "ObjectLockEnabled": "Enabled", "Rule": { "DefaultRetention": retention } });
    // Reports stay.
    let [recordings, manifests] = [("Recordings", "recordings/"), ("Manifests", "sessions/")]
        .map(|(what, prefix)| expiry(&format!("{what}ThatAreOldEnough"), prefix));
    [
        ("LifecycleConfiguration", json!({ "Rules": [cut_off, recordings, manifests] })),
        ("ObjectLockConfiguration", chosen("HasObjectLock", &lock)),
        ("ObjectLockEnabled", chosen("HasObjectLock", &json!(true))),
    ]
}

/// How long rows are kept, by the code's default.
fn row_ttl() -> Duration {
    let set = environment::required("archiver");
    ArchiverConfig::read(|name| set.get(name).cloned()).unwrap().schedule.row_ttl
}

fn complaints(template: &Template) -> Vec<String> {
    const DAY_S: u64 = 24 * 3600;
    let bucket = &template.resource("AWS::S3::Bucket")["Properties"];
    let differs = expected().into_iter().filter(|(property, value)| bucket.get(property) != Some(value));
    let differs = differs.map(|(property, _)| format!("{property} is not what it should be"));
    let days = template.0["Parameters"]["ExpireAfterDays"]["AllowedValues"].as_array();
    let days = days.into_iter().flatten().map(|days| days.as_u64().unwrap());
    let early = days.filter(|days| *days != 0 && Duration::from_secs(days * DAY_S) <= row_ttl());
    let early = early.map(|days| format!("recordings may go after {days} days, and their rows are still there"));
    let defaults = [("ExpireAfterDays", json!(0)), ("ObjectLockMode", json!("NONE")), ("KmsKeyArn", json!(""))];
    let on = defaults.into_iter().filter(|(name, off)| template.0["Parameters"][name]["Default"] != *off);
    let on = on.map(|(name, _)| format!("{name} is chosen by default"));
    let bounded = template.0["Parameters"]["ExpireAfterDays"].get("AllowedValues").is_some();
    let unbounded = (!bounded).then(|| "ExpireAfterDays may be anything".to_owned());
    differs.chain(early).chain(on).chain(unbounded).collect()
}

#[test]
fn only_what_was_chosen_expires_or_is_locked() {
    assert_eq!(complaints(&Template::read()), [""; 0]);
    assert_eq!(row_ttl(), Duration::from_secs(400 * 24 * 3600), "as the template says beside ExpireAfterDays");
}

#[test]
fn what_would_delete_or_lock_more_is_found() {
    let bucket = |property: &str| format!("/Resources/Bucket/Properties/{property}");
    let lifecycle = "LifecycleConfiguration is not what it should be";
    let deletes = json!({ "Id": "UploadsThatWereCutOff", "Status": "Enabled", "ExpirationInDays": 30 });
    let mut deletes_too = expected()[0].1["Rules"][0].clone();
    deletes_too["ExpirationInDays"] = json!(30);
    let mut rules = expected()[0].1["Rules"].clone();
    rules.as_array_mut().unwrap().push(deletes.clone());
    let parameter = |property: &str| format!("/Parameters/ExpireAfterDays/{property}");
    for (pointer, value, complaint) in [
        (bucket("LifecycleConfiguration/Rules/0"), deletes, lifecycle),
        (bucket("LifecycleConfiguration/Rules/0"), deletes_too, lifecycle),
        (bucket("LifecycleConfiguration/Rules"), rules, lifecycle),
        (bucket("LifecycleConfiguration/Rules/1/Fn::If/0"), json!("UsesFunctionUrl"), lifecycle),
        (bucket("LifecycleConfiguration/Rules/1/Fn::If/1/ExpirationInDays"), json!(30), lifecycle),
        (bucket("LifecycleConfiguration/Rules/1/Fn::If/1/Prefix"), json!(""), lifecycle),
        (bucket("LifecycleConfiguration/Rules/2/Fn::If/1/Prefix"), json!("reports/"), lifecycle),
        (
            bucket("LifecycleConfiguration/Rules/2/Fn::If/1/NoncurrentVersionExpiration/NoncurrentDays"),
            json!(1),
            lifecycle,
        ),
        (bucket("ObjectLockEnabled"), json!(true), "ObjectLockEnabled is not what it should be"),
        (
            bucket("ObjectLockConfiguration/Fn::If/1/Rule/DefaultRetention/Mode"),
            json!("COMPLIANCE"),
            "ObjectLockConfiguration is not what it should be",
        ),
        (parameter("AllowedValues"), json!([0, 400, 730]), "recordings may go after 400 days"),
        (parameter("AllowedValues"), json!([0, 30, 730]), "recordings may go after 30 days"),
        (parameter("Default"), json!(730), "ExpireAfterDays is chosen by default"),
        (
            "/Parameters/ExpireAfterDays".to_owned(),
            json!({ "Type": "Number", "Default": 0, "MinValue": 0 }),
            "ExpireAfterDays may be anything",
        ),
    ] {
        let found = complaints(&Template::read().with(&pointer, value));
        assert!(found.len() == 1 && found[0].starts_with(complaint), "{pointer}: {found:?}");
    }
}
