//! The addresses of this machine.

use std::io;
use std::net::IpAddr;

/// Every address of an interface that is up (`getifaddrs(3)`), loopback ones first, each once. Link-local IPv6 addresses are left out: they need a zone to be used.
pub fn local() -> io::Result<Vec<IpAddr>> {
    todo!()
}
