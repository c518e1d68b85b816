//! A server loop over any stream, without doorstep's engine. It sends each request's body back:
//! `cargo run --example any_stream -- 8080`, then `curl -d hello http://127.0.0.1:8080/`.
use doorstep::conn::{Config, Connection, Event, Moment};
use doorstep::{CloseReason, Status, h1::FieldTable};
use std::io::{Error, ErrorKind::*, Read, Result, Write};
use std::{env, net::TcpListener, thread, time};

/// Serves one connection to its end. Deadlines hold if calls on the stream time out now and then.
pub fn serve(mut stream: impl Read + Write, now: impl Fn() -> Moment) -> Result<CloseReason> {
    let (config, mut table, mut block) = (Config::default(), FieldTable::default(), [0; 4096]);
    let (mut input, mut content, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let mut conn = Connection::new(now(), &config);
    let is_wait = |error: &Error| matches!(error.kind(), WouldBlock | TimedOut | Interrupted);
    loop {
        match conn.next_event(&input, &mut table, now(), &config, &mut out) {
            Event::Read | Event::Close(_) if !out.is_empty() => match stream.write(&out) {
                Ok(count @ 1..) => {
                    conn.wrote(now(), count as u64, &config);
                    out.drain(..count);
                }
                Err(error) if is_wait(&error) && now() < conn.write_deadline(now(), &config) => {}
                gone => return gone.map(|_| CloseReason::Failed),
            },
            Event::Read => match stream.flush().and_then(|()| stream.read(&mut block)) {
                Ok(0) => conn.input_ended(),
                Ok(count) => input.extend_from_slice(&block[..count]),
                Err(error) if is_wait(&error) => {}
                Err(error) => return Err(error),
            },
            Event::Head { used, .. } => drop(input.drain(..used)),
            Event::Content { used, data } => {
                content.extend_from_slice(&input[data]);
                input.drain(..used);
                if content.len() > config.limits.body_bytes {
                    conn.respond_full(Status::CONTENT_TOO_LARGE, b"", &config, &mut out);
                }
            }
            Event::Respond => conn.respond_full(Status::OK, &content, &config, &mut out),
            Event::Refuse(reject) => conn.respond_full(reject.status(), b"", &config, &mut out),
            Event::Send => {
                content.clear();
                conn.finish(!input.is_empty(), now(), &config);
            }
            Event::Close(reason) => return stream.flush().map(|()| reason),
        }
    }
}

fn main() -> Result<()> {
    let port = env::args().nth(1).unwrap_or("8080".to_string());
    let (start, second) = (time::Instant::now(), Some(time::Duration::from_secs(1)));
    for stream in TcpListener::bind(format!("127.0.0.1:{port}"))?.incoming() {
        let stream = stream?;
        stream.set_read_timeout(second)?;
        stream.set_write_timeout(second)?;
        thread::spawn(move || println!("{:?}", serve(stream, || Moment::at(start.elapsed()))));
    }
    Ok(())
}
