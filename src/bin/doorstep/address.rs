//! Parses addresses and numbers as people write them.

use crate::error::{self, CliError};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    pub host: Host,
    /// Its own port; otherwise the shared one.
    pub port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Ip(IpAddr),
    /// A name, or an address with a zone: the system's resolver reads both.
    Name(String),
}

impl Bind {
    /// `ADDR`, `ADDR:PORT`, `[IPv6]`, `[IPv6]:PORT`, and the same with a name.
    ///
    /// # Errors
    /// Any other text. `variable` is the environment variable it came from, if any.
    pub fn read(text: &str, variable: Option<&str>) -> Result<Bind, CliError> {
        // Before splitting at a colon: the last group of a bare IPv6 address is not a port.
        if let Ok(ip) = text.parse() {
            let (host, port) = (Host::Ip(ip), None);
            return Ok(Bind { host, port });
        }
        let not_an_address = || {
            let rule = "must be ADDR, ADDR:PORT or [IPv6]:PORT";
            error::invalid("address", text, variable, rule)
        };
        let (host, rest) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or_else(not_an_address)?,
            None => match text.split_once(':') {
                Some((host, _)) => text.split_at(host.len()),
                None => (text, ""),
            },
        };
        let port = match rest.strip_prefix(':') {
            Some(digits) => Some(port(digits, variable)?),
            None if rest.is_empty() => None,
            None => return Err(not_an_address()),
        };
        let host = match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) if text.starts_with('[') => return Err(not_an_address()),
            Ok(ip) => Host::Ip(ip),
            Err(_) if is_host_name(host) => Host::Name(host.to_string()),
            Err(_) => return Err(not_an_address()),
        };
        Ok(Bind { host, port })
    }

    /// The host as written on the command line.
    pub fn host_text(&self) -> String {
        match &self.host {
            Host::Ip(ip) => ip.to_string(),
            Host::Name(name) => name.clone(),
        }
    }

    /// The addresses of the host, with port 0.
    ///
    /// # Errors
    /// When the host name cannot be resolved.
    pub fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        match &self.host {
            Host::Ip(ip) => Ok(vec![SocketAddr::new(*ip, 0)]),
            Host::Name(name) => Ok((name.as_str(), 0).to_socket_addrs()?.collect()),
        }
    }
}

/// A port.
///
/// # Errors
/// Any other text. `variable` is the environment variable it came from, if any.
pub fn port(text: &str, variable: Option<&str>) -> Result<u16, CliError> {
    number(text, 0, u64::from(u16::MAX))
        .map(|number| number as u16)
        .ok_or_else(|| error::invalid("port", text, variable, "must be 0 to 65535"))
}

/// A number within these bounds, digits only: std's `parse` would accept a sign.
pub fn number(text: &str, least: u64, most: u64) -> Option<u64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = text.parse::<u64>().ok()?;
    (least..=most).contains(&number).then_some(number)
}

/// Whether the resolver may be asked for this name: letters, digits, `-`, `_`, dots; and `:` and
/// `%` for an IPv6 address with a zone. Digits and dots alone are a mistyped address, which some
/// resolvers read in old forms such as `127.1`.
fn is_host_name(host: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '%');
    host.chars().all(known) && host.chars().any(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses() {
        let ip = |text: &str| Host::Ip(text.parse().unwrap());
        let name = |text: &str| Host::Name(text.to_string());
        for (text, host, port) in [
            ("127.0.0.1", ip("127.0.0.1"), None),
            ("127.0.0.1:80", ip("127.0.0.1"), Some(80)),
            ("::1", ip("::1"), None),
            ("[::1]", ip("::1"), None),
            ("[::1]:0", ip("::1"), Some(0)),
            ("::", ip("::"), None),
            ("localhost", name("localhost"), None),
            ("localhost:8080", name("localhost"), Some(8080)),
            ("[fe80::1%eth0]:80", name("fe80::1%eth0"), Some(80)),
        ] {
            assert_eq!(Bind::read(text, None), Ok(Bind { host, port }), "{text}");
        }
        let short = ["", ":80", "1.2.3", "[::1", "[::1]80", "a b", "/tmp", "*"];
        let long = ["1.2.3.4.5", "300.1.1.1", "[127.0.0.1]:80", "unix:/run/x"];
        for text in short.into_iter().chain(long) {
            let error = Bind::read(text, None).unwrap_err().to_string();
            assert!(error.starts_with("doorstep: invalid "), "{text}: {error}");
        }
        let error = Bind::read("127.0.0.1:x", None).unwrap_err().to_string();
        assert!(error.contains("invalid port 'x'"), "{error}");
    }
}
