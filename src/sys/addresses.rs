//! The addresses of this machine.

use super::platform;
use std::io;
use std::net::IpAddr;

/// Every address of an interface that is up (`getifaddrs(3)`), loopback first, without duplicates.
/// Link-local IPv6 addresses are left out: they cannot be used without a zone.
///
/// On Windows: the loopback addresses, and those that a datagram to the internet would be sent
/// from.
pub fn local() -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in platform::addresses::of_interfaces()? {
        if !is_link_local(address) && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    // A stable sort: otherwise the system's order stays.
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
