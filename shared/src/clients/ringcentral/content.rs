//! The bytes of a recording over HTTP: which are asked for, and which come (API.md §8).

use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version, header};

use crate::ports::recording_source::{ByteStream, Incoming, Interrupted, Rest, SourceError};

const NO_END: &str = "it does not say where it ends";

/// The headers of a request for all of a recording, or for the rest of it.
pub(super) fn asked(rest: Option<&Rest>) -> Result<HeaderMap, SourceError> {
    // Lengths and positions are those of the recording itself.
    let mut headers = HeaderMap::from_iter([
        (header::ACCEPT, HeaderValue::from_static("*/*")),
        (header::ACCEPT_ENCODING, HeaderValue::from_static("identity")),
    ]);
    if let Some(rest) = rest {
        let value =
            |text: &str| HeaderValue::try_from(text).map_err(|_| SourceError::Malformed("an entity tag is none"));
        headers.insert(header::RANGE, value(&format!("bytes={}-", rest.from))?);
        // Only a strong tag may be used so (RFC 9110 §13.1.5); a weak one is compared by ourselves.
        if let Some(version) = rest.version.as_ref().filter(|tag| tag.starts_with('"')) {
            headers.insert(header::IF_RANGE, value(version)?);
        }
    }
    Ok(headers)
}

/// Whether a 416 says that nothing follows the bytes that came: `bytes */<total>`, and the rest was asked for from there.
pub(super) fn is_the_end(response: &Response<ByteStream>, asked: &HeaderMap) -> bool {
    let total = text(response.headers(), header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes */"));
    let from = text(asked, header::RANGE).and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
    total.is_some() && total == from
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// A success as the body that was asked for.
pub(super) fn incoming(response: Response<ByteStream>, rest: Option<&Rest>) -> Result<Incoming, SourceError> {
    let text = |name: HeaderName| response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    if text(header::CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(SourceError::Malformed("the body is encoded in a way nobody asked for"));
    }
    let version = text(header::ETAG).map(String::from);
    // Else only the end of the connection says that it is all, and a connection that breaks ends too (RFC 9112 §6.3).
    let ends = text(header::CONTENT_LENGTH).is_some()
        || text(header::TRANSFER_ENCODING).is_some_and(|coding| coding.trim_end().ends_with("chunked"))
        || response.status() == StatusCode::NO_CONTENT
        || response.version() > Version::HTTP_11;
    let content_type = text(header::CONTENT_TYPE).map(String::from);
    let content_length = text(header::CONTENT_LENGTH).map(|length| length.trim().parse::<u64>());
    let from = rest.map_or(0, |rest| rest.from);
    let (length, part_end) = match (response.status(), rest) {
        (StatusCode::PARTIAL_CONTENT, _) => {
            let part = text(header::CONTENT_RANGE).and_then(|range| Part::parse(&range));
            let part = part.ok_or(SourceError::Malformed("a part came that does not say which"))?;
            if part.first != from {
                return Err(SourceError::Malformed("another part came than was asked for"));
            }
            (Some(part.total), Some(part.last + 1))
        }
        // Only one that is the end gets here.
        (StatusCode::RANGE_NOT_SATISFIABLE, Some(rest)) => {
            let (version, body) = (rest.version.clone(), Box::pin(stream::empty()));
            return Ok(Incoming { content_type: None, length: Some(rest.from), part_end: None, version, body });
        }
        (_, Some(_)) => return Err(SourceError::Malformed("the whole came where the rest was asked for")),
        (_, None) => {
            let unreadable = |_| SourceError::Malformed("the declared length is no number");
            (content_length.transpose().map_err(unreadable)?, None)
        }
    };
    if let Some(rest) = rest
        && rest.version.is_some()
        && version.is_some()
        && rest.version != version
    {
        return Err(SourceError::Malformed("the recording is no longer the one that was begun"));
    }
    let body = response.into_body();
    let body = if ends { body } else { Box::pin(body.chain(stream::iter([Err(Interrupted(NO_END.to_owned()))]))) };
    Ok(Incoming { content_type, length, part_end, version, body })
}

/// `bytes <first>-<last>/<total>`; a part of an unknown total is of no use.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    first: u64,
    last: u64,
    total: u64,
}

impl Part {
    fn parse(range: &str) -> Option<Self> {
        let (span, total) = range.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = span.split_once('-')?;
        let part = Self { first: first.parse().ok()?, last: last.parse().ok()?, total: total.parse().ok()? };
        (part.first <= part.last && part.last < part.total).then_some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Response<ByteStream> {
        let response = headers
            .iter()
            .fold(Response::builder().status(status), |response, (name, value)| response.header(*name, *value));
        response.body(Box::pin(stream::empty()) as ByteStream).unwrap()
    }

    fn read(status: u16, headers: &[(&str, &str)], rest: Option<&Rest>) -> Result<(Option<u64>, Option<u64>), String> {
        let incoming = incoming(answer(status, headers), rest);
        incoming.map(|incoming| (incoming.length, incoming.part_end)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_body_says_its_length_or_not() {
        assert_eq!(read(200, &[("content-length", "9")], None), Ok((Some(9), None)));
        assert_eq!(read(200, &[], None), Ok((None, None)));
    }

    #[test]
    fn a_part_nobody_asked_for_says_where_it_ends() {
        assert_eq!(
            read(206, &[("content-range", "bytes 0-4/9"), ("content-length", "5")], None),
            Ok((Some(9), Some(5)))
        );
        for range in ["bytes 0-4/*", "bytes 4-0/9", "bytes 0-9/9", "0-4/9", "bytes 0-x/9", "bytes */9"] {
            let said = read(206, &[("content-range", range)], None).unwrap_err();
            assert!(said.contains("does not say which"), "{range}: {said}");
        }
        let said = read(206, &[("content-range", "bytes 5-8/9")], None).unwrap_err();
        assert!(said.contains("another part"), "{said}");
    }

    #[test]
    fn the_rest_is_taken_only_if_it_is_the_rest_of_the_same() {
        let rest = Rest { from: 5, version: Some("\"a\"".into()) };
        let range = ("content-range", "bytes 5-8/9");
        assert_eq!(read(206, &[range], Some(&rest)), Ok((Some(9), Some(9))));
        assert_eq!(read(206, &[range, ("etag", "\"a\"")], Some(&rest)), Ok((Some(9), Some(9))));
        for (status, headers, complaint) in [
            (206, vec![range, ("etag", "\"b\"")], "no longer the one"),
            (206, vec![("content-range", "bytes 4-8/9")], "another part"),
            (200, vec![("content-length", "9")], "the whole came"),
        ] {
            let said = read(status, &headers, Some(&rest)).unwrap_err();
            assert!(said.contains(complaint), "{said}");
        }
        let headers = asked(Some(&rest)).unwrap();
        assert_eq!(
            (&headers["range"], &headers["if-range"]),
            (&"bytes=5-".parse().unwrap(), &"\"a\"".parse().unwrap())
        );
    }

    #[test]
    fn what_is_encoded_is_not_taken() {
        let said = read(200, &[("content-encoding", "gzip"), ("content-length", "9")], None).unwrap_err();
        assert!(said.contains("encoded"), "{said}");
        assert_eq!(read(200, &[("content-encoding", "identity")], None), Ok((None, None)));
        assert_eq!(asked(None).unwrap()["accept-encoding"], "identity");
    }
}
