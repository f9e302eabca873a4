//! The way to the table and the bucket: it takes time, and what is sent over it or comes back may get lost.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
};

use bytes::Bytes;
use shared::{
    domain::{
        call_log::Offers,
        object_key::ObjectKey,
        permits::{Group, Ledger},
        session::{Learned, SessionKey, SessionRow},
    },
    ports::{
        archive_store::{ArchiveError, ArchiveStore, Created, Entry, Held, NewObject, Reading, Written},
        cursor_store::{Cursor, CursorStore, Job},
        permit_store::{KeptLedger, PermitStore, Replaced},
        recording_source::ByteStream,
        session_store::{Drain, Due, Finish, Finished, Order, Recorded, Rows, SessionStore, StoreError},
        token_store::{Refusal, StoredToken, TokenState, TokenStore},
    },
};

use crate::{
    chance::Dice,
    executor::Time,
    faults::{Fault, Faults},
    trace::Trace,
};

/// How long a client waits for an answer that does not come, milliseconds.
const TIMEOUT_MS: u64 = 3_000;

/// The network between the functions and AWS.
#[derive(Clone)]
pub(crate) struct Crossing {
    /// The clock.
    pub(crate) time: Time,
    /// Chance.
    pub(crate) dice: Dice,
    /// What goes wrong.
    pub(crate) faults: Faults,
    /// What is written down of it.
    pub(crate) trace: Trace,
    /// What is away for a while.
    pub(crate) closures: Rc<Closures>,
    /// Keys of objects of which the bucket has told the program that it holds them.
    pub(crate) confirmed: Rc<RefCell<BTreeSet<ObjectKey>>>,
}

/// Until when table and bucket refuse everything, or everything of a kind, epoch milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Closures {
    table_until_ms: Cell<u64>,
    bucket_until_ms: Cell<u64>,
    /// Whether the bucket gives out what it holds meanwhile.
    gives_out: Cell<bool>,
    /// Whether the bucket says that it will never take anything in again.
    for_good: Cell<bool>,
}

impl Closures {
    /// The table answers nobody.
    pub(crate) fn close_table(&self, until_ms: u64) {
        self.table_until_ms.set(until_ms);
    }

    /// The bucket takes nothing in: for good, as it says, or for now.
    pub(crate) fn close_bucket(&self, until_ms: u64, gives_out: bool, for_good: bool) {
        self.bucket_until_ms.set(until_ms);
        self.gives_out.set(gives_out);
        self.for_good.set(for_good);
    }

    fn refusal_of_bucket(&self, now_ms: u64, takes_in: bool) -> Option<ArchiveError> {
        let refuses = now_ms < self.bucket_until_ms.get() && (takes_in || !self.gives_out.get());
        let refusal = || match self.for_good.get() {
            true => ArchiveError::Rejected("AccessDenied".to_owned()),
            false => ArchiveError::Unavailable("InsufficientStorage".to_owned()),
        };
        refuses.then(refusal)
    }
}

/// A port behind the network.
#[derive(Clone)]
pub(crate) struct Far<P> {
    port: P,
    crossing: Crossing,
}

impl<P> Far<P> {
    /// Puts the network in front of a port.
    pub(crate) fn new(port: P, crossing: Crossing) -> Self {
        Self { port, crossing }
    }
}

/// What a port says where the network fails.
trait NetworkError: Sized {
    /// Whether what is asked is refused now; `writes` says whether it would change something.
    fn closed(closures: &Closures, now_ms: u64, writes: bool) -> Option<Self>;
    fn refused() -> Self;
    fn unanswered() -> Self;
}

impl NetworkError for StoreError {
    fn closed(closures: &Closures, now_ms: u64, _: bool) -> Option<Self> {
        let is_away = now_ms < closures.table_until_ms.get();
        is_away.then(|| Self::Unavailable("InternalServerError".to_owned()))
    }

    fn refused() -> Self {
        Self::Unavailable("ThrottlingException".to_owned())
    }

    fn unanswered() -> Self {
        Self::Indeterminate("timeout".to_owned())
    }
}

impl NetworkError for ArchiveError {
    fn closed(closures: &Closures, now_ms: u64, writes: bool) -> Option<Self> {
        closures.refusal_of_bucket(now_ms, writes)
    }

    fn refused() -> Self {
        Self::Unavailable("SlowDown".to_owned())
    }

    fn unanswered() -> Self {
        Self::Indeterminate("timeout".to_owned())
    }
}

impl Crossing {
    async fn cross<T, E: NetworkError>(&self, what: &str, act: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.cross_over(what, false, act).await
    }

    /// The same for what changes something in the bucket.
    async fn cross_in<T, E: NetworkError>(&self, what: &str, act: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.cross_over(what, true, act).await
    }

    async fn cross_over<T, E: NetworkError>(
        &self,
        what: &str,
        writes: bool,
        act: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.travel().await;
        if let Some(refusal) = E::closed(&self.closures, self.time.now_ms(), writes) {
            self.trace.line(format_args!("{what} refused, as everything is"));
            return Err(refusal);
        }
        if self.faults.strikes(Fault::Refused) {
            self.trace.line(format_args!("{what} refused"));
            return Err(E::refused());
        }
        if self.faults.strikes(Fault::RequestLost) {
            self.time.sleep(TIMEOUT_MS).await;
            return Err(E::unanswered());
        }
        let answer = act.await;
        self.trace.line(format_args!("{what} {}", if answer.is_ok() { "done" } else { "failed" }));
        if self.faults.strikes(Fault::AnswerLost) {
            self.time.sleep(TIMEOUT_MS).await;
            return Err(E::unanswered());
        }
        self.travel().await;
        answer
    }

    async fn travel(&self) {
        let slow = self.faults.strikes(Fault::Slow);
        self.time.sleep(self.dice.latency_ms(1, if slow { 2_000 } else { 6 })).await;
    }
}

impl<P: SessionStore> SessionStore for Far<P> {
    async fn record(&self, learned: &Learned) -> Result<Recorded, StoreError> {
        self.crossing.cross("record", self.port.record(learned)).await
    }

    async fn rows(&self, keys: &[SessionKey]) -> Result<Rows, StoreError> {
        self.crossing.cross("read rows", self.port.rows(keys)).await
    }

    async fn queued(&self) -> Result<Vec<Due>, StoreError> {
        self.crossing.cross("queued", self.port.queued()).await
    }

    async fn due(&self, now_ms: u64, order: Order, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.crossing.cross("due", self.port.due(now_ms, order, limit)).await
    }

    async fn count_due(&self, now_ms: u64) -> Result<usize, StoreError> {
        self.crossing.cross("count due", self.port.count_due(now_ms)).await
    }

    async fn claim(&self, key: &SessionKey, now_ms: u64, until_ms: u64) -> Result<Option<SessionRow>, StoreError> {
        self.crossing.cross("claim", self.port.claim(key, now_ms, until_ms)).await
    }

    async fn finish(&self, key: &SessionKey, rev: u64, finish: &Finish) -> Result<Finished, StoreError> {
        self.crossing.cross("finish", self.port.finish(key, rev, finish)).await
    }

    async fn offer(&self, key: &SessionKey, offers: &Offers) -> Result<bool, StoreError> {
        self.crossing.cross("offer", self.port.offer(key, offers)).await
    }

    async fn remind(&self, now_ms: u64) -> Result<(), StoreError> {
        self.crossing.cross("remind", self.port.remind(now_ms)).await
    }

    async fn acquire_drain(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<Drain, StoreError> {
        self.crossing.cross("acquire drain", self.port.acquire_drain(holder, now_ms, until_ms)).await
    }

    async fn release_drain(&self, holder: &str) -> Result<(), StoreError> {
        self.crossing.cross("release drain", self.port.release_drain(holder)).await
    }
}

impl<P: CursorStore> CursorStore for Far<P> {
    async fn cursor(&self, job: &Job) -> Result<Cursor, StoreError> {
        self.crossing.cross("cursor", self.port.cursor(job)).await
    }

    async fn advance(&self, job: &Job, rev: u64, state: &str) -> Result<bool, StoreError> {
        self.crossing.cross("advance", self.port.advance(job, rev, state)).await
    }
}

impl<P: TokenStore> TokenStore for Far<P> {
    async fn state(&self) -> Result<TokenState, StoreError> {
        self.crossing.cross("token", self.port.state()).await
    }

    async fn lock(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<bool, StoreError> {
        self.crossing.cross("lock token", self.port.lock(holder, now_ms, until_ms)).await
    }

    async fn unlock(&self, holder: &str) -> Result<(), StoreError> {
        self.crossing.cross("unlock token", self.port.unlock(holder)).await
    }

    async fn put(&self, token: &StoredToken) -> Result<(), StoreError> {
        self.crossing.cross("put token", self.port.put(token)).await
    }

    async fn refuse(&self, refusal: &Refusal) -> Result<(), StoreError> {
        self.crossing.cross("refuse token", self.port.refuse(refusal)).await
    }
}

impl<P: PermitStore> PermitStore for Far<P> {
    async fn ledger(&self, group: &Group) -> Result<KeptLedger, StoreError> {
        self.crossing.cross("ledger", self.port.ledger(group)).await
    }

    async fn replace(&self, group: &Group, rev: u64, ledger: &Ledger) -> Result<Replaced, StoreError> {
        self.crossing.cross("replace ledger", self.port.replace(group, rev, ledger)).await
    }
}

impl<P: ArchiveStore> ArchiveStore for Far<P> {
    async fn create(&self, object: &NewObject, body: ByteStream) -> Result<Created, ArchiveError> {
        let created = self.crossing.cross_in("create object", self.port.create(object, body)).await;
        if matches!(created, Ok(Created::Stored { .. })) {
            self.crossing.confirmed.borrow_mut().insert(object.key.clone());
        }
        created
    }

    async fn held(&self, key: &ObjectKey) -> Result<Option<Held>, ArchiveError> {
        let held = self.crossing.cross("head object", self.port.held(key)).await;
        if matches!(held, Ok(Some(_))) {
            self.crossing.confirmed.borrow_mut().insert(key.clone());
        }
        held
    }

    async fn read(&self, key: &ObjectKey) -> Result<Option<Reading>, ArchiveError> {
        self.crossing.cross("read object", self.port.read(key)).await
    }

    async fn read_version(&self, key: &ObjectKey, version: &str) -> Result<Option<Reading>, ArchiveError> {
        self.crossing.cross("read version", self.port.read_version(key, version)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, ArchiveError> {
        self.crossing.cross("list objects", self.port.list(prefix)).await
    }

    async fn write(&self, key: &ObjectKey, json: Bytes, replacing: Option<&str>) -> Result<Written, ArchiveError> {
        self.crossing.cross_in("write document", self.port.write(key, json, replacing)).await
    }

    async fn settle(&self) {
        self.port.settle().await;
    }
}
