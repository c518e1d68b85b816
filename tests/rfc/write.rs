//! RFC 9112 §4, RFC 9110 §6.2 and §15.2.1: the head of a response, and which fields can be written
//! (RFC 9110 §5.1, §5.5).

use doorstep::internals::h1::write::{
    CONTINUE, ConnectionField, LengthField, ResponseHead, push_head,
};
use doorstep::{HttpDate, Status};

fn bare(code: u16) -> ResponseHead<'static> {
    ResponseHead {
        status: Status::from_code(code).expect("the rows have codes of three digits"),
        date: None,
        server: None,
        fields: b"",
        length: LengthField::Absent,
        connection: ConnectionField::Absent,
        upgrade: None,
    }
}

#[test]
#[rustfmt::skip]
fn heads() {
    let date = HttpDate::from_unix(784_111_777).expect("Sun, 06 Nov 1994 08:49:37 GMT");
    let full = ResponseHead {
        date: Some(&date),
        server: Some("doorstep"),
        fields: b"Content-Type: text/html\r\nX: y\r\n",
        length: LengthField::Length(1234),
        connection: ConnectionField::Close,
        ..bare(200)
    };
    let rows: Vec<(&str, ResponseHead<'_>, String)> = vec![
        ("200", bare(200), "HTTP/1.1 200 OK\r\n\r\n".to_owned()),
        ("404", bare(404), "HTTP/1.1 404 Not Found\r\n\r\n".to_owned()),
        ("RFC 9112 §4: no phrase, but its space", bare(599), "HTTP/1.1 599 \r\n\r\n".to_owned()),
        ("the last code", bare(999), "HTTP/1.1 999 \r\n\r\n".to_owned()),
        ("everything, in its order", full, format!("HTTP/1.1 200 OK\r\nDate: {date}\r\nServer: doorstep\r\nConnection: close\r\nContent-Length: 1234\r\nContent-Type: text/html\r\nX: y\r\n\r\n")),
        ("keep-alive, chunked", ResponseHead { connection: ConnectionField::KeepAlive, length: LengthField::Chunked, ..bare(200) }, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned()),
        ("a length of 0", ResponseHead { length: LengthField::Length(0), ..bare(200) }, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("the largest length", ResponseHead { length: LengthField::Length(u64::MAX), ..bare(200) }, "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n".to_owned()),
        ("RFC 9110 §7.8: another protocol, and the option that announces its field", ResponseHead { date: Some(&date), fields: b"X: y\r\n", upgrade: Some("IRC/6.9"), ..bare(101) }, format!("HTTP/1.1 101 Switching Protocols\r\nDate: {date}\r\nConnection: upgrade\r\nUpgrade: IRC/6.9\r\nX: y\r\n\r\n")),
        ("RFC 9110 §15.5.22: a protocol that is asked for", ResponseHead { upgrade: Some("IRC/6.9"), ..bare(426) }, "HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: IRC/6.9\r\n\r\n".to_owned()),
        ("RFC 9110 §7.8: its option beside others", ResponseHead { upgrade: Some("IRC/6.9"), connection: ConnectionField::Close, ..bare(426) }, "HTTP/1.1 426 Upgrade Required\r\nConnection: close, upgrade\r\nUpgrade: IRC/6.9\r\n\r\n".to_owned()),
        ("the same in HTTP/1.0", ResponseHead { upgrade: Some("IRC/6.9"), connection: ConnectionField::KeepAlive, ..bare(426) }, "HTTP/1.1 426 Upgrade Required\r\nConnection: keep-alive, upgrade\r\nUpgrade: IRC/6.9\r\n\r\n".to_owned()),
        ("RFC 9110 §15.2.1: the interim answer", bare(100), String::from_utf8_lossy(CONTINUE).into_owned()),
    ];
    for (name, head, expected) in rows {
        let mut out = b"before".to_vec();
        push_head(&mut out, &head);
        assert_eq!(String::from_utf8_lossy(&out), format!("before{expected}"), "{name}");
    }
}
