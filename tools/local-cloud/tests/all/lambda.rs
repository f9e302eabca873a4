use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use local_cloud::lambda::{Function, FunctionConfig, InvokeError, LaunchError};
use serde_json::json;
use tokio::net::TcpListener;

use crate::double;

async fn start() -> Function {
    Function::start(double::config("ready")).await.unwrap()
}

#[tokio::test]
async fn events_come_back_in_the_order_they_were_sent() {
    let function = start().await;
    for number in 0..3 {
        let event = json!({ "number": number, "text": "ü" });
        assert_eq!(function.invoke(&event).await.unwrap(), event);
    }
}

#[tokio::test]
async fn the_function_sees_its_context_and_a_clean_environment() {
    let mut config = double::config("ready");
    config.timeout_ms = 60_000;
    let function = Function::start(config).await.unwrap();
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let first = function.invoke(&json!({ "do": "context" })).await.unwrap();
    let second = function.invoke(&json!({ "do": "context" })).await.unwrap();
    let deadline_ms = first["deadline_ms"].as_u64().unwrap();
    assert!((before + 60_000..before + 120_000).contains(&deadline_ms), "{deadline_ms}");
    assert_eq!(first["arn"], "arn:aws:lambda:us-east-1:000000000000:function:double");
    assert_ne!(first["request_id"], second["request_id"]);
    assert_eq!(first["process"], second["process"]);
    assert_eq!(json!(function.pids()), json!([first["process"]]));
    let variables: Vec<String> = serde_json::from_value(first["variables"].clone()).unwrap();
    for inherited in ["HOME", "PATH", "CARGO", "CARGO_MANIFEST_DIR"] {
        assert!(!variables.iter().any(|name| name == inherited), "{inherited}");
    }
    assert!(variables.iter().any(|name| name == "AWS_ACCESS_KEY_ID"));
}

#[tokio::test]
async fn a_failure_keeps_its_name_and_the_process_goes_on() {
    let function = start().await;
    let error = function.invoke(&json!({ "do": "fail" })).await.unwrap_err();
    let InvokeError::Function { error_type, message } = error else { panic!("{error:?}") };
    assert_eq!((error_type.as_str(), message.as_str()), ("Broken", "as told"));
    assert!(matches!(function.invoke(&json!({ "do": "panic" })).await, Err(InvokeError::Function { .. })));
    assert_eq!(function.invoke(&json!(1)).await.unwrap(), json!(1));
}

#[tokio::test]
async fn an_exit_is_told_and_the_next_invocation_gets_a_fresh_process() {
    let function = start().await;
    let error = function.invoke(&json!({ "do": "exit" })).await.unwrap_err();
    let InvokeError::Exited { status, last_lines } = error else { panic!("{error:?}") };
    assert_eq!(status, "exit status: 3");
    assert!(last_lines.ends_with("leaving"), "{last_lines}");
    assert_eq!(function.invoke(&json!(1)).await.unwrap(), json!(1));
}

#[tokio::test]
async fn what_a_function_said_is_kept_each_once_errors_too() {
    let function = start().await;
    for event in [json!("yes"), json!("yes"), json!({ "do": "fail" }), json!({ "do": "exit" })] {
        drop(function.invoke(&event).await);
    }
    let said = function.said().join("\n");
    for words in ["\"yes\"", "the function failed: as told (Broken)", "leaving"] {
        assert_eq!(said.matches(words).count(), 1, "{words}: {said}");
    }
}

#[tokio::test]
async fn a_function_out_of_time_is_killed_and_replaced() {
    let function = Function::start(FunctionConfig { timeout_ms: 300, ..double::config("ready") }).await.unwrap();
    let error = function.invoke(&json!({ "do": "hang" })).await.unwrap_err();
    assert!(matches!(error, InvokeError::TimedOut { timeout_ms: 300 }), "{error:?}");
    assert_eq!(function.invoke(&json!(1)).await.unwrap(), json!(1));
}

#[tokio::test]
async fn a_cold_start_that_fails_says_why() {
    let error = Function::start(double::config("init_error")).await.err().unwrap();
    assert_eq!(error.to_string(), "double reported that it cannot start: Config: TABLE_NAME is missing");

    let error = Function::start(double::config("exit")).await.err().unwrap();
    let LaunchError::Exited { status, last_lines, .. } = error else { panic!("{error:?}") };
    assert_eq!(status, "exit status: 7");
    assert!(last_lines.ends_with("cannot start: TABLE_NAME is missing"), "{last_lines}");

    let missing = FunctionConfig { binary: "/no/such/binary".into(), ..double::config("ready") };
    let error = Function::start(missing).await.err().unwrap();
    assert_eq!(error.to_string(), "could not run /no/such/binary; build it first");
}

#[tokio::test]
async fn a_kill_in_mid_invocation_answers_what_was_pending_until_a_restart() {
    let function = Arc::new(start().await);
    let test = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let event = json!({ "do": "meet", "at": test.local_addr().unwrap().to_string() });
    let invoke = |event| {
        let function = Arc::clone(&function);
        tokio::spawn(async move { function.invoke(&event).await })
    };
    let running = invoke(event);
    let _met = test.accept().await.unwrap();
    let queued = invoke(json!(1));
    tokio::task::yield_now().await;

    function.kill().await;
    assert!(matches!(running.await.unwrap(), Err(InvokeError::Exited { .. })));
    assert!(matches!(queued.await.unwrap(), Err(InvokeError::Exited { .. })));
    assert!(matches!(function.invoke(&json!(1)).await, Err(InvokeError::NotRunning { .. })));
    assert_eq!(function.pids(), [0; 0]);

    function.restart().await.unwrap();
    assert_eq!(function.invoke(&json!(1)).await.unwrap(), json!(1));
}

#[tokio::test]
async fn two_instances_serve_two_events_at_once_and_a_third_waits() {
    let config = FunctionConfig { instances: 2, ..double::config("ready") };
    let function = Function::start(config).await.unwrap();
    let test = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let event = json!({ "do": "meet", "at": test.local_addr().unwrap().to_string() });
    let both_are_in = async {
        let first = test.accept().await.unwrap();
        let second = test.accept().await.unwrap();
        drop((first, second));
        test.accept().await.unwrap();
    };
    let (first, second, third, ()) =
        tokio::join!(function.invoke(&event), function.invoke(&event), function.invoke(&event), both_are_in);
    assert_eq!([first.unwrap(), second.unwrap(), third.unwrap()], ["met", "met", "met"]);
}

#[tokio::test]
async fn every_line_is_in_the_log_by_the_time_of_the_answer() {
    let log_file = std::env::temp_dir().join(format!("local-cloud-test-{}.log", std::process::id()));
    let config = FunctionConfig { log_file: Some(log_file.clone()), ..double::config("ready") };
    let function = Function::start(config).await.unwrap();
    function.invoke(&json!({ "do": "log" })).await.unwrap();
    let logs = function.logs();
    assert!(logs.ends_with(&["a line on standard output".into(), "a line on standard error".into()]), "{logs:?}");
    assert_eq!(std::fs::read_to_string(&log_file).unwrap().lines().collect::<Vec<_>>(), logs);
    std::fs::remove_file(log_file).unwrap();
}
