//! Addresses that a token must not follow. Wherever the trick allows it they lead to the thief's own port, so that a
//! mistake would reach it; the others name hosts that do not exist.

use std::collections::BTreeSet;

/// All of them, each once.
pub(super) fn all(port: u16) -> Vec<String> {
    let groups = [spellings(port), userinfo(port), breaks(port), schemes(port), look_alikes(), parts(port)];
    let all: BTreeSet<String> = groups.into_iter().flatten().collect();
    all.into_iter().collect()
}

/// Loopback, as it can be written.
fn loopback() -> Vec<&'static str> {
    vec![
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7F.0.0.1",
        "0177.0.0.01",
        "0177.0x0.1",
        "127.0.0.0x1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "127%2e0%2e0%2e1",
        "%31%32%37.0.0.1",
        "%6cocalhost",
        "１２７.０.０.１",
        "127。0。0。1",
        "127．0．0．1",
        "①②⑦.⓪.⓪.①",
        "ｌocalhost",
        "loc\u{ad}alhost",
        "local\u{200b}host",
        "127.0.0.2",
        "0.0.0.0",
    ]
}

fn spellings(port: u16) -> Vec<String> {
    let hosts = loopback();
    let of = |host: &&str| {
        [
            format!("http://{host}:{port}"),
            format!("https://{host}:{port}"),
            format!("http://{host}:0{port}"),
            format!("HTTP://{host}:{port}/a/.."),
        ]
    };
    hosts.iter().flat_map(of).collect()
}

/// The vendor's name before an `@`, where it is no host.
fn userinfo(port: u16) -> Vec<String> {
    let names = [
        "platform.ringcentral.com",
        "media.ringcentral.com:443",
        "media.ringcentral.com%2f",
        "media.ringcentral.com%23",
        "media.ringcentral.com%5c",
        "https%3a%2f%2fmedia.ringcentral.com%2f",
        "user:pass@media.ringcentral.com",
        "media.ringcentral.com&x=",
        ":",
        ":@",
        "",
        "%40",
        "%00media.ringcentral.com",
        "media.ringcentral.com\t",
        "media.ringcentral.com\n",
        "ｍedia.ringcentral.com",
    ];
    let of = |name: &str| {
        ["http", "https"]
            .into_iter()
            .flat_map(move |scheme| {
                ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{scheme}://{name}@{host}:{port}"))
            })
            .collect::<Vec<_>>()
    };
    let own = [
        "https://user@media.ringcentral.com",
        "https://user:pass@platform.ringcentral.com",
        "https://:pass@media.ringcentral.com",
        "https://127.0.0.1@media.ringcentral.com",
        "https://media.ringcentral.com@media.ringcentral.com",
    ];
    names.into_iter().flat_map(of).chain(own.map(str::to_owned)).collect()
}

/// What ends a host for one reader and not for another.
fn breaks(port: u16) -> Vec<String> {
    let marks = [
        "\\", "/", "?", "#", ";", "%2f", "%5c", "%3f", "%23", "%00", "\0", " ", "%20", "\u{2044}", "\u{ff0f}", "|",
        "^", "\"", "<", "`", "{",
    ];
    let of = |mark: &str| {
        [
            format!("http://127.0.0.1:{port}{mark}.ringcentral.com"),
            format!("http://127.0.0.1:{port}{mark}@media.ringcentral.com:444"),
            format!("https://evil.example{mark}.ringcentral.com:444"),
            format!("http://localhost:{port}{mark}media.ringcentral.com"),
        ]
    };
    let slashes = [
        "http:",
        "http:/",
        "http:///",
        "http:////",
        "http:\\\\",
        "http:/\\",
        "http:\\",
        "http:\t//",
        "http:\n//",
        "ht\ttp://",
        " http://",
        "\u{1}http://",
        "\u{feff}http://",
    ];
    let slashed = slashes.map(|slashes| format!("{slashes}127.0.0.1:{port}"));
    marks.into_iter().flat_map(of).chain(slashed).collect()
}

/// Other schemes, and none.
fn schemes(port: u16) -> Vec<String> {
    let schemes = [
        "ftp",
        "file",
        "ws",
        "wss",
        "gopher",
        "data",
        "javascript",
        "blob",
        "blob:http",
        "blob:https",
        "filesystem:http",
        "view-source:http",
        "jar:http",
        "httpss",
        "https+unix",
        "hxxp",
        "urn",
        "unix",
        "tel",
        "mailto",
        "http+https",
    ];
    let of = |scheme: &str| [format!("{scheme}://127.0.0.1:{port}"), format!("{scheme}://media.ringcentral.com")];
    let none = [
        format!("//127.0.0.1:{port}"),
        format!("127.0.0.1:{port}"),
        format!("/127.0.0.1:{port}"),
        format!("\\\\127.0.0.1:{port}"),
        format!("?http://127.0.0.1:{port}"),
        format!("#http://127.0.0.1:{port}"),
        format!("://127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("../..//127.0.0.1:{port}"),
        "//media.ringcentral.com".to_owned(),
        "media.ringcentral.com".to_owned(),
        "data:text/html,<script>".to_owned(),
        "http://".to_owned(),
        "https://".to_owned(),
        "https:".to_owned(),
        String::new(),
        " ".to_owned(),
        "\0".to_owned(),
    ];
    let plain = ["platform", "media", "a.b"].map(|name| format!("http://{name}.ringcentral.com"));
    schemes.into_iter().flat_map(of).chain(none).chain(plain).collect()
}

/// Hosts that look like the vendor's.
fn look_alikes() -> Vec<String> {
    let long = format!("{}.media.ringcentral.com.evil.example", "a".repeat(60));
    let longest = format!("{}evil.example", "ringcentral.com.".repeat(80));
    let hosts = [
        "ringcentral.com",
        "ringcentral.biz",
        "evilringcentral.com",
        "evil-ringcentral.com",
        "xringcentral.biz",
        "ringcentral.com.evil.example",
        "media.ringcentral.com.evil.example",
        "media.ringcentral.comevil.example",
        "media.ringcentral.com-evil.example",
        "media-ringcentral.com",
        "media.ringcentral.co",
        "media.ringcentral.cm",
        "media.ringcentral.con",
        "media.ringcentral.com.",
        "media.ringcentral.com..",
        "media.ringcentral.net",
        "media.ringcentral.org",
        "media.ringcentra1.com",
        "media.rlngcentral.com",
        "media.ringcentral.xn--com",
        "media.rіngcentral.com",
        "media.ringсentral.com",
        "media.ringcentrał.com",
        "media.xn--rngcentral-zpb.com",
        "media.ringcentral.com\u{0301}",
        "media.ringcentral.cοm",
        "media.ringcentral。com.evil.example",
        "media.ringcentral.com%2eevil.example",
        "media.ringcentral.com%252eevil.example",
        "media%2eringcentral%2ecom.evil.example",
        "media.ringcentral.com%00.evil.example",
        "evil.example%00.media.ringcentral.com",
        "evil.example%0d%0aHost:%20media.ringcentral.com",
        "media.ringcentral.com,evil.example",
        "*.ringcentral.com,evil.example",
        "[media.ringcentral.com]",
        "10.0.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "metadata.google.internal",
        "s3.amazonaws.com",
        &long,
        &longest,
    ];
    hosts.iter().map(|host| format!("https://{host}")).collect()
}

/// The vendor's name, or its port, elsewhere in the address.
fn parts(port: u16) -> Vec<String> {
    let ports = [":80", ":8443", ":0", ":1", ":65535", ":65536", ":99999", ":-1", ":4433", ":+443", ":443:443"];
    let on_ports = ports.map(|port| format!("https://media.ringcentral.com{port}"));
    let own = [80, port].map(|port| format!("https://platform.ringcentral.com:{port}"));
    let thief = format!("http://127.0.0.1:{port}");
    let after = [
        "/media.ringcentral.com",
        "/https://media.ringcentral.com",
        "/..//media.ringcentral.com",
        "/%2e%2e/media.ringcentral.com",
        "/@media.ringcentral.com",
        "/x?@media.ringcentral.com",
        "?media.ringcentral.com",
        "?host=media.ringcentral.com&",
        "?url=https://media.ringcentral.com",
        "#media.ringcentral.com",
        "#@media.ringcentral.com",
        "/#https://media.ringcentral.com",
        "/\\media.ringcentral.com",
        "/;@media.ringcentral.com",
        "/.ringcentral.com",
    ];
    after.iter().map(|after| format!("{thief}{after}")).chain(on_ports).chain(own).collect()
}
