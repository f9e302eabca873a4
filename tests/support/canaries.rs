//! What is private in a site, in each form in which it could be written down.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use local_cloud::SECRET_ACCESS_KEY;
use ringcentral_sim::Settings;
use ringvault::stack::{Stack, VERIFICATION_TOKEN};
use serde_json::Value;

/// Everybody who takes part in a test's calls, in the calls of `events/` and in those that the simulator makes up.
pub const NAMES: [&str; 15] = [
    "Test Agent",
    "Test Caller",
    "Agent One",
    "Agent Two",
    "Agent Three",
    "Agent Four",
    "Agent Five",
    "Agent Six",
    "WIRELESS CALLER",
    "EXAMPLE COMPANY",
    "Example Customer",
    "SAN MATEO CA",
    "A CUSTOMER",
    "IVR Menu 1",
    "Support Queue",
];

/// Whatever is shorter is no secret, but a test's word for a bad one.
const SHORTEST: usize = 8;

/// So much of a token gives it away.
const PART_OF_TOKEN: usize = 12;

/// Every telephone number there is begins so, after the country's 1, and has four digits more.
const EXCHANGE: &str = "650555";
const NUMBER_DIGITS: usize = EXCHANGE.len() + 4;
/// The same as people write it.
const SPACED: [&str; 4] = ["650-555-", "650.555.", "650 555 ", "(650) 555"];

/// A token by its shape alone, for who does not know which were given out.
const TOKEN_PREFIX: &str = "SIM";
const TOKEN_CHARS: usize = 46;

/// What sort of thing is private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A client secret, a JWT, a verification token, an AWS key.
    Secret,
    /// An access or refresh token, or enough of it.
    Token,
    /// A telephone number.
    Number,
    /// Somebody's name.
    Name,
}

/// A private thing in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// The text around it.
    pub excerpt: String,
}

/// All that is private.
#[derive(Debug, Default)]
pub struct Canaries {
    /// In small letters, as the texts are read.
    forms: BTreeMap<String, Kind>,
}

impl Canaries {
    /// What is private in every site of these tests.
    pub fn known() -> Self {
        let mut canaries = Self::default();
        NAMES.iter().for_each(|name| canaries.plant(Kind::Name, name));
        let Settings { client_id, client_secret, jwt, .. } = Settings::default();
        let basic = STANDARD_NO_PAD.encode(format!("{client_id}:{client_secret}"));
        for secret in [&client_secret, &jwt, &basic, SECRET_ACCESS_KEY, VERIFICATION_TOKEN] {
            canaries.plant(Kind::Secret, secret);
        }
        canaries
    }

    /// What is private in this site: every secret it was ever given and every token its vendor gave out as well.
    pub fn of(stack: &Stack) -> Self {
        let mut canaries = Self::known();
        for value in stack.secrets.ever() {
            match serde_json::from_str(&value) {
                Ok(json) => canaries.plant_all(&json),
                Err(_) => canaries.plant(Kind::Secret, &value),
            }
        }
        stack.vendor.with(|vendor| vendor.issued().iter().for_each(|token| canaries.plant_token(token)));
        canaries
    }

    /// Adds a text; very short ones are too common to be told.
    pub fn plant(&mut self, kind: Kind, text: &str) {
        if text.len() >= SHORTEST {
            self.forms.extend(forms(text).into_iter().map(|form| (form.to_lowercase(), kind)));
        }
    }

    fn plant_token(&mut self, token: &str) {
        let (head, tail) = (token.get(..PART_OF_TOKEN), token.len().checked_sub(PART_OF_TOKEN));
        let parts = [head, tail.and_then(|from| token.get(from..))];
        parts.into_iter().flatten().for_each(|part| self.plant(Kind::Token, part));
    }

    /// Every text of a secret but the client's id, which is none.
    fn plant_all(&mut self, secret: &Value) {
        match secret {
            Value::String(text) => self.plant(Kind::Secret, text),
            Value::Array(elements) => elements.iter().for_each(|element| self.plant_all(element)),
            Value::Object(fields) => {
                fields.iter().filter(|(name, _)| *name != "client_id").for_each(|(_, value)| self.plant_all(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// What is private in a text: of each kind and form the first.
    pub fn in_text(&self, text: &str) -> Vec<Found> {
        let small = text.to_lowercase();
        let forms = self.forms.iter().filter_map(|(form, kind)| Some((*kind, small.find(form)?, small.as_str())));
        let number = number_in(text).map(|at| (Kind::Number, at, text));
        let token = token_in(text).map(|at| (Kind::Token, at, text));
        let all = forms.chain(number).chain(token);
        all.map(|(kind, at, text)| Found { kind, excerpt: excerpt(text, at) }).collect()
    }
}

/// A text as it is, in an address or a form, in hex, as a list of bytes, and somewhere in base64.
fn forms(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let list: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let plain = [text.to_owned(), text.replace(' ', "%20"), text.replace(' ', "+"), list.join(", "), hex];
    plain.into_iter().chain((0..3).map(|before| base64_after(before, bytes))).collect()
}

/// What bytes look like in base64 with so many others before them, without the digits that others have a part in.
fn base64_after(before: usize, bytes: &[u8]) -> String {
    let encoded = STANDARD_NO_PAD.encode([&vec![0; before], bytes].concat());
    let (from, to) = ((before * 8).div_ceil(6), (before + bytes.len()) * 8 / 6);
    encoded[from..to].to_owned()
}

/// Where a telephone number stands: a row of digits that is one, no less and no more.
fn number_in(text: &str) -> Option<usize> {
    let is_number = |digits: &str| {
        let national = digits.strip_prefix('1').filter(|rest| rest.len() == NUMBER_DIGITS).unwrap_or(digits);
        national.len() == NUMBER_DIGITS && national.starts_with(EXCHANGE)
    };
    let in_a_row = runs(text, |char| char.is_ascii_digit()).find(|digits| is_number(digits));
    in_a_row.into_iter().chain(SPACED).find_map(|written| text.find(written))
}

fn token_in(text: &str) -> Option<usize> {
    let of_token = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    let is_token = |run: &str| run.len() == TOKEN_CHARS && run.starts_with(TOKEN_PREFIX);
    text.find(runs(text, of_token).find(|run| is_token(run))?)
}

/// The longest stretches of such characters.
fn runs(text: &str, belongs: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(move |char| !belongs(char)).filter(|run| !run.is_empty())
}

fn excerpt(text: &str, at: usize) -> String {
    const BEFORE: usize = 120;
    const AFTER: usize = 80;
    let from = text.floor_char_boundary(at.saturating_sub(BEFORE));
    let to = text.floor_char_boundary((at + AFTER).min(text.len()));
    text[from..to].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        Canaries::known().in_text(text).into_iter().map(|found| found.kind).collect()
    }

    #[test]
    fn a_number_is_found_however_it_is_written() {
        for text in [
            "+16505550171",
            "tel:+16505550171,",
            "16505550171",
            "\"6505550171\"",
            "%2B16505550171",
            "p#16505550171",
            "call (650) 555-0171",
            "650-555-0171",
        ] {
            assert_eq!(kinds(text), [Kind::Number], "{text}");
        }
    }

    #[test]
    fn times_counts_and_digests_are_no_numbers() {
        for text in ["1765055501712", "71650555017", "165055501712", "650555", "2026-05-05T01:71:00.650Z", "800000101"]
        {
            assert_eq!(kinds(text), [], "{text}");
        }
    }

    #[test]
    fn names_and_secrets_are_found_in_every_form() {
        let in_base64 = |before: &str| STANDARD_NO_PAD.encode(format!("{before}Test Caller and more"));
        for text in ["to Test Caller.", "test caller", "q=Test+Caller", "/Test%20Caller/", "54657374 43616c6c6572"] {
            let expected: &[Kind] = if text.contains("54657374 ") { &[] } else { &[Kind::Name] };
            assert_eq!(kinds(text), expected, "{text}");
        }
        for text in [in_base64(""), in_base64("a"), in_base64("ab"), in_base64("abc")] {
            assert_eq!(kinds(&text), [Kind::Name], "{text}");
        }
        assert_eq!(kinds(&format!("{:?}", "sim.jwt.assertion".as_bytes())), [Kind::Secret]);
        assert_eq!(kinds("Authorization: Basic c2ltLWNsaWVudDpzaW0tc2VjcmV0"), [Kind::Secret; 2]);
        assert_eq!(kinds("sim-client asked"), []);
    }

    #[test]
    fn a_token_is_found_by_its_shape_and_a_part_of_a_known_one_too() {
        let token = "SIMabcdefghijklmnopqrstuvwxyz0123456789-_ABCDE";
        assert_eq!(kinds(&format!("Bearer {token}")), [Kind::Token]);
        assert_eq!(kinds(&format!("Bearer {token}a")), [], "no token is so long");
        let mut canaries = Canaries::known();
        canaries.plant_token(token);
        assert_eq!(canaries.in_text(&token[..20]).len(), 1);
        assert_eq!(canaries.in_text(&token[30..]).len(), 1);
    }
}
