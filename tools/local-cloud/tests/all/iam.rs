//! Roles, as the SDKs meet them.

use std::sync::Arc;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use local_cloud::arn;
use local_cloud::dynamodb::{DynamoDb, IndexSpec, TableSpec};
use local_cloud::iam::{Iam, Role, Verdict, statements};
use local_cloud::s3::S3;
use local_cloud::secrets::Secrets;
use serde_json::{Value, json};

use crate::clients;

const BUCKET: &str = "guarded";
const TABLE: &str = "sessions";

/// Roles in which the one called `Reader` has that policy, and its key.
fn iam(policy: &Value) -> (Arc<Iam>, String) {
    let iam = Arc::new(Iam::default());
    let key = iam.add(Role { name: "Reader".to_owned(), statements: statements(policy).unwrap() });
    (iam, key)
}

fn allow(sid: &str, actions: &[&str], resource: &str) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource })
}

/// The error code and the status of an answer.
fn outcome<T, E: ProvideErrorMetadata>(
    answer: Result<T, SdkError<E, aws_sdk_dynamodb::config::http::HttpResponse>>,
) -> (u16, String) {
    match answer {
        Ok(_) => (200, String::new()),
        Err(error) => {
            let status = error.raw_response().map_or(0, |reply| reply.status().as_u16());
            (status, error.code().unwrap_or_default().to_owned())
        }
    }
}

#[tokio::test]
async fn rows_are_guarded_by_their_keys_and_the_record_says_who_asked() {
    let mut policy = allow("Rows", &["dynamodb:UpdateItem", "dynamodb:BatchGetItem"], &arn::table(TABLE));
    policy["Condition"] = json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["session#*"] } });
    let (iam, key) = iam(&policy);
    let dynamodb = DynamoDb::start_with(Arc::clone(&iam)).await.unwrap();
    let spec = TableSpec {
        name: TABLE.into(),
        partition_key: "pk".into(),
        index: IndexSpec { name: "due".into(), partition_key: "queue".into(), sort_key: "due_at".into() },
        ttl_attribute: "ttl".into(),
        stream_view: None,
    };
    dynamodb.create_table(&spec).unwrap();
    let update = async |access_key_id: &str, pk: &str| {
        let client = clients::dynamodb_as(&dynamodb.endpoint(), access_key_id);
        outcome(client.update_item().table_name(TABLE).key("pk", AttributeValue::S(pk.to_owned())).send().await)
    };
    let denied = (400, "AccessDeniedException".to_owned());
    assert_eq!(update(&key, "session#1").await, (200, String::new()));
    assert_eq!(update(&key, "vendor#token").await, denied);
    assert_eq!(update("AKIANOBODY", "session#1").await, (400, "UnrecognizedClientException".to_owned()));
    assert_eq!(update(local_cloud::ACCESS_KEY_ID, "vendor#token").await, (200, String::new()));
    assert_eq!(dynamodb.rows(TABLE).unwrap().len(), 2);
    let calls: Vec<_> = iam.calls().into_iter().map(|it| (it.call.leading_keys, it.verdict)).collect();
    let allowed = Verdict::Allowed { by: "Rows".to_owned() };
    let expected = [(vec!["session#1".to_owned()], allowed), (vec!["vendor#token".to_owned()], Verdict::NotGranted)];
    assert_eq!(calls, expected, "the administrator's are not written down");
}

#[tokio::test]
async fn who_may_not_list_does_not_learn_that_nothing_lies_there() {
    let objects = format!("{}/*", arn::bucket(BUCKET));
    let read = allow("Read", &["s3:GetObject", "s3:GetObjectVersion"], &objects);
    let list = allow("List", &["s3:ListBucket", "s3:ListBucketVersions"], &arn::bucket(BUCKET));
    for (policy, expected) in [(json!([read]), 403), (json!([read, list]), 404)] {
        let (iam, key) = iam(&policy);
        let folder = std::env::temp_dir().join(format!("local-cloud-iam-{}-{expected}", std::process::id()));
        let s3 = S3::start_with(folder.clone(), Arc::clone(&iam)).await.unwrap();
        s3.create_bucket(BUCKET).unwrap();
        let admin = clients::s3(&s3.endpoint());
        admin.put_object().bucket(BUCKET).key("there").body(ByteStream::from_static(b"x")).send().await.unwrap();
        let client = clients::s3_as(&s3.endpoint(), &key);
        let get = |key: &str| client.get_object().bucket(BUCKET).key(key);
        assert_eq!(outcome(get("there").send().await).0, 200);
        assert_eq!(outcome(get("missing").send().await).0, expected);
        assert_eq!(outcome(client.head_object().bucket(BUCKET).key("missing").send().await).0, expected);
        assert_eq!(outcome(get("there").version_id("gone").send().await).0, expected);
        assert_eq!(outcome(admin.get_object().bucket(BUCKET).key("missing").send().await).0, 404);
        let put = client.put_object().bucket(BUCKET).key("new").body(ByteStream::from_static(b"x"));
        assert_eq!(outcome(put.send().await), (403, "AccessDenied".to_owned()));
        assert_eq!(outcome(client.delete_object().bucket(BUCKET).key("there").send().await).0, 403);
        let begin = client.create_multipart_upload().bucket(BUCKET).key("new");
        assert_eq!(outcome(begin.send().await), (403, "AccessDenied".to_owned()));
        let list = client.list_objects_v2().bucket(BUCKET).send().await;
        assert_eq!(outcome(list).0, if expected == 404 { 200 } else { 403 });
        let strangers = clients::s3_as(&s3.endpoint(), "AKIANOBODY");
        let strange = outcome(strangers.list_objects_v2().bucket(BUCKET).send().await);
        assert_eq!(strange, (403, "InvalidAccessKeyId".to_owned()));
        assert_eq!(s3.objects(BUCKET).len(), 1);
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[tokio::test]
async fn a_secret_is_read_by_name_or_arn_by_whoever_may() {
    let (iam, key) = iam(&allow("Read", &["secretsmanager:GetSecretValue"], &arn::secret("mine")));
    let secrets = Secrets::start_with(iam).await.unwrap();
    secrets.put("mine", "{}");
    secrets.put("theirs", "{}");
    let client = clients::secrets_as(&secrets.endpoint(), &key);
    let read = async |id: &str| outcome(client.get_secret_value().secret_id(id).send().await);
    let denied = (400, "AccessDeniedException".to_owned());
    assert_eq!((read("mine").await.0, read(&arn::secret("mine")).await.0), (200, 200));
    assert_eq!((read("theirs").await, read(&arn::secret("theirs")).await), (denied.clone(), denied));
    assert_eq!((secrets.reads("mine"), secrets.reads("theirs")), (2, 0));
}
