use std::sync::LazyLock;

use http::Uri;
use shared::clients::ringcentral::origin::{Origin, OriginGate, is_secure};
use url::Url;

/// The gate as deployed.
static VENDOR: LazyLock<OriginGate> = LazyLock::new(|| {
    gate("https://platform.ringcentral.com", "https://media.ringcentral.com", "*.ringcentral.com,*.ringcentral.biz")
});

/// The gate of a local stack.
static LOCAL: LazyLock<OriginGate> =
    LazyLock::new(|| gate("http://127.0.0.1:8080", "http://localhost:8081", "exact.example"));

fn gate(server: &str, media: &str, hosts: &str) -> OriginGate {
    let origins = Origin::configured(server).zip(Origin::configured(media));
    let Some(gate) = origins.and_then(|(server, media)| OriginGate::new(server, media, hosts)) else {
        panic!("{server}, {media} and {hosts} are fine")
    };
    gate
}

/// A `contentUri`, and after a line break a list of allowed hosts. What is admitted is, in another reading, an address of
/// an allowed origin, and remains it all the way to the connection.
pub fn origin_gate(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(url) = VENDOR.admit(text) {
        let host = check(&url, text, "https");
        assert!(host.ends_with(".ringcentral.com") || host.ends_with(".ringcentral.biz"), "{host}");
    }
    if let Some(url) = LOCAL.admit(text) {
        let own =
            ["http://127.0.0.1:8080/", "http://localhost:8081/"].iter().find(|own| url.as_str().starts_with(**own));
        match own {
            Some(_) => drop(check(&url, text, "http")),
            None => assert_eq!(check(&url, text, "https"), "exact.example"),
        }
    }
    if let Some(origin) = Origin::configured(text) {
        assert!(is_secure(text), "{text}");
        drop(check(&origin.join(&["x"], &[("a", text)]), text, ""));
    }
    check_list(text);
}

/// Answers the host a token would go to.
fn check(url: &Url, text: &str, scheme: &str) -> String {
    let written = url.as_str();
    let Some((read_scheme, rest)) = written.split_once("://") else { panic!("{written} has no authority") };
    assert!(scheme.is_empty() || read_scheme == scheme, "{written}");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    assert!(!authority.contains('@') && !authority.is_empty(), "{written}");
    let host = if scheme == "https" {
        assert!(!authority.contains(':'), "{written} has a port");
        authority.to_owned()
    } else {
        url.host_str().unwrap_or_default().to_owned()
    };
    assert_eq!(url.host_str(), Some(host.as_str()));
    // What the transport does with it: an address out of its text, and an address of the client's out of that.
    if let Ok(uri) = written.parse::<Uri>() {
        assert_eq!(uri.authority().map(|authority| authority.as_str()), Some(authority), "{written}");
        let again = Url::parse(&uri.to_string());
        assert_eq!(again.as_ref().map(Url::origin), Ok(url.origin()), "{written}");
        assert_eq!(uri.scheme_str(), Some(url.scheme()));
    }
    if let Some(read) = host_in_ascii(text) {
        assert!(read == host || is_number(&read), "{text:?} was read as {host}");
    }
    host
}

/// The host of an address of plain characters, read by hand: blanks around and breaks inside do not count, a backslash is
/// a slash, what stands before an `@` is no host.
fn host_in_ascii(text: &str) -> Option<String> {
    let text: String = text.trim_matches(|c: char| c <= ' ').chars().filter(|c| !"\t\r\n".contains(*c)).collect();
    let text = text.replace('\\', "/").to_ascii_lowercase();
    let authority = text.split_once(':')?.1.trim_start_matches('/').split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = if host.starts_with('[') { host } else { host.split(':').next()? };
    (host.is_ascii() && !host.contains(['%', '['])).then(|| host.to_owned())
}

/// Addresses have more than one spelling in digits; the gate compares what they mean.
fn is_number(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_hexdigit() || b".x".contains(&byte))
}

/// No list of hosts lets in a name that it does not spell.
fn check_list(text: &str) {
    let Some((_, hosts)) = text.split_once('\n') else { return };
    let Some(origin) = Origin::configured("https://platform.ringcentral.com") else { panic!("an origin") };
    let Some(gate) = OriginGate::new(origin.clone(), origin, hosts) else { return };
    let spelt = |name: &str| !hosts.is_ascii() || hosts.contains('%') || hosts.to_ascii_lowercase().contains(name);
    assert!(spelt("evil.example") || gate.admit("https://evil.example/x").is_none(), "{hosts:?}");
    assert!(spelt("b.example") || gate.admit("https://a.b.example/x").is_none(), "{hosts:?}");
    assert!(
        gate.admit("https://203.0.113.1/x").is_none() && gate.admit("https://[2001:db8::1]/x").is_none(),
        "{hosts:?}"
    );
    assert!(gate.admit("http://a.b.example/x").is_none() && gate.admit("https://a.b.example:444/x").is_none());
}
