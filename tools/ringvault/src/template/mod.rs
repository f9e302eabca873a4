//! The stack's template, as the local stack and the house's tests read it.

mod resolve;
mod roles;

use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;

pub use self::resolve::{Parameters, Resolver};
pub use self::roles::{FunctionRole, roles};

/// The text of `template.yaml`.
pub const TEXT: &str = include_str!("../../../../template.yaml");

/// Why a template says nothing to us.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It is no YAML.
    #[error("cannot read the template: {0}")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// A key is no text.
    #[error("cannot read the template: {0} is no name")]
    Name(String),
    /// It calls a function that is not known here, or not in that form.
    #[error("cannot resolve {0} of the template; teach it to tools/ringvault/src/template/resolve.rs")]
    Unresolved(String),
    /// A function or role lacks something.
    #[error("{resource} of the template has no {what}")]
    Missing {
        /// The function or role.
        resource: String,
        /// What it should have.
        what: &'static str,
    },
    /// A policy.
    #[error("{role} of the template: {source}")]
    Policy {
        /// The role.
        role: String,
        /// What is wrong.
        source: local_cloud::iam::PolicyError,
    },
}

/// Reads a template. Its short tags are written out: `!Ref x` is `{"Ref": "x"}`, `!Sub x` is `{"Fn::Sub": "x"}`.
///
/// # Errors
/// The text is no YAML, or a key of it is no text.
pub fn read(text: &str) -> Result<Value, TemplateError> {
    plain(serde_yaml_ng::from_str(text)?)
}

fn plain(value: Yaml) -> Result<Value, TemplateError> {
    Ok(match value {
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = match tag.trim_start_matches('!') {
                plain @ ("Ref" | "Condition") => plain.to_owned(),
                other => format!("Fn::{other}"),
            };
            json!({ name: plain(tagged.value)? })
        }
        Yaml::Sequence(items) => items.into_iter().map(plain).collect::<Result<_, _>>()?,
        Yaml::Mapping(pairs) => {
            let pairs = pairs.into_iter().map(|(key, value)| Ok((name_of(&key)?, plain(value)?)));
            Value::Object(pairs.collect::<Result<_, TemplateError>>()?)
        }
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => json!(flag),
        Yaml::String(text) => Value::String(text),
        number @ Yaml::Number(_) => serde_yaml_ng::from_value(number)?,
    })
}

fn name_of(key: &Yaml) -> Result<String, TemplateError> {
    key.as_str().map(str::to_owned).ok_or_else(|| TemplateError::Name(format!("{key:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_out() {
        let template = read("{a: !Ref T, b: [!GetAtt T.Arn, !Sub '${T}/x', !If [C, 1, !Ref AWS::NoValue]]}").unwrap();
        let no_value = json!({ "Ref": "AWS::NoValue" });
        let list = json!([{ "Fn::GetAtt": "T.Arn" }, { "Fn::Sub": "${T}/x" }, { "Fn::If": ["C", 1, no_value] }]);
        assert_eq!(template, json!({ "a": { "Ref": "T" }, "b": list }));
        assert!(read("1: x").is_err() && read("{").is_err());
    }
}
