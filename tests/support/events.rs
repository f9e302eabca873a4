//! RingCentral bodies and gateway payloads made in code; the files in `events/` are for what people look at.

use std::time::SystemTime;

use local_cloud::function_url::{HttpRequest, event as payload};
use ringvault::stack::VERIFICATION_TOKEN;
use serde_json::{Value, json};

/// The account of all events made here.
pub const ACCOUNT: &str = "800000001";

/// One party's transition in a call: `party` is its number, `recordings` what the event says of it.
pub fn transition(session: &str, party: u32, code: &str, recordings: &[&str]) -> Value {
    let recordings: Vec<Value> = recordings.iter().map(|id| json!({ "id": id, "active": true })).collect();
    json!({
        "uuid": "4200000000000000001",
        "event": format!("/restapi/v1.0/account/{ACCOUNT}/extension/80000010{party}/telephony/sessions"),
        "timestamp": "2026-04-14T09:30:00.120Z",
        "subscriptionId": "11111111-2222-4333-8444-555555555555",
        "ownerId": "800000100",
        "body": {
            "sequence": 4,
            "sessionId": "71000000001",
            "telephonySessionId": session,
            "eventTime": "2026-04-14T09:30:00.000Z",
            "parties": [{
                "accountId": ACCOUNT,
                "extensionId": format!("80000010{party}"),
                "id": format!("p-{session}-{party}"),
                "direction": "Inbound",
                "to": { "phoneNumber": "+16505550171", "name": "Test Agent" },
                "from": { "phoneNumber": "+16505550172", "name": "Test Caller" },
                "recordings": recordings,
                "status": { "code": code },
            }],
            "origin": { "type": "Call" },
        },
    })
}

/// A party that hangs up, with the recordings it has.
pub fn hang_up(session: &str, recordings: &[&str]) -> Value {
    transition(session, 2, "Disconnected", recordings)
}

/// An event as RingCentral delivers it, through the gateway, with the right token.
pub fn delivery(event: &Value) -> Value {
    request(&[("verification-token", VERIFICATION_TOKEN)], event.to_string().as_bytes())
}

/// A POST through the gateway.
pub fn request(headers: &[(&str, &str)], body: &[u8]) -> Value {
    let header = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let mut all = vec![("content-type".to_owned(), "application/json; charset=UTF-8".to_owned())];
    all.extend(headers.iter().map(header));
    let request =
        HttpRequest { method: "POST".into(), path_and_query: "/".into(), headers: all, body: body.to_vec().into() };
    payload(&request, "00000000-0000-4000-8000-000000000000", SystemTime::now())
}
