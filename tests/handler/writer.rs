//! Content that a program writes, without a socket.

use doorstep::internals::handler::{ContentSink, run_writer};
use doorstep::internals::limits::STREAM_BLOCK;
use doorstep::{Method, Request, Response, Status, Writer};
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_test_reads_what_is_written() {
    let written = |detached: bool| {
        move |_: &mut Request<'_>| {
            let write = |out: &mut Writer<'_>| {
                out.write_all(b"one ")?;
                out.flush()?;
                assert!(!out.disconnected());
                out.write_all(&[b'x'; 3 * STREAM_BLOCK])?;
                out.write_all(b" two")
            };
            match detached {
                true => Response::new(Status::OK).detached(write),
                false => Response::new(Status::OK).writer(write),
            }
        }
    };
    for detached in [true, false] {
        let answer = Request::test(Method::Get, "/").send(&written(detached));
        assert_eq!(answer.content_length(), None);
        let expected = [
            b"one ".to_vec(),
            vec![b'x'; 3 * STREAM_BLOCK],
            b" two".to_vec(),
        ];
        assert_eq!(answer.into_content().unwrap(), expected.concat());
    }
}

#[test]
fn an_error_of_the_program_is_what_a_test_gets() {
    let answer = Response::new(Status::OK).writer(|out| {
        out.write_all(b"one")?;
        Err(ErrorKind::NotFound.into())
    });
    let error = answer.into_content().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn nothing_is_written_before_somebody_reads_it() {
    static HAS_RUN: AtomicBool = AtomicBool::new(false);
    let answer = Response::new(Status::OK).writer(|_| {
        HAS_RUN.store(true, Ordering::SeqCst);
        Ok(())
    });
    assert!(format!("{answer:?}").contains("takeover: Some(Writer)"));
    drop(answer);
    assert!(!HAS_RUN.load(Ordering::SeqCst));
}

/// What a sink is asked to do, in the order in which it is asked.
#[derive(Default)]
struct Asked(Vec<String>, bool);

impl ContentSink for Asked {
    fn take(&mut self, octets: &[u8]) {
        self.0.push(format!("take {}", octets.len()));
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.push("flush".to_string());
        match self.1 {
            true => Err(ErrorKind::ConnectionReset.into()),
            false => Ok(()),
        }
    }
    fn is_disconnected(&mut self) -> bool {
        self.1
    }
}

#[test]
fn what_is_written_is_collected_into_blocks() {
    const BLOCK: usize = STREAM_BLOCK;
    type Row = (&'static str, &'static [usize], &'static [&'static str]);
    // The sizes of writes; 0 is a flush.
    let rows: &[Row] = &[
        ("nothing", &[], &[]),
        ("a flush of nothing", &[0], &["flush"]),
        ("small pieces", &[1, 2, 3], &["take 6"]),
        ("flushed", &[1, 2, 0, 3], &["take 3", "flush", "take 3"]),
        ("a block", &[BLOCK], &["take 16384", "flush"]),
        (
            "more than a block, in pieces",
            &[BLOCK - 1, 2],
            &["take 16384", "flush", "take 1"],
        ),
        (
            "more than two, at once",
            &[2 * BLOCK + 1],
            &["take 16384", "flush", "take 16384", "flush", "take 1"],
        ),
    ];
    for (name, sizes, asked) in rows {
        let mut sink = Asked::default();
        let write = |out: &mut Writer<'_>| {
            sizes.iter().try_for_each(|size| match size {
                0 => out.flush(),
                size => out.write_all(&vec![b'x'; *size]),
            })
        };
        run_writer(&mut sink, Box::new(write)).unwrap();
        assert_eq!(sink.0, *asked, "{name}");
    }
}

#[test]
fn what_a_sink_says_reaches_the_program() {
    let mut sink = Asked(Vec::new(), true);
    let write = |out: &mut Writer<'_>| {
        assert!(out.disconnected());
        out.write_all(b"one")?;
        out.flush()
    };
    let error = run_writer(&mut sink, Box::new(write)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}
