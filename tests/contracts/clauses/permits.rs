//! `PermitStore`.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use shared::{
    domain::permits::{Group, Ledger, PermitId, Share},
    ports::{
        permit_store::{KeptLedger, PermitStore, Replaced},
        session_store::SessionStore,
        token_store::TokenStore,
    },
};

use super::NOW_MS;
use crate::backends::Backend;

pub(crate) async fn a_ledger_nobody_wrote_is_the_documented_one<B: Backend>(backend: &B) {
    let rows = backend.permit_rows("client-1");
    for (name, limit) in [("heavy", 10), ("medium", 40), ("light", 50), ("auth", 5), ("media-2", 10)] {
        let ledger = Ledger { heard: false, limit, window_ms: 60_000, frozen_until_ms: 0, uses: BTreeMap::new() };
        assert_eq!(rows.ledger(&group(name)).await.unwrap(), KeptLedger { ledger, rev: 0 }, "{name}");
    }
}

pub(crate) async fn what_is_replaced_is_read_back_exactly<B: Backend>(backend: &B) {
    let (rows, others) = (backend.permit_rows("client-1"), backend.permit_rows("client-1"));
    let full = ledger(&[("run-1/1", NOW_MS), ("run-1/2", NOW_MS), ("9f:ü .\"#:one/0", 0), ("run-2/7", u64::MAX)]);
    let frozen = Ledger { frozen_until_ms: NOW_MS + 60_000, ..full.clone() };
    let fewer = ledger(&[("run-1/2", NOW_MS + 1)]);
    let learned = Ledger { heard: true, limit: u32::MAX, window_ms: 1, ..ledger(&[]) };
    for (rev, written) in (0..).zip([full, frozen, fewer, learned]) {
        assert_eq!(rows.replace(&Group::heavy(), rev, &written).await.unwrap(), Replaced::Done);
        let read = others.ledger(&Group::heavy()).await.unwrap();
        assert_eq!(read, KeptLedger { ledger: written, rev: rev + 1 });
    }
}

pub(crate) async fn a_ledger_of_sixty_uses_survives<B: Backend>(backend: &B) {
    let rows = backend.permit_rows("client-1");
    let uses =
        (0..60).map(|n| (PermitId::new("0d6a9f5e-3c1b-4f6e-8a55-1f2a6b7c8d9e", n, Share::WHOLE), NOW_MS + n)).collect();
    let written = Ledger { limit: 60, uses, ..Ledger::of(&Group::light()) };
    assert_eq!(rows.replace(&Group::light(), 0, &written).await.unwrap(), Replaced::Done);
    assert_eq!(rows.ledger(&Group::light()).await.unwrap().ledger, written);
}

pub(crate) async fn a_replace_on_an_old_rev_writes_nothing_and_answers_the_newer_ledger<B: Backend>(backend: &B) {
    let rows = backend.permit_rows("client-1");
    let (older, newer) = (ledger(&[("run-1/1", NOW_MS)]), ledger(&[("run-1/1", NOW_MS), ("run-2/1", NOW_MS + 1)]));
    let late = Ledger { heard: true, limit: 1, window_ms: 2, frozen_until_ms: 3, ..ledger(&[("run-3/1", NOW_MS)]) };
    rows.replace(&Group::heavy(), 0, &older).await.unwrap();
    rows.replace(&Group::heavy(), 1, &newer).await.unwrap();
    let kept = KeptLedger { ledger: newer, rev: 2 };
    for rev in [0, 1, 3, u64::MAX] {
        let replaced = rows.replace(&Group::heavy(), rev, &late).await.unwrap();
        assert_eq!(replaced, Replaced::Changed(kept.clone()), "{rev}");
    }
    assert_eq!(rows.ledger(&Group::heavy()).await.unwrap(), kept);
    assert_eq!(rows.replace(&Group::heavy(), 2, &late).await.unwrap(), Replaced::Done);
}

pub(crate) async fn a_replace_made_again_answers_what_it_wrote<B: Backend>(backend: &B) {
    let rows = backend.permit_rows("client-1");
    let written = ledger(&[("run-1/1", NOW_MS)]);
    assert_eq!(rows.replace(&Group::heavy(), 0, &written).await.unwrap(), Replaced::Done);
    let again = rows.replace(&Group::heavy(), 0, &written).await.unwrap();
    assert_eq!(again, Replaced::Changed(KeptLedger { ledger: written, rev: 1 }));
}

pub(crate) async fn a_replace_of_a_ledger_that_is_not_there_writes_nothing<B: Backend>(backend: &B) {
    let rows = backend.permit_rows("client-1");
    let nothing = KeptLedger { ledger: Ledger::of(&Group::auth()), rev: 0 };
    let replaced = rows.replace(&Group::auth(), 1, &ledger(&[("run-1/1", NOW_MS)])).await.unwrap();
    assert_eq!(replaced, Replaced::Changed(nothing.clone()));
    assert_eq!(rows.ledger(&Group::auth()).await.unwrap(), nothing);
}

pub(crate) async fn of_ten_replaces_of_one_rev_at_once_one_is_done<B: Backend>(backend: &B) {
    let (rows, group) = (backend.permit_rows("client-1"), Group::heavy());
    let wishes: Vec<Ledger> = (0..10).map(|n| ledger(&[(&format!("run-{n}/1"), NOW_MS)])).collect();
    for rev in [0, 1] {
        let replaced = join_all(wishes.iter().map(|wish| rows.replace(&group, rev, wish))).await;
        let kept = rows.ledger(&group).await.unwrap();
        assert_eq!(kept.rev, rev + 1);
        for (wish, replaced) in wishes.iter().zip(replaced) {
            let done = *wish == kept.ledger;
            assert_eq!(replaced.unwrap(), if done { Replaced::Done } else { Replaced::Changed(kept.clone()) });
        }
    }
}

pub(crate) async fn groups_and_client_ids_do_not_share_anything<B: Backend>(backend: &B) {
    let (one, two) = (backend.permit_rows("client-1"), backend.permit_rows("client-2"));
    one.replace(&Group::heavy(), 0, &ledger(&[("run-1/1", NOW_MS)])).await.unwrap();
    for (rows, group) in [(&one, Group::light()), (&one, group("heavy-2")), (&two, Group::heavy())] {
        let nothing = KeptLedger { ledger: Ledger::of(&group), rev: 0 };
        assert_eq!(rows.ledger(&group).await.unwrap(), nothing, "{group}");
        assert_eq!(rows.replace(&group, 0, &ledger(&[])).await.unwrap(), Replaced::Done, "{group}");
    }
    assert_eq!(one.ledger(&Group::heavy()).await.unwrap().ledger, ledger(&[("run-1/1", NOW_MS)]));
    assert!(backend.token_row("client-1").state().await.unwrap().token.is_none(), "nor with the token");
    assert_eq!(backend.sessions().count_due(u64::MAX).await.unwrap(), 0, "nor with sessions");
}

fn group(name: &str) -> Group {
    Group::parse(name).unwrap()
}

/// A ledger of the Heavy group.
fn ledger(uses: &[(&str, u64)]) -> Ledger {
    let uses = uses.iter().map(|(id, answered_ms)| (PermitId::from_row((*id).to_owned()), *answered_ms)).collect();
    Ledger { uses, ..Ledger::of(&Group::heavy()) }
}
