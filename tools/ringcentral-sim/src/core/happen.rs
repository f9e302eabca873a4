//! What happens by itself: calls go on, subscribers are told, addresses that fail are given up.

use super::agenda::Happening;
use super::chance::{Chance, Purpose};
use super::notify::{self, Delivery, DeliveryPurpose};
use super::subscriptions::{HandshakeAnswer, recheck};
use super::{Simulator, subscriptions};
use crate::time_text::format_ms;
use crate::world::{Script, learn};
use serde_json::{Value, json};

impl Simulator {
    /// Enters a call that will happen. Steps whose time is past already happen next, each as if at its own time.
    pub fn schedule(&mut self, script: Script) {
        self.world.plan(script.call, script.recordings);
        for step in script.steps {
            self.agenda.enter(step.at_ms, Happening::Step(step));
        }
    }

    /// When the next thing happens by itself, in epoch milliseconds: a call goes on, a notification leaves, a renewal
    /// reminder is due, an address is asked again. It may lie in the past; `None`: nothing ever will.
    pub fn next_ms(&self) -> Option<u64> {
        let waiting = self.outbox.front().map(|(since_ms, _)| *since_ms);
        waiting.into_iter().chain(self.agenda.next_ms()).min()
    }

    /// Lets everything happen that is due by `now_ms`, and hands out what is to be sent by now, each delivery once. What
    /// its address said belongs into [`Simulator::delivered`].
    pub fn due_deliveries(&mut self, now_ms: u64) -> Vec<Delivery> {
        self.advance(now_ms);
        self.outbox.drain(..).map(|(_, delivery)| delivery).collect()
    }

    /// Takes note of what an address said to a delivery (API.md §5.4). Failures are counted, and sent again or punished
    /// with the blacklist as the settings say; a blacklisted address that answers well is told again.
    pub fn delivered(&mut self, delivery: &Delivery, answer: &HandshakeAnswer, now_ms: u64) {
        self.advance(now_ms);
        let settings = &self.settings.delivery;
        let Some(subscription) = self.subscriptions.living_mut(&delivery.subscription_id, now_ms) else {
            return;
        };
        let subscription_id = delivery.subscription_id.clone();
        match &delivery.purpose {
            DeliveryPurpose::Notification { failures } => {
                let Some(reason) = subscriptions::failure(answer) else {
                    subscription.succeed();
                    return;
                };
                if subscription.fail(&reason, settings, now_ms) {
                    self.enter_recheck(subscription_id, now_ms);
                } else if *failures < settings.retries {
                    let purpose = DeliveryPurpose::Notification { failures: failures + 1 };
                    self.deliveries_made += 1;
                    let again = Delivery { id: self.deliveries_made, purpose, ..delivery.clone() };
                    self.agenda.enter(now_ms + settings.retry_after_ms, Happening::Send(again));
                }
            }
            DeliveryPurpose::Recheck { validation_token } => {
                if subscriptions::judge(validation_token, answer, &self.settings.handshake).is_ok() {
                    subscription.recover();
                } else {
                    self.enter_recheck(subscription_id, now_ms);
                }
            }
        }
    }

    pub(super) fn advance(&mut self, now_ms: u64) {
        while let Some((at_ms, happening)) = self.agenda.take_due(now_ms) {
            match happening {
                Happening::Step(step) => {
                    learn(&mut self.world, &step.event, &self.settings, at_ms);
                    if let Some(told) = step.told {
                        self.tell(told, at_ms);
                    }
                }
                Happening::Tell { telephony_session_id } => {
                    if let Some(event) = self.untold.remove(&telephony_session_id) {
                        self.tell_now(&event, at_ms);
                    }
                }
                Happening::Send(delivery) => {
                    let heard = self.subscriptions.living_mut(&delivery.subscription_id, at_ms);
                    if heard.is_some_and(|subscription| subscription.is_active()) {
                        self.outbox.push_back((at_ms, delivery));
                    }
                }
                Happening::Remind { subscription_id, expires_at_ms } => {
                    self.remind(subscription_id, expires_at_ms, at_ms);
                }
                Happening::Recheck { subscription_id } => self.recheck(&subscription_id, at_ms),
            }
        }
    }

    /// Enters the renewal reminders of a subscription that has just got a new end (API.md §5.5).
    pub(super) fn enter_reminders(&mut self, subscription_id: &str, now_ms: u64) {
        let Some(subscription) = self.subscriptions.living_mut(subscription_id, now_ms) else {
            return;
        };
        let expires_at_ms = subscription.expires_at_ms;
        if let Some(reminder) = subscription.reminder() {
            let first_ms = expires_at_ms.saturating_sub(reminder.threshold_s * 1_000).max(now_ms);
            let subscription_id = subscription_id.to_owned();
            self.agenda.enter(first_ms, Happening::Remind { subscription_id, expires_at_ms });
        }
    }

    pub(super) fn enter_recheck(&mut self, subscription_id: String, now_ms: u64) {
        if let Some(after_ms) = self.settings.delivery.recheck_after_ms {
            self.agenda.enter(now_ms + after_ms, Happening::Recheck { subscription_id });
        }
    }

    fn tell(&mut self, event: Value, at_ms: u64) {
        let session_id = event["body"]["telephonySessionId"].as_str().map(str::to_owned);
        let Some(telephony_session_id) = session_id.filter(|_| self.settings.delivery.batch_ms > 0) else {
            self.tell_now(&event, at_ms);
            return;
        };
        let later = match self.untold.get_mut(&telephony_session_id) {
            Some(earlier) => notify::merge(earlier, event, &self.settings),
            None => Some(event),
        };
        let Some(later) = later else { return };
        if let Some(earlier) = self.untold.insert(telephony_session_id.clone(), later) {
            self.tell_now(&earlier, at_ms);
        }
        self.agenda.enter(at_ms + self.settings.delivery.batch_ms, Happening::Tell { telephony_session_id });
    }

    fn tell_now(&mut self, event: &Value, at_ms: u64) {
        for delivery in self.deliveries(event, at_ms) {
            self.post(delivery, at_ms);
        }
    }

    /// Puts a delivery on its way, with what chance has in store for it.
    fn post(&mut self, delivery: Delivery, at_ms: u64) {
        let settings = &self.settings.delivery;
        let chance = Chance { seed: self.settings.seed };
        let number = delivery.id;
        if chance.falls(Purpose::Drop, number, settings.drop_share) {
            return;
        }
        let mut on_the_way = Vec::new();
        let duplicates = [
            (Purpose::Duplicate, settings.duplicate_share, false),
            (Purpose::DuplicateNewUuid, settings.duplicate_new_uuid_share, true),
        ];
        for (purpose, share, with_new_uuid) in duplicates {
            if chance.falls(purpose, number, share) {
                self.deliveries_made += 1;
                on_the_way.push(notify::copy(&delivery, self.deliveries_made, with_new_uuid));
            }
        }
        on_the_way.insert(0, delivery);
        for delivery in on_the_way {
            let number = delivery.id;
            let lag_ms = chance.between(Purpose::Lag, number, settings.lag_min_ms, settings.lag_max_ms);
            let held_back = chance.falls(Purpose::Reorder, number, settings.reorder_share);
            let late = chance.falls(Purpose::Delay, number, settings.delay_share);
            let held_back_ms = if held_back { settings.reorder_ms } else { 0 };
            let late_ms = if late { settings.delay_ms } else { 0 };
            self.agenda.enter(at_ms + lag_ms + held_back_ms + late_ms, Happening::Send(delivery));
        }
    }

    fn remind(&mut self, subscription_id: String, expires_at_ms: u64, at_ms: u64) {
        let Some(subscription) = self.subscriptions.living_mut(&subscription_id, at_ms) else {
            return;
        };
        let reminder = subscription.reminder().filter(|_| subscription.expires_at_ms == expires_at_ms);
        let Some(reminder) = reminder else { return };
        if subscription.is_active() {
            self.deliveries_made += 1;
            let event = json!({
                "uuid": notify::uuid_from(&format!("reminder {subscription_id} {at_ms}")),
                "event": reminder.filter,
                "timestamp": format_ms(at_ms),
                "body": {"expiresIn": expires_at_ms.saturating_sub(at_ms) / 1_000},
            });
            let delivery = notify::notification(subscription, event, &self.settings, self.deliveries_made);
            self.post(delivery, at_ms);
        }
        let next_ms = at_ms + reminder.interval_s.max(1) * 1_000;
        if next_ms < expires_at_ms {
            self.agenda.enter(next_ms, Happening::Remind { subscription_id, expires_at_ms });
        }
    }

    fn recheck(&mut self, subscription_id: &str, at_ms: u64) {
        let blacklisted = self.subscriptions.living_mut(subscription_id, at_ms);
        if let Some(subscription) = blacklisted.filter(|subscription| !subscription.is_active()) {
            self.deliveries_made += 1;
            self.outbox.push_back((at_ms, recheck(subscription, self.deliveries_made)));
        }
    }
}
