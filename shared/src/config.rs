//! The functions' environment, read once. Names and defaults are a fixed interface, listed in the README.

use std::time::Duration;

use crate::{
    clients::ringcentral::origin::{Origin, OriginGate, is_secure},
    domain::{ladder::Ladder, permits::Share, session::Schedule},
};

/// One line that names the variable at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A required variable is not set.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// A variable has a value that cannot be used.
    #[error("{name} is not {expected}")]
    Malformed {
        /// The variable.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// What the webhook needs.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// The table.
    pub table_name: String,
    /// Where the accepted verification tokens are.
    pub verification_secret_id: String,
    /// The waits.
    pub schedule: Schedule,
}

/// What the archiver needs.
#[derive(Debug, Clone)]
pub struct ArchiverConfig {
    /// The table.
    pub table_name: String,
    /// The bucket.
    pub bucket_name: String,
    /// S3 storage class of audio.
    pub storage_class: String,
    /// Where the RingCentral credentials are.
    pub ringcentral_secret_id: String,
    /// Which origins are asked, and which may be given the token.
    pub origins: OriginGate,
    /// The waits.
    pub schedule: Schedule,
    /// How long the vendor keeps a recording.
    pub retention: Duration,
}

/// What the reconciler needs.
#[derive(Debug, Clone)]
pub struct ReconcilerConfig {
    /// The address the subscription must lead to.
    pub webhook_url: String,
    /// Where the accepted verification tokens are.
    pub verification_secret_id: String,
    /// What holding the call log against table and bucket needs.
    pub sweeps: SweepConfig,
}

/// What holding the call log against table and bucket needs, in the reconciler and from a shell.
#[derive(Debug, Clone)]
pub struct SweepConfig {
    /// The table.
    pub table_name: String,
    /// The bucket.
    pub bucket_name: String,
    /// Where the RingCentral credentials are.
    pub ringcentral_secret_id: String,
    /// Which origins are asked, and which may be given the token.
    pub origins: OriginGate,
    /// The waits.
    pub schedule: Schedule,
    /// How long the vendor keeps a recording.
    pub retention: Duration,
    /// Length of the trailing window.
    pub window: Duration,
    /// The most of the vendor's limit that is spent on it, and on what a backfill adds.
    pub share: Share,
}

/// A lookup of variables: the process environment in `main.rs`, a map in tests.
pub trait Lookup: Fn(&'static str) -> Option<String> {}
impl<F: Fn(&'static str) -> Option<String>> Lookup for F {}

impl WebhookConfig {
    /// Reads the variables.
    ///
    /// # Errors
    /// Names the first variable that is missing or malformed.
    pub fn read(lookup: impl Lookup) -> Result<Self, ConfigError> {
        Ok(Self {
            table_name: required(&lookup, "TABLE_NAME")?,
            verification_secret_id: required(&lookup, "VERIFICATION_SECRET_ID")?,
            schedule: schedule(&lookup)?,
        })
    }
}

impl ArchiverConfig {
    /// Reads the variables.
    ///
    /// # Errors
    /// Names the first variable that is missing or malformed.
    pub fn read(lookup: impl Lookup) -> Result<Self, ConfigError> {
        Ok(Self {
            table_name: required(&lookup, "TABLE_NAME")?,
            bucket_name: required(&lookup, "BUCKET_NAME")?,
            storage_class: storage_class(&lookup)?,
            ringcentral_secret_id: required(&lookup, "RINGCENTRAL_SECRET_ID")?,
            origins: origins(&lookup)?,
            schedule: schedule(&lookup)?,
            retention: retention(&lookup)?,
        })
    }
}

impl ReconcilerConfig {
    /// Reads the variables.
    ///
    /// # Errors
    /// Names the first variable that is missing or malformed.
    pub fn read(lookup: impl Lookup) -> Result<Self, ConfigError> {
        Ok(Self {
            sweeps: SweepConfig::read(&lookup)?,
            webhook_url: webhook_url(&lookup)?,
            verification_secret_id: required(&lookup, "VERIFICATION_SECRET_ID")?,
        })
    }
}

impl SweepConfig {
    /// Reads the variables.
    ///
    /// # Errors
    /// Names the first variable that is missing or malformed.
    pub fn read(lookup: &impl Lookup) -> Result<Self, ConfigError> {
        Ok(Self {
            table_name: required(lookup, "TABLE_NAME")?,
            bucket_name: required(lookup, "BUCKET_NAME")?,
            ringcentral_secret_id: required(lookup, "RINGCENTRAL_SECRET_ID")?,
            origins: origins(lookup)?,
            schedule: schedule(lookup)?,
            retention: retention(lookup)?,
            window: window(lookup)?,
            share: share(lookup)?,
        })
    }
}

/// Silence counts only for calls that began six hours inside the window: a shorter one would end nothing.
fn window(lookup: &impl Lookup) -> Result<Duration, ConfigError> {
    const NAME: &str = "RECONCILE_WINDOW_HOURS";
    const SHORTEST: Duration = Duration::from_secs(8 * 3_600);
    let window = decimal_hours(lookup, NAME, "26").ok().filter(|window| *window >= SHORTEST);
    window.ok_or(ConfigError::Malformed { name: NAME, expected: "a number of hours, at least 8, decimals allowed" })
}

fn share(lookup: &impl Lookup) -> Result<Share, ConfigError> {
    const NAME: &str = "RECONCILER_SHARE_PERCENT";
    let percent = optional(lookup, NAME, "30").trim().parse().ok();
    let share = percent.and_then(Share::of_percent);
    share.ok_or(ConfigError::Malformed { name: NAME, expected: "a whole number from 1 to 100" })
}

fn origins(lookup: &impl Lookup) -> Result<OriginGate, ConfigError> {
    const HOSTS: &str = "RINGCENTRAL_ALLOWED_HOSTS";
    let origin = |name, default: &str| {
        Origin::configured(&optional(lookup, name, default)).ok_or(ConfigError::Malformed {
            name,
            expected: "an https origin without a path (http only on a loopback address)",
        })
    };
    let origins = OriginGate::new(
        origin("RINGCENTRAL_SERVER_URL", "https://platform.ringcentral.com")?,
        origin("RINGCENTRAL_MEDIA_URL", "https://media.ringcentral.com")?,
        &optional(lookup, HOSTS, "*.ringcentral.com,*.ringcentral.biz"),
    );
    let expected = "a comma-separated list of host names, each optionally beginning with *.";
    origins.ok_or(ConfigError::Malformed { name: HOSTS, expected })
}

/// RingCentral takes https only (API.md §5.1), its simulation also http on loopback.
fn webhook_url(lookup: &impl Lookup) -> Result<String, ConfigError> {
    const NAME: &str = "WEBHOOK_URL";
    let text = required(lookup, NAME)?.trim().to_owned();
    let fine = is_secure(&text);
    if fine {
        Ok(text)
    } else {
        Err(ConfigError::Malformed { name: NAME, expected: "an https address (http only on a loopback address)" })
    }
}

fn retention(lookup: &impl Lookup) -> Result<Duration, ConfigError> {
    whole(lookup, "VENDOR_RETENTION_DAYS", "90", 24 * 3600)
}

fn storage_class(lookup: &impl Lookup) -> Result<String, ConfigError> {
    const NAME: &str = "STORAGE_CLASS";
    const CLASSES: [&str; 7] =
        ["STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"];
    let class = optional(lookup, NAME, "STANDARD");
    let known = CLASSES.contains(&class.as_str());
    if known { Ok(class) } else { Err(ConfigError::Malformed { name: NAME, expected: "an S3 storage class" }) }
}

fn schedule(lookup: &impl Lookup) -> Result<Schedule, ConfigError> {
    const LADDER: &str = "RETRY_LADDER_SECONDS";
    let steps = optional(lookup, LADDER, "60,120,300,900,3600,10800,21600,43200,86400");
    let steps: Option<Vec<Duration>> = steps.split(',').map(|step| seconds(step.trim())).collect();
    let ladder = steps.and_then(|steps| Ladder::new(steps).ok());
    Ok(Schedule {
        first_attempt_delay: decimal_seconds(lookup, "FIRST_ATTEMPT_DELAY_SECONDS", "60")?,
        ladder: ladder.ok_or(ConfigError::Malformed { name: LADDER, expected: "a comma-separated list of seconds" })?,
        quiet_period: decimal_seconds(lookup, "QUIET_PERIOD_SECONDS", "900")?,
        unlisted_after: decimal_hours(lookup, "UNLISTED_AFTER_HOURS", "72")?,
        row_ttl: whole(lookup, "ROW_TTL_DAYS", "400", 24 * 3600)?,
    })
}

fn required(lookup: &impl Lookup, name: &'static str) -> Result<String, ConfigError> {
    lookup(name).filter(|value| !value.trim().is_empty()).ok_or(ConfigError::Missing(name))
}

fn optional(lookup: &impl Lookup, name: &'static str, default: &str) -> String {
    required(lookup, name).unwrap_or_else(|_| default.to_owned())
}

fn decimal_seconds(lookup: &impl Lookup, name: &'static str, default: &str) -> Result<Duration, ConfigError> {
    let expected = "a number of seconds, decimals allowed";
    seconds(optional(lookup, name, default).trim()).ok_or(ConfigError::Malformed { name, expected })
}

fn decimal_hours(lookup: &impl Lookup, name: &'static str, default: &str) -> Result<Duration, ConfigError> {
    const HOUR_S: f64 = 3_600.0;
    let hours: Option<f64> = optional(lookup, name, default).trim().parse().ok();
    let duration = hours.and_then(|hours| seconds(&(hours * HOUR_S).to_string()));
    duration.ok_or(ConfigError::Malformed { name, expected: "a number of hours, decimals allowed" })
}

fn seconds(text: &str) -> Option<Duration> {
    const TEN_YEARS_S: f64 = 315_360_000.0;
    let seconds: f64 = text.parse().ok()?;
    (0.0..=TEN_YEARS_S).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

fn whole(lookup: &impl Lookup, name: &'static str, default: &str, unit_s: u64) -> Result<Duration, ConfigError> {
    let number: Option<u32> = optional(lookup, name, default).trim().parse().ok();
    let number = number.ok_or(ConfigError::Malformed { name, expected: "a whole number" })?;
    Ok(Duration::from_secs(u64::from(number) * unit_s))
}

#[cfg(test)]
mod tests;
