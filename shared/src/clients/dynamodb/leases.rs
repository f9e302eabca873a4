//! Leases, and the token row with its own: rows under `vendor#`, which the webhook has no right to.

use super::{
    ROW_VERSION, Table, TokenRow,
    error::{condition_failed, translate},
    row::{get_number, get_text, number, text},
    schema,
};
use crate::{
    ports::{
        session_store::StoreError,
        token_store::{StoredToken, TokenStore},
    },
    secret::Secret,
};

/// The row whose holder drains the queue.
pub(super) const DRAIN: &str = "vendor#drain";

impl Table {
    /// Takes the lease of row `pk` if nobody else's is running.
    pub(super) async fn acquire_lease(
        &self,
        pk: &str,
        holder: &str,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<bool, StoreError> {
        let taken = self
            .update(pk)
            .update_expression("SET v = :v, holder = :holder, held_until = :until")
            .condition_expression("attribute_not_exists(held_until) OR held_until <= :now OR holder = :holder")
            .expression_attribute_values(":v", number(ROW_VERSION))
            .expression_attribute_values(":holder", text(holder))
            .expression_attribute_values(":until", number(until_ms))
            .expression_attribute_values(":now", number(now_ms))
            .send()
            .await;
        match taken {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(translate(error)),
        }
    }

    /// Ends the lease of row `pk` if `holder` has it.
    pub(super) async fn release_lease(&self, pk: &str, holder: &str) -> Result<(), StoreError> {
        let released = self
            .update(pk)
            .update_expression("REMOVE held_until")
            .condition_expression("holder = :holder")
            .expression_attribute_values(":holder", text(holder))
            .send()
            .await;
        match released {
            Ok(_) => Ok(()),
            Err(error) if condition_failed(&error) => Ok(()),
            Err(error) => Err(translate(error)),
        }
    }
}

impl TokenStore for TokenRow {
    async fn token(&self) -> Result<Option<StoredToken>, StoreError> {
        let reply = self
            .table
            .client
            .get_item()
            .table_name(&self.table.name)
            .key(schema::KEY, text(&self.key))
            .consistent_read(true)
            .send()
            .await
            .map_err(translate)?;
        let item = reply.item.unwrap_or_default();
        let token = || {
            Some(StoredToken {
                access_token: Secret::new(get_text(&item, "access_token")?.to_owned()),
                issued_at_ms: get_number(&item, "issued_at")?,
                expires_at_ms: get_number(&item, "expires_at")?,
            })
        };
        Ok(token())
    }

    async fn lock(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<bool, StoreError> {
        self.table.acquire_lease(&self.key, holder, now_ms, until_ms).await
    }

    async fn put(&self, token: &StoredToken) -> Result<(), StoreError> {
        self.table
            .update(&self.key)
            .update_expression("SET v = :v, access_token = :token, issued_at = :issued, expires_at = :expires REMOVE held_until, holder",
            )
            .expression_attribute_values(":v", number(ROW_VERSION))
            .expression_attribute_values(":token", text(token.access_token.expose()))
            .expression_attribute_values(":issued", number(token.issued_at_ms))
            .expression_attribute_values(":expires", number(token.expires_at_ms))
            .send()
            .await
            .map_err(translate)?;
        Ok(())
    }
}
