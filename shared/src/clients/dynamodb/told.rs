//! What others told of parties and recordings, as maps in the row; what they did not tell is left out.

use aws_sdk_dynamodb::types::AttributeValue;

use super::row::{Item, bad_id, get_number, get_text, number, text};
use crate::{
    domain::{
        call_log::{Listed, Offer},
        ids::{PartyId, TelephonySessionId},
        notification::PartyAbout,
    },
    ports::session_store::StoreError,
};

/// The address in an offer's map: another one makes the offer news.
pub(super) const URI: &str = "uri";
/// What else the call log says, in the maps of offers and results.
pub(super) const LISTED: &str = "listed";

pub(super) fn encode_about(about: &PartyAbout) -> AttributeValue {
    let texts =
        [("direction", &about.direction), ("to", &about.to), ("from", &about.from), ("extension", &about.extension)];
    let told = texts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value.as_deref()?))));
    AttributeValue::M(told.collect())
}

pub(super) fn decode_about(map: &Item) -> PartyAbout {
    let told = |name| get_text(map, name).map(str::to_owned);
    PartyAbout { direction: told("direction"), to: told("to"), from: told("from"), extension: told("extension") }
}

pub(super) fn encode_offer(offer: &Offer) -> AttributeValue {
    AttributeValue::M(Item::from([
        (URI.to_owned(), text(&offer.content_uri)),
        (LISTED.to_owned(), encode_listed(&offer.listed)),
    ]))
}

pub(super) fn decode_offer(map: &Item) -> Result<Offer, StoreError> {
    let content_uri = get_text(map, URI).ok_or(StoreError::Corrupt("an offer without address"))?.to_owned();
    Ok(Offer { content_uri, listed: decode_listed(map)?.unwrap_or_default() })
}

pub(super) fn encode_listed(listed: &Listed) -> AttributeValue {
    let ids = [
        ("party", listed.party.as_ref().map(PartyId::as_str)),
        ("transfer_target", listed.transfer_target.as_ref().map(TelephonySessionId::as_str)),
        ("transferee", listed.transferee.as_ref().map(TelephonySessionId::as_str)),
    ];
    let texts = [
        ("kind", &listed.kind),
        ("direction", &listed.direction),
        ("from", &listed.from),
        ("to", &listed.to),
        ("extension", &listed.extension),
    ];
    let texts = texts.map(|(name, value)| (name, value.as_deref()));
    let numbers = [("started_at", listed.started_ms), ("duration_s", listed.duration_s)];
    let texts = ids.into_iter().chain(texts).filter_map(|(name, value)| Some((name.to_owned(), text(value?))));
    let numbers = numbers.into_iter().filter_map(|(name, value)| Some((name.to_owned(), number(value?))));
    AttributeValue::M(texts.chain(numbers).collect())
}

/// Reads what the call log says out of the map of an offer or a result.
pub(super) fn decode_listed(of: &Item) -> Result<Option<Listed>, StoreError> {
    let Some(listed) = of.get(LISTED) else { return Ok(None) };
    let map = listed.as_m().map_err(|_| StoreError::Corrupt("what the call log says is not a map"))?;
    let told = |name| get_text(map, name).map(str::to_owned);
    let call = |name| get_text(map, name).map(TelephonySessionId::parse).transpose().map_err(bad_id);
    Ok(Some(Listed {
        kind: told("kind"),
        party: get_text(map, "party").map(PartyId::parse).transpose().map_err(bad_id)?,
        started_ms: get_number(map, "started_at"),
        duration_s: get_number(map, "duration_s"),
        direction: told("direction"),
        from: told("from"),
        to: told("to"),
        extension: told("extension"),
        transfer_target: call("transfer_target")?,
        transferee: call("transferee")?,
    }))
}
