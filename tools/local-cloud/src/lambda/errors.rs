//! What can go wrong with a function.

use std::io;
use std::path::PathBuf;

use serde_json::Value;

use crate::StartError;

/// What a function says of its own failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error_type}: {message}")]
pub struct FunctionFailure {
    /// The stable name.
    pub error_type: String,
    /// The words.
    pub message: String,
}

impl FunctionFailure {
    /// Reads the body of `…/error`; words in another form become the message.
    pub(super) fn read(body: &[u8]) -> Self {
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |field: &str| said[field].as_str().map(str::to_owned);
        Self {
            error_type: text("errorType").unwrap_or_else(|| "Unknown".to_owned()),
            message: text("errorMessage").unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()),
        }
    }
}

/// Why a function did not start.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The log file cannot be used.
    #[error("could not write the log {path}; choose a folder that can be written", path = path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No port for the Runtime API.
    #[error(transparent)]
    RuntimeApi(#[from] StartError),
    /// The binary did not run at all.
    #[error("could not run {binary}; build it first", binary = binary.display())]
    Spawn {
        /// The binary.
        binary: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The function reported that it cannot start.
    #[error("{name} reported that it cannot start: {failure}")]
    Init {
        /// The function.
        name: String,
        /// Its report.
        failure: FunctionFailure,
    },
    /// The process ended before it asked for work.
    #[error("{name} ended before it asked for work ({status}); it last wrote:\n{last_lines}")]
    Exited {
        /// The function.
        name: String,
        /// How it ended.
        status: String,
        /// The end of its log.
        last_lines: String,
    },
    /// The process neither asked for work nor ended in Lambda's ten seconds.
    #[error("{name} did not ask for work within {limit_ms} ms; it last wrote:\n{last_lines}")]
    TimedOut {
        /// The function.
        name: String,
        /// Lambda's limit.
        limit_ms: u64,
        /// The end of its log.
        last_lines: String,
    },
}

/// Why an invocation has no result.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The function failed and said so.
    #[error("the function failed: {message} ({error_type})")]
    Function {
        /// The stable name.
        error_type: String,
        /// The words.
        message: String,
    },
    /// The time was up; the process was killed.
    #[error("the function did not answer within {timeout_ms} ms and was killed")]
    TimedOut {
        /// The configured time.
        timeout_ms: u64,
    },
    /// The process ended in mid-invocation.
    #[error("the function ended before it answered ({status}); it last wrote:\n{last_lines}")]
    Exited {
        /// How it ended.
        status: String,
        /// The end of its log.
        last_lines: String,
    },
    /// What the function answered is not JSON.
    #[error("the function's answer is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// A fresh process for this invocation did not start.
    #[error("the function could not be started again")]
    Launch(#[from] LaunchError),
    /// The function was killed and not restarted.
    #[error("{name} does not run; restart it first")]
    NotRunning {
        /// The function.
        name: String,
    },
}

impl From<FunctionFailure> for InvokeError {
    fn from(FunctionFailure { error_type, message }: FunctionFailure) -> Self {
        Self::Function { error_type, message }
    }
}
