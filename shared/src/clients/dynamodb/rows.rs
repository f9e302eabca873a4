//! Many rows at once: by their keys, and the whole queue.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use super::{
    Table,
    error::translate,
    row::{Item, decode, due_of, key_of, pk, text},
    schema,
};
use crate::{
    domain::session::SessionKey,
    ports::session_store::{Due, Rows, StoreError},
};

/// The most keys DynamoDB takes in one request.
const KEYS_AT_ONCE: usize = 100;

/// So often keys are asked for anew that it left unread in one answer; each time it reads some.
const MOST_ROUNDS: u32 = 20;

impl Table {
    /// Rows by their keys, read consistently.
    pub(super) async fn read_rows(&self, keys: &[SessionKey]) -> Result<Rows, StoreError> {
        let mut rows = Rows::default();
        // DynamoDB refuses a request that names a key twice.
        let keys: Vec<&SessionKey> = keys.iter().collect::<BTreeSet<_>>().into_iter().collect();
        for some in keys.chunks(KEYS_AT_ONCE) {
            let keys = some.iter().map(|key| HashMap::from([(schema::KEY.to_owned(), text(pk(key)))]));
            let mut left: Vec<HashMap<String, AttributeValue>> = keys.collect();
            for _ in 0..MOST_ROUNDS {
                left = self.read_some(left, &mut rows).await?;
                if left.is_empty() {
                    break;
                }
            }
            if !left.is_empty() {
                return Err(StoreError::Unavailable("it leaves rows unread".to_owned()));
            }
        }
        Ok(rows)
    }

    /// One request; answers the keys it left unread.
    async fn read_some(&self, keys: Vec<Item>, rows: &mut Rows) -> Result<Vec<Item>, StoreError> {
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let wanted = wanted.map_err(|error| StoreError::Rejected(error.to_string()))?;
        let reply = self.client.batch_get_item().request_items(&self.name, wanted).send().await.map_err(translate)?;
        for item in reply.responses.unwrap_or_default().remove(&self.name).unwrap_or_default() {
            let key = key_of(&item)?;
            match decode(&item) {
                Ok(row) => {
                    rows.known.insert(key, row);
                }
                Err(error) => {
                    tracing::error!(session.id = %key.session, %error, "a row cannot be read");
                    rows.unreadable.insert(key);
                }
            }
        }
        let left = reply.unprocessed_keys.unwrap_or_default().remove(&self.name);
        Ok(left.map(|left| left.keys).unwrap_or_default())
    }

    /// Every session in the index, the longest due first.
    pub(super) async fn read_queue(&self) -> Result<Vec<Due>, StoreError> {
        let (mut queued, mut from) = (Vec::new(), None);
        loop {
            let page = self.query_due(END_OF_TIME_MS).set_exclusive_start_key(from).send().await.map_err(translate)?;
            queued.extend(page.items().iter().filter_map(readable));
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(queued);
            }
        }
    }
}

/// No session is due later; DynamoDB takes numbers of 38 digits.
const END_OF_TIME_MS: u64 = u64::MAX;

/// What the index knows of a row; nothing, and a line in the log, if that cannot be read.
pub(super) fn readable(item: &Item) -> Option<Due> {
    match due_of(item) {
        Ok(due) => Some(due),
        Err(error) => {
            tracing::error!(%error, "a due row is passed over");
            None
        }
    }
}
