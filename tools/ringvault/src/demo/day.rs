//! The demo's day, and the waits it is lived with: a life that passes a thousand times faster, announced as such.

use std::path::Path;

use ringcentral_sim::{
    DeliverySettings, Settings,
    calls::Day,
    world::{Direct, Script},
};

use crate::stack::StackConfig;

/// A vendor's minute is a twentieth of a second.
const HURRY: u64 = 1_200;
const CALLS: u32 = 25;
/// All calls begin within this time, milliseconds.
const LENGTH_MS: u64 = 8_000;
/// The window of the vendor's limit. It is not hurried as much as the calls: the requests take real time.
const WINDOW_MS: u64 = 1_000;
const FIRST_ATTEMPT_DELAY_S: &str = "0.05";
const RETRY_LADDER_S: &str = "0.2,0.4,0.8,1.5";
const QUIET_PERIOD_S: &str = "2";
const UNLISTED_AFTER_HOURS: &str = "0.001";
/// So many answers of a media URL that neither serves nor denies a recording are spoilt.
const FEW: u32 = 3;

/// A local stack that hurries as the day does. `dir` is the folder of the bucket and of the functions' logs.
pub fn stack_config(dir: &Path, seed: u64) -> StackConfig {
    let mut config = StackConfig::quick(dir);
    config.vendor = Settings {
        rate_window_ms: WINDOW_MS,
        trickle_pause_ms: 2,
        delivery: DeliverySettings {
            drop_share: 0.4,
            duplicate_share: 0.05,
            duplicate_new_uuid_share: 0.05,
            reorder_share: 0.1,
            reorder_ms: 300,
            ..DeliverySettings::default()
        },
        seed,
        ..Settings::default()
    };
    for (name, value) in [
        ("FIRST_ATTEMPT_DELAY_SECONDS", FIRST_ATTEMPT_DELAY_S),
        ("RETRY_LADDER_SECONDS", RETRY_LADDER_S),
        ("QUIET_PERIOD_SECONDS", QUIET_PERIOD_S),
        ("UNLISTED_AFTER_HOURS", UNLISTED_AFTER_HOURS),
        ("VENDOR_RETENTION_DAYS", "1"),
    ] {
        config.env.insert(name.to_owned(), value.to_owned());
    }
    config.webhooks = 2;
    config.archiver_timeout_ms = 10_000;
    config
}

/// The day.
pub(super) fn of_calls(seed: u64, start_ms: u64) -> Day {
    Day { length_ms: LENGTH_MS, calls: CALLS, hurry: HURRY, ..Day::new(seed, start_ms) }
}

/// What happens on it. Nobody waits for the vendor's retention here: a media URL that serves no recording, and does not deny
/// it either, comes to its senses after a few answers.
pub(super) fn scripts(day: &Day) -> Vec<Script> {
    let mut scripts = day.scripts();
    for recording in scripts.iter_mut().flat_map(|script| &mut script.recordings) {
        if !matches!(recording.direct, Direct::Served | Direct::Status(404)) {
            recording.spoilt_answers = recording.spoilt_answers.min(FEW);
        }
    }
    scripts
}

/// What is smaller than in life.
pub(super) fn announcement(day: &Day) -> String {
    format!(
        "\
{CALLS} calls, seed {}, at a simulated RingCentral. They pass {HURRY} times faster than in life; in life / here:
  calls begin within             {} min / {} s
  limit of requests              10 in 60 s / 10 in {} s, with the same penalty
  FIRST_ATTEMPT_DELAY_SECONDS    60 / {FIRST_ATTEMPT_DELAY_S}
  RETRY_LADDER_SECONDS           60,120,300,… / {RETRY_LADDER_S}
  QUIET_PERIOD_SECONDS           900 / {QUIET_PERIOD_S}
  UNLISTED_AFTER_HOURS           72 / {UNLISTED_AFTER_HOURS}
Some events come twice, out of order, or not at all: what none told of, the reconciler finds in the call log.",
        day.seed,
        LENGTH_MS * HURRY / 60_000,
        LENGTH_MS / 1_000,
        WINDOW_MS / 1_000,
    )
}
