//! A function that is not configured stops at start and names the variable.

use local_cloud::lambda::LaunchError;
use ringvault::stack::StackError;
use tests::try_world;

async fn last_lines(name: &str, value: &str) -> String {
    let started = try_world(|config| {
        config.env.insert(name.to_owned(), value.to_owned());
    })
    .await;
    match started {
        Err(StackError::Launch(LaunchError::Exited { last_lines, .. })) => last_lines,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it started with {name}={value}"),
    }
}

#[tokio::test]
async fn a_missing_or_malformed_variable_is_named_on_one_line() {
    for (name, value, line) in [
        ("TABLE_NAME", "", "webhook: TABLE_NAME is not set"),
        ("VERIFICATION_SECRET_ID", "", "webhook: VERIFICATION_SECRET_ID is not set"),
        ("BUCKET_NAME", "", "archiver: BUCKET_NAME is not set"),
        ("RINGCENTRAL_SECRET_ID", "", "archiver: RINGCENTRAL_SECRET_ID is not set"),
        ("WEBHOOK_URL", "", "reconciler: WEBHOOK_URL is not set"),
        (
            "WEBHOOK_URL",
            "http://hook.example.com/",
            "reconciler: WEBHOOK_URL is not an https address (http only on a loopback address)",
        ),
        ("QUIET_PERIOD_SECONDS", "soon", "webhook: QUIET_PERIOD_SECONDS is not a number of seconds, decimals allowed"),
        (
            "RINGCENTRAL_MEDIA_URL",
            "http://media.ringcentral.com",
            "archiver: RINGCENTRAL_MEDIA_URL is not an https origin without a path (http only on a loopback address)",
        ),
    ] {
        assert_eq!(last_lines(name, value).await.trim(), line);
    }
}
