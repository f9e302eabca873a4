//! The promises of `measure ceiling` in short.

use super::*;

fn assert_kept(report: &CeilingReport) {
    let broken: Vec<&Figure> = report.figures.iter().filter(|figure| !figure.holds()).collect();
    assert!(report.is_kept(), "{broken:#?}\n{:#?}", report.violations);
}

/// Four hours: in the first one, while there is little backlog, a question to the call log answers for few.
#[test]
fn an_overload_fills_the_limit_and_never_passes_it() {
    assert_kept(&simulate(Load::Overload, 1, 4));
}

#[test]
fn recordings_missing_at_first_cost_little() {
    assert_kept(&simulate(Load::EarlyMissing, 1, 2));
}

#[test]
fn forty_recordings_take_forty_two_requests_while_the_direct_host_is_down() {
    assert_kept(&ceiling(Load::OneShotForty, 1));
}

#[test]
fn five_cold_starts_take_one_token_and_an_evicted_one_costs_one_more() {
    assert_kept(&ceiling(Load::ColdStarts, 1));
}

#[test]
fn a_seed_replays_exactly() {
    assert_eq!(ceiling(Load::OneShotForty, 2), ceiling(Load::OneShotForty, 2));
}
