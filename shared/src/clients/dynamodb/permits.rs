//! [`PermitStore`] over DynamoDB: a ledger is one row, and `rev` counts its writes.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use super::{
    PermitRows, ROW_VERSION,
    error::row_in_the_way,
    row::{Item, get_number, number},
};
use crate::{
    domain::permits::{Group, Ledger, PermitId},
    ports::{
        permit_store::{KeptLedger, PermitStore, Replaced},
        session_store::StoreError,
    },
};

/// Requests a window: a word that DynamoDB reserves in expressions.
const LIMIT: &str = "limit";

impl PermitRows {
    fn pk(&self, group: &Group) -> String {
        format!("vendor#permits#{}#{group}", self.client_id)
    }
}

impl PermitStore for PermitRows {
    async fn ledger(&self, group: &Group) -> Result<KeptLedger, StoreError> {
        kept(group, self.table.read(&self.pk(group)).await?)
    }

    async fn replace(&self, group: &Group, rev: u64, ledger: &Ledger) -> Result<Replaced, StoreError> {
        let set =
            "SET v = :v, heard = :heard, #limit = :limit, window_ms = :window, frozen_until = :frozen, uses = :uses";
        let request = self
            .table
            .update(self.pk(group))
            .update_expression(format!("{set} ADD rev :one"))
            .expression_attribute_names("#limit", LIMIT)
            .expression_attribute_values(":v", number(ROW_VERSION))
            .expression_attribute_values(":heard", AttributeValue::Bool(ledger.heard))
            .expression_attribute_values(":limit", number(ledger.limit.into()))
            .expression_attribute_values(":window", number(ledger.window_ms))
            .expression_attribute_values(":frozen", number(ledger.frozen_until_ms))
            .expression_attribute_values(":uses", encode_uses(&ledger.uses))
            .expression_attribute_values(":one", number(1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = if rev == 0 {
            request.condition_expression("attribute_not_exists(rev)")
        } else {
            request.condition_expression("rev = :rev").expression_attribute_values(":rev", number(rev))
        };
        match request.send().await {
            Ok(_) => Ok(Replaced::Done),
            Err(error) => kept(group, row_in_the_way(error)?).map(Replaced::Changed),
        }
    }
}

/// The ledger of a row, or what holds where there is none.
fn kept(group: &Group, row: Option<Item>) -> Result<KeptLedger, StoreError> {
    match row {
        None => Ok(KeptLedger { ledger: Ledger::of(group), rev: 0 }),
        Some(row) => Ok(KeptLedger {
            ledger: decode(&row)?,
            rev: get_number(&row, "rev").ok_or(StoreError::Corrupt("a ledger without rev"))?,
        }),
    }
}

fn decode(row: &Item) -> Result<Ledger, StoreError> {
    let limit = get_number(row, LIMIT).and_then(|limit| u32::try_from(limit).ok());
    let uses = row.get("uses").and_then(|uses| uses.as_m().ok()).ok_or(StoreError::Corrupt("a ledger without uses"))?;
    let answered_ms = |id: &String| get_number(uses, id).ok_or(StoreError::Corrupt("a permit without its time"));
    Ok(Ledger {
        heard: *row.get("heard").and_then(|heard| heard.as_bool().ok()).unwrap_or(&false),
        limit: limit.filter(|limit| *limit > 0).ok_or(StoreError::Corrupt("a ledger without limit"))?,
        window_ms: get_number(row, "window_ms")
            .filter(|window_ms| *window_ms > 0)
            .ok_or(StoreError::Corrupt("a ledger without window"))?,
        frozen_until_ms: get_number(row, "frozen_until").ok_or(StoreError::Corrupt("a ledger without frozen_until"))?,
        uses: uses.keys().map(|id| Ok((PermitId::from_row(id.clone()), answered_ms(id)?))).collect::<Result<_, _>>()?,
    })
}

fn encode_uses(uses: &BTreeMap<PermitId, u64>) -> AttributeValue {
    let uses = uses.iter().map(|(id, answered_ms)| (id.as_str().to_owned(), number(*answered_ms)));
    AttributeValue::M(uses.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clients::dynamodb::row::text, domain::permits::Share};

    fn row() -> Item {
        let uses = BTreeMap::from([
            (PermitId::new("run", 1, Share::WHOLE), 1_776_159_000_000),
            (PermitId::new("run", 2, Share::WHOLE), 0),
        ]);
        Item::from([
            ("heard".into(), AttributeValue::Bool(true)),
            ("limit".into(), number(40)),
            ("window_ms".into(), number(60_000)),
            ("frozen_until".into(), number(0)),
            ("uses".into(), encode_uses(&uses)),
            ("rev".into(), number(7)),
        ])
    }

    #[test]
    fn a_ledger_survives_a_round_trip() {
        let kept = kept(&Group::heavy(), Some(row())).unwrap();
        assert_eq!((kept.rev, kept.ledger.heard, kept.ledger.limit, kept.ledger.window_ms), (7, true, 40, 60_000));
        assert_eq!(encode_uses(&kept.ledger.uses), row()["uses"]);
    }

    #[test]
    fn a_spoiled_ledger_says_what_is_wrong() {
        let use_at = |at| AttributeValue::M(Item::from([("run/1".to_owned(), at)]));
        for (name, value, complaint) in [
            ("rev", text("7"), "a ledger without rev"),
            ("limit", number(0), "a ledger without limit"),
            ("limit", number(1 << 32), "a ledger without limit"),
            ("window_ms", number(0), "a ledger without window"),
            ("frozen_until", AttributeValue::N("-1".into()), "a ledger without frozen_until"),
            ("uses", AttributeValue::L(Vec::new()), "a ledger without uses"),
            ("uses", use_at(text("noon")), "a permit without its time"),
            ("uses", use_at(AttributeValue::N("1.5".into())), "a permit without its time"),
            ("uses", use_at(AttributeValue::M(Item::new())), "a permit without its time"),
        ] {
            let mut row = row();
            row.insert(name.into(), value);
            let read = kept(&Group::heavy(), Some(row));
            assert!(matches!(read, Err(StoreError::Corrupt(found)) if found == complaint), "{complaint}: {read:?}");
        }
    }
}
