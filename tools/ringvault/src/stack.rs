//! Everything on one machine: the function binaries behind the Lambda Runtime API, the local cloud, the simulated vendor.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use local_cloud::{
    StartError,
    binaries::{self, BuildError},
    dynamodb::{DynamoDb, IndexSpec, TableError, TableSpec},
    function_url::FunctionUrl,
    iam::Iam,
    lambda::{Function, FunctionConfig, InvokeError, LaunchError},
    s3::{BucketError, S3},
    secrets::Secrets,
};
use ringcentral_sim::{Settings, server::SimServer};
use serde_json::{Map, Value, json};
use shared::{clients::dynamodb::schema, domain::day::format_time};

use crate::template::{self, Parameters, TemplateError};

/// Name of the local table.
pub const TABLE: &str = "ringvault-sessions";
/// Name of the local bucket.
pub const BUCKET: &str = "ringvault-archive";
/// The verification token of the local stack.
pub const VERIFICATION_TOKEN: &str = "local-verification-token";
/// Name of the secret that holds [`VERIFICATION_TOKEN`].
pub const VERIFICATION_SECRET: &str = "ringvault/verification";
/// Name of the secret that holds the RingCentral credentials.
pub const RINGCENTRAL_SECRET: &str = "ringvault/ringcentral";

/// The function binaries, built once.
#[derive(Debug, Clone)]
pub struct Binaries(BTreeMap<String, PathBuf>);

/// What a stack is to be like.
pub struct StackConfig {
    /// The folder of the bucket and of the functions' logs.
    pub dir: PathBuf,
    /// The vendor.
    pub vendor: Settings,
    /// Variables of the functions that differ from the local defaults; an empty value unsets.
    pub env: BTreeMap<String, String>,
    /// The text of the template whose roles the functions run under.
    pub template: String,
    /// The table.
    pub table: TableSpec,
    /// How many webhook processes serve.
    pub webhooks: usize,
    /// How long one run of the archiver may take, milliseconds; of the reconciler as well.
    pub archiver_timeout_ms: u64,
}

/// A running stack. It stops when it is dropped.
pub struct Stack {
    /// Who may do what, and who did.
    pub iam: Arc<Iam>,
    /// The table.
    pub dynamodb: DynamoDb,
    /// The bucket.
    pub s3: S3,
    /// Secrets Manager.
    pub secrets: Secrets,
    /// RingCentral.
    pub vendor: SimServer,
    /// Lambda 1.
    pub webhook: Arc<Function>,
    /// Lambda 2.
    pub archiver: Function,
    /// Lambda 3.
    pub reconciler: Function,
    /// HTTP in front of the webhook.
    pub webhook_url: FunctionUrl,
    /// The reconciler's variables: with them and the administrator's keys a shell reaches this stack.
    pub variables: BTreeMap<String, String>,
}

/// Why there is no stack.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The function binaries.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The roles.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A stand-in.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The bucket.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// A function.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The simulator.
    #[error("could not start the simulated vendor: {0}")]
    Vendor(#[source] io::Error),
}

impl Binaries {
    /// Builds the functions with this program's profile; blocks until cargo is done.
    ///
    /// # Errors
    /// Cargo's.
    pub fn build() -> Result<Self, BuildError> {
        binaries::build(&["webhook", "archiver", "reconciler"]).map(Self)
    }

    /// The folder all profiles are built below.
    pub fn target_dir(&self) -> PathBuf {
        let profile_dir = self.0.values().next().and_then(|binary| binary.parent());
        profile_dir.and_then(Path::parent).map(Path::to_owned).unwrap_or_default()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

impl StackConfig {
    /// A stack over `dir` that waits for nothing longer than it must: a vendor without delays and with room, and the
    /// functions' waits in fractions of a second.
    pub fn quick(dir: &Path) -> Self {
        let waits = [
            ("FIRST_ATTEMPT_DELAY_SECONDS", "0.05"),
            ("QUIET_PERIOD_SECONDS", "0.5"),
            ("RETRY_LADDER_SECONDS", "0.1,0.2,0.5"),
        ];
        Self {
            dir: dir.to_owned(),
            vendor: Settings { listed_after_ms: 0, ready_after_ms: 0, heavy_limit: 1000, ..Settings::default() },
            env: waits.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            template: template::TEXT.to_owned(),
            table: table_spec(),
            webhooks: 1,
            archiver_timeout_ms: 60_000,
        }
    }
}

/// The table as the template makes it.
pub fn table_spec() -> TableSpec {
    TableSpec {
        name: TABLE.to_owned(),
        partition_key: schema::KEY.to_owned(),
        index: IndexSpec {
            name: schema::DUE_INDEX.to_owned(),
            partition_key: schema::QUEUE.to_owned(),
            sort_key: schema::DUE_AT.to_owned(),
        },
        ttl_attribute: schema::TTL.to_owned(),
        stream_view: Some(schema::STREAM_VIEW.to_owned()),
    }
}

impl Stack {
    /// Starts everything on loopback ports of its own.
    ///
    /// # Errors
    /// Whatever did not start.
    pub async fn start(binaries: &Binaries, config: StackConfig) -> Result<Self, StackError> {
        let iam = Arc::new(Iam::default());
        let roles = template::roles(&template::read(&config.template)?, &Parameters::new())?;
        let keys: BTreeMap<String, String> = roles.into_iter().map(|it| (it.binary, iam.add(it.role))).collect();
        let dynamodb = DynamoDb::start_with(Arc::clone(&iam)).await?;
        dynamodb.create_table(&config.table)?;
        let s3 = S3::start_with(config.dir.clone(), Arc::clone(&iam)).await?;
        s3.create_bucket(BUCKET)?;
        let secrets = Secrets::start_with(Arc::clone(&iam)).await?;
        secrets.put(VERIFICATION_SECRET, &json!({ "verification_token": VERIFICATION_TOKEN }).to_string());
        let credentials = json!({
            "client_id": config.vendor.client_id,
            "client_secret": config.vendor.client_secret,
            "jwt": config.vendor.jwt,
        });
        secrets.put(RINGCENTRAL_SECRET, &credentials.to_string());
        let vendor = SimServer::start(config.vendor.clone()).await.map_err(StackError::Vendor)?;
        let shared = BTreeMap::from([
            ("TABLE_NAME".to_owned(), TABLE.to_owned()),
            ("BUCKET_NAME".to_owned(), BUCKET.to_owned()),
            ("VERIFICATION_SECRET_ID".to_owned(), VERIFICATION_SECRET.to_owned()),
            ("RINGCENTRAL_SECRET_ID".to_owned(), RINGCENTRAL_SECRET.to_owned()),
            ("RINGCENTRAL_SERVER_URL".to_owned(), vendor.platform_url().to_owned()),
            ("RINGCENTRAL_MEDIA_URL".to_owned(), vendor.media_url().to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), dynamodb.endpoint()),
            ("AWS_ENDPOINT_URL_S3".to_owned(), s3.endpoint()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), secrets.endpoint()),
        ]);
        let function = |name: &str, instances, timeout_ms, own: &[(&str, String)]| {
            let mut env = shared.clone();
            env.extend(own.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            env.extend(config.env.clone());
            env.retain(|_, value| !value.is_empty());
            FunctionConfig {
                name: name.to_owned(),
                binary: binaries.path(name),
                // A function that the template does not have may do nothing.
                access_key_id: keys.get(name).cloned().unwrap_or_default(),
                env,
                instances,
                timeout_ms,
                memory_mb: 256,
                log_file: Some(config.dir.join(format!("{name}.log"))),
            }
        };
        let webhook = Arc::new(Function::start(function("webhook", config.webhooks, 5_000, &[])).await?);
        let archiver = Function::start(function("archiver", 1, config.archiver_timeout_ms, &[])).await?;
        let webhook_url = FunctionUrl::start(Arc::clone(&webhook)).await?;
        let address = [("WEBHOOK_URL", webhook_url.url())];
        let reconciler = function("reconciler", 1, config.archiver_timeout_ms, &address);
        let variables = reconciler.env.clone();
        let reconciler = Function::start(reconciler).await?;
        Ok(Self { iam, dynamodb, s3, secrets, vendor, webhook, archiver, reconciler, webhook_url, variables })
    }

    /// One scheduled run of the archiver; its summary.
    ///
    /// # Errors
    /// The run failed.
    pub async fn run_archiver(&self) -> Result<Value, InvokeError> {
        self.archiver.invoke(&tick()).await
    }

    /// One scheduled run of the reconciler; its summary.
    ///
    /// # Errors
    /// The run failed.
    pub async fn run_reconciler(&self) -> Result<Value, InvokeError> {
        self.reconciler.invoke(&tick()).await
    }

    /// A run of the reconciler over calls that began between two times, epoch milliseconds; its summary.
    ///
    /// # Errors
    /// The run failed.
    pub async fn reconcile(&self, from_ms: u64, to_ms: u64) -> Result<Value, InvokeError> {
        let detail = json!({ "from": format_time(from_ms), "to": format_time(to_ms) });
        self.reconciler.invoke(&json!({ "detail": detail })).await
    }

    /// The session rows, by key.
    ///
    /// # Errors
    /// The table's.
    pub fn sessions(&self) -> Result<Vec<Map<String, Value>>, TableError> {
        let mut rows = self.dynamodb.rows(TABLE)?;
        rows.retain(|row| key_of(row).starts_with("session#"));
        Ok(rows)
    }

    /// When the next session is due, epoch milliseconds; nothing if all are settled.
    ///
    /// # Errors
    /// The table's.
    pub fn next_due_ms(&self) -> Result<Option<u64>, TableError> {
        let rows = self.sessions()?;
        let queued = rows.iter().filter(|row| row.contains_key(schema::QUEUE));
        Ok(queued.filter_map(|row| row.get(schema::DUE_AT)?.as_u64()).min())
    }
}

/// What a rule of EventBridge sends.
fn tick() -> Value {
    json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} })
}

/// The key of a row.
pub fn key_of(row: &Map<String, Value>) -> &str {
    row.get(schema::KEY).and_then(Value::as_str).unwrap_or_default()
}
