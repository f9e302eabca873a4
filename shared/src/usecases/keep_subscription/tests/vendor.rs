//! A vendor, a row and a clock without a world.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use futures_util::FutureExt;

use super::*;

pub(super) struct Stopped;

impl Clock for Stopped {
    fn now_ms(&self) -> u64 {
        NOW_MS
    }

    async fn sleep(&self, _duration: Duration) {}
}

/// One row.
#[derive(Default)]
pub(super) struct Row(pub(super) RefCell<Cursor>);

impl CursorStore for Row {
    async fn cursor(&self, _job: &Job) -> Result<Cursor, StoreError> {
        Ok(self.0.borrow().clone())
    }

    async fn advance(&self, _job: &Job, rev: u64, state: &str) -> Result<bool, StoreError> {
        let mut kept = self.0.borrow_mut();
        let ours = kept.rev == rev;
        if ours {
            *kept = Cursor { rev: rev + 1, state: Some(state.to_owned()) };
        }
        Ok(ours)
    }
}

/// Makes the same failure anew.
pub(super) type Failure = fn() -> SourceError;

/// A vendor that does what it is asked and writes it down, unless it was told to fail.
#[derive(Default)]
pub(super) struct Vendor {
    pub(super) standing: RefCell<Vec<Subscription>>,
    pub(super) said: RefCell<Vec<String>>,
    pub(super) created: Cell<u32>,
    pub(super) most: Option<usize>,
    pub(super) longest_s: Option<u64>,
    pub(super) deaf: Cell<bool>,
    /// What the calls that begin so are answered; without a clear no, a creation is done all the same.
    pub(super) fails: Option<(&'static str, Failure)>,
}

pub(super) fn status(status: u16, code: &str) -> SourceError {
    SourceError::Status { status, code: Some(code.to_owned()) }
}

impl Vendor {
    pub(super) fn with(standing: &[Subscription]) -> Self {
        Self { standing: RefCell::new(standing.to_vec()), ..Self::default() }
    }

    fn heard(&self, what: String) -> Result<(), SourceError> {
        let fails = self.fails.filter(|(call, _)| what.starts_with(call)).map(|(_, error)| error());
        self.said.borrow_mut().push(what);
        fails.map_or(Ok(()), Err)
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.standing.borrow().iter().map(|one| one.id.clone()).collect()
    }

    pub(super) fn run(&self, row: &Row, occasion: Occasion) -> Kept {
        let token = Secret::new("hush".to_owned());
        let keeper =
            Keeper { subscriptions: self, cursors: row, clock: &Stopped, address: ADDRESS, verification_token: &token };
        keeper.keep(occasion).now_or_never().unwrap().unwrap()
    }
}

impl Subscriptions for Vendor {
    async fn list(&self, wait_until_ms: u64) -> Result<Vec<Subscription>, SourceError> {
        assert_eq!(wait_until_ms, NOW_MS + WAIT_MS);
        self.heard("list".to_owned())?;
        Ok(self.standing.borrow().clone())
    }

    async fn create(&self, new: &NewSubscription<'_>, _wait_until_ms: u64) -> Result<Subscription, SourceError> {
        assert_eq!((new.address, new.verification_token.expose()), (ADDRESS, "hush"));
        if self.longest_s.is_some_and(|longest_s| new.lifetime_s > longest_s) {
            self.said.borrow_mut().push("refuse a life".to_owned());
            return Err(status(400, "CMN-101"));
        }
        if self.most.is_some_and(|most| self.standing.borrow().len() >= most) {
            self.said.borrow_mut().push("refuse one more".to_owned());
            return Err(status(403, "SUB-505"));
        }
        self.created.set(self.created.get() + 1);
        let (disabled, filters) = new.filters.split_at(usize::from(self.deaf.get()));
        let texts = |filters: &[&str]| filters.iter().map(|filter| (*filter).to_owned()).collect();
        let created = Subscription {
            id: format!("new-{}", self.created.get()),
            address: new.address.to_owned(),
            active: true,
            filters: texts(filters),
            disabled: texts(disabled),
            expires_at_ms: NOW_MS + new.lifetime_s * 1000,
        };
        let heard = self.heard(format!("create {}", created.id));
        if !matches!(heard, Err(SourceError::Status { status: 400..500, .. } | SourceError::Closed(_))) {
            self.standing.borrow_mut().push(created.clone());
        }
        heard.map(|()| created)
    }

    async fn renew(&self, id: &str, _wait_until_ms: u64) -> Result<(), SourceError> {
        self.heard(format!("renew {id}"))
    }

    async fn delete(&self, id: &str, _wait_until_ms: u64) -> Result<(), SourceError> {
        self.heard(format!("delete {id}"))?;
        self.standing.borrow_mut().retain(|one| one.id != id);
        Ok(())
    }

    async fn warm(&self, address: &str) -> bool {
        assert_eq!(address, ADDRESS);
        self.heard("warm".to_owned()).is_ok()
    }
}
