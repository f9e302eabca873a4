//! No backlog: the media URL first, then one question to the call log for all that it did not give.

use futures_util::future::join_all;

use super::{Archiver, Stop, Summary, hybrid::Untried, look::Look, pass_over};
use crate::{
    domain::ids::RecordingId,
    failure::Class,
    ports::{
        archive_store::ArchiveStore,
        clock::{Chance, Clock},
        recording_source::RecordingSource,
        session_store::SessionStore,
    },
};

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    /// Takes these sessions as far as permits go that are free now; none is waited for. Facts that come meanwhile are
    /// planned for at once.
    pub(super) async fn look_calmly(&self, mut looks: Vec<Look>, summary: &mut Summary) -> Result<(), Stop> {
        while !looks.is_empty() {
            let tried = self.one_round(&mut looks, summary).await;
            let mut changed = Vec::new();
            for mut look in looks {
                let finished = match &tried {
                    Ok(()) => self.finish(&mut look).await,
                    Err(_) => self.close(&mut look).await.map(|()| true),
                };
                match finished {
                    Ok(true) => summary.count_session(&look),
                    Ok(false) => changed.push(look),
                    Err(error) if error.class() == Class::Permanent => pass_over(&look.row.key, &error, summary),
                    // The claim brings the session back by itself.
                    Err(error) if tried.is_err() => {
                        tracing::warn!(session.id = %look.row.key.session, %error, "could not put a session back");
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            tried?;
            looks = changed;
        }
        Ok(())
    }

    /// The hybrid for all of them at once. Of the free permits one is kept for the question.
    async fn one_round(&self, looks: &mut [Look], summary: &mut Summary) -> Result<(), Stop> {
        self.restore_all(looks, summary).await;
        let now_ms = self.clock.now_ms();
        let each = looks.iter_mut().map(|look| self.ask_whether_it_runs(look, now_ms));
        join_all(each).await.into_iter().collect::<Result<(), Stop>>()?;

        while self.try_what_permits_allow(looks, now_ms, summary).await? {}
        self.ask_the_log(looks, now_ms).await?;
        let each = looks.iter_mut().map(|look| {
            self.counted(async move |summary| self.heed_the_log(look, Untried::Leave, now_ms, summary).await)
        });
        collect(join_all(each).await, summary)
    }

    /// Tries every recording the way that is known; of the free permits one is kept for the question to the log, if there
    /// will be one. True if recordings are left that another permit may be free for by now: the vendor may have said so.
    async fn try_what_permits_allow(
        &self,
        looks: &mut [Look],
        now_ms: u64,
        summary: &mut Summary,
    ) -> Result<bool, Stop> {
        let free = self.source.free().await;
        let missed = looks.iter().any(|look| !look.missed.is_empty());
        let mut budget = if missed { free.saturating_sub(1) } else { free.saturating_sub(1).max(1) };
        let (mut spent, mut left) = (0, 0);
        let each = looks.iter_mut().map(|look| {
            let untried = self.untried(look);
            let most = untried.min(budget);
            budget -= most;
            spent += most;
            left += untried - most;
            self.counted(async move |summary| self.try_known(look, most, now_ms, summary).await)
        });
        collect(join_all(each).await, summary)?;
        Ok(spent > 0 && left > 0)
    }

    /// How many recordings are ready for which nothing but the media URL is known, and that has not been asked.
    fn untried(&self, look: &Look) -> usize {
        let todo = look.todo(self.schedule, self.clock.now_ms());
        let untried =
            |recording: &&RecordingId| look.address(recording).is_none() && !look.missed.contains_key(*recording);
        todo.iter().filter(untried).count()
    }

    async fn counted(&self, act: impl AsyncFnOnce(&mut Summary) -> Result<(), Stop>) -> (Summary, Result<(), Stop>) {
        let mut summary = Summary::default();
        let done = match act(&mut summary).await {
            // One row cannot be written; whoever closes it will say so.
            Err(Stop::Store(error)) if error.class() == Class::Permanent => Ok(()),
            done => done,
        };
        (summary, done)
    }
}

/// Adds up what was counted beside each other; the first that stops decides.
fn collect(done: Vec<(Summary, Result<(), Stop>)>, into: &mut Summary) -> Result<(), Stop> {
    let each = done.into_iter().map(|(summary, done)| {
        into.add(summary);
        done
    });
    each.collect::<Vec<_>>().into_iter().collect()
}
