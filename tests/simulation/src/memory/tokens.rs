//! [`TokenStore`] in memory.

use std::{cell::RefCell, rc::Rc};

use shared::ports::{
    session_store::{Drain, StoreError},
    token_store::{Refusal, StoredToken, TokenState, TokenStore},
};

use super::leases::Lease;

/// The token row of one client id.
#[derive(Debug, Clone, Default)]
pub struct MemoryTokenRow {
    state: Rc<RefCell<TokenState>>,
    lock: Rc<RefCell<Lease>>,
}

/// A token row as it was.
#[derive(Debug, Clone, Default)]
pub(super) struct TokenRow(TokenState, Lease);

impl MemoryTokenRow {
    /// Takes the row away, as somebody would who deletes it.
    pub fn lose(&self) {
        self.restore(TokenRow::default());
    }

    /// What the row is now.
    pub(super) fn copied(&self) -> TokenRow {
        TokenRow(self.state.borrow().clone(), self.lock.borrow().clone())
    }

    /// Makes the row what it was.
    pub(super) fn restore(&self, TokenRow(state, lock): TokenRow) {
        self.state.replace(state);
        self.lock.replace(lock);
    }
}

impl TokenStore for MemoryTokenRow {
    async fn state(&self) -> Result<TokenState, StoreError> {
        Ok(self.state.borrow().clone())
    }

    async fn lock(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<bool, StoreError> {
        Ok(self.lock.borrow_mut().acquire(holder, now_ms, until_ms) == Drain::Ours)
    }

    async fn unlock(&self, holder: &str) -> Result<(), StoreError> {
        self.lock.borrow_mut().release(holder);
        Ok(())
    }

    async fn put(&self, token: &StoredToken) -> Result<(), StoreError> {
        *self.state.borrow_mut() = TokenState { token: Some(token.clone()), refusal: None };
        self.lock.borrow_mut().clear();
        Ok(())
    }

    async fn refuse(&self, refusal: &Refusal) -> Result<(), StoreError> {
        self.state.borrow_mut().refusal = Some(refusal.clone());
        self.lock.borrow_mut().clear();
        Ok(())
    }
}
