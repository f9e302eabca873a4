//! The ways through the program, each in the smallest world that leads along it.

use std::ops::Range;

use ringcentral_sim::{
    DeliverySettings, Settings, Sound,
    core::{Subscription, SubscriptionStatus},
    world::{AudioFormat, BodyFault, Direct, Recording, Script},
};

use crate::{
    calls::Calls,
    vendor::Bodies,
    world::{DAY_MS, HOUR_MS, MIDNIGHT_MS, MINUTE_MS, World},
};

/// Whose run goes the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Victim {
    Webhook,
    Archiver,
    Reconciler,
}

/// One way through the program.
pub(super) struct Path {
    pub(super) name: &'static str,
    pub(super) victim: Victim,
    /// What happens at the vendor's.
    pub(super) scripts: Vec<Script>,
    pub(super) sound: Sound,
    /// When the schedule starts the reconciler, epoch milliseconds.
    pub(super) reconciled: Range<u64>,
    /// Whether it does the whole of its work then, and not its sweeps alone.
    pub(super) oversees: bool,
    /// The victim's next run after this goes the way, epoch milliseconds.
    pub(super) from_ms: u64,
    /// What happens at that moment.
    pub(super) meanwhile: fn(&World),
}

/// All of them.
pub(super) fn paths() -> Vec<Path> {
    webhook().into_iter().chain(archiver()).chain(reconciler()).chain(keeper()).collect()
}

impl Path {
    /// A path on which nobody reconciles.
    fn of(name: &'static str, victim: Victim, scripts: Vec<Script>) -> Self {
        Self {
            name,
            victim,
            scripts,
            sound: Sound::Sketch,
            reconciled: MIDNIGHT_MS..MIDNIGHT_MS,
            oversees: false,
            from_ms: MIDNIGHT_MS,
            meanwhile: |_| {},
        }
    }

    /// What is not answered with 200 is sent again.
    pub(super) fn settings(&self) -> Settings {
        let delivery = DeliverySettings { retries: 5, retry_after_ms: 5_000, ..DeliverySettings::default() };
        Settings { sound: self.sound, delivery, ..Settings::default() }
    }

    /// How the bodies come: a long one in few pieces.
    pub(super) fn bodies(&self) -> Bodies {
        match self.sound {
            Sound::Sketch => Bodies::Varied,
            Sound::Melody => Bodies::Prompt,
        }
    }
}

fn webhook() -> [Path; 2] {
    let first = Path::of("webhook, new session", Victim::Webhook, vec![told_twice()]);
    let second = Path::of("webhook, known session", Victim::Webhook, vec![told_twice()]);
    [first, Path { from_ms: MIDNIGHT_MS + 90_000, ..second }]
}

fn archiver() -> [Path; 5] {
    let at_once = |count, change: fn(&mut Recording)| told(MIDNIGHT_MS + 2 * MINUTE_MS, count, change);
    let long = at_once(1, |recording| {
        // Longer than one part of an upload.
        (recording.format, recording.duration_s) = (AudioFormat::Wav, 340);
        recording.body_fault = BodyFault::Undeclared;
    });
    let torn = [BodyFault::CutShort, BodyFault::UnaskedPart].into_iter().zip([2, 3]).map(|(fault, minute)| {
        let mut scripts = told(MIDNIGHT_MS + minute * MINUTE_MS, 1, |recording| recording.spoilt_answers = 1);
        scripts[0].recordings[0].body_fault = fault;
        scripts.remove(0)
    });
    let mixed = at_once(12, |recording| {
        let moved = recording.id.ends_with(['0', '3', '6', '9']);
        recording.direct = if moved { Direct::Status(404) } else { Direct::Served };
    });
    [
        Path::of("direct", Victim::Archiver, at_once(1, |_| {})),
        Path::of("fallback", Victim::Archiver, at_once(1, |recording| recording.direct = Direct::Status(404))),
        Path::of("resumed", Victim::Archiver, torn.collect()),
        Path { sound: Sound::Melody, ..Path::of("multipart", Victim::Archiver, long) },
        Path::of("backlog", Victim::Archiver, mixed),
    ]
}

fn reconciler() -> [Path; 3] {
    let reconcile = Path::of("reconcile", Victim::Reconciler, untold(MIDNIGHT_MS + 20 * MINUTE_MS, 3));
    let backfill = Path::of("backfill", Victim::Reconciler, untold(MIDNIGHT_MS - 2 * DAY_MS, 3));
    let evening_ms = MIDNIGHT_MS + 22 * HOUR_MS;
    let calls = told(evening_ms + 20 * MINUTE_MS, 2, |_| {}).into_iter().chain(untold(evening_ms + 30 * MINUTE_MS, 1));
    let prove = Path::of("prove", Victim::Reconciler, calls.collect());
    let day_closes_ms = MIDNIGHT_MS + 25 * HOUR_MS;
    [
        Path { reconciled: MIDNIGHT_MS..MIDNIGHT_MS + 3 * HOUR_MS, from_ms: MIDNIGHT_MS + HOUR_MS, ..reconcile },
        Path { reconciled: MIDNIGHT_MS..MIDNIGHT_MS + 3 * HOUR_MS, ..backfill },
        Path { reconciled: evening_ms..day_closes_ms + 2 * HOUR_MS, oversees: true, from_ms: day_closes_ms, ..prove },
    ]
}

/// The first run finds a subscription that nobody remembers; the others find none, one that hears nothing any more, and
/// one that is about to end.
fn keeper() -> [Path; 4] {
    let path = |name, minutes, meanwhile| Path {
        // Two runs may die before the first one sweeps; an hour after that, what has been listed since is found, and after
        // the next such sweep the day that has closed meanwhile is proven.
        reconciled: MIDNIGHT_MS..MIDNIGHT_MS + 150 * MINUTE_MS,
        oversees: true,
        from_ms: MIDNIGHT_MS + minutes * MINUTE_MS,
        meanwhile,
        ..Path::of(name, Victim::Reconciler, untold(MIDNIGHT_MS + 11 * MINUTE_MS, 1))
    };
    [
        path("keeper, replaced", 0, |_| {}),
        path("keeper, created", 15, |world| for_subscriptions(world, |one| one.expires_at_ms = 0)),
        path("keeper, repaired", 15, |world| {
            let status =
                || SubscriptionStatus::Blacklisted { reason: "it did not answer".to_owned(), at_ms: MIDNIGHT_MS };
            for_subscriptions(world, |one| one.status = status());
        }),
        path("keeper, renewed", 15, |world| {
            for_subscriptions(world, |one| one.expires_at_ms = MIDNIGHT_MS + 2 * DAY_MS);
        }),
    ]
}

fn for_subscriptions(world: &World, change: impl Fn(&mut Subscription)) {
    let (mut core, now_ms) = (world.vendor.core.borrow_mut(), world.time.now_ms());
    let ids: Vec<String> = core.subscriptions(now_ms).map(|one| one.id.clone()).collect();
    ids.iter().for_each(|id| core.subscription_mut(id, now_ms).into_iter().for_each(&change));
}

/// Calls that end at one time, epoch milliseconds, of each of which one event tells.
fn told(ended_at_ms: u64, count: usize, change: fn(&mut Recording)) -> Vec<Script> {
    let calls =
        Calls::of(ended_at_ms % 1_000_003).end_at_once(ended_at_ms, count).with(|recording, _| change(recording));
    calls.planned().iter().map(crate::calls::Planned::script).collect()
}

/// The same of which no event tells.
fn untold(ended_at_ms: u64, count: usize) -> Vec<Script> {
    let mut scripts = told(ended_at_ms, count, |_| {});
    scripts.iter_mut().flat_map(|script| &mut script.steps).for_each(|step| step.told = None);
    scripts
}

/// A call that is told of while it is recorded, one minute after midnight, and at its end a minute later.
fn told_twice() -> Script {
    let mut script = told(MIDNIGHT_MS + 2 * MINUTE_MS, 1, |_| {}).remove(0);
    let mut earlier = script.steps[0].clone();
    earlier.at_ms = MIDNIGHT_MS + MINUTE_MS;
    earlier.event["uuid"] = "earlier".into();
    earlier.event["body"]["sequence"] = 5.into();
    let party = &mut earlier.event["body"]["parties"][0];
    party["status"]["code"] = "Answered".into();
    party["recordings"][0]["active"] = true.into();
    earlier.told = Some(earlier.event.clone());
    script.steps.insert(0, earlier);
    script
}
