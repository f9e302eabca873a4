//! The hybrid strategy for one session: first the way that is known, then what the call log says.

use super::{
    Archiver, Stop, Summary,
    carry::Carried,
    look::{Look, Missed},
};
use crate::{
    domain::{
        call_log::Verdict,
        day::millis,
        ids::RecordingId,
        session::{RecordingState, Silence},
    },
    ports::{
        archive_store::ArchiveStore,
        clock::{Chance, Clock},
        recording_source::{Closed, LiveCall, Place, RecordingSource, SourceError},
        session_store::SessionStore,
    },
};

/// What becomes of a recording that the call log does not offer and the media URL was not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untried {
    /// The media URL is asked now.
    AskDirect,
    /// There was no permit for it: if it was never tried it keeps its place, else it waits with the log's word.
    Leave,
}

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    /// A session in which recordings are ready only because nothing has been heard of it: before any permit of the
    /// group that recordings are in, the vendor is asked whether the call still runs. Where it cannot tell, it is tried.
    pub(super) async fn ask_whether_it_runs(&self, look: &mut Look, wait_until_ms: u64) -> Result<(), Stop> {
        let todo = look.todo(self.schedule, self.clock.now_ms());
        if todo.iter().all(|recording| look.row.is_over(recording)) {
            return Ok(());
        }
        match self.source.live(&look.row.key.session, wait_until_ms).await {
            Ok(LiveCall::Running { ended }) => {
                look.standing.runs = true;
                let news: Vec<_> = ended.difference(&look.row.ended).cloned().collect();
                look.row.ended.extend(news.iter().cloned());
                look.found.ended.extend(news);
            }
            Ok(LiveCall::Over) => {}
            // It is asked again after another quiet period; what is known to be over need not wait for that.
            Err(SourceError::Closed(Closed::Throttled { .. })) => look.standing.runs = true,
            Err(SourceError::Closed(closed)) => return Err(Stop::Closed(closed)),
            Err(error) => tracing::debug!(session.id = %look.row.key.session, %error, "cannot tell whether it runs"),
        }
        Ok(())
    }

    /// Tries each recording the way that is known: what the bucket may hold already, the address the call log gave, or,
    /// for at most `direct` of them, the media URL.
    pub(super) async fn try_known(
        &self,
        look: &mut Look,
        direct: usize,
        wait_until_ms: u64,
        summary: &mut Summary,
    ) -> Result<(), Stop> {
        let mut direct_left = direct;
        for recording in look.todo(self.schedule, self.clock.now_ms()) {
            if self.adopt_earlier(look, &recording, summary).await {
                look.tried.push(recording);
                continue;
            }
            match look.address(&recording) {
                Some(content_uri) => {
                    let carried = self.carry_listed(look, &recording, &content_uri, wait_until_ms, summary).await?;
                    self.conclude_or_miss(look, &recording, carried, Some(content_uri));
                }
                None if direct_left > 0 && !look.missed.contains_key(&recording) => {
                    direct_left -= 1;
                    let carried = self.carry_direct(look, &recording, wait_until_ms, summary).await?;
                    self.conclude_or_miss(look, &recording, carried, None);
                }
                None => {}
            }
        }
        Ok(())
    }

    /// What is left after the call log was asked: fetches what it offers, ends what it says will never be, and lets the
    /// rest wait. `untried` is for what it does not offer and the media URL has not been asked for.
    pub(super) async fn heed_the_log(
        &self,
        look: &mut Look,
        untried: Untried,
        wait_until_ms: u64,
        summary: &mut Summary,
    ) -> Result<(), Stop> {
        for recording in look.todo(self.schedule, self.clock.now_ms()) {
            // What the bucket was found to hold of another one may have ended this one, too.
            if look.row.result(&recording).state.is_final() {
                continue;
            }
            if let Some(content_uri) = look.address(&recording) {
                match self.carry_listed(look, &recording, &content_uri, wait_until_ms, summary).await? {
                    Carried::Archived => look.tried.push(recording),
                    Carried::NotServed { why, bar, denied: _ } => {
                        if let Some(bar) = bar {
                            look.barred.insert(recording.clone(), bar);
                        }
                        self.wait(look, &recording, &format!("contentUri: {why}"));
                    }
                    Carried::NotStored(why) => self.wait(look, &recording, &why),
                }
                continue;
            }
            let verdict = look.answer.as_ref().map(|answer| match answer {
                Ok(answer) => Ok(answer.verdict(&look.row, &recording)),
                Err(why) => Err(why.clone()),
            });
            if verdict == Some(Ok(Verdict::TooShort)) {
                let reason = format!("call log: marked shortRecording ({} records)", records(look));
                self.conclude(look, &recording, RecordingState::TooShort, &reason);
                continue;
            }
            if !look.missed.contains_key(&recording) {
                match untried {
                    Untried::Leave if look.row.result(&recording).at_ms == 0 => continue,
                    Untried::Leave => {}
                    Untried::AskDirect => {
                        let carried = self.carry_direct(look, &recording, wait_until_ms, summary).await?;
                        self.conclude_or_miss(look, &recording, carried, None);
                        if look.tried.contains(&recording) {
                            continue;
                        }
                    }
                }
            }
            match verdict {
                Some(Ok(Verdict::Silent)) => self.hear_silence(look, &recording, summary).await,
                Some(Ok(Verdict::Offered(_))) => self.wait(look, &recording, "call log: offered there"),
                Some(Ok(Verdict::Unsaid | Verdict::TooShort)) => {
                    self.wait(look, &recording, "call log: not offered, and it does not speak for all calls");
                }
                None => self.wait(look, &recording, "call log: not offered on its pages"),
                Some(Err(why)) => self.wait(look, &recording, &format!("call log: {why}")),
            }
        }
        Ok(())
    }

    async fn carry_direct(
        &self,
        look: &mut Look,
        recording: &RecordingId,
        wait_until_ms: u64,
        summary: &mut Summary,
    ) -> Result<Carried, Stop> {
        self.carry(look, recording, Place::Direct(recording), wait_until_ms, summary).await
    }

    async fn carry_listed(
        &self,
        look: &mut Look,
        recording: &RecordingId,
        content_uri: &str,
        wait_until_ms: u64,
        summary: &mut Summary,
    ) -> Result<Carried, Stop> {
        self.carry(look, recording, Place::Listed(content_uri), wait_until_ms, summary).await
    }

    fn conclude_or_miss(
        &self,
        look: &mut Look,
        recording: &RecordingId,
        carried: Carried,
        content_uri: Option<String>,
    ) {
        match carried {
            Carried::Archived => look.tried.push(recording.clone()),
            Carried::NotStored(why) => self.wait(look, recording, &why),
            Carried::NotServed { why, bar, denied } => {
                let why = format!("{}: {why}", if content_uri.is_some() { "contentUri" } else { "direct" });
                look.missed.insert(recording.clone(), Missed { why, content_uri, bar, denied });
            }
        }
    }

    /// What was missed is not asked about in this look: it waits.
    pub(super) fn let_the_missed_wait(&self, look: &mut Look) {
        let missed: Vec<RecordingId> = look.missed.keys().cloned().collect();
        missed.iter().for_each(|recording| self.wait(look, recording, "the call log was not asked"));
    }

    /// The log's pages do not offer these yet. It is early: they climb the ladder.
    pub(super) fn let_the_unoffered_wait(&self, look: &mut Look) {
        for recording in look.todo(self.schedule, self.clock.now_ms()) {
            if look.address(&recording).is_none() {
                self.wait(look, &recording, "call log: not offered on its pages");
            }
        }
    }

    /// A whole answer of the company's log without the recording: it ends if the first such answer was long enough ago, the
    /// vendor denies it where it was asked for the bytes, too, and the bucket knows nothing of it.
    async fn hear_silence(&self, look: &mut Look, recording: &RecordingId, summary: &mut Summary) {
        let silence = Silence {
            at_ms: self.clock.now_ms(),
            records: records(look),
            was_offered: look.row.was_offered(recording),
            unlisted_after_ms: millis(self.schedule.unlisted_after),
        };
        let mut reason = silence.reason();
        let mut result = look.row.result(recording);
        let state = result.hear(silence);
        look.set(recording, result);
        let Some(missed) = look.missed.get(recording).filter(|_| state.is_final()) else {
            return self.wait(look, recording, &reason);
        };
        let kept_until_ms = look.row.happened_ms.saturating_add(millis(self.retention));
        match (missed.denied, missed.bar) {
            (true, _) => {}
            (false, _) if silence.at_ms >= kept_until_ms => reason.push_str("; the vendor keeps none so long"),
            (false, bar) => {
                // The log will not help any more: only who opens the way that is left can.
                look.barred.extend(bar.map(|bar| (recording.clone(), bar)));
                return self.wait(look, recording, &reason);
            }
        }
        match self.recall(look, recording, summary).await {
            Ok(true) => look.tried.push(recording.clone()),
            Ok(false) => self.conclude(look, recording, state, &reason),
            Err(why) => self.wait(look, recording, &why),
        }
    }

    pub(super) fn wait(&self, look: &mut Look, recording: &RecordingId, reason: &str) {
        self.conclude(look, recording, RecordingState::Waiting, reason);
    }

    /// This look is through with a recording. The reason names every way that was tried.
    fn conclude(&self, look: &mut Look, recording: &RecordingId, state: RecordingState, reason: &str) {
        let missed = look.missed.remove(recording);
        if let Some(Missed { bar: Some(bar), content_uri: Some(_), .. }) = missed {
            look.barred.insert(recording.clone(), bar);
        }
        let reason = missed.map_or_else(|| reason.to_owned(), |missed| format!("{}; {reason}", missed.why));
        tracing::info!(recording.id = %recording, session.id = %look.row.key.session, state = state.name(),
            attempt = look.row.attempts, reason, "not archived");
        let mut result = look.row.result(recording);
        result.state = state;
        result.reason = Some(reason);
        result.at_ms = self.clock.now_ms();
        look.set(recording, result);
        look.tried.push(recording.clone());
    }
}

/// How many records the call log had of this very call.
fn records(look: &Look) -> usize {
    look.answer.as_ref().and_then(|answer| answer.as_ref().ok()).map_or(0, |answer| answer.records)
}
