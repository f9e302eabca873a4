//! [`TokenStore`] over DynamoDB: the token, the vendor's refusal and the lock of one client id in one row.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    ROW_VERSION, TokenRow,
    error::translate,
    row::{Item, get_number, get_text, number, text},
};
use crate::{
    ports::{
        session_store::StoreError,
        token_store::{Refusal, StoredToken, TokenState, TokenStore},
    },
    secret::Secret,
};

impl TokenStore for TokenRow {
    async fn state(&self) -> Result<TokenState, StoreError> {
        let item = self.table.read(&self.key).await?.unwrap_or_default();
        Ok(TokenState { token: token(&item), refusal: refusal(&item) })
    }

    async fn lock(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<bool, StoreError> {
        self.table.acquire_lease(&self.key, holder, now_ms, until_ms).await
    }

    async fn unlock(&self, holder: &str) -> Result<(), StoreError> {
        self.table.release_lease(&self.key, holder).await
    }

    async fn put(&self, token: &StoredToken) -> Result<(), StoreError> {
        let set = "SET v = :v, access_token = :token, issued_at = :issued, expires_at = :expires";
        self.table
            .update(&self.key)
            .update_expression(format!("{set} REMOVE refusal, held_until, holder"))
            .expression_attribute_values(":v", number(ROW_VERSION))
            .expression_attribute_values(":token", text(token.access_token.expose()))
            .expression_attribute_values(":issued", number(token.issued_at_ms))
            .expression_attribute_values(":expires", number(token.expires_at_ms))
            .send()
            .await
            .map_err(translate)?;
        Ok(())
    }

    async fn refuse(&self, refusal: &Refusal) -> Result<(), StoreError> {
        let refusal = Item::from([
            ("credentials".to_owned(), text(&refusal.credentials)),
            ("code".to_owned(), text(&refusal.code)),
            ("at".to_owned(), number(refusal.at_ms)),
        ]);
        self.table
            .update(&self.key)
            .update_expression("SET v = :v, refusal = :refusal REMOVE held_until, holder")
            .expression_attribute_values(":v", number(ROW_VERSION))
            .expression_attribute_values(":refusal", AttributeValue::M(refusal))
            .send()
            .await
            .map_err(translate)?;
        Ok(())
    }
}

/// A token that cannot be read is none: it is minted anew.
fn token(item: &Item) -> Option<StoredToken> {
    Some(StoredToken {
        access_token: Secret::new(get_text(item, "access_token")?.to_owned()),
        issued_at_ms: get_number(item, "issued_at")?,
        expires_at_ms: get_number(item, "expires_at")?,
    })
}

/// A refusal that cannot be read is none: the vendor will say it again.
fn refusal(item: &Item) -> Option<Refusal> {
    let refusal = item.get("refusal")?.as_m().ok()?;
    Some(Refusal {
        credentials: get_text(refusal, "credentials")?.to_owned(),
        code: get_text(refusal, "code")?.to_owned(),
        at_ms: get_number(refusal, "at")?,
    })
}
