//! The single rights a statement is made of.

use super::decide::Call;
use super::pattern::matches;
use super::policy::{Condition, Statement};

/// One action on one resource, of a statement; on rows under one pattern of keys, where it names such.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The statement's name.
    pub sid: String,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// The pattern of keys.
    pub keys: Option<String>,
}

impl Statement {
    /// All it is about, each by itself.
    pub fn grants(&self) -> Vec<Grant> {
        let patterns = self.conditions.iter().find_map(|condition| match condition {
            Condition::LeadingKeys(patterns) => Some(patterns),
            Condition::ViaService(_) => None,
        });
        let keys = patterns.map_or_else(|| vec![None], |patterns| patterns.iter().cloned().map(Some).collect());
        let mut grants = Vec::new();
        for action in &self.actions {
            for resource in &self.resources {
                grants.extend(keys.iter().map(|keys| Grant {
                    sid: self.sid.clone(),
                    action: action.clone(),
                    resource: resource.clone(),
                    keys: keys.clone(),
                }));
            }
        }
        grants
    }
}

impl Grant {
    /// Whether a call makes use of it.
    pub fn serves(&self, call: &Call) -> bool {
        let keys = |pattern: &String| call.leading_keys.iter().any(|key| matches(pattern, key));
        matches(&self.action, &call.action)
            && matches(&self.resource, &call.resource)
            && self.keys.as_ref().is_none_or(keys)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::iam::statements;

    #[test]
    fn a_statement_is_taken_apart_and_each_piece_finds_its_calls() {
        let policy = statements(&json!({
            "Sid": "Rows", "Effect": "Allow", "Action": ["a:Get", "a:Put"], "Resource": "arn:t",
            "Condition": { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["session#*", "signal#*"] } },
        }));
        let grants = policy.unwrap()[0].grants();
        let call = |key: &str| Call {
            action: "a:Get".to_owned(),
            resource: "arn:t".to_owned(),
            leading_keys: vec![key.to_owned()],
        };
        let serving = |key: &str| grants.iter().filter(|grant| grant.serves(&call(key))).count();
        assert_eq!((grants.len(), serving("session#1"), serving("vendor#1")), (4, 1, 0));
    }
}
