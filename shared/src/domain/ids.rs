//! Identifiers RingCentral gives us, checked once where they enter.
//!
//! A value that exists is safe in a table key, an object key and, percent-encoded, in a URL path.

use std::fmt;

/// Why a text is not an identifier. It never repeats the text: it may be hostile or private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} is not 1 to {max} characters of its alphabet")]
pub struct InvalidId {
    kind: &'static str,
    max: usize,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $max:literal, $extra:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks length and alphabet. A text that means a folder is no id: in a path it would vanish.
            ///
            /// # Errors
            /// Refuses empty, overlong and hostile text.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let allowed = |byte: u8| byte.is_ascii_alphanumeric() || $extra.contains(&byte);
                if (1..=$max).contains(&text.len()) && text.bytes().all(allowed) && ![".", ".."].contains(&text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidId { kind: $kind, max: $max })
                }
            }

            /// The identifier as RingCentral spells it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// A RingCentral account: decimal digits today (API.md §6).
    AccountId, "account id", 32, b"-_"
);
identifier!(
    /// One recording; the same id stands in events, call log and URLs (API.md §6).
    RecordingId, "recording id", 64, b"-_"
);
identifier!(
    /// A call as telephony knows it: `s-…`, or the older base64-like text (API.md §6).
    TelephonySessionId, "telephony session id", 128, b"-_+/=.:"
);
identifier!(
    /// One participant of a call: `p-…-n`, or the older `cs…-n` (API.md §6).
    PartyId, "party id", 160, b"-_+/=.:"
);
identifier!(
    /// The legacy session id of the call log; `"0"` names no call (API.md §6).
    SessionId, "session id", 64, b"-_"
);

impl SessionId {
    /// The legacy id of a call, where the text is one.
    pub fn of_call(text: &str) -> Option<Self> {
        Self::parse(text).ok().filter(|_| text != "0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_the_vendor_sends() {
        for text in ["s-a0aa000000001z19c0a1b2c01z1a10000", "Y3MxNzI2+ODk/yMA=="] {
            assert_eq!(TelephonySessionId::parse(text).unwrap().as_str(), text);
        }
        assert!(PartyId::parse("cs17262890020031-2").is_ok());
        assert!(RecordingId::parse("900000001005").is_ok());
    }

    #[test]
    fn refuses_hostile_text() {
        for text in ["", "..", "../x", "1/2", "a|b", "a#b", "1\r\n", "é", "%2e", "a b", &"9".repeat(65)] {
            assert!(RecordingId::parse(text).is_err(), "{text:?}");
        }
        for text in ["", ".", "..", "a|b", "a#b", "s\0", &"s".repeat(129)] {
            assert!(TelephonySessionId::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_complaint_does_not_repeat_the_text() {
        let complaint = AccountId::parse("+16505550100 secret").unwrap_err().to_string();
        assert_eq!(complaint, "account id is not 1 to 32 characters of its alphabet");
    }
}
