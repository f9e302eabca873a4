//! Leases: rights that one holder at a time has, until a time. They stand in rows under `vendor#`, which the webhook has
//! no right to.

use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder, types::ReturnValuesOnConditionCheckFailure,
};

use super::{
    ROW_VERSION, Table,
    error::{condition_failed, row_in_the_way, translate},
    row::{get_number, number, text},
};
use crate::ports::session_store::{Drain, StoreError};

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
        match self.lease(pk, holder, now_ms, until_ms).send().await {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(translate(error)),
        }
    }

    /// Takes the drain lease if nobody else's is running; otherwise the refusal says how long that runs.
    pub(super) async fn acquire_drain_lease(
        &self,
        holder: &str,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<Drain, StoreError> {
        let request = self
            .lease(DRAIN, holder, now_ms, until_ms)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(_) => Ok(Drain::Ours),
            Err(error) => {
                let row = row_in_the_way(error)?.unwrap_or_default();
                // An end that cannot be read may never come: it counts as far off as ours would have been.
                Ok(Drain::Held { until_ms: get_number(&row, "held_until").unwrap_or(until_ms) })
            }
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

    fn lease(&self, pk: &str, holder: &str, now_ms: u64, until_ms: u64) -> UpdateItemFluentBuilder {
        self.update(pk)
            .update_expression("SET v = :v, holder = :holder, held_until = :until")
            .condition_expression("attribute_not_exists(held_until) OR held_until <= :now OR holder = :holder")
            .expression_attribute_values(":v", number(ROW_VERSION))
            .expression_attribute_values(":holder", text(holder))
            .expression_attribute_values(":until", number(until_ms))
            .expression_attribute_values(":now", number(now_ms))
    }
}
