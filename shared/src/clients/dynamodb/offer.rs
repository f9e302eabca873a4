//! What the call log offers as the expressions of one conditional update.

use aws_sdk_dynamodb::{operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue};

use super::{
    row::{number, offer_name, text},
    schema,
    told::{URI, encode_offer},
};
use crate::domain::{call_log::Offers, notification::MAX_FACTS_PER_EVENT, session::Heard};

/// The request that adds offers to a session in the queue if the address of one of them is news. It has room for as many
/// as an event may have recordings; a call has a few.
pub(super) fn offered(mut request: UpdateItemFluentBuilder, offers: &Offers) -> UpdateItemFluentBuilder {
    let (mut set, mut news, mut heard) = (Vec::new(), Vec::new(), Vec::new());
    for (n, (recording, offer)) in offers.iter().take(MAX_FACTS_PER_EVENT).enumerate() {
        set.push(format!("#o{n} = :o{n}"));
        news.push(format!("attribute_not_exists(#o{n}) OR #o{n}.#uri <> :u{n}"));
        heard.push(Heard { recording: recording.clone(), party: offer.listed.party.clone() }.to_element());
        request = request
            .expression_attribute_names(format!("#o{n}"), offer_name(recording))
            .expression_attribute_values(format!(":o{n}"), encode_offer(offer))
            .expression_attribute_values(format!(":u{n}"), text(&offer.content_uri));
    }
    request
        .update_expression(format!("SET {} ADD heard :heard, rev :one", set.join(", ")))
        .condition_expression(format!("#queue = :due AND ({})", news.join(" OR ")))
        .expression_attribute_names("#queue", schema::QUEUE)
        .expression_attribute_names("#uri", URI)
        .expression_attribute_values(":due", text(schema::DUE))
        .expression_attribute_values(":heard", AttributeValue::Ss(heard))
        .expression_attribute_values(":one", number(1))
}
