//! What the endpoints make of a request.

use super::Simulator;
use super::fault::Fault;
use super::message::{Reply, Request};
use super::route::Route;
use super::subscriptions::Draft;

/// What an endpoint makes of a request it accepts.
pub(super) enum Answer {
    Reply(Reply),
    AskAddress(Draft),
}

impl Simulator {
    pub(super) fn authorize(&self, route: &Route<'_>, request: &Request, now_ms: u64) -> Result<(), Fault> {
        match route {
            Route::Token | Route::Revoke => Ok(()),
            Route::CreateSubscription
            | Route::ListSubscriptions
            | Route::ReadSubscription(_)
            | Route::UpdateSubscription(_)
            | Route::RenewSubscription(_)
            | Route::DeleteSubscription(_)
            | Route::AccountCallLog { .. }
            | Route::ExtensionCallLog { .. }
            | Route::AccountCallRecord { .. }
            | Route::ExtensionCallRecord { .. }
            | Route::RecordingMetadata { .. }
            | Route::RecordingContent { .. }
            | Route::LiveSession { .. } => self.sessions.check(request, now_ms),
        }
    }

    pub(super) fn answer(&mut self, route: &Route<'_>, request: &Request, now_ms: u64) -> Result<Answer, Fault> {
        let reply = match *route {
            Route::Token => self.sessions.token_reply(request, &self.settings, now_ms),
            Route::Revoke => self.sessions.revoke(request, &self.settings),
            Route::CreateSubscription => {
                let draft = self.subscriptions.draft(&request.body, &self.settings, now_ms)?;
                return Ok(Answer::AskAddress(draft));
            }
            Route::ListSubscriptions => self.subscriptions.list(&self.links(), now_ms),
            Route::ReadSubscription(id) => self.subscriptions.read(id, &self.links(), now_ms)?,
            Route::UpdateSubscription(id) => {
                self.subscriptions.update(id, &request.body, &self.settings, now_ms)?;
                self.changed_subscription(id, now_ms)?
            }
            Route::RenewSubscription(id) => {
                self.subscriptions.renew(id, now_ms)?;
                self.changed_subscription(id, now_ms)?
            }
            Route::DeleteSubscription(id) => self.subscriptions.delete(id, now_ms)?,
            Route::AccountCallLog { account } => {
                self.check_account(account)?;
                self.account_call_log(request, now_ms)?
            }
            Route::ExtensionCallLog { account, extension } => {
                self.check_account(account)?;
                self.extension_call_log(extension, request, now_ms)?
            }
            Route::AccountCallRecord { account, id } => {
                self.check_account(account)?;
                self.account_call_record(id, request, now_ms)?
            }
            Route::ExtensionCallRecord { account, extension, id } => {
                self.check_account(account)?;
                self.extension_call_record(extension, id, request, now_ms)?
            }
            Route::RecordingMetadata { account, id } => {
                self.check_account(account)?;
                self.recording_metadata(id, now_ms)?
            }
            Route::RecordingContent { account, id } => {
                self.check_account(account)?;
                self.recording_content(account, id, request, now_ms)?
            }
            Route::LiveSession { account, id } => {
                self.check_account(account)?;
                self.live_session(id)?
            }
        };
        Ok(Answer::Reply(reply))
    }

    /// A subscription that has just got a new end.
    fn changed_subscription(&mut self, id: &str, now_ms: u64) -> Result<Reply, Fault> {
        self.enter_reminders(id, now_ms);
        self.subscriptions.read(id, &self.links(), now_ms)
    }

    fn check_account(&self, account: &str) -> Result<(), Fault> {
        let ours = account == "~" || account == self.settings.account_id;
        if ours { Ok(()) } else { Err(Fault::not_found("accountId")) }
    }
}
