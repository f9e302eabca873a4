//! What alarms are for: how each one's condition is brought about, and what must be put right outside of the stack before the
//! runbook's command can help.

use ringcentral_sim::{
    JwtState, Outage, OutageAnswer,
    world::{Direct, ListedAt, Recording},
};
use ringvault::stack::{VERIFICATION_SECRET, VERIFICATION_TOKEN};
use serde_json::json;
use shared::{
    clients::system::System,
    domain::day::{DAY_MS, Day},
    ports::clock::Clock,
};

use super::{
    calls::hang_up,
    site::{DrillError, Site},
};

/// So many forged deliveries are brought about: what the alarm asks for.
const FORGED: usize = 20;

/// Where the call log says that a recording lies, and no token may go; nobody is there.
const FOREIGN: &str = "https://localhost";

/// The JWT that takes the place of the revoked one.
const JWT_OF_TODAY: &str = "sim.jwt.of-today";

/// The verification token that takes the first place.
const NEW_TOKEN: &str = "another-verification-token";

/// The condition of one alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A user deletes a recording before it is fetched.
    Deleted,
    /// Somebody puts a file into the folder of a closed day.
    Stray,
    /// An old recording cannot be fetched.
    Old,
    /// Somebody has taken the archiver's concurrency away.
    ArchiverHeld,
    /// The verification secret is no JSON.
    SecretMalformed,
    /// The call log has not answered for days.
    LogDown,
    /// The webhook does not answer, and RingCentral has given it up.
    WebhookDown,
    /// The JWT was revoked.
    JwtRevoked,
    /// The call log names a foreign host.
    ForeignHost,
    /// Somebody who does not know the token sends events.
    Forgery,
}

impl Trouble {
    /// All of them.
    pub(super) const ALL: [Self; 10] = [
        Self::Deleted,
        Self::Stray,
        Self::Old,
        Self::ArchiverHeld,
        Self::SecretMalformed,
        Self::LogDown,
        Self::WebhookDown,
        Self::JwtRevoked,
        Self::ForeignHost,
        Self::Forgery,
    ];

    /// The alarm it is the condition of.
    pub(super) fn alarm(self) -> &'static str {
        match self {
            Self::Deleted => "ArchiveIncomplete",
            Self::Stray => "ArchiveDamaged",
            Self::Old => "SlackLow",
            Self::ArchiverHeld => "ArchiverSilent",
            Self::SecretMalformed => "ReconcilerSilent",
            Self::LogDown => "ProofOverdue",
            Self::WebhookDown => "SubscriptionUnhealthy",
            Self::JwtRevoked => "AccessRefused",
            Self::ForeignHost => "RecordingsBlocked",
            Self::Forgery => "DeliveriesForged",
        }
    }

    /// What happens, in words.
    pub(super) fn condition(self) -> &'static str {
        match self {
            Self::Deleted => "a user deletes a recording of three days ago before it is fetched",
            Self::Stray => "a file of other hands lies among the recordings of a closed day",
            Self::Old => "a recording of 85 days ago cannot be downloaded",
            Self::ArchiverHeld => "the archiver's reserved concurrency is 0",
            Self::SecretMalformed => "the verification secret is no JSON",
            Self::LogDown => "the call log answers 503, and did so for two days",
            Self::WebhookDown => "the webhook does not answer, and its subscription is blacklisted",
            Self::JwtRevoked => "the JWT is revoked",
            Self::ForeignHost => "the call log names a host that is not allowed",
            Self::Forgery => "twenty deliveries with another token",
        }
    }

    /// Brings it about.
    pub(super) async fn bring_about(self, site: &mut Site) -> Result<(), DrillError> {
        let vendor = &site.stack.vendor;
        match self {
            Self::Deleted => {
                let began_ms = site.call_days_ago(3, "s-lost", "9101");
                site.stack.reconcile(began_ms - DAY_MS, began_ms + DAY_MS).await?;
                vendor.with(|vendor| vendor.call_mut("s-lost").map(|call| call.recordings.clear()));
            }
            Self::Stray => site.put_foreign(&stray()).await?,
            Self::Old => {
                let began_ms = site.call_days_ago(85, "s-ancient", "9103");
                vendor.with(|vendor| vendor.settings_mut().outages = vec![outage("/content")]);
                site.stack.reconcile(began_ms - DAY_MS, began_ms + DAY_MS).await?;
                // While it had more than a week left, it climbed the ladder.
                site.climb_unwatched("s-ancient").await?;
            }
            Self::ArchiverHeld => site.archiver_is_held = true,
            Self::SecretMalformed => {
                site.stack.secrets.put(VERIFICATION_SECRET, "verification_token=…");
                site.restart().await?;
            }
            Self::LogDown => {
                vendor.with(|vendor| vendor.settings_mut().outages = vec![outage("/call-log")]);
                site.pass_unwatched(2 * DAY_MS)?;
            }
            Self::WebhookDown => {
                let now_ms = System.now_ms();
                vendor.with(|vendor| {
                    let ids: Vec<String> = vendor.subscriptions(now_ms).map(|one| one.id.clone()).collect();
                    ids.iter().all(|id| vendor.blacklist(id, "it timed out", now_ms))
                });
                site.stack.webhook.kill().await;
            }
            Self::JwtRevoked => {
                vendor.with(|vendor| vendor.settings_mut().jwt_state = JwtState::Revoked);
                site.expire_tokens().await?;
            }
            Self::ForeignHost => {
                let event = hang_up("s-elsewhere", "9104");
                vendor.learn(&event);
                site.recording("9104", |recording| {
                    (recording.direct, recording.listed_at) =
                        (Direct::Status(404), ListedAt::Other(FOREIGN.to_owned()));
                });
                site.tell(event).await?;
            }
            Self::Forgery => {
                for _ in 0..FORGED {
                    site.forge().await?;
                }
            }
        }
        Ok(())
    }

    /// What whoever has read the alarm and its section knows of this case, by the names of the runbook's variables.
    pub(super) fn variables(self) -> Vec<(&'static str, String)> {
        let day = |days: u64| Day::of(System.now_ms() - days * DAY_MS).to_string();
        match self {
            Self::Deleted => vec![("FROM", day(4)), ("TO", day(2))],
            Self::Stray => vec![("KEY", stray())],
            Self::Old
            | Self::ArchiverHeld
            | Self::SecretMalformed
            | Self::LogDown
            | Self::WebhookDown
            | Self::JwtRevoked
            | Self::ForeignHost
            | Self::Forgery => Vec::new(),
        }
    }

    /// Whether what the runbook's command is for has come about, where the alarm does not say so: it ends by itself once what lies
    /// outside is put right or its cause tires, and the command hastens that, or fetches what they left. Nothing where nothing but
    /// the command clears the alarm.
    pub(super) fn is_helped(self, site: &Site) -> Result<Option<bool>, DrillError> {
        let is_helped = match self {
            Self::Deleted => site.waits("s-lost")?,
            Self::Old => site.holds("9103"),
            Self::LogDown => site.read_to_ms()?.is_some_and(|to_ms| to_ms + DAY_MS > System.now_ms()),
            Self::WebhookDown => site.answer.as_ref().is_some_and(|answer| {
                let subscription = answer["subscription"].as_str();
                subscription.is_some_and(|kept| ["healthy", "repaired", "created"].contains(&kept))
            }),
            Self::Forgery => {
                site.stack.secrets.value(VERIFICATION_SECRET).is_some_and(|secret| secret.contains(NEW_TOKEN))
            }
            Self::Stray | Self::ArchiverHeld | Self::SecretMalformed | Self::JwtRevoked | Self::ForeignHost => {
                return Ok(None);
            }
        };
        Ok(Some(is_helped))
    }

    /// What is not as it should be in the end, besides alarms.
    pub(super) fn left(self, site: &Site) -> Option<String> {
        match self {
            Self::Deleted => not_held(site, "9101"),
            Self::Old => not_held(site, "9103"),
            Self::Forgery => {
                let has_new = site.stack.vendor.with(|vendor| {
                    vendor.subscriptions(System.now_ms()).any(|one| one.verification_token() == Some(NEW_TOKEN))
                });
                (!has_new).then(|| "no subscription has the new token".to_owned())
            }
            Self::Stray
            | Self::ArchiverHeld
            | Self::SecretMalformed
            | Self::LogDown
            | Self::WebhookDown
            | Self::JwtRevoked
            | Self::ForeignHost => None,
        }
    }

    /// Whether its recording waits as long between tries as in life, and not only moments.
    pub(super) fn climbs_the_ladder(self) -> bool {
        self == Self::Old
    }

    /// What is written in the file that the runbook's command names: as its section has it, with the values of this case.
    pub(super) fn file(self, name: &str) -> Option<String> {
        let file = match self {
            Self::SecretMalformed => ("verification.json", json!({ "verification_token": VERIFICATION_TOKEN })),
            Self::JwtRevoked => {
                let secret = json!({ "client_id": "sim-client", "client_secret": "sim-secret", "jwt": JWT_OF_TODAY });
                ("ringcentral.json", secret)
            }
            Self::Forgery => {
                let tokens = [NEW_TOKEN, VERIFICATION_TOKEN];
                ("verification.json", tokens.map(|token| json!({ "verification_token": token })).into_iter().collect())
            }
            Self::Deleted
            | Self::Stray
            | Self::Old
            | Self::ArchiverHeld
            | Self::LogDown
            | Self::WebhookDown
            | Self::ForeignHost => return None,
        };
        (file.0 == name).then(|| file.1.to_string())
    }

    /// The runbook's script with what it says to put in its place.
    pub(super) fn fill_in(self, script: &str) -> String {
        match self {
            Self::ForeignHost => script.replace("media.example.com", FOREIGN.trim_start_matches("https://")),
            Self::Deleted
            | Self::Stray
            | Self::Old
            | Self::ArchiverHeld
            | Self::SecretMalformed
            | Self::LogDown
            | Self::WebhookDown
            | Self::JwtRevoked
            | Self::Forgery => script.to_owned(),
        }
    }

    /// Puts right what lies outside of the stack, as the runbook says.
    pub(super) async fn mend_outside(self, site: &mut Site) -> Result<(), DrillError> {
        let vendor = &site.stack.vendor;
        match self {
            Self::Deleted => vendor.with(|vendor| {
                // Its user takes it out of RingCentral's own bin again.
                if let Some(call) = vendor.call_mut("s-lost") {
                    call.recordings.push(Recording::new("9101"));
                }
            }),
            Self::Old => {
                vendor.with(|vendor| vendor.settings_mut().outages.clear());
                // Its next try is due.
                site.make_due("s-ancient")?;
            }
            Self::LogDown => vendor.with(|vendor| vendor.settings_mut().outages.clear()),
            Self::WebhookDown => site.stack.webhook.restart().await?,
            Self::JwtRevoked => vendor.with(|vendor| {
                let settings = vendor.settings_mut();
                (settings.jwt, settings.jwt_state) = (JWT_OF_TODAY.to_owned(), JwtState::Valid);
            }),
            Self::Stray | Self::ArchiverHeld | Self::SecretMalformed | Self::ForeignHost | Self::Forgery => {}
        }
        Ok(())
    }
}

fn not_held(site: &Site, recording: &str) -> Option<String> {
    (!site.holds(recording)).then(|| format!("{recording} is not archived in the end"))
}

/// The key of a file of other hands, in the folder of three days ago.
fn stray() -> String {
    format!("recordings/account=800000001/date={}/notes.txt", Day::of(System.now_ms() - 3 * DAY_MS))
}

/// Requests whose path has this in it are answered 503.
fn outage(path_part: &str) -> Outage {
    let (path_part, answer) = (path_part.to_owned(), OutageAnswer::Error(503));
    Outage { from_ms: 0, until_ms: u64::MAX, share: 1.0, path_part, answer }
}
