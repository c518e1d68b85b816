//! The text on standard output once the server listens: a page for a person at a terminal, one line
//! for a program.

use std::net::{IpAddr, SocketAddr};

#[derive(Clone, Debug)]
pub struct Banner {
    /// The folder or file, safe to print.
    pub root: String,
    pub index: String,
    /// Short notes on names, links and caching.
    pub rules: Vec<String>,
    /// The bound addresses, in the order of binding. Never empty.
    pub listening: Vec<SocketAddr>,
    /// The user named no address, so `localhost` reaches one of these.
    pub by_default: bool,
    /// The addresses of this machine, for wildcard listeners.
    pub machine: Vec<IpAddr>,
    /// The port that was in use, and the one used instead.
    pub moved: Option<(u16, u16)>,
    /// The mounted folders: path and folder name, safe to print.
    pub mounts: Vec<(String, String)>,
    pub is_guarded: bool,
}

impl Banner {
    pub fn line(&self, process: u32) -> String {
        let address = self.listening.first().map(SocketAddr::to_string);
        let url = format!("http://{}/", address.unwrap_or_default());
        let root = &self.root;
        format!("doorstep: listening on {url} root={root} pid={process}\n")
    }

    pub fn page(&self, colour: bool) -> String {
        let (bold, dim, plain) = match colour {
            true => ("\x1b[1m", "\x1b[2m", "\x1b[0m"),
            false => ("", "", ""),
        };
        let version = env!("CARGO_PKG_VERSION");
        let (root, index) = (&self.root, &self.index);
        let mut page =
            format!("{bold}doorstep {version}{plain}  serving {bold}{root}{plain}   ({index})\n\n");
        for url in self.local() {
            page.push_str(&format!("  Local    {bold}{url}{plain}\n"));
        }
        let network = self.network();
        for url in &network {
            page.push_str(&format!("  Network  {bold}{url}{plain}\n"));
        }
        if !network.is_empty() {
            if !self.is_guarded {
                page.push_str("           Anyone on this network can read these files.\n");
                page.push_str("           Use --auth USER:PASS to limit it.\n");
            }
        } else if self.listening.iter().all(|one| one.ip().is_loopback()) {
            page.push_str("  Network  off: add --lan to share with your network\n");
        } else {
            page.push_str("  Network  this machine has no address on one\n");
        }
        for (path, folder) in &self.mounts {
            page.push_str(&format!("  Mount    {path}/ is {folder}\n"));
        }
        if let Some((taken, used)) = self.moved {
            page.push_str(&format!(
                "  Note     port {taken} is in use, using {used} (choose with -p)\n"
            ));
        }
        page.push('\n');
        for line in lines(&self.rules) {
            page.push_str(&format!("  {dim}{line}{plain}\n"));
        }
        page.push_str(&format!("  {dim}Press Ctrl-C to stop{plain}\n"));
        page
    }

    /// URLs that reach this server from this machine. `localhost` only where it cannot reach
    /// another server: when both of its addresses are ours on one port, or by default.
    fn local(&self) -> Vec<String> {
        let near: Vec<&SocketAddr> = self
            .listening
            .iter()
            .filter(|address| address.ip().is_loopback() || address.ip().is_unspecified())
            .collect();
        let Some(first) = near.first() else {
            return Vec::new();
        };
        let one_port = near.iter().all(|address| address.port() == first.port());
        let both = near.iter().any(|address| address.is_ipv4())
            && near.iter().any(|address| address.is_ipv6());
        if one_port && (both || self.by_default) {
            return vec![host_url("localhost", first.port())];
        }
        near.iter()
            .map(|address| match address.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => host_url("127.0.0.1", address.port()),
                IpAddr::V6(ip) if ip.is_unspecified() => host_url("[::1]", address.port()),
                _ => url(address),
            })
            .collect()
    }

    /// URLs that reach this server from other machines.
    fn network(&self) -> Vec<String> {
        let mut urls = Vec::new();
        for address in &self.listening {
            if address.ip().is_unspecified() {
                let here = self.machine.iter().filter(|ip| !ip.is_loopback());
                let same_kind = here.filter(|ip| ip.is_ipv4() == address.is_ipv4());
                urls.extend(same_kind.map(|ip| url(&SocketAddr::new(*ip, address.port()))));
            } else if !address.ip().is_loopback() {
                urls.push(url(address));
            }
        }
        urls
    }
}

/// The phrases, wrapped for a narrow terminal.
fn lines(phrases: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for phrase in phrases {
        match lines.last_mut() {
            Some(line) if line.len() + GAP.len() + phrase.len() <= WIDTH => {
                line.push_str(GAP);
                line.push_str(phrase);
            }
            _ => lines.push(phrase.clone()),
        }
    }
    lines
}

const GAP: &str = "  ";
/// A terminal of 80 columns, minus an indent of two.
const WIDTH: usize = 78;

/// Whether text on this stream may be coloured: it is a terminal that supports colour, and NO_COLOR
/// is not set (<https://no-color.org>: "when present and not an empty string (regardless of its
/// value), prevents the addition of ANSI color").
pub fn colour_on(is_terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    // The old Windows console prints escapes literally; Windows Terminal sets WT_SESSION.
    let knows = !cfg!(windows) || set("WT_SESSION") || set("TERM");
    is_terminal && knows && !dumb && !set("NO_COLOR")
}

/// The URL of an address, IPv6 in brackets.
fn url(address: &SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) => host_url(&ip.to_string(), address.port()),
        IpAddr::V6(ip) => host_url(&format!("[{ip}]"), address.port()),
    }
}

fn host_url(host: &str, port: u16) -> String {
    match port {
        80 => format!("http://{host}/"),
        port => format!("http://{host}:{port}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_options::FileOptions;

    fn banner(listening: &[&str], by_default: bool) -> Banner {
        let machine = ["127.0.0.1", "::1", "192.168.1.20", "2001:db8::7"];
        Banner {
            root: "/home/ana/site".to_string(),
            index: "index.html found".to_string(),
            rules: FileOptions::default().rules().to_vec(),
            listening: listening.iter().map(|text| text.parse().unwrap()).collect(),
            by_default,
            machine: machine.map(|text| text.parse().unwrap()).to_vec(),
            moved: None,
            mounts: Vec::new(),
            is_guarded: false,
        }
    }

    #[test]
    fn page_for_a_person() {
        let mut banner = banner(&["127.0.0.1:8001", "[::1]:8001"], true);
        banner.moved = Some((8000, 8001));
        banner.mounts = vec![("/docs".to_string(), "/srv/manual".to_string())];
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "doorstep {version}  serving /home/ana/site   (index.html found)

  Local    http://localhost:8001/
  Network  off: add --lan to share with your network
  Mount    /docs/ is /srv/manual
  Note     port 8000 is in use, using 8001 (choose with -p)

  hidden files: not served  symlinks: inside the folder only  cache: revalidate
  Press Ctrl-C to stop
"
        );
        assert_eq!(banner.page(false), expected);
        let coloured = banner.page(true);
        let bold = "\x1b[1mhttp://localhost:8001/\x1b[0m";
        assert!(coloured.contains(bold), "{coloured}");
        let mut stripped = coloured;
        for code in ["\x1b[0m", "\x1b[1m", "\x1b[2m"] {
            stripped = stripped.replace(code, "");
        }
        assert_eq!(stripped, expected);
        let long = expected.lines().find(|line| line.len() > 80);
        assert_eq!(long, None);
    }

    #[test]
    fn line_for_a_program() {
        for (listening, expected) in [
            (
                &["127.0.0.1:8000", "[::1]:8000"][..],
                "http://127.0.0.1:8000/",
            ),
            (&["[::1]:8000"], "http://[::1]:8000/"),
            (&["0.0.0.0:9000", "[::]:9000"], "http://0.0.0.0:9000/"),
            (&["127.0.0.1:80"], "http://127.0.0.1:80/"),
        ] {
            let line = format!("doorstep: listening on {expected} root=/home/ana/site pid=4242\n");
            assert_eq!(banner(listening, true).line(4242), line);
        }
    }

    /// The bound addresses, whether by default, and the banner's URLs: L for Local, N for Network.
    #[test]
    fn urls_reach_only_this_server() {
        for (listening, by_default, expected) in [
            (
                &["127.0.0.1:8000", "[::1]:8000"][..],
                true,
                "L http://localhost:8000/",
            ),
            (&["127.0.0.1:8000"], true, "L http://localhost:8000/"),
            (&["127.0.0.1:8000"], false, "L http://127.0.0.1:8000/"),
            (&["127.0.0.1:80"], false, "L http://127.0.0.1/"),
            (
                &["127.0.0.1:1", "[::1]:2"],
                false,
                "L http://127.0.0.1:1/ L http://[::1]:2/",
            ),
            (&["127.0.0.1:1", "[::1]:1"], false, "L http://localhost:1/"),
            (&["192.168.1.20:8000"], false, "N http://192.168.1.20:8000/"),
            (
                &["0.0.0.0:8000"],
                false,
                "L http://127.0.0.1:8000/ N http://192.168.1.20:8000/",
            ),
            (
                &["0.0.0.0:8000", "[::]:8000"],
                true,
                "L http://localhost:8000/ N http://192.168.1.20:8000/ N http://[2001:db8::7]:8000/",
            ),
        ] {
            let banner = banner(listening, by_default);
            let local = banner.local().into_iter().map(|url| format!("L {url}"));
            let network = banner.network().into_iter().map(|url| format!("N {url}"));
            let urls: Vec<String> = local.chain(network).collect();
            assert_eq!(urls.join(" "), expected, "{listening:?}");
            let shared = banner.page(false).contains("Anyone on this network");
            assert_eq!(shared, expected.contains('N'), "{listening:?}");
            let mut guarded = banner;
            guarded.is_guarded = true;
            assert!(!guarded.page(false).contains("Anyone"), "{listening:?}");
        }
    }
}
