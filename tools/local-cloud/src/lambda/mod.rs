//! Lambda: the real function binary under a Runtime API of ours.

mod config;
mod errors;
mod instance;
mod log;
mod pool;
mod runtime_api;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::oneshot;

pub use self::config::FunctionConfig;
pub use self::errors::{FunctionFailure, InvokeError, LaunchError};
use self::log::Log;
use self::pool::{Job, Pool};
use crate::sync::lock;

/// A running function.
pub struct Function {
    context: Arc<Context>,
    pool: Mutex<Option<Pool>>,
}

/// What every process of a function shares.
struct Context {
    config: FunctionConfig,
    log: Log,
    /// Ids of the processes that are there.
    pids: Mutex<BTreeSet<u32>>,
    /// Answers and errors, each once.
    said: Mutex<BTreeSet<String>>,
}

impl Function {
    /// Starts the function's processes and resolves once each has asked for work, which ends its cold start.
    pub async fn start(config: FunctionConfig) -> Result<Self, LaunchError> {
        let log = Log::create(config.log_file.as_deref())?;
        let context = Arc::new(Context { config, log, pids: Mutex::default(), said: Mutex::default() });
        let pool = Pool::launch(&context).await?;
        Ok(Self { context, pool: Mutex::new(Some(pool)) })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.context.config.name
    }

    /// What it was started with.
    pub fn config(&self) -> &FunctionConfig {
        &self.context.config
    }

    /// Runs the function on `event`; waits for an instance where all are busy.
    ///
    /// An instance that ran out of time or exited is replaced at the next invocation, as Lambda does.
    pub async fn invoke(&self, event: &Value) -> Result<Value, InvokeError> {
        let (reply, answer) = oneshot::channel();
        let job = Job { event: event.to_string().into(), reply };
        let taken = lock(&self.pool).as_ref().is_some_and(|pool| pool.take(job));
        if !taken {
            return Err(InvokeError::NotRunning { name: self.name().to_owned() });
        }
        match answer.await {
            Ok(outcome) => outcome,
            Err(_killed) => {
                Err(InvokeError::Exited { status: "killed".to_owned(), last_lines: self.context.log.tail() })
            }
        }
    }

    /// Kills every process, in mid-invocation too, and resolves when all are dead. What was pending answers
    /// [`InvokeError::Exited`]; what comes later [`InvokeError::NotRunning`], until [`Function::restart`].
    pub async fn kill(&self) {
        let pool = lock(&self.pool).take();
        if let Some(pool) = pool {
            pool.kill().await;
        }
    }

    /// Kills what still runs and starts new processes of the same configuration.
    pub async fn restart(&self) -> Result<(), LaunchError> {
        self.kill().await;
        let pool = Pool::launch(&self.context).await?;
        *lock(&self.pool) = Some(pool);
        Ok(())
    }

    /// The system's ids of its processes, in ascending order. One that ended by itself counts until it is replaced.
    pub fn pids(&self) -> Vec<u32> {
        lock(&self.context.pids).iter().copied().collect()
    }

    /// Every different answer so far, as JSON, and every different error with its causes.
    pub fn said(&self) -> Vec<String> {
        lock(&self.context.said).iter().cloned().collect()
    }

    /// Every line the processes have written so far, standard output and error alike.
    pub fn logs(&self) -> Vec<String> {
        self.context.log.lines()
    }
}
