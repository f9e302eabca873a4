//! Whose days are proved: the state of a cursor.

use std::collections::BTreeSet;

use super::InvalidProgress;
use crate::domain::ids::AccountId;

/// The accounts as the cursor keeps them: a list.
pub fn accounts_to_json(accounts: &BTreeSet<AccountId>) -> String {
    let ids: Vec<_> = accounts.iter().map(AccountId::as_str).collect();
    // Texts: there is nothing in them that JSON cannot say.
    serde_json::to_string(&ids).unwrap_or_default()
}

/// Reads [`accounts_to_json`].
///
/// # Errors
/// Refuses what no version of this program wrote.
pub fn parse_accounts(json: &str) -> Result<BTreeSet<AccountId>, InvalidProgress> {
    let ids: Vec<String> = serde_json::from_str(json).map_err(|_| InvalidProgress)?;
    ids.iter().map(|id| AccountId::parse(id).map_err(|_| InvalidProgress)).collect()
}
