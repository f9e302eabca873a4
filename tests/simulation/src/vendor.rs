//! The simulated vendor's core behind the product's own client: requests go in over a network that fails.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response, Uri, header::AUTHORIZATION};
use ringcentral_sim::core::{self, Handshake, HandshakeAnswer, Manner, Origin, Origins, Outcome, Simulator};
use shared::{
    clients::ringcentral::{NoReply, Transport},
    ports::recording_source::{ByteStream, Interrupted},
};

use crate::{
    crossing::Crossing,
    executor::Time,
    faults::Fault,
    poison::Poison,
    received::{Penalties, Received, Sender},
};

/// How long the client waits for a reply that does not come, milliseconds.
const TIMEOUT_MS: u64 = 30_000;

/// Share of the recordings' bodies that take their time where they vary.
const LONG_BODIES: f64 = 0.5;

/// How the vendor's bodies come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// Some take their time, as those of long calls do: much may happen meanwhile.
    Varied,
    /// At once: only the limit counts.
    Prompt,
}

/// The simulated addresses.
pub(crate) fn origins() -> Origins {
    Origins { platform: "https://platform.ringcentral.test".into(), media: "https://media.ringcentral.test".into() }
}

/// The vendor, as a client reaches it; clones reach the same.
#[derive(Clone)]
pub(crate) struct Vendor {
    /// Who reaches it.
    pub(crate) sender: Sender,
    /// Tells the instance from others.
    pub(crate) holder: Rc<str>,
    /// Its core.
    pub(crate) core: Rc<RefCell<Simulator>>,
    /// The network.
    pub(crate) crossing: Crossing,
    /// An origin that refuses connections: what is sent there never arrives.
    pub(crate) refusing: Option<Origin>,
    /// How bodies come.
    pub(crate) bodies: Bodies,
    /// Recordings of which nothing comes to an end, until a time, epoch milliseconds.
    pub(crate) poisoned: Rc<RefCell<BTreeMap<String, (Poison, u64)>>>,
    /// What the program sent and the vendor received, in order.
    pub(crate) received: Rc<RefCell<Vec<Received>>>,
    /// When the program knows that nothing may be sent.
    pub(crate) penalties: Rc<RefCell<Penalties>>,
    /// What must not have been sent.
    pub(crate) wrongs: Rc<RefCell<Vec<String>>>,
}

impl Transport for Vendor {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, NoReply> {
        let Crossing { time, dice, faults, trace, .. } = &self.crossing;
        let Some(origin) = origin_of(request.uri()) else {
            if request.headers().contains_key(AUTHORIZATION) {
                let host = request.uri().host().unwrap_or_default();
                self.wrongs.borrow_mut().push(format!("a token was sent to {host}"));
            }
            time.sleep(dice.latency_ms(50, 250)).await;
            return Err(NoReply { why: "nobody is there".to_owned(), sent: false });
        };
        let in_penalty = self.penalties.borrow().forbid(&self.holder, time.now_ms());
        time.sleep(dice.latency_ms(25, 125)).await;
        if self.refusing == Some(origin) {
            return Err(NoReply { why: "connection refused".to_owned(), sent: false });
        }
        if faults.strikes(Fault::VendorRequestLost) {
            time.sleep(TIMEOUT_MS).await;
            return Err(timeout());
        }
        let asked = asked(origin, request);
        let is_heavy = asked.target.contains("/recording/") || asked.target.contains("/call-log");
        if is_heavy && in_penalty {
            self.wrongs.borrow_mut().push(format!("{} was sent inside a penalty", asked.target));
        }
        let throttles = is_heavy && faults.strikes(Fault::VendorThrottles);
        let mut reply = match self.handle(&asked, throttles) {
            Outcome::Reply(reply) => reply,
            Outcome::Handshake(handshake) => {
                time.sleep(dice.latency_ms(25, 125)).await;
                faults.struck_by(Fault::SubscriptionDied);
                let answer = echo(&handshake);
                self.core.borrow_mut().finish_handshake(handshake, answer, time.now_ms())
            }
        };
        trace.line(format_args!("vendor {} {} {}", asked.method, asked.target, reply.status));
        let poison = self.poison_of(&asked.target).filter(|_| reply.status == 200);
        if poison == Some(Poison::Mute) || faults.strikes(Fault::VendorAnswerLost) {
            time.sleep(TIMEOUT_MS).await;
            return Err(timeout());
        }
        if reply.status != 429 && faults.strikes(Fault::VendorBadGateway) {
            reply.status = 502;
            reply.headers.retain(|(name, _)| name.starts_with("X-Rate-Limit"));
            reply.body = Bytes::from_static(b"<html>502</html>");
            reply.manner = Manner::Whole;
        }
        if faults.strikes(Fault::BodyBroken) {
            reply.body.truncate(reply.body.len() / 2);
            reply.manner = Manner::Broken;
        }
        let slow = faults.strikes(Fault::Slow);
        time.sleep(dice.latency_ms(25, if slow { 5_000 } else { 125 })).await;
        if reply.status == 429 {
            let counted = reply.headers.iter().any(|(name, _)| name.starts_with("X-Rate-Limit"));
            self.penalties.borrow_mut().begin(&self.holder, counted, time.now_ms());
        }
        let is_audio = asked.target.ends_with("/content");
        let (piece_bytes, pause_ms) = match self.bodies {
            Bodies::Varied if is_audio && dice.hits(LONG_BODIES) => (1_024, dice.between(2_000..=20_000)),
            Bodies::Varied => (1_024, 3),
            Bodies::Prompt => (65_536, 3),
        };
        let whole = reply.body.clone();
        let mut response = arriving(reply, piece_bytes, pause_ms, time.clone());
        if let Some(poison) = poison {
            if poison == Poison::Endless {
                response.headers_mut().remove(http::header::CONTENT_LENGTH);
            }
            *response.body_mut() = poison.body(whole, time.clone());
        }
        Ok(response)
    }
}

impl Vendor {
    /// From now until a time, epoch milliseconds, nothing comes to an end of a recording.
    pub(crate) fn poison(&self, recording: &str, poison: Poison, until_ms: u64) {
        self.poisoned.borrow_mut().insert(recording.to_owned(), (poison, until_ms));
    }

    fn poison_of(&self, target: &str) -> Option<Poison> {
        let poisoned = self.poisoned.borrow();
        let recording = target.strip_suffix("/content")?.rsplit('/').next()?;
        let (poison, until_ms) = poisoned.get(recording)?;
        (self.crossing.time.now_ms() < *until_ms).then_some(*poison)
    }

    /// What the core makes of a request. Where it throttles, others have used up the limit: the penalty is its own.
    fn handle(&self, asked: &core::Request, throttles: bool) -> Outcome {
        let mut core = self.core.borrow_mut();
        let limit = core.settings().heavy_limit;
        if throttles {
            core.settings_mut().heavy_limit = 0;
        }
        let served_before = core.requests().len();
        let outcome = core.handle(asked, self.crossing.time.now_ms());
        core.settings_mut().heavy_limit = limit;
        // One that waits for a handshake is not served yet.
        if let Some(served) = core.requests().get(served_before) {
            let at_ms = self.crossing.time.now_ms();
            self.received.borrow_mut().push(Received {
                at_ms,
                sender: self.sender,
                target: served.target.clone(),
                group: served.group,
                status: served.status,
                out_of_turn: throttles,
            });
        }
        outcome
    }
}

/// What the webhook answers when it is asked whether it is there.
pub(crate) fn echo(handshake: &Handshake) -> HandshakeAnswer {
    let mut headers: Vec<(String, String)> = vec![("content-type".to_owned(), "application/json".to_owned())];
    let echo = handshake.headers.iter().find(|(name, _)| *name == "Validation-Token");
    headers.extend(echo.map(|(name, value)| ((*name).to_owned(), value.clone())));
    HandshakeAnswer::Reply { status: 200, headers, body_bytes: 2, elapsed_ms: 40 }
}

fn timeout() -> NoReply {
    NoReply { why: "timeout".to_owned(), sent: true }
}

fn origin_of(uri: &Uri) -> Option<Origin> {
    let Origins { platform, media } = origins();
    let origin = format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.authority()?);
    let known = [(platform, Origin::Platform), (media, Origin::Media)];
    known.into_iter().find(|(address, _)| *address == origin).map(|(_, origin)| origin)
}

fn asked(origin: Origin, request: Request<Bytes>) -> core::Request {
    let (head, body) = request.into_parts();
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    core::Request {
        origin,
        method: head.method.to_string(),
        target: head.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: head.headers.iter().map(header).collect(),
        body,
    }
}

/// A reply as it arrives: in pieces, with pauses, to its end or not.
fn arriving(reply: core::Reply, piece_bytes: usize, pause_ms: u64, time: Time) -> Response<ByteStream> {
    let mut response = Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(reply.status).unwrap_or_default();
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(*name), http::HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    if !response.headers().contains_key(http::header::CONTENT_LENGTH) {
        response.headers_mut().insert(http::header::TRANSFER_ENCODING, http::HeaderValue::from_static("chunked"));
    }
    let (piece_bytes, pause_ms) = match reply.manner {
        Manner::Whole | Manner::Broken => (piece_bytes, pause_ms),
        Manner::Trickle { piece_bytes, pause_ms } => (piece_bytes, pause_ms),
    };
    let broken = (reply.manner == Manner::Broken).then(|| Err(Interrupted("connection reset".to_owned())));
    let starts = (0..reply.body.len()).step_by(piece_bytes);
    let pieces = starts.map(move |start| reply.body.slice(start..reply.body.len().min(start + piece_bytes)));
    let paced = stream::iter(pieces.map(Ok).chain(broken)).then(move |piece| {
        let pause = time.sleep(pause_ms);
        async move {
            pause.await;
            piece
        }
    });
    response.map(|()| Box::pin(paced) as ByteStream)
}
