//! What SAM builds, and how.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Template;
use crate::workspace;

const CARGO_LAMBDA: &str = "CargoLambda.toml";

fn complaints(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    for function in template.functions() {
        let mut expect = |what: &str, value: &Value, expected: Value| {
            if *value != expected {
                found.push(format!("{}: {what} is {value}", function.binary));
            }
        };
        expect("Runtime", &function.properties["Runtime"], json!("provided.al2023"));
        expect("Architectures", &function.properties["Architectures"], json!([{ "Ref": "Architecture" }]));
        expect("Handler", &function.properties["Handler"], json!("bootstrap"));
        expect("CodeUri", &function.properties["CodeUri"], json!("."));
        let log_group = &function.properties["LoggingConfig"]["LogGroup"];
        expect("whether it has a log group of its own", &json!(!log_group.is_null()), json!(true));
        expect("BuildMethod", &function.metadata["BuildMethod"], json!("rust-cargolambda"));
    }
    let built: BTreeSet<String> = template.functions().into_iter().map(|function| function.binary).collect();
    if built != function_binaries() {
        found.push(format!("the template builds {built:?}, functions/ has {:?}", function_binaries()));
    }
    found
}

/// The binaries of the packages in functions/, each called like its package and its folder.
fn function_binaries() -> BTreeSet<String> {
    let packages = workspace::packages().into_iter();
    let functions = packages
        .filter_map(|it| it.folder.strip_prefix("functions/").map(|folder| (folder.to_owned(), it.name, it.binaries)));
    functions
        .map(|(folder, name, binaries)| {
            assert!(folder == name && binaries == [name.clone()], "functions/{folder} is {name} with {binaries:?}");
            name
        })
        .collect()
}

#[test]
fn every_function_is_built_from_its_package_for_the_right_machine() {
    let template = Template::read();
    assert_eq!(complaints(&template), [""; 0]);
    assert_eq!(template.0["Parameters"]["Architecture"]["Default"], "arm64");
    let wrong = template.with("/Globals/Function/Architectures", json!(["x86_64"]));
    assert_eq!(complaints(&wrong).len(), template.functions().len());
    let wrong = template.with("/Resources/WebhookFunction/Metadata/BuildProperties/Binary", json!("hook"));
    assert_eq!(complaints(&wrong).len(), 1);
}

/// `sam build` can only build `release`; cargo-lambda's own file makes that the profile we mean.
#[test]
fn sam_builds_with_the_lambda_profile() {
    let profile = settings_of("lambda", &workspace::read("Cargo.toml"));
    assert!(profile.contains("panic=\"abort\""), "{profile:?}");
    let text = workspace::read(CARGO_LAMBDA);
    assert!(text.lines().any(|line| line.starts_with("disable_optimizations = true")), "cargo-lambda's own would win");
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix('\'')?.strip_suffix("',"));
    let given: BTreeSet<String> = lines.map(|line| line.strip_prefix("profile.release.").unwrap().to_owned()).collect();
    assert_eq!(given, profile);
    for function in Template::read().functions() {
        assert_eq!(function.metadata["BuildProperties"].get("Profile"), None, "{}", function.binary);
    }
}

/// The settings of a profile as `name=value`, but for where it starts from.
fn settings_of(profile: &str, manifest: &str) -> BTreeSet<String> {
    let lines = manifest.lines().skip_while(|line| *line != format!("[profile.{profile}]")).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('[')).filter(|line| line.contains('='));
    lines.filter(|line| *line != "inherits = \"release\"").map(|line| line.replace(" = ", "=")).collect()
}
