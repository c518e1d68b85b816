//! A server for conformance checkers: 200 for `GET /`, and the body of the request for any POST.
//! `echo PORT` listens on 127.0.0.1; without a port, on 8080.
use doorstep::{IntoResponse, Method, Request, Response, Server, Status};

fn echo(request: &mut Request<'_>) -> Response {
    match (request.method(), request.path()) {
        // Up to `Limits::body_bytes` (1 MiB); beyond it, the error becomes a 413.
        (Method::Post, _) => request.body().collect().into_response(),
        (Method::Get | Method::Head, "/") => Response::text("POST something.\n"),
        (Method::Get | Method::Head, _) => Response::status_page(Status::NOT_FOUND),
        _ => Response::status_page(Status::METHOD_NOT_ALLOWED).header("Allow", "GET, HEAD, POST"),
    }
}

fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1);
    let address = format!("127.0.0.1:{}", port.as_deref().unwrap_or("8080"));
    let server = Server::bind(address)?;
    println!("http://{}/", server.local_addr()?);
    server.serve(echo)
}
