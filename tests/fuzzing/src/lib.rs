//! What hostile input must not do, one function for each place where input enters. Each takes any bytes and panics if a
//! property does not hold. `fuzz/` gives them to libFuzzer, `tests/corpus.rs` replays what was found; see
//! `docs/decisions/hostile-input.md`.

mod call_log_page;
mod keys;
mod manifest;
mod origin_gate;
mod rate_headers;
mod webhook_event;

pub use call_log_page::call_log_page;
pub use keys::keys;
pub use manifest::manifest;
pub use origin_gate::origin_gate;
pub use rate_headers::rate_headers;
pub use webhook_event::webhook_event;

/// Holds an input against a target's properties.
pub type Run = fn(&[u8]);

/// Every target by its name: that of its program in `fuzz/` and of its folder in `fuzz/corpus/`.
pub const TARGETS: [(&str, Run); 6] = [
    ("call_log_page", call_log_page),
    ("keys", keys),
    ("manifest", manifest),
    ("origin_gate", origin_gate),
    ("rate_headers", rate_headers),
    ("webhook_event", webhook_event),
];

/// The documents in one input: a zero byte, which no JSON holds, stands between them.
fn documents(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == 0)
}
