//! Sees to it that exactly one healthy subscription leads to our webhook. What that means is decided in
//! `domain::subscription`; why it is done in this order stands in `docs/decisions/subscription.md`.

use std::fmt;

use crate::{
    domain::subscription::{
        Alarm, Creation, FILTERS, Fault, Memory, Occasion, Outcome, Plan, Subscription, Wanted, fingerprint,
    },
    ports::{
        clock::Clock,
        cursor_store::{CursorStore, Job},
        recording_source::{Closed, CredentialsError, SourceError},
        session_store::StoreError,
        subscriptions::{NewSubscription, Subscriptions},
    },
    secret::Secret,
};

/// The job whose cursor holds the [`Memory`].
const JOB: &str = "subscription";

/// Lives to ask for, the longest first, seconds. Which is the longest the vendor accepts is not known (API.md §5).
const LIFETIMES_S: [u64; 3] = [630_720_000, 315_360_000, 604_800];

/// How long one request may wait for its permit, milliseconds: the next run is near.
const WAIT_MS: u64 = 10_000;

/// The keeper, with all it needs.
#[derive(Debug)]
pub struct Keeper<'a, S, K, C> {
    /// The vendor's subscriptions.
    pub subscriptions: &'a S,
    /// Where it remembers the one that was healthy.
    pub cursors: &'a K,
    /// The time.
    pub clock: &'a C,
    /// The webhook's address.
    pub address: &'a str,
    /// What deliveries should carry: the first of the verification tokens.
    pub verification_token: &'a Secret,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// How it ended.
    pub outcome: Outcome,
    /// A healthy subscription stands, and before it calls may have gone unheard: they should be looked for at once.
    pub repaired: bool,
    /// When one was last seen healthy before this run, epoch milliseconds; never, as far as is known, if none.
    pub healthy_at_ms: Option<u64>,
}

/// What stands after a run.
struct Standing {
    /// The healthy one.
    id: Option<String>,
    outcome: Outcome,
}

impl<S: Subscriptions, K: CursorStore, C: Clock> Keeper<'_, S, K, C> {
    /// Looks at the subscriptions and does what is to be done, or says in one line of the log why that is not possible.
    ///
    /// # Errors
    /// The store's, about the memory. What was done at the vendor stands, and the next run finds it.
    pub async fn keep(&self, occasion: Occasion) -> Result<Kept, StoreError> {
        let job = Job::new(JOB);
        let cursor = self.cursors.cursor(&job).await?;
        let memory = cursor.state.as_deref().and_then(Memory::parse);
        if memory.is_none() && cursor.state.is_some() {
            tracing::warn!("what was remembered of the subscription cannot be read; what stands decides");
        }
        let fingerprint = fingerprint(self.verification_token);
        let wanted = Wanted { address: self.address, fingerprint: &fingerprint };
        let Standing { id, outcome } = self.see_to(&wanted, memory.as_ref(), occasion).await;
        let now_ms = self.clock.now_ms();
        let healthy_at_ms = memory.as_ref().map(|memory| memory.healthy_at_ms);
        let Some(id) = id else { return Ok(Kept { outcome, repaired: false, healthy_at_ms }) };
        let repaired = memory.is_none_or(|memory| memory.has_gap(&id, now_ms));
        let news = Memory { id, fingerprint, healthy_at_ms: now_ms };
        if !self.cursors.advance(&job, cursor.rev, &news.to_json()).await? {
            tracing::info!("another run has looked at the subscription meanwhile");
        }
        Ok(Kept { outcome, repaired, healthy_at_ms })
    }

    async fn see_to(&self, wanted: &Wanted<'_>, memory: Option<&Memory>, occasion: Occasion) -> Standing {
        let listed = match self.subscriptions.list(self.wait_until_ms()).await {
            Ok(listed) => listed,
            Err(error) => return alarm(of_listing(&error), error),
        };
        match wanted.plan(&listed, memory, occasion, self.clock.now_ms()) {
            Plan::Keep { id, renew: false, delete } => self.tidy(id, Outcome::Healthy, &delete).await,
            Plan::Keep { id, renew: true, delete } => match self.subscriptions.renew(&id, self.wait_until_ms()).await {
                Ok(()) => self.tidy(id, Outcome::Renewed, &delete).await,
                Err(SourceError::Status { status: status @ 400..500, .. }) => {
                    let stand_in = (status != 404).then(|| id.clone());
                    let replaces = delete.into_iter().chain([id]).collect();
                    self.create(wanted, Creation { why: Fault::NotRenewed, replaces, stand_in }).await
                }
                Err(error) => Standing { id: Some(id), ..alarm(Alarm::RenewFailed, error) },
            },
            Plan::Create(creation) => self.create(wanted, creation).await,
        }
    }

    /// Deletes nothing before the new one stands, unless the vendor allows no more.
    async fn create(&self, wanted: &Wanted<'_>, creation: Creation) -> Standing {
        let warm = self.subscriptions.warm(self.address).await;
        tracing::info!(why = creation.why.name(), warm, "a new subscription is needed");
        match self.longest_lived().await {
            Ok(new) => self.settle(wanted, &creation, new).await,
            Err(error) if is_full(&error) => self.make_room(wanted, creation, error).await,
            Err(error) => alarm(of_creation(&error), error),
        }
    }

    /// One of ours goes first, and of several one that hears nothing.
    async fn make_room(&self, wanted: &Wanted<'_>, mut creation: Creation, full: SourceError) -> Standing {
        if creation.replaces.is_empty() {
            return alarm(Alarm::LimitReached, full);
        }
        let first = creation.replaces.remove(0);
        if let Err(error) = self.delete(std::slice::from_ref(&first)).await {
            return alarm(Alarm::DeleteFailed, error);
        }
        creation.stand_in.take_if(|stand_in| *stand_in == first);
        match self.longest_lived().await {
            Ok(new) => self.settle(wanted, &creation, new).await,
            Err(error) => alarm(of_creation(&error), error),
        }
    }

    async fn longest_lived(&self) -> Result<Subscription, SourceError> {
        let [longest, shorter @ ..] = LIFETIMES_S;
        let mut created = self.ask_for(longest).await;
        for lifetime_s in shorter {
            match created {
                Err(SourceError::Status { status: 400, code: Some(code) }) if code == "CMN-101" => {
                    created = self.ask_for(lifetime_s).await;
                }
                Ok(_) | Err(_) => break,
            }
        }
        created
    }

    async fn ask_for(&self, lifetime_s: u64) -> Result<Subscription, SourceError> {
        let Self { address, verification_token, .. } = *self;
        let new = NewSubscription { address, filters: &FILTERS, verification_token, lifetime_s };
        self.subscriptions.create(&new, self.wait_until_ms()).await
    }

    /// Keeps the new one, or what it should have replaced.
    async fn settle(&self, wanted: &Wanted<'_>, creation: &Creation, new: Subscription) -> Standing {
        let verdict = wanted.judge(creation, &new, self.clock.now_ms());
        match verdict.fault {
            None => {
                let outcome = if creation.why == Fault::Missing { Outcome::Created } else { Outcome::Repaired };
                self.tidy(new.id, outcome, &verdict.delete).await
            }
            Some(fault) => {
                let unfit = match fault {
                    Fault::FilterDisabled => Alarm::PermissionMissing,
                    Fault::Missing
                    | Fault::NotActive
                    | Fault::Expired
                    | Fault::WrongAddress
                    | Fault::SecretRotated
                    | Fault::TokenUnknown
                    | Fault::FilterMissing
                    | Fault::NotRenewed => Alarm::CreatedUnfit,
                };
                let deleted = self.delete(&verdict.delete).await;
                let and = deleted.err().map(|error| format!("; one still stands that should not: {error}"));
                alarm(unfit, format!("{}{}", fault.name(), and.unwrap_or_default()))
            }
        }
    }

    async fn tidy(&self, id: String, outcome: Outcome, delete: &[String]) -> Standing {
        match self.delete(delete).await {
            Ok(()) => Standing { id: Some(id), outcome },
            Err(error) => Standing { id: Some(id), ..alarm(Alarm::DeleteFailed, error) },
        }
    }

    /// Tries each; answers the last failure.
    async fn delete(&self, ids: &[String]) -> Result<(), SourceError> {
        let mut deleted = Ok(());
        for id in ids {
            match self.subscriptions.delete(id, self.wait_until_ms()).await {
                Ok(()) => tracing::info!(%id, "a subscription of ours is deleted"),
                Err(error) => deleted = Err(error),
            }
        }
        deleted
    }

    fn wait_until_ms(&self) -> u64 {
        self.clock.now_ms().saturating_add(WAIT_MS)
    }
}

/// The one line that says why and what to do.
fn alarm(alarm: Alarm, why: impl fmt::Display) -> Standing {
    tracing::error!(outcome = alarm.name(), %why, advice = alarm.advice(), "the subscription needs help");
    Standing { id: None, outcome: Outcome::Alarm(alarm) }
}

/// What a creation that failed means. The codes are the vendor's (API.md §4, §5).
fn of_creation(error: &SourceError) -> Alarm {
    match error {
        SourceError::Status { status: 500.., .. } | SourceError::Unreachable(_) | SourceError::Malformed(_) => {
            Alarm::CreateUnanswered
        }
        SourceError::Status { code, .. } => match code.as_deref() {
            Some("SUB-520" | "SUB-521" | "SUB-524" | "SUB-525") => Alarm::AddressRefused,
            Some("SUB-505") => Alarm::LimitReached,
            Some("CMN-401") => Alarm::PermissionMissing,
            Some(_) | None => Alarm::CreateRefused,
        },
        SourceError::Closed(Closed::Credentials(CredentialsError::Refused { .. } | CredentialsError::NotAccepted)) => {
            Alarm::CredentialsRefused
        }
        SourceError::Closed(_) | SourceError::ForeignOrigin => Alarm::CreateRefused,
    }
}

/// What it means that the vendor does not say which stand.
fn of_listing(error: &SourceError) -> Alarm {
    match of_creation(error) {
        refused @ (Alarm::PermissionMissing | Alarm::CredentialsRefused) => refused,
        Alarm::AddressRefused
        | Alarm::ListFailed
        | Alarm::LimitReached
        | Alarm::CreateRefused
        | Alarm::CreateUnanswered
        | Alarm::CreatedUnfit
        | Alarm::RenewFailed
        | Alarm::DeleteFailed => Alarm::ListFailed,
    }
}

fn is_full(error: &SourceError) -> bool {
    of_creation(error) == Alarm::LimitReached
}

#[cfg(test)]
mod tests;
