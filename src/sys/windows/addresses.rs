//! The machine's addresses, without a list of its interfaces.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// A remote address for each family (RFC 5737 and RFC 3849: addresses for documentation).
/// Connecting a datagram socket sends nothing; it only makes the system choose a route.
const SOMEWHERE: [(IpAddr, IpAddr); 2] = [
    (
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    ),
    (
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    ),
];

/// The loopback addresses that can be bound, and those that a datagram to the internet is sent
/// from.
pub fn of_interfaces() -> io::Result<Vec<IpAddr>> {
    let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let mut addresses: Vec<IpAddr> = loopback
        .into_iter()
        .filter(|&address| UdpSocket::bind((address, 0)).is_ok())
        .collect();
    // A machine without a route, or without IPv6, has fewer addresses; that is not an error.
    let towards = |&(from, to): &(IpAddr, IpAddr)| address_towards(from, to).ok();
    addresses.extend(SOMEWHERE.iter().filter_map(towards));
    addresses.retain(|address| !address.is_unspecified());
    Ok(addresses)
}

fn address_towards(from: IpAddr, to: IpAddr) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind((from, 0))?;
    socket.connect((to, 9))?;
    Ok(socket.local_addr()?.ip())
}
