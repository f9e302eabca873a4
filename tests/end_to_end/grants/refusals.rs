//! What a role is refused, in AWS's own words.

use aws_sdk_dynamodb::{error::ProvideErrorMetadata, types::AttributeValue};
use aws_sdk_s3::{error::SdkError, primitives::ByteStream};
use local_cloud::iam::{Recorded, Verdict};
use ringvault::stack::{BUCKET, RINGCENTRAL_SECRET, TABLE, VERIFICATION_SECRET};
use serde_json::json;
use shared::clients::dynamodb::schema;
use tests::{World, clients, events::hang_up, world};

use super::{template, tours};

const DENIED: &str = "AccessDeniedException";

fn key(world: &World, role: &str) -> String {
    world.iam.access_key_id(role).unwrap()
}

/// The error code of an answer, `done` if there is none.
fn code<T, E: ProvideErrorMetadata, R>(answer: Result<T, SdkError<E, R>>) -> String {
    answer.map_or_else(|error| error.code().unwrap_or("none").to_owned(), |_| "done".to_owned())
}

#[tokio::test]
async fn the_webhook_reaches_neither_what_is_the_vendor_s_nor_its_credentials() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.run().await;
    let role = key(&world, "WebhookRole");
    let table = clients::dynamodb_as(&world.dynamodb.endpoint(), &role);
    let secrets = clients::secrets_as(&world.secrets.endpoint(), &role);
    for (row, may) in [
        ("session#800000001#s-9", true),
        (schema::RENEWAL_SIGNAL, true),
        ("vendor#token#sim-client", false),
        ("vendor#permits#sim-client#heavy", false),
        ("vendor#drain", false),
        ("vendor#cursor#subscription", false),
    ] {
        let update = table.update_item().table_name(TABLE).key(schema::KEY, AttributeValue::S(row.to_owned()));
        assert_eq!(code(update.send().await), if may { "done" } else { DENIED }, "{row}");
        let get = table.get_item().table_name(TABLE).key(schema::KEY, AttributeValue::S(row.to_owned()));
        assert_eq!(code(get.send().await), DENIED, "it reads nothing: {row}");
    }
    assert_eq!(code(table.scan().table_name(TABLE).send().await), DENIED);
    assert_eq!(code(secrets.get_secret_value().secret_id(VERIFICATION_SECRET).send().await), "done");
    let refused = secrets.get_secret_value().secret_id(RINGCENTRAL_SECRET).send().await;
    let message = refused.as_ref().unwrap_err().message().unwrap().to_owned();
    assert!(message.contains("WebhookRole") && message.contains("secretsmanager:GetSecretValue"), "{message}");
    assert_eq!(code(refused), DENIED);
    let bucket = clients::s3_as(&world.s3.endpoint(), &role);
    assert_eq!(code(bucket.list_objects_v2().bucket(BUCKET).send().await), "AccessDenied");
}

#[tokio::test]
async fn no_function_deletes_what_is_archived_or_writes_what_is_not_its_own() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.run().await;
    let recording = world.keys().remove(0);
    for role in ["WebhookRole", "ArchiverRole", "ReconcilerRole"] {
        let bucket = clients::s3_as(&world.s3.endpoint(), &key(&world, role));
        assert_eq!(code(bucket.delete_object().bucket(BUCKET).key(&recording).send().await), "AccessDenied", "{role}");
        let report = bucket.put_object().bucket(BUCKET).key("reports/x").body(ByteStream::from_static(b"x"));
        let expected = if role == "ReconcilerRole" { "done" } else { "AccessDenied" };
        assert_eq!(code(report.send().await), expected, "{role}");
    }
    assert!(world.holds_exactly("9001"));
}

/// S3 does not say why it refuses a HEAD.
#[tokio::test]
async fn an_object_that_may_not_be_looked_at_keeps_its_day_open_and_the_run_goes_on() {
    let mut template = template();
    let role = &mut template["Resources"]["ReconcilerRole"]["Properties"];
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array_mut().unwrap();
    let reads = statements.iter_mut().find(|it| it["Sid"] == "ReadTheArchive").unwrap();
    reads["Resource"] = json!({ "Fn::Sub": "${Bucket.Arn}/sessions/*" });
    let world = tours::world(template.to_string()).await;
    tours::of("reconciler", &world).await;
    let refused = |it: &Recorded| it.verdict == Verdict::NotGranted && it.call.resource.contains("/recordings/");
    assert!(world.iam.calls().iter().any(refused));
    let summary = tours::an_hour_later(&world).await.unwrap();
    assert_eq!((&summary["proved"]["waiting"], &summary["proved"]["missing"]), (&json!(1), &json!(0)), "{summary}");
    let told = world.reconciler.logs().into_iter().find(|line| line.contains("an object cannot be looked at")).unwrap();
    assert!(told.contains("the role lacks s3:GetObject"), "{told}");
}
