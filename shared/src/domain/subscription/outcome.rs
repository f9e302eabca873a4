//! How a run of the keeper ended, and what a person should do where it did not end well.

use serde::{Serialize, Serializer};

/// How a run of the keeper ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// One healthy subscription of ours stands, and stood before.
    Healthy,
    /// The same, with a new life.
    Renewed,
    /// There was none; now there is one.
    Created,
    /// A healthy one took the place of what stood.
    Repaired,
    /// Not what it should be.
    Alarm(Alarm),
}

/// What a person should hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// The application lacks a permission.
    PermissionMissing,
    /// The vendor does not accept our credentials: it could not be looked at.
    CredentialsRefused,
    /// The vendor called the webhook and did not like the answer (API.md §5.1).
    AddressRefused,
    /// The vendor does not say which subscriptions stand.
    ListFailed,
    /// Thirty stand, none of them ours (API.md §5).
    LimitReached,
    /// The vendor refused to create one.
    CreateRefused,
    /// It is not known whether one was created: the next run sees.
    CreateUnanswered,
    /// What was created is not what was asked for.
    CreatedUnfit,
    /// It could not be renewed, and its end is near.
    RenewFailed,
    /// A superfluous one of ours still stands.
    DeleteFailed,
}

impl Outcome {
    /// A stable name for the summary and for logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Renewed => "renewed",
            Self::Created => "created",
            Self::Repaired => "repaired",
            Self::Alarm(alarm) => alarm.name(),
        }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Alarm {
    /// A stable name for the summary and for logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::PermissionMissing => "permission_missing",
            Self::CredentialsRefused => "credentials_refused",
            Self::AddressRefused => "address_refused",
            Self::ListFailed => "list_failed",
            Self::LimitReached => "limit_reached",
            Self::CreateRefused => "create_refused",
            Self::CreateUnanswered => "create_unanswered",
            Self::CreatedUnfit => "created_unfit",
            Self::RenewFailed => "renew_failed",
            Self::DeleteFailed => "delete_failed",
        }
    }

    /// What a person should do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::PermissionMissing => {
                "grant the application Call Control and Webhook Subscriptions in RingCentral's console; \
                 the next run tries again"
            }
            Self::CredentialsRefused => {
                "put a client id, a client secret and a JWT that belong together into the secret; the next run tries again"
            }
            Self::AddressRefused => {
                "look at the webhook: RingCentral wants 200 within 3 s, its Validation-Token back, JSON, at most 1,024 \
                 bytes, and a whole chain of certificates; the next run tries again"
            }
            Self::ListFailed => "if it stays, look at RingCentral's status and at the credentials",
            Self::LimitReached => "delete subscriptions of this application and user that nobody needs: 30 are allowed",
            Self::CreateRefused => "if it stays, check WEBHOOK_URL and look the code up in docs/ringcentral/API.md",
            Self::CreateUnanswered => "nothing at first: the next run sees whether it was created",
            Self::CreatedUnfit => "compare what RingCentral lists with docs/decisions/subscription.md",
            Self::RenewFailed => "nothing at first: the next run tries again, and replaces it when it has ended",
            Self::DeleteFailed => "nothing at first: the next run tries again; until then events come twice",
        }
    }
}
