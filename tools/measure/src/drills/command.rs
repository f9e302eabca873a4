//! The commands of the runbook, understood one by one: what is not known here is an error and never passed over.

use std::collections::BTreeMap;

use serde_json::Value;

/// So long an answer is waited for, seconds: longer than a function may run.
const READ_TIMEOUT_S: &str = "330";

/// A command of the runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// `cargo run --bin ringvault -- …`: its arguments.
    Ringvault(Vec<String>),
    /// A secret gets a new value.
    PutSecret {
        /// Which.
        id: String,
        /// The value.
        value: String,
    },
    /// A function is started by hand.
    Invoke {
        /// Which.
        function: String,
        /// With what.
        payload: Value,
    },
    /// A function may run again as often as it wants.
    FreeConcurrency {
        /// Which.
        function: String,
    },
    /// An object is deleted.
    RemoveObject {
        /// Where.
        bucket: String,
        /// Which.
        key: String,
    },
    /// The stack is deployed again with some parameters changed.
    Deploy {
        /// Parameters and their values.
        overrides: BTreeMap<String, String>,
    },
}

impl Command {
    /// Understands the words of a command.
    ///
    /// # Errors
    /// Says what is not understood.
    pub(super) fn read(words: &[String]) -> Result<Self, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["cargo", "run", "--bin", "ringvault", "--", arguments @ ..] => {
                Ok(Self::Ringvault(arguments.iter().map(|word| (*word).to_owned()).collect()))
            }
            ["aws", service, operation, options @ ..] => aws(service, operation, options),
            ["sam", "deploy", options @ ..] => deploy(options),
            _ => Err(format!("the command {words:?} is not known")),
        }
    }
}

fn aws(service: &str, operation: &str, words: &[&str]) -> Result<Command, String> {
    match (service, operation) {
        ("secretsmanager", "put-secret-value") => {
            let mut options = Options::read(words)?;
            let command = Command::PutSecret { id: options.take("secret-id")?, value: options.take("secret-string")? };
            options.end(command)
        }
        ("lambda", "delete-function-concurrency") => {
            let mut options = Options::read(words)?;
            let command = Command::FreeConcurrency { function: options.take("function-name")? };
            options.end(command)
        }
        ("lambda", "invoke") => {
            // Where the answer goes is the last word.
            let (_answer, words) = words.split_last().ok_or("invoke without a file for the answer")?;
            let mut options = Options::read(words)?;
            let function = options.take("function-name")?;
            if options.0.contains_key("cli-binary-format") && options.take("cli-binary-format")? != "raw-in-base64-out"
            {
                return Err("a payload that is not raw".to_owned());
            }
            if options.0.contains_key("cli-read-timeout") && options.take("cli-read-timeout")? != READ_TIMEOUT_S {
                return Err("an answer that is not waited for".to_owned());
            }
            let payload = options.take("payload")?;
            let payload = serde_json::from_str(&payload).map_err(|error| format!("the payload {payload}: {error}"))?;
            options.end(Command::Invoke { function, payload })
        }
        ("s3api", "delete-object") => {
            let mut options = Options::read(words)?;
            let command = Command::RemoveObject { bucket: options.take("bucket")?, key: options.take("key")? };
            options.end(command)
        }
        _ => Err(format!("aws {service} {operation} is not known")),
    }
}

fn deploy(words: &[&str]) -> Result<Command, String> {
    let at = words.iter().position(|word| *word == "--parameter-overrides").ok_or("sam deploy without overrides")?;
    let (before, overrides) = words.split_at(at);
    if !matches!(before, [] | ["--stack-name", _]) {
        return Err(format!("sam deploy {before:?} is not known"));
    }
    let pairs = overrides.iter().skip(1).map(|pair| {
        let (name, value) = pair.split_once('=').ok_or_else(|| format!("{pair} is no parameter with a value"))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    let overrides = pairs.collect::<Result<BTreeMap<_, _>, String>>()?;
    if overrides.is_empty() {
        Err("sam deploy that changes nothing".to_owned())
    } else {
        Ok(Command::Deploy { overrides })
    }
}

/// Options of a command, each with its value.
struct Options<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Options<'a> {
    fn read(words: &[&'a str]) -> Result<Self, String> {
        let mut options = BTreeMap::new();
        for pair in words.chunks(2) {
            let [name, value] = pair else { return Err(format!("{pair:?} is no option with a value")) };
            let name = name.strip_prefix("--").ok_or_else(|| format!("{name} is no option"))?;
            if options.insert(name, *value).is_some() {
                return Err(format!("--{name} comes twice"));
            }
        }
        Ok(Self(options))
    }

    fn take(&mut self, name: &str) -> Result<String, String> {
        self.0.remove(name).map(str::to_owned).ok_or_else(|| format!("--{name} is missing"))
    }

    /// The command, if no option is left that nobody asked for.
    fn end(self, command: Command) -> Result<Command, String> {
        match self.0.first_key_value() {
            None => Ok(command),
            Some((name, _)) => Err(format!("--{name} is not known")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::words::split, *};

    fn read(line: &str) -> Result<Command, String> {
        let commands = split(line, &BTreeMap::new()).unwrap();
        let [words] = commands.as_slice() else { panic!("one command: {commands:?}") };
        Command::read(words)
    }

    #[test]
    fn the_runbooks_commands_are_understood() {
        let text = str::to_owned;
        for (line, expected) in [
            (
                "cargo run --bin ringvault -- reconcile --from 2026-03-02 --to 2026-03-03",
                Command::Ringvault(["reconcile", "--from", "2026-03-02", "--to", "2026-03-03"].map(text).to_vec()),
            ),
            (
                r#"aws secretsmanager put-secret-value --secret-id a --secret-string '{"jwt": "b"}'"#,
                Command::PutSecret { id: text("a"), value: text(r#"{"jwt": "b"}"#) },
            ),
            (
                r#"aws lambda invoke --function-name f --cli-binary-format raw-in-base64-out --payload '{"detail": {}}' /dev/stdout"#,
                Command::Invoke { function: text("f"), payload: json!({ "detail": {} }) },
            ),
            (
                "aws lambda invoke --function-name f --cli-read-timeout 330 --payload 1 out",
                Command::Invoke { function: text("f"), payload: json!(1) },
            ),
            (
                "aws lambda delete-function-concurrency --function-name f",
                Command::FreeConcurrency { function: text("f") },
            ),
            (
                "aws s3api delete-object --key k/l --bucket b",
                Command::RemoveObject { bucket: text("b"), key: text("k/l") },
            ),
            (
                "sam deploy --stack-name s --parameter-overrides 'A=*.x,y=z' B=2",
                Command::Deploy { overrides: [("A", "*.x,y=z"), ("B", "2")].map(|(a, b)| (text(a), text(b))).into() },
            ),
        ] {
            assert_eq!(read(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn every_other_command_is_refused() {
        for line in [
            "rm -rf x",
            "cargo run --bin measure -- drills",
            "cargo run --release --bin ringvault -- reconcile",
            "aws s3 rm s3://b/k",
            "aws s3api delete-object --bucket b",
            "aws s3api delete-object --bucket b --key k --version-id v",
            "aws s3api delete-object --bucket b --key k --key l",
            "aws s3api delete-object --bucket b --key",
            "aws lambda invoke --function-name f --payload x out",
            "aws lambda invoke --function-name f --cli-binary-format base64 --payload 1 out",
            "aws lambda invoke --function-name f --cli-read-timeout 60 --payload 1 out",
            "aws lambda invoke --function-name f --invocation-type Event --payload 1 out",
            "aws lambda invoke",
            "sam deploy",
            "sam deploy --guided",
            "sam deploy --parameter-overrides",
            "sam deploy --parameter-overrides A",
            "sam deploy --guided --parameter-overrides A=1",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
