//! Rows as a person would write them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::{AttributeValue, Database, Item};
use serde_json::{Map, Number, Value};

use super::TableError;

/// Every row, sorted by its key.
pub(super) fn read(
    database: &Database,
    table: &str,
    partition_key: &str,
) -> Result<Vec<Map<String, Value>>, TableError> {
    let mut items = scan(database, table)?;
    items.sort_by_key(|item| match item.get(partition_key) {
        Some(AttributeValue::S(key)) => key.clone(),
        _ => String::new(),
    });
    Ok(items.into_iter().map(row).collect())
}

fn scan(database: &Database, table: &str) -> Result<Vec<Item>, TableError> {
    let mut items = Vec::new();
    let mut next = None;
    loop {
        let request = ScanRequest { table_name: table.to_owned(), exclusive_start_key: next, ..ScanRequest::default() };
        let page = database.scan(request).map_err(|source| TableError::Refused {
            action: "read",
            table: table.to_owned(),
            source,
        })?;
        items.extend(page.items.unwrap_or_default());
        next = page.last_evaluated_key;
        if next.is_none() {
            return Ok(items);
        }
    }
}

fn row(item: Item) -> Map<String, Value> {
    item.into_iter().map(|(name, value)| (name, plain(value))).collect()
}

fn plain(value: AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::N(digits) => number(&digits),
        AttributeValue::B(bytes) => Value::String(STANDARD.encode(bytes)),
        AttributeValue::BOOL(flag) => Value::Bool(flag),
        AttributeValue::NULL(_) => Value::Null,
        AttributeValue::SS(mut texts) => {
            texts.sort();
            texts.into_iter().map(Value::String).collect()
        }
        AttributeValue::NS(digits) => {
            let mut numbers: Vec<Value> = digits.iter().map(|digits| number(digits)).collect();
            numbers.sort_by(|one, other| one.as_f64().unwrap_or(0.0).total_cmp(&other.as_f64().unwrap_or(0.0)));
            Value::Array(numbers)
        }
        AttributeValue::BS(all) => {
            let mut encoded: Vec<String> = all.iter().map(|bytes| STANDARD.encode(bytes)).collect();
            encoded.sort();
            encoded.into_iter().map(Value::String).collect()
        }
        AttributeValue::L(values) => values.into_iter().map(plain).collect(),
        AttributeValue::M(fields) => Value::Object(row(fields)),
    }
}

/// The digits as a JSON number; as text where JSON would lose some of DynamoDB's 38.
fn number(digits: &str) -> Value {
    let whole = digits.parse().map(|whole: i64| Number::from(whole)).ok();
    let fraction = || digits.parse().ok().and_then(Number::from_f64).filter(|_| digits.len() <= 15);
    whole.or_else(fraction).map_or_else(|| Value::String(digits.to_owned()), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attributes_become_plain_json() {
        let cases = [
            (AttributeValue::N("1700000000000".to_owned()), json!(1_700_000_000_000_i64)),
            (AttributeValue::N("0.5".to_owned()), json!(0.5)),
            (
                AttributeValue::N("12345678901234567890123456789012345678".to_owned()),
                json!("12345678901234567890123456789012345678"),
            ),
            (AttributeValue::SS(vec!["b".to_owned(), "a".to_owned()]), json!(["a", "b"])),
            (AttributeValue::NS(vec!["10".to_owned(), "9".to_owned()]), json!([9, 10])),
            (AttributeValue::B(vec![0, 255]), json!("AP8=")),
            (AttributeValue::L(vec![AttributeValue::NULL(true), AttributeValue::BOOL(true)]), json!([null, true])),
        ];
        for (attribute, expected) in cases {
            assert_eq!(plain(attribute.clone()), expected, "{attribute:?}");
        }
    }
}
