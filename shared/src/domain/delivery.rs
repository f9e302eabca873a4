//! What arrives at the webhook: a [`Delivery`] is untrusted; only an [`AuthenticDelivery`] can be parsed.

use super::notification::{NotUnderstood, Notification};
use crate::secret::Secret;

/// Larger bodies are not looked into. Captured events are about 1 KiB (API.md §5.4).
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// One HTTP request to the webhook, as far as it matters.
#[derive(Debug)]
pub struct Delivery<'a> {
    /// The request body, decoded from base64 where the gateway had encoded it.
    pub body: &'a [u8],
    /// Header values that may hold the verification token (API.md §5.3).
    pub tokens: Vec<&'a [u8]>,
}

/// A delivery whose sender knew the verification token.
#[derive(Debug)]
pub struct AuthenticDelivery<'a>(&'a [u8]);

impl<'a> Delivery<'a> {
    /// Compares the tokens sent with the accepted ones, all of them, in constant time. Nothing if none fits.
    pub fn authenticate(self, accepted: &[Secret]) -> Option<AuthenticDelivery<'a>> {
        let mut fits = false;
        for token in &self.tokens {
            for secret in accepted {
                fits |= secret.equals(token);
            }
        }
        fits.then_some(AuthenticDelivery(self.body))
    }
}

impl AuthenticDelivery<'_> {
    /// Reads the body.
    ///
    /// # Errors
    /// Says why the body is not a notification; nothing in it may be acted on.
    pub fn parse(&self) -> Result<Notification, NotUnderstood> {
        if self.0.len() > MAX_BODY_BYTES {
            return Err(NotUnderstood::TooLarge);
        }
        Notification::parse(self.0)
    }
}

/// The value of a `Validation-Token` header, safe to send back: 1 to 128 visible ASCII characters, so that the echo
/// cannot break the 1,024 byte reply or inject a header (API.md §5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationToken(String);

impl ValidationToken {
    /// Checks a header value; nothing if it must not be echoed.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let safe = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        safe.then(|| Self(text.to_owned()))
    }

    /// The text to send back.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(token: &str, secrets: &[&str]) -> bool {
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
        Delivery { body: b"{}", tokens: vec![token.as_bytes()] }.authenticate(&secrets).is_some()
    }

    #[test]
    fn either_secret_is_accepted_while_rotating() {
        assert!(accepted("old", &["new", "old"]));
        assert!(accepted("new", &["new", "old"]));
    }

    #[test]
    fn partial_wrong_and_missing_tokens_are_refused() {
        for token in ["", "s", "secre", "secret2", "SECRET", "terces"] {
            assert!(!accepted(token, &["secret"]), "{token:?}");
        }
        assert!(!accepted("", &[]));
        assert!(Delivery { body: b"{}", tokens: Vec::new() }.authenticate(&[Secret::new("secret".into())]).is_none());
    }

    #[test]
    fn an_oversized_body_is_not_read() {
        let body = vec![b' '; MAX_BODY_BYTES + 1];
        assert_eq!(AuthenticDelivery(&body).parse(), Err(NotUnderstood::TooLarge));
        assert_eq!(AuthenticDelivery(&body[1..]).parse(), Err(NotUnderstood::Malformed), "the largest one is");
    }

    #[test]
    fn only_a_harmless_validation_token_is_echoed() {
        let longest = "x".repeat(128);
        for text in ["4e2b7a1c-0000-11f0-8000-3f1d2c4b5a69", &longest] {
            let token = ValidationToken::parse(text.as_bytes());
            assert_eq!(token.as_ref().map(ValidationToken::as_str), Some(text));
        }
        for value in [&b""[..], b"a b", b"a\r\nx: y", b"\xff", &[b'x'; 129]] {
            assert_eq!(ValidationToken::parse(value), None, "{value:?}");
        }
    }
}
