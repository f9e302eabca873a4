//! One look at one session: plan, hybrid, finish.

use std::collections::BTreeMap;

use super::{Archiver, Stop, Summary};
use crate::{
    domain::{
        call_log::{CallLogAnswer, Verdict},
        day::DAY_MS,
        ids::RecordingId,
        object_key::ObjectKey,
        session::{ArchivedBytes, Next, RecordingResult, RecordingState, SessionRow, Way},
    },
    failure::Class,
    ports::{
        archive_store::{ArchiveStore, Created, Held, NewObject, ObjectOrigin},
        clock::{Chance, Clock},
        recording_source::{Incoming, LookUp, RecordingSource, SourceError},
        session_store::{Finish, Finished, SessionStore},
    },
    usecases::transfer::{self, Opened},
};

/// How far before the call's day its start may lie: calls run over midnight, and clocks differ.
const LOOK_BACK_MS: u64 = DAY_MS;

/// How long a row waits when the vendor refused to be asked and gave no time.
const REFUSED_WAIT_MS: u64 = 60_000;

/// A session in hand: the row as last read, with what this look has found out on top.
struct Look {
    row: SessionRow,
    changed: BTreeMap<RecordingId, RecordingResult>,
    tried: Vec<RecordingId>,
}

impl Look {
    /// Takes over a newer row; what was found out meanwhile stays.
    fn renew(&mut self, row: SessionRow) {
        self.row = row;
        self.row.results.extend(self.changed.clone());
    }

    fn set(&mut self, recording: &RecordingId, result: RecordingResult) {
        self.row.results.insert(recording.clone(), result.clone());
        self.changed.insert(recording.clone(), result);
    }
}

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    pub(super) async fn look(&self, row: SessionRow, summary: &mut Summary) -> Result<(), Stop> {
        let mut look = Look { row, changed: BTreeMap::new(), tried: Vec::new() };
        loop {
            let now_ms = self.clock.now_ms();
            let mut todo = look.row.to_fetch(self.schedule, now_ms);
            todo.retain(|recording| !look.tried.contains(recording));
            if todo.is_empty() {
                let counts = !look.tried.is_empty();
                let next = look.row.next(self.schedule, &look.tried, now_ms, self.clock.next());
                if self.finish(&mut look, next, counts).await? {
                    summary.count_session(&look.row);
                    return Ok(());
                }
            } else if let Err(stop) = self.try_recordings(&mut look, &todo, summary).await {
                if let Stop::Source(error) = &stop {
                    let wait_ms = match error.class() {
                        Class::Transient { retry_after: Some(wait) } => {
                            u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
                        }
                        Class::Transient { retry_after: None } | Class::Indeterminate | Class::Permanent => {
                            REFUSED_WAIT_MS
                        }
                    };
                    let next = Next::At(self.clock.now_ms().saturating_add(wait_ms));
                    while !self.finish(&mut look, next, false).await? {}
                    summary.count_session(&look.row);
                }
                return Err(stop);
            }
        }
    }

    /// Writes the look back; false if facts came meanwhile and the plan must be made anew.
    async fn finish(&self, look: &mut Look, next: Next, counts: bool) -> Result<bool, Stop> {
        let finish = Finish {
            results: look.changed.clone(),
            next,
            attempts: if counts { look.row.attempts } else { look.row.attempts.saturating_sub(1) },
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
            match self.archive(look, recording, Way::Direct, incoming, summary).await? {
                Ok(()) => look.tried.push(recording.clone()),
                Err(why) => failed.push((recording, why)),
            }
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
            Err(error) if error.ends_the_run() => return Err(Stop::Source(error)),
            answer => answer,
        };
        for (recording, direct) in failed {
            match &answer {
                Ok(answer) => self.fall_back(look, recording, &direct, answer, summary).await?,
                Err(error) => self.wait(look, recording, format!("direct: {direct}; call log: {error}")),
            }
            look.tried.push(recording.clone());
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
                look.set(recording, result);
                if let Err(listed) = self.archive(look, recording, Way::CallLog, incoming, summary).await? {
                    self.wait(look, recording, format!("direct: {direct}; contentUri: {listed}"));
                }
            }
            Verdict::TooShort => {
                let reason = format!("the call log marks it shortRecording ({records} records)");
                self.conclude(look, recording, RecordingState::TooShort, reason);
            }
            Verdict::Silent if look.row.silence_is_final(self.schedule, self.clock.now_ms()) => {
                let reason = format!("the call log answered without it ({records} records); direct: {direct}");
                self.conclude(look, recording, RecordingState::Unavailable, reason);
            }
            Verdict::Silent => {
                self.wait(look, recording, format!("direct: {direct}; call log: not offered ({records} records)"));
            }
        }
        Ok(())
    }

    /// Carries one body into the bucket. The inner error says why not, for the row; only what ends the run is a stop.
    async fn archive(
        &self,
        look: &mut Look,
        recording: &RecordingId,
        way: Way,
        incoming: Result<Incoming, SourceError>,
        summary: &mut Summary,
    ) -> Result<Result<(), String>, Stop> {
        let incoming = match incoming {
            Ok(incoming) => incoming,
            Err(error) if error.ends_the_run() => return Err(Stop::Source(error)),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let opened = match transfer::open(incoming).await {
            Ok(opened) => opened,
            Err(unusable) => return Ok(Err(unusable.to_string())),
        };
        let key = ObjectKey::of(&look.row.key.account, look.row.day, recording, opened.format);
        let mut result = look.row.result(recording);
        if result.key.as_ref() != Some(&key) {
            result.key = Some(key.clone());
            look.set(recording, result.clone());
            let row = self.sessions.note(&look.row.key, recording, &result).await?;
            look.renew(row);
        }
        let stored = self.store(&look.row, recording, key, way, opened, summary).await;
        Ok(stored.map(|archived| self.archived(look, recording, archived, summary)))
    }

    async fn store(
        &self,
        row: &SessionRow,
        recording: &RecordingId,
        key: ObjectKey,
        way: Way,
        opened: Opened,
        summary: &mut Summary,
    ) -> Result<ArchivedBytes, String> {
        let Opened { format, size_bytes, body, tally } = opened;
        let origin = origin_of(row, recording);
        let object = NewObject { key, format, size_bytes, origin: origin.clone() };
        let created = self.archive.create(&object, body).await;
        if let Some(interrupted) = tally.interrupted() {
            return Err(interrupted.to_string());
        }
        let ours = ArchivedBytes { sha256: tally.sha256(), size_bytes, format, way };
        match created {
            Ok(Created::Stored { sha256 }) if sha256 == ours.sha256 => return Ok(ours),
            Ok(Created::Stored { .. }) => {
                tracing::error!(recording.id = %recording, "the bucket confirmed other bytes than were sent");
                summary.conflicts += 1;
                return Err("the bucket confirmed other bytes than were sent".to_owned());
            }
            Ok(Created::Occupied) => {}
            Err(error) if error.class() == Class::Indeterminate => {}
            Err(error) => return Err(error.to_string()),
        }
        match self.archive.held(&object.key).await {
            Ok(Some(held)) => match adopted(&held, &origin, format) {
                Some(found) if found.sha256 == ours.sha256 => Ok(ours),
                Some(found) => Ok(found),
                None => {
                    tracing::error!(recording.id = %recording, "something else lies under the recording's key");
                    summary.conflicts += 1;
                    Err("conflict: something else lies under the recording's key".to_owned())
                }
            },
            Ok(None) => Err("could not store the object: the bucket does not hold it".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Before any request is spent: an earlier run may have stored the object and died before it could say so.
    async fn adopt_earlier(&self, look: &mut Look, recording: &RecordingId, summary: &mut Summary) -> bool {
        let Some(key) = look.row.result(recording).key else { return false };
        let Some(format) = key.format() else { return false };
        let held = match self.archive.held(&key).await {
            Ok(held) => held,
            Err(error) => {
                tracing::warn!(recording.id = %recording, error = %error, "could not look for an earlier upload");
                return false;
            }
        };
        let found = held.and_then(|held| adopted(&held, &origin_of(&look.row, recording), format));
        match found {
            Some(archived) => self.archived(look, recording, archived, summary),
            None => return false,
        }
        true
    }

    fn archived(&self, look: &mut Look, recording: &RecordingId, archived: ArchivedBytes, summary: &mut Summary) {
        tracing::info!(
            recording.id = %recording,
            session.id = %look.row.key.session,
            way = archived.way.name(),
            size_bytes = archived.size_bytes,
            attempt = look.row.attempts,
            "archived"
        );
        summary.count_way(archived.way);
        let mut result = look.row.result(recording);
        result.state = RecordingState::Archived;
        result.reason = None;
        result.archived = Some(archived);
        result.at_ms = self.clock.now_ms();
        look.set(recording, result);
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

fn origin_of(row: &SessionRow, recording: &RecordingId) -> ObjectOrigin {
    ObjectOrigin { account: row.key.account.clone(), session: row.key.session.clone(), recording: recording.clone() }
}

/// What lies in the bucket, if it is ours: our ids, and bytes S3 verified.
fn adopted(held: &Held, origin: &ObjectOrigin, format: crate::domain::media::AudioFormat) -> Option<ArchivedBytes> {
    let sha256 = held.sha256.clone()?;
    let ours = held.origin.as_ref() == Some(origin);
    ours.then_some(ArchivedBytes { sha256, size_bytes: held.size_bytes, format, way: Way::Adopted })
}
