//! How a stack is deployed: what one seed's day has otherwise than another's.

use std::collections::BTreeMap;

use fastrand::Rng;
use shared::config::SweepConfig;

use crate::{vendor::origins, world::DAY_MS};

/// How far the clocks of two functions may differ by design, milliseconds: the permits of the ledger allow for it.
const CLOCKS_DIFFER_MS: u64 = 100;

/// The verification token of the simulated subscription, and the one that takes its place.
const VERIFICATION: [&str; 2] = ["simulated-verification-token", "simulated-verification-token-2"];

/// The environment's variables that are drawn, each with what it may be set to. Half of the time it is not set.
const VARIABLES: [(&str, &[&str]); 9] = [
    ("FIRST_ATTEMPT_DELAY_SECONDS", &["0", "7.5", "300"]),
    ("RETRY_LADDER_SECONDS", &["5,30,120,1800,7200", "30,60,600,3600", "60,300,900,3600,21600"]),
    ("QUIET_PERIOD_SECONDS", &["120", "3600"]),
    ("UNLISTED_AFTER_HOURS", &["24", "96"]),
    ("VENDOR_RETENTION_DAYS", &["30"]),
    ("ROW_TTL_DAYS", &["0", "30"]),
    ("RECONCILER_SHARE_PERCENT", &["10", "50", "100"]),
    ("RECONCILE_WINDOW_HOURS", &["12", "48"]),
    ("RINGCENTRAL_ALLOWED_HOSTS", &["*.ringcentral.biz", "media.ringcentral.test,*.ringcentral.com"]),
];

/// What the reconciler does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reconciling {
    /// There is none.
    Nothing,
    /// It looks for what went unheard.
    Sweeps,
    /// The whole of its work: it sees to the subscription, sweeps, and proves days.
    Everything,
}

/// What a stack is deployed with.
#[derive(Debug, Clone)]
pub(crate) struct Knobs {
    variables: BTreeMap<&'static str, &'static str>,
    /// What the reconciler does.
    pub(crate) reconciling: Reconciling,
    /// How far a function's clock may be ahead of the time, or behind it, milliseconds.
    pub(crate) skew_ms: u64,
    /// Verification tokens that the webhook accepts, the one for new subscriptions first.
    pub(crate) accepted: Vec<&'static str>,
    /// The one that the subscription of the beginning carries.
    pub(crate) verification: &'static str,
}

impl Default for Knobs {
    /// Nothing is set but what must be, and clocks go right.
    fn default() -> Self {
        let [verification, _] = VERIFICATION;
        let (accepted, reconciling) = (vec![verification], Reconciling::Nothing);
        Self { variables: BTreeMap::new(), reconciling, skew_ms: 0, accepted, verification }
    }
}

impl Knobs {
    /// Those of a seed. Chance of its own: they do not change what happens on its day.
    pub(crate) fn of(seed: u64, reconciling: &[Reconciling]) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x006b_6e6f_6273);
        let mut knobs = Self::default();
        for (name, values) in VARIABLES {
            if let Some(value) = rng.choice(values).filter(|_| rng.bool()) {
                knobs.variables.insert(name, value);
            }
        }
        knobs.reconciling = rng.choice(reconciling).copied().unwrap_or(Reconciling::Nothing);
        knobs.skew_ms = [0, CLOCKS_DIFFER_MS / 2, 5_000][rng.usize(..3)];
        if rng.bool() {
            knobs.accepted = vec![VERIFICATION[1], VERIFICATION[0]];
            knobs.verification = VERIFICATION[rng.usize(..2)];
        }
        knobs
    }

    /// What the functions read from their environment.
    pub(crate) fn config(&self) -> SweepConfig {
        let addresses = origins();
        let config = SweepConfig::read(&|name| match name {
            "RINGCENTRAL_SERVER_URL" => Some(addresses.platform.clone()),
            "RINGCENTRAL_MEDIA_URL" => Some(addresses.media.clone()),
            "TABLE_NAME" | "BUCKET_NAME" | "RINGCENTRAL_SECRET_ID" => Some("simulated".to_owned()),
            name => self.variables.get(name).map(|value| (*value).to_owned()),
        });
        let Ok(config) = config else { unreachable!("the required variables are set, and all can be read") };
        config
    }

    /// The share of the vendor's limit that the reconciler keeps within, percent.
    pub(crate) fn share_percent(&self) -> usize {
        /// What the reconciler has where nothing is set.
        const DEFAULT: usize = 30;
        self.variables.get("RECONCILER_SHARE_PERCENT").and_then(|text| text.parse().ok()).unwrap_or(DEFAULT)
    }

    /// The same, in days: how long the vendor keeps a recording.
    pub(crate) fn retention_days(&self) -> u64 {
        self.config().retention.as_millis() as u64 / DAY_MS
    }

    /// By how much two functions' clocks differ more than the design allows for, milliseconds. What one has told the others
    /// of a time may be wrong by so much.
    pub(crate) fn too_far_apart_ms(&self) -> u64 {
        (2 * self.skew_ms).saturating_sub(CLOCKS_DIFFER_MS)
    }
}
