//! Where a drill happens: the local stack, whose runs are placed in a clock of its own. Between two rounds a quarter of an hour
//! passes, for the alarms by that clock, and for the functions by what the table says of times.

use std::io;

use aws_sdk_s3::{
    config::{BehaviorVersion, Credentials, Region},
    primitives::ByteStream,
};
use local_cloud::{
    ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY,
    dynamodb::TableError,
    lambda::{Function, InvokeError, LaunchError},
};
use ringcentral_sim::Settings;
use ringvault::stack::{BUCKET, Binaries, Stack, StackConfig, StackError, TABLE, key_of};
use serde_json::{Map, Value};
use shared::{
    clients::{dynamodb::schema, system::System},
    domain::sweep::Sweep,
    ports::clock::Clock,
};
use simulation::cloudwatch::Point;

use super::{
    emf::{self, Malformed},
    trouble::Trouble,
};
use crate::local::Folder;

/// A round: the reconciler runs once, the archiver in each period of its alarm.
pub(super) const ROUND_MS: u64 = 15 * 60_000;
const ARCHIVER_RUNS: u64 = 3;

/// When the clock of every drill begins: 2026-03-02T00:00:00Z.
pub(super) const BEGAN_MS: u64 = 1_772_409_600_000;

/// As often a recording must have failed for the last step of the ladder that functions have by themselves.
const STEPS: usize = 9;

/// No drill comes near the vendor's limits.
const ROOM: usize = 100_000;

/// Why a drill came to no end.
#[derive(Debug, thiserror::Error)]
pub(super) enum DrillError {
    /// The local stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// A function did not start.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// A function failed where it must not.
    #[error("{0}")]
    Invoke(#[from] InvokeError),
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A log line.
    #[error(transparent)]
    Metrics(#[from] Malformed),
    /// The world is not as the drill needs it, or the runbook's command is not understood.
    #[error("{0}")]
    Told(String),
    /// The folder, an object or a program.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

pub(super) fn doing(doing: &'static str) -> impl Fn(io::Error) -> DrillError {
    move |source| DrillError::Io { doing, source }
}

/// A local stack, and what its alarms are to be asked about.
pub(super) struct Site {
    pub(super) stack: Stack,
    /// What its functions said so far, by the drill's clock.
    pub(super) points: Vec<Point>,
    /// The drill's clock, epoch milliseconds.
    pub(super) now_ms: u64,
    /// Whether somebody has set the archiver's reserved concurrency to nothing: ticks start no run.
    pub(super) archiver_is_held: bool,
    /// What a function answered to whoever started it by hand last.
    pub(super) answer: Option<Value>,
    /// How many lines of each function's log were read.
    read: [usize; 3],
    _folder: Folder,
}

impl Site {
    /// A stack with a call of three days ago and one of just now, both archived, and a proof of it.
    pub(super) async fn start(binaries: &Binaries, trouble: Trouble) -> Result<Self, DrillError> {
        let folder =
            Folder::create(binaries, trouble.alarm()).map_err(doing("the folder for objects cannot be made"))?;
        let mut config = StackConfig::quick(&folder.0);
        config.vendor =
            Settings { medium_limit: ROOM, light_limit: ROOM, auth_limit: ROOM, heavy_limit: ROOM, ..config.vendor };
        // What the call log does not offer any more is gone.
        config.env.insert("UNLISTED_AFTER_HOURS".to_owned(), "0".to_owned());
        if trouble.climbs_the_ladder() {
            config.env.remove("RETRY_LADDER_SECONDS");
        }
        let stack = Stack::start(binaries, config).await?;
        let mut site = Self {
            stack,
            points: Vec::new(),
            now_ms: BEGAN_MS,
            archiver_is_held: false,
            answer: None,
            read: [0; 3],
            _folder: folder,
        };
        site.call_days_ago(3, "s-old", "9001");
        site.round().await?;
        site.call("s-new", "9002").await?;
        Ok(site)
    }

    /// A quarter of an hour. Runs that fail say nothing, as in life.
    pub(super) async fn round(&mut self) -> Result<(), DrillError> {
        drop(self.stack.run_reconciler().await);
        for _ in 0..ARCHIVER_RUNS {
            if !self.archiver_is_held {
                drop(self.stack.run_archiver().await);
            }
            self.listen()?;
            self.pass(ROUND_MS / ARCHIVER_RUNS)?;
        }
        Ok(())
    }

    /// Takes what the functions have said since this was last done as said now.
    pub(super) fn listen(&mut self) -> Result<(), DrillError> {
        let logs = [&*self.stack.webhook, &self.stack.archiver, &self.stack.reconciler].map(Function::logs);
        for (lines, read) in logs.iter().zip(&mut self.read) {
            for line in lines.iter().skip(*read) {
                let said = emf::read(line, TABLE, System.now_ms())?;
                self.points.extend(said.into_iter().map(|point| Point { at_ms: self.now_ms, ..point }));
            }
            *read = lines.len();
        }
        Ok(())
    }

    /// Lets time pass: on the drill's clock, and for what the table says of times. The vendor's times stay: so calls do not age.
    pub(super) fn pass(&mut self, passed_ms: u64) -> Result<(), DrillError> {
        self.now_ms += passed_ms;
        for row in self.stack.dynamodb.rows(TABLE)? {
            let key = key_of(&row);
            for attribute in [schema::DUE_AT, "held_until", "frozen_until", "expires_at"] {
                if let Some(at_ms) = row.get(attribute).and_then(Value::as_u64) {
                    self.stack.dynamodb.set_number(TABLE, key, attribute, at_ms.saturating_sub(passed_ms))?;
                }
            }
            let state = row.get("state").and_then(Value::as_str).filter(|_| key.starts_with("vendor#cursor#"));
            if let Some(aged) = state.and_then(|state| aged(state, passed_ms)) {
                self.stack.dynamodb.set_text(TABLE, key, "state", &aged)?;
            }
        }
        Ok(())
    }

    /// What happened before is passed on, and time passes without a run: nobody was there to watch.
    pub(super) fn pass_unwatched(&mut self, passed_ms: u64) -> Result<(), DrillError> {
        let now_ms = self.now_ms;
        self.pass(passed_ms)?;
        self.now_ms = now_ms;
        Ok(())
    }

    /// The archiver tries a call's recordings again and again, until it waits on the ladder's last step. Nobody watches.
    pub(super) async fn climb_unwatched(&mut self, session: &str) -> Result<(), DrillError> {
        let known = self.points.len();
        for _ in 0..STEPS {
            self.make_due(session)?;
            self.stack.run_archiver().await?;
        }
        self.listen()?;
        self.points.truncate(known);
        Ok(())
    }

    /// A call's wait is over.
    pub(super) fn make_due(&self, session: &str) -> Result<(), DrillError> {
        for row in self.rows_of(session)? {
            self.stack.dynamodb.set_number(TABLE, key_of(&row), schema::DUE_AT, System.now_ms())?;
        }
        Ok(())
    }

    /// Whether a call waits for anything.
    pub(super) fn waits(&self, session: &str) -> Result<bool, DrillError> {
        Ok(self.rows_of(session)?.iter().any(|row| row.contains_key(schema::QUEUE)))
    }

    fn rows_of(&self, session: &str) -> Result<Vec<Map<String, Value>>, DrillError> {
        let mut rows = self.stack.sessions()?;
        rows.retain(|row| key_of(row).ends_with(&format!("#{session}")));
        Ok(rows)
    }

    /// Until when the call log was read last, epoch milliseconds.
    pub(super) fn read_to_ms(&self) -> Result<Option<u64>, DrillError> {
        let rows = self.stack.dynamodb.rows(TABLE)?;
        let state =
            rows.iter().find(|row| key_of(row) == "vendor#cursor#reconcile").and_then(|row| row.get("state")?.as_str());
        Ok(state.and_then(Sweep::parse).filter(Sweep::is_done).map(|sweep| sweep.stretch().end))
    }

    /// The logs of the archiver and the reconciler begin anew.
    pub(super) fn forget_logs(&mut self) {
        self.read = [self.read[0], 0, 0];
    }

    /// An hour later: access tokens are used up.
    pub(super) async fn expire_tokens(&mut self) -> Result<(), DrillError> {
        for row in self.stack.dynamodb.rows(TABLE)? {
            if key_of(&row).starts_with("vendor#token#") {
                self.stack.dynamodb.set_number(TABLE, key_of(&row), "expires_at", 0)?;
            }
        }
        self.restart().await
    }

    /// Puts an object of other hands into the bucket.
    pub(super) async fn put_foreign(&self, key: &str) -> Result<(), DrillError> {
        let credentials = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "drills");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static(REGION))
            .credentials_provider(credentials)
            .endpoint_url(self.stack.s3.endpoint());
        let client = aws_sdk_s3::Client::from_conf(config.build());
        let put = client.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"foreign")).send().await;
        put.map(drop).map_err(|error| DrillError::Told(format!("the object cannot be put: {error}")))
    }

    /// Whether a recording lies in the bucket.
    pub(super) fn holds(&self, recording: &str) -> bool {
        let named = |key: &str| key.starts_with("recordings/") && key.contains(&format!("/{recording}."));
        self.stack.s3.objects(BUCKET).iter().any(|object| named(&object.key))
    }

    /// The functions start anew: those that run keep secrets for five minutes.
    pub(super) async fn restart(&self) -> Result<(), DrillError> {
        for function in [&*self.stack.webhook, &self.stack.archiver, &self.stack.reconciler] {
            function.restart().await?;
        }
        Ok(())
    }
}

/// A cursor's state, so much older; nothing if it is no state with times.
fn aged(state: &str, passed_ms: u64) -> Option<String> {
    let mut state: Value = serde_json::from_str(state).ok()?;
    for (name, value) in state.as_object_mut()? {
        let is_time = name.ends_with("_ms") && name != "span_ms";
        if let Some(at_ms) = value.as_u64().filter(|_| is_time) {
            *value = at_ms.saturating_sub(passed_ms).into();
        }
    }
    Some(state.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_ages_by_its_times_alone() {
        let state = r#"{"from_ms":100,"span_ms":100,"proved_ms":null,"id":"7","healthy_at_ms":5}"#;
        let aged = aged(state, 10).map(|aged| serde_json::from_str::<Value>(&aged).unwrap());
        let expected = json!({ "from_ms": 90, "span_ms": 100, "proved_ms": null, "id": "7", "healthy_at_ms": 0 });
        assert_eq!(aged, Some(expected));
        assert_eq!(super::aged("[1]", 10), None);
    }
}
