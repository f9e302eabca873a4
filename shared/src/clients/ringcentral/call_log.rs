//! The call log: one call, or a page of many (API.md §7).

use super::{
    client::{APP_LACKS_PERMISSION, RingCentral},
    permits::Endpoint,
    transport::Transport,
    wire::LogReply,
};
use crate::{
    domain::{
        call_log::{CallLogAnswer, CallLogPage},
        day::format_time,
    },
    ports::{
        clock::Clock,
        permit_store::PermitStore,
        recording_source::{Calls, LookUp, SourceError, Whose, Window},
        token_store::TokenStore,
    },
};

/// The most records a page may have.
const PER_PAGE: &str = "1000";

/// Whose call log is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Company,
    Extension,
}

impl<H: Transport, T: TokenStore, P: PermitStore, C: Clock> RingCentral<H, T, P, C> {
    pub(super) async fn call_log_of(&self, look_up: &LookUp, wait_until_ms: u64) -> Result<CallLogAnswer, SourceError> {
        match self.one_call(Level::Company, look_up, wait_until_ms).await {
            Err(error) if is_the_users(&error) => self.one_call(Level::Extension, look_up, wait_until_ms).await,
            answer => answer,
        }
    }

    pub(super) async fn call_log_page(&self, window: &Window, wait_until_ms: u64) -> Result<CallLogPage, SourceError> {
        match self.many_calls(Level::Company, window, wait_until_ms).await {
            Err(error) if is_the_users(&error) && window.whose == Whose::CompanyOrExtension => {
                self.many_calls(Level::Extension, window, wait_until_ms).await
            }
            page => page,
        }
    }

    async fn one_call(&self, level: Level, look_up: &LookUp, until_ms: u64) -> Result<CallLogAnswer, SourceError> {
        let from = format_time(look_up.from_ms);
        let ask = async |filter| {
            let query = [filter, ("dateFrom", from.as_str())];
            self.call_log(level, &query, until_ms).await
        };
        let answer = ask(("telephonySessionId", look_up.session.as_str())).await?.about(Some(&look_up.session));
        let answer = match &look_up.session_id {
            Some(session_id) if answer.records == 0 => ask(("sessionId", session_id.as_str())).await?.about(None),
            Some(_) | None => answer,
        };
        Ok(CallLogAnswer { whole: answer.whole && level == Level::Company, ..answer })
    }

    async fn many_calls(&self, level: Level, window: &Window, until_ms: u64) -> Result<CallLogPage, SourceError> {
        let (from, to, page) = (format_time(window.from_ms), format_time(window.to_ms), window.page.to_string());
        let window_and_page = [("dateFrom", from.as_str()), ("dateTo", to.as_str()), ("page", page.as_str())];
        let recorded: &[(&str, &str)] = match window.calls {
            Calls::Recorded => &[("recordingType", "All")],
            Calls::All => &[],
        };
        let query = [&window_and_page, recorded].concat();
        let page = self.call_log(level, &query, until_ms).await?.into_page();
        Ok(CallLogPage { whole: page.whole && level == Level::Company, ..page })
    }

    async fn call_log(&self, level: Level, query: &[(&str, &str)], until_ms: u64) -> Result<LogReply, SourceError> {
        let path: &[&str] = match level {
            Level::Company => &["restapi", "v1.0", "account", "~", "call-log"],
            Level::Extension => &["restapi", "v1.0", "account", "~", "extension", "~", "call-log"],
        };
        let query = [query, &[("view", "Detailed"), ("perPage", PER_PAGE)]].concat();
        self.read(Endpoint::CallLog, &self.gate.server().join(path, &query), until_ms).await
    }
}

/// Whether the user may not see the company's log, but perhaps their own extension's. Where the application may see none,
/// asking again is a request wasted.
fn is_the_users(error: &SourceError) -> bool {
    matches!(error, SourceError::Status { status: 403, code } if code.as_deref() != Some(APP_LACKS_PERMISSION))
}
