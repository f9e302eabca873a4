//! One process of a function, with a Runtime API of its own.

use std::future::pending;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::runtime_api::{self, Invocation, Report};
use super::{Context, InvokeError, LaunchError};
use crate::ids;
use crate::server::Server;
use crate::sync::lock;

/// Lambda's limit for a cold start.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// Dropping it kills the process.
pub(super) struct Instance {
    context: Arc<Context>,
    process: Child,
    pid: Option<u32>,
    reports: mpsc::UnboundedReceiver<Report>,
    /// The process's standing question for work.
    slot: Option<oneshot::Sender<Invocation>>,
    _api: Server,
}

/// What a process does next.
enum Step {
    Said(Report),
    Ended(String),
}

impl Instance {
    /// Starts a process and waits until it asks for work.
    pub(super) async fn launch(context: &Arc<Context>) -> Result<Self, LaunchError> {
        let (reports_sender, reports) = mpsc::unbounded_channel();
        let api = Server::start("the Runtime API", runtime_api::router(reports_sender)).await?;
        let process = spawn(context, &api.address().to_string())?;
        let pid = process.id();
        lock(&context.pids).extend(pid);
        let mut instance = Self { context: Arc::clone(context), process, pid, reports, slot: None, _api: api };
        match timeout(INIT_LIMIT, instance.init()).await {
            Ok(outcome) => outcome.map(|()| instance),
            Err(_) => Err(LaunchError::TimedOut {
                name: context.config.name.clone(),
                limit_ms: u64::try_from(INIT_LIMIT.as_millis()).unwrap_or(u64::MAX),
                last_lines: context.log.tail(),
            }),
        }
    }

    async fn init(&mut self) -> Result<(), LaunchError> {
        let name = || self.context.config.name.clone();
        loop {
            match step(&mut self.reports, &mut self.process).await {
                Step::Said(Report::Next(slot)) => {
                    self.slot = Some(slot);
                    return Ok(());
                }
                Step::Said(Report::InitError(failure)) => {
                    return Err(LaunchError::Init { name: name(), failure });
                }
                Step::Said(Report::Response { .. } | Report::Error { .. }) => {}
                Step::Ended(status) => {
                    return Err(LaunchError::Exited { name: name(), status, last_lines: self.context.log.tail() });
                }
            }
        }
    }

    /// Waits for the process to ask for work; false if it ended instead.
    pub(super) async fn ready(&mut self) -> bool {
        if matches!(self.process.try_wait(), Ok(Some(_)) | Err(_)) {
            return false;
        }
        while self.slot.as_ref().is_none_or(oneshot::Sender::is_closed) {
            match step(&mut self.reports, &mut self.process).await {
                Step::Said(Report::Next(slot)) => self.slot = Some(slot),
                Step::Said(Report::Response { .. } | Report::Error { .. } | Report::InitError(_)) => {}
                Step::Ended(_) => return false,
            }
        }
        true
    }

    /// Runs one event on a process that is ready.
    pub(super) async fn invoke(&mut self, event: Bytes) -> Result<Value, InvokeError> {
        let config = &self.context.config;
        let limit = Duration::from_millis(config.timeout_ms);
        let request_id = ids::request_id();
        let invocation = Invocation {
            request_id: request_id.clone(),
            deadline_ms: ids::unix_time_ms(SystemTime::now() + limit),
            function_arn: config.arn(),
            trace_id: ids::trace_id(),
            event,
        };
        // A process that ended meanwhile does not take it, and shows as ended below.
        drop(self.slot.take().map(|slot| slot.send(invocation)));
        let timeout_ms = config.timeout_ms;
        match timeout(limit, self.outcome(&request_id)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(InvokeError::TimedOut { timeout_ms }),
        }
    }

    async fn outcome(&mut self, current: &str) -> Result<Value, InvokeError> {
        loop {
            match step(&mut self.reports, &mut self.process).await {
                Step::Said(Report::Response { request_id, body }) if request_id == current => {
                    return serde_json::from_slice(&body).map_err(InvokeError::NotJson);
                }
                Step::Said(Report::Error { request_id, failure }) if request_id == current => {
                    return Err(failure.into());
                }
                Step::Said(Report::Next(slot)) => self.slot = Some(slot),
                Step::Said(Report::Response { .. } | Report::Error { .. } | Report::InitError(_)) => {}
                Step::Ended(status) => {
                    return Err(InvokeError::Exited { status, last_lines: self.context.log.tail() });
                }
            }
        }
    }

    /// Kills the process and waits for its end.
    pub(super) async fn kill(mut self) {
        // It can only fail for a process that is dead already.
        drop(self.process.kill().await);
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            lock(&self.context.pids).remove(&pid);
        }
    }
}

/// What the process says counts before its end: it may answer and then exit.
async fn step(reports: &mut mpsc::UnboundedReceiver<Report>, process: &mut Child) -> Step {
    let said = async {
        match reports.recv().await {
            Some(report) => report,
            None => pending().await,
        }
    };
    tokio::select! {
        biased;
        report = said => Step::Said(report),
        status = process.wait() => Step::Ended(describe(status)),
    }
}

fn describe(status: io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| format!("its end could not be seen: {error}"), |status| status.to_string())
}

fn spawn(context: &Context, runtime_api: &str) -> Result<Child, LaunchError> {
    let config = &context.config;
    let mut command = Command::new(&config.binary);
    command
        .env_clear()
        .envs(config.lambda_env(runtime_api))
        .envs(&config.env)
        .stdin(Stdio::null())
        .stdout(context.log.stdio()?)
        .stderr(context.log.stdio()?)
        .kill_on_drop(true);
    command.spawn().map_err(|source| LaunchError::Spawn { binary: config.binary.clone(), source })
}
