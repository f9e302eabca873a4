//! [`SessionStore`] over DynamoDB.

use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};

use super::{
    Table,
    error::{condition_failed, translate},
    facts::FactsUpdate,
    row::{decode, encode_result, key_of, number, pk, result_name, text},
    schema,
};
use crate::{
    domain::{
        ids::RecordingId,
        notification::SessionFacts,
        session::{Learned, Next, RecordingResult, Schedule, SessionKey, SessionRow},
    },
    ports::session_store::{Finish, Finished, Recorded, SessionStore, StoreError},
};

impl Table {
    pub(super) fn update(&self, pk: impl Into<String>) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.name).key(schema::KEY, text(pk))
    }
}

impl SessionStore for Table {
    async fn record(&self, facts: &SessionFacts, schedule: &Schedule, now_ms: u64) -> Result<Recorded, StoreError> {
        let learned = Learned::of(facts, schedule, now_ms);
        if learned.is_silent() {
            // DynamoDB takes no empty condition.
            return Ok(Recorded::Known);
        }
        let update = FactsUpdate::of(&learned);
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

    async fn due(&self, now_ms: u64, limit: usize) -> Result<Vec<SessionKey>, StoreError> {
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(schema::DUE_INDEX)
            .key_condition_expression("#queue = :due AND #due_at <= :now")
            .expression_attribute_names("#queue", schema::QUEUE)
            .expression_attribute_names("#due_at", schema::DUE_AT)
            .expression_attribute_values(":due", text(schema::DUE))
            .expression_attribute_values(":now", number(now_ms))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(translate)?;
        let readable = |item| match key_of(item) {
            Ok(key) => Some(key),
            Err(error) => {
                tracing::error!(%error, "a due row is passed over");
                None
            }
        };
        Ok(page.items().iter().filter_map(readable).collect())
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

    async fn note(
        &self,
        key: &SessionKey,
        recording: &RecordingId,
        result: &RecordingResult,
    ) -> Result<SessionRow, StoreError> {
        let reply = self
            .update(pk(key))
            .update_expression("SET #result = :result ADD rev :one")
            .condition_expression("attribute_exists(#key)")
            .expression_attribute_names("#key", schema::KEY)
            .expression_attribute_names("#result", result_name(recording))
            .expression_attribute_values(":result", encode_result(result))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(translate)?;
        decode(&reply.attributes.unwrap_or_default())
    }

    async fn finish(&self, key: &SessionKey, rev: u64, finish: &Finish) -> Result<Finished, StoreError> {
        let mut set = vec!["attempts = :attempts".to_owned(), "#ttl = :ttl".to_owned()];
        let mut request = self
            .update(pk(key))
            .condition_expression("rev = :rev")
            .expression_attribute_names("#due_at", schema::DUE_AT)
            .expression_attribute_names("#ttl", schema::TTL)
            .expression_attribute_values(":ttl", number(finish.expires_s))
            .expression_attribute_values(":rev", number(rev))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":attempts", number(finish.attempts.into()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (n, (recording, result)) in finish.results.iter().enumerate() {
            set.push(format!("#r{n} = :r{n}"));
            request = request
                .expression_attribute_names(format!("#r{n}"), result_name(recording))
                .expression_attribute_values(format!(":r{n}"), encode_result(result));
        }
        let remove = match finish.next {
            Next::Settled => {
                request = request.expression_attribute_names("#queue", schema::QUEUE);
                " REMOVE #queue, #due_at"
            }
            Next::At(due_at_ms) => {
                set.push("#due_at = :due_at".to_owned());
                request = request.expression_attribute_values(":due_at", number(due_at_ms));
                ""
            }
        };
        let request = request.update_expression(format!("SET {}{remove} ADD rev :one", set.join(", ")));
        match request.send().await {
            Ok(_) => Ok(Finished::Done),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let row = failed.item().ok_or(StoreError::Corrupt("the row has vanished"))?;
                    Ok(Finished::Changed(Box::new(decode(row)?)))
                }
                Some(_) | None => Err(translate(error)),
            },
        }
    }

    async fn acquire_drain(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<bool, StoreError> {
        self.acquire_lease(super::leases::DRAIN, holder, now_ms, until_ms).await
    }

    async fn release_drain(&self, holder: &str) -> Result<(), StoreError> {
        self.release_lease(super::leases::DRAIN, holder).await
    }
}
