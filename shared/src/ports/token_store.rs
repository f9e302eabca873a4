//! The one access token all functions share (API.md §0.3: a sixth session evicts the first).

use super::session_store::StoreError;
use crate::secret::Secret;

/// An access token and how long it lives.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// The token.
    pub access_token: Secret,
    /// When it was asked for, epoch milliseconds.
    pub issued_at_ms: u64,
    /// When it ends, epoch milliseconds.
    pub expires_at_ms: u64,
}

impl StoredToken {
    /// Whether it is good for a while yet: it is renewed five minutes before its end, or, where the vendor gives short
    /// lives, after four fifths of one.
    pub fn lives(&self, now_ms: u64) -> bool {
        const RENEW_BEFORE_MS: u64 = 5 * 60 * 1000;
        let lifetime_ms = self.expires_at_ms.saturating_sub(self.issued_at_ms);
        now_ms + RENEW_BEFORE_MS.min(lifetime_ms / 5) < self.expires_at_ms
    }
}

/// That the vendor refused the credentials: asking again with the same cannot help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A fingerprint of the credentials it refused.
    pub credentials: String,
    /// The vendor's code.
    pub code: String,
    /// When, epoch milliseconds.
    pub at_ms: u64,
}

/// What the token row says.
#[derive(Debug, Clone, Default)]
pub struct TokenState {
    /// The token last written.
    pub token: Option<StoredToken>,
    /// The refusal, if one came since.
    pub refusal: Option<Refusal>,
}

/// The token row of one client id.
pub trait TokenStore {
    /// The row, read consistently.
    ///
    /// # Errors
    /// The store's.
    async fn state(&self) -> Result<TokenState, StoreError>;

    /// Takes the right to mint until `until_ms`; false while somebody else has it.
    ///
    /// # Errors
    /// The store's.
    async fn lock(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<bool, StoreError>;

    /// Gives the right back if `holder` still has it.
    ///
    /// # Errors
    /// The store's; the right then runs out by itself.
    async fn unlock(&self, holder: &str) -> Result<(), StoreError>;

    /// Writes a fresh token, forgets a refusal and gives the lock back.
    ///
    /// # Errors
    /// The store's.
    async fn put(&self, token: &StoredToken) -> Result<(), StoreError>;

    /// Writes a refusal and gives the lock back. The token stays: it may live on.
    ///
    /// # Errors
    /// The store's.
    async fn refuse(&self, refusal: &Refusal) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_renewed_early_whatever_its_life() {
        let token = |lifetime_ms: u64| StoredToken {
            access_token: Secret::new("t".into()),
            issued_at_ms: 1_000_000,
            expires_at_ms: 1_000_000 + lifetime_ms,
        };
        assert!(token(3_600_000).lives(1_000_000 + 3_299_999));
        assert!(!token(3_600_000).lives(1_000_000 + 3_300_000));
        assert!(token(10_000).lives(1_000_000 + 7_999), "a short life does not mean minting for every request");
        assert!(!token(10_000).lives(1_000_000 + 8_000));
        assert!(!token(0).lives(1_000_000));
    }
}
