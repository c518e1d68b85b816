//! The addresses of this machine.

use super::platform;
use std::io;
use std::net::IpAddr;

/// Every address of an interface that is up (`getifaddrs(3)`), loopback ones first, each once.
/// Link-local IPv6 addresses are left out: they need a zone to be used.
///
/// On Windows: the loopback addresses, and the ones that a datagram to the world would be sent from.
pub fn local() -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in platform::addresses::of_interfaces()? {
        if !is_link_local(address) && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    // Stable: otherwise the system's order stays.
    addresses.sort_by_key(|address| !address.is_loopback());
    Ok(addresses)
}

/// RFC 4291 §2.5.6: fe80::/10.
fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.segments()[0] & 0xffc0 == 0xfe80,
    }
}
