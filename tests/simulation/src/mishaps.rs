//! What befalls the stack as a whole, each once on some days: rows that vanish, a table that is an hour old, a bucket that
//! takes nothing in.

use shared::domain::session::SessionKey;

use crate::{
    faults::Fault,
    knobs::Reconciling,
    poison::Poison,
    world::{HOUR_MS, MIDNIGHT_MS, MINUTE_MS, World},
};

/// The table that comes back is so old, milliseconds.
const BACKUP_AGE_MS: u64 = HOUR_MS;

/// How long the table is away at the longest, milliseconds: what is told meanwhile only a reconciler finds again.
const AWAY_MS: u64 = 15 * MINUTE_MS;
const AWAY_WITH_RECONCILER_MS: u64 = 2 * HOUR_MS;

/// How long the bucket takes nothing in, milliseconds; on some days until the end of all faults.
const REFUSES_AT_LEAST_MS: u64 = 5 * MINUTE_MS;
const REFUSES_AT_MOST_MS: u64 = 4 * HOUR_MS;
const TO_THE_END: f64 = 0.3;

/// Somebody mends a row while the reconciler still reads every hour what the call log has of its call, milliseconds.
const MENDED_WITHIN_MS: u64 = 6 * HOUR_MS;

/// At most so many recordings are poisoned.
const POISONED: u64 = 3;

/// Draws what will befall a world until its faults stop. `recordings` are those that its vendor will offer.
pub(crate) fn plan(world: &World, reconciling: Reconciling, recordings: &[&str]) {
    let until_ms = world.faults.until_ms();
    let has_reconciler = reconciling != Reconciling::Nothing;
    let drawn = |fault| world.faults.plans(fault).then(|| world.dice.between(MIDNIGHT_MS..=until_ms - 1));
    if let Some(at_ms) = drawn(Fault::PermitRowLost) {
        world.spawner.spawn(lose_ledger(world.clone(), at_ms));
    }
    if let Some(at_ms) = drawn(Fault::TokenRowLost) {
        world.spawner.spawn(lose_token(world.clone(), at_ms));
    }
    if let Some(at_ms) = drawn(Fault::RowSpoilt) {
        world.spawner.spawn(spoil(world.clone(), at_ms));
    }
    if let Some(at_ms) = drawn(Fault::TableRestored).filter(|_| has_reconciler) {
        world.spawner.spawn(restore(world.clone(), at_ms));
    }
    if let Some(at_ms) = drawn(Fault::TableDown) {
        let longest_ms = if has_reconciler { AWAY_WITH_RECONCILER_MS } else { AWAY_MS };
        world.spawner.spawn(close_table(world.clone(), at_ms, longest_ms));
    }
    if let Some(at_ms) = drawn(Fault::BucketRefuses) {
        world.spawner.spawn(close_bucket(world.clone(), at_ms));
    }
    if drawn(Fault::RecordingPoisoned).is_some() {
        for _ in 0..world.dice.between(1..=POISONED) {
            let place = world.dice.between(0..=recordings.len() as u64 - 1) as usize;
            let poison = Poison::ALL[world.dice.between(0..=2) as usize];
            world.faults.struck_by(Fault::RecordingPoisoned);
            world.vendor.poison(recordings[place], poison, until_ms);
        }
    }
}

async fn lose_ledger(world: World, at_ms: u64) {
    world.time.sleep_until(at_ms).await;
    world.faults.struck_by(Fault::PermitRowLost);
    let client_id = world.vendor.core.borrow().settings().client_id.clone();
    world.table.permit_rows(&client_id).lose();
    world.vendor.penalties.borrow_mut().lose(at_ms);
}

async fn lose_token(world: World, at_ms: u64) {
    world.time.sleep_until(at_ms).await;
    world.faults.struck_by(Fault::TokenRowLost);
    let client_id = world.vendor.core.borrow().settings().client_id.clone();
    world.table.token_row(&client_id).lose();
}

/// From `at_ms`, epoch milliseconds, on a row that is in the queue cannot be read, until somebody mends it.
async fn spoil(world: World, at_ms: u64) {
    world.time.sleep_until(at_ms).await;
    let queued: Vec<SessionKey> = world.table.with_rows(|rows| {
        let queued = rows.iter().filter(|(_, stored)| stored.queued);
        queued.map(|(key, _)| key.clone()).collect()
    });
    let Some(last) = queued.len().checked_sub(1) else { return };
    let key = &queued[world.dice.between(0..=last as u64) as usize];
    world.faults.struck_by(Fault::RowSpoilt);
    world.table.spoil(key);
    let until_ms = world.faults.until_ms();
    // An older table that takes this one's place may hold the row as it was.
    for at_ms in [until_ms.min(world.time.now_ms() + MENDED_WITHIN_MS), until_ms] {
        world.time.sleep_until(at_ms).await;
        world.table.mend(key);
    }
}

/// At `at_ms`, epoch milliseconds, everything is what it was an hour before: rows, cursors, leases, permits and token.
async fn restore(world: World, at_ms: u64) {
    world.time.sleep_until(at_ms.saturating_sub(BACKUP_AGE_MS).max(MIDNIGHT_MS)).await;
    let backup = world.table.backup();
    let acknowledged = world.functions.acknowledged().len();
    world.time.sleep_until(at_ms).await;
    world.faults.struck_by(Fault::TableRestored);
    world.table.restore(backup);
    world.functions.forget_acknowledged(acknowledged);
    world.vendor.penalties.borrow_mut().lose(at_ms);
}

async fn close_table(world: World, at_ms: u64, longest_ms: u64) {
    let lasts_ms = world.dice.between(MINUTE_MS..=longest_ms);
    world.time.sleep_until(at_ms).await;
    world.faults.struck_by(Fault::TableDown);
    world.closures.close_table((at_ms + lasts_ms).min(world.faults.until_ms()));
}

async fn close_bucket(world: World, at_ms: u64) {
    let (dice, until_ms) = (&world.dice, world.faults.until_ms());
    let lasts_ms = dice.between(REFUSES_AT_LEAST_MS..=REFUSES_AT_MOST_MS);
    let at_ms = if dice.hits(TO_THE_END) { until_ms - lasts_ms } else { at_ms };
    let (gives_out, for_good) = (dice.hits(0.5), dice.hits(0.5));
    world.time.sleep_until(at_ms).await;
    world.faults.struck_by(Fault::BucketRefuses);
    world.closures.close_bucket((at_ms + lasts_ms).min(until_ms), gives_out, for_good);
}
