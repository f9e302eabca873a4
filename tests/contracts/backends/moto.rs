//! The real adapters over moto, a second opinion on what DynamoDB and S3 are. `checks/moto` installs it, starts it and
//! says where it is; without that these tests are skipped.

use std::{
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use super::Real;

every_clause!(super::run);
every_clause_of_the_wire!(super::run);

/// Where moto answers.
const URL: &str = "RINGVAULT_MOTO_URL";
/// `1` where these tests must not be skipped.
const REQUIRED: &str = "RINGVAULT_MOTO_REQUIRED";

/// Why clauses about writers at the same time are not run: moto serves every request in a thread of its own, and checks
/// a condition and writes in two steps without a lock between them. About one run in five has two winners.
const UNLOCKED: &str = "moto lets several writers win the same condition";

const WRONG_CRC: &str = "moto answers a CRC-64/NVME of four bytes, which no reader accepts";

/// Clauses that moto 5.2 does not hold, and why that says nothing about the adapters. The local cloud holds them all.
const DEVIATIONS: &[(&str, &str)] = &[
    ("facts::of_ten_records_at_once_one_is_new", UNLOCKED),
    ("due::of_ten_claims_at_once_one_gets_the_row", UNLOCKED),
    ("leases::of_ten_who_want_the_drain_at_once_one_gets_it", UNLOCKED),
    ("cursors::of_ten_advances_at_once_one_is_done", UNLOCKED),
    ("tokens::of_ten_who_want_to_mint_at_once_one_may", UNLOCKED),
    ("permits::of_ten_replaces_of_one_rev_at_once_one_is_done", UNLOCKED),
    ("archive::of_ten_creates_at_once_one_stores", UNLOCKED),
    ("parts::of_three_long_creates_at_once_one_stores", UNLOCKED),
    ("documents::of_ten_writes_at_once_one_is_done", UNLOCKED),
    ("parts::a_long_body_is_held_whole", WRONG_CRC),
    ("parts::a_long_body_is_verified_as_a_whole", WRONG_CRC),
];

async fn run(clause: &str, holds: impl AsyncFnOnce(&Real)) {
    let Some(url) = variable(URL) else {
        let required = variable(REQUIRED).is_some_and(|value| value == "1");
        assert!(!required, "{REQUIRED} is set and {URL} does not say where moto is");
        println!("skipped: {URL} does not say where moto is");
        return;
    };
    if let Some((_, reason)) = DEVIATIONS.iter().find(|(known, _)| *known == clause) {
        println!("skipped: {clause}: {reason}");
        return;
    }
    holds(&Real::create(&url, &fresh_name()).await).await;
}

/// A name that tables and buckets may have, and that neither another clause nor an earlier run uses.
fn fresh_name() -> String {
    static NAMED: AtomicU32 = AtomicU32::new(0);
    format!("contracts-{}-{}", process::id(), NAMED.fetch_add(1, Ordering::Relaxed))
}

#[expect(clippy::disallowed_methods, reason = "which server to test against is no configuration of the product")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
