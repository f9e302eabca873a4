//! What a policy says to a call.

use super::pattern::matches;
use super::policy::{Condition, Effect, Statement};

/// What somebody asks of AWS, as a policy sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Such as `dynamodb:GetItem`.
    pub action: String,
    /// The ARN of what it is done to.
    pub resource: String,
    /// The partition keys it names, where it names any: what `dynamodb:LeadingKeys` is held against.
    pub leading_keys: Vec<String>,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be made.
    Allowed {
        /// The statement that says so; the first of them.
        by: String,
    },
    /// It may not, whatever allows it.
    Denied {
        /// The statement that says so.
        by: String,
    },
    /// Nothing says that it may be made.
    NotGranted,
}

/// Decides a call by all the statements of its caller: one that denies wins, and one must allow.
pub fn decide(statements: &[Statement], call: &Call) -> Verdict {
    let by = |effect| statements.iter().find(|it| it.effect == effect && it.applies(call)).map(|it| it.sid.clone());
    match (by(Effect::Deny), by(Effect::Allow)) {
        (Some(by), _) => Verdict::Denied { by },
        (None, Some(by)) => Verdict::Allowed { by },
        (None, None) => Verdict::NotGranted,
    }
}

impl Statement {
    fn applies(&self, call: &Call) -> bool {
        any_like(&self.actions, &call.action)
            && any_like(&self.resources, &call.resource)
            && self.conditions.iter().all(|condition| condition.holds(call))
    }
}

impl Condition {
    fn holds(&self, call: &Call) -> bool {
        match self {
            // As at AWS, a call that names no key passes.
            Self::LeadingKeys(patterns) => call.leading_keys.iter().all(|key| any_like(patterns, key)),
            Self::ViaService(_) => false,
        }
    }
}

fn any_like(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::iam::statements;

    fn call(action: &str, resource: &str, keys: &[&str]) -> Call {
        Call {
            action: action.to_owned(),
            resource: resource.to_owned(),
            leading_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        }
    }

    #[test]
    fn only_what_is_granted_may_be_done() {
        let policy = statements(&json!([
            {
                "Sid": "Rows", "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Update*"], "Resource": "arn:t",
                "Condition": { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["session#*", "signal#*"] } },
            },
            { "Sid": "Objects", "Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:b/a/*", "arn:b/c/*"] },
            { "Sid": "Never", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:b/a/secret" },
        ]));
        let policy = policy.unwrap();
        let allowed = |by: &str| Verdict::Allowed { by: by.to_owned() };
        for (call, expected) in [
            (call("dynamodb:GetItem", "arn:t", &["session#1"]), allowed("Rows")),
            (call("dynamodb:UpdateItem", "arn:t", &["signal#x", "session#1"]), allowed("Rows")),
            (call("dynamodb:GetItem", "arn:t", &["session#1", "vendor#x"]), Verdict::NotGranted),
            (call("dynamodb:GetItem", "arn:t", &[]), allowed("Rows")),
            (call("dynamodb:GetItem", "arn:t/index/due", &["session#1"]), Verdict::NotGranted),
            (call("dynamodb:Query", "arn:t", &["session#1"]), Verdict::NotGranted),
            (call("s3:GetObject", "arn:b/c/1", &[]), allowed("Objects")),
            (call("s3:GetObject", "arn:b", &[]), Verdict::NotGranted),
            (call("s3:GetObject", "arn:b/a/secret", &[]), Verdict::Denied { by: "Never".to_owned() }),
        ] {
            assert_eq!(decide(&policy, &call), expected, "{call:?}");
        }
    }
}
