//! The role each function runs under.

use local_cloud::iam::{Role, Statement, statements};
use serde_json::Value;

use super::{Parameters, Resolver, TemplateError};

/// A function's binary and its role.
#[derive(Debug, Clone)]
pub struct FunctionRole {
    /// The binary.
    pub binary: String,
    /// The role and all of its policies, as they are in the local stack.
    pub role: Role,
}

/// The roles of a template that [`read`](super::read) read.
///
/// # Errors
/// A function without a role of the template's, or a policy that is not understood to its end.
pub fn roles(template: &Value, parameters: &Parameters) -> Result<Vec<FunctionRole>, TemplateError> {
    let resolver = Resolver::new(template, parameters);
    let resources = template["Resources"].as_object().into_iter().flatten();
    let functions = resources.filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    functions.map(|(name, function)| function_role(template, &resolver, name, function)).collect()
}

fn function_role(
    template: &Value,
    resolver: &Resolver<'_>,
    name: &str,
    function: &Value,
) -> Result<FunctionRole, TemplateError> {
    let missing = |what| TemplateError::Missing { resource: name.to_owned(), what };
    let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str();
    let role = function["Properties"]["Role"]["Fn::GetAtt"].as_str().and_then(|role| role.strip_suffix(".Arn"));
    let role = role.ok_or_else(|| missing("role of the template's"))?;
    let statements = role_statements(resolver, role, &template["Resources"][role])?;
    let binary = binary.ok_or_else(|| missing("binary"))?.to_owned();
    Ok(FunctionRole { binary, role: Role { name: role.to_owned(), statements } })
}

fn role_statements(resolver: &Resolver<'_>, name: &str, role: &Value) -> Result<Vec<Statement>, TemplateError> {
    let policies = role["Properties"]["Policies"].as_array();
    let policies = policies.ok_or_else(|| TemplateError::Missing { resource: name.to_owned(), what: "policies" })?;
    let mut all = Vec::new();
    for policy in policies {
        let resolved = resolver.resolve(&policy["PolicyDocument"]["Statement"])?.unwrap_or_default();
        let read = statements(&resolved).map_err(|source| TemplateError::Policy { role: name.to_owned(), source })?;
        all.extend(read);
    }
    Ok(all)
}
