//! What a function is made of.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::{ACCOUNT_ID, REGION, SECRET_ACCESS_KEY};

/// A function: its binary and what Lambda would be told about it.
#[derive(Debug, Clone)]
pub struct FunctionConfig {
    /// The function's name.
    pub name: String,
    /// The built binary.
    pub binary: PathBuf,
    /// The access key id of its role, or the administrator's.
    pub access_key_id: String,
    /// Its environment, beside what Lambda itself sets. Nothing else is inherited.
    pub env: BTreeMap<String, String>,
    /// How many processes serve it.
    pub instances: usize,
    /// How long one invocation may take, in milliseconds.
    pub timeout_ms: u64,
    /// What the function is told of its memory, in MB. Not enforced.
    pub memory_mb: u32,
    /// Where its output goes, replacing what was there; nowhere but [`Function::logs`](super::Function::logs) if `None`.
    pub log_file: Option<PathBuf>,
}

impl FunctionConfig {
    pub(super) fn arn(&self) -> String {
        format!("arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{}", self.name)
    }

    /// What Lambda sets, as far as a custom runtime looks at it.
    pub(super) fn lambda_env(&self, runtime_api: &str) -> [(&'static str, String); 12] {
        [
            ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
            ("AWS_LAMBDA_FUNCTION_NAME", self.name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.memory_mb.to_string()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", self.name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", self.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }
}
