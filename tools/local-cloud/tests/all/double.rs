//! A Lambda function that does what its event says. The tests run their own executable as its binary.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use local_cloud::ACCESS_KEY_ID;
use local_cloud::lambda::FunctionConfig;
use serde_json::{Value, json};

use crate::clients;

/// The double as a function; `cold_start` is `ready`, `init_error` or `exit`.
pub(crate) fn config(cold_start: &str) -> FunctionConfig {
    let executable = std::env::current_exe().unwrap();
    let env = [("DOUBLE_EXECUTABLE", executable.to_str().unwrap()), ("DOUBLE_COLD_START", cold_start)];
    FunctionConfig {
        name: "double".to_owned(),
        binary: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/all/double.sh")),
        access_key_id: ACCESS_KEY_ID.to_owned(),
        env: env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        instances: 1,
        timeout_ms: 30_000,
        memory_mb: 128,
        log_file: None,
    }
}

#[tokio::test]
#[ignore = "not a test: double.sh starts it as a function"]
async fn function() {
    match variable("DOUBLE_COLD_START").as_str() {
        "init_error" => report_init_error(),
        "exit" => {
            println!("cannot start: TABLE_NAME is missing");
            std::process::exit(7);
        }
        _ => {}
    }
    lambda_runtime::run(service_fn(handle)).await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the double is a process of its own")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

#[derive(Debug)]
struct Failure;

impl From<Failure> for Diagnostic {
    fn from(_: Failure) -> Self {
        Self { error_type: "Broken".to_owned(), error_message: "as told".to_owned() }
    }
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Failure> {
    let (event, context) = event.into_parts();
    match event["do"].as_str().unwrap_or("echo") {
        "fail" => Err(Failure),
        "panic" => panic!("as told"),
        "exit" => {
            println!("leaving");
            std::process::exit(3)
        }
        "hang" => std::future::pending().await,
        "log" => {
            println!("a line on standard output");
            eprintln!("a line on standard error");
            Ok(json!(null))
        }
        "context" => Ok(json!({
            "request_id": context.request_id,
            "deadline_ms": context.deadline,
            "arn": context.invoked_function_arn,
            "process": std::process::id(),
            "variables": std::env::vars().map(|(name, _)| name).collect::<Vec<_>>(),
        })),
        "write" => {
            let pk = AttributeValue::S("the function".to_owned());
            let client = clients::dynamodb(event["at"].as_str().unwrap());
            client.put_item().table_name("sessions").item("pk", pk).send().await.unwrap();
            Ok(json!(null))
        }
        "meet" => Ok(meet(event["at"].as_str().unwrap())),
        _ => Ok(event),
    }
}

/// Tells the test that it is here, and goes on when the test says so.
fn meet(address: &str) -> Value {
    let mut test = TcpStream::connect(address).unwrap();
    test.read_to_end(&mut Vec::new()).unwrap();
    json!("met")
}

fn report_init_error() {
    let address = variable("AWS_LAMBDA_RUNTIME_API");
    let body = r#"{"errorType":"Config","errorMessage":"TABLE_NAME is missing"}"#;
    let request = format!(
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut api = TcpStream::connect(address).unwrap();
    api.write_all(request.as_bytes()).unwrap();
    api.read_to_end(&mut Vec::new()).unwrap();
}
