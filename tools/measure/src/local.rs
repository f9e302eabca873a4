//! What measurements over a local stack share: a folder, and an event.

use std::{fs, io, path::PathBuf};

use ringvault::stack::Binaries;
use serde_json::{Value, json};

/// A folder of a measurement's own, gone when dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    /// Makes one below `target/`; `name` tells it from others of this process.
    pub(crate) fn create(binaries: &Binaries, name: &str) -> io::Result<Self> {
        let own = format!("{}-{name}", std::process::id());
        let folder = Self(binaries.target_dir().join("measure").join(own));
        // A killed run of the same number may have left one.
        drop(fs::remove_dir_all(&folder.0));
        fs::create_dir_all(&folder.0)?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Where it cannot be removed it lies below target/, which anybody may clear.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// The end of a call with one recording (API.md §6).
pub(crate) fn hang_up(account: &str, session: &str, recording: &str) -> Value {
    json!({
        "event": format!("/restapi/v1.0/account/{account}/telephony/sessions"),
        "body": {
            "sequence": 4,
            "telephonySessionId": session,
            "parties": [{
                "accountId": account,
                "extensionId": "800000102",
                "id": format!("p-{session}-1"),
                "direction": "Inbound",
                "to": { "phoneNumber": "+16505550171" },
                "from": { "phoneNumber": "+16505550172" },
                "recordings": [{ "id": recording, "active": false }],
                "status": { "code": "Disconnected" },
            }],
        },
    })
}
