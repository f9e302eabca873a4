//! Where a bearer token may go. Addresses in call-log answers are untrusted input.

use url::{Host, Url};

/// Scheme, host and port of a configured address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(Url);

impl Origin {
    /// Reads a configured origin: https, or http on a loopback address, and nothing but scheme, host and port.
    pub fn configured(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok().filter(secure)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        bare.then_some(Self(url))
    }

    /// The address of a path of segments, each percent-encoded, with query pairs.
    pub fn join(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Compares what the address itself says: the standard gives `blob:https://host/x` the origin of what it wraps.
    fn is_of(&self, url: &Url) -> bool {
        let parts = |url: &Url| (url.scheme().to_owned(), url.host().map(|host| host.to_owned()), url.port());
        parts(&self.0) == parts(url)
    }
}

/// The origins asked by ourselves, and the hosts a `contentUri` may name besides.
#[derive(Debug, Clone)]
pub struct OriginGate {
    server: Origin,
    pub(super) media: Origin,
    hosts: Vec<HostPattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Exactly(String),
    Below(String),
}

impl OriginGate {
    /// Whether an address is at one of the origins we ask by ourselves.
    pub(super) fn is_configured(&self, url: &Url) -> bool {
        self.server.is_of(url) || self.media.is_of(url)
    }

    /// A gate that lets through both origins and, over https on port 443, the listed hosts: names, or `*.name` for
    /// every host below a name of at least two labels. Nothing if the list cannot be read.
    pub fn new(server: Origin, media: Origin, hosts: &str) -> Option<Self> {
        let hosts = hosts.split(',').map(str::trim).filter(|host| !host.is_empty()).map(HostPattern::parse);
        Some(Self { server, media, hosts: hosts.collect::<Option<_>>()? })
    }

    /// The API's origin.
    pub fn server(&self) -> &Origin {
        &self.server
    }

    /// The address, if a token may be sent to it.
    pub fn admit(&self, untrusted: &str) -> Option<Url> {
        let url = Url::parse(untrusted).ok()?;
        let listed = || {
            let Some(Host::Domain(name)) = url.host() else { return false };
            url.scheme() == "https" && url.port().is_none() && self.hosts.iter().any(|host| host.matches(name))
        };
        let ours = self.server.is_of(&url) || self.media.is_of(&url) || listed();
        (ours && no_userinfo(&url)).then_some(url)
    }
}

impl HostPattern {
    fn parse(text: &str) -> Option<Self> {
        let (name, below) = text.strip_prefix("*.").map_or((text, false), |name| (name, true));
        let Ok(Host::Domain(normal)) = Host::parse(name) else { return None };
        let label =
            |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let whole = normal.split('.').all(label) && (!below || normal.contains('.'));
        whole.then_some(if below { Self::Below(format!(".{normal}")) } else { Self::Exactly(normal) })
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exactly(host) => name == host,
            Self::Below(suffix) => name.strip_suffix(suffix.as_str()).is_some_and(|rest| !rest.is_empty()),
        }
    }
}

/// Whether this is an address of https, or of http on a loopback address, without user and password.
pub fn is_secure(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| secure(&url))
}

fn secure(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    no_userinfo(url) && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
}

fn no_userinfo(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> OriginGate {
        let server = Origin::configured("https://platform.ringcentral.com").unwrap();
        let media = Origin::configured("http://127.0.0.1:8080").unwrap();
        OriginGate::new(server, media, "*.ringcentral.com, *.ringcentral.biz,exact.example").unwrap()
    }

    #[test]
    fn the_vendors_own_addresses_pass() {
        for address in [
            "https://media.ringcentral.com:443/restapi/v1.0/account/1/recording/2/content",
            "https://media.ringcentral.biz/x",
            "HTTPS://MEDIA.RINGCENTRAL.COM/x",
            "https://a.b.ringcentral.com/x",
            "https://exact.example/x",
            "http://127.0.0.1:8080/x",
        ] {
            assert!(gate().admit(address).is_some(), "{address}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for address in [
            "http://media.ringcentral.com/x",
            "https://media.ringcentral.com:8443/x",
            "https://ringcentral.com.evil.example/x",
            "https://evilringcentral.com/x",
            "https://ringcentral.com/x",
            "https://user@media.ringcentral.com/x",
            "https://media.ringcentral.com@evil.example/x",
            "https://evil.example/media.ringcentral.com",
            "https://evil.example\\.ringcentral.com/x",
            "https://a.exact.example/x",
            "http://127.0.0.1:8081/x",
            "http://user:pass@127.0.0.1:8080/x",
            "//media.ringcentral.com/x",
            "file:///etc/passwd",
            "data:text/plain,x",
            "blob:https://platform.ringcentral.com/x",
            "blob:https://user:pass@platform.ringcentral.com/x",
            "",
        ] {
            assert!(gate().admit(address).is_none(), "{address}");
        }
    }

    #[test]
    fn patterns_that_would_let_anyone_in_are_refused() {
        for hosts in ["*", "*.com", "*.", "a b", "*.*.example.com", "https://x.example", "10.0.0.1"] {
            let origin = || Origin::configured("https://platform.ringcentral.com").unwrap();
            assert!(OriginGate::new(origin(), origin(), hosts).is_none(), "{hosts}");
        }
    }

    #[test]
    fn configured_origins_are_https_or_loopback() {
        for (text, fine) in [
            ("https://platform.ringcentral.biz", true),
            ("https://platform.ringcentral.com/", true),
            ("http://localhost:1", true),
            ("http://[::1]:1", true),
            ("http://10.0.0.1", false),
            ("https://platform.ringcentral.com/restapi", false),
            ("https://u:p@platform.ringcentral.com", false),
            ("ftp://127.0.0.1", false),
        ] {
            assert_eq!(Origin::configured(text).is_some(), fine, "{text}");
        }
    }

    #[test]
    fn segments_are_encoded() {
        let origin = Origin::configured("https://platform.ringcentral.com").unwrap();
        let url = origin.join(&["restapi", "v1.0", "a/b?c"], &[("telephonySessionId", "Y3+/=")]);
        assert_eq!(
            url.as_str(),
            "https://platform.ringcentral.com/restapi/v1.0/a%2Fb%3Fc?telephonySessionId=Y3%2B%2F%3D"
        );
    }
}
