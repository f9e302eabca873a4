//! Bodies that are not what they should be, from a server that does what no server should: each ends in its named
//! outcome, and none leaves a wrong object or an open upload.

mod breaks;
mod long;
mod parts;
mod replies;

use local_cloud::s3::StoredObject;
use ringcentral_sim::world::ListedAt;
use ringvault::stack::BUCKET;
use serde_json::{Value, json};
use tests::{
    World,
    events::{ACCOUNT, hang_up},
    hostile::{Answer, Asked, Hostile},
    world_with,
};

const MP3: &str = "audio/mpeg";
const WAV: &str = "audio/wav";

/// So many are due at once: fewer than a backlog.
const TOGETHER: usize = 8;

/// One row of the table.
struct Case {
    name: String,
    /// What one way gets: first for the whole, then for each rest it asks for.
    answers: Vec<Answer>,
    /// How many requests one way makes.
    requests: usize,
    /// Where the second one goes on, if that matters.
    goes_on_at: Option<usize>,
    outcome: Outcome,
}

enum Outcome {
    /// There is an object of this extension, with these bytes and no others.
    Archived(Vec<u8>, &'static str),
    /// There is no object. The recording waits, and this is part of the reason.
    Refused(&'static str),
}

/// What is stored as it should be.
fn archived(name: impl Into<String>, extension: &'static str, bytes: &[u8], answers: Vec<Answer>) -> Case {
    let outcome = Outcome::Archived(bytes.to_vec(), extension);
    Case { name: name.into(), requests: answers.len(), answers, goes_on_at: None, outcome }
}

/// What is not stored; each answer is asked for once.
fn refused(name: impl Into<String>, why: &'static str, answers: Vec<Answer>) -> Case {
    Case { name: name.into(), requests: answers.len(), answers, goes_on_at: None, outcome: Outcome::Refused(why) }
}

impl Case {
    /// With another number of requests than answers: the last one repeats.
    fn asks(self, requests: usize) -> Self {
        Self { requests, ..self }
    }

    /// The second request goes on where the first body broke off. Only Linux resets a connection at a precise place.
    fn at(self, position: usize) -> Self {
        Self { goes_on_at: cfg!(target_os = "linux").then_some(position), ..self }
    }

    /// What is not as the row says.
    fn complaints(
        &self,
        id: &str,
        result: &Value,
        objects: &[&StoredObject],
        asked: &[Asked],
        ways: &[usize],
    ) -> Vec<String> {
        let (state, reason) = (&result["state"], result["reason"].as_str().unwrap_or_default());
        let mut requests = vec![self.requests];
        let mut found = Vec::new();
        match (&self.outcome, objects) {
            (Outcome::Archived(bytes, extension), [object]) => {
                let key = format!("recordings/account={ACCOUNT}/date=2026-04-14/{id}.{extension}");
                if object.key != key || std::fs::read(&object.path).unwrap() != *bytes {
                    found.push(format!("a wrong object: {} of {} bytes", object.key, object.size_bytes));
                }
                if state != "archived" || result["size_bytes"] != bytes.len() {
                    found.push(format!("the row says {result}"));
                }
            }
            (Outcome::Refused(why), []) => {
                requests = ways.iter().map(|ways| ways * self.requests).collect();
                if state != "waiting" || !reason.contains(why) {
                    found.push(format!("it should wait because {why:?}, but {state}: {reason}"));
                }
            }
            (Outcome::Archived(..) | Outcome::Refused(_), objects) => {
                found.push(format!("there are {} objects; {state}: {reason}", objects.len()));
            }
        }
        let ranges: Vec<_> = asked.iter().map(|asked| asked.from).collect();
        if self.goes_on_at.is_some() && ranges.get(1) != Some(&self.goes_on_at) {
            found.push(format!("it should go on at {:?}, but: {ranges:?}", self.goes_on_at));
        }
        if !requests.contains(&asked.len()) {
            found.push(format!("{requests:?} requests should have come, but: {ranges:?}; {reason}"));
        }
        if asked.iter().any(|asked| asked.accept_encoding.as_deref() != Some("identity")) {
            found.push("it was asked for in another encoding".to_owned());
        }
        found
    }
}

/// Bytes that are nowhere like what comes a little before or after.
fn noise(length: usize) -> impl Iterator<Item = u8> {
    let mut state = 0x2545_F491_u32;
    (0..length).map(move |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    })
}

/// A wave file of this many bytes, its header included.
fn wav(length: usize) -> Vec<u8> {
    let mut file = Vec::with_capacity(length);
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    file.extend(b"RIFF");
    file.extend(number(length - 8));
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x80\x3E\0\0\x02\0\x10\0data");
    file.extend(number(length - 44));
    file.extend(noise(length - 44));
    file
}

/// An MP3 file of this many bytes: frames of 128 kbit/s and 44.1 kHz.
fn mp3(length: usize) -> Vec<u8> {
    let mut file: Vec<u8> = noise(length).collect();
    file.chunks_mut(417)
        .filter(|frame| frame.len() > 3)
        .for_each(|frame| frame[..4].copy_from_slice(b"\xFF\xFB\x90\xC0"));
    file
}

/// A world whose recordings lie on the hostile server, by both ways. What is refused is not tried again.
async fn hostile_world() -> (World, Hostile) {
    let hostile = Hostile::start().await;
    let origin = hostile.origin().to_owned();
    let world = world_with(|config| {
        config.env.insert("RINGCENTRAL_MEDIA_URL".into(), origin);
        config.env.insert("RETRY_LADDER_SECONDS".into(), "86400".into());
    })
    .await;
    (world, hostile)
}

/// A call with one recording that is answered like this.
async fn happen(world: &World, hostile: &Hostile, n: usize, answers: Vec<Answer>) -> String {
    let id = format!("{}", 9001 + n);
    hostile.script(&id, answers);
    assert_eq!(world.happen(&hang_up(&format!("s-{n}"), &[&id])).await.outcome, "recorded");
    world.recording(&id, |recording| recording.listed_at = ListedAt::Other(hostile.origin().to_owned()));
    id
}

/// What is not as the rows say; `ways` is how many ways may have been gone before a recording is refused.
fn complaints(world: &World, hostile: &Hostile, cases: &[Case], ids: &[String], ways: &[usize]) -> Vec<String> {
    let rows = world.rows();
    let objects = world.s3.objects(BUCKET);
    let of = |(case, id): (&Case, &String)| {
        let name = format!("r#{id}");
        let result = rows.iter().find_map(|row| row.get(&name)).cloned().unwrap_or_default();
        let mine: Vec<_> = objects.iter().filter(|object| object.key.contains(&format!("/{id}."))).collect();
        let found = case.complaints(id, &result, &mine, &hostile.asked(id), ways);
        found.into_iter().map(|complaint| format!("{}: {complaint}", case.name)).collect::<Vec<_>>()
    };
    cases.iter().zip(ids).flat_map(of).collect()
}

/// A few in each run: by both ways, without the call log being asked first.
async fn assert_each(cases: Vec<Case>) {
    let (world, hostile) = hostile_world().await;
    let mut found = Vec::new();
    for (few, first) in cases.chunks(TOGETHER).zip((0..).step_by(TOGETHER)) {
        let mut ids = Vec::new();
        for (n, case) in (first..).zip(few) {
            ids.push(happen(&world, &hostile, n, case.answers.clone()).await);
        }
        world.run().await;
        found.extend(complaints(&world, &hostile, few, &ids, &[2]));
        found.extend(world.open_uploads().await.into_iter().map(|key| format!("an open upload of {key}")));
    }
    assert!(found.is_empty(), "{} rows:\n{}", cases.len(), found.join("\n"));
    assert_eq!(world.keys().len(), stored(&cases), "no object of another name");
}

/// How many of them are to be stored.
fn stored(cases: &[Case]) -> usize {
    cases.iter().filter(|case| matches!(case.outcome, Outcome::Archived(..))).count()
}

#[tokio::test]
async fn replies_that_are_no_recording_or_say_it_strangely() {
    assert_each(replies::cases()).await;
}

#[tokio::test]
async fn bodies_that_break_off() {
    assert_each(breaks::cases()).await;
}

#[tokio::test]
async fn parts_nobody_asked_for() {
    assert_each(parts::cases()).await;
}

#[tokio::test]
async fn long_bodies() {
    assert_each(long::cases()).await;
}

#[tokio::test]
async fn all_of_them_due_at_once() {
    let (world, hostile) = hostile_world().await;
    let cases: Vec<Case> = [replies::cases(), breaks::cases(), parts::cases()].into_iter().flatten().collect();
    let mut ids = Vec::new();
    for (n, case) in cases.iter().enumerate() {
        ids.push(happen(&world, &hostile, n, case.answers.clone()).await);
    }
    let summary = world.run().await;
    // Of a backlog only those left over at its end are tried both ways.
    let found = complaints(&world, &hostile, &cases, &ids, &[1, 2]);
    assert!(found.is_empty(), "{} rows, {summary}:\n{}", cases.len(), found.join("\n"));
    let archived = stored(&cases);
    assert_eq!((&summary["archived"], &summary["waiting"]), (&json!(archived), &json!(cases.len() - archived)));
    assert_eq!(world.keys().len(), archived, "no object of another name");
    assert_eq!(world.open_uploads().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let (world, hostile) = hostile_world().await;
    let elsewhere = Hostile::start().await;
    for (n, status) in ["302 Found", "307 Temporary Redirect", "308 Permanent Redirect"].into_iter().enumerate() {
        let location = format!("Location: {}/restapi/v1.0/account/~/recording/1/content", elsewhere.origin());
        let case = refused(status, &status[..3], vec![Answer::with(status, MP3, &mp3(3_000)).header(&location)]);
        let id = happen(&world, &hostile, n, case.answers.clone()).await;
        world.run().await;
        assert_eq!(complaints(&world, &hostile, &[case], &[id], &[2]), [""; 0]);
    }
    assert_eq!(elsewhere.requests(), 0);
}

#[tokio::test]
async fn a_429_in_the_middle_of_a_body_ends_the_run_and_costs_no_attempt() {
    let (world, hostile) = hostile_world().await;
    let body = wav(3_000);
    let answers = vec![Answer::ok(WAV, &body).cut(1_000), Answer::with("429 Too Many Requests", "", b"")];
    let id = happen(&world, &hostile, 0, answers).await;
    assert_eq!(world.run().await["stopped"], "throttled");
    assert_eq!((world.keys(), world.open_uploads().await), (vec![], vec![]));
    assert_eq!((hostile.asked(&id).len(), &world.only_session()["attempts"]), (2, &json!(0)));
    hostile.script(&id, vec![Answer::asked(WAV, &body)]);
    world.let_time_pass();
    world.archiver.kill().await;
    world.archiver.restart().await.unwrap();
    assert_eq!(world.run().await["archived"], 1);
}

#[tokio::test]
async fn the_rest_is_asked_for_of_the_same_version() {
    let (world, hostile) = hostile_world().await;
    let body = wav(3_000);
    let tag = "ETag: \"a\"";
    let answers = vec![Answer::ok(WAV, &body).header(tag).cut(1_000), Answer::asked(WAV, &body).header(tag)];
    let id = happen(&world, &hostile, 0, answers).await;
    assert_eq!(world.run().await["archived"], 1);
    let asked: Vec<_> = hostile.asked(&id).into_iter().map(|asked| (asked.from, asked.if_range)).collect();
    assert_eq!(asked, [(None, None), (Some(1_000), Some("\"a\"".to_owned()))]);
}
