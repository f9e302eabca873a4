use super::*;

fn archiver(changes: &[(&str, &str)]) -> Result<ArchiverConfig, ConfigError> {
    ArchiverConfig::read(|name| {
        let changed = changes.iter().find(|(changed, _)| *changed == name).map(|(_, value)| (*value).to_owned());
        changed.or_else(|| ["TABLE_NAME", "BUCKET_NAME", "RINGCENTRAL_SECRET_ID"].contains(&name).then(|| "x".into()))
    })
}

fn reconciler(webhook_url: &str) -> Result<ReconcilerConfig, ConfigError> {
    reconciler_with(webhook_url, None)
}

fn reconciler_with(webhook_url: &str, window: Option<&str>) -> Result<ReconcilerConfig, ConfigError> {
    ReconcilerConfig::read(|name| match name {
        "RECONCILE_WINDOW_HOURS" => window.map(str::to_owned),
        "WEBHOOK_URL" => Some(webhook_url.to_owned()),
        "TABLE_NAME" | "BUCKET_NAME" | "VERIFICATION_SECRET_ID" | "RINGCENTRAL_SECRET_ID" => Some("x".to_owned()),
        _ => None,
    })
}

#[test]
fn a_webhook_is_an_https_address() {
    for (url, kept) in [
        ("https://abc.lambda-url.eu-central-1.on.aws/", "https://abc.lambda-url.eu-central-1.on.aws/"),
        (" https://hook.example.com/in?key=1\n", "https://hook.example.com/in?key=1"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
    ] {
        assert_eq!(reconciler(url).unwrap().webhook_url, kept);
    }
    for url in ["http://hook.example.com/", "hook.example.com", "https://", "https://user:word@hook.example.com/"] {
        let complaint = reconciler(url).unwrap_err().to_string();
        assert_eq!(complaint, "WEBHOOK_URL is not an https address (http only on a loopback address)", "{url}");
    }
    assert_eq!(reconciler("").map(|_| ()), Err(ConfigError::Missing("WEBHOOK_URL")));
}

#[test]
fn a_window_is_long_enough_to_end_something() {
    let with = |window| reconciler_with("https://hook.example.com/", window).map(|config| config.sweeps.window);
    for (window, seconds) in [(None, 26 * 3_600), (Some("8"), 8 * 3_600), (Some("8.5"), 30_600)] {
        assert_eq!(with(window), Ok(Duration::from_secs(seconds)), "{window:?}");
    }
    for window in ["7.99", "0", "-26", "many"] {
        let complaint = with(Some(window)).unwrap_err().to_string();
        let expected = "RECONCILE_WINDOW_HOURS is not a number of hours, at least 8, decimals allowed";
        assert_eq!(complaint, expected, "{window}");
    }
}

#[test]
fn defaults_are_the_documented_ones() {
    let config = archiver(&[]).unwrap();
    assert_eq!(config.storage_class, "STANDARD");
    assert_eq!(config.schedule.first_attempt_delay, Duration::from_secs(60));
    assert_eq!(config.schedule.quiet_period, Duration::from_secs(900));
    assert_eq!(config.schedule.unlisted_after, Duration::from_secs(72 * 3600));
    assert_eq!(config.schedule.row_ttl, Duration::from_secs(400 * 24 * 3600));
    assert_eq!(config.schedule.ladder.wait_ms(9, 0.5), 86_400_000);
}

#[test]
fn decimals_are_taken_for_demos() {
    let config = archiver(&[
        ("RETRY_LADDER_SECONDS", "0.05, 0.5"),
        ("QUIET_PERIOD_SECONDS", "0.25"),
        ("UNLISTED_AFTER_HOURS", "0.001"),
    ])
    .unwrap();
    assert_eq!(config.schedule.ladder.wait_ms(1, 0.5), 50);
    assert_eq!(config.schedule.quiet_period, Duration::from_millis(250));
    assert_eq!(config.schedule.unlisted_after, Duration::from_millis(3_600));
}

#[test]
fn complaints_name_the_variable() {
    for (name, value) in [
        ("FIRST_ATTEMPT_DELAY_SECONDS", "-1"),
        ("FIRST_ATTEMPT_DELAY_SECONDS", "NaN"),
        ("QUIET_PERIOD_SECONDS", "inf"),
        ("RETRY_LADDER_SECONDS", "60,,120"),
        ("UNLISTED_AFTER_HOURS", "-0.5"),
        ("ROW_TTL_DAYS", "many"),
        ("RINGCENTRAL_SERVER_URL", "http://platform.ringcentral.com"),
        ("RINGCENTRAL_MEDIA_URL", "media.ringcentral.com"),
        ("RINGCENTRAL_ALLOWED_HOSTS", "*"),
        ("STORAGE_CLASS", "standard"),
    ] {
        let complaint = archiver(&[(name, value)]).map(|_| ()).unwrap_err().to_string();
        assert!(complaint.starts_with(&format!("{name} is not ")), "{name}={value}: {complaint}");
        assert_eq!(complaint.lines().count(), 1);
    }
    assert_eq!(archiver(&[("TABLE_NAME", " ")]).map(|_| ()), Err(ConfigError::Missing("TABLE_NAME")));
    assert_eq!(WebhookConfig::read(|_| None).map(|_| ()), Err(ConfigError::Missing("TABLE_NAME")));
}
