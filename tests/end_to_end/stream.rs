//! The filters that stand between the table's stream and the functions, held against the streams of real runs.

use ringvault::{
    stack::TABLE,
    template::{TEXT, read},
};
use serde_json::{Value, json};
use tests::{
    World,
    events::{delivery, hang_up},
    workspace, world,
};

/// The patterns by which the template's event source starts a function. One that fits is enough.
struct Filter(Vec<Value>);

impl Filter {
    /// Of the archiver, where it is to be started by the stream.
    fn of_archiver() -> Self {
        Self::of(&template()["Resources"]["ArchiverStreamTrigger"])
    }

    /// Of the reconciler.
    fn of_reconciler() -> Self {
        Self::of(&template()["Resources"]["ReconcilerFunction"]["Properties"]["Events"]["RenewalReminder"])
    }

    fn of(source: &Value) -> Self {
        let filters = source["Properties"]["FilterCriteria"]["Filters"].as_array().unwrap();
        let pattern = |filter: &Value| serde_json::from_str(filter["Pattern"].as_str().unwrap()).unwrap();
        Self(filters.iter().map(pattern).collect())
    }

    fn lets_through(&self, record: &Value) -> bool {
        self.0.iter().any(|pattern| matches(pattern, Some(record)))
    }

    /// How many records of the stream, since it was last read, start the function.
    fn started_by(&self, world: &World) -> usize {
        let batch = world.dynamodb.stream_batch(TABLE).unwrap();
        let records = batch["Records"].as_array().unwrap();
        assert!(!records.is_empty(), "something was written");
        records.iter().filter(|record| self.lets_through(record)).count()
    }
}

/// Whether a value fits a pattern, as Lambda's event filtering has it: a map asks for each of its members, a list for one of
/// its rules.
fn matches(pattern: &Value, value: Option<&Value>) -> bool {
    match pattern {
        Value::Object(members) => {
            members.iter().all(|(name, inner)| matches(inner, value.and_then(|value| value.get(name))))
        }
        Value::Array(rules) => rules.iter().any(|rule| obeys(rule, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => panic!("{pattern} is no pattern"),
    }
}

fn obeys(rule: &Value, value: Option<&Value>) -> bool {
    let Some(rule) = rule.as_object() else { return value == Some(rule) };
    match rule.iter().next().map(|(name, argument)| (name.as_str(), argument)) {
        Some(("prefix", prefix)) => {
            value.and_then(Value::as_str).is_some_and(|text| text.starts_with(prefix.as_str().unwrap()))
        }
        Some(("exists", wanted)) => value.is_some() == wanted.as_bool().unwrap(),
        other => panic!("{other:?} is no rule that this test knows"),
    }
}

fn template() -> Value {
    read(TEXT).unwrap()
}

#[test]
fn any_filter_lets_a_record_through() {
    let pattern = |name: &str| json!({ "Pattern": json!({ "eventName": [name] }).to_string() });
    let filters = json!([pattern("INSERT"), pattern("REMOVE")]);
    let filter = Filter::of(&json!({ "Properties": { "FilterCriteria": { "Filters": filters } } }));
    let passing = ["INSERT", "MODIFY", "REMOVE"].map(|name| filter.lets_through(&json!({ "eventName": name })));
    assert_eq!(passing, [true, false, true]);
}

/// Without the window a busy table would start a run with every write.
#[test]
fn the_stream_starts_the_archiver_once_a_minute_and_only_where_that_was_chosen() {
    let template = template();
    let trigger = &template["Resources"]["ArchiverStreamTrigger"];
    assert_eq!(trigger["Condition"], "HasStreamTrigger");
    assert_eq!(trigger["Properties"]["MaximumBatchingWindowInSeconds"], 60);
    assert_eq!(template["Parameters"]["StreamTrigger"]["Default"], "off");
}

#[tokio::test]
async fn new_work_starts_the_archiver_and_what_its_runs_write_does_not() {
    let (world, archiver, reconciler) = (world().await, Filter::of_archiver(), Filter::of_reconciler());
    world.happen(&hang_up("s-a0a1", &["90000001"])).await;
    assert_eq!(archiver.started_by(&world), 1);

    assert_eq!(world.run().await["archived"], 1);
    let batch = world.dynamodb.stream_batch(TABLE).unwrap();
    let records = batch["Records"].as_array().unwrap();
    assert!(records.len() >= 4, "lease, token, permits, claim, result: {records:?}");
    assert!(records.iter().all(|record| !archiver.lets_through(record) && !reconciler.lets_through(record)));
}

#[tokio::test]
async fn a_call_without_a_recording_starts_nothing() {
    let (world, archiver) = (world().await, Filter::of_archiver());
    world.post(&delivery(&hang_up("s-a0a1", &[]))).await;
    assert_eq!(archiver.started_by(&world), 0);
}

#[tokio::test]
async fn a_reminder_starts_the_reconciler_alone() {
    let world = world().await;
    let path = workspace().join("events/ringcentral.subscription.renewal-reminder.json");
    let reminder: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    world.post(&delivery(&reminder)).await;
    let batch = world.dynamodb.stream_batch(TABLE).unwrap();
    let records = batch["Records"].as_array().unwrap();
    let started = |filter: &Filter| records.iter().filter(|record| filter.lets_through(record)).count();
    assert_eq!((started(&Filter::of_reconciler()), started(&Filter::of_archiver())), (1, 0));
}
