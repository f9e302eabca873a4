//! The runbook's commands, carried out on the local stack: by the operator's own program where it is one, otherwise by doing to the
//! stand-ins what AWS would do.

use std::{collections::BTreeMap, path::Path};

use local_cloud::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, lambda::Function};
use ringvault::stack::{BUCKET, RINGCENTRAL_SECRET, TABLE, VERIFICATION_SECRET};
use tokio::process;

use super::{
    command::Command,
    site::{DrillError, Site, doing},
    trouble::Trouble,
    words::Variables,
};

/// The functions' names on the local stack.
const ARCHIVER: &str = "archiver";
const RECONCILER: &str = "reconciler";

impl Site {
    /// Carries out a command; `ringvault` is the operator's program.
    pub(super) async fn act(&mut self, command: &Command, ringvault: &Path) -> Result<(), DrillError> {
        match command {
            Command::Ringvault(arguments) => self.run(ringvault, arguments).await,
            Command::PutSecret { id, value } => self.put_secret(id, value).await,
            Command::Invoke { function, payload } => {
                self.answer = Some(self.function(function)?.invoke(payload).await?);
                self.listen()
            }
            Command::FreeConcurrency { function } => {
                let held = function == ARCHIVER && self.archiver_is_held;
                self.archiver_is_held = false;
                if held { Ok(()) } else { Err(DrillError::Told(format!("{function} is not held"))) }
            }
            Command::RemoveObject { bucket, key } if bucket == BUCKET => {
                self.stack.s3.remove(bucket, key).map_err(doing("the object cannot be deleted"))
            }
            Command::RemoveObject { bucket, .. } => Err(DrillError::Told(format!("there is no bucket {bucket}"))),
            Command::Deploy { overrides } => self.deploy(overrides).await,
        }
    }

    /// Runs the operator's program as in his shell; it must succeed.
    async fn run(&self, ringvault: &Path, arguments: &[String]) -> Result<(), DrillError> {
        let keys = [
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        let mut program = process::Command::new(ringvault);
        program.args(arguments).env_clear().envs(&self.stack.variables).envs(keys);
        let output = program.output().await.map_err(doing("ringvault cannot be run"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        Err(DrillError::Told(format!("ringvault {} ({}): {said}", arguments.join(" "), output.status)))
    }

    async fn put_secret(&self, id: &str, value: &str) -> Result<(), DrillError> {
        if ![VERIFICATION_SECRET, RINGCENTRAL_SECRET].contains(&id) {
            return Err(DrillError::Told(format!("there is no secret {id}")));
        }
        self.stack.secrets.put(id, value);
        // Five minutes later they have read it.
        self.restart().await
    }

    async fn deploy(&mut self, overrides: &BTreeMap<String, String>) -> Result<(), DrillError> {
        for (name, value) in overrides {
            match name.as_str() {
                "RingCentralAllowedHosts" => self.set_variable("RINGCENTRAL_ALLOWED_HOSTS", value).await?,
                _ => return Err(DrillError::Told(format!("what the parameter {name} changes is not known here"))),
            }
        }
        Ok(())
    }

    /// Functions of another configuration take the places of the archiver and the reconciler.
    async fn set_variable(&mut self, name: &str, value: &str) -> Result<(), DrillError> {
        self.listen()?;
        for function in [&mut self.stack.archiver, &mut self.stack.reconciler] {
            let mut config = function.config().clone();
            config.env.insert(name.to_owned(), value.to_owned());
            function.kill().await;
            *function = Function::start(config).await?;
        }
        self.forget_logs();
        Ok(())
    }

    fn function(&self, name: &str) -> Result<&Function, DrillError> {
        match name {
            ARCHIVER => Ok(&self.stack.archiver),
            RECONCILER => Ok(&self.stack.reconciler),
            _ => Err(DrillError::Told(format!("there is no function {name}"))),
        }
    }
}

/// What the runbook's commands name, as whoever has read the alarm and its section would set it.
pub(super) fn variables_of(trouble: Trouble) -> Variables {
    let known = [
        ("BUCKET_NAME", BUCKET),
        ("TABLE_NAME", TABLE),
        ("RINGCENTRAL_SECRET_ID", RINGCENTRAL_SECRET),
        ("VERIFICATION_SECRET_ID", VERIFICATION_SECRET),
        ("ARCHIVER", ARCHIVER),
        ("RECONCILER", RECONCILER),
    ];
    let told = trouble.variables();
    known
        .into_iter()
        .chain(told.iter().map(|(name, value)| (*name, value.as_str())))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
