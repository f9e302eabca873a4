//! What the program brings on itself: refusals by the vendor, and sign-ins nobody needs.

use futures_util::FutureExt;
use ringcentral_sim::core::RateGroup;
use shared::ports::token_store::{StoredToken, TokenStore};

use super::Judge;
use crate::{received::WINDOW_MS, world::MINUTE_MS};

/// A token is renewed five minutes before its end: one that lives longer than this, milliseconds, is good on every clock.
const GOOD_FOR_MS: u64 = 10 * MINUTE_MS;

impl Judge {
    /// Whoever signs in while the table has a token that lives on, and that the vendor has not refused, ends somebody's
    /// session sooner or later: the vendor keeps a few (API.md §2).
    pub(super) fn look_at_sign_ins(&mut self) {
        let received = self.vendor.received.borrow();
        let news = received[self.received..].iter();
        let signed_in = news.filter(|one| one.group == Some(RateGroup::Auth)).map(|one| one.at_ms).max();
        self.received = received.len();
        let refused_since = |token: &StoredToken| {
            let refused = received.iter().rev().find(|one| one.status == 401);
            refused.is_some_and(|one| one.at_ms >= token.issued_at_ms)
        };
        let needless = signed_in.is_some_and(|at_ms| {
            self.token().is_some_and(|token| at_ms + GOOD_FOR_MS < token.expires_at_ms && !refused_since(&token))
        });
        drop(received);
        if needless {
            self.complain("a function signs in although the table has a token that lives on".to_owned());
        }
    }

    /// A 429 of the limit itself, outside of a penalty that is running, is the program's own fault: it has counted wrong. It
    /// counts right as far as its instances' clocks agree on a window, and since the ledger was lost in which they count.
    pub(crate) fn look_at_refusals(&mut self) {
        let limit = self.vendor.core.borrow().settings().heavy_limit;
        let window_ms = WINDOW_MS - self.knobs.too_far_apart_ms();
        let losses = self.vendor.penalties.borrow().lost_at_ms().to_vec();
        let mut free_at_ms = 0;
        let mut let_in = Vec::new();
        let mut own = Vec::new();
        for one in self.vendor.received.borrow().iter().filter(|one| one.group == Some(RateGroup::Heavy)) {
            if one.is_let_in() {
                let_in.push(one.at_ms);
                continue;
            }
            let lost_ms = losses.iter().rfind(|lost_ms| **lost_ms <= one.at_ms).copied().unwrap_or_default();
            let counts = |at_ms: &&u64| **at_ms >= lost_ms && **at_ms + window_ms > one.at_ms;
            let counted = let_in.iter().rev().take_while(counts).count();
            let is_own = !one.out_of_turn && one.at_ms >= free_at_ms && counted >= limit;
            own.extend(is_own.then(|| one.target.clone()));
            free_at_ms = one.at_ms + WINDOW_MS;
        }
        for target in own {
            self.complain(format!("the program passed the vendor's limit by itself with {target}"));
        }
    }

    fn token(&self) -> Option<StoredToken> {
        let client_id = self.vendor.core.borrow().settings().client_id.clone();
        // The memory table answers at once.
        self.table.token_row(&client_id).state().now_or_never()?.ok()?.token
    }
}
