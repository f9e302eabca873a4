//! Buckets and objects.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use s3s::dto::ETag;
use s3s::validation::{AwsNameValidation, NameValidation};
use s3s::{S3Error, S3Result, s3_error};

use super::agreed::{Agreed, Kind};
use super::checksums::{Algorithm, Checksums};
use super::conditions::Conditions;
use super::description::Description;
use super::faults::Faults;
use super::upload::{TemporaryFile, Upload, hex};
use super::uploads::{OpenUpload, Uploads};
use super::{BucketError, StoredObject, key};
use crate::sync::lock;
use crate::{StartError, ids};

/// No bucket can have this name.
const UPLOADS: &str = ".uploads";
/// Nor this.
const VERSIONS: &str = ".versions";

pub(super) struct Store {
    folder: PathBuf,
    buckets: Mutex<BTreeMap<String, Bucket>>,
    pub(super) faults: Faults,
    writes: AtomicU64,
    files: AtomicU64,
}

/// The objects of a bucket by key.
pub(super) type Objects = BTreeMap<String, Object>;

#[derive(Default)]
pub(super) struct Bucket {
    pub(super) objects: Objects,
    /// What was replaced, by version.
    replaced: BTreeMap<String, Replaced>,
    pub(super) uploads: Uploads,
}

/// An object that is not current any more.
struct Replaced {
    key: String,
    object: Object,
}

/// A whole file that is to become an object.
pub(super) struct Draft {
    pub(super) file: TemporaryFile,
    pub(super) size_bytes: u64,
    pub(super) etag: ETag,
    pub(super) checksums: Checksums,
    pub(super) kind: Kind,
    pub(super) description: Description,
}

/// What S3 keeps beside the bytes.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) description: Description,
    pub(super) size_bytes: u64,
    pub(super) etag: ETag,
    pub(super) checksums: Checksums,
    pub(super) kind: Kind,
    pub(super) last_modified: SystemTime,
    pub(super) version: String,
    path: PathBuf,
}

impl Store {
    pub(super) fn open(folder: PathBuf) -> Result<Self, StartError> {
        let made = [UPLOADS, VERSIONS].iter().try_for_each(|name| fs::create_dir_all(folder.join(name)));
        match made {
            Ok(()) => Ok(Self {
                folder,
                buckets: Mutex::default(),
                faults: Faults::default(),
                writes: AtomicU64::default(),
                files: AtomicU64::default(),
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
                lock(&self.buckets).insert(name.to_owned(), Bucket::default());
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
        buckets
            .get(bucket)
            .into_iter()
            .flat_map(|bucket| &bucket.objects)
            .map(|(key, object)| object.shown(key))
            .collect()
    }

    pub(super) fn open_uploads(&self, bucket: &str) -> Vec<String> {
        let buckets = lock(&self.buckets);
        let uploads = buckets.get(bucket).into_iter().flat_map(|bucket| bucket.uploads.in_order());
        uploads.map(|(_, upload)| upload.key.clone()).collect()
    }

    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    pub(super) fn count_write(&self) {
        self.writes.fetch_add(1, Ordering::SeqCst);
    }

    /// The id of a new upload.
    pub(super) fn open_upload(
        &self,
        (bucket, key): (&str, &str),
        description: Description,
        agreed: Agreed,
    ) -> S3Result<String> {
        key::check(key)?;
        let id = ids::request_id();
        let upload = OpenUpload::new(key.to_owned(), description, agreed, SystemTime::now());
        self.with_bucket(bucket, |bucket| {
            bucket.uploads.insert(id.clone(), upload);
            Ok(id)
        })
    }

    /// A new name beside the buckets, on the same file system.
    pub(super) fn temporary_file(&self) -> TemporaryFile {
        let number = self.files.fetch_add(1, Ordering::SeqCst);
        TemporaryFile::new(self.folder.join(UPLOADS).join(number.to_string()))
    }

    /// Makes a draft the object `key`, and ends the open upload it was made of, if any. The condition is decided and
    /// the object put in place under one lock, which is why only one of many writers wins.
    pub(super) fn commit(
        &self,
        (bucket, key): (&str, &str),
        draft: Draft,
        conditions: &Conditions,
        upload: Option<&str>,
    ) -> S3Result<Object> {
        let path = key::path(&self.folder.join(bucket), key)?;
        self.with_bucket(bucket, |bucket| {
            if let Some(id) = upload {
                // Not if it was aborted or completed since.
                bucket.uploads.find(id, key)?;
            }
            conditions.allow_write(bucket.objects.get(key).map(|object| &object.etag))?;
            if let Some(before) = bucket.objects.remove(key) {
                let replaced = before.move_to(self.folder.join(VERSIONS)).map_err(S3Error::internal_error)?;
                bucket.replaced.insert(replaced.version.clone(), Replaced { key: key.to_owned(), object: replaced });
            }
            draft.file.rename(&path).map_err(S3Error::internal_error)?;
            let object = Object {
                description: draft.description,
                size_bytes: draft.size_bytes,
                etag: draft.etag,
                checksums: draft.checksums,
                kind: draft.kind,
                last_modified: SystemTime::now(),
                version: ids::request_id(),
                path,
            };
            bucket.objects.insert(key.to_owned(), object.clone());
            if let Some(id) = upload {
                bucket.uploads.remove(id, key)?;
            }
            Ok(object)
        })
    }

    /// The object, or what it was as `version`, and its file, which stays whole if the object is replaced meanwhile.
    pub(super) fn read(
        &self,
        (bucket, key): (&str, &str),
        version: Option<&str>,
        conditions: &Conditions,
    ) -> S3Result<(Object, File)> {
        self.with_bucket(bucket, |bucket| {
            let current = bucket.objects.get(key);
            let object = match version {
                None => current.ok_or_else(|| s3_error!(NoSuchKey))?,
                Some(version) => {
                    let replaced = || bucket.replaced.get(version).filter(|replaced| replaced.key == key);
                    let object = current.filter(|object| object.version == version);
                    let object = object.or_else(|| replaced().map(|replaced| &replaced.object));
                    object.ok_or_else(|| s3_error!(NoSuchVersion))?
                }
            };
            conditions.allow_read(&object.etag)?;
            let file = File::open(&object.path).map_err(S3Error::internal_error)?;
            Ok((object.clone(), file))
        })
    }

    pub(super) fn remove(&self, bucket: &str, key: &str) -> io::Result<()> {
        let mut buckets = lock(&self.buckets);
        let object = buckets.get_mut(bucket).and_then(|bucket| bucket.objects.remove(key));
        fs::remove_file(object.ok_or(ErrorKind::NotFound)?.path)
    }

    pub(super) fn with_bucket<T>(&self, name: &str, act: impl FnOnce(&mut Bucket) -> S3Result<T>) -> S3Result<T> {
        let mut buckets = lock(&self.buckets);
        act(buckets.get_mut(name).ok_or_else(|| s3_error!(NoSuchBucket))?)
    }
}

impl Draft {
    /// Of a body that came in one piece.
    pub(super) fn new(upload: Upload, description: Description) -> Self {
        Self {
            file: upload.file,
            size_bytes: upload.size_bytes,
            etag: ETag::Strong(hex(upload.digests.md5)),
            checksums: upload.digests.checksums,
            kind: Kind::FullObject,
            description,
        }
    }
}

impl Object {
    /// Makes room for the next version.
    fn move_to(mut self, folder: PathBuf) -> io::Result<Self> {
        let path = folder.join(&self.version);
        fs::rename(&self.path, &path)?;
        self.path = path;
        Ok(self)
    }

    fn shown(&self, key: &str) -> StoredObject {
        StoredObject {
            key: key.to_owned(),
            size_bytes: self.size_bytes,
            content_type: self.description.content_type.clone(),
            metadata: self.description.metadata.clone(),
            storage_class: self.description.storage_class.clone(),
            checksum_sha256: self.checksums.get(&Algorithm::Sha256).filter(|_| self.kind == Kind::FullObject).cloned(),
            path: self.path.clone(),
        }
    }
}
