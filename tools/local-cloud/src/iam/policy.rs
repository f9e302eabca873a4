//! A policy's statements, read from their JSON. What is not understood is an error: a condition that went unread would
//! grant more than it says.

use serde_json::Value;

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its own name.
    pub sid: String,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// The actions it is about; `*` and `?` stand for others.
    pub actions: Vec<String>,
    /// The ARNs it is about; `*` and `?` stand for others.
    pub resources: Vec<String>,
    /// What must hold besides, all of it.
    pub conditions: Vec<Condition>,
}

/// What a statement does to a call it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It may be made.
    Allow,
    /// It may not, whatever allows it.
    Deny,
}

/// What else must hold of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Each partition key the call names is like one of these, with `*` and `?` (`ForAllValues:StringLike` of
    /// `dynamodb:LeadingKeys`).
    LeadingKeys(Vec<String>),
    /// The key is used through one of these services (`StringEquals` of `kms:ViaService`); no call here is.
    ViaService(Vec<String>),
}

/// What is wrong with a statement.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It has no name to speak of it by.
    #[error("a statement has no Sid: give it one that tells it from the others: {0}")]
    Unnamed(Value),
    /// Something that is not read here.
    #[error("statement {sid}: {what} is not understood; teach it to local-cloud's iam/policy.rs")]
    Unknown {
        /// The statement.
        sid: String,
        /// What it says.
        what: String,
    },
}

/// Reads the `Statement` of a policy document: one, or an array.
///
/// # Errors
/// The first statement that is not understood to its end.
pub fn statements(value: &Value) -> Result<Vec<Statement>, PolicyError> {
    match value {
        Value::Array(all) => all.iter().map(statement).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Ok(vec![statement(value)?])
        }
    }
}

fn statement(value: &Value) -> Result<Statement, PolicyError> {
    let fields = value.as_object().ok_or_else(|| PolicyError::Unnamed(value.clone()))?;
    let sid = value["Sid"].as_str().ok_or_else(|| PolicyError::Unnamed(value.clone()))?;
    let unknown = |what: String| PolicyError::Unknown { sid: sid.to_owned(), what };
    let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
    if let Some(name) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(unknown(name.clone()));
    }
    let texts = |name: &str| texts(&value[name]).ok_or_else(|| unknown(format!("{name} {}", value[name])));
    Ok(Statement {
        sid: sid.to_owned(),
        effect: match value["Effect"].as_str() {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            Some(_) | None => return Err(unknown(format!("Effect {}", value["Effect"]))),
        },
        actions: texts("Action")?,
        resources: texts("Resource")?,
        conditions: match fields.get("Condition") {
            Some(condition) => conditions(condition).ok_or_else(|| unknown(format!("Condition {condition}")))?,
            None => Vec::new(),
        },
    })
}

fn conditions(value: &Value) -> Option<Vec<Condition>> {
    let one = |(operator, keys): (&String, &Value)| {
        let (key, values) = keys.as_object().filter(|keys| keys.len() == 1)?.iter().next()?;
        match (operator.as_str(), key.as_str()) {
            ("ForAllValues:StringLike", "dynamodb:LeadingKeys") => Some(Condition::LeadingKeys(texts(values)?)),
            ("StringEquals", "kms:ViaService") => Some(Condition::ViaService(texts(values)?)),
            _ => None,
        }
    };
    value.as_object()?.iter().map(one).collect()
}

/// One text, or an array of them.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(all) => all.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_statement_is_read_to_its_end_or_not_at_all() {
        let sound = json!({ "Sid": "S", "Effect": "Allow", "Action": "a:B", "Resource": ["x", "y"] });
        let read = statements(&sound).unwrap();
        assert_eq!((read[0].actions.clone(), read[0].resources.len()), (vec!["a:B".to_owned()], 2));
        let like = |operator: &str, key: &str| json!({ operator: { key: ["session#*"] } });
        assert!(
            statements(&with(&sound, "Condition", like("ForAllValues:StringLike", "dynamodb:LeadingKeys"))).is_ok()
        );
        for (name, value) in [
            ("Sid", json!(null)),
            ("Effect", json!("Maybe")),
            ("Action", json!(null)),
            ("Action", json!([{ "Ref": "Action" }])),
            ("Resource", json!({ "Fn::GetAtt": "Table.Arn" })),
            ("NotAction", json!("a:C")),
            ("Principal", json!("*")),
            ("Condition", json!(null)),
            ("Condition", like("StringLike", "dynamodb:LeadingKeys")),
            ("Condition", like("StringEquals", "aws:SourceVpc")),
            ("Condition", like("ForAllValues:StringLike", "dynamodb:Attributes")),
        ] {
            assert!(statements(&json!([with(&sound, name, value.clone())])).is_err(), "{name} {value}");
        }
    }

    fn with(statement: &Value, name: &str, value: Value) -> Value {
        let mut changed = statement.clone();
        changed[name] = value;
        changed
    }
}
