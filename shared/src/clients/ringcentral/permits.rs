//! A permit for every request. All functions of one credential share the ledger in the table; this is one process's hand
//! in it. What a permit means is decided in `domain::permits`.

mod gate;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use gate::{Gate, Want, Wish};
use http::HeaderMap;

use super::throttle::{Scope, Throttled, plan};
use crate::{
    domain::permits::{Group, PermitId, Reserved, Share},
    ports::{clock::Clock, permit_store::PermitStore, recording_source::Closed},
};

/// How long a permit may lie before its request is sent, how long the vendor may take to answer, and how much longer an
/// unanswered request may have been under way; milliseconds.
const SENT_WITHIN_MS: u64 = 10_000;
pub(super) const ANSWERED_WITHIN_MS: u64 = 30_000;
const LATER_STILL_MS: u64 = 5_000;

/// What a request is for. It decides the group that is assumed until a reply names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Endpoint {
    Content,
    CallLog,
    LiveSession,
    /// Lists and renews subscriptions.
    Subscription,
    /// Creates and deletes them.
    SubscriptionChange,
    Token,
}

/// The right to send one request. Whoever drops it without a word has used it: it counts as answered at the latest time.
#[derive(Debug)]
#[must_use]
pub(super) struct Permit {
    id: PermitId,
    group: Group,
    reserved_at_ms: u64,
}

/// The permits of one credential, as one process takes them.
#[derive(Debug)]
pub struct Permits<P> {
    store: P,
    /// Tells this process's permits from others'; with a number each, whatever its group turns out to be.
    holder: String,
    share: Share,
    numbers: AtomicU64,
    gates: Mutex<BTreeMap<Group, Arc<Gate>>>,
    /// Groups that replies named.
    named: Mutex<BTreeMap<Endpoint, Group>>,
}

impl<P: PermitStore> Permits<P> {
    /// Permits out of `store`; `holder` tells this process from others.
    pub fn new(store: P, holder: String) -> Self {
        Self::within(Share::WHOLE, store, holder)
    }

    /// The same, but never more than `share` of each limit at once.
    pub fn within(share: Share, store: P, holder: String) -> Self {
        Self { store, holder, share, numbers: AtomicU64::new(0), gates: Mutex::default(), named: Mutex::default() }
    }

    /// A permit, in the order of asking; waits for it until `wait_until_ms` at most.
    pub(super) async fn take<C: Clock>(
        &self,
        endpoint: Endpoint,
        clock: &C,
        wait_until_ms: u64,
    ) -> Result<Permit, Closed> {
        let group = self.group_of(endpoint);
        let gate = self.gate(&group);
        let wish = Wish::at(&gate);
        let _turn = gate.turn.lock().await;
        loop {
            let now_ms = clock.now_ms();
            if let Some(permit) = gate.take_stock(now_ms) {
                return Ok(permit);
            }
            let number = |_| self.numbers.fetch_add(1, Ordering::Relaxed);
            let id = |number| PermitId::new(&self.holder, number, self.share);
            let ids: Vec<_> = (0..wish.all()).map(number).map(id).collect();
            let reserved = gate.sync(&self.store, &group, Want { ids: &ids, share: self.share }, now_ms).await;
            match reserved.map_err(|error| Closed::NoLedger(error.to_string()))? {
                Reserved::Granted(ids) => gate.stock(&group, ids, now_ms),
                Reserved::NotBefore(at_ms) if at_ms <= wait_until_ms => {
                    clock.sleep(Duration::from_millis(at_ms.saturating_sub(clock.now_ms()).max(1))).await;
                }
                Reserved::NotBefore(at_ms) => {
                    return Err(Closed::Throttled { retry_after: Duration::from_millis(at_ms.saturating_sub(now_ms)) });
                }
            }
        }
    }

    /// A reply came. Its headers say which group the request counted in, and how that is limited.
    pub(super) async fn answered<C: Clock>(&self, endpoint: Endpoint, permit: Permit, headers: &HeaderMap, clock: &C) {
        let group = self.hear(endpoint, permit, headers, clock.now_ms());
        self.say(&group, clock).await;
    }

    /// A 429 came: nothing is sent in the group it speaks of, or in any, until it may be again.
    pub(super) async fn throttled<C: Clock>(
        &self,
        endpoint: Endpoint,
        permit: Permit,
        headers: &HeaderMap,
        throttled: &Throttled,
        clock: &C,
    ) {
        self.hear(endpoint, permit, headers, clock.now_ms());
        self.freeze(endpoint, throttled, clock).await;
    }

    /// Closes the gates a 429 speaks of; that of its own group for a window at least, as long as the penalty lasts.
    pub(super) async fn freeze<C: Clock>(&self, endpoint: Endpoint, throttled: &Throttled, clock: &C) {
        let group = self.group_of(endpoint);
        let (groups, least_ms): (BTreeSet<Group>, u64) = match throttled.scope {
            Scope::Group => ([group.clone()].into(), self.gate(&group).window_ms(&group)),
            Scope::All => (Group::documented().chain(lock(&self.gates).keys().cloned()).collect(), 0),
        };
        let until_ms = clock.now_ms().saturating_add(throttled.pause_ms.max(least_ms));
        for group in &groups {
            self.gate(group).freeze(until_ms);
        }
        for group in &groups {
            self.say(group, clock).await;
        }
    }

    /// Notes a reply; answers the group it counts in.
    fn hear(&self, endpoint: Endpoint, permit: Permit, headers: &HeaderMap, now_ms: u64) -> Group {
        let (named, plan) = plan(headers);
        let group = named.unwrap_or_else(|| permit.group.clone());
        if group != permit.group {
            self.gate(&permit.group).give_back(permit.id.clone());
            lock(&self.named).insert(endpoint, group.clone());
        }
        let gate = self.gate(&group);
        gate.answered(permit.id, now_ms);
        gate.follow(plan);
        group
    }

    /// The request was given up without a reply: the vendor may have counted it any time until now, or a little later.
    pub(super) async fn unanswered<C: Clock>(&self, permit: Permit, clock: &C) {
        self.gate(&permit.group).answered(permit.id, clock.now_ms().saturating_add(LATER_STILL_MS));
        self.say(&permit.group, clock).await;
    }

    /// The request never left.
    pub(super) fn unsent(&self, permit: Permit) {
        self.gate(&permit.group).give_back(permit.id);
    }

    /// Gives back what lies unused and says what is not said yet. Whoever goes on later reads the rows anew.
    pub(super) async fn settle<C: Clock>(&self, clock: &C) {
        let groups: Vec<Group> = lock(&self.gates).keys().cloned().collect();
        for group in groups {
            let gate = self.gate(&group);
            gate.empty_stock();
            self.say(&group, clock).await;
            gate.forget_row().await;
        }
    }

    /// How many permits are free now, as far as the ledger can be read.
    pub(super) async fn free<C: Clock>(&self, endpoint: Endpoint, clock: &C) -> usize {
        let group = self.group_of(endpoint);
        self.gate(&group).free(&self.store, &group, clock.now_ms()).await
    }

    /// How long the vendor makes one request of an endpoint's group take, milliseconds, as far as is known.
    pub(super) fn pace_ms(&self, endpoint: Endpoint) -> u64 {
        let group = self.group_of(endpoint);
        self.gate(&group).pace_ms(&group)
    }

    /// Writes what is news. If that fails it is said with the next write; until then the ledger counts too much.
    async fn say<C: Clock>(&self, group: &Group, clock: &C) {
        let gate = self.gate(group);
        if gate.has_news()
            && let Err(error) = gate.sync(&self.store, group, Want::NOTHING, clock.now_ms()).await
        {
            tracing::debug!(%group, %error, "the permit ledger is told later");
        }
    }

    fn group_of(&self, endpoint: Endpoint) -> Group {
        let named = lock(&self.named).get(&endpoint).cloned();
        named.unwrap_or_else(|| match endpoint {
            Endpoint::Content | Endpoint::CallLog => Group::heavy(),
            Endpoint::LiveSession | Endpoint::Subscription => Group::light(),
            Endpoint::SubscriptionChange => Group::medium(),
            Endpoint::Token => Group::auth(),
        })
    }

    fn gate(&self, group: &Group) -> Arc<Gate> {
        lock(&self.gates).entry(group.clone()).or_default().clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
