//! The drain lease of `SessionStore`, and `TokenStore` with its lock.

use futures_util::future::join_all;
use shared::{
    ports::{
        session_store::SessionStore,
        token_store::{StoredToken, TokenStore},
    },
    secret::Secret,
};

use super::NOW_MS;
use crate::backends::Backend;

const UNTIL_MS: u64 = NOW_MS + 60_000;

pub(crate) async fn the_drain_has_one_holder_at_a_time<B: Backend>(backend: &B) {
    assert!(drain(backend, "a", NOW_MS, UNTIL_MS).await);
    assert!(!drain(backend, "b", NOW_MS + 1, UNTIL_MS).await);
    assert!(!drain(backend, "b", UNTIL_MS - 1, UNTIL_MS * 2).await);
}

pub(crate) async fn its_holder_may_take_the_drain_again<B: Backend>(backend: &B) {
    assert!(drain(backend, "a", NOW_MS, NOW_MS + 10).await);
    assert!(drain(backend, "a", NOW_MS + 1, UNTIL_MS).await);
    assert!(!drain(backend, "b", NOW_MS + 11, UNTIL_MS).await, "it was prolonged");
    assert!(drain(backend, "a", NOW_MS + 12, NOW_MS + 20).await);
    assert!(drain(backend, "b", NOW_MS + 20, UNTIL_MS).await, "and cut short");
}

pub(crate) async fn the_drain_runs_out<B: Backend>(backend: &B) {
    assert!(drain(backend, "a", NOW_MS, UNTIL_MS).await);
    assert!(drain(backend, "b", UNTIL_MS, UNTIL_MS + 60_000).await);
    assert!(!drain(backend, "a", UNTIL_MS + 1, UNTIL_MS * 2).await);
}

pub(crate) async fn only_its_holder_gives_the_drain_back<B: Backend>(backend: &B) {
    backend.sessions().release_drain("a").await.unwrap();
    assert!(drain(backend, "a", NOW_MS, UNTIL_MS).await);
    backend.sessions().release_drain("b").await.unwrap();
    assert!(!drain(backend, "b", NOW_MS + 1, UNTIL_MS).await);
    backend.sessions().release_drain("a").await.unwrap();
    assert!(drain(backend, "b", NOW_MS + 1, UNTIL_MS).await);
    backend.sessions().release_drain("a").await.unwrap();
    assert!(!drain(backend, "a", NOW_MS + 2, UNTIL_MS).await, "who had it before has no say any more");
}

pub(crate) async fn of_ten_who_want_the_drain_at_once_one_gets_it<B: Backend>(backend: &B) {
    let holders: Vec<String> = (0..10).map(|n| format!("run-{n}")).collect();
    let taken = join_all(holders.iter().map(|holder| drain(backend, holder, NOW_MS, UNTIL_MS))).await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1, "{taken:?}");
}

pub(crate) async fn there_is_no_token_before_one_is_put<B: Backend>(backend: &B) {
    let row = backend.token_row("client-1");
    assert!(row.token().await.unwrap().is_none());
    assert!(row.lock("a", NOW_MS, UNTIL_MS).await.unwrap());
    assert!(row.token().await.unwrap().is_none(), "the right to mint is no token");
}

pub(crate) async fn the_token_last_put_is_read<B: Backend>(backend: &B) {
    for number in 1..=2 {
        backend.token_row("client-1").put(&token(number)).await.unwrap();
        assert_eq!(read(backend, "client-1").await, Some(written(number)));
    }
}

pub(crate) async fn the_right_to_mint_has_one_holder_at_a_time<B: Backend>(backend: &B) {
    let (row, other) = (backend.token_row("client-1"), backend.token_row("client-1"));
    row.put(&token(1)).await.unwrap();
    assert!(row.lock("a", NOW_MS, UNTIL_MS).await.unwrap());
    assert!(!other.lock("b", NOW_MS + 1, UNTIL_MS).await.unwrap());
    assert!(row.lock("a", NOW_MS + 1, UNTIL_MS).await.unwrap());
    assert_eq!(read(backend, "client-1").await, Some(written(1)), "the old token is there meanwhile");
    assert!(other.lock("b", UNTIL_MS, UNTIL_MS + 1).await.unwrap());
}

pub(crate) async fn a_put_gives_the_right_to_mint_back<B: Backend>(backend: &B) {
    let (row, other) = (backend.token_row("client-1"), backend.token_row("client-1"));
    assert!(row.lock("a", NOW_MS, UNTIL_MS).await.unwrap());
    row.put(&token(1)).await.unwrap();
    assert!(other.lock("b", NOW_MS + 1, UNTIL_MS).await.unwrap());
    assert!(!row.lock("a", NOW_MS + 2, UNTIL_MS).await.unwrap());
}

pub(crate) async fn client_ids_do_not_share_anything<B: Backend>(backend: &B) {
    let (one, two) = (backend.token_row("client-1"), backend.token_row("client-2"));
    one.put(&token(1)).await.unwrap();
    assert!(two.token().await.unwrap().is_none());
    assert!(one.lock("a", NOW_MS, UNTIL_MS).await.unwrap());
    assert!(two.lock("b", NOW_MS, UNTIL_MS).await.unwrap());
    assert!(drain(backend, "c", NOW_MS, UNTIL_MS).await, "nor with the drain");
}

async fn drain<B: Backend>(backend: &B, holder: &str, now_ms: u64, until_ms: u64) -> bool {
    backend.sessions().acquire_drain(holder, now_ms, until_ms).await.unwrap()
}

fn token(number: u64) -> StoredToken {
    let (text, issued_at_ms, expires_at_ms) = written(number);
    StoredToken { access_token: Secret::new(text), issued_at_ms, expires_at_ms }
}

fn written(number: u64) -> (String, u64, u64) {
    (format!("token-{number}"), NOW_MS + number, NOW_MS + number + 3_600_000)
}

async fn read<B: Backend>(backend: &B, client_id: &str) -> Option<(String, u64, u64)> {
    let token = backend.token_row(client_id).token().await.unwrap()?;
    Some((token.access_token.expose().to_owned(), token.issued_at_ms, token.expires_at_ms))
}
