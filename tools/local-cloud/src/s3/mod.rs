//! S3: objects as plain files, `<dir>/<bucket>/<key>`.
//!
//! What S3 keeps beside the bytes is in memory, so a folder belongs to one run.

mod access;
mod agreed;
mod assembly;
mod backend;
mod checksums;
mod conditions;
mod description;
mod faults;
mod key;
mod listing;
mod multipart;
mod store;
mod upload;
mod uploads;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::error_handling::HandleError;
use axum::http::StatusCode;
use s3s::HttpError;
use s3s::service::S3ServiceBuilder;

use self::access::Access;
use self::backend::Backend;
pub use self::faults::{Failure, Hold, Operation};
use self::store::Store;
use crate::StartError;
use crate::iam::Iam;
use crate::server::Server;

/// S3 on loopback.
pub struct S3 {
    store: Arc<Store>,
    server: Server,
}

/// An object and what S3 keeps beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its key.
    pub key: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its media type.
    pub content_type: Option<String>,
    /// User metadata, names without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// Its storage class, `STANDARD` unless the writer said otherwise.
    pub storage_class: String,
    /// The SHA-256, base64, if the writer sent one; verified.
    pub checksum_sha256: Option<String>,
    /// The file that holds its bytes.
    pub path: PathBuf,
}

/// Why a bucket was not created.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// S3 would not take the name.
    #[error("{name:?} is no bucket name; use 3 to 63 lower-case letters, digits, dots and hyphens")]
    Name {
        /// The name.
        name: String,
    },
    /// There is a folder of that name already: another bucket, or the objects of another run.
    #[error("cannot create the bucket {name}: {path} is there; remove it or choose another folder", path = path.display())]
    Exists {
        /// The name.
        name: String,
        /// The folder.
        path: PathBuf,
    },
    /// The folder was not made.
    #[error("could not create the folder {path}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl S3 {
    /// Starts without buckets, over the folder `dir`, which is created if need be, for the administrator alone.
    pub async fn start(dir: PathBuf) -> Result<Self, StartError> {
        Self::start_with(dir, Arc::default()).await
    }

    /// [`S3::start`], for the roles of `iam` too.
    pub async fn start_with(dir: PathBuf, iam: Arc<Iam>) -> Result<Self, StartError> {
        let store = Arc::new(Store::open(dir)?);
        let access = Access::new(iam);
        let mut builder = S3ServiceBuilder::new(Backend::new(Arc::clone(&store), access.clone()));
        builder.set_auth(access.clone());
        builder.set_access(access);
        let service = HandleError::new(builder.build(), broken);
        let server = Server::start("S3", Router::new().fallback_service(service)).await?;
        Ok(Self { store, server })
    }

    /// Where a client finds it. Being an address and not a name, it makes the SDK use path-style requests.
    pub fn endpoint(&self) -> String {
        self.server.url()
    }

    /// Creates an empty bucket and its folder.
    pub fn create_bucket(&self, name: &str) -> Result<(), BucketError> {
        self.store.create_bucket(name)
    }

    /// The objects of `bucket` by key; none if there is no such bucket.
    pub fn objects(&self, bucket: &str) -> Vec<StoredObject> {
        self.store.objects(bucket)
    }

    /// The keys of the multipart uploads neither completed nor aborted, in order; none if there is no such bucket.
    pub fn open_uploads(&self, bucket: &str) -> Vec<String> {
        self.store.open_uploads(bucket)
    }

    /// How many requests of every [`Operation`] came so far, whatever became of them.
    pub fn writes(&self) -> u64 {
        self.store.writes()
    }

    /// Makes the next `times` requests of `operation` fail, instead of what was said of it before; `usize::MAX` is
    /// until further notice, and 0 ends it.
    pub fn fail(&self, operation: Operation, times: usize, failure: Failure) {
        self.store.faults.set(operation, times, failure);
    }

    /// Holds the `nth` request of any [`Operation`] from now, counted from 0: it is never answered.
    pub fn hold(&self, nth: u64, hold: Hold) {
        self.store.faults.hold(nth, hold);
    }

    /// Ends once that request is held.
    pub async fn held(&self) {
        self.store.faults.held().await;
    }

    /// Deletes an object behind the API's back, with its file.
    ///
    /// [`NotFound`](std::io::ErrorKind::NotFound) if there is no such object.
    pub fn remove(&self, bucket: &str, key: &str) -> std::io::Result<()> {
        self.store.remove(bucket, key)
    }

    /// Takes the store down: every connection is cut, further ones are refused. The files stay.
    pub fn stop(&self) {
        self.server.stop();
    }
}

async fn broken(_error: HttpError) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
