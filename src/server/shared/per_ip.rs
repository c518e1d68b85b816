//! The number of connections of each client address. It costs nothing when there is no limit.

use crate::server::base::lock::lock;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::collections::HashMap;
use std::sync::Mutex;

/// Connections by address. Without a limit, nothing is counted.
#[derive(Debug)]
pub struct PerIp {
    limit: Option<usize>,
    /// Keys are chosen by strangers; std's hash is seeded for that.
    counts: Mutex<HashMap<IpAddr, usize>>,
}

impl PerIp {
    /// Allows `limit` connections for each address.
    pub fn new(limit: Option<usize>) -> PerIp {
        let counts = Mutex::default();
        PerIp { limit, counts }
    }

    /// Counts a new connection.
    ///
    /// # Errors
    /// The address as it is counted, and the limit, when it has been reached. The connection is not
    /// counted.
    pub fn add(&self, peer: Option<SocketAddr>) -> Result<(), (IpAddr, usize)> {
        // A Unix-domain socket's other end has no address.
        let (Some(limit), Some(peer)) = (self.limit, peer) else {
            return Ok(());
        };
        let address = counted_as(peer.ip());
        let mut counts = lock(&self.counts);
        let count = counts.get(&address).copied().unwrap_or(0);
        if count >= limit {
            return Err((address, limit));
        }
        counts.insert(address, count + 1);
        Ok(())
    }

    /// Uncounts a connection that was counted.
    pub fn remove(&self, peer: Option<SocketAddr>) {
        let (Some(_), Some(peer)) = (self.limit, peer) else {
            return;
        };
        let address = counted_as(peer.ip());
        let mut counts = lock(&self.counts);
        if let Some(count) = counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&address);
            }
        }
    }

    /// The number of addresses that have connections.
    pub fn addresses(&self) -> usize {
        lock(&self.counts).len()
    }
}

/// An address that [`counted_as`] returned, as people write it.
pub fn shown(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(network) => format!("{network}/64"),
    }
}

/// The address under which a peer's connections count. RFC 4291 §2.5.1: the last 64 bits of an IPv6
/// address are the interface's, which takes as many as it likes. An IPv4 address stays one when it
/// comes through an IPv6 socket (`::ffff:192.0.2.1`).
pub fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}
