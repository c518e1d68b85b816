//! Where to listen, and what to do when a port is taken.
//!
//! - Addresses without their own port share one and move together, so that a URL with `localhost`
//!   reaches this server over IPv4 and IPv6.
//! - If the default port is taken, the next one is tried, up to [`LAST_PORT`]. A port that the user
//!   chose is never changed.
//! - With port 0 the first address takes any free port and the others must get the same one;
//!   otherwise all start over.
//! - The second loopback or wildcard address is dropped where the system has no IPv6.

use crate::error::{self, CliError};
use crate::settings::Settings;
use doorstep::{Server, os};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const FIRST_PORT: u16 = 8000;
/// The last port tried instead of it.
const LAST_PORT: u16 = 8010;
/// Attempts to find one port that is free on every address. A guess: another process rarely takes
/// it in between.
const TRIES: usize = 16;

/// Binds sockets; tests simulate a machine.
pub trait Sockets {
    /// One or more bound sockets.
    type Bound;
    fn bind(&self, address: SocketAddr) -> io::Result<Self::Bound>;
    /// Binds one more. On failure the earlier ones are closed.
    fn bind_also(&self, bound: Self::Bound, address: SocketAddr) -> io::Result<Self::Bound>;
    fn last_port(&self, bound: &Self::Bound) -> Option<u16>;
    /// The addresses of this machine, if known.
    fn local_addresses(&self) -> Vec<IpAddr>;
}

pub struct SystemSockets;

impl Sockets for SystemSockets {
    type Bound = Server;

    fn bind(&self, address: SocketAddr) -> io::Result<Server> {
        Server::bind(address)
    }
    fn bind_also(&self, bound: Server, address: SocketAddr) -> io::Result<Server> {
        bound.bind_also(address)
    }
    fn last_port(&self, bound: &Server) -> Option<u16> {
        bound.local_addrs().last().map(SocketAddr::port)
    }
    fn local_addresses(&self) -> Vec<IpAddr> {
        os::local_addresses().unwrap_or_default()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    endpoints: Vec<Endpoint>,
    port: u16,
    chosen: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Endpoint {
    /// With the endpoint's own port, or 0 if it shares one.
    address: SocketAddr,
    shares: bool,
    /// Dropped where the system does not support it.
    optional: bool,
}

/// A plan carried out.
#[derive(Debug, PartialEq, Eq)]
pub struct Listening<B> {
    pub bound: B,
    /// The port that was in use and the one used instead.
    pub moved: Option<(u16, u16)>,
}

impl Plan {
    /// The plan for these settings.
    ///
    /// # Errors
    /// When a host name cannot be resolved.
    pub fn of(settings: &Settings) -> Result<Plan, CliError> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        let mut add = |address: SocketAddr, shares: bool, optional: bool| {
            let is_same = |one: &Endpoint| one.address == address && one.shares == shares;
            if !endpoints.iter().any(is_same) {
                endpoints.push(Endpoint {
                    address,
                    shares,
                    optional,
                });
            }
        };
        for bind in &settings.binds {
            let addresses = bind.addresses();
            let addresses = addresses.map_err(|_| error::no_such_host(&bind.host_text()))?;
            for (nth, mut address) in addresses.into_iter().enumerate() {
                address.set_port(bind.port.unwrap_or(0));
                // A name may resolve to ::1 on a machine without IPv6.
                add(address, bind.port.is_none(), nth > 0);
            }
        }
        if settings.binds.is_empty() {
            let (v4, v6) = match settings.lan {
                true => (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED),
                false => (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST),
            };
            add((v4, 0).into(), true, false);
            add((v6, 0).into(), true, true);
        }
        Ok(Plan {
            endpoints,
            port: settings.port.unwrap_or(FIRST_PORT),
            chosen: settings.port.is_some(),
        })
    }

    /// Binds every address of the plan.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub fn carry_out<D: Sockets>(mut self, sockets: &D) -> Result<Listening<D::Bound>, CliError> {
        let first = self.port;
        let mut tries = TRIES;
        // Each round ends, drops an endpoint, raises the port or uses up a try.
        loop {
            let failed = match self.bind_all(sockets) {
                Ok(bound) => {
                    let moved = (self.port != first).then_some((first, self.port));
                    return Ok(Listening { bound, moved });
                }
                Err(failed) => failed,
            };
            let taken = failed.error.kind() == io::ErrorKind::AddrInUse;
            let shares = failed.endpoint.shares;
            if failed.endpoint.optional && !taken {
                // EADDRNOTAVAIL: IPv6 is switched off. EAFNOSUPPORT: it is not built in.
                self.endpoints
                    .retain(|endpoint| *endpoint != failed.endpoint);
            } else if taken && shares && self.port == 0 && tries > 0 {
                // The port that the system chose for the first address is taken on this one.
                tries -= 1;
            } else if taken && shares && !self.chosen {
                if self.port == LAST_PORT {
                    return Err(error::ports_in_use(FIRST_PORT, LAST_PORT));
                }
                self.port += 1;
            } else {
                return Err(failed.into_error(sockets));
            }
        }
    }

    fn bind_all<D: Sockets>(&self, sockets: &D) -> Result<D::Bound, BindError> {
        let mut port = self.port;
        let mut bound = None;
        for endpoint in &self.endpoints {
            let mut address = endpoint.address;
            if endpoint.shares {
                address.set_port(port);
            }
            let opened = match bound.take() {
                None => sockets.bind(address),
                Some(earlier) => sockets.bind_also(earlier, address),
            };
            let endpoint = *endpoint;
            let opened = opened.map_err(|error| BindError {
                endpoint,
                address,
                error,
            })?;
            if endpoint.shares && port == 0 {
                port = sockets.last_port(&opened).unwrap_or(0);
            }
            bound = Some(opened);
        }
        bound.ok_or_else(|| {
            // A name that resolved to no address at all.
            let error = io::Error::from(io::ErrorKind::AddrNotAvailable);
            let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
            let endpoint = Endpoint {
                address,
                shares: false,
                optional: false,
            };
            BindError {
                endpoint,
                address,
                error,
            }
        })
    }
}

struct BindError {
    endpoint: Endpoint,
    address: SocketAddr,
    error: io::Error,
}

impl BindError {
    fn into_error<D: Sockets>(self, sockets: &D) -> CliError {
        let (ip, port): (IpAddr, u16) = (self.address.ip(), self.address.port());
        match self.error.kind() {
            io::ErrorKind::AddrInUse => error::port_in_use(port, ip),
            // EACCES: most Unixes reserve ports below 1024.
            io::ErrorKind::PermissionDenied if (1..1024).contains(&port) => {
                error::port_needs_rights(port)
            }
            io::ErrorKind::AddrNotAvailable => {
                error::no_such_address(ip, &sockets.local_addresses())
            }
            _ => error::cannot_listen(&self.address.to_string(), &self.error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Bind, Host};
    use std::cell::Cell;

    /// A machine with some addresses taken, and maybe without IPv6. For port 0 it hands out 40000,
    /// 40001, and so on.
    struct Machine {
        taken: &'static [&'static str],
        ipv6: bool,
        next: Cell<u16>,
    }

    impl Sockets for Machine {
        type Bound = Vec<SocketAddr>;

        fn bind(&self, address: SocketAddr) -> io::Result<Vec<SocketAddr>> {
            self.bind_also(Vec::new(), address)
        }
        fn bind_also(
            &self,
            mut bound: Vec<SocketAddr>,
            mut address: SocketAddr,
        ) -> io::Result<Vec<SocketAddr>> {
            if address.is_ipv6() && !self.ipv6 {
                return Err(io::ErrorKind::AddrNotAvailable.into());
            }
            if address.port() == 0 {
                address.set_port(self.next.replace(self.next.get() + 1));
            }
            let text = address.to_string();
            let is_taken = |taken: &&str| text.starts_with(*taken) || text.ends_with(*taken);
            if self.taken.iter().any(is_taken) {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            if (1..1024).contains(&address.port()) {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            bound.push(address);
            Ok(bound)
        }
        fn last_port(&self, bound: &Vec<SocketAddr>) -> Option<u16> {
            bound.last().map(SocketAddr::port)
        }
        fn local_addresses(&self) -> Vec<IpAddr> {
            vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]
        }
    }

    struct Row {
        name: &'static str,
        port: Option<u16>,
        binds: &'static [(&'static str, Option<u16>)],
        lan: bool,
        ipv6: bool,
        taken: &'static [&'static str],
        /// The bound addresses, or the start of the error.
        expected: &'static str,
    }

    const ROW: Row = Row {
        name: "",
        port: None,
        binds: &[],
        lan: false,
        ipv6: true,
        taken: &[],
        expected: "",
    };

    #[rustfmt::skip]
    const ROWS: &[Row] = &[
        Row { name: "default", expected: "127.0.0.1:8000 [::1]:8000", ..ROW },
        Row { name: "no IPv6", ipv6: false, expected: "127.0.0.1:8000", ..ROW },
        Row { name: "lan", lan: true, port: Some(9000), expected: "0.0.0.0:9000 [::]:9000", ..ROW },
        Row { name: "taken", taken: &["127.0.0.1:8000"], expected: "127.0.0.1:8001 [::1]:8001 moved", ..ROW },
        Row { name: "taken on IPv6 moves both", taken: &["[::1]:8000"], expected: "127.0.0.1:8001 [::1]:8001 moved", ..ROW },
        Row { name: "taken here and there", taken: &["127.0.0.1:8000", "[::1]:8001", "127.0.0.1:8002"], expected: "127.0.0.1:8003 [::1]:8003 moved", ..ROW },
        Row { name: "chosen and taken", port: Some(9000), taken: &["[::1]:9000"], expected: "doorstep: port 9000 on ::1 is already in use", ..ROW },
        Row { name: "8000 chosen and taken", port: Some(8000), taken: &[":8000"], expected: "doorstep: port 8000 on 127.0.0.1 is already in use", ..ROW },
        Row { name: "up to the last", taken: &[":8000", ":8001", ":8002", ":8003", ":8004", ":8005", ":8006", ":8007", ":8008", ":8009"], expected: "127.0.0.1:8010 [::1]:8010 moved", ..ROW },
        Row { name: "beyond the last", taken: &[":8000", ":8001", ":8002", ":8003", ":8004", ":8005", ":8006", ":8007", ":8008", ":8009", ":8010"], expected: "doorstep: ports 8000 to 8010 are all in use", ..ROW },
        Row { name: "any port", port: Some(0), expected: "127.0.0.1:40000 [::1]:40000", ..ROW },
        Row { name: "any port, no IPv6", port: Some(0), ipv6: false, expected: "127.0.0.1:40001", ..ROW },
        Row { name: "any port that both have", port: Some(0), taken: &["[::1]:40000", "[::1]:40001"], expected: "127.0.0.1:40002 [::1]:40002", ..ROW },
        Row { name: "no port that both have", port: Some(0), taken: &["[::1]:4"], expected: "doorstep: port 40016 on ::1 is already in use", ..ROW },
        Row { name: "ports of their own", port: Some(7), binds: &[("127.0.0.1", Some(9001)), ("::1", Some(0))], expected: "127.0.0.1:9001 [::1]:40000", ..ROW },
        Row { name: "own port taken", binds: &[("127.0.0.1", Some(9001))], taken: &[":9001"], expected: "doorstep: port 9001 on 127.0.0.1 is already in use", ..ROW },
        Row { name: "shared and own", binds: &[("127.0.0.1", None), ("127.0.0.2", Some(9001)), ("127.0.0.3", None)], taken: &["127.0.0.3:8000"], expected: "127.0.0.1:8001 127.0.0.2:9001 127.0.0.3:8001 moved", ..ROW },
        Row { name: "twice the same", binds: &[("127.0.0.1", None), ("127.0.0.1", None)], expected: "127.0.0.1:8000", ..ROW },
        Row { name: "no IPv6, but asked for", binds: &[("127.0.0.1", None), ("::1", None)], ipv6: false, expected: "doorstep: cannot listen on ::1: this machine has no such address\n  hint: addresses here are 127.0.0.1.", ..ROW },
        Row { name: "privileged", port: Some(80), expected: "doorstep: port 80 needs extra rights", ..ROW },
    ];

    #[test]
    fn listening_follows_the_rules() {
        for row in ROWS {
            let bind = |&(ip, port): &(&str, Option<u16>)| Bind {
                host: Host::Ip(ip.parse().unwrap()),
                port,
            };
            let settings = Settings {
                port: row.port,
                binds: row.binds.iter().map(bind).collect(),
                lan: row.lan,
                ..Settings::default()
            };
            let machine = Machine {
                taken: row.taken,
                ipv6: row.ipv6,
                next: Cell::new(40_000),
            };
            let outcome = match Plan::of(&settings).unwrap().carry_out(&machine) {
                Ok(listening) => {
                    let addresses = listening.bound.iter().map(SocketAddr::to_string);
                    let mut words: Vec<String> = addresses.collect();
                    words.extend(listening.moved.map(|_| "moved".to_string()));
                    words.join(" ")
                }
                Err(error) => error.to_string(),
            };
            match row.expected.starts_with("doorstep") {
                true => assert!(outcome.starts_with(row.expected), "{}: {outcome}", row.name),
                false => assert_eq!(outcome, row.expected, "{}", row.name),
            }
        }
    }
}
