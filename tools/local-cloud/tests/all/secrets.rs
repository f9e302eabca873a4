use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use local_cloud::secrets::Secrets;

use crate::clients;

#[tokio::test]
async fn a_secret_is_found_until_it_is_removed() {
    let secrets = Secrets::start().await.unwrap();
    let client = clients::secrets(&secrets.endpoint());
    let read = async || client.get_secret_value().secret_id("ringcentral").send().await;

    secrets.put("ringcentral", r#"{"jwt":"one"}"#);
    assert_eq!(read().await.unwrap().secret_string(), Some(r#"{"jwt":"one"}"#));
    secrets.put("ringcentral", r#"{"jwt":"two"}"#);
    assert_eq!(read().await.unwrap().secret_string(), Some(r#"{"jwt":"two"}"#));
    secrets.remove("ringcentral");
    let error = read().await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
    assert_eq!(secrets.ever(), [r#"{"jwt":"one"}"#, r#"{"jwt":"two"}"#]);
    assert_eq!(secrets.reads("ringcentral"), 3);
    assert_eq!(secrets.reads("another"), 0);
}

#[tokio::test]
async fn a_stopped_vault_answers_nobody() {
    let secrets = Secrets::start().await.unwrap();
    secrets.put("ringcentral", "{}");
    let client = clients::secrets(&secrets.endpoint());
    client.get_secret_value().secret_id("ringcentral").send().await.unwrap();
    secrets.stop();
    let error = client.get_secret_value().secret_id("ringcentral").send().await.unwrap_err();
    assert_eq!(error.code(), None);
}

#[tokio::test]
async fn other_operations_are_refused_by_name() {
    let secrets = Secrets::start().await.unwrap();
    let client = clients::secrets(&secrets.endpoint());
    let error = client.delete_secret().secret_id("ringcentral").send().await.unwrap_err();
    assert_eq!(error.code(), Some("UnknownOperationException"));
}
