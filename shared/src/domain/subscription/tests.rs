use super::*;

const NOW_MS: u64 = 1_776_159_000_000;
const YEAR_MS: u64 = 365 * DAY_MS;
const ADDRESS: &str = "https://hook.example.com/";
const OLD: &str = "https://old.example.com/";
const EXPANDED: &str = "/restapi/v1.0/account/800000001/telephony/sessions";

const WANTED: Wanted<'static> = Wanted { address: ADDRESS, fingerprint: "now" };

/// A healthy one of ours.
fn healthy(id: &str) -> Subscription {
    Subscription {
        id: id.to_owned(),
        address: ADDRESS.to_owned(),
        active: true,
        filters: vec![EXPANDED.to_owned(), FILTERS[1].to_owned()],
        disabled: Vec::new(),
        expires_at_ms: NOW_MS + YEAR_MS,
    }
}

fn deaf(id: &str) -> Subscription {
    Subscription { filters: vec![FILTERS[1].to_owned()], disabled: vec![FILTERS[0].to_owned()], ..healthy(id) }
}

fn remembered(id: &str) -> Memory {
    Memory { id: id.to_owned(), fingerprint: "now".to_owned(), healthy_at_ms: NOW_MS - 900_000 }
}

fn plan(listed: &[Subscription], memory: Option<&Memory>) -> Plan {
    WANTED.plan(listed, memory, Occasion::Schedule, NOW_MS)
}

fn keep(id: &str, delete: &[&str]) -> Plan {
    let delete = delete.iter().map(|id| (*id).to_owned()).collect();
    Plan::Keep { id: id.to_owned(), renew: false, delete }
}

fn create(why: Fault, replaces: &[&str], stand_in: Option<&str>) -> Creation {
    let replaces = replaces.iter().map(|id| (*id).to_owned()).collect();
    Creation { why, replaces, stand_in: stand_in.map(str::to_owned) }
}

#[test]
fn every_fault_and_outcome_has_the_name_that_logs_are_searched_for() {
    use Fault::*;
    let faults =
        [Missing, NotActive, Expired, WrongAddress, SecretRotated, TokenUnknown, FilterMissing, FilterDisabled];
    let names = faults.map(Fault::name).join(" ");
    let expected =
        "missing not_active expired wrong_address secret_rotated token_unknown filter_missing filter_disabled";
    assert_eq!((names.as_str(), NotRenewed.name()), (expected, "not_renewed"));
    let outcomes = [
        (Outcome::Healthy, "healthy"),
        (Outcome::Renewed, "renewed"),
        (Outcome::Created, "created"),
        (Outcome::Repaired, "repaired"),
        (Outcome::Alarm(Alarm::RenewFailed), "renew_failed"),
    ];
    for (outcome, name) in outcomes {
        assert_eq!((outcome.name(), serde_json::to_string(&outcome).unwrap()), (name, format!("\"{name}\"")));
    }
}

#[test]
fn without_one_of_ours_one_is_created() {
    assert_eq!(plan(&[], None), Plan::Create(create(Fault::Missing, &[], None)));
    assert_eq!(plan(&[], Some(&remembered("gone"))), Plan::Create(create(Fault::Missing, &[], None)));
}

#[test]
fn somebody_elses_is_never_named() {
    let foreign = Subscription { address: OLD.to_owned(), ..healthy("theirs") };
    let broken = Subscription { active: false, disabled: vec!["/x".to_owned()], ..foreign.clone() };
    for theirs in [foreign, broken] {
        assert_eq!(plan(std::slice::from_ref(&theirs), None), Plan::Create(create(Fault::Missing, &[], None)));
        assert_eq!(plan(&[theirs, healthy("ours")], Some(&remembered("ours"))), keep("ours", &[]));
    }
}

#[test]
fn whatever_is_wrong_with_ours_it_is_replaced() {
    let cases: [(Fault, Subscription, Option<&str>); 7] = [
        (Fault::NotActive, Subscription { active: false, ..healthy("a") }, None),
        (Fault::Expired, Subscription { expires_at_ms: NOW_MS, ..healthy("a") }, None),
        (Fault::WrongAddress, Subscription { address: OLD.to_owned(), ..healthy("a") }, None),
        (Fault::FilterMissing, Subscription { filters: vec![EXPANDED.to_owned()], ..healthy("a") }, Some("a")),
        (Fault::FilterMissing, Subscription { filters: vec![FILTERS[1].to_owned()], ..healthy("a") }, Some("a")),
        (Fault::FilterDisabled, deaf("a"), Some("a")),
        (Fault::FilterDisabled, Subscription { disabled: vec!["/more".to_owned()], ..healthy("a") }, Some("a")),
    ];
    for (fault, ours, stand_in) in cases {
        let expected = Plan::Create(create(fault, &["a"], stand_in));
        assert_eq!(plan(std::slice::from_ref(&ours), Some(&remembered("a"))), expected, "{ours:?}");
    }
}

#[test]
fn another_token_than_it_was_given_replaces_it() {
    let before = Memory { fingerprint: "before".to_owned(), ..remembered("a") };
    let rotated = Plan::Create(create(Fault::SecretRotated, &["a"], Some("a")));
    assert_eq!(plan(&[healthy("a")], Some(&before)), rotated);
}

#[test]
fn a_token_that_nobody_remembers_is_no_healthy_one() {
    let unknown = |why, stand_in| Plan::Create(create(why, &[stand_in], Some(stand_in)));
    assert_eq!(plan(&[healthy("a")], None), unknown(Fault::TokenUnknown, "a"));
    assert_eq!(plan(&[healthy("a")], Some(&remembered("gone"))), unknown(Fault::TokenUnknown, "a"));
    assert_eq!(plan(&[deaf("a")], None), unknown(Fault::FilterDisabled, "a"));
    // Perhaps the second is what took the first one's place, whose answer was lost; perhaps somebody made it by hand.
    let before = Memory { fingerprint: "before".to_owned(), ..remembered("a") };
    let both = Plan::Create(create(Fault::SecretRotated, &["b", "a"], Some("a")));
    assert_eq!(plan(&[healthy("a"), healthy("b")], Some(&before)), both);
}

#[test]
fn of_several_the_remembered_stays() {
    let long = Subscription { expires_at_ms: NOW_MS + 2 * YEAR_MS, ..healthy("long") };
    let broken = Subscription { active: false, expires_at_ms: NOW_MS + 3 * YEAR_MS, ..healthy("broken") };
    let listed = [healthy("a"), long, broken, healthy("b")];
    assert_eq!(plan(&listed, Some(&remembered("b"))), keep("b", &["broken", "long", "a"]));
}

#[test]
fn what_hears_nothing_makes_room_first_and_the_stand_in_last() {
    let long = Subscription { expires_at_ms: NOW_MS + 2 * YEAR_MS, ..healthy("long") };
    let blacklisted = Subscription { active: false, ..healthy("blacklisted") };
    let elsewhere = Subscription { address: OLD.to_owned(), ..healthy("elsewhere") };
    let expired = Subscription { expires_at_ms: NOW_MS, ..healthy("expired") };
    let listed = [healthy("a"), long, blacklisted, elsewhere, expired];
    let order = ["elsewhere", "blacklisted", "expired", "a", "long"];
    let expected = Plan::Create(create(Fault::TokenUnknown, &order, Some("long")));
    assert_eq!(plan(&listed, Some(&remembered("elsewhere"))), expected);
}

#[test]
fn a_life_is_renewed_near_its_end_and_whenever_the_vendor_reminds() {
    let ends_in = |left_ms| [Subscription { expires_at_ms: NOW_MS + left_ms, ..healthy("a") }];
    for (left_ms, occasion, expected) in [
        (RENEW_BELOW_MS, Occasion::Schedule, false),
        (RENEW_BELOW_MS - 1, Occasion::Schedule, true),
        (1, Occasion::Schedule, true),
        (YEAR_MS, Occasion::Reminder, true),
    ] {
        let plan = WANTED.plan(&ends_in(left_ms), Some(&remembered("a")), occasion, NOW_MS);
        let Plan::Keep { id, renew, delete } = plan else { panic!("{plan:?}") };
        assert_eq!((id.as_str(), renew, delete.len()), ("a", expected, 0), "{left_ms} {occasion:?}");
    }
    let dead = WANTED.plan(&ends_in(0), None, Occasion::Reminder, NOW_MS);
    assert_eq!(dead, Plan::Create(create(Fault::Expired, &["a"], None)));
}

#[test]
fn spellings_of_one_address_are_one_place() {
    for (address, is_ours) in [
        ("https://hook.example.com", true),
        ("https://HOOK.example.com:443/", true),
        ("https://hook.example.com/in", false),
        ("https://hook.example.com/?a=1", false),
        ("https://hook.example.com:444/", false),
        ("http://hook.example.com/", false),
        ("https://hook.example.com.evil.example/", false),
        ("hook.example.com", false),
        ("", false),
    ] {
        let listed = [Subscription { address: address.to_owned(), ..healthy("a") }];
        let expected =
            if is_ours { create(Fault::TokenUnknown, &["a"], Some("a")) } else { create(Fault::Missing, &[], None) };
        assert_eq!(plan(&listed, None), Plan::Create(expected), "{address}");
        assert_eq!(matches!(plan(&listed, Some(&remembered("a"))), Plan::Keep { .. }), is_ours, "{address}");
    }
    let with_path = Wanted { address: "https://hook.example.com/in?key=1", ..WANTED };
    let listed = [Subscription { address: "https://hook.example.com:443/in/?key=1".to_owned(), ..healthy("a") }];
    let plan = with_path.plan(&listed, Some(&remembered("a")), Occasion::Schedule, NOW_MS);
    assert!(matches!(plan, Plan::Keep { .. }), "{plan:?}");
}

#[test]
fn filters_are_compared_without_our_own_ids() {
    for (filter, expected) in [
        (EXPANDED, FILTERS[0]),
        (FILTERS[0], FILTERS[0]),
        (FILTERS[1], FILTERS[1]),
        (
            "/restapi/v1.0/account/8/extension/9/telephony/sessions",
            "/restapi/v1.0/account/~/extension/~/telephony/sessions",
        ),
        ("/restapi/v1.0/account/8?account/8", "/restapi/v1.0/account/~?account/8"),
        ("/restapi/v1.0/account/8x/telephony/sessions", "/restapi/v1.0/account/8x/telephony/sessions"),
        ("/restapi/v1.0/subscription/8?threshold=1", "/restapi/v1.0/subscription/8?threshold=1"),
        ("", ""),
    ] {
        assert_eq!(normal(filter), expected);
    }
    let more = Subscription { filters: [healthy("a").filters, vec!["/more".to_owned()]].concat(), ..healthy("a") };
    assert_eq!(plan(&[more], Some(&remembered("a"))), keep("a", &[]), "more does no harm");
    let narrow =
        Subscription { filters: vec![format!("{EXPANDED}?direction=Inbound"), FILTERS[1].into()], ..healthy("a") };
    assert_eq!(plan(&[narrow], None), Plan::Create(create(Fault::FilterMissing, &["a"], Some("a"))));
}

#[test]
fn a_new_one_that_is_well_takes_the_place_of_all() {
    for stand_in in [None, Some("a")] {
        let verdict = WANTED.judge(&create(Fault::FilterDisabled, &["a", "b"], stand_in), &healthy("new"), NOW_MS);
        assert_eq!(verdict, Verdict { delete: vec!["a".to_owned(), "b".to_owned()], fault: None });
    }
}

#[test]
fn a_new_one_that_is_no_better_goes_unless_nothing_could_stand_in() {
    let creation = |stand_in| create(Fault::FilterDisabled, &["a", "b"], stand_in);
    let verdict = WANTED.judge(&creation(Some("a")), &deaf("new"), NOW_MS);
    let delete = vec!["b".to_owned(), "new".to_owned()];
    assert_eq!(verdict, Verdict { delete, fault: Some(Fault::FilterDisabled) });
    let verdict = WANTED.judge(&creation(None), &deaf("new"), NOW_MS);
    let delete = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(verdict, Verdict { delete, fault: Some(Fault::FilterDisabled) });
}

#[test]
fn a_memory_comes_back_as_it_went_and_nothing_else_is_one() {
    let memory = remembered("a");
    assert_eq!(Memory::parse(&memory.to_json()), Some(memory));
    for json in ["", "{}", "[]", r#"{"id":1,"fingerprint":"x","healthy_at_ms":1}"#] {
        assert_eq!(Memory::parse(json), None, "{json}");
    }
}

#[test]
fn another_one_or_an_hour_without_knowing_is_a_gap() {
    let memory = Memory { healthy_at_ms: NOW_MS - GAP_MS, ..remembered("a") };
    assert!(!memory.has_gap("a", NOW_MS));
    assert!(memory.has_gap("a", NOW_MS + 1));
    assert!(memory.has_gap("b", NOW_MS));
    assert!(!memory.has_gap("a", 0), "a clock that goes backwards opens none");
}

#[test]
fn a_fingerprint_tells_tokens_apart_and_does_not_contain_them() {
    let of = |token: &str| fingerprint(&Secret::new(token.to_owned()));
    assert_eq!(of("hush"), of("hush"));
    assert_ne!(of("hush"), of("hush "));
    assert!(!of("hush").contains("hush") && of("hush").len() == 16);
}
