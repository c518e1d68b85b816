//! What a client sends, and what each message is known to hold because it was written so.

use super::super::life::EVIL;
use doorstep::internals::h1::Reject;
use proptest::prelude::*;

/// What is in a head beyond what it must have, how it goes wrong, and what its handler does.
#[derive(Clone, Debug)]
pub struct Message {
    pub method: &'static str,
    pub is_http10: bool,
    pub connection: Option<&'static str>,
    pub expects: bool,
    pub offers: bool,
    pub framing: Framing,
    /// Bytes of content.
    pub content: usize,
    pub fault: Fault,
    pub handler: Handler,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    None,
    Length,
    /// Chunks of about this size, perhaps with a trailer section.
    Chunked(usize, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    BareLineFeed,
    BothFramings,
    HeadTooLarge,
    MissingHost,
    UnknownExpectation,
    /// The size of this chunk, or of the last one, is none.
    ChunkSize(usize),
}

/// What the handler does.
#[derive(Clone, Copy, Debug)]
pub struct Handler {
    /// Bytes of content that it asks for.
    pub reads: usize,
    pub does: Does,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    ResponsePlan {
        code: u16,
        length: Option<u64>,
        closes: bool,
        /// The content goes out in pieces, which the client has to take.
        streams: bool,
    },
    /// Takes up the offer of another protocol, if there is one, or answers 426.
    Upgrade,
    Panic,
}

pub fn messages() -> impl Strategy<Value = Vec<Message>> {
    proptest::collection::vec(message(), 1..8)
}

fn message() -> impl Strategy<Value = Message> {
    let method =
        prop_oneof![12 => Just("POST"), 4 => Just("GET"), 2 => Just("HEAD"), 1 => Just("CONNECT")];
    let connection =
        prop_oneof![16 => Just(None), 1 => Just(Some("close")), 6 => Just(Some("keep-alive"))];
    let framing = prop_oneof![
        1 => Just(Framing::None),
        2 => Just(Framing::Length),
        2 => (1_usize..40, any::<bool>()).prop_map(|(size, trailer)| Framing::Chunked(size, trailer)),
    ];
    // Below, at and above the discard limit, and the prefetched size.
    let content = prop_oneof![
        5 => 0_usize..80,
        4 => 80_usize..420,
        2 => 299_usize..302,
        3 => 16_300_usize..17_000,
    ];
    let fault = prop_oneof![
        60 => Just(Fault::None),
        1 => Just(Fault::BareLineFeed),
        1 => Just(Fault::BothFramings),
        1 => Just(Fault::HeadTooLarge),
        1 => Just(Fault::MissingHost),
        1 => Just(Fault::UnknownExpectation),
        8 => (0_usize..20).prop_map(Fault::ChunkSize),
    ];
    let often = |weight: u32| prop_oneof![weight => Just(false), 1 => Just(true)];
    let head = (method, often(7), connection, any::<bool>(), often(2));
    (head, framing, content, fault, handler()).prop_map(
        |((method, is_http10, connection, expects, offers), framing, content, fault, handler)| {
            let framing = match framing {
                // What refuses these is told in tests/rfc.
                Framing::Chunked(..) if is_http10 => Framing::Length,
                _ if method == "CONNECT" => Framing::None,
                framing => framing,
            };
            let fault = match fault {
                Fault::ChunkSize(_) if !matches!(framing, Framing::Chunked(..)) => Fault::None,
                Fault::MissingHost | Fault::UnknownExpectation if is_http10 => Fault::BareLineFeed,
                Fault::BothFramings if !matches!(framing, Framing::Chunked(..)) => Fault::None,
                fault => fault,
            };
            Message {
                method,
                is_http10,
                connection,
                expects,
                offers: offers && !is_http10,
                framing,
                content: if framing == Framing::None { 0 } else { content },
                fault,
                handler,
            }
        },
    )
}

fn handler() -> impl Strategy<Value = Handler> {
    let reads = prop_oneof![2 => Just(0_usize), 5 => 1_usize..90, 2 => 90_usize..500, 3 => Just(usize::MAX)];
    let code =
        prop_oneof![8 => Just(200), 1 => Just(204), 1 => Just(205), 1 => Just(304), 1 => Just(404)];
    let length = prop_oneof![5 => (0_u64..2_000).prop_map(Some), 1 => Just(None)];
    let closes = prop_oneof![19 => Just(false), 1 => Just(true)];
    let answer =
        (code, length, closes, any::<bool>()).prop_map(|(code, length, closes, streams)| {
            Does::ResponsePlan {
                code,
                length,
                closes,
                streams,
            }
        });
    let does = prop_oneof![30 => answer, 3 => Just(Does::Upgrade), 1 => Just(Does::Panic)];
    (reads, does).prop_map(|(reads, does)| Handler { reads, does })
}

/// A message in bytes, and where in them is what.
pub struct Written {
    pub octets: Vec<u8>,
    /// Bytes of the head.
    pub head: usize,
    /// For each byte, whether it is content.
    pub is_content: Vec<bool>,
    /// The head is refused once so many bytes are here.
    pub refused_from: Option<(usize, Reject)>,
    /// The byte of the content's framing that is refused.
    pub bad: Option<(usize, Reject)>,
}

impl Message {
    /// The target of the message with this number, by which its handler knows it.
    pub fn target(&self, number: usize) -> String {
        match self.method {
            "CONNECT" => format!("a:{number}"),
            _ => format!("/{number}"),
        }
    }

    /// Whether the client's head lets the connection live on.
    pub fn keeps_alive(&self) -> bool {
        match self.connection {
            Some(option) => option == "keep-alive",
            None => !self.is_http10,
        }
    }

    /// Whether content is held back until a `100 Continue`: RFC 9110 §10.1.1 has HTTP/1.0's
    /// expectations ignored.
    pub fn holds_back(&self) -> bool {
        self.expects && !self.is_http10
    }

    pub fn write(&self, number: usize, head_bytes: usize) -> Written {
        let version = if self.is_http10 {
            "HTTP/1.0"
        } else {
            "HTTP/1.1"
        };
        let target = self.target(number);
        let mut head = format!("{} {target} {version}\r\n", self.method);
        if self.fault != Fault::MissingHost {
            let host = if self.method == "CONNECT" {
                &target
            } else {
                "a"
            };
            head += &format!("Host: {host}\r\n");
        }
        let mut refused_from = None;
        let mut options: Vec<&str> = self.connection.into_iter().collect();
        if self.offers {
            options.push("upgrade");
            head += "Upgrade: other\r\n";
        }
        if !options.is_empty() {
            head += &format!("Connection: {}\r\n", options.join(", "));
        }
        match self.fault {
            Fault::UnknownExpectation => head += "Expect: more\r\n",
            _ if self.expects => head += "Expect: 100-continue\r\n",
            _ => {}
        }
        match self.framing {
            Framing::None => {}
            Framing::Length => head += &format!("Content-Length: {}\r\n", self.content),
            Framing::Chunked(..) => head += "Transfer-Encoding: chunked\r\n",
        }
        match self.fault {
            Fault::BothFramings => head += "Content-Length: 5\r\n",
            Fault::BareLineFeed => {
                head += "X: a\n";
                refused_from = Some((head.len(), Reject::BareLineFeed));
            }
            Fault::HeadTooLarge => {
                head += &format!("X: {}\r\n", "a".repeat(head_bytes));
                refused_from = Some((head_bytes, Reject::HeadTooLarge));
            }
            _ => {}
        }
        head += "\r\n";
        let of_all = match self.fault {
            Fault::MissingHost => Some(Reject::MissingHost),
            Fault::BothFramings => Some(Reject::TransferEncodingWithContentLength),
            Fault::UnknownExpectation => Some(Reject::UnknownExpectation),
            _ => None,
        };
        let mut written = Written {
            head: head.len(),
            is_content: vec![false; head.len()],
            refused_from: refused_from.or(of_all.map(|reject| (head.len(), reject))),
            octets: head.into_bytes(),
            bad: None,
        };
        self.write_content(&mut written);
        written
    }

    fn write_content(&self, written: &mut Written) {
        // Content that would be a request, or many, if anybody parsed it.
        let content: Vec<u8> = EVIL.bytes().cycle().take(self.content).collect();
        let Framing::Chunked(size, has_trailer) = self.framing else {
            return written.push(&content, true);
        };
        // Not more chunks than keep a history short.
        let chunks: Vec<&[u8]> = content.chunks(size.max(self.content / 16)).collect();
        let bad = match self.fault {
            Fault::ChunkSize(at) => Some(at.min(chunks.len())),
            _ => None,
        };
        for (at, chunk) in chunks.iter().copied().chain([&b""[..]]).enumerate() {
            if bad == Some(at) {
                written.bad = Some((written.octets.len(), Reject::InvalidChunkSize));
                written.push(b"x", false);
            }
            written.push(format!("{:x}\r\n", chunk.len()).as_bytes(), false);
            if !chunk.is_empty() {
                written.push(chunk, true);
                written.push(b"\r\n", false);
            }
        }
        if has_trailer {
            written.push(b"T: GET / HTTP/1.1\r\n", false);
        }
        written.push(b"\r\n", false);
    }
}

impl Written {
    fn push(&mut self, octets: &[u8], is_content: bool) {
        self.octets.extend(octets);
        self.is_content.resize(self.octets.len(), is_content);
    }
}
