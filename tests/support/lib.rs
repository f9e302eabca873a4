//! What the test suites share: a world of real binaries, and events to send into it.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test support crate: what fails here fails the test")]

pub mod canaries;
pub mod clients;
pub mod events;
pub mod hostile;
pub mod operator;
pub mod scan;
pub mod thief;

use std::{ops::Deref, path::PathBuf, sync::OnceLock};

use aws_sdk_s3::primitives::ByteStream;
use canaries::Canaries;
use local_cloud::lambda::InvokeError;
use ringvault::stack::{BUCKET, Binaries, Stack, StackConfig, StackError, TABLE, key_of};
use ringvault::template::{FunctionRole, Parameters, roles};
use serde_json::{Map, Value};
use tempfile::TempDir;

/// A local stack with a folder of its own, gone when dropped. Then nothing private may have been written down.
pub struct World {
    stack: Stack,
    _dir: TempDir,
    /// Whether it may be dropped without a look at what was written down.
    let_off: bool,
}

impl Drop for World {
    fn drop(&mut self) {
        if self.let_off || std::thread::panicking() {
            return;
        }
        scan::assert_talkative(&self.stack);
        scan::assert_clean(&Canaries::of(&self.stack), &scan::written(&self.stack));
    }
}

impl Deref for World {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.stack
    }
}

/// The binaries, built by the first test that asks.
pub fn binaries() -> &'static Binaries {
    static BINARIES: OnceLock<Binaries> = OnceLock::new();
    BINARIES.get_or_init(|| Binaries::build().expect("the function binaries build"))
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// The roles of a template's functions, with all that it grants to whoever chooses it.
pub fn granted(template: &Value) -> Vec<FunctionRole> {
    roles(template, &all_options()).expect("the template's roles can be read")
}

/// Parameters of the template with which every statement is there.
pub fn all_options() -> Parameters {
    let chosen = [("KmsKeyArn", "arn:aws:kms:us-east-1:000000000000:key/1"), ("StreamTrigger", "on")];
    chosen.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// A world in which everything is due at once and nothing waits.
pub async fn world() -> World {
    world_with(|_| {}).await
}

/// [`world`], changed before it starts. Its functions log all they can.
pub async fn world_with(change: impl FnOnce(&mut StackConfig)) -> World {
    try_world(change).await.expect("the stack starts")
}

/// [`world_with`], where starting is what is tested.
///
/// # Errors
/// The stack's.
pub async fn try_world(change: impl FnOnce(&mut StackConfig)) -> Result<World, StackError> {
    let dir = TempDir::new().expect("a temporary folder");
    let mut config = StackConfig::quick(dir.path());
    for name in ["FIRST_ATTEMPT_DELAY_SECONDS", "QUIET_PERIOD_SECONDS", "RETRY_LADDER_SECONDS"] {
        config.env.insert(name.to_owned(), "0".to_owned());
    }
    let most = [(scan::LEVEL, scan::MOST), ("RUST_LOG", scan::MOST), ("RUST_BACKTRACE", "full")];
    config.env.extend(most.map(|(name, value)| (name.to_owned(), value.to_owned())));
    change(&mut config);
    match Stack::start(binaries(), config).await {
        Ok(stack) => Ok(World { stack, _dir: dir, let_off: false }),
        Err(error) => {
            scan::assert_clean(&Canaries::known(), &scan::of_a_failed_start(&error, dir.path()));
            Err(error)
        }
    }
}

/// A reply of the webhook.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u64,
    /// The `outcome` of the JSON body.
    pub outcome: String,
}

impl World {
    /// Ends it, and answers what was written down and is private, instead of failing the test for it.
    pub fn end(mut self) -> Vec<scan::Hit> {
        self.let_off = true;
        scan::hits(&Canaries::of(&self.stack), &scan::written(&self.stack))
    }

    /// Hands an HTTP payload to the webhook.
    pub async fn invoke_webhook(&self, payload: &Value) -> Value {
        self.webhook.invoke(payload).await.expect("the webhook answers")
    }

    /// Hands an HTTP payload to the webhook and reads its answer.
    pub async fn post(&self, payload: &Value) -> Answer {
        answer(&self.invoke_webhook(payload).await)
    }

    /// Tells the vendor of an event, and the webhook.
    pub async fn happen(&self, event: &Value) -> Answer {
        self.vendor.learn(event);
        self.post(&events::delivery(event)).await
    }

    /// One run of the archiver.
    pub async fn run(&self) -> Value {
        self.run_archiver().await.expect("the archiver runs")
    }

    /// What a run that fails says.
    pub async fn run_failing(&self) -> InvokeError {
        self.run_archiver().await.expect_err("the run fails")
    }

    /// The one session there is.
    pub fn only_session(&self) -> Map<String, Value> {
        let mut rows = self.rows();
        assert_eq!(rows.len(), 1, "one session row");
        rows.remove(0)
    }

    /// All session rows.
    pub fn rows(&self) -> Vec<Map<String, Value>> {
        self.sessions().expect("the table can be read")
    }

    /// What became of a recording, from whichever row has it.
    pub fn result(&self, recording: &str) -> Value {
        let name = format!("r#{recording}");
        self.rows().into_iter().find_map(|row| row.get(&name).cloned()).unwrap_or_default()
    }

    /// Lets all claims and leases run out.
    pub fn let_time_pass(&self) {
        for row in self.dynamodb.rows(TABLE).unwrap() {
            for attribute in ["due_at", "held_until", "frozen_until"] {
                if row.contains_key(attribute) {
                    self.dynamodb.set_number(TABLE, key_of(&row), attribute, 0).unwrap();
                }
            }
        }
    }

    /// Keys of the recordings in the bucket.
    pub fn keys(&self) -> Vec<String> {
        let keys = self.s3.objects(BUCKET).into_iter().map(|object| object.key);
        keys.filter(|key| key.starts_with("recordings/")).collect()
    }

    /// The manifest of a session of the events' account.
    pub fn manifest(&self, day: &str, session: &str) -> Option<Value> {
        let key = format!("sessions/account={}/date={day}/{session}.json", events::ACCOUNT);
        let object = self.s3.objects(BUCKET).into_iter().find(|object| object.key == key)?;
        serde_json::from_slice(&std::fs::read(&object.path).ok()?).ok()
    }

    /// Keys of uploads in parts that were begun and neither completed nor aborted.
    pub async fn open_uploads(&self) -> Vec<String> {
        let listed = clients::s3(&self.s3.endpoint()).list_multipart_uploads().bucket(BUCKET).send().await;
        let listed = listed.expect("the uploads can be listed");
        listed.uploads().iter().filter_map(|upload| upload.key().map(str::to_owned)).collect()
    }

    /// Whether exactly one object holds the recording, byte for byte as the vendor has it.
    pub fn holds_exactly(&self, recording: &str) -> bool {
        let objects = self.s3.objects(BUCKET);
        let named = |key: &str| key.rsplit('/').next().is_some_and(|file| file.split('.').next() == Some(recording));
        let mine: Vec<_> = objects.iter().filter(|object| named(&object.key)).collect();
        let [object] = mine.as_slice() else { return false };
        let offered = self.vendor.with(|vendor| vendor.audio_of(recording));
        offered.is_some() && std::fs::read(&object.path).ok() == offered
    }

    /// Requests the vendor served whose path contains `part`, as status codes.
    pub fn vendor_statuses(&self, part: &str) -> Vec<u16> {
        self.vendor.with(|vendor| {
            let mine = vendor.requests().iter().filter(|served| served.target.contains(part));
            mine.map(|served| served.status).collect()
        })
    }

    /// Signs in at the vendor as another process of the same app and user would.
    pub async fn mint_token(&self) -> String {
        let form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=sim.jwt.assertion";
        let request = reqwest::Client::new()
            .post(format!("{}/restapi/oauth/token", self.vendor.platform_url()))
            .basic_auth("sim-client", Some("sim-secret"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let reply = request.send().await.expect("the vendor answers").text().await.expect("a body");
        let reply: Value = serde_json::from_str(&reply).expect("JSON");
        reply["access_token"].as_str().expect("a token").to_owned()
    }

    /// Puts an object of other hands into the bucket.
    pub async fn put_foreign_object(&self, key: &str) {
        let client = clients::s3(&self.s3.endpoint());
        let put = client.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"foreign"));
        put.send().await.expect("the object is stored");
    }

    /// Puts a call of the vendor's at another time, as its log says.
    pub fn begin_call(&self, session: &str, at_ms: u64) {
        let known = self.vendor.with(|vendor| vendor.begin_call(session, at_ms));
        assert!(known, "the vendor knows {session}");
    }

    /// Changes how a recording behaves.
    pub fn recording(&self, id: &str, change: impl FnOnce(&mut ringcentral_sim::world::Recording)) {
        self.vendor.with(|vendor| change(vendor.recording_mut(id).expect("the vendor knows the recording")));
    }
}

/// Reads a gateway reply.
pub fn answer(reply: &Value) -> Answer {
    let body: Value = serde_json::from_str(reply["body"].as_str().unwrap_or_default()).expect("a JSON body");
    assert_eq!(reply["headers"]["content-type"], "application/json");
    Answer {
        status: reply["statusCode"].as_u64().expect("a status"),
        outcome: body["outcome"].as_str().expect("an outcome").to_owned(),
    }
}
