//! IAM: who calls, and what the caller's role allows. Every call of a role is written down.

mod decide;
mod grants;
mod pattern;
mod policy;

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::http::{HeaderMap, header};

pub use self::decide::{Call, Verdict, decide};
pub use self::grants::Grant;
pub use self::policy::{Condition, Effect, PolicyError, Statement, statements};
use crate::sync::lock;
use crate::{ACCESS_KEY_ID, ACCOUNT_ID};

/// What a function is when it calls AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// All of its policies.
    pub statements: Vec<Statement>,
}

/// A call of a role, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The role's name.
    pub role: String,
    /// What it asked for.
    pub call: Call,
    /// Whether it may.
    pub verdict: Verdict,
}

/// The roles there are, by access key, beside an administrator who may do everything.
#[derive(Debug, Default)]
pub struct Iam {
    roles: Mutex<BTreeMap<String, Role>>,
    calls: Mutex<Vec<Recorded>>,
}

/// What is said to whoever signs with nobody's key.
pub(crate) const UNKNOWN_KEY: &str = "The security token included in the request is invalid.";

/// Why a request is not carried out.
pub(crate) enum Denial {
    /// It is signed with nobody's key, or not at all.
    UnknownKey,
    /// Its role is not allowed that; AWS's words.
    Refused(String),
}

impl Iam {
    /// Makes a role known; the access key id to call with. Its secret is [`SECRET_ACCESS_KEY`](crate::SECRET_ACCESS_KEY).
    pub fn add(&self, role: Role) -> String {
        let mut roles = lock(&self.roles);
        let access_key_id = format!("ASIALOCALCLOUD{:06}", roles.len());
        roles.insert(access_key_id.clone(), role);
        access_key_id
    }

    /// The access key id of the role of that name, if it is known.
    pub fn access_key_id(&self, role: &str) -> Option<String> {
        lock(&self.roles).iter().find(|(_, known)| known.name == role).map(|(key, _)| key.clone())
    }

    /// Every call of a role so far, in order.
    pub fn calls(&self) -> Vec<Recorded> {
        lock(&self.calls).clone()
    }

    /// Whether a key is the administrator's or a role's.
    pub(crate) fn knows(&self, access_key_id: &str) -> bool {
        access_key_id == ACCESS_KEY_ID || lock(&self.roles).contains_key(access_key_id)
    }

    /// Decides the calls that a request amounts to, and writes down those of roles. The first refusal counts.
    pub(crate) fn authorize(&self, access_key_id: Option<&str>, calls: Vec<Call>) -> Result<(), Denial> {
        let access_key_id = access_key_id.ok_or(Denial::UnknownKey)?;
        if access_key_id == ACCESS_KEY_ID {
            return Ok(());
        }
        let roles = lock(&self.roles);
        let role = roles.get(access_key_id).ok_or(Denial::UnknownKey)?;
        calls.into_iter().try_for_each(|call| self.allow(role, call))
    }

    fn allow(&self, role: &Role, call: Call) -> Result<(), Denial> {
        let verdict = decide(&role.statements, &call);
        let outcome = match &verdict {
            Verdict::Allowed { .. } => Ok(()),
            Verdict::Denied { .. } => Err(refused(role, &call, "with an explicit deny in an identity-based policy")),
            Verdict::NotGranted => {
                let why = format!("because no identity-based policy allows the {} action", call.action);
                Err(refused(role, &call, &why))
            }
        };
        lock(&self.calls).push(Recorded { role: role.name.clone(), call, verdict });
        outcome
    }
}

fn refused(Role { name, .. }: &Role, Call { action, resource, .. }: &Call, why: &str) -> Denial {
    let user = format!("arn:aws:sts::{ACCOUNT_ID}:assumed-role/{name}/local");
    Denial::Refused(format!("User: {user} is not authorized to perform: {action} on resource: {resource} {why}"))
}

/// The access key id a request was signed with, if it was.
pub(crate) fn access_key_id(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    authorization.split_once("Credential=")?.1.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_is_found_by_the_key_a_request_was_signed_with() {
        let iam = Iam::default();
        let key = iam.add(Role { name: "ReaderRole".to_owned(), statements: Vec::new() });
        let signed = format!("AWS4-HMAC-SHA256 Credential={key}/20260131/us-east-1/dynamodb/aws4_request, Signature=0");
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, signed.parse().unwrap())]);
        assert_eq!(access_key_id(&headers), Some(key.as_str()));
        assert_eq!(access_key_id(&HeaderMap::new()), None);
        let call = Call { action: "s3:GetObject".to_owned(), resource: "arn:o".to_owned(), leading_keys: Vec::new() };
        let ask = |key| iam.authorize(key, vec![call.clone()]);
        assert!(matches!(ask(Some(&key)), Err(Denial::Refused(words)) if words.contains("assumed-role/ReaderRole/")));
        assert!(
            matches!(ask(Some("AKIAOTHER")), Err(Denial::UnknownKey)) && matches!(ask(None), Err(Denial::UnknownKey))
        );
        assert!(ask(Some(ACCESS_KEY_ID)).is_ok());
        let recorded = Recorded { role: "ReaderRole".to_owned(), call: call.clone(), verdict: Verdict::NotGranted };
        assert_eq!(iam.calls(), [recorded]);
    }
}
