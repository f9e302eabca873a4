//! Imports run one way: functions, tools → telemetry → usecases, clients, config → ports → domain.

use crate::{
    sources::{Crate, Mention},
    workspace,
};

/// What a room, a top module of a crate, may name.
struct Room {
    name: &'static str,
    /// Paths of its own crate it may name, with what lies below them.
    may_name: &'static [&'static str],
    /// Outside crates, or paths of them, that a pure room may name; any other room may name what its Cargo.toml has.
    pure: Option<&'static [&'static str]>,
}

const fn room(name: &'static str, may_name: &'static [&'static str]) -> Room {
    Room { name, may_name, pure: None }
}

const fn pure(name: &'static str, may_name: &'static [&'static str], crates: &'static [&'static str]) -> Room {
    Room { name, may_name, pure: Some(crates) }
}

/// What reaches outside the program; pure rooms leave it to others. Their tests need not.
const WORLD: &[&str] = &[
    "eprint!",
    "eprintln!",
    "print!",
    "println!",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
];

/// The crate root declares modules and names nothing. `secret` and `failure` are pure vocabulary that stands on nothing:
/// a delivery is authenticated in `domain`, and every port says what its failures mean. So `domain` may name `secret`.
/// `config` makes the types its values are for, so that a wrong one stops the function at its start.
const SHARED: &[Room] = &[
    room("", &[]),
    pure(
        "domain",
        &["domain", "secret"],
        &["base64", "crc_fast", "serde", "serde_json", "sha2", "thiserror", "time", "url"],
    ),
    pure("failure", &["failure"], &[]),
    pure("secret", &["secret"], &["subtle"]),
    pure("ports", &["ports", "domain", "failure", "secret"], &["bytes", "futures_util", "thiserror"]),
    pure(
        "usecases",
        &["usecases", "ports", "domain", "failure", "secret"],
        &["bytes", "futures_util", "serde", "thiserror", "tokio::sync::mpsc", "tracing"],
    ),
    room("clients", &["clients", "ports", "domain", "failure", "secret"]),
    room("config", &["config", "domain", "clients::ringcentral::origin"]),
    room("telemetry", &["telemetry", "usecases", "domain"]),
];

/// The simulator is pure but for its server: a request and the time go in, a reply comes out.
const SIMULATOR: &[Room] = &[
    room("", &["settings", "server"]),
    pure("core", PURE_SIMULATOR, &["base64", "bytes", "serde_json", "sha2", "url"]),
    pure("world", PURE_SIMULATOR, &["base64", "serde_json", "sha2"]),
    pure("audio", PURE_SIMULATOR, &["sha2"]),
    pure("calls", &["calls", "core", "world", "settings", "time_text"], &["fastrand", "serde_json"]),
    pure("settings", PURE_SIMULATOR, &["serde"]),
    pure("time_text", PURE_SIMULATOR, &["time"]),
    room("server", &["server", "core", "calls", "world", "audio", "settings", "time_text"]),
];
const PURE_SIMULATOR: &[&str] = &["core", "world", "audio", "settings", "time_text"];

#[test]
fn imports_of_the_library_run_one_way() {
    assert_eq!(violations(&Crate::read("shared", "shared/src"), SHARED, &crates_of("shared")), [""; 0]);
}

#[test]
fn the_simulator_is_pure_but_for_its_server() {
    let simulator = Crate::read("ringcentral_sim", "tools/ringcentral-sim/src");
    assert_eq!(violations(&simulator, SIMULATOR, &crates_of("ringcentral-sim")), [""; 0]);
}

#[test]
fn every_rule_has_its_room() {
    for (name, folder, rooms) in
        [("shared", "shared/src", SHARED), ("ringcentral_sim", "tools/ringcentral-sim/src", SIMULATOR)]
    {
        let mentions = Crate::read(name, folder).mentions();
        let in_room = |mention: &Mention, room: &Room| mention.module.first().is_some_and(|first| first == room.name);
        for room in rooms.iter().filter(|room| !room.name.is_empty()) {
            assert!(mentions.iter().any(|mention| in_room(mention, room)), "{name} has no {}", room.name);
        }
    }
}

fn crates_of(package: &str) -> Vec<String> {
    let packages = workspace::packages();
    packages.iter().find(|known| known.name == package).unwrap().crates()
}

fn violations(of: &Crate, rooms: &[Room], crates: &[String]) -> Vec<String> {
    let broken = |mention: &Mention| {
        let name = mention.module.first().map(String::as_str).unwrap_or_default();
        match rooms.iter().find(|room| room.name == name) {
            None => Some(format!("{}: no rule says what {name} may name", mention.file)),
            Some(room) if room.allows(of.name(), mention, crates) => None,
            Some(_) => Some(format!("{}: {name} names {}", mention.file, mention.text())),
        }
    };
    let mut found: Vec<String> = of.mentions().iter().filter_map(broken).collect();
    found.dedup();
    found
}

impl Room {
    fn allows(&self, own: &str, mention: &Mention, crates: &[String]) -> bool {
        let first = &mention.path[0];
        if first == own {
            return self.may_name.iter().any(|path| mention.begins_with(&format!("{own}::{path}")));
        }
        let Some(pure) = self.pure else { return true };
        let known = !crates.contains(first) || pure.iter().any(|path| mention.begins_with(path));
        known && (mention.in_tests || !WORLD.iter().any(|path| mention.begins_with(path)))
    }
}

mod tests {
    use super::*;

    fn complaints(file: &str, text: &str) -> Vec<String> {
        let crates = ["reqwest", "aws_sdk_s3", "tokio", "serde", "url"].map(str::to_owned);
        violations(&Crate::parse("shared", [(file.to_owned(), text)]), SHARED, &crates)
    }

    #[test]
    fn what_the_rule_forbids_is_found_however_it_is_written() {
        for (file, text, named) in [
            ("domain/day.rs", "use crate::ports::clock::Clock;", "shared::ports::clock::Clock"),
            ("domain/day.rs", "use crate::{domain::ids, failure::Class};", "shared::failure::Class"),
            ("domain/day.rs", "use crate::{domain::{ids::{self}}, clients as quiet};", "shared::clients"),
            ("domain/day.rs", "use super::super::ports::*;", "shared::ports::*"),
            ("domain/day.rs", "fn f(x: &dyn crate::ports::Clock) {}", "shared::ports::Clock"),
            ("domain/day.rs", "mod inner { fn f() { super::super::super::config::read(); } }", "shared::config::read"),
            ("domain/day.rs", "#[cfg(test)] mod tests { use crate::usecases::x; }", "shared::usecases::x"),
            ("domain/day.rs", "fn f() { assert!(!crate::clients::s3::up()); }", "shared::clients::s3::up"),
            ("domain/day.rs", "fn f() { use std::fs; fs::read(p); }", "std::fs::read"),
            ("domain/day.rs", "use crate as root; fn f() { root::clients::f() }", "shared::clients::f"),
            ("domain/day.rs", "fn f() { println!(); }", "println!"),
            ("ports/source.rs", "use reqwest as web; type Body = web::Body;", "reqwest::Body"),
            ("ports/source.rs", "pub type Wait = Option<Box<tokio::time::Sleep>>;", "tokio::time::Sleep"),
            ("ports/source.rs", "fn f() -> ::url::Url { x }", "url::Url"),
            ("ports/source.rs", "use crate::usecases::archive_due::Run;", "shared::usecases::archive_due::Run"),
            ("usecases/look.rs", "use aws_sdk_s3::{Client, types::{Part as P}};", "aws_sdk_s3::types::Part"),
            ("usecases/look.rs", "#[tokio::main] async fn f() {}", "tokio::main"),
            ("usecases/look.rs", "use crate::telemetry;", "shared::telemetry"),
            ("clients/s3.rs", "fn f() { crate::usecases::x() }", "shared::usecases::x"),
            (
                "config.rs",
                "use crate::clients::{ringcentral::origin::Origin, s3::Bucket};",
                "shared::clients::s3::Bucket",
            ),
            ("lib.rs", "pub use domain::day::Day; pub mod domain;", "shared::domain::day::Day"),
            ("secret.rs", "use serde::Serialize;", "serde::Serialize"),
        ] {
            let found = complaints(file, text);
            assert!(found.iter().any(|line| line.ends_with(&format!(" names {named}"))), "{text}\n{found:?}");
        }
    }

    #[test]
    fn what_the_rule_allows_is_not_complained_about() {
        for (file, text) in [
            ("domain/day.rs", "use super::ids::Id; use crate::secret::Secret; fn f(url: u8) -> u8 { url }"),
            ("domain/day.rs", "mod tokio { pub fn f() {} } fn g() { tokio::f() }"),
            ("domain/day.rs", "mod inner { use super::*; pub(in crate::domain) fn f() { serde::x() } }"),
            ("usecases/look.rs", "use crate::ports::clock::Clock; fn f() { let _ = std::time::Duration::ZERO; }"),
            ("clients/s3.rs", "use aws_sdk_s3::Client; use super::aws; use crate::ports::x;"),
            ("config.rs", "use crate::clients::ringcentral::origin::Origin;"),
        ] {
            assert_eq!(complaints(file, text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_new_room_needs_a_rule() {
        assert_eq!(complaints("attic.rs", "use std::fmt;"), ["attic.rs: no rule says what attic may name"]);
    }

    #[test]
    fn re_exports_are_followed() {
        let files = [
            ("lib.rs".to_owned(), "pub mod clients; pub mod domain;"),
            ("domain/mod.rs".to_owned(), "pub mod day; pub use crate::clients::Clock;"),
            ("domain/day.rs".to_owned(), "fn f(clock: super::Clock) {}"),
        ];
        let found = violations(&Crate::parse("shared", files), SHARED, &[]);
        assert_eq!(
            found,
            [
                "domain/day.rs: domain names shared::clients::Clock",
                "domain/mod.rs: domain names shared::clients::Clock"
            ]
        );
    }
}
