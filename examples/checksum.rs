//! Reads a body of any length in pieces, so that memory does not grow with it, and responds with
//! its length, its CRC-32 (as in gzip and zlib) and the client's address:
//! `curl -T film.mkv http://127.0.0.1:8080/` prints `734003200 cbf43926 127.0.0.1:49152`.
//! `checksum PORT` listens on 127.0.0.1; without a port, on 8080.
use doorstep::{Body, BodyError, Request, Server};
use std::io::{self, BufRead};

/// The effect of each byte on a CRC-32.
const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

fn checksum(body: &mut Body<'_>) -> io::Result<(u64, u32)> {
    let (mut length, mut crc) = (0, u32::MAX);
    loop {
        let piece = body.fill_buf()?;
        if piece.is_empty() {
            return Ok((length, !crc));
        }
        for byte in piece {
            crc = CRC[usize::from(crc as u8 ^ byte)] ^ (crc >> 8);
        }
        let count = piece.len();
        length += count as u64;
        body.consume(count);
    }
}

fn respond(request: &mut Request<'_>) -> Result<String, BodyError> {
    let (length, crc) = checksum(request.body()).map_err(BodyError::Io)?;
    let from = request.peer_addr();
    let from = from.map_or_else(|| "-".to_string(), |address| address.to_string());
    Ok(format!("{length} {crc:08x} {from}\n"))
}

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1);
    let address = format!("127.0.0.1:{}", port.as_deref().unwrap_or("8080"));
    let server = Server::bind(address)?;
    println!("http://{}/", server.local_addr()?);
    server.serve(respond)
}
