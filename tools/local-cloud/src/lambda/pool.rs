//! The processes of a function, and the queue of invocations in front of them.

use std::error::Error;
use std::iter::successors;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::try_join_all;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::instance::Instance;
use super::{Context, InvokeError, LaunchError};
use crate::sync::lock;

/// One invocation, waiting for an instance.
pub(super) struct Job {
    pub(super) event: Bytes,
    /// Dropped unanswered when the process is killed by its owner.
    pub(super) reply: oneshot::Sender<Result<Value, InvokeError>>,
}

type Queue = Arc<Mutex<mpsc::UnboundedReceiver<Job>>>;

/// Dropping it kills the processes.
pub(super) struct Pool {
    jobs: mpsc::UnboundedSender<Job>,
    killed: watch::Sender<bool>,
    workers: JoinSet<()>,
}

impl Pool {
    pub(super) async fn launch(context: &Arc<Context>) -> Result<Self, LaunchError> {
        let launches = (0..context.config.instances).map(|_| Instance::launch(context));
        let instances = try_join_all(launches).await?;
        let (jobs, queue) = mpsc::unbounded_channel();
        let queue = Queue::new(Mutex::new(queue));
        let (killed, _) = watch::channel(false);
        let mut workers = JoinSet::new();
        for instance in instances {
            workers.spawn(work(instance, Arc::clone(&queue), Arc::clone(context), killed.subscribe()));
        }
        Ok(Self { jobs, killed, workers })
    }

    /// Queues `job`; false if nobody will ever take it.
    pub(super) fn take(&self, job: Job) -> bool {
        self.jobs.send(job).is_ok()
    }

    /// Kills every process and waits for its end.
    pub(super) async fn kill(mut self) {
        self.killed.send_replace(true);
        while self.workers.join_next().await.is_some() {}
    }
}

/// Serves the queue with one process at a time, until killed.
async fn work(instance: Instance, queue: Queue, context: Arc<Context>, mut killed: watch::Receiver<bool>) {
    let mut instance = Some(instance);
    tokio::select! {
        () = serve(&mut instance, &queue, &context) => {}
        // Also when the pool itself is gone.
        _ = killed.wait_for(|killed| *killed) => {}
    }
    if let Some(instance) = instance {
        instance.kill().await;
    }
}

async fn serve(instance: &mut Option<Instance>, queue: &Queue, context: &Arc<Context>) {
    loop {
        let Some(job) = queue.lock().await.recv().await else {
            return;
        };
        let outcome = run(instance, job.event, context).await;
        lock(&context.said).insert(in_words(&outcome));
        // Whoever asked may have gone.
        drop(job.reply.send(outcome));
    }
}

fn in_words(outcome: &Result<Value, InvokeError>) -> String {
    match outcome {
        Ok(answer) => answer.to_string(),
        Err(error) => {
            let causes = successors(error.source(), |cause| (*cause).source());
            causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
        }
    }
}

/// Runs one event, on a fresh process if the last one is gone; puts away a process that must not be used again.
async fn run(instance: &mut Option<Instance>, event: Bytes, context: &Arc<Context>) -> Result<Value, InvokeError> {
    let ready = match instance {
        Some(instance) => instance.ready().await,
        None => false,
    };
    if !ready {
        *instance = None;
    }
    let current = match instance {
        Some(current) => current,
        None => instance.insert(Instance::launch(context).await?),
    };
    let outcome = current.invoke(event).await;
    let gone = match &outcome {
        Ok(_) | Err(InvokeError::Function { .. } | InvokeError::NotJson(_)) => false,
        Err(
            InvokeError::TimedOut { .. }
            | InvokeError::Exited { .. }
            | InvokeError::Launch(_)
            | InvokeError::NotRunning { .. },
        ) => true,
    };
    if gone && let Some(instance) = instance.take() {
        instance.kill().await;
    }
    outcome
}
