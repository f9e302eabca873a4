//! Buckets and objects.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::SystemTime;

use s3s::dto::ETag;
use s3s::validation::{AwsNameValidation, NameValidation};
use s3s::{S3Error, S3Result, s3_error};

use super::checksums::{Algorithm, Checksums};
use super::conditions::Conditions;
use super::upload::{TemporaryFile, Upload};
use super::{BucketError, StoredObject, key};
use crate::StartError;
use crate::sync::lock;

/// No bucket can have this name.
const UPLOADS: &str = ".uploads";

pub(super) struct Store {
    folder: PathBuf,
    buckets: Mutex<BTreeMap<String, Bucket>>,
    refusing_puts: AtomicBool,
    puts: AtomicU64,
    uploads: AtomicU64,
}

pub(super) type Bucket = BTreeMap<String, Object>;

/// What the writer says of an object beside its bytes.
#[derive(Debug, Clone)]
pub(super) struct Description {
    pub(super) content_type: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) storage_class: String,
}

/// What S3 keeps beside the bytes.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) description: Description,
    pub(super) size_bytes: u64,
    pub(super) etag: ETag,
    pub(super) checksums: Checksums,
    pub(super) last_modified: SystemTime,
    path: PathBuf,
}

impl Store {
    pub(super) fn open(folder: PathBuf) -> Result<Self, StartError> {
        match fs::create_dir_all(folder.join(UPLOADS)) {
            Ok(()) => Ok(Self {
                folder,
                buckets: Mutex::default(),
                refusing_puts: AtomicBool::default(),
                puts: AtomicU64::default(),
                uploads: AtomicU64::default(),
            }),
            Err(source) => Err(StartError::Folder { path: folder, source }),
        }
    }

    pub(super) fn create_bucket(&self, name: &str) -> Result<(), BucketError> {
        if !AwsNameValidation::new().validate_bucket_name(name) {
            return Err(BucketError::Name { name: name.to_owned() });
        }
        let path = self.folder.join(name);
        match fs::create_dir(&path) {
            Ok(()) => {
                lock(&self.buckets).insert(name.to_owned(), Bucket::new());
                Ok(())
            }
            Err(source) if source.kind() == ErrorKind::AlreadyExists => {
                Err(BucketError::Exists { name: name.to_owned(), path })
            }
            Err(source) => Err(BucketError::Folder { path, source }),
        }
    }

    pub(super) fn objects(&self, bucket: &str) -> Vec<StoredObject> {
        let buckets = lock(&self.buckets);
        buckets.get(bucket).into_iter().flatten().map(|(key, object)| object.shown(key)).collect()
    }

    pub(super) fn puts(&self) -> u64 {
        self.puts.load(Ordering::SeqCst)
    }

    pub(super) fn count_put(&self) {
        self.puts.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn refuse_puts(&self, on: bool) {
        self.refusing_puts.store(on, Ordering::SeqCst);
    }

    /// A new name beside the buckets, on the same file system.
    pub(super) fn temporary_file(&self) -> TemporaryFile {
        let number = self.uploads.fetch_add(1, Ordering::SeqCst);
        TemporaryFile::new(self.folder.join(UPLOADS).join(number.to_string()))
    }

    /// Makes an upload the object `key`. The condition is decided and the object put in place under one lock, which
    /// is why only one of many writers wins.
    pub(super) fn commit(
        &self,
        (bucket, key): (&str, &str),
        upload: Upload,
        description: Description,
        conditions: &Conditions,
    ) -> S3Result<Object> {
        if self.refusing_puts.load(Ordering::SeqCst) {
            return Err(s3_error!(ServiceUnavailable, "puts are refused for now"));
        }
        let path = key::path(&self.folder.join(bucket), key)?;
        let mut buckets = lock(&self.buckets);
        let objects = buckets.get_mut(bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        conditions.allow_write(objects.get(key).map(|object| &object.etag))?;
        upload.file.rename(&path).map_err(S3Error::internal_error)?;
        let object = Object {
            description,
            size_bytes: upload.size_bytes,
            etag: ETag::Strong(hex(upload.digests.md5)),
            checksums: upload.digests.checksums,
            last_modified: SystemTime::now(),
            path,
        };
        objects.insert(key.to_owned(), object.clone());
        Ok(object)
    }

    /// The object and its file, which stays whole if the object is replaced meanwhile.
    pub(super) fn read(&self, bucket: &str, key: &str, conditions: &Conditions) -> S3Result<(Object, File)> {
        self.with_bucket(bucket, |objects| {
            let object = objects.get(key).ok_or_else(|| s3_error!(NoSuchKey))?;
            conditions.allow_read(&object.etag)?;
            let file = File::open(&object.path).map_err(S3Error::internal_error)?;
            Ok((object.clone(), file))
        })
    }

    pub(super) fn with_bucket<T>(&self, name: &str, read: impl FnOnce(&Bucket) -> S3Result<T>) -> S3Result<T> {
        let buckets = lock(&self.buckets);
        read(buckets.get(name).ok_or_else(|| s3_error!(NoSuchBucket))?)
    }
}

impl Object {
    fn shown(&self, key: &str) -> StoredObject {
        StoredObject {
            key: key.to_owned(),
            size_bytes: self.size_bytes,
            content_type: self.description.content_type.clone(),
            metadata: self.description.metadata.clone(),
            storage_class: self.description.storage_class.clone(),
            checksum_sha256: self.checksums.get(&Algorithm::Sha256).cloned(),
            path: self.path.clone(),
        }
    }
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}
