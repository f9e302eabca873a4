//! [`CursorStore`] over DynamoDB: a job is one row, and `rev` counts its writes.

use super::{
    ROW_VERSION, Table,
    error::{condition_failed, translate},
    row::{get_number, get_text, number, text},
};
use crate::ports::{
    cursor_store::{Cursor, CursorStore, Job},
    session_store::StoreError,
};

/// A word that DynamoDB reserves in expressions.
const STATE: &str = "state";

fn pk(job: &Job) -> String {
    format!("vendor#cursor#{}", job.as_str())
}

impl CursorStore for Table {
    async fn cursor(&self, job: &Job) -> Result<Cursor, StoreError> {
        let Some(row) = self.read(&pk(job)).await? else { return Ok(Cursor::default()) };
        let state = get_text(&row, STATE).ok_or(StoreError::Corrupt("a cursor without state"))?;
        let rev = get_number(&row, "rev").ok_or(StoreError::Corrupt("a cursor without rev"))?;
        Ok(Cursor { rev, state: Some(state.to_owned()) })
    }

    async fn advance(&self, job: &Job, rev: u64, state: &str) -> Result<bool, StoreError> {
        let request = self
            .update(pk(job))
            .update_expression("SET v = :v, #state = :state ADD rev :one")
            .expression_attribute_names("#state", STATE)
            .expression_attribute_values(":v", number(ROW_VERSION))
            .expression_attribute_values(":state", text(state))
            .expression_attribute_values(":one", number(1));
        let request = if rev == 0 {
            request.condition_expression("attribute_not_exists(rev)")
        } else {
            request.condition_expression("rev = :rev").expression_attribute_values(":rev", number(rev))
        };
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(translate(error)),
        }
    }
}
