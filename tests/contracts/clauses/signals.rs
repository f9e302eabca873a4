//! The signals of `SessionStore`.

use shared::ports::session_store::SessionStore;

use super::NOW_MS;
use crate::backends::Backend;

pub(crate) async fn a_reminder_stands_with_the_time_of_the_last_one<B: Backend>(backend: &B) {
    assert_eq!(backend.reminded_at_ms().await, None);
    for now_ms in [NOW_MS, NOW_MS + 1, NOW_MS + 1] {
        backend.sessions().remind(now_ms).await.unwrap();
        assert_eq!(backend.reminded_at_ms().await, Some(now_ms));
    }
}

pub(crate) async fn a_reminder_is_no_session<B: Backend>(backend: &B) {
    backend.sessions().remind(NOW_MS).await.unwrap();
    assert_eq!(backend.sessions().queued().await.unwrap(), []);
    assert_eq!(backend.sessions().count_due(u64::MAX / 2).await.unwrap(), 0);
}
