//! What references come to in the local stack.

use std::collections::BTreeMap;

use local_cloud::{ACCOUNT_ID, REGION, arn};
use serde_json::{Map, Value};

use super::TemplateError;
use crate::stack::{BUCKET, RINGCENTRAL_SECRET, TABLE, VERIFICATION_SECRET};

/// Parameters that differ from their defaults, by name.
pub type Parameters = BTreeMap<String, String>;

const STACK_NAME: &str = "ringvault-local";

/// A template with what its parameters are.
pub struct Resolver<'a> {
    template: &'a Value,
    parameters: &'a Parameters,
}

impl<'a> Resolver<'a> {
    /// Resolves what stands in `template`.
    pub fn new(template: &'a Value, parameters: &'a Parameters) -> Self {
        Self { template, parameters }
    }

    /// `value` without references; nothing if it comes to `AWS::NoValue`.
    ///
    /// # Errors
    /// What is not known here, or has no local counterpart.
    pub fn resolve(&self, value: &Value) -> Result<Option<Value>, TemplateError> {
        Ok(Some(match value {
            Value::Object(map) => match function(map) {
                Some((name, argument)) => return self.call(name, argument),
                None => Value::Object(self.fields(map)?),
            },
            Value::Array(items) => Value::Array(self.items(items)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }))
    }

    fn fields(&self, map: &Map<String, Value>) -> Result<Map<String, Value>, TemplateError> {
        let field = |(name, value): (&String, &Value)| Ok(self.resolve(value)?.map(|value| (name.clone(), value)));
        map.iter().filter_map(|it| field(it).transpose()).collect()
    }

    fn items(&self, items: &[Value]) -> Result<Vec<Value>, TemplateError> {
        items.iter().filter_map(|item| self.resolve(item).transpose()).collect()
    }

    fn call(&self, name: &str, argument: &Value) -> Result<Option<Value>, TemplateError> {
        match (name, argument) {
            ("Ref", Value::String(named)) if named == "AWS::NoValue" => Ok(None),
            ("Ref", Value::String(named)) => Ok(Some(self.named(named)?.into())),
            ("Fn::GetAtt", Value::String(attribute)) => Ok(Some(self.named(attribute)?.into())),
            ("Fn::Sub", Value::String(text)) => Ok(Some(self.substitute(text)?.into())),
            ("Fn::If", Value::Array(arms)) => match arms.as_slice() {
                [Value::String(condition), yes, no] => self.resolve(if self.condition(condition)? { yes } else { no }),
                _ => Err(unresolved(name, argument)),
            },
            _ => Err(unresolved(name, argument)),
        }
    }

    /// What `${…}` names, put in its place.
    fn substitute(&self, text: &str) -> Result<String, TemplateError> {
        let mut parts = text.split("${");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').ok_or_else(|| TemplateError::Unresolved(text.to_owned()))?;
            whole.push_str(&self.named(name)?);
            whole.push_str(rest);
        }
        Ok(whole)
    }

    /// A parameter, a resource, its attribute (`Table.Arn`), or what CloudFormation itself knows.
    fn named(&self, name: &str) -> Result<String, TemplateError> {
        let given = self.parameters.get(name).cloned();
        let default = || match &self.template["Parameters"][name]["Default"] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let found = given.or_else(default).or_else(|| local(name));
        found.ok_or_else(|| TemplateError::Unresolved(name.to_owned()))
    }

    fn condition(&self, name: &str) -> Result<bool, TemplateError> {
        self.holds(&self.template["Conditions"][name])
    }

    fn holds(&self, condition: &Value) -> Result<bool, TemplateError> {
        let called = condition.as_object().and_then(function);
        match called {
            Some(("Fn::Equals", Value::Array(pair))) => match pair.as_slice() {
                [one, other] => Ok(self.text(one)? == self.text(other)?),
                _ => Err(unresolved("Fn::Equals", condition)),
            },
            Some(("Fn::Not", Value::Array(negated))) => match negated.as_slice() {
                [negated] => Ok(!self.holds(negated)?),
                _ => Err(unresolved("Fn::Not", condition)),
            },
            Some((name, argument)) => Err(unresolved(name, argument)),
            None => Err(TemplateError::Unresolved(format!("the condition {condition}"))),
        }
    }

    /// A value as CloudFormation compares it: all parameters are texts.
    fn text(&self, value: &Value) -> Result<String, TemplateError> {
        match self.resolve(value)? {
            Some(Value::String(text)) => Ok(text),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(Value::Bool(flag)) => Ok(flag.to_string()),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => Err(unresolved("a text", value)),
        }
    }
}

/// A call of a function, `{"Fn::…": argument}`.
fn function(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = map.iter().next().filter(|_| map.len() == 1)?;
    let called = name == "Ref" || name == "Condition" || name.starts_with("Fn::");
    called.then_some((name.as_str(), argument))
}

fn unresolved(name: &str, argument: &Value) -> TemplateError {
    TemplateError::Unresolved(format!("{name} {argument}"))
}

/// What the local stack has in the place of a resource or an attribute of it.
fn local(name: &str) -> Option<String> {
    let logs = |function: &str| format!("arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:{function}:*");
    Some(match name {
        "AWS::AccountId" => ACCOUNT_ID.to_owned(),
        "AWS::Partition" => "aws".to_owned(),
        "AWS::Region" => REGION.to_owned(),
        "AWS::StackName" => STACK_NAME.to_owned(),
        "AWS::URLSuffix" => "amazonaws.com".to_owned(),
        "Table" => TABLE.to_owned(),
        "Table.Arn" => arn::table(TABLE),
        "Table.StreamArn" => format!("{}/stream/local", arn::table(TABLE)),
        "Bucket" => BUCKET.to_owned(),
        "Bucket.Arn" => arn::bucket(BUCKET),
        "VerificationSecret" => arn::secret(VERIFICATION_SECRET),
        "RingCentralSecret" => arn::secret(RINGCENTRAL_SECRET),
        "WebhookLogs.Arn" => logs("webhook"),
        "ArchiverLogs.Arn" => logs("archiver"),
        "ReconcilerLogs.Arn" => logs("reconciler"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template() -> Value {
        json!({
            "Parameters": { "Key": { "Default": "" }, "Days": { "Default": 0 }, "Secret": {} },
            "Conditions": {
                "HasKey": { "Fn::Not": [{ "Fn::Equals": [{ "Ref": "Key" }, ""] }] },
                "HasDays": { "Fn::Not": [{ "Fn::Equals": [{ "Ref": "Days" }, 0] }] },
                "Odd": { "Fn::Or": [] },
            },
        })
    }

    #[test]
    fn references_come_to_what_is_here() {
        let template = template();
        let key = Parameters::from([("Key".to_owned(), "k".to_owned())]);
        let none = Parameters::new();
        let choice = |name: &str| json!([{ "Fn::If": [name, { "Ref": "Key" }, { "Ref": "AWS::NoValue" }] }, "x"]);
        for (parameters, value, expected) in [
            (&none, json!({ "a": { "Fn::GetAtt": "Bucket.Arn" } }), json!({ "a": "arn:aws:s3:::ringvault-archive" })),
            (&none, json!({ "Fn::Sub": "${Bucket.Arn}/*" }), json!("arn:aws:s3:::ringvault-archive/*")),
            (&none, json!({ "Fn::Sub": "s3.${AWS::Region}.x" }), json!("s3.us-east-1.x")),
            (&none, choice("HasKey"), json!(["x"])),
            (&key, choice("HasKey"), json!(["k", "x"])),
            (&key, choice("HasDays"), json!(["x"])),
            (&none, json!({ "Ref": "Days", "b": 1 }), json!({ "Ref": "Days", "b": 1 })),
        ] {
            assert_eq!(Resolver::new(&template, parameters).resolve(&value).unwrap(), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_is_not_known_is_an_error_that_names_it() {
        let (template, parameters) = (template(), Parameters::new());
        for value in [
            json!({ "Fn::ImportValue": "x" }),
            json!({ "Fn::GetAtt": "Table.Colour" }),
            json!({ "Fn::If": ["Odd", 1, 2] }),
            json!({ "Fn::If": ["Gone", 1, 2] }),
            json!({ "Fn::Sub": "${Secret}" }),
            json!({ "Fn::Sub": "${Table" }),
        ] {
            let error = Resolver::new(&template, &parameters).resolve(&value).unwrap_err().to_string();
            assert!(error.contains("teach it to"), "{value}: {error}");
        }
    }
}
