//! A sender: a process of its own, which sends each delivery when it is due, whatever became of those before.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use clap::Args;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinSet};

use super::plan::{Delivery, Plan, forgery};

/// The vendor hangs up after that (API.md §5.1).
const ANSWER_WITHIN: Duration = Duration::from_millis(3_000);

/// Requests under way at most. Who waits for one of them is late by that, and the wait counts as the webhook's.
const AT_ONCE: usize = 512;

#[derive(Args)]
pub(crate) struct Sender {
    /// Where the webhook is.
    #[arg(long)]
    url: String,
    /// How many deliveries.
    #[arg(long)]
    deliveries: usize,
    /// How many of them a second.
    #[arg(long)]
    rate: u32,
    /// Send forgeries instead of true events.
    #[arg(long)]
    forged: bool,
}

/// What a sender has seen.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// How many deliveries were answered with a status; 0 for those that were not answered in the vendor's three seconds.
    pub(super) statuses: BTreeMap<u16, usize>,
    /// Numbers of those that were not answered with 200, but for forgeries.
    pub(super) unacknowledged: Vec<usize>,
    /// From a delivery's due time to its answer, milliseconds, of those answered: the median, the 99th percentile.
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// From the first due time to the last answer.
    pub(super) seconds: f64,
}

impl Sender {
    /// Sends, and prints what it has seen; false if it could not begin.
    pub(crate) fn run(&self, elapsed: impl Fn() -> Duration + Clone + Send + 'static) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let client = Client::builder().no_proxy().tls_certs_only([]).build();
        match (runtime, client) {
            (Ok(runtime), Ok(client)) => {
                println!("{}", runtime.block_on(self.send(client, elapsed)).as_json());
                true
            }
            (Err(error), _) => super::fail(&error),
            (_, Err(error)) => super::fail(&error),
        }
    }

    async fn send(&self, client: Client, elapsed: impl Fn() -> Duration + Clone + Send + 'static) -> Seen {
        let plan = Plan::new(if self.forged { 0 } else { self.deliveries });
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let began = elapsed();
        let mut under_way = JoinSet::new();
        for number in 0..self.deliveries {
            let due = began + Duration::from_secs_f64(number as f64 / f64::from(self.rate));
            tokio::time::sleep(due.saturating_sub(elapsed())).await;
            let delivery = if self.forged { forgery(number) } else { plan.delivery(number) };
            let asked = ask(client.clone(), self.url.clone(), delivery);
            let (places, elapsed) = (Arc::clone(&places), elapsed.clone());
            under_way.spawn(async move {
                let within = (due + ANSWER_WITHIN).saturating_sub(elapsed());
                let placed = async {
                    let _place = places.acquire().await.ok()?;
                    asked.await
                };
                let status = tokio::time::timeout(within, placed).await.ok().flatten();
                (number, status, elapsed().saturating_sub(due))
            });
        }
        let answers = under_way.join_all().await;
        Seen { seconds: elapsed().saturating_sub(began).as_secs_f64(), ..Seen::of(&answers, self.forged) }
    }
}

/// The status of the answer; nothing if there is none.
fn ask(client: Client, url: String, Delivery { token, body }: Delivery) -> impl Future<Output = Option<u16>> {
    let mut request = client.post(url).header("content-type", "application/json; charset=UTF-8").body(body);
    if let Some(token) = token {
        request = request.header("verification-token", token);
    }
    async move {
        let reply = request.send().await.ok()?;
        let status = reply.status().as_u16();
        reply.bytes().await.ok()?;
        Some(status)
    }
}

impl Seen {
    fn of(answers: &[(usize, Option<u16>, Duration)], forged: bool) -> Self {
        let mut seen = Self::default();
        for (number, status, _) in answers {
            *seen.statuses.entry(status.unwrap_or_default()).or_default() += 1;
            if !forged && *status != Some(200) {
                seen.unacknowledged.push(*number);
            }
        }
        seen.unacknowledged.sort_unstable();
        let answered = answers.iter().filter(|(_, status, _)| status.is_some());
        let mut took: Vec<f64> = answered.map(|(_, _, took)| took.as_secs_f64() * 1_000.0).collect();
        took.sort_unstable_by(f64::total_cmp);
        let percentile = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
        (seen.p50_ms, seen.p99_ms) = (percentile(50), percentile(99));
        seen
    }

    /// How many were answered so.
    pub(super) fn answered(&self, status: u16) -> usize {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    pub(super) fn as_json(&self) -> Value {
        let statuses: BTreeMap<_, _> =
            self.statuses.iter().map(|(status, count)| (status.to_string(), count)).collect();
        json!({
            "statuses": statuses,
            "unacknowledged": self.unacknowledged,
            "p50_ms": self.p50_ms,
            "p99_ms": self.p99_ms,
            "seconds": self.seconds,
        })
    }

    /// What a sender has printed; nothing if that is something else.
    pub(super) fn read(printed: &[u8]) -> Option<Self> {
        let printed: Value = serde_json::from_slice(printed).ok()?;
        let status = |(status, count): (&String, &Value)| Some((status.parse().ok()?, count.as_u64()? as usize));
        let number = |number: &Value| Some(number.as_u64()? as usize);
        Some(Self {
            statuses: printed["statuses"].as_object()?.iter().map(status).collect::<Option<_>>()?,
            unacknowledged: printed["unacknowledged"].as_array()?.iter().map(number).collect::<Option<_>>()?,
            p50_ms: printed["p50_ms"].as_f64()?,
            p99_ms: printed["p99_ms"].as_f64()?,
            seconds: printed["seconds"].as_f64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        let took = |ms| Duration::from_millis(ms);
        let answers = [(0, Some(200), took(10)), (2, None, took(3_000)), (1, Some(503), took(30))];
        let seen = Seen::of(&answers, false);
        assert_eq!((seen.answered(200), seen.answered(503), seen.answered(0)), (1, 1, 1));
        assert_eq!((seen.unacknowledged.as_slice(), seen.p50_ms, seen.p99_ms), (&[1, 2][..], 30.0, 30.0));
        assert_eq!(Seen::read(seen.as_json().to_string().as_bytes()), Some(seen));
        assert_eq!(Seen::of(&answers, true).unacknowledged, [0; 0]);
        assert_eq!(Seen::read(b"broken"), None);
    }
}
