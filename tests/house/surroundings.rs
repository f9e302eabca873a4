//! Only `main.rs` reads the environment, the clock and chance; elsewhere they are handed in.

use std::collections::BTreeSet;

use crate::{
    sources::{Crate, Mention},
    workspace::{self, Package},
};

/// What reads them. Wall clocks and stopwatches alike: both make a run differ from its repetition.
const READINGS: &[&str] = &[
    ".elapsed",
    "fastrand",
    "getrandom",
    "rand",
    "std::collections::hash_map::RandomState",
    "std::env",
    "std::hash::RandomState",
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "time::OffsetDateTime::now_local",
    "time::OffsetDateTime::now_utc",
    "time::UtcDateTime::now",
    "tokio::time::Instant::now",
];

/// Numbers drawn from a seed are no chance: the same seed draws the same.
const SEEDED: &[&str] = &["fastrand::Rng", "fastrand::Rng::with_seed"];

/// Who else may, and why.
const EDGES: &[(&str, &str)] = &[
    ("shared/src/clients/system.rs", "the adapter of the ports Clock and Chance"),
    ("tools/local-cloud/src/binaries.rs", "asks the running cargo, by its variables, what to build and where"),
    ("tools/local-cloud/src/function_url/mod.rs", "a gateway stamps each request"),
    ("tools/local-cloud/src/ids.rs", "makes AWS's ids, which are random"),
    ("tools/local-cloud/src/lambda/instance.rs", "Lambda tells its function a deadline"),
    ("tools/local-cloud/src/lambda/log.rs", "logs go to the folder for temporary files by default"),
    ("tools/local-cloud/src/s3/store.rs", "S3 dates its objects"),
    ("tools/local-cloud/src/secrets.rs", "Secrets Manager dates its versions"),
    ("tools/measure/src/bugbank/copy.rs", "asks the running cargo, by its variables, what builds the copy"),
    ("tools/ringcentral-sim/src/server.rs", "hands the time to the pure core"),
    ("tools/ringcentral-sim/src/server/deliver.rs", "measures how long a webhook took"),
    ("tools/ringvault/src/replay.rs", "waits until a session is due"),
    ("tools/ringvault/src/replay/event_file.rs", "plays the gateway, which stamps each request"),
];

#[test]
fn only_main_and_the_edges_read_environment_clock_and_chance() {
    let packages = workspace::packages();
    let read: BTreeSet<String> =
        packages.iter().filter(|package| package.folder != "tests").flat_map(readers).collect();
    let edges: BTreeSet<String> = EDGES.iter().map(|(file, _)| (*file).to_owned()).collect();
    let undeclared: Vec<_> = read.difference(&edges).collect();
    assert!(undeclared.is_empty(), "these read environment, clock or chance: {undeclared:#?}");
    let stale: Vec<_> = edges.difference(&read).collect();
    assert!(stale.is_empty(), "these no longer do; take them off the list: {stale:#?}");
}

#[test]
fn of_what_runs_in_aws_only_the_system_adapter_is_an_edge() {
    let deployed = |file: &&str| file.starts_with("shared/") || file.starts_with("functions/");
    let edges: Vec<&str> = EDGES.iter().map(|(file, _)| *file).filter(deployed).collect();
    assert_eq!(edges, ["shared/src/clients/system.rs"]);
}

/// Files of a package that read them. Tests of the tools may.
fn readers(package: &Package) -> Vec<String> {
    let sources = format!("{}/src", package.folder);
    let tool = package.folder.starts_with("tools/");
    let counts = |mention: &Mention| reads(mention) && mention.file != "main.rs" && !(tool && mention.in_tests);
    let mentions = Crate::read(&package.name.replace('-', "_"), &sources).mentions();
    mentions.iter().filter(|mention| counts(mention)).map(|mention| format!("{sources}/{}", mention.file)).collect()
}

fn reads(mention: &Mention) -> bool {
    READINGS.iter().any(|reading| mention.begins_with(reading)) && !SEEDED.contains(&mention.text().as_str())
}

mod tests {
    use super::*;

    fn found(text: &str) -> bool {
        Crate::parse("shared", [("domain/day.rs".to_owned(), text)]).mentions().iter().any(reads)
    }

    #[test]
    fn readings_are_found_however_they_are_written() {
        for text in [
            "fn f() { std::time::SystemTime::now(); }",
            "use std::time::{SystemTime as Wall}; fn f() { Wall::now(); }",
            "use std::time; fn f() { let now = time::Instant::now; }",
            "use std::time::*; fn f() { Instant::now(); }",
            "use std::time::Instant; mod inner { use super::*; fn f() { Instant::now(); } }",
            "use std::time::Instant; mod inner { fn f() { super::Instant::now(); } }",
            "fn f() { println!(\"{:?}\", std::time::SystemTime::now()); }",
            "use std::time::UNIX_EPOCH; fn f() { UNIX_EPOCH.elapsed(); }",
            "fn f() { assert!(start.elapsed() < limit); }",
            "use std::{env, fmt};",
            "use std::env::var; ",
            "fn f() { fastrand::f64(); }",
            "fn f() { fastrand::Rng::new(); }",
            "use fastrand::Rng; fn f() { Rng::default(); }",
            "use time::OffsetDateTime; fn f() { OffsetDateTime::now_utc(); }",
        ] {
            assert!(found(text), "{text}");
        }
    }

    #[test]
    fn types_of_time_and_constants_of_the_build_are_no_readings() {
        for text in [
            "use std::time::{Duration, SystemTime}; fn f(now: SystemTime) -> Duration { Duration::ZERO }",
            "const NAME: &str = env!(\"CARGO_PKG_NAME\");",
            "use fastrand::Rng; fn f() -> Rng { Rng::with_seed(7) }",
            "use crate::ports::clock::Clock; fn f(clock: &impl Clock) { clock.now_ms(); }",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
