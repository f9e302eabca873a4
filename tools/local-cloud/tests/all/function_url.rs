use std::sync::Arc;

use local_cloud::function_url::FunctionUrl;
use local_cloud::lambda::Function;
use serde_json::Value;

use crate::double;

#[tokio::test]
async fn a_request_reaches_the_function_as_an_event_and_its_answer_comes_back() {
    let function = Arc::new(Function::start(double::config("ready")).await.unwrap());
    let url = FunctionUrl::start(function).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client
        .post(format!("{}hook?x=1", url.url()))
        .header("Content-Type", "application/json")
        .header("Verification-Token", "one")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    for header in ["date", "content-type", "content-length", "connection", "x-amzn-requestid", "x-amzn-trace-id"] {
        assert!(response.headers().contains_key(header), "{header}");
    }
    // The double answers a bare value: its event.
    let event: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(event["rawPath"], "/hook");
    assert_eq!(event["rawQueryString"], "x=1");
    assert_eq!(event["headers"]["verification-token"], "one");
    assert_eq!(event["body"], "{}");
    assert_eq!(event["requestContext"]["http"]["method"], "POST");
}

#[tokio::test]
async fn a_function_that_is_down_is_a_bad_gateway() {
    let function = Arc::new(Function::start(double::config("ready")).await.unwrap());
    let url = FunctionUrl::start(Arc::clone(&function)).await.unwrap();
    function.kill().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(client.get(url.url()).send().await.unwrap().status(), 502);
    url.stop();
    assert!(client.get(url.url()).send().await.is_err());
}
