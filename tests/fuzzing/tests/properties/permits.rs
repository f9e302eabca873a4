//! Several processes, each with a clock of its own, send by one ledger: the vendor never sees more than its limit.

use std::collections::BTreeMap;

use proptest::{option, prelude::*};
use shared::domain::permits::{Group, Ledger, PermitId, Plan, Reserved, Share};

use crate::cases;

/// What `clients::ringcentral::permits` keeps to: a permit is sent so soon, answered so soon after, or given up; and a
/// request that was given up may have come so much later. Milliseconds.
const SENT_WITHIN_MS: u64 = 10_000;
const ANSWERED_WITHIN_MS: u64 = 30_000;
const LATER_STILL_MS: u64 = 5_000;

/// A time that all clocks are ahead of by 0 to 100 ms.
const BEGIN_MS: u64 = 1_776_124_800_000;

#[derive(Debug, Clone)]
struct History {
    limit: u32,
    window_ms: u64,
    /// Whether the vendor has said so before.
    heard: bool,
    share_percent: u32,
    holders: Vec<Holder>,
    wishes: Vec<Wish>,
}

#[derive(Debug, Clone)]
struct Holder {
    ahead_ms: u64,
    shares: bool,
}

/// Somebody wants permits, so many, after a while; or as soon as there can be one.
#[derive(Debug, Clone)]
struct Wish {
    holder: usize,
    /// In thousandths of the window.
    after: Option<u64>,
    fates: Vec<Fate>,
}

/// What becomes of a permit that is granted. All times are milliseconds.
#[derive(Debug, Clone)]
struct Fate {
    sent_after: u64,
    arrives_after: u64,
    replied_after: u64,
    /// How much later than the reply the ledger is told.
    told_after: u64,
    end: End,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Answered,
    /// A 429 that asks for so long a pause.
    Refused(u64),
    /// The process dies: nobody is told.
    Lost,
    /// It is never sent.
    Unsent,
}

fn mostly_short(longest_ms: u64) -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..300_u64, 3 => 0..3_000_u64, 1 => 0..=longest_ms]
}

fn fate() -> impl Strategy<Value = Fate> {
    let end = prop_oneof![
        12 => Just(End::Answered),
        1 => (0..90_000_u64).prop_map(End::Refused),
        1 => Just(End::Lost),
        1 => Just(End::Unsent),
    ];
    let times = (
        mostly_short(SENT_WITHIN_MS),
        mostly_short(ANSWERED_WITHIN_MS + LATER_STILL_MS),
        mostly_short(ANSWERED_WITHIN_MS),
        mostly_short(20_000),
    );
    (times, end).prop_map(|((sent_after, arrives_after, replied_after, told_after), end)| Fate {
        sent_after,
        arrives_after,
        replied_after,
        told_after,
        end,
    })
}

fn history() -> impl Strategy<Value = History> {
    let holder = (0..=100_u64, any::<bool>()).prop_map(|(ahead_ms, shares)| Holder { ahead_ms, shares });
    let wish = (0..4_usize, option::weighted(0.5, 0..400_u64), prop::collection::vec(fate(), 1..6));
    let wish = wish.prop_map(|(holder, after, fates)| Wish { holder, after, fates });
    (
        (1..=12_u32, prop_oneof![500..5_000_u64, Just(60_000)], any::<bool>(), 1..=100_u32),
        prop::collection::vec(holder, 4),
        prop::collection::vec(wish, 1..60),
    )
        .prop_map(|((limit, window_ms, heard, share_percent), holders, wishes)| History {
            limit,
            window_ms,
            heard,
            share_percent,
            holders,
            wishes,
        })
}

/// What happens at a time of the vendor's.
enum Event {
    Arrives {
        shared: bool,
    },
    /// The ledger is told, with the time of the holder's clock.
    Answered {
        id: PermitId,
        at_ms: u64,
        frozen_until_ms: Option<u64>,
    },
    GivenBack {
        id: PermitId,
    },
}

/// The ledger and its vendor.
struct Scene<'a> {
    history: &'a History,
    ledger: Ledger,
    now_ms: u64,
    ahead: BTreeMap<(u64, usize), Event>,
    made: usize,
    arrivals: Vec<(u64, bool)>,
    /// Penalties that the ledger knows of, by the vendor's time.
    penalties: Vec<(u64, u64)>,
    granted: Vec<u64>,
}

impl Scene<'_> {
    fn plan(&mut self, at_ms: u64, event: Event) {
        self.made += 1;
        self.ahead.insert((at_ms, self.made), event);
    }

    fn pass_until(&mut self, until_ms: u64) {
        while let Some(next) = self.ahead.first_entry().filter(|next| next.key().0 <= until_ms) {
            let ((at_ms, _), event) = next.remove_entry();
            match event {
                Event::Arrives { shared } => self.arrivals.push((at_ms, shared)),
                Event::GivenBack { id } => self.ledger.give_back(&id),
                Event::Answered { id, at_ms: of_clock_ms, frozen_until_ms } => {
                    self.ledger.answered(&id, of_clock_ms);
                    self.ledger
                        .follow(Plan { limit: Some(self.history.limit), window_ms: Some(self.history.window_ms) });
                    if let Some(until_ms) = frozen_until_ms {
                        self.ledger.freeze(until_ms);
                    }
                }
            }
        }
        self.now_ms = self.now_ms.max(until_ms);
    }

    fn share(&self, holder: usize) -> Share {
        if self.history.holders[holder].shares {
            Share::of_percent(self.history.share_percent).unwrap()
        } else {
            Share::WHOLE
        }
    }

    fn wish(&mut self, number: usize, wish: &Wish) {
        let Holder { ahead_ms, .. } = self.history.holders[wish.holder];
        let share = self.share(wish.holder);
        let id = |n| PermitId::new(&format!("h{}", wish.holder), (number * 100 + n) as u64, share);
        let ids: Vec<_> = (0..wish.fates.len()).map(id).collect();
        if let Some(after) = wish.after {
            self.pass_until(self.now_ms + after * self.history.window_ms / 1_000);
        }
        for _ in 0..3 {
            let clock_ms = self.now_ms + ahead_ms;
            let by_ms = clock_ms + SENT_WITHIN_MS + ANSWERED_WITHIN_MS + LATER_STILL_MS;
            match self.reserve(&ids, share, clock_ms, by_ms) {
                Reserved::Granted(granted) => {
                    for (id, fate) in granted.into_iter().zip(&wish.fates) {
                        self.granted.push(self.now_ms);
                        self.send(id, fate, wish.holder);
                    }
                    return;
                }
                Reserved::NotBefore(at_ms) => self.pass_until((at_ms - ahead_ms).max(self.now_ms)),
            }
        }
    }

    /// Who wishes the same again, because he does not know whether it was written, gets the same. And who waits as long as he
    /// is told, and nobody comes before him, gets something.
    fn reserve(&mut self, ids: &[PermitId], share: Share, clock_ms: u64, by_ms: u64) -> Reserved {
        let reserved = self.ledger.reserve(ids, share, clock_ms, by_ms);
        let mut again = self.ledger.clone();
        assert_eq!(again.reserve(ids, share, clock_ms, by_ms), reserved);
        assert_eq!(again, self.ledger);
        if let Reserved::NotBefore(at_ms) = reserved {
            assert!(at_ms > clock_ms, "there is something to wait for");
            let frozen = clock_ms < self.ledger.frozen_until_ms;
            if self.ledger.heard && !frozen {
                assert!(matches!(again.reserve(ids, share, at_ms, by_ms), Reserved::Granted(_)), "at {at_ms}");
            }
        }
        reserved
    }

    fn send(&mut self, id: PermitId, fate: &Fate, holder: usize) {
        let Holder { ahead_ms, shares } = self.history.holders[holder];
        let sent_ms = self.now_ms + fate.sent_after;
        if let End::Unsent = fate.end {
            return self.plan(sent_ms, Event::GivenBack { id });
        }
        self.plan(sent_ms + fate.arrives_after, Event::Arrives { shared: shares });
        let took_ms = fate.arrives_after + fate.replied_after;
        let given_up = took_ms > ANSWERED_WITHIN_MS;
        let seen_ms = sent_ms + took_ms.min(ANSWERED_WITHIN_MS);
        let at_ms = seen_ms + ahead_ms + if given_up { LATER_STILL_MS } else { 0 };
        let told_ms = seen_ms + fate.told_after;
        let frozen_until_ms = match fate.end {
            End::Answered => None,
            End::Refused(pause_ms) if !given_up => {
                self.penalties.push((told_ms, seen_ms + pause_ms));
                Some(seen_ms + ahead_ms + pause_ms)
            }
            End::Refused(_) => None,
            End::Lost | End::Unsent => return,
        };
        self.plan(told_ms, Event::Answered { id, at_ms, frozen_until_ms });
    }

    /// The most of these that are in a window, wherever it begins.
    fn most_in_a_window(&self, counts: impl Fn(bool) -> bool) -> usize {
        let times: Vec<u64> =
            self.arrivals.iter().filter(|(_, shared)| counts(*shared)).map(|(at_ms, _)| *at_ms).collect();
        let within = |from_ms: u64| {
            let window = from_ms..from_ms + self.history.window_ms;
            times.iter().filter(|at_ms| window.contains(at_ms)).count()
        };
        times.iter().map(|from_ms| within(*from_ms)).max().unwrap_or_default()
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn whatever_becomes_of_the_permits_the_vendor_sees_no_more_than_its_limit(history in history()) {
        let mut ledger = Ledger::of(&Group::heavy());
        if history.heard {
            ledger.follow(Plan { limit: Some(history.limit), window_ms: Some(history.window_ms) });
        }
        let mut scene = Scene {
            history: &history,
            ledger,
            now_ms: BEGIN_MS,
            ahead: BTreeMap::new(),
            made: 0,
            arrivals: Vec::new(),
            penalties: Vec::new(),
            granted: Vec::new(),
        };
        for (number, wish) in history.wishes.iter().enumerate() {
            scene.wish(number, wish);
        }
        scene.pass_until(u64::MAX);
        let limit = history.limit as usize;
        prop_assert!(scene.most_in_a_window(|_| true) <= limit);
        let share = (limit * history.share_percent as usize / 100).max(1);
        prop_assert!(scene.most_in_a_window(|shared| shared && share < limit) <= share);
        for (told_ms, until_ms) in &scene.penalties {
            let early = scene.granted.iter().find(|at_ms| (told_ms..until_ms).contains(at_ms));
            prop_assert_eq!(early, None, "a penalty from {} to {}", told_ms, until_ms);
        }
    }
}
