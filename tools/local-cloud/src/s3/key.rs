//! Keys as paths.

use std::path::{Path, PathBuf};

use s3s::{S3Result, s3_error};

/// Where the object `key` lies below the folder of its bucket.
///
/// `/` makes folders.
pub(super) fn path(bucket: &Path, key: &str) -> S3Result<PathBuf> {
    check(key)?;
    Ok(bucket.join(key))
}

/// Refuses what S3 allows as a key but is no path, or leads elsewhere.
pub(super) fn check(key: &str) -> S3Result<()> {
    let refused = key.contains('\0') || key.split('/').any(|segment| matches!(segment, "" | "." | ".."));
    if refused {
        return Err(s3_error!(
            InvalidArgument,
            "the local S3 keeps objects as files, so a key has no empty, `.` or `..` segment and no NUL"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_folders() {
        let path = path(Path::new("/b"), "recordings/account=1/date=2026-01-31/2.mp3").unwrap();
        assert_eq!(path, Path::new("/b/recordings/account=1/date=2026-01-31/2.mp3"));
    }

    #[test]
    fn keys_that_are_no_paths_are_refused() {
        for key in ["../b", "a/../../b", "/etc/passwd", "a//b", "a/", "./a", "a\0b", ".."] {
            assert!(path(Path::new("/b"), key).is_err(), "{key:?}");
        }
    }
}
