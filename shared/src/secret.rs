//! Text that must not be printed.

use std::fmt;

use subtle::ConstantTimeEq;

/// A secret. `Debug` shows nothing of it, and it has no `Display`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret as soon as it is read.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in time that depends on the lengths only. An empty secret equals nothing.
    pub fn equals(&self, other: &[u8]) -> bool {
        !self.0.is_empty() && bool::from(self.0.as_bytes().ct_eq(other))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_redacted() {
        assert_eq!(format!("{:?}", Some(Secret::new("hush".into()))), "Some([redacted])");
    }

    #[test]
    fn an_empty_secret_equals_nothing() {
        assert!(!Secret::new(String::new()).equals(b""));
    }
}
