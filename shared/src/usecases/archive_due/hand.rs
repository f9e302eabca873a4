//! Sessions taken from the queue, and put back into it.

use futures_util::future::join_all;

use super::{ABREAST, Archiver, Shift, Summary, look::Look, pass_over};
use crate::{
    failure::Class,
    ports::{
        archive_store::ArchiveStore,
        clock::{Chance, Clock},
        recording_source::RecordingSource,
        session_store::{Due, SessionStore, StoreError},
    },
};

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    /// Takes sessions, as many as somebody else does not take first. If the table fails, those taken by then are answered
    /// too.
    pub(super) async fn claim_all(
        &self,
        due: Vec<Due>,
        shift: Shift,
        summary: &mut Summary,
    ) -> (Vec<Look>, Result<(), StoreError>) {
        let (mut looks, mut failed) = (Vec::with_capacity(due.len()), Ok(()));
        for some in due.chunks(ABREAST) {
            let now_ms = self.clock.now_ms();
            let claims = some.iter().map(|due| self.sessions.claim(&due.key, now_ms, shift.deadline_ms));
            for (due, claimed) in some.iter().zip(join_all(claims).await) {
                match claimed {
                    Ok(Some(row)) => looks.push(Look::at(row, due.due_at_ms, shift)),
                    Ok(None) => {}
                    Err(error) if error.class() == Class::Permanent => pass_over(&due.key, &error, summary),
                    Err(error) => failed = Err(error),
                }
            }
            if failed.is_err() {
                break;
            }
        }
        (looks, failed)
    }

    /// Closes sessions that are not fetched now. One that cannot be written comes back by itself when its claim ends.
    pub(super) async fn put_back(&self, mut looks: Vec<Look>, summary: &mut Summary) -> Result<(), StoreError> {
        let mut failed = Ok(());
        for some in looks.chunks_mut(ABREAST) {
            let closed = join_all(some.iter_mut().map(|look| self.close(look))).await;
            for (look, closed) in some.iter().zip(closed) {
                summary.count_closed(look);
                match closed {
                    Ok(()) => {}
                    Err(error) if error.class() == Class::Permanent => pass_over(&look.row.key, &error, summary),
                    Err(error) => failed = Err(error),
                }
            }
        }
        failed
    }
}
