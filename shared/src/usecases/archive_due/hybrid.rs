//! One look at one session: plan, the two ways of the hybrid strategy, finish.

use super::{Archiver, Stop, Summary, carry::Carried, look::Look, pause_ms};
use crate::{
    domain::{
        call_log::{CallLogAnswer, Verdict},
        day::{DAY_MS, millis},
        ids::RecordingId,
        session::{Next, RecordingState, SessionRow, Way},
    },
    ports::{
        archive_store::ArchiveStore,
        clock::{Chance, Clock},
        recording_source::{Closed, LookUp, RecordingSource, SourceError},
        session_store::{Finish, Finished, SessionStore, StoreError},
    },
};

/// How far before the call's day its start may lie: calls run over midnight, and clocks differ.
const LOOK_BACK_MS: u64 = DAY_MS;

/// How many recordings share a look into the call log: their requests and the look's must fit into one window of the
/// vendor's limit, or a call with many recordings would never come to its end.
const PER_LOOK_UP: usize = 3;

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    pub(super) async fn look(&self, row: SessionRow, summary: &mut Summary) -> Result<(), Stop> {
        let mut look = Look::at(row);
        loop {
            let now_ms = self.clock.now_ms();
            let mut todo = look.row.to_fetch(self.schedule, now_ms);
            todo.retain(|recording| !look.tried.contains(recording));
            todo.truncate(PER_LOOK_UP);
            if todo.is_empty() {
                let counts = !look.tried.is_empty();
                let next = look.row.next(self.schedule, &look.tried, now_ms, self.clock.next());
                if self.finish(&mut look, next, counts).await? {
                    summary.count_session(&look.row);
                    return Ok(());
                }
            } else if let Err(stop) = self.try_recordings(&mut look, &todo, summary).await {
                if let Stop::Closed(closed) = &stop {
                    self.put_back(&mut look, closed).await;
                    summary.count_session(&look.row);
                }
                return Err(stop);
            }
        }
    }

    /// Leaves a session because the vendor may not be asked. If some recording has never been tried it comes back as
    /// soon as that is over, and no attempt is counted; if this look has been round, it climbs the ladder. Where the table
    /// fails too, the claim brings the session back by itself.
    async fn put_back(&self, look: &mut Look, closed: &Closed) {
        loop {
            let now_ms = self.clock.now_ms();
            let open_ms = now_ms.saturating_add(pause_ms(closed));
            let todo = look.row.to_fetch(self.schedule, now_ms);
            let untried = todo.iter().any(|recording| look.row.result(recording).at_ms == 0);
            let been_round = !look.tried.is_empty() && !untried;
            let next = match look.row.next(self.schedule, &todo, now_ms, self.clock.next()) {
                Next::Settled => Next::Settled,
                Next::At(due_ms) if been_round => Next::At(due_ms.max(open_ms)),
                Next::At(_) => Next::At(open_ms),
            };
            match self.finish(look, next, been_round).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(session.id = %look.row.key.session, %error, "could not put a session back");
                    return;
                }
            }
        }
    }

    /// Writes the look back; false if facts came meanwhile and the plan must be made anew.
    async fn finish(&self, look: &mut Look, next: Next, counts: bool) -> Result<bool, StoreError> {
        let finish = Finish {
            results: look.changed.clone(),
            next,
            attempts: if counts { look.attempts } else { look.attempts.saturating_sub(1) },
            expires_s: self.schedule.expires_s(self.clock.now_ms()),
        };
        match self.sessions.finish(&look.row.key, look.row.rev, &finish).await? {
            Finished::Done => Ok(true),
            Finished::Changed(row) => {
                look.renew(*row);
                Ok(false)
            }
        }
    }

    /// The hybrid: the direct media URL for each; for those it does not give, one look into the call log.
    async fn try_recordings(&self, look: &mut Look, todo: &[RecordingId], summary: &mut Summary) -> Result<(), Stop> {
        let mut failed = Vec::new();
        for recording in todo {
            if self.adopt_earlier(look, recording, summary).await {
                look.tried.push(recording.clone());
                continue;
            }
            let incoming = self.source.direct(recording).await;
            match self.carry(look, recording, Way::Direct, incoming, summary).await? {
                Carried::Archived => {}
                Carried::NotServed(why) => failed.push((recording, why)),
                Carried::NotStored(why) => self.wait(look, recording, why),
            }
            look.tried.push(recording.clone());
        }
        if failed.is_empty() {
            return Ok(());
        }
        let look_up = LookUp {
            session: look.row.key.session.clone(),
            session_id: look.row.session_id.clone(),
            from_ms: look.row.day.start_ms().saturating_sub(LOOK_BACK_MS),
        };
        let answer = match self.source.look_up(&look_up).await {
            Err(SourceError::Closed(closed)) => return Err(Stop::Closed(closed)),
            answer => answer,
        };
        for (recording, direct) in failed {
            match &answer {
                Ok(answer) => self.fall_back(look, recording, &direct, answer, summary).await?,
                Err(error) => self.wait(look, recording, format!("direct: {direct}; call log: {error}")),
            }
        }
        Ok(())
    }

    async fn fall_back(
        &self,
        look: &mut Look,
        recording: &RecordingId,
        direct: &str,
        answer: &CallLogAnswer,
        summary: &mut Summary,
    ) -> Result<(), Stop> {
        let records = answer.records;
        match answer.verdict(&look.row, recording) {
            Verdict::Offered(content_uri) => {
                let incoming = self.source.listed(&content_uri).await;
                let mut result = look.row.result(recording);
                result.content_uri = Some(content_uri);
                result.silent_since_ms = None;
                look.set(recording, result);
                match self.carry(look, recording, Way::CallLog, incoming, summary).await? {
                    Carried::Archived => {}
                    Carried::NotServed(why) => {
                        self.wait(look, recording, format!("direct: {direct}; contentUri: {why}"));
                    }
                    Carried::NotStored(why) => self.wait(look, recording, why),
                }
            }
            Verdict::TooShort => {
                let reason = format!("the call log marks it shortRecording ({records} records)");
                self.conclude(look, recording, RecordingState::TooShort, reason);
            }
            Verdict::Silent => self.hear_silence(look, recording, direct, records),
            Verdict::Unsaid => {
                let reason = format!("direct: {direct}; call log: not offered, and it does not speak for all calls");
                self.wait(look, recording, reason);
            }
        }
        Ok(())
    }

    /// A whole answer of the company's log without the recording: it ends if the first such answer was long enough ago.
    fn hear_silence(&self, look: &mut Look, recording: &RecordingId, direct: &str, records: usize) {
        let now_ms = self.clock.now_ms();
        let mut result = look.row.result(recording);
        let since_ms = *result.silent_since_ms.get_or_insert(now_ms);
        look.set(recording, result);
        if now_ms.saturating_sub(since_ms) >= millis(self.schedule.unlisted_after) {
            let reason = format!("the call log answered without it ({records} records); direct: {direct}");
            self.conclude(look, recording, RecordingState::Unavailable, reason);
        } else {
            self.wait(look, recording, format!("direct: {direct}; call log: not offered ({records} records)"));
        }
    }

    fn wait(&self, look: &mut Look, recording: &RecordingId, reason: String) {
        self.conclude(look, recording, RecordingState::Waiting, reason);
    }

    fn conclude(&self, look: &mut Look, recording: &RecordingId, state: RecordingState, reason: String) {
        tracing::info!(recording.id = %recording, session.id = %look.row.key.session, state = state.name(),
            attempt = look.row.attempts, reason, "not archived");
        let mut result = look.row.result(recording);
        result.state = state;
        result.reason = Some(reason);
        result.at_ms = self.clock.now_ms();
        look.set(recording, result);
    }
}
