//! What no role may be given, whatever is used. That all of it is used, and what each function needs, is held where the
//! functions run (tests/end_to_end/grants.rs).

use std::collections::BTreeSet;

use local_cloud::iam::{Condition, Effect, Role, Statement};
use ringvault::template::{FunctionRole, Parameters, Resolver, roles};
use serde_json::{Value, json};
use tests::all_options;

use super::{Function, Template};

const ROLE: &str = "AWS::IAM::Role";
const WEBHOOK: &str = "webhook";

fn complaints(template: &Template) -> Vec<String> {
    let of_template = [from_elsewhere(template), shared_roles(template)].concat();
    match roles(&template.0, &all_options()) {
        Ok(roles) => [of_template, roles.iter().flat_map(|it| of_role(template, it)).collect()].concat(),
        Err(error) => [of_template, vec![error.to_string()]].concat(),
    }
}

/// Whatever gives rights past the policies written out in the functions' own roles.
fn from_elsewhere(template: &Template) -> Vec<String> {
    let gives = |kind: &str| kind.starts_with("AWS::IAM::") && kind != ROLE || kind == "AWS::Serverless::Connector";
    let resources = template.0["Resources"].as_object().unwrap().iter();
    let found = resources.filter(|(_, it)| it["Type"].as_str().is_some_and(gives));
    let found = found.map(|(name, _)| format!("{name} gives rights past the functions' policies"));
    let functions = template.functions().into_iter().filter(|it| it.properties.get("Policies").is_some());
    let functions = functions.map(|it| format!("{} has policies beside its role", it.binary));
    let known = ["Description", "AssumeRolePolicyDocument", "Policies"];
    let roles = template.resources(ROLE).into_iter().flat_map(|(name, it)| {
        let more = it["Properties"].as_object().unwrap().keys().filter(|property| !known.contains(&property.as_str()));
        more.map(move |property| format!("{name} has {property}"))
    });
    found.chain(functions).chain(roles).collect()
}

/// One role a function, for Lambda alone.
fn shared_roles(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    for (name, role) in template.resources(ROLE) {
        let own = json!({ "Fn::GetAtt": format!("{name}.Arn") });
        let users = template.functions().into_iter().filter(|it| it.properties["Role"] == own).count();
        if users != 1 {
            found.push(format!("{name} is the role of {users} functions"));
        }
        let trusted = json!([{
            "Effect": "Allow",
            "Principal": { "Service": "lambda.amazonaws.com" },
            "Action": "sts:AssumeRole",
        }]);
        if role["Properties"]["AssumeRolePolicyDocument"]["Statement"] != trusted {
            found.push(format!("{name} is not Lambda's alone"));
        }
    }
    found
}

fn of_role(template: &Template, FunctionRole { binary, role }: &FunctionRole) -> Vec<String> {
    let mut found: Vec<String> = role.statements.iter().flat_map(|statement| of_statement(role, statement)).collect();
    let sids: BTreeSet<&str> = role.statements.iter().map(|statement| statement.sid.as_str()).collect();
    if sids.len() != role.statements.len() {
        found.push(format!("{}: two statements have one Sid", role.name));
    }
    if written(&template.0["Resources"][&role.name]) != role.statements.len() {
        found.push(format!("{}: there are statements that no option of these tests brings about", role.name));
    }
    let function = template.functions().into_iter().find(|function| function.binary == *binary).unwrap();
    if readable(role) != told(template, &function) {
        found.push(format!("{binary} may not read exactly the secrets it is told of"));
    }
    if binary == WEBHOOK {
        found.extend(role.statements.iter().filter_map(of_webhook));
    }
    found
}

fn of_statement(role: &Role, statement: &Statement) -> Vec<String> {
    let complain = |what: String| format!("{} {}: {what}", role.name, statement.sid);
    let mut found = Vec::new();
    if statement.effect != Effect::Allow {
        found.push(complain("it does not plainly allow".to_owned()));
    }
    for action in &statement.actions {
        if action.contains(['*', '?']) {
            found.push(complain(format!("{action} is many actions")));
        }
        if action.contains("Delete") {
            found.push(complain(format!("{action} is nobody's right")));
        }
    }
    for resource in statement.resources.iter().filter(|resource| !is_one_thing(resource)) {
        found.push(complain(format!("{resource} is more than one thing")));
    }
    let of_rows = statement.actions.iter().any(|action| action.starts_with("dynamodb:") && action.ends_with("Item"));
    let patterns = statement.conditions.iter().find_map(patterns);
    if of_rows && patterns.is_none() {
        found.push(complain("it does not say which rows".to_owned()));
    }
    for pattern in patterns.into_iter().flatten().filter(|pattern| !is_narrow(pattern)) {
        found.push(complain(format!("{pattern} is more than one kind of rows")));
    }
    found
}

/// An ARN in which a star stands for what is below something named and nowhere else: below a folder of the bucket, not
/// below the bucket. Whose it is, and whether it is the right one, is held where the functions run.
fn is_one_thing(resource: &str) -> bool {
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    let ["arn", "aws", _, _, _, named] = parts.as_slice() else { return false };
    let above = match named.strip_suffix('*') {
        None => Some(*named),
        // A log group's streams follow its name after a colon.
        Some(above) => above.strip_suffix('/').filter(|it| it.contains('/')).or_else(|| above.strip_suffix(':')),
    };
    above.is_some_and(|named| !named.is_empty() && !named.contains(['*', '?']))
}

/// A whole key, or all keys of one kind: `session#*`, `vendor#token#*`.
fn is_narrow(pattern: &str) -> bool {
    let kind = pattern.strip_suffix("#*").unwrap_or(pattern);
    !kind.contains(['*', '?']) && !kind.is_empty() && kind != "vendor"
}

fn patterns(condition: &Condition) -> Option<&Vec<String>> {
    match condition {
        Condition::LeadingKeys(patterns) => Some(patterns),
        Condition::ViaService(_) => None,
    }
}

/// The webhook can be reached by anybody: it gets at sessions and reminders, not at the access token under `vendor#`.
fn of_webhook(statement: &Statement) -> Option<String> {
    let may = |pattern: &String| ["session#", "signal#"].iter().any(|kind| pattern.starts_with(kind));
    let limited = statement.conditions.iter().find_map(patterns).is_some_and(|patterns| patterns.iter().all(may));
    let rows = statement.actions.iter().any(|action| action.starts_with("dynamodb:"));
    (rows && !limited).then(|| format!("{WEBHOOK} reaches rows that are not its own: {}", statement.sid))
}

/// How many statements are written in a role, chosen or not.
fn written(role: &Value) -> usize {
    let policies = role["Properties"]["Policies"].as_array().into_iter().flatten();
    policies.filter_map(|policy| policy["PolicyDocument"]["Statement"].as_array()).map(Vec::len).sum()
}

fn readable(role: &Role) -> BTreeSet<String> {
    let reads = |it: &&Statement| it.actions.iter().any(|action| action.starts_with("secretsmanager:"));
    role.statements.iter().filter(reads).flat_map(|it| it.resources.clone()).collect()
}

fn told(template: &Template, function: &Function) -> BTreeSet<String> {
    let options = all_options();
    let resolver = Resolver::new(&template.0, &options);
    let secrets = function.variables().into_iter().filter(|(name, _)| name.ends_with("_SECRET_ID"));
    let resolved = secrets.map(|(_, value)| resolver.resolve(&value).unwrap().unwrap());
    resolved.map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_role_has_more_than_a_form_that_can_be_judged() {
    assert_eq!(complaints(&Template::read()), [""; 0]);
}

#[test]
fn every_function_has_a_role_and_what_is_optional_adds_to_it() {
    let template = Template::read();
    let plain = roles(&template.0, &Parameters::new()).unwrap();
    let all = roles(&template.0, &all_options()).unwrap();
    let binaries: Vec<&str> = plain.iter().map(|it| it.binary.as_str()).collect();
    assert_eq!(binaries, ["archiver", "reconciler", "webhook"]);
    let count = |roles: &[FunctionRole]| roles.iter().map(|it| it.role.statements.len()).sum::<usize>();
    assert!(count(&plain) < count(&all));
}

#[test]
fn what_gives_too_much_is_found() {
    let statement = |role: &str, at: usize, field: &str| {
        format!("/Resources/{role}Role/Properties/Policies/0/PolicyDocument/Statement/{at}/{field}")
    };
    let table = json!({ "Fn::GetAtt": "Table.Arn" });
    let keys = |keys: &[&str]| json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": keys } });
    for (pointer, value, complaint) in [
        (statement("Webhook", 0, "Action"), json!("dynamodb:*"), "dynamodb:* is many actions"),
        (statement("Webhook", 0, "Action"), json!("dynamodb:DeleteItem"), "dynamodb:DeleteItem is nobody's right"),
        (statement("Archiver", 3, "Action"), json!(["s3:DeleteObject"]), "s3:DeleteObject is nobody's right"),
        (statement("Archiver", 3, "Resource"), json!("*"), "* is more than one thing"),
        (statement("Archiver", 3, "Resource"), json!("arn:aws:s3:::*"), "arn:aws:s3:::* is more than"),
        (statement("Archiver", 3, "Resource"), json!("arn:aws:s3:::*/recordings/*"), "is more than one thing"),
        (
            statement("Archiver", 3, "Resource"),
            json!({ "Fn::Sub": "${Bucket.Arn}/*" }),
            "archive/* is more than one thing",
        ),
        (
            statement("Archiver", 3, "Resource"),
            json!({ "Fn::Sub": "${Bucket.Arn}*" }),
            "archive* is more than one thing",
        ),
        (statement("Archiver", 0, "Condition"), json!({}), "ClaimAndFinish: it does not say which rows"),
        (statement("Archiver", 0, "Condition"), keys(&["session#*", "vendor#*"]), "vendor#* is more than one kind"),
        (statement("Archiver", 0, "Condition"), keys(&["session#*", "vendor#t*"]), "vendor#t* is more than one kind"),
        (statement("Archiver", 0, "Effect"), json!("Deny"), "does not plainly allow"),
        (statement("Archiver", 1, "Sid"), json!("ClaimAndFinish"), "two statements have one Sid"),
        (statement("Webhook", 0, "Condition"), keys(&["vendor#token#*"]), "reaches rows that are not its own"),
        (statement("Webhook", 0, "Condition"), keys(&["session#*", "*"]), "reaches rows that are not its own"),
        (statement("Webhook", 0, "Condition"), keys(&["s*"]), "reaches rows that are not its own"),
        (statement("Webhook", 0, "Condition"), json!({ "StringLike": {} }), "is not understood"),
        (
            statement("Webhook", 1, "Resource"),
            json!([{ "Ref": "VerificationSecret" }, { "Ref": "RingCentralSecret" }]),
            "webhook may not read exactly the secrets it is told of",
        ),
        (
            "/Resources/WebhookRole/Properties/Policies/0/PolicyDocument/Statement/0".to_owned(),
            json!({ "Sid": "S", "Effect": "Allow", "NotAction": "iam:*", "Resource": table }),
            "NotAction is not understood",
        ),
        (
            "/Resources/WebhookRole/Properties/Policies/0/PolicyDocument/Statement/0".to_owned(),
            json!({ "Sid": "S", "Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": table }),
            "reaches rows that are not its own",
        ),
        ("/Conditions/HasStreamTrigger".to_owned(), json!({ "Fn::Equals": ["a", "b"] }), "no option of these tests"),
        ("/Resources/WebhookFunction/Properties/Role".to_owned(), json!("arn:aws:iam::1:role/admin"), "no role of"),
        (
            "/Resources/WebhookFunction/Properties/Role".to_owned(),
            json!({ "Fn::GetAtt": "ArchiverRole.Arn" }),
            "ArchiverRole is the role of 2 functions",
        ),
        (
            "/Resources/WebhookRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal".to_owned(),
            json!({ "AWS": "*" }),
            "WebhookRole is not Lambda's alone",
        ),
        ("/Resources/BucketPolicy/Type".to_owned(), json!("AWS::IAM::Policy"), "BucketPolicy gives rights past"),
        (
            "/Resources/WebhookRole/Properties".to_owned(),
            json!({ "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"], "Policies": [] }),
            "WebhookRole has ManagedPolicyArns",
        ),
        (
            "/Resources/WebhookFunction/Properties".to_owned(),
            json!({ "Policies": ["AmazonS3FullAccess"] }),
            "has policies beside its role",
        ),
    ] {
        let found = complaints(&Template::read().with(&pointer, value));
        assert!(found.iter().any(|line| line.contains(complaint)), "{pointer}: {found:?}");
    }
}
