//! template.yaml agrees with the code.

mod build;
mod environment;
mod expiry;
mod parameters;
mod rights;
mod storage;
mod watching;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::workspace;

const FILE: &str = "template.yaml";

/// The template, its short tags written out: `!Ref x` is `{"Ref": "x"}`, `!Sub x` is `{"Fn::Sub": "x"}`.
#[derive(Clone)]
struct Template(Value);

/// A Lambda function of the template.
struct Function {
    /// Its binary.
    binary: String,
    metadata: Value,
    /// Its own properties over those all functions share.
    properties: Value,
}

impl Template {
    fn read() -> Self {
        Self(ringvault::template::read(&workspace::read(FILE)).unwrap())
    }

    /// The template with one value changed: what a check must complain about.
    fn with(&self, pointer: &str, value: Value) -> Self {
        let mut changed = self.clone();
        *changed.0.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer} in {FILE}")) = value;
        changed
    }

    fn resource(&self, kind: &str) -> &Value {
        let mut found = self.resources(kind);
        assert_eq!(found.len(), 1, "there is one {kind}");
        found.remove(0).1
    }

    fn resources(&self, kind: &str) -> Vec<(&str, &Value)> {
        let all = self.0["Resources"].as_object().unwrap();
        all.iter().filter(|(_, it)| it["Type"] == kind).map(|(name, it)| (name.as_str(), it)).collect()
    }

    fn functions(&self) -> Vec<Function> {
        let function = |(name, it): (&str, &Value)| Function {
            binary: it.pointer("/Metadata/BuildProperties/Binary").and_then(Value::as_str).unwrap_or(name).to_owned(),
            metadata: it["Metadata"].clone(),
            properties: merged(&self.0["Globals"]["Function"], &it["Properties"]),
        };
        self.resources("AWS::Serverless::Function").into_iter().map(function).collect()
    }
}

impl Function {
    fn variables(&self) -> Map<String, Value> {
        self.properties.pointer("/Environment/Variables").and_then(Value::as_object).cloned().unwrap_or_default()
    }
}

/// As SAM does it: maps are joined, lists are added to, anything else is replaced.
fn merged(shared: &Value, own: &Value) -> Value {
    match (shared, own) {
        (Value::Object(shared), Value::Object(own)) => {
            let mut both = shared.clone();
            for (name, value) in own {
                let value = both.get(name).map_or_else(|| value.clone(), |shared| merged(shared, value));
                both.insert(name.clone(), value);
            }
            Value::Object(both)
        }
        (Value::Array(shared), Value::Array(own)) => shared.iter().chain(own).cloned().collect(),
        (shared, Value::Null) => shared.clone(),
        (_, own) => own.clone(),
    }
}

/// Names of the resources and parameters a value refers to, by `Ref`, `GetAtt` or `Sub`.
fn referred(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(map) => map.iter().flat_map(|(name, inner)| referred_by(name, inner)).collect(),
        Value::Array(items) => items.iter().flat_map(referred).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => BTreeSet::new(),
    }
}

fn referred_by(name: &str, inner: &Value) -> BTreeSet<String> {
    let first = |text: &str| text.split('.').next().unwrap_or_default().to_owned();
    let text = inner.as_str().or_else(|| inner.get(0)?.as_str());
    match (name, text) {
        ("Ref" | "Fn::GetAtt", Some(text)) => BTreeSet::from([first(text)]),
        ("Fn::Sub", Some(text)) => text.split("${").skip(1).map(|it| first(it.split('}').next().unwrap())).collect(),
        _ => referred(inner),
    }
}

#[test]
fn what_a_value_refers_to_is_found() {
    let value = ringvault::template::read("[!GetAtt T.Arn, !Sub '${S}/x/${U.Arn}', !GetAtt [V, Arn], T]").unwrap();
    assert_eq!(referred(&value).len(), 4);
}
