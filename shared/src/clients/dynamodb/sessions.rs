//! [`SessionStore`] over DynamoDB.

use aws_sdk_dynamodb::{
    operation::{query::builders::QueryFluentBuilder, update_item::builders::UpdateItemFluentBuilder},
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure, Select},
};

use super::{
    ROW_VERSION, Table,
    error::{condition_failed, row_in_the_way, translate},
    facts::FactsUpdate,
    finish::written,
    leases::DRAIN,
    offer::offered,
    row::{Item, decode, number, pk, text},
    rows::readable,
    schema,
};
use crate::{
    domain::{
        call_log::Offers,
        session::{Learned, SessionKey, SessionRow},
    },
    ports::session_store::{Drain, Due, Finish, Finished, Order, Recorded, Rows, SessionStore, StoreError},
};

impl Table {
    pub(super) fn update(&self, pk: impl Into<String>) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.name).key(schema::KEY, text(pk))
    }

    /// The row `pk`, read consistently.
    pub(super) async fn read(&self, pk: &str) -> Result<Option<Item>, StoreError> {
        let read = self.client.get_item().table_name(&self.name).key(schema::KEY, text(pk)).consistent_read(true);
        Ok(read.send().await.map_err(translate)?.item)
    }

    /// Asks the index for what is due at `now_ms`.
    pub(super) fn query_due(&self, now_ms: u64) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .index_name(schema::DUE_INDEX)
            .key_condition_expression("#queue = :due AND #due_at <= :now")
            .expression_attribute_names("#queue", schema::QUEUE)
            .expression_attribute_names("#due_at", schema::DUE_AT)
            .expression_attribute_values(":due", text(schema::DUE))
            .expression_attribute_values(":now", number(now_ms))
    }
}

impl SessionStore for Table {
    async fn record(&self, learned: &Learned) -> Result<Recorded, StoreError> {
        if learned.is_silent() {
            // DynamoDB takes no empty condition.
            return Ok(Recorded::Known);
        }
        let update = FactsUpdate::of(learned);
        let mut request = self
            .update(pk(&learned.key))
            .update_expression(update.update_expression())
            .condition_expression(update.condition_expression());
        for (placeholder, name) in update.names {
            request = request.expression_attribute_names(placeholder, name);
        }
        for (placeholder, value) in update.values {
            request = request.expression_attribute_values(placeholder, value);
        }
        match request.send().await {
            Ok(_) => Ok(Recorded::New),
            Err(error) if condition_failed(&error) => Ok(Recorded::Known),
            Err(error) => Err(translate(error)),
        }
    }

    async fn rows(&self, keys: &[SessionKey]) -> Result<Rows, StoreError> {
        self.read_rows(keys).await
    }

    async fn queued(&self) -> Result<Vec<Due>, StoreError> {
        self.read_queue().await
    }

    async fn due(&self, now_ms: u64, order: Order, limit: usize) -> Result<Vec<Due>, StoreError> {
        let page = self
            .query_due(now_ms)
            .scan_index_forward(match order {
                Order::Oldest => true,
                Order::Latest => false,
            })
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(translate)?;
        Ok(page.items().iter().filter_map(readable).collect())
    }

    async fn count_due(&self, now_ms: u64) -> Result<usize, StoreError> {
        let mut count = 0;
        let mut from = None;
        loop {
            let query = self.query_due(now_ms).select(Select::Count).set_exclusive_start_key(from);
            let page = query.send().await.map_err(translate)?;
            count += usize::try_from(page.count()).unwrap_or(0);
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(count);
            }
        }
    }

    async fn claim(&self, key: &SessionKey, now_ms: u64, until_ms: u64) -> Result<Option<SessionRow>, StoreError> {
        let claimed = self
            .update(pk(key))
            .update_expression("SET #due_at = :until ADD attempts :one, rev :one")
            .condition_expression("#queue = :due AND #due_at <= :now")
            .expression_attribute_names("#queue", schema::QUEUE)
            .expression_attribute_names("#due_at", schema::DUE_AT)
            .expression_attribute_values(":due", text(schema::DUE))
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":until", number(until_ms))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match claimed {
            Ok(reply) => decode(&reply.attributes.unwrap_or_default()).map(Some),
            Err(error) if condition_failed(&error) => Ok(None),
            Err(error) => Err(translate(error)),
        }
    }

    async fn finish(&self, key: &SessionKey, rev: u64, finish: &Finish) -> Result<Finished, StoreError> {
        let request = written(self.update(pk(key)), finish)
            .condition_expression("rev = :rev")
            .expression_attribute_values(":rev", number(rev))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(_) => Ok(Finished::Done),
            Err(error) => {
                let row = row_in_the_way(error)?.ok_or(StoreError::Corrupt("the row has vanished"))?;
                Ok(Finished::Changed(Box::new(decode(&row)?)))
            }
        }
    }

    async fn offer(&self, key: &SessionKey, offers: &Offers) -> Result<bool, StoreError> {
        if offers.is_empty() {
            return Ok(false);
        }
        match offered(self.update(pk(key)), offers).send().await {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(translate(error)),
        }
    }

    async fn remind(&self, now_ms: u64) -> Result<(), StoreError> {
        let request = self
            .update(schema::RENEWAL_SIGNAL)
            .update_expression("SET v = :v, #at = :now")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":v", number(ROW_VERSION))
            .expression_attribute_values(":now", number(now_ms));
        request.send().await.map(drop).map_err(translate)
    }

    async fn acquire_drain(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<Drain, StoreError> {
        self.acquire_drain_lease(holder, now_ms, until_ms).await
    }

    async fn release_drain(&self, holder: &str) -> Result<(), StoreError> {
        self.release_lease(DRAIN, holder).await
    }
}
