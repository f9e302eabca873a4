//! The README's first command: a day's demo, as a user types it.

use std::path::Path;

use serde_json::{Value, json};
use tests::{canaries::Canaries, operator, scan};

#[test]
fn a_made_up_day_is_archived_whole() {
    let output = operator::run(&mut operator::ringvault(&["demo", "--json", "--seed", "1"]));
    let shown = String::from_utf8_lossy(&output.stderr);
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{shown}"));
    assert!(output.status.success(), "{outcome}\n{shown}");
    assert_eq!((&outcome["missing"], &outcome["bytes_identical"]), (&json!(0), &json!(true)), "{outcome}");
    let figure = |name: &str| outcome[name].as_u64().unwrap();
    assert_eq!(figure("calls"), 25);
    assert!(figure("offered") >= 20, "{outcome}");
    assert!(figure("direct") > 0 && figure("fallback") >= 3, "{outcome}");
    assert_eq!(figure("offered"), figure("archived") + figure("terminal"));
    assert_eq!(figure("archived"), figure("direct") + figure("fallback") + figure("adopted"));
    assert!(figure("unheard") > 0, "some events are lost: {outcome}");
    assert_eq!(figure("throttled"), 0, "the archiver keeps within the vendor's limit");
    let folder = Path::new(outcome["folder"].as_str().unwrap());
    assert!(folder.is_dir());
    let logs: Vec<_> = scan::of_logs(folder.parent().unwrap()).collect();
    assert!(logs.iter().map(|written| written.text.len()).sum::<usize>() > 10_000, "the logs are there");
    scan::assert_clean(&Canaries::known(), &logs);
    assert!(shown.contains("UNLISTED_AFTER_HOURS"), "what is shorter than in life is announced");
    assert!(shown.contains("recordings have ended") && !shown.contains('\r'), "plain lines where nobody watches");
}
