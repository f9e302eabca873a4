//! What a look writes back as the expressions of one update.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::{operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue};

use super::{
    row::{encode_manifest, encode_result, number, result_name, text},
    schema,
};
use crate::{
    domain::session::{Heard, Next},
    ports::session_store::Finish,
};

/// The request with everything a finish writes; its condition is the caller's.
pub(super) fn written(mut request: UpdateItemFluentBuilder, finish: &Finish) -> UpdateItemFluentBuilder {
    let mut set = vec!["attempts = :attempts".to_owned(), "#ttl = :ttl".to_owned()];
    let mut add = vec!["rev :one".to_owned()];
    request = request
        .expression_attribute_names("#queue", schema::QUEUE)
        .expression_attribute_names("#due_at", schema::DUE_AT)
        .expression_attribute_names("#ttl", schema::TTL)
        .expression_attribute_values(":ttl", number(finish.expires_s))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":attempts", number(finish.attempts.into()));
    for (n, (recording, result)) in finish.results.iter().enumerate() {
        set.push(format!("#r{n} = :r{n}"));
        request = request
            .expression_attribute_names(format!("#r{n}"), result_name(recording))
            .expression_attribute_values(format!(":r{n}"), encode_result(result));
    }
    if let Some(manifest) = &finish.manifest {
        set.push("manifest = :manifest".to_owned());
        request = request.expression_attribute_values(":manifest", encode_manifest(manifest));
    }
    let heard: BTreeSet<_> = finish.found.heard.iter().map(Heard::to_element).collect();
    let ended: BTreeSet<_> = finish.found.ended.iter().map(ToString::to_string).collect();
    for (name, elements) in [("heard", heard), ("ended", ended)] {
        // DynamoDB knows no empty set.
        if !elements.is_empty() {
            add.push(format!("{name} :{name}"));
            let elements = AttributeValue::Ss(elements.into_iter().collect());
            request = request.expression_attribute_values(format!(":{name}"), elements);
        }
    }
    let remove = match finish.next {
        Next::Settled => " REMOVE #queue, #due_at",
        Next::At(due_at_ms) => {
            set.push("#queue = :due, #due_at = :due_at".to_owned());
            request = request
                .expression_attribute_values(":due", text(schema::DUE))
                .expression_attribute_values(":due_at", number(due_at_ms));
            ""
        }
    };
    request.update_expression(format!("SET {}{remove} ADD {}", set.join(", "), add.join(", ")))
}
