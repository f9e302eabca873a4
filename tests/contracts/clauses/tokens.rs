//! `TokenStore`: the token, the right to mint one, and the vendor's refusal.

use futures_util::future::join_all;
use shared::{
    ports::{
        session_store::{Drain, SessionStore},
        token_store::{Refusal, StoredToken, TokenStore},
    },
    secret::Secret,
};

use super::NOW_MS;
use crate::backends::Backend;

const UNTIL_MS: u64 = NOW_MS + 60_000;

pub(crate) async fn there_is_no_token_before_one_is_put<B: Backend>(backend: &B) {
    let row = backend.token_row("client-1");
    assert_eq!(read(backend, "client-1").await, (None, None));
    assert!(row.lock("a", NOW_MS, UNTIL_MS).await.unwrap());
    assert_eq!(read(backend, "client-1").await, (None, None), "the right to mint is no token");
}

pub(crate) async fn the_token_last_put_is_read<B: Backend>(backend: &B) {
    for number in 1..=2 {
        backend.token_row("client-1").put(&token(number)).await.unwrap();
        assert_eq!(read(backend, "client-1").await, (Some(written(number)), None));
    }
}

pub(crate) async fn the_right_to_mint_has_one_holder_at_a_time<B: Backend>(backend: &B) {
    let (row, other) = (backend.token_row("client-1"), backend.token_row("client-1"));
    row.put(&token(1)).await.unwrap();
    assert!(row.lock("a", NOW_MS, UNTIL_MS).await.unwrap());
    assert!(!other.lock("b", NOW_MS + 1, UNTIL_MS).await.unwrap());
    assert!(row.lock("a", NOW_MS + 1, UNTIL_MS).await.unwrap());
    assert_eq!(read(backend, "client-1").await, (Some(written(1)), None), "the old token is there meanwhile");
    assert!(other.lock("b", UNTIL_MS, UNTIL_MS + 1).await.unwrap());
}

pub(crate) async fn of_ten_who_want_to_mint_at_once_one_may<B: Backend>(backend: &B) {
    let row = backend.token_row("client-1");
    let holders: Vec<String> = (0..10).map(|n| format!("run-{n}")).collect();
    let locked = join_all(holders.iter().map(|holder| row.lock(holder, NOW_MS, UNTIL_MS))).await;
    assert_eq!(locked.iter().filter(|locked| *locked.as_ref().unwrap()).count(), 1, "{locked:?}");
}

pub(crate) async fn only_its_holder_gives_the_right_to_mint_back<B: Backend>(backend: &B) {
    let (row, other) = (backend.token_row("client-1"), backend.token_row("client-1"));
    row.unlock("a").await.unwrap();
    row.put(&token(1)).await.unwrap();
    assert!(row.lock("a", NOW_MS, UNTIL_MS).await.unwrap());
    other.unlock("b").await.unwrap();
    assert!(!other.lock("b", NOW_MS + 1, UNTIL_MS).await.unwrap());
    row.unlock("a").await.unwrap();
    assert!(other.lock("b", NOW_MS + 1, UNTIL_MS).await.unwrap());
    row.unlock("a").await.unwrap();
    assert!(!row.lock("a", NOW_MS + 2, UNTIL_MS).await.unwrap(), "who had it before has no say any more");
    assert_eq!(read(backend, "client-1").await, (Some(written(1)), None), "the token stays");
}

pub(crate) async fn a_put_gives_the_right_to_mint_back<B: Backend>(backend: &B) {
    let (row, other) = (backend.token_row("client-1"), backend.token_row("client-1"));
    assert!(row.lock("a", NOW_MS, UNTIL_MS).await.unwrap());
    row.put(&token(1)).await.unwrap();
    assert!(other.lock("b", NOW_MS + 1, UNTIL_MS).await.unwrap());
    assert!(!row.lock("a", NOW_MS + 2, UNTIL_MS).await.unwrap());
}

pub(crate) async fn a_refusal_stands_until_a_token_is_put<B: Backend>(backend: &B) {
    let row = backend.token_row("client-1");
    row.refuse(&refusal(1)).await.unwrap();
    assert_eq!(read(backend, "client-1").await, (None, Some(refusal(1))));
    row.refuse(&refusal(2)).await.unwrap();
    assert_eq!(read(backend, "client-1").await, (None, Some(refusal(2))), "the last one counts");
    assert!(row.lock("a", NOW_MS, UNTIL_MS).await.unwrap());
    row.unlock("a").await.unwrap();
    assert_eq!(read(backend, "client-1").await, (None, Some(refusal(2))), "whoever tries again");
    row.put(&token(1)).await.unwrap();
    assert_eq!(read(backend, "client-1").await, (Some(written(1)), None));
    row.refuse(&refusal(3)).await.unwrap();
    assert_eq!(read(backend, "client-1").await, (Some(written(1)), Some(refusal(3))), "the token may live on");
}

pub(crate) async fn a_refusal_gives_the_right_to_mint_back<B: Backend>(backend: &B) {
    let (row, other) = (backend.token_row("client-1"), backend.token_row("client-1"));
    assert!(row.lock("a", NOW_MS, UNTIL_MS).await.unwrap());
    row.refuse(&refusal(1)).await.unwrap();
    assert!(other.lock("b", NOW_MS + 1, UNTIL_MS).await.unwrap());
    assert!(!row.lock("a", NOW_MS + 2, UNTIL_MS).await.unwrap());
}

pub(crate) async fn client_ids_do_not_share_anything<B: Backend>(backend: &B) {
    let (one, two) = (backend.token_row("client-1"), backend.token_row("client-2"));
    one.put(&token(1)).await.unwrap();
    one.refuse(&refusal(1)).await.unwrap();
    assert_eq!(read(backend, "client-2").await, (None, None));
    assert!(one.lock("a", NOW_MS, UNTIL_MS).await.unwrap());
    assert!(two.lock("b", NOW_MS, UNTIL_MS).await.unwrap());
    let drain = backend.sessions().acquire_drain("c", NOW_MS, UNTIL_MS).await.unwrap();
    assert_eq!(drain, Drain::Ours, "nor with the drain");
}

fn token(number: u64) -> StoredToken {
    let (text, issued_at_ms, expires_at_ms) = written(number);
    StoredToken { access_token: Secret::new(text), issued_at_ms, expires_at_ms }
}

fn written(number: u64) -> (String, u64, u64) {
    (format!("token-{number}"), NOW_MS + number, NOW_MS + number + 3_600_000)
}

fn refusal(number: u64) -> Refusal {
    let credentials = format!("fingerprint-{number}");
    Refusal { credentials, code: "invalid_grant".to_owned(), at_ms: NOW_MS + number }
}

/// The token and the refusal as they stand.
async fn read<B: Backend>(backend: &B, client_id: &str) -> (Option<(String, u64, u64)>, Option<Refusal>) {
    let state = backend.token_row(client_id).state().await.unwrap();
    let token = state.token.map(|it| (it.access_token.expose().to_owned(), it.issued_at_ms, it.expires_at_ms));
    (token, state.refusal)
}
