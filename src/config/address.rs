//! Addresses of backends: what a URL and a socket may be, and whether they lie on this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address that was taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    /// `https`, so nobody on the way reads along.
    pub(super) encrypted: bool,
    /// The host is this machine.
    pub(super) loopback: bool,
    /// The address again, without a slash at its end.
    pub(super) text: String,
}

/// Why an address was refused. None of these repeats the address: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is none.
    NoUrl,
    /// It holds a user or a password.
    Credentials,
    /// It holds a query or a fragment.
    Query,
}

/// Takes an http or https URL apart.
pub(super) fn url(text: &str) -> Result<Url, Wrong> {
    let (encrypted, rest) = match text.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("http://").ok_or(Wrong::NoUrl)?),
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).ok_or(Wrong::NoUrl)?;
    if authority.contains('@') {
        return Err(Wrong::Credentials);
    }
    let loopback = authority_is_loopback(authority, false).ok_or(Wrong::NoUrl)?;
    if path.contains(['?', '#']) {
        return Err(Wrong::Query);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~%!$&'()*+,;=:@".contains(c);
    if !path.chars().all(plain) || path.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(Wrong::NoUrl);
    }
    Ok(Url { encrypted, loopback, text: text.trim_end_matches('/').to_owned() })
}

/// Whether `host:port` lies on this machine; none when it is no host and port.
pub(super) fn tcp(text: &str) -> Option<bool> {
    authority_is_loopback(text, true)
}

fn authority_is_loopback(authority: &str, needs_port: bool) -> Option<bool> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, behind) = rest.split_once(']')?;
        let address: Ipv6Addr = host.parse().ok()?;
        return port_is_right(behind, needs_port).then_some(address.is_loopback());
    } else {
        let at = authority.find(':').unwrap_or(authority.len());
        authority.split_at_checked(at)?
    };
    (port_is_right(port, needs_port) && host.len() <= 253).then_some(())?;
    let label = |label: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        label.len() <= 63
            && edge(label.chars().next())
            && edge(label.chars().next_back())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    if !host.split('.').all(label) {
        return None;
    }
    // A host whose last label is a number is an IPv4 address to every resolver, so it must be a whole one.
    if host.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit())) {
        return host.parse::<Ipv4Addr>().ok().map(|address| IpAddr::V4(address).is_loopback());
    }
    let host = host.to_ascii_lowercase();
    Some(host == "localhost" || host.ends_with(".localhost"))
}

fn port_is_right(port: &str, needed: bool) -> bool {
    match port.strip_prefix(':') {
        None => port.is_empty() && !needed,
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|port| port > 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("http://127.0.0.1:9090", true)]
    #[case("http://127.9.9.9/prom/", true)]
    #[case("http://localhost:9090/", true)]
    #[case("http://[::1]:9090", true)]
    #[case("http://prom.shop.example:9090", false)]
    #[case("https://10.0.0.7", false)]
    #[case("http://localhost.evil.example", false)]
    #[case("http://127.0.0.1.evil.example", false)]
    fn where_a_host_lies(#[case] text: &str, #[case] loopback: bool) {
        assert_eq!(url(text).map(|url| url.loopback), Ok(loopback));
    }

    #[rstest]
    #[case("prom:9090")]
    #[case("ftp://prom")]
    #[case("http://")]
    #[case("http://:9090")]
    #[case("http://a b")]
    #[case("http://host:0")]
    #[case("http://host:99999")]
    #[case("http://host:+80")]
    #[case("http://127.1")]
    #[case("http://2130706433")]
    #[case("http://[::1")]
    #[case("http://good\\evil")]
    #[case("http://host/a\nb")]
    #[case("http://host/../x")]
    #[case("http://höst")]
    fn what_is_no_url(#[case] text: &str) {
        assert_eq!(url(text), Err(Wrong::NoUrl));
    }

    #[test]
    fn a_password_and_a_query_have_their_own_words() {
        assert_eq!(url("http://ana:secret@host"), Err(Wrong::Credentials));
        assert_eq!(url("https://host/?token=x"), Err(Wrong::Query));
    }

    #[test]
    fn a_socket_over_tcp_needs_a_port() {
        assert_eq!(tcp("127.0.0.1:9999"), Some(true));
        assert_eq!(tcp("edge:9999"), Some(false));
        assert_eq!(tcp("edge"), None);
    }
}
