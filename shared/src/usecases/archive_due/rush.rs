//! A backlog: the call log is asked first, for as many sessions as a page holds, so that every request after it brings a
//! recording. Permits are waited for, and transfers run beside each other.

use std::collections::VecDeque;

use futures_util::{
    FutureExt, StreamExt,
    future::{LocalBoxFuture, join_all},
    stream::FuturesUnordered,
};

use super::{
    Archiver, BACKLOG, Shift, Stop, Summary,
    ask::{LOOK_AHEAD_MS, Others},
    hybrid::Untried,
    look::Look,
    pass_over,
};
use crate::{
    failure::Class,
    ports::{
        archive_store::ArchiveStore,
        clock::{Chance, Clock},
        recording_source::RecordingSource,
        session_store::{Order, SessionStore, StoreError},
    },
};

/// Transfers at once.
const TRANSFERS: usize = 10;

/// How many sessions are taken at a time, and how many of those that became due last beside them: fresh work has one
/// request in ten, whatever lies before it.
const TAKEN: usize = 18;
const FRESH: usize = 2;

/// So many recordings lie between the oldest session in hand and the end of the page that is asked for it: fewer than a
/// page has records, so that the first page reaches back to it.
const AHEAD: u64 = 800;

/// How a session is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// The call log has said where its recordings are.
    Known,
    /// It has just become due, or the log's pages cannot be read: the media URL, and no question.
    Fresh,
    /// An earlier look came to nothing: the log is asked about this very call, and then the media URL.
    Thorough,
}

/// Sessions in hand.
#[derive(Default)]
struct Hand {
    ready: VecDeque<(Look, How)>,
    /// The log has not been asked about these.
    unanswered: Vec<Look>,
    /// Whether this run knows that the log cannot be read.
    log_fails: bool,
    /// So often the pages of a question did not reach back far enough. Each time the next ones end at a quarter of the
    /// distance.
    too_far: u32,
    /// Nothing more is due, or too little for a page.
    dry: bool,
}

enum Done {
    Looked(Summary, Result<(), Stop>),
    Refilled(Hand, Summary, Result<(), Stop>),
    PutBack(Summary, Result<(), StoreError>),
}

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    /// Works on the backlog until it is gone or `stop_ms`. What is left in hand when it is gone is answered: too few for
    /// a page.
    pub(super) async fn rush(&self, shift: Shift, summary: &mut Summary) -> Result<Vec<Look>, Stop> {
        let stop_ms = shift.stop_ms;
        let mut hand = Hand::default();
        let mut jobs: FuturesUnordered<LocalBoxFuture<'_, Done>> = FuturesUnordered::new();
        let (mut looking, mut refilling, mut ended) = (0, false, Ok(()));
        loop {
            let on = ended.is_ok() && self.clock.now_ms() < stop_ms;
            while on
                && looking < TRANSFERS
                && let Some((look, how)) = hand.ready.pop_front()
            {
                looking += 1;
                jobs.push(self.look_on(look, how, stop_ms).boxed_local());
            }
            if !on && hand.ready.len() + hand.unanswered.len() > 0 {
                let mut back = std::mem::take(&mut hand.unanswered);
                back.extend(hand.ready.drain(..).map(|(look, _)| look));
                jobs.push(self.return_to_the_queue(back).boxed_local());
            }
            if on && !refilling && !hand.dry && hand.ready.len() < TRANSFERS {
                refilling = true;
                let unanswered = std::mem::take(&mut hand.unanswered);
                let more = Hand { unanswered, log_fails: hand.log_fails, too_far: hand.too_far, ..Hand::default() };
                jobs.push(self.refill(more, shift).boxed_local());
            }
            match jobs.next().await {
                None => break,
                Some(Done::Looked(counted, done)) => {
                    looking -= 1;
                    summary.add(counted);
                    ended = ended.and(done);
                }
                Some(Done::Refilled(more, counted, done)) => {
                    refilling = false;
                    summary.add(counted);
                    hand.ready.extend(more.ready);
                    (hand.unanswered, hand.dry) = (more.unanswered, more.dry);
                    (hand.log_fails, hand.too_far) = (more.log_fails, more.too_far);
                    ended = ended.and(done);
                }
                Some(Done::PutBack(counted, done)) => {
                    summary.add(counted);
                    ended = ended.and(done.map_err(Stop::Store));
                }
            }
        }
        ended.map(|()| hand.unanswered)
    }

    async fn return_to_the_queue(&self, back: Vec<Look>) -> Done {
        let mut summary = Summary::default();
        let done = self.put_back(back, &mut summary).await;
        Done::PutBack(summary, done)
    }

    /// One session from here to its end.
    async fn look_on(&self, mut look: Look, how: How, stop_ms: u64) -> Done {
        let mut summary = Summary::default();
        let done = self.try_as(&mut look, how, stop_ms, &mut summary).await;
        let done = match (done, self.close(&mut look).await) {
            (Err(Stop::Store(error)), _) | (Ok(()), Err(error)) if error.class() == Class::Permanent => {
                pass_over(&look.row.key, &error, &mut summary);
                return Done::Looked(summary, Ok(()));
            }
            (done, closed) => done.and(closed.map_err(Stop::Store)),
        };
        summary.count_session(&look);
        Done::Looked(summary, done)
    }

    async fn try_as(&self, look: &mut Look, how: How, stop_ms: u64, summary: &mut Summary) -> Result<(), Stop> {
        match how {
            How::Known => self.try_known(look, 0, stop_ms, summary).await?,
            How::Fresh => self.try_known(look, usize::MAX, stop_ms, summary).await?,
            How::Thorough => {
                self.try_known(look, 0, stop_ms, summary).await?;
                if self.is_open(look) {
                    self.ask_about(look, stop_ms).await?;
                    self.heed_the_log(look, Untried::AskDirect, stop_ms, summary).await?;
                }
            }
        }
        self.let_the_missed_wait(look);
        Ok(())
    }

    /// Takes what is due next, the longest due first, which the vendor deletes first, and some of the latest. If nothing
    /// of it has an address, the log is asked.
    async fn refill(&self, mut hand: Hand, shift: Shift) -> Done {
        let mut summary = Summary::default();
        let done = self.refill_hand(&mut hand, shift, &mut summary).await;
        Done::Refilled(hand, summary, done)
    }

    async fn refill_hand(&self, hand: &mut Hand, shift: Shift, summary: &mut Summary) -> Result<(), Stop> {
        let stop_ms = shift.stop_ms;
        let now_ms = self.clock.now_ms();
        let oldest = self.sessions.due(now_ms, Order::Oldest, TAKEN).await?;
        let mut latest = self.sessions.due(now_ms, Order::Latest, FRESH).await?;
        latest.retain(|due| !oldest.contains(due));
        let (taken, claimed) = self.claim_all(oldest, shift, summary).await;
        let mut nothing = taken.is_empty();
        self.sort(hand, taken, false, stop_ms, summary).await?;
        claimed?;
        let none_is_known = hand.ready.is_empty();
        let (fresh, claimed) = self.claim_all(latest, shift, summary).await;
        nothing &= fresh.is_empty();
        self.sort(hand, fresh, true, stop_ms, summary).await?;
        claimed?;
        if nothing && hand.unanswered.len() < BACKLOG {
            hand.dry = true;
        } else if none_is_known && !hand.unanswered.is_empty() {
            self.ask_ahead(hand, stop_ms, summary).await?;
        }
        Ok(())
    }

    /// Decides how each is to be looked at. What is not to be fetched now is closed at once.
    async fn sort(
        &self,
        hand: &mut Hand,
        mut looks: Vec<Look>,
        fresh: bool,
        stop_ms: u64,
        summary: &mut Summary,
    ) -> Result<(), Stop> {
        self.restore_all(&mut looks, summary).await;
        let each = looks.iter_mut().map(|look| self.ask_whether_it_runs(look, stop_ms));
        let asked: Result<(), Stop> = join_all(each).await.into_iter().collect();
        if asked.is_err() {
            self.put_back(looks, summary).await?;
            return asked;
        }
        looks.sort_by_key(|look| look.row.seen_at_ms);
        let mut idle = Vec::new();
        for look in looks {
            let todo = look.todo(self.schedule, self.clock.now_ms());
            let tried_before = todo.iter().any(|recording| look.row.result(recording).at_ms > 0);
            match (self.is_open(&look), fresh) {
                _ if todo.is_empty() => idle.push(look),
                (false, _) if tried_before => hand.ready.push_back((look, How::Thorough)),
                (false, _) => hand.ready.push_back((look, How::Known)),
                (true, true) if look.attempts > 1 => hand.ready.push_back((look, How::Thorough)),
                (true, true) => hand.ready.push_front((look, How::Fresh)),
                (true, false) if hand.log_fails && look.attempts > 1 => hand.ready.push_back((look, How::Thorough)),
                (true, false) if hand.log_fails => hand.ready.push_back((look, How::Fresh)),
                (true, false) => hand.unanswered.push(look),
            }
        }
        self.put_back(idle, summary).await?;
        Ok(())
    }

    /// Asks the log about the oldest session in hand and those that came after it, which have most of a page before them.
    /// What it offers of others is written into their rows: whoever comes to them need not ask again.
    async fn ask_ahead(&self, hand: &mut Hand, stop_ms: u64, summary: &mut Summary) -> Result<(), Stop> {
        let mut looks = std::mem::take(&mut hand.unanswered);
        let oldest_ms = looks.iter().map(|look| look.row.seen_at_ms).min().unwrap_or_default();
        let ahead_ms = (AHEAD * self.source.pace_ms()) >> (2 * hand.too_far).min(63);
        let to_ms = (oldest_ms + ahead_ms).min(self.clock.now_ms()) + LOOK_AHEAD_MS;
        let mut open: Vec<&mut Look> = looks.iter_mut().collect();
        let read = match self.read_pages(&mut open, to_ms, Others::AreTold, stop_ms).await {
            Ok(read) => read,
            Err(stop) => {
                self.put_back(looks, summary).await?;
                return Err(stop);
            }
        };
        if let Err(why) = &read {
            tracing::warn!(why, "the call log cannot be read");
            hand.log_fails = true;
        }
        if read.as_ref().is_ok_and(|heard_ms| heard_ms.start > oldest_ms) {
            hand.too_far += 1;
        }
        let was_asked = |look: &Look| match &read {
            Ok(heard_ms) => heard_ms.contains(&look.row.seen_at_ms) || look.row.seen_at_ms == oldest_ms,
            Err(_) => true,
        };
        let mut back = Vec::new();
        for mut look in looks {
            let open = self.is_open(&look);
            if open && !was_asked(&look) {
                hand.unanswered.push(look);
                continue;
            }
            let how = match (&read, open) {
                (_, true) if look.attempts > 1 => How::Thorough,
                (Err(_), true) => How::Fresh,
                (Ok(_), true) => {
                    self.let_the_unoffered_wait(&mut look);
                    How::Known
                }
                (_, false) => How::Known,
            };
            let todo = !look.todo(self.schedule, self.clock.now_ms()).is_empty();
            if todo && hand.ready.len() < TAKEN {
                hand.ready.push_back((look, how));
            } else {
                back.push(look);
            }
        }
        self.put_back(back, summary).await?;
        Ok(())
    }
}
